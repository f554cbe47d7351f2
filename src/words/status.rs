//! What is known about streams, and where it comes from: Zoom cannot be asked whether one is on air.

use super::text::{code, day_and_time, escape, time};
use super::{Context, card, check};
use crate::command::Verb;
use crate::meeting::MeetingId;
use crate::outcome::Action;
use crate::reply::{Fate, Known, StreamRecord, Verdict};
use crate::stream::{Confirms, State, Stream};

const CANNOT_ASK: &str =
    "That is what OnAir did. It can't ask Zoom whether a stream is on air now, so look at the stream itself.";

pub(super) fn workspace(streams: &[Known], context: &Context) -> Vec<String> {
    if streams.is_empty() {
        return vec![
            format!(
                "OnAir started and stopped nothing in this workspace in the last {} hours, as far as it knows.",
                hours()
            ),
            format!("To put a meeting on air: {}", context.copy(Verb::Start.example())),
        ];
    }
    let mut lines = vec![format!("Streams of the last {} hours, newest first:", hours())];
    lines.extend(streams.iter().flat_map(|known| known_lines(known, context)).map(|line| format!("• {line}")));
    lines.push(format!(
        "“Live” is what Zoom reported. To hear what Zoom says about one meeting: {}",
        context.copy(Verb::Status.example())
    ));
    lines
}

pub(super) fn known_lines(known: &Known, context: &Context) -> Vec<String> {
    let of_stream = known.stream.as_ref().map(|stream| card::short(stream, context));
    of_stream.into_iter().chain(told_by_record(known).map(record)).collect()
}

/// What OnAir did, where no stream tells it.
fn told_by_record(known: &Known) -> Option<&StreamRecord> {
    let is_doubt = |record: &StreamRecord| record.action == Action::Stop && record.fate == Fate::Unknown;
    known.record.as_ref().filter(|record| match &known.stream {
        None => true,
        Some(stream) => is_doubt(record) && !matches!(stream.state, State::Ended { .. } | State::Failed { .. }),
    })
}

pub(super) fn one(meeting: MeetingId, known: Option<&Known>, running: &Verdict, context: &Context) -> Vec<String> {
    match known {
        Some(known @ Known { stream: Some(stream), .. }) => {
            let mut lines = vec![card::short(stream, context)];
            lines.extend(told_by_record(known).map(record));
            lines.extend([source(stream), in_zoom(running, may_be_on_air(stream)), card::next(stream, context)]);
            lines
        }
        Some(Known { record: Some(done), .. }) => {
            let may_be_on_air = done.action == Action::Start || done.fate == Fate::Unknown;
            vec![record(done), CANNOT_ASK.to_owned(), in_zoom(running, may_be_on_air), next(done, context)]
        }
        None | Some(Known { record: None, stream: None }) => nothing(meeting, running, context),
    }
}

fn nothing(meeting: MeetingId, running: &Verdict, context: &Context) -> Vec<String> {
    vec![
        format!(
            "OnAir started and stopped nothing with {} in the last {} hours, as far as it knows.",
            code(&meeting.to_string()),
            hours()
        ),
        in_zoom(running, false),
        format!("To put it on air: {}", context.copy(&format!("start {}", meeting.number()))),
    ]
}

/// Where it comes from.
fn source(stream: &Stream) -> String {
    match (&stream.state, stream.heard_at) {
        (State::Throttled(_) | State::Failed { .. }, _) => "That is from OnAir's own record.".to_owned(),
        (State::Live { .. } | State::Ended { .. }, Some(at)) => {
            format!("That is from what Zoom reported, the last time at {}.", time(at))
        }
        (_, _) if stream.confirms == Confirms::No => {
            "That is from what Zoom answered. It reports nothing about this one, and can't be asked whether a stream is on \
             air: look at the stream itself."
                .to_owned()
        }
        (_, _) => "That is from what Zoom answered; its report has not come.".to_owned(),
    }
}

fn may_be_on_air(stream: &Stream) -> bool {
    !matches!(stream.state, State::Throttled(_) | State::Ended { .. } | State::Failed { .. })
}

fn in_zoom(running: &Verdict, may_be_on_air: bool) -> String {
    match running {
        Verdict::Good => "Zoom says that the meeting is in progress.".to_owned(),
        Verdict::Bad(_) if may_be_on_air => {
            "Zoom says that the meeting is not in progress, and nothing is on air without it.".to_owned()
        }
        Verdict::Bad(_) => "Zoom says that the meeting is not in progress.".to_owned(),
        Verdict::Unknown(why) => format!("Whether the meeting is in progress: {}.", check::why_unknown(why)),
    }
}

fn next(done: &StreamRecord, context: &Context) -> String {
    let meeting = done.meeting.number();
    match done.action {
        // After a stop of unknown fate the stop is what to repeat; a start would be blind.
        Action::Stop if done.fate == Fate::Unknown => {
            format!("Still on air? {}", context.copy(&format!("stop {meeting}")))
        }
        Action::Start => format!("To take it off air: {}", context.copy(&format!("stop {meeting}"))),
        Action::Stop => format!("To put it on air again: {}", context.copy(&format!("start {meeting}"))),
    }
}

fn record(stream: &StreamRecord) -> String {
    let what = match (stream.action, stream.fate) {
        (Action::Start, Fate::Taken) => "Zoom accepted the start",
        (Action::Stop, Fate::Taken) => "stopped",
        (Action::Start, Fate::Unknown) => "start sent, and Zoom gave no clear answer: it may be on air",
        (Action::Stop, Fate::Unknown) => "stop sent, and Zoom gave no clear answer: it may still be on air",
    };
    let by = stream.by.as_ref().map_or_else(|| "in Zoom".to_owned(), |by| format!("by <@{}>", escape(by.as_str())));
    format!("{}: {what}, {}, {by}", code(&stream.meeting.to_string()), day_and_time(stream.at))
}

/// How long OnAir remembers.
fn hours() -> u64 {
    StreamRecord::LIFE.as_secs() / 3600
}
