//! Everything OnAir can say to a person, as data. Words are chosen in [`crate::words`], from these and nothing else.

mod check;
mod doctor;
mod setup;

use std::collections::BTreeSet;
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};

pub use self::check::{Check, Cure, Verdict, Why};
pub use self::doctor::{AuditChannel, Doctor, Item, Keys, Rules, Scopes, Unconfirmed, Unread, Webhooks};
pub use self::setup::{SetupForm, SetupPage, SlackName, Tried, Values};
use crate::audit::AuditEntry;
use crate::command::{Command, UsageError, Verb};
use crate::grant::ZoomUser;
use crate::id::{Person, Reference, UserId};
use crate::lend::Lending;
use crate::meeting::{MeetingId, Settings};
use crate::outcome::{Action, Outcome};
use crate::policy::Denied;
use crate::preset::{Preset, Presets};
use crate::secret::Secret;
use crate::stream::{Confirms, NextTry, Stream};
use crate::turn::Phase;

/// One answer to one command.
#[derive(Clone, Debug)]
pub enum Reply {
    /// How to use a verb, or all of them.
    Help {
        /// The verb asked about.
        verb: Option<Verb>,
    },
    /// The text made no sense, by itself or with the names that the person has saved.
    Usage(UsageError),
    /// Every place in the queue is taken; the command was not accepted.
    Busy,
    /// The store is down; the command was not accepted.
    NotAccepted,
    /// The command waited too long to be carried out; nothing was done.
    TooLate,
    /// Something broke that should not have; nothing more is known.
    Broken,
    /// The person needs to connect a Zoom account, or asked to.
    Connect {
        /// The link to OnAir's own page, with its state.
        link: Secret,
        /// Why.
        why: ConnectWhy,
        /// The verb that runs by itself once connected.
        waiting: Option<Verb>,
    },
    /// What became of an order to Zoom.
    Show(Show),
    /// The same was asked for a moment ago, or something else is still under way: Zoom was not asked.
    Already(Already),
    /// An order that waited for its next try is over because of another order.
    Withdrawn {
        /// Who gave the other order; `None` where they are of another workspace.
        by: Option<UserId>,
        /// What they ordered.
        their_action: Action,
        /// Who had asked for what is over.
        asked_by: UserId,
        /// What is over.
        asked: Command,
    },
    /// Somebody pressed Cancel.
    Cancelled {
        /// With what effect.
        how: Cancelled,
        /// Who pressed.
        by: UserId,
        /// Of which meeting.
        meeting: MeetingId,
        /// What waited for its next try.
        action: Action,
        /// Who had asked for it.
        asked_by: UserId,
    },
    /// Somebody pressed Cancel where nothing waits any more.
    NothingToCancel {
        /// Of which meeting.
        meeting: MeetingId,
    },
    /// Too many processes died over the command; no stream was started or stopped.
    GaveUp,
    /// What a start would send; nothing was sent.
    DryRun {
        /// The request, as the builder of the real one prints it.
        request: String,
        /// The account it would be sent for.
        account: ZoomUser,
    },
    /// Which account is connected.
    Whoami {
        /// The Zoom user.
        account: ZoomUser,
        /// How many other Slack users share the connection.
        shared_with: usize,
        /// Whether Zoom said that the scope to start and stop is missing.
        lacks_scope: bool,
    },
    /// Asked who one is, or to disconnect, with nothing connected.
    NotConnected,
    /// The link is gone.
    Disconnected(Disconnected),
    /// What is known about streams.
    Status {
        /// Of which.
        of: StatusOf,
        /// What is known about them, newest first; about one meeting there is one at the most.
        streams: Vec<Known>,
    },
    /// A meeting is saved under a name.
    Saved {
        /// The name, and what it stands for.
        preset: Preset,
        /// What it stood for before, if that was something else.
        replaced: Option<Preset>,
    },
    /// A saved name is forgotten.
    Forgotten(Preset),
    /// The names a person has saved.
    Presets(Presets),
    /// The page is there on which the person sees and sets where a stream goes.
    Setup {
        /// Its address, with its state.
        link: Secret,
        /// Of which meeting.
        meeting: MeetingId,
    },
    /// What would stop a start.
    Check(Box<Check>),
    /// How OnAir is, as far as it concerns one workspace.
    Doctor(Box<Doctor>),
    /// Only admins may do what was asked for; nothing was done.
    AdminsOnly(NotAdmin),
    /// The last entries of the audit, newest first.
    Audit(Vec<AuditEntry>),
    /// The rules of the workspace are against it; nothing was done.
    Denied(Denied),
    /// An order waited for its next try, and the rules are against it by now.
    NoNextTry {
        /// Of which meeting.
        meeting: MeetingId,
        /// Who had asked for it.
        asked_by: UserId,
        /// What the rules say.
        denied: Denied,
    },
    /// A form stands open before the person, who needs no words.
    FormOpen,
    /// It does not: Slack opens one only right after somebody typed or pressed.
    FormNotOpen {
        /// The command that opens it, without its name.
        text: String,
    },
    /// A meeting is lent.
    Lent(Lent),
    /// It is not; nothing was done.
    NotLent {
        /// Which meeting.
        meeting: MeetingId,
        /// Why.
        why: NotLent,
    },
    /// A meeting that was lent is taken back.
    TakenBack {
        /// Which one.
        meeting: MeetingId,
        /// By whom.
        lender: UserId,
        /// From whom; nobody, where it was lent to nobody.
        colleagues: Vec<UserId>,
    },
    /// The Zoom connection of whoever lends the meeting does not allow what was ordered.
    LenderCannot {
        /// Which meeting.
        meeting: MeetingId,
        /// What was ordered.
        action: Action,
        /// Who lends it.
        lender: UserId,
    },
    /// An order waited for its next try, and by now whoever gave it has no Zoom account that it could be given as.
    NoAccountAnyMore {
        /// Which meeting.
        meeting: MeetingId,
        /// What was ordered.
        action: Action,
        /// Who had asked for it.
        asked_by: UserId,
        /// Why they would have to connect.
        why: ConnectWhy,
    },
    /// A stop waits for a second person.
    ConfirmStop(ConfirmStop),
    /// Somebody pressed *Confirm stop* without effect.
    NotConfirmed {
        /// Of which meeting.
        meeting: MeetingId,
        /// Why.
        why: NotConfirmed,
    },
}

/// A meeting that is lent from now on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Lent {
    /// Which one, to whom, until when.
    pub lending: Lending,
    /// Whether the rules allow no more than that, and more was wanted.
    pub is_shortened: bool,
    /// Whether a time of day was taken for UTC, because nobody can tell the lender's time zone.
    pub is_utc: bool,
}

/// Why a meeting is not lent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum NotLent {
    /// The rules do not allow it.
    Off {
        /// Who may change that, beside the workspace's admins.
        ask: BTreeSet<UserId>,
    },
    /// It would be lent to whoever lends it.
    Oneself,
    /// Bots type no commands, and who has left the workspace types none any more.
    NotAPerson,
    /// The colleague is not of this workspace.
    NotHere,
    /// They lend [`Lending::MOST`] already.
    TooMany,
    /// Nobody was named by an id, and without a bot there is no form to choose somebody in.
    NoForm,
}

/// A stop that one person asked for and another one has to confirm.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct ConfirmStop {
    /// Of which meeting.
    pub meeting: MeetingId,
    /// Who asked for the stop.
    pub asked_by: Person,
    /// What they ask to stop: the stream that this command asked for, and no later one.
    pub stream: Reference,
    /// Until when it can be confirmed.
    pub until: Timestamp,
}

impl ConfirmStop {
    /// How long a second person has.
    pub const LIFE: SignedDuration = SignedDuration::from_mins(10);
}

/// Why a press of *Confirm stop* did nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NotConfirmed {
    /// It was pressed by who asked for the stop.
    SamePerson,
    /// It was pressed by somebody of another workspace.
    NotHere,
    /// It was pressed too late.
    TooLate,
    /// The stream is over.
    Over,
}

impl Reply {
    /// Whether an order came to nothing, for now and for good.
    pub fn is_failed_order(&self) -> bool {
        match self {
            Self::Show(show) => {
                let is_done = matches!(show.outcome, Outcome::Accepted | Outcome::Stopped | Outcome::Unknown);
                !is_done && show.retry.is_none()
            }
            _ => false,
        }
    }
}

/// Why somebody is asked to connect.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ConnectWhy {
    /// They asked to.
    Asked {
        /// The account that is connected now.
        connected: Option<ZoomUser>,
    },
    /// Nothing is connected yet.
    FirstTime,
    /// Zoom no longer takes the stored tokens.
    Ended,
    /// Scopes are missing.
    Scope {
        /// Those Zoom named.
        missing: Vec<String>,
    },
    /// The Zoom user no longer exists.
    UserMissing,
}

/// What became of an order to Zoom, and what a reader needs to know about it.
#[derive(Clone, Debug)]
pub struct Show {
    /// Who gave it.
    pub asked_by: UserId,
    /// Who lent them the meeting, where it was given as that person.
    pub on_behalf_of: Option<UserId>,
    /// Start or stop.
    pub action: Action,
    /// Of what.
    pub meeting: MeetingId,
    /// With what was asked for, so that the command can be repeated whole; nothing for a stop.
    pub settings: Settings,
    /// What happened.
    pub outcome: Outcome,
    /// Whether Zoom will tell what becomes of it.
    pub confirms: Confirms,
    /// When OnAir tries again by itself; `None`: it does not.
    pub retry: Option<NextTry>,
    /// The Zoom account it was done as.
    pub account: ZoomUser,
}

/// What is under way, or was just done, when the same or the opposite is asked for.
#[derive(Clone, Debug)]
pub struct Already {
    /// What was asked for, and not sent.
    pub asked: Command,
    /// What is under way.
    pub action: Action,
    /// Whether it has the settings that were asked for now.
    pub is_same: bool,
    /// Who had asked for that; `None` where they are of another workspace.
    pub by: Option<UserId>,
    /// When.
    pub asked_at: Timestamp,
    /// How far it has come.
    pub phase: Phase,
}

/// What a press of Cancel did.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Cancelled {
    /// What waited is given up.
    Now,
    /// The next try is being made at this moment.
    TooLate,
    /// Nothing: whoever pressed neither asked for it nor has a Zoom account connected.
    NotTheirs,
    /// Nothing: it was asked for in another workspace.
    NotHere,
}

/// What disconnecting did.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Disconnected {
    /// Others still use the grant.
    StillShared,
    /// It was the last link, and Zoom has revoked the tokens.
    Revoked,
    /// It was the last link; the tokens are deleted here, but Zoom could not be told yet.
    NotRevokedAtZoom,
    /// It was the last link; the tokens could not be read any more, so they are deleted here and Zoom was not told.
    Unreadable,
}

/// Why somebody may not do what only admins may.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum NotAdmin {
    /// They are no admin.
    Member {
        /// Who may, beside the workspace's admins.
        ask: BTreeSet<UserId>,
    },
    /// Nobody can tell.
    Unknown(RoleUnknown),
}

/// Why it is not known whether somebody is an admin.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RoleUnknown {
    /// There is no bot of the workspace whose token works.
    NoBot,
    /// The bot may not see what people are.
    NoScope,
    /// Slack does not say it just now.
    Away,
}

/// Which streams somebody asked about.
#[derive(Clone, Debug)]
pub enum StatusOf {
    /// All that are known in the workspace.
    Workspace,
    /// That of one meeting.
    Meeting {
        /// Which.
        meeting: MeetingId,
        /// Whether Zoom says that the meeting is in progress.
        running: Verdict,
    },
}

/// What is known about one stream. There is a record of what OnAir did, or a stream that it follows, or both.
#[derive(Clone, Debug)]
pub struct Known {
    /// What OnAir did last.
    pub record: Option<StreamRecord>,
    /// How far it has come.
    pub stream: Option<Box<Stream>>,
}

/// What stands in one person's Home.
#[derive(Clone, Debug)]
pub struct Home {
    /// As whom they are connected.
    pub account: Account,
    /// What is known about streams, newest first.
    pub streams: Vec<HomeStream>,
    /// What they have saved.
    pub presets: Presets,
    /// Whether the bot may post: what comes of a press is told by direct message.
    pub speaks: bool,
}

/// As whom somebody is connected.
#[derive(Clone, Debug)]
pub enum Account {
    /// Nothing is connected.
    None,
    /// Zoom has ended what was.
    Ended,
    /// Something is.
    Connected {
        /// The Zoom user.
        user: ZoomUser,
        /// How many other Slack users share the connection.
        shared_with: usize,
        /// Whether Zoom said that the scope to start and stop is missing.
        lacks_scope: bool,
    },
}

/// A stream in somebody's Home.
#[derive(Clone, Debug)]
pub struct HomeStream {
    /// What is known about it.
    pub known: Known,
    /// Whether they may stop it from there.
    pub may_stop: bool,
}

/// The last thing OnAir did with a meeting's stream in one workspace, or was told that happened to it.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct StreamRecord {
    /// Of which meeting.
    pub meeting: MeetingId,
    /// What was ordered.
    pub action: Action,
    /// By whom; `None`: in Zoom.
    pub by: Option<UserId>,
    /// When.
    pub at: Timestamp,
    /// Whether Zoom took the order.
    #[serde(default)]
    pub fate: Fate,
}

/// What became of an order that may have put something on air.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Fate {
    /// Zoom took it.
    #[default]
    Taken,
    /// It was sent, and Zoom gave no clear answer.
    Unknown,
}

impl StreamRecord {
    /// How long a record is worth showing.
    pub const LIFE: Duration = Duration::from_secs(24 * 60 * 60);
}

/// Who may read an answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Audience {
    /// Everybody in the channel (`in_channel`).
    Channel,
    /// The person who typed (`ephemeral`).
    Person,
}

impl Audience {
    /// Its name in a form.
    pub fn word(self) -> &'static str {
        match self {
            Self::Channel => "channel",
            Self::Person => "person",
        }
    }
}

/// What stands on a page that a browser shows.
#[derive(Clone, Debug)]
pub enum Page {
    /// `GET /`.
    Landing {
        /// Whether the app can be installed from here.
        can_be_installed: bool,
    },
    /// Asks the person at the browser whether they are who asked to connect.
    ConfirmConnect {
        /// What Slack calls them.
        user_name: String,
        /// What Slack calls their workspace.
        team_domain: String,
        /// What runs once connected.
        waiting: Option<Verb>,
        /// Where it goes on.
        next: NextPage,
    },
    /// Connected.
    Connected {
        /// What Slack calls them.
        user_name: String,
        /// What Slack calls their workspace.
        team_domain: String,
        /// As whom.
        account: ZoomUser,
        /// What runs now.
        running: Option<Verb>,
        /// Whether the scope to start and stop was not given.
        lacks_scope: bool,
    },
    /// The state is unknown, used, or older than ten minutes.
    LinkOver,
    /// The browser that came back is not the one that confirmed.
    OtherBrowser,
    /// The browser that came back is signed in to Slack as somebody else than who asked.
    SomebodyElse,
    /// The person said no when Slack asked whether OnAir may know who they are. The same link still works.
    NotSignedIn {
        /// The way back to try again; `None` where the link is over.
        again: Option<Secret>,
    },
    /// Slack did not say who is signed in.
    SlackRefused {
        /// Finds the log line.
        reference: crate::id::Reference,
    },
    /// Slack could not be reached.
    SlackAway {
        /// Finds the log line.
        reference: crate::id::Reference,
    },
    /// The person said no at Zoom. The same link still works.
    Declined {
        /// The way back to try again; `None` where the link is over.
        again: Option<Secret>,
    },
    /// Zoom did not give the tokens.
    ZoomRefused {
        /// Finds the log line.
        reference: crate::id::Reference,
    },
    /// Zoom could not be reached.
    ZoomAway {
        /// Finds the log line.
        reference: crate::id::Reference,
    },
    /// The store is down.
    StoreAway,
    /// Where a meeting's stream goes.
    Setup(SetupPage),
    /// What came of installing the app.
    Install(InstallPage),
}

/// Where the page that asks who is at the browser leads on to.
#[derive(Clone, Debug)]
pub enum NextPage {
    /// To Slack, which says who is signed in there, and then to Zoom.
    Slack(Secret),
    /// To Zoom.
    Zoom(Secret),
}

/// What stands on a page about installing the app.
#[derive(Clone, Debug)]
pub enum InstallPage {
    /// It cannot be installed from here.
    NotSetUp,
    /// It is installed.
    Done {
        /// What Slack calls the place.
        name: String,
        /// Where an organization's admin chooses the workspaces that have the app.
        choose: Option<Secret>,
        /// Whether the bot may post there.
        speaks: bool,
    },
    /// The person said no at Slack.
    Declined,
    /// The state is unknown, used, or older than ten minutes.
    Over,
    /// The browser that came back is not the one in which it was begun.
    OtherBrowser,
    /// The app has token rotation switched on.
    Rotating,
    /// Slack did not do it.
    Refused {
        /// Finds the log line.
        reference: crate::id::Reference,
    },
    /// Slack could not be reached.
    Away {
        /// Finds the log line.
        reference: crate::id::Reference,
    },
    /// The store is down.
    StoreAway,
}
