//! What a person reads when another order is in the way of theirs, or was, and when one that waited is given up.

use super::Context;
use jiff::Timestamp;

use super::text::{code, escape, seconds_since, seconds_until, time_to_come};
use crate::command::Command;
use crate::id::UserId;
use crate::meeting::MeetingId;
use crate::outcome::{Action, START_INTERVAL};
use crate::reply::{Already, Cancelled};
use crate::turn::Phase;

pub(super) fn already(already: &Already, context: &Context) -> Vec<String> {
    let meeting = already.asked.meeting().map_or_else(String::new, |meeting| code(&meeting.to_string()));
    let (ago, by) = (seconds_since(already.asked_at, context.now), who(already.by.as_ref()));
    let asked = format!("asked for by {by} {ago} s ago");
    let sent = if already.is_same { "Nothing was sent twice." } else { "Your other settings were not sent." };
    let again = context.copy(&already.asked.to_string());
    let stop = context.copy(&opposite(&already.asked));
    let is_same = matches!(already.asked, Command::Start(_)) == (already.action == Action::Start);
    match (&already.phase, already.action) {
        (Phase::Working, action) if !is_same => vec![
            format!("Not sent: the {} of {meeting} is still under way, {asked}.", noun(action)),
            format!("Repeat in a minute: {again}"),
        ],
        (Phase::Working, action) => vec![
            format!("Already {}: {meeting}, {asked}. {sent}", doing(action)),
            "The answer comes where it was asked for.".to_owned(),
        ],
        (Phase::Waiting { retry_at }, action) => vec![
            format!("Already {}: {meeting}, {asked}. Zoom asked to wait.", doing(action)),
            match action {
                Action::Start => {
                    format!("OnAir tries again by itself at {}. To give it up: {stop}", time_to_come(*retry_at))
                }
                Action::Stop => {
                    format!(
                        "OnAir tries again by itself at {}. To give it up, press *Cancel* there.",
                        time_to_come(*retry_at)
                    )
                }
            },
        ],
        (Phase::Unknown { .. } | Phase::Over { .. }, action) => vec![
            format!("Already sent: the {} of {meeting}, {asked}. Zoom gave no clear answer.", noun(action)),
            format!("Look at the stream first. No change after a minute? Repeat: {again}"),
        ],
        (Phase::Taken { at }, Action::Start) => vec![
            format!("Already started: {meeting}, {asked}, and Zoom accepted it. {sent}"),
            format!(
                "Nothing on air yet? Zoom takes one start in 30 s: wait {}s, then repeat: {again}",
                wait(*at, context)
            ),
            format!("To take it off air: {stop}"),
        ],
        (Phase::Taken { .. }, Action::Stop) => vec![
            format!("Already stopped: {meeting}, {asked}. Nothing was sent twice."),
            format!("To put it on air again: {stop}"),
        ],
    }
}

pub(super) fn withdrawn(
    by: Option<&UserId>,
    their_action: Action,
    asked_by: &UserId,
    asked: &Command,
    context: &Context,
) -> Vec<String> {
    let meeting = asked.meeting().map_or_else(String::new, |meeting| code(&meeting.to_string()));
    let (asker, by) = (who(Some(asked_by)), who(by));
    let (what, theirs) = (asked.verb().word(), noun(their_action));
    vec![
        format!("The {what} of {meeting} that {asker} asked for is not tried again: {by} asked to {theirs} it."),
        format!("Still wanted? {}", context.copy(&asked.to_string())),
    ]
}

pub(super) fn cancelled(
    how: Cancelled,
    by: &UserId,
    meeting: MeetingId,
    action: Action,
    asked_by: &UserId,
    context: &Context,
) -> Vec<String> {
    let (presser, asker) = (who(Some(by)), who(Some(asked_by)));
    let (what, shown) = (noun(action), code(&meeting.to_string()));
    match how {
        Cancelled::Now => vec![
            format!("Cancelled by {presser}: the {what} of {shown} that {asker} asked for is not tried again."),
            format!("What OnAir did with it lately: {}", status(meeting, context)),
        ],
        Cancelled::TooLate => vec![
            format!("Too late to cancel: Zoom is being asked about the {what} of {shown} at this moment."),
            format!("What OnAir did with it lately: {}", status(meeting, context)),
        ],
        Cancelled::NotHere => vec![
            format!("Not cancelled: the {what} of {shown} was asked for in another workspace."),
            "Whoever asked for it can cancel it there.".to_owned(),
            format!("What OnAir did with it lately: {}", status(meeting, context)),
        ],
        Cancelled::NotTheirs => vec![
            format!("Not cancelled: the {what} of {shown} is {asker}'s."),
            "They can cancel it, and so can everybody here who has connected a Zoom account.".to_owned(),
            format!("Connect yours: {}", context.copy("connect")),
        ],
    }
}

pub(super) fn nothing_to_cancel(meeting: MeetingId, context: &Context) -> Vec<String> {
    vec![
        format!("Nothing to cancel: OnAir does not wait to try {} again any more.", code(&meeting.to_string())),
        format!("What OnAir did with it lately: {}", status(meeting, context)),
    ]
}

fn status(meeting: MeetingId, context: &Context) -> String {
    context.copy(&Command::Status { meeting: Some(meeting) }.to_string())
}

/// How long Zoom takes no other start of a meeting, in seconds.
fn wait(taken_at: Timestamp, context: &Context) -> i64 {
    let free_at = taken_at.saturating_add(START_INTERVAL).unwrap_or(taken_at);
    seconds_until(free_at, context.now)
}

/// Somebody of this workspace by name; nobody else is named here.
fn who(user: Option<&UserId>) -> String {
    user.map_or_else(|| "somebody in another workspace".to_owned(), |user| format!("<@{}>", escape(user.as_str())))
}

fn doing(action: Action) -> &'static str {
    match action {
        Action::Start => "starting",
        Action::Stop => "stopping",
    }
}

fn noun(action: Action) -> &'static str {
    match action {
        Action::Start => "start",
        Action::Stop => "stop",
    }
}

/// The words of the command that undoes another one.
fn opposite(command: &Command) -> String {
    match command {
        Command::Start(start) => Command::Stop { meeting: start.meeting }.to_string(),
        Command::Stop { meeting } => format!("start {}", meeting.number()),
        other => other.to_string(),
    }
}
