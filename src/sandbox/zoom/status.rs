//! The status call: start and stop a stream, and change how it looks.
//!
//! [The status call](https://developers.zoom.us/docs/api/meetings/#tag/meetings/patch/meetings/{meetingId}/livestream/status)

use jiff::SignedDuration;
use serde_json::Value;

use super::api::{Call, Place, Refused, found};
use super::body;
use super::meeting::{Kind, Meeting, Service, Start, Stream};
use super::target::{has_licence, has_webinar_plan, may_stream};
use super::world::{Action, State, User};

/// One start per meeting in this time.
const BETWEEN_STARTS: SignedDuration = SignedDuration::from_secs(30);

/// `PATCH /meetings/{id}/livestream/status`, and the same of a webinar.
pub(super) fn call(state: &mut State, call: &Call<'_>, place: Place) -> Result<Value, Refused> {
    let host = &call.caller.user;
    let order = body::order(call.request, place.kind)?;
    let meeting = found(state, &call.caller, place)?;
    match meeting.kind {
        Kind::Meeting => meeting_may(meeting, host)?,
        Kind::Webinar => webinar_may(meeting, host)?,
    }
    let id = meeting.id;
    match order.action {
        Action::Start => {
            if meeting.last_start.is_some_and(|last| call.now.duration_since(last) < BETWEEN_STARTS) {
                let message = "Too many requests to start the live stream of this meeting. If the live stream has \
                               not started, try again after 30 seconds.";
                return Err(Refused::new(429, 429, message));
            }
            meeting.last_start = Some(call.now);
            let (settings, operator) = (order.settings, host.clone());
            state.start_stream(call.now, Start { meeting: id, settings, service: Service::Custom, operator });
        }
        Action::Stop if meeting.kind == Kind::Webinar && meeting.stream == Stream::Idle => {
            return Err(not_started(meeting));
        }
        Action::Stop => state.stop_stream(call.now, id, Some(host)),
        Action::Mode => {
            if let Stream::Live { settings, .. } = &mut meeting.stream {
                *settings = order.settings;
            }
        }
    }
    state.carried_out.push((id, order.action));
    Ok(Value::Null)
}

/// A meeting's conditions, in the order in which a person can cure them.
fn meeting_may(meeting: &Meeting, host: &User) -> Result<(), Refused> {
    has_licence(host)?;
    if meeting.e2ee {
        let message = "End-to-end encrypted meetings currently do not support the livestreaming feature.";
        return Err(Refused::new(400, 4400, message));
    }
    may_stream(meeting, host)?;
    if meeting.running { Ok(()) } else { Err(not_started(meeting)) }
}

fn webinar_may(webinar: &Meeting, host: &User) -> Result<(), Refused> {
    has_webinar_plan(host)?;
    if !webinar.streaming_allowed || !host.allows_custom_streaming() || webinar.target.is_none() {
        let message = "The current webinar is not configured with a custom streaming service.";
        return Err(Refused::new(400, 3000, message));
    }
    if webinar.running && !webinar.practice_session { Ok(()) } else { Err(not_started(webinar)) }
}

fn not_started(meeting: &Meeting) -> Refused {
    let (code, what) = match meeting.kind {
        Kind::Meeting => (4927, "Meeting"),
        Kind::Webinar => (200, "Webinar"),
    };
    Refused::new(400, code, format!("{what} {} has not started.", thousands(meeting.id)))
}

/// As Zoom prints numbers inside messages: `82,929,473,321`.
fn thousands(number: u64) -> String {
    let digits = number.to_string();
    let mut grouped = String::new();
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            grouped.push(',');
        }
        grouped.push(digit);
    }
    grouped
}
