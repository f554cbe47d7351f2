//! What Slack says about a person.

use serde::Deserialize;

use super::{Error, Slack};
use crate::id::{EnterpriseId, TeamId, UserId, Workspace};
use crate::secret::Secret;

/// Somebody, as Slack knows them.
#[derive(Clone, Debug)]
pub struct Member {
    team: Option<TeamId>,
    /// Whether they are an admin or an owner of that workspace.
    is_admin: bool,
    /// The organization whose admin or owner they are.
    runs: Option<EnterpriseId>,
    /// The workspaces of an organization that they are in, beside their own.
    teams: Vec<TeamId>,
    /// Whether they are somebody who can type: no bot, and not gone.
    pub is_person: bool,
    /// How many seconds their clock is ahead of UTC now.
    pub utc_offset: Option<i32>,
    /// Their time zone, by its name in the tz database.
    pub time_zone: Option<String>,
}

impl Member {
    /// Whether they are an admin or an owner of a workspace, or of its organization. The bot of a whole organization sees
    /// people of other workspaces too, who are admins there and not here.
    pub fn is_admin_of(&self, workspace: &Workspace) -> bool {
        let is_here = self.team.as_ref().is_none_or(|team| *team == workspace.team);
        let is_above = self.runs.is_some() && self.runs == workspace.enterprise;
        (self.is_admin && is_here) || is_above
    }
}

impl Member {
    /// Whether they are of a workspace. The bot of a whole organization sees people of its other workspaces, too.
    pub fn is_of(&self, workspace: &Workspace) -> bool {
        self.team.as_ref().is_none_or(|team| *team == workspace.team) || self.teams.contains(&workspace.team)
    }
}

impl Slack {
    /// Asks what somebody is. It needs `users:read`; nothing but a form is read by this method.
    ///
    /// [`users.info`](https://docs.slack.dev/reference/methods/users.info)
    pub async fn member(&self, token: &Secret, user: &UserId) -> Result<Member, Error> {
        let body = self.ask("users.info", token, &[("user", user.as_str())]).await?;
        let told: Option<Told> = serde_json::from_value(body["user"].clone()).ok();
        let member = told.filter(|told| told.id == user.as_str()).map(Member::from);
        member.ok_or_else(|| Error::Refused("unreadable".to_owned()))
    }
}

/// What is read of an answer. The library's model has every field of a profile, each of which could keep it from being read.
#[derive(Deserialize)]
struct Told {
    id: String,
    team_id: Option<String>,
    tz: Option<String>,
    tz_offset: Option<i32>,
    #[serde(default)]
    is_bot: bool,
    #[serde(default)]
    deleted: bool,
    #[serde(flatten)]
    is: Is,
    enterprise_user: Option<InOrganization>,
}

#[derive(Deserialize)]
struct InOrganization {
    enterprise_id: String,
    #[serde(default)]
    teams: Vec<String>,
    #[serde(flatten)]
    is: Is,
}

#[derive(Deserialize)]
struct Is {
    #[serde(default)]
    is_admin: bool,
    #[serde(default)]
    is_owner: bool,
    #[serde(default)]
    is_primary_owner: bool,
}

impl Is {
    fn in_charge(&self) -> bool {
        self.is_admin || self.is_owner || self.is_primary_owner
    }
}

impl From<Told> for Member {
    fn from(told: Told) -> Self {
        // Slack does not call its own bot one.
        let is_person = !told.is_bot && !told.deleted && told.id != "USLACKBOT";
        let teams = told.enterprise_user.iter().flat_map(|above| above.teams.iter().map(TeamId::new)).collect();
        let runs = told.enterprise_user.filter(|above| above.is.in_charge() && !told.deleted);
        Self {
            team: told.team_id.map(TeamId::new),
            is_admin: told.is.in_charge() && !told.deleted,
            runs: runs.map(|above| EnterpriseId::new(above.enterprise_id)),
            teams,
            is_person,
            utc_offset: told.tz_offset,
            time_zone: told.tz,
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    fn workspace(enterprise: Option<&str>, team: &str) -> Workspace {
        Workspace { enterprise: enterprise.map(EnterpriseId::new), team: TeamId::new(team) }
    }

    fn check(told: Value, workspace: &Workspace, is_admin: bool) {
        let member = Member::from(serde_json::from_value::<Told>(told.clone()).unwrap());
        assert_eq!(member.is_admin_of(workspace), is_admin, "{told} in {workspace:?}");
    }

    #[test]
    fn admins_and_owners_are_admins_of_their_own_workspace() {
        let (here, there) = (workspace(None, "T1"), workspace(None, "T2"));
        for word in ["is_admin", "is_owner", "is_primary_owner"] {
            let told = json!({ "id": "U1", "team_id": "T1", word: true });
            check(told.clone(), &here, true);
            check(told, &there, false);
            check(json!({ "id": "U1", "team_id": "T1", word: false }), &here, false);
            check(json!({ "id": "U1", "team_id": "T1", word: true, "deleted": true }), &here, false);
        }
        check(json!({ "id": "U1", "team_id": "T1" }), &here, false);
    }

    #[test]
    fn an_admin_of_the_organization_is_one_in_each_of_its_workspaces() {
        let above = json!({ "enterprise_id": "E1", "is_admin": true, "is_owner": false });
        let told = json!({ "id": "U1", "team_id": "T1", "is_admin": false, "enterprise_user": above });
        check(told.clone(), &workspace(Some("E1"), "T1"), true);
        check(told.clone(), &workspace(Some("E1"), "T2"), true);
        check(told.clone(), &workspace(Some("E2"), "T1"), false);
        check(told, &workspace(None, "T1"), false);
        let member = json!({ "enterprise_id": "E1", "is_admin": false, "is_owner": false });
        check(json!({ "id": "U1", "team_id": "T1", "enterprise_user": member }), &workspace(Some("E1"), "T1"), false);
    }
}
