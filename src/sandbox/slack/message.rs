//! Messages as Slack keeps them, and as each reader sees them.

use jiff::Timestamp;
use serde_json::Value;

use super::button::{self, Button};
use super::people::{Channel, User};
use super::render;

/// One message in a channel.
#[derive(Clone, Debug)]
pub struct Message {
    /// Slack's name for the message within its channel.
    pub ts: String,
    /// Where it stands.
    pub channel: Channel,
    /// Who wrote it.
    pub author: Author,
    /// Who sees it.
    pub audience: Audience,
    /// The `text` as it was posted; what is seen if there are no blocks.
    pub text: String,
    /// The blocks as they were posted, with names for the blocks and buttons that had none.
    pub blocks: Vec<Value>,
    /// What a reader sees, which may have several lines.
    pub shown: String,
    /// When it first appeared, by the world's clock.
    pub posted_at: Timestamp,
    /// How many times it was replaced.
    pub edits: usize,
    /// The number of the `response_url` it answers at, as [`Delivery::hook`](super::Delivery::hook) tells it.
    pub hook: Option<u64>,
    /// Whether it came from `chat.postMessage`, so that `chat.update` may change it.
    pub(super) updatable: bool,
}

/// Who wrote a message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Author {
    /// The app.
    App,
    /// Slack itself, to say that a command failed.
    Slackbot,
    /// A person, whose typed command became visible.
    Person(String),
}

/// Who sees a message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Audience {
    /// Everybody in the channel.
    Channel,
    /// One person (`ephemeral`).
    Only(User),
}

/// A link in a message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Link {
    /// What is read: a button's text, or a link's label.
    pub label: String,
    /// Where it leads.
    pub url: String,
}

impl Message {
    /// The links that a reader can follow, in order: link buttons and links in the text.
    pub fn links(&self) -> Vec<Link> {
        render::links(&self.text, &self.blocks)
    }

    /// The address behind a label.
    pub fn link(&self, label: &str) -> Option<String> {
        self.links().into_iter().find(|link| link.label == label).map(|link| link.url)
    }

    /// The buttons, in order; link buttons too.
    pub fn buttons(&self) -> Vec<Button> {
        button::all(&self.blocks)
    }

    /// Its lines in a transcript; all but the first are indented by four spaces.
    pub fn transcript(&self) -> String {
        let author = match &self.author {
            Author::App => "OnAir",
            Author::Slackbot => "Slackbot",
            Author::Person(name) => name,
        };
        let audience = match &self.audience {
            Audience::Channel => String::new(),
            Audience::Only(user) => format!(" (only {} sees this)", user.name),
        };
        let shown = self.shown.replace('\n', "\n    ");
        format!("{}  {author}{audience}: {shown}", self.channel.label())
    }
}
