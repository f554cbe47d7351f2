//! A typed command on its way to the app: the signed request, the three seconds, and what becomes of the answer.
//! Pressed buttons travel alike; see [`SimSlack::presses`].
//!
//! [Slash commands](https://docs.slack.dev/interactivity/implementing-slash-commands),
//! [signatures](https://docs.slack.dev/authentication/verifying-requests-from-slack)

use std::time::{Duration, Instant};

use serde_json::Value;

use super::message::{Audience, Author};
use super::people::{Channel, User, Workspace};
use super::post::Post;
use super::world::State;
use super::{SimSlack, hooks};
use crate::sandbox::signed::{AppAnswer, NoAnswer, SignedRequest, signature};

/// The app's id, in every workspace.
pub(super) const APP_ID: &str = "A00000001";

/// What Slack once wanted to be known by, before there were signatures.
pub(super) const VERIFICATION_TOKEN: &str = "verification-token";

impl SignedRequest {
    /// The value of a form field.
    pub fn form_field(&self, name: &str) -> Option<String> {
        url::form_urlencoded::parse(&self.body).find(|(key, _)| key == name).map(|(_, value)| value.into_owned())
    }

    /// The JSON in the `payload` of an interaction; null for a command.
    pub fn payload(&self) -> Value {
        let payload = self.form_field("payload").unwrap_or_default();
        serde_json::from_str(&payload).unwrap_or_default()
    }

    /// Its `response_url`.
    pub fn response_url(&self) -> String {
        let of_press = || self.payload()["response_url"].as_str().map(str::to_owned);
        self.form_field("response_url").or_else(of_press).unwrap_or_default()
    }

    /// Replaces a form field's value; the signature is then wrong until [`SimSlack::resign`].
    pub fn set_form_field(&mut self, name: &str, value: &str) {
        let mut pairs: Vec<(String, String)> = url::form_urlencoded::parse(&self.body).into_owned().collect();
        match pairs.iter_mut().find(|(key, _)| key == name) {
            Some((_, old)) => value.clone_into(old),
            None => pairs.push((name.to_owned(), value.to_owned())),
        }
        let mut form = url::form_urlencoded::Serializer::new(String::new());
        form.extend_pairs(pairs);
        self.body = form.finish().into_bytes();
    }
}

/// What Slack tells the person when the app did not answer well.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Failure {
    /// Not within three seconds.
    OperationTimeout,
    /// Not reachable, not 200, or not a message.
    DispatchFailed,
}

impl Failure {
    /// Slack's word for it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::OperationTimeout => "operation_timeout",
            Self::DispatchFailed => "dispatch_failed",
        }
    }
}

/// What became of one delivery.
#[derive(Clone, Debug)]
pub struct Delivery {
    /// What was sent.
    pub request: SignedRequest,
    /// What the app answered, if it did in time.
    pub answer: Option<AppAnswer>,
    /// What the person was told instead, if the command or press failed.
    pub failure: Option<Failure>,
    /// How long the app took.
    pub took: Duration,
}

impl Delivery {
    /// The status the app answered; 0 if it did not.
    pub fn status(&self) -> u16 {
        self.answer.as_ref().map_or(0, |answer| answer.status)
    }

    /// The `response_url` of this command or press.
    pub fn response_url(&self) -> String {
        self.request.response_url()
    }

    /// The number of that `response_url`: what tells the answers to this command from all others.
    pub fn hook(&self) -> Option<u64> {
        self.response_url().rsplit('-').next()?.parse().ok()
    }
}

impl SimSlack {
    /// A person types a line beginning with the command's name; returns when Slack has the app's answer.
    pub async fn types(&self, user: &User, channel: &Channel, line: &str) -> Delivery {
        let request = self.signed_request(user, channel, line);
        self.deliver(user, channel, line, &request).await
    }

    /// A person says something that is no command.
    pub(in crate::sandbox) fn says(&self, user: &User, channel: &Channel, text: &str) {
        let author = Author::Person(user.name.clone());
        let text = text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;");
        self.world.change(|state| {
            state.say(channel, author, Audience::Channel, &Post::plain(&text));
        });
    }

    /// The request that [`types`](Self::types) would send, with a `response_url` of its own.
    pub fn signed_request(&self, user: &User, channel: &Channel, line: &str) -> SignedRequest {
        let base = &self.hooks_base();
        let body = self.world.change(|state| {
            let (number, response_url) = hooks::make(state, base, user, channel, None);
            payload(state, user, channel, line, number, &response_url)
        });
        self.signed_form(self.world.read(|state| state.command_url.clone()), body)
    }

    /// A form as Slack sends it, signed as of now. Without an address it cannot be delivered.
    pub(super) fn signed_form(&self, url: Option<String>, body: String) -> SignedRequest {
        let mut request = SignedRequest {
            url: url.unwrap_or_default(),
            headers: vec![
                ("content-type".to_owned(), "application/x-www-form-urlencoded".to_owned()),
                ("user-agent".to_owned(), "Slackbot 1.0 (+https://api.slack.com/robots)".to_owned()),
                ("accept".to_owned(), "application/json,*/*".to_owned()),
            ],
            body: body.into_bytes(),
        };
        self.resign(&mut request, self.world.clock.now().as_second());
        request
    }

    /// Slack's check of the certificate: signed by nobody, a command from nobody.
    pub fn ssl_check(&self) -> SignedRequest {
        SignedRequest {
            url: self.world.read(|state| state.command_url.clone()).unwrap_or_default(),
            headers: vec![("content-type".to_owned(), "application/x-www-form-urlencoded".to_owned())],
            body: format!("token={VERIFICATION_TOKEN}&ssl_check=1").into_bytes(),
        }
    }

    /// Signs a request anew, as if sent at this Unix time.
    pub fn resign(&self, request: &mut SignedRequest, unix_seconds: i64) {
        let timestamp = unix_seconds.to_string();
        let signed = signature(&self.signing_secret, &timestamp, &request.body);
        request.set_header("X-Slack-Request-Timestamp", timestamp);
        request.set_header("X-Slack-Signature", signed);
    }

    /// Sends a request as it is. The world stays as it was; the answer is for the test's eyes only.
    pub async fn send(&self, request: &SignedRequest) -> Result<AppAnswer, Failure> {
        self.http.send(request).await.map_err(|no_answer| match no_answer {
            NoAnswer::InTime => Failure::OperationTimeout,
            NoAnswer::AtAll => Failure::DispatchFailed,
        })
    }

    /// Sends a request and judges the answer by its status; the world stays as it was.
    pub(super) async fn attempt(&self, request: &SignedRequest) -> Delivery {
        let begun = Instant::now();
        let sent = self.send(request).await;
        let took = begun.elapsed();
        let (answer, failure) = match sent {
            Ok(answer) if answer.status == 200 => (Some(answer), None),
            Ok(answer) => (Some(answer), Some(Failure::DispatchFailed)),
            Err(failure) => (None, Some(failure)),
        };
        Delivery { request: request.clone(), answer, failure, took }
    }

    /// Sends a command and shows the person what Slack makes of the answer.
    pub async fn deliver(&self, user: &User, channel: &Channel, line: &str, request: &SignedRequest) -> Delivery {
        let mut delivery = self.attempt(request).await;
        let url = request.response_url();
        delivery.failure = self.world.change(|state| {
            let taken = match (&delivery.answer, delivery.failure) {
                (Some(answer), None) => direct_answer(state, &url, user, channel, line, answer),
                (_, failure) => failure,
            };
            if let Some(failure) = taken {
                let command = line.split(' ').next().unwrap_or_default();
                let told = format!("{command} failed with the error \"{}\"", failure.as_str());
                state.say(channel, Author::Slackbot, Audience::Only(user.clone()), &Post::plain(&told));
            }
            taken
        });
        delivery
    }
}

/// Makes a message of the body of the 200.
fn direct_answer(
    state: &mut State,
    response_url: &str,
    user: &User,
    channel: &Channel,
    line: &str,
    answer: &AppAnswer,
) -> Option<Failure> {
    if answer.body.is_empty() {
        return None;
    }
    let is_json = answer.content_type.as_deref().is_some_and(|kind| kind.starts_with("application/json"));
    let read = if is_json { Post::read_for_command(answer.body.as_bytes()) } else { Ok(Post::plain(&answer.body)) };
    let post = match read {
        Ok(post) => post,
        Err(refusal) => {
            state.complaints.push(format!("answer to a command: {}: {}", refusal.error, refusal.detail));
            return Some(Failure::DispatchFailed);
        }
    };
    state.complaints.extend(post.oddities.iter().cloned());
    if post.in_channel() {
        let author = Author::Person(user.name.clone());
        state.say(channel, author, Audience::Channel, &Post::plain(line));
    }
    if !post.is_empty() {
        let audience = if post.in_channel() { Audience::Channel } else { Audience::Only(user.clone()) };
        let hook = state.hooks.iter().find(|hook| response_url.ends_with(&hook.path)).map(|hook| hook.number);
        state.say(channel, Author::App, audience, &post).hook = hook;
    }
    None
}

/// The form, with all the fields Slack sends, in Slack's order.
fn payload(state: &State, user: &User, channel: &Channel, line: &str, number: u64, response_url: &str) -> String {
    let workspace = state.workspace(&user.team);
    let enterprise = workspace.and_then(|workspace| workspace.enterprise.as_ref());
    let (command, text) = line.split_once(' ').unwrap_or((line, ""));
    let mut form = url::form_urlencoded::Serializer::new(String::new());
    form.append_pair("token", VERIFICATION_TOKEN);
    form.append_pair("team_id", &user.team);
    form.append_pair("team_domain", workspace.map(|workspace| workspace.domain.as_str()).unwrap_or_default());
    if let Some(enterprise) = enterprise {
        form.append_pair("enterprise_id", &enterprise.id);
        form.append_pair("enterprise_name", &enterprise.name);
    }
    form.append_pair("channel_id", &channel.id);
    form.append_pair("channel_name", channel.payload_name());
    form.append_pair("user_id", &user.id);
    form.append_pair("user_name", &user.name);
    form.append_pair("command", command);
    form.append_pair("text", text);
    form.append_pair("api_app_id", APP_ID);
    let org_wide = workspace.and_then(Workspace::org_wide).is_some();
    form.append_pair("is_enterprise_install", if org_wide { "true" } else { "false" });
    form.append_pair("response_url", response_url);
    form.append_pair("trigger_id", &trigger_id(user, number));
    form.finish()
}

/// What would open a dialog within three seconds.
pub(super) fn trigger_id(user: &User, number: u64) -> String {
    format!("{number}.{}.trigger-canary-{number:06}", user.team)
}
