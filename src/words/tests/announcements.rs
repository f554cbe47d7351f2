//! What an audit channel is told.

use super::*;
use crate::audit::{AuditEntry, AuditOutcome, AuditVerb};
use crate::id::{ChannelId, Person, Reference, TeamId};

pub(super) fn entry(verb: AuditVerb, outcome: AuditOutcome) -> AuditEntry {
    AuditEntry {
        at: now(),
        reference: Reference::new("7F3K9QZ2MB"),
        person: Some(Person { enterprise: None, team: TeamId::new("T1"), user: UserId::new("U1") }),
        asked_by: None,
        on_behalf_of: None,
        lent_to: None,
        channel: Some(ChannelId::new("C1")),
        verb,
        meeting: None,
        asked: None,
        zoom_user: Some(ZoomUserId::new("z1")),
        zoom: None,
        outcome,
        duration_ms: 12,
    }
}

#[test]
fn whoever_acts_for_somebody_else_is_named_with_them() {
    let about = |entry| AuditEntry { meeting: Some(meeting()), ..entry };
    let lent = AuditEntry { lent_to: Some(UserId::new("U2")), ..about(entry(AuditVerb::Lend, AuditOutcome::Lent)) };
    let start = about(entry(AuditVerb::Start, AuditOutcome::Accepted));
    let start = AuditEntry { on_behalf_of: Some(UserId::new("U3")), ..start };
    insta::assert_snapshot!(announcement(&[&lent, &start], &[]).text, @"
    <!date^1791208800^{date_short_pretty} {time_secs}|2026-10-05 14:00:00 UTC> *lend* `684 230 85` lent, by <@U1> to <@U2> in <#C1>, reference `7F3K9QZ2MB`
    <!date^1791208800^{date_short_pretty} {time_secs}|2026-10-05 14:00:00 UTC> *start* `684 230 85` accepted, by <@U1> on behalf of <@U3> in <#C1>, reference `7F3K9QZ2MB`
    ");
}

#[test]
fn an_entry_is_one_line_and_the_many_are_counted() {
    let about = |entry| AuditEntry { meeting: Some(meeting()), ..entry };
    let direct = AuditEntry { channel: Some(ChannelId::new("D1")), ..entry(AuditVerb::Whoami, AuditOutcome::Told) };
    let entries = [
        about(entry(AuditVerb::Start, AuditOutcome::NotFound)),
        about(entry(AuditVerb::Start, AuditOutcome::Accepted)),
        about(entry(AuditVerb::Report, AuditOutcome::Live)),
        direct,
    ];
    let count = |verb, outcome, times| Count { verb, outcome, times };
    let counts = [count(AuditVerb::Help, AuditOutcome::Told, 60), count(AuditVerb::Stop, AuditOutcome::Stopped, 2)];
    let entries: Vec<&AuditEntry> = entries.iter().collect();
    insta::assert_snapshot!(announcement(&entries, &counts).text, @"
    :warning: <!date^1791208800^{date_short_pretty} {time_secs}|2026-10-05 14:00:00 UTC> *start* `684 230 85` not_found, by <@U1> in <#C1>, reference `7F3K9QZ2MB`
    <!date^1791208800^{date_short_pretty} {time_secs}|2026-10-05 14:00:00 UTC> *start* `684 230 85` accepted, by <@U1> in <#C1>, reference `7F3K9QZ2MB`
    <!date^1791208800^{date_short_pretty} {time_secs}|2026-10-05 14:00:00 UTC> *report* `684 230 85` live, for <@U1> in <#C1>, reference `7F3K9QZ2MB`
    <!date^1791208800^{date_short_pretty} {time_secs}|2026-10-05 14:00:00 UTC> *whoami* told, by <@U1> in a direct message, reference `7F3K9QZ2MB`
    Not one by one, because they are many: 60 × help told, 2 × stop stopped.
    ");
}

#[test]
fn an_admin_sees_the_last_entries_and_how_to_see_more() {
    let entries = vec![entry(AuditVerb::Stop, AuditOutcome::Stopped), entry(AuditVerb::Start, AuditOutcome::Failed)];
    insta::assert_snapshot!(seen(&Reply::Audit(entries)), @"
    (Person)
    The last 2 entries about this workspace, newest first:
    • 2026-10-05 14:00:00 UTC *stop* stopped, by @U1 in #C1, reference `7F3K9QZ2MB`
    • :warning: 2026-10-05 14:00:00 UTC *start* failed, by @U1 in #C1, reference `7F3K9QZ2MB`
    For more of them, up to 50: `/stream audit 50`. Whoever runs OnAir finds the rest with `onair audit`.
    ");
    insta::assert_snapshot!(seen(&Reply::Audit(Vec::new())), @"
    (Person)
    Nothing is written down about this workspace yet.
    Whoever runs OnAir finds the rest with `onair audit`.
    ");
}

#[test]
fn fifty_entries_are_shown_whole() {
    let entries = vec![entry(AuditVerb::Start, AuditOutcome::NotAllowed); crate::command::MOST_AUDIT_COUNT];
    let text = tell(&Reply::Audit(entries)).text;
    assert_eq!(text.lines().count(), 52);
    assert!(text.lines().all(|line| size(line) < 300), "{text}");
}

#[test]
fn what_hostile_ids_hold_is_no_markup() {
    let mut hostile = entry(AuditVerb::Start, AuditOutcome::Failed);
    hostile.person.as_mut().unwrap().user = UserId::new("U1><!channel>");
    hostile.channel = Some(ChannelId::new("C1><!here>"));
    let text = announcement(&[&hostile], &[]).text;
    assert!(!text.contains("<!channel") && !text.contains("<!here"), "{text}");
}
