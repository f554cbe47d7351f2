//! What nobody may read in an exchange: by the name of its field, by its place in an address, and, once it was seen there,
//! wherever else it stands.

use std::collections::VecDeque;

use serde_json::from_str;
use url::form_urlencoded;

/// What stands there instead.
const MASKED: &str = "•••";

/// The fields of forms, queries and JSON that hold a secret, or what works like one. In JSON only texts count: Zoom's
/// `code` is a number, and Slack's `state` is what stands in a form.
const FIELDS: &[&str] = &[
    "access_token",
    "client_secret",
    "code",
    "code_verifier",
    "encryptedToken",
    "id_token",
    "nonce",
    "plainToken",
    "refresh_token",
    "response_url",
    "signature",
    "start_url",
    "state",
    "stream_key",
    "token",
    "trigger_id",
    "zak",
];

/// The headers that are one.
const HEADERS: &[&str] = &["authorization", "cookie", "set-cookie", "x-slack-signature", "x-zm-signature"];

/// Where `response_url`s are.
const HOOKS: &str = "/hooks/";

/// What is shorter is no secret, and stands in words that have nothing to do with it.
const SHORTEST: usize = 8;

/// How many of those that were seen are known again; the world's own always are.
const MOST_SEEN: usize = 1_000;

#[derive(Debug)]
pub(super) struct Mask {
    known: Vec<String>,
    seen: VecDeque<String>,
}

impl Mask {
    pub(super) fn new(known: Vec<String>) -> Self {
        Self { known, seen: VecDeque::new() }
    }

    pub(super) fn headers(&mut self, headers: &[(String, String)]) -> Vec<(String, String)> {
        let masked = headers.iter().map(|(name, value)| {
            let name = name.to_ascii_lowercase();
            let value = match (HEADERS.contains(&name.as_str()), value.split_once(' ')) {
                (true, Some((scheme, token))) if name == "authorization" => {
                    self.learn(token);
                    format!("{scheme} {MASKED}")
                }
                (true, _) => MASKED.to_owned(),
                (false, _) => self.text(value),
            };
            (name, value)
        });
        masked.collect()
    }

    /// A body by its content type, or by how it looks.
    pub(super) fn body(&mut self, headers: &[(String, String)], body: &str) -> String {
        let kind = headers.iter().find(|(name, _)| name.eq_ignore_ascii_case("content-type"));
        let kind = kind.map(|(_, kind)| kind.as_str()).unwrap_or_default();
        if kind.starts_with("application/x-www-form-urlencoded") { self.form(body) } else { self.any(body) }
    }

    fn any(&mut self, text: &str) -> String {
        if text.starts_with(['{', '[']) { self.json(text) } else { self.text(text) }
    }

    fn form(&mut self, body: &str) -> String {
        let mut form = form_urlencoded::Serializer::new(String::new());
        for (name, value) in form_urlencoded::parse(body.as_bytes()) {
            if FIELDS.contains(&&*name) {
                self.learn(&value);
                form.append_pair(&name, MASKED);
            } else {
                form.append_pair(&name, &self.any(&value));
            }
        }
        form.finish()
    }

    /// JSON as it is written, in the order and with the spaces of whoever wrote it.
    fn json(&mut self, text: &str) -> String {
        let mut masked = String::with_capacity(text.len());
        let mut rest = text;
        let mut is_secret = false;
        while let Some((before, from)) = rest.find('"').map(|at| rest.split_at(at)) {
            masked.push_str(before);
            // Whatever stands between a name and a text, other than the colon, is a value of another type.
            is_secret &= before.trim() == ":";
            let (string, after) = from.split_at(length_of_string(from));
            let content: String = from_str(string).unwrap_or_default();
            if is_secret {
                self.learn(&content);
                masked.push_str(&format!("\"{MASKED}\""));
            } else if content.starts_with(['{', '[']) {
                masked.push_str(&serde_json::Value::String(self.json(&content)).to_string());
            } else {
                masked.push_str(string);
            }
            let is_name = after.trim_start().starts_with(':');
            is_secret = is_name && FIELDS.contains(&content.as_str());
            rest = after;
        }
        masked.push_str(rest);
        self.text(&masked)
    }

    /// Any other text: addresses in it, and what is known already.
    pub(super) fn text(&mut self, text: &str) -> String {
        let text = self.pairs(text);
        let mut masked = String::with_capacity(text.len());
        let mut rest = text.as_str();
        while let Some((before, after)) = rest.split_once(HOOKS) {
            masked.extend([before, HOOKS, MASKED]);
            rest = after.trim_start_matches(|c: char| c.is_ascii_alphanumeric() || "/-_".contains(c));
        }
        masked.push_str(rest);
        for secret in self.known.iter().chain(&self.seen) {
            if masked.contains(secret) {
                masked = masked.replace(secret, MASKED);
            }
        }
        masked
    }

    /// The `name=value` of queries and cookies, wherever they stand.
    fn pairs(&mut self, text: &str) -> String {
        let mut masked = String::with_capacity(text.len());
        let mut rest = text;
        while let Some((before, after)) = rest.split_once('=') {
            masked.push_str(before);
            masked.push('=');
            let is_word = |c: char| c.is_ascii_alphanumeric() || c == '_';
            let name = &before[before.rfind(|c| !is_word(c)).map_or(0, |at| at + char_len(before, at))..];
            let end = after.find(|c: char| !(is_word(c) || "-.~%+/".contains(c))).unwrap_or(after.len());
            if end > 0 && FIELDS.contains(&name) {
                self.learn(&after[..end]);
                masked.push_str(MASKED);
                rest = &after[end..];
            } else {
                rest = after;
            }
        }
        masked.push_str(rest);
        masked
    }

    fn learn(&mut self, secret: &str) {
        // What an address leads to is masked by its place there.
        let is_new = !secret.contains("://")
            && secret != MASKED
            && !self.known.iter().chain(&self.seen).any(|known| known == secret);
        if is_new && secret.len() >= SHORTEST {
            self.seen.push_back(secret.to_owned());
            if self.seen.len() > MOST_SEEN {
                self.seen.pop_front();
            }
        }
    }
}

fn char_len(text: &str, at: usize) -> usize {
    text[at..].chars().next().map_or(0, char::len_utf8)
}

/// How long the string is that a text begins with, with its quotation marks.
fn length_of_string(text: &str) -> usize {
    let mut escaped = false;
    for (at, byte) in text.bytes().enumerate().skip(1) {
        match byte {
            _ if escaped => escaped = false,
            b'\\' => escaped = true,
            b'"' => return at + 1,
            _ => {}
        }
    }
    text.len()
}
