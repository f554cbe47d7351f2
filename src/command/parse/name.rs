//! The name in `save` and `forget`, and words that could be a saved name or something else.

use super::{Draft, begins_meeting};
use crate::command::scan::{self, Word, is_dash};
use crate::command::{NotAMeeting, Problem, Target, Verb, link};
use crate::preset::{NotAName, PresetName};

impl Draft<'_> {
    pub(super) fn takes_name(&self) -> bool {
        matches!(self.verb, Verb::Save | Verb::Forget)
    }

    /// The first word is the name; where a meeting came first, it is the next one that is no title.
    pub(super) fn wants_name(&self, word: &Word) -> bool {
        let is_its_place = match &self.problem {
            None => true,
            Some(Problem::MissingName { .. }) => matches!(word, Word::Bare(_)),
            Some(_) => false,
        };
        self.takes_name() && self.name.is_none() && is_its_place
    }

    /// Reads the name to save or to forget.
    pub(super) fn name(&mut self, word: &Word) {
        let text = name_text(word.text());
        let why = match PresetName::new(&text) {
            Ok(name) => return self.name = Some(name),
            Err(NotAName::Empty) => return self.note(Problem::MissingName { verb: self.verb }),
            Err(_) if self.verb == Verb::Save && begins_meeting(word) => {
                // `save 68423085 keynote`
                self.note(Problem::MissingName { verb: self.verb });
                return self.place(word);
            }
            Err(why) => why,
        };
        let word = link::shown(&text);
        self.name = likely_name(&word);
        self.note(Problem::NotAName { word, why });
    }

    /// Whether digits or a link follow what was read as a saved name, which then was something else.
    pub(super) fn is_followed_by_meeting(&self, word: &Word) -> bool {
        matches!(self.found, Some(Target::Saved(_)))
            && self.said.is_empty()
            && self.problem.is_none()
            && begins_meeting(word)
    }

    /// Reads the meeting from this word, not from the saved name that came before it.
    pub(super) fn place_instead(&mut self, word: &Word) {
        let (former, rest) = (self.found.take(), self.rest);
        self.place(word);
        match (self.found.is_some(), former) {
            (true, Some(Target::Saved(name))) => {
                let word = name.as_str().to_owned();
                match self.name.as_ref().map(|first| PresetName::new(&format!("{}-{word}", first.as_str()))) {
                    // `save my keynote 68423085`
                    Some(Ok(joined)) => self.name = Some(joined),
                    Some(Err(_)) | None => self.said.insert(0, word.clone()),
                }
                self.problem = Some(Problem::NotAMeeting { word, why: NotAMeeting::Word });
            }
            (_, former) => {
                (self.found, self.rest, self.problem) = (former, rest, None);
                self.groups.clear();
                self.note(Problem::Trailing { word: link::shown(word.text()) });
                self.keep(word.text());
            }
        }
    }
}

/// A word as a name is compared: with one kind of width and of dash, and nothing that cannot be seen.
pub(super) fn name_text(text: &str) -> String {
    let same = |c| if is_dash(c) { '-' } else { scan::narrow(c) };
    text.trim().chars().filter(|&c| !scan::is_joiner(c)).map(same).collect()
}

/// The name that a text comes to with dashes for whatever no name has in it.
fn likely_name(text: &str) -> Option<PresetName> {
    let parts = text.split(|c: char| !c.is_alphanumeric() && c != '_').filter(|part| !part.is_empty());
    let joined = parts.collect::<Vec<_>>().join("-");
    let cut: String = joined.chars().take(PresetName::MAX_CHARS).collect();
    PresetName::new(cut.trim_end_matches('-')).ok()
}

/// The name of the examples.
pub(super) fn example_name() -> Option<PresetName> {
    PresetName::new("keynote").ok()
}
