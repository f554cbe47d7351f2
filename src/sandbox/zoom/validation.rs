//! Zoom's check that whoever answers at the webhooks' address knows the secret token.
//!
//! [Validate your webhook endpoint](https://developers.zoom.us/docs/api/webhooks/#validate-your-webhook-endpoint)

use base64::Engine as _;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};

use super::SimZoom;
use super::event::Event;
use crate::sandbox::signed::{NoAnswer, keyed_hash};

/// Why the address is not valid.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Invalid {
    /// There is none.
    #[error("no webhooks are connected")]
    NotConnected,
    /// Nobody answered.
    #[error(transparent)]
    NoAnswer(#[from] NoAnswer),
    /// The answer is no 200.
    #[error("answered {0}")]
    Status(u16),
    /// The answer is not a JSON object with the plain token that was sent.
    #[error("the answer does not hold the plain token")]
    PlainToken,
    /// The answer's encrypted token is not the plain token's HMAC with the secret token.
    #[error("the encrypted token is not the plain token's HMAC-SHA256 with the secret token, in hex")]
    EncryptedToken,
}

impl SimZoom {
    /// Sends `endpoint.url_validation` and checks the answer. Zoom does so at the connection and every 72 hours.
    pub async fn validate_url(&self) -> Result<(), Invalid> {
        let (secret, number) = self.world.change(|state| {
            state.webhooks.validations += 1;
            (state.webhooks.subscription().map(|to| to.secret_token.clone()), state.webhooks.validations)
        });
        let secret = secret.ok_or(Invalid::NotConnected)?;
        let plain = BASE64_URL_SAFE_NO_PAD.encode(&Sha256::digest(number.to_string())[..16]);
        let at = self.world.clock.now();
        let event = Event::new("endpoint.url_validation", at, &json!({ "plainToken": plain }));
        let answer = self.deliver(&event).await?;
        if answer.status != 200 {
            return Err(Invalid::Status(answer.status));
        }
        let body: Value = serde_json::from_str(&answer.body).unwrap_or_default();
        if body["plainToken"] != plain.as_str() {
            return Err(Invalid::PlainToken);
        }
        if body["encryptedToken"] != keyed_hash(&secret, &[plain.as_bytes()]).as_str() {
            return Err(Invalid::EncryptedToken);
        }
        Ok(())
    }
}
