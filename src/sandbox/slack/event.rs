//! Events on their way to the app, signed as Slack signs them. A story says when each is delivered, and how often.
//!
//! [The Events API](https://docs.slack.dev/apis/events-api)

use jiff::Timestamp;
use serde_json::{Value, json};

use super::SimSlack;
use super::delivery::{APP_ID, VERIFICATION_TOKEN};
use super::people::Workspace;
use crate::sandbox::signed::SignedRequest;

impl SimSlack {
    /// Sets where events are delivered.
    pub fn connect_events(&self, events_url: &str) {
        self.world.change(|state| state.events_url = Some(events_url.to_owned()));
    }

    /// Takes the app out of a workspace, or out of the whole organization that installed it, and gives the two events
    /// that tell the app, in whichever order: `app_uninstalled` and `tokens_revoked`.
    pub fn uninstall(&self, workspace: &Workspace) -> [SignedRequest; 2] {
        let org = workspace.org_wide().map(|org| org.id.clone());
        self.world.change(|state| {
            let gone = |other: &&Workspace| {
                other.id == workspace.id || (org.is_some() && other.org_wide().map(|org| org.id.clone()) == org)
            };
            let ids: Vec<String> = state.workspaces.iter().filter(gone).map(|gone| gone.id.clone()).collect();
            for id in ids {
                let access = state.access.entry(id).or_default();
                (access.dead, access.installed) = (Some("account_inactive"), false);
            }
        });
        let uninstalled = json!({ "type": "app_uninstalled" });
        let revoked = json!({ "type": "tokens_revoked", "tokens": { "oauth": [], "bot": [workspace.bot_user] } });
        [self.event(workspace, &uninstalled), self.event(workspace, &revoked)]
    }

    /// An event about a workspace as it is delivered, with an id of its own. Where the whole organization has the app, the
    /// event is the organization's.
    pub fn event(&self, workspace: &Workspace, event: &Value) -> SignedRequest {
        self.event_of(workspace, event, self.clock().now())
    }

    /// The same about something that happened at this time, delivered late.
    pub fn event_of(&self, workspace: &Workspace, event: &Value, at: Timestamp) -> SignedRequest {
        self.event_in(workspace, event, at, None)
    }

    /// The same, with the workspace in which it happened where the event is the organization's.
    pub(super) fn event_in(
        &self,
        workspace: &Workspace,
        event: &Value,
        at: Timestamp,
        context: Option<&str>,
    ) -> SignedRequest {
        let (url, number) = self.world.change(|state| (state.events_url.clone(), state.count()));
        let org_wide = workspace.org_wide().is_some();
        let enterprise = workspace.enterprise.as_ref().map(|enterprise| enterprise.id.clone());
        let team = (!org_wide).then(|| workspace.id.clone());
        let body = json!({
            "token": VERIFICATION_TOKEN,
            "team_id": team,
            "enterprise_id": enterprise,
            "context_team_id": context,
            "context_enterprise_id": enterprise,
            "api_app_id": APP_ID,
            "event": event,
            "type": "event_callback",
            "event_id": format!("Ev{number:08}"),
            "event_time": at.as_second(),
            "authorizations": [{
                "enterprise_id": enterprise,
                "team_id": team,
                "user_id": workspace.bot_user,
                "is_bot": true,
                "is_enterprise_install": org_wide,
            }],
            "is_ext_shared_channel": false,
        });
        let mut request = self.signed_form(url, body.to_string());
        request.set_header("content-type", "application/json");
        request
    }
}
