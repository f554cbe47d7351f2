//! The audit for people in Slack: one line for each entry, without a word that anybody typed.

use super::text::{code, day_and_time, escape};
use super::{Context, Message};
use crate::audit::{AuditEntry, AuditOutcome, AuditVerb};
use crate::command::MOST_AUDIT_COUNT;
use crate::id::UserId;
use crate::reply::Audience;

/// How often the same came of the same verb.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Count {
    /// What was done.
    pub verb: AuditVerb,
    /// What came of it.
    pub outcome: AuditOutcome,
    /// How often.
    pub times: usize,
}

/// What an audit channel is told: these entries, and of others only how many there were.
pub fn announcement(entries: &[&AuditEntry], counts: &[Count]) -> Message {
    let mut lines: Vec<String> = entries.iter().map(|entry| line(entry)).collect();
    if !counts.is_empty() {
        let counts: Vec<String> = counts.iter().map(counted).collect();
        lines.push(format!("Not one by one, because they are many: {}.", counts.join(", ")));
    }
    Message { audience: Audience::Channel, text: lines.join("\n"), buttons: Vec::new(), replaces: false }
}

/// The last entries, for an admin who asked.
pub(super) fn list(entries: &[AuditEntry], context: &Context) -> Vec<String> {
    let rest = format!("Whoever runs OnAir finds the rest with {}.", code("onair audit"));
    let first = match entries.len() {
        0 => return vec!["Nothing is written down about this workspace yet.".to_owned(), rest],
        1 => "The last entry about this workspace:".to_owned(),
        count => format!("The last {count} entries about this workspace, newest first:"),
    };
    let mut lines = vec![first];
    lines.extend(entries.iter().map(|entry| format!("• {}", line(entry))));
    let most = context.copy(&format!("audit {MOST_AUDIT_COUNT}"));
    lines.push(format!("For more of them, up to {MOST_AUDIT_COUNT}: {most}. {rest}"));
    lines
}

fn counted(count: &Count) -> String {
    format!("{} × {} {}", count.times, count.verb.word(), count.outcome.word())
}

/// When, what, with which result, who, where, and how to find it in the audit.
fn line(entry: &AuditEntry) -> String {
    let mark = if entry.outcome.is_failure() { ":warning: " } else { "" };
    let meeting = entry.meeting.map(|meeting| format!(" {}", code(&meeting.to_string()))).unwrap_or_default();
    let (verb, outcome) = (entry.verb.word(), entry.outcome.word());
    let reference = code(entry.reference.as_str());
    format!("{mark}{} *{verb}*{meeting} {outcome}{}, reference {reference}", day_and_time(entry.at), who(entry))
}

fn who(entry: &AuditEntry) -> String {
    let Some(person) = &entry.person else { return ", by somebody in Zoom".to_owned() };
    // What Zoom reports is nobody's doing that it names.
    let role = if entry.verb == AuditVerb::Report { "for" } else { "by" };
    let place = entry.channel.as_ref().map(|channel| match channel.as_str() {
        direct if direct.starts_with('D') => " in a direct message".to_owned(),
        user if user == person.user.as_str() => " in their Home".to_owned(),
        channel => format!(" in <#{}>", escape(channel)),
    });
    let named = |joint: &str, user: &Option<UserId>| {
        user.as_ref().map(|user| format!("{joint} <@{}>", escape(user.as_str()))).unwrap_or_default()
    };
    let (behalf, to) = (named(" on behalf of", &entry.on_behalf_of), named(" to", &entry.lent_to));
    format!(", {role} <@{}>{behalf}{to}{}", escape(person.user.as_str()), place.unwrap_or_default())
}
