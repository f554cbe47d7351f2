//! What `/stream check` found out about a meeting before its stream starts.

use jiff::Timestamp;

use crate::command::Target;
use crate::grant::ZoomUser;
use crate::id::UserId;
use crate::meeting::MeetingId;
use crate::outcome::NotAllowed;
use crate::stream::State;

/// What would stop a start and what is fine, in the order in which a person cures it.
#[derive(Clone, Debug)]
pub struct Check {
    /// Of which meeting.
    pub meeting: MeetingId,
    /// What the person calls it, for the commands to copy.
    pub called: Target,
    /// Whether it is a webinar, of which Zoom shows less.
    pub is_webinar: bool,
    /// As whom the person is connected, or whoever lends them the meeting.
    pub account: ZoomUser,
    /// Who lends them the meeting, if somebody does.
    pub on_behalf_of: Option<UserId>,
    /// Whether the connection works.
    pub connection: Verdict,
    /// Whether it allows to start streams.
    pub permission: Verdict,
    /// Whether the meeting exists and the connected user hosts it.
    pub host: Verdict,
    /// Whether it is in progress.
    pub running: Verdict,
    /// Whether it is encrypted in a way that can be streamed.
    pub encryption: Verdict,
    /// Whether the host's settings and licence allow streams.
    pub settings: Verdict,
    /// Whether it has a stream address.
    pub target: Verdict,
    /// Whether Zoom will tell what becomes of a start; this alone stops none.
    pub reports: Verdict,
    /// How far a stream of it has come that OnAir knows of.
    pub stream: Option<State>,
}

/// What is known about one precondition.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// It is met.
    Good,
    /// It is not, and a start would fail.
    Bad(Cure),
    /// It may be met or not.
    Unknown(Why),
}

/// What is wrong, each with its own cure.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Cure {
    /// Zoom does not accept OnAir's own credentials.
    TellAnAdmin,
    /// The connection does not allow to start streams.
    Connect,
    /// No such meeting for the connected user.
    CheckTheId,
    /// The host is in another Zoom account.
    OtherAccount,
    /// The meeting is not running.
    StartTheMeeting,
    /// Licence, setting or encryption forbids it.
    Allow(NotAllowed),
    /// The settings do not allow streams of webinars.
    AllowWebinars,
    /// The meeting has no stream address.
    SetTheTarget,
}

/// Why something is not known.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Why {
    /// It takes a scope that is optional and was not given.
    Scope(&'static str),
    /// Zoom's answer does not say it.
    NotSaid,
    /// Zoom takes no more requests for now.
    Busy {
        /// When it does again.
        retry_at: Timestamp,
    },
    /// Zoom is down, or gave no answer.
    Away,
    /// Zoom did not answer while the token was renewed, which may have used it up.
    RenewalLost,
    /// Zoom refused to say.
    Refused {
        /// The HTTP status.
        status: u16,
        /// Zoom's code.
        code: Option<String>,
    },
    /// Zoom's answer makes no sense.
    Unreadable,
    /// Without a connection that works nothing is known.
    NoConnection,
    /// Zoom does not show the meeting to the connected user.
    NoMeeting,
    /// Zoom shows nothing to a user without a licence.
    NoLicence,
    /// Somebody else hosts the meeting: whether Zoom lets the connected user stream it, only a start tells.
    OtherHost,
    /// What somebody else's settings are, Zoom does not tell.
    OthersSettings,
    /// OnAir is shown nothing of webinars.
    Webinar,
    /// Zoom's reports are not set up.
    NoReports,
}
