//! Whether a webhook comes from Zoom, and what it reports.
//!
//! The order is the safety: a [`Claim`] is read before the body is, [`Claim::check`] looks at raw bytes, and only what it
//! gives can be decoded. Zoom puts the stream key in clear into what it reports about streams; it is not among the fields
//! that are read, so it ends here.
//!
//! [Webhooks](https://developers.zoom.us/docs/api/webhooks/)

use hmac::{Hmac, KeyInit as _, Mac as _};
use jiff::Timestamp;
use reqwest::header::{self, HeaderMap};
use serde::{Deserialize, Deserializer};
use sha2::{Digest as _, Sha256};

use crate::id::{DeliveryId, InstanceId, ZoomUserId};
use crate::meeting::MeetingId;
use crate::secret::Secret;
use crate::stream::{Happened, MeetingReport, Operator, Report};

/// The most bytes a webhook may have.
pub const MAX_BODY: usize = 1024 * 1024;

/// How old a request may be, in seconds: Zoom delivers again for an hour and a half, and does not say whether it signs
/// anew. What was delivered already is known by its name.
const MAX_AGE: i64 = 2 * 60 * 60;

/// How far ahead its clock may be, in seconds.
const MAX_AHEAD: i64 = 300;

/// The events that are read, and what those about a meeting say.
const KNOWN: &[(&str, Option<Happened>)] = &[
    (URL_VALIDATION, None),
    ("app_deauthorized", None),
    ("meeting.started", Some(Happened::MeetingStarted)),
    ("meeting.ended", Some(Happened::MeetingEnded)),
    ("meeting.live_streaming_started", Some(Happened::StreamStarted)),
    ("meeting.live_streaming_stopped", Some(Happened::StreamStopped)),
    ("webinar.started", Some(Happened::MeetingStarted)),
    ("webinar.ended", Some(Happened::MeetingEnded)),
];
const URL_VALIDATION: &str = "endpoint.url_validation";

/// A body whose signature and time were checked.
#[derive(Clone, Copy)]
pub struct Verified<'a> {
    body: &'a [u8],
    secret: &'a Secret,
}

/// The request is not Zoom's, or not of now. Deliberately without detail.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not signed by Zoom, or not now")]
pub struct Unverified;

/// The request is Zoom's, but not of the form expected here.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("bad {0}")]
pub struct BadShape(&'static str);

/// What a webhook says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Incoming {
    /// Zoom wants proof that the address is ours.
    Validation {
        /// Goes back as it came.
        plain_token: String,
        /// Its HMAC, in hex.
        encrypted_token: String,
    },
    /// Something happened.
    Report {
        /// Zoom's name of it.
        event: &'static str,
        /// The same for the same event, however often and whenever it is delivered.
        delivery: DeliveryId,
        /// What.
        report: Report,
    },
    /// An event that means nothing here.
    Other {
        /// Its name, if it is a plain one.
        event: String,
    },
}

impl Incoming {
    /// The event's name, if it is one that is read here; of all others, `other`.
    pub fn event(&self) -> &'static str {
        match self {
            Self::Validation { .. } => URL_VALIDATION,
            Self::Report { event, .. } => event,
            Self::Other { .. } => "other",
        }
    }
}

/// What the headers of a request claim: when it was signed, and how. Whoever claims nothing that could be true is refused
/// for that alone.
#[derive(Clone, Copy)]
pub struct Claim<'a> {
    stamp: &'a str,
    signature: [u8; 32],
}

impl<'a> Claim<'a> {
    /// Takes the headers apart and checks the time.
    pub fn read(headers: &'a HeaderMap, now: Timestamp) -> Result<Self, Unverified> {
        let stamp = only(headers, "x-zm-request-timestamp").ok_or(Unverified)?;
        let claimed = only(headers, "x-zm-signature").ok_or(Unverified)?;
        if !(1..=16).contains(&stamp.len()) || !stamp.bytes().all(|byte| byte.is_ascii_digit()) {
            return Err(Unverified);
        }
        let sent: i64 = stamp.parse().map_err(|_| Unverified)?;
        // Zoom's samples have seconds; nothing official excludes milliseconds.
        let sent = if stamp.len() > 11 { sent / 1000 } else { sent };
        let age = now.as_second() - sent;
        if !(-MAX_AHEAD..=MAX_AGE).contains(&age) {
            return Err(Unverified);
        }
        let mut signature = [0; 32];
        let claimed = claimed.strip_prefix("v0=").ok_or(Unverified)?;
        hex::decode_to_slice(claimed, &mut signature).map_err(|_| Unverified)?;
        Ok(Self { stamp, signature })
    }

    /// Checks the signature over the raw bytes against every secret, in constant time.
    pub fn check<'b>(&self, secrets: &'b [Secret], body: &'b [u8]) -> Result<Verified<'b>, Unverified> {
        // Every secret is tried, so that the time taken does not tell which one matched.
        let signer = secrets.iter().fold(None, |found, secret| {
            let good = secret.has_signed(self.stamp, body, &self.signature);
            if good { Some(secret) } else { found }
        });
        signer.map(|secret| Verified { body, secret }).ok_or(Unverified)
    }
}

/// Both at once, for whoever has the body already.
pub fn verify<'a>(
    secrets: &'a [Secret],
    headers: &HeaderMap,
    body: &'a [u8],
    now: Timestamp,
) -> Result<Verified<'a>, Unverified> {
    Claim::read(headers, now)?.check(secrets, body)
}

fn only<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
    let mut values = headers.get_all(name).iter();
    let value = values.next()?.to_str().ok()?;
    values.next().is_none().then_some(value)
}

/// Reads a webhook. `now` stands in where Zoom gives no time.
pub fn decode(verified: &Verified<'_>, headers: &HeaderMap, now: Timestamp) -> Result<Incoming, BadShape> {
    let media = only(headers, header::CONTENT_TYPE.as_str()).unwrap_or_default();
    if !media.split(';').next().unwrap_or_default().trim().eq_ignore_ascii_case("application/json") {
        return Err(BadShape("content type"));
    }
    let envelope: Envelope = serde_json::from_slice(verified.body).map_err(|_| BadShape("body"))?;
    let Some((event, happened)) = KNOWN.iter().copied().find(|(event, _)| *event == envelope.event) else {
        return Ok(Incoming::Other { event: plain_name(&envelope.event) });
    };
    // Only what is known is read: of everything else not even the form is certain.
    let payload: Payload = serde_json::from_value(envelope.payload).map_err(|_| BadShape("payload"))?;
    if event == URL_VALIDATION {
        return validation(verified, payload);
    }
    // About a user who took the app out, Zoom tells the time inside.
    let inside = payload.deauthorization_time.as_ref().and_then(|time| time.parse().ok());
    let stamp = || envelope.event_ts.or(payload.event_ts).and_then(|ms| Timestamp::from_millisecond(ms).ok());
    let at = inside.or_else(stamp).unwrap_or(now);
    let report = match happened {
        Some(what) => Report::Meeting(meeting_report(what, payload, at)?),
        None => Report::Deauthorized { zoom_user: zoom_user(payload.user_id)?, at },
    };
    Ok(Incoming::Report { event, delivery: name(event, &report), report })
}

fn validation(verified: &Verified<'_>, payload: Payload) -> Result<Incoming, BadShape> {
    let plain_token = payload.plain_token.filter(|token| token.len() <= 1024).ok_or(BadShape("plainToken"))?;
    let mac = Hmac::<Sha256>::new_from_slice(verified.secret.expose().as_bytes());
    let mut mac = mac.map_err(|_| BadShape("secret"))?;
    mac.update(plain_token.as_bytes());
    Ok(Incoming::Validation { encrypted_token: hex::encode(mac.finalize().into_bytes()), plain_token })
}

fn meeting_report(what: Happened, payload: Payload, at: Timestamp) -> Result<MeetingReport, BadShape> {
    let object = payload.object.ok_or(BadShape("object"))?;
    let meeting: MeetingId = object.id.parse().map_err(|_| BadShape("id"))?;
    let instance = object.uuid.filter(|uuid| (1..=128).contains(&uuid.len())).ok_or(BadShape("uuid"))?;
    let operator = Operator {
        id: payload.operator_id.filter(|id| !id.is_empty()).map(ZoomUserId::new),
        email: payload.operator.filter(|email| !email.is_empty()),
    };
    let is_named = operator.id.is_some() || operator.email.is_some();
    let page = object.live_streaming.and_then(|live| live.custom_live_streaming_settings?.page_url);
    Ok(MeetingReport {
        what,
        meeting,
        instance: InstanceId::new(instance),
        host: zoom_user(object.host_id)?,
        at,
        operator: is_named.then_some(operator),
        page_url: page.filter(|url| url.len() <= 1024 && (url.starts_with("https://") || url.starts_with("http://"))),
    })
}

/// Ids become parts of store keys.
fn zoom_user(id: Option<String>) -> Result<ZoomUserId, BadShape> {
    let id = id.filter(|id| (1..=128).contains(&id.len()) && !id.contains(char::is_whitespace));
    id.map(ZoomUserId::new).ok_or(BadShape("user"))
}

fn name(event: &str, report: &Report) -> DeliveryId {
    let (subject, at) = match report {
        Report::Meeting(report) => (report.instance.as_str(), report.at),
        Report::Deauthorized { zoom_user, at } => (zoom_user.as_str(), *at),
    };
    let mut hash = Sha256::new();
    for part in [event, subject, &at.as_millisecond().to_string()] {
        hash.update(part.len().to_le_bytes());
        hash.update(part);
    }
    DeliveryId::new(format!("zoom-{}", hex::encode(hash.finalize())))
}

/// A name that may be logged.
fn plain_name(event: &str) -> String {
    event.chars().filter(|c| c.is_ascii_alphanumeric() || "._".contains(*c)).take(64).collect()
}

#[derive(Deserialize)]
struct Envelope {
    event: String,
    #[serde(default, deserialize_with = "whole")]
    event_ts: Option<i64>,
    #[serde(default)]
    payload: serde_json::Value,
}

#[derive(Deserialize)]
struct Payload {
    object: Option<Object>,
    operator: Option<String>,
    operator_id: Option<String>,
    user_id: Option<String>,
    deauthorization_time: Option<String>,
    #[serde(default, deserialize_with = "whole")]
    event_ts: Option<i64>,
    #[serde(rename = "plainToken")]
    plain_token: Option<String>,
}

/// `id` is a number about streams and a text about meetings.
#[derive(Deserialize)]
struct Object {
    #[serde(deserialize_with = "digits")]
    id: String,
    uuid: Option<String>,
    host_id: Option<String>,
    live_streaming: Option<LiveStreaming>,
}

#[derive(Deserialize)]
struct LiveStreaming {
    custom_live_streaming_settings: Option<Target>,
}

/// Where a stream goes. Its key is deliberately not a field of this.
#[derive(Deserialize)]
struct Target {
    page_url: Option<String>,
}

#[derive(Deserialize)]
#[serde(untagged)]
enum NumberOrText {
    Number(i64),
    Text(String),
}

fn digits<'de, D: Deserializer<'de>>(deserializer: D) -> Result<String, D::Error> {
    Ok(match NumberOrText::deserialize(deserializer)? {
        NumberOrText::Number(number) => number.to_string(),
        NumberOrText::Text(text) => text,
    })
}

fn whole<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<i64>, D::Error> {
    Ok(match Option::<NumberOrText>::deserialize(deserializer)? {
        Some(NumberOrText::Number(number)) => Some(number),
        Some(NumberOrText::Text(text)) => text.parse().ok(),
        None => None,
    })
}

#[cfg(test)]
mod tests;
