//! The two pages of account linking: before Zoom and after it.
//!
//! The browser that shows the confirm page gets a cookie named after the state. A browser that comes back from Zoom
//! without it was sent there by somebody else's link, past the page that names the Slack user, and links nothing.

use axum::extract::{Query, State};
use axum::http::header::{COOKIE, SET_COOKIE};
use axum::http::{HeaderMap, HeaderValue, StatusCode};
use axum::response::Response;
use serde::Deserialize;
use sha2::{Digest as _, Sha256};

use super::page;
use crate::app::App;
use crate::grant::StateToken;
use crate::reply::Page;
use crate::secret::Secret;
use crate::usecase::link::{self, Browser, Callback};

/// What either page may be called with; whatever is missing is treated as a link that is over.
#[derive(Deserialize)]
pub(super) struct Parameters {
    state: Option<String>,
    code: Option<String>,
    error: Option<String>,
}

/// `GET /zoom/connect?state=…`
pub(super) async fn confirm(State(app): State<App>, Query(given): Query<Parameters>) -> Response {
    let state = StateToken::new(given.state.unwrap_or_default());
    let shown = link::confirm(&app, &state).await;
    let mut response = page::show(status(&shown.page), &shown.page, &shown.command);
    if matches!(shown.page, Page::ConfirmConnect { .. })
        && let Ok(cookie) = HeaderValue::from_str(&set_cookie(&app, &state))
    {
        response.headers_mut().append(SET_COOKIE, cookie);
    }
    response
}

/// `GET /zoom/oauth/callback?state=…&code=…`, or with `error=…` where the person said no.
pub(super) async fn callback(State(app): State<App>, headers: HeaderMap, Query(given): Query<Parameters>) -> Response {
    let state = StateToken::new(given.state.unwrap_or_default());
    let code = given.code.filter(|code| !code.is_empty() && given.error.is_none()).map(Secret::new);
    let browser = browser(&headers, &state);
    let shown = link::callback(&app, Callback { state, code, browser }).await;
    page::show(status(&shown.page), &shown.page, &shown.command)
}

/// Every browser of today says with `Sec-Fetch-Site` that it is one, and then it must show the cookie. What is no
/// browser cannot be led here against its will. ([Fetch Metadata](https://www.w3.org/TR/fetch-metadata/))
fn browser(headers: &HeaderMap, state: &StateToken) -> Browser {
    let wanted = format!("{}=1", cookie_name(state));
    let cookies = headers.get_all(COOKIE).iter().filter_map(|value| value.to_str().ok());
    let confirmed = cookies.flat_map(|line| line.split(';')).any(|cookie| cookie.trim() == wanted);
    if confirmed || !headers.contains_key("sec-fetch-site") { Browser::Confirmed } else { Browser::Other }
}

fn set_cookie(app: &App, state: &StateToken) -> String {
    let secure = if app.options.base_url.starts_with("https:") { "; Secure" } else { "" };
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
