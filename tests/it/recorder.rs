//! A vendor that says what it is told to and remembers every byte it heard.
//!
//! Raw TCP and threads instead of an HTTP framework, because the questions are about bytes: what exactly was sent, and
//! what happens when the answer is cut, endless, or no HTTP at all.

use std::collections::VecDeque;
use std::io::{Read as _, Write as _};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::{Arc, Condvar, Mutex};
use std::thread;
use std::time::Duration;

/// What to do about one request.
pub(crate) enum Reply {
    /// Send these bytes and keep the connection.
    Bytes(Vec<u8>),
    /// Send these bytes and close.
    Last(Vec<u8>),
    /// Say nothing until the other side gives up.
    Hang,
    /// Send these bytes, then the same letter for ever.
    Endless(Vec<u8>),
    /// Send these bytes, then nothing more, and keep the connection.
    Stall(Vec<u8>),
}

impl Reply {
    /// A whole answer with a body.
    pub(crate) fn status(status: u16, headers: &str, body: impl AsRef<[u8]>) -> Self {
        let body = body.as_ref();
        let mut bytes = format!("HTTP/1.1 {status} X\r\n{headers}Content-Length: {}\r\n\r\n", body.len()).into_bytes();
        bytes.extend_from_slice(body);
        Self::Bytes(bytes)
    }

    /// `204 No Content`
    pub(crate) fn no_content() -> Self {
        Self::Bytes(b"HTTP/1.1 204 No Content\r\n\r\n".to_vec())
    }

    /// A JSON answer.
    pub(crate) fn json(status: u16, body: &str) -> Self {
        Self::status(status, "Content-Type: application/json\r\n", body)
    }
}

/// One request as it came.
#[derive(Clone, Debug)]
pub(crate) struct Seen {
    /// Which connection it came by, counted from 0.
    pub(crate) connection: usize,
    /// `PATCH /v2/… HTTP/1.1`
    pub(crate) line: String,
    /// The headers, names in lower case, sorted; without `host`.
    pub(crate) headers: Vec<(String, String)>,
    /// The body.
    pub(crate) body: Vec<u8>,
}

impl Seen {
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(header, _)| header == name).map(|(_, value)| value.as_str())
    }

    pub(crate) fn text(&self) -> &str {
        std::str::from_utf8(&self.body).expect("the body is text")
    }

    /// The whole head, one line each, as an assertion wants it.
    pub(crate) fn head(&self) -> String {
        let headers = self.headers.iter().map(|(name, value)| format!("\n{name}: {value}"));
        self.line.clone() + &headers.collect::<String>()
    }
}

pub(crate) struct Recorder {
    address: SocketAddr,
    shared: Arc<Shared>,
}

#[derive(Default)]
struct Shared {
    replies: Mutex<VecDeque<Reply>>,
    seen: Mutex<Vec<Seen>>,
    heard: Condvar,
}

impl Recorder {
    /// Answers the first request with the first reply, and so on. A request too many is remembered and hung up on.
    pub(crate) fn start(replies: impl IntoIterator<Item = Reply>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
        let address = listener.local_addr().expect("a bound address");
        let shared = Arc::new(Shared { replies: Mutex::new(replies.into_iter().collect()), ..Shared::default() });
        let theirs = Arc::clone(&shared);
        thread::spawn(move || {
            for (connection, stream) in listener.incoming().flatten().enumerate() {
                let shared = Arc::clone(&theirs);
                thread::spawn(move || serve(connection, stream, &shared));
            }
        });
        Self { address, shared }
    }

    /// `http://127.0.0.1:…`
    pub(crate) fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    pub(crate) fn seen(&self) -> Vec<Seen> {
        self.shared.seen.lock().expect("nobody panicked").clone()
    }

    /// The only request there was, as soon as it is there: whoever gave up waiting may be ahead of it.
    pub(crate) fn only(&self) -> Seen {
        let seen = self.shared.seen.lock().expect("nobody panicked");
        let wait = self.shared.heard.wait_timeout_while(seen, Duration::from_secs(10), |seen| seen.is_empty());
        let (seen, _) = wait.expect("nobody panicked");
        assert_eq!(seen.len(), 1, "{seen:#?}");
        seen[0].clone()
    }
}

/// Ends with the connection.
fn serve(connection: usize, mut stream: TcpStream, shared: &Shared) -> Option<()> {
    loop {
        let seen = read_request(connection, &mut stream)?;
        // Remembered before it is answered, so that whoever has the answer finds the request.
        shared.seen.lock().ok()?.push(seen);
        shared.heard.notify_all();
        let reply = shared.replies.lock().ok()?.pop_front()?;
        match reply {
            Reply::Bytes(bytes) => stream.write_all(&bytes).ok()?,
            Reply::Last(bytes) => {
                stream.write_all(&bytes).ok()?;
                stream.shutdown(Shutdown::Write).ok()?;
                wait_for_end(&mut stream);
                return None;
            }
            Reply::Hang => wait_for_end(&mut stream),
            Reply::Stall(bytes) => {
                stream.write_all(&bytes).ok()?;
                wait_for_end(&mut stream);
            }
            Reply::Endless(bytes) => {
                stream.write_all(&bytes).ok()?;
                while stream.write_all(&[b'a'; 4096]).is_ok() {}
                return None;
            }
        }
    }
}

fn wait_for_end(stream: &mut TcpStream) {
    let mut rest = [0; 1024];
    while matches!(stream.read(&mut rest), Ok(1..)) {}
}

fn read_request(connection: usize, stream: &mut TcpStream) -> Option<Seen> {
    let mut bytes = Vec::new();
    let mut byte = [0];
    while !bytes.ends_with(b"\r\n\r\n") {
        stream.read_exact(&mut byte).ok()?;
        bytes.push(byte[0]);
    }
    let head = String::from_utf8(bytes).ok()?;
    let mut lines = head.trim_end().split("\r\n");
    let line = lines.next()?.to_owned();
    let mut headers: Vec<_> = lines
        .filter_map(|line| line.split_once(": "))
        .map(|(name, value)| (name.to_lowercase(), value.to_owned()))
        .filter(|(name, _)| name != "host")
        .collect();
    headers.sort();
    let mut seen = Seen { connection, line, headers, body: Vec::new() };
    let length = seen.header("content-length").map_or(0, |length| length.parse().expect("a length"));
    seen.body.resize(length, 0);
    stream.read_exact(&mut seen.body).ok()?;
    Some(seen)
}
