//! What was said over HTTP between Slack, Zoom, the service and browsers: each request with its answer, the secrets masked
//! before anything is kept. Both worlds write here, the one place that knows what comes in and the one that sends.

mod mask;
#[cfg(test)]
mod tests;

use std::collections::VecDeque;
use std::mem;
use std::sync::{Arc, Mutex};
use std::time::Instant;

use serde::Serialize;
use tokio::sync::watch;

use self::mask::Mask;
use super::lock;
use super::wire::Recorded;
use crate::clock::Clock;

/// The older ones are forgotten.
const MOST_KEPT: usize = 500;

/// More of a body is cut off, in bytes.
const MOST_BODY: usize = 16 * 1024;

/// Who speaks.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum Party {
    Slack,
    Zoom,
    OnAir,
    Browser,
}

/// A request with what became of it.
#[derive(Clone, Debug, Serialize)]
pub(super) struct Exchange {
    /// Its number, in the order in which they ended.
    pub(super) n: u64,
    at: String,
    ms: u64,
    from: Party,
    to: Party,
    method: String,
    path: String,
    headers: Vec<(String, String)>,
    body: String,
    /// None where no answer came.
    status: Option<u16>,
    answer_headers: Vec<(String, String)>,
    answer: String,
}

/// All of them. Clones share it.
#[derive(Clone, Debug)]
pub(super) struct Exchanges(Arc<Shared>);

#[derive(Debug)]
struct Shared {
    kept: Mutex<Kept>,
    /// The number of the last one.
    last: watch::Sender<u64>,
}

#[derive(Debug)]
struct Kept {
    mask: Mask,
    exchanges: VecDeque<Arc<Exchange>>,
}

impl Exchanges {
    /// None yet; these secrets are never kept, wherever they stand.
    pub(super) fn new(secrets: Vec<String>) -> Self {
        let kept = Kept { mask: Mask::new(secrets), exchanges: VecDeque::new() };
        Self(Arc::new(Shared { kept: Mutex::new(kept), last: watch::Sender::new(0) }))
    }

    /// The kept ones after that number, oldest first.
    pub(super) fn after(&self, number: u64) -> Vec<Arc<Exchange>> {
        let kept = lock(&self.0.kept);
        kept.exchanges.iter().filter(|exchange| exchange.n > number).cloned().collect()
    }

    /// The number of the last one, now and whenever there is another.
    pub(super) fn news(&self) -> watch::Receiver<u64> {
        self.0.last.subscribe()
    }

    /// Notes a request on its way. What becomes of it is told by [`Open::answered`], or it is dropped.
    pub(super) fn begin(&self, from: Party, to: Party, request: &Said<'_>) -> Open {
        let mut kept = lock(&self.0.kept);
        let mask = &mut kept.mask;
        let exchange = Exchange {
            n: 0,
            at: Clock::default().now().to_string(),
            ms: 0,
            from,
            to,
            method: request.method.to_owned(),
            path: mask.text(request.path),
            headers: mask.headers(request.headers),
            body: capped(mask.body(request.headers, &String::from_utf8_lossy(request.body))),
            status: None,
            answer_headers: Vec::new(),
            answer: String::new(),
        };
        drop(kept);
        Open { exchanges: self.clone(), exchange: Some(exchange), begun: Instant::now() }
    }

    fn keep(&self, mut exchange: Exchange) {
        let number = {
            let mut kept = lock(&self.0.kept);
            exchange.n = kept.exchanges.back().map_or(0, |last| last.n) + 1;
            let number = exchange.n;
            kept.exchanges.push_back(Arc::new(exchange));
            if kept.exchanges.len() > MOST_KEPT {
                kept.exchanges.pop_front();
            }
            number
        };
        self.0.last.send_replace(number);
    }
}

/// A request as it is written.
pub(super) struct Said<'a> {
    pub(super) method: &'a str,
    /// With the query.
    pub(super) path: &'a str,
    pub(super) headers: &'a [(String, String)],
    pub(super) body: &'a [u8],
}

/// A request that has no answer yet. Dropped, it never gets one.
#[derive(Debug)]
pub(super) struct Open {
    exchanges: Exchanges,
    exchange: Option<Exchange>,
    begun: Instant,
}

impl Open {
    /// Notes the answer.
    pub(super) fn answered(mut self, status: u16, headers: &[(String, String)], body: &str) {
        let Some(exchange) = &mut self.exchange else { return };
        let mut kept = lock(&self.exchanges.0.kept);
        exchange.status = Some(status);
        exchange.answer_headers = kept.mask.headers(headers);
        exchange.answer = capped(kept.mask.body(headers, body));
    }
}

impl Drop for Open {
    fn drop(&mut self) {
        if let Some(mut exchange) = mem::take(&mut self.exchange) {
            exchange.ms = u64::try_from(self.begun.elapsed().as_millis()).unwrap_or(u64::MAX);
            self.exchanges.keep(exchange);
        }
    }
}

/// Where one party writes what it hears and says.
#[derive(Clone, Debug)]
pub(super) struct Log {
    exchanges: Exchanges,
    here: Party,
}

impl Log {
    pub(super) fn new(exchanges: &Exchanges, here: Party) -> Self {
        Self { exchanges: exchanges.clone(), here }
    }

    /// Notes a request that came in, from the service or from a browser.
    pub(super) fn came(&self, request: &Recorded) -> Open {
        let by_browser = request.header("sec-fetch-mode").is_some()
            || request.header("user-agent").is_some_and(|agent| agent.starts_with("Mozilla/"));
        let from = if by_browser { Party::Browser } else { Party::OnAir };
        let path = match request.query.as_str() {
            "" => request.path.clone(),
            query => format!("{}?{query}", request.path),
        };
        let said = Said { method: &request.method, path: &path, headers: &request.headers, body: &request.body };
        self.exchanges.begin(from, self.here, &said)
    }

    /// Notes a request to the service.
    pub(super) fn sends(&self, method: &str, url: &str, headers: &[(String, String)], body: &[u8]) -> Open {
        let parsed = url::Url::parse(url).ok();
        let path = parsed.as_ref().map_or(url, |url| &url[url::Position::BeforePath..]);
        self.exchanges.begin(self.here, Party::OnAir, &Said { method, path, headers, body })
    }
}

fn capped(mut text: String) -> String {
    if text.len() > MOST_BODY {
        let mut end = MOST_BODY;
        while !text.is_char_boundary(end) {
            end -= 1;
        }
        text.truncate(end);
        text.push('…');
    }
    text
}
