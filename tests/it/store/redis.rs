//! What only a store on Redis goes through: a server that is away, comes back, hangs, refuses or is old.

use std::error::Error as _;
use std::time::{Duration, Instant};

use onair::clock::Clock;
use onair::grant::StateToken;
use onair::id::DeliveryId;
use onair::journal::{Job, Stage};
use onair::outcome::Action;
use onair::reply::StreamRecord;
use onair::secret::Secret;
use onair::store::{Accepted, AuditQuery, Cause, Error, Keyring, LeaseName, Options, Place, Store, With};

use super::journal::{LONG, accept, decided, id, job};
use super::trail::references;
use super::{World, append, entry, eventually, grant, invocation, meeting, pending, person, place_on_redis, zoom_user};
use crate::proxy::{Mode, Proxy};
use crate::redis_server::{RedisServer, free_port, url};

/// As in production.
const SECOND: Duration = Duration::from_secs(1);

fn open(place: Place, deadline: Duration) -> Store {
    let keys = Keyring::parse(&Keyring::generate_one()).unwrap();
    Store::open(Options { place, keys, deadline }, Clock::default()).unwrap()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn without_redis_every_operation_fails_at_once_and_works_when_it_comes() {
    let port = free_port();
    let store = open(place_on_redis(url(port)), SECOND);
    let (who, zoe, now) = (person("U1"), zoom_user("Z1"), Clock::default().now());
    let (token, lease, number) = (StateToken::generate(), LeaseName::refresh(&zoe), meeting("68423085"));
    let record = StreamRecord {
        meeting: number,
        action: Action::Start,
        by: Some(who.user.clone()),
        at: now,
        fate: onair::reply::Fate::Taken,
    };
    let (name, job) = (id("j1"), Job::Command { invocation: Box::new(invocation("U1", now)), stage: Stage::Accepted });

    macro_rules! fails_at_once {
        ($($call:expr),* $(,)?) => {$(
            let begun = Instant::now();
            let error = $call.await.map(drop).unwrap_err();
            let (took, call) = (begun.elapsed(), stringify!($call));
            assert!(error.is_transient(), "{call}: {error:?}");
            // The deadline, and what a busy machine adds.
            assert!(took < SECOND * 2, "{call} took {took:?}");
        )*};
    }
    fails_at_once!(
        store.ping(),
        store.accept(&DeliveryId::new("d1"), With::Entry(&entry("R1", now))),
        store.accept(&DeliveryId::new("d1"), With::Job { id: &name, job: &job, owner: "a", lease: SECOND }),
        store.journal(&name, &job, "a", SECOND),
        store.keep(&name, "a", SECOND),
        store.advance(&name, "a", &job, Some(&entry("R1", now))),
        store.postpone(&name, "a", &job, SECOND),
        store.finish(&name, "a"),
        store.claim("a", SECOND),
        store.waiting(),
        store.offer(&token, &pending("U1", now)),
        store.offered(&token),
        store.redeem(&token),
        store.link_of(&who),
        store.link(&who, &zoe, None),
        store.unlink(&who, None),
        store.linked_count(&zoe),
        store.grant(&zoe),
        store.save_grant(&grant("Z1")),
        store.delete_grant(&zoe),
        store.lease(&lease, "a", SECOND),
        store.release(&lease, "a"),
        store.is_webinar(number),
        store.remember_webinar(number),
        store.forget_webinar(number),
        store.record_stream(&who, &record),
        store.streams(&who),
        store.audit(&AuditQuery::default()),
    );

    let server = RedisServer::start_on(port, &[]);
    assert_eq!(store.link(&who, &zoe, None).await.unwrap(), None, "the first try after Redis came works");
    assert_eq!(store.accept(&DeliveryId::new("d1"), With::Nothing).await.unwrap(), Accepted::New);
    drop(server);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_restart_of_redis_fails_nothing_that_comes_after_it() {
    let server = RedisServer::start();
    let port = server.port();
    let store = open(place_on_redis(url(port)), super::DEADLINE);
    assert_eq!(store.accept(&DeliveryId::new("d1"), With::Nothing).await.unwrap(), Accepted::New);
    drop(server);
    let server = RedisServer::start_on(port, &[]);
    // The scripts are gone from the server as well.
    assert_eq!(store.accept(&DeliveryId::new("d2"), With::Nothing).await.unwrap(), Accepted::New);
    drop(server);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_connection_that_fell_silent_is_replaced() {
    let proxy = Proxy::start(RedisServer::shared().port()).await;
    let store = open(place_on_redis(url(proxy.port())), Duration::from_millis(300));
    eventually(|| async { store.ping().await.is_ok() }, |is_ok| *is_ok).await;

    proxy.set(Mode::Silence);
    assert!(matches!(store.ping().await, Err(Error::TimedOut)));
    proxy.set(Mode::Pass);
    eventually(|| async { store.ping().await.is_ok() }, |is_ok| *is_ok).await;
    assert!(proxy.connections() > 1, "over a new connection");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_was_done_and_not_answered_is_not_done_again() {
    let proxy = Proxy::start(RedisServer::shared().port()).await;
    let store = open(place_on_redis(url(proxy.port())), super::DEADLINE);
    let now = Clock::default().now();
    let job = |stage| Job::Command { invocation: Box::new(invocation("U1", now)), stage };
    let (accepted, told) = (job(Stage::Accepted), job(decided("told")));
    // The second time, the server has the scripts, and what is lost is the answer of the work itself.
    for (name, is_lost) in [("j1", false), ("j2", true)] {
        let lose = || proxy.set(if is_lost { Mode::LoseOne } else { Mode::Pass });
        lose();
        assert_eq!(accept(&store, name, &accepted, "a", LONG).await, Accepted::New);
        lose();
        assert!(store.advance(&id(name), "a", &told, Some(&entry(name, now))).await.unwrap());
        lose();
        assert!(store.postpone(&id(name), "a", &told, Duration::ZERO).await.unwrap());
        eventually(|| async { store.waiting().await.unwrap() }, |waiting| waiting.claimable == 1).await;
        lose();
        let claimed = store.claim("b", SECOND).await;
        assert_eq!(claimed.as_ref().is_err_and(Error::is_transient), is_lost, "{claimed:?}");
        lose();
        assert!(store.finish(&id(name), "b").await.unwrap());
        assert_eq!(proxy.mode(), Mode::Pass, "each was lost");
    }
    let trail = references(&store, &AuditQuery::default()).await;
    assert_eq!(trail, ["j1", "j2"]);
    assert!(proxy.connections() > 5, "each on a connection of its own");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_refused_password_is_told_without_it_and_heals() {
    let server = RedisServer::start_on(free_port(), &["--requirepass", "rightly"]);
    let url = Secret::new(format!("redis://:hunter2@127.0.0.1:{}/", server.port()));
    let store = open(place_on_redis(url), super::DEADLINE);
    let error = store.ping().await.unwrap_err();
    let text = format!("{error} {error:?} {}", error.source().unwrap());
    assert!(!text.contains("hunter2") && !text.contains("127.0.0.1"), "{text}");
    assert!(matches!(error, Error::Unavailable(Cause::Answer(_) | Cause::Client(_))), "{text}");

    let admin = redis::Client::open(format!("redis://:rightly@127.0.0.1:{}/", server.port())).unwrap();
    let mut admin = admin.get_connection().unwrap();
    redis::cmd("CONFIG").arg("SET").arg("requirepass").arg("hunter2").exec(&mut admin).unwrap();
    eventually(|| async { store.ping().await.is_ok() }, |is_ok| *is_ok).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_server_without_resp3_is_spoken_to_in_resp2() {
    let server = RedisServer::start_on(free_port(), &["--rename-command", "HELLO", ""]);
    let store = open(place_on_redis(server.url()), super::DEADLINE);
    store.ping().await.unwrap();
    assert_eq!(store.accept(&DeliveryId::new("d1"), With::Nothing).await.unwrap(), Accepted::New);
    assert_eq!(store.link(&person("U1"), &zoom_user("Z1"), None).await.unwrap(), None);
    assert_eq!(store.link(&person("U1"), &zoom_user("Z2"), None).await.unwrap().unwrap().left, 0);
    append(&store, &entry("R1", Clock::default().now())).await;
    assert_eq!(store.audit(&AuditQuery::default()).await.unwrap().len(), 1);
}

#[tokio::test]
async fn what_is_no_redis_url_is_refused_without_being_shown() {
    for text in ["http://hunter2.example", "hunter2", "redis://"] {
        let keys = Keyring::parse(&Keyring::generate_one()).unwrap();
        let options = Options { place: place_on_redis(Secret::new(text)), keys, deadline: SECOND };
        assert!(!format!("{options:?}").contains("hunter2"));
        let error = Store::open(options, Clock::default()).err().unwrap();
        assert!(matches!(error, Error::Address), "{text}");
        assert!(!format!("{error} {error:?}").contains("hunter2"));
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_record_is_given_its_life() {
    const MINUTE: i64 = 60_000;
    const DAY: i64 = 24 * 60 * MINUTE;
    let world = World::redis();
    let (store, now) = (&world.store, world.clock.now());
    let number = meeting("68423085");
    let record = StreamRecord {
        meeting: number,
        action: Action::Start,
        by: Some(person("U1").user),
        at: now,
        fate: onair::reply::Fate::Taken,
    };
    store.offer(&StateToken::generate(), &pending("U1", now)).await.unwrap();
    store.accept(&DeliveryId::new("d1"), With::Entry(&entry("R1", now))).await.unwrap();
    store.journal(&id("j1"), &job(&world, Stage::Accepted), "a", SECOND).await.unwrap();
    assert!(store.postpone(&id("j1"), "a", &job(&world, Stage::Accepted), SECOND).await.unwrap());
    store.record_stream(&person("U1"), &record).await.unwrap();
    store.remember_webinar(number).await.unwrap();
    store.link(&person("U1"), &zoom_user("Z1"), None).await.unwrap();
    store.save_grant(&grant("Z1")).await.unwrap();
    super::presets::save(store, &person("U1"), "keynote").await;

    let Place::Redis { url, namespace } = &world.options.place else { panic!("this world is on Redis") };
    let mut raw = redis::Client::open(url.expose()).unwrap().get_connection().unwrap();
    for (pattern, keys, life) in [
        ("state:*", 1, 10 * MINUTE),
        ("{journal}:delivery:d1", 1, 15 * MINUTE),
        ("{journal}:audit", 1, -1),
        ("{journal}:audit:head", 1, -1),
        ("{journal}:job:j1", 1, -1),
        ("{journal}:due", 1, -1),
        ("streams:{E1/T1}:*", 2, DAY),
        ("webinar:68423085", 1, 30 * DAY),
        ("{link}:*", 2, -1),
        ("grant:Z1", 1, -1),
        ("presets:E1/T1/U1", 1, -1),
    ] {
        let found: Vec<String> = redis::cmd("KEYS").arg(format!("{namespace}:{pattern}")).query(&mut raw).unwrap();
        assert_eq!(found.len(), keys, "{pattern}");
        for key in found {
            let left: i64 = redis::cmd("PTTL").arg(&key).query(&mut raw).unwrap();
            let is_right = if life < 0 { left == life } else { (life - MINUTE..=life).contains(&left) };
            assert!(is_right, "{key} lives for {left} ms");
        }
    }
}
