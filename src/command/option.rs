//! The options of `start`: their names, their values, and the dashes people put before them.

use super::print::{captions_word, layout_word, speaker_name_word};
use super::scan::is_dash;
use super::{CAPTIONS_WORDS, LAYOUT_WORDS, SPEAKER_NAME_WORDS};
use crate::meeting::{Captions, Layout, Settings, SpeakerName};

/// One option.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Flag {
    SpeakerName,
    Layout,
    Captions,
    DryRun,
}

impl Flag {
    pub(super) const ALL: [Self; 4] = [Self::SpeakerName, Self::Layout, Self::Captions, Self::DryRun];

    /// With its dashes, as help and errors show it.
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::SpeakerName => "--speaker-name",
            Self::Layout => "--layout",
            Self::Captions => "--captions",
            Self::DryRun => "--dry-run",
        }
    }

    /// Its values; none for one that takes no value.
    pub(super) fn allowed(self) -> &'static [&'static str] {
        match self {
            Self::SpeakerName => SPEAKER_NAME_WORDS,
            Self::Layout => LAYOUT_WORDS,
            Self::Captions => CAPTIONS_WORDS,
            Self::DryRun => &[],
        }
    }

    /// The option of this name, written without dashes in front.
    pub(super) fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|flag| bare_name(*flag) == folded(name))
    }

    /// Writes a value down, if it is one of those allowed.
    pub(super) fn set(self, word: &str, settings: &mut Settings) -> bool {
        match self {
            Self::SpeakerName => pick(&mut settings.speaker_name, word, speaker_name_word, &SPEAKER_NAMES),
            Self::Layout => pick(&mut settings.layout, word, layout_word, &LAYOUTS),
            Self::Captions => pick(&mut settings.captions, word, captions_word, &CAPTIONS),
            Self::DryRun => false,
        }
    }
}

const SPEAKER_NAMES: [SpeakerName; 2] = [SpeakerName::On, SpeakerName::Off];
const LAYOUTS: [Layout; 3] = [Layout::FollowHost, Layout::GalleryView, Layout::SpeakerView];
const CAPTIONS: [Captions; 3] = [Captions::BurntIn, Captions::Embedded, Captions::Off];

/// A word that starts like an option.
#[derive(Debug)]
pub(super) struct Dashed<'w> {
    /// Whether the dashes are as good as `--`; a lone hyphen is not.
    pub(super) is_long: bool,
    pub(super) name: &'w str,
    /// What follows `=`; empty if nothing does.
    pub(super) value: Option<&'w str>,
}

impl<'w> Dashed<'w> {
    /// `None` for words without dashes in front, for dashes alone, and for pieces of a meeting's id.
    pub(super) fn read(word: &'w str) -> Option<Self> {
        let rest = word.trim_start_matches(is_dash);
        let dashes = &word[..word.len() - rest.len()];
        if dashes.is_empty() || !rest.starts_with(char::is_alphabetic) {
            return None;
        }
        let (name, value) = match rest.split_once('=') {
            Some((name, value)) => (name, Some(value)),
            None => (rest, None),
        };
        // Keyboards make one en or em dash of two hyphens.
        Some(Self { is_long: dashes != "-", name, value })
    }

    /// The option it names.
    pub(super) fn flag(&self) -> Option<Flag> {
        Flag::named(self.name).filter(|_| self.is_long)
    }

    /// Whether it asks how the verb is used.
    pub(super) fn asks_for_help(&self) -> bool {
        let name = folded(self.name);
        name == "help" || (name == "h" && !self.is_long)
    }
}

/// Whether a word is an option that exists, whatever its value.
pub(super) fn is_known(word: &str) -> bool {
    Dashed::read(word).is_some_and(|dashed| dashed.flag().is_some())
}

/// Case, the kind of dash, and `-` for `_` make no difference.
pub(super) fn folded(word: &str) -> String {
    let same = |c: char| {
        if is_dash(c) || c == '_' || c == ' ' { '-' } else { c.to_ascii_lowercase() }
    };
    word.trim().chars().map(same).collect()
}

/// An option's name without its dashes.
pub(super) fn bare_name(flag: Flag) -> &'static str {
    flag.name().trim_start_matches('-')
}

fn pick<T: Copy>(slot: &mut Option<T>, word: &str, name: fn(T) -> &'static str, all: &[T]) -> bool {
    let found = all.iter().copied().find(|value| folded(name(*value)) == folded(word));
    *slot = found.or(*slot);
    found.is_some()
}
