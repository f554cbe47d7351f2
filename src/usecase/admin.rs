//! Who may do what only admins may: whom the rules of the workspace name, whoever installed the app there, and its admins
//! and owners, as Slack says at that moment.
//!
//! What cannot be known is never taken for a yes: it is told, with its cure.

use super::{Done, Failure, bot, chain, policy};
use crate::app::App;
use crate::audit::AuditOutcome;
use crate::id::Person;
use crate::reply::{NotAdmin, Reply, RoleUnknown};
use crate::slack;

/// Whether somebody may do what only admins may.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Standing {
    Admin,
    Not(NotAdmin),
}

/// The end of a command that is for admins alone, where somebody else gave it.
pub(super) async fn only(app: &App, person: &Person) -> Result<Option<Done>, Failure> {
    Ok(match standing(app, person).await? {
        Standing::Admin => None,
        Standing::Not(why) => Some(Done::new(Reply::AdminsOnly(why), AuditOutcome::Denied)),
    })
}

/// Asked anew each time, because roles are taken away as well.
pub(super) async fn standing(app: &App, person: &Person) -> Result<Standing, Failure> {
    let managers = policy::managers(app, &person.workspace()).await?;
    if managers.contains(&person.user) {
        return Ok(Standing::Admin);
    }
    let member = || Ok(Standing::Not(NotAdmin::Member { ask: managers.clone() }));
    let known = async { Ok(app.slack.member(&bot::token_of(app, &person.workspace()).await?, &person.user).await?) };
    let known: Result<slack::Member, bot::Error> = known.await;
    let is_installer = has_installed(app, person).await?;
    let unknown = |why| match (is_installer, why) {
        // Only where nobody's role can be known there, and not because Slack is away.
        (true, RoleUnknown::NoBot | RoleUnknown::NoScope) => Ok(Standing::Admin),
        (_, why) => Ok(Standing::Not(NotAdmin::Unknown(why))),
    };
    let error = match known {
        Ok(member) if member.is_admin_of(&person.workspace()) => return Ok(Standing::Admin),
        Ok(_) => return member(),
        Err(bot::Error::Store(error)) => return Err(error.into()),
        Err(bot::Error::Slack(error)) => error,
    };
    tracing::warn!(error = chain(&error), "Slack did not tell whether somebody is an admin");
    match &error {
        slack::Error::NoBot => unknown(RoleUnknown::NoBot),
        slack::Error::Refused(why) => match why.as_str() {
            "missing_scope" => unknown(RoleUnknown::NoScope),
            "user_not_found" => member(),
            _ if error.is_dead_token() => unknown(RoleUnknown::NoBot),
            _ => unknown(RoleUnknown::Away),
        },
        _ => unknown(RoleUnknown::Away),
    }
}

/// Whether somebody installed the app. In most workspaces any member may, so Slack's word is asked first. Whoever installed it
/// for a whole organization counts in each of its workspaces: Slack lets only those do that who run the organization, and
/// its users have one id in all of them.
async fn has_installed(app: &App, person: &Person) -> Result<bool, Failure> {
    if !app.slack.can_be_installed() {
        return Ok(false);
    }
    let installation = app.store.installation_for(&person.workspace()).await?;
    Ok(installation.is_some_and(|installation| installation.installed_by == person.user))
}
