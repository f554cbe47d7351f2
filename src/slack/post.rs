//! The bot's own messages, by the Web API: those that are changed later, and the way that is left when a `response_url` is
//! over.
//!
//! Both need a bot token of the workspace, and `chat:write` among its scopes.

use reqwest::RequestBuilder;
use serde::Serialize;
use serde_json::Value;
use slack_morphism::prelude::{
    SlackApiAuthTestResponse, SlackApiChatPostEphemeralRequest, SlackApiChatPostMessageRequest,
    SlackApiChatUpdateRequest,
};

use super::{Error, Slack, from_reqwest, read, render};
use crate::id::{ChannelId, TeamId, UserId};
use crate::reply::Audience;
use crate::secret::Secret;
use crate::words::Message;

impl Slack {
    /// Posts an answer that its `response_url` does not take any more: where it was asked for, if the bot may post there,
    /// and else to the person alone, by direct message.
    ///
    /// [`chat.postMessage`](https://docs.slack.dev/reference/methods/chat.postMessage),
    /// [`chat.postEphemeral`](https://docs.slack.dev/reference/methods/chat.postEphemeral)
    pub async fn post_instead(
        &self,
        token: &Secret,
        user: &UserId,
        channel: &ChannelId,
        message: &Message,
    ) -> Result<(), Error> {
        let content = render::content(message);
        let there = channel.as_str().into();
        let posted = match message.audience {
            Audience::Channel => {
                let request = SlackApiChatPostMessageRequest::new(there, content.clone()).with_unfurl_links(false);
                self.call("chat.postMessage", token, &request).await
            }
            Audience::Person => {
                let request = SlackApiChatPostEphemeralRequest::new(there, user.as_str().into(), content.clone());
                self.call("chat.postEphemeral", token, &request).await
            }
        };
        match posted {
            Err(Error::Refused(why)) => {
                tracing::info!(why, "the bot may not post there; it sends a direct message");
                let to = user.as_str().into();
                let request = SlackApiChatPostMessageRequest::new(to, content).with_unfurl_links(false);
                self.call("chat.postMessage", token, &request).await.map(drop)
            }
            result => result.map(drop),
        }
    }

    /// Posts a message that can be changed later, and tells its channel and its `ts` there. A user's id as the channel is their direct
    /// message with the bot.
    ///
    /// [`chat.postMessage`](https://docs.slack.dev/reference/methods/chat.postMessage)
    pub async fn post(
        &self,
        token: &Secret,
        channel: &ChannelId,
        message: &Message,
    ) -> Result<(ChannelId, String), Error> {
        let request = SlackApiChatPostMessageRequest::new(channel.as_str().into(), render::content(message));
        let body = self.call("chat.postMessage", token, &request.with_unfurl_links(false)).await?;
        let text = |name: &str| body[name].as_str().map(str::to_owned).ok_or(Error::Refused("unreadable".to_owned()));
        Ok((ChannelId::new(text("channel")?), text("ts")?))
    }

    /// Changes a message that the bot posted.
    ///
    /// [`chat.update`](https://docs.slack.dev/reference/methods/chat.update)
    pub async fn update(&self, token: &Secret, channel: &ChannelId, ts: &str, message: &Message) -> Result<(), Error> {
        let content = render::content(message);
        let request = SlackApiChatUpdateRequest::new(channel.as_str().into(), content, ts.into());
        self.call("chat.update", token, &request).await.map(drop)
    }

    /// The one token of the settings, if it is of this workspace: a token of another one must not be tried.
    pub async fn token_of_home(&self, team: &TeamId) -> Result<&Secret, Error> {
        let token = self.options.bot_token.as_ref().ok_or(Error::NoBot)?;
        let home = self.home.get_or_try_init(|| self.home_of(token)).await?;
        if home == team { Ok(token) } else { Err(Error::NoBot) }
    }

    async fn home_of(&self, token: &Secret) -> Result<TeamId, Error> {
        let body = self.call("auth.test", token, &serde_json::json!({})).await.map_err(|error| match error {
            // A question may be asked again: nothing was posted.
            Error::NoAnswer(cause) => Error::Unreachable(cause),
            error => error,
        })?;
        let who: SlackApiAuthTestResponse =
            serde_json::from_value(body).map_err(|_| Error::Refused("unreadable".to_owned()))?;
        Ok(TeamId::new(who.team_id.to_string()))
    }

    pub(super) async fn call(
        &self,
        method: &'static str,
        token: &Secret,
        body: &impl Serialize,
    ) -> Result<Value, Error> {
        self.counted(method, self.send(method, token, |request| request.json(body))).await
    }

    /// Calls a method that only reads.
    pub(super) async fn ask(
        &self,
        method: &'static str,
        token: &Secret,
        form: &[(&str, &str)],
    ) -> Result<Value, Error> {
        self.counted(method, self.send(method, token, |request| request.form(form))).await
    }

    async fn send(
        &self,
        method: &str,
        token: &Secret,
        fill: impl FnOnce(RequestBuilder) -> RequestBuilder,
    ) -> Result<Value, Error> {
        let request = self.http.post(format!("{}/{method}", self.options.api_url)).bearer_auth(token.expose());
        read(fill(request).send().await.map_err(from_reqwest)?).await
    }
}
