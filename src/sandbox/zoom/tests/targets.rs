//! Where a stream goes: read, set, refused. And what a user's settings say.

use super::*;

const NEW: &str = "rtmps://ingest.example.net/live";

async fn set(zoom: &SimZoom, access: &str, path: &str, body: &Value) -> (u16, Value) {
    let request = client().patch(format!("{}{path}/livestream", zoom.api_url())).bearer_auth(access);
    let response = request.header("accept", "application/json").json(body).send().await.unwrap();
    (response.status().as_u16(), response.json().await.unwrap_or(Value::Null))
}

fn new_target() -> Value {
    let page_url = "https://watch.example.net/";
    json!({ "stream_url": NEW, "stream_key": "other-canary", "page_url": page_url, "resolution": "720p" })
}

async fn zoom_with_all_scopes() -> SimZoom {
    let zoom = zoom().await;
    zoom.set_scopes(&[SCOPES, WEBINAR_SCOPES].concat());
    zoom
}

#[tokio::test]
async fn a_target_can_be_read_and_set_by_the_host() {
    let zoom = zoom_with_all_scopes().await;
    let ada = zoom.user("ada@example.com");
    let access = zoom.grant(&ada).access;
    for (what, id) in [("meetings", zoom.meeting(&ada)), ("webinars", zoom.webinar(&ada))] {
        let path = format!("/{what}/{id}");
        let (status, before) = get(&zoom, &access, &format!("{path}/livestream")).await;
        assert_eq!((status, &before["stream_url"]), (200, &json!("rtmps://live.example.com/app")));
        assert!(before["stream_key"].as_str().unwrap().contains("canary"));
        assert_eq!(set(&zoom, &access, &path, &new_target()).await, (204, Value::Null));
        assert_eq!(get(&zoom, &access, &format!("{path}/livestream")).await, (200, new_target()));
        assert_eq!(zoom.meeting_now(id).unwrap().target.unwrap().stream_url, NEW);
        zoom.edit_meeting(id, |meeting| meeting.target = None);
        let none = json!({ "stream_url": "", "stream_key": "", "page_url": "" });
        assert_eq!(get(&zoom, &access, &format!("{path}/livestream")).await, (200, none));
    }
    assert_eq!(zoom.complaints(), Vec::<String>::new());
}

#[tokio::test]
async fn a_target_outside_the_schema_is_refused() {
    let zoom = zoom().await;
    let ada = zoom.user("ada@example.com");
    let (access, id) = (zoom.grant(&ada).access, zoom.meeting(&ada));
    let path = format!("/meetings/{id}");
    let mut mistakes = 0;
    for (field, value) in [
        ("stream_url", Value::Null),
        ("stream_url", json!("live.example.com")),
        ("stream_url", json!(format!("rtmp://live.example.com/{}", "a".repeat(1001)))),
        ("stream_key", json!("")),
        ("stream_key", json!("k".repeat(513))),
        ("page_url", json!("nowhere")),
        ("resolution", json!("1080p")),
        ("resolution", json!(720)),
        ("colour", json!("red")),
    ] {
        let mut body = new_target();
        body[field] = value;
        let (status, said) = set(&zoom, &access, &path, &body).await;
        assert_eq!((status, &said["code"]), (400, &json!(300)), "{field}");
        assert_eq!(said["errors"], json!([{ "field": field, "message": "Invalid field." }]));
        mistakes += 1;
    }
    let mut short = new_target();
    short.as_object_mut().unwrap().remove("resolution");
    assert_eq!(set(&zoom, &access, &path, &short).await.0, 204);
    zoom.edit_user(&ada, |user| user.full_hd = true);
    assert_eq!(set(&zoom, &access, &path, &short).await.1["errors"][0]["field"], "resolution");
    short["resolution"] = json!("1080p");
    assert_eq!(set(&zoom, &access, &path, &short).await.0, 204);
    short["stream_url"] = json!("https://live.example.com/");
    assert_eq!(set(&zoom, &access, &path, &short).await.0, 204);
    assert_eq!(zoom.complaints().len(), mistakes + 2);
    let stream_key = "other-canary";
    assert!(zoom.complaints().iter().all(|complaint| !complaint.contains(stream_key)));
}

#[tokio::test]
async fn a_target_stays_as_it_is_while_the_stream_is_on() {
    let zoom = zoom().await;
    let ada = zoom.user("ada@example.com");
    let (access, id) = (zoom.grant(&ada).access, zoom.meeting_in_progress(&ada));
    let path = format!("/meetings/{id}");
    assert_eq!(start(&zoom, &access, id).await.0, 204);
    let refused = (400, said(3000, "The live stream settings of this meeting cannot be changed now."));
    assert_eq!(set(&zoom, &access, &path, &new_target()).await, refused);
    assert_eq!(status(&zoom, &access, &path, json!({ "action": "stop" })).await.0, 204);
    assert_eq!(set(&zoom, &access, &path, &new_target()).await.0, 204);
    assert_eq!(zoom.complaints(), Vec::<String>::new());
}

#[tokio::test]
async fn every_reason_against_a_target_has_its_code() {
    let zoom = zoom_with_all_scopes().await;
    let ada = zoom.user("ada@example.com");
    let (access, meeting, webinar) = (zoom.grant(&ada).access, zoom.meeting(&ada), zoom.webinar(&ada));
    let code = async |path: String| {
        let (read, written) = (
            get(&zoom, &access, &format!("{path}/livestream")).await.1,
            set(&zoom, &access, &path, &new_target()).await.1,
        );
        (read["code"].as_u64(), written["code"].as_u64())
    };
    let (of_meeting, of_webinar) = (|| format!("/meetings/{meeting}"), || format!("/webinars/{webinar}"));
    assert_eq!(code(of_meeting()).await, (None, None));
    assert_eq!(code(format!("/meetings/{webinar}")).await, (Some(3000), Some(3000)));
    assert_eq!(code("/meetings/99999999".to_owned()).await, (Some(3001), Some(3001)));
    zoom.edit_user(&ada, |user| user.custom_streaming_allowed = false);
    assert_eq!(code(of_meeting()).await, (None, Some(3000)));
    assert_eq!(code(of_webinar()).await, (Some(200), Some(200)));
    zoom.begin(meeting);
    assert_eq!(start(&zoom, &access, meeting).await.1["code"], 3000);
    zoom.edit_user(&ada, |user| (user.licensed, user.webinar_plan) = (false, false));
    assert_eq!(code(of_meeting()).await, (Some(3161), Some(3161)));
    let (_, said) = get(&zoom, &access, &format!("{}/livestream", of_webinar())).await;
    assert!(said["message"].as_str().unwrap().starts_with("Webinar plan is missing."));
    assert_eq!(zoom.complaints(), Vec::<String>::new());
}

#[tokio::test]
async fn settings_tell_whether_the_user_may_stream() {
    let zoom = zoom().await;
    let ada = zoom.user("ada@example.com");
    let access = zoom.grant(&ada).access;
    let told = async || {
        let settings = get(&zoom, &access, "/users/me/settings").await.1["in_meeting"].take();
        let webinars = &settings["webinar_live_streaming"];
        let custom =
            webinars["live_streaming_service"].as_array().unwrap().contains(&"custom_live_streaming_service".into());
        let flag = |value: &Value| value.as_bool().unwrap();
        (
            (flag(&settings["allow_live_streaming"]), flag(&settings["custom_live_streaming_service"])),
            (flag(&webinars["enable"]), custom),
        )
    };
    assert_eq!(told().await, ((true, true), (true, true)));
    zoom.edit_user(&ada, |user| user.custom_streaming_allowed = false);
    assert_eq!(told().await, ((true, false), (true, false)));
    zoom.edit_user(&ada, |user| user.streaming_allowed = false);
    assert_eq!(told().await, ((false, false), (false, false)));
    zoom.edit_user(&ada, |user| (user.streaming_allowed, user.webinar_plan) = (true, false));
    assert_eq!(told().await, ((true, false), (false, false)));
}

#[tokio::test]
async fn each_of_these_calls_has_its_scope_and_can_fail_alone() {
    let zoom = zoom().await;
    let ada = zoom.user("ada@example.com");
    let (meeting, webinar) = (zoom.meeting(&ada), zoom.webinar(&ada));
    let calls = [
        (Route::Settings, "GET", "/users/me/settings".to_owned(), "user:read:settings"),
        (Route::Meeting, "GET", format!("/meetings/{meeting}"), "meeting:read:meeting"),
        (Route::MeetingTarget, "GET", format!("/meetings/{meeting}/livestream"), "meeting:read:livestream"),
        (Route::SetMeetingTarget, "PATCH", format!("/meetings/{meeting}/livestream"), "meeting:update:livestream"),
        (Route::WebinarTarget, "GET", format!("/webinars/{webinar}/livestream"), "webinar:read:livestream"),
        (Route::SetWebinarTarget, "PATCH", format!("/webinars/{webinar}/livestream"), "webinar:update:livestream"),
    ];
    zoom.set_scopes(&["user:read:user"]);
    let narrow = zoom.grant(&ada).access;
    let send = async |access: &str, method: &str, path: &str| {
        let method = reqwest::Method::from_bytes(method.as_bytes()).unwrap();
        let request = client().request(method, format!("{}{path}", zoom.api_url())).bearer_auth(access);
        let response = request.header("accept", "application/json").json(&new_target()).send().await.unwrap();
        (response.status().as_u16(), response.text().await.unwrap())
    };
    for (_, method, path, scope) in &calls {
        let (status, said) = send(&narrow, method, path).await;
        assert!(status == 400 && said.contains(&format!("[{scope}, {scope}:admin]")), "{said}");
    }
    zoom.set_scopes(&[SCOPES, WEBINAR_SCOPES].concat());
    let access = zoom.grant(&ada).access;
    for (route, ..) in &calls {
        zoom.next(*route, Fault::status(503));
        for (other, method, path, _) in &calls {
            let status = send(&access, method, path).await.0;
            assert_eq!(status == 503, other == route, "{method} {path}: {status}");
        }
    }
}
