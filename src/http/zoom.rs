//! Zoom's door in: read, check the signature, decode, hand over. Answered within one round trip to the store.

use axum::Json;
use axum::body::Body;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse as _, Response};

use super::read;
use super::refusal::Refusal;
use crate::app::App;
use crate::usecase::report::{self, Taken};
use crate::zoom::inbound::{self, Incoming, MAX_BODY};

/// `POST /zoom/webhooks`; not there without a secret to check signatures with.
pub(super) async fn webhook(State(app): State<App>, headers: HeaderMap, body: Body) -> Result<Response, Refusal> {
    let secrets = app.zoom.webhook_secrets();
    if secrets.is_empty() {
        return Err(Refusal::NotSetUp);
    }
    let body = read(body, MAX_BODY).await?;
    let now = app.clock.now();
    let verified = inbound::verify(secrets, &headers, &body, now).map_err(|error| {
        tracing::warn!(%error, "a webhook was refused");
        Refusal::Unsigned
    })?;
    report::proven(&app);
    let incoming = inbound::decode(&verified, &headers, now).map_err(|error| {
        tracing::warn!(%error, "a signed webhook of the wrong shape");
        Refusal::Shape
    })?;
    app.metrics.webhook(incoming.event());
    match incoming {
        Incoming::Validation { plain_token, encrypted_token } => {
            let answer = serde_json::json!({ "plainToken": plain_token, "encryptedToken": encrypted_token });
            Ok(Json(answer).into_response())
        }
        Incoming::Other { event } => {
            tracing::info!(event, "Zoom reported something that means nothing here");
            Ok(StatusCode::OK.into_response())
        }
        Incoming::Report { delivery, report, .. } => match report::receive(&app, &delivery, report).await {
            Taken::Yes => Ok(StatusCode::OK.into_response()),
            // Zoom delivers again what was answered so.
            Taken::NotNow => Err(Refusal::NotNow),
        },
    }
}
