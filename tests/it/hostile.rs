//! Bytes that no vendor sends, on real sockets: what each is answered, and that the next command is taken all the same.

use std::io::{ErrorKind, Read as _, Write as _};
use std::net::{Shutdown, TcpStream};
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use onair::clock::Clock;
use onair::sandbox::SignedRequest;

use crate::bot::{Bot, Engine, PATIENCE, WEBHOOK_SECRET};

const FORM: &str = "application/x-www-form-urlencoded";
pub(crate) const JSON: &str = "application/json";

/// One row of the table.
struct Row {
    what: &'static str,
    sent: Vec<Piece>,
    /// Every status that comes back, in order. None: the connection ends without an answer.
    answers: &'static [u16],
}

pub(crate) enum Piece {
    Bytes(Vec<u8>),
    /// One byte at a time, again and again, slowly.
    Trickle(u8),
    /// The same again, as long as anybody takes it.
    Endless(Vec<u8>),
    /// Nothing more comes, and the answer is waited for.
    HalfClose,
}

fn row(what: &'static str, answers: &'static [u16], bytes: impl Into<Vec<u8>>) -> Row {
    Row { what, sent: vec![Piece::Bytes(bytes.into())], answers }
}

impl Row {
    fn then(mut self, piece: Piece) -> Self {
        self.sent.push(piece);
        self
    }
}

/// A request with these lines after its first two; the body is whatever follows.
pub(crate) fn request(lines: &str, body: &str) -> String {
    format!("POST /slack/commands HTTP/1.1\r\nhost: x\r\n{lines}\r\n{body}")
}

/// What a request on this path looks like that its vendor signed, whatever is in it.
pub(crate) fn signed(bot: &Bot, path: &str, media: &str, body: impl Into<Vec<u8>>) -> SignedRequest {
    let mut request = bot.slack.signed_request(&bot.slack.user("ada"), &bot.slack.channel("events"), "/stream help");
    request.url = bot.service.at(path);
    request.body = body.into();
    request.set_header("content-type", media);
    let now = Clock::default().now().as_second();
    if path.starts_with("/zoom") {
        request.remove_header("x-slack-signature");
        bot.zoom.resign(&mut request, &now.to_string());
    } else {
        bot.slack.resign(&mut request, now);
    }
    request
}

/// The bytes of a request as a vendor's client sends it, with more lines in its head.
pub(crate) fn bytes_of(request: &SignedRequest, more: &[u8]) -> Vec<u8> {
    let path = request.url.splitn(4, '/').nth(3).unwrap();
    let mut bytes =
        format!("POST /{path} HTTP/1.1\r\nhost: x\r\ncontent-length: {}\r\n", request.body.len()).into_bytes();
    for (name, value) in &request.headers {
        bytes.extend(format!("{name}: {value}\r\n").bytes());
    }
    bytes.extend(more);
    bytes.extend(b"\r\n");
    bytes.extend(&request.body);
    bytes
}

/// A command that is answered at once, with a signature of its own.
pub(crate) fn good(bot: &Bot) -> Vec<u8> {
    let (ada, events) = (bot.slack.user("ada"), bot.slack.channel("events"));
    bytes_of(&bot.slack.signed_request(&ada, &events, "/stream help"), b"")
}

/// Sends a row and gives the statuses that come back until the connection ends.
pub(crate) fn play(address: &str, sent: &[Piece], expected: usize) -> Vec<u16> {
    let stream = TcpStream::connect(address).unwrap();
    stream.set_read_timeout(Some(PATIENCE)).unwrap();
    let is_over = AtomicBool::new(false);
    std::thread::scope(|scope| {
        scope.spawn(|| write(&stream, sent, &is_over));
        let mut answer = Vec::new();
        let mut buffer = [0; 8192];
        loop {
            match (&stream).read(&mut buffer) {
                Ok(0) => break,
                Ok(read) => answer.extend(&buffer[..read]),
                Err(error) if matches!(error.kind(), ErrorKind::ConnectionReset | ErrorKind::BrokenPipe) => break,
                Err(error) => panic!("neither an answer nor an end: {error}"),
            }
            if statuses(&answer).len() >= expected && !is_over.swap(true, Ordering::Relaxed) {
                // What else is answered comes before the end.
                let _ = stream.shutdown(Shutdown::Write);
            }
        }
        is_over.store(true, Ordering::Relaxed);
        statuses(&answer)
    })
}

/// The service may answer and close before it has read everything; then the rest cannot be written.
fn write(mut stream: &TcpStream, sent: &[Piece], is_over: &AtomicBool) {
    for piece in sent {
        let written = match piece {
            Piece::Bytes(bytes) => stream.write_all(bytes),
            Piece::HalfClose => stream.shutdown(Shutdown::Write),
            Piece::Trickle(byte) => loop {
                std::thread::sleep(Duration::from_millis(50));
                if is_over.load(Ordering::Relaxed) || stream.write_all(&[*byte]).is_err() {
                    return;
                }
            },
            Piece::Endless(bytes) => loop {
                if is_over.load(Ordering::Relaxed) || stream.write_all(bytes).is_err() {
                    return;
                }
            },
        };
        if written.is_err() {
            return;
        }
    }
}

pub(crate) fn statuses(answer: &[u8]) -> Vec<u16> {
    let text = String::from_utf8_lossy(answer);
    text.split("HTTP/1.1 ").skip(1).filter_map(|rest| rest.get(..3)?.parse().ok()).collect()
}

/// Plays all rows at once, and a good command after each.
fn hold(bot: &Bot, rows: Vec<Row>) {
    let address = bot.service.at("").replace("http://", "");
    let wrong: Vec<String> = std::thread::scope(|scope| {
        let playing: Vec<_> = rows
            .iter()
            .map(|row| {
                let (address, next) = (&address, good(bot));
                scope.spawn(move || {
                    let came = play(address, &row.sent, row.answers.len());
                    let next = play(address, &[Piece::Bytes(next)], 1);
                    let is_right = came == row.answers && next == [200];
                    (!is_right).then(|| format!("{}: {came:?} and not {:?}, then {next:?}", row.what, row.answers))
                })
            })
            .collect();
        playing.into_iter().filter_map(|row| row.join().unwrap()).collect()
    });
    assert!(wrong.is_empty(), "{wrong:#?}\n{}", bot.service.log());
}

async fn bot() -> Bot {
    Bot::start_with(Engine::Embedded, &[("ZOOM_WEBHOOK_SECRET_TOKEN", WEBHOOK_SECRET)]).await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_no_http_or_two_readings_of_it_is_refused() {
    let bot = bot().await;
    bot.zoom.connect_webhooks(&bot.service.at("/zoom/webhooks"), WEBHOOK_SECRET);
    let close = "connection: close\r\n";
    let inner = request("content-length: 1\r\n", "x");
    let length = inner.len();
    hold(
        &bot,
        vec![
            row("no HTTP at all", &[400], "\x16\x03\x01\x02\x00\x01\x00\x01\r\n\r\n"),
            row("HTTP/2 without an agreement", &[], "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"),
            row("two lengths", &[400], request("content-length: 1\r\ncontent-length: 2\r\n", "xx")),
            row("two lengths in one", &[400], request("content-length: 1, 2\r\n", "xx")),
            row("a length with a sign", &[400], request("content-length: +1\r\n", "x")),
            row("a negative length", &[400], request("content-length: -1\r\n", "x")),
            row("a length in hex", &[400], request("content-length: 0x1\r\n", "x")),
            row("a length beyond 64 bits", &[400], request("content-length: 99999999999999999999\r\n", "x")),
            row(
                "a coding that is not chunked last",
                &[400],
                request("transfer-encoding: chunked, gzip\r\n", "0\r\n\r\n"),
            ),
            row("an unknown coding", &[400], request("transfer-encoding: xchunked\r\n", "0\r\n\r\n")),
            row("a space before the colon", &[400], request("transfer-encoding : chunked\r\n", "0\r\n\r\n")),
            row("a folded line", &[400], request("transfer-encoding:\r\n chunked\r\n", "0\r\n\r\n")),
            row("a bare CR", &[400], request("x: a\rb\r\n", "")),
            row("a NUL", &[400], request("x: a\0b\r\n", "")),
            row("CL.TE: what follows the chunks is not read", &[401], {
                let head = format!("content-length: {}\r\ntransfer-encoding: chunked\r\n", length + 5);
                request(&head, &format!("0\r\n\r\n{inner}"))
            }),
            row("TE.CL: the chunk is the body, whatever it looks like", &[401], {
                let head = format!("{close}transfer-encoding: chunked\r\ncontent-length: 4\r\n");
                request(&head, &format!("{length:x}\r\n{inner}\r\n0\r\n\r\n"))
            }),
            row(
                "a chunk's size that ends in a bare LF",
                &[400],
                request("transfer-encoding: chunked\r\n", "1\nx\r\n0\r\n\r\n"),
            ),
            row(
                "a chunk's size beyond 64 bits",
                &[400],
                request("transfer-encoding: chunked\r\n", "fffffffffffffffff\r\nx"),
            ),
            row(
                "a chunk that is longer than it says",
                &[400],
                request("transfer-encoding: chunked\r\n", "1\r\nxx\r\n0\r\n\r\n"),
            ),
            row(
                "bare LF everywhere",
                &[401],
                "POST /slack/commands HTTP/1.1\nhost: x\nconnection: close\ncontent-length: 1\n\nx",
            ),
            row("a length and no body that fits it, pipelined: who is refused is not heard again", &[401], {
                format!("{}GARBAGE\r\n\r\n", request("content-length: 1\r\n", "x"))
            }),
            row("another way to write the path", &[404], {
                request(close, "").replace("/slack/commands", "//slack/commands")
            }),
            row("another method", &[405], request(close, "").replace("POST", "GET")),
        ],
    );
    assert!(bot.audit().iter().all(|entry| entry["verb"] == "help"), "only the good ones were heard");
    bot.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_too_much_or_too_slow_is_cut_off() {
    let bot = bot().await;
    let chunk = format!("1000\r\n{}\r\n", "a".repeat(4096));
    let half = "content-length: 1000\r\n";
    hold(
        &bot,
        vec![
            row("a body that never comes", &[408], request(half, "text=")),
            row("a body that trickles", &[408], request(half, "text=")).then(Piece::Trickle(b'a')),
            row("chunks that trickle", &[408], request("transfer-encoding: chunked\r\n", "fff\r\n"))
                .then(Piece::Trickle(b'a')),
            row("chunks without an end", &[413], request("transfer-encoding: chunked\r\n", ""))
                .then(Piece::Endless(chunk.into_bytes())),
            row("a body without an end", &[413], request("content-length: 9999999999\r\n", ""))
                .then(Piece::Endless(vec![b'a'; 8192])),
            row("a chunk without an end", &[413], request("transfer-encoding: chunked\r\n", "ffffffff\r\n"))
                .then(Piece::Endless(vec![b'a'; 8192])),
            row("more lines in a head than anybody needs", &[431], request(&"x: y\r\n".repeat(1000), "")),
            row("a head without an end", &[431], request("", "").trim_end()).then(Piece::Endless(b"x: y\r\n".to_vec())),
            row("one line without an end", &[431], request("x: ", "").trim_end())
                .then(Piece::Endless(vec![b'a'; 8192])),
            row("a path without an end", &[431], "POST /").then(Piece::Endless(vec![b'a'; 8192])),
            row("half a body, and no more", &[400], request(half, "text=")).then(Piece::HalfClose),
            row("half a chunk, and no more", &[400], request("transfer-encoding: chunked\r\n", "5\r\nab"))
                .then(Piece::HalfClose),
            row("nothing at all, and no end", &[], ""),
            row("a head that stops in the middle", &[], request("content-le", "").trim_end()),
            row("a head that trickles", &[], request("x: ", "").trim_end()).then(Piece::Trickle(b'a')),
            row("half a head, and no more", &[], request("content-le", "").trim_end()).then(Piece::HalfClose),
            row("nothing at all", &[], "").then(Piece::HalfClose),
            row("a good command of somebody who says no more", &[200], good(&bot)).then(Piece::HalfClose),
        ],
    );
    bot.finish().await;
}

/// The head of a webhook with these lines, and with a body of this length that does not come.
pub(crate) fn webhook(length: usize, lines: &str) -> String {
    let head = "POST /zoom/webhooks HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\n";
    format!("{head}content-length: {length}\r\n{lines}\r\n")
}

/// A time and a signature as Zoom could have made them.
pub(crate) fn well_formed(ahead: i64) -> String {
    let now = Clock::default().now().as_second();
    format!("x-zm-request-timestamp: {}\r\nx-zm-signature: v0={}\r\n", now + ahead, "ab".repeat(32))
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_webhook_that_cannot_be_signed_is_refused_before_its_body_comes() {
    const MOST: usize = 1024 * 1024;
    let bot = bot().await;
    let good = well_formed(0);
    let (time, signature) = good.split_once("\r\n").unwrap();
    let row_of = |what, answers, length, lines: &str| row(what, answers, webhook(length, lines));
    let chunks = format!("10000\r\n{}\r\n", "a".repeat(64 * 1024)).repeat(17);
    let chunked = webhook(0, "").replace("content-length: 0", "transfer-encoding: chunked");
    hold(
        &bot,
        vec![
            row_of("neither time nor signature", &[401], MOST, ""),
            row_of("no signature", &[401], MOST, &format!("{time}\r\n")),
            row_of("no time", &[401], MOST, signature),
            row_of("the signature twice", &[401], MOST, &format!("{good}{signature}")),
            row_of("the time twice", &[401], MOST, &format!("{good}{time}\r\n")),
            row_of("a time that is no number", &[401], MOST, &good.replace("timestamp: ", "timestamp: -")),
            row_of("a signature of another version", &[401], MOST, &good.replace("v0=", "v1=")),
            row_of("a signature that is not hex", &[401], MOST, &good.replace("v0=ab", "v0=xy")),
            row_of("a signature that is too short", &[401], MOST, &good.replace("v0=ab", "v0=")),
            row_of("of hours ago", &[401], MOST, &well_formed(-3 * 60 * 60)),
            row_of("of the future", &[401], MOST, &well_formed(10 * 60)),
            row_of("a signature that may be right", &[408], MOST, &good),
            row_of("more than a mebibyte", &[413], MOST + 1, ""),
            row_of("more than a mebibyte, and a signature that may be right", &[413], MOST + 1, &good),
            row("more than a mebibyte, unannounced", &[413], format!("{chunked}{chunks}0\r\n\r\n")),
        ],
    );
    bot.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_signed_and_odd_is_refused_or_read_as_it_is() {
    let bot = bot().await;
    bot.zoom.connect_webhooks(&bot.service.at("/zoom/webhooks"), WEBHOOK_SECRET);
    let deep = "[".repeat(20_000) + &"]".repeat(20_000);
    let deep_object = r#"{"a":"#.repeat(5_000) + "1" + &"}".repeat(5_000);
    let huge = "9".repeat(400);
    let row_of = |what, answers, path: &str, media: &str, body: Vec<u8>| {
        row(what, answers, bytes_of(&signed(&bot, path, media, body), b"connection: close\r\n"))
    };
    let payload =
        |json: &str| format!("payload={}", url::form_urlencoded::byte_serialize(json.as_bytes()).collect::<String>());
    let (commands, presses, events, zoom) =
        ("/slack/commands", "/slack/interactions", "/slack/events", "/zoom/webhooks");
    let command = |more: &[u8]| {
        let (ada, channel) = (bot.slack.user("ada"), bot.slack.channel("events"));
        let plain = bot.slack.signed_request(&ada, &channel, "/stream").body;
        [&plain, more].concat()
    };
    let twice = |name: &str| {
        let request = signed(&bot, commands, FORM, command(b""));
        let again = format!("{name}: {}\r\nconnection: close\r\n", request.header(name).unwrap());
        bytes_of(&request, again.as_bytes())
    };
    hold(
        &bot,
        vec![
            row("the signature twice", &[401], twice("x-slack-signature")),
            row("the time twice", &[401], twice("x-slack-request-timestamp")),
            row("the content type twice", &[400], twice("content-type")),
            row("a signature that is no text", &[401], {
                let mut request = signed(&bot, commands, FORM, command(b""));
                request.remove_header("x-slack-signature");
                bytes_of(&request, b"x-slack-signature: v0=\xff\xfe\r\nconnection: close\r\n")
            }),
            row_of("a body that is not UTF-8", &[400], commands, FORM, command(b"&x=\xff\xfe")),
            row_of("a field that is not UTF-8 once it is decoded", &[200], commands, FORM, command(b"&x=%FF%FE")),
            row_of("a field twice", &[400], commands, FORM, command(b"&text=stop+68423085")),
            row_of(
                "many fields",
                &[200],
                commands,
                FORM,
                command("&x=".as_bytes())
                    .into_iter()
                    .chain((0..5000).flat_map(|n| format!("&a{n}=1").into_bytes()))
                    .collect(),
            ),
            row_of("half an escape", &[200], commands, FORM, command(b"&x=%")),
            row_of("no field at all", &[400], commands, FORM, b"&&&&====".to_vec()),
            row_of("a press that is nested deeply", &[400], presses, FORM, payload(&deep[..20_000]).into_bytes()),
            row_of(
                "a press of huge numbers",
                &[400],
                presses,
                FORM,
                payload(&format!(r#"{{"type":{huge}}}"#)).into_bytes(),
            ),
            row_of(
                "a press that is cut in a surrogate",
                &[400],
                presses,
                FORM,
                payload(r#"{"type":"\ud800"}"#).into_bytes(),
            ),
            row_of("an event that is nested deeply", &[400], events, JSON, deep.clone().into_bytes()),
            row_of("an event of objects nested deeply", &[400], events, JSON, deep_object.into_bytes()),
            row_of(
                "an event of a huge number",
                &[400],
                events,
                JSON,
                format!(r#"{{"type":"x","event_time":{huge}}}"#).into_bytes(),
            ),
            row_of("an event with one field twice", &[400], events, JSON, br#"{"type":"x","type":"y"}"#.to_vec()),
            row_of("an event that is not UTF-8", &[400], events, JSON, b"{\"type\":\"\xff\"}".to_vec()),
            row_of("a report that is nested deeply", &[400], zoom, JSON, deep.into_bytes()),
            row_of(
                "a report of a huge number",
                &[400],
                zoom,
                JSON,
                format!(r#"{{"event":"meeting.started","event_ts":{huge}}}"#).into_bytes(),
            ),
            row_of(
                "a report about a meeting of huge digits",
                &[400],
                zoom,
                JSON,
                format!(r#"{{"event":"meeting.started","payload":{{"object":{{"id":"{huge}"}}}}}}"#).into_bytes(),
            ),
            row_of("a report that is not UTF-8", &[400], zoom, JSON, b"{\"event\":\"\xff\"}".to_vec()),
        ],
    );
    bot.finish().await;
}
