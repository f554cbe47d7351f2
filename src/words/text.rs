//! Text from people and from Zoom made harmless, and messages made to fit.
//!
//! Every such text goes through [`escape`], by way of [`plain`] in a sentence, [`code`] in backticks, or [`block`] in a
//! code block. Lengths are those of the escaped text in UTF-16 units, the strictest way Slack could count them.

use std::borrow::Cow;

use jiff::Timestamp;

/// The most [a section's text](https://docs.slack.dev/reference/block-kit/blocks/section-block) may hold.
pub(super) const MAX_MESSAGE: usize = 3000;

/// The most [a dialog's text](https://docs.slack.dev/reference/block-kit/composition-objects/confirmation-dialog-object)
/// may hold.
pub(super) const MAX_CONFIRM: usize = 300;

/// The most of a name or a title in a sentence.
const MAX_PLAIN: usize = 300;

/// The most of a word, an address or Zoom's own words.
const MAX_CODE: usize = 300;

/// The most of a command ready to copy: a title of fifty characters, each as long as `&amp;`, and every option.
const MAX_COMMAND: usize = 600;

/// The most of a request shown by a dry run.
const MAX_BLOCK: usize = 2000;

/// Escapes what Slack reads as markup: `&`, `<` and `>`, and nothing else.
pub fn escape(text: &str) -> String {
    if !text.contains(['&', '<', '>']) {
        return text.to_owned();
    }
    let mut escaped = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            _ => escaped.push(c),
        }
    }
    escaped
}

/// Text within a sentence: no mention, no emphasis, no code, one line.
///
/// Slack has no escape for these marks, so each gives way to a character that looks like it.
pub(super) fn plain(text: &str) -> String {
    let quiet: String = clip(&fold(text), MAX_PLAIN)
        .chars()
        .map(|c| match c {
            '@' => '＠',
            '*' => '∗',
            '_' => 'ˍ',
            '~' => '∼',
            '`' => BACKTICK,
            _ => c,
        })
        .collect();
    escape(&quiet)
}

/// Text in backticks, on one line; Slack reads no markup but the escaped within them.
pub(super) fn code(text: &str) -> String {
    backticks(text, MAX_CODE)
}

/// A whole command in backticks.
pub(super) fn command_line(text: &str) -> String {
    backticks(text, MAX_COMMAND)
}

fn backticks(text: &str, max: usize) -> String {
    // Nearly every text is harmless and short.
    let harmless = |byte: u8| (byte == b' ' || byte.is_ascii_graphic()) && !b"&<>`".contains(&byte);
    if text.len() <= max && text.bytes().all(harmless) && text.bytes().any(|byte| byte != b' ') {
        return format!("`{text}`");
    }
    let folded = fold(text);
    // Two backticks with nothing between them are no code to Slack.
    let shown = if folded.trim().is_empty() { "\"\"" } else { &folded };
    format!("`{}`", escape(&without_backticks(&clip(shown, max))))
}

/// Text in a code block, with its line breaks.
pub(super) fn block(text: &str) -> String {
    let lines: Vec<String> = text.lines().map(fold).collect();
    format!("```\n{}\n```", escape(&without_backticks(&clip(&lines.join("\n"), MAX_BLOCK))))
}

/// Stands in for a backtick, of which Slack has no escape either.
const BACKTICK: char = 'ˋ';

fn without_backticks(text: &str) -> String {
    text.replace('`', BACKTICK.encode_utf8(&mut [0; 4]))
}

/// Makes one line of it: control characters become spaces, and what would turn the text around is left out.
pub(super) fn fold(text: &str) -> String {
    // Nearly every text is as it should be.
    if text.bytes().all(|byte| byte == b' ' || byte.is_ascii_graphic()) {
        return text.to_owned();
    }
    let turns = |c: char| matches!(c, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}');
    let breaks = |c: char| c.is_control() || matches!(c, '\u{2028}' | '\u{2029}');
    text.chars().filter(|c| !turns(*c)).map(|c| if breaks(c) { ' ' } else { c }).collect()
}

/// Cuts before escaping, so that no `&amp;` is cut in two, to what is short enough after it.
pub(super) fn clip(text: &str, max: usize) -> Cow<'_, str> {
    let mut size = 0;
    for (index, c) in text.char_indices() {
        size += match c {
            '&' => "&amp;".len(),
            '<' | '>' => "&lt;".len(),
            _ => c.len_utf16(),
        };
        if size > max {
            return Cow::Owned(format!("{}…", text[..index].trim_end()));
        }
    }
    Cow::Borrowed(text)
}

/// Joins lines to a message and keeps Slack's limit: lines in the middle go, the outcome and the next step stay.
pub(super) fn fit(lines: &[String]) -> String {
    let whole = lines.join("\n");
    let Some((last, body)) = lines.split_last() else {
        return whole;
    };
    // No text has more units of UTF-16 than bytes of UTF-8.
    if whole.len() <= MAX_MESSAGE || size(&whole) <= MAX_MESSAGE {
        return whole;
    }
    let mut kept = String::new();
    for line in body {
        if size(&kept) + size(line) + size(last) + "\n…\n".len() > MAX_MESSAGE {
            break;
        }
        kept.push_str(line);
        kept.push('\n');
    }
    format!("{kept}…\n{last}")
}

pub(super) fn size(text: &str) -> usize {
    text.encode_utf16().count()
}

/// The time of day of what has happened, in the reader's own zone. Nothing has happened in the future, so the second counts
/// in which it did.
pub(super) fn time(at: Timestamp) -> String {
    format!("<!date^{}^{{time_secs}}|{}>", at.as_second(), at.strftime("%H:%M:%S UTC"))
}

/// The day and time of what has happened, in the reader's own zone.
pub(super) fn day_and_time(at: Timestamp) -> String {
    format!("<!date^{}^{{date_short_pretty}} {{time_secs}}|{}>", at.as_second(), at.strftime("%Y-%m-%d %H:%M:%S UTC"))
}

/// The time of day of what is to come: nobody should be there a moment too early.
pub(super) fn time_to_come(at: Timestamp) -> String {
    time(rounded_up(at))
}

/// The day and time of what is to come.
pub(super) fn day_to_come(at: Timestamp) -> String {
    day_and_time(rounded_up(at))
}

fn rounded_up(at: Timestamp) -> Timestamp {
    let up = i64::from(at.subsec_nanosecond() > 0);
    Timestamp::from_second(at.as_second().saturating_add(up)).unwrap_or(at)
}

/// How long until then in whole seconds, rounded up, at least one.
pub(super) fn seconds_until(at: Timestamp, now: Timestamp) -> i64 {
    let left = at.duration_since(now);
    (left.as_secs() + i64::from(left.subsec_nanos() > 0)).max(1)
}

/// How long ago that was in whole seconds, at least one.
pub(super) fn seconds_since(at: Timestamp, now: Timestamp) -> i64 {
    now.duration_since(at).as_secs().max(1)
}

/// A list as people write it: `a`, `a or b`, `a, b or c`.
pub(super) fn list(items: &[String], last_joint: &str) -> String {
    match items {
        [] => String::new(),
        [one] => one.clone(),
        [head @ .., last] => format!("{} {last_joint} {last}", head.join(", ")),
    }
}
