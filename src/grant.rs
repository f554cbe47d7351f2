//! What Zoom gives when a person connects: who they are there, and the tokens that act for them.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

use crate::id::{ChannelId, Person, ZoomAccountId, ZoomUserId, fill_random};
use crate::invocation::Invocation;
use crate::secret::Secret;

/// The scope without which nothing can be started or stopped.
pub const LIVESTREAM_SCOPE: &str = "meeting:update:livestream_status";
/// The same for webinars; optional.
pub const WEBINAR_SCOPE: &str = "webinar:update:livestream_status";
/// Shows whose a meeting is, whether it runs, and how it is encrypted; optional.
pub const MEETING_SCOPE: &str = "meeting:read:meeting";
/// Shows where a meeting's stream goes; optional.
pub const TARGET_SCOPE: &str = "meeting:read:livestream";
/// Sets where a meeting's stream goes; optional.
pub const SET_TARGET_SCOPE: &str = "meeting:update:livestream";
/// Shows where a webinar's stream goes; optional.
pub const WEBINAR_TARGET_SCOPE: &str = "webinar:read:livestream";
/// Sets where a webinar's stream goes; optional.
pub const SET_WEBINAR_TARGET_SCOPE: &str = "webinar:update:livestream";
/// Shows whether a user's settings allow streams; optional.
pub const SETTINGS_SCOPE: &str = "user:read:settings";

/// A pair of tokens as Zoom's token endpoint answers it. The refresh token is good for one use.
///
/// [Zoom OAuth](https://developers.zoom.us/docs/integrations/oauth/)
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Tokens {
    /// Acts for the user until `expires_at`.
    pub access: Secret,
    /// Buys the next pair, once.
    pub refresh: Secret,
    /// When the access token ends.
    pub expires_at: Timestamp,
    /// What the person allowed; empty where Zoom did not say.
    pub scopes: Vec<String>,
}

impl Tokens {
    /// Whether the access token is still good for a call that begins now.
    pub fn is_fresh(&self, now: Timestamp) -> bool {
        /// Ahead of expiry by more than any call with its time-out takes.
        const AHEAD: SignedDuration = SignedDuration::from_secs(120);
        self.expires_at.duration_since(now) > AHEAD
    }

    /// When Zoom ends a refresh token that nobody uses: 90 days after it was given, which was an hour before its access
    /// token ends. A day is taken off, so that whoever is told a date has that day.
    pub fn end_unused_at(&self) -> Timestamp {
        const UNUSED: SignedDuration = SignedDuration::from_hours(89 * 24);
        self.expires_at.checked_add(UNUSED).unwrap_or(Timestamp::MAX)
    }

    /// Whether that is so near that the people whose connection it is should know.
    pub fn end_soon(&self, now: Timestamp) -> bool {
        const NEAR: SignedDuration = SignedDuration::from_hours(14 * 24);
        self.end_unused_at().duration_since(now) < NEAR
    }

    /// Whether Zoom said which scopes it gave and left out the one that matters most.
    pub fn lacks_livestream_scope(&self) -> bool {
        self.allows(LIVESTREAM_SCOPE) == Some(false)
    }

    /// Whether a scope to change something was given, by its name or by the wider one that older Zoom apps have; `None`
    /// where Zoom did not say.
    pub fn allows(&self, wanted: &str) -> Option<bool> {
        let of = wanted.split(':').next().unwrap_or_default();
        let gives = |scope: &String| scope == wanted || scope.starts_with(&format!("{of}:write"));
        (!self.scopes.is_empty()).then(|| self.scopes.iter().any(gives))
    }
}

/// A Zoom user as `GET /users/me` describes them.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ZoomUser {
    /// Their id, which owns the grant.
    pub id: ZoomUserId,
    /// Their account.
    pub account: Option<ZoomAccountId>,
    /// The name they show.
    pub name: Option<String>,
    /// Their address; for the person's own eyes and their colleagues', never an identity, never logged.
    pub email: Option<String>,
}

impl ZoomUser {
    /// Stands in where whose account it is goes untold.
    pub fn untold() -> Self {
        Self { id: ZoomUserId::new(""), account: None, name: None, email: None }
    }
}

/// One Zoom user's grant, shared by every Slack user linked to it: a second grant would end the first at Zoom.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Grant {
    /// Whose it is.
    pub user: ZoomUser,
    /// The newest pair.
    pub tokens: Tokens,
    /// When it was given; `None` in records of an earlier OnAir.
    #[serde(default)]
    pub since: Option<Timestamp>,
    /// Who was told that these tokens end soon, because nobody uses them.
    #[serde(default)]
    pub warned: Vec<Person>,
}

/// A connection that has been offered and not yet made: what the OAuth `state` stands for.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Pending {
    /// The Slack user who asked; the link will be theirs and nobody else's.
    pub person: Person,
    /// What Slack calls them, for the page.
    pub user_name: String,
    /// What Slack calls their workspace, for the page.
    pub team_domain: String,
    /// Where they asked, for the way back.
    pub channel: ChannelId,
    /// PKCE's `code_verifier` ([RFC 7636](https://www.rfc-editor.org/rfc/rfc7636)).
    pub verifier: Secret,
    /// The command that asked for the connection; `/stream connect` itself, or one that waits to run after it.
    pub invocation: Invocation,
    /// When it was offered.
    pub offered_at: Timestamp,
    /// What the browser shows in which Slack said that it is the person's, where people sign in.
    #[serde(default)]
    pub proven_in: Option<Secret>,
}

impl Pending {
    /// How long an offer stands, and how old a waiting command may be when it runs.
    pub const LIFE: SignedDuration = SignedDuration::from_mins(10);

    /// Whether it is too old.
    pub fn is_over(&self, now: Timestamp) -> bool {
        now.duration_since(self.offered_at) > Self::LIFE
    }
}

/// What a browser gives Slack to have its answer bound to this browser, which shows the mark: nobody learns that from it.
///
/// [The nonce](https://openid.net/specs/openid-connect-core-1_0.html#NonceNotes)
pub fn nonce(mark: &Secret) -> String {
    mark.digest("nonce")
}

/// The OAuth `state`: whoever has it may make the connection it stands for, so it is a secret and good for one use.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StateToken(Secret);

/// 256 random bits in 43 characters, safe in a URL as they are; also a fresh PKCE `code_verifier`
/// ([RFC 7636, 4.1](https://www.rfc-editor.org/rfc/rfc7636#section-4.1)).
pub fn random_secret() -> Secret {
    let mut bytes = [0; 32];
    fill_random(&mut bytes);
    Secret::new(URL_SAFE_NO_PAD.encode(bytes))
}

impl StateToken {
    /// A fresh one of 256 random bits, safe in a URL as it is.
    pub fn generate() -> Self {
        Self(random_secret())
    }

    /// Takes what came back in a URL; whether it stands for anything is the store's to say.
    pub fn new(text: impl Into<String>) -> Self {
        Self(Secret::new(text))
    }

    /// The text, for the link and for the store's key.
    pub fn expose(&self) -> &str {
        self.0.expose()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_fortnight_before_unused_tokens_end_it_is_time_to_tell() {
        let given: Timestamp = "2026-01-01T00:00:00Z".parse().unwrap();
        let after = |days: i64| given.checked_add(SignedDuration::from_hours(days * 24)).unwrap();
        let secret = || Secret::new("token");
        let expires_at = given.checked_add(SignedDuration::from_hours(1)).unwrap();
        let tokens = Tokens { access: secret(), refresh: secret(), expires_at, scopes: Vec::new() };
        assert_eq!(tokens.end_unused_at(), "2026-03-31T01:00:00Z".parse().unwrap(), "within 90 days");
        assert!(!tokens.end_soon(after(75)));
        assert!(tokens.end_soon(after(76)));
        assert!(tokens.end_soon(after(100)), "also when it was not looked at in time");
    }
}
