//! Traces: what a receiver of OTLP is sent, and what it costs when there is none.

use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use tokio::io::{AsyncBufReadExt as _, AsyncReadExt as _, AsyncWriteExt as _, BufReader};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinSet;

use crate::bot::{Bot, Engine, PATIENCE};

/// Takes OTLP over HTTP and keeps what was sent, as it came.
struct Receiver {
    url: String,
    bodies: Arc<Mutex<Vec<Vec<u8>>>>,
    _accepting: JoinSet<()>,
}

impl Receiver {
    async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let (bodies, mut accepting) = (Arc::new(Mutex::new(Vec::new())), JoinSet::new());
        let kept = Arc::clone(&bodies);
        accepting.spawn(async move {
            loop {
                let (stream, _) = listener.accept().await.unwrap();
                take(stream, &kept).await;
            }
        });
        Self { url, bodies, _accepting: accepting }
    }

    /// Everything, with what is no text made readable. Texts stand in protobuf as they are.
    fn text(&self) -> String {
        let bodies = self.bodies.lock().unwrap();
        bodies.iter().map(|body| String::from_utf8_lossy(body).into_owned()).collect()
    }

    async fn has(&self, words: &str) {
        let begun = Instant::now();
        while !self.text().contains(words) {
            assert!(begun.elapsed() < PATIENCE, "{words:?} is not in {}", self.text());
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }
}

/// Reads the requests of one connection until it is closed.
async fn take(stream: TcpStream, kept: &Mutex<Vec<Vec<u8>>>) {
    let mut stream = BufReader::new(stream);
    loop {
        let (mut length, mut line, mut is_first) = (0, String::new(), true);
        loop {
            line.clear();
            if stream.read_line(&mut line).await.unwrap_or(0) == 0 {
                return;
            }
            let header = line.to_ascii_lowercase();
            assert!(!is_first || header.starts_with("post /v1/traces "), "{line}");
            is_first = false;
            if let Some(value) = header.strip_prefix("content-length:") {
                length = value.trim().parse().unwrap();
            }
            if let Some(kind) = header.strip_prefix("content-type:") {
                assert_eq!(kind.trim(), "application/x-protobuf");
            }
            if header.trim().is_empty() {
                break;
            }
        }
        let mut body = vec![0; length];
        stream.read_exact(&mut body).await.unwrap();
        kept.lock().unwrap().push(body);
        let answer = b"HTTP/1.1 200 OK\r\ncontent-type: application/x-protobuf\r\ncontent-length: 0\r\n\r\n";
        stream.write_all(answer).await.unwrap();
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_trace_has_the_reference_of_the_answer_and_nothing_that_was_typed() {
    let receiver = Receiver::start().await;
    let settings = [("OTEL_EXPORTER_OTLP_ENDPOINT", receiver.url.as_str()), ("OTEL_SERVICE_NAME", "onair-rehearsal")];
    let mut bot = Bot::start_with(Engine::Embedded, &settings).await;
    let (ada, events, host) = bot.connected("ada").await;
    let meeting = bot.zoom.meeting_in_progress(&host);
    bot.types(&ada, &events, &format!("/stream start {meeting} \"Keynote\"")).await;
    let reference = bot.last_audit()["reference"].as_str().unwrap().to_owned();
    // What is not sent by then is sent at the end.
    bot.service.end().await;
    receiver.has(&reference).await;
    let sent = receiver.text();
    for words in ["onair-rehearsal", "command", "zoom", "slack", "response_url"] {
        assert!(sent.contains(words), "{words} in {sent}");
    }
    for words in ["Keynote", "canary", "hooks", "ada@example.com", "Bearer"] {
        assert!(!sent.contains(words), "{words} in {sent}");
    }
    bot.start_over();
    bot.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_receiver_that_is_away_costs_one_line_in_the_log() {
    let settings =
        [("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", "http://127.0.0.1:1/v1/traces"), ("OTEL_BSP_SCHEDULE_DELAY", "50")];
    let mut bot = Bot::start_with(Engine::Embedded, &settings).await;
    let (ada, events, _) = bot.connected("ada").await;
    bot.service.logged("traces are lost").await;
    for _ in 0..5 {
        bot.types(&ada, &events, "/stream whoami").await;
    }
    bot.service.end().await;
    let lines = bot.service.log();
    assert_eq!(lines.matches("traces are lost").count(), 1, "{lines}");
    assert!(lines.contains("\"message\":\"stopped\""), "{lines}");
    bot.start_over();
    bot.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_variable_or_a_disabled_sdk_sends_nothing() {
    let receiver = Receiver::start().await;
    let settings = [("OTEL_EXPORTER_OTLP_ENDPOINT", receiver.url.as_str()), ("OTEL_SDK_DISABLED", "true")];
    let mut bot = Bot::start_with(Engine::Embedded, &settings).await;
    let (ada, events) = (bot.slack.user("ada"), bot.slack.channel("events"));
    bot.types(&ada, &events, "/stream whoami").await;
    bot.service.end().await;
    assert_eq!(receiver.text(), "");
    bot.start_over();
    bot.finish().await;
}
