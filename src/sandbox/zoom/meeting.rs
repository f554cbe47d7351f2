//! Meetings and webinars, and their streams.

use jiff::Timestamp;
use serde_json::Value;

use super::world::User;

/// A meeting or webinar.
#[derive(Clone, Debug)]
pub struct Meeting {
    /// Its number.
    pub id: u64,
    /// What it is.
    pub kind: Kind,
    /// Which run of it this is or was last; new at each start.
    pub uuid: String,
    /// What it is called.
    pub topic: String,
    /// The host's user id.
    pub host: String,
    /// Whether it is in progress.
    pub running: bool,
    /// Whether it is end-to-end encrypted.
    pub e2ee: bool,
    /// Whether "Allow livestreaming" is on for it.
    pub streaming_allowed: bool,
    /// Where its stream goes. A meeting without a target takes a start and is never on air.
    pub target: Option<Target>,
    /// Whether Zoom's servers reach the target. A meeting whose target they do not reach takes a start, too.
    pub reachable: bool,
    /// Whether a webinar's host only rehearses.
    pub practice_session: bool,
    /// What a user who is not its host is told.
    pub to_strangers: ToStrangers,
    pub(super) stream: Stream,
    /// When it began, or will.
    pub(super) begins: Timestamp,
    /// When a start was last taken.
    pub(super) last_start: Option<Timestamp>,
    /// Counts what was done to the stream: a start that something else has overtaken comes to nothing.
    pub(super) turn: u64,
}

impl Meeting {
    /// Whether Zoom's servers can send the stream to where it is meant to go.
    pub(super) fn can_stream_to(&self, service: Service) -> bool {
        service != Service::Custom || (self.reachable && self.target.as_ref().is_some_and(Target::is_rtmp))
    }
}

/// Meeting or webinar.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// A meeting.
    Meeting,
    /// A webinar.
    Webinar,
}

impl Kind {
    /// In the middle of a sentence.
    pub(super) fn word(self) -> &'static str {
        match self {
            Self::Meeting => "meeting",
            Self::Webinar => "webinar",
        }
    }
}

/// What users other than the host are told of a meeting.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ToStrangers {
    /// 404/3001: it does not exist, for them.
    Missing,
    /// 400/1010: it belongs to another account.
    OtherAccount,
}

/// Where a custom stream goes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Target {
    /// The RTMP address.
    pub stream_url: String,
    /// What lets Zoom in there.
    pub stream_key: String,
    /// Where people watch.
    pub page_url: String,
    /// `720p` or `1080p`
    pub resolution: String,
}

impl Target {
    /// One that leads somewhere, with a key of its own.
    pub(in crate::sandbox) fn example(number: u64) -> Self {
        Self {
            stream_url: "rtmps://live.example.com/app".to_owned(),
            stream_key: format!("stream-key-canary-{number:04}"),
            page_url: format!("https://live.example.com/watch/{number}"),
            resolution: "720p".to_owned(),
        }
    }

    /// Whether it is an address of RTMP. Zoom takes any, but no stream gets there.
    pub(super) fn is_rtmp(&self) -> bool {
        ["rtmp://", "rtmps://"].iter().any(|scheme| self.stream_url.starts_with(scheme))
    }
}

/// Where a stream goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Service {
    /// To the meeting's own target. The app's starts all go there.
    Custom,
    /// To YouTube.
    YouTube,
    /// To Facebook.
    Facebook,
    /// To Workplace by Facebook.
    Workplace,
    /// To Twitch.
    Twitch,
}

impl Service {
    /// Zoom's word for it.
    pub fn word(self) -> &'static str {
        match self {
            Self::Custom => "Custom_Live_Streaming_Service",
            Self::YouTube => "YouTube",
            Self::Facebook => "Facebook",
            Self::Workplace => "Workplace_by_Facebook",
            Self::Twitch => "Twitch",
        }
    }
}

/// Whether a meeting is on air.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Stream {
    /// It is not.
    Idle,
    /// A start was taken; whether it reaches the target is to be seen.
    Connecting,
    /// It is.
    Live {
        /// Since when.
        since: Timestamp,
        /// The settings of the start, as Zoom got them; null if there were none.
        settings: Value,
        /// Where to.
        service: Service,
    },
}

/// A start that was taken.
#[derive(Clone, Debug)]
pub(super) struct Start {
    pub(super) meeting: u64,
    pub(super) settings: Value,
    pub(super) service: Service,
    pub(super) operator: User,
}
