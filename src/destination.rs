//! Where a meeting's stream goes: what people set, what may be shown of it, and what is wrong with what they typed.
//!
//! The key goes one way, from a person to Zoom. It is in no value that is shown, and whether there is one is all that is
//! known of Zoom's.

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};
use url::Url;

use crate::grant::Pending;
use crate::invocation::Invocation;
use crate::meeting::MeetingId;
use crate::secret::Secret;

/// Where a stream goes, as [`Destination::read`] found it fit for Zoom.
///
/// [Update a livestream](https://developers.zoom.us/docs/api/meetings/#tag/meetings/patch/meetings/{meetingId}/livestream)
#[derive(Debug)]
pub struct Destination {
    /// The RTMP address. Some services put what works like a key into it.
    pub stream_url: Secret,
    /// What lets Zoom in there.
    pub stream_key: Secret,
    /// Where people watch.
    pub page_url: String,
    /// What the picture was sent in before. Zoom wants it said where the host may send 1080p.
    pub resolution: Option<Resolution>,
}

/// How large the picture is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Resolution {
    /// 1280 × 720
    #[serde(rename = "720p")]
    Hd,
    /// 1920 × 1080
    #[serde(rename = "1080p")]
    FullHd,
}

impl Resolution {
    /// Zoom's word for it.
    pub fn word(self) -> &'static str {
        match self {
            Self::Hd => "720p",
            Self::FullHd => "1080p",
        }
    }

    /// Reads Zoom's word.
    pub fn from_word(word: &str) -> Option<Self> {
        [Self::Hd, Self::FullHd].into_iter().find(|resolution| resolution.word() == word)
    }
}

/// What is set at Zoom, as far as it may be shown. Empty texts where nothing is.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Present {
    /// The RTMP address.
    pub stream_url: Secret,
    /// Whether there is a key.
    pub has_key: bool,
    /// Where people watch.
    pub page_url: String,
    /// How large the picture is, if Zoom says so.
    pub resolution: Option<Resolution>,
}

/// What a person typed into the page.
#[derive(Debug, Default)]
pub struct Typed {
    /// See [`Destination::stream_url`]; also what was typed there by mistake.
    pub stream_url: Secret,
    /// See [`Destination::stream_key`].
    pub stream_key: Secret,
    /// See [`Destination::page_url`]; also what was typed there by mistake.
    pub page_url: Secret,
    /// Carried over from what was shown, not typed.
    pub resolution: Option<Resolution>,
}

impl Typed {
    /// What may be shown again of it: addresses. What is none may be the key, in the wrong field.
    pub fn shown_again(&self) -> Present {
        let shown = |text: &Secret| address(text.expose().trim()).map(|_| text.clone()).unwrap_or_default();
        Present {
            stream_url: shown(&self.stream_url),
            has_key: false,
            page_url: shown(&self.page_url).expose().to_owned(),
            resolution: self.resolution,
        }
    }
}

/// What can be typed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Field {
    /// Where the stream goes.
    StreamUrl,
    /// What lets it in.
    StreamKey,
    /// Where people watch.
    PageUrl,
}

impl Field {
    /// Its name in the form, which is Zoom's.
    pub fn name(self) -> &'static str {
        match self {
            Self::StreamUrl => "stream_url",
            Self::StreamKey => "stream_key",
            Self::PageUrl => "page_url",
        }
    }

    /// The field with this name.
    pub fn named(name: &str) -> Option<Self> {
        [Self::StreamUrl, Self::StreamKey, Self::PageUrl].into_iter().find(|field| field.name() == name)
    }

    /// The most characters that Zoom takes.
    pub fn most(self) -> usize {
        match self {
            Self::StreamUrl | Self::PageUrl => 1024,
            Self::StreamKey => 512,
        }
    }
}

/// What is wrong with a field.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Fault {
    /// Which one.
    pub field: Field,
    /// What it is.
    pub why: Why,
}

/// What is wrong with what was typed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Why {
    /// Nothing was.
    Missing,
    /// It is longer than [`Field::most`].
    TooLong,
    /// It is no address with a host.
    NotAnAddress,
    /// It is an address, but not of `rtmp` or `rtmps`.
    NotRtmp,
    /// It is an address, but not of `https`.
    NotHttps,
    /// It is an address where a key should be.
    NotAKey,
    /// There is white space within.
    Spaces,
}

impl Destination {
    /// Checks every field, so that all that is wrong is told at once.
    ///
    /// # Errors
    ///
    /// What is wrong, in the order of the page.
    pub fn read(typed: &Typed) -> Result<Self, Vec<Fault>> {
        let [stream_url, stream_key, page_url] =
            [&typed.stream_url, &typed.stream_key, &typed.page_url].map(|text| text.expose().trim());
        let found = [
            (Field::StreamUrl, what_is_wrong(Field::StreamUrl, stream_url)),
            (Field::StreamKey, what_is_wrong(Field::StreamKey, stream_key)),
            (Field::PageUrl, what_is_wrong(Field::PageUrl, page_url)),
        ];
        let faults: Vec<Fault> =
            found.into_iter().filter_map(|(field, why)| Some(Fault { field, why: why? })).collect();
        if !faults.is_empty() {
            return Err(faults);
        }
        Ok(Self {
            stream_url: Secret::new(stream_url),
            stream_key: Secret::new(stream_key),
            page_url: page_url.to_owned(),
            resolution: typed.resolution,
        })
    }
}

fn what_is_wrong(field: Field, text: &str) -> Option<Why> {
    if text.is_empty() {
        return Some(Why::Missing);
    }
    if text.chars().count() > field.most() {
        return Some(Why::TooLong);
    }
    // Before anything else is said about an address: the URL standard drops line breaks, and Zoom may not.
    if text.contains(|c: char| c.is_whitespace() || c.is_control()) {
        return Some(Why::Spaces);
    }
    match field {
        Field::StreamUrl => wrong_address(text, &["rtmp", "rtmps"], Why::NotRtmp),
        Field::StreamKey => text.contains("://").then_some(Why::NotAKey),
        Field::PageUrl => wrong_address(text, &["https"], Why::NotHttps),
    }
}

fn wrong_address(text: &str, schemes: &[&str], otherwise: Why) -> Option<Why> {
    match address(text) {
        None => Some(Why::NotAnAddress),
        Some(url) if !schemes.contains(&url.scheme()) => Some(otherwise),
        Some(_) => None,
    }
}

/// The slashes too: the URL standard forgives their absence for https, and Zoom may not.
fn address(text: &str) -> Option<Url> {
    let url = Url::parse(text).ok().filter(|_| text.contains("://"))?;
    url.host_str().is_some_and(|host| !host.is_empty()).then_some(url)
}

/// A page that somebody was offered, to see and set where a meeting's stream goes: what its state stands for.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Invitation {
    /// Of which meeting.
    pub meeting: MeetingId,
    /// The command that asked for it, and with it who did, and where.
    pub invocation: Invocation,
    /// When it was offered.
    pub offered_at: Timestamp,
    /// What the one browser has to show in which the page was opened; none was yet.
    pub browser: Option<Secret>,
}

impl Invitation {
    /// How long it stands.
    pub const LIFE: SignedDuration = Pending::LIFE;

    /// Whether it is too old.
    pub fn is_over(&self, now: Timestamp) -> bool {
        now.duration_since(self.offered_at) > Self::LIFE
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const URL: &str = "rtmps://live.example.com:443/app";
    const PAGE: &str = "https://live.example.com/watch";

    fn read(stream_url: &str, stream_key: &str, page_url: &str) -> Result<Destination, Vec<(Field, Why)>> {
        let [stream_url, stream_key, page_url] = [stream_url, stream_key, page_url].map(Secret::new);
        let typed = Typed { stream_url, stream_key, page_url, resolution: None };
        Destination::read(&typed).map_err(|faults| faults.iter().map(|fault| (fault.field, fault.why)).collect())
    }

    fn check(field: Field, text: &str, expected: Option<Why>) {
        let result = match field {
            Field::StreamUrl => read(text, "key", PAGE),
            Field::StreamKey => read(URL, text, PAGE),
            Field::PageUrl => read(URL, "key", text),
        };
        assert_eq!(result.err(), expected.map(|why| vec![(field, why)]), "{field:?} {text:?}");
    }

    #[test]
    fn a_stream_url_is_an_address_of_rtmp() {
        for good in [URL, "rtmp://10.0.0.1/live", "RTMP://live.example.com", "rtmp://[2001:db8::1]:1935/x?a=b"] {
            check(Field::StreamUrl, good, None);
        }
        for (bad, why) in [
            ("", Why::Missing),
            (" \u{a0}\n", Why::Missing),
            ("live.example.com/app", Why::NotAnAddress),
            ("rtmp:live.example.com", Why::NotAnAddress),
            ("rtmp:///app", Why::NotAnAddress),
            ("canary-key", Why::NotAnAddress),
            ("https://live.example.com/app", Why::NotRtmp),
            ("rtmpt://live.example.com/app", Why::NotRtmp),
            ("srt://live.example.com:9000", Why::NotRtmp),
            ("rtmp://live.example.com/a b", Why::Spaces),
            ("rtmp://live.example\n.com/a", Why::Spaces),
        ] {
            check(Field::StreamUrl, bad, Some(why));
        }
    }

    #[test]
    fn a_key_is_anything_on_one_line_that_is_no_address() {
        for good in ["k", "live_1234_AbCd", "key?user=a&pass=b", "sk_us-west-2_x/y+z=", "ключ"] {
            check(Field::StreamKey, good, None);
        }
        for (bad, why) in [
            ("", Why::Missing),
            ("my key", Why::Spaces),
            ("a\0b", Why::Spaces),
            ("rtmp://live.example.com/app/key", Why::NotAKey),
        ] {
            check(Field::StreamKey, bad, Some(why));
        }
    }

    #[test]
    fn a_page_url_is_an_address_of_https() {
        for good in [PAGE, "https://live.example.com", "HTTPS://live.example.com/?a=b#c"] {
            check(Field::PageUrl, good, None);
        }
        for (bad, why) in [
            ("", Why::Missing),
            ("live.example.com", Why::NotAnAddress),
            ("https:live.example.com", Why::NotAnAddress),
            ("https://", Why::NotAnAddress),
            ("file:///etc", Why::NotAnAddress),
            ("http://live.example.com", Why::NotHttps),
            ("javascript://live.example.com/%0aalert(1)", Why::NotHttps),
            ("https://live.example.com/ x", Why::Spaces),
        ] {
            check(Field::PageUrl, bad, Some(why));
        }
    }

    #[test]
    fn lengths_are_those_that_zoom_documents() {
        for (field, start) in [(Field::StreamUrl, "rtmp://a/"), (Field::StreamKey, ""), (Field::PageUrl, "https://a/")]
        {
            let most = format!("{start}{}", "é".repeat(field.most() - start.len()));
            check(field, &most, None);
            check(field, &format!("{most}x"), Some(Why::TooLong));
        }
    }

    #[test]
    fn everything_wrong_is_told_at_once_and_what_surrounds_a_paste_is_dropped() {
        let faults = read("", "", "").unwrap_err();
        let missing = [Field::StreamUrl, Field::StreamKey, Field::PageUrl].map(|field| (field, Why::Missing));
        assert_eq!(faults, missing);
        let pasted = read(&format!(" {URL}\n"), "\tkey ", &format!("{PAGE}\r\n")).unwrap();
        assert_eq!((pasted.stream_url.expose(), pasted.stream_key.expose()), (URL, "key"));
        assert_eq!(pasted.page_url, PAGE);
    }

    #[test]
    fn what_may_be_the_key_is_not_shown_again() {
        let shown = |stream_url: &str, page_url: &str| {
            let [stream_url, page_url] = [stream_url, page_url].map(Secret::new);
            let typed = Typed { stream_url, stream_key: Secret::new("canary-key"), page_url, resolution: None };
            assert!(!format!("{typed:?}").contains("canary"), "{typed:?}");
            let present = typed.shown_again();
            (present.stream_url.expose().to_owned(), present.page_url)
        };
        assert_eq!(shown("canary-key", "canary key"), (String::new(), String::new()));
        let wrong = ("https://live.example.com/a b", "http://live.example.com");
        assert_eq!(shown(wrong.0, wrong.1), (wrong.0.to_owned(), wrong.1.to_owned()));
    }

    #[test]
    fn debug_shows_neither_key_nor_stream_url() {
        let shown = format!("{:?}", read("rtmp://a/canary-url", "canary-key", PAGE).unwrap());
        assert!(!shown.contains("canary"), "{shown}");
    }
}
