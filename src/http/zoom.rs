//! Zoom's door in: read, check the signature, decode, hand over. Answered within one round trip to the store.

use axum::Json;
use axum::body::Body;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse as _, Response};

use super::body::{Room, let_pass};
use super::refusal::Refusal;
use crate::app::App;
use crate::usecase::report::{self, Taken};
use crate::zoom::inbound::{self, Claim, Incoming, MAX_BODY, Unverified};

/// `POST /zoom/webhooks`; not there without a secret to check signatures with.
pub(super) async fn webhook(
    State(app): State<App>,
    State(room): State<Room>,
    headers: HeaderMap,
    body: Body,
) -> Result<Response, Refusal> {
    if app.zoom.webhook_secrets().is_empty() {
        return Err(Refusal::NotSetUp);
    }
    match incoming(&app, &room, &headers, body).await? {
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

/// What came, without the bytes that it came in. A request whose headers alone tell that it is not signed has none of its
/// bytes kept.
async fn incoming(app: &App, room: &Room, headers: &HeaderMap, body: Body) -> Result<Incoming, Refusal> {
    let now = app.clock.now();
    let claim = match Claim::read(headers, now) {
        Ok(claim) => claim,
        Err(error) => return Err(let_pass(body, MAX_BODY, unsigned(error)).await),
    };
    let body = room.read(body, MAX_BODY).await?;
    let verified = claim.check(app.zoom.webhook_secrets(), &body).map_err(unsigned)?;
    report::proven(app);
    let incoming = inbound::decode(&verified, headers, now).map_err(|error| {
        tracing::warn!(%error, "a signed webhook of the wrong shape");
        Refusal::Shape
    })?;
    app.metrics.webhook(incoming.event());
    Ok(incoming)
}

fn unsigned(error: Unverified) -> Refusal {
    tracing::warn!(%error, "a webhook was refused");
    Refusal::Unsigned
}
