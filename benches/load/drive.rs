//! Sends signed commands over connections that stay open, as many as it gets answered or as many a second as it is told.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use onair::clock::Clock;
use onair::sandbox::slack::signature;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::task::JoinSet;

pub(crate) const SIGNING_SECRET: &str = "bench-signing-secret";

/// Who types.
pub(crate) const USER: &str = "U2147483697";

/// What is typed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Line {
    /// Answered in the 200, in few words, which it repeats.
    Help,
    /// Accepted, and answered with what the store knows.
    Whoami,
    /// Accepted, sent to Zoom and answered; each about a meeting of its own.
    Start,
}

/// Makes requests, no two of which are the same, from all connections.
#[derive(Clone)]
pub(crate) struct Typist {
    hooks: String,
    next: Arc<AtomicU64>,
    clock: Clock,
}

impl Typist {
    pub(crate) fn new(hooks: String) -> Self {
        Self { hooks, next: Arc::default(), clock: Clock::default() }
    }

    fn request(&self, line: Line) -> (u64, Vec<u8>) {
        let number = self.next.fetch_add(1, Ordering::Relaxed);
        let text = match line {
            Line::Help => "help+whoami".to_owned(),
            Line::Whoami => "whoami".to_owned(),
            Line::Start => format!("start+{}+%22Keynote%22", 60_000_000_000 + number),
        };
        let hooks = self.hooks.replace(':', "%3A").replace('/', "%2F");
        let body = format!(
            "token=gIkuvaNzQIHg97ATvDxqgjtO&team_id=T0001&team_domain=example&channel_id=C2147483705&channel_name=test\
             &user_id={USER}&user_name=Steve&command=%2Fstream&text={text}&api_app_id=A123456\
             &is_enterprise_install=false&response_url={hooks}%2F{number}\
             &trigger_id=13345224609.738474920.8088930838d88f008e0.{number}"
        );
        let stamp = self.clock.now().as_second().to_string();
        let signature = signature(SIGNING_SECRET, &stamp, body.as_bytes());
        let head = format!(
            "POST /slack/commands HTTP/1.1\r\nHost: onair.example.com\r\nUser-Agent: Slackbot 1.0\r\n\
             Accept-Encoding: gzip,deflate\r\nAccept: application/json,*/*\r\n\
             Content-Type: application/x-www-form-urlencoded\r\nX-Slack-Signature: {signature}\r\n\
             X-Slack-Request-Timestamp: {stamp}\r\nContent-Length: {}\r\n\r\n",
            body.len()
        );
        (number, [head.into_bytes(), body.into_bytes()].concat())
    }
}

/// What became of some commands.
#[derive(Debug, Default)]
pub(crate) struct Driven {
    /// From sending each to its 200, sorted.
    pub(crate) took: Vec<Duration>,
    /// Empty 200s: the answer is owed. By number.
    pub(crate) accepted: Vec<u64>,
    /// 200s with the answer in them.
    pub(crate) answered: u64,
    /// 200s that said that there was no room.
    pub(crate) busy: u64,
    /// Anything else, a 200 that says that nothing was done included.
    pub(crate) failed: u64,
    /// From the first to the last.
    pub(crate) lasted: Duration,
}

impl Driven {
    pub(crate) fn count(&self) -> u64 {
        u64::try_from(self.took.len()).unwrap()
    }

    pub(crate) fn rate(&self) -> f64 {
        #[expect(clippy::cast_precision_loss, reason = "a count of commands")]
        let count = self.took.len() as f64;
        count / self.lasted.as_secs_f64()
    }

    /// The time that so many in a thousand did not exceed.
    pub(crate) fn permille(&self, share: usize) -> Duration {
        let last = self.took.len().saturating_sub(1);
        self.took.get((self.took.len() * share / 1000).min(last)).copied().unwrap_or_default()
    }

    fn join(mut self, other: Self) -> Self {
        self.took.extend(other.took);
        self.accepted.extend(other.accepted);
        self.answered += other.answered;
        self.busy += other.busy;
        self.failed += other.failed;
        self
    }
}

/// When to stop, or when to send.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Pace {
    /// As fast as they are answered, so many in all.
    Count(u64),
    /// As fast as they are answered, for so long.
    For(Duration),
    /// So many a second for so long, whatever becomes of those before.
    Rate(f64, Duration),
}

/// Drives one service.
pub(crate) async fn drive(address: &str, typist: &Typist, line: Line, connections: u64, pace: Pace) -> Driven {
    let begun = Instant::now();
    let left = Arc::new(AtomicU64::new(if let Pace::Count(count) = pace { count } else { u64::MAX }));
    let mut all = JoinSet::new();
    for index in 0..connections {
        let (address, typist, left) = (address.to_owned(), typist.clone(), Arc::clone(&left));
        all.spawn(async move {
            let mut connection = Connection::open(&address).await;
            let mut driven = Driven::default();
            for round in 0.. {
                // Whoever typed a command has waited since, also where the one before or this driver took too long.
                let mut from = Instant::now();
                match pace {
                    Pace::Count(_) => {
                        let had = left.fetch_update(Ordering::Relaxed, Ordering::Relaxed, |left| left.checked_sub(1));
                        if had.is_err() {
                            break;
                        }
                    }
                    Pace::For(time) if begun.elapsed() >= time => break,
                    Pace::For(_) => {}
                    Pace::Rate(rate, time) => {
                        #[expect(clippy::cast_precision_loss, reason = "a count of commands")]
                        let at = begun + Duration::from_secs_f64((round * connections + index) as f64 / rate);
                        if at.duration_since(begun) >= time {
                            break;
                        }
                        tokio::time::sleep_until(at.into()).await;
                        from = at;
                    }
                }
                connection.send(&typist, line, from, &mut driven).await;
            }
            driven
        });
    }
    let mut driven = all.join_all().await.into_iter().fold(Driven::default(), Driven::join);
    driven.lasted = begun.elapsed();
    driven.took.sort_unstable();
    driven
}

struct Connection {
    address: String,
    stream: TcpStream,
    buffer: Vec<u8>,
}

impl Connection {
    async fn open(address: &str) -> Self {
        let stream = TcpStream::connect(address).await.unwrap();
        stream.set_nodelay(true).unwrap();
        Self { address: address.to_owned(), stream, buffer: Vec::with_capacity(8192) }
    }

    async fn send(&mut self, typist: &Typist, line: Line, from: Instant, driven: &mut Driven) {
        let (number, request) = typist.request(line);
        let answer = self.exchange(&request).await;
        driven.took.push(from.elapsed());
        let says = |body: &[u8], words: &[u8]| body.windows(words.len()).any(|part| part == words);
        match answer {
            Some((200, body)) if body.is_empty() && line != Line::Help => driven.accepted.push(number),
            Some((200, body)) if says(&body, b"Too busy") => driven.busy += 1,
            Some((200, body)) if says(&body, b"whoami") && line == Line::Help => driven.answered += 1,
            Some(_) => driven.failed += 1,
            None => {
                driven.failed += 1;
                *self = Self::open(&self.address).await;
            }
        }
    }

    /// The status and the body, unless the connection broke.
    async fn exchange(&mut self, request: &[u8]) -> Option<(u16, Vec<u8>)> {
        self.stream.write_all(request).await.ok()?;
        self.buffer.clear();
        loop {
            if let Some(end) = self.buffer.windows(4).position(|window| window == b"\r\n\r\n") {
                let head = std::str::from_utf8(&self.buffer[..end]).ok()?.to_ascii_lowercase();
                let status = head.split(' ').nth(1)?.parse().ok()?;
                let body = end + 4;
                let body = match head.split("content-length: ").nth(1) {
                    Some(length) => self.sized(body, length.split("\r\n").next()?.parse().ok()?).await?,
                    None if head.contains("transfer-encoding: chunked") => self.chunked(body).await?,
                    None => return None,
                };
                return Some((status, body));
            }
            self.read().await?;
        }
    }

    /// A body of so many bytes, from there on in the buffer.
    async fn sized(&mut self, at: usize, length: usize) -> Option<Vec<u8>> {
        while self.buffer.len() < at + length {
            self.read().await?;
        }
        Some(self.buffer[at..].to_vec())
    }

    /// A body in chunks, the last of them empty: Node sends it so when the head has left before the body is known.
    async fn chunked(&mut self, mut at: usize) -> Option<Vec<u8>> {
        let mut body = Vec::new();
        loop {
            let Some(end) = self.buffer[at..].windows(2).position(|window| window == b"\r\n") else {
                self.read().await?;
                continue;
            };
            let size = usize::from_str_radix(std::str::from_utf8(&self.buffer[at..at + end]).ok()?, 16).ok()?;
            let chunk = at + end + 2;
            at = chunk + size + 2;
            while self.buffer.len() < at {
                self.read().await?;
            }
            if size == 0 {
                return Some(body);
            }
            body.extend_from_slice(&self.buffer[chunk..chunk + size]);
        }
    }

    async fn read(&mut self) -> Option<()> {
        let read = self.stream.read_buf(&mut self.buffer).await.ok()?;
        (read > 0).then_some(())
    }
}
