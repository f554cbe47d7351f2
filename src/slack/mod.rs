//! The Slack door: checks what comes in, posts what goes out. How a request is trusted is in [`inbound`], how a
//! message becomes blocks in [`render`]; this file is the client.
//!
//! One HTTP client with deadlines, which follows no redirect and asks no proxy of the environment, so that an answer goes
//! to the `response_url` and a token to the Web API, and nowhere else.
//!
//! Slack's own types stay behind this door. What a person typed and the `response_url` are never logged.

mod home;
pub mod inbound;
pub mod modal;
mod oauth;
mod people;
mod post;
pub mod render;
mod scopes;

use std::sync::Arc;
use std::time::Duration;

use reqwest::{StatusCode, header, redirect, retry};
use serde_json::Value;
use slack_morphism::prelude::SlackApiAuthTestResponse;
use tokio::sync::OnceCell;
use tracing::Instrument as _;

use crate::id::TeamId;
use crate::invocation::ReplyTo;
use crate::metrics::Calls;
use crate::secret::Secret;
use crate::words::Message;

pub use self::oauth::{Client, NotInstalled, NotProven, choose_workspaces_url};
pub use self::people::Member;

/// How many messages a `response_url` takes.
pub const USES: u32 = 5;

/// What the door needs to know.
#[derive(Clone, Debug)]
pub struct Options {
    /// Where the Web API is, without a slash at the end.
    pub api_url: String,
    /// Where people install the app and sign in, without a slash at the end.
    pub oauth_url: String,
    /// The app, where it can be installed from here.
    pub client: Option<Client>,
    /// The prefix that a `response_url` must have, without a slash at the end.
    pub hooks_url: String,
    /// The bot's token in the one workspace that was not installed through OAuth.
    pub bot_token: Option<Secret>,
    /// One secret, or two while one replaces the other.
    pub signing_secrets: Vec<Secret>,
    /// The most time for name, route and TLS. Keep it below `timeout`, or a call that ends while it connects cannot be
    /// told from one that was sent.
    pub connect_timeout: Duration,
    /// The most time for a whole call.
    pub timeout: Duration,
}

/// Why Slack did not take something.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The link is used up or too old, or the channel is gone: nothing can be posted there any more.
    #[error("the response_url is spent ({0})")]
    Spent(StatusCode),
    /// Too many messages.
    #[error("Slack asks to wait {} s", .0.as_secs())]
    Busy(Duration),
    /// Slack failed on its own side.
    #[error("Slack answered {0}")]
    Away(StatusCode),
    /// The request did not leave.
    #[error("Slack could not be reached")]
    Unreachable(#[source] reqwest::Error),
    /// It left, and no answer came: it may have been posted.
    #[error("Slack did not answer")]
    NoAnswer(#[source] reqwest::Error),
    /// Slack said no in the words of its API (`ok: false`).
    #[error("Slack refused: {0}")]
    Refused(String),
    /// There is no bot token of that workspace.
    #[error("there is no bot of that workspace to post as")]
    NoBot,
}

impl Error {
    /// Whether the message is to be posted once more, and after how long at the least. What left and was not answered is
    /// repeated like what did not leave: it may then be read twice, which is better than a command without an answer.
    pub fn retry_in(&self) -> Option<Duration> {
        match self {
            Self::Busy(wait) => Some(*wait),
            Self::Away(_) | Self::Unreachable(_) | Self::NoAnswer(_) => Some(Duration::ZERO),
            Self::Spent(_) | Self::Refused(_) | Self::NoBot => None,
        }
    }

    /// Whether Slack said that the token is good for nothing any more.
    pub fn is_dead_token(&self) -> bool {
        const DEAD: [&str; 5] = ["account_inactive", "invalid_auth", "not_authed", "token_expired", "token_revoked"];
        matches!(self, Self::Refused(why) if DEAD.contains(&why.as_str()))
    }

    fn word(&self) -> &'static str {
        match self {
            Self::Spent(_) => "spent",
            Self::Busy(_) => "throttled",
            Self::Away(_) => "away",
            Self::Unreachable(_) => "unreachable",
            Self::NoAnswer(_) => "no_answer",
            Self::Refused(_) => "refused",
            Self::NoBot => "no_bot",
        }
    }
}

/// The HTTP client could not be built; usually the system has no certificates (`ca-certificates`).
#[derive(Debug, thiserror::Error)]
#[error("the HTTP client for Slack could not be built")]
pub struct BuildError(#[source] reqwest::Error);

/// The client, and the rules for what comes in.
#[derive(Clone, Debug)]
pub struct Slack {
    options: Options,
    http: reqwest::Client,
    /// The workspace of the bot token, once it was asked for.
    home: Arc<OnceCell<TeamId>>,
    calls: Calls,
}

impl Slack {
    /// Builds the client once.
    pub fn new(options: Options) -> Result<Self, BuildError> {
        let http = reqwest::Client::builder()
            .user_agent(concat!("onair/", env!("CARGO_PKG_VERSION")))
            .connect_timeout(options.connect_timeout)
            .timeout(options.timeout)
            .pool_idle_timeout(Duration::from_secs(15))
            .redirect(redirect::Policy::none())
            .retry(retry::never())
            .no_proxy()
            .build()
            .map_err(BuildError)?;
        Ok(Self { options, http, home: Arc::default(), calls: Calls::default() })
    }

    /// Who may sign requests, and where answers may go.
    pub fn options(&self) -> &Options {
        &self.options
    }

    /// How its calls ended.
    pub fn calls(&self) -> &Calls {
        &self.calls
    }

    /// Posts an answer at a `response_url`: public or private as the message says. Each URL takes five.
    ///
    /// [Message responses](https://docs.slack.dev/interactivity/handling-user-interaction#message_responses)
    pub async fn answer(&self, reply_to: &ReplyTo, message: &Message) -> Result<(), Error> {
        self.counted("response_url", self.answer_at(reply_to, message)).await
    }

    async fn answer_at(&self, reply_to: &ReplyTo, message: &Message) -> Result<(), Error> {
        let sent = self.http.post(reply_to.expose()).json(&render::response(message)).send().await;
        let response = sent.map_err(from_reqwest)?;
        let status = response.status();
        if status.is_success() {
            return Ok(());
        }
        Err(match status {
            StatusCode::TOO_MANY_REQUESTS => Error::Busy(retry_after(response.headers())),
            _ if status.is_server_error() => Error::Away(status),
            _ => Error::Spent(status),
        })
    }

    /// Asks Slack whether it is there, and where there is a bot token, whether the token is good; tells the workspace.
    ///
    /// [`auth.test`](https://docs.slack.dev/reference/methods/auth.test),
    /// [`api.test`](https://docs.slack.dev/reference/methods/api.test)
    pub async fn check(&self) -> Result<Option<String>, Error> {
        let method = if self.options.bot_token.is_some() { "auth.test" } else { "api.test" };
        let mut request = self.http.post(format!("{}/{method}", self.options.api_url));
        if let Some(token) = &self.options.bot_token {
            request = request.bearer_auth(token.expose());
        }
        let response = request.send().await.map_err(from_reqwest)?;
        if !response.status().is_success() {
            return Err(Error::Away(response.status()));
        }
        let body: Value = response.json().await.map_err(from_reqwest)?;
        if body["ok"] != true {
            return Err(Error::Refused(body["error"].as_str().unwrap_or("no reason given").to_owned()));
        }
        Ok(serde_json::from_value::<SlackApiAuthTestResponse>(body).ok().map(|who| who.team))
    }

    /// Makes a call, in a span of its own, and counts how that went.
    async fn counted<T>(
        &self,
        call: &'static str,
        calling: impl Future<Output = Result<T, Error>>,
    ) -> Result<T, Error> {
        let span = tracing::info_span!("slack", call, result = tracing::field::Empty);
        let ended = calling.instrument(span.clone()).await;
        let result = ended.as_ref().map_or_else(Error::word, |_| "ok");
        span.record("result", result);
        self.calls.count(call, result);
        ended
    }
}

fn from_reqwest(error: reqwest::Error) -> Error {
    let error = error.without_url();
    // A time-out while connecting is `is_connect` and `is_timeout` at once, and nothing was sent.
    if error.is_connect() || error.is_builder() { Error::Unreachable(error) } else { Error::NoAnswer(error) }
}

/// Reads what a method answers. Slack says no with HTTP 200 and `ok: false`.
async fn read(response: reqwest::Response) -> Result<Value, Error> {
    let status = response.status();
    match status {
        StatusCode::TOO_MANY_REQUESTS => return Err(Error::Busy(retry_after(response.headers()))),
        // Nothing is wrong with Slack: it does not know the call, or us.
        _ if status.is_client_error() => return Err(Error::Refused(status.to_string())),
        _ if !status.is_success() => return Err(Error::Away(status)),
        _ => {}
    }
    let body: Value = response.json().await.map_err(from_reqwest)?;
    if body["ok"] == true {
        return Ok(body);
    }
    match body["error"].as_str().unwrap_or("no reason given") {
        // It has been seen in place of `expired_trigger_id`.
        "invalid_arguments" if body["response_metadata"]["messages"].to_string().contains("trigger") => {
            Err(Error::Refused("expired_trigger_id".to_owned()))
        }
        "ratelimited" => Err(Error::Busy(Duration::from_secs(1))),
        "internal_error" | "fatal_error" | "service_unavailable" | "request_timeout" => Err(Error::Away(status)),
        error => Err(Error::Refused(error.to_owned())),
    }
}

/// Slack's `Retry-After` is whole seconds.
fn retry_after(headers: &header::HeaderMap) -> Duration {
    let seconds = headers.get(header::RETRY_AFTER).and_then(|value| value.to_str().ok()?.trim().parse().ok());
    Duration::from_secs(seconds.unwrap_or(1))
}
