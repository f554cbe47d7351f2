//! How the app is installed at Slack: where, by whom, and with what it may speak there.

use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

use crate::grant::random_secret;
use crate::id::{EnterpriseId, Person, TeamId, UserId, Workspace};
use crate::manifest::PEOPLE_SCOPE;
use crate::secret::Secret;

/// What the bot needs to post and to change what it posted.
pub const WRITE_SCOPE: &str = "chat:write";
/// What every installation gives: the slash command and its answers.
pub const COMMANDS_SCOPE: &str = "commands";
/// Every scope the app is installed with, unless an admin wants less.
pub const SCOPES: &[&str] = &[COMMANDS_SCOPE, WRITE_SCOPE, PEOPLE_SCOPE];

/// Where the app was installed at once.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Site {
    /// In one workspace.
    Workspace(Workspace),
    /// In a whole Enterprise organization, for all workspaces its admins choose.
    Organization(EnterpriseId),
}

impl Site {
    /// The form used inside store keys. No workspace is called `-`, so an organization is not taken for one.
    pub fn key(&self) -> String {
        match self {
            Self::Workspace(workspace) => workspace.key(),
            Self::Organization(enterprise) => format!("{enterprise}/-"),
        }
    }

    /// Whether a workspace is in it.
    pub fn holds(&self, workspace: &Workspace) -> bool {
        match self {
            Self::Workspace(this) => this == workspace,
            Self::Organization(enterprise) => workspace.enterprise.as_ref() == Some(enterprise),
        }
    }

    /// One of its users. In a whole organization they are named by the organization, as Slack itself does.
    pub fn user(&self, user: UserId) -> Person {
        match self {
            Self::Workspace(Workspace { enterprise, team }) => {
                Person { enterprise: enterprise.clone(), team: team.clone(), user }
            }
            Self::Organization(enterprise) => {
                Person { enterprise: Some(enterprise.clone()), team: TeamId::new(enterprise.as_str()), user }
            }
        }
    }
}

/// The app in one place, as Slack gave it.
///
/// [Installing with OAuth](https://docs.slack.dev/authentication/installing-with-oauth)
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Installation {
    /// Where.
    pub site: Site,
    /// What Slack calls the place, for pages; not an identity.
    pub name: String,
    /// The bot, if the installation has one.
    pub bot: Option<Bot>,
    /// The app's id at Slack.
    pub app: String,
    /// Who installed it. They count as an admin of OnAir there.
    pub installed_by: UserId,
    /// When.
    pub at: Timestamp,
}

impl Installation {
    /// The bot's token, if it may post.
    pub fn speaker(&self) -> Option<&Secret> {
        let bot = self.bot.as_ref()?;
        bot.scopes.iter().any(|scope| scope == WRITE_SCOPE).then_some(&bot.token)
    }
}

/// The app's user in one place.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Bot {
    /// Its id there.
    pub user: UserId,
    /// What it speaks with. It does not expire.
    pub token: Secret,
    /// What it may do.
    pub scopes: Vec<String>,
}

/// What an admin wants to install.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Extent {
    /// All that the app can use.
    Whole,
    /// The slash command alone: every answer goes to its `response_url`, and Slack keeps the app when whoever installed
    /// it leaves.
    CommandsOnly,
}

/// An installation that was begun: what the OAuth `state` stands for.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Begun {
    /// What the browser shows in which it was begun.
    pub browser: Secret,
    /// When.
    pub at: Timestamp,
}

impl Begun {
    /// How long an installation may take.
    pub const LIFE: SignedDuration = SignedDuration::from_mins(10);

    /// Begins one in a browser that nobody else can pretend to be.
    pub fn now(now: Timestamp) -> Self {
        Self { browser: random_secret(), at: now }
    }

    /// Whether it is too old.
    pub fn is_over(&self, now: Timestamp) -> bool {
        now.duration_since(self.at) > Self::LIFE
    }
}

/// Somebody took the app out at Slack, or ended its token, as an event tells. Slack does not say who.
///
/// [`app_uninstalled`](https://docs.slack.dev/reference/events/app_uninstalled),
/// [`tokens_revoked`](https://docs.slack.dev/reference/events/tokens_revoked),
/// [`team_access_revoked`](https://docs.slack.dev/reference/events/team_access_revoked)
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Removal {
    /// Where.
    pub sites: Vec<Site>,
    /// Whose tokens are ended, where it is about tokens: users of the app.
    pub tokens_of: Option<Vec<UserId>>,
    /// The app's user, if Slack names it.
    pub bot: Option<UserId>,
    /// When, in whole seconds.
    pub at: Timestamp,
}

/// What is remembered of a removal.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Removed {
    /// When it was.
    pub at: Timestamp,
    /// Whether all that belonged to the place is gone: the same event, told again, finds nothing to do.
    pub is_done: bool,
    /// Whether there was anything, which is to be written down once it is gone.
    #[serde(default)]
    pub had_anything: bool,
}

impl Removal {
    /// For how long it is remembered: longer than an answer is worth telling.
    pub const MEMORY: Duration = Duration::from_secs(25 * 60 * 60);

    /// Whether what happened at a moment is over by it. Slack counts in whole seconds.
    pub fn ends(&self, moment: Timestamp) -> bool {
        moment.as_second() <= self.at.as_second()
    }

    /// Whether it is about an installation: one that was made since is another one, and the tokens of others are not its.
    pub fn is_of(&self, installation: &Installation) -> bool {
        let is_its = |users: &Vec<UserId>| installation.bot.as_ref().is_none_or(|bot| users.contains(&bot.user));
        self.ends(installation.at) && self.tokens_of.as_ref().is_none_or(is_its)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn workspace(enterprise: Option<&str>, team: &str) -> Workspace {
        Workspace { enterprise: enterprise.map(EnterpriseId::new), team: TeamId::new(team) }
    }

    #[test]
    fn an_organization_holds_its_own_workspaces_and_no_other() {
        let (ours, alone) = (workspace(Some("E1"), "T1"), workspace(None, "T1"));
        let organization = Site::Organization(EnterpriseId::new("E1"));
        assert!(organization.holds(&ours) && !organization.holds(&alone));
        assert!(!organization.holds(&workspace(Some("E2"), "T1")));
        assert!(Site::Workspace(ours.clone()).holds(&ours) && !Site::Workspace(ours.clone()).holds(&alone));
        assert_eq!(organization.key(), "E1/-");
        assert_eq!(Site::Workspace(ours).key(), "E1/T1");
        assert_eq!(Site::Workspace(alone).key(), "-/T1");
    }

    #[test]
    fn an_event_is_about_what_was_installed_before_it() {
        let at = |text: &str| text.parse::<Timestamp>().unwrap();
        let installation = |user: &str, when: &str| Installation {
            site: Site::Workspace(workspace(None, "T1")),
            name: String::new(),
            bot: Some(Bot { user: UserId::new(user), token: Secret::new("token"), scopes: Vec::new() }),
            app: "A1".to_owned(),
            installed_by: UserId::new("U1"),
            at: at(when),
        };
        let removal = |tokens_of: Option<&str>| Removal {
            sites: vec![Site::Workspace(workspace(None, "T1"))],
            tokens_of: tokens_of.map(|user| vec![UserId::new(user)]),
            bot: None,
            at: at("2026-11-20T10:00:05Z"),
        };
        let check = |tokens_of, user, when, expected| {
            assert_eq!(removal(tokens_of).is_of(&installation(user, when)), expected, "{tokens_of:?} {user} {when}");
        };
        check(None, "UBOT", "2026-11-20T10:00:00Z", true);
        check(None, "UBOT", "2026-11-20T10:00:05.900Z", true);
        check(None, "UBOT", "2026-11-20T10:00:06Z", false);
        check(Some("UBOT"), "UBOT", "2026-11-20T10:00:00Z", true);
        check(Some("UOTHER"), "UBOT", "2026-11-20T10:00:00Z", false);
    }

    #[test]
    fn a_bot_that_may_not_post_does_not_speak() {
        let mut installation = Installation {
            site: Site::Workspace(workspace(None, "T1")),
            name: "Acme".to_owned(),
            bot: None,
            app: "A1".to_owned(),
            installed_by: UserId::new("U1"),
            at: Timestamp::UNIX_EPOCH,
        };
        assert_eq!(installation.speaker(), None);
        let bot = |scopes: &[&str]| Bot {
            user: UserId::new("U2"),
            token: Secret::new("token"),
            scopes: scopes.iter().map(|scope| (*scope).to_owned()).collect(),
        };
        installation.bot = Some(bot(&[COMMANDS_SCOPE]));
        assert_eq!(installation.speaker(), None);
        installation.bot = Some(bot(&[COMMANDS_SCOPE, WRITE_SCOPE]));
        assert_eq!(installation.speaker(), Some(&Secret::new("token")));
    }
}
