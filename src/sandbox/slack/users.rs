//! What people are in their workspace, and [`users.info`](https://docs.slack.dev/reference/methods/users.info), which
//! tells it.

use serde_json::{Map, Value, json};

use super::SimSlack;
use super::api::Outcome;
use super::people::{Role, User, Workspace};
use super::post::Refusal;
use super::world::State;

impl SimSlack {
    /// Whether somebody is more than a member of their workspace.
    pub fn is_admin(&self, user: &User) -> bool {
        self.world.read(|state| state.roles.get(&user.id).copied().unwrap_or_default()) != Role::Member
    }

    /// Makes a person an admin or an owner, or a member again.
    pub fn set_role(&self, user: &User, role: Role) {
        self.world.change(|state| state.roles.insert(user.id.clone(), role));
    }

    /// Sets the time zone of a person, by its name in the tz database; until then Slack tells none.
    pub fn set_time_zone(&self, user: &User, zone: &str) {
        self.world.change(|state| state.time_zones.insert(user.id.clone(), zone.to_owned()));
    }

    /// Sets how many seconds the clock of a person is ahead of UTC; until then Slack does not tell.
    pub fn set_utc_offset(&self, user: &User, seconds: i32) {
        self.world.change(|state| state.utc_offsets.insert(user.id.clone(), seconds));
    }
}

/// `users.info`
pub(super) fn info(state: &State, workspace: &Workspace, arguments: &Map<String, Value>) -> Outcome {
    let id = arguments.get("user").and_then(Value::as_str).unwrap_or_default();
    if id == workspace.bot_user {
        return Ok(json!({ "user": { "id": id, "team_id": workspace.id, "deleted": false, "is_bot": true } }));
    }
    let user = state.users.iter().find(|user| user.id == id).filter(|user| is_visible(state, workspace, user));
    let user = user.ok_or_else(|| Refusal::new("user_not_found", id))?;
    let role = state.roles.get(&user.id).copied().unwrap_or_default();
    let mut told = json!({
        "id": user.id,
        "team_id": user.team,
        "name": user.name,
        "deleted": false,
        "is_admin": matches!(role, Role::Admin | Role::Owner | Role::PrimaryOwner),
        "is_owner": matches!(role, Role::Owner | Role::PrimaryOwner),
        "is_primary_owner": role == Role::PrimaryOwner,
        "is_restricted": false,
        "is_ultra_restricted": false,
        "is_bot": false,
        "profile": { "display_name": user.name },
    });
    if let Some(zone) = state.time_zones.get(&user.id) {
        told["tz"] = json!(zone);
    }
    if let Some(seconds) = state.utc_offsets.get(&user.id) {
        told["tz_offset"] = json!(seconds);
    }
    if let Some(enterprise) = state.workspace(&user.team).and_then(|workspace| workspace.enterprise.as_ref()) {
        let rules = matches!(role, Role::OrgAdmin);
        told["enterprise_user"] = json!({
            "id": user.id,
            "enterprise_id": enterprise.id,
            "enterprise_name": enterprise.name,
            "is_admin": rules,
            "is_owner": false,
            "teams": [user.team],
        });
    }
    Ok(json!({ "user": told }))
}

/// A bot sees the people of its own workspace; one of a whole organization those of all its workspaces.
pub(super) fn is_visible(state: &State, workspace: &Workspace, user: &User) -> bool {
    let theirs = state.workspace(&user.team).and_then(Workspace::org_wide);
    let same_org = workspace.org_wide().zip(theirs).is_some_and(|(ours, theirs)| ours.id == theirs.id);
    user.team == workspace.id || same_org
}
