//! The two pages of account linking: before Zoom and after it.
//!
//! The browser that shows the confirm page gets a cookie named after the state. A browser that comes back from Zoom
//! without it was sent there by somebody else's link, past the page that names the Slack user, and links nothing.

use axum::extract::rejection::QueryRejection;
use axum::extract::{Query, State};
use axum::http::header::{ALLOW, COOKIE, SET_COOKIE, USER_AGENT};
use axum::http::{HeaderMap, HeaderValue, StatusCode};
use axum::response::{IntoResponse as _, Response};
use serde::Deserialize;
use sha2::{Digest as _, Sha256};

use super::page;
use crate::app::App;
use crate::command::DEFAULT_COMMAND;
use crate::grant::StateToken;
use crate::reply::Page;
use crate::secret::Secret;
use crate::usecase::link::{self, Answer, Browser, Callback};

/// What either page may be called with; whatever is missing, there twice or not readable makes a link that is over.
#[derive(Default, Deserialize)]
pub(super) struct Parameters {
    state: Option<String>,
    code: Option<String>,
    error: Option<String>,
}

type Given = Result<Query<Parameters>, QueryRejection>;

/// `GET /zoom/connect?state=…`
pub(super) async fn confirm(State(app): State<App>, given: Given) -> Response {
    let given = given.map_or_else(|_| Parameters::default(), |Query(given)| given);
    let state = StateToken::new(given.state.unwrap_or_default());
    let shown = link::confirm(&app, &state).await;
    let mut response = page::show(status(&shown.page), &shown.page, &shown.command);
    if matches!(shown.page, Page::ConfirmConnect { .. })
        && let Ok(cookie) = HeaderValue::from_str(&set_cookie(&app.options.base_url, &state))
    {
        response.headers_mut().append(SET_COOKIE, cookie);
    }
    response
}

/// `GET /zoom/oauth/callback?state=…&code=…`, or with `error=…` where the person said no.
pub(super) async fn callback(State(app): State<App>, headers: HeaderMap, given: Given) -> Response {
    let given = given.map_or_else(|_| Parameters::default(), |Query(given)| given);
    let state = StateToken::new(given.state.unwrap_or_default());
    let answer = match (given.error.as_deref(), given.code.filter(|code| !code.is_empty())) {
        (Some("access_denied"), _) => Answer::Declined,
        (Some(_), _) => Answer::Failed,
        (None, Some(code)) => Answer::Code(Secret::new(code)),
        (None, None) => return page::show(StatusCode::GONE, &Page::LinkOver, DEFAULT_COMMAND),
    };
    let browser = browser(&headers, &state);
    let shown = link::callback(&app, Callback { state, answer, browser }).await;
    page::show(status(&shown.page), &shown.page, &shown.command)
}

/// Whoever only asks whether the page is there, as programs that open links ahead of people do, spends no code.
pub(super) async fn only_get() -> Response {
    (StatusCode::METHOD_NOT_ALLOWED, [(ALLOW, "GET")]).into_response()
}

/// A browser must show the cookie. What is no browser cannot be led here against its will.
fn browser(headers: &HeaderMap, state: &StateToken) -> Browser {
    let wanted = format!("{}=1", cookie_name(state));
    let cookies = headers.get_all(COOKIE).iter().filter_map(|value| value.to_str().ok());
    let confirmed = cookies.flat_map(|line| line.split(';')).any(|cookie| cookie.trim() == wanted);
    if confirmed || !is_browser(headers) { Browser::Confirmed } else { Browser::Other }
}

/// Every browser of today says so with `Sec-Fetch-…`, on https; the others all begin their name alike.
/// ([Fetch Metadata](https://www.w3.org/TR/fetch-metadata/))
fn is_browser(headers: &HeaderMap) -> bool {
    let named_so = |agent: &HeaderValue| agent.as_bytes().starts_with(b"Mozilla/");
    headers.keys().any(|name| name.as_str().starts_with("sec-fetch-"))
        || headers.get_all(USER_AGENT).iter().any(named_so)
}

fn set_cookie(base_url: &str, state: &StateToken) -> String {
    let secure = if base_url.starts_with("https:") { "; Secure" } else { "" };
    format!("{}=1; Path=/zoom/; Max-Age=600; HttpOnly; SameSite=Lax{secure}", cookie_name(state))
}

fn cookie_name(state: &StateToken) -> String {
    let digest = Sha256::digest(state.expose().as_bytes());
    format!("onair_connect_{}", hex::encode(&digest[..16]))
}

fn status(page: &Page) -> StatusCode {
    match page {
        Page::Landing | Page::ConfirmConnect { .. } | Page::Connected { .. } | Page::Declined { .. } => StatusCode::OK,
        Page::LinkOver => StatusCode::GONE,
        Page::OtherBrowser => StatusCode::FORBIDDEN,
        Page::ZoomRefused { .. } | Page::ZoomAway { .. } => StatusCode::BAD_GATEWAY,
        Page::StoreAway => StatusCode::SERVICE_UNAVAILABLE,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cookie_is_secure_where_the_service_is() {
        let state = StateToken::new("canary");
        let cookie = set_cookie("https://onair.example.com", &state);
        assert!(cookie.ends_with("; HttpOnly; SameSite=Lax; Secure") && !cookie.contains("canary"), "{cookie}");
        assert!(set_cookie("http://127.0.0.1:8080", &state).ends_with("; SameSite=Lax"));
    }

    #[test]
    fn a_browser_must_show_the_cookie_of_the_same_state() {
        let state = StateToken::new("state");
        let seen = |pairs: &[(&'static str, &str)]| {
            let headers = pairs.iter().map(|(name, value)| {
                (axum::http::HeaderName::from_static(name), HeaderValue::from_str(value).unwrap())
            });
            browser(&headers.collect(), &state)
        };
        let cookie = format!("a=b; {}=1", cookie_name(&state));
        let other = format!("{}=1", cookie_name(&StateToken::new("other")));
        for marks in [("sec-fetch-site", "none"), ("sec-fetch-mode", "navigate"), ("user-agent", "Mozilla/5.0 (X11)")] {
            assert_eq!(seen(&[marks]), Browser::Other, "{marks:?}");
            assert_eq!(seen(&[marks, ("cookie", &other)]), Browser::Other, "{marks:?}");
            assert_eq!(seen(&[marks, ("cookie", &cookie)]), Browser::Confirmed, "{marks:?}");
        }
        assert_eq!(seen(&[("user-agent", "curl/8.5.0")]), Browser::Confirmed);
        assert_eq!(seen(&[]), Browser::Confirmed);
    }
}
