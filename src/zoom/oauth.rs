//! Zoom's OAuth: the address a person goes to, and the calls that make, renew and end a grant.
//!
//! Authorization code with PKCE (S256) and a confidential client. Tokens travel in form bodies and in headers, never in
//! a query. No call repeats itself: a code and a refresh token are good for one use, and when the answer is lost nobody
//! knows whether that was it.
//!
//! [Zoom OAuth](https://developers.zoom.us/docs/integrations/oauth/)

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jiff::{SignedDuration, Timestamp};
use reqwest::header::ACCEPT;
use serde::Serialize;
use serde_json::Value;
use sha2::{Digest as _, Sha256};
use url::Url;

use super::answer::{self, Body};
use super::{Cause, Error, JSON, Zoom, wire};
use crate::grant::{Tokens, random_secret};
use crate::outcome::LimitHeaders;
use crate::secret::Secret;

/// A code that Zoom never gives.
const NOBODYS_CODE: &str = "onair-check";

impl Zoom {
    /// Where to send a person to connect. A secret: it carries the `state`, which stands for their unfinished
    /// connection.
    pub fn authorize_url(&self, state: &str, verifier: &Secret) -> Secret {
        let options = &self.inner.options;
        let challenge = URL_SAFE_NO_PAD.encode(Sha256::digest(verifier.expose()));
        let mut url: Url = self.inner.authorize.clone();
        url.query_pairs_mut()
            .append_pair("response_type", "code")
            .append_pair("client_id", &options.client_id)
            .append_pair("redirect_uri", &options.redirect_uri)
            .append_pair("state", state)
            .append_pair("code_challenge", &challenge)
            .append_pair("code_challenge_method", "S256");
        Secret::new(String::from(url))
    }

    /// Trades the code of a callback for the first pair of tokens. A code is good once, within five minutes.
    ///
    /// # Errors
    ///
    /// [`Error::InvalidGrant`] for a code that is spent, too old, or not of this verifier; an answer without a refresh
    /// token is [`Error::Unexpected`], because it would be a grant for one hour.
    pub async fn exchange(&self, code: &Secret, verifier: &Secret) -> Result<Tokens, Error> {
        let form = wire::TokenForm::AuthorizationCode {
            code: code.expose(),
            redirect_uri: &self.inner.options.redirect_uri,
            code_verifier: verifier.expose(),
        };
        self.tokens(&form, None).await
    }

    /// Trades a refresh token for the next pair, and spends it. Store the new pair before it is used.
    ///
    /// # Errors
    ///
    /// [`Error::InvalidGrant`], and nothing else, ends the grant. After [`Error::NoAnswer`] the token may be spent.
    pub async fn refresh(&self, refresh: &Secret) -> Result<Tokens, Error> {
        self.tokens(&wire::TokenForm::RefreshToken { refresh_token: refresh.expose() }, Some(refresh)).await
    }

    /// Ends a grant at Zoom. A token that Zoom does not know any more is as good as revoked, which is no error
    /// ([RFC 7009, 2.2](https://www.rfc-editor.org/rfc/rfc7009#section-2.2)).
    pub async fn revoke(&self, access: &Secret) -> Result<(), Error> {
        match self.post("revoke", &wire::RevokeForm { token: access.expose() }).await {
            Ok(_) | Err(Error::InvalidGrant) => Ok(()),
            Err(error) => Err(error),
        }
    }

    /// Asks Zoom whether it knows the client, by having it trade a code that nobody was given. Whatever else it says about
    /// that code is nothing against the client.
    ///
    /// # Errors
    ///
    /// [`Error::Refused`] with the code `invalid_client`.
    pub async fn check_client(&self) -> Result<(), Error> {
        match self.exchange(&Secret::new(NOBODYS_CODE), &random_secret()).await {
            Err(Error::Refused { status, code }) if code.as_deref() == Some("invalid_client") => {
                Err(Error::Refused { status, code })
            }
            _ => Ok(()),
        }
    }

    /// `spent` stays in use if Zoom names no other
    /// ([RFC 6749, 6](https://www.rfc-editor.org/rfc/rfc6749#section-6)).
    async fn tokens(&self, form: &wire::TokenForm<'_>, spent: Option<&Secret>) -> Result<Tokens, Error> {
        // Counted from before the call, so that a slow answer never makes a token look younger than it is.
        let asked_at = self.inner.clock.now();
        let (status, body) = self.post("token", form).await?;
        let body = match body {
            Body::Whole(bytes) => bytes,
            Body::Cut(_, error) => return Err(Error::NoAnswer(Cause::new(error))),
            Body::TooLong(_) => return Err(Error::Unexpected { status }),
        };
        let answer: wire::TokenAnswer = serde_json::from_slice(&body).map_err(|_| Error::Unexpected { status })?;
        let refresh = answer.refresh_token.or_else(|| spent.cloned()).filter(|token| !token.expose().is_empty());
        Ok(Tokens {
            access: Some(answer.access_token)
                .filter(|token| !token.expose().is_empty())
                .ok_or(Error::Unexpected { status })?,
            refresh: refresh.ok_or(Error::Unexpected { status })?,
            expires_at: asked_at.saturating_add(life(&answer.expires_in)).unwrap_or(asked_at),
            scopes: scopes(&answer.scope),
        })
    }

    /// A success, with as much of its body as came, or what Zoom says is wrong.
    async fn post(&self, path: &'static str, form: &impl Serialize) -> Result<(u16, Body), Error> {
        let options = &self.inner.options;
        let request = self
            .inner
            .http
            .post(format!("{}/{path}", self.inner.oauth_url))
            .header(ACCEPT, JSON)
            .basic_auth(&options.client_id, Some(options.client_secret.expose()))
            .form(form);
        let response = self.ask(path, request).await.map_err(Error::of_call)?;
        let (status, headers) = (response.status(), response.headers().clone());
        let body = Body::read(response).await;
        tracing::info!(
            call = path,
            status = status.as_u16(),
            tracking_id = answer::tracking_id(&headers),
            "Zoom answered"
        );
        if status.is_success() {
            return Ok((status.as_u16(), body));
        }
        let now = self.inner.clock.now();
        Err(refusal(status.as_u16(), body.bytes(), &answer::limit(&headers, now), now))
    }
}

/// What a status and body of the token endpoint mean.
///
/// A grant ends by Zoom's `invalid_grant` alone, with whatever status of a refusal. Its one other spelling is
/// `invalid_request` with the reason `Invalid Token!`, which names the same dead token; taking it for anything else would
/// leave a person with a grant that never works and is never renewed. Too many requests and 5xx end nothing, whatever
/// their bodies say: if the grant is over, the next refresh says so again.
fn refusal(status: u16, body: &[u8], limit: &LimitHeaders, now: Timestamp) -> Error {
    let said: wire::OauthError = serde_json::from_slice(body).unwrap_or_default();
    let error = said.error.as_str().unwrap_or_default();
    let dead_token = said.reason.as_str().is_some_and(|reason| reason.to_lowercase().contains("invalid token"));
    match status {
        429 => Error::busy(limit, now),
        500.. => Error::Down { status },
        _ if error == "invalid_grant" || (error == "invalid_request" && dead_token) => Error::InvalidGrant,
        _ => Error::Refused { status, code: word(error) },
    }
}

/// An error code as OAuth has them. Anything else could be an echo of what was sent and is not kept.
fn word(error: &str) -> Option<String> {
    let plain = !error.is_empty() && error.len() <= 40 && error.bytes().all(|b| b.is_ascii_lowercase() || b == b'_');
    plain.then(|| error.to_owned())
}

/// The life of an access token: as told, as a number or as a text; else the hour that Zoom documents.
fn life(expires_in: &Value) -> SignedDuration {
    const HOUR: i64 = 60 * 60;
    let told = expires_in.as_i64().or_else(|| expires_in.as_str()?.trim().parse().ok());
    // A token believed to live longer than it does would be used long after its end.
    SignedDuration::from_secs(told.filter(|seconds| (0..=24 * HOUR).contains(seconds)).unwrap_or(HOUR))
}

fn scopes(scope: &Value) -> Vec<String> {
    let words = scope.as_str().unwrap_or_default();
    words.split([' ', ',']).filter(|word| !word.is_empty()).map(str::to_owned).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::grant::random_secret;

    const NOW: Timestamp = Timestamp::UNIX_EPOCH;

    fn check(status: u16, body: &str, expected: &str) {
        let error = refusal(status, body.as_bytes(), &LimitHeaders::default(), NOW);
        assert_eq!(format!("{error:?}"), expected, "{status} {body}");
    }

    #[test]
    fn only_an_invalid_grant_ends_a_grant() {
        for status in [400, 401, 403] {
            check(status, r#"{"reason":"Invalid Token!","error":"invalid_grant"}"#, "InvalidGrant");
            check(status, r#"{"reason":"Invalid Token!","error":"invalid_request"}"#, "InvalidGrant");
        }
        check(429, r#"{"error":"invalid_grant"}"#, "Busy { retry_at: 1970-01-01T00:00:05Z }");
        check(503, r#"{"error":"invalid_grant"}"#, "Down { status: 503 }");
        check(400, r#"{"error":"invalid_request"}"#, r#"Refused { status: 400, code: Some("invalid_request") }"#);
        check(
            401,
            r#"{"reason":"Invalid client_id or client_secret","error":"invalid_client"}"#,
            r#"Refused { status: 401, code: Some("invalid_client") }"#,
        );
        check(
            401,
            r#"{"reason":"Invalid Token!","error":"invalid_client"}"#,
            r#"Refused { status: 401, code: Some("invalid_client") }"#,
        );
        check(400, "<html>", "Refused { status: 400, code: None }");
        check(302, "", "Refused { status: 302, code: None }");
        check(400, r#"{"error":"eyJhbGciOi.token"}"#, "Refused { status: 400, code: None }");
        check(400, r#"{"error":7,"reason":[]}"#, "Refused { status: 400, code: None }");
    }

    #[test]
    fn a_life_is_an_hour_unless_zoom_says_another_that_can_be_true() {
        for (told, seconds) in [
            (Value::from(3599), 3599),
            (Value::from("3599"), 3599),
            (Value::Null, 3600),
            (Value::from(-1), 3600),
            (Value::from(u64::MAX), 3600),
            (Value::from(0), 0),
        ] {
            assert_eq!(life(&told).as_secs(), seconds, "{told}");
        }
    }

    #[test]
    fn a_verifier_is_43_unreserved_characters_and_never_the_same() {
        let (one, two) = (random_secret(), random_secret());
        assert_eq!(one.expose().len(), 43);
        assert!(one.expose().bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-' || b == b'_'));
        assert_ne!(one, two);
    }
}
