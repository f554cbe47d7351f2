//! The service as a process of its own: started, killed, told to stop, and started again where it was.

use std::collections::HashMap;
use std::net::{Ipv4Addr, SocketAddr};
use std::path::PathBuf;
use std::process::Stdio;
use std::time::Duration;

use anyhow::{Context as _, bail};
use rustix::process::{Pid, Signal, kill_process};
use tokio::net::TcpListener;
use tokio::process::{Child, ChildStdin, Command};
use tokio::sync::{Mutex, mpsc, watch};

use super::Options;
use crate::id::fill_random;
use crate::sandbox::lock;
use crate::sandbox::wire::Tasks;

/// How long it may take to be ready.
const PATIENCE: Duration = Duration::from_secs(20);

/// How long between two looks whether it is.
const BETWEEN_LOOKS: Duration = Duration::from_millis(20);

/// What it does at the moment.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Now {
    pub(super) pid: Option<u32>,
    pub(super) is_ready: bool,
}

/// The service, running or not.
pub(super) struct Service {
    program: PathBuf,
    verb: &'static str,
    vars: HashMap<String, String>,
    address: SocketAddr,
    http: reqwest::Client,
    now: watch::Sender<Now>,
    signals: std::sync::Mutex<Option<mpsc::Sender<Signal>>>,
    starting: Mutex<()>,
    tasks: Tasks,
}

/// An address that is free on this machine, below those that the system gives to connections and to whoever asks for any: it
/// is to be free as well when the service is started again.
pub(super) async fn free_address() -> anyhow::Result<SocketAddr> {
    const LOWEST: u16 = 16_384;
    const TRIES: u32 = 100;
    for _ in 0..TRIES {
        let mut bytes = [0; 2];
        fill_random(&mut bytes);
        let port = LOWEST + u16::from_le_bytes(bytes) % LOWEST;
        if let Ok(listener) = TcpListener::bind((Ipv4Addr::LOCALHOST, port)).await {
            return Ok(listener.local_addr()?);
        }
    }
    bail!("there is no free port from {LOWEST} to {} for the service", 2 * LOWEST - 1)
}

impl Service {
    pub(super) fn new(
        options: &Options,
        address: SocketAddr,
        vars: &HashMap<&'static str, String>,
        tasks: &Tasks,
    ) -> anyhow::Result<Self> {
        let mut vars: HashMap<String, String> =
            vars.iter().map(|(name, value)| ((*name).to_owned(), value.clone())).collect();
        for (name, value) in [
            ("ONAIR_LISTEN", address.to_string()),
            ("ONAIR_METRICS_LISTEN", String::new()),
            ("ONAIR_LOG", "text".to_owned()),
            ("RUST_LOG", "error".to_owned()),
        ] {
            vars.insert(name.to_owned(), value);
        }
        Ok(Self {
            program: options.program.clone(),
            verb: options.verb,
            vars,
            address,
            http: reqwest::Client::builder().timeout(Duration::from_secs(1)).no_proxy().build()?,
            now: watch::Sender::default(),
            signals: std::sync::Mutex::default(),
            starting: Mutex::default(),
            tasks: tasks.clone(),
        })
    }

    pub(super) fn now(&self) -> Now {
        *self.now.borrow()
    }

    pub(super) fn changes(&self) -> watch::Receiver<Now> {
        self.now.subscribe()
    }

    /// Starts it, and ends when it is ready. Where it runs already, nothing is done.
    pub(super) async fn start(&self) -> anyhow::Result<()> {
        let _one_at_a_time = self.starting.lock().await;
        if self.now().pid.is_some() {
            return Ok(());
        }
        let mut command = Command::new(&self.program);
        // Its input ends when this process does, by whatever; then it ends, too.
        command.arg(self.verb).env_clear().envs(&self.vars).stdin(Stdio::piped()).stdout(Stdio::null());
        let mut child = command.kill_on_drop(true).spawn().context("cannot start the service")?;
        let input = child.stdin.take();
        let pid = child.id();
        let (send, receive) = mpsc::channel(8);
        *lock(&self.signals) = Some(send);
        self.now.send_replace(Now { pid, is_ready: false });
        self.tasks.spawn(mind(child, input, receive, self.now.clone()));
        let ready = tokio::time::timeout(PATIENCE, self.is_ready(pid)).await;
        if !ready.context("the service is not ready in time")? {
            bail!("the service ended before it was ready; where nobody ended it, what it said is in the terminal");
        }
        self.now.send_if_modified(|now| {
            let is_same = now.pid == pid;
            now.is_ready |= is_same;
            is_same
        });
        Ok(())
    }

    /// Ends when this process of it is ready, or is no more.
    async fn is_ready(&self, pid: Option<u32>) -> bool {
        let url = format!("http://{}/readyz", self.address);
        while self.now().pid == pid {
            if self.http.get(&url).send().await.is_ok_and(|answer| answer.status().is_success()) {
                return self.now().pid == pid;
            }
            tokio::time::sleep(BETWEEN_LOOKS).await;
        }
        false
    }

    /// Kills it as `kill -9` does; it is gone when this ends.
    pub(super) async fn kill(&self) {
        self.signal(Signal::KILL).await;
        // The sender is there as long as this is.
        let _ = self.now.subscribe().wait_for(|now| now.pid.is_none()).await;
    }

    /// Tells it to stop, which it does once what it works on is done.
    pub(super) async fn stop(&self) {
        self.now.send_if_modified(|now| std::mem::take(&mut now.is_ready));
        self.signal(Signal::TERM).await;
    }

    async fn signal(&self, signal: Signal) {
        let signals = lock(&self.signals).clone();
        if let Some(signals) = signals {
            // Whatever is over needs no signal.
            let _ = signals.send(signal).await;
        }
    }
}

/// Hands signals on until the process is over. Its number is its own as long as nobody has waited for its end.
async fn mind(
    mut child: Child,
    input: Option<ChildStdin>,
    mut signals: mpsc::Receiver<Signal>,
    now: watch::Sender<Now>,
) {
    let pid = child.id().and_then(|pid| Pid::from_raw(i32::try_from(pid).ok()?));
    loop {
        tokio::select! {
            _ = child.wait() => break,
            Some(signal) = signals.recv() => {
                // It may have ended in this moment.
                let _ = pid.map(|pid| kill_process(pid, signal));
            }
        }
    }
    drop(input);
    now.send_replace(Now::default());
}
