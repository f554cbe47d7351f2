//! What only the embedded store goes through: files, locks and a clock that can be moved.

use std::os::unix::fs::PermissionsExt as _;
use std::time::Duration;

use onair::clock::Clock;
use onair::grant::{Pending, StateToken};
use onair::id::{DeliveryId, ZoomUserId};
use onair::journal::Stage;
use onair::outcome::Action;
use onair::reply::StreamRecord;
use onair::secret::Secret;
use onair::store::{Accepted, AuditQuery, Error, Keyring, LeaseName, Place, Store, With};
use tokio::task::JoinSet;

use super::journal::{LONG, accept, id, job};
use super::{DEADLINE, World, append, database, entry, eventually, grant, meeting, pending, person, zoom_user};

#[tokio::test]
async fn everything_is_there_after_a_restart() {
    let world = World::embedded();
    let now = world.clock.now();
    world.store.save_grant(&grant("Z1")).await.unwrap();
    world.store.link(&person("U1"), &zoom_user("Z1"), None).await.unwrap();
    world.store.accept(&DeliveryId::new("d1"), With::Entry(&entry("R1", now))).await.unwrap();

    let world = world.reopen(|_| {});
    assert_eq!(world.store.grant(&zoom_user("Z1")).await.unwrap(), Some(grant("Z1")));
    assert_eq!(world.store.linked_count(&zoom_user("Z1")).await.unwrap(), 1);
    assert_eq!(world.store.accept(&DeliveryId::new("d1"), With::Nothing).await.unwrap(), Accepted::Replayed);
    assert_eq!(world.store.audit(&AuditQuery::default()).await.unwrap().len(), 1);
}

#[tokio::test]
async fn a_restart_ends_every_lease_and_moves_no_due_time() {
    let world = World::embedded();
    let job = job(&world, Stage::Accepted);
    accept(&world.store, "held", &job, "a", LONG).await;
    accept(&world.store, "later", &job, "a", LONG).await;
    assert!(world.store.postpone(&id("later"), "a", &job, LONG).await.unwrap());
    let refresh = LeaseName::refresh(&ZoomUserId::new("Z1"));
    assert!(world.store.lease(&refresh, "a", LONG).await.unwrap());
    assert!(Store::open(world.options.clone(), Clock::default()).is_err());
    Store::open_reader(&world.options.place, DEADLINE).unwrap();
    assert!(world.store.claim("b", LONG).await.unwrap().is_none(), "whoever is refused, or reads, ends none");
    assert!(!world.store.lease(&refresh, "b", LONG).await.unwrap());

    let world = world.reopen(|_| {});
    let store = &world.store;
    assert!(store.lease(&refresh, "b", LONG).await.unwrap());
    let claimed = store.claim("b", LONG).await.unwrap().unwrap();
    assert_eq!((claimed.id, claimed.attempt), (id("held"), 2));
    assert!(!store.keep(&id("held"), "a", LONG).await.unwrap());
    assert!(store.claim("b", LONG).await.unwrap().is_none());
    world.clock.advance(LONG);
    assert!(store.keep(&id("held"), "b", LONG).await.unwrap());
    assert_eq!(store.claim("b", LONG).await.unwrap().unwrap().id, id("later"));
}

#[tokio::test]
async fn a_job_that_cannot_be_read_is_tried_again_after_a_minute() {
    const MINUTE: Duration = Duration::from_secs(60);
    let world = World::embedded();
    accept(&world.store, "j1", &job(&world, Stage::Accepted), "a", LONG).await;
    let keys = world.options.keys.clone();
    let world = world.reopen(|options| options.keys = Keyring::parse(&Keyring::generate_one()).unwrap());
    for minutes in [1, 2] {
        assert!(world.store.claim("b", Duration::from_secs(1)).await.is_err());
        world.clock.advance(MINUTE * minutes - Duration::from_secs(30));
        assert!(world.store.claim("b", LONG).await.unwrap().is_none());
        world.clock.advance(Duration::from_secs(30));
    }
    let world = world.reopen(|options| options.keys = keys);
    assert_eq!(world.store.claim("b", LONG).await.unwrap().unwrap().id, id("j1"));
}

#[tokio::test]
async fn a_second_process_is_refused() {
    let world = World::embedded();
    let second = Store::open(world.options.clone(), Clock::default());
    assert!(matches!(second.err(), Some(Error::InUse)));
    world.store.ping().await.unwrap();
}

#[tokio::test]
async fn files_are_for_their_owner_alone() {
    let world = World::embedded();
    world.store.remember_webinar(meeting("68423085")).await.unwrap();
    let mode = |path: &std::path::Path| std::fs::metadata(path).unwrap().permissions().mode() & 0o777;
    assert_eq!(mode(&world.data()), 0o700);
    let mut files: Vec<_> = std::fs::read_dir(world.data()).unwrap().map(|file| file.unwrap().path()).collect();
    files.sort();
    assert_eq!(files.len(), 4, "{files:?}");
    for file in files {
        assert_eq!(mode(&file), 0o600, "{}", file.display());
    }
}

#[tokio::test]
async fn a_reader_needs_a_store() {
    let folder = tempfile::tempdir().unwrap();
    let place = Place::Embedded { folder: folder.path().join("nowhere") };
    assert!(matches!(Store::open_reader(&place, DEADLINE).err(), Some(Error::Missing)));
    assert!(!folder.path().join("nowhere").exists(), "reading makes nothing");
}

#[tokio::test]
async fn a_layout_of_the_future_is_left_alone() {
    let world = World::embedded();
    let (place, options, data) = (world.options.place.clone(), world.options.clone(), world.data());
    drop(world.store);
    database(&data).pragma_update(None, "user_version", 99).unwrap();
    assert!(matches!(Store::open(options, Clock::default()).err(), Some(Error::Newer)));
    assert!(matches!(Store::open_reader(&place, DEADLINE).err(), Some(Error::Newer)));
}

#[tokio::test]
async fn a_store_of_the_first_layout_is_carried_on() {
    let world = World::embedded();
    let (options, data) = (world.options.clone(), world.data());
    world.store.save_grant(&grant("Z1")).await.unwrap();
    drop(world.store);
    let now = Clock::default().now();
    let back = "DROP TABLE job; DROP TABLE head; ALTER TABLE log DROP COLUMN number; ALTER TABLE log DROP COLUMN hash;
                PRAGMA user_version = 1";
    database(&data).execute_batch(back).unwrap();
    let old = serde_json::to_vec(&entry("OLD", now)).unwrap();
    database(&data).execute("INSERT INTO log (at_ms, entry) VALUES (1, ?1)", [old]).unwrap();
    assert!(matches!(Store::open_reader(&options.place, DEADLINE).err(), Some(Error::Older)));

    let store = Store::open(options.clone(), Clock::default()).unwrap();
    assert_eq!(store.grant(&zoom_user("Z1")).await.unwrap(), Some(grant("Z1")));
    let layout = |row: &rusqlite::Row<'_>| row.get::<_, i64>(0);
    assert_eq!(database(&data).pragma_query_value(None, "user_version", layout), Ok(3));
    assert_eq!(database(&data).query_row("SELECT count(*) FROM job", [], layout), Ok(0));
    append(&store, &entry("NEW", now)).await;
    let verified = Store::open_reader(&options.place, DEADLINE).unwrap().verify().await.unwrap();
    assert_eq!((verified.unchained, verified.count, verified.faults), (1, 1, Vec::new()));
}

#[tokio::test]
async fn every_record_ends_when_its_life_does() {
    const SECOND: Duration = Duration::from_secs(1);
    const DAY: Duration = Duration::from_secs(24 * 60 * 60);
    let world = World::embedded();
    let (store, clock) = (&world.store, &world.clock);
    let (token, delivery, webinar) = (StateToken::generate(), DeliveryId::new("d1"), meeting("68423085"));
    let record = StreamRecord {
        meeting: webinar,
        action: Action::Start,
        by: Some(person("U1").user),
        at: clock.now(),
        fate: onair::reply::Fate::Taken,
    };
    let pending: Pending = pending("U1", clock.now());
    store.offer(&token, &pending).await.unwrap();
    store.accept(&delivery, With::Nothing).await.unwrap();
    store.record_stream(&person("U1"), &record).await.unwrap();
    store.remember_webinar(webinar).await.unwrap();

    // A minute before, so that a slow test does not matter.
    clock.advance(Duration::from_secs(9 * 60));
    assert!(store.offered(&token).await.unwrap().is_some());
    clock.advance(Duration::from_secs(60) + SECOND);
    assert!(store.offered(&token).await.unwrap().is_none());
    assert!(store.redeem(&token).await.unwrap().is_none());

    clock.advance(Duration::from_secs(4 * 60));
    assert_eq!(store.accept(&delivery, With::Nothing).await.unwrap(), Accepted::Replayed);
    clock.advance(Duration::from_secs(60));
    assert_eq!(store.accept(&delivery, With::Nothing).await.unwrap(), Accepted::New);

    clock.advance(DAY - Duration::from_secs(16 * 60));
    assert_eq!(store.streams(&person("U1")).await.unwrap(), [record]);
    clock.advance(Duration::from_secs(60));
    assert_eq!(store.streams(&person("U1")).await.unwrap(), []);

    clock.advance(29 * DAY - Duration::from_secs(120));
    assert!(store.is_webinar(webinar).await.unwrap());
    clock.advance(Duration::from_secs(120));
    assert!(!store.is_webinar(webinar).await.unwrap());

    let rows = || async {
        // A sweep follows a write.
        store.ping().await.unwrap();
        let count = |table| format!("SELECT count(*) FROM {table}");
        let database = database(&world.data());
        ["record", "shelf"].map(|table| database.query_row(&count(table), [], |row| row.get::<_, i64>(0)).unwrap())
    };
    eventually(rows, |rows| *rows == [0, 0]).await;
}

#[tokio::test]
async fn what_was_given_up_is_not_done_later() {
    let world = World::embedded().reopen(|options| options.deadline = Duration::from_millis(200));
    let store = &world.store;
    let blocker = database(&world.data());
    blocker.execute_batch("BEGIN IMMEDIATE").unwrap();
    let error = store.accept(&DeliveryId::new("d1"), With::Entry(&entry("R1", world.clock.now()))).await.unwrap_err();
    assert!(error.is_transient(), "{error:?}");
    assert!(!store.is_webinar(meeting("68423085")).await.unwrap(), "reading goes on");
    blocker.execute_batch("ROLLBACK").unwrap();

    eventually(|| async { store.ping().await.is_ok() }, |is_ok| *is_ok).await;
    // What was queued is done before it is closed. A busy disk may need longer than this test waited for a failure.
    let world = world.reopen(|options| options.deadline = DEADLINE);
    let store = &world.store;
    assert_eq!(store.accept(&DeliveryId::new("d1"), With::Nothing).await.unwrap(), Accepted::New);
    assert_eq!(store.audit(&AuditQuery::default()).await.unwrap(), []);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_log_of_writes_does_not_grow_with_what_is_written() {
    const WRITERS: usize = 16;
    const EACH: usize = 80;
    const MOST: u64 = 40 << 20;
    let world = World::embedded();
    let mut writers = JoinSet::new();
    for writer in 0..WRITERS {
        let (store, mut grant) = (world.store.clone(), grant(&format!("Z{writer}")));
        writers.spawn(async move {
            for _ in 0..EACH {
                // Some twelve pages each, over 50 MiB in all, in the same few places of the file.
                grant.tokens.access = Secret::new("a".repeat(40 << 10));
                store.save_grant(&grant).await.unwrap();
            }
        });
    }
    writers.join_all().await;
    let log = std::fs::metadata(world.data().join("onair.db-wal")).unwrap().len();
    assert!(log < MOST, "the log of writes has {log} bytes");
}
