//! Why a request is not let in. The peer gets a status and nothing else; the operator finds each reason counted.

use std::sync::Arc;

use axum::Extension;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};

use crate::app::App;
use crate::metrics::Metrics;

/// One reason.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Refusal {
    /// Not signed by whom it should be, or not now.
    Unsigned,
    /// Seen before.
    Replayed,
    /// More bytes than this door takes.
    TooLarge,
    /// Signed, and not of the form that is read here.
    Shape,
    /// The body did not come in time, or there was no room for it.
    Slow,
    /// The body ended before its end.
    Cut,
    /// There is no secret to check signatures with.
    NotSetUp,
    /// The store is away; it is to be delivered again.
    NotNow,
}

impl Refusal {
    fn status(self) -> StatusCode {
        match self {
            Self::Unsigned | Self::Replayed => StatusCode::UNAUTHORIZED,
            Self::TooLarge => StatusCode::PAYLOAD_TOO_LARGE,
            Self::Shape | Self::Cut => StatusCode::BAD_REQUEST,
            Self::Slow => StatusCode::REQUEST_TIMEOUT,
            Self::NotSetUp => StatusCode::NOT_FOUND,
            Self::NotNow => StatusCode::SERVICE_UNAVAILABLE,
        }
    }

    fn word(self) -> &'static str {
        match self {
            Self::Unsigned => "unsigned",
            Self::Replayed => "replayed",
            Self::TooLarge => "too_large",
            Self::Shape => "shape",
            Self::Slow => "slow",
            Self::Cut => "cut",
            Self::NotSetUp => "not_set_up",
            Self::NotNow => "not_now",
        }
    }
}

impl IntoResponse for Refusal {
    fn into_response(self) -> Response {
        (self.status(), Extension(self)).into_response()
    }
}

/// The routes of one vendor.
#[derive(Clone)]
pub(super) struct Door {
    name: &'static str,
    metrics: Arc<Metrics>,
}

impl Door {
    pub(super) fn new(name: &'static str, app: &App) -> Self {
        Self { name, metrics: Arc::clone(&app.metrics) }
    }
}

/// Counts what a door refused.
pub(super) async fn count(State(door): State<Door>, response: Response) -> Response {
    if let Some(refusal) = response.extensions().get::<Refusal>() {
        door.metrics.refused(door.name, refusal.word());
    }
    response
}
