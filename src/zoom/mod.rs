//! The Zoom door: how do OnAir's orders reach Zoom, and what came back?
//!
//! - One HTTP client with deadlines, which follows no redirect and asks no proxy of the environment, so that a bearer
//!   token goes to the configured addresses and nowhere else.
//! - An order is sent at most once per call. How it ended is an [`Attempt`], and what that means is decided by
//!   [`outcome::judge`], not here.
//! - Nothing about bodies or tokens is logged.
//!
//! Refreshing, repeating and choosing between a meeting and its webinar twin are use cases.

use std::fmt::Write as _;
use std::sync::Arc;
use std::time::{Duration, Instant};

use jiff::SignedDuration;
use reqwest::header::{ACCEPT, DATE};
use reqwest::{Client, RequestBuilder, Response, redirect, retry};
use tracing::Instrument as _;
use url::Url;

use self::answer::Body;
use self::draft::Draft;
use crate::clock::Clock;
use crate::grant::ZoomUser;
use crate::id::{ZoomAccountId, ZoomUserId};
use crate::meeting::{MeetingId, Settings};
use crate::metrics::Calls;
use crate::outcome::{self, Action, Answer, Attempt};
use crate::secret::Secret;

mod answer;
mod destination;
mod draft;
mod error;
mod facts;
pub mod inbound;
pub mod oauth;
mod wire;

pub use self::answer::read as read_answer;
pub use self::error::{BuildError, Cause, Error};
pub use self::facts::{MeetingFacts, StreamSettings};

const JSON: &str = "application/json";

/// How long an unused connection is kept. Shorter than any front of Zoom's keeps its end: an order written into a
/// connection that the other side is closing would end as unknown.
const IDLE: Duration = Duration::from_secs(15);

/// Where Zoom is, who we are there, and how long we wait.
#[derive(Clone, Debug)]
pub struct Options {
    /// The API's base, such as `https://api.zoom.us/v2`; a slash at its end does no harm.
    pub api_url: String,
    /// The base of OAuth, such as `https://zoom.us/oauth`.
    pub oauth_url: String,
    /// The Zoom app's client id.
    pub client_id: String,
    /// The Zoom app's client secret.
    pub client_secret: Secret,
    /// What Zoom signs its webhooks with: none, one, or two while one replaces the other.
    pub webhook_secrets: Vec<Secret>,
    /// Where Zoom sends people back; byte for byte as the Zoom app has it.
    pub redirect_uri: String,
    /// How orders are written.
    pub body: BodyFormat,
    /// The most time for name, route and TLS. Keep it below `call_timeout`, or a call that ends while it connects cannot
    /// be told from one that was sent.
    pub connect_timeout: Duration,
    /// The most time for a whole call, the body of its answer included.
    pub call_timeout: Duration,
}

/// How an order's body is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BodyFormat {
    /// `application/json`, which Zoom documents.
    Json,
    /// `multipart/form-data` with the parts `action` and, if anything was asked, `settings` (a JSON text).
    Multipart,
}

/// What an id stands for at Zoom; each has its own call and its own codes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Room {
    /// `/meetings/{id}/livestream/status`
    Meeting,
    /// `/webinars/{id}/livestream/status`
    Webinar,
}

impl Room {
    /// What stands before the id in Zoom's paths.
    fn path(self) -> &'static str {
        match self {
            Self::Meeting => "meetings",
            Self::Webinar => "webinars",
        }
    }
}

/// One order to start or stop a live stream.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Order {
    /// Start or stop.
    pub action: Action,
    /// Whose stream.
    pub meeting: MeetingId,
    /// What the id stands for.
    pub room: Room,
    /// What was asked of the picture; not sent with a stop. A layout for a webinar is refused before it comes here.
    pub settings: Settings,
}

/// Zoom, as this Zoom app sees it. A clone is the same door with the same connections.
#[derive(Clone, Debug)]
pub struct Zoom {
    inner: Arc<Inner>,
}

#[derive(Debug)]
struct Inner {
    http: Client,
    api_url: String,
    oauth_url: String,
    authorize: Url,
    options: Options,
    clock: Clock,
    calls: Calls,
}

impl Zoom {
    /// Builds the door; nothing is sent.
    ///
    /// # Errors
    ///
    /// If an address is none, or the system has no CA certificates.
    pub fn new(options: Options, clock: Clock) -> Result<Self, BuildError> {
        let http = Client::builder()
            .user_agent(concat!("onair/", env!("CARGO_PKG_VERSION")))
            .connect_timeout(options.connect_timeout)
            .timeout(options.call_timeout)
            .pool_idle_timeout(IDLE)
            .redirect(redirect::Policy::none())
            .retry(retry::never())
            .no_proxy()
            .build()
            .map_err(|error| BuildError::Client(Cause::new(error)))?;
        let api_url = base(&options.api_url, "api_url")?;
        let oauth_url = base(&options.oauth_url, "oauth_url")?;
        let authorize = plain(&format!("{oauth_url}/authorize"), "oauth_url")?;
        let calls = Calls::default();
        Ok(Self { inner: Arc::new(Inner { http, api_url, oauth_url, authorize, options, clock, calls }) })
    }

    /// What Zoom's webhooks are signed with; none where they are not set up.
    pub fn webhook_secrets(&self) -> &[Secret] {
        &self.inner.options.webhook_secrets
    }

    /// How its calls ended.
    pub fn calls(&self) -> &Calls {
        &self.inner.calls
    }

    /// Sends an order, once. Whatever happens is an [`Attempt`]: not sent, sent and unanswered, or answered. An answer
    /// whose body was cut is an answer, since its status is known.
    ///
    /// [Update livestream status](https://developers.zoom.us/docs/api/meetings/#tag/meetings/patch/meetings/{meetingId}/livestream/status)
    pub async fn order(&self, access: &Secret, order: &Order) -> Attempt {
        let began = Instant::now();
        let Ok(draft) = self.draft(order) else {
            return Attempt::NotSent;
        };
        let attempt = match self.send(call(order.room), draft.request(&self.inner.http, access)).await {
            Ok((answer, _)) => Attempt::Answered(answer),
            Err(error) => not_answered(order, error),
        };
        if let Attempt::Answered(answer) = &attempt {
            tracing::info!(
                meeting.id = order.meeting.number(),
                action = ?order.action,
                room = ?order.room,
                status = answer.status,
                code = answer.code,
                tracking_id = answer.tracking_id,
                duration_ms = began.elapsed().as_millis(),
                "Zoom answered an order"
            );
        }
        attempt
    }

    /// The request of an order as it would be sent, with the token hidden.
    pub fn preview(&self, order: &Order) -> String {
        self.draft(order).map(|draft| draft.to_string()).unwrap_or_default()
    }

    /// Whose token this is.
    ///
    /// [Get a user](https://developers.zoom.us/docs/api/users/#tag/users/get/users/{userId})
    pub async fn me(&self, access: &Secret) -> Result<ZoomUser, Error> {
        self.get(access, "users/me", "/users/me").await.map(zoom_user)
    }

    /// Whether both of Zoom's addresses answer HTTP at all; any status will do. Tells by how much this machine's clock is
    /// ahead of Zoom's, where Zoom says the time.
    pub async fn reachable(&self) -> Result<Option<SignedDuration>, Error> {
        let mut ahead = None;
        for url in [&self.inner.api_url, &self.inner.oauth_url] {
            let answer = self.inner.http.get(url).header(ACCEPT, JSON).send().await.map_err(Error::of_call)?;
            let date = answer.headers().get(DATE).and_then(|date| date.to_str().ok());
            let theirs = date.and_then(|date| jiff::fmt::rfc2822::parse(date).ok());
            ahead = theirs.map(|theirs| self.inner.clock.now().duration_since(theirs.timestamp())).or(ahead);
        }
        Ok(ahead)
    }

    fn draft(&self, order: &Order) -> Result<Draft, serde_json::Error> {
        Draft::new(&self.inner.api_url, self.inner.options.body, order)
    }

    /// Sends a request of whatever kind, and counts how that went.
    async fn ask(&self, call: &'static str, request: RequestBuilder) -> Result<Response, reqwest::Error> {
        let span = tracing::info_span!("zoom", call, result = tracing::field::Empty);
        let asked = request.send().instrument(span.clone()).await;
        span.record("result", result(&asked));
        self.inner.calls.count(call, result(&asked));
        asked
    }

    async fn send(&self, call: &'static str, request: RequestBuilder) -> Result<(Answer, Body), reqwest::Error> {
        let response = self.ask(call, request).await?;
        let status = response.status().as_u16();
        let headers = response.headers().clone();
        let body = Body::read(response).await;
        Ok((answer::read(status, &headers, body.bytes(), self.inner.clock.now()), body))
    }

    fn refusal(&self, answer: Answer) -> Error {
        if let Some(missing) = outcome::missing_scopes(&answer) {
            return Error::Scope { missing };
        }
        let (status, code, limit, denied) =
            (answer.status, answer.code, answer.limit.clone(), outcome::denied(&answer));
        if outcome::is_unauthorized(&Attempt::Answered(answer)) {
            return Error::Unauthorized;
        }
        match (status, denied) {
            (429, _) => Error::busy(&limit, self.inner.clock.now()),
            (_, Some(denied)) => Error::Denied(denied),
            (500.., None) => Error::Down { status },
            (_, None) => Error::Refused { status, code: code.map(|code| code.to_string()) },
        }
    }
}

/// An order's call as it is counted.
fn call(room: Room) -> &'static str {
    match room {
        Room::Meeting => "meetings/livestream/status",
        Room::Webinar => "webinars/livestream/status",
    }
}

/// How a call went, in one of few words: the class of Zoom's status, or why there is none.
fn result(asked: &Result<Response, reqwest::Error>) -> &'static str {
    match asked.as_ref().map(|response| response.status().as_u16()) {
        Ok(429) => "429",
        Ok(..300) => "2xx",
        Ok(300..400) => "3xx",
        Ok(400..500) => "4xx",
        Ok(500..) => "5xx",
        Err(error) if error::never_left(error) => "unreachable",
        Err(error) if error.is_timeout() => "timeout",
        Err(_) => "cut",
    }
}

fn not_answered(order: &Order, error: reqwest::Error) -> Attempt {
    let attempt = if error::never_left(&error) { Attempt::NotSent } else { Attempt::NoAnswer };
    let error: &dyn std::error::Error = &Cause::new(error);
    tracing::warn!(
        meeting.id = order.meeting.number(),
        action = ?order.action,
        room = ?order.room,
        attempt = ?attempt,
        error,
        "Zoom did not answer an order"
    );
    attempt
}

fn zoom_user(user: wire::User) -> ZoomUser {
    let mut full = user.first_name.unwrap_or_default();
    if let Some(last) = &user.last_name {
        let _ = write!(full, " {last}");
    }
    let name = user.display_name.unwrap_or(full);
    ZoomUser {
        id: ZoomUserId::new(user.id),
        account: user.account_id.map(ZoomAccountId::new),
        name: Some(name.trim().to_owned()).filter(|name| !name.is_empty()),
        email: user.email,
    }
}

/// An address without its last slash, if it can be a base.
fn base(address: &str, option: &'static str) -> Result<String, BuildError> {
    plain(address, option)?;
    Ok(address.trim_end_matches('/').to_owned())
}

fn plain(address: &str, option: &'static str) -> Result<Url, BuildError> {
    let is_plain = |url: &Url| {
        matches!(url.scheme(), "http" | "https")
            && url.username().is_empty()
            && url.password().is_none()
            && url.query().is_none()
            && url.fragment().is_none()
    };
    Url::parse(address).ok().filter(is_plain).ok_or(BuildError::Address { option })
}
