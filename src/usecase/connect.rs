//! `/stream connect`, and the offer to connect that everything else makes where it is needed.

use super::{Done, Failure, token};
use crate::app::App;
use crate::audit::AuditOutcome;
use crate::command::{self, Command, Verb};
use crate::grant::{Pending, StateToken, random_secret};
use crate::invocation::Invocation;
use crate::reply::{ConnectWhy, Reply};
use crate::secret::Secret;

pub(super) async fn connect(app: &App, invocation: &Invocation) -> Result<Done, Failure> {
    let connected = match app.store.link_of(&invocation.person).await? {
        Some(zoom_user) => token::stored(app, &zoom_user).await?.map(|grant| grant.user),
        None => None,
    };
    offer(app, invocation, ConnectWhy::Asked { connected }).await
}

/// Offers a link that is this person's alone, for ten minutes. The command that needed it waits with the offer.
pub(super) async fn offer(app: &App, invocation: &Invocation, why: ConnectWhy) -> Result<Done, Failure> {
    let state = StateToken::generate();
    let pending = Pending {
        person: invocation.person.clone(),
        user_name: name_or(&invocation.user_name, invocation.person.user.as_str()),
        team_domain: name_or(&invocation.team_domain, invocation.person.team.as_str()),
        channel: invocation.channel.clone(),
        verifier: random_secret(),
        invocation: invocation.clone(),
        offered_at: app.clock.now(),
        proven_in: None,
    };
    app.store.offer(&state, &pending).await?;
    let outcome = outcome(&why);
    let link = page_link(app, &state);
    Ok(Done::new(Reply::Connect { link, why, waiting: waiting(invocation) }, outcome))
}

pub(super) fn outcome(why: &ConnectWhy) -> AuditOutcome {
    match why {
        ConnectWhy::Asked { .. } => AuditOutcome::Offered,
        ConnectWhy::FirstTime => AuditOutcome::NotConnected,
        ConnectWhy::Ended => AuditOutcome::Reconnect,
        ConnectWhy::Scope { .. } => AuditOutcome::Scope,
        ConnectWhy::UserMissing => AuditOutcome::UserMissing,
    }
}

/// Slack may leave names out; the page must still say whose link it is.
pub(super) fn name_or(name: &str, id: &str) -> String {
    if name.trim().is_empty() { id.to_owned() } else { name.to_owned() }
}

/// The address of the confirm page.
pub(super) fn page_link(app: &App, state: &StateToken) -> Secret {
    Secret::new(format!("{}/zoom/connect?state={}", app.options.base_url, state.expose()))
}

/// The verb that runs by itself once the person is connected; `connect` itself has nothing left to do.
pub(super) fn waiting(invocation: &Invocation) -> Option<Verb> {
    match command::parse(invocation.text.as_str()) {
        Ok(command @ (Command::Start(_) | Command::Stop { .. } | Command::Check { .. })) => Some(command.verb()),
        Ok(_) | Err(_) => None,
    }
}
