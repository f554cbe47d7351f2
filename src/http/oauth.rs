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
use crate::grant::{StateToken, random_secret};
use crate::reply::Page;
use crate::secret::Secret;
use crate::usecase::link::{self, Answer, Callback, Shows};

pub(super) const PURPOSE: &str = "connect";

/// What either page may be called with; whatever is missing, there twice or not readable makes a link that is over.
#[derive(Default, Deserialize)]
pub(super) struct Parameters {
    state: Option<String>,
    code: Option<String>,
    error: Option<String>,
}

pub(super) type Given = Result<Query<Parameters>, QueryRejection>;

/// Reads what a vendor sent a browser back with; nothing where it is not readable.
pub(super) fn read(given: Given) -> Option<(StateToken, Answer)> {
    let given = given.map_or_else(|_| Parameters::default(), |Query(given)| given);
    let answer = match (given.error.as_deref(), given.code.filter(|code| !code.is_empty())) {
        (Some("access_denied"), _) => Answer::Declined,
        (Some(_), _) => Answer::Failed,
        (None, Some(code)) => Answer::Code(Secret::new(code)),
        (None, None) => return None,
    };
    Some((StateToken::new(given.state.unwrap_or_default()), answer))
}

/// `GET /zoom/connect?state=…`
pub(super) async fn confirm(State(app): State<App>, headers: HeaderMap, given: Given) -> Response {
    let given = given.map_or_else(|_| Parameters::default(), |Query(given)| given);
    let state = StateToken::new(given.state.unwrap_or_default());
    let name = Name::new(PURPOSE, &state, &app.options.base_url);
    // The same for every tab of one browser.
    let mark = name.mark(&headers).unwrap_or_else(random_secret);
    let shown = link::confirm(&app, &state, &mark).await;
    let mut response = page::show(&shown.page, &shown.command);
    if matches!(shown.page, Page::ConfirmConnect { .. }) {
        let cookie = name.set(mark.expose());
        response.headers_mut().extend(cookie.map(|cookie| (SET_COOKIE, cookie)));
    }
    response
}

/// `GET /zoom/oauth/callback?state=…&code=…`, or with `error=…` where the person said no.
pub(super) async fn callback(State(app): State<App>, headers: HeaderMap, given: Given) -> Response {
    let Some((state, answer)) = read(given) else { return page::show(&Page::LinkOver, DEFAULT_COMMAND) };
    let shows = shows(&headers, &Name::new(PURPOSE, &state, &app.options.base_url));
    let shown = link::callback(&app, Callback { state, answer, shows }).await;
    page::show(&shown.page, &shown.command)
}

/// Whoever only asks whether the page is there, as programs that open links ahead of people do, spends no code.
pub(super) async fn only_get() -> Response {
    (StatusCode::METHOD_NOT_ALLOWED, [(ALLOW, "GET")]).into_response()
}

fn shows(headers: &HeaderMap, name: &Name) -> Shows {
    Shows { mark: name.mark(headers), is_browser: is_browser(headers) }
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
    fn a_browser_is_known_by_its_marks_and_shows_the_cookie_of_the_same_state() {
        let named = |state| Name::new(PURPOSE, &StateToken::new(state), "https://onair.example.com");
        let seen = |pairs: &[(&'static str, &str)]| {
            let headers = pairs.iter().map(|(name, value)| {
                (axum::http::HeaderName::from_static(name), HeaderValue::from_str(value).unwrap())
            });
            let shows = shows(&headers.collect(), &named("state"));
            (shows.mark.map(|mark| mark.expose().to_owned()), shows.is_browser)
        };
        let cookie = format!("a=b; {}=mark", named("state"));
        let other = format!("{}=mark", named("other"));
        for marks in [("sec-fetch-site", "none"), ("sec-fetch-mode", "navigate"), ("user-agent", "Mozilla/5.0 (X11)")] {
            assert_eq!(seen(&[marks]), (None, true), "{marks:?}");
            assert_eq!(seen(&[marks, ("cookie", &other)]), (None, true), "{marks:?}");
            assert_eq!(seen(&[marks, ("cookie", &cookie)]), (Some("mark".to_owned()), true), "{marks:?}");
        }
        assert_eq!(seen(&[("user-agent", "curl/8.5.0")]), (None, false));
        assert_eq!(seen(&[]), (None, false));
    }
}
