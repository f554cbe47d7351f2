//! What any handler must do: the other side of every ratio. Each runs in a process of its own, as OnAir does.

use std::collections::HashMap;
use std::sync::Arc;

use axum::Router;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse as _, Response};
use axum::routing::post;
use hmac::{Hmac, KeyInit as _, Mac as _};
use redis::AsyncCommands as _;
use redis::aio::ConnectionManager;
use sha2::Sha256;
use url::form_urlencoded;

use crate::drive::{SIGNING_SECRET, USER};

/// The first argument of such a process.
pub(crate) const WORD: &str = "bare";

/// Serves `ack`, `accept`, or `trip` with the addresses of Redis and of Zoom, until it is killed.
pub(crate) async fn serve(what: &str, rest: &[&str]) {
    let app = match (what, rest) {
        ("ack", []) => Router::new().route("/slack/commands", post(ack)),
        ("accept", []) => Router::new().route("/slack/commands", post(accept)),
        ("trip", [redis, zoom]) => {
            let mut redis = redis::Client::open(*redis).unwrap().get_connection_manager().await.unwrap();
            let () = redis.set(token_of(USER), "access".repeat(100)).await.unwrap();
            let http = reqwest::Client::builder().no_proxy().build().unwrap();
            let doors = Arc::new(Doors { redis, http, zoom: (*zoom).to_owned() });
            Router::new().route("/slack/commands", post(trip)).with_state(doors)
        }
        other => panic!("{other:?}"),
    };
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    println!("{}", listener.local_addr().unwrap());
    axum::serve(listener, app).await.unwrap();
}

/// Verifies, parses and answers.
async fn ack(headers: HeaderMap, body: Bytes) -> Response {
    let Some(form) = verified(&headers, &body) else { return StatusCode::UNAUTHORIZED.into_response() };
    let answer = serde_json::json!({ "response_type": "ephemeral", "text": form["text"] });
    axum::Json(answer).into_response()
}

/// Verifies, parses and answers with nothing.
async fn accept(headers: HeaderMap, body: Bytes) -> StatusCode {
    let is_start = |form: HashMap<String, String>| form["text"].starts_with("start ");
    if verified(&headers, &body).is_some_and(is_start) { StatusCode::OK } else { StatusCode::UNAUTHORIZED }
}

fn token_of(user: &str) -> String {
    format!("token:{user}")
}

struct Doors {
    redis: ConnectionManager,
    http: reqwest::Client,
    zoom: String,
}

/// Verifies, parses and answers, and then reads a token, asks Zoom and tells Slack.
async fn trip(State(doors): State<Arc<Doors>>, headers: HeaderMap, body: Bytes) -> StatusCode {
    let Some(form) = verified(&headers, &body) else { return StatusCode::UNAUTHORIZED };
    tokio::spawn(async move {
        let token: String = doors.redis.clone().get(token_of(&form["user_id"])).await.unwrap();
        let meeting = form["text"].split(' ').nth(1).unwrap();
        let url = format!("{}/meetings/{meeting}/livestream/status", doors.zoom);
        let order = serde_json::json!({ "action": "start", "settings": { "display_name": "Keynote" } });
        let order = doors.http.patch(url).bearer_auth(token).json(&order);
        let status = order.send().await.unwrap().status();
        let answer = serde_json::json!({ "response_type": "in_channel", "text": format!("{meeting}: {status}") });
        doors.http.post(&form["response_url"]).json(&answer).send().await.unwrap();
    });
    StatusCode::OK
}

fn verified(headers: &HeaderMap, body: &[u8]) -> Option<HashMap<String, String>> {
    let text = |name: &str| headers.get(name)?.to_str().ok();
    let claimed = hex::decode(text("x-slack-signature")?.strip_prefix("v0=")?).ok()?;
    let mut mac = Hmac::<Sha256>::new_from_slice(SIGNING_SECRET.as_bytes()).ok()?;
    for part in [b"v0:", text("x-slack-request-timestamp")?.as_bytes(), b":", body] {
        mac.update(part);
    }
    mac.verify_slice(&claimed).ok()?;
    Some(form_urlencoded::parse(body).into_owned().collect())
}
