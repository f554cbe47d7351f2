//! Many connections of strangers at once, on real sockets: what they can hold of the memory and of the places that there
//! are, and that a command gets through.

use std::io::{ErrorKind, Read as _, Write as _};
use std::net::TcpStream;
use std::time::{Duration, Instant};

use onair::sandbox::SignedRequest;
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

use crate::bot::{Bot, Engine, PATIENCE, WEBHOOK_SECRET};
use crate::hostile::{JSON, Piece, bytes_of, good, play, request, signed, statuses, webhook, well_formed};

const KIB: usize = 1024;
const MIB: usize = 1024 * KIB;

/// How many connections the service takes at once, and how many of those who scrape.
const PLACES: usize = 1024;
const SCRAPERS: usize = 16;

/// A service that does not log every step of every connection.
async fn bot() -> Bot {
    Bot::start_with(Engine::Embedded, &[("RUST_LOG", "info"), ("ZOOM_WEBHOOK_SECRET_TOKEN", WEBHOOK_SECRET)]).await
}

fn public(bot: &Bot) -> String {
    bot.service.at("").replace("http://", "")
}

fn connect(address: &str) -> TcpStream {
    let stream = TcpStream::connect(address).unwrap();
    stream.set_read_timeout(Some(PATIENCE)).unwrap();
    stream
}

/// The most memory that a process ever had, in bytes.
fn most_memory(bot: &Bot) -> usize {
    let status = std::fs::read_to_string(format!("/proc/{}/status", bot.service.id())).unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).unwrap();
    line.trim().trim_end_matches(" kB").parse::<usize>().unwrap() * KIB
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_hundred_mebibytes_that_nobody_signed_cost_little_memory() {
    const AT_ONCE: usize = 100;
    const ROUNDS: usize = 32;
    const BODY: usize = 64 * KIB;
    const { assert!(AT_ONCE * ROUNDS * BODY >= 200 * MIB) };
    let bot = bot().await;
    let address = public(&bot);
    let before = most_memory(&bot);
    let bytes = request(&format!("content-length: {BODY}\r\n"), &"a".repeat(BODY)).into_bytes();
    let (last, most) = bytes.split_last().unwrap();
    for round in 0..ROUNDS {
        let mut streams: Vec<TcpStream> = (0..AT_ONCE).map(|_| connect(&address)).collect();
        // All but the last byte of each, on every connection, and then that.
        streams.iter_mut().for_each(|stream| stream.write_all(most).unwrap());
        streams.iter_mut().for_each(|stream| stream.write_all(&[*last]).unwrap());
        for mut stream in streams {
            let mut answer = Vec::new();
            stream.read_to_end(&mut answer).unwrap();
            assert_eq!(statuses(&answer), [401], "in round {round}");
        }
    }
    // Each connection may have one body and one buffer at a time, which is a twentieth of what was sent.
    let grown = most_memory(&bot) - before;
    assert!(grown < 40 * MIB, "{} KiB more than {} KiB", grown / KIB, before / KIB);
    assert_eq!(play(&address, &[Piece::Bytes(good(&bot))], 1), [200]);
    bot.finish().await;
}

/// Somebody who sends a large body as fast as it is taken.
struct Stranger {
    stream: TcpStream,
    left: usize,
    heard: Vec<u8>,
    is_over: bool,
}

impl Stranger {
    /// Sends the head, and as much as every body has room for.
    fn begin(address: &str, head: &str, length: usize, first: usize) -> Self {
        let mut stream = connect(address);
        stream.write_all(&[head.as_bytes(), &vec![b'a'; first]].concat()).unwrap();
        stream.set_nonblocking(true).unwrap();
        Self { stream, left: length - first, heard: Vec::new(), is_over: false }
    }

    /// Sends what is taken now of all but so many bytes, and says how much that was.
    fn send(&mut self, but: usize) -> usize {
        let (piece, before) = ([b'a'; 16 * KIB], self.left);
        while self.left > but {
            match self.stream.write(&piece[..piece.len().min(self.left - but)]) {
                Ok(taken) => self.left -= taken,
                // Not now, or never again, which the other side has told.
                Err(_) => break,
            }
        }
        before - self.left
    }

    /// Hears what has come, and says whether the connection has ended.
    fn hear(&mut self) -> bool {
        let mut buffer = [0; 512];
        while !self.is_over {
            match self.stream.read(&mut buffer) {
                Ok(0) => self.is_over = true,
                Ok(read) => self.heard.extend(&buffer[..read]),
                Err(error) if error.kind() == ErrorKind::WouldBlock => break,
                Err(_) => self.is_over = true,
            }
        }
        self.is_over
    }
}

/// A report about something that means nothing here, as long as a webhook may be.
fn largest(bot: &Bot) -> SignedRequest {
    bot.zoom.connect_webhooks(&bot.service.at("/zoom/webhooks"), WEBHOOK_SECRET);
    let body = format!(r#"{{"event":"other","payload":{{}}}}{}"#, " ".repeat(MIB));
    signed(bot, "/zoom/webhooks", JSON, &body[..MIB])
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn large_webhooks_that_nobody_signed_share_a_few_mebibytes_and_keep_no_command_waiting() {
    const AT_ONCE: usize = 250;
    /// What each body has for itself, what all have together beyond that, and what hyper and the allocator add.
    const OWN: usize = 64 * KIB;
    const ROOM: usize = 8 * MIB;
    const SLACK: usize = 40 * MIB;
    const BOUND: usize = AT_ONCE * OWN + ROOM + SLACK;
    const { assert!(BOUND < AT_ONCE * MIB / 3) };
    let bot = bot().await;
    let address = public(&bot);
    let before = most_memory(&bot);
    let head = webhook(MIB, &well_formed(0));
    let mut strangers: Vec<Stranger> = (0..AT_ONCE).map(|_| Stranger::begin(&address, &head, MIB, OWN)).collect();
    // All but the last byte of each, on every connection, as far as the service and the systems between take it.
    let (mut taken_at, quiet) = (Instant::now(), Duration::from_millis(250));
    while taken_at.elapsed() < quiet {
        if strangers.iter_mut().map(|stranger| stranger.send(1)).sum::<usize>() > 0 {
            taken_at = Instant::now();
        }
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    assert_eq!(play(&address, &[Piece::Bytes(good(&bot))], 1), [200]);
    let grown = most_memory(&bot) - before;
    assert!(grown < BOUND, "{} KiB more than {} KiB", grown / KIB, before / KIB);
    // Whoever has room is heard to the end, and the others in their turn, as long as their time is not over.
    let begun = Instant::now();
    while !strangers.iter_mut().fold(true, |over, stranger| {
        stranger.send(0);
        stranger.hear() && over
    }) {
        assert!(begun.elapsed() < PATIENCE, "somebody was not answered");
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    let answers: Vec<Vec<u16>> = strangers.iter().map(|stranger| statuses(&stranger.heard)).collect();
    assert!(answers.iter().all(|answer| matches!(answer[..], [401 | 408] | [])), "{answers:?}");
    let heard = answers.iter().filter(|answer| answer[..] == [401]).count();
    assert!(heard >= ROOM / MIB, "{heard} were heard to the end");
    let grown = most_memory(&bot) - before;
    assert!(grown < BOUND, "{} KiB more than {} KiB", grown / KIB, before / KIB);
    drop(strangers);
    // All of the room is there again.
    let largest = bytes_of(&largest(&bot), b"");
    for _ in 0..2 * ROOM / MIB {
        assert_eq!(play(&address, &[Piece::Bytes(largest.clone())], 1), [200]);
    }
    bot.finish().await;
}

/// Lets this process have so many files open.
fn allow_files(files: u64) {
    let limit = getrlimit(Resource::Nofile);
    if limit.current.is_some_and(|current| current < files) {
        let raised = setrlimit(Resource::Nofile, Rlimit { current: Some(files), ..limit });
        raised.expect("the hard limit of open files (ulimit -Hn) allows this test");
    }
}

/// Connects so often, says nothing or too little, and waits until the service has taken every connection.
async fn silent(bot: &Bot, address: &str, connections: usize) -> Vec<TcpStream> {
    /// The system's queue is no longer than this everywhere; what it drops comes again after a second.
    const QUEUE: usize = 64;
    let open = || std::fs::read_dir(format!("/proc/{}/fd", bot.service.id())).unwrap().count();
    let (before, begun) = (open(), Instant::now());
    let mut streams = Vec::new();
    while streams.len() < connections {
        for _ in 0..QUEUE.min(connections - streams.len()) {
            let mut stream = connect(address);
            if streams.len() % 2 == 1 {
                stream.write_all(b"POST /slack/commands HTTP/1.1\r\nhost: ").unwrap();
            }
            streams.push(stream);
        }
        while open() < before + streams.len() {
            assert!(begun.elapsed() < PATIENCE, "{} files and not {} more than {before}", open(), streams.len());
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
    }
    streams
}

/// Waits until the service has closed them all.
fn closed(streams: Vec<TcpStream>) {
    for mut stream in streams {
        let mut answer = Vec::new();
        match stream.read_to_end(&mut answer) {
            Ok(_) => assert_eq!(answer, b""),
            Err(error) => assert_eq!(error.kind(), ErrorKind::ConnectionReset),
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn as_many_as_there_are_places_say_nothing_and_the_next_command_is_answered() {
    /// A few of the deadlines that there are in a crowd, and below the one that there is else.
    const BOUND: Duration = Duration::from_secs(15);
    // It sees to its own limit.
    let bot = bot().await;
    allow_files(4 * PLACES as u64);
    let address = public(&bot);
    let metrics = bot.service.metrics_at("").unwrap().replace("http://", "");
    let scrapers = silent(&bot, &metrics, SCRAPERS).await;
    let streams = silent(&bot, &address, PLACES).await;
    let begun = Instant::now();
    assert_eq!(play(&address, &[Piece::Bytes(good(&bot))], 1), [200]);
    let scrape = b"GET /metrics HTTP/1.1\r\nhost: x\r\n\r\n".to_vec();
    assert_eq!(play(&metrics, &[Piece::Bytes(scrape)], 1), [200]);
    assert!(begun.elapsed() < BOUND, "after {:?}", begun.elapsed());
    closed(streams);
    closed(scrapers);
    bot.finish().await;
}

/// What is answered until the service ends the connection.
fn until_the_end(address: &str, bytes: &str) -> String {
    let (mut stream, mut answer) = (connect(address), String::new());
    stream.write_all(bytes.as_bytes()).unwrap();
    stream.read_to_string(&mut answer).unwrap();
    answer
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn only_who_is_signed_for_keeps_a_place_between_requests() {
    let bot = bot().await;
    let address = public(&bot);
    let metrics = bot.service.metrics_at("").unwrap().replace("http://", "");
    let get = |path: &str| format!("GET {path} HTTP/1.1\r\nhost: x\r\n\r\n");
    let command = |body: &str| request(&format!("content-length: {}\r\n", body.len()), body);
    for (address, bytes, status) in [
        (&address, get("/"), 200),
        (&address, get("/healthz"), 200),
        (&address, get("/readyz"), 200),
        (&address, get("/zoom/connect"), 410),
        (&address, get("/nothing"), 404),
        (&address, get("/slack/commands"), 405),
        (&address, command("text=help"), 401),
        (&address, command("ssl_check=1"), 200),
        (&address, request("content-length: 9\r\n", ""), 408),
        (&address, webhook(0, ""), 401),
        (&address, webhook(0, &well_formed(0)), 401),
        (&address, webhook(2 * MIB, ""), 413),
        (&metrics, get("/nothing"), 404),
    ] {
        let answer = until_the_end(address, &bytes);
        assert!(answer.starts_with(&format!("HTTP/1.1 {status} ")), "{bytes}\n{answer}");
        assert!(answer.contains("\r\nconnection: close\r\n"), "{bytes}\n{answer}");
    }
    let mut stream = connect(&address);
    for _ in 0..3 {
        stream.write_all(&good(&bot)).unwrap();
        let mut answer = [0; 16 * KIB];
        let read = stream.read(&mut answer).unwrap();
        assert_eq!(statuses(&answer[..read]), [200]);
    }
    bot.finish().await;
}
