//! The processes that are measured: the built `onair serve` on either store, the bare handlers, the same written with Bolt
//! for JavaScript, and a Redis for those that have a store.

use std::io::{BufRead as _, BufReader};
use std::net::{TcpListener, TcpStream};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use jiff::SignedDuration;
use onair::clock::Clock;
use onair::grant::{Grant, Tokens, ZoomUser};
use onair::id::{Person, TeamId, UserId, ZoomUserId};
use onair::secret::Secret;
use onair::store::{Keyring, Options, Place, Store};
use tempfile::TempDir;

use crate::bare;
use crate::drive::{SIGNING_SECRET, USER};
use crate::vendors::Vendors;

pub(crate) const BINARY: &str = env!("CARGO_BIN_EXE_onair");

/// Where `npm ci` has put Bolt for JavaScript, if it has.
const BOLT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/benches/bolt");

/// A process of which time and memory are read; dropped, it is killed.
pub(crate) struct Service {
    child: Child,
    /// Its socket.
    pub(crate) address: String,
    /// Its metrics, if it has any.
    pub(crate) metrics: Option<String>,
    /// From its start until `/readyz` said yes.
    pub(crate) ready_after: Duration,
}

/// Where OnAir keeps what it remembers.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Engine<'a> {
    Redis(&'a Redis),
    Embedded(&'a TempDir),
}

impl Service {
    /// `onair serve` with one connected Zoom account, on these cores or on all.
    pub(crate) async fn onair(engine: Engine<'_>, vendors: &Vendors, cores: Option<&str>) -> Self {
        let place = match engine {
            Engine::Redis(redis) => {
                Place::Redis { url: Secret::new(redis.url()), namespace: Place::NAMESPACE.to_owned() }
            }
            Engine::Embedded(folder) => Place::Embedded { folder: folder.path().to_owned() },
        };
        connect(place).await;
        let mut command = match cores {
            Some(cores) => {
                let mut command = Command::new("taskset");
                command.args(["--cpu-list", cores, BINARY]);
                command
            }
            None => Command::new(BINARY),
        };
        command.arg("serve").env_clear();
        for (name, value) in [
            ("ONAIR_BASE_URL", "https://onair.example.com".to_owned()),
            ("ONAIR_LISTEN", "127.0.0.1:0".to_owned()),
            ("ONAIR_METRICS_LISTEN", "127.0.0.1:0".to_owned()),
            ("ONAIR_ENCRYPTION_KEYS", keys()),
            ("ONAIR_LOG", "json".to_owned()),
            ("SLACK_SIGNING_SECRET", SIGNING_SECRET.to_owned()),
            ("SLACK_HOOKS_URL", vendors.hooks()),
            ("ZOOM_CLIENT_ID", "client".to_owned()),
            ("ZOOM_CLIENT_SECRET", "secret".to_owned()),
            ("ZOOM_API_URL", vendors.zoom_api()),
        ] {
            command.env(name, value);
        }
        match engine {
            Engine::Redis(redis) => command.env("REDIS_URL", redis.url()),
            Engine::Embedded(folder) => command.env("ONAIR_DATA", folder.path()),
        };
        let begun = Instant::now();
        let mut child = command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::piped()).spawn().unwrap();
        let mut lines = BufReader::new(child.stderr.take().unwrap());
        let (mut metrics, mut line) = (None, String::new());
        let address = loop {
            line.clear();
            assert!(lines.read_line(&mut line).unwrap() > 0, "onair did not start");
            let event: serde_json::Value = serde_json::from_str(&line).unwrap();
            let told = || event["address"].as_str().unwrap().to_owned();
            match event["message"].as_str() {
                Some("metrics listening") => metrics = Some(told()),
                Some("listening") => break told(),
                _ => {}
            }
        };
        // Somebody has to read what it logs.
        std::thread::spawn(move || std::io::copy(&mut lines, &mut std::io::sink()));
        while !reqwest::get(format!("http://{address}/readyz")).await.unwrap().status().is_success() {
            assert!(begun.elapsed() < Duration::from_secs(10), "onair is not ready");
        }
        Self { child, address, metrics, ready_after: begun.elapsed() }
    }

    /// A bare handler.
    pub(crate) fn bare(arguments: &[&str]) -> Self {
        let mut command = Command::new(std::env::current_exe().unwrap());
        command.arg(bare::WORD).args(arguments).stdin(Stdio::null());
        Self::telling(command)
    }

    /// What a bare handler does, in Bolt for JavaScript.
    pub(crate) fn bolt(arguments: &[&str]) -> Self {
        let mut command = Command::new("node");
        command.arg(Path::new(BOLT).join("app.mjs")).args(arguments);
        command.env("SLACK_SIGNING_SECRET", SIGNING_SECRET).env("NODE_ENV", "production");
        // It ends when its input does, hence also with a bench that is cut off.
        command.stdin(Stdio::piped());
        Self::telling(command)
    }

    /// Whether the packages that it takes are there.
    pub(crate) fn has_bolt() -> bool {
        let has_node = || Command::new("node").arg("--version").output().is_ok_and(|told| told.status.success());
        Path::new(BOLT).join("node_modules/@slack/bolt").exists() && has_node()
    }

    /// A process whose first line is its address.
    fn telling(mut command: Command) -> Self {
        let begun = Instant::now();
        let mut child = command.stdout(Stdio::piped()).spawn().unwrap_or_else(|error| panic!("{command:?}: {error}"));
        let mut address = String::new();
        BufReader::new(child.stdout.take().unwrap()).read_line(&mut address).unwrap();
        let address = address.trim().to_owned();
        assert!(!address.is_empty(), "{command:?} did not start");
        Self { child, address, metrics: None, ready_after: begun.elapsed() }
    }

    /// How much CPU it has used.
    pub(crate) fn cpu(&self) -> Duration {
        cpu_of(self.child.id())
    }

    /// A line of `/proc/<pid>/status` such as `VmRSS`, in KiB.
    pub(crate) fn memory(&self, what: &str) -> u64 {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.child.id())).unwrap();
        let line = status.lines().find_map(|line| line.strip_prefix(what)?.strip_prefix(':')).unwrap();
        line.trim().split(' ').next().unwrap().parse().unwrap()
    }

    /// The value of one metric now, if it is told.
    pub(crate) async fn metric(&self, name: &str) -> Option<f64> {
        let text = reqwest::get(format!("http://{}/metrics", self.metrics.as_ref()?)).await.ok()?.text().await.ok()?;
        text.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(' ')?.parse().ok())
    }
}

impl Drop for Service {
    fn drop(&mut self) {
        // It may have ended already; then there is nothing to kill.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// A Redis that keeps nothing on a disk; dropped, it is killed.
#[derive(Debug)]
pub(crate) struct Redis {
    child: Child,
    port: u16,
}

impl Redis {
    pub(crate) fn start() -> Self {
        let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        let child = Command::new("redis-server")
            .args(["--bind", "127.0.0.1", "--port", &port.to_string(), "--save", "", "--appendonly", "no"])
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .spawn()
            .expect("redis-server is needed: apt-get install redis-server");
        let begun = Instant::now();
        while TcpStream::connect(("127.0.0.1", port)).is_err() {
            assert!(begun.elapsed() < Duration::from_secs(10), "redis-server did not start");
            std::thread::sleep(Duration::from_millis(10));
        }
        Self { child, port }
    }

    pub(crate) fn url(&self) -> String {
        format!("redis://127.0.0.1:{}/", self.port)
    }

    /// How much CPU it has used.
    pub(crate) fn cpu(&self) -> Duration {
        cpu_of(self.child.id())
    }
}

impl Drop for Redis {
    fn drop(&mut self) {
        // It may have ended already; then there is nothing to kill.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// The time that the threads of a process have run, which Linux counts in nanoseconds for each. One that has ended does not
/// count; those that are measured keep theirs.
fn cpu_of(id: u32) -> Duration {
    let threads = std::fs::read_dir(format!("/proc/{id}/task")).unwrap();
    let ran = threads.filter_map(|thread| {
        let told = std::fs::read_to_string(thread.unwrap().path().join("schedstat")).ok()?;
        told.split(' ').next()?.parse::<u64>().ok()
    });
    Duration::from_nanos(ran.sum())
}

fn keys() -> String {
    format!("k1:{}", STANDARD.encode([7; 32]))
}

/// Connects the person who types to a Zoom account.
async fn connect(place: Place) {
    let clock = Clock::default();
    let keys = Keyring::parse(&Secret::new(keys())).unwrap();
    let store = Store::open(Options { place, keys, deadline: Duration::from_secs(5) }, clock.clone()).unwrap();
    let person = Person { enterprise: None, team: TeamId::new("T0001"), user: UserId::new(USER) };
    let user = ZoomUser { id: ZoomUserId::new("zoom-user"), ..ZoomUser::untold() };
    store.link(&person, &user.id, None).await.unwrap();
    let expires_at = clock.now().checked_add(SignedDuration::from_hours(24)).unwrap();
    let (access, refresh) = (Secret::new("access".repeat(100)), Secret::new("refresh".repeat(100)));
    let tokens = Tokens { access, refresh, expires_at, scopes: Vec::new() };
    store.save_grant(&Grant { user, tokens, since: None, warned: Vec::new() }).await.unwrap();
}
