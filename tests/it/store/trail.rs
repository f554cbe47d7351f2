//! The audit trail: its order, its filters, and whoever reads it beside the service.

use jiff::SignedDuration;
use onair::audit::AuditEntry;
use onair::id::TeamId;
use onair::store::{AuditQuery, Fault, Place, Reader, Seq, Store};
use tokio::task::JoinSet;

use super::sealing::raw;
use super::{World, ago, database, entry, meeting};

on_both_engines! {
    the_trail_keeps_its_order_and_its_filters,
    a_long_trail_is_read_whole,
    the_trail_can_be_read_beside_the_service,
    a_later_field_does_not_break_the_trail,
    a_trail_of_many_writers_is_whole_until_one_entry_is_gone,
    a_trail_is_whole_until_one_entry_is_changed,
}

async fn the_trail_keeps_its_order_and_its_filters(world: World) {
    let (store, now) = (&world.store, world.clock.now());
    let hours_ago = |hours| ago(now, SignedDuration::from_hours(hours));
    let mut elsewhere = entry("R3", hours_ago(1));
    let stranger = elsewhere.person.as_mut().unwrap();
    (stranger.team, stranger.enterprise) = (TeamId::new("T2"), None);
    let mut other_meeting = entry("R4", now);
    other_meeting.meeting = Some(meeting("81234567890"));
    let written = [entry("R1", hours_ago(100)), entry("R2", hours_ago(50)), elsewhere, other_meeting];
    for entry in &written {
        store.append_audit(entry).await.unwrap();
    }

    let all = store.audit(&AuditQuery::default()).await.unwrap();
    assert_eq!(all.iter().map(|(_, entry)| entry).collect::<Vec<_>>(), written.iter().collect::<Vec<_>>());
    assert!(all.is_sorted_by(|(former, _), (latter, _)| former < latter));

    let after = all[1].0.to_string().parse::<Seq>().unwrap();
    let query = AuditQuery::default();
    for (query, expected) in [
        (AuditQuery { since: Some(hours_ago(50)), ..query.clone() }, vec!["R2", "R3", "R4"]),
        (AuditQuery { since: Some(hours_ago(-1)), ..query.clone() }, vec![]),
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
        tasks.spawn(async move { store.append_audit(&entry(&format!("R{index:04}"), now)).await.unwrap() });
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
    world.store.append_audit(&entry("R1", now)).await.unwrap();
    let reader = Store::open_reader(&world.options.place, world.options.deadline).unwrap();
    let first = reader.audit(&AuditQuery::default()).await.unwrap();
    assert_eq!(first.len(), 1);

    world.store.append_audit(&entry("R2", now)).await.unwrap();
    let more = reader.audit(&AuditQuery { after: Some(first[0].0), ..AuditQuery::default() }).await.unwrap();
    assert_eq!(names(&more), ["R2"]);

    drop(world.store);
    assert_eq!(reader.audit(&AuditQuery::default()).await.unwrap().len(), 2, "the service may stop meanwhile");
    let later = Store::open_reader(&world.options.place, world.options.deadline).unwrap();
    assert_eq!(later.audit(&AuditQuery::default()).await.unwrap().len(), 2, "or have stopped before");
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
        tasks.spawn(async move { store.append_audit(&entry(&format!("R{index:04}"), now)).await.unwrap() });
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

/// The places of all entries in the log, as Redis names them.
fn ids(world: &World) -> Vec<String> {
    let Place::Redis { namespace, .. } = &world.options.place else { panic!("this world is in a file") };
    let key = format!("{namespace}:{{journal}}:audit");
    let entries: Vec<(String, Vec<Vec<u8>>)> =
        redis::cmd("XRANGE").arg(key).arg("-").arg("+").query(&mut raw(world)).unwrap();
    entries.into_iter().map(|(id, _)| id).collect()
}

pub(super) async fn references(store: &Store, query: &AuditQuery) -> Vec<String> {
    names(&store.audit(query).await.unwrap())
}

fn names(entries: &[(Seq, AuditEntry)]) -> Vec<String> {
    entries.iter().map(|(_, entry)| entry.reference.to_string()).collect()
}
