//! What travels between OnAir and Zoom, letter for letter. Private to the door: nothing outside knows these names.
//!
//! What is sent is as narrow as Zoom's documents: a key that nobody asked for is absent, never `null`. What is received
//! is as wide as can be: a field that OnAir can do without never makes an answer unreadable.

use std::fmt;

use serde::de::{Error as _, Visitor};
use serde::{Deserialize, Deserializer, Serialize};
use serde_json::Value;

use crate::destination::{Destination, Present, Resolution};
use crate::meeting::{Captions, Layout, Settings, SpeakerName, Title};
use crate::outcome::Action;
use crate::secret::Secret;

/// The body of
/// [Update livestream status](https://developers.zoom.us/docs/api/meetings/#tag/meetings/patch/meetings/{meetingId}/livestream/status).
#[derive(Serialize)]
pub(super) struct Status<'a> {
    pub(super) action: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) settings: Option<StreamSettings<'a>>,
}

/// Its `settings`, in the order in which Zoom documents them. The webinar twin has no `layout`.
#[derive(Serialize)]
pub(super) struct StreamSettings<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    active_speaker_name: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    display_name: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    layout: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    close_caption: Option<&'static str>,
}

impl<'a> Status<'a> {
    /// A stop never has settings, whatever was asked.
    pub(super) fn new(action: Action, settings: &'a Settings) -> Self {
        match action {
            Action::Start => Self { action: "start", settings: StreamSettings::of(settings) },
            Action::Stop => Self { action: "stop", settings: None },
        }
    }
}

impl<'a> StreamSettings<'a> {
    fn of(settings: &'a Settings) -> Option<Self> {
        (!settings.is_empty()).then(|| Self {
            active_speaker_name: settings.speaker_name.map(|shown| match shown {
                SpeakerName::On => true,
                SpeakerName::Off => false,
            }),
            display_name: settings.title.as_ref().map(Title::as_str),
            layout: settings.layout.map(layout),
            close_caption: settings.captions.map(captions),
        })
    }
}

// Apart from the names that the store keeps, so that neither can change with the other.
fn layout(layout: Layout) -> &'static str {
    match layout {
        Layout::FollowHost => "follow_host",
        Layout::GalleryView => "gallery_view",
        Layout::SpeakerView => "speaker_view",
    }
}

fn captions(captions: Captions) -> &'static str {
    match captions {
        Captions::BurntIn => "burnt-in",
        Captions::Embedded => "embedded",
        Captions::Off => "off",
    }
}

/// The body of
/// [Update a livestream](https://developers.zoom.us/docs/api/meetings/#tag/meetings/patch/meetings/{meetingId}/livestream).
#[derive(Serialize)]
pub(super) struct NewLivestream<'a> {
    stream_url: &'a str,
    stream_key: &'a str,
    page_url: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    resolution: Option<&'static str>,
}

impl<'a> From<&'a Destination> for NewLivestream<'a> {
    fn from(destination: &'a Destination) -> Self {
        Self {
            stream_url: destination.stream_url.expose(),
            stream_key: destination.stream_key.expose(),
            page_url: &destination.page_url,
            resolution: destination.resolution.map(Resolution::word),
        }
    }
}

/// The answer to
/// [Get livestream details](https://developers.zoom.us/docs/api/meetings/#tag/meetings/get/meetings/{meetingId}/livestream).
#[derive(Default, Deserialize)]
#[serde(default)]
pub(super) struct Livestream {
    stream_url: Option<Secret>,
    /// The key itself is dropped as it is read.
    #[serde(rename = "stream_key", deserialize_with = "is_there")]
    has_key: bool,
    page_url: Option<String>,
    resolution: Value,
}

impl From<Livestream> for Present {
    fn from(livestream: Livestream) -> Self {
        Self {
            stream_url: livestream.stream_url.unwrap_or_default(),
            has_key: livestream.has_key,
            page_url: livestream.page_url.unwrap_or_default(),
            resolution: livestream.resolution.as_str().and_then(Resolution::from_word),
        }
    }
}

/// Whether a text is there and not empty. Of the text nothing is kept, not for a moment.
fn is_there<'de, D: Deserializer<'de>>(input: D) -> Result<bool, D::Error> {
    struct IsThere;

    impl Visitor<'_> for IsThere {
        type Value = bool;

        fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str("a text or null")
        }

        fn visit_str<E>(self, text: &str) -> Result<bool, E> {
            Ok(!text.is_empty())
        }

        fn visit_unit<E>(self) -> Result<bool, E> {
            Ok(false)
        }
    }

    input.deserialize_any(IsThere)
}

/// The form of [`POST /oauth/token`](https://developers.zoom.us/docs/integrations/oauth/), for both of its grants.
#[derive(Serialize)]
#[serde(tag = "grant_type", rename_all = "snake_case")]
pub(super) enum TokenForm<'a> {
    /// [RFC 6749, 4.1.3](https://www.rfc-editor.org/rfc/rfc6749#section-4.1.3), with PKCE.
    AuthorizationCode { code: &'a str, redirect_uri: &'a str, code_verifier: &'a str },
    /// [RFC 6749, 6](https://www.rfc-editor.org/rfc/rfc6749#section-6).
    RefreshToken { refresh_token: &'a str },
}

/// The form of [`POST /oauth/revoke`](https://developers.zoom.us/docs/integrations/oauth/).
#[derive(Serialize)]
pub(super) struct RevokeForm<'a> {
    pub(super) token: &'a str,
}

/// The answer to [`POST /oauth/token`](https://developers.zoom.us/docs/integrations/oauth/). Only the access token is
/// indispensable; the rest is read leniently, because a refresh cannot be asked for twice.
#[derive(Deserialize)]
pub(super) struct TokenAnswer {
    pub(super) access_token: Secret,
    pub(super) refresh_token: Option<Secret>,
    /// Seconds: 3599 or 3600.
    #[serde(default)]
    pub(super) expires_in: Value,
    /// Names with spaces between them. Absent for some seconds after an app was made.
    #[serde(default)]
    pub(super) scope: Value,
}

/// An error of [the token endpoint](https://developers.zoom.us/docs/integrations/oauth/): Zoom says `reason` where the
/// standard says `error_description`.
#[derive(Default, Deserialize)]
#[serde(default)]
pub(super) struct OauthError {
    pub(super) error: Value,
    pub(super) reason: Value,
}

/// The part of [`GET /users/me`](https://developers.zoom.us/docs/api/users/#tag/users/get/users/{userId}) that OnAir
/// wants.
#[derive(Deserialize)]
pub(super) struct User {
    #[serde(deserialize_with = "not_empty")]
    pub(super) id: String,
    pub(super) account_id: Option<String>,
    pub(super) display_name: Option<String>,
    pub(super) first_name: Option<String>,
    pub(super) last_name: Option<String>,
    pub(super) email: Option<String>,
}

/// The part of [`GET /meetings/{meetingId}`](https://developers.zoom.us/docs/api/meetings/#tag/meetings/get/meetings/{meetingId})
/// that OnAir wants.
#[derive(Default, Deserialize)]
#[serde(default)]
pub(super) struct Meeting {
    pub(super) host_id: Value,
    /// `waiting` or `started`
    pub(super) status: Value,
    /// With `encryption_type`: `enhanced_encryption` or `e2ee`.
    pub(super) settings: Value,
}

/// The part of
/// [`GET /meetings/{meetingId}/livestream`](https://developers.zoom.us/docs/api/meetings/#tag/meetings/get/meetings/{meetingId}/livestream)
/// that OnAir wants. The key comes with it in clear and is deliberately not a field of this.
#[derive(Default, Deserialize)]
#[serde(default)]
pub(super) struct Target {
    pub(super) stream_url: Value,
}

/// The part of
/// [`GET /users/me/settings`](https://developers.zoom.us/docs/api/users/#tag/users/get/users/{userId}/settings) that OnAir
/// wants.
#[derive(Default, Deserialize)]
#[serde(default)]
pub(super) struct UserSettings {
    /// With `allow_live_streaming`, `custom_live_streaming_service` and `webinar_live_streaming`.
    pub(super) in_meeting: Value,
}

/// Everything about a Zoom user is kept under the id: people must not come to share an empty one.
fn not_empty<'de, D: Deserializer<'de>>(input: D) -> Result<String, D::Error> {
    let text = String::deserialize(input)?;
    if text.trim().is_empty() { Err(D::Error::custom("an empty id")) } else { Ok(text) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn of_a_key_only_its_being_there_is_read() {
        let read = |json: &str| serde_json::from_str::<Livestream>(json).map(Present::from);
        let full =
            r#"{"stream_url":"rtmp://a/b","stream_key":"canary","page_url":"https://a","resolution":"1080p","x":1}"#;
        let (stream_url, page_url) = (Secret::new("rtmp://a/b"), "https://a".to_owned());
        let expected = Present { stream_url, has_key: true, page_url, resolution: Some(Resolution::FullHd) };
        assert_eq!(read(full).unwrap(), expected);
        for nothing in [
            "{}",
            r#"{"stream_url":"","stream_key":"","page_url":""}"#,
            r#"{"stream_url":null,"stream_key":null,"page_url":null,"resolution":null}"#,
            r#"{"resolution":"4k"}"#,
        ] {
            assert_eq!(read(nothing).unwrap(), Present::default(), "{nothing}");
        }
        for unreadable in ["7", "", r#"{"stream_key":["canary"]}"#, r#"{"stream_url":7}"#] {
            assert!(read(unreadable).is_err(), "{unreadable}");
        }
    }

    #[test]
    fn a_user_without_an_id_is_none() {
        let read = |id: &str| serde_json::from_str::<User>(&format!(r#"{{"id":{id},"email":"ada@example.com"}}"#));
        assert_eq!(read("\"z8yCxjabcdEFGHfp8uQ\"").unwrap().id, "z8yCxjabcdEFGHfp8uQ");
        for id in ["\"\"", "\" \"", "null", "7"] {
            assert!(read(id).is_err(), "{id}");
        }
        assert!(serde_json::from_str::<User>("{}").is_err());
    }
}
