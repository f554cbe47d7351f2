//! The audit trail: its order, its filters, and whoever reads it beside the service.

use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use onair::audit::{AuditEntry, AuditOutcome, AuditVerb};
use onair::clock::Clock;
use onair::id::{ChannelId, Reference, TeamId, UserId};
use onair::store::{AuditQuery, Fault, Place, Reader, Seq, Store, Trimmed};
use tokio::task::JoinSet;

use super::sealing::raw;
use super::{World, ago, append, database, entry, meeting};

/// For how long entries are kept here.
const KEPT: Duration = Duration::from_secs(90 * 24 * 60 * 60);

on_both_engines! {
    the_trail_keeps_its_order_and_its_filters,
    a_long_trail_is_read_whole,
    the_trail_can_be_read_beside_the_service,
    a_later_field_does_not_break_the_trail,
    a_trail_of_many_writers_is_whole_until_one_entry_is_gone,
    a_trail_is_whole_until_one_entry_is_changed,
    the_newest_of_one_workspace_are_found_among_others,
    a_trail_is_whole_until_two_entries_change_places,
    a_trail_loses_what_is_too_old_and_stays_whole,
    whatever_else_is_gone_beside_the_too_old_is_missing,
    two_may_trim_a_trail_while_both_write_and_others_verify,
    without_an_age_the_newest_million_stay,
}

async fn the_trail_keeps_its_order_and_its_filters(world: World) {
    let (store, now) = (&world.store, world.clock.now());
    let hours_ago = |hours| ago(now, SignedDuration::from_hours(hours));
    let mut elsewhere = entry("R3", hours_ago(1));
    let stranger = elsewhere.person.as_mut().unwrap();
    (stranger.team, stranger.enterprise) = (TeamId::new("T2"), None);
    let mut other_meeting = entry("R4", now);
    other_meeting.meeting = Some(meeting("81234567890"));
    (other_meeting.verb, other_meeting.outcome) = (AuditVerb::Stop, AuditOutcome::Unknown);
    other_meeting.person.as_mut().unwrap().user = UserId::new("U2");
    other_meeting.channel = Some(ChannelId::new("C2"));
    let written = [entry("R1", hours_ago(100)), entry("R2", hours_ago(50)), elsewhere, other_meeting];
    for entry in &written {
        append(store, entry).await;
    }

    let all = store.audit(&AuditQuery::default()).await.unwrap();
    assert_eq!(all.iter().map(|(_, entry)| entry).collect::<Vec<_>>(), written.iter().collect::<Vec<_>>());
    assert!(all.is_sorted_by(|(former, _), (latter, _)| former < latter));

    let after = all[1].0.to_string().parse::<Seq>().unwrap();
    let query = AuditQuery::default();
    for (query, expected) in [
        (AuditQuery { since: Some(hours_ago(50)), ..query.clone() }, vec!["R2", "R3", "R4"]),
        (AuditQuery { since: Some(hours_ago(-1)), ..query.clone() }, vec![]),
        (AuditQuery { until: Some(hours_ago(50)), ..query.clone() }, vec!["R1"]),
        (AuditQuery { since: Some(hours_ago(50)), until: Some(now), ..query.clone() }, vec!["R2", "R3"]),
        (AuditQuery { user: Some(UserId::new("U2")), ..query.clone() }, vec!["R4"]),
        (AuditQuery { channel: Some(ChannelId::new("C2")), ..query.clone() }, vec!["R4"]),
        (AuditQuery { verbs: vec![AuditVerb::Stop], ..query.clone() }, vec!["R4"]),
        (AuditQuery { verbs: vec![AuditVerb::Stop, AuditVerb::Start], ..query.clone() }, vec!["R1", "R2", "R3", "R4"]),
        (AuditQuery { outcomes: vec![AuditOutcome::Unknown, AuditOutcome::Failed], ..query.clone() }, vec!["R4"]),
        (AuditQuery { failures: true, ..query.clone() }, vec!["R4"]),
        (AuditQuery { reference: Some(Reference::new("R3")), ..query.clone() }, vec!["R3"]),
        (AuditQuery { team: Some(TeamId::new("T1")), ..query.clone() }, vec!["R1", "R2", "R4"]),
        (AuditQuery { meeting: Some(meeting("81234567890")), ..query.clone() }, vec!["R4"]),
        (AuditQuery { after: Some(after), ..query.clone() }, vec!["R3", "R4"]),
        (AuditQuery { after: Some(after), since: Some(hours_ago(200)), ..query.clone() }, vec!["R3", "R4"]),
        (AuditQuery { after: Some(all[3].0), ..query }, vec![]),
    ] {
        assert_eq!(references(store, &query).await, expected, "{query:?}");
    }
}

async fn a_long_trail_is_read_whole(world: World) {
    let now = world.clock.now();
    let mut tasks = JoinSet::new();
    for index in 0..2500 {
        let store = world.store.clone();
        tasks.spawn(async move { append(&store, &entry(&format!("R{index:04}"), now)).await });
    }
    tasks.join_all().await;

    let all = world.store.audit(&AuditQuery::default()).await.unwrap();
    assert!(all.is_sorted_by(|(former, _), (latter, _)| former < latter));
    let mut found: Vec<_> = all.into_iter().map(|(_, entry)| entry.reference.to_string()).collect();
    found.sort_unstable();
    assert_eq!(found, (0..2500).map(|index| format!("R{index:04}")).collect::<Vec<_>>());
}

async fn the_trail_can_be_read_beside_the_service(world: World) {
    let now = world.clock.now();
    append(&world.store, &entry("R1", now)).await;
    let reader = Store::open_reader(&world.options.place, world.options.deadline).unwrap();
    let first = reader.audit(&AuditQuery::default()).await.unwrap();
    assert_eq!(first.entries.len(), 1);

    append(&world.store, &entry("R2", now)).await;
    let more = reader.audit(&AuditQuery { after: Some(first.entries[0].0), ..AuditQuery::default() }).await.unwrap();
    assert_eq!(names(&more.entries), ["R2"]);

    drop(world.store);
    assert_eq!(reader.audit(&AuditQuery::default()).await.unwrap().entries.len(), 2, "the service may stop meanwhile");
    let later = Store::open_reader(&world.options.place, world.options.deadline).unwrap();
    assert_eq!(later.audit(&AuditQuery::default()).await.unwrap().entries.len(), 2, "or have stopped before");
}

async fn a_later_field_does_not_break_the_trail(world: World) {
    let now = world.clock.now();
    let mut later = serde_json::to_value(entry("R1", now)).unwrap();
    later["confirmed"] = serde_json::json!({ "at": now });
    let later = serde_json::to_vec(&later).unwrap();
    match &world.options.place {
        Place::Redis { namespace, .. } => {
            let key = format!("{namespace}:{{journal}}:audit");
            let mut command = redis::cmd("XADD");
            command.arg(key).arg("*").arg("entry").arg(later);
            command.exec(&mut raw(&world)).unwrap();
        }
        Place::Embedded { folder } => {
            database(folder).execute("INSERT INTO log (at_ms, entry) VALUES (0, ?1)", [later]).unwrap();
        }
    }
    let all = world.store.audit(&AuditQuery::default()).await.unwrap();
    assert_eq!(all[0].1, entry("R1", now));
}

/// Fifty entries, appended all at once by two who have the store where two may.
async fn long_trail(world: &World) -> Reader {
    let now = world.clock.now();
    let other = match &world.options.place {
        Place::Redis { .. } => Store::open(world.options.clone(), world.clock.clone()).unwrap(),
        Place::Embedded { .. } => world.store.clone(),
    };
    let mut tasks = JoinSet::new();
    for index in 0..50 {
        let store = if index % 2 == 0 { world.store.clone() } else { other.clone() };
        tasks.spawn(async move { append(&store, &entry(&format!("R{index:04}"), now)).await });
    }
    tasks.join_all().await;
    let reader = Store::open_reader(&world.options.place, super::DEADLINE).unwrap();
    let verified = reader.verify().await.unwrap();
    assert_eq!((verified.count, verified.unchained, verified.last.number), (50, 0, 50));
    assert_eq!(verified.faults, []);
    reader
}

async fn a_trail_of_many_writers_is_whole_until_one_entry_is_gone(world: World) {
    let reader = long_trail(&world).await;
    match &world.options.place {
        Place::Redis { namespace, .. } => {
            let id = ids(&world)[9].clone();
            let mut command = redis::cmd("XDEL");
            command.arg(format!("{namespace}:{{journal}}:audit")).arg(id).exec(&mut raw(&world)).unwrap();
        }
        Place::Embedded { folder } => {
            assert_eq!(database(folder).execute("DELETE FROM log WHERE number = 10", []), Ok(1));
        }
    }
    assert_eq!(reader.verify().await.unwrap().faults, [Fault::Missing { from: 10, to: 10 }]);
}

async fn a_trail_is_whole_until_one_entry_is_changed(world: World) {
    let reader = long_trail(&world).await;
    let forged = serde_json::to_vec(&entry("FORGED", world.clock.now())).unwrap();
    match &world.options.place {
        Place::Redis { namespace, .. } => {
            // Redis changes no entry of a stream, so whoever wants to writes the newest anew.
            let key = format!("{namespace}:{{journal}}:audit");
            let (id, mut raw) = (ids(&world)[49].clone(), raw(&world));
            let mut head = redis::cmd("HGET");
            let hash: String = head.arg(format!("{key}:head")).arg("hash").query(&mut raw).unwrap();
            redis::cmd("XDEL").arg(&key).arg(&id).exec(&mut raw).unwrap();
            let mut add = redis::cmd("XADD");
            add.arg(&key).arg("*").arg("entry").arg(forged).arg("number").arg(50).arg("hash").arg(hash);
            add.exec(&mut raw).unwrap();
        }
        Place::Embedded { folder } => {
            assert_eq!(database(folder).execute("UPDATE log SET entry = ?1 WHERE number = 50", [forged]), Ok(1));
        }
    }
    assert_eq!(reader.verify().await.unwrap().faults, [Fault::Changed { number: 50 }]);
}

async fn the_newest_of_one_workspace_are_found_among_others(world: World) {
    let (store, now) = (&world.store, world.clock.now());
    assert_eq!(store.newest_audit().await.unwrap(), None);
    let mut tasks = JoinSet::new();
    for index in 0..20 {
        append(store, &entry(&format!("R{index:02}"), now)).await;
        for _ in 0..120 {
            let (store, mut other) = (store.clone(), entry("OTHER", now));
            let stranger = other.person.as_mut().unwrap();
            // The same team id in another organization is another workspace.
            stranger.enterprise = None;
            tasks.spawn(async move { append(&store, &other).await });
        }
        while tasks.join_next().await.is_some() {}
    }
    let workspace = entry("", now).person.unwrap().workspace();
    let found = store.latest_audit(&workspace, 15).await.unwrap();
    let expected: Vec<String> = (5..20).rev().map(|index| format!("R{index:02}")).collect();
    assert_eq!(found.iter().map(|entry| entry.reference.to_string()).collect::<Vec<_>>(), expected);
    assert_eq!(store.latest_audit(&workspace, 50).await.unwrap().len(), 20);
    let newest = store.newest_audit().await.unwrap();
    assert_eq!(store.audit_after(newest).await.unwrap(), []);
    assert_eq!(store.audit_after(None).await.unwrap().len(), 1000);
}

async fn a_trail_is_whole_until_two_entries_change_places(world: World) {
    let reader = long_trail(&world).await;
    match &world.options.place {
        Place::Redis { .. } => {
            let mut rows = rows(&world);
            let (former, latter) = rows.split_at_mut(20);
            std::mem::swap(&mut former[19].1, &mut latter[0].1);
            write_anew(&world.options.place, &rows);
        }
        Place::Embedded { folder } => {
            let (there, back) =
                ("UPDATE log SET seq = -seq WHERE seq IN (20, 21)", "UPDATE log SET seq = 41 + seq WHERE seq < 0");
            let database = database(folder);
            assert_eq!((database.execute(there, []), database.execute(back, [])), (Ok(2), Ok(2)));
        }
    }
    let (gap, moved) = (|number| Fault::Missing { from: number, to: number }, Fault::Moved { number: 20 });
    assert_eq!(reader.verify().await.unwrap().faults, [gap(20), moved, gap(21)]);
}

async fn a_trail_loses_what_is_too_old_and_stays_whole(world: World) {
    let (store, now) = (&world.store, world.clock.now());
    let reader = Store::open_reader(&world.options.place, super::DEADLINE).unwrap();
    for age in [None, Some(KEPT)] {
        assert_eq!(store.trim_audit(age).await.unwrap(), Trimmed::All, "there is nothing yet");
    }
    for name in ["R1", "R2", "R3", "R4", "R5"] {
        append(store, &entry(name, now)).await;
    }
    assert_eq!(store.trim_audit(Some(KEPT)).await.unwrap(), Trimmed::All);
    assert_eq!(reader.verify().await.unwrap().anchor.number, 0, "nothing was old");

    make_old(&world.options.place, 3);
    for _ in 0..2 {
        assert_eq!(store.trim_audit(Some(KEPT)).await.unwrap(), Trimmed::All);
        assert_eq!(references(store, &AuditQuery::default()).await, ["R4", "R5"]);
        let verified = reader.verify().await.unwrap();
        assert_eq!((verified.count, verified.anchor.number, verified.last.number), (2, 3, 5));
        assert_eq!(verified.faults, []);
    }

    make_old(&world.options.place, 2);
    assert_eq!(store.trim_audit(Some(KEPT)).await.unwrap(), Trimmed::All);
    let empty = reader.verify().await.unwrap();
    assert_eq!((empty.count, &empty.anchor, empty.last.number), (0, &empty.last, 5));
    assert_eq!(empty.faults, []);
    append(store, &entry("R6", now)).await;
    let again = reader.verify().await.unwrap();
    assert_eq!((again.count, again.last.number, again.faults.len()), (1, 6, 0), "the chain goes on");
}

async fn whatever_else_is_gone_beside_the_too_old_is_missing(world: World) {
    let store = &world.store;
    let reader = long_trail(&world).await;
    make_old(&world.options.place, 30);
    assert_eq!(store.trim_audit(Some(KEPT)).await.unwrap(), Trimmed::All);
    assert_eq!(reader.verify().await.unwrap().faults, []);
    // The first three of those that are left, and one in their middle.
    remove(&world, &[0, 1, 2, 10]);
    let missing = [Fault::Missing { from: 31, to: 33 }, Fault::Missing { from: 41, to: 41 }];
    assert_eq!(reader.verify().await.unwrap().faults, missing);
}

async fn two_may_trim_a_trail_while_both_write_and_others_verify(world: World) {
    const OLD: usize = 2500;
    let now = world.clock.now();
    let other = match &world.options.place {
        Place::Redis { .. } => Store::open(world.options.clone(), world.clock.clone()).unwrap(),
        Place::Embedded { .. } => world.store.clone(),
    };
    let append_many = async |store: &Store, count: usize| {
        let mut tasks = JoinSet::new();
        for index in 0..count {
            let store = store.clone();
            tasks.spawn(async move { append(&store, &entry(&format!("R{index}"), now)).await });
        }
        tasks.join_all().await;
    };
    append_many(&world.store, OLD).await;
    make_old(&world.options.place, OLD);
    let reader = Store::open_reader(&world.options.place, super::DEADLINE).unwrap();
    let is_over = AtomicBool::new(false);
    let work = async |store: &Store| {
        let trim = async { while store.trim_audit(Some(KEPT)).await.unwrap() == Trimmed::SomeLeft {} };
        tokio::join!(trim, append_many(store, 300));
    };
    let work = async {
        tokio::join!(work(&world.store), work(&other));
        is_over.store(true, Ordering::Relaxed);
    };
    let watch = async {
        while !is_over.load(Ordering::Relaxed) {
            assert_eq!(reader.verify().await.unwrap().faults, []);
        }
    };
    tokio::join!(work, watch);
    let verified = reader.verify().await.unwrap();
    assert_eq!((verified.anchor.number, verified.count, verified.last.number), (2500, 600, 3100));
    assert_eq!(verified.faults, []);
}

async fn without_an_age_the_newest_million_stay(world: World) {
    const MORE: i64 = 1_000_003;
    let body = serde_json::to_vec(&entry("R1", world.clock.now())).unwrap();
    match &world.options.place {
        Place::Redis { namespace, .. } => {
            let key = format!("{namespace}:{{journal}}:audit");
            let script = redis::Script::new(
                "for i = ARGV[1], ARGV[2] do redis.call('XADD', KEYS[1], '1-' .. string.format('%.0f', i), 'entry', ARGV[3]) end",
            );
            for from in (1..=MORE).step_by(100_000) {
                let to = (from + 99_999).min(MORE);
                script.key(&key).arg(from).arg(to).arg(&body[..1]).invoke::<()>(&mut raw(&world)).unwrap();
            }
        }
        Place::Embedded { folder } => {
            let sql = "INSERT INTO log (at_ms, entry) WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < ?1)
                       SELECT 0, x'00' FROM n";
            database(folder).execute(sql, [MORE]).unwrap();
        }
    }
    append(&world.store, &entry("R1", world.clock.now())).await;
    assert_eq!(world.store.trim_audit(None).await.unwrap(), Trimmed::All);
    let left: i64 = match &world.options.place {
        Place::Redis { namespace, .. } => {
            redis::cmd("XLEN").arg(format!("{namespace}:{{journal}}:audit")).query(&mut raw(&world)).unwrap()
        }
        Place::Embedded { folder } => {
            database(folder).query_row("SELECT count(*) FROM log", [], |row| row.get(0)).unwrap()
        }
    };
    assert_eq!(left, 1_000_000);
}

/// Has the oldest entries of a trail be a hundred days old.
pub(crate) fn make_old(place: &Place, count: usize) {
    let long_ago = Clock::default().now().checked_sub(SignedDuration::from_hours(100 * 24)).unwrap();
    let long_ago = Timestamp::as_millisecond(long_ago);
    match place {
        Place::Redis { .. } => {
            let mut rows = rows_at(place);
            for (index, (id, _)) in rows.iter_mut().take(count).enumerate() {
                *id = format!("{long_ago}-{}", index + 1);
            }
            write_anew(place, &rows);
        }
        Place::Embedded { folder } => {
            let sql = "UPDATE log SET at_ms = ?1 WHERE seq IN (SELECT seq FROM log ORDER BY seq LIMIT ?2)";
            assert_eq!(database(folder).execute(sql, (long_ago, i64::try_from(count).unwrap())), Ok(count));
        }
    }
}

/// Removes entries by their place among those that are there.
fn remove(world: &World, places: &[usize]) {
    match &world.options.place {
        Place::Redis { .. } => {
            let rows = rows(world);
            let left: Vec<Row> =
                rows.into_iter().enumerate().filter(|(at, _)| !places.contains(at)).map(|(_, row)| row).collect();
            write_anew(&world.options.place, &left);
        }
        Place::Embedded { folder } => {
            let database = database(folder);
            let first: i64 = database.query_row("SELECT min(seq) FROM log", [], |row| row.get(0)).unwrap();
            for place in places {
                let seq = first + i64::try_from(*place).unwrap();
                assert_eq!(database.execute("DELETE FROM log WHERE seq = ?1", [seq]), Ok(1));
            }
        }
    }
}

/// An entry as Redis has it: its id, and its fields.
type Row = (String, Vec<Vec<u8>>);

fn rows(world: &World) -> Vec<Row> {
    rows_at(&world.options.place)
}

fn rows_at(place: &Place) -> Vec<Row> {
    let Place::Redis { url, namespace } = place else { panic!("this place is in a file") };
    let mut raw = redis::Client::open(url.expose()).unwrap().get_connection().unwrap();
    redis::cmd("XRANGE").arg(format!("{namespace}:{{journal}}:audit")).arg("-").arg("+").query(&mut raw).unwrap()
}

/// Writes a whole log in place of the one that is there.
fn write_anew(place: &Place, rows: &[Row]) {
    let Place::Redis { url, namespace } = place else { panic!("this place is in a file") };
    let (key, mut all) = (format!("{namespace}:{{journal}}:audit"), redis::pipe());
    all.atomic().cmd("DEL").arg(&key);
    for (id, fields) in rows {
        all.cmd("XADD").arg(&key).arg(id).arg(fields);
    }
    all.exec(&mut redis::Client::open(url.expose()).unwrap().get_connection().unwrap()).unwrap();
}

/// The places of all entries in the log, as Redis names them.
fn ids(world: &World) -> Vec<String> {
    rows(world).into_iter().map(|(id, _)| id).collect()
}

pub(super) async fn references(store: &Store, query: &AuditQuery) -> Vec<String> {
    names(&store.audit(query).await.unwrap())
}

fn names(entries: &[(Seq, AuditEntry)]) -> Vec<String> {
    entries.iter().map(|(_, entry)| entry.reference.to_string()).collect()
}
