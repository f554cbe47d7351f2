//! Values with rules: a meeting's id as people write it, a title as Zoom takes it, and what a start may ask for.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// A Zoom meeting or webinar number: 8 to 12 digits, always 64-bit (eleven digits do not fit in 32).
///
/// Zoom writes ids of 9, 10 and 11 digits today; its own documentation shows ids of 8.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct MeetingId(u64);

/// The digits are not a meeting's id: fewer than 8 or more than 12 of them, or something else between them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a meeting id has 8 to 12 digits")]
pub struct NotAMeetingId;

impl MeetingId {
    /// Stands in help and in suggestions where nothing better is known.
    pub const EXAMPLE: Self = Self(68_423_085);

    /// The number itself, as Zoom's API has it in its paths.
    pub fn number(self) -> u64 {
        self.0
    }

    /// The id in a word with other marks around or within, or with a slip of the finger after it: `(684.230.85)`,
    /// `68423085x`.
    pub fn mistyped(word: &str) -> Option<Self> {
        /// More letters are no slip.
        const MOST_LETTERS: usize = 2;
        let end = word.find(char::is_alphabetic).unwrap_or(word.len());
        let (head, tail) = word.split_at(end);
        let digits: String = head.chars().filter(char::is_ascii_digit).collect();
        digits.parse().ok().filter(|_| tail.chars().count() <= MOST_LETTERS && tail.chars().all(char::is_alphabetic))
    }
}

impl FromStr for MeetingId {
    type Err = NotAMeetingId;

    /// Reads bare digits; separators are the command parser's business.
    fn from_str(digits: &str) -> Result<Self, NotAMeetingId> {
        let plain = (8..=12).contains(&digits.len()) && digits.bytes().all(|byte| byte.is_ascii_digit());
        let number = digits.parse().map_err(|_| NotAMeetingId)?;
        // A leading zero would be lost in the number and name another meeting.
        if plain && !digits.starts_with('0') { Ok(Self(number)) } else { Err(NotAMeetingId) }
    }
}

impl fmt::Display for MeetingId {
    /// As Zoom's own client groups it: `684 230 85`, `555 123 4567`, `812 3456 7890`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let digits = self.0.to_string();
        let groups: &[usize] = match digits.len() {
            10 => &[3, 3, 4],
            11 => &[3, 4, 4],
            12 => &[4, 4, 4],
            _ => &[3, 3, 3],
        };
        let mut rest = digits.as_str();
        for (index, &size) in groups.iter().enumerate() {
            let (group, tail) = rest.split_at(size.min(rest.len()));
            let gap = if index == 0 { "" } else { " " };
            write!(f, "{gap}{group}")?;
            rest = tail;
        }
        Ok(())
    }
}

/// The name shown with the live stream, Zoom's `display_name`: 1 to 50 characters on one line.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Title(String);

/// Why a text cannot be a title.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NotATitle {
    /// Nothing but white space.
    #[error("the title is empty")]
    Empty,
    /// More than [`Title::MAX_CHARS`].
    #[error("the title has {chars} characters")]
    TooLong {
        /// How many it has.
        chars: usize,
    },
}

impl Title {
    /// The most characters Zoom takes.
    pub const MAX_CHARS: usize = 50;

    /// Trims, folds white space and control characters into single spaces, and counts.
    pub fn new(text: &str) -> Result<Self, NotATitle> {
        let folded = fold(text);
        match folded.chars().count() {
            0 => Err(NotATitle::Empty),
            chars if chars > Self::MAX_CHARS => Err(NotATitle::TooLong { chars }),
            _ => Ok(Self(folded)),
        }
    }

    /// The longest title that the beginning of a text makes, cut at a word where there is one.
    pub fn shortened(text: &str) -> Option<Self> {
        let folded = fold(text);
        let head: String = folded.chars().take(Self::MAX_CHARS).collect();
        let cut = match head.rfind(' ') {
            Some(space) if folded.len() > head.len() && space >= Self::MAX_CHARS / 2 => &head[..space],
            _ => head.trim_end(),
        };
        Self::new(cut).ok()
    }

    /// The text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

fn fold(text: &str) -> String {
    let spaced: String = text.chars().map(|c| if c.is_control() { ' ' } else { c }).collect();
    spaced.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// Whether the speaker's name is shown in the picture (`active_speaker_name`).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SpeakerName {
    /// Shown.
    On,
    /// Hidden.
    Off,
}

/// How the stream's picture is laid out (`layout`); meetings only.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Layout {
    /// As the host sees it.
    FollowHost,
    /// Everybody in a grid.
    GalleryView,
    /// Whoever speaks.
    SpeakerView,
}

/// What becomes of captions (`close_caption`).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Captions {
    /// Part of the picture.
    BurntIn,
    /// A track of their own.
    Embedded,
    /// None.
    Off,
}

/// What a start asks of the picture; what is `None` was not asked for and is not sent.
///
/// [The status call](https://developers.zoom.us/docs/api/meetings/#tag/meetings/patch/meetings/{meetingId}/livestream/status)
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Settings {
    /// The stream's name.
    pub title: Option<Title>,
    /// The speaker's name in the picture.
    pub speaker_name: Option<SpeakerName>,
    /// The layout; webinars have none.
    pub layout: Option<Layout>,
    /// Captions.
    pub captions: Option<Captions>,
}

impl Settings {
    /// Whether nothing was asked for.
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_are_grouped_as_zoom_groups_them() {
        for (digits, shown) in [
            ("68423085", "684 230 85"),
            ("123456789", "123 456 789"),
            ("5551234567", "555 123 4567"),
            ("81234567890", "812 3456 7890"),
            ("812345678901", "8123 4567 8901"),
        ] {
            assert_eq!(digits.parse::<MeetingId>().unwrap().to_string(), shown);
        }
    }

    #[test]
    fn ids_outside_eight_to_twelve_digits_are_none() {
        for digits in ["", "1234567", "1234567890123", "6842308x", "٦٨٤٢٣٠٨٥", "+68423085", "068423085"] {
            assert_eq!(digits.parse::<MeetingId>(), Err(NotAMeetingId), "{digits:?}");
        }
    }

    #[test]
    fn a_title_has_one_to_fifty_characters_not_bytes() {
        assert_eq!(Title::new(" \u{a0} "), Err(NotATitle::Empty));
        assert!(Title::new(&"ü".repeat(50)).is_ok());
        assert_eq!(Title::new(&"ü".repeat(51)), Err(NotATitle::TooLong { chars: 51 }));
        assert_eq!(Title::new("  a\n\tb ").unwrap().as_str(), "a b");
    }

    #[test]
    fn a_long_title_is_cut_at_a_word() {
        let long = "The quarterly all hands of everybody in the company, with guests";
        let cut = Title::shortened(long).unwrap();
        assert_eq!(cut.as_str(), "The quarterly all hands of everybody in the");
        assert_eq!(Title::shortened(&"x".repeat(80)).unwrap().as_str(), "x".repeat(50));
        assert_eq!(Title::shortened("short").unwrap().as_str(), "short");
    }
}
