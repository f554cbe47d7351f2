//! How are all grants gone through, and how is one changed beside those who renew it?

use super::engine::{Swap, Swapped, on};
use super::error::Error;
use super::key::Key;
use super::reseal::Listing;
use super::{Seen, Store, to_log, to_secret};
use crate::audit::AuditEntry;
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

    /// Deletes a grant, and writes an entry with that; says whether there was one.
    pub async fn end_grant(&self, zoom_user: &ZoomUserId, entry: &AuditEntry) -> Result<bool, Error> {
        let (key, entry) = (Key::grant(zoom_user), to_log(entry)?);
        loop {
            let Some(seen) = on!(&self.0.engine, get(&key))? else { return Ok(false) };
            let swap = Swap { entry: Some(&entry), ..Swap::new(&key, Some(&seen), None) };
            // One that was sealed anew meanwhile is looked at again.
            if on!(&self.0.engine, swap(swap))? == Swapped::Done {
                return Ok(true);
            }
        }
    }

    /// Writes a grant if it still is as it was seen; says whether it was. Whoever renews tokens writes over it.
    pub async fn change_grant(&self, seen: &Seen<Grant>, wanted: &Grant) -> Result<bool, Error> {
        let key = Key::grant(&wanted.user.id);
        let bytes = self.seal(&key, &to_secret(&key, wanted)?)?;
        on!(&self.0.engine, replace(&key, &seen.bytes, &bytes))
    }
}
