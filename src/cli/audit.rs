//! `onair audit`: the trail, for people or as JSON lines. It may run beside the service.

use anyhow::Context as _;
use jiff::tz::TimeZone;

use super::{AuditArguments, FOLLOW_EVERY, Failed, environment, print};
use crate::audit::AuditEntry;
use crate::clock::Clock;
use crate::config::{Config, STORE_DEADLINE};
use crate::store::{AuditQuery, Store};

pub(super) async fn audit(arguments: AuditArguments) -> Result<(), Failed> {
    let place = Config::place_from_vars(environment)?;
    let clock = Clock::default();
    let store = Store::open_reader(&place, STORE_DEADLINE).context("cannot open the store")?;
    let since = arguments.since.map(|ago| clock.now().saturating_sub(ago).unwrap_or(jiff::Timestamp::MIN));
    let mut query = AuditQuery { since, team: arguments.team, meeting: arguments.meeting, after: None };
    loop {
        for (seq, entry) in store.audit(&query).await.context("cannot read the audit trail")? {
            query.after = Some(seq);
            print(shown(&entry, arguments.json)?)?;
        }
        if !arguments.follow {
            return Ok(());
        }
        tokio::time::sleep(FOLLOW_EVERY).await;
    }
}

fn shown(entry: &AuditEntry, json: bool) -> Result<String, Failed> {
    if json { Ok(serde_json::to_string(entry).context("an entry does not serialize")?) } else { Ok(compact(entry)) }
}

/// One line for people: when, what, with which result, by whom, where, what Zoom said, how to find it again.
fn compact(entry: &AuditEntry) -> String {
    let at = entry.at.to_zoned(TimeZone::UTC).strftime("%Y-%m-%d %H:%M:%SZ");
    let meeting = entry.meeting.map(|meeting| format!(" {meeting}")).unwrap_or_default();
    let zoom = entry.zoom.as_ref().map(|zoom| {
        let status = zoom.status.map_or_else(|| "no answer".to_owned(), |status| status.to_string());
        let code = zoom.code.map(|code| format!("/{code}")).unwrap_or_default();
        format!("  zoom {status}{code}")
    });
    let who = match (&entry.person, &entry.channel) {
        (Some(person), Some(channel)) => format!("by {} in {channel}", person.key()),
        _ => "by somebody in Zoom".to_owned(),
    };
    format!(
        "{at}  {}{meeting}  {}  {who}{}  {} ms  ref {}",
        entry.verb.word(),
        entry.outcome.word(),
        zoom.unwrap_or_default(),
        entry.duration_ms,
        entry.reference,
    )
}
