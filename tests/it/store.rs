//! The store, told from the outside: the same cases for both engines, and what only one of them can go through.

/// Makes two tests of each case, which takes a [`World`].
macro_rules! on_both_engines {
    ($($case:ident,)*) => {
        mod on_redis {
            $(#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn $case() {
                super::$case(crate::store::World::redis()).await;
            })*
        }
        mod on_embedded {
            $(#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn $case() {
                super::$case(crate::store::World::embedded()).await;
            })*
        }
    };
}

mod cases;
mod embedded;
mod installations;
mod journal;
mod presets;
mod redis;
mod rotation;
mod sealing;
mod together;
pub(crate) mod trail;
mod turns;

use std::fmt::Debug;
use std::future::Future;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};

use jiff::{SignedDuration, Timestamp};
use onair::audit::{AuditEntry, AuditOutcome, AuditVerb};
use onair::clock::Clock;
use onair::destination::Invitation;
use onair::grant::{Grant, Pending, Tokens, ZoomUser};
use onair::id::{ChannelId, DeliveryId, EnterpriseId, Person, Reference, TeamId, UserId, Workspace, ZoomUserId};
use onair::installation::{Bot, Installation, Site};
use onair::invocation::{CommandText, Invocation, ReplyTo};
use onair::meeting::MeetingId;
use onair::secret::Secret;
use onair::store::{Accepted, Keyring, Options, Place, Store, With};
use tempfile::TempDir;

use crate::redis_server::RedisServer;

/// Generous on purpose: most tests are not about time, and the machine may be busy.
const DEADLINE: Duration = Duration::from_secs(10);

/// One empty store, and the way behind its back.
struct World {
    store: Store,
    clock: Clock,
    options: Options,
    folder: Option<TempDir>,
}

impl World {
    fn redis() -> Self {
        Self::at(place_on_redis(RedisServer::shared().url()), None)
    }

    fn embedded() -> Self {
        let folder = tempfile::tempdir().unwrap();
        Self::at(Place::Embedded { folder: folder.path().join("data") }, Some(folder))
    }

    fn at(place: Place, folder: Option<TempDir>) -> Self {
        let keys = Keyring::parse(&Keyring::generate_one()).unwrap();
        let options = Options { place, keys, deadline: DEADLINE };
        let clock = Clock::default();
        let store = Store::open(options.clone(), clock.clone()).unwrap();
        Self { store, clock, options, folder }
    }

    /// Closes the store and opens it again, with other options.
    fn reopen(self, change: impl FnOnce(&mut Options)) -> Self {
        let Self { store, clock, mut options, folder } = self;
        drop(store);
        change(&mut options);
        let store = Store::open(options.clone(), clock.clone()).unwrap();
        Self { store, clock, options, folder }
    }

    fn data(&self) -> PathBuf {
        let Place::Embedded { folder } = &self.options.place else { panic!("this world is on Redis") };
        folder.clone()
    }
}

/// A namespace nobody else has, also when several runs share a server.
fn place_on_redis(url: Secret) -> Place {
    static NEXT: AtomicU32 = AtomicU32::new(0);
    let namespace = format!("test-{}-{}", std::process::id(), NEXT.fetch_add(1, Ordering::Relaxed));
    Place::Redis { url, namespace }
}

fn database(folder: &Path) -> rusqlite::Connection {
    let connection = rusqlite::Connection::open(folder.join("onair.db")).unwrap();
    connection.busy_timeout(DEADLINE).unwrap();
    connection
}

/// Asks again until the answer is the wanted one.
async fn eventually<T: Debug, F: Future<Output = T>>(mut ask: impl FnMut() -> F, wanted: impl Fn(&T) -> bool) -> T {
    let begun = Instant::now();
    loop {
        let answer = ask().await;
        if wanted(&answer) {
            return answer;
        }
        assert!(begun.elapsed() < DEADLINE, "still {answer:?}");
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
}

fn person(name: &str) -> Person {
    Person { enterprise: Some(EnterpriseId::new("E1")), team: TeamId::new("T1"), user: UserId::new(name) }
}

fn zoom_user(name: &str) -> ZoomUserId {
    ZoomUserId::new(name)
}

fn meeting(digits: &str) -> MeetingId {
    digits.parse().unwrap()
}

fn grant(name: &str) -> Grant {
    Grant {
        user: ZoomUser { id: zoom_user(name), account: None, name: Some("Ada".into()), email: None },
        tokens: Tokens {
            access: Secret::new(format!("canary-access-{name}")),
            refresh: Secret::new(format!("canary-refresh-{name}")),
            expires_at: "2026-11-22T10:00:00Z".parse().unwrap(),
            scopes: vec!["meeting:update:livestream_status".into()],
        },
        since: None,
        warned: Vec::new(),
    }
}

fn invocation(name: &str, now: Timestamp) -> Invocation {
    Invocation {
        reference: Reference::new("R1"),
        person: person(name),
        user_name: "ada".into(),
        team_domain: "acme".into(),
        channel: ChannelId::new("C1"),
        command: "/stream".into(),
        text: CommandText::new("start 68423085 \"canary-title\""),
        press: None,
        trigger: Some(Secret::new("canary-trigger")),
        reply_to: Some(ReplyTo::new("https://hooks.slack.com/commands/canary-reply")),
        received_at: now,
        waited: SignedDuration::ZERO,
    }
}

fn pending(name: &str, now: Timestamp) -> Pending {
    Pending {
        person: person(name),
        user_name: "ada".into(),
        team_domain: "acme".into(),
        channel: ChannelId::new("C1"),
        verifier: Secret::new("canary-verifier"),
        invocation: invocation(name, now),
        offered_at: now,
        proven_in: None,
    }
}

fn installation(team: &str, now: Timestamp) -> Installation {
    let workspace = Workspace { enterprise: None, team: TeamId::new(team) };
    let scopes = vec!["commands".to_owned(), "chat:write".to_owned()];
    Installation {
        site: Site::Workspace(workspace),
        name: "acme".to_owned(),
        bot: Some(Bot { user: UserId::new("UBOT"), token: Secret::new("canary-bot"), scopes }),
        app: "A1".to_owned(),
        installed_by: UserId::new("U1"),
        at: now,
    }
}

/// Appends an entry that comes with nothing else.
async fn append(store: &Store, entry: &AuditEntry) {
    let once = DeliveryId::new(Reference::random().as_str());
    assert_eq!(store.accept(&once, With::Entry(entry)).await.unwrap(), Accepted::New);
}

async fn install(store: &Store, installation: &Installation) {
    let former = store.installed_in(&installation.site).await.unwrap();
    assert!(store.install(&former, installation, &entry("R1", installation.at)).await.unwrap());
}

fn invitation(name: &str, now: Timestamp) -> Invitation {
    Invitation { meeting: meeting("68423085"), invocation: invocation(name, now), offered_at: now, browser: None }
}

fn entry(reference: &str, at: Timestamp) -> AuditEntry {
    AuditEntry {
        at,
        reference: Reference::new(reference),
        person: Some(person("U1")),
        asked_by: None,
        on_behalf_of: None,
        lent_to: None,
        channel: Some(ChannelId::new("C1")),
        verb: AuditVerb::Start,
        meeting: Some(meeting("68423085")),
        asked: None,
        zoom_user: Some(zoom_user("Z1")),
        zoom: None,
        outcome: AuditOutcome::Accepted,
        duration_ms: 12,
    }
}

fn ago(now: Timestamp, by: SignedDuration) -> Timestamp {
    now.checked_sub(by).unwrap()
}
