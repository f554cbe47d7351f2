//! What a command costs: how often it asks the store, and how many connections it opens. Each request to the store is
//! time that somebody waits, and a share of the one Redis of all instances.

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::tcp::{OwnedReadHalf, OwnedWriteHalf};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio::task::JoinSet;

use crate::bot::{Bot, Engine, PATIENCE, is_public};
use crate::load::Line;
use crate::proxy::Proxy;

/// How often each is done. What OnAir asks of the store by the clock comes to some of them.
const TIMES: usize = 20;

/// In what each request is that remembers a delivery, and in no other.
const DELIVERY: &[u8] = b"{journal}:delivery:";

/// A wire to Redis on which requests are told apart, counted, and held up. It ends when dropped.
struct Meter {
    port: u16,
    wire: watch::Sender<Wire>,
    _listening: JoinSet<()>,
}

#[derive(Clone, Copy)]
struct Wire {
    /// How many requests have passed.
    passed: usize,
    gate: Gate,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Gate {
    /// Every request passes.
    Open,
    /// The same until one has passed that remembers a delivery. That one closes it.
    ClosesAfterDelivery,
    /// They wait.
    Closed,
}

impl Meter {
    async fn start(redis: u16) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let wire = watch::Sender::new(Wire { passed: 0, gate: Gate::Open });
        let mut listening = JoinSet::new();
        listening.spawn(listen(listener, redis, wire.clone()));
        Self { port, wire, _listening: listening }
    }

    /// A service on Redis by way of this.
    async fn before_redis() -> (Self, Bot) {
        let mut bot = Bot::start(Engine::Redis).await;
        let meter = Self::start(bot.redis.as_ref().unwrap().port()).await;
        bot.restart_with("REDIS_URL", &format!("redis://127.0.0.1:{}/", meter.port));
        (meter, bot)
    }

    fn passed(&self) -> usize {
        self.wire.borrow().passed
    }

    fn set(&self, gate: Gate) {
        self.wire.send_modify(|wire| wire.gate = gate);
    }
}

async fn listen(listener: TcpListener, redis: u16, wire: watch::Sender<Wire>) {
    let mut connections = JoinSet::new();
    loop {
        let (near, _) = listener.accept().await.unwrap();
        let far = TcpStream::connect(("127.0.0.1", redis)).await.unwrap();
        near.set_nodelay(true).unwrap();
        far.set_nodelay(true).unwrap();
        let ((requests, mut to_near), (mut answers, to_far)) = (near.into_split(), far.into_split());
        let wire = wire.clone();
        connections.spawn(async move {
            tokio::select! {
                () = pass(requests, to_far, &wire) => {}
                // A side that went away ends both.
                _ = tokio::io::copy(&mut answers, &mut to_near) => {}
            }
        });
    }
}

/// Passes requests one by one.
async fn pass(mut from: OwnedReadHalf, mut to: OwnedWriteHalf, wire: &watch::Sender<Wire>) {
    let (mut bytes, mut gate) = (Vec::new(), wire.subscribe());
    while let Ok(1..) = from.read_buf(&mut bytes).await {
        while let Some(length) = whole(&bytes) {
            let request: Vec<u8> = bytes.drain(..length).collect();
            gate.wait_for(|wire| wire.gate != Gate::Closed).await.unwrap();
            let is_delivery = request.windows(DELIVERY.len()).any(|part| part == DELIVERY);
            wire.send_modify(|wire| {
                wire.passed += 1;
                if is_delivery && wire.gate == Gate::ClosesAfterDelivery {
                    wire.gate = Gate::Closed;
                }
            });
            if to.write_all(&request).await.is_err() {
                return;
            }
        }
    }
}

/// How long the first request is, once it is there as a whole: `*2\r\n$3\r\nGET\r\n$1\r\nk\r\n`.
fn whole(bytes: &[u8]) -> Option<usize> {
    let mut at = 0;
    for _ in 0..number(bytes, b'*', &mut at)? {
        at += number(bytes, b'$', &mut at)? + 2;
    }
    (at <= bytes.len()).then_some(at)
}

/// The number in the line there, which is passed.
fn number(bytes: &[u8], mark: u8, at: &mut usize) -> Option<usize> {
    let line = bytes.get(*at..)?;
    let end = line.windows(2).position(|two| two == b"\r\n")?;
    assert_eq!(line[0], mark, "a request is a list of texts");
    *at += end + 2;
    Some(std::str::from_utf8(&line[1..end]).unwrap().parse().unwrap())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_answered_at_once_asks_the_store_once() {
    let (meter, mut bot) = Meter::before_redis().await;
    let (ada, events) = (bot.slack.user("ada"), bot.slack.channel("events"));
    bot.types(&ada, &events, "/stream help").await;
    let mut asked = Vec::new();
    for _ in 0..TIMES {
        let before = meter.passed();
        bot.types(&ada, &events, "/stream help").await;
        asked.push(meter.passed() - before);
    }
    assert_eq!(asked.iter().min(), Some(&1), "{asked:?}");
    bot.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_command_is_acknowledged_once_the_store_was_asked_once() {
    let (meter, mut bot) = Meter::before_redis().await;
    let (ada, events) = (bot.slack.user("ada"), bot.slack.channel("events"));
    bot.types(&ada, &events, "/stream whoami").await;
    let mut asked = Vec::new();
    for _ in 0..TIMES {
        bot.owes_nothing_within(PATIENCE).await;
        let before = meter.passed();
        meter.set(Gate::ClosesAfterDelivery);
        let delivery = bot.slack.types(&ada, &events, "/stream whoami").await;
        assert!(delivery.answer.as_ref().is_some_and(|answer| answer.body.is_empty()), "{delivery:?}");
        asked.push(meter.passed() - before);
        meter.set(Gate::Open);
        bot.answer().await;
    }
    assert_eq!(asked.iter().min(), Some(&1), "{asked:?}");
    bot.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_start_asks_the_store_no_more_than_thirteen_times() {
    let (meter, mut bot) = Meter::before_redis().await;
    let (ada, events, host) = bot.connected("ada").await;
    bot.types(&ada, &events, &Line::start(&bot.zoom, &host).text).await;
    bot.owes_nothing_within(PATIENCE).await;
    let mut asked = Vec::new();
    for _ in 0..TIMES {
        let before = meter.passed();
        bot.types(&ada, &events, &Line::start(&bot.zoom, &host).text).await;
        bot.owes_nothing_within(PATIENCE).await;
        asked.push(meter.passed() - before);
    }
    let (fewest, all) = (asked.iter().min(), asked.iter().sum::<usize>());
    assert!(fewest <= Some(&13) && all <= TIMES * 15, "{asked:?}");
    bot.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn starts_one_after_the_other_share_a_connection_to_zoom_and_one_to_slack() {
    let mut bot = Bot::start(Engine::Embedded).await;
    let zoom = Proxy::before(&bot.zoom.api_url()).await;
    bot.vars.insert("ZOOM_API_URL".to_owned(), zoom.instead_of(&bot.vars["ZOOM_API_URL"]));
    let hooks = bot.proxy_before_hooks().await;
    let (ada, events, host) = bot.connected("ada").await;
    for _ in 0..TIMES {
        let answer = bot.types(&ada, &events, &Line::start(&bot.zoom, &host).text).await;
        assert!(is_public(&answer), "{}", answer.shown);
    }
    bot.owes_nothing_within(PATIENCE).await;
    // An idle one is given up in the end, and this machine may be that busy.
    let connections = [zoom.connections(), hooks.connections()];
    assert!(connections.iter().all(|count| (1..=2).contains(count)), "{connections:?}");
    bot.finish().await;
}
