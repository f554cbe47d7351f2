//! What is read to see how a service is, by itself or beside it.

use jiff::Timestamp;
use secrecy::ExposeSecret as _;

use super::engine::{Waiting, on};
use super::error::Error;
use super::key::Key;
use super::reseal::Listing;
use super::seal::key_of;
use super::{Keyring, Reader, Store, from_json, to_json};
use crate::id::JobId;
use crate::journal::Job;
use crate::stream::Stream;

/// What seals some of the records.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct SomeSealed {
    /// How many were looked at.
    pub looked: usize,
    /// How many of them are not under the first key.
    pub others: usize,
    /// How many of those are under a key that this store was not opened with.
    pub lost: usize,
    /// Whether there may be more than were looked at.
    pub is_more: bool,
}

impl Store {
    /// The ids of the keys that open, the one that seals first.
    pub fn key_ids(&self) -> Vec<String> {
        self.0.keys.ids().map(ToString::to_string).collect()
    }

    /// What seals about so many records, of each kind some. Each is looked at once, or twice where the store changes
    /// meanwhile.
    pub async fn some_seals(&self, most: usize) -> Result<SomeSealed, Error> {
        /// Of a store that holds much else, pages may be empty.
        const PAGES: u32 = 10;
        let (mut found, each) = (SomeSealed::default(), most / Key::SEALED.len());
        for prefix in Key::SEALED.iter().copied() {
            let (mut listing, mut looked, mut pages) = (Listing::of(prefix), 0, 0);
            while let Some(page) = listing.next(&self.0.engine).await? {
                let is_full = page.len() > each - looked;
                for key in page.into_iter().take(each - looked) {
                    let Some(value) = on!(&self.0.engine, look(&key))? else { continue };
                    let id = key_of(&value);
                    looked += 1;
                    found.others += usize::from(!self.0.keys.is_newest(&value));
                    found.lost += usize::from(!id.is_some_and(|id| self.0.keys.ids().any(|known| *known == id)));
                }
                pages += 1;
                if is_full || (pages == PAGES && !listing.is_over()) {
                    found.is_more = true;
                    break;
                }
            }
            found.looked += looked;
        }
        Ok(found)
    }

    /// A job as it was last written, whoever holds it.
    pub async fn job(&self, id: &JobId) -> Result<Option<Job>, Error> {
        let key = Key::job(id);
        let body = on!(&self.0.engine, look(&key))?;
        body.map(|body| self.open_sealed(&key, &body)).transpose()
    }

    /// Notes that Zoom signed something with the webhooks' secret.
    pub async fn prove_webhooks(&self, at: Timestamp) -> Result<(), Error> {
        let key = Key::webhooks_proven();
        on!(&self.0.engine, put(&key, &to_json(&key, &at)?, None))
    }

    /// When that was last noted.
    pub async fn webhooks_proven_at(&self) -> Result<Option<Timestamp>, Error> {
        let key = Key::webhooks_proven();
        let value = on!(&self.0.engine, get(&key))?;
        value.map(|value| from_json(&key, &value)).transpose()
    }
}

impl Reader {
    /// Counts the jobs.
    pub async fn waiting(&self) -> Result<Waiting, Error> {
        on!(&self.engine, waiting())
    }

    /// Every stream that is known and opens with these keys; one may come twice.
    pub async fn streams(&self, keys: &Keyring) -> Result<Vec<Stream>, Error> {
        let (mut all, mut listing) = (Vec::new(), Listing::of(Key::STREAMS));
        while let Some(page) = listing.next(&self.engine).await? {
            for key in page {
                let Some(sealed) = on!(&self.engine, look(&key))? else { continue };
                if let Ok(plain) = keys.open(key.as_str(), &sealed) {
                    all.push(from_json(&key, plain.expose_secret())?);
                }
            }
        }
        Ok(all)
    }
}
