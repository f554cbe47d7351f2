//! From the bytes of Zoom's answers to an [`Answer`], reading whatever can be read.
//!
//! Zoom answers in JSON, at times in XML in spite of `Accept`, and something on the way may answer instead of it. Never
//! fails: what is no envelope of Zoom's has no code and no message, and the status remains.

use jiff::Timestamp;
use reqwest::Response;
use reqwest::header::{HeaderMap, RETRY_AFTER};
use serde::de::DeserializeOwned;
use serde_json::Value;

use crate::outcome::{Answer, FieldError, LimitHeaders};

/// The most bytes of a body that are read; Zoom's own have a few hundred, a user some thousand.
pub(super) const MOST_BYTES: usize = 64 * 1024;

/// The most characters of a message, and the most fields, that are kept.
pub(super) const MOST_CHARS: usize = 1000;
const MOST_FIELDS: usize = 20;

/// How much of a body came.
pub(super) enum Body {
    /// All of it.
    Whole(Vec<u8>),
    /// It was longer than [`MOST_BYTES`]; the first of them.
    TooLong(Vec<u8>),
    /// What came before the time-out or the cut.
    Cut(Vec<u8>, reqwest::Error),
}

impl Body {
    /// Reads until the end, the limit, or trouble. The client's time-out covers this too.
    pub(super) async fn read(mut response: Response) -> Self {
        let mut bytes = Vec::new();
        loop {
            match response.chunk().await {
                Ok(None) => return Self::Whole(bytes),
                Ok(Some(chunk)) => {
                    let room = MOST_BYTES - bytes.len();
                    bytes.extend_from_slice(&chunk[..chunk.len().min(room)]);
                    if chunk.len() > room {
                        return Self::TooLong(bytes);
                    }
                }
                Err(error) => return Self::Cut(bytes, error),
            }
        }
    }

    pub(super) fn bytes(&self) -> &[u8] {
        match self {
            Self::Whole(bytes) | Self::TooLong(bytes) | Self::Cut(bytes, _) => bytes,
        }
    }
}

/// What an answer says, from its status, its headers and its body.
pub fn read(status: u16, headers: &HeaderMap, body: &[u8], now: Timestamp) -> Answer {
    let envelope = Envelope::read(body);
    Answer {
        status,
        code: envelope.code,
        message: shortened(&envelope.message),
        fields: envelope.fields,
        limit: limit(headers, now),
        tracking_id: tracking_id(headers).map(shortened),
    }
}

/// What the headers say about [rate limits](https://developers.zoom.us/docs/api/rest/rate-limits/).
pub(super) fn limit(headers: &HeaderMap, now: Timestamp) -> LimitHeaders {
    LimitHeaders::read(text(headers, "x-ratelimit-type"), text(headers, RETRY_AFTER.as_str()), now)
}

/// What Zoom's support asks for.
pub(super) fn tracking_id(headers: &HeaderMap) -> Option<&str> {
    text(headers, "x-zm-trackingid")
}

fn text<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
    headers.get(name).and_then(|value| value.to_str().ok()).filter(|value| !value.is_empty())
}

fn shortened(text: &str) -> String {
    text.chars().take(MOST_CHARS).collect()
}

/// [Zoom's error envelope](https://developers.zoom.us/docs/api/errors/):
/// `{"code":300,"message":"Validation Failed.","errors":[{"field":"…","message":"…"}]}`.
#[derive(Default)]
struct Envelope {
    code: Option<i64>,
    message: String,
    fields: Vec<FieldError>,
}

impl Envelope {
    fn read(body: &[u8]) -> Self {
        let text = text_of(body);
        match serde_json::from_str(&text) {
            Ok(json) => Self::of_json(&json),
            Err(_) => Self::of_xml(&text).unwrap_or_default(),
        }
    }

    fn of_json(json: &Value) -> Self {
        let field_error = |error: &Value| FieldError {
            field: shortened(error["field"].as_str().unwrap_or_default()),
            message: shortened(error["message"].as_str().unwrap_or_default()),
        };
        let fields = json["errors"].as_array().map_or(&[][..], Vec::as_slice).iter().take(MOST_FIELDS);
        Self {
            code: json["code"].as_i64().or_else(|| json["code"].as_str().and_then(number)),
            message: json["message"].as_str().unwrap_or_default().to_owned(),
            fields: fields.map(field_error).collect(),
        }
    }

    /// `<error><code>3000</code><message>…</message></error>`, which some validations answer to any `Accept`. A page of
    /// a proxy has no `<error>` and is none of Zoom's.
    fn of_xml(text: &str) -> Option<Self> {
        let error = element(text, "error")?;
        Some(Self {
            code: element(error, "code").and_then(number),
            message: element(error, "message").map(unescaped).unwrap_or_default(),
            fields: Vec::new(),
        })
    }
}

/// A body as text, without what may stand around it.
fn text_of(body: &[u8]) -> String {
    String::from_utf8_lossy(body).trim_start_matches('\u{feff}').trim().to_owned()
}

/// What a body says that is a JSON object; anything else says nothing.
pub(super) fn object<T: DeserializeOwned>(body: &[u8]) -> Option<T> {
    let text = text_of(body);
    // A list would be read as the fields in their order.
    text.starts_with('{').then(|| serde_json::from_str(&text).ok())?
}

/// A number as Zoom writes one in text: `4700`, and also `4,700`.
fn number(text: &str) -> Option<i64> {
    text.trim().replace(',', "").parse().ok()
}

fn element<'a>(text: &'a str, name: &str) -> Option<&'a str> {
    let (_, rest) = text.split_once(&format!("<{name}>"))?;
    rest.split_once(&format!("</{name}>")).map(|(inside, _)| inside)
}

/// Resolves the entities of XML in one pass, so that `&amp;lt;` becomes `&lt;` and no more. What is no entity stays.
fn unescaped(text: &str) -> String {
    let mut plain = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(start) = rest.find('&') {
        plain.push_str(&rest[..start]);
        rest = &rest[start..];
        match rest.find(';').and_then(|end| Some((entity(&rest[1..end])?, end))) {
            Some((c, end)) => {
                plain.push(c);
                rest = &rest[end + 1..];
            }
            None => {
                plain.push('&');
                rest = &rest[1..];
            }
        }
    }
    plain + rest
}

fn entity(name: &str) -> Option<char> {
    match name {
        "lt" => Some('<'),
        "gt" => Some('>'),
        "amp" => Some('&'),
        "quot" => Some('"'),
        "apos" => Some('\''),
        _ => {
            let code = name.strip_prefix('#')?;
            let value = match code.strip_prefix(['x', 'X']) {
                Some(hex) => u32::from_str_radix(hex, 16).ok()?,
                None => code.parse().ok()?,
            };
            char::from_u32(value)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(body: &[u8], code: Option<i64>, message: &str) {
        let answer = read(400, &HeaderMap::new(), body, Timestamp::UNIX_EPOCH);
        assert_eq!((answer.code, answer.message.as_str()), (code, message), "{}", String::from_utf8_lossy(body));
    }

    #[test]
    fn json_is_read_in_every_shape_that_has_been_seen() {
        check(
            br#"{"code":4927,"message":"Meeting 68423085 has not started."}"#,
            Some(4927),
            "Meeting 68423085 has not started.",
        );
        check(br#"{"code":"4,700","message":"No."}"#, Some(4700), "No.");
        check(b"\xef\xbb\xbf {\"code\":300}\r\n", Some(300), "");
        check(b"{\"code\":300,\"message\":\"a \xff b\"}", Some(300), "a \u{fffd} b");
        check(br#"{"code":1.5,"message":null,"errors":"none"}"#, None, "");
    }

    #[test]
    fn xml_is_read_and_unescaped_once() {
        let xml = br#"<?xml version="1.0" encoding="UTF-8"?>
            <error><code>300</code><message>&quot;A&quot; &amp;lt; B &#38; &#x43; &unknown; &</message></error>"#;
        check(xml, Some(300), r#""A" &lt; B & C &unknown; &"#);
        check(b"<error><code>3,000</code></error>", Some(3000), "");
    }

    #[test]
    fn what_is_no_envelope_has_no_code_and_no_message() {
        for body in
            [&b""[..], b"[]", b"null", b"7", b"\"code\"", b"Bad gateway", b"\xff\xfe\x00", br#"{"code":4927,"mess"#]
        {
            check(body, None, "");
        }
        check(b"<html><code>404</code><message>Not found</message></html>", None, "");
        check(b"<error><code>300</code><message>cut", None, "");
    }

    #[test]
    fn fields_that_failed_are_kept_and_their_number_is_bounded() {
        let body = r#"{"code":300,"message":"Validation Failed.","errors":[{"field":"settings.display_name","message":"Invalid field."}]}"#;
        let answer = read(400, &HeaderMap::new(), body.as_bytes(), Timestamp::UNIX_EPOCH);
        let expected = FieldError { field: "settings.display_name".into(), message: "Invalid field.".into() };
        assert_eq!(answer.fields, [expected]);

        let many = format!(r#"{{"errors":[{}]}}"#, vec![r#"{"field":"f"}"#; 500].join(","));
        let answer = read(400, &HeaderMap::new(), many.as_bytes(), Timestamp::UNIX_EPOCH);
        assert_eq!(answer.fields.len(), MOST_FIELDS);
    }
}
