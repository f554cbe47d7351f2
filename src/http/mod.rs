//! Sockets, routes, statuses. Nothing here has an opinion: read at most so many bytes, check, hand over, answer.

mod body;
mod cookie;
mod install;
mod metrics;
mod oauth;
mod page;
mod refusal;
mod setup;
mod slack;
mod socket;
mod zoom;

use std::future::Future;
use std::net::SocketAddr;
use std::time::Duration;

use axum::Json;
use axum::Router;
use axum::extract::{FromRef, State};
use axum::http::StatusCode;
use axum::middleware::{map_response, map_response_with_state};
use axum::response::{IntoResponse as _, Response};
use axum::routing::{get, post};
use hyper_util::server::graceful::GracefulShutdown;
use tokio::net::TcpListener;
use tower_http::catch_panic::CatchPanicLayer;

use self::body::Room;
use self::refusal::Door;
use self::socket::Socket;
use crate::app::App;
use crate::command::DEFAULT_COMMAND;
use crate::reply::Page;
use crate::usecase;

/// The sockets' settings.
#[derive(Clone, Debug)]
pub struct Options {
    /// Where to listen.
    pub listen: SocketAddr,
    /// Where to tell metrics.
    pub metrics: MetricsListen,
    /// How long work in flight may take once the service is told to stop.
    pub drain: Duration,
}

/// Where metrics are told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MetricsListen {
    /// Nowhere.
    Off,
    /// At the address that nobody chose, unless another instance on this machine has it.
    Default(SocketAddr),
    /// At this one.
    At(SocketAddr),
}

/// How many connections there may be at once; the next one waits in the system's queue.
const CONNECTIONS: usize = 1024;

/// The same for those who scrape metrics, which costs the store two operations each time.
const SCRAPERS: usize = 16;

/// What the routes have in hand.
#[derive(Clone)]
struct Hand {
    app: App,
    room: Room,
}

impl FromRef<Hand> for App {
    fn from_ref(hand: &Hand) -> Self {
        hand.app.clone()
    }
}

impl FromRef<Hand> for Room {
    fn from_ref(hand: &Hand) -> Self {
        hand.room.clone()
    }
}

/// Every public route.
pub fn router(app: App) -> Router {
    let slack = Router::new()
        .route("/slack/commands", post(slack::command))
        .route("/slack/interactions", post(slack::interaction))
        .route("/slack/events", post(slack::event))
        .route_layer(map_response_with_state(Door::new("slack", &app), refusal::count));
    let zoom = Router::new()
        .route("/zoom/webhooks", post(zoom::webhook))
        .route_layer(map_response_with_state(Door::new("zoom", &app), refusal::count));
    let open = Router::new()
        .route("/", get(landing))
        .route("/healthz", get(|| async { "ok\n" }))
        .route("/readyz", get(ready))
        .route("/slack/install", get(install::begin).head(oauth::only_get))
        .route("/slack/oauth/callback", get(install::callback).head(oauth::only_get))
        .route("/zoom/connect", get(oauth::confirm))
        .route("/zoom/oauth/callback", get(oauth::callback).head(oauth::only_get))
        .route("/zoom/setup", get(setup::show).post(setup::submit).head(setup::no_head))
        // Anybody may ask these.
        .route_layer(map_response(socket::end));
    let hand = Hand { app, room: Room::new() };
    open.merge(slack).merge(zoom).layer(CatchPanicLayer::custom(panicked)).with_state(hand)
}

/// Serves until told to stop: then accepts nothing new, lets requests and their work end, and tells what was cut off.
pub async fn serve(app: App, listener: TcpListener, drain: Duration, stop: impl Future<Output = ()>) {
    let service = router(app.clone());
    drop(app.spawn(usecase::take_over(app.clone())));
    drop(app.spawn(usecase::reseal(app.clone())));
    drop(app.spawn(usecase::warn_of_unused(app.clone())));
    drop(app.spawn(usecase::retain(app.clone())));
    drop(app.spawn(usecase::announce(app.clone())));
    let graceful = GracefulShutdown::new();
    Socket::new(listener, service, CONNECTIONS).accept(&app, &graceful, stop).await;
    app.stop();
    tracing::info!("stopping: no new requests");
    let end = tokio::time::Instant::now() + drain;
    // What is left after the deadline is told below.
    let _ = tokio::time::timeout_at(end, graceful.shutdown()).await;
    let cut_off = app.drain(end.saturating_duration_since(tokio::time::Instant::now())).await;
    if cut_off == 0 {
        tracing::info!("stopped");
    } else {
        tracing::warn!(cut_off, "stopped with work unfinished");
    }
}

/// Tells metrics, beside [`serve`] and until that stops.
pub fn serve_metrics(app: &App, listener: TcpListener) {
    let inner = app.clone();
    drop(app.spawn(async move {
        let graceful = GracefulShutdown::new();
        let socket = Socket::new(listener, metrics::router(inner.clone()), SCRAPERS);
        socket.accept(&inner, &graceful, inner.stopping()).await;
        graceful.shutdown().await;
    }));
}

async fn landing(State(app): State<App>) -> Response {
    page::show(&Page::Landing { can_be_installed: app.slack.can_be_installed() }, DEFAULT_COMMAND)
}

/// Ready means that a command would be accepted now.
async fn ready(State(app): State<App>) -> Response {
    let store = app.store.ping().await;
    let status = if store.is_ok() { StatusCode::OK } else { StatusCode::SERVICE_UNAVAILABLE };
    let reason = store.as_ref().err().map(|error| usecase::chain(error));
    let body = serde_json::json!({
        "ready": store.is_ok(),
        "checks": { "store": { "ok": store.is_ok(), "reason": reason } },
    });
    (status, Json(body)).into_response()
}

fn panicked(_: Box<dyn std::any::Any + Send>) -> Response {
    tracing::error!("a request handler panicked");
    StatusCode::INTERNAL_SERVER_ERROR.into_response()
}
