//! [`Command`] → the line that parses back to it, without the command's name.

use std::fmt;

use super::{Command, Run, Start, Target, scan};
use crate::lend::{Lend, Term};
use crate::meeting::{Captions, Layout, SpeakerName};
use crate::preset::Preset;

impl<M: Clone + Into<Target>> fmt::Display for Command<M> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.verb().word())?;
        match self {
            Self::Start(start) => write!(f, " {start}"),
            Self::Stop { meeting }
            | Self::Status { meeting: Some(meeting) }
            | Self::Setup { meeting }
            | Self::Check { meeting } => {
                write!(f, " {}", meeting.clone().into())
            }
            Self::Lend { meeting, lend } => write!(f, " {}{lend}", meeting.clone().into()),
            Self::Save(Preset { name, meeting, title }) => {
                write!(f, " {} {}", name.as_str(), meeting.clone().into())?;
                title.as_ref().map_or(Ok(()), |title| write!(f, " {}", scan::quoted(title.as_str())))
            }
            Self::Forget { name } => write!(f, " {}", name.as_str()),
            Self::Audit { count: Some(count) } => write!(f, " {count}"),
            Self::Help { verb: Some(verb) } => write!(f, " {}", verb.word()),
            Self::Status { meeting: None }
            | Self::Connect
            | Self::Disconnect
            | Self::Whoami
            | Self::Presets
            | Self::Policy
            | Self::Doctor => Ok(()),
            Self::Audit { count: None } | Self::Help { verb: None } => Ok(()),
        }
    }
}

/// Behind the meeting.
impl fmt::Display for Lend {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self::To { colleague, term } = self else { return f.write_str(" back") };
        if let Some(colleague) = colleague {
            write!(f, " to @{colleague}")?;
        }
        match term {
            Some(Term::Until { hour, minute }) => write!(f, " until {hour:02}:{minute:02}"),
            Some(Term::For { minutes }) if minutes % 60 == 0 => write!(f, " for {}h", minutes / 60),
            Some(Term::For { minutes }) => write!(f, " for {minutes}m"),
            None => Ok(()),
        }
    }
}

impl<M: Clone + Into<Target>> fmt::Display for Start<M> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.meeting.clone().into())?;
        if let Some(title) = &self.settings.title {
            write!(f, " {}", scan::quoted(title.as_str()))?;
        }
        if let Some(value) = self.settings.speaker_name {
            write!(f, " --speaker-name {}", speaker_name_word(value))?;
        }
        if let Some(value) = self.settings.layout {
            write!(f, " --layout {}", layout_word(value))?;
        }
        if let Some(value) = self.settings.captions {
            write!(f, " --captions {}", captions_word(value))?;
        }
        match self.run {
            Run::Real => Ok(()),
            Run::Dry => f.write_str(" --dry-run"),
        }
    }
}

/// The words an option takes, in the order of its values.
pub(crate) const SPEAKER_NAME_WORDS: &[&str] = &["on", "off"];
/// See [`SPEAKER_NAME_WORDS`].
pub(crate) const LAYOUT_WORDS: &[&str] = &["follow_host", "gallery_view", "speaker_view"];
/// See [`SPEAKER_NAME_WORDS`].
pub(crate) const CAPTIONS_WORDS: &[&str] = &["burnt-in", "embedded", "off"];

pub(super) fn speaker_name_word(value: SpeakerName) -> &'static str {
    match value {
        SpeakerName::On => "on",
        SpeakerName::Off => "off",
    }
}

pub(super) fn layout_word(value: Layout) -> &'static str {
    match value {
        Layout::FollowHost => "follow_host",
        Layout::GalleryView => "gallery_view",
        Layout::SpeakerView => "speaker_view",
    }
}

pub(super) fn captions_word(value: Captions) -> &'static str {
    match value {
        Captions::BurntIn => "burnt-in",
        Captions::Embedded => "embedded",
        Captions::Off => "off",
    }
}
