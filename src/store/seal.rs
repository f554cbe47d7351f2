//! How does a secret lie in the store so that neither its reader nor its writer learns or moves it?
//!
//! Every sealed value is `v1.<key id>.<base64url(nonce and ciphertext)>`: XChaCha20-Poly1305 under a random 24-byte
//! nonce, with the record's full key as associated data. A value that is copied under another key does not open. The
//! first key of the ring seals, all of them open, so a key is rotated by putting the new one in front and removing the
//! old one once everything has been sealed again; see `reseal.rs`.

use std::fmt;
use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::{
    STANDARD, STANDARD_NO_PAD_INDIFFERENT, URL_SAFE_NO_PAD, URL_SAFE_NO_PAD_INDIFFERENT,
};
use chacha20poly1305::aead::{Aead as _, Generate as _, Payload};
use chacha20poly1305::{KeyInit as _, XChaCha20Poly1305, XNonce};
use secrecy::{ExposeSecret as _, SecretSlice};

use crate::id::fill_random;
use crate::secret::Secret;

const VERSION: &str = "v1";
const KEY_BYTES: usize = 32;
const NONCE_BYTES: usize = 24;

/// The keys that seal and open, from `ONAIR_ENCRYPTION_KEYS`. Cheap to clone; `Debug` shows the ids alone.
#[derive(Clone)]
pub struct Keyring(Arc<[SealingKey]>);

struct SealingKey {
    id: KeyId,
    cipher: XChaCha20Poly1305,
}

/// A key's name: 1 to 32 of `A-Z`, `a-z`, `0-9`, `_`, `-`. It is written beside every value, so it is no secret.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct KeyId(String);

impl KeyId {
    fn new(text: &str) -> Option<Self> {
        let plain = text.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_' || byte == b'-');
        (plain && (1..=32).contains(&text.len())).then(|| Self(text.to_owned()))
    }
}

impl fmt::Display for KeyId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Why a text is no ring of keys. Positions count from 1; neither a key nor what may be one is ever shown.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum KeyringError {
    /// There is none.
    #[error("there is no key")]
    Empty,
    /// There is no `:` between an id and a key.
    #[error("key {position} is not written id:base64")]
    Form {
        /// Which one.
        position: usize,
    },
    /// The id has other characters, or too many of them.
    #[error("the id of key {position} is not 1 to 32 letters, digits, '_' or '-'")]
    Id {
        /// Which one.
        position: usize,
    },
    /// Two keys have one id.
    #[error("key {position} has the id {id} of an earlier one")]
    Duplicate {
        /// Which one.
        position: usize,
        /// Its id.
        id: KeyId,
    },
    /// What follows the id is not base64 of 32 bytes.
    #[error("key {position} ({id}) is not the base64 of 32 bytes")]
    Key {
        /// Which one.
        position: usize,
        /// Its id.
        id: KeyId,
    },
}

/// Why a value does not open, or cannot be sealed.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SealFault {
    /// It has not the form of a sealed value.
    #[error("it is not a sealed value")]
    NotSealed,
    /// The ring has no such key.
    #[error("it was sealed with key {0}, which is not configured")]
    UnknownKey(KeyId),
    /// It was changed, belongs under another record, or the key of this id is another one now.
    #[error("it does not open with key {0}")]
    NotAuthentic(KeyId),
    /// It is larger than the cipher takes (256 GiB).
    #[error("it is too large to be sealed")]
    TooLarge,
}

impl Keyring {
    /// Reads `id:base64,…`. Standard and URL-safe base64 are taken, padded or not, and white space around commas.
    pub fn parse(text: &Secret) -> Result<Self, KeyringError> {
        if text.expose().trim().is_empty() {
            return Err(KeyringError::Empty);
        }
        let mut keys: Vec<SealingKey> = Vec::new();
        for (index, entry) in text.expose().split(',').enumerate() {
            let key = read_key(index + 1, entry.trim())?;
            if keys.iter().any(|earlier| earlier.id == key.id) {
                return Err(KeyringError::Duplicate { position: index + 1, id: key.id });
            }
            keys.push(key);
        }
        Ok(Self(keys.into()))
    }

    /// A ring of one fresh key, as the text that [`Keyring::parse`] reads.
    pub fn generate_one() -> Secret {
        let mut name = [0; 4];
        fill_random(&mut name);
        let mut key = [0; KEY_BYTES];
        fill_random(&mut key);
        Secret::new(format!("k{}:{}", hex::encode(name), STANDARD.encode(key)))
    }

    /// The ids, the sealing one first.
    pub fn ids(&self) -> impl Iterator<Item = &KeyId> {
        self.0.iter().map(|key| &key.id)
    }

    /// Whether a value is sealed with the key that seals.
    pub(crate) fn is_newest(&self, sealed: &[u8]) -> bool {
        self.0.first().is_some_and(|first| key_of(sealed).is_some_and(|id| id == first.id))
    }

    /// Seals a value for one record.
    pub fn seal(&self, record: &str, plain: &[u8]) -> Result<Vec<u8>, SealFault> {
        let key = self.0.first().ok_or(SealFault::NotSealed)?;
        let nonce = XNonce::generate();
        let payload = Payload { msg: plain, aad: record.as_bytes() };
        let ciphertext = key.cipher.encrypt(&nonce, payload).map_err(|_| SealFault::TooLarge)?;
        let bytes = [nonce.as_slice(), &ciphertext].concat();
        Ok(format!("{VERSION}.{}.{}", key.id, URL_SAFE_NO_PAD.encode(bytes)).into_bytes())
    }

    /// Opens what [`Keyring::seal`] made for the same record, with whichever key it names.
    pub fn open(&self, record: &str, sealed: &[u8]) -> Result<SecretSlice<u8>, SealFault> {
        let (id, bytes) = read_sealed(sealed).ok_or(SealFault::NotSealed)?;
        let Some(key) = self.0.iter().find(|key| key.id == id) else {
            return Err(SealFault::UnknownKey(id));
        };
        let (nonce, ciphertext) = bytes.split_at_checked(NONCE_BYTES).ok_or(SealFault::NotSealed)?;
        let nonce = XNonce::try_from(nonce).map_err(|_| SealFault::NotSealed)?;
        let payload = Payload { msg: ciphertext, aad: record.as_bytes() };
        let plain = key.cipher.decrypt(&nonce, payload).map_err(|_| SealFault::NotAuthentic(id))?;
        Ok(SecretSlice::from(plain))
    }
}

impl fmt::Debug for Keyring {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.ids().map(|id| &id.0)).finish()
    }
}

fn read_key(position: usize, entry: &str) -> Result<SealingKey, KeyringError> {
    let (id, encoded) = entry.split_once(':').ok_or(KeyringError::Form { position })?;
    let id = KeyId::new(id.trim()).ok_or(KeyringError::Id { position })?;
    let encoded = encoded.trim();
    let decoded = STANDARD_NO_PAD_INDIFFERENT.decode(encoded).or_else(|_| URL_SAFE_NO_PAD_INDIFFERENT.decode(encoded));
    let bytes = decoded.map(SecretSlice::from).ok();
    let cipher = bytes.and_then(|bytes| XChaCha20Poly1305::new_from_slice(bytes.expose_secret()).ok());
    match cipher {
        Some(cipher) => Ok(SealingKey { id, cipher }),
        None => Err(KeyringError::Key { position, id }),
    }
}

/// The id of the key that a value names, whether or not it opens.
pub(crate) fn key_of(sealed: &[u8]) -> Option<KeyId> {
    read_sealed(sealed).map(|(id, _)| id)
}

fn read_sealed(sealed: &[u8]) -> Option<(KeyId, Vec<u8>)> {
    let mut parts = str::from_utf8(sealed).ok()?.split('.');
    let (version, id, encoded) = (parts.next()?, parts.next()?, parts.next()?);
    if version != VERSION || parts.next().is_some() {
        return None;
    }
    Some((KeyId::new(id)?, URL_SAFE_NO_PAD.decode(encoded).ok()?))
}

#[cfg(test)]
#[path = "seal_tests.rs"]
mod tests;
