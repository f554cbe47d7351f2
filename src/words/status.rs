//! What is known about streams: only what OnAir did itself, since Zoom cannot be asked whether one is on.

use super::Context;
use super::text::{code, day_and_time, escape};
use crate::command::Verb;
use crate::meeting::MeetingId;
use crate::outcome::Action;
use crate::reply::{Fate, StreamRecord};

const CANNOT_ASK: &str =
    "That is what OnAir did. It can't ask Zoom whether a stream is on air now, so look at the stream itself.";

pub(super) fn workspace(streams: &[StreamRecord], context: &Context) -> Vec<String> {
    if streams.is_empty() {
        return vec![
            format!(
                "OnAir started and stopped nothing in this workspace in the last {} hours, as far as it knows.",
                hours()
            ),
            format!("To put a meeting on air: {}", context.copy(Verb::Start.example())),
        ];
    }
    let mut lines = vec![format!("What OnAir did in the last {} hours, newest first:", hours())];
    lines.extend(streams.iter().map(|stream| format!("• {}", record(stream))));
    lines.push(CANNOT_ASK.to_owned());
    lines
}

pub(super) fn one(meeting: MeetingId, streams: &[StreamRecord], context: &Context) -> Vec<String> {
    let Some(newest) = streams.first() else {
        return vec![
            format!(
                "OnAir started and stopped nothing with {} in the last {} hours, as far as it knows.",
                code(&meeting.to_string()),
                hours()
            ),
            format!("To put it on air: {}", context.copy(&format!("start {}", meeting.number()))),
        ];
    };
    let next = match newest.action {
        // After a stop of unknown fate the stop is what to repeat; a start would be blind.
        Action::Stop if newest.fate == Fate::Unknown => {
            format!("Still on air? {}", context.copy(&format!("stop {}", meeting.number())))
        }
        Action::Start => format!("To take it off air: {}", context.copy(&format!("stop {}", meeting.number()))),
        Action::Stop => format!("To put it on air again: {}", context.copy(&format!("start {}", meeting.number()))),
    };
    let mut lines: Vec<String> = streams.iter().map(record).collect();
    lines.push(CANNOT_ASK.to_owned());
    lines.push(next);
    lines
}

fn record(stream: &StreamRecord) -> String {
    let what = match (stream.action, stream.fate) {
        (Action::Start, Fate::Taken) => "Zoom accepted the start",
        (Action::Stop, Fate::Taken) => "stopped",
        (Action::Start, Fate::Unknown) => "start sent, and Zoom gave no clear answer: it may be on air",
        (Action::Stop, Fate::Unknown) => "stop sent, and Zoom gave no clear answer: it may still be on air",
    };
    let (meeting, by) = (code(&stream.meeting.to_string()), escape(stream.by.as_str()));
    format!("{meeting}: {what}, {}, by <@{by}>", day_and_time(stream.at))
}

/// How long OnAir remembers.
fn hours() -> u64 {
    StreamRecord::LIFE.as_secs() / 3600
}
