//! Who may do what, and whom to ask.

use std::collections::BTreeSet;
use std::fmt::Write as _;

use super::*;
use crate::id::{ChannelId, Person, TeamId};
use crate::policy::{Act, Because, Denied, Fault, Field, Policy, Rule, StopOfOthers, Wrong};

fn users(names: &[&str]) -> BTreeSet<UserId> {
    names.iter().map(|name| UserId::new(*name)).collect()
}

pub(super) fn denied(why: Because) -> Denied {
    Denied { act: Act::Start, why, ask: users(&["U7"]) }
}

pub(super) fn stop(stream: &str) -> ConfirmStop {
    let asked_by = Person { enterprise: None, team: TeamId::new("T1"), user: UserId::new("U1") };
    ConfirmStop { meeting: meeting(), asked_by, stream: Reference::new(stream), until: later(600) }
}

#[test]
fn what_only_admins_may_do() {
    insta::assert_snapshot!(seen(&Reply::AdminsOnly(NotAdmin::Member { ask: BTreeSet::new() })), @"
    (Person)
    Nothing was done: only admins of this workspace may do that.
    Ask an admin of this workspace.
    ");
    insta::assert_snapshot!(seen(&Reply::AdminsOnly(NotAdmin::Member { ask: users(&["U7", "U8"]) })), @"
    (Person)
    Nothing was done: only admins of this workspace may do that.
    Ask @U7, @U8 or an admin of this workspace.
    ");
    insta::assert_snapshot!(seen(&Reply::AdminsOnly(NotAdmin::Unknown(RoleUnknown::NoBot))), @"
    (Person)
    Nothing was done: only admins may do that, and OnAir can't tell whether you are one: it has no bot in this workspace that works.
    Install the app in this workspace again, with the permission `users:read`.
    ");
    insta::assert_snapshot!(seen(&Reply::AdminsOnly(NotAdmin::Unknown(RoleUnknown::NoScope))), @"
    (Person)
    Nothing was done: only admins may do that, and OnAir can't tell whether you are one: its bot may not see what people are here.
    Give the app the permission `users:read` at Slack, and install it in this workspace again.
    ");
    insta::assert_snapshot!(seen(&Reply::AdminsOnly(NotAdmin::Unknown(RoleUnknown::Away))), @"
    (Person)
    Nothing was done: only admins may do that, and OnAir can't tell whether you are one: Slack doesn't say it just now.
    Try again in a minute. Still the same? Give an admin this reference: `r-7f3k`
    ");
}

#[test]
fn what_the_rules_are_against() {
    insta::assert_snapshot!(seen(&Reply::Denied(denied(Because::OfWho))), @"
    (Person)
    Nothing was started: in this workspace, you are not among those who may start streams.
    Ask @U7 or an admin of this workspace.
    ");
    let channels: BTreeSet<ChannelId> = ["C1", "C2"].map(ChannelId::new).into();
    let ask = BTreeSet::new();
    let somewhere = Denied { act: Act::Stop, why: Because::OfWhere(channels.clone()), ask };
    insta::assert_snapshot!(seen(&Reply::Denied(somewhere)), @"
    (Person)
    Nothing was stopped: in this workspace, people may stop streams in #C1 and #C2 and not here.
    Ask an admin of this workspace.
    ");
    let many = (1..=9).map(|number| ChannelId::new(format!("C{number}"))).collect();
    let ask = users(&["U1", "U2", "U3", "U4", "U5", "U6"]);
    insta::assert_snapshot!(seen(&Reply::Denied(Denied { act: Act::Setup, why: Because::OfWhere(many), ask })), @"
    (Person)
    Nothing was set: in this workspace, people may set where streams go in #C1, #C2, #C3, #C4, #C5 and others and not here.
    Ask @U1, @U2, @U3, @U4, @U5 or an admin of this workspace.
    ");
    insta::assert_snapshot!(seen(&Reply::Denied(denied(Because::Unreadable))), @"
    (Person)
    Nothing was started: OnAir can't read who may start streams in this workspace, so nobody may.
    An admin sets it anew: `/stream policy`
    ");
    let later = |why| seen(&Reply::NoNextTry { meeting: meeting(), asked_by: UserId::new("U1"), denied: denied(why) });
    insta::assert_snapshot!(later(Because::OfWho), @"
    (Channel)
    The stream of `684 230 85` was not started: by the rules of this workspace, @U1 may not start streams here any more.
    Ask @U7 or an admin of this workspace.
    ");
    insta::assert_snapshot!(later(Because::Unreadable), @"
    (Channel)
    The stream of `684 230 85` was not started: OnAir can't read whether @U1 may start streams in this workspace.
    An admin sets it anew: `/stream policy`
    ");
    let pages = [Because::OfWho, Because::OfWhere(channels), Because::Unreadable].map(|why| {
        let page = Page::Setup(crate::reply::SetupPage::Denied(Denied { act: Act::Setup, ..denied(why) }));
        let text = super::page(&page, "/stream");
        format!("{}\n{}", text.heading, text.paragraphs.join("\n"))
    });
    insta::assert_snapshot!(pages.join("\n\n"), @"
    Nothing was saved
    In your Slack workspace, you are not among those who may set where streams go.
    Ask an admin of your Slack workspace.

    Nothing was saved
    In your Slack workspace, people may set where streams go in some channels, and not where you asked for this page.
    Ask an admin of your Slack workspace.

    Nothing was saved
    OnAir can't read who may set where streams go in your Slack workspace, so nobody may.
    Ask an admin of your Slack workspace.
    ");
}

#[test]
fn a_stop_that_takes_a_second_person() {
    insta::assert_snapshot!(seen(&Reply::ConfirmStop(stop("r-1"))), @"
    (Channel)
    @U1 asks to stop the stream of `684 230 85`, which somebody else asked for.
    In this workspace that takes a second person. Nothing was stopped yet.
    How the stream is: `/stream status 68423085`
    To stop it, somebody else presses *Confirm stop* by 14:10:00 UTC.
    [Confirm stop]
    ");
    let not_confirmed = |why| seen(&Reply::NotConfirmed { meeting: meeting(), why });
    insta::assert_snapshot!(not_confirmed(NotConfirmed::SamePerson), @"
    (Person)
    Nothing was done: you asked for this stop of `684 230 85` yourself.
    Ask somebody else who may stop streams to press the button.
    ");
    insta::assert_snapshot!(not_confirmed(NotConfirmed::NotHere), @"
    (Person)
    Nothing was done: this stop of `684 230 85` was asked for in another workspace.
    Ask somebody of that workspace.
    ");
    insta::assert_snapshot!(not_confirmed(NotConfirmed::TooLate), @"
    (Person)
    Nothing was done: this stop of `684 230 85` was asked for over 10 minutes ago.
    To ask for it anew: `/stream stop 68423085`
    ");
    insta::assert_snapshot!(not_confirmed(NotConfirmed::Over), @"
    (Person)
    Nothing was done: the stream of `684 230 85` that this was about is over.
    To ask for it anew: `/stream stop 68423085`
    ");
}

#[test]
fn the_form_of_the_rules() {
    let policy = Policy {
        managers: users(&["U7"]),
        start: Rule { people: users(&["U1", "U2"]), channels: [ChannelId::new("C1")].into() },
        stop_of_others: StopOfOthers::WithSecondPerson,
        ..Policy::default()
    };
    let form = policy_form(&policy);
    let mut seen = format!("{}\n{}", form.title, form.intro);
    for field in &form.fields {
        write!(seen, "\n{}: {:?}", field.label, field.takes).unwrap();
        if let Some(hint) = &field.hint {
            write!(seen, "\n  {hint}").unwrap();
        }
    }
    write!(seen, "\n[{}] [{}]", form.submit, form.close).unwrap();
    insta::assert_snapshot!(seen, @r#"
    Who may do what
    Rules for this workspace. They narrow what people may do with their own Zoom meetings, and hold from the next command on.
    Who may change these rules: People({UserId("U7")})
      Admins and owners of this workspace may anyway.
    Who may start streams: People({UserId("U1"), UserId("U2")})
      Nobody chosen: everybody.
    Where people may start streams: Channels({ChannelId("C1")})
      None chosen: everywhere.
    Who may stop streams: People({})
      Nobody chosen: everybody.
    Where people may stop streams: Channels({})
      None chosen: everywhere.
    To stop a stream that somebody else asked for: Choice { options: [Choice { name: "alone", label: "One person is enough" }, Choice { name: "with_second_person", label: "A second person has to confirm" }], chosen: "with_second_person" }
    Who may set where streams go: People({})
      Nobody chosen: everybody.
    Where people may set where streams go: Channels({})
      None chosen: everywhere.
    Who reads that an order failed: Choice { options: [Choice { name: "channel", label: "The channel" }, Choice { name: "person", label: "Whoever gave it" }], chosen: "channel" }
    Where audit lines go: Channel(None)
      Invite OnAir to that channel.
    To lend control of a meeting to a colleague: Choice { options: [Choice { name: "off", label: "Not allowed" }, Choice { name: "one_hour", label: "For an hour at the most" }, Choice { name: "four_hours", label: "For 4 hours at the most" }, Choice { name: "twelve_hours", label: "For 12 hours at the most" }, Choice { name: "one_day", label: "For 24 hours at the most" }], chosen: "off" }
      The colleague starts and stops its stream as whoever lends it.
    [Save] [Cancel]
    "#);
    assert!([&form.title, &form.submit, &form.close].iter().all(|words| words.chars().count() <= 24));
    insta::assert_snapshot!(self::seen(&Reply::FormNotOpen { text: "policy".to_owned() }), @"
    (Person)
    The form is not open: Slack opens one only right after you type or press something.
    Press *Open the form*.
    [Open the form]
    ");
}

#[test]
fn what_is_wrong_with_a_form() {
    let fault = |why| form_fault(&Fault { field: Field::Managers, why });
    let told = [
        fault(Wrong::TooMany),
        fault(Wrong::NoChoice),
        form_outdated("/stream"),
        form_not_saved(),
        form_for_admins_only(&NotAdmin::Member { ask: BTreeSet::new() }),
        form_for_admins_only(&NotAdmin::Unknown(RoleUnknown::Away)),
        form_for_admins_only(&NotAdmin::Unknown(RoleUnknown::NoScope)),
    ];
    insta::assert_snapshot!(told.join("\n"), @"
    Not saved: choose 50 at the most.
    Not saved: choose one of these.
    Not saved: somebody changed the rules meanwhile. Close this form and type /stream policy to see them.
    Not saved: OnAir can't write anything down just now. Press Save again in a minute.
    Not saved: only admins of this workspace may do that, and you are none.
    Not saved: Slack doesn't say just now whether you are an admin. Press Save again in a minute.
    Not saved: OnAir can't tell whether you are an admin. Its bot needs the permission users:read.
    ");
}
