//! How are all grants gone through, and how is one changed beside those who renew it?

use super::engine::on;
use super::error::Error;
use super::key::Key;
use super::reseal::Listing;
use super::{Seen, Store, to_secret};
use crate::grant::Grant;
use crate::id::ZoomUserId;

/// All Zoom users that have a grant, page by page; one may come twice.
pub struct ZoomUsers<'a> {
    store: &'a Store,
    listing: Listing,
}

impl ZoomUsers<'_> {
    /// The next of them, or none where that was all.
    pub async fn next(&mut self) -> Result<Option<Vec<ZoomUserId>>, Error> {
        let keys = self.listing.next(&self.store.0.engine).await?;
        Ok(keys.map(|keys| keys.iter().map(|key| ZoomUserId::new(key.rest())).collect()))
    }
}

impl Store {
    /// Goes through all who have a grant.
    pub fn zoom_users(&self) -> ZoomUsers<'_> {
        ZoomUsers { store: self, listing: Listing::of(Key::GRANTS) }
    }

    /// A Zoom user's grant as it lies in the store.
    pub async fn seen_grant(&self, zoom_user: &ZoomUserId) -> Result<Option<Seen<Grant>>, Error> {
        let key = Key::grant(zoom_user);
        let bytes = on!(&self.0.engine, get(&key))?;
        bytes.map(|bytes| self.sealed(&key, bytes)).transpose()
    }

    /// Writes a grant if it still is as it was seen; says whether it was. Whoever renews tokens writes over it.
    pub async fn change_grant(&self, seen: &Seen<Grant>, wanted: &Grant) -> Result<bool, Error> {
        let key = Key::grant(&wanted.user.id);
        let bytes = self.seal(&key, &to_secret(&key, wanted)?)?;
        on!(&self.0.engine, replace(&key, &seen.bytes, &bytes))
    }
}
