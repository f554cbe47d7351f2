//! An order as a request: what is sent and what `--dry-run` shows are made here, from the same parts.

use std::fmt;

use reqwest::header::{ACCEPT, CONTENT_TYPE};
use reqwest::{Client, Method, RequestBuilder};
use sha2::{Digest as _, Sha256};

use super::wire::Status;
use super::{BodyFormat, JSON, Order};
use crate::secret::Secret;

/// A request that lacks nothing but the token.
pub(super) struct Draft {
    url: String,
    content_type: String,
    body: String,
}

impl Draft {
    const METHOD: Method = Method::PATCH;

    pub(super) fn new(api_url: &str, format: BodyFormat, order: &Order) -> Result<Self, serde_json::Error> {
        let url = format!("{api_url}/{}/{}/livestream/status", order.room.path(), order.meeting.number());
        let status = Status::new(order.action, &order.settings);
        let (content_type, body) = match format {
            BodyFormat::Json => (JSON.to_owned(), serde_json::to_string(&status)?),
            BodyFormat::Multipart => multipart(&status)?,
        };
        Ok(Self { url, content_type, body })
    }

    pub(super) fn request(self, http: &Client, access: &Secret) -> RequestBuilder {
        http.request(Self::METHOD, self.url)
            .header(ACCEPT, JSON)
            .header(CONTENT_TYPE, self.content_type)
            .bearer_auth(access.expose())
            .body(self.body)
    }
}

impl fmt::Display for Draft {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { url, content_type, body } = self;
        let method = Self::METHOD;
        write!(f, "{method} {url}\nAccept: {JSON}\nContent-Type: {content_type}\nAuthorization: Bearer ••••\n\n{body}")
    }
}

/// `multipart/form-data` ([RFC 7578](https://www.rfc-editor.org/rfc/rfc7578)), written here and not by the HTTP client
/// so that a preview shows the very bytes. The boundary is a hash of the parts: the same order makes the same body, and
/// no part can hold its own hash.
fn multipart(status: &Status<'_>) -> Result<(String, String), serde_json::Error> {
    let mut parts = vec![("action", status.action.to_owned())];
    if let Some(settings) = &status.settings {
        parts.push(("settings", serde_json::to_string(settings)?));
    }
    let hash = Sha256::digest(parts.iter().map(|(_, value)| value.as_str()).collect::<Vec<_>>().join("\n"));
    let boundary = format!("onair-{}", hex::encode(&hash[..16]));
    let part = |(name, value): &(&str, String)| {
        format!("--{boundary}\r\nContent-Disposition: form-data; name=\"{name}\"\r\n\r\n{value}\r\n")
    };
    let body = parts.iter().map(part).collect::<String>() + &format!("--{boundary}--\r\n");
    Ok((format!("multipart/form-data; boundary={boundary}"), body))
}
