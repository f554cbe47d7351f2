//! What `/stream doctor` found out about OnAir and one workspace.

use jiff::{SignedDuration, Timestamp};

use crate::id::ChannelId;
use crate::meeting::MeetingId;
use crate::policy::Policy;

/// What admins are shown, each item whatever became of the others.
#[derive(Clone, Debug)]
pub struct Doctor {
    /// Whether the store would take a write.
    pub store: Item<()>,
    /// What seals the records.
    pub keys: Item<Keys>,
    /// For how long the oldest job has been waiting that nobody works on, if there is one.
    pub queue: Item<Option<SignedDuration>>,
    /// What Zoom took in this workspace and reported nothing of.
    pub streams: Item<Unconfirmed>,
    /// What the app may do in this workspace.
    pub scopes: Item<Scopes>,
    /// Whether Zoom's reports are heard.
    pub webhooks: Item<Webhooks>,
    /// By how much this machine's clock is ahead of Zoom's.
    pub clock: Item<SignedDuration>,
    /// The rules of this workspace.
    pub policy: Item<Rules>,
    /// Where its audit lines go.
    pub audit_channel: Item<AuditChannel>,
}

/// Something that was looked at, or why it could not be.
pub type Item<T> = Result<T, Unread>;

/// Why an item could not be looked at.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unread {
    /// It took too long.
    TooSlow,
    /// The store failed.
    Store,
    /// Slack did not say it.
    Slack,
    /// Zoom did not say it.
    Zoom,
}

/// The keys that seal the records of the store.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Keys {
    /// Their ids, the sealing one first.
    pub ids: Vec<String>,
    /// How many records were looked at.
    pub looked: usize,
    /// How many of them are not under the first key.
    pub others: usize,
    /// How many of those are under a key that is not there, so nobody can read them.
    pub lost: usize,
    /// Whether there are more than were looked at.
    pub is_more: bool,
}

/// Streams of one workspace of which Zoom took the start and reported nothing.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Unconfirmed {
    /// How many there are among those that were looked at.
    pub count: usize,
    /// The oldest, and when Zoom took its start.
    pub oldest: Option<(MeetingId, Timestamp)>,
    /// Whether there are more than were looked at.
    pub is_more: bool,
}

/// What the app may do in a workspace.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Scopes {
    /// It has no bot there that works.
    NoBot,
    /// It may do this, and not what is missing of what the manifest asks for.
    Missing(Vec<&'static str>),
}

/// Whether Zoom's reports are heard.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Webhooks {
    /// There is no secret to check them with.
    NotSet,
    /// There is one.
    Set {
        /// When Zoom last showed that it knows the secret, give or take a minute.
        proven_at: Option<Timestamp>,
    },
}

/// The rules of a workspace.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Rules {
    /// These.
    Read(Box<Policy>),
    /// What lies there is none; it allows nothing.
    Unreadable,
}

/// Where the audit lines of a workspace go.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum AuditChannel {
    /// Nowhere.
    None,
    /// There.
    Some {
        /// The channel.
        channel: ChannelId,
        /// Whether it took nothing when the bot last tried.
        is_refused: bool,
    },
}
