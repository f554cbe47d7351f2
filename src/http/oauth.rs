//! The two pages of account linking: before Zoom and after it.
//!
//! The browser that shows the confirm page gets a cookie named after the state. A browser that comes back from Zoom
//! without it was sent there by somebody else's link, past the page that names the Slack user, and links nothing.

use axum::extract::rejection::QueryRejection;
use axum::extract::{Query, State};
use axum::http::header::{ALLOW, SET_COOKIE, USER_AGENT};
use axum::http::{HeaderMap, HeaderValue, StatusCode};
use axum::response::{IntoResponse as _, Response};
use serde::Deserialize;

use super::cookie::Name;
use super::page;
use crate::app::App;
use crate::command::DEFAULT_COMMAND;
use crate::grant::StateToken;
use crate::reply::Page;
use crate::secret::Secret;
use crate::usecase::link::{self, Answer, Browser, Callback};

const PURPOSE: &str = "connect";
/// What stands in the cookie. It is no secret: who made the link gains nothing by showing it.
const CONFIRMED: &str = "1";

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
    let mut response = page::show(&shown.page, &shown.command);
    if matches!(shown.page, Page::ConfirmConnect { .. }) {
        let cookie = Name::new(PURPOSE, &state).set(CONFIRMED, &app.options.base_url);
        response.headers_mut().extend(cookie.map(|cookie| (SET_COOKIE, cookie)));
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
        (None, None) => return page::show(&Page::LinkOver, DEFAULT_COMMAND),
    };
    let browser = browser(&headers, &state);
    let shown = link::callback(&app, Callback { state, answer, browser }).await;
    page::show(&shown.page, &shown.command)
}

/// Whoever only asks whether the page is there, as programs that open links ahead of people do, spends no code.
pub(super) async fn only_get() -> Response {
    (StatusCode::METHOD_NOT_ALLOWED, [(ALLOW, "GET")]).into_response()
}

/// A browser must show the cookie. What is no browser cannot be led here against its will.
fn browser(headers: &HeaderMap, state: &StateToken) -> Browser {
    let confirmed = Name::new(PURPOSE, state).shown(headers) == Some(CONFIRMED);
    if confirmed || !is_browser(headers) { Browser::Confirmed } else { Browser::Other }
}

/// Every browser of today says so with `Sec-Fetch-…`, on https; the others all begin their name alike.
/// ([Fetch Metadata](https://www.w3.org/TR/fetch-metadata/))
fn is_browser(headers: &HeaderMap) -> bool {
    let named_so = |agent: &HeaderValue| agent.as_bytes().starts_with(b"Mozilla/");
    headers.keys().any(|name| name.as_str().starts_with("sec-fetch-"))
        || headers.get_all(USER_AGENT).iter().any(named_so)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_browser_must_show_the_cookie_of_the_same_state() {
        let state = StateToken::new("state");
        let seen = |pairs: &[(&'static str, &str)]| {
            let headers = pairs.iter().map(|(name, value)| {
                (axum::http::HeaderName::from_static(name), HeaderValue::from_str(value).unwrap())
            });
            browser(&headers.collect(), &state)
        };
        let cookie = format!("a=b; {}=1", Name::new(PURPOSE, &state));
        let other = format!("{}=1", Name::new(PURPOSE, &StateToken::new("other")));
        for marks in [("sec-fetch-site", "none"), ("sec-fetch-mode", "navigate"), ("user-agent", "Mozilla/5.0 (X11)")] {
            assert_eq!(seen(&[marks]), Browser::Other, "{marks:?}");
            assert_eq!(seen(&[marks, ("cookie", &other)]), Browser::Other, "{marks:?}");
            assert_eq!(seen(&[marks, ("cookie", &cookie)]), Browser::Confirmed, "{marks:?}");
        }
        assert_eq!(seen(&[("user-agent", "curl/8.5.0")]), Browser::Confirmed);
        assert_eq!(seen(&[]), Browser::Confirmed);
    }
}
