//! Every message as a person sees it, and what must hold for all of them.

use std::fmt::Write as _;

use jiff::{SignedDuration, Timestamp};
use proptest::prelude::*;

use super::text::{MAX_MESSAGE, clip, fit, size};
use super::*;
use crate::command::{CAPTIONS_WORDS, Command, LAYOUT_WORDS, NotAMeeting, Problem, Run, Start, UsageError};
use crate::grant::ZoomUser;
use crate::id::{JobId, UserId, ZoomUserId};
use crate::meeting::{Captions, Layout, MeetingId, Settings, SpeakerName, Title};
use crate::outcome::{Action, FieldError, Invalid, NotAllowed, Outcome, Throttle};
use crate::preset::{Preset, PresetName, Presets};
use crate::reply::{
    Already, ConfirmStop, ConnectWhy, Disconnected, NotAdmin, NotConfirmed, Page, RoleUnknown, Show, StreamRecord,
};
use crate::stream::{Confirms, NextTry};
use crate::turn::Phase;

mod accounts;
mod announcements;
mod cards;
mod checks;
mod doctors;
mod homes;
mod lendings;
mod outcomes;
mod pages;
mod policies;
mod presets;
mod rules;
mod setups;
mod turns;
mod usages;

fn now() -> Timestamp {
    "2026-10-05T14:00:00Z".parse().unwrap()
}

fn later(seconds: i64) -> Timestamp {
    now().checked_add(SignedDuration::from_secs(seconds)).unwrap()
}

fn meeting() -> MeetingId {
    "68423085".parse().unwrap()
}

fn ada() -> ZoomUser {
    ZoomUser {
        id: ZoomUserId::new("z1"),
        account: None,
        name: Some("Ada Host".to_owned()),
        email: Some("ada@example.com".to_owned()),
    }
}

fn settings(title: &str) -> Settings {
    Settings { title: Title::new(title).ok(), ..Settings::default() }
}

fn preset(name: &str, title: Option<&str>) -> Preset {
    let title = title.map(|title| Title::new(title).unwrap());
    Preset { name: PresetName::new(name).unwrap(), meeting: meeting(), title }
}

fn saved(all: impl IntoIterator<Item = Preset>) -> Presets {
    let mut presets = Presets::default();
    all.into_iter().for_each(|preset| assert_eq!(presets.save(preset), Ok(None)));
    presets
}

fn shown(action: Action, settings: Settings, outcome: Outcome) -> Reply {
    let asked_by = UserId::new("U1");
    Reply::Show(Show {
        asked_by,
        on_behalf_of: None,
        action,
        meeting: meeting(),
        settings,
        outcome,
        confirms: Confirms::No,
        retry: None,
        account: ada(),
    })
}

fn tell(reply: &Reply) -> Message {
    say(reply, &Context { command: "/stream", workspace: None, now: now(), reference: &Reference::new("r-7f3k") })
}

/// A message as it looks in Slack to a reader in the zone UTC, after a line that says who reads it.
fn seen(reply: &Reply) -> String {
    let message = tell(reply);
    let mut seen = format!("({:?})\n{}", message.audience, rendered(&message.text));
    for button in message.buttons {
        write!(seen, "\n[{}]", button.label).unwrap();
    }
    seen
}

/// Does with mentions, dates and escapes what Slack does.
fn rendered(mrkdwn: &str) -> String {
    let mut seen = String::new();
    let mut rest = mrkdwn;
    while let Some((before, token)) = rest.split_once('<') {
        let (token, after) = token.split_once('>').expect("every token is closed");
        let shown = match token.split_once('|') {
            Some((_, fallback)) => fallback.to_owned(),
            None => token.to_owned(),
        };
        seen.push_str(before);
        seen.push_str(&shown);
        rest = after;
    }
    seen.push_str(rest);
    seen.replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&")
}
