//! The events, in Zoom's shapes.
//!
//! [Meeting events](https://developers.zoom.us/docs/api/meetings/events/),
//! [using webhooks](https://developers.zoom.us/docs/api/webhooks/)

use jiff::Timestamp;
use jiff::tz::TimeZone;
use serde_json::{Value, json};

use super::meeting::{Kind, Meeting, Service};
use super::world::User;

/// Something that happened, as Zoom tells it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Event {
    /// Zoom's name for it.
    pub name: String,
    /// When it happened: `event_ts`. No two events of a world have the same.
    pub at: Timestamp,
    /// The body, byte for byte.
    pub body: String,
}

impl Event {
    /// An event like any other, with a payload of any kind.
    pub fn new(name: &str, at: Timestamp, payload: &Value) -> Self {
        // Not in the order in which a map would print it: whoever checks the signature of a reprint will find out.
        let (name, stamp) = (name.to_owned(), at.as_millisecond());
        let body = format!(r#"{{"payload":{payload},"event_ts":{stamp},"event":{}}}"#, json!(name));
        Self { name, at, body }
    }

    /// The body as JSON.
    pub fn json(&self) -> Value {
        serde_json::from_str(&self.body).unwrap_or_default()
    }
}

/// What is to be told, and the scope that it takes to hear it.
pub(super) struct Told {
    name: &'static str,
    pub(super) scope: &'static str,
    payload: Value,
}

impl Told {
    pub(super) fn event(mut self, account_id: &str, at: Timestamp) -> Event {
        self.payload["account_id"] = json!(account_id);
        Event::new(self.name, at, &self.payload)
    }
}

/// The host has started a meeting or webinar.
pub(super) fn begun(meeting: &Meeting, host: &User) -> Option<Told> {
    let (name, scope) = match meeting.kind {
        Kind::Meeting => ("meeting.started", "meeting:read:meeting"),
        Kind::Webinar => ("webinar.started", "webinar:read:webinar"),
    };
    Some(Told { name, scope, payload: json!({ "object": hosted(meeting, host) }) })
}

/// The host has ended a meeting or webinar.
pub(super) fn ended(meeting: &Meeting, host: &User, at: Timestamp) -> Option<Told> {
    let mut object = hosted(meeting, host);
    object["end_time"] = json!(seconds(at));
    let (name, scope) = match meeting.kind {
        Kind::Meeting => ("meeting.ended", "meeting:read:meeting"),
        Kind::Webinar => {
            object["practice_session"] = json!(meeting.practice_session);
            ("webinar.ended", "webinar:read:webinar")
        }
    };
    Some(Told { name, scope, payload: json!({ "object": object }) })
}

/// A meeting is on air. Of webinars, Zoom does not tell.
pub(super) fn streaming_started(meeting: &Meeting, to: Service, by: &User, at: Timestamp) -> Option<Told> {
    streaming("meeting.live_streaming_started", meeting, to, Some(by), at)
}

/// A meeting is off air. Of webinars, Zoom does not tell.
pub(super) fn streaming_stopped(meeting: &Meeting, to: Service, by: Option<&User>, at: Timestamp) -> Option<Told> {
    streaming("meeting.live_streaming_stopped", meeting, to, by, at)
}

/// A user has removed the app. It has its time in the payload, as text.
pub(super) fn deauthorized(user: &User, client_id: &str, unique: &str, at: Timestamp) -> Event {
    let name = "app_deauthorized";
    let time = at.to_zoned(TimeZone::UTC).strftime("%Y-%m-%d %H:%M:%S").to_string();
    let payload = json!({
        "account_id": user.account_id,
        "user_id": user.id,
        "client_id": client_id,
        "deauthorization_time": at.to_string(),
        "signature": unique,
        "event_ts": time,
    });
    Event { name: name.to_owned(), at, body: format!(r#"{{"payload":{payload},"event":"{name}"}}"#) }
}

fn streaming(
    name: &'static str,
    meeting: &Meeting,
    service: Service,
    operator: Option<&User>,
    at: Timestamp,
) -> Option<Told> {
    if meeting.kind == Kind::Webinar {
        return None;
    }
    let mut live = json!({ "service": service.word(), "date_time": seconds(at) });
    if let (Service::Custom, Some(target)) = (service, &meeting.target) {
        // The key in clear, as at Zoom.
        live["custom_live_streaming_settings"] = json!({
            "stream_url": target.stream_url,
            "stream_key": target.stream_key,
            "page_url": target.page_url,
            "resolution": target.resolution,
        });
    }
    let mut object = run(meeting);
    // A number here, text in the other events.
    object["id"] = json!(meeting.id);
    object["live_streaming"] = live;
    // Zoom's schema wants both; whom it names when nobody asked is not documented.
    let (email, id) = operator.map(|user| (user.email.as_str(), user.id.as_str())).unwrap_or_default();
    let payload = json!({ "operator": email, "operator_id": id, "object": object });
    Some(Told { name, scope: "meeting:read:livestream", payload })
}

fn hosted(meeting: &Meeting, host: &User) -> Value {
    let mut object = run(meeting);
    object["host_email"] = json!(host.email);
    object
}

fn run(meeting: &Meeting) -> Value {
    json!({
        "id": meeting.id.to_string(),
        "uuid": meeting.uuid,
        "host_id": meeting.host,
        "topic": meeting.topic,
        "type": if meeting.kind == Kind::Meeting { 2 } else { 5 },
        "start_time": seconds(meeting.begins),
        "timezone": "UTC",
        // As planned, whatever comes of it.
        "duration": 60,
    })
}

/// As Zoom writes times: `2026-10-06T18:00:00Z`.
pub(super) fn seconds(at: Timestamp) -> String {
    at.to_zoned(TimeZone::UTC).strftime("%Y-%m-%dT%H:%M:%SZ").to_string()
}
