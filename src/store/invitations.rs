//! How is an offered page of `setup` for one browser, and for one change?
//!
//! The browser that opens it is written into its record, of many who try one. Whoever makes the change takes the record
//! away.

use super::engine::{Swap, on};
use super::error::Error;
use super::key::{Key, STATE_LIFE};
use super::{Changed, Seen, Store, to_secret};
use crate::destination::Invitation;
use crate::grant::StateToken;

impl Store {
    /// Keeps an offered page for 10 minutes.
    pub async fn invite(&self, token: &StateToken, invitation: &Invitation) -> Result<(), Error> {
        self.put_sealed(&Key::invitation(token), invitation, Some(STATE_LIFE)).await
    }

    /// Reads an offered page without using it up.
    pub async fn invitation(&self, token: &StateToken) -> Result<Option<Seen<Invitation>>, Error> {
        let key = Key::invitation(token);
        let bytes = on!(&self.0.engine, get(&key))?;
        bytes.map(|bytes| self.sealed(&key, bytes)).transpose()
    }

    /// Writes an offered page, if it still is as it was `seen`. It is kept for 10 minutes more; its own
    /// [life](Invitation::LIFE) is as it was.
    pub async fn change_invitation(
        &self,
        token: &StateToken,
        seen: &Seen<Invitation>,
        wanted: Invitation,
    ) -> Result<Changed<Invitation>, Error> {
        let key = Key::invitation(token);
        let bytes = self.seal(&key, &to_secret(&key, &wanted)?)?;
        let swap = Swap { life: Some(STATE_LIFE), ..Swap::of(&key) };
        match self.swap(Some(seen), Some(Seen { value: wanted, bytes }), swap).await? {
            Ok(done) => Ok(Changed::Done(done)),
            Err(other) => Ok(Changed::Other(other.map(|bytes| self.sealed(&key, bytes)).transpose()?)),
        }
    }

    /// Uses an offered page up: of many who try, one gets it.
    pub async fn take_invitation(&self, token: &StateToken) -> Result<Option<Invitation>, Error> {
        let key = Key::invitation(token);
        let sealed = on!(&self.0.engine, take(&key))?;
        sealed.map(|sealed| self.open_sealed(&key, &sealed)).transpose()
    }
}
