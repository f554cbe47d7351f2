//! What a reader sees of a message: blocks if there are any, else the text, with Slack's control sequences replaced.
//!
//! [Formatting](https://docs.slack.dev/messaging/formatting-message-text)

use serde_json::Value;

use super::message::Link;

/// What a reader's own app puts in: names for people, and times for dates.
pub(super) struct Reader<'a> {
    /// The name behind a user's id.
    pub(super) names: &'a dyn Fn(&str) -> Option<String>,
    /// What stands for a date.
    pub(super) dates: Dates,
}

/// What stands for a date, which is shown in the reader's own zone, and a transcript has none.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Dates {
    /// What is shown where the date cannot be: its fallback.
    #[default]
    Fallback,
    /// The form in which it is to be shown, `{time}`.
    Form,
}

/// The whole message, one line per block (or more, if its text has more).
pub(super) fn shown(text: &str, blocks: &[Value], reader: &Reader<'_>) -> String {
    if blocks.is_empty() {
        return mrkdwn(text, reader);
    }
    let lines = blocks.iter().map(|block| one_block(block, reader));
    lines.filter(|line| !line.is_empty()).collect::<Vec<_>>().join("\n")
}

/// Every link a reader can follow, in the order of reading.
pub(super) fn links(text: &str, blocks: &[Value]) -> Vec<Link> {
    let mut found = Vec::new();
    if blocks.is_empty() {
        links_in_text(text, &mut found);
    }
    for block in blocks {
        links_in_block(block, &mut found);
    }
    found
}

fn one_block(block: &Value, reader: &Reader<'_>) -> String {
    let list = |key: &str| block[key].as_array().map(Vec::as_slice).unwrap_or_default();
    let all = |key: &str| list(key).iter().map(|item| element(item, reader)).collect::<Vec<_>>();
    match block["type"].as_str() {
        Some("divider") => "---".to_owned(),
        Some("image") => element(block, reader),
        Some("context") => all("elements").join("  "),
        Some("actions") => all("elements").join(" "),
        _ => {
            let mut parts = vec![element(&block["text"], reader), element(&block["accessory"], reader)];
            parts.retain(|part| !part.is_empty());
            let mut lines = vec![parts.join(" ")];
            lines.extend(all("fields"));
            lines.retain(|line| !line.is_empty());
            lines.join("\n")
        }
    }
}

fn element(value: &Value, reader: &Reader<'_>) -> String {
    match value["type"].as_str() {
        Some("mrkdwn") => mrkdwn(value["text"].as_str().unwrap_or_default(), reader),
        Some("plain_text") => value["text"].as_str().unwrap_or_default().to_owned(),
        Some("button") => format!("[{}]", value["text"]["text"].as_str().unwrap_or_default()),
        Some("image") => format!("({})", value["alt_text"].as_str().unwrap_or_default()),
        _ => String::new(),
    }
}

/// Replaces `<…>` by what is shown for it, then undoes Slack's three escapes.
pub(super) fn mrkdwn(text: &str, reader: &Reader<'_>) -> String {
    let mut shown = String::with_capacity(text.len());
    for piece in pieces(text) {
        match piece {
            Piece::Text(text) => shown.push_str(&unescaped(text)),
            Piece::Sequence { target, label } => shown.push_str(&sequence(target, label, reader)),
        }
    }
    shown
}

fn sequence(target: &str, label: Option<&str>, reader: &Reader<'_>) -> String {
    if let Some(user) = target.strip_prefix('@') {
        return format!("@{}", (reader.names)(user).unwrap_or_else(|| user.to_owned()));
    }
    if let Some(channel) = target.strip_prefix('#') {
        return format!("#{}", label.unwrap_or(channel));
    }
    // `!date^1700000000^{time}`, and a link after another `^` if there is one.
    if let (Dates::Form, Some(date)) = (reader.dates, target.strip_prefix("!date^")) {
        return date.split('^').nth(1).unwrap_or_default().to_owned();
    }
    match (target.strip_prefix('!'), label) {
        (_, Some(label)) => unescaped(label),
        (Some(special), None) => format!("@{special}"),
        (None, None) => unescaped(target),
    }
}

enum Piece<'a> {
    Text(&'a str),
    Sequence { target: &'a str, label: Option<&'a str> },
}

fn pieces(text: &str) -> Vec<Piece<'_>> {
    let mut found = Vec::new();
    let mut rest = text;
    while let Some(open) = rest.find('<') {
        let Some(length) = rest[open..].find('>') else { break };
        found.push(Piece::Text(&rest[..open]));
        let inner = &rest[open + 1..open + length];
        let (target, label) = match inner.split_once('|') {
            Some((target, label)) => (target, Some(label)),
            None => (inner, None),
        };
        found.push(Piece::Sequence { target, label });
        rest = &rest[open + length + 1..];
    }
    found.push(Piece::Text(rest));
    found
}

fn unescaped(text: &str) -> String {
    // `&amp;` last: `&amp;lt;` is the text `&lt;`.
    text.replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&")
}

fn links_in_text(text: &str, found: &mut Vec<Link>) {
    for piece in pieces(text) {
        if let Piece::Sequence { target, label } = piece
            && !target.starts_with(['@', '#', '!'])
        {
            found.push(Link { label: unescaped(label.unwrap_or(target)), url: unescaped(target) });
        }
    }
}

fn links_in_block(value: &Value, found: &mut Vec<Link>) {
    match value["type"].as_str() {
        Some("mrkdwn") => links_in_text(value["text"].as_str().unwrap_or_default(), found),
        Some("button") => {
            if let Some(url) = value["url"].as_str() {
                let label = value["text"]["text"].as_str().unwrap_or_default().to_owned();
                found.push(Link { label, url: url.to_owned() });
            }
        }
        _ => {
            for part in ["text", "accessory"].map(|key| &value[key]).into_iter().filter(|part| part.is_object()) {
                links_in_block(part, found);
            }
            for list in ["fields", "elements"] {
                value[list].as_array().into_iter().flatten().for_each(|item| links_in_block(item, found));
            }
        }
    }
}
