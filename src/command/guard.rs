//! Whether a text carries what lets anybody broadcast: an ingest address or a stream key.
//!
//! Judged before anything else looks at the text. It errs toward refusing: whoever has typed a key must renew it, and
//! whoever has not loses a minute.

use super::link;
use super::scan::{is_dash, is_double, is_invisible, is_joiner, is_single, narrow};

/// Looks at the text as it came: what hides behind a label, between invisible marks or in an escape counts.
fn is_secret_within(raw: &str) -> bool {
    let text = decoded(&bared(raw)).to_ascii_lowercase();
    names_ingest(&text) || announces_key(&text) || text.split(is_border).any(holds_vendor_key)
}

/// Looks at a text that came so, and at what [`plain`](super::scan::plain) makes of it.
pub(super) fn is_secret(raw: &str, plain: &str) -> bool {
    !is_ordinary(raw) && is_secret_in_full(raw, plain)
}

/// Whether a text is short words of ASCII without the marks of an address, an escape or a pair, as nearly every command is:
/// nothing that is looked for here is.
pub(super) fn is_ordinary(raw: &str) -> bool {
    /// `sk_aa-bb-1_x`, the shortest of all.
    const SHORTEST: usize = 12;
    let is_mark = |byte: u8| !byte.is_ascii() || b".:=%&<".contains(&byte);
    !raw.bytes().any(is_mark) && runs(raw).all(|run| run.len() < SHORTEST)
}

/// The same as [`is_secret`], by all rules.
pub(super) fn is_secret_in_full(raw: &str, plain: &str) -> bool {
    is_secret_within(raw) || (raw != plain && is_secret_within(plain)) || is_secret_plain(plain)
}

/// Looks at the text without Slack's escapes, where a word can be told from a link.
fn is_secret_plain(plain: &str) -> bool {
    let bared = bared(plain);
    // Links are long and mixed by nature; their queries go no further than the parser.
    let is_long_key = |token: &str| !link::is_web(token) && is_opaque(link::without_credentials(token));
    bared.split(is_border).any(|token| names_key(token) || is_long_key(token))
}

/// Whether a word has a piece that only a machine can have made up: long, of letters and digits in no order.
pub(super) fn is_opaque(token: &str) -> bool {
    runs(token).any(is_opaque_run)
}

fn bared(text: &str) -> String {
    let seen = text.chars().filter(|&c| !is_invisible(c) && !is_joiner(c));
    seen.map(|c| if is_dash(c) { '-' } else { narrow(c) }).collect()
}

/// Takes off what links and pages are escaped with, also twice: `%3A`, `&amp;`, `&#58;`.
fn decoded(text: &str) -> String {
    /// More often than anybody escapes.
    const PASSES: usize = 3;
    let mut text = text.to_owned();
    for _ in 0..PASSES {
        if !text.contains(['%', '&']) {
            break;
        }
        text = decoded_once(&text);
    }
    text
}

fn decoded_once(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find(['%', '&']) {
        out.push_str(&rest[..at]);
        rest = &rest[at..];
        let (c, length) = escape(rest).unwrap_or_else(|| (if rest.starts_with('%') { '%' } else { '&' }, 1));
        out.push(c);
        rest = &rest[length..];
    }
    out.push_str(rest);
    out
}

/// The character of ASCII behind the escape that a text begins with, and how long that is.
fn escape(text: &str) -> Option<(char, usize)> {
    /// `#x0000003a` and the like.
    const LONGEST: usize = 10;
    let ascii = |digits: &str, radix| u8::from_str_radix(digits, radix).ok().filter(u8::is_ascii).map(char::from);
    if let Some(rest) = text.strip_prefix('%') {
        return Some((ascii(rest.get(..2)?, 16)?, "%3a".len()));
    }
    let end = text.bytes().take(LONGEST).position(|b| b == b';')?;
    let c = match &text[1..end] {
        "amp" => '&',
        name => match name.strip_prefix('#')?.strip_prefix(['x', 'X']) {
            Some(digits) => ascii(digits, 16)?,
            None => ascii(&name[1..], 10)?,
        },
    };
    Some((c, end + 1))
}

/// `rtmp://` and its relatives, whatever stands around the colon, and the places that streams are sent to.
fn names_ingest(lower: &str) -> bool {
    // Neither is without one of these.
    if !lower.contains(['.', ':']) {
        return false;
    }
    const HOSTS: [&str; 5] = [
        "rtmp.youtube.com",
        "rtmps.youtube.com",
        "live.twitch.tv/app",
        "live-api-s.facebook.com",
        "contribute.live-video.net",
    ];
    let is_gap = |c: char| c.is_whitespace() || c == '\\';
    let mut colons = lower.match_indices(':').map(|(at, _)| (lower[..at].trim_end_matches(is_gap), &lower[at + 1..]));
    let is_address = |rest: &str| {
        let rest = rest.trim_start();
        rest.starts_with('\\') || rest.starts_with('/')
    };
    HOSTS.iter().any(|host| lower.contains(host))
        || colons.any(|(before, rest)| ends_with_scheme(before) && is_address(rest))
}

fn ends_with_scheme(text: &str) -> bool {
    let is_rtmp = ["rtmp", "rtmps", "rtmpe", "rtmpt", "rtmpts"].iter().any(|name| text.ends_with(name));
    // A wrist is no address.
    let is_other = ["srt", "rist", "whip"]
        .iter()
        .any(|name| text.strip_suffix(name).is_some_and(|before| !before.ends_with(|c: char| c.is_alphanumeric())));
    is_rtmp || is_other
}

/// `stream key: …` and `stream key …`, if what follows is longer than the words of a sentence.
fn announces_key(lower: &str) -> bool {
    const LONG: usize = 16;
    let is_piece = |c: char| c.is_ascii_alphanumeric() || c == '-' || c == '_';
    lower.match_indices("key").any(|(at, key)| {
        let rest = &lower[at + key.len()..];
        let before = lower[..at].trim_end_matches(|c: char| c.is_whitespace() || c == '-' || c == '_');
        if !before.ends_with("stream") || rest.starts_with(|c: char| c.is_ascii_alphanumeric()) {
            return false;
        }
        let value = rest.trim_start_matches(|c: char| !c.is_ascii_alphanumeric());
        let value = value.strip_prefix("is ").unwrap_or(value).trim_start_matches(|c: char| !c.is_ascii_alphanumeric());
        value.chars().take(LONG).filter(|&c| is_piece(c)).count() == LONG
    })
}

/// `…?key=…`, `streamKey=…`, `stream_key=…`.
fn names_key(token: &str) -> bool {
    let lower = token.to_ascii_lowercase();
    // Without an address before it, `key=value` is what programmers talk about.
    let is_link = lower.split(['?', '&', '#']).next().is_some_and(|place| place.contains(['.', '/']));
    lower.split(['?', '&', '#', '/']).enumerate().any(|(place, pair)| match pair.split_once('=') {
        Some((name, value)) if !value.is_empty() => match name.replace(['-', '_'], "").as_str() {
            "key" => place > 0 && is_link,
            "streamkey" | "streamname" => true,
            _ => false,
        },
        _ => false,
    })
}

/// Whether a word has a key in one of the forms in which YouTube, Twitch, Facebook and Amazon give theirs out.
///
/// The passcode in a link of Zoom's may look like one, and goes no further than the parser.
fn holds_vendor_key(lower: &str) -> bool {
    let lower = if link::leads_to_zoom(lower) { link::without_credentials(lower) } else { lower };
    runs(lower)
        .map(|run| run.trim_matches(['-', '_']))
        .any(|run| is_youtube_key(run) || is_twitch_key(run) || is_facebook_key(run) || is_amazon_key(run))
}

/// `a1b2-c3d4-e5f6-g7h8-i9j0`: four words of four letters are a title, and so is `day1-day2-day3-day4`.
fn is_youtube_key(run: &str) -> bool {
    let groups = || run.split(['-', '_']);
    let is_key = (4..=5).contains(&groups().count()) && groups().all(|group| group.len() == 4);
    let mixed = groups().filter(|group| changes(group) > 0).count();
    let word = |group: &str| group.trim_end_matches(|c: char| c.is_ascii_digit()).len();
    let first = groups().next().map_or(0, word);
    let is_counted = groups().all(|group| word(group) == first && changes(group) == 1);
    is_key && mixed >= 2 && !is_counted
}

/// `live_123456789_aBcDeFgHiJkLmNoP`; `live_2026_kickoff` is a title.
fn is_twitch_key(run: &str) -> bool {
    const SHORTEST_NUMBER: usize = 6;
    const SHORTEST_REST: usize = 15;
    run.match_indices("live_").any(|(at, mark)| {
        let number_and_rest = run[at + mark.len()..].split_once('_');
        number_and_rest.is_some_and(|(number, rest)| {
            let rest = rest.bytes().take(SHORTEST_REST).take_while(u8::is_ascii_alphanumeric).count();
            is_number(number) && number.len() >= SHORTEST_NUMBER && rest == SHORTEST_REST
        })
    })
}

/// `FB-1234567890123456-0-AbCdEfGh`; `FB-2026-kickoff` is a title.
fn is_facebook_key(run: &str) -> bool {
    const SHORTEST_NUMBER: usize = 10;
    let mut parts = run.split('-');
    let is_marked = parts.next() == Some("fb");
    let number = parts.next().unwrap_or_default();
    is_marked && is_number(number) && number.len() >= SHORTEST_NUMBER && parts.next().is_some()
}

/// `sk_us-east-1_AbCdEfGhIjKl`, whatever its length: nothing else begins like that.
fn is_amazon_key(run: &str) -> bool {
    let is_region = |region: &str| {
        let (area, number) = region.rsplit_once('-').unwrap_or_default();
        let is_area = area.contains('-') && area.split('-').all(|part| part.len() >= 2 && !part.contains(is_digit));
        is_area && is_number(number)
    };
    run.match_indices("sk_").any(|(at, mark)| {
        let is_whole = !run[..at].ends_with(|c: char| c.is_ascii_alphanumeric());
        let region_and_rest = run[at + mark.len()..].split_once('_');
        is_whole && region_and_rest.is_some_and(|(region, rest)| is_region(region) && !rest.is_empty())
    })
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

fn is_digit(c: char) -> bool {
    c.is_ascii_digit()
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
