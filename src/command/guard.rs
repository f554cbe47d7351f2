//! Whether a text carries what lets anybody broadcast: an ingest address or a stream key.
//!
//! Judged before anything else looks at the text. It errs toward refusing: whoever has typed a key must renew it, and
//! whoever has not loses a minute.

use super::link;
use super::scan::{is_dash, is_double, is_invisible, is_joiner, is_single, narrow};

/// Looks at the text as it came: what hides behind a label or between invisible marks counts.
pub(super) fn is_secret_within(raw: &str) -> bool {
    let bared = bared(raw);
    names_ingest(&bared) || runs(&bared).any(is_vendor_key)
}

/// Looks at the text without Slack's escapes, where a word can be told from a link.
pub(super) fn is_secret_plain(plain: &str) -> bool {
    let bared = bared(plain);
    // Links are long and mixed by nature; their queries go no further than the parser.
    let is_long_key = |token: &str| !link::is_web(token) && is_opaque(link::without_credentials(token));
    is_secret_within(&bared) || bared.split(is_border).any(|token| names_key(token) || is_long_key(token))
}

/// Whether a word has a piece that only a machine can have made up: long, of letters and digits in no order.
pub(super) fn is_opaque(token: &str) -> bool {
    runs(token).any(is_opaque_run)
}

fn bared(text: &str) -> String {
    let seen = text.chars().filter(|&c| !is_invisible(c) && !is_joiner(c));
    seen.map(|c| if is_dash(c) { '-' } else { narrow(c) }).collect()
}

/// `rtmp://` and its relatives.
fn names_ingest(text: &str) -> bool {
    let lower = text.to_ascii_lowercase();
    let marks = ["://", ":\\\\", "%3a%2f%2f"];
    let mut found = marks.iter().flat_map(|mark| lower.match_indices(mark));
    found.any(|(at, _)| ["rtmp", "rtmps", "rtmpe", "rtmpt", "rtmpts"].iter().any(|name| lower[..at].ends_with(name)))
}

/// `?key=…`, `streamKey=…`, `stream_key=…`.
fn names_key(token: &str) -> bool {
    let lower = token.to_ascii_lowercase();
    lower.split(['?', '&', '#', '/']).enumerate().any(|(place, pair)| match pair.split_once('=') {
        Some((name, value)) if !value.is_empty() => match name.replace(['-', '_'], "").as_str() {
            // On its own, `key=value` is what programmers talk about.
            "key" => place > 0,
            "streamkey" | "streamname" => true,
            _ => false,
        },
        _ => false,
    })
}

/// The forms in which YouTube, Twitch and Facebook give their keys out.
fn is_vendor_key(run: &str) -> bool {
    is_youtube_key(run.trim_matches('-')) || is_twitch_key(run) || is_facebook_key(run)
}

fn is_youtube_key(run: &str) -> bool {
    let is_group =
        |group: &str| group.len() == 4 && group.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit());
    let groups = run.split('-').count();
    (4..=5).contains(&groups) && run.split('-').all(is_group) && run.bytes().any(|b| b.is_ascii_lowercase())
}

fn is_twitch_key(run: &str) -> bool {
    let lower = run.to_ascii_lowercase();
    lower.match_indices("live_").any(|(at, mark)| {
        let number_and_rest = lower[at + mark.len()..].split_once('_');
        number_and_rest.is_some_and(|(number, rest)| is_number(number) && rest.starts_with(char::is_alphanumeric))
    })
}

fn is_facebook_key(run: &str) -> bool {
    /// `FB-2026-kickoff` is a title.
    const SHORTEST_NUMBER: usize = 5;
    let mut parts = run.trim_start_matches('-').split('-');
    let is_marked = parts.next().is_some_and(|mark| mark.eq_ignore_ascii_case("fb"));
    let number = parts.next().unwrap_or_default();
    is_marked && is_number(number) && number.len() >= SHORTEST_NUMBER && parts.next().is_some()
}

fn is_opaque_run(run: &str) -> bool {
    const LONG: usize = 20;
    /// So many characters in pieces like `a1b2` are no name of anything, however they are joined.
    const SCATTERED: usize = 12;
    if run.len() < LONG {
        return false;
    }
    let parts = || run.split(['-', '_']);
    let scattered: usize = parts().filter(|part| changes(part) >= 2).map(str::len).sum();
    scattered >= SCATTERED || parts().any(|part| part.len() >= LONG && changes(part) >= 1 && !is_numbered_word(part))
}

/// How often a piece goes from letters to digits or back.
fn changes(part: &str) -> usize {
    let kinds: Vec<bool> = part.bytes().map(|b| b.is_ascii_digit()).collect();
    kinds.windows(2).filter(|pair| pair[0] != pair[1]).count()
}

/// `Donaudampfschifffahrt2026`.
fn is_numbered_word(part: &str) -> bool {
    const YEAR: usize = 4;
    let word = part.trim_end_matches(|c: char| c.is_ascii_digit());
    part.len() - word.len() <= YEAR && word.bytes().skip(1).all(|b| b.is_ascii_lowercase())
}

fn is_number(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit())
}

/// The pieces of a text that a key could be: letters and digits of ASCII, hyphens and underscores.
fn runs(text: &str) -> impl Iterator<Item = &str> {
    text.split(|c: char| !(c.is_ascii_alphanumeric() || c == '-' || c == '_')).filter(|run| !run.is_empty())
}

fn is_border(c: char) -> bool {
    c.is_whitespace() || is_double(c) || is_single(c) || "<>|()[]{},;!".contains(c)
}
