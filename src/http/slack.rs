//! Slack's three doors in: read, check the signature, decode, hand over.
//!
//! No header is looked at before the body is there: `ssl_check` is not sure to have the two that sign, and no body here is
//! larger than what each has for itself.

use axum::Json;
use axum::body::Body;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse as _, Response};

use super::body::Room;
use super::refusal::Refusal;
use super::socket;
use crate::app::App;
use crate::id::Reference;
use crate::slack::inbound::{self, Event, Interaction, MAX_BODY, Verified};
use crate::slack::{modal, render};
use crate::usecase::removal::{self, Received};
use crate::usecase::{self, Pressed, Receipt};

/// `POST /slack/commands`
pub(super) async fn command(
    State(app): State<App>,
    State(room): State<Room>,
    headers: HeaderMap,
    body: Body,
) -> Result<Response, Refusal> {
    let body = room.read(body, MAX_BODY).await?;
    if inbound::is_ssl_check(&body) {
        // Anybody may ask this.
        return Ok(socket::end(StatusCode::OK.into_response()).await);
    }
    let verified = verify(&app, &headers, &body)?;
    let hooks_url = &app.slack.options().hooks_url;
    let decoded = inbound::decode_command(&verified, &headers, hooks_url, Reference::random(), app.clock.now());
    let invocation = decoded.map_err(bad_shape)?;
    match usecase::receive(&app, &verified.delivery(), invocation).await {
        Receipt::Replayed => Err(Refusal::Replayed),
        Receipt::Answer(message) => Ok(Json(render::response(&message)).into_response()),
        Receipt::Later => Ok(StatusCode::OK.into_response()),
    }
}

/// `POST /slack/interactions`: a press of a button. It is acknowledged at once, else Slack shows an error beside it; what
/// comes of it is told at the press's own `response_url`. Or a form that was sent: what is wrong with it is the answer.
pub(super) async fn interaction(
    State(app): State<App>,
    State(room): State<Room>,
    headers: HeaderMap,
    body: Body,
) -> Result<Response, Refusal> {
    let body = room.read(body, MAX_BODY).await?;
    let verified = verify(&app, &headers, &body)?;
    let hooks_url = &app.slack.options().hooks_url;
    let decoded = inbound::decode_interaction(&verified, &headers, hooks_url, Reference::random(), app.clock.now());
    let pressed = match decoded.map_err(bad_shape)? {
        Interaction::Press(invocation) => usecase::receive_press(&app, &verified.delivery(), *invocation).await,
        Interaction::Form(submission) => {
            refuse_replay(&app, &verified).await?;
            let faults = usecase::submit(&app, *submission).await;
            // Nothing but an empty answer closes the form.
            let is_saved = faults.is_empty();
            let errors = || Json(modal::faults(faults)).into_response();
            return Ok(if is_saved { StatusCode::OK.into_response() } else { errors() });
        }
        Interaction::Home(person) => {
            refuse_replay(&app, &verified).await?;
            usecase::home::publish(&app, &person);
            Pressed::Acknowledged
        }
        Interaction::Nothing => {
            refuse_replay(&app, &verified).await?;
            Pressed::Acknowledged
        }
    };
    match pressed {
        Pressed::Replayed => Err(Refusal::Replayed),
        Pressed::Acknowledged => Ok(StatusCode::OK.into_response()),
    }
}

/// `POST /slack/events`: what Slack tells of itself. Where the store is away it is to be told again, except that somebody
/// opened their Home, which they do again.
pub(super) async fn event(
    State(app): State<App>,
    State(room): State<Room>,
    headers: HeaderMap,
    body: Body,
) -> Result<Response, Refusal> {
    let body = room.read(body, MAX_BODY).await?;
    let verified = verify(&app, &headers, &body)?;
    let event = inbound::decode_event(&verified, &headers).map_err(bad_shape)?;
    let removal = match event {
        Event::UrlVerification { challenge } => {
            refuse_replay(&app, &verified).await?;
            return Ok(challenge.into_response());
        }
        Event::HomeOpened(person) => {
            refuse_replay(&app, &verified).await?;
            usecase::home::publish(&app, &person);
            return Ok(StatusCode::OK.into_response());
        }
        Event::Other => {
            refuse_replay(&app, &verified).await?;
            return Ok(StatusCode::OK.into_response());
        }
        Event::Removed(removal) => removal,
    };
    match removal::receive(&app, &verified.delivery(), removal).await {
        Received::Yes => Ok(StatusCode::OK.into_response()),
        Received::Replayed => Err(Refusal::Replayed),
        Received::NotNow => Err(Refusal::NotNow),
    }
}

fn verify<'a>(app: &App, headers: &HeaderMap, body: &'a [u8]) -> Result<Verified<'a>, Refusal> {
    inbound::verify(&app.slack.options().signing_secrets, headers, body, app.clock.now()).map_err(|error| {
        tracing::warn!(%error, "a request was refused");
        Refusal::Unsigned
    })
}

async fn refuse_replay(app: &App, verified: &Verified<'_>) -> Result<(), Refusal> {
    if usecase::is_replay(app, &verified.delivery()).await { Err(Refusal::Replayed) } else { Ok(()) }
}

fn bad_shape(error: inbound::BadShape) -> Refusal {
    tracing::warn!(%error, "a signed request of the wrong shape");
    Refusal::Shape
}
