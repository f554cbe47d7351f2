//! A simulated Zoom: users, meetings and webinars, OAuth with rotating tokens, the live stream calls, and events.
//!
//! It answers with Zoom's statuses, codes and shapes. Where Zoom's behavior is not documented it is generous: a stop
//! without a stream is fine, and so is a start of what is on air, once 30 seconds have passed. As at Zoom, a 204 to a
//! start says only that it was taken: what becomes of it is told by an event, or by none.

mod api;
mod body;
mod cast;
mod event;
mod life;
mod meeting;
mod oauth;
mod route;
mod screen;
mod status;
mod target;
#[cfg(test)]
mod tests;
mod validation;
mod webhooks;
mod world;

use std::fmt;
use std::io;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use sha2::{Digest as _, Sha256};
use tokio::sync::watch;

pub use api::refusal;
pub use event::Event;
pub use meeting::{Kind, Meeting, Service, Stream, Target, ToStrangers};
pub use oauth::{Tokens, invalid_grant};
pub use route::Route;
pub use validation::Invalid;
pub use webhooks::{Sent, doubled, in_order, reversed};
pub use world::User;

use self::world::{Action, State, Visitor, World};
use super::exchange::{Exchanges, Log, Party};
use super::wait::{self, TimedOut};
use super::wire::{Recorded, Server};
use super::{Fault, signed};
use crate::clock::Clock;

/// The scopes of the app unless a test says otherwise.
pub const SCOPES: &[&str] = &[
    "user:read:user",
    "user:read:settings",
    "meeting:read:meeting",
    "meeting:read:livestream",
    "meeting:update:livestream",
    "meeting:update:livestream_status",
    "webinar:update:livestream_status",
];

/// What it takes besides to hear of webinars and to know and set where they go.
pub const WEBINAR_SCOPES: &[&str] = &["webinar:read:webinar", "webinar:read:livestream", "webinar:update:livestream"];

/// A handle on the simulated Zoom. Clones share it; it stops when the last one is dropped.
#[derive(Clone)]
pub struct SimZoom {
    world: Arc<World>,
    server: Arc<Server>,
}

impl fmt::Debug for SimZoom {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "SimZoom({})", self.world.base)
    }
}

impl SimZoom {
    /// Starts a Zoom that knows one app, with a clock of its own.
    pub async fn start(client_id: &str, client_secret: &str) -> io::Result<Self> {
        Self::start_with_clock(client_id, client_secret, Clock::default()).await
    }

    /// Starts a Zoom that lives by this clock.
    pub async fn start_with_clock(client_id: &str, client_secret: &str, clock: Clock) -> io::Result<Self> {
        let (server, listener) = Server::bind().await?;
        let scopes = SCOPES.iter().map(|&scope| scope.to_owned()).collect();
        let world = Arc::new(World {
            base: server.base(),
            client_id: client_id.to_owned(),
            client_secret: client_secret.to_owned(),
            clock,
            http: signed::Client::new()?,
            state: Mutex::new(State { scopes, ..State::default() }),
            changes: watch::Sender::new(0),
        });
        server.spawn(webhooks::deliver_all(world.clone()));
        server.spawn(world::keep_time(world.clone()));
        let serving = world.clone();
        server.serve(listener, move |request| {
            let world = serving.clone();
            async move {
                let date = world.clock.now().strftime("%a, %d %b %Y %H:%M:%S GMT").to_string();
                world.serve(request).await.map(|answer| answer.with("date", date))
            }
        });
        Ok(Self { world, server: Arc::new(server) })
    }

    /// Stops serving, for every clone of the handle: from now on connections are refused.
    pub async fn stop(&self) {
        self.server.stop().await;
    }

    /// What belongs into `ZOOM_API_URL`.
    pub fn api_url(&self) -> String {
        format!("{}/v2", self.world.base)
    }

    /// What belongs into `ZOOM_OAUTH_URL`.
    pub fn oauth_url(&self) -> String {
        format!("{}/oauth", self.world.base)
    }

    /// The clock this Zoom lives by; an hour ahead, and every access token has expired.
    pub fn clock(&self) -> &Clock {
        &self.world.clock
    }

    /// Puts a redirect URI on the app's allow list.
    pub fn allow_redirect(&self, redirect_uri: &str) {
        self.world.change(|state| state.redirects.push(redirect_uri.to_owned()));
    }

    /// Changes the app's scopes; grants made earlier keep theirs.
    pub fn set_scopes(&self, scopes: &[&str]) {
        self.world.change(|state| state.scopes = scopes.iter().map(|&scope| scope.to_owned()).collect());
    }

    /// Whoever arrives at the consent page from now on is this user, and allows.
    pub fn sign_in_as(&self, user: &User) {
        self.world.change(|state| state.visitor = Visitor::Allows(user.id.clone()));
    }

    /// Whoever arrives at the consent page from now on declines.
    pub fn decline(&self) {
        self.world.change(|state| state.visitor = Visitor::Declines);
    }

    /// From now on whoever is signed in decides on a page.
    pub(super) fn ask_at_browsers(&self) {
        self.world.change(|state| state.asks = true);
    }

    /// Writes down all that is said from now on.
    pub(super) fn log_to(&self, exchanges: &Exchanges) {
        self.server.log_to(Log::new(exchanges, Party::Zoom));
        self.world.http.log_to(Log::new(exchanges, Party::Zoom));
    }

    /// Counts the changes.
    pub(super) fn changes(&self) -> watch::Receiver<u64> {
        self.world.changes.subscribe()
    }

    /// Grants the app access without a browser. As always, earlier tokens of the user are dead.
    pub fn grant(&self, user: &User) -> Tokens {
        let now = self.world.clock.now();
        self.world.change(|state| {
            let index = oauth::grant(state, now, &user.id);
            oauth::tokens(&state.grants[index])
        })
    }

    /// The user removes the app: all tokens are dead. The app is told, as if it were a published one; others are not.
    pub fn remove_app(&self, user: &User) {
        let now = self.world.clock.now();
        self.world.change(|state| {
            let mut removed = false;
            for grant in state.grants.iter_mut().filter(|grant| grant.user == user.id) {
                removed |= std::mem::replace(&mut grant.alive, false);
            }
            if removed {
                let at = state.webhooks.next_moment(now);
                let unique = hex::encode(Sha256::digest(format!("{} {at}", user.id)));
                let problem = state.webhooks.send(event::deauthorized(user, &self.world.client_id, &unique, at));
                state.complaints.extend(problem);
            }
        });
    }

    /// Whether the user has a live grant.
    pub fn has_grant(&self, user: &User) -> bool {
        self.world.read(|state| state.grants.iter().any(|grant| grant.alive && grant.user == user.id))
    }

    /// The next request to this route meets this fault; several are met in their order.
    pub fn next(&self, route: Route, fault: Fault) {
        self.world.change(|state| state.faults.next(route, fault));
    }

    /// Every request to this route meets this fault, until [`heal`](Self::heal).
    pub fn always(&self, route: Route, fault: Fault) {
        self.world.change(|state| state.faults.always(route, fault));
    }

    /// Takes away all faults that have not struck.
    pub fn heal(&self) {
        self.world.change(|state| state.faults.heal());
    }

    /// Every request that came in, faults included.
    pub fn requests(&self) -> Vec<Recorded> {
        self.world.read(|state| state.requests.clone())
    }

    /// The status calls that came in for a meeting or webinar, whatever became of them.
    pub fn orders_of(&self, id: u64) -> Vec<Recorded> {
        let tail = format!("/{id}/livestream/status");
        self.requests().into_iter().filter(|request| request.path.ends_with(&tail)).collect()
    }

    /// How many starts were carried out.
    pub fn starts_of(&self, id: u64) -> usize {
        self.carried_out(id, Action::Start)
    }

    /// How many stops were carried out.
    pub fn stops_of(&self, id: u64) -> usize {
        self.carried_out(id, Action::Stop)
    }

    fn carried_out(&self, id: u64, action: Action) -> usize {
        self.world.read(|state| state.carried_out.iter().filter(|done| **done == (id, action)).count())
    }

    /// How many refreshes were granted.
    pub fn refreshes(&self) -> usize {
        self.world.read(|state| state.refreshes)
    }

    /// Everything the app did that no well-made app does. Ends tests: it is empty.
    pub fn complaints(&self) -> Vec<String> {
        self.world.read(|state| state.complaints.clone())
    }

    /// Waits until something is found in this Zoom; the error lists the requests that came in, and the events.
    pub async fn wait_until<T>(
        &self,
        what: &str,
        within: Duration,
        mut look: impl FnMut(&Self) -> Option<T>,
    ) -> Result<T, TimedOut> {
        let found = wait::until(&self.world.changes, within, || look(self)).await;
        found.ok_or_else(|| {
            let requests = self.requests();
            let seen = requests.iter().map(|request| format!("{} {}", request.method, request.path));
            let events = self.events();
            let sent = events.iter().map(|sent| format!("event {sent}"));
            let instead = seen.chain(sent).collect::<Vec<_>>().join("\n");
            TimedOut { waited_for: what.to_owned(), within, instead }
        })
    }

    /// Waits until a request of this kind has come in.
    pub async fn wait_for(
        &self,
        what: &str,
        within: Duration,
        mut wanted: impl FnMut(&Recorded) -> bool,
    ) -> Result<Recorded, TimedOut> {
        self.wait_until(what, within, |zoom| zoom.requests().into_iter().find(&mut wanted)).await
    }
}
