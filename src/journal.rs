//! What is written down about work that must survive its process: an accepted command until its answer has arrived, what
//! Zoom reported until it is taken in, and a stream for as long as its card has to tell the truth.
//!
//! A job is written before Slack or Zoom hears the 200, by the same round trip that remembers the delivery. Whoever works
//! on it holds a lease; whoever takes a lease over reads from the job how far the work had come.

use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

use crate::audit::AuditEntry;
use crate::clock;
use crate::grant::Grant;
use crate::id::{ChannelId, JobId, Person, Reference, Workspace, ZoomUserId};
use crate::installation::Removal;
use crate::invocation::Invocation;
use crate::meeting::MeetingId;
use crate::outcome::Throttle;
use crate::stream::Report;
use crate::words::Message;

/// Longer than living instances leave work lying that is due.
pub const LATE: Duration = Duration::from_secs(30);

/// One piece of work. It may hold a `response_url`: it is stored sealed.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Job {
    /// An accepted command on its way to its answer.
    Command {
        /// What was typed, by whom, and where the answer goes.
        invocation: Box<Invocation>,
        /// How far it has come.
        stage: Stage,
    },
    /// What Zoom reported.
    Report(Report),
    /// The app was taken out at Slack: what belongs to that place has to go.
    Removal(Removal),
    /// Zoom has to be told that a grant is over.
    Revoke(Box<Revocation>),
    /// Somebody connects another account: what then has no owner has to end.
    Unlinked(Unlinked),
    /// Keeps what is known about a stream, and its card, up to date. It lives as long as the stream.
    Keep {
        /// Of which meeting.
        meeting: MeetingId,
    },
    /// Says what is known of something that is done outside at this moment: where whoever does it dies, all that can be
    /// written down is this. None: it is written down.
    Deed(Option<Box<AuditEntry>>),
    /// Tells the audit channels what comes into the trail. There is one, as long as there is a channel.
    Announce(Announced),
}

/// A grant that nobody uses any more, which Zoom does not know yet.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Revocation {
    /// What is left of it.
    pub grant: Grant,
    /// Whether Zoom may have given a newer pair that never arrived: then it knows these no more, and is not told by that.
    #[serde(default)]
    pub is_spent: bool,
    /// Whose connection was the last.
    pub person: Person,
    /// What that is known by.
    pub reference: Reference,
    /// When it was.
    pub since: Timestamp,
}

impl Revocation {
    /// The name of the job that tells Zoom: one for each grant, and for each pair of its tokens.
    pub fn job_of(grant: &Grant) -> JobId {
        JobId::new(format!("revoke-{}", &grant.tokens.refresh.digest("revoke")[..32]))
    }
}

/// Zoom users to whom nobody may be linked any more: their grants have to end then.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Unlinked {
    /// Who they are. Whether somebody is linked to them is to be looked at in this order.
    pub zoom_users: Vec<ZoomUserId>,
    /// Who connected another account.
    pub person: Person,
    /// What that is known by.
    pub reference: Reference,
}

/// How far the audit channels have been told. Places in the trail are the store's, as text.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Announced {
    /// Up to here everything is told, or owed to a workspace; `None` before the first entry.
    pub read_to: Option<String>,
    /// Those who have not heard everything up to there.
    pub behind: Vec<Behind>,
    /// Those whose channel takes nothing; what comes meanwhile is not told there.
    pub refused: Vec<Refused>,
    /// A workspace whose rules name a channel; there may be others.
    #[serde(default)]
    pub chosen_in: Option<Workspace>,
    /// Since when nobody wants it told.
    pub unwanted_since: Option<Timestamp>,
}

/// A workspace that is owed entries.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Behind {
    /// Which one.
    pub workspace: Workspace,
    /// It has been told up to here.
    pub after: Option<String>,
    /// Not before this is it told more.
    pub due: Timestamp,
    /// How often Slack did not take it since it last did.
    pub tries: u32,
}

/// A workspace whose audit channel takes nothing.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Refused {
    /// Which one.
    pub workspace: Workspace,
    /// Its channel at that time.
    pub channel: ChannelId,
    /// Until when it is not tried again.
    pub until: Timestamp,
}

/// How far a command has come.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Stage {
    /// Nothing was done outside; it may begin again.
    Accepted,
    /// An order to Zoom was about to be sent. Whether it was is not known, so a start is not sent again.
    Ordering {
        /// Which next try it was, if it was one.
        retry: Option<Retry>,
    },
    /// It is decided and in the audit trail; what is left is to tell it.
    Decided {
        /// What to tell; `None`: the stream's card shows it.
        message: Option<Message>,
        /// The next try, where Zoom asked to wait and this is told meanwhile.
        #[serde(default)]
        retry: Option<Retry>,
        /// Whose card it is, where it shows a stream.
        #[serde(default)]
        card: Option<CardOf>,
    },
    /// Zoom asked to wait, and that is told. Zoom did nothing, so it may be asked again when the time comes.
    Waiting(Retry),
}

/// A message that shows a stream.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CardOf {
    /// Whose stream.
    pub meeting: MeetingId,
    /// Which version of it.
    pub version: u32,
}

/// The next try of an order that Zoom did not take because of a limit.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Retry {
    /// Which one it is, from 1 to [`Retry::MOST`].
    pub number: u32,
    /// When it is due.
    pub at: Timestamp,
    /// How many had held the job when it began to wait, so that those who come after are counted anew.
    pub holders: u32,
}

impl Retry {
    /// How many there are at the most.
    pub const MOST: u32 = 3;

    /// Before its end a `response_url` must still take the answer.
    const MARGIN: SignedDuration = SignedDuration::from_mins(1);

    /// The next try after this limit, if there is one: never after a daily quota, and never so late that its answer could
    /// not be told any more. `jitter` is from 0 to 1: it spreads those who were all told the same time.
    pub fn plan(limit: &Throttle, tried: &Tried, jitter: f64) -> Option<Self> {
        let told = match *limit {
            Throttle::PreviousStart { retry_at } | Throttle::PerSecond { retry_at } => retry_at,
            Throttle::Daily { .. } => return None,
        };
        let wait = clock::until(told, tried.now);
        let at = tried.now.checked_add(wait + wait.mul_f64(jitter.clamp(0.0, 1.0) / 10.0)).ok()?;
        let end = tried.answerable_until.checked_sub(Self::MARGIN).ok()?;
        let number = tried.retries + 1;
        (number <= Self::MOST && at <= end).then_some(Self { number, at, holders: 0 })
    }
}

/// What is known about an order when it was throttled.
#[derive(Clone, Copy, Debug)]
pub struct Tried {
    /// How often it was tried again already.
    pub retries: u32,
    /// Until when its answer can be told.
    pub answerable_until: Timestamp,
    /// The time.
    pub now: Timestamp,
}

/// A job as somebody gets it who takes its lease.
#[derive(Clone, Debug)]
pub struct Claimed {
    /// Its name.
    pub id: JobId,
    /// The job, as it was last written.
    pub job: Job,
    /// How many times somebody has held its lease, this one included.
    pub attempt: u32,
}

#[cfg(test)]
mod tests;
