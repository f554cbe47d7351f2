//! The two routes of Slack's OAuth: where an installation begins, and Slack's way back from installing and signing in.

use axum::extract::rejection::QueryRejection;
use axum::extract::{Query, State};
use axum::http::HeaderMap;
use axum::http::header::SET_COOKIE;
use axum::response::Response;
use serde::Deserialize;

use super::cookie::Name;
use super::oauth::{self, Given};
use super::page;
use crate::app::App;
use crate::command::DEFAULT_COMMAND;
use crate::installation::Extent;
use crate::reply::Page;
use crate::usecase::install::{self, Next};
use crate::usecase::link::{self, SignedIn};

const PURPOSE: &str = "install";

/// What an installation may be begun with.
#[derive(Default, Deserialize)]
pub(super) struct Parameters {
    /// `commands`: the slash command alone.
    only: Option<String>,
}

/// `GET /slack/install`
pub(super) async fn begin(State(app): State<App>, given: Result<Query<Parameters>, QueryRejection>) -> Response {
    let only = given.ok().and_then(|Query(given)| given.only);
    let extent = if only.as_deref() == Some("commands") { Extent::CommandsOnly } else { Extent::Whole };
    match install::begin(&app, extent) {
        Next::Slack { url, state, mark } => {
            let mut response = page::redirect(&url);
            let cookie = Name::new(PURPOSE, &state, &app.options.base_url).set(mark.expose());
            response.headers_mut().extend(cookie.map(|cookie| (SET_COOKIE, cookie)));
            response
        }
        Next::Not(shown) => page::show(&Page::Install(shown), DEFAULT_COMMAND),
    }
}

/// `GET /slack/oauth/callback?state=…&code=…`, or with `error=…` where the person said no.
pub(super) async fn callback(State(app): State<App>, headers: HeaderMap, given: Given) -> Response {
    let Some((state, answer)) = oauth::read(given) else { return page::show(&Page::LinkOver, DEFAULT_COMMAND) };
    let base_url = &app.options.base_url;
    let begun_here = Name::new(PURPOSE, &state, base_url).mark(&headers);
    if let Some(shown) = install::came_back(&app, &state, &answer, begun_here).await {
        return page::show(&Page::Install(shown), DEFAULT_COMMAND);
    }
    let mark = Name::new(oauth::PURPOSE, &state, base_url).mark(&headers);
    match link::signed_in(&app, &state, answer, mark).await {
        SignedIn::On(url) => page::redirect(&url),
        SignedIn::Not(shown) => page::show(&shown.page, &shown.command),
    }
}
