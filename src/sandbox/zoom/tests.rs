use std::time::Duration;

use base64::Engine as _;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};

use super::*;

mod events;
mod streams;
mod targets;

const REDIRECT: &str = "https://onair.test/zoom/oauth/callback";
const VERIFIER: &str = "a-verifier-of-at-least-forty-three-characters-0001";

async fn zoom() -> SimZoom {
    let zoom = SimZoom::start("client", "secret").await.unwrap();
    zoom.allow_redirect(REDIRECT);
    zoom
}

fn client() -> reqwest::Client {
    let builder = reqwest::Client::builder().no_proxy().timeout(Duration::from_secs(5));
    builder.redirect(reqwest::redirect::Policy::none()).build().unwrap()
}

async fn authorize(zoom: &SimZoom, changes: &[(&str, &str)]) -> reqwest::Response {
    let challenge = BASE64_URL_SAFE_NO_PAD.encode(Sha256::digest(VERIFIER));
    let mut query = vec![
        ("response_type", "code"),
        ("client_id", "client"),
        ("redirect_uri", REDIRECT),
        ("state", "s1"),
        ("code_challenge", challenge.as_str()),
        ("code_challenge_method", "S256"),
    ];
    for (key, value) in changes {
        query.retain(|(known, _)| known != key);
        query.push((key, value));
    }
    client().get(format!("{}/authorize", zoom.oauth_url())).query(&query).send().await.unwrap()
}

async fn a_code(zoom: &SimZoom) -> String {
    let response = authorize(zoom, &[]).await;
    assert_eq!(response.status().as_u16(), 302);
    let location = url::Url::parse(response.headers()["location"].to_str().unwrap()).unwrap();
    location.query_pairs().find(|(key, _)| key == "code").unwrap().1.into_owned()
}

async fn token(zoom: &SimZoom, form: &[(&str, &str)]) -> (u16, Value) {
    let url = format!("{}/token", zoom.oauth_url());
    let response = client().post(url).basic_auth("client", Some("secret")).form(form).send().await.unwrap();
    (response.status().as_u16(), response.json().await.unwrap())
}

async fn redeem(zoom: &SimZoom, code: &str, verifier: &str) -> (u16, Value) {
    let grant = [("grant_type", "authorization_code"), ("code", code)];
    token(zoom, &[grant[0], grant[1], ("redirect_uri", REDIRECT), ("code_verifier", verifier)]).await
}

async fn refresh(zoom: &SimZoom, refresh_token: &str) -> (u16, Value) {
    token(zoom, &[("grant_type", "refresh_token"), ("refresh_token", refresh_token)]).await
}

fn dead() -> Value {
    json!({ "reason": "Invalid Token!", "error": "invalid_grant" })
}

async fn get(zoom: &SimZoom, access: &str, path: &str) -> (u16, Value) {
    let request = client().get(format!("{}{path}", zoom.api_url())).bearer_auth(access);
    let response = request.header("accept", "application/json").send().await.unwrap();
    (response.status().as_u16(), response.json().await.unwrap())
}

async fn status(zoom: &SimZoom, access: &str, path: &str, body: Value) -> (u16, Value) {
    let request = client().patch(format!("{}{path}/livestream/status", zoom.api_url())).bearer_auth(access);
    let response = request.header("accept", "application/json").json(&body).send().await.unwrap();
    assert!(response.headers().contains_key("x-zm-trackingid"));
    let code = response.status().as_u16();
    (code, response.json().await.unwrap_or(Value::Null))
}

async fn start(zoom: &SimZoom, access: &str, id: u64) -> (u16, Value) {
    status(zoom, access, &format!("/meetings/{id}"), json!({ "action": "start" })).await
}

fn said(code: u32, message: &str) -> Value {
    json!({ "code": code, "message": message })
}

#[tokio::test]
async fn consent_gives_a_code_that_works_once() {
    let zoom = zoom().await;
    let ada = zoom.user("ada@example.com");
    zoom.sign_in_as(&ada);
    let code = a_code(&zoom).await;
    let (status, tokens) = redeem(&zoom, &code, VERIFIER).await;
    assert_eq!(status, 200);
    assert_eq!((&tokens["token_type"], &tokens["expires_in"]), (&json!("bearer"), &json!(3599)));
    assert_eq!(tokens["scope"], SCOPES.join(" "));
    let access = tokens["access_token"].as_str().unwrap();
    assert!(access.contains("zat-canary-") && access.len() > 500);
    let (_, me) = get(&zoom, access, "/users/me").await;
    assert_eq!((&me["id"], &me["email"]), (&json!(ada.id), &json!("ada@example.com")));
    assert_eq!(zoom.complaints(), Vec::<String>::new());
    let (status, again) = redeem(&zoom, &code, VERIFIER).await;
    assert_eq!((status, &again["error"]), (400, &json!("invalid_grant")));
}

#[tokio::test]
async fn a_code_is_bound_to_its_verifier_its_redirect_and_five_minutes() {
    let zoom = zoom().await;
    zoom.sign_in_as(&zoom.user("ada@example.com"));
    let other = "another-verifier-of-at-least-forty-three-characters";
    let (status, body) = redeem(&zoom, &a_code(&zoom).await, other).await;
    assert_eq!((status, &body["error"]), (400, &json!("invalid_grant")));
    let code = a_code(&zoom).await;
    let slash = format!("{REDIRECT}/");
    let form = [("grant_type", "authorization_code"), ("code", code.as_str())];
    let (status, _) = token(&zoom, &[form[0], form[1], ("redirect_uri", &slash), ("code_verifier", VERIFIER)]).await;
    assert_eq!(status, 400);
    let code = a_code(&zoom).await;
    zoom.clock().advance(Duration::from_secs(301));
    assert_eq!(redeem(&zoom, &code, VERIFIER).await.0, 400);
}

#[tokio::test]
async fn the_consent_page_refuses_what_it_does_not_know() {
    let zoom = zoom().await;
    zoom.sign_in_as(&zoom.user("ada@example.com"));
    for change in [
        ("client_id", "other"),
        ("redirect_uri", "https://onair.test/zoom/oauth/callback/"),
        ("response_type", "token"),
        ("code_challenge_method", "plain"),
        ("code_challenge", ""),
    ] {
        assert_eq!(authorize(&zoom, &[change]).await.status().as_u16(), 400, "{change:?}");
    }
    zoom.decline();
    let declined = authorize(&zoom, &[]).await;
    let location = declined.headers()["location"].to_str().unwrap();
    assert_eq!(location, format!("{REDIRECT}?error=access_denied&state=s1"));
}

#[tokio::test]
async fn a_refresh_token_works_once_and_the_newest_always() {
    let zoom = zoom().await;
    let first = zoom.grant(&zoom.user("ada@example.com"));
    let (status, second) = refresh(&zoom, &first.refresh).await;
    assert_eq!(status, 200);
    assert_eq!(refresh(&zoom, &first.refresh).await, (400, dead()));
    assert_eq!(zoom.complaints()[0], "token: a refresh token was used a second time");
    assert_eq!(refresh(&zoom, second["refresh_token"].as_str().unwrap()).await.0, 200);
    assert_eq!(zoom.refreshes(), 2);
}

#[tokio::test]
async fn a_second_grant_kills_the_first() {
    let zoom = zoom().await;
    let ada = zoom.user("ada@example.com");
    let first = zoom.grant(&ada);
    let second = zoom.grant(&ada);
    assert_eq!(refresh(&zoom, &first.refresh).await, (400, dead()));
    assert_eq!(get(&zoom, &first.access, "/users/me").await, (401, said(124, "Invalid access token.")));
    assert_eq!(get(&zoom, &second.access, "/users/me").await.0, 200);
    let url = format!("{}/revoke", zoom.oauth_url());
    let revoke = client().post(url).basic_auth("client", Some("secret")).form(&[("token", &second.access)]);
    assert_eq!(revoke.send().await.unwrap().json::<Value>().await.unwrap(), json!({ "status": "success" }));
    assert!(!zoom.has_grant(&ada));
}

#[tokio::test]
async fn the_token_endpoint_wants_basic_and_a_form() {
    let zoom = zoom().await;
    let tokens = zoom.grant(&zoom.user("ada@example.com"));
    let url = format!("{}/token", zoom.oauth_url());
    let form = [("grant_type", "refresh_token"), ("refresh_token", tokens.refresh.as_str())];
    let wrong = client().post(&url).basic_auth("client", Some("guess")).form(&form).send().await.unwrap();
    assert_eq!(wrong.status().as_u16(), 401);
    let query = client().post(&url).basic_auth("client", Some("secret")).query(&form).send().await.unwrap();
    assert_eq!(query.status().as_u16(), 400);
    assert_eq!(zoom.refreshes(), 0);
    assert_eq!(refresh(&zoom, &tokens.refresh).await.0, 200);
}

#[tokio::test]
async fn an_access_token_lives_an_hour() {
    let zoom = zoom().await;
    let ada = zoom.user("ada@example.com");
    let tokens = zoom.grant(&ada);
    zoom.clock().advance(Duration::from_secs(3600));
    assert_eq!(get(&zoom, &tokens.access, "/users/me").await, (401, said(124, "Access token is expired.")));
    let (_, fresh) = refresh(&zoom, &tokens.refresh).await;
    let access = fresh["access_token"].as_str().unwrap();
    assert_eq!(get(&zoom, access, "/users/me").await.0, 200);
    zoom.edit_user(&ada, |user| user.exists = false);
    assert_eq!(get(&zoom, access, "/users/me").await, (404, said(1001, "User does not exist: zuser-0001.")));
}

#[tokio::test]
async fn a_start_puts_on_air_once_in_thirty_seconds() {
    let zoom = zoom().await;
    let ada = zoom.user("ada@example.com");
    let (access, id) = (zoom.grant(&ada).access, zoom.meeting_in_progress(&ada));
    let path = format!("/meetings/{id}");
    let settings = json!({ "display_name": "Keynote", "active_speaker_name": true, "layout": "gallery_view" });
    let order = json!({ "action": "start", "settings": settings });
    assert_eq!(status(&zoom, &access, &path, order).await, (204, Value::Null));
    assert!(zoom.is_live(id));
    assert_eq!(zoom.stream_settings(id).unwrap(), settings);
    let (status_code, body) = start(&zoom, &access, id).await;
    assert_eq!(status_code, 429);
    assert!(body["message"].as_str().unwrap().contains("30 seconds"));
    zoom.clock().advance(Duration::from_secs(31));
    assert_eq!(start(&zoom, &access, id).await.0, 204);
    assert_eq!(status(&zoom, &access, &path, json!({ "action": "stop" })).await.0, 204);
    assert!(!zoom.is_live(id));
    zoom.forget_last_start(id);
    assert_eq!(start(&zoom, &access, id).await.0, 204);
    assert_eq!((zoom.starts_of(id), zoom.stops_of(id), zoom.orders_of(id).len()), (3, 1, 5));
    assert_eq!(zoom.complaints(), Vec::<String>::new());
}

#[tokio::test]
async fn every_reason_against_a_meeting_has_its_code() {
    let zoom = zoom().await;
    let ada = zoom.user("ada@example.com");
    let access = zoom.grant(&ada).access;
    let id = zoom.meeting(&ada);
    assert_eq!(start(&zoom, &access, id).await, (400, said(4927, "Meeting 81,200,000,001 has not started.")));
    zoom.edit_meeting(id, |meeting| meeting.streaming_allowed = false);
    assert_eq!(start(&zoom, &access, id).await.1["code"], 3000);
    zoom.edit_meeting(id, |meeting| meeting.e2ee = true);
    assert_eq!(start(&zoom, &access, id).await.1["code"], 4400);
    zoom.edit_user(&ada, |user| user.licensed = false);
    assert_eq!(start(&zoom, &access, id).await.1["code"], 3161);
    assert_eq!(start(&zoom, &access, 99_999_999).await, (404, said(3001, "Meeting does not exist: 99999999.")));
    let stranger = zoom.grant(&zoom.user("eve@example.com")).access;
    assert_eq!(start(&zoom, &stranger, id).await.1["code"], 3001);
    zoom.edit_meeting(id, |meeting| meeting.to_strangers = ToStrangers::OtherAccount);
    assert_eq!(start(&zoom, &stranger, id).await.1["code"], 1010);
    let webinar = zoom.webinar(&ada);
    assert_eq!(start(&zoom, &access, webinar).await, (400, said(3000, "Cannot access webinar info.")));
    assert_eq!(zoom.complaints(), Vec::<String>::new());
    assert_eq!(start(&zoom, &access, 123).await, (400, said(300, "Invalid meeting ID.")));
}

#[tokio::test]
async fn a_webinar_has_its_own_codes() {
    let zoom = zoom().await;
    let ada = zoom.user("ada@example.com");
    let (access, id) = (zoom.grant(&ada).access, zoom.webinar(&ada));
    let order =
        async |action: &str| status(&zoom, &access, &format!("/webinars/{id}"), json!({ "action": action })).await;
    let not_started = (400, said(200, "Webinar 81,200,000,001 has not started."));
    assert_eq!(order("start").await, not_started);
    zoom.begin(id);
    zoom.edit_meeting(id, |webinar| webinar.practice_session = true);
    assert_eq!(order("start").await, not_started);
    zoom.edit_meeting(id, |webinar| webinar.practice_session = false);
    assert_eq!(order("stop").await, not_started);
    assert_eq!(order("start").await.0, 204);
    assert_eq!(order("mode").await.1["code"], 300);
    zoom.edit_meeting(id, |webinar| webinar.target = None);
    let unset = said(3000, "The current webinar is not configured with a custom streaming service.");
    assert_eq!(order("start").await, (400, unset));
    zoom.edit_user(&ada, |user| user.webinar_plan = false);
    assert_eq!(order("start").await.1["code"], 200);
    let layout = json!({ "action": "start", "settings": { "layout": "speaker_view" } });
    let (_, body) = status(&zoom, &access, &format!("/webinars/{id}"), layout).await;
    assert_eq!(body["errors"], json!([{ "field": "settings.layout", "message": "Invalid field." }]));
}

#[tokio::test]
async fn a_body_outside_the_schema_is_refused() {
    let zoom = zoom().await;
    let ada = zoom.user("ada@example.com");
    let (access, id) = (zoom.grant(&ada).access, zoom.meeting_in_progress(&ada));
    let with = |settings: Value| json!({ "action": "start", "settings": settings });
    for (bad, field) in [
        (json!({ "action": "Start" }), "action"),
        (json!({ "action": "start", "display_name": "flat" }), "display_name"),
        (json!({ "action": "stop", "settings": { "display_name": "x" } }), "settings"),
        (json!({ "action": "start", "settings": null }), "settings"),
        (with(json!({ "display_name": "" })), "settings.display_name"),
        (with(json!({ "display_name": "ü".repeat(51) })), "settings.display_name"),
        (with(json!({ "active_speaker_name": "true" })), "settings.active_speaker_name"),
        (with(json!({ "layout": "gallery" })), "settings.layout"),
        (with(json!({ "close_caption": "burnt_in" })), "settings.close_caption"),
        (with(json!({ "colour": "red" })), "settings.colour"),
    ] {
        let (code, body) = status(&zoom, &access, &format!("/meetings/{id}"), bad.clone()).await;
        assert_eq!((code, &body["message"]), (400, &json!("Validation Failed.")), "{bad}");
        assert_eq!(body["errors"][0]["field"], field, "{bad}");
    }
    let url = format!("{}/meetings/{id}/livestream/status", zoom.api_url());
    let form = client().patch(url).bearer_auth(&access).header("accept", "application/json");
    let form = form.form(&[("action", "start")]).send().await.unwrap();
    assert_eq!(form.status().as_u16(), 415);
    assert_eq!(form.json::<Value>().await.unwrap(), said(300, "Unsupported Content Type"));
    assert_eq!(zoom.starts_of(id), 0);
    assert_eq!(zoom.complaints().len(), 11);
}

#[tokio::test]
async fn multipart_is_taken_with_action_and_settings() {
    let zoom = zoom().await;
    let ada = zoom.user("ada@example.com");
    let (access, id) = (zoom.grant(&ada).access, zoom.meeting_in_progress(&ada));
    let send = async |form: reqwest::multipart::Form| {
        let url = format!("{}/meetings/{id}/livestream/status", zoom.api_url());
        let request = client().patch(url).bearer_auth(&access).header("accept", "application/json");
        request.multipart(form).send().await.unwrap().status().as_u16()
    };
    let form = || reqwest::multipart::Form::new().text("action", "start");
    assert_eq!(send(form().text("settings", "start{\"display_name\":\"x\"}")).await, 400);
    assert_eq!(send(form().text("display_name", "x")).await, 400);
    assert_eq!(send(form().text("action", "start")).await, 400);
    assert_eq!(send(form().text("settings", "{\"display_name\":\"Über uns\"}")).await, 204);
    assert_eq!(zoom.stream_settings(id).unwrap(), json!({ "display_name": "Über uns" }));
}

#[tokio::test]
async fn without_an_accept_header_errors_are_xml() {
    let zoom = zoom().await;
    let ada = zoom.user("ada@example.com");
    let (access, id) = (zoom.grant(&ada).access, zoom.meeting(&ada));
    let request = client().patch(format!("{}/meetings/{id}/livestream/status", zoom.api_url()));
    let response = request.bearer_auth(&access).json(&json!({ "action": "start" })).send().await.unwrap();
    assert_eq!(response.status().as_u16(), 400);
    let expected = "<error><code>4927</code><message>Meeting 81,200,000,001 has not started.</message></error>";
    assert_eq!(response.text().await.unwrap(), expected);
    assert_eq!(zoom.complaints().len(), 1);
}

#[tokio::test]
async fn a_missing_scope_is_named() {
    let zoom = zoom().await;
    zoom.set_scopes(&["user:read:user"]);
    let ada = zoom.user("ada@example.com");
    let (access, id) = (zoom.grant(&ada).access, zoom.meeting_in_progress(&ada));
    let (code, body) = start(&zoom, &access, id).await;
    assert_eq!((code, &body["code"]), (400, &json!(4711)));
    let named = "does not contain scopes:[meeting:update:livestream_status, meeting:update:livestream_status:admin].";
    assert!(body["message"].as_str().unwrap().ends_with(named));
    assert_eq!(get(&zoom, &access, &format!("/meetings/{id}")).await.1["code"], 4711);
}

#[tokio::test]
async fn a_meeting_can_be_read_by_its_host() {
    let zoom = zoom().await;
    let ada = zoom.user("ada@example.com");
    let (access, id) = (zoom.grant(&ada).access, zoom.meeting_numbered(&ada, 68_423_085));
    let (_, meeting) = get(&zoom, &access, "/meetings/68423085").await;
    assert_eq!((&meeting["id"], &meeting["status"]), (&json!(68_423_085), &json!("waiting")));
    zoom.begin(id);
    assert_eq!(get(&zoom, &access, "/meetings/68423085").await.1["status"], "started");
    zoom.delete(id);
    assert_eq!(get(&zoom, &access, "/meetings/68423085").await.0, 404);
}

#[tokio::test]
async fn a_lost_answer_is_not_a_lost_start() {
    let zoom = zoom().await;
    let ada = zoom.user("ada@example.com");
    let (access, id) = (zoom.grant(&ada).access, zoom.meeting_in_progress(&ada));
    let send = async || {
        let request = client().patch(format!("{}/meetings/{id}/livestream/status", zoom.api_url()));
        request
            .bearer_auth(&access)
            .header("accept", "application/json")
            .json(&json!({ "action": "start" }))
            .send()
            .await
    };
    zoom.next(Route::MeetingStatus, Fault::Cut);
    assert!(send().await.is_err());
    assert!(!zoom.is_live(id));
    zoom.next(Route::MeetingStatus, Fault::Lost);
    assert!(send().await.is_err());
    assert!(zoom.is_live(id));
    zoom.always(Route::Any, refusal(503, 500, "Service unavailable."));
    assert_eq!(start(&zoom, &access, id).await.0, 503);
    zoom.next(Route::Token, invalid_grant());
    assert_eq!(refresh(&zoom, "whatever").await, (400, dead()));
    zoom.heal();
    assert_eq!(start(&zoom, &access, id).await.0, 429);
    assert_eq!((zoom.starts_of(id), zoom.orders_of(id).len()), (1, 4));
    let seen = zoom.wait_for("the first order", Duration::from_secs(1), |request| request.method == "PATCH").await;
    assert_eq!(seen.unwrap().text(), r#"{"action":"start"}"#);
    zoom.stop().await;
    assert!(send().await.unwrap_err().is_connect());
}
