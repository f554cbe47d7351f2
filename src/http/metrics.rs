//! `GET /metrics`, on a socket of its own: whoever reads it is nobody whom the public listener lets in.

use axum::Router;
use axum::extract::State;
use axum::http::StatusCode;
use axum::http::header::CONTENT_TYPE;
use axum::response::{IntoResponse as _, Response};
use axum::routing::get;

use crate::app::App;
use crate::metrics::{self, Journal, Now};
use crate::usecase;

/// The one route. Everything else is not found, another method of this path included.
pub(super) fn router(app: App) -> Router {
    let nothing = || async { StatusCode::NOT_FOUND };
    Router::new().route("/metrics", get(scrape).head(nothing).fallback(nothing)).with_state(app)
}

/// Over within the store's deadline, whether or not the store answers.
async fn scrape(State(app): State<App>) -> Response {
    let (pinged, waiting) = tokio::join!(app.store.ping(), app.store.waiting());
    if let Err(error) = pinged.as_ref().and(waiting.as_ref()) {
        tracing::debug!(error = usecase::chain(error), "a scrape without all of the store's figures");
    }
    let journal = waiting.ok().map(|waiting| Journal {
        jobs: waiting.open,
        claimable: waiting.claimable,
        overdue: waiting.oldest.unwrap_or_default(),
    });
    let now = Now {
        places: app.options.queue,
        places_in_use: app.places_in_use(),
        permits: app.options.permits,
        permits_in_use: app.permits_in_use(),
        store_is_up: pinged.is_ok(),
        journal,
    };
    ([(CONTENT_TYPE, metrics::CONTENT_TYPE)], app.metrics.text(&now)).into_response()
}
