//! Everything that is sealed comes under the first key, and nothing else about it changes.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use onair::audit::AuditEntry;
use onair::grant::StateToken;
use onair::journal::Stage;
use onair::secret::Secret;
use onair::store::{Keyring, Place, Resealed, Store};
use onair::stream::{Confirms, Stream};
use tokio::task::JoinSet;

use super::journal::{LONG, accept, command, decided, id, job};
use super::sealing::{raw, read, read_job, write, write_job};
use super::{
    World, database, entry, grant, install, installation, invitation, meeting, pending, person, presets, zoom_user,
};

on_both_engines! {
    everything_comes_under_the_first_key_and_lives_as_long_as_before,
    a_job_in_somebodys_hands_stays_in_them,
    what_does_not_open_is_counted_and_stays_as_it_is,
    many_records_are_gone_through_page_by_page,
}

fn ring(keys: &[&Secret]) -> Keyring {
    Keyring::parse(&Secret::new(keys.iter().map(|key| key.expose()).collect::<Vec<_>>().join(","))).unwrap()
}

async fn moved(store: &Store) -> Vec<(&'static str, usize, usize)> {
    let all = store.reseal().await.unwrap().into_iter();
    all.map(|Resealed { prefix, moved, unopened }| (prefix, moved, unopened)).collect()
}

async fn everything_comes_under_the_first_key_and_lives_as_long_as_before(world: World) {
    let (old, new) = (Keyring::generate_one(), Keyring::generate_one());
    let world = world.reopen(|options| options.keys = ring(&[&old]));
    let (store, now) = (&world.store, world.clock.now());
    let (offered, page) = (StateToken::generate(), StateToken::generate());
    store.offer(&offered, &pending("U1", now)).await.unwrap();
    store.invite(&page, &invitation("U1", now)).await.unwrap();
    install(store, &installation("T1", now)).await;
    store.save_grant(&grant("Z1")).await.unwrap();
    presets::save(store, &person("U1"), "keynote").await;
    let stream = Stream::new(meeting("68423085"), Confirms::Yes, now);
    store.change_stream(None, stream.clone(), None, None).await.unwrap();
    store.plan(&id("j1"), &job(&world, Stage::Accepted), LONG).await.unwrap();

    let world = world.reopen(|options| options.keys = ring(&[&new, &old]));
    let store = &world.store;
    let names = [
        "grant:Z1".to_owned(),
        "stream:68423085".to_owned(),
        format!("presets:{}", person("U1").key()),
        names_under(&world, "state:"),
        names_under(&world, "setup:"),
    ];
    names.iter().filter(|name| ends(&world, name).is_some()).for_each(|name| shorten(&world, name));
    let lives: Vec<Option<i64>> = names.iter().map(|name| ends(&world, name)).collect();
    assert_eq!(lives.iter().flatten().count(), 3, "some stay and some end: {lives:?}");
    let each = [
        ("{journal}:job:", 1),
        ("state:", 1),
        ("setup:", 1),
        ("installation:", 1),
        ("grant:", 1),
        ("stream:", 1),
        ("presets:", 1),
    ];
    assert_eq!(moved(store).await, each.map(|(prefix, count)| (prefix, count, 0)));
    assert_eq!(moved(store).await, each.map(|(prefix, _)| (prefix, 0, 0)), "once is enough");
    assert_eq!(store.seals().await.unwrap().by_key.into_values().collect::<Vec<_>>(), [7]);
    for (name, before) in names.iter().zip(lives) {
        let is_same = match (before, ends(&world, name)) {
            // Redis tells how long it still is, which runs while it is read.
            (Some(before), Some(after)) => before.abs_diff(after) < 60_000,
            (before, after) => before == after,
        };
        assert!(is_same, "{name}");
    }

    let world = world.reopen(|options| options.keys = ring(&[&new]));
    let store = &world.store;
    assert_eq!(store.redeem(&offered).await.unwrap().unwrap().person, person("U1"));
    assert_eq!(store.take_invitation(&page).await.unwrap().unwrap().meeting, meeting("68423085"));
    assert_eq!(store.grant(&zoom_user("Z1")).await.unwrap(), Some(grant("Z1")));
    assert_eq!(store.presets(&person("U1")).await.unwrap().presets.all().len(), 1);
    assert_eq!(store.stream(meeting("68423085")).await.unwrap().unwrap().value, stream);
    assert!(store.claim("a", LONG).await.unwrap().is_none(), "the job is not due yet");
    store.hurry(&id("j1")).await.unwrap();
    let claimed = super::journal::claimed(store, "a", LONG).await;
    assert_eq!(command(&claimed.job).1, &Stage::Accepted);
}

async fn a_job_in_somebodys_hands_stays_in_them(world: World) {
    let (old, new) = (Keyring::generate_one(), Keyring::generate_one());
    let world = world.reopen(|options| options.keys = ring(&[&old]));
    let decided = |world: &World| job(world, decided("canary-answer"));
    // What is written under the old key, and the change that it comes with under the new one.
    let body = {
        accept(&world.store, "j1", &decided(&world), "a", LONG).await;
        read_job(&world, "j1")
    };
    let world = world.reopen(|options| options.keys = ring(&[&new, &old]));
    let (store, now) = (&world.store, world.clock.now());
    let (stage, told): (_, AuditEntry) = (decided(&world), entry("R1", now));
    if world.folder.is_some() {
        // The lock has proven that its holder is dead.
        super::journal::claimed(store, "a", LONG).await;
    }
    assert!(store.advance(&id("j1"), "a", &stage, Some(&told)).await.unwrap());
    write_job(&world, "j1", &body);
    assert_eq!(moved(store).await[0], ("{journal}:job:", 1, 0));
    assert_ne!(read_job(&world, "j1"), body);

    assert!(store.claim("b", LONG).await.unwrap().is_none(), "it has its holder");
    assert!(store.keep(&id("j1"), "a", LONG).await.unwrap());
    assert!(store.advance(&id("j1"), "a", &stage, Some(&told)).await.unwrap());
    let all = super::trail::references(store, &onair::store::AuditQuery::default()).await;
    assert_eq!(all, ["R1"], "a change that was made already is not made again");
    assert!(store.finish(&id("j1"), "a").await.unwrap());
}

async fn what_does_not_open_is_counted_and_stays_as_it_is(world: World) {
    let (lost, old, new) = (Keyring::generate_one(), Keyring::generate_one(), Keyring::generate_one());
    let world = world.reopen(|options| options.keys = ring(&[&lost]));
    world.store.save_grant(&grant("Z1")).await.unwrap();
    world.store.save_grant(&grant("Z2")).await.unwrap();
    let world = world.reopen(|options| options.keys = ring(&[&old]));
    world.store.save_grant(&grant("Z3")).await.unwrap();
    write(&world, "grant:Z2", b"not a sealed value");
    let kept = read(&world, "grant:Z1");

    let world = world.reopen(|options| options.keys = ring(&[&new, &old]));
    let all = moved(&world.store).await;
    assert!(all.contains(&("grant:", 1, 2)), "{all:?}");
    assert_eq!(read(&world, "grant:Z1"), kept);
    let sealed = world.store.seals().await.unwrap();
    let first = world.options.keys.ids().next().unwrap();
    assert_eq!((sealed.unreadable, sealed.not_under(first), sealed.by_key.len()), (1, 2, 2));
}

async fn many_records_are_gone_through_page_by_page(world: World) {
    let (old, new) = (Keyring::generate_one(), Keyring::generate_one());
    let world = world.reopen(|options| options.keys = ring(&[&old]));
    for number in 0..450 {
        world.store.save_grant(&grant(&format!("Z{number}"))).await.unwrap();
    }
    for number in 0..250 {
        world.store.plan(&id(&format!("j{number}")), &job(&world, Stage::Accepted), LONG).await.unwrap();
    }
    let world = world.reopen(|options| options.keys = ring(&[&new, &old]));
    let all = moved(&world.store).await;
    assert!(all.contains(&("grant:", 450, 0)) && all.contains(&("{journal}:job:", 250, 0)), "{all:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_somebody_writes_meanwhile_is_never_overwritten() {
    let (old, new) = (Keyring::generate_one(), Keyring::generate_one());
    let world = World::redis().reopen(|options| options.keys = ring(&[&old, &new]));
    let other = onair::store::Options { keys: ring(&[&new, &old]), ..world.options.clone() };
    let other = Store::open(other, world.clock.clone()).unwrap();
    let is_over = Arc::new(AtomicBool::new(false));
    let over = Arc::clone(&is_over);
    let mut resealing = JoinSet::new();
    resealing.spawn(async move {
        let mut count = 0;
        while !over.load(Ordering::Relaxed) {
            count += other.reseal().await.unwrap().iter().map(|one| one.moved).sum::<usize>();
        }
        count
    });
    for number in 0..500 {
        let mut next = grant("Z1");
        next.tokens.refresh = Secret::new(number.to_string());
        world.store.save_grant(&next).await.unwrap();
        for _ in 0..3 {
            assert_eq!(world.store.grant(&zoom_user("Z1")).await.unwrap().as_ref(), Some(&next));
        }
    }
    is_over.store(true, Ordering::Relaxed);
    assert!(resealing.join_next().await.unwrap().unwrap() > 10, "both were at work");
}

/// When a record ends, in milliseconds; nothing where it stays.
fn ends(world: &World, key: &str) -> Option<i64> {
    match &world.options.place {
        Place::Redis { namespace, .. } => {
            let ttl: i64 = redis::cmd("PTTL").arg(format!("{namespace}:{key}")).query(&mut raw(world)).unwrap();
            assert!(ttl != -2, "{key} is there");
            (ttl >= 0).then(|| ttl + world.clock.now().as_millisecond())
        }
        Place::Embedded { folder } => {
            let sql = "SELECT ends_ms FROM record WHERE key = ?1";
            database(folder).query_row(sql, [key], |row| row.get(0)).unwrap()
        }
    }
}

/// Lets a record end in five minutes, sooner than a life that would begin anew.
fn shorten(world: &World, key: &str) {
    match &world.options.place {
        Place::Redis { namespace, .. } => {
            redis::cmd("PEXPIRE").arg(format!("{namespace}:{key}")).arg(300_000).exec(&mut raw(world)).unwrap();
        }
        Place::Embedded { folder } => {
            let ends = world.clock.now().as_millisecond() + 300_000;
            let changed = database(folder).execute("UPDATE record SET ends_ms = ?2 WHERE key = ?1", (key, ends));
            assert_eq!(changed, Ok(1));
        }
    }
}

/// The one key that begins so.
fn names_under(world: &World, prefix: &str) -> String {
    match &world.options.place {
        Place::Redis { namespace, .. } => {
            let pattern = format!("{namespace}:{prefix}*");
            let names: Vec<String> = redis::cmd("KEYS").arg(pattern).query(&mut raw(world)).unwrap();
            names[0].strip_prefix(&format!("{namespace}:")).unwrap().to_owned()
        }
        Place::Embedded { folder } => {
            let sql = "SELECT key FROM record WHERE key GLOB ?1 || '*'";
            database(folder).query_row(sql, [prefix], |row| row.get(0)).unwrap()
        }
    }
}
