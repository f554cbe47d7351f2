//! One loopback HTTP/1.1 server, the same under both worlds. It is hyper without a router, because a world must be able
//! to record every request byte for byte and to break a connection instead of answering.

use std::future::Future;
use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;

use bytes::Bytes;
use http_body_util::{BodyExt as _, Full};
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use jiff::Timestamp;
use tokio::net::{TcpListener, TcpStream};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use crate::clock::Clock;

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
#[derive(Clone, Debug)]
pub(super) struct Answer {
    pub(super) status: u16,
    pub(super) headers: Vec<(String, String)>,
    pub(super) body: String,
}

impl Answer {
    pub(super) fn new(status: u16, body: impl Into<String>) -> Self {
        Self { status, headers: Vec::new(), body: body.into() }
    }

    pub(super) fn json(status: u16, body: &serde_json::Value) -> Self {
        Self::new(status, body.to_string()).with("content-type", "application/json;charset=UTF-8")
    }

    pub(super) fn with(mut self, name: &str, value: impl Into<String>) -> Self {
        self.headers.push((name.to_owned(), value.into()));
        self
    }
}

/// A server on a free port. It stops, connections included, when dropped.
#[derive(Debug)]
pub(super) struct Server {
    address: SocketAddr,
    stop: CancellationToken,
    tasks: TaskTracker,
}

impl Server {
    /// Takes a port; nothing is served before [`Self::serve`].
    pub(super) async fn bind() -> io::Result<(Self, TcpListener)> {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?;
        let address = listener.local_addr()?;
        Ok((Self { address, stop: CancellationToken::new(), tasks: TaskTracker::new() }, listener))
    }

    /// Serves with a handler that answers, or with `None` breaks the connection.
    pub(super) fn serve<H, F>(&self, listener: TcpListener, handler: H)
    where
        H: Fn(Recorded) -> F + Send + Sync + 'static,
        F: Future<Output = Option<Answer>> + Send + 'static,
    {
        let handler = Arc::new(handler);
        let (tasks, stop) = (self.tasks.clone(), self.stop.clone());
        self.tasks.spawn(self.stop.clone().run_until_cancelled_owned(async move {
            while let Ok((stream, _)) = listener.accept().await {
                tasks.spawn(stop.clone().run_until_cancelled_owned(connection(stream, handler.clone())));
            }
        }));
    }

    /// Runs a task that ends with the server.
    pub(super) fn spawn(&self, task: impl Future<Output = ()> + Send + 'static) {
        self.tasks.spawn(self.stop.clone().run_until_cancelled_owned(task));
    }

    /// `http://127.0.0.1:<port>`
    pub(super) fn base(&self) -> String {
        format!("http://{}", self.address)
    }

    /// Stops: the port is free and every connection closed when this returns.
    pub(super) async fn stop(&self) {
        self.stop.cancel();
        self.tasks.close();
        self.tasks.wait().await;
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.stop.cancel();
    }
}

async fn connection<H, F>(stream: TcpStream, handler: Arc<H>)
where
    H: Fn(Recorded) -> F,
    F: Future<Output = Option<Answer>>,
{
    let service = service_fn(|request: hyper::Request<Incoming>| {
        let handler = handler.clone();
        async move {
            let (head, body) = request.into_parts();
            let body = body.collect().await.map_err(io::Error::other)?.to_bytes();
            let answer = handler(recorded(&head, body)).await;
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

impl TryFrom<Answer> for hyper::Response<Full<Bytes>> {
    type Error = hyper::http::Error;

    fn try_from(answer: Answer) -> Result<Self, hyper::http::Error> {
        let mut response = hyper::Response::builder().status(answer.status);
        for (name, value) in answer.headers {
            response = response.header(name, value);
        }
        response.body(Full::new(Bytes::from(answer.body)))
    }
}
