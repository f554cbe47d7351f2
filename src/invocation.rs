//! One typed command, or one press of a button, on its way through OnAir: who wants what, where, and where the answer goes.

use std::collections::BTreeMap;

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

use crate::id::{ChannelId, JobId, Person, Reference, Workspace};
use crate::meeting::MeetingId;
use crate::policy::Answer;
use crate::reply::ConfirmStop;
use crate::secret::Secret;

/// A slash command or a press that Slack delivered and whose signature was checked.
///
/// [Commands](https://docs.slack.dev/interactivity/implementing-slash-commands),
/// [presses](https://docs.slack.dev/reference/interaction-payloads/block_actions-payload)
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
    /// Where it was typed; for a press in a Home the person's own id, which is their direct message with the bot.
    pub channel: ChannelId,
    /// The command's name with its slash, as this workspace has it.
    pub command: String,
    /// Everything after the name. It may hold anything, so `Debug` does not show it.
    pub text: CommandText,
    /// The button that was pressed, instead of anything typed.
    #[serde(default)]
    pub press: Option<Press>,
    /// Opens one form within three seconds of the command or the press. It is worth no more after that.
    #[serde(default)]
    pub trigger: Option<Secret>,
    /// Where answers go. A press in a Home has no such place: it is answered by direct message.
    #[serde(default)]
    pub reply_to: Option<ReplyTo>,
    /// When it arrived, or when what it waited for was there.
    pub received_at: Timestamp,
    /// How old [`Invocation::reply_to`] was by then.
    #[serde(default)]
    pub waited: SignedDuration,
}

impl Invocation {
    /// How long a `response_url` takes answers.
    pub const ANSWERABLE: SignedDuration = SignedDuration::from_mins(30);

    /// Whether it is a press in the person's Home.
    pub fn is_from_home(&self) -> bool {
        self.reply_to.is_none()
    }

    /// Until when answers can be told at [`Invocation::reply_to`].
    pub fn answerable_until(&self) -> Timestamp {
        self.received_at.saturating_add(Self::ANSWERABLE - self.waited).unwrap_or(self.received_at)
    }
}

/// What a button of a message does. Slack gives it back as it was posted, and signs that.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Press {
    /// Gives up an order that waits for its next try.
    Cancel {
        /// Of which meeting.
        meeting: MeetingId,
        /// Which one.
        job: JobId,
    },
    /// Confirms, as a second person, a stop that somebody else asked for.
    Confirm(ConfirmStop),
    /// Types a command.
    Command {
        /// Everything after its name.
        text: String,
    },
}

/// What a form brings back beside what somebody filled in. Slack keeps it and signs it; the person does not see it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Carried {
    /// For which workspace it was opened.
    pub workspace: Workspace,
    /// Where.
    pub channel: ChannelId,
    /// The command's name, as that workspace has it.
    pub command: String,
    /// Which form it is.
    pub form: Form,
}

/// Which form somebody sees, and what it was opened about.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Form {
    /// The rules of the workspace.
    Policy {
        /// Which version of them it showed.
        version: String,
    },
    /// Whom a meeting is lent to.
    Lend {
        /// Which meeting.
        meeting: MeetingId,
        /// Until when, where that was typed.
        until: Option<Timestamp>,
    },
}

/// A form that somebody filled in and sent.
#[derive(Clone, Debug)]
pub struct Submission {
    /// Finds it in the audit and the log.
    pub reference: Reference,
    /// Who sent it.
    pub person: Person,
    /// What came back with it.
    pub carried: Carried,
    /// What stands in its fields, by their names.
    pub answers: BTreeMap<String, Answer>,
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
