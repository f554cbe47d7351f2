//! The bodies of calls, checked as Zoom's schema has them. That of the status call may be `multipart/form-data`, too.
//!
//! [The status call](https://developers.zoom.us/docs/api/meetings/#tag/meetings/patch/meetings/{meetingId}/livestream/status)

use serde_json::{Map, Value};

use super::api::Refused;
use super::meeting::{Kind, Target};
use super::world::Action;
use crate::sandbox::wire::Recorded;

/// What is ordered.
#[derive(Debug)]
pub(super) struct Order {
    pub(super) action: Action,
    /// As sent; null if not sent.
    pub(super) settings: Value,
}

/// Reads and checks an order for a meeting or a webinar.
pub(super) fn order(request: &Recorded, kind: Kind) -> Result<Order, Refused> {
    let body = match request.media_type().as_str() {
        "application/json" => json(&request.body)?,
        "multipart/form-data" => multipart(request)?,
        _ => return Err(Refused::new(415, 300, "Unsupported Content Type")),
    };
    let mut wrong: Vec<String> = body.keys().filter(|key| *key != "action" && *key != "settings").cloned().collect();
    let action = match (body.get("action").and_then(Value::as_str), kind) {
        (Some("start"), _) => Some(Action::Start),
        (Some("stop"), _) => Some(Action::Stop),
        (Some("mode"), Kind::Meeting) => Some(Action::Mode),
        _ => None,
    };
    let settings = body.get("settings").cloned().unwrap_or(Value::Null);
    match (&settings, action) {
        (_, None) => wrong.push("action".to_owned()),
        (Value::Null, Some(_)) if !body.contains_key("settings") => {}
        (Value::Object(settings), Some(Action::Start | Action::Mode)) => wrong.extend(wrong_settings(settings, kind)),
        (_, Some(_)) => wrong.push("settings".to_owned()),
    }
    match action {
        Some(action) if wrong.is_empty() => Ok(Order { action, settings }),
        _ => Err(Refused::validation(wrong)),
    }
}

/// Reads and checks a target. Whoever may stream in 1080p has to say the resolution.
pub(super) fn target(request: &Recorded, full_hd: bool) -> Result<Target, Refused> {
    if request.media_type() != "application/json" {
        return Err(Refused::new(415, 300, "Unsupported Content Type"));
    }
    let body = json(&request.body)?;
    let text = |key: &str| body.get(key).and_then(Value::as_str).unwrap_or_default();
    let fits = |key: &str, most: usize| (1..=most).contains(&text(key).chars().count());
    let is_address = |key: &str| fits(key, 1024) && url::Url::parse(text(key)).is_ok();
    let fine = |key: &str| match key {
        "stream_url" | "page_url" => is_address(key),
        "stream_key" => fits(key, 512),
        "resolution" if !body.contains_key(key) => !full_hd,
        "resolution" => matches!((text(key), full_hd), ("720p", _) | ("1080p", true)),
        _ => false,
    };
    let known = ["stream_url", "stream_key", "page_url", "resolution"];
    let unknown = body.keys().map(String::as_str).filter(|key| !known.contains(key));
    let wrong: Vec<String> = known.into_iter().chain(unknown).filter(|key| !fine(key)).map(str::to_owned).collect();
    if !wrong.is_empty() {
        return Err(Refused::validation(wrong));
    }
    let resolution = if body.contains_key("resolution") { text("resolution") } else { "720p" };
    let [stream_url, stream_key, page_url] = ["stream_url", "stream_key", "page_url"].map(|key| text(key).to_owned());
    Ok(Target { stream_url, stream_key, page_url, resolution: resolution.to_owned() })
}

fn wrong_settings(settings: &Map<String, Value>, kind: Kind) -> Vec<String> {
    let fine = |key: &str, value: &Value| match (key, kind) {
        ("active_speaker_name", _) => value.is_boolean(),
        ("display_name", _) => value.as_str().is_some_and(|name| (1..=50).contains(&name.chars().count())),
        ("layout", Kind::Meeting) => one_of(value, &["follow_host", "gallery_view", "speaker_view"]),
        ("close_caption", _) => one_of(value, &["burnt-in", "embedded", "off"]),
        _ => false,
    };
    let wrong = settings.iter().filter(|(key, value)| !fine(key, value));
    wrong.map(|(key, _)| format!("settings.{key}")).collect()
}

fn one_of(value: &Value, known: &[&str]) -> bool {
    value.as_str().is_some_and(|text| known.contains(&text))
}

fn json(bytes: &[u8]) -> Result<Map<String, Value>, Refused> {
    match serde_json::from_slice(bytes) {
        Ok(Value::Object(object)) => Ok(object),
        _ => Err(Refused::new(400, 300, "Request Body should be a valid JSON object.")),
    }
}

/// The parts by name; `settings` holds JSON, all others text.
fn multipart(request: &Recorded) -> Result<Map<String, Value>, Refused> {
    let broken = || Refused::new(400, 300, "The multipart body is malformed.");
    let parts = parts(request).ok_or_else(broken)?;
    let mut body = Map::new();
    for (name, text) in parts {
        let value = if name == "settings" {
            serde_json::from_str(&text).map_err(|_| Refused::validation(vec!["settings".to_owned()]))?
        } else {
            Value::String(text)
        };
        if body.insert(name, value).is_some() {
            return Err(broken());
        }
    }
    Ok(body)
}

/// Name and text of every part ([RFC 7578](https://www.rfc-editor.org/rfc/rfc7578)), or `None` for anything unclean.
fn parts(request: &Recorded) -> Option<Vec<(String, String)>> {
    let boundary = request.header("content-type")?.split("boundary=").nth(1)?.split(';').next()?.trim_matches('"');
    let text = std::str::from_utf8(&request.body).ok()?;
    let delimiter = format!("--{boundary}");
    let mut pieces = text.split(delimiter.as_str());
    if boundary.is_empty() || !pieces.next()?.is_empty() {
        return None;
    }
    let mut found = Vec::new();
    for piece in pieces {
        if piece.trim_end() == "--" {
            return Some(found);
        }
        let (head, value) = piece.strip_prefix("\r\n")?.split_once("\r\n\r\n")?;
        let disposition = head.lines().find(|line| line.to_ascii_lowercase().starts_with("content-disposition:"))?;
        let name = disposition.split("name=\"").nth(1)?.split('"').next()?;
        found.push((name.to_owned(), value.strip_suffix("\r\n")?.to_owned()));
    }
    None
}
