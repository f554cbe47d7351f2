//! What a person can ask for: the command, its table, and the errors of text that makes no sense.
//!
//! Pure: [`parse`] turns text into a [`Command`] or a [`UsageError`], and a command prints itself in the form that
//! parses back to it. A meeting in it is a [`Target`], an id or a saved name; [`Command::resolve`] makes ids of all
//! names once somebody has looked up what they stand for. The name of the slash command itself is not known here; it
//! comes with each request.

mod guard;
mod guess;
mod link;
mod option;
mod parse;
mod print;
mod scan;
mod target;
#[cfg(test)]
mod tests;

use serde::{Deserialize, Serialize};

pub use self::parse::parse;
pub(crate) use self::print::{CAPTIONS_WORDS, LAYOUT_WORDS, SPEAKER_NAME_WORDS};
pub use self::target::{Target, not_saved, too_many_names};
use crate::lend::Lend;
use crate::meeting::{MeetingId, Settings};
use crate::preset::{NotAName, Preset, PresetName};

/// What the slash command is called unless the manifest was made with another name.
pub const DEFAULT_COMMAND: &str = "/stream";

/// One understood command. `M` is how it tells its meeting: [`Target`] as typed, an id once names are looked up.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Command<M = MeetingId> {
    /// Put a meeting on air.
    Start(Start<M>),
    /// Take a meeting off air.
    Stop {
        /// Which one.
        meeting: M,
    },
    /// What is known about one stream, or about all of this workspace.
    Status {
        /// Which one; `None` asks for all.
        meeting: Option<M>,
    },
    /// Link a Zoom account to the person who types.
    Connect,
    /// Undo the link.
    Disconnect,
    /// Which Zoom account is linked.
    Whoami,
    /// Save a meeting under a name of one's own.
    Save(Preset<M>),
    /// Forget such a name.
    Forget {
        /// Which one.
        name: PresetName,
    },
    /// Which names one has saved.
    Presets,
    /// See and set where a meeting's stream goes.
    Setup {
        /// Which one.
        meeting: M,
    },
    /// What would stop a start.
    Check {
        /// Of which meeting.
        meeting: M,
    },
    /// Lend control of a meeting to a colleague, or take it back.
    Lend {
        /// Which one.
        meeting: M,
        /// What is wanted.
        lend: Lend,
    },
    /// The last entries of the workspace's audit.
    Audit {
        /// How many; without it, [`AUDIT_COUNT`].
        count: Option<usize>,
    },
    /// See and set who may do what in this workspace.
    Policy,
    /// How OnAir is, as far as it concerns this workspace.
    Doctor,
    /// How to use one verb, or all.
    Help {
        /// The verb asked about.
        verb: Option<Verb>,
    },
}

/// A `start`, with what it asks of the picture.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Start<M = MeetingId> {
    /// Which meeting.
    pub meeting: M,
    /// What was asked for, and nothing else.
    pub settings: Settings,
    /// Whether Zoom is really asked.
    pub run: Run,
}

/// Whether a start is carried out or only shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Run {
    /// Zoom is asked to start.
    Real,
    /// `--dry-run`: what would be sent is shown, and nothing is sent.
    Dry,
}

/// The first word of a command.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Verb {
    /// See [`Command::Start`].
    Start,
    /// See [`Command::Stop`].
    Stop,
    /// See [`Command::Status`].
    Status,
    /// See [`Command::Connect`].
    Connect,
    /// See [`Command::Disconnect`].
    Disconnect,
    /// See [`Command::Whoami`].
    Whoami,
    /// See [`Command::Save`].
    Save,
    /// See [`Command::Forget`].
    Forget,
    /// See [`Command::Presets`].
    Presets,
    /// See [`Command::Setup`].
    Setup,
    /// See [`Command::Check`].
    Check,
    /// See [`Command::Lend`].
    Lend,
    /// See [`Command::Audit`].
    Audit,
    /// See [`Command::Policy`].
    Policy,
    /// See [`Command::Doctor`].
    Doctor,
    /// See [`Command::Help`].
    Help,
}

impl Verb {
    /// Every verb, in the order help lists them.
    pub const ALL: [Self; 16] = [
        Self::Start,
        Self::Stop,
        Self::Status,
        Self::Connect,
        Self::Disconnect,
        Self::Whoami,
        Self::Save,
        Self::Forget,
        Self::Presets,
        Self::Setup,
        Self::Check,
        Self::Lend,
        Self::Audit,
        Self::Policy,
        Self::Doctor,
        Self::Help,
    ];

    /// The word typed.
    pub fn word(self) -> &'static str {
        match self {
            Self::Start => "start",
            Self::Stop => "stop",
            Self::Status => "status",
            Self::Connect => "connect",
            Self::Disconnect => "disconnect",
            Self::Whoami => "whoami",
            Self::Save => "save",
            Self::Forget => "forget",
            Self::Presets => "presets",
            Self::Setup => "setup",
            Self::Check => "check",
            Self::Lend => "lend",
            Self::Audit => "audit",
            Self::Policy => "policy",
            Self::Doctor => "doctor",
            Self::Help => "help",
        }
    }

    /// What may follow the word, in the notation of help texts.
    pub fn arguments(self) -> &'static str {
        match self {
            Self::Start => {
                "<meeting> [\"title\"] [--speaker-name on|off] [--layout follow_host|gallery_view|speaker_view] \
                 [--captions burnt-in|embedded|off] [--dry-run]"
            }
            Self::Stop | Self::Setup | Self::Check => "<meeting>",
            Self::Status => "[<meeting>]",
            Self::Save => "<name> <meeting> [\"title\"]",
            Self::Forget => "<name>",
            Self::Connect | Self::Disconnect | Self::Whoami | Self::Presets | Self::Policy | Self::Doctor => "",
            Self::Lend => "<meeting> [to <@colleague>] [until 18:00 | for 2h] | <meeting> back",
            Self::Audit => "[<count>]",
            Self::Help => "[<verb>]",
        }
    }

    /// What it does, in one line.
    pub fn purpose(self) -> &'static str {
        match self {
            Self::Start => "put a meeting on air",
            Self::Stop => "take it off air",
            Self::Status => "how the streams of this workspace are, or that of one meeting",
            Self::Connect => "connect your Zoom account",
            Self::Disconnect => "disconnect it again",
            Self::Whoami => "which Zoom account you are connected as",
            Self::Save => "save a meeting under a name of your own",
            Self::Forget => "forget a saved name",
            Self::Presets => "your saved names",
            Self::Setup => "see and set where a meeting's stream goes, on a private page",
            Self::Check => "what would stop a start, and how to cure it",
            Self::Lend => "let a colleague start and stop a meeting's stream for a while, as you; or take that back",
            Self::Audit => "the last entries of this workspace's audit, for admins",
            Self::Policy => "who may do what in this workspace; for admins",
            Self::Doctor => "whether OnAir is well, and how to mend what isn't; for admins",
            Self::Help => "this list, or more about one verb",
        }
    }

    /// A line that works as it stands, without the command's name.
    pub fn example(self) -> &'static str {
        match self {
            Self::Start => "start 68423085 \"Keynote\"",
            Self::Stop => "stop 68423085",
            Self::Status => "status 68423085",
            Self::Save => "save keynote 68423085 \"Keynote\"",
            Self::Forget => "forget keynote",
            Self::Setup => "setup 68423085",
            Self::Check => "check 68423085",
            Self::Lend => "lend 68423085 for 2h",
            Self::Audit => "audit 20",
            Self::Help => "help start",
            Self::Connect | Self::Disconnect | Self::Whoami | Self::Presets | Self::Policy | Self::Doctor => {
                self.word()
            }
        }
    }
}

/// How many entries of the audit are shown to whoever asks for no number.
pub const AUDIT_COUNT: usize = 10;

/// How many are shown at the most.
pub const MOST_AUDIT_COUNT: usize = 50;

impl<M> Command<M> {
    /// Which verb it is, for help, audit and metrics.
    pub fn verb(&self) -> Verb {
        match self {
            Self::Start(_) => Verb::Start,
            Self::Stop { .. } => Verb::Stop,
            Self::Status { .. } => Verb::Status,
            Self::Connect => Verb::Connect,
            Self::Disconnect => Verb::Disconnect,
            Self::Whoami => Verb::Whoami,
            Self::Save(_) => Verb::Save,
            Self::Forget { .. } => Verb::Forget,
            Self::Presets => Verb::Presets,
            Self::Setup { .. } => Verb::Setup,
            Self::Check { .. } => Verb::Check,
            Self::Lend { .. } => Verb::Lend,
            Self::Audit { .. } => Verb::Audit,
            Self::Policy => Verb::Policy,
            Self::Doctor => Verb::Doctor,
            Self::Help { .. } => Verb::Help,
        }
    }

    /// The meeting it is about.
    pub fn meeting(&self) -> Option<M>
    where
        M: Clone,
    {
        match self {
            Self::Start(start) => Some(start.meeting.clone()),
            Self::Stop { meeting } | Self::Setup { meeting } | Self::Check { meeting } | Self::Lend { meeting, .. } => {
                Some(meeting.clone())
            }
            Self::Status { meeting } => meeting.clone(),
            Self::Save(preset) => Some(preset.meeting.clone()),
            Self::Connect
            | Self::Disconnect
            | Self::Whoami
            | Self::Forget { .. }
            | Self::Presets
            | Self::Audit { .. }
            | Self::Policy
            | Self::Doctor
            | Self::Help { .. } => None,
        }
    }
}

/// The text makes no sense: what was read, and the nearest form that does.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{problem}")]
pub struct UsageError {
    /// What is wrong with it.
    pub problem: Problem,
    /// The nearest right form without the command's name, ready to copy. It always parses.
    pub nearest: String,
}

/// What is wrong with a text. Words in it are as typed, cut to a readable length; whoever shows them escapes them.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Problem {
    /// The first word is no verb.
    #[error("unknown verb")]
    UnknownVerb {
        /// The word.
        word: String,
    },
    /// The verb needs a meeting and none was given.
    #[error("no meeting given")]
    MissingMeeting {
        /// The verb.
        verb: Verb,
    },
    /// Something stands where the meeting should, and is none.
    #[error("not a meeting")]
    NotAMeeting {
        /// The word.
        word: String,
        /// What it seems to be.
        why: NotAMeeting,
    },
    /// The verb needs a name and none was given.
    #[error("no name given")]
    MissingName {
        /// The verb.
        verb: Verb,
    },
    /// Something stands where a name should, and cannot be one.
    #[error("not a name")]
    NotAName {
        /// The word.
        word: String,
        /// Why it cannot.
        why: NotAName,
    },
    /// A name stands for the meeting, and the person has saved nothing under it.
    #[error("neither a meeting nor a saved name")]
    UnknownName {
        /// The name.
        word: String,
    },
    /// Nothing is saved under the name that is to be forgotten.
    #[error("nothing is saved under this name")]
    NotSaved {
        /// The name.
        word: String,
    },
    /// One name more than a person can have.
    #[error("too many names")]
    TooManyNames,
    /// Something stands where the number of entries should, and is none from 1 to [`MOST_AUDIT_COUNT`].
    #[error("not a number of entries")]
    NotACount {
        /// The word.
        word: String,
    },
    /// Something stands where a time or a length of time should, and is none.
    #[error("not a time")]
    NotATime {
        /// The word; `None` where the line ended.
        word: Option<String>,
    },
    /// Starts with dashes and is no option of this verb.
    #[error("unknown option")]
    UnknownOption {
        /// The word.
        word: String,
    },
    /// An option's value is missing or none of those allowed.
    #[error("bad value of an option")]
    OptionValue {
        /// The option with its dashes, such as `--layout`.
        option: &'static str,
        /// The word in its place; `None` where the line ended.
        word: Option<String>,
        /// What is allowed.
        allowed: &'static [&'static str],
    },
    /// The same option twice.
    #[error("option given twice")]
    OptionTwice {
        /// The option with its dashes.
        option: &'static str,
    },
    /// A title of nothing but white space.
    #[error("empty title")]
    EmptyTitle,
    /// A title over the limit.
    #[error("title too long")]
    TitleTooLong {
        /// How many characters it has.
        chars: usize,
    },
    /// A word after everything the verb takes.
    #[error("trailing word")]
    Trailing {
        /// The first such word.
        word: String,
    },
    /// An `rtmp(s)://` address, or what looks like a stream key. Neither is kept here, nor anything else of the text.
    #[error("a stream secret in the text")]
    StreamSecret,
}

/// What a word is that should have been a meeting.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NotAMeeting {
    /// Digits, but fewer than 8 or more than 12.
    Digits,
    /// A Zoom link without an id in it.
    LinkWithoutId,
    /// A personal link, `…/my/name`: only Zoom can resolve it.
    PersonalLink,
    /// A link to somewhere else.
    OtherSite,
    /// Anything else.
    Word,
}
