//! In which workspaces is the app installed, and how is an installation for the browser it was begun in?

use super::engine::{Swap, Swapped, on};
use super::error::Error;
use super::key::{Key, STATE_LIFE};
use super::{Seen, Store};
use crate::grant::StateToken;
use crate::id::Workspace;
use crate::installation::{Begun, Installation, Site};

impl Store {
    /// Keeps an installation that was begun for 10 minutes.
    pub async fn begin_installation(&self, token: &StateToken, begun: &Begun) -> Result<(), Error> {
        self.put_sealed(&Key::begun(token), begun, Some(STATE_LIFE)).await
    }

    /// Reads an installation that was begun without using it up.
    pub async fn begun_installation(&self, token: &StateToken) -> Result<Option<Begun>, Error> {
        self.get_sealed(&Key::begun(token)).await
    }

    /// Uses an installation that was begun up: of many who try, one gets it.
    pub async fn take_begun_installation(&self, token: &StateToken) -> Result<Option<Begun>, Error> {
        let key = Key::begun(token);
        let sealed = on!(&self.0.engine, take(&key))?;
        sealed.map(|sealed| self.open_sealed(&key, &sealed)).transpose()
    }

    /// Writes an installation, in place of an earlier one in the same place.
    pub async fn install(&self, installation: &Installation) -> Result<(), Error> {
        self.put_sealed(&Key::installation(&installation.site), installation, None).await
    }

    /// The installation in one place.
    pub async fn installation(&self, site: &Site) -> Result<Option<Installation>, Error> {
        self.get_sealed(&Key::installation(site)).await
    }

    /// The installation that serves a workspace: its own, and else that of its organization.
    pub async fn installation_for(&self, workspace: &Workspace) -> Result<Option<Installation>, Error> {
        let own = self.installation(&Site::Workspace(workspace.clone())).await?;
        match (own, &workspace.enterprise) {
            (None, Some(enterprise)) => self.installation(&Site::Organization(enterprise.clone())).await,
            (own, _) => Ok(own),
        }
    }

    /// The installation in one place, as it lies in the store.
    pub async fn seen_installation(&self, site: &Site) -> Result<Option<Seen<Installation>>, Error> {
        let key = Key::installation(site);
        let bytes = on!(&self.0.engine, get(&key))?;
        bytes.map(|bytes| self.sealed(&key, bytes)).transpose()
    }

    /// Forgets an installation, if it still is as it was seen; says whether it is forgotten.
    pub async fn uninstall(&self, seen: &Seen<Installation>) -> Result<bool, Error> {
        let key = Key::installation(&seen.value.site);
        let swap = Swap { key: &key, seen: Some(&seen.bytes), wanted: None, life: None };
        Ok(on!(&self.0.engine, swap(swap))? == Swapped::Done)
    }
}
