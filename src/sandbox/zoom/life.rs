//! What happens to meetings and their streams, and which events come of it.

use std::time::Duration;

use jiff::Timestamp;
use serde_json::Value;
use tokio::time::Instant;

use super::SimZoom;
use super::event;
use super::meeting::{Meeting, Service, Start, Stream};
use super::world::{Due, State, User};

impl SimZoom {
    /// The host starts the meeting.
    pub fn begin(&self, id: u64) {
        self.edit_meeting(id, |meeting| meeting.running = true);
    }

    /// The host ends the meeting, and with it the stream.
    pub fn end(&self, id: u64) {
        self.edit_meeting(id, |meeting| meeting.running = false);
    }

    /// From now on a start takes this long to be on air, or to fail; at first that is no time.
    pub fn set_connect_delay(&self, delay: Duration) {
        self.world.change(|state| state.connect_delay = delay);
    }

    /// Takes the next start of this meeting, however soon it comes after the last one.
    pub fn forget_last_start(&self, id: u64) {
        self.world.change(|state| {
            if let Some(meeting) = state.meeting(id) {
                meeting.last_start = None;
            }
        });
    }

    /// The other end of the stream fails: nobody asked, and it is off air.
    pub fn drop_stream(&self, id: u64) {
        let now = self.world.clock.now();
        self.world.change(|state| {
            if state.is_live(id) {
                state.stop_stream(now, id, None);
            } else {
                state.complaints.push(format!("drop_stream: {id} is not on air"));
            }
        });
    }

    /// Somebody in the meeting starts its custom stream in Zoom's client.
    pub fn start_stream_by_hand(&self, id: u64, operator: &User) {
        self.start_stream_by_hand_to(Service::Custom, id, operator);
    }

    /// Somebody in the meeting starts a stream to a service in Zoom's client.
    pub fn start_stream_by_hand_to(&self, service: Service, id: u64, operator: &User) {
        let now = self.world.clock.now();
        let start = Start { meeting: id, settings: Value::Null, service, operator: operator.clone() };
        self.world.change(|state| {
            if state.meeting(id).is_some_and(|meeting| meeting.running && meeting.stream == Stream::Idle) {
                state.start_stream(now, start);
            } else {
                state.complaints.push(format!("start_stream_by_hand: {id} is not in progress, or on air already"));
            }
        });
    }

    /// Somebody in the meeting stops the stream in Zoom's client.
    pub fn stop_stream_by_hand(&self, id: u64, operator: &User) {
        let now = self.world.clock.now();
        self.world.change(|state| {
            if state.meeting(id).is_some_and(|meeting| meeting.stream != Stream::Idle) {
                state.stop_stream(now, id, Some(operator));
            } else {
                state.complaints.push(format!("stop_stream_by_hand: {id} has no stream"));
            }
        });
    }

    /// What the meeting's stream does; idle if there is no such meeting.
    pub fn stream_of(&self, id: u64) -> Stream {
        self.meeting_now(id).map_or(Stream::Idle, |meeting| meeting.stream)
    }

    /// Whether the meeting is on air.
    pub fn is_live(&self, id: u64) -> bool {
        self.world.read(|state| state.is_live(id))
    }

    /// The settings of the stream that is on air.
    pub fn stream_settings(&self, id: u64) -> Option<Value> {
        match self.stream_of(id) {
            Stream::Live { settings, .. } => Some(settings),
            Stream::Idle | Stream::Connecting => None,
        }
    }
}

impl State {
    /// Begins a new run of a meeting.
    pub(super) fn begin(&mut self, now: Timestamp, id: u64) {
        self.runs += 1;
        let runs = self.runs;
        let Some(meeting) = self.meeting(id) else { return };
        meeting.running = true;
        meeting.begins = now;
        meeting.uuid = uuid(id, runs);
        self.tell(now, id, |meeting, host, _| event::begun(meeting, host));
    }

    /// Ends the stream, if there is one, and then the meeting.
    pub(super) fn end(&mut self, now: Timestamp, id: u64) {
        let host = self.host_of(id);
        self.stop_stream(now, id, host.as_ref());
        if let Some(meeting) = self.meeting(id) {
            meeting.running = false;
        }
        self.tell(now, id, event::ended);
    }

    /// Takes a start. A stream that is there already, or on its way, stays as it is.
    pub(super) fn start_stream(&mut self, now: Timestamp, start: Start) {
        let Some(meeting) = self.meeting(start.meeting).filter(|meeting| meeting.stream == Stream::Idle) else {
            return;
        };
        meeting.stream = Stream::Connecting;
        meeting.turn += 1;
        let turn = meeting.turn;
        if self.connect_delay.is_zero() {
            self.connect(now, turn, start);
        } else {
            self.due.push((Instant::now() + self.connect_delay, Due::Connected(turn, Box::new(start))));
        }
    }

    /// The end of a start: on air, or nothing. Zoom tells nobody about the latter.
    pub(super) fn connect(&mut self, now: Timestamp, turn: u64, start: Start) {
        let Start { meeting: id, settings, service, operator } = start;
        let Some(meeting) = self.meeting(id).filter(|meeting| meeting.turn == turn) else { return };
        if !meeting.can_stream_to(service) {
            meeting.stream = Stream::Idle;
            return;
        }
        meeting.stream = Stream::Live { since: now, settings, service };
        self.tell(now, id, |meeting, _, at| event::streaming_started(meeting, service, &operator, at));
    }

    /// Stops a stream or the way to it. Only the stop of what was on air is told.
    pub(super) fn stop_stream(&mut self, now: Timestamp, id: u64, operator: Option<&User>) {
        let Some(meeting) = self.meeting(id) else { return };
        meeting.turn += 1;
        if let Stream::Live { service, .. } = std::mem::replace(&mut meeting.stream, Stream::Idle) {
            self.tell(now, id, |meeting, _, at| event::streaming_stopped(meeting, service, operator, at));
        }
    }

    fn is_live(&self, id: u64) -> bool {
        self.known_meeting(id).is_some_and(|meeting| matches!(meeting.stream, Stream::Live { .. }))
    }

    fn host_of(&self, id: u64) -> Option<User> {
        self.user(&self.known_meeting(id)?.host).cloned()
    }

    /// Tells the app what happened to a meeting, if Zoom has an event for it and the app may hear of it.
    fn tell(&mut self, now: Timestamp, id: u64, told: impl FnOnce(&Meeting, &User, Timestamp) -> Option<event::Told>) {
        let at = self.webhooks.next_moment(now);
        let (Some(host), Some(meeting)) = (self.host_of(id), self.known_meeting(id)) else { return };
        if let Some(told) = told(meeting, &host, at)
            && self.grants.iter().any(|grant| grant.alive && grant.user == host.id && grant.allows(told.scope))
        {
            let problem = self.webhooks.send(told.event(&host.account_id, at));
            self.complaints.extend(problem);
        }
    }
}

/// As awkward as Zoom's can be: in a path, the slash would have to be encoded twice.
pub(super) fn uuid(id: u64, run: u64) -> String {
    format!("/{id}+{run:04}/==")
}
