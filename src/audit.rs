//! What is written down about every command and connection: a closed set of facts, no prose, no secrets, no titles.

use jiff::Timestamp;
use serde::{Deserialize, Serialize, Serializer};

use crate::id::{ChannelId, Person, Reference, UserId, ZoomUserId};
use crate::meeting::MeetingId;
use crate::outcome::{Answer, Attempt, Outcome};

/// One thing that happened.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct AuditEntry {
    /// When it was finished; written with three fraction digits, so that times also sort as text.
    #[serde(serialize_with = "milliseconds")]
    pub at: Timestamp,
    /// Finds the message and the log lines.
    pub reference: Reference,
    /// Who did it; for what Zoom reported, whose stream it is, if anybody asked for it.
    #[serde(flatten)]
    pub person: Option<Person>,
    /// Whose order they confirmed, where it took a second person.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub asked_by: Option<UserId>,
    /// Who lent them the meeting, where it was done as that person.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub on_behalf_of: Option<UserId>,
    /// To whom a meeting was lent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub lent_to: Option<UserId>,
    /// Where.
    pub channel: Option<ChannelId>,
    /// The verb typed, or `link` for a connection made in the browser.
    pub verb: AuditVerb,
    /// The meeting it was about.
    pub meeting: Option<MeetingId>,
    /// What was asked of Zoom, without the words of a title.
    pub asked: Option<Asked>,
    /// The Zoom user it was done as.
    pub zoom_user: Option<ZoomUserId>,
    /// What Zoom answered, if it was asked.
    pub zoom: Option<ZoomAnswer>,
    /// What came of it.
    pub outcome: AuditOutcome,
    /// From arrival to result.
    pub duration_ms: u64,
}

impl AuditEntry {
    /// That something happened, and nothing else about it yet.
    pub fn new(at: Timestamp, reference: Reference, verb: AuditVerb, outcome: AuditOutcome) -> Self {
        Self {
            at,
            reference,
            person: None,
            asked_by: None,
            on_behalf_of: None,
            lent_to: None,
            channel: None,
            verb,
            meeting: None,
            asked: None,
            zoom_user: None,
            zoom: None,
            outcome,
            duration_ms: 0,
        }
    }
}

fn milliseconds<S: Serializer>(at: &Timestamp, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_str(&format_args!("{at:.3}"))
}

/// What a start asked for; of the form of `policy`, the names of the fields that it changed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Asked {
    /// How long its title was, in characters; titles themselves are not kept.
    pub title_chars: Option<usize>,
    /// The names of the other settings asked for, as Zoom has them.
    pub settings: Vec<String>,
    /// Whether it was only shown.
    pub dry_run: bool,
}

/// Zoom's answer, reduced to what support asks for.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ZoomAnswer {
    /// The HTTP status; `None` where no answer came.
    pub status: Option<u16>,
    /// Zoom's code.
    pub code: Option<i64>,
    /// `x-zm-trackingid`.
    pub tracking_id: Option<String>,
}

impl From<&Attempt> for ZoomAnswer {
    fn from(attempt: &Attempt) -> Self {
        match attempt {
            Attempt::Answered(Answer { status, code, tracking_id, .. }) => {
                Self { status: Some(*status), code: *code, tracking_id: tracking_id.clone() }
            }
            Attempt::NoAnswer | Attempt::NotSent => Self { status: None, code: None, tracking_id: None },
        }
    }
}

macro_rules! words {
    ($(#[$doc:meta])* $name:ident { $($(#[$vdoc:meta])* $variant:ident = $word:literal,)* }) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
        pub enum $name {
            $($(#[$vdoc])* #[serde(rename = $word)] $variant,)*
        }

        impl $name {
            /// Every one of them.
            pub const ALL: &[Self] = &[$(Self::$variant),*];

            /// The word in the trail.
            pub fn word(self) -> &'static str {
                match self { $(Self::$variant => $word),* }
            }
        }
    };
}

words! {
    /// What somebody did.
    AuditVerb {
        /// `/stream start`
        Start = "start",
        /// `/stream stop`
        Stop = "stop",
        /// `/stream status`
        Status = "status",
        /// `/stream connect`
        Connect = "connect",
        /// `/stream disconnect`
        Disconnect = "disconnect",
        /// `/stream whoami`
        Whoami = "whoami",
        /// `/stream save`
        Save = "save",
        /// `/stream forget`
        Forget = "forget",
        /// `/stream presets`
        Presets = "presets",
        /// `/stream setup`, and what came of its page.
        Setup = "setup",
        /// `/stream check`
        Check = "check",
        /// `/stream lend`, and what came of its form.
        Lend = "lend",
        /// `/stream audit`
        Audit = "audit",
        /// `/stream policy`, and what came of its form.
        Policy = "policy",
        /// `/stream doctor`
        Doctor = "doctor",
        /// `/stream help`, and text that made no sense.
        Help = "help",
        /// The Cancel button of an order that waits for its next try.
        Cancel = "cancel",
        /// Zoom reported something, or failed to.
        Report = "report",
        /// A Zoom account was linked, or not, in the browser.
        Link = "link",
        /// The app was installed at Slack, or taken out there.
        Install = "install",
    }
}

words! {
    /// What came of it.
    AuditOutcome {
        /// Zoom took the order to start.
        Accepted = "accepted",
        /// Zoom took the order to stop.
        Stopped = "stopped",
        /// The same was asked for a moment ago, or is under way: Zoom was not asked again.
        Already = "already",
        /// An order that waited for its next try was given up.
        Cancelled = "cancelled",
        /// Zoom reported that the stream is on air.
        Live = "live",
        /// Zoom reported that it is off air.
        Ended = "ended",
        /// Zoom took the start and did not report in time that it is on air.
        Unconfirmed = "unconfirmed",
        /// Somebody took OnAir out of their Zoom account.
        Deauthorized = "deauthorized",
        /// See [`Outcome::NotStarted`].
        NotStarted = "not_started",
        /// See [`Outcome::Webinar`].
        Webinar = "webinar",
        /// See [`Outcome::Invalid`].
        Invalid = "invalid",
        /// See [`Outcome::OtherAccount`].
        OtherAccount = "other_account",
        /// See [`Outcome::UserMissing`].
        UserMissing = "user_missing",
        /// See [`Outcome::NotFound`].
        NotFound = "not_found",
        /// See [`Outcome::NotAllowed`].
        NotAllowed = "not_allowed",
        /// See [`Outcome::Scope`].
        Scope = "scope",
        /// See [`Outcome::Reconnect`].
        Reconnect = "reconnect",
        /// See [`Outcome::Throttled`].
        Throttled = "throttled",
        /// See [`Outcome::Unknown`].
        Unknown = "unknown",
        /// See [`Outcome::Unavailable`].
        Unavailable = "unavailable",
        /// See [`Outcome::Refused`].
        Refused = "refused",
        /// Nothing is connected; a link was offered.
        NotConnected = "not_connected",
        /// A link to connect, or to the page of `setup`, was given to somebody who asked for one.
        Offered = "offered",
        /// A Zoom account was linked.
        Connected = "connected",
        /// Linking did not work.
        LinkFailed = "link_failed",
        /// The app was installed in a workspace or an organization.
        Installed = "installed",
        /// Installing it did not work.
        InstallFailed = "install_failed",
        /// The app was taken out, and what belonged to that place is gone.
        Uninstalled = "uninstalled",
        /// A link to connect was opened by another Slack user than who asked for it.
        SomebodyElse = "somebody_else",
        /// The link is gone, and the grant with it or still shared.
        Disconnected = "disconnected",
        /// The link is gone, but Zoom could not be told to revoke.
        DisconnectedNotRevoked = "disconnected_not_revoked",
        /// A start was shown and not sent.
        DryRun = "dry_run",
        /// A meeting was saved under a name.
        Saved = "saved",
        /// A saved name was forgotten.
        Forgotten = "forgotten",
        /// Zoom took where a meeting's stream goes.
        TargetSet = "target_set",
        /// A stop that waits for a second person.
        SecondPerson = "second_person",
        /// Somebody who may not do it asked for it: nothing was done.
        Denied = "denied",
        /// Who may do what in the workspace was changed.
        PolicyChanged = "policy_changed",
        /// Control of a meeting was lent to a colleague.
        Lent = "lent",
        /// It was taken back.
        TakenBack = "taken_back",
        /// A form was not saved: somebody changed the same meanwhile.
        Outdated = "outdated",
        /// Something was looked up and told.
        Told = "told",
        /// The text made no sense, or was about a name that is not there or has no room.
        Usage = "usage",
        /// The text held a stream secret, which was not kept.
        SecretRefused = "secret_refused",
        /// OnAir itself broke.
        Failed = "failed",
    }
}

impl AuditOutcome {
    /// Whether somebody did not get what they wanted, and it was not their typing.
    pub fn is_failure(self) -> bool {
        match self {
            Self::Unconfirmed
            | Self::NotStarted
            | Self::Webinar
            | Self::Invalid
            | Self::OtherAccount
            | Self::UserMissing
            | Self::NotFound
            | Self::NotAllowed
            | Self::Scope
            | Self::Reconnect
            | Self::Throttled
            | Self::Unknown
            | Self::Unavailable
            | Self::Refused
            | Self::LinkFailed
            | Self::SomebodyElse
            | Self::InstallFailed
            | Self::Denied
            | Self::DisconnectedNotRevoked
            | Self::SecretRefused
            | Self::Failed => true,
            Self::Accepted
            | Self::Stopped
            | Self::Already
            | Self::Cancelled
            | Self::Live
            | Self::Ended
            | Self::Deauthorized
            | Self::NotConnected
            | Self::Offered
            | Self::Connected
            | Self::Installed
            | Self::Uninstalled
            | Self::Disconnected
            | Self::DryRun
            | Self::Saved
            | Self::Forgotten
            | Self::TargetSet
            | Self::SecondPerson
            | Self::PolicyChanged
            | Self::Lent
            | Self::TakenBack
            | Self::Outdated
            | Self::Told
            | Self::Usage => false,
        }
    }
}

impl From<&Outcome> for AuditOutcome {
    fn from(outcome: &Outcome) -> Self {
        match outcome {
            Outcome::Accepted => Self::Accepted,
            Outcome::Stopped => Self::Stopped,
            Outcome::NotStarted => Self::NotStarted,
            Outcome::Webinar => Self::Webinar,
            Outcome::Invalid(_) => Self::Invalid,
            Outcome::OtherAccount => Self::OtherAccount,
            Outcome::UserMissing => Self::UserMissing,
            Outcome::NotFound => Self::NotFound,
            Outcome::NotAllowed(_) => Self::NotAllowed,
            Outcome::Scope { .. } => Self::Scope,
            Outcome::Reconnect => Self::Reconnect,
            Outcome::Throttled(_) => Self::Throttled,
            Outcome::Unknown => Self::Unknown,
            Outcome::Unavailable | Outcome::RenewalLost => Self::Unavailable,
            Outcome::Refused { .. } => Self::Refused,
        }
    }
}
