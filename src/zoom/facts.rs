//! What Zoom shows of a meeting and of a user, for whoever wants to know before a start what would stop it.
//!
//! Each fact is `None` where Zoom's answer does not say it: nothing is taken for good that was not read. What comes back
//! about a stream's target has the stream key in it, in clear; it is dropped with the body, before anything is kept.

use reqwest::header::ACCEPT;
use serde::de::DeserializeOwned;
use serde_json::Value;

use super::answer::{self, Body};
use super::{Cause, Error, JSON, Zoom, wire};
use crate::id::ZoomUserId;
use crate::meeting::MeetingId;
use crate::secret::Secret;

/// What matters of a meeting before its stream starts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MeetingFacts {
    /// Whose meeting it is.
    pub host: Option<ZoomUserId>,
    /// Whether it is in progress.
    pub is_running: Option<bool>,
    /// Whether it is end-to-end encrypted.
    pub is_end_to_end_encrypted: Option<bool>,
}

/// Whether a user's settings let them stream to a custom service.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct StreamSettings {
    /// Their meetings.
    pub allow_meetings: Option<bool>,
    /// Their webinars.
    pub allow_webinars: Option<bool>,
}

impl Zoom {
    /// What Zoom shows of a meeting.
    ///
    /// [Get a meeting](https://developers.zoom.us/docs/api/meetings/#tag/meetings/get/meetings/{meetingId})
    pub async fn meeting(&self, access: &Secret, meeting: MeetingId) -> Result<MeetingFacts, Error> {
        let path = format!("/meetings/{}", meeting.number());
        self.get(access, "meetings", &path).await.map(meeting_facts)
    }

    /// Whether a meeting has a stream address.
    ///
    /// [Get livestream details](https://developers.zoom.us/docs/api/meetings/#tag/meetings/get/meetings/{meetingId}/livestream)
    pub async fn has_target(&self, access: &Secret, meeting: MeetingId) -> Result<Option<bool>, Error> {
        let path = format!("/meetings/{}/livestream", meeting.number());
        let target: wire::Target = self.get(access, "meetings/livestream", &path).await?;
        Ok(match target.stream_url {
            Value::String(url) => Some(!url.trim().is_empty()),
            Value::Null => Some(false),
            _ => None,
        })
    }

    /// What the settings of the user whose token this is say about streams.
    ///
    /// [Get user settings](https://developers.zoom.us/docs/api/users/#tag/users/get/users/{userId}/settings)
    pub async fn stream_settings(&self, access: &Secret) -> Result<StreamSettings, Error> {
        self.get(access, "users/me/settings", "/users/me/settings").await.map(stream_settings)
    }

    /// Reads something, once. `call` names it where it is logged and counted, without ids.
    pub(super) async fn get<T: DeserializeOwned>(
        &self,
        access: &Secret,
        call: &'static str,
        path: &str,
    ) -> Result<T, Error> {
        let url = format!("{}{path}", self.inner.api_url);
        let request = self.inner.http.get(url).header(ACCEPT, JSON).bearer_auth(access.expose());
        let (answer, body) = self.send(call, request).await.map_err(Error::of_call)?;
        let (status, code) = (answer.status, answer.code);
        tracing::info!(call, status, code, tracking_id = answer.tracking_id, "Zoom answered");
        // A success with a code of Zoom's is one of its errors in disguise.
        if !(200..300).contains(&status) || code.is_some_and(|code| code != 0) {
            return Err(self.refusal(answer));
        }
        match body {
            Body::Whole(bytes) => answer::object(&bytes).ok_or(Error::Unexpected { status }),
            Body::Cut(_, error) => Err(Error::NoAnswer(Cause::new(error))),
            Body::TooLong(_) => Err(Error::Unexpected { status }),
        }
    }
}

fn meeting_facts(meeting: wire::Meeting) -> MeetingFacts {
    MeetingFacts {
        host: meeting.host_id.as_str().filter(|id| !id.is_empty()).map(ZoomUserId::new),
        is_running: one_of(&meeting.status, "started", "waiting"),
        is_end_to_end_encrypted: one_of(&meeting.settings["encryption_type"], "e2ee", "enhanced_encryption"),
    }
}

fn stream_settings(settings: wire::UserSettings) -> StreamSettings {
    let here = &settings.in_meeting;
    let webinars = &here["webinar_live_streaming"];
    let is_custom = |service: &Value| service == "custom_live_streaming_service";
    let custom_webinars = webinars["live_streaming_service"].as_array().map(|all| all.iter().any(is_custom));
    StreamSettings {
        allow_meetings: both(flag(&here["allow_live_streaming"]), flag(&here["custom_live_streaming_service"])),
        allow_webinars: both(flag(&webinars["enable"]), custom_webinars),
    }
}

/// Which of two words it is.
fn one_of(value: &Value, yes: &str, no: &str) -> Option<bool> {
    match value.as_str()?.trim() {
        word if word.eq_ignore_ascii_case(yes) => Some(true),
        word if word.eq_ignore_ascii_case(no) => Some(false),
        _ => None,
    }
}

fn flag(value: &Value) -> Option<bool> {
    value.as_bool().or_else(|| one_of(value, "true", "false"))
}

/// One "no" is enough; for a "yes" it takes both.
fn both(one: Option<bool>, other: Option<bool>) -> Option<bool> {
    match (one, other) {
        (Some(false), _) | (_, Some(false)) => Some(false),
        (Some(true), Some(true)) => Some(true),
        _ => None,
    }
}
