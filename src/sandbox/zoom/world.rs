//! Everything the simulated Zoom knows: users, meetings, grants, and who may do what.

use std::future::pending;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use jiff::Timestamp;
use tokio::sync::watch;
use tokio::time::Instant;

use super::meeting::{Meeting, Start};
use super::webhooks::Webhooks;
use super::{Route, api, oauth};
use crate::clock::Clock;
use crate::sandbox::fault::Faults;
use crate::sandbox::wire::{Answer, Recorded};
use crate::sandbox::{lock, signed};

/// A Zoom user.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct User {
    /// Zoom's id.
    pub id: String,
    /// The account (company).
    pub account_id: String,
    /// The e-mail address.
    pub email: String,
    /// The first name.
    pub first_name: String,
    /// The last name.
    pub last_name: String,
    /// The name others see.
    pub display_name: String,
    /// Whether the user has a Pro licence.
    pub licensed: bool,
    /// Whether the user has the webinar plan.
    pub webinar_plan: bool,
    /// Whether "Allow livestreaming of meetings" is on in the user's settings.
    pub streaming_allowed: bool,
    /// Whether "Custom Live Streaming Service" is ticked below it.
    pub custom_streaming_allowed: bool,
    /// Whether the user may stream in 1080p.
    pub full_hd: bool,
    /// The personal meeting's number.
    pub pmi: u64,
    /// Whether the user still exists.
    pub exists: bool,
}

impl User {
    /// Whether the user's settings have custom live streaming on.
    pub(super) fn allows_custom_streaming(&self) -> bool {
        self.streaming_allowed && self.custom_streaming_allowed
    }
}

/// What was carried out on a meeting's stream.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Action {
    Start,
    Stop,
    Mode,
}

/// Who sits at the browser that arrives at the consent page.
#[derive(Clone, Debug, Default)]
pub(super) enum Visitor {
    #[default]
    Nobody,
    Allows(String),
    Declines,
}

/// An authorization code.
#[derive(Clone, Debug)]
pub(super) struct Code {
    pub(super) code: String,
    pub(super) user: String,
    pub(super) redirect_uri: String,
    pub(super) challenge: String,
    pub(super) made: Timestamp,
    pub(super) used: bool,
}

/// What one user granted: one live refresh token and the access tokens made with it.
#[derive(Clone, Debug)]
pub(super) struct Grant {
    pub(super) user: String,
    pub(super) scopes: Vec<String>,
    pub(super) refresh: String,
    pub(super) refreshed: Timestamp,
    pub(super) spent: Vec<String>,
    pub(super) access: Vec<(String, Timestamp)>,
    pub(super) alive: bool,
}

impl Grant {
    pub(super) fn allows(&self, scope: &str) -> bool {
        self.scopes.iter().any(|granted| granted == scope)
    }
}

/// What happens by itself when its time comes.
#[derive(Clone, Debug)]
pub(super) enum Due {
    /// A start reaches its target or does not, if it is still the turn of this one.
    Connected(u64, Box<Start>),
    /// An event is tried again.
    Retry(usize),
}

/// The world: its state, and what does not change.
#[derive(Debug)]
pub(super) struct World {
    pub(super) base: String,
    pub(super) client_id: String,
    pub(super) client_secret: String,
    pub(super) clock: Clock,
    pub(super) http: signed::Client,
    pub(super) state: Mutex<State>,
    /// Counts changes, for those who wait for one.
    pub(super) changes: watch::Sender<u64>,
}

/// What changes.
#[derive(Debug, Default)]
pub(super) struct State {
    pub(super) redirects: Vec<String>,
    pub(super) scopes: Vec<String>,
    pub(super) users: Vec<User>,
    pub(super) meetings: Vec<Meeting>,
    pub(super) visitor: Visitor,
    /// Whether whoever is signed in is asked, on a page, what they decide.
    pub(super) asks: bool,
    pub(super) codes: Vec<Code>,
    pub(super) grants: Vec<Grant>,
    pub(super) refreshes: usize,
    pub(super) carried_out: Vec<(u64, Action)>,
    pub(super) complaints: Vec<String>,
    pub(super) requests: Vec<Recorded>,
    pub(super) faults: Faults<Route>,
    pub(super) webhooks: Webhooks,
    pub(super) connect_delay: Duration,
    pub(super) due: Vec<(Instant, Due)>,
    /// How often a meeting was begun.
    pub(super) runs: u64,
    pub(super) tokens: u64,
    pub(super) tracking: u64,
}

impl World {
    pub(super) fn change<T>(&self, change: impl FnOnce(&mut State) -> T) -> T {
        let result = change(&mut lock(&self.state));
        self.changes.send_modify(|count| *count += 1);
        result
    }

    pub(super) fn read<T>(&self, read: impl FnOnce(&State) -> T) -> T {
        read(&lock(&self.state))
    }

    /// Records a request, lets a fault strike if one is due, and else carries it out.
    pub(super) async fn serve(&self, mut request: Recorded) -> Option<Answer> {
        request.at = self.clock.now();
        let route = Route::of(&request);
        let (fault, tracking) = self.change(|state| {
            state.requests.push(request.clone());
            state.tracking += 1;
            (state.faults.take(|planned| planned == Route::Any || planned == route), state.tracking)
        });
        let answer = match fault {
            Some(fault) => fault.strike(|| self.carry_out(route, &request)).await?,
            None => self.carry_out(route, &request),
        };
        Some(answer.with("x-zm-trackingid", format!("WEB_{tracking:08}")))
    }

    fn carry_out(&self, route: Route, request: &Recorded) -> Answer {
        let now = self.clock.now();
        self.change(|state| match route {
            Route::Authorize => oauth::authorize(self, state, now, request),
            Route::Token => oauth::token(self, state, now, request),
            Route::Revoke => oauth::revoke(self, state, request),
            _ => api::answer(state, now, request),
        })
    }
}

/// Lets happen what is due, when it is due. The machine's time counts: nothing here takes longer in a world whose clock
/// stands still, or less in one that was moved ahead.
pub(super) async fn keep_time(world: Arc<World>) {
    let mut news = world.changes.subscribe();
    loop {
        let next = world.read(|state| state.due.iter().map(|(at, _)| *at).min());
        let is_due = async {
            match next {
                Some(at) => tokio::time::sleep_until(at).await,
                None => pending().await,
            }
        };
        tokio::select! {
            () = is_due => {
                let now = world.clock.now();
                world.change(|state| state.let_happen(now));
            }
            // The world is there as long as this task: its news do not end.
            _ = news.changed() => {}
        }
    }
}

impl State {
    fn let_happen(&mut self, now: Timestamp) {
        let (mut due, later): (Vec<_>, Vec<_>) = self.due.drain(..).partition(|(at, _)| *at <= Instant::now());
        self.due = later;
        due.sort_by_key(|(at, _)| *at);
        for (_, what) in due {
            match what {
                Due::Connected(turn, start) => self.connect(now, turn, *start),
                Due::Retry(index) => self.webhooks.try_again(index),
            }
        }
    }

    pub(super) fn user(&self, id: &str) -> Option<&User> {
        self.users.iter().find(|user| user.id == id)
    }

    pub(super) fn known_meeting(&self, id: u64) -> Option<&Meeting> {
        self.meetings.iter().find(|meeting| meeting.id == id)
    }

    pub(super) fn meeting(&mut self, id: u64) -> Option<&mut Meeting> {
        self.meetings.iter_mut().find(|meeting| meeting.id == id)
    }

    /// A long opaque text in three parts like a JWT; the canary in it is there to be searched for in logs.
    pub(super) fn fresh_token(&mut self, canary: &str) -> String {
        self.tokens += 1;
        let filler = format!("{:08x}", self.tokens.wrapping_mul(2_654_435_761)).repeat(64);
        format!("eyJzdiI6IjAwMDAwMiIsImFsZyI6IkhTNTEyIn0.{canary}-{:04}-{filler}.{}", self.tokens, &filler[..86])
    }
}
