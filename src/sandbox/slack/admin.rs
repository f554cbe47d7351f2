//! What a workspace's admins do, whether the app likes it or not.

use super::SimSlack;
use super::people::{Channel, Workspace};
use super::world::Access;

impl SimSlack {
    /// Sets what the app may do in a workspace; after an installation that is what the manifest asks for.
    pub fn set_scopes(&self, workspace: &Workspace, scopes: &[&str]) {
        let scopes = scopes.iter().map(|scope| (*scope).to_owned()).collect();
        self.change_access(workspace, |access| access.scopes = scopes);
    }

    /// Ends the app's token in a workspace: it is `token_revoked` from now on.
    pub fn revoke(&self, workspace: &Workspace) {
        self.change_access(workspace, |access| access.dead = Some("token_revoked"));
    }

    /// Ends the app's user in a workspace, as taking the app out does: its token is `account_inactive` from now on.
    pub fn deactivate(&self, workspace: &Workspace) {
        self.change_access(workspace, |access| access.dead = Some("account_inactive"));
    }

    /// Archives a channel: what is there can be read, and nothing comes after it.
    pub fn archive(&self, channel: &Channel) {
        self.world.change(|state| state.archived.insert(channel.id.clone()));
    }

    fn change_access(&self, workspace: &Workspace, change: impl FnOnce(&mut Access)) {
        self.world.change(|state| change(state.access.entry(workspace.id.clone()).or_default()));
    }
}
