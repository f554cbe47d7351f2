//! How OnAir is, one line each, with the cure of what is wrong.

use jiff::SignedDuration;

use super::Context;
use super::text::{code, day_and_time, escape, list as joined};
use crate::clock::MOST_APART;
use crate::command::Verb;
use crate::installation::{COMMANDS_SCOPE, WRITE_SCOPE};
use crate::journal::LATE;
use crate::manifest::PEOPLE_SCOPE;
use crate::policy::{Act, Policy, StopOfOthers};
use crate::reply::{Audience, AuditChannel, Doctor, Item, Keys, Rules, Scopes, Unconfirmed, Unread, Webhooks};

/// What is to be read of one item.
enum Line {
    Good(String),
    /// What is wrong, and what to do about it.
    Bad(String),
    Unknown(String),
}

pub(super) fn list(doctor: &Doctor, context: &Context) -> Vec<String> {
    let found = [
        ("Store", line(&doctor.store, |()| Line::Good("it takes what OnAir writes down".to_owned()))),
        ("Keys", line(&doctor.keys, keys)),
        ("Queue", line(&doctor.queue, |oldest| queue(*oldest))),
        ("Streams", line(&doctor.streams, |streams| unconfirmed(streams, context))),
        ("Permissions", line(&doctor.scopes, scopes)),
        ("Zoom's reports", line(&doctor.webhooks, webhooks)),
        ("Clock", line(&doctor.clock, |ahead| clock(*ahead))),
        ("Rules", line(&doctor.policy, |rules| policy(rules, context))),
        ("Audit channel", line(&doctor.audit_channel, |channel| audit_channel(channel, context))),
    ];
    let wrong = found.iter().filter(|(_, line)| matches!(line, Line::Bad(_))).count();
    let doubts = found.iter().filter(|(_, line)| matches!(line, Line::Unknown(_))).count();
    let mut lines = vec![match (wrong, doubts) {
        (0, 0) => "OnAir is well:".to_owned(),
        (0, _) => "Nothing found that is wrong, but not everything is known:".to_owned(),
        (1, _) => "One thing is wrong with OnAir:".to_owned(),
        (many, _) => format!("{many} things are wrong with OnAir:"),
    }];
    lines.extend(found.into_iter().map(|(label, line)| match line {
        Line::Good(told) => format!("✅ {label}: {told}"),
        Line::Bad(told) => format!("❌ {label}: {told}"),
        Line::Unknown(told) => format!("❔ {label}: {told}"),
    }));
    let again = context.verb(Verb::Doctor);
    lines.push(match (wrong, doubts) {
        (0, 0) => "Whoever runs OnAir sees more with `onair check`.".to_owned(),
        (0, _) => format!("Look again in a minute: {again}"),
        _ => format!("Mend that, or give this list to whoever runs OnAir, then look again: {again}"),
    });
    lines
}

fn line<T>(item: &Item<T>, told: impl FnOnce(&T) -> Line) -> Line {
    match item {
        Ok(item) => told(item),
        // Without the store nobody could have asked, so it is away just now.
        Err(Unread::Store) => Line::Unknown("not known, the store did not answer".to_owned()),
        Err(Unread::TooSlow) => Line::Unknown("not known, it took too long to look".to_owned()),
        Err(Unread::Slack) => Line::Unknown("not known, Slack doesn't say it just now".to_owned()),
        Err(Unread::Zoom) => Line::Unknown("not known, Zoom is down or can't be reached".to_owned()),
    }
}

fn keys(keys: &Keys) -> Line {
    let Keys { ids, looked, others, lost, is_more } = keys;
    let at_least = if *is_more { "at least " } else { "" };
    if *lost > 0 {
        return Line::Bad(format!(
            "{at_least}{} under a key that OnAir doesn't have, so it can't read that. Put that key back into \
             `ONAIR_ENCRYPTION_KEYS`.",
            records(*lost)
        ));
    }
    let first = ids.first().map(|id| code(id)).unwrap_or_default();
    let named = joined(&ids.iter().map(|id| code(id)).collect::<Vec<_>>(), "and");
    if *others > 0 {
        return Line::Bad(format!(
            "{named} are in use, and {at_least}{} not under {first}. Whoever runs OnAir types `onair keys rotate`.",
            records(*others)
        ));
    }
    let of = if *is_more { format!("the first {looked} records are") } else { "every record is".to_owned() };
    Line::Good(match ids.len() {
        _ if *is_more => format!("{of} under {first}, which seals"),
        0 | 1 => format!("{of} under {first}"),
        _ => format!("{of} under {first}; of {named}, only that one is needed"),
    })
}

fn records(count: usize) -> String {
    if count == 1 { "1 record is".to_owned() } else { format!("{count} records are") }
}

fn queue(oldest: Option<SignedDuration>) -> Line {
    match oldest {
        Some(oldest) if oldest.unsigned_abs() > LATE => Line::Bad(format!(
            "a piece of work has been waiting for {} s, and nobody does it. Whoever runs OnAir looks whether its \
             instances are overloaded or down.",
            oldest.as_secs()
        )),
        Some(_) | None => Line::Good("nothing waits for longer than it should".to_owned()),
    }
}

fn unconfirmed(streams: &Unconfirmed, context: &Context) -> Line {
    let Some((meeting, at)) = streams.oldest else {
        let of_what = if streams.is_more { "the latest ones" } else { "those" };
        return Line::Good(format!("none of {of_what} of this workspace waits for Zoom's report for too long"));
    };
    let of_those = if streams.is_more { " at least" } else { "" };
    let (meeting, since) = (meeting.to_string(), day_and_time(at));
    let count = streams.count;
    let told = match count {
        1 => format!("Zoom took a start of {} and never reported it live, since {since}.", code(&meeting)),
        _ => format!(
            "Zoom took {count} starts{of_those} and never reported them live, the oldest that of {} since {since}.",
            code(&meeting)
        ),
    };
    let status = context.copy(&format!("status {}", meeting.replace(' ', "")));
    Line::Bad(format!("{told} What is likely to be missing, its card says: {status}"))
}

fn scopes(scopes: &Scopes) -> Line {
    let missing = match scopes {
        Scopes::NoBot => {
            return Line::Bad(
                "the app has no bot in this workspace that works, so answers end 30 minutes after a command. Install \
                 the app here again."
                    .to_owned(),
            );
        }
        Scopes::Missing(missing) if missing.is_empty() => return Line::Good("the app has all it asks for".to_owned()),
        Scopes::Missing(missing) => missing,
    };
    let lost: Vec<String> =
        missing.iter().map(|scope| format!("without {} {}", code(scope), lost_without(scope))).collect();
    Line::Bad(format!("{}. Allow that at Slack and install the app here again.", lost.join("; ")))
}

fn lost_without(scope: &str) -> &'static str {
    match scope {
        WRITE_SCOPE => {
            "OnAir posts nothing by itself: cards end 30 minutes after a command, and there is no audit channel"
        }
        PEOPLE_SCOPE => "OnAir can't tell who is an admin: only whoever installed it and those in the rules count",
        COMMANDS_SCOPE => "the command is not there",
        _ => "a part of OnAir does nothing",
    }
}

fn webhooks(webhooks: &Webhooks) -> Line {
    match webhooks {
        Webhooks::NotSet => Line::Bad(
            "they aren't set up, so no card ever says that a stream is live. Whoever runs OnAir sets \
             `ZOOM_WEBHOOK_SECRET_TOKEN`."
                .to_owned(),
        ),
        Webhooks::Set { proven_at: None } => Line::Bad(
            "none has come that is signed with OnAir's secret. Press Validate beside the address in the Zoom app's event \
             subscription, and compare its secret token with `ZOOM_WEBHOOK_SECRET_TOKEN`."
                .to_owned(),
        ),
        Webhooks::Set { proven_at: Some(at) } => {
            Line::Good(format!("Zoom last showed that it knows the secret {}", day_and_time(*at)))
        }
    }
}

fn clock(ahead: SignedDuration) -> Line {
    let seconds = ahead.abs().as_secs();
    if ahead.abs() <= MOST_APART {
        return Line::Good(format!("it is {seconds} s from Zoom's"));
    }
    let way = if ahead.is_positive() { "ahead of" } else { "behind" };
    Line::Bad(format!(
        "it is {seconds} s {way} Zoom's; from 300 s on, OnAir refuses all that Slack and Zoom send. Whoever runs OnAir \
         lets its machine keep time by NTP."
    ))
}

fn policy(rules: &Rules, context: &Context) -> Line {
    match rules {
        Rules::Unreadable => Line::Bad(format!(
            "OnAir can't read them, so nobody may do anything. An admin sets them anew: {}",
            context.verb(Verb::Policy)
        )),
        Rules::Read(policy) => Line::Good(summary(policy)),
    }
}

fn summary(policy: &Policy) -> String {
    let acts = [(Act::Start, "start"), (Act::Stop, "stop"), (Act::Setup, "setup")];
    let mut parts: Vec<String> = acts.into_iter().filter_map(|(act, word)| rule(policy, act, word)).collect();
    if parts.is_empty() {
        parts.push("everybody, everywhere".to_owned());
    }
    if policy.stop_of_others == StopOfOthers::WithSecondPerson {
        parts.push("a stop of somebody else's stream takes a second person".to_owned());
    }
    if policy.failures == Audience::Person {
        parts.push("failures are private".to_owned());
    }
    if !policy.managers.is_empty() {
        parts.push(format!("{} beside the admins may change this", people(policy.managers.len())));
    }
    parts.join("; ")
}

fn rule(policy: &Policy, act: Act, word: &str) -> Option<String> {
    let rule = policy.rule(act);
    let who = (!rule.people.is_empty()).then(|| people(rule.people.len()));
    let place = (!rule.channels.is_empty()).then(|| match rule.channels.len() {
        1 => "in 1 channel".to_owned(),
        many => format!("in {many} channels"),
    });
    let told = match (who, place) {
        (None, None) => return None,
        (who, None) => who?,
        (who, Some(place)) => format!("{} {place}", who.unwrap_or_else(|| "everybody".to_owned())),
    };
    Some(format!("{}: {told}", code(word)))
}

fn people(count: usize) -> String {
    if count == 1 { "1 person".to_owned() } else { format!("{count} people") }
}

fn audit_channel(channel: &AuditChannel, context: &Context) -> Line {
    match channel {
        AuditChannel::None => Line::Good(format!("none is chosen; to choose one: {}", context.verb(Verb::Policy))),
        AuditChannel::Some { channel, is_refused } => {
            let shown = format!("<#{}>", escape(channel.as_str()));
            match is_refused {
                false => Line::Good(format!("{shown}, and the bot was not refused there")),
                true => Line::Bad(format!(
                    "{shown} took nothing when the bot last tried. Invite the bot there, or choose another channel: {}",
                    context.verb(Verb::Policy)
                )),
            }
        }
    }
}
