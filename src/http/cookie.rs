//! The cookie by which a browser is known again: named after a state, so that several can be under way at once, and so
//! that the name tells nobody the state. On https its name begins so that a browser takes it from nobody but this very host:
//! who has another host of the same domain could else plant the mark of a browser of their own.
//!
//! [Cookie prefixes](https://httpwg.org/http-extensions/draft-ietf-httpbis-rfc6265bis.html#name-the-__host-prefix)

use std::fmt;

use axum::http::header::COOKIE;
use axum::http::{HeaderMap, HeaderValue};
use sha2::{Digest as _, Sha256};

use crate::grant::StateToken;
use crate::secret::Secret;

/// How long a browser keeps one, in seconds: as long as what the state stands for.
const LIFE: u32 = 600;

/// The name of a cookie. `Display` writes it.
pub(super) struct Name {
    is_https: bool,
    purpose: &'static str,
    digest: String,
}

impl Name {
    pub(super) fn new(purpose: &'static str, state: &StateToken, base_url: &str) -> Self {
        let digest = Sha256::digest(state.expose().as_bytes());
        Self { is_https: base_url.starts_with("https:"), purpose, digest: hex::encode(&digest[..16]) }
    }

    /// The line that has a browser keep the cookie. It comes back from links on other sites, and from no form there.
    pub(super) fn set(&self, value: &str) -> Option<HeaderValue> {
        let secure = if self.is_https { "; Secure" } else { "" };
        let line = format!("{self}={value}; Path=/; Max-Age={LIFE}; HttpOnly; SameSite=Lax{secure}");
        HeaderValue::from_str(&line).ok()
    }

    /// What a browser shows of it, where that is a mark that nobody else can know.
    pub(super) fn mark(&self, headers: &HeaderMap) -> Option<Secret> {
        self.shown(headers).map(Secret::new)
    }

    /// What a browser shows of it.
    fn shown<'h>(&self, headers: &'h HeaderMap) -> Option<&'h str> {
        let name = self.to_string();
        let cookies = headers.get_all(COOKIE).iter().filter_map(|value| value.to_str().ok());
        let mut pairs = cookies.flat_map(|line| line.split(';')).filter_map(|pair| pair.trim().split_once('='));
        pairs.find(|(shown, _)| *shown == name).map(|(_, value)| value)
    }
}

impl fmt::Display for Name {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let prefix = if self.is_https { "__Host-" } else { "" };
        write!(f, "{prefix}onair_{}_{}", self.purpose, self.digest)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cookie_is_secure_and_this_hosts_alone_where_the_service_is() {
        let line = |base_url| {
            let name = Name::new("connect", &StateToken::new("canary"), base_url);
            name.set("1").unwrap().to_str().unwrap().to_owned()
        };
        let cookie = line("https://onair.example.com");
        assert!(cookie.starts_with("__Host-onair_connect_") && !cookie.contains("canary"), "{cookie}");
        assert!(cookie.ends_with("=1; Path=/; Max-Age=600; HttpOnly; SameSite=Lax; Secure"), "{cookie}");
        let cookie = line("http://127.0.0.1:8080");
        assert!(cookie.starts_with("onair_connect_") && cookie.ends_with("; SameSite=Lax"), "{cookie}");
    }

    #[test]
    fn a_cookie_is_found_among_others_by_its_whole_name() {
        let named = |purpose, state: &str| Name::new(purpose, &StateToken::new(state), "https://onair.example.com");
        let (name, other) = (named("setup", "state"), named("setup", "other"));
        let seen = |line: &str| {
            let headers = HeaderMap::from_iter([(COOKIE, HeaderValue::from_str(line).unwrap())]);
            name.shown(&headers).map(str::to_owned)
        };
        assert_eq!(seen(&format!("a=b; {other}=1;  {name}=mark")), Some("mark".to_owned()));
        for line in [format!("{other}=1"), format!("x{name}=1"), format!("{name}"), String::new()] {
            assert_eq!(seen(&line), None, "{line}");
        }
        assert_ne!(name.to_string(), named("connect", "state").to_string());
    }
}
