//! The page of `setup`: read the form, see that it comes from our own page, hand over.
//!
//! A browser that opened the page shows a cookie with a value that nobody else can know: whoever has the link alone, in
//! whatever program, gets nothing.

use axum::body::Body;
use axum::extract::rejection::QueryRejection;
use axum::extract::{Query, State};
use axum::http::header::{ALLOW, CACHE_CONTROL, CONTENT_TYPE, LOCATION, ORIGIN, REFERRER_POLICY, SET_COOKIE};
use axum::http::{HeaderMap, HeaderValue, StatusCode};
use axum::response::{IntoResponse as _, Response};
use serde::Deserialize;
use url::form_urlencoded;

use super::body::Room;
use super::cookie::Name;
use super::page;
use super::refusal::Refusal;
use crate::app::App;
use crate::command::DEFAULT_COMMAND;
use crate::destination::{Field, Resolution, Typed};
use crate::grant::StateToken;
use crate::reply::{Page, SetupPage, Tried};
use crate::secret::Secret;
use crate::usecase::setup::{self, Opened};

/// Three fields of 1024 characters at most, each of them written as up to twelve bytes, and room to be told more.
const MAX_BODY: usize = 64 * 1024;

/// What the page is asked for with.
#[derive(Default, Deserialize)]
pub(super) struct Parameters {
    state: Option<String>,
}

/// `GET /zoom/setup?state=…`
pub(super) async fn show(
    State(app): State<App>,
    headers: HeaderMap,
    given: Result<Query<Parameters>, QueryRejection>,
) -> Response {
    let given = given.map_or_else(|_| Parameters::default(), |Query(given)| given);
    let state = StateToken::new(given.state.unwrap_or_default());
    let shown = setup::show(&app, &state, mark(&app, &headers, &state).as_ref()).await;
    page::show(&shown.page, &shown.command)
}

/// `POST /zoom/setup`: the yes of the first page, or the form.
pub(super) async fn submit(
    State(app): State<App>,
    State(room): State<Room>,
    headers: HeaderMap,
    body: Body,
) -> Result<Response, Refusal> {
    let body = room.read(body, MAX_BODY).await?;
    if !is_form(&headers) {
        return Err(Refusal::Shape);
    }
    if !is_ours(&headers, &app.options.base_url) {
        tracing::warn!("a form of another site was refused");
        return Ok(page::show(&Page::Setup(SetupPage::Foreign), DEFAULT_COMMAND));
    }
    let Form { state, step, typed } = Form::read(&body).ok_or(Refusal::Shape)?;
    let mark = mark(&app, &headers, &state);
    match step {
        Step::Open => Ok(match setup::open(&app, &state, mark).await {
            Opened::Here(mark) => opened(&app, &state, &mark),
            Opened::Not(shown) => page::show(&shown.page, &shown.command),
        }),
        Step::Save => {
            let shown = setup::save(&app, state, mark, typed).await;
            let mut response = page::show(&shown.page, &shown.command);
            if is_used_up(&shown.page) {
                response.headers_mut().insert("clear-site-data", HeaderValue::from_static("\"cache\""));
            }
            Ok(response)
        }
    }
}

/// Whether there is nothing to go back to. A browser may keep a page for that as it was left, in spite of `no-store` and
/// with the key in its field, until it is told not to.
///
/// [Back/forward cache](https://web.dev/articles/bfcache), [Clear-Site-Data](https://www.w3.org/TR/clear-site-data/)
fn is_used_up(page: &Page) -> bool {
    let Page::Setup(page) = page else { return false };
    match page {
        SetupPage::Done { .. } | SetupPage::NotDone { tried: Tried::Set, .. } | SetupPage::Denied(_) => true,
        SetupPage::Over | SetupPage::Broken { .. } => true,
        SetupPage::Confirm { .. } | SetupPage::Form(_) | SetupPage::NotDone { tried: Tried::Read, .. } => false,
        SetupPage::OtherBrowser | SetupPage::Foreign | SetupPage::StoreAway => false,
    }
}

/// Whoever only asks whether the page is there is not told.
pub(super) async fn no_head() -> Response {
    (StatusCode::METHOD_NOT_ALLOWED, [(ALLOW, "GET,POST")]).into_response()
}

/// Back to the page, which from now on is this browser's.
fn opened(app: &App, state: &StateToken, mark: &Secret) -> Response {
    let cookie = Name::new(PURPOSE, state, &app.options.base_url).set(mark.expose());
    let location = format!("/zoom/setup?state={}", state.expose());
    let fixed = [(CACHE_CONTROL, "no-store"), (REFERRER_POLICY, "no-referrer")];
    let mut response = (StatusCode::SEE_OTHER, fixed, [(LOCATION, location)]).into_response();
    response.headers_mut().extend(cookie.map(|cookie| (SET_COOKIE, cookie)));
    response
}

const PURPOSE: &str = "setup";

fn mark(app: &App, headers: &HeaderMap, state: &StateToken) -> Option<Secret> {
    Name::new(PURPOSE, state, &app.options.base_url).mark(headers)
}

fn is_form(headers: &HeaderMap) -> bool {
    let kind = headers.get(CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    kind.split(';').next().unwrap_or_default().trim().eq_ignore_ascii_case("application/x-www-form-urlencoded")
}

/// Whether a form may have been sent by a page of this service. Every browser of today says so; `Origin` speaks for
/// others, and is `null` in those that do, because our pages give no referrer. What says neither is no browser, and nobody
/// can make it send a form behind somebody's back; the cookie and the state, which only our page has, are asked of it too.
///
/// [Fetch Metadata](https://www.w3.org/TR/fetch-metadata/),
/// [Origin](https://fetch.spec.whatwg.org/#append-a-request-origin-header)
fn is_ours(headers: &HeaderMap, base_url: &str) -> bool {
    let said = |name: &str| headers.get(name).map(HeaderValue::as_bytes);
    match (said("sec-fetch-site"), said(ORIGIN.as_str())) {
        (Some(site), _) => site == b"same-origin",
        (None, Some(origin)) => origin == base_url.as_bytes(),
        (None, None) => true,
    }
}

/// What a form is for.
enum Step {
    Open,
    Save,
}

struct Form {
    state: StateToken,
    step: Step,
    typed: Typed,
}

impl Form {
    /// Reads the fields, each of them once. What is not of the form makes it none.
    fn read(body: &[u8]) -> Option<Self> {
        let (mut state, mut step, mut resolution) = (None, None, None);
        let (mut stream_url, mut stream_key, mut page_url) = (None, None, None);
        for (name, value) in form_urlencoded::parse(body) {
            let place = match (name.as_ref(), Field::named(&name)) {
                (_, Some(Field::StreamUrl)) => &mut stream_url,
                (_, Some(Field::StreamKey)) => &mut stream_key,
                (_, Some(Field::PageUrl)) => &mut page_url,
                ("state", None) => &mut state,
                ("step", None) => &mut step,
                ("resolution", None) => &mut resolution,
                _ => return None,
            };
            if place.replace(Secret::new(value)).is_some() {
                return None;
            }
        }
        let step = match step?.expose() {
            "open" => Step::Open,
            "save" => Step::Save,
            _ => return None,
        };
        let resolution = match resolution {
            Some(word) => Some(Resolution::from_word(word.expose())?),
            None => None,
        };
        let typed = Typed {
            stream_url: stream_url.unwrap_or_default(),
            stream_key: stream_key.unwrap_or_default(),
            page_url: page_url.unwrap_or_default(),
            resolution,
        };
        Some(Self { state: StateToken::new(state?.expose()), step, typed })
    }
}

#[cfg(test)]
mod tests {
    use axum::http::HeaderName;

    use super::*;

    #[test]
    fn a_form_is_ours_if_the_browser_says_so() {
        let check = |pairs: &[(&'static str, &'static str)], expected: bool| {
            let headers =
                pairs.iter().map(|(name, value)| (HeaderName::from_static(name), HeaderValue::from_static(value)));
            assert_eq!(is_ours(&headers.collect(), "https://onair.example.com"), expected, "{pairs:?}");
        };
        check(&[("sec-fetch-site", "same-origin")], true);
        check(&[("sec-fetch-site", "same-origin"), ("origin", "null")], true);
        check(&[("origin", "https://onair.example.com")], true);
        for site in ["same-site", "cross-site", "none", ""] {
            check(&[("sec-fetch-site", site), ("origin", "https://onair.example.com")], false);
        }
        for origin in ["null", "https://onair.example.com.evil.example", "http://onair.example.com", ""] {
            check(&[("origin", origin)], false);
        }
        check(&[], true);
    }

    #[test]
    fn a_form_has_each_field_once_and_no_others() {
        let read = |body: &str| Form::read(body.as_bytes());
        let form = read("state=s&step=save&stream_key=a%26b%3D+c&resolution=1080p").unwrap();
        assert_eq!((form.state.expose(), form.typed.stream_key.expose()), ("s", "a&b= c"));
        assert_eq!(form.typed.resolution, Some(Resolution::FullHd));
        assert!(matches!(read("step=open&state=s").unwrap().step, Step::Open));
        for none in [
            "",
            "state=s",
            "step=open",
            "state=s&step=delete",
            "state=s&state=t&step=open",
            "state=s&step=save&stream_key=a&stream_key=b",
            "state=s&step=save&resolution=4k",
            "state=s&step=save&other=1",
            "{\"state\":\"s\"}",
        ] {
            assert!(read(none).is_none(), "{none}");
        }
    }
}
