//! Text that must not be seen: tokens, client secrets, `response_url`s, OAuth verifiers.

use std::fmt;

use hmac::{Hmac, KeyInit as _, Mac as _};
use secrecy::{ExposeSecret as _, SecretString};
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use sha2::{Digest as _, Sha256};

/// A secret text. It is wiped when dropped, and neither `Debug` nor `Display` shows it.
///
/// It serializes in clear, because sealed records are made of it: serialize it only into the store's sealer.
#[derive(Clone)]
pub struct Secret(SecretString);

impl Secret {
    /// Takes possession of the text.
    pub fn new(text: impl Into<String>) -> Self {
        Self(SecretString::from(text.into()))
    }

    /// Whether this is what signed `v0:{stamp}:{body}` with HMAC-SHA256, as Slack and Zoom both do; compared in constant
    /// time. An empty secret has signed nothing: it would make everybody the vendor.
    pub fn has_signed(&self, stamp: &str, body: &[u8], claimed: &[u8]) -> bool {
        if self.expose().is_empty() {
            return false;
        }
        let Ok(mut mac) = Hmac::<Sha256>::new_from_slice(self.expose().as_bytes()) else { return false };
        for part in [b"v0:", stamp.as_bytes(), b":", body] {
            mac.update(part);
        }
        mac.verify_slice(claimed).is_ok()
    }

    /// What a text that nobody can guess is known by where it must not be seen: always the same, and another one for each
    /// purpose.
    pub fn digest(&self, purpose: &str) -> String {
        hex::encode(Sha256::digest(format!("{purpose} {}", self.expose())))
    }

    /// The text itself, for the one place that sends it to its owner.
    pub fn expose(&self) -> &str {
        self.0.expose_secret()
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("[secret]")
    }
}

impl Default for Secret {
    /// The empty text.
    fn default() -> Self {
        Self::new("")
    }
}

impl PartialEq for Secret {
    fn eq(&self, other: &Self) -> bool {
        use subtle::ConstantTimeEq as _;
        self.expose().as_bytes().ct_eq(other.expose().as_bytes()).into()
    }
}

impl Eq for Secret {}

impl Serialize for Secret {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.expose())
    }
}

impl<'de> Deserialize<'de> for Secret {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer).map(Self::new)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_secret_is_known_by_is_another_thing_for_each_purpose_and_stays_the_same() {
        let mark = Secret::new("mark");
        // Instances of two versions read each other's.
        assert_eq!(mark.digest("nonce"), "496eacacca3ea1cc8e1ee65f5590aabdb6e7143b5208e94016604a225ebd4760");
        assert_ne!(mark.digest("revoke"), mark.digest("nonce"));
    }
}
