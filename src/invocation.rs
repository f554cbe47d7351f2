//! One typed command on its way through OnAir: who typed what, where, and where the answer goes.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::id::{ChannelId, Person, Reference};
use crate::secret::Secret;

/// A slash command that Slack delivered and whose signature was checked.
///
/// [The payload](https://docs.slack.dev/interactivity/implementing-slash-commands)
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Invocation {
    /// Finds this command in the message, the audit and the log.
    pub reference: Reference,
    /// Who typed it.
    pub person: Person,
    /// What Slack calls them, for pages; not an identity.
    pub user_name: String,
    /// What Slack calls the workspace, for pages; not an identity.
    pub team_domain: String,
    /// Where it was typed.
    pub channel: ChannelId,
    /// The command's name with its slash, as this workspace has it.
    pub command: String,
    /// Everything after the name. It may hold anything, so `Debug` does not show it.
    pub text: CommandText,
    /// Where answers go.
    pub reply_to: ReplyTo,
    /// When it arrived.
    pub received_at: Timestamp,
}

/// What a person typed. It may be private or hold a pasted secret, so `Debug` shows its length alone.
#[derive(Clone, Serialize, Deserialize)]
#[serde(transparent)]
pub struct CommandText(String);

impl CommandText {
    /// Takes the text as delivered.
    pub fn new(text: impl Into<String>) -> Self {
        Self(text.into())
    }

    /// The text, for the parser.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl std::fmt::Debug for CommandText {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "[{} characters]", self.0.chars().count())
    }
}

/// A `response_url`: a bearer link, good for five messages within thirty minutes. Only the Slack door opens it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct ReplyTo(Secret);

impl ReplyTo {
    /// Takes the URL as delivered; the Slack door has checked its prefix.
    pub fn new(url: impl Into<String>) -> Self {
        Self(Secret::new(url))
    }

    /// The URL, for the one place that posts to it.
    pub fn expose(&self) -> &str {
        self.0.expose()
    }
}
