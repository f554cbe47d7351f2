//! Everything the simulated Zoom knows: users, meetings, grants, and who may do what.

use std::sync::Mutex;

use jiff::Timestamp;
use serde_json::Value;
use tokio::sync::watch;

use super::{Route, api, oauth};
use crate::clock::Clock;
use crate::sandbox::fault::Faults;
use crate::sandbox::lock;
use crate::sandbox::wire::{Answer, Recorded};

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
    /// The personal meeting's number.
    pub pmi: u64,
    /// Whether the user still exists.
    pub exists: bool,
}

/// A meeting or webinar.
#[derive(Clone, Debug)]
pub struct Meeting {
    /// Its number.
    pub id: u64,
    /// What it is.
    pub kind: Kind,
    /// What it is called.
    pub topic: String,
    /// The host's user id.
    pub host: String,
    /// Whether it is in progress.
    pub running: bool,
    /// Whether it is end-to-end encrypted.
    pub e2ee: bool,
    /// Whether "Allow livestreaming" is on for it.
    pub streaming_allowed: bool,
    /// Whether a custom streaming service is set up for it. A meeting without one takes a start and is never on air.
    pub target_set: bool,
    /// Whether a webinar's host only rehearses.
    pub practice_session: bool,
    /// What a user who is not its host is told.
    pub to_strangers: ToStrangers,
    /// Whether it is on air.
    pub stream: Stream,
    /// When a start was last taken.
    pub(super) last_start: Option<Timestamp>,
}

/// Meeting or webinar.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// A meeting.
    Meeting,
    /// A webinar.
    Webinar,
}

/// What users other than the host are told of a meeting.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ToStrangers {
    /// 404/3001: it does not exist, for them.
    Missing,
    /// 400/1010: it belongs to another account.
    OtherAccount,
}

/// Whether a meeting is on air.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Stream {
    /// It is not.
    Idle,
    /// It is.
    Live {
        /// Since when.
        since: Timestamp,
        /// The settings of the start, as Zoom got them; null if there were none.
        settings: Value,
    },
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

/// The world: its state, and what does not change.
#[derive(Debug)]
pub(super) struct World {
    pub(super) base: String,
    pub(super) client_id: String,
    pub(super) client_secret: String,
    pub(super) clock: Clock,
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
    pub(super) codes: Vec<Code>,
    pub(super) grants: Vec<Grant>,
    pub(super) refreshes: usize,
    pub(super) carried_out: Vec<(u64, Action)>,
    pub(super) complaints: Vec<String>,
    pub(super) requests: Vec<Recorded>,
    pub(super) faults: Faults<Route>,
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
    pub(super) async fn serve(&self, request: Recorded) -> Option<Answer> {
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

impl State {
    pub(super) fn user(&self, id: &str) -> Option<&User> {
        self.users.iter().find(|user| user.id == id)
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
