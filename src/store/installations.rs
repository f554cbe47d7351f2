//! In which workspaces is the app installed, and how is an installation for the browser it was begun in?

use super::engine::{Swap, Swapped, on};
use super::error::Error;
use super::key::{Key, STATE_LIFE};
use super::{Seen, Store, to_log, to_secret};
use crate::audit::AuditEntry;
use crate::grant::StateToken;
use crate::id::{Reference, Workspace};
use crate::installation::{Begun, Installation, Site};

/// What lies where an installation is to be written.
#[derive(Clone, Debug)]
pub struct Former {
    /// The installation there, if there is one that opens.
    pub installation: Option<Installation>,
    bytes: Option<Vec<u8>>,
}

impl Store {
    /// The state that stands for an installation that was begun. It holds it, sealed: anybody may begin one, so nothing is
    /// written down about that.
    pub fn state_of(&self, begun: &Begun) -> Result<StateToken, Error> {
        let key = Key::begun();
        let sealed = self.seal(&key, &to_secret(&key, begun)?)?;
        let text = String::from_utf8(sealed).map_err(|_| Error::Corrupt { prefix: key.prefix() })?;
        Ok(StateToken::new(text))
    }

    /// The installation that a state stands for, if it stands for one.
    pub fn begun(&self, state: &StateToken) -> Option<Begun> {
        self.open_sealed(&Key::begun(), state.expose().as_bytes()).ok()
    }

    /// Whether a state was used.
    pub async fn is_used(&self, state: &StateToken) -> Result<bool, Error> {
        Ok(on!(&self.0.engine, get(&Key::used(state)))?.is_some())
    }

    /// Remembers for as long as a state is good that it was used; says whether that is new.
    pub async fn use_up(&self, state: &StateToken) -> Result<bool, Error> {
        on!(&self.0.engine, hold(&Key::used(state), Reference::random().as_str(), STATE_LIFE))
    }

    /// What lies in one place, also where it does not open.
    pub async fn installed_in(&self, site: &Site) -> Result<Former, Error> {
        let key = Key::installation(site);
        let bytes = on!(&self.0.engine, get(&key))?;
        let installation = bytes.as_ref().and_then(|bytes| self.open_sealed(&key, bytes).ok());
        Ok(Former { installation, bytes })
    }

    /// Writes an installation, and an entry with it, in place of what lay there. `false`: something else does, and stays.
    pub async fn install(
        &self,
        former: &Former,
        installation: &Installation,
        entry: &AuditEntry,
    ) -> Result<bool, Error> {
        let key = Key::installation(&installation.site);
        let sealed = self.seal(&key, &to_secret(&key, installation)?)?;
        let (seen, entry) = (former.bytes.as_deref(), to_log(entry)?);
        let swap = Swap { entry: Some(&entry), ..Swap::new(&key, seen, Some(&sealed)) };
        Ok(on!(&self.0.engine, swap(swap))? == Swapped::Done)
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
        let swap = Swap::new(&key, Some(&seen.bytes), None);
        Ok(on!(&self.0.engine, swap(swap))? == Swapped::Done)
    }
}
