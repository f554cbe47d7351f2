//! What a command calls its meeting, and the step from saved names to ids.
//!
//! The names are somebody's own, so only whoever has looked them up can take this step; what is wrong with one is told
//! in the same form as a text that makes no sense.

use std::fmt;

use super::parse::{example_meeting, suggestion};
use super::{Command, Problem, Start, UsageError, Verb, guess};
use crate::meeting::{MeetingId, Title};
use crate::preset::{Preset, PresetName, Presets};

/// What stands for a meeting in a typed command.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Target {
    /// Its id.
    Id(MeetingId),
    /// A name that the person may have saved.
    Saved(PresetName),
}

impl From<MeetingId> for Target {
    fn from(meeting: MeetingId) -> Self {
        Self::Id(meeting)
    }
}

impl fmt::Display for Target {
    /// As it is typed.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Id(meeting) => write!(f, "{}", meeting.number()),
            Self::Saved(name) => f.write_str(name.as_str()),
        }
    }
}

impl Command<Target> {
    /// The command in terms of ids, unless it calls its meeting by a name.
    pub fn by_id(&self) -> Option<Command> {
        let command = self.clone().try_map(|target| match target {
            Target::Id(meeting) => Ok(meeting),
            Target::Saved(name) => Err(name),
        });
        command.ok()
    }

    /// The command in terms of ids, with the saved title where none is typed.
    pub fn resolve(&self, saved: &Presets) -> Result<Command, UsageError> {
        let mut saved_title = None;
        let command = self.clone().try_map(|target| match target {
            Target::Id(meeting) => Ok(meeting),
            Target::Saved(name) => {
                let preset = saved.find(&name).ok_or(name)?;
                saved_title.clone_from(&preset.title);
                Ok(preset.meeting)
            }
        });
        let mut command = command.map_err(|name| self.unknown(&name, saved))?;
        match &mut command {
            Command::Start(start) => start.settings.title = start.settings.title.take().or(saved_title),
            Command::Save(preset) => preset.title = preset.title.take().or(saved_title),
            _ => {}
        }
        Ok(command)
    }

    fn unknown(&self, name: &PresetName, saved: &Presets) -> UsageError {
        let near = guess::name(name, saved);
        let mut command = self.clone();
        if let Some(target) = command.target() {
            *target = near.map_or_else(example_meeting, |near| Target::Saved(near.clone()));
        }
        if let (Self::Start(start), None) = (&mut command, near) {
            // As likely as a name, it is a title whose meeting was left out.
            start.settings.title = start.settings.title.take().or(Title::new(name.as_str()).ok());
        }
        let nearest = suggestion(self.verb(), Some(command));
        UsageError { problem: Problem::UnknownName { word: name.as_str().to_owned() }, nearest }
    }

    fn target(&mut self) -> Option<&mut Target> {
        match self {
            Self::Start(start) => Some(&mut start.meeting),
            Self::Stop { meeting } | Self::Setup { meeting } | Self::Check { meeting } | Self::Lend { meeting, .. } => {
                Some(meeting)
            }
            Self::Status { meeting } => meeting.as_mut(),
            Self::Save(preset) => Some(&mut preset.meeting),
            _ => None,
        }
    }

    fn try_map<E>(self, meeting: impl FnOnce(Target) -> Result<MeetingId, E>) -> Result<Command, E> {
        Ok(match self {
            Self::Start(start) => {
                let Start { meeting: target, settings, run } = start;
                Command::Start(Start { meeting: meeting(target)?, settings, run })
            }
            Self::Stop { meeting: target } => Command::Stop { meeting: meeting(target)? },
            Self::Status { meeting: target } => Command::Status { meeting: target.map(meeting).transpose()? },
            Self::Save(Preset { name, meeting: target, title }) => {
                Command::Save(Preset { name, meeting: meeting(target)?, title })
            }
            Self::Check { meeting: target } => Command::Check { meeting: meeting(target)? },
            Self::Lend { meeting: target, lend } => Command::Lend { meeting: meeting(target)?, lend },
            Self::Connect => Command::Connect,
            Self::Disconnect => Command::Disconnect,
            Self::Whoami => Command::Whoami,
            Self::Forget { name } => Command::Forget { name },
            Self::Presets => Command::Presets,
            Self::Policy => Command::Policy,
            Self::Doctor => Command::Doctor,
            Self::Setup { meeting: target } => Command::Setup { meeting: meeting(target)? },
            Self::Audit { count } => Command::Audit { count },
            Self::Help { verb } => Command::Help { verb },
        })
    }
}

/// The error of a name that is to be forgotten and is not there.
pub fn not_saved(name: &PresetName, saved: &Presets) -> UsageError {
    let near = guess::name(name, saved).map(|near| Command::<Target>::Forget { name: near.clone() });
    let nearest = near.unwrap_or(Command::Presets).to_string();
    UsageError { problem: Problem::NotSaved { word: name.as_str().to_owned() }, nearest }
}

/// The error of one name more than there can be.
pub fn too_many_names() -> UsageError {
    UsageError { problem: Problem::TooManyNames, nearest: Verb::Presets.word().to_owned() }
}
