//! Who may do what in a workspace, and whom to ask.

use std::collections::BTreeSet;

use super::modal::{Choice, Modal, ModalField, Takes};
use super::text::{code, escape, list, time};
use super::{CONFIRM_LABEL, Context, FORM_LABEL};
use crate::command::{Command, Verb};
use crate::id::{ChannelId, UserId};
use crate::manifest::PEOPLE_SCOPE;
use crate::meeting::MeetingId;
use crate::policy::{Act, Because, Denied, Fault, Field, MayLend, Policy, StopOfOthers, Wrong};
use crate::reply::{Audience, ConfirmStop, NotAdmin, NotConfirmed, RoleUnknown};

/// How many people or channels are named in one sentence.
const MOST_NAMED: usize = 5;

pub(super) fn admins_only(why: &NotAdmin, context: &Context) -> Vec<String> {
    let scope = code(PEOPLE_SCOPE);
    let (why, cure) = match why {
        NotAdmin::Member { ask } => {
            return vec!["Nothing was done: only admins of this workspace may do that.".to_owned(), whom_to_ask(ask)];
        }
        NotAdmin::Unknown(RoleUnknown::NoBot) => (
            "it has no bot in this workspace that works.",
            format!("Install the app in this workspace again, with the permission {scope}."),
        ),
        NotAdmin::Unknown(RoleUnknown::NoScope) => (
            "its bot may not see what people are here.",
            format!("Give the app the permission {scope} at Slack, and install it in this workspace again."),
        ),
        NotAdmin::Unknown(RoleUnknown::Away) => (
            "Slack doesn't say it just now.",
            format!("Try again in a minute. Still the same? {}", context.tell_an_admin()),
        ),
    };
    vec![format!("Nothing was done: only admins may do that, and OnAir can't tell whether you are one: {why}"), cure]
}

pub(super) fn denied(denied: &Denied, context: &Context) -> Vec<String> {
    let Denied { act, why, ask } = denied;
    let (not_done, to_do) = (not_done(*act), to_do(*act));
    match why {
        Because::OfWho => {
            vec![format!("{not_done}: in this workspace, you are not among those who may {to_do}."), whom_to_ask(ask)]
        }
        Because::OfWhere(channels) => vec![
            format!("{not_done}: in this workspace, people may {to_do} in {} and not here.", named_channels(channels)),
            whom_to_ask(ask),
        ],
        Because::Alone => vec![
            format!("{not_done}: somebody else asked for it, and in this workspace that takes a second person."),
            format!("Ask for it where others are: type {} and the meeting in a channel.", context.verb(Verb::Stop)),
        ],
        Because::Unreadable => vec![
            format!("{not_done}: OnAir can't read who may {to_do} in this workspace, so nobody may."),
            format!("An admin sets it anew: {}", context.verb(Verb::Policy)),
        ],
    }
}

pub(super) fn no_next_try(meeting: MeetingId, asked_by: &UserId, denied: &Denied, context: &Context) -> Vec<String> {
    let Denied { act, why, ask } = denied;
    let (done, to_do) = (if *act == Act::Stop { "stopped" } else { "started" }, to_do(*act));
    let first = |why: String| format!("The stream of {} was not {done}: {why}", code(&meeting.to_string()));
    match why {
        Because::OfWho | Because::OfWhere(_) | Because::Alone => vec![
            first(format!("by the rules of this workspace, {} may not {to_do} here any more.", user(asked_by))),
            whom_to_ask(ask),
        ],
        Because::Unreadable => vec![
            first(format!("OnAir can't read whether {} may {to_do} in this workspace.", user(asked_by))),
            format!("An admin sets it anew: {}", context.verb(Verb::Policy)),
        ],
    }
}

/// The same for a page, where Slack's names mean nothing.
pub(super) fn denied_page(denied: &Denied) -> Vec<String> {
    let to_do = to_do(denied.act);
    let why = match denied.why {
        Because::OfWho => format!("In your Slack workspace, you are not among those who may {to_do}."),
        Because::OfWhere(_) => {
            format!(
                "In your Slack workspace, people may {to_do} in some channels, and not where you asked for this page."
            )
        }
        Because::Alone => format!("In your Slack workspace, to {to_do} takes a second person."),
        Because::Unreadable => format!("OnAir can't read who may {to_do} in your Slack workspace, so nobody may."),
    };
    vec![why, "Ask an admin of your Slack workspace.".to_owned()]
}

pub(super) fn form_not_open() -> Vec<String> {
    vec![
        "The form is not open: Slack opens one only right after you type or press something.".to_owned(),
        format!("Press *{FORM_LABEL}*."),
    ]
}

pub(super) fn confirm_stop(stop: &ConfirmStop, context: &Context) -> Vec<String> {
    let (asker, meeting) = (user(&stop.asked_by.user), code(&stop.meeting.to_string()));
    let status = Command::Status { meeting: Some(stop.meeting) };
    vec![
        format!("{asker} asks to stop the stream of {meeting}, which somebody else asked for."),
        "In this workspace that takes a second person. Nothing was stopped yet.".to_owned(),
        format!("How the stream is: {}", context.copy(&status.to_string())),
        format!("To stop it, somebody else presses *{CONFIRM_LABEL}* by {}.", time(stop.until)),
    ]
}

pub(super) fn not_confirmed(meeting: MeetingId, why: NotConfirmed, context: &Context) -> Vec<String> {
    let shown = code(&meeting.to_string());
    let stop: Command = Command::Stop { meeting };
    let ask_anew = format!("To ask for it anew: {}", context.copy(&stop.to_string()));
    match why {
        NotConfirmed::SamePerson => vec![
            format!("Nothing was done: you asked for this stop of {shown} yourself."),
            "Ask somebody else who may stop streams to press the button.".to_owned(),
        ],
        NotConfirmed::NotHere => vec![
            format!("Nothing was done: this stop of {shown} was asked for in another workspace."),
            "Ask somebody of that workspace.".to_owned(),
        ],
        NotConfirmed::TooLate => {
            let minutes = ConfirmStop::LIFE.as_mins();
            vec![format!("Nothing was done: this stop of {shown} was asked for over {minutes} minutes ago."), ask_anew]
        }
        NotConfirmed::Over => {
            vec![format!("Nothing was done: the stream of {shown} that this was about is over."), ask_anew]
        }
    }
}

/// The form on which rules are changed.
pub fn policy_form(policy: &Policy) -> Modal {
    Modal {
        title: "Who may do what".to_owned(),
        intro:
            "Rules for this workspace. They narrow what people may do with their own Zoom meetings, and hold from the \
                next command on."
                .to_owned(),
        fields: Field::ALL.into_iter().map(|field| form_field(policy, field)).collect(),
        submit: "Save".to_owned(),
        close: "Cancel".to_owned(),
    }
}

fn form_field(policy: &Policy, field: Field) -> ModalField {
    let (label, hint, takes) = match field {
        Field::Managers => (
            "Who may change these rules".to_owned(),
            Some("Admins and owners of this workspace may anyway."),
            Takes::People(policy.managers.clone()),
        ),
        Field::People(act) => (
            format!("Who may {}", to_do(act)),
            Some("Nobody chosen: everybody."),
            Takes::People(policy.rule(act).people.clone()),
        ),
        Field::Channels(act) => (
            format!("Where people may {}", to_do(act)),
            Some("None chosen: everywhere."),
            Takes::Channels(policy.rule(act).channels.clone()),
        ),
        Field::StopOfOthers => (
            "To stop a stream that somebody else asked for".to_owned(),
            None,
            Takes::Choice {
                options: vec![
                    option(StopOfOthers::Alone.word(), "One person is enough"),
                    option(StopOfOthers::WithSecondPerson.word(), "A second person has to confirm"),
                ],
                chosen: policy.stop_of_others.word(),
            },
        ),
        Field::Failures => (
            "Who reads that an order failed".to_owned(),
            None,
            Takes::Choice {
                options: vec![
                    option(Audience::Channel.word(), "The channel"),
                    option(Audience::Person.word(), "Whoever gave it"),
                ],
                chosen: policy.failures.word(),
            },
        ),
        Field::AuditChannel => (
            "Where audit lines go".to_owned(),
            Some("Invite OnAir to that channel."),
            Takes::Channel(policy.audit_channel.clone()),
        ),
        Field::Lending => (
            "To lend control of a meeting to a colleague".to_owned(),
            Some("The colleague starts and stops its stream as whoever lends it."),
            Takes::Choice {
                options: MayLend::ALL.into_iter().map(|rule| option(rule.word(), may_lend(rule))).collect(),
                chosen: policy.lending.word(),
            },
        ),
    };
    ModalField { name: field.name(), label, hint: hint.map(str::to_owned), takes }
}

fn may_lend(rule: MayLend) -> &'static str {
    match rule {
        MayLend::Off => "Not allowed",
        MayLend::OneHour => "For an hour at the most",
        MayLend::FourHours => "For 4 hours at the most",
        MayLend::TwelveHours => "For 12 hours at the most",
        MayLend::OneDay => "For 24 hours at the most",
    }
}

pub(super) fn option(name: &'static str, label: &str) -> Choice {
    Choice { name, label: label.to_owned() }
}

/// What is told beside a field of the form. Slack shows it as it is, without markup.
pub fn form_fault(fault: &Fault) -> String {
    match fault.why {
        Wrong::TooMany => format!("Not saved: choose {} at the most.", Policy::MOST),
        Wrong::NoChoice => "Not saved: choose one of these.".to_owned(),
    }
}

/// What is told where somebody else was faster.
pub fn form_outdated(command: &str) -> String {
    let verb = Verb::Policy.word();
    format!("Not saved: somebody changed the rules meanwhile. Close this form and type {command} {verb} to see them.")
}

/// What is told where nobody can save just now.
pub fn form_not_saved() -> String {
    "Not saved: OnAir can't write anything down just now. Press Save again in a minute.".to_owned()
}

/// What is told to who may not save any more.
pub fn form_for_admins_only(why: &NotAdmin) -> String {
    match why {
        NotAdmin::Member { .. } => "Not saved: only admins of this workspace may do that, and you are none.".to_owned(),
        NotAdmin::Unknown(RoleUnknown::Away) => {
            "Not saved: Slack doesn't say just now whether you are an admin. Press Save again in a minute.".to_owned()
        }
        NotAdmin::Unknown(RoleUnknown::NoBot | RoleUnknown::NoScope) => {
            format!(
                "Not saved: OnAir can't tell whether you are an admin. Its bot needs the permission {PEOPLE_SCOPE}."
            )
        }
    }
}

fn not_done(act: Act) -> &'static str {
    match act {
        Act::Start => "Nothing was started",
        Act::Stop => "Nothing was stopped",
        Act::Setup => "Nothing was set",
    }
}

fn to_do(act: Act) -> &'static str {
    match act {
        Act::Start => "start streams",
        Act::Stop => "stop streams",
        Act::Setup => "set where streams go",
    }
}

pub(super) fn whom_to_ask(people: &BTreeSet<UserId>) -> String {
    let mut named: Vec<String> = people.iter().take(MOST_NAMED).map(user).collect();
    named.push("an admin of this workspace".to_owned());
    format!("Ask {}.", list(&named, "or"))
}

fn named_channels(channels: &BTreeSet<ChannelId>) -> String {
    let mut named: Vec<String> =
        channels.iter().take(MOST_NAMED).map(|channel| format!("<#{}>", escape(channel.as_str()))).collect();
    if channels.len() > MOST_NAMED {
        named.push("others".to_owned());
    }
    list(&named, "and")
}

pub(super) fn user(user: &UserId) -> String {
    format!("<@{}>", escape(user.as_str()))
}
