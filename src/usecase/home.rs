//! Somebody's Home: who they are connected as, what is known about streams, and what they have saved.
//!
//! It is shown when they open it, when they press *Refresh*, and after what they did there. A Home that was not shown is shown
//! the next time they open it, so nothing of this is in the journal.

use tracing::Instrument as _;

use super::{Failure, bot, chain, presets, status, token};
use crate::app::App;
use crate::command::DEFAULT_COMMAND;
use crate::grant::ZoomUser;
use crate::id::{ChannelId, Person, Reference, ZoomUserId};
use crate::policy::{Act, Policy, StopOfOthers};
use crate::reply::{Account, Home, HomeStream, Known};
use crate::slack;
use crate::words;

/// Why a Home was not shown.
#[derive(Debug, thiserror::Error)]
enum Failed {
    #[error(transparent)]
    Slack(#[from] bot::Error),
    #[error(transparent)]
    Read(#[from] Failure),
}

/// Shows somebody their Home as it is now, if there is room for that. It does not wait for it.
pub fn publish(app: &App, person: &Person) {
    let Some(mut showing) = app.homes.enter(person) else { return };
    let Some(place) = app.place() else {
        tracing::warn!("busy: a Home was not shown");
        return;
    };
    let (inner, person) = (app.clone(), person.clone());
    let work = async move {
        loop {
            match show(&inner, &person).await {
                Ok(()) => {}
                Err(Failed::Slack(bot::Error::Slack(slack::Error::NoBot))) => {
                    tracing::debug!("a Home was not shown: there is no bot");
                }
                Err(error) => tracing::warn!(error = chain(&error), "a Home was not shown"),
            }
            if !showing.again() {
                break;
            }
        }
        drop(place);
    };
    drop(app.spawn(work.instrument(tracing::info_span!("home"))));
}

async fn show(app: &App, person: &Person) -> Result<(), Failed> {
    let workspace = person.workspace();
    let token = bot::token_of(app, &workspace).await?;
    let home = home(app, person).await?;
    let command = command_of(&home).to_owned();
    // The view itself tells where it is. Nothing in it is told to have failed, so there is nothing to find by a reference.
    let (now, reference) = (app.clock.now(), &Reference::random());
    let context = words::Context { command: &command, workspace: None, now, reference };
    let words = words::home(&home, &context);
    Ok(app.slack.publish_home(&token, person, &words).await.map_err(bot::Error::from)?)
}

async fn home(app: &App, person: &Person) -> Result<Home, Failed> {
    let zoom_user = app.store.link_of(person).await.map_err(Failure::from)?;
    let account = account(app, zoom_user.as_ref()).await?;
    let here = ChannelId::new(person.user.as_str());
    let kept = app.store.policy(&person.workspace()).await.map_err(Failure::from)?;
    let may_stop = |known: &Known| {
        matches!(account, Account::Connected { .. })
            && kept.rules().is_some_and(|policy| may_stop(policy, person, &here, known))
    };
    let known = status::in_workspace(app, person, &here, zoom_user.as_ref()).await?;
    let streams = known.into_iter().map(|known| HomeStream { may_stop: may_stop(&known), known }).collect();
    let speaks = bot::may_speak(app, &person.workspace()).await?;
    Ok(Home { account, streams, presets: presets::kept(app, person).await?.presets, speaks })
}

async fn account(app: &App, zoom_user: Option<&ZoomUserId>) -> Result<Account, Failure> {
    let Some(zoom_user) = zoom_user else { return Ok(Account::None) };
    let Some(grant) = token::stored(app, zoom_user).await? else { return Ok(Account::Ended) };
    let shared_with = app.store.linked_count(zoom_user).await?.saturating_sub(1);
    let lacks_scope = grant.tokens.lacks_livestream_scope();
    let user: ZoomUser = grant.user;
    Ok(Account::Connected { user, shared_with, lacks_scope })
}

/// Whether the rules let somebody stop a stream from their Home, where there is no second person.
fn may_stop(policy: &Policy, person: &Person, here: &ChannelId, known: &Known) -> bool {
    let asked = known.stream.as_ref().and_then(|stream| stream.asked.as_ref());
    let is_others = asked.is_some_and(|asked| asked.person != *person);
    let takes_two = policy.stop_of_others == StopOfOthers::WithSecondPerson && is_others;
    !takes_two && policy.decide(Act::Stop, &person.user, here).is_ok()
}

/// The command's name in this workspace: Slack does not tell it here, but the streams know by which one they were started.
fn command_of(home: &Home) -> &str {
    let asked = home.streams.iter().filter_map(|stream| stream.known.stream.as_ref()?.asked.as_ref());
    asked.map(|asked| asked.command.as_str()).next().unwrap_or(DEFAULT_COMMAND)
}
