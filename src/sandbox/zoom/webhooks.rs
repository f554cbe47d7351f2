//! Events on their way to the app: signed, one after the other, tried again as long as Zoom does.
//!
//! [Using webhooks](https://developers.zoom.us/docs/api/webhooks/)

use std::collections::VecDeque;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use tokio::time::Instant;

use super::SimZoom;
use super::event::Event;
use super::world::{Due, World};
use crate::sandbox::signed::{AppAnswer, NoAnswer, SignedRequest, signature};
use crate::sandbox::{TimedOut, lock, wait};

/// More events than this on their way at once are not kept.
const MOST_UNDELIVERED: usize = 1_000;

/// An event on its way, or delivered.
#[derive(Clone, Debug)]
pub struct Sent {
    /// What happened.
    pub event: Event,
    /// How often it was tried.
    pub tries: usize,
    /// The latest try: sent once more, it is a replay with the old signature.
    pub request: Option<SignedRequest>,
    /// What came of the latest try; none before the first.
    pub answer: Option<Result<AppAnswer, NoAnswer>>,
}

impl Sent {
    /// The status of the latest answer; 0 if there was none.
    pub fn status(&self) -> u16 {
        self.answer.as_ref().and_then(|answer| answer.as_ref().ok()).map_or(0, |answer| answer.status)
    }
}

impl fmt::Display for Sent {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} → {}, tries: {}", self.event.name, self.status(), self.tries)
    }
}

/// How a held delivery goes on: all in order. See [`SimZoom::release_events`].
pub fn in_order(held: Vec<Event>) -> Vec<Event> {
    held
}

/// The latest first.
pub fn reversed(mut held: Vec<Event>) -> Vec<Event> {
    held.reverse();
    held
}

/// All in order, each of them twice in a row.
pub fn doubled(held: Vec<Event>) -> Vec<Event> {
    held.into_iter().flat_map(|event| [event.clone(), event]).collect()
}

/// The app's subscription and everything that was sent to it.
#[derive(Debug, Default)]
pub(super) struct Webhooks {
    to: Option<Subscription>,
    in_milliseconds: bool,
    redelivery: Vec<Duration>,
    /// While deliveries are held: what waits.
    held: Option<Vec<Event>>,
    sent: Vec<Sent>,
    /// What is to be tried next, by its place in `sent`.
    outbox: VecDeque<usize>,
    last_moment: Timestamp,
    requests: u64,
    pub(super) validations: u64,
}

#[derive(Clone, Debug)]
pub(super) struct Subscription {
    pub(super) url: String,
    pub(super) secret_token: String,
}

impl Webhooks {
    pub(super) fn subscription(&self) -> Option<&Subscription> {
        self.to.as_ref()
    }

    /// A time that no event has yet, by which the app can tell events apart.
    pub(super) fn next_moment(&mut self, now: Timestamp) -> Timestamp {
        self.last_moment = now.max(self.last_moment + SignedDuration::from_millis(1));
        self.last_moment
    }

    /// Puts an event on its way, if there is one; returns what is wrong, if something is.
    pub(super) fn send(&mut self, event: Event) -> Option<String> {
        match (&self.to, &mut self.held) {
            (None, _) => None,
            (Some(_), Some(held)) => {
                held.push(event);
                None
            }
            (Some(_), None) if self.outbox.len() >= MOST_UNDELIVERED => {
                Some(format!("{}: {MOST_UNDELIVERED} events are on their way already", event.name))
            }
            (Some(_), None) => {
                self.outbox.push_back(self.sent.len());
                self.sent.push(Sent { event, tries: 0, request: None, answer: None });
                None
            }
        }
    }

    pub(super) fn try_again(&mut self, index: usize) {
        self.outbox.push_back(index);
    }

    /// Notes what came of a try; returns when to try again, and what is wrong.
    fn tried(
        &mut self,
        index: usize,
        request: SignedRequest,
        answer: Result<AppAnswer, NoAnswer>,
    ) -> (Option<Duration>, Option<String>) {
        let sent = &mut self.sent[index];
        sent.tries += 1;
        let (may_repeat, wrong) = match &answer {
            Ok(answer) => (answer.status >= 500, (300..500).contains(&answer.status)),
            Err(NoAnswer::InTime) => (true, true),
            Err(NoAnswer::AtAll) => (true, false),
        };
        sent.request = Some(request);
        sent.answer = Some(answer);
        let again = self.redelivery.get(sent.tries - 1).copied().filter(|_| may_repeat);
        (again, wrong.then(|| format!("event {sent}; Zoom wants 200 or 204 within 3 seconds")))
    }
}

impl SimZoom {
    /// Subscribes the app to all events, or changes the address or the secret token of its subscription.
    ///
    /// An app hears of the meetings of those users who have connected it, as far as their grants' scopes go.
    pub fn connect_webhooks(&self, url: &str, secret_token: &str) {
        let to = Subscription { url: url.to_owned(), secret_token: secret_token.to_owned() };
        self.world.change(|state| state.webhooks.to = Some(to));
    }

    /// Writes `x-zm-request-timestamp` in milliseconds from now on, not in seconds.
    pub fn sign_in_milliseconds(&self) {
        self.world.change(|state| state.webhooks.in_milliseconds = true);
    }

    /// Sets how long after a failed try the next one comes; after the last of these the event is lost. At first there is
    /// one try. (Zoom: 5, 20 and 60 minutes.)
    pub fn set_redelivery(&self, intervals: &[Duration]) {
        self.world.change(|state| state.webhooks.redelivery = intervals.to_vec());
    }

    /// Holds back what happens from now on.
    pub fn hold_events(&self) {
        self.world.change(|state| {
            state.webhooks.held.get_or_insert_default();
        });
    }

    /// What is held back.
    pub fn held_events(&self) -> Vec<Event> {
        self.world.read(|state| state.webhooks.held.clone()).unwrap_or_default()
    }

    /// Puts on its way what was held back, arranged by [`in_order`], [`reversed`], [`doubled`] or otherwise; nothing is
    /// held any more.
    pub fn release_events(&self, arranged: impl FnOnce(Vec<Event>) -> Vec<Event>) {
        self.world.change(|state| {
            for event in arranged(state.webhooks.held.take().unwrap_or_default()) {
                let problem = state.webhooks.send(event);
                state.complaints.extend(problem);
            }
        });
    }

    /// Everything that was put on its way, in this order.
    pub fn events(&self) -> Vec<Sent> {
        self.world.read(|state| state.webhooks.sent.clone())
    }

    /// Waits until this many events were put on their way and each of them was tried; returns them all.
    pub async fn wait_for_events(&self, count: usize, within: Duration) -> Result<Vec<Sent>, TimedOut> {
        self.wait_until(&format!("{count} events"), within, |zoom| {
            let sent = zoom.events();
            (sent.len() >= count && sent.iter().all(|sent| sent.answer.is_some())).then_some(sent)
        })
        .await
    }

    /// The request that delivers an event, signed as of now. Without a subscription it goes nowhere.
    pub fn signed_event(&self, event: &Event) -> SignedRequest {
        self.world.signed(event.body.as_bytes())
    }

    /// Signs a request anew, with this timestamp.
    pub fn resign(&self, request: &mut SignedRequest, timestamp: &str) {
        self.world.sign(request, timestamp);
    }

    /// Delivers an event once more: the body is the same, the signature is of now. The record stays as it was.
    pub async fn deliver(&self, event: &Event) -> Result<AppAnswer, NoAnswer> {
        self.send(&self.signed_event(event)).await
    }

    /// Sends a request as it is. The answer is for the test's eyes only.
    pub async fn send(&self, request: &SignedRequest) -> Result<AppAnswer, NoAnswer> {
        self.world.http.send(request).await
    }
}

impl World {
    fn signed(&self, body: &[u8]) -> SignedRequest {
        let (number, url) = self.change(|state| {
            state.webhooks.requests += 1;
            let url = state.webhooks.to.as_ref().map(|to| to.url.clone());
            (state.webhooks.requests, url.unwrap_or_default())
        });
        let headers = [
            ("content-type", "application/json; charset=utf-8"),
            ("user-agent", "Zoom Marketplace/1.0a"),
            ("clientid", &self.client_id),
            ("x-zm-trackingid", &format!("WEBHOOK_{number:08}")),
        ];
        let headers = headers.map(|(name, value)| (name.to_owned(), value.to_owned())).to_vec();
        let mut request = SignedRequest { url, headers, body: body.to_vec() };
        let now = self.clock.now();
        let in_milliseconds = self.read(|state| state.webhooks.in_milliseconds);
        let timestamp = if in_milliseconds { now.as_millisecond() } else { now.as_second() };
        self.sign(&mut request, &timestamp.to_string());
        request
    }

    fn sign(&self, request: &mut SignedRequest, timestamp: &str) {
        let secret = self.read(|state| state.webhooks.to.as_ref().map(|to| to.secret_token.clone()));
        request.set_header("x-zm-request-timestamp", timestamp);
        request.set_header("x-zm-signature", signature(&secret.unwrap_or_default(), timestamp, &request.body));
    }
}

/// Delivers what is on its way, one after the other: in this world, events overtake each other only when a test says so.
pub(super) async fn deliver_all(world: Arc<World>) {
    loop {
        let next = || lock(&world.state).webhooks.outbox.pop_front();
        let Some(index) = wait::until(&world.changes, Duration::MAX, next).await else { continue };
        let body = world.read(|state| state.webhooks.sent[index].event.body.clone());
        let request = world.signed(body.as_bytes());
        let answer = world.http.send(&request).await;
        world.change(|state| {
            let (again, problem) = state.webhooks.tried(index, request, answer);
            state.due.extend(again.map(|after| (Instant::now() + after, Due::Retry(index))));
            state.complaints.extend(problem);
        });
    }
}
