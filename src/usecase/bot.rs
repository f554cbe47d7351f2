//! What the bot of a workspace says there: with that workspace's token, and never with another's.

use std::time::Duration;

use crate::app::App;
use crate::id::{ChannelId, Person, Workspace};
use crate::installation::Installation;
use crate::secret::Secret;
use crate::stream::Place;
use crate::words::Message;
use crate::{slack, store};

/// Why something was not posted.
#[derive(Debug, thiserror::Error)]
pub(super) enum Error {
    /// Slack did not take it, or there is no bot in that workspace.
    #[error(transparent)]
    Slack(#[from] slack::Error),
    /// The bot's token could not be read.
    #[error("the store failed")]
    Store(#[from] store::Error),
}

impl Error {
    /// Whether it is to be posted once more, and after how long at the least.
    pub(super) fn retry_in(&self) -> Option<Duration> {
        match self {
            Self::Slack(error) => error.retry_in(),
            Self::Store(error) => error.is_transient().then_some(Duration::ZERO),
        }
    }

    /// Whether it may have been posted, or is to be later: the same elsewhere would be a second one.
    pub(super) fn leaves_open(&self) -> bool {
        match self {
            Self::Slack(error) => matches!(error, slack::Error::NoAnswer(_) | slack::Error::Busy(_)),
            Self::Store(error) => error.is_transient(),
        }
    }
}

/// The bot's token in a workspace; [`slack::Error::NoBot`] where it has none. What it may do shows when it tries.
pub(super) async fn token_of(app: &App, workspace: &Workspace) -> Result<Secret, Error> {
    find(app, workspace, |installation| Some(&installation.bot.as_ref()?.token)).await
}

/// The same, if the bot may post.
async fn speaker(app: &App, workspace: &Workspace) -> Result<Secret, Error> {
    find(app, workspace, Installation::speaker).await
}

/// Whether there is a bot in a workspace that may post.
pub(super) async fn may_speak(app: &App, workspace: &Workspace) -> Result<bool, Error> {
    match speaker(app, workspace).await {
        Ok(_) => Ok(true),
        Err(Error::Slack(slack::Error::NoBot)) => Ok(false),
        Err(error) => Err(error),
    }
}

/// The token of whoever installed the app there, and else the one of the settings.
async fn find(
    app: &App,
    workspace: &Workspace,
    token: impl Fn(&Installation) -> Option<&Secret>,
) -> Result<Secret, Error> {
    let installed = if app.slack.can_be_installed() { app.store.installation_for(workspace).await? } else { None };
    match installed {
        Some(installation) => Ok(token(&installation).ok_or(slack::Error::NoBot)?.clone()),
        None => Ok(app.slack.token_of_home(&workspace.team).await?.clone()),
    }
}

/// Posts a message that is for nobody in particular.
pub(super) async fn say(app: &App, workspace: &Workspace, channel: &ChannelId, message: &Message) -> Result<(), Error> {
    let token = token_of(app, workspace).await?;
    Ok(app.slack.post(&token, channel, message).await.map(drop)?)
}

/// Posts a message that can be changed later, and tells where it stands. A user's id as the channel is their direct
/// message with the bot.
pub(super) async fn post(app: &App, person: &Person, channel: &ChannelId, message: &Message) -> Result<Place, Error> {
    let token = speaker(app, &person.workspace()).await?;
    let (channel, ts) = app.slack.post(&token, channel, message).await?;
    Ok(Place::Posted { person: person.clone(), channel, ts })
}

/// Changes a message that the bot posted.
pub(super) async fn update(
    app: &App,
    person: &Person,
    channel: &ChannelId,
    ts: &str,
    message: &Message,
) -> Result<(), Error> {
    let token = speaker(app, &person.workspace()).await?;
    Ok(app.slack.update(&token, channel, ts, message).await?)
}

/// Posts an answer that its `response_url` does not take any more: where it was asked for, if the bot may post there, and
/// else to the person alone.
pub(super) async fn post_instead(
    app: &App,
    person: &Person,
    channel: &ChannelId,
    message: &Message,
) -> Result<(), Error> {
    let token = speaker(app, &person.workspace()).await?;
    Ok(app.slack.post_instead(&token, &person.user, channel, message).await?)
}
