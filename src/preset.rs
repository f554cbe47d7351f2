//! Names under which people save meetings: what a name may be, and what one person has saved.

use serde::{Deserialize, Serialize};

use crate::meeting::{MeetingId, Title};

/// A name for a meeting: 1 to 32 letters, digits, `-` and `_`, with a letter among them and no dash in front. No name
/// is a meeting's id or looks like a mistyped one.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct PresetName(String);

/// Why a text cannot be a name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NotAName {
    /// Nothing.
    #[error("the name is empty")]
    Empty,
    /// More than [`PresetName::MAX_CHARS`].
    #[error("the name is too long")]
    TooLong,
    /// Something else than letters, digits, `-` and `_`.
    #[error("the name has a character that names don't have")]
    OtherCharacter,
    /// A dash in front, as options have it.
    #[error("the name begins with a dash")]
    DashFirst,
    /// No letter.
    #[error("the name has no letter")]
    NoLetter,
    /// An id with a letter or two after it, which is most likely a slip of the finger.
    #[error("the name looks like a meeting's id")]
    LikeAnId,
    /// `help`, which asks how a verb is used.
    #[error("the name asks for help")]
    Help,
}

impl PresetName {
    /// The most characters a name has.
    pub const MAX_CHARS: usize = 32;

    /// Takes a text that is a name as it stands.
    pub fn new(text: &str) -> Result<Self, NotAName> {
        let is_part = |c: char| c.is_alphanumeric() || matches!(c, '-' | '_');
        match text {
            "" => Err(NotAName::Empty),
            _ if !text.chars().all(is_part) => Err(NotAName::OtherCharacter),
            _ if text.chars().count() > Self::MAX_CHARS => Err(NotAName::TooLong),
            _ if text.starts_with('-') => Err(NotAName::DashFirst),
            _ if !text.chars().any(char::is_alphabetic) => Err(NotAName::NoLetter),
            _ if MeetingId::mistyped(text).is_some() => Err(NotAName::LikeAnId),
            _ if text.eq_ignore_ascii_case("help") => Err(NotAName::Help),
            _ => Ok(Self(text.to_owned())),
        }
    }

    /// The name as it was typed.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The same for names that differ in nothing but case.
    pub fn key(&self) -> String {
        // There and back, because a letter may have two small forms (`σ`, `ς`) or a capital of two letters (`ß`).
        let small = self.0.chars().flat_map(char::to_lowercase);
        small.flat_map(char::to_uppercase).flat_map(char::to_lowercase).collect()
    }
}

/// A meeting under a name; `M` is how the meeting is told: by its id once all names are looked up.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Preset<M = MeetingId> {
    /// The name.
    pub name: PresetName,
    /// The meeting.
    pub meeting: M,
    /// The title its streams have unless another one is typed.
    pub title: Option<Title>,
}

/// Everything one person has saved, in the order of the names.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Presets(Vec<Preset>);

/// There is no room for one more name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("as many names as there can be are saved already")]
pub struct Full;

impl Presets {
    /// The most names one person has.
    pub const MOST: usize = 50;

    /// What is saved under a name, in whatever case.
    pub fn find(&self, name: &PresetName) -> Option<&Preset> {
        self.position(name).map(|at| &self.0[at])
    }

    /// Saves one, and gives back what it replaces.
    pub fn save(&mut self, preset: Preset) -> Result<Option<Preset>, Full> {
        match self.position(&preset.name) {
            Some(at) => Ok(Some(std::mem::replace(&mut self.0[at], preset))),
            None if self.0.len() >= Self::MOST => Err(Full),
            None => {
                self.0.push(preset);
                self.0.sort_by_cached_key(|preset| preset.name.key());
                Ok(None)
            }
        }
    }

    /// Forgets one, and gives it back.
    pub fn forget(&mut self, name: &PresetName) -> Option<Preset> {
        self.position(name).map(|at| self.0.remove(at))
    }

    /// All of them.
    pub fn all(&self) -> &[Preset] {
        &self.0
    }

    fn position(&self, name: &PresetName) -> Option<usize> {
        let key = name.key();
        self.0.iter().position(|preset| preset.name.key() == key)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn name(text: &str) -> PresetName {
        PresetName::new(text).unwrap()
    }

    fn preset(text: &str, meeting: &str) -> Preset {
        Preset { name: name(text), meeting: meeting.parse().unwrap(), title: None }
    }

    #[test]
    fn a_name_is_letters_digits_dashes_and_underscores_of_any_script() {
        for text in
            ["keynote", "Q3", "q3-review", "a_b", "_x", "5pm", "Été", "общее", "朝会", "a", "1234567a", "helper"]
        {
            assert_eq!(PresetName::new(text).unwrap().as_str(), text);
        }
        assert!(PresetName::new(&"ü".repeat(32)).is_ok());
    }

    #[test]
    fn what_is_no_name_is_told_why() {
        let long = "ü".repeat(33);
        for (text, why) in [
            ("", NotAName::Empty),
            (&long, NotAName::TooLong),
            ("key note", NotAName::OtherCharacter),
            ("key.note", NotAName::OtherCharacter),
            ("Ada's", NotAName::OtherCharacter),
            ("<!channel>", NotAName::OtherCharacter),
            ("-keynote", NotAName::DashFirst),
            ("--", NotAName::DashFirst),
            ("123", NotAName::NoLetter),
            ("684-230-85", NotAName::NoLetter),
            ("684_230_85", NotAName::NoLetter),
            ("٦٨٤٢٣٠٨٥", NotAName::NoLetter),
            ("68423085x", NotAName::LikeAnId),
            ("684-230-85xy", NotAName::LikeAnId),
            ("HELP", NotAName::Help),
        ] {
            assert_eq!(PresetName::new(text), Err(why), "{text:?}");
        }
    }

    #[test]
    fn case_makes_no_difference() {
        for (one, other) in [("keynote", "KeyNote"), ("Straße", "STRASSE"), ("όρος", "ΌΡΟΣ"), ("été", "ÉTÉ")]
        {
            assert_eq!(name(one).key(), name(other).key());
        }
        assert_ne!(name("q3-review").key(), name("q3_review").key());
    }

    #[test]
    fn a_name_is_saved_once_and_shown_as_it_was_saved_last() {
        let mut presets = Presets::default();
        let (first, second) = (preset("Keynote", "68423085"), preset("keynote", "81234567890"));
        assert_eq!(presets.save(first.clone()), Ok(None));
        assert_eq!(presets.save(preset("all-hands", "123456789")), Ok(None));
        assert_eq!(presets.save(second.clone()), Ok(Some(first)));
        let names: Vec<&str> = presets.all().iter().map(|preset| preset.name.as_str()).collect();
        assert_eq!(names, ["all-hands", "keynote"]);
        assert_eq!(presets.find(&name("KEYNOTE")), Some(&second));
        assert_eq!(presets.forget(&name("KEYNOTE")), Some(second));
        assert_eq!(presets.forget(&name("KEYNOTE")), None);
    }

    #[test]
    fn one_more_than_the_most_is_refused_and_one_that_is_there_replaced() {
        let mut presets = Presets::default();
        for number in 0..Presets::MOST {
            assert_eq!(presets.save(preset(&format!("talk{number}"), "68423085")), Ok(None));
        }
        assert_eq!(presets.save(preset("more", "68423085")), Err(Full));
        assert!(presets.save(preset("TALK7", "81234567890")).unwrap().is_some());
    }
}
