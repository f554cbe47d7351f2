//! The fields of a start that Zoom may refuse: what it allows in each, and a start that should pass.

use super::text::{clip, code, list};
use crate::command::{CAPTIONS_WORDS, LAYOUT_WORDS, SPEAKER_NAME_WORDS};
use crate::meeting::{Settings, Title};
use crate::outcome::FieldError;

/// How many fields are told: more than a start can have.
pub(super) const MOST_FIELDS: usize = 5;

/// What Zoom allows in a field, or its own words where it is none of ours.
pub(super) fn rule(error: &FieldError) -> String {
    match field(&error.field) {
        Field::Title => format!(
            "The title: Zoom takes 1 to {} characters; plain letters, digits and simple punctuation are safest.",
            Title::MAX_CHARS
        ),
        Field::SpeakerName => format!("`--speaker-name`: Zoom takes {}.", choices(SPEAKER_NAME_WORDS)),
        Field::Layout => format!("`--layout`: Zoom takes {}.", choices(LAYOUT_WORDS)),
        Field::Captions => format!("`--captions`: Zoom takes {}.", choices(CAPTIONS_WORDS)),
        Field::Other => told(error),
    }
}

/// Zoom's own words about a field.
pub(super) fn told(error: &FieldError) -> String {
    format!("{}: Zoom says {}", code(&clip(&error.field, 80)), code(&error.message))
}

/// What was asked without what Zoom did not accept, and without anything where it named nothing; `None` if that is
/// what was asked.
pub(super) fn mended(asked: &Settings, fields: &[FieldError]) -> Option<Settings> {
    let mut mended = if fields.is_empty() { Settings::default() } else { asked.clone() };
    for error in fields.iter().take(MOST_FIELDS) {
        mend(&mut mended, &error.field);
    }
    (mended != *asked).then_some(mended)
}

/// The options without what Zoom did not accept. A title is tried in plainer letters before it is given up.
fn mend(settings: &mut Settings, name: &str) {
    match field(name) {
        Field::Title => {
            let plainer = settings.title.as_ref().and_then(plainer);
            settings.title = plainer.filter(|title| Some(title) != settings.title.as_ref());
        }
        Field::SpeakerName => settings.speaker_name = None,
        Field::Layout => settings.layout = None,
        Field::Captions => settings.captions = None,
        Field::Other => *settings = Settings::default(),
    }
}

/// Keeps what Zoom has been seen to take: its `display_name` is fussier than its documented length.
fn plainer(title: &Title) -> Option<Title> {
    let safe = |c: char| c.is_ascii_alphanumeric() || " -_.,:'()&".contains(c);
    let kept: String = title.as_str().chars().map(|c| if safe(c) { c } else { ' ' }).collect();
    kept.contains(|c: char| c.is_ascii_alphanumeric()).then(|| Title::new(&kept).ok()).flatten()
}

enum Field {
    Title,
    SpeakerName,
    Layout,
    Captions,
    Other,
}

fn field(name: &str) -> Field {
    match name.rsplit('.').next().unwrap_or(name) {
        "display_name" => Field::Title,
        "active_speaker_name" => Field::SpeakerName,
        "layout" => Field::Layout,
        "close_caption" => Field::Captions,
        _ => Field::Other,
    }
}

fn choices(words: &[&str]) -> String {
    let words: Vec<String> = words.iter().map(|word| code(word)).collect();
    list(&words, "or")
}
