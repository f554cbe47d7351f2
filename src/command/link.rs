//! Links people paste for a meeting, and how much of one may be shown.
//!
//! A link's query lets its bearer into the meeting (`pwd`, `tk`) or lets them be its host (`zak`), so nothing but the
//! id leaves this module, and [`shown`] is the only way to echo a word.

use url::Url;

use super::{NotAMeeting, guard};
use crate::meeting::MeetingId;

/// The most characters of a word that an error repeats.
const SHOWN_CHARS: usize = 60;

/// The meeting a link leads to; `None` if the word is no link.
pub(super) fn read(word: &str) -> Option<Result<MeetingId, NotAMeeting>> {
    Some(address(word)?.and_then(|url| meeting_of(&url)))
}

/// Whether a word is a link of Zoom's own, or one that a calendar made of it.
pub(super) fn leads_to_zoom(word: &str) -> bool {
    matches!(address(word), Some(Ok(url)) if is_zoom(&url))
}

/// Whether a word is an address on the web, or in Zoom's application.
pub(super) fn is_web(word: &str) -> bool {
    let known = |url: &Url| matches!(url.scheme(), "http" | "https" | "zoommtg" | "zoomus");
    matches!(address(word), Some(Ok(url)) if known(&url))
}

/// A word as an error may repeat it: of a link only the host and a readable path, and never much.
pub(super) fn shown(word: &str) -> String {
    let text = without_credentials(word);
    let text = if text.contains("://") || lacks_scheme(text) { place_of(text) } else { text.to_owned() };
    // The guard lets long links pass; this word may be one with something around it.
    let text = if guard::is_opaque(&text) { String::new() } else { text };
    match text.char_indices().nth(SHOWN_CHARS) {
        Some(_) => text.chars().take(SHOWN_CHARS - 1).chain(['…']).collect(),
        None if text.is_empty() => "…".to_owned(),
        None => text,
    }
}

/// A link without who asks, without its query, and without a path that could be a key.
fn place_of(link: &str) -> String {
    let lower = link.to_ascii_lowercase();
    let end = ["?", "#", "%3f"].iter().filter_map(|mark| lower.find(mark)).min().unwrap_or(link.len());
    let link = &link[..end];
    let (scheme, rest) = link.split_at(link.find("://").map_or(0, |at| at + "://".len()));
    let (authority, path) = rest.split_at(rest.find('/').unwrap_or(rest.len()));
    let host = authority.rsplit('@').next().unwrap_or_default();
    let is_readable = |part: &&str| !guard::is_opaque(part);
    format!(
        "{scheme}{}{}",
        Some(host).filter(is_readable).unwrap_or("…"),
        Some(path).filter(is_readable).unwrap_or("/")
    )
}

/// A title's text, in which links to Zoom have lost their query: what is on air is read by everybody.
pub(super) fn without_queries(text: &str) -> String {
    let cut = |word| {
        let word = without_credentials(word);
        let end = word.find(['?', '#']).filter(|_| leads_to_zoom(word));
        end.map_or(word, |end| &word[..end])
    };
    text.split_whitespace().map(cut).filter(|word| !word.is_empty()).collect::<Vec<_>>().join(" ")
}

/// A word up to the first parameter that opens a meeting.
pub(super) fn without_credentials(word: &str) -> &str {
    let lower = word.to_ascii_lowercase();
    let names = ["pwd=", "tk=", "zak=", "pwd%3d", "tk%3d", "zak%3d"];
    let found = names.iter().flat_map(|name| lower.match_indices(name)).map(|(at, _)| at);
    let begins = |at: &usize| {
        let before = &lower[..*at];
        before.is_empty() || ["?", "&", "#", "%3f", "%26"].iter().any(|mark| before.ends_with(mark))
    };
    let Some(at) = found.filter(begins).min() else {
        return word;
    };
    let start = ["?", "%3f"].iter().filter_map(|mark| lower[..at].find(mark)).min().unwrap_or(at);
    word[..start].trim_end_matches(['&', '#'])
}

/// The address behind a word and, one step deep, behind a calendar's redirect.
fn address(word: &str) -> Option<Result<Url, NotAMeeting>> {
    let url = match direct(word)? {
        Ok(url) => url,
        Err(why) => return Some(Err(why)),
    };
    let is_redirect = matches!(url.host_str(), Some("google.com" | "www.google.com")) && url.path() == "/url";
    let target = url.query_pairs().find(|(name, _)| is_redirect && matches!(&**name, "q" | "url"));
    match target.and_then(|(_, target)| direct(&target)) {
        Some(inner) => Some(inner),
        None => Some(Ok(url)),
    }
}

fn direct(word: &str) -> Option<Result<Url, NotAMeeting>> {
    // What follows a link in a sentence is not a part of it.
    let word = word.trim_end_matches(['.', ',', ';', ')', '>', '!']);
    let url = if word.contains("://") {
        Url::parse(word)
    } else if lacks_scheme(word) {
        Url::parse(&format!("https://{word}"))
    } else {
        return None;
    };
    Some(url.map_err(|_| NotAMeeting::OtherSite))
}

/// `zoom.us/j/…`, as browsers show an address.
fn lacks_scheme(word: &str) -> bool {
    let authority = word.split(['/', '?', '#']).next().unwrap_or_default();
    let host = authority.rsplit('@').next().unwrap_or_default();
    let host = host.split(':').next().unwrap_or_default();
    let top = host.rsplit_once('.').map_or("", |(_, top)| top);
    let is_name = top.len() >= 2 && top.bytes().all(|b| b.is_ascii_alphabetic());
    let is_host = host.chars().all(|c| c.is_alphanumeric() || c == '.' || c == '-');
    is_name && is_host && (authority.len() < word.len() || is_zoom_host(host))
}

fn meeting_of(url: &Url) -> Result<MeetingId, NotAMeeting> {
    if !is_zoom(url) {
        return Err(NotAMeeting::OtherSite);
    }
    let path = url.path().to_ascii_lowercase();
    let parts: Vec<&str> = path.split('/').filter(|part| !part.is_empty()).collect();
    match parts.as_slice() {
        ["wc", "join" | "start", id, ..] | ["j" | "w" | "s" | "wc", id, ..] => meeting_in(id),
        ["my", ..] => Err(NotAMeeting::PersonalLink),
        _ => match url.query_pairs().find(|(name, _)| name == "confno") {
            Some((_, id)) => meeting_in(&id),
            None => Err(NotAMeeting::LinkWithoutId),
        },
    }
}

fn meeting_in(id: &str) -> Result<MeetingId, NotAMeeting> {
    let is_number = !id.is_empty() && id.bytes().all(|b| b.is_ascii_digit());
    let why = if is_number { NotAMeeting::Digits } else { NotAMeeting::LinkWithoutId };
    id.parse().map_err(|_| why)
}

fn is_zoom(url: &Url) -> bool {
    let is_scheme = matches!(url.scheme(), "http" | "https" | "zoommtg" | "zoomus");
    // Zoom's links have neither; somebody else's have them to look like Zoom's.
    let is_plain = url.port().is_none() && url.username().is_empty() && url.password().is_none();
    is_scheme && is_plain && url.host_str().is_some_and(is_zoom_host)
}

fn is_zoom_host(host: &str) -> bool {
    let host = host.to_ascii_lowercase();
    ["zoom.us", "zoomgov.com"].iter().any(|site| match host.strip_suffix(site) {
        Some(before) => before.is_empty() || before.ends_with('.'),
        None => false,
    })
}
