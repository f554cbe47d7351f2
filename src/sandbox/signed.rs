//! A vendor's signed request to the app. Slack and Zoom sign alike, and both wait three seconds for the answer.

use std::io;
use std::sync::OnceLock;
use std::time::Duration;

use hmac::{Hmac, KeyInit as _, Mac as _};
use sha2::Sha256;

use super::exchange::Log;

/// How long a vendor waits for the app's answer.
pub const DEADLINE: Duration = Duration::from_secs(3);

/// A request as a vendor sends it, open to being tampered with.
#[derive(Clone, Debug)]
pub struct SignedRequest {
    /// Where it goes.
    pub url: String,
    /// Headers; the signature is among them.
    pub headers: Vec<(String, String)>,
    /// The body's bytes.
    pub body: Vec<u8>,
}

impl SignedRequest {
    /// The value of a header.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(key, _)| key.eq_ignore_ascii_case(name)).map(|(_, value)| value.as_str())
    }

    /// Sets a header, or adds it.
    pub fn set_header(&mut self, name: &str, value: impl Into<String>) {
        self.remove_header(name);
        self.headers.push((name.to_owned(), value.into()));
    }

    /// Takes a header away.
    pub fn remove_header(&mut self, name: &str) {
        self.headers.retain(|(key, _)| !key.eq_ignore_ascii_case(name));
    }
}

/// What the app answered.
#[derive(Clone, Debug)]
pub struct AppAnswer {
    /// The HTTP status.
    pub status: u16,
    /// The content type, if any.
    pub content_type: Option<String>,
    /// The body.
    pub body: String,
}

/// The app did not answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NoAnswer {
    /// Not within three seconds.
    #[error("no answer within 3 seconds")]
    InTime,
    /// It is not there, or the connection broke.
    #[error("no answer: the connection failed")]
    AtAll,
}

/// `v0=` and the hex HMAC-SHA256 of `v0:{timestamp}:{body}`.
pub fn signature(secret: &str, timestamp: &str, body: &[u8]) -> String {
    format!("v0={}", keyed_hash(secret, &[b"v0:", timestamp.as_bytes(), b":", body]))
}

/// The hex HMAC-SHA256 of these parts, one after the other.
pub(super) fn keyed_hash(secret: &str, parts: &[&[u8]]) -> String {
    let mut mac = Hmac::<Sha256>::new_from_slice(secret.as_bytes()).expect("HMAC takes keys of any length");
    for part in parts {
        mac.update(part);
    }
    hex::encode(mac.finalize().into_bytes())
}

/// A vendor's HTTP client.
#[derive(Debug)]
pub(super) struct Client {
    http: reqwest::Client,
    /// Where it is written down what is sent.
    log: OnceLock<Log>,
}

impl Client {
    pub(super) fn new() -> io::Result<Self> {
        let builder = reqwest::Client::builder().timeout(DEADLINE);
        // Neither vendor follows redirects, and loopback is not reached through a proxy.
        let http = builder.redirect(reqwest::redirect::Policy::none()).no_proxy().build().map_err(io::Error::other)?;
        Ok(Self { http, log: OnceLock::new() })
    }

    /// From now on what is sent is written down there; the first log counts.
    pub(super) fn log_to(&self, log: Log) {
        self.log.get_or_init(|| log);
    }

    /// Sends a request as it is.
    pub(super) async fn send(&self, request: &SignedRequest) -> Result<AppAnswer, NoAnswer> {
        let open = self.log.get().map(|log| log.sends("POST", &request.url, &request.headers, &request.body));
        let mut post = self.http.post(&request.url).body(request.body.clone());
        for (name, value) in &request.headers {
            post = post.header(name, value);
        }
        let failure = |error: reqwest::Error| if error.is_timeout() { NoAnswer::InTime } else { NoAnswer::AtAll };
        let response = post.send().await.map_err(failure)?;
        let status = response.status().as_u16();
        let content_type = response.headers().get("content-type").and_then(|value| value.to_str().ok());
        let content_type = content_type.map(str::to_owned);
        let body = response.text().await.map_err(failure)?;
        if let Some(open) = open {
            let headers = content_type.iter().map(|kind| ("content-type".to_owned(), kind.clone()));
            open.answered(status, &headers.collect::<Vec<_>>(), &body);
        }
        Ok(AppAnswer { status, content_type, body })
    }
}
