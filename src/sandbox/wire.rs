//! One loopback HTTP/1.1 server, the same under both worlds. It is hyper without a router, because a world must be able
//! to record every request byte for byte and to break a connection instead of answering.

use std::future::Future;
use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::pin::Pin;
use std::sync::{Arc, OnceLock};
use std::task::{Context, Poll};

use bytes::Bytes;
use http_body_util::{BodyExt as _, Limited};
use hyper::body::{Body, Frame, Incoming};
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use jiff::Timestamp;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use super::exchange::Log;
use crate::clock::Clock;

/// A request with a longer body is cut off.
const MOST_BODY: usize = 4 * 1024 * 1024;

/// One request, exactly as it came.
#[derive(Clone, Debug)]
pub struct Recorded {
    /// When it came, by the clock of the world it came to.
    pub at: Timestamp,
    /// The method, in capitals.
    pub method: String,
    /// The path without the query.
    pub path: String,
    /// The query without the question mark; empty if there was none.
    pub query: String,
    /// The headers in their order, names in lower case.
    pub headers: Vec<(String, String)>,
    /// The body's bytes.
    pub body: Bytes,
}

impl Recorded {
    /// The first header of this (lower-case) name.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(key, _)| key == name).map(|(_, value)| value.as_str())
    }

    /// The body as text.
    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }

    /// The body as JSON, if it is JSON.
    pub fn json(&self) -> Option<serde_json::Value> {
        serde_json::from_slice(&self.body).ok()
    }

    /// The value of a field in a form-encoded body.
    pub fn form_field(&self, name: &str) -> Option<String> {
        field(&self.body, name)
    }

    /// The value of a parameter in the query.
    pub fn query_field(&self, name: &str) -> Option<String> {
        field(self.query.as_bytes(), name)
    }

    /// The media type without its parameters, in lower case.
    pub(super) fn media_type(&self) -> String {
        let full = self.header("content-type").unwrap_or_default();
        full.split(';').next().unwrap_or_default().trim().to_ascii_lowercase()
    }

    /// The token after `Bearer`.
    pub(super) fn bearer(&self) -> Option<&str> {
        self.header("authorization")?.strip_prefix("Bearer ")
    }
}

fn field(pairs: &[u8], name: &str) -> Option<String> {
    url::form_urlencoded::parse(pairs).find(|(key, _)| key == name).map(|(_, value)| value.into_owned())
}

/// What a world answers.
#[derive(Debug)]
pub(super) struct Answer {
    pub(super) status: u16,
    pub(super) headers: Vec<(String, String)>,
    pub(super) body: String,
    /// What follows the body as it comes, until nobody sends any more.
    pub(super) more: Option<mpsc::Receiver<String>>,
}

impl Answer {
    pub(super) fn new(status: u16, body: impl Into<String>) -> Self {
        Self { status, headers: Vec::new(), body: body.into(), more: None }
    }

    pub(super) fn json(status: u16, body: &serde_json::Value) -> Self {
        Self::new(status, body.to_string()).with("content-type", "application/json;charset=UTF-8")
    }

    pub(super) fn with(mut self, name: &str, value: impl Into<String>) -> Self {
        self.headers.push((name.to_owned(), value.into()));
        self
    }
}

/// The tasks of a server: they end with it.
#[derive(Clone, Debug)]
pub(super) struct Tasks {
    stop: CancellationToken,
    tracker: TaskTracker,
}

impl Tasks {
    /// Runs a task that ends with the server.
    pub(super) fn spawn(&self, task: impl Future<Output = ()> + Send + 'static) {
        self.tracker.spawn(self.stop.clone().run_until_cancelled_owned(task));
    }
}

/// A server on loopback. It stops, connections included, when dropped.
#[derive(Debug)]
pub(super) struct Server {
    address: SocketAddr,
    tasks: Tasks,
    /// Where it is written down what comes in.
    log: Arc<OnceLock<Log>>,
}

impl Server {
    /// Takes a free port; nothing is served before [`Self::serve`].
    pub(super) async fn bind() -> io::Result<(Self, TcpListener)> {
        Self::bind_to(0).await
    }

    /// Takes this port, or a free one for 0.
    pub(super) async fn bind_to(port: u16) -> io::Result<(Self, TcpListener)> {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, port)).await?;
        let address = listener.local_addr()?;
        let tasks = Tasks { stop: CancellationToken::new(), tracker: TaskTracker::new() };
        Ok((Self { address, tasks, log: Arc::default() }, listener))
    }

    /// From now on what comes in is written down there; the first log counts.
    pub(super) fn log_to(&self, log: Log) {
        self.log.get_or_init(|| log);
    }

    /// Serves with a handler that answers, or with `None` breaks the connection.
    pub(super) fn serve<H, F>(&self, listener: TcpListener, handler: H)
    where
        H: Fn(Recorded) -> F + Send + Sync + 'static,
        F: Future<Output = Option<Answer>> + Send + 'static,
    {
        let handler = Arc::new(handler);
        let (tasks, log) = (self.tasks.clone(), self.log.clone());
        self.tasks.spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                tasks.spawn(connection(stream, handler.clone(), log.clone()));
            }
        });
    }

    /// Runs a task that ends with the server.
    pub(super) fn spawn(&self, task: impl Future<Output = ()> + Send + 'static) {
        self.tasks.spawn(task);
    }

    /// What runs tasks that end with the server.
    pub(super) fn tasks(&self) -> &Tasks {
        &self.tasks
    }

    /// `http://127.0.0.1:<port>`
    pub(super) fn base(&self) -> String {
        format!("http://{}", self.address)
    }

    /// Stops: the port is free and every connection closed when this returns.
    pub(super) async fn stop(&self) {
        self.tasks.stop.cancel();
        self.tasks.tracker.close();
        self.tasks.tracker.wait().await;
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.tasks.stop.cancel();
    }
}

async fn connection<H, F>(stream: TcpStream, handler: Arc<H>, log: Arc<OnceLock<Log>>)
where
    H: Fn(Recorded) -> F,
    F: Future<Output = Option<Answer>>,
{
    let service = service_fn(|request: hyper::Request<Incoming>| {
        let (handler, log) = (handler.clone(), log.clone());
        async move {
            let (head, body) = request.into_parts();
            let body = Limited::new(body, MOST_BODY).collect().await.map_err(io::Error::other)?.to_bytes();
            let request = recorded(&head, body);
            let open = log.get().map(|log| log.came(&request));
            let answer = handler(request).await;
            if let (Some(open), Some(answer)) = (open, &answer) {
                open.answered(answer.status, &answer.headers, &answer.body);
            }
            // An error from the service makes hyper close the connection without a word.
            answer.ok_or_else(|| io::Error::other("cut"))?.try_into().map_err(io::Error::other)
        }
    });
    // A client that went away is its own business.
    let _ended = http1::Builder::new().serve_connection(TokioIo::new(stream), service).await;
}

fn recorded(head: &hyper::http::request::Parts, body: Bytes) -> Recorded {
    let text = |value: &hyper::header::HeaderValue| String::from_utf8_lossy(value.as_bytes()).into_owned();
    Recorded {
        at: Clock::default().now(),
        method: head.method.to_string(),
        path: head.uri.path().to_owned(),
        query: head.uri.query().unwrap_or_default().to_owned(),
        headers: head.headers.iter().map(|(name, value)| (name.to_string(), text(value))).collect(),
        body,
    }
}

/// The bytes of an answer.
#[derive(Debug)]
pub(super) struct Content {
    first: Option<Bytes>,
    more: Option<mpsc::Receiver<String>>,
}

impl Body for Content {
    type Data = Bytes;
    type Error = io::Error;

    fn poll_frame(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<io::Result<Frame<Bytes>>>> {
        if let Some(first) = self.first.take() {
            return Poll::Ready(Some(Ok(Frame::data(first))));
        }
        let Some(more) = &mut self.more else { return Poll::Ready(None) };
        more.poll_recv(context).map(|text| text.map(|text| Ok(Frame::data(Bytes::from(text)))))
    }

    fn is_end_stream(&self) -> bool {
        self.first.is_none() && self.more.is_none()
    }

    fn size_hint(&self) -> hyper::body::SizeHint {
        match (&self.first, &self.more) {
            (_, Some(_)) => hyper::body::SizeHint::default(),
            (first, None) => hyper::body::SizeHint::with_exact(first.as_ref().map_or(0, |first| first.len() as u64)),
        }
    }
}

impl TryFrom<Answer> for hyper::Response<Content> {
    type Error = hyper::http::Error;

    fn try_from(answer: Answer) -> Result<Self, hyper::http::Error> {
        let mut response = hyper::Response::builder().status(answer.status);
        for (name, value) in answer.headers {
            response = response.header(name, value);
        }
        let first = Some(Bytes::from(answer.body)).filter(|body| !body.is_empty());
        response.body(Content { first, more: answer.more })
    }
}
