//! `onair audit`: the trail, for people or as JSON lines. It may run beside the service.

use anyhow::Context as _;
use jiff::tz::TimeZone;

use super::{AuditArguments, FOLLOW_EVERY, Failed, environment, print};
use crate::audit::AuditEntry;
use crate::clock::Clock;
use crate::config::{Config, STORE_DEADLINE};
use crate::store::{AuditQuery, Fault, Store, Verified};

pub(super) async fn audit(arguments: AuditArguments) -> Result<(), Failed> {
    let place = Config::place_from_vars(environment)?;
    let clock = Clock::default();
    let store = Store::open_reader(&place, STORE_DEADLINE).context("cannot open the store")?;
    if arguments.verify {
        return verified(&store.verify().await.context("cannot read the audit trail")?);
    }
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

/// Says whether the trail is whole. The last hash is for whoever wants to note it elsewhere.
fn verified(found: &Verified) -> Result<(), Failed> {
    if found.unchained > 0 {
        print(format_args!(
            "{} older entries are from before entries were chained and can't be verified",
            found.unchained
        ))?;
    }
    if found.faults.is_empty() {
        return print(format_args!(
            "{} entries are whole; the last is number {} with hash {}",
            found.count, found.last.number, found.last.hash
        ));
    }
    found.faults.iter().try_for_each(|fault| print(told(fault)))?;
    print(format_args!("the audit trail is not whole: {} faults in {} entries", found.faults.len(), found.count))?;
    Err(Failed::Told)
}

fn told(fault: &Fault) -> String {
    match fault {
        Fault::Changed { number } => {
            format!("entry {number} does not follow from the one before it: one of the two was changed")
        }
        Fault::Missing { from, to } if from == to => format!("entry {from} is missing"),
        Fault::Missing { from, to } => format!("entries {from} to {to} are missing"),
        Fault::Moved { number } => format!("entry {number} is not in its place"),
        Fault::Foreign { count } => format!("{count} entries were added that no link leads to"),
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
