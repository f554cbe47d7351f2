//! The list of how OnAir is.

use super::*;
use crate::id::ChannelId;
use crate::policy::{Policy, Rule, StopOfOthers};
use crate::reply::{Audience, AuditChannel, Doctor, Keys, Rules, Scopes, Unconfirmed, Unread, Webhooks};

/// Nothing is wrong.
pub(super) fn well() -> Doctor {
    Doctor {
        store: Ok(()),
        keys: Ok(Keys { ids: vec!["k1".to_owned()], looked: 12, ..Keys::default() }),
        queue: Ok(None),
        streams: Ok(Unconfirmed::default()),
        scopes: Ok(Scopes::Missing(Vec::new())),
        webhooks: Ok(Webhooks::Set { proven_at: Some(now()) }),
        clock: Ok(SignedDuration::from_secs(1)),
        policy: Ok(Rules::Read(Box::default())),
        audit_channel: Ok(AuditChannel::None),
    }
}

/// Whatever can be wrong is.
pub(super) fn ill() -> Doctor {
    let channel = ChannelId::new("C1<@here>");
    Doctor {
        store: Err(Unread::Store),
        keys: Ok(Keys {
            ids: vec!["k2".to_owned(), "k1".to_owned()],
            looked: 1000,
            others: 7,
            is_more: true,
            ..Keys::default()
        }),
        queue: Ok(Some(SignedDuration::from_secs(95))),
        streams: Ok(Unconfirmed { count: 2, oldest: Some((meeting(), now())), is_more: false }),
        scopes: Ok(Scopes::Missing(vec!["chat:write", "users:read"])),
        webhooks: Ok(Webhooks::NotSet),
        clock: Ok(SignedDuration::from_secs(-100)),
        policy: Ok(Rules::Unreadable),
        audit_channel: Ok(AuditChannel::Some { channel, is_refused: true }),
    }
}

fn list(doctor: Doctor) -> String {
    seen(&Reply::Doctor(Box::new(doctor)))
}

/// What one item makes of the list: all but the lines that are there anyway.
fn changed(doctor: Doctor) -> String {
    let (now, before) = (list(doctor), list(well()));
    now.lines().filter(|line| !before.lines().any(|known| known == *line)).collect::<Vec<_>>().join("\n")
}

#[test]
fn all_is_well() {
    insta::assert_snapshot!(list(well()), @"
    (Person)
    OnAir is well:
    ✅ Store: it takes what OnAir writes down
    ✅ Keys: every record is under `k1`
    ✅ Queue: nothing waits for longer than it should
    ✅ Streams: none of those of this workspace waits for Zoom's report for too long
    ✅ Permissions: the app has all it asks for
    ✅ Zoom's reports: Zoom last showed that it knows the secret 2026-10-05 14:00:00 UTC
    ✅ Clock: it is 1 s from Zoom's
    ✅ Rules: everybody, everywhere
    ✅ Audit channel: none is chosen; to choose one: `/stream policy`
    Whoever runs OnAir sees more with `onair check`.
    ");
}

#[test]
fn everything_is_wrong() {
    insta::assert_snapshot!(list(ill()), @"
    (Person)
    8 things are wrong with OnAir:
    ❔ Store: not known, the store did not answer
    ❌ Keys: `k2` and `k1` are in use, and at least 7 records are not under `k2`. Whoever runs OnAir types `onair keys rotate`.
    ❌ Queue: a piece of work has been waiting for 95 s, and nobody does it. Whoever runs OnAir looks whether its instances are overloaded or down.
    ❌ Streams: Zoom took 2 starts and never reported them live, the oldest that of `684 230 85` since 2026-10-05 14:00:00 UTC. What is likely to be missing, its card says: `/stream status 68423085`
    ❌ Permissions: without `chat:write` OnAir posts nothing by itself: cards end 30 minutes after a command, and there is no audit channel; without `users:read` OnAir can't tell who is an admin: only whoever installed it and those in the rules count. Allow that at Slack and install the app here again.
    ❌ Zoom's reports: they aren't set up, so no card ever says that a stream is live. Whoever runs OnAir sets `ZOOM_WEBHOOK_SECRET_TOKEN`.
    ❌ Clock: it is 100 s behind Zoom's; from 300 s on, OnAir refuses all that Slack and Zoom send. Whoever runs OnAir lets its machine keep time by NTP.
    ❌ Rules: OnAir can't read them, so nobody may do anything. An admin sets them anew: `/stream policy`
    ❌ Audit channel: #C1<@here> took nothing when the bot last tried. Invite the bot there, or choose another channel: `/stream policy`
    Mend that, or give this list to whoever runs OnAir, then look again: `/stream doctor`
    ");
}

#[test]
fn keys_that_are_needed_or_lost() {
    let keys = |ids: &[&str], others, lost, is_more| {
        let ids = ids.iter().map(|id| (*id).to_owned()).collect();
        changed(Doctor { keys: Ok(Keys { ids, looked: 1000, others, lost, is_more }), ..well() })
    };
    let all = [
        keys(&["k1"], 0, 0, true),
        keys(&["k2", "k1"], 0, 0, false),
        keys(&["k2", "k1"], 3, 0, false),
        keys(&["k2"], 1, 1, false),
    ];
    insta::assert_snapshot!(all.join("\n\n"), @"
    ✅ Keys: the first 1000 records are under `k1`, which seals

    ✅ Keys: every record is under `k2`; of `k2` and `k1`, only that one is needed

    One thing is wrong with OnAir:
    ❌ Keys: `k2` and `k1` are in use, and 3 records are not under `k2`. Whoever runs OnAir types `onair keys rotate`.
    Mend that, or give this list to whoever runs OnAir, then look again: `/stream doctor`

    One thing is wrong with OnAir:
    ❌ Keys: 1 record is under a key that OnAir doesn't have, so it can't read that. Put that key back into `ONAIR_ENCRYPTION_KEYS`.
    Mend that, or give this list to whoever runs OnAir, then look again: `/stream doctor`
    ");
}

#[test]
fn what_is_not_known_says_why() {
    let all = [
        changed(Doctor { queue: Err(Unread::TooSlow), ..well() }),
        changed(Doctor { scopes: Err(Unread::Slack), ..well() }),
        changed(Doctor { clock: Err(Unread::Zoom), ..well() }),
    ];
    insta::assert_snapshot!(all.join("\n\n"), @"
    Nothing found that is wrong, but not everything is known:
    ❔ Queue: not known, it took too long to look
    Look again in a minute: `/stream doctor`

    Nothing found that is wrong, but not everything is known:
    ❔ Permissions: not known, Slack doesn't say it just now
    Look again in a minute: `/stream doctor`

    Nothing found that is wrong, but not everything is known:
    ❔ Clock: not known, Zoom is down or can't be reached
    Look again in a minute: `/stream doctor`
    ");
}

#[test]
fn what_else_there_is_to_say() {
    let users = |count: usize| (0..count).map(|user| UserId::new(format!("U{user}"))).collect();
    let policy = Policy {
        managers: users(1),
        start: Rule { people: users(2), channels: [ChannelId::new("C1")].into() },
        setup: Rule { channels: ["C1", "C2"].map(ChannelId::new).into(), ..Rule::default() },
        failures: Audience::Person,
        stop_of_others: StopOfOthers::WithSecondPerson,
        ..Policy::default()
    };
    let told = AuditChannel::Some { channel: ChannelId::new("C1"), is_refused: false };
    let one = Unconfirmed { count: 1, oldest: Some((meeting(), now())), is_more: true };
    let all = [
        changed(Doctor { policy: Ok(Rules::Read(Box::new(policy))), ..well() }),
        changed(Doctor { audit_channel: Ok(told), ..well() }),
        changed(Doctor { streams: Ok(one), ..well() }),
        changed(Doctor { streams: Ok(Unconfirmed { is_more: true, ..Unconfirmed::default() }), ..well() }),
        changed(Doctor { webhooks: Ok(Webhooks::Set { proven_at: None }), ..well() }),
        changed(Doctor { scopes: Ok(Scopes::NoBot), ..well() }),
        changed(Doctor { clock: Ok(SignedDuration::from_secs(400)), ..well() }),
    ];
    insta::assert_snapshot!(all.join("\n\n"), @"
    ✅ Rules: `start`: 2 people in 1 channel; `setup`: everybody in 2 channels; a stop of somebody else's stream takes a second person; failures are private; 1 person beside the admins may change this

    ✅ Audit channel: #C1, and the bot was not refused there

    One thing is wrong with OnAir:
    ❌ Streams: Zoom took a start of `684 230 85` and never reported it live, since 2026-10-05 14:00:00 UTC. What is likely to be missing, its card says: `/stream status 68423085`
    Mend that, or give this list to whoever runs OnAir, then look again: `/stream doctor`

    ✅ Streams: none of the latest ones of this workspace waits for Zoom's report for too long

    One thing is wrong with OnAir:
    ❌ Zoom's reports: none has come that is signed with OnAir's secret. Press Validate beside the address in the Zoom app's event subscription, and compare its secret token with `ZOOM_WEBHOOK_SECRET_TOKEN`.
    Mend that, or give this list to whoever runs OnAir, then look again: `/stream doctor`

    One thing is wrong with OnAir:
    ❌ Permissions: the app has no bot in this workspace that works, so answers end 30 minutes after a command. Install the app here again.
    Mend that, or give this list to whoever runs OnAir, then look again: `/stream doctor`

    One thing is wrong with OnAir:
    ❌ Clock: it is 400 s ahead of Zoom's; from 300 s on, OnAir refuses all that Slack and Zoom send. Whoever runs OnAir lets its machine keep time by NTP.
    Mend that, or give this list to whoever runs OnAir, then look again: `/stream doctor`
    ");
}
