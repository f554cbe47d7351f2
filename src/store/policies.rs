//! How do two admins change the rules of a workspace without losing each other's changes?
//!
//! Whoever changes them says which version they saw, by its hash: that is short enough to go through a form in Slack.

use sha2::{Digest as _, Sha256};

use super::engine::{Swap, Swapped, on};
use super::error::Error;
use super::key::Key;
use super::reseal::Listing;
use super::{Store, from_json, to_json, to_log};
use crate::audit::AuditEntry;
use crate::id::Workspace;
use crate::policy::Policy;

/// The rules of a workspace as they lie in the store.
#[derive(Clone, Debug)]
pub struct KeptPolicy {
    /// Names this version.
    pub version: String,
    policy: Option<Policy>,
    bytes: Option<Vec<u8>>,
}

impl KeptPolicy {
    /// The rules, the default where none were ever set; nothing where what lies there cannot be read, which allows nothing.
    pub fn rules(&self) -> Option<&Policy> {
        self.policy.as_ref()
    }
}

impl Store {
    /// The rules of a workspace.
    pub async fn policy(&self, workspace: &Workspace) -> Result<KeptPolicy, Error> {
        let key = Key::policy(workspace);
        let bytes = on!(&self.0.engine, get(&key))?;
        let policy = match &bytes {
            Some(bytes) => from_json(&key, bytes).ok(),
            None => Some(Policy::default()),
        };
        let version = hex::encode(Sha256::digest(bytes.as_deref().unwrap_or_default()));
        Ok(KeptPolicy { policy, version, bytes })
    }

    /// A workspace whose rules name an audit channel, if there is one. This looks at every key of the store.
    pub async fn any_audit_channel(&self) -> Result<Option<Workspace>, Error> {
        let mut listing = Listing::of(Key::POLICIES);
        while let Some(page) = listing.next(&self.0.engine).await? {
            for key in page {
                let Some(workspace) = Workspace::from_key(key.rest()) else { continue };
                let kept = self.policy(&workspace).await?;
                if kept.rules().is_some_and(|policy| policy.audit_channel.is_some()) {
                    return Ok(Some(workspace));
                }
            }
        }
        Ok(None)
    }

    /// Writes the rules of a workspace, and an entry with them, if they still are as they were `seen`. `false`: they are
    /// not, and stay.
    pub async fn change_policy(
        &self,
        workspace: &Workspace,
        seen: &KeptPolicy,
        wanted: &Policy,
        entry: &AuditEntry,
    ) -> Result<bool, Error> {
        let key = Key::policy(workspace);
        let wanted = to_json(&key, wanted)?;
        let entry = to_log(entry)?;
        let seen = seen.bytes.as_deref();
        let swap = Swap { entry: Some(&entry), ..Swap::new(&key, seen, Some(&wanted)) };
        Ok(on!(&self.0.engine, swap(swap))? == Swapped::Done)
    }
}
