//! What is read beside a running service, to see how it is.

use secrecy::ExposeSecret as _;

use super::engine::{Waiting, on};
use super::error::Error;
use super::key::Key;
use super::reseal::Listing;
use super::{Keyring, Reader, from_json};
use crate::stream::Stream;

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
