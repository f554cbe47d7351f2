//! Who may do what only admins may: whom the rules of the workspace name, whoever installed the app there, and its admins
//! and owners, as Slack says at that moment.
//!
//! What cannot be known is never taken for a yes: it is told, with its cure.

use super::{Done, Failure, bot, chain, policy};
use crate::app::App;
use crate::audit::AuditOutcome;
use crate::id::Person;
use crate::installation::Site;
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
    let installed = has_installed(app, person).await?;
    if installed == Installed::ForOrganization {
        return Ok(Standing::Admin);
    }
    let unknown = |why| match (installed, why) {
        // Only where nobody's role can be known there, and not because Slack is away.
        (Installed::Here, RoleUnknown::NoBot | RoleUnknown::NoScope) => Ok(Standing::Admin),
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

/// What somebody installed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Installed {
    /// The app in this workspace, which in most any member may: Slack's word goes before it.
    Here,
    /// The app for the whole organization, which Slack lets only those do who run it. Its users have one id in all its
    /// workspaces.
    ForOrganization,
    /// Nothing that counts here.
    Nothing,
}

async fn has_installed(app: &App, person: &Person) -> Result<Installed, Failure> {
    if !app.slack.can_be_installed() {
        return Ok(Installed::Nothing);
    }
    let installation = app.store.installation_for(&person.workspace()).await?;
    let theirs = installation.filter(|installation| installation.installed_by == person.user);
    Ok(match theirs.map(|installation| installation.site) {
        Some(Site::Workspace(_)) => Installed::Here,
        Some(Site::Organization(_)) => Installed::ForOrganization,
        None => Installed::Nothing,
    })
}
