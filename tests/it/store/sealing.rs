//! What somebody sees and can do who has the store's bytes but not its keys.

use std::fmt::Write as _;
use std::time::Duration;

use onair::destination::Invitation;
use onair::grant::StateToken;
use onair::id::DeliveryId;
use onair::journal::{Job, Stage};
use onair::secret::Secret;
use onair::store::{Error, Keyring, Place, SealFault, With};

use super::journal::{LONG, accept, decided, id, job};
use super::{World, database, entry, grant, invitation, pending, person, zoom_user};

on_both_engines! {
    no_secret_lies_open_in_the_store,
    a_value_under_another_key_does_not_open,
    a_removed_key_is_named,
    an_unreadable_job_holds_up_no_other,
    a_job_that_nobody_can_read_is_dropped_in_the_end,
}

async fn no_secret_lies_open_in_the_store(world: World) {
    let (store, now) = (&world.store, world.clock.now());
    let (token, used) = (StateToken::new("canary-state"), StateToken::new("canary-used-state"));
    store.offer(&token, &pending("U1", now)).await.unwrap();
    store.offer(&used, &pending("U1", now)).await.unwrap();
    store.redeem(&used).await.unwrap();
    let opened = Invitation { browser: Some(Secret::new("canary-mark")), ..invitation("U1", now) };
    store.invite(&StateToken::new("canary-page"), &opened).await.unwrap();
    store.save_grant(&grant("Z1")).await.unwrap();
    store.link(&person("U1"), &zoom_user("Z1"), None).await.unwrap();
    store.accept(&DeliveryId::new("d1"), With::Entry(&entry("in-the-clear", now))).await.unwrap();
    let mut accepted = job(&world, Stage::Accepted);
    accept(store, "j1", &accepted, "a", LONG).await;
    store.journal(&id("j2"), &accepted, "a", LONG).await.unwrap();
    store.journal(&id("j3"), &accepted, "a", LONG).await.unwrap();
    let Job::Command { stage, .. } = &mut accepted else { unreachable!() };
    *stage = decided("canary-answer");
    assert!(store.advance(&id("j2"), "a", &accepted, None).await.unwrap());
    assert!(store.postpone(&id("j3"), "a", &accepted, LONG).await.unwrap());

    super::presets::save(store, &person("U1"), "canary-name").await;

    let bytes = everything(&world);
    assert!(bytes.contains("in-the-clear"), "the search finds what is not sealed");
    for canary in ["canary", "hooks.slack.com", "livestream_status"] {
        assert!(!bytes.contains(canary), "{canary} lies open");
    }
}

async fn a_value_under_another_key_does_not_open(world: World) {
    let store = &world.store;
    store.save_grant(&grant("Z1")).await.unwrap();
    store.save_grant(&grant("Z2")).await.unwrap();
    let (first, second) = (read(&world, "grant:Z1"), read(&world, "grant:Z2"));
    write(&world, "grant:Z1", &second);
    write(&world, "grant:Z2", &first);
    for name in ["Z1", "Z2"] {
        let error = store.grant(&zoom_user(name)).await.unwrap_err();
        let why = matches!(&error, Error::Sealed { prefix: "grant:", source: SealFault::NotAuthentic(_) });
        assert!(why, "{error:?}");
    }
    write(&world, "grant:Z1", &first);
    assert_eq!(store.grant(&zoom_user("Z1")).await.unwrap(), Some(grant("Z1")));
}

async fn a_removed_key_is_named(world: World) {
    world.store.save_grant(&grant("Z1")).await.unwrap();
    let removed = world.options.keys.ids().next().unwrap().clone();
    let world = world.reopen(|options| options.keys = Keyring::parse(&Keyring::generate_one()).unwrap());
    let error = world.store.grant(&zoom_user("Z1")).await.unwrap_err();
    let named = matches!(&error, Error::Sealed { source: SealFault::UnknownKey(id), .. } if *id == removed);
    assert!(named, "{error:?}");
}

async fn an_unreadable_job_holds_up_no_other(world: World) {
    let store = &world.store;
    let accepted = job(&world, Stage::Accepted);
    for name in ["j1", "j2", "j3"] {
        accept(store, name, &accepted, "a", Duration::ZERO).await;
    }
    let (first, second) = (read_job(&world, "j1"), read_job(&world, "j2"));
    write_job(&world, "j1", &second);
    for name in ["j1", "j2", "j3"] {
        make_due(&world, name);
    }

    let (mut found, mut faults) = (Vec::new(), Vec::new());
    loop {
        match store.claim("b", LONG).await {
            Ok(Some(claimed)) => found.push(claimed.id.to_string()),
            Ok(None) => break,
            Err(error) => faults.push(error),
        }
    }
    found.sort_unstable();
    assert_eq!(found, ["j2", "j3"]);
    let is_told = matches!(&faults[..], [Error::Sealed { source: SealFault::NotAuthentic(_), .. }]);
    assert!(is_told, "once: {faults:?}");
    assert_eq!(store.waiting().await.unwrap().open, 3);
    assert!(!store.keep(&id("j1"), "b", LONG).await.unwrap(), "nobody holds it");

    write_job(&world, "j1", &first);
    make_due(&world, "j1");
    let claimed = store.claim("b", LONG).await.unwrap().unwrap();
    assert_eq!((claimed.id, claimed.attempt), (id("j1"), 3));
}

async fn a_job_that_nobody_can_read_is_dropped_in_the_end(world: World) {
    accept(&world.store, "j1", &job(&world, Stage::Accepted), "a", LONG).await;
    let world = world.reopen(|options| options.keys = Keyring::parse(&Keyring::generate_one()).unwrap());
    let mut faults = 0;
    while world.store.waiting().await.unwrap().open > 0 {
        make_due(&world, "j1");
        let error = world.store.claim("b", LONG).await.unwrap_err();
        assert!(matches!(&error, Error::Sealed { source: SealFault::UnknownKey(_), .. }), "{error:?}");
        faults += 1;
    }
    assert_eq!(faults, 12, "put aside for 1, 2, 4 … 1024 minutes, then dropped");
}

/// All keys and values that a thief would get, as text.
fn everything(world: &World) -> String {
    match &world.options.place {
        Place::Redis { namespace, .. } => {
            let mut connection = raw(world);
            let pattern = format!("{namespace}:*");
            let keys: Vec<String> = redis::cmd("KEYS").arg(pattern).query(&mut connection).unwrap();
            let mut text = String::new();
            for key in keys {
                let kind: String = redis::cmd("TYPE").arg(&key).query(&mut connection).unwrap();
                let mut command = redis::cmd(match kind.as_str() {
                    "string" => "GET",
                    "set" => "SMEMBERS",
                    "hash" => "HGETALL",
                    "zset" => "ZRANGE",
                    "stream" => "XRANGE",
                    other => panic!("no {other} is documented"),
                });
                command.arg(&key);
                match kind.as_str() {
                    "zset" => drop(command.arg("0").arg("-1")),
                    "stream" => drop(command.arg("-").arg("+")),
                    _ => {}
                }
                let value: redis::Value = command.query(&mut connection).unwrap();
                writeln!(text, "{key} {value:?}").unwrap();
            }
            text
        }
        Place::Embedded { folder } => {
            let files: Vec<_> = std::fs::read_dir(folder).unwrap().map(|file| file.unwrap().path()).collect();
            assert!(files.iter().any(|path| path.ends_with("onair.db-wal")), "{files:?}");
            files.iter().map(|path| String::from_utf8_lossy(&std::fs::read(path).unwrap()).into_owned()).collect()
        }
    }
}

pub(super) fn read(world: &World, key: &str) -> Vec<u8> {
    match &world.options.place {
        Place::Redis { namespace, .. } => {
            redis::cmd("GET").arg(format!("{namespace}:{key}")).query(&mut raw(world)).unwrap()
        }
        Place::Embedded { folder } => {
            let sql = "SELECT value FROM record WHERE key = ?1";
            database(folder).query_row(sql, [key], |row| row.get(0)).unwrap()
        }
    }
}

pub(super) fn write(world: &World, key: &str, value: &[u8]) {
    match &world.options.place {
        Place::Redis { namespace, .. } => {
            redis::cmd("SET").arg(format!("{namespace}:{key}")).arg(value).exec(&mut raw(world)).unwrap();
        }
        Place::Embedded { folder } => {
            let changed = database(folder).execute("UPDATE record SET value = ?2 WHERE key = ?1", (key, value));
            assert_eq!(changed, Ok(1));
        }
    }
}

pub(super) fn read_job(world: &World, id: &str) -> Vec<u8> {
    match &world.options.place {
        Place::Redis { namespace, .. } => {
            let key = format!("{namespace}:{{journal}}:job:{id}");
            redis::cmd("HGET").arg(key).arg("body").query(&mut raw(world)).unwrap()
        }
        Place::Embedded { folder } => {
            database(folder).query_row("SELECT body FROM job WHERE id = ?1", [id], |row| row.get(0)).unwrap()
        }
    }
}

pub(super) fn write_job(world: &World, id: &str, body: &[u8]) {
    match &world.options.place {
        Place::Redis { namespace, .. } => {
            let key = format!("{namespace}:{{journal}}:job:{id}");
            redis::cmd("HSET").arg(key).arg("body").arg(body).exec(&mut raw(world)).unwrap();
        }
        Place::Embedded { folder } => {
            let changed = database(folder).execute("UPDATE job SET body = ?2 WHERE id = ?1", (id, body));
            assert_eq!(changed, Ok(1));
        }
    }
}

/// Lets a job's time come.
fn make_due(world: &World, id: &str) {
    match &world.options.place {
        Place::Redis { namespace, .. } => {
            let key = format!("{namespace}:{{journal}}:due");
            redis::cmd("ZADD").arg(key).arg(1).arg(id).exec(&mut raw(world)).unwrap();
        }
        Place::Embedded { folder } => {
            assert_eq!(database(folder).execute("UPDATE job SET due_ms = 1 WHERE id = ?1", [id]), Ok(1));
        }
    }
}

pub(super) fn raw(world: &World) -> redis::Connection {
    let Place::Redis { url, .. } = &world.options.place else { panic!("this world is in a file") };
    redis::Client::open(url.expose()).unwrap().get_connection().unwrap()
}
