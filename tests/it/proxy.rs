//! A wire that can be made bad: a loopback TCP proxy whose mode is set while it runs.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Duration;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::tcp::{ReadHalf, WriteHalf};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio::task::JoinSet;

/// What becomes of bytes. "Near" is who connects to the proxy, "far" who is behind it and answers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Mode {
    /// They pass.
    Pass,
    /// Every connection is closed, the new ones as well.
    Cut,
    /// Answers come this much later.
    Delay(Duration),
    /// So many bytes of answers pass over each connection; then it is closed.
    Truncate(usize),
    /// The next answer is lost together with its connection; after that, bytes pass.
    LoseOne,
    /// They are swallowed and nothing is closed. A connection on which that happened stays silent for ever.
    Silence,
}

/// The proxy. It stops, connections included, when dropped.
pub(crate) struct Proxy {
    port: u16,
    wire: Arc<Wire>,
    _listening: JoinSet<()>,
}

struct Wire {
    mode: watch::Sender<Mode>,
    /// How many connections are open.
    open: watch::Sender<usize>,
    /// How many there have been.
    connections: AtomicUsize,
}

impl Proxy {
    /// Listens before this port.
    pub(crate) async fn start(far: u16) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let (mode, open) = (watch::Sender::new(Mode::Pass), watch::Sender::new(0));
        let wire = Arc::new(Wire { mode, open, connections: AtomicUsize::new(0) });
        let mut listening = JoinSet::new();
        listening.spawn(listen(listener, far, Arc::clone(&wire)));
        Self { port, wire, _listening: listening }
    }

    /// Listens before the server of this address.
    pub(crate) async fn before(address: &str) -> Self {
        Self::start(url::Url::parse(address).unwrap().port().unwrap()).await
    }

    pub(crate) fn port(&self) -> u16 {
        self.port
    }

    /// The same address by way of the proxy.
    pub(crate) fn instead_of(&self, address: &str) -> String {
        let mut address = url::Url::parse(address).unwrap();
        address.set_port(Some(self.port)).unwrap();
        address.as_str().trim_end_matches('/').to_owned()
    }

    pub(crate) fn set(&self, mode: Mode) {
        self.wire.mode.send_replace(mode);
    }

    pub(crate) fn mode(&self) -> Mode {
        *self.wire.mode.borrow()
    }

    /// How many connections there have been.
    pub(crate) fn connections(&self) -> usize {
        self.wire.connections.load(Ordering::SeqCst)
    }

    /// Waits until no connection is open: then the far side has everything that was sent over any of them.
    pub(crate) async fn drained(&self) {
        // Connections are taken in their order: when this one is over, those before it are counted.
        let mut last = TcpStream::connect(("127.0.0.1", self.port)).await.unwrap();
        last.shutdown().await.unwrap();
        last.read_to_end(&mut Vec::new()).await.unwrap();
        self.wire.open.subscribe().wait_for(|open| *open == 0).await.unwrap();
    }
}

async fn listen(listener: TcpListener, far: u16, wire: Arc<Wire>) {
    let mut connections = JoinSet::new();
    loop {
        let (near, _) = listener.accept().await.unwrap();
        // Those that have ended are forgotten.
        while connections.try_join_next().is_some() {}
        wire.connections.fetch_add(1, Ordering::SeqCst);
        wire.open.send_modify(|open| *open += 1);
        let wire = Arc::clone(&wire);
        connections.spawn(async move {
            connect(near, far, &wire).await;
            wire.open.send_modify(|open| *open -= 1);
        });
    }
}

async fn connect(mut near: TcpStream, far: u16, wire: &Wire) {
    // Both sides close when their streams are dropped; without a far side there is nothing else to do.
    let Ok(mut far) = TcpStream::connect(("127.0.0.1", far)).await else { return };
    near.set_nodelay(true).unwrap();
    far.set_nodelay(true).unwrap();
    let ((from_near, to_near), (from_far, to_far)) = (near.split(), far.split());
    let is_silent = AtomicBool::new(false);
    let mut mode = wire.mode.subscribe();
    tokio::select! {
        () = pass_requests(from_near, to_far, wire, &is_silent) => {}
        () = pass_answers(from_far, to_near, wire, &is_silent) => {}
        _ = mode.wait_for(|mode| *mode == Mode::Cut) => {}
    }
}

/// Ends when the far side cannot be written to. A near side that has ended leaves it to the far side to end as well.
async fn pass_requests(mut from: ReadHalf<'_>, mut to: WriteHalf<'_>, wire: &Wire, is_silent: &AtomicBool) {
    let mut bytes = vec![0; 16 * 1024];
    while let Ok(count @ 1..) = from.read(&mut bytes).await {
        if hushes(*wire.mode.borrow(), is_silent) {
            continue;
        }
        if to.write_all(&bytes[..count]).await.is_err() {
            return;
        }
    }
    if to.shutdown().await.is_ok() {
        std::future::pending().await
    }
}

/// Ends when either side has ended, or the mode ends the connection.
async fn pass_answers(mut from: ReadHalf<'_>, mut to: WriteHalf<'_>, wire: &Wire, is_silent: &AtomicBool) {
    let (mut bytes, mut passed) = (vec![0; 16 * 1024], 0);
    while let Ok(count @ 1..) = from.read(&mut bytes).await {
        let mode = *wire.mode.borrow();
        if hushes(mode, is_silent) {
            continue;
        }
        let mut pass = count;
        match mode {
            Mode::Pass | Mode::Cut | Mode::Silence => passed = 0,
            Mode::Delay(by) => tokio::time::sleep(by).await,
            Mode::Truncate(most) => {
                pass = count.min(most.saturating_sub(passed));
                passed += pass;
            }
            // Of two connections, one has it.
            Mode::LoseOne => pass = if wire.mode.send_if_modified(lose) { 0 } else { count },
        }
        if to.write_all(&bytes[..pass]).await.is_err() || pass < count {
            return;
        }
    }
}

fn hushes(mode: Mode, is_silent: &AtomicBool) -> bool {
    if mode == Mode::Silence {
        is_silent.store(true, Ordering::Relaxed);
    }
    is_silent.load(Ordering::Relaxed)
}

fn lose(mode: &mut Mode) -> bool {
    let is_due = *mode == Mode::LoseOne;
    if is_due {
        *mode = Mode::Pass;
    }
    is_due
}
