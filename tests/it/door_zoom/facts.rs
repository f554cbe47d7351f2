//! What Zoom shows of meetings and users: read as far as it goes, and no stream key kept.

use onair::id::ZoomUserId;
use onair::meeting::MeetingId;
use onair::outcome::Denied;
use onair::zoom::{Error, MeetingFacts, Options, StreamSettings};

use super::{ACCESS, access, door, door_of, options};
use crate::recorder::{Recorder, Reply};

fn number() -> MeetingId {
    "81234567890".parse().unwrap()
}

fn head(path: &str) -> String {
    format!(
        "GET /v2/{path} HTTP/1.1\naccept: application/json\nauthorization: Bearer {ACCESS}\nuser-agent: onair/{}",
        env!("CARGO_PKG_VERSION")
    )
}

async fn meeting(reply: Reply) -> Result<MeetingFacts, Error> {
    door(&Recorder::start([reply])).meeting(&access(), number()).await
}

async fn has_target(reply: Reply) -> Result<Option<bool>, Error> {
    door(&Recorder::start([reply])).has_target(&access(), number()).await
}

async fn settings(reply: Reply) -> Result<StreamSettings, Error> {
    door(&Recorder::start([reply])).stream_settings(&access()).await
}

#[tokio::test]
async fn each_question_is_one_get_with_the_token() {
    let zoom = Recorder::start(["{}", "{}", "{}"].map(|body| Reply::json(200, body)));
    let door = door(&zoom);
    door.meeting(&access(), number()).await.unwrap();
    door.has_target(&access(), number()).await.unwrap();
    door.stream_settings(&access()).await.unwrap();
    let heads: Vec<String> = zoom.seen().iter().map(|seen| seen.head()).collect();
    assert_eq!(heads, ["meetings/81234567890", "meetings/81234567890/livestream", "users/me/settings"].map(head));
    assert!(zoom.seen().iter().all(|seen| seen.body.is_empty()));
}

#[tokio::test]
async fn a_meeting_says_whose_it_is_whether_it_runs_and_how_it_is_encrypted() {
    let body = r#"{"id":81234567890,"host_id":"z8yCxj","status":"started","type":2,"password":"hunter2",
                   "start_url":"https://zoom.us/s/81234567890?zak=secret","settings":{"encryption_type":"e2ee"}}"#;
    let facts = meeting(Reply::json(200, body)).await.unwrap();
    let (host, yes) = (Some(ZoomUserId::new("z8yCxj")), Some(true));
    assert_eq!(facts, MeetingFacts { host, is_running: yes, is_end_to_end_encrypted: yes });
    let body = "\u{feff} {\"status\":\"Waiting\",\"settings\":{\"encryption_type\":\"enhanced_encryption\"}}\r\n";
    let facts = meeting(Reply::json(200, body)).await.unwrap();
    let no = Some(false);
    assert_eq!(facts, MeetingFacts { host: None, is_running: no, is_end_to_end_encrypted: no });
}

#[tokio::test]
async fn what_a_meeting_does_not_say_is_not_known() {
    let nothing = MeetingFacts { host: None, is_running: None, is_end_to_end_encrypted: None };
    for body in [
        "{}",
        r#"{"host_id":"","status":"","settings":{}}"#,
        r#"{"host_id":null,"status":null,"settings":null}"#,
        r#"{"host_id":7,"status":true,"settings":"e2ee"}"#,
        r#"{"host_id":{},"status":"paused","settings":{"encryption_type":"quantum"}}"#,
        r#"{"code":0,"settings":[]}"#,
    ] {
        assert_eq!(meeting(Reply::json(200, body)).await.unwrap(), nothing, "{body}");
    }
    let garbled = b"{\"topic\":\"\xff\xfe\",\"status\":\"started\"}";
    assert_eq!(meeting(Reply::status(200, "", garbled)).await.unwrap().is_running, Some(true));
}

#[tokio::test]
async fn a_target_is_there_if_it_has_an_address() {
    for (body, expected) in [
        (r#"{"stream_url":"rtmps://a.example/live","stream_key":"k","page_url":"https://a.example"}"#, Some(true)),
        (r#"{"stream_url":"rtmp://a.example","stream_key":null}"#, Some(true)),
        (r#"{"stream_url":"","stream_key":"","page_url":""}"#, Some(false)),
        (r#"{"stream_url":"  ","stream_key":"k"}"#, Some(false)),
        (r#"{"stream_url":null}"#, Some(false)),
        ("{}", Some(false)),
        (r#"{"stream_url":7}"#, None),
        (r#"{"stream_url":["rtmp://a.example"]}"#, None),
    ] {
        assert_eq!(has_target(Reply::json(200, body)).await.unwrap(), expected, "{body}");
    }
}

#[tokio::test]
async fn a_stream_key_is_in_no_error() {
    const KEY: &str = "canary-stream-key";
    let body = |rest: &str| format!(r#"{{"stream_url":"rtmp://{KEY}.example","stream_key":"{KEY}"{rest}"#);
    for reply in [
        Reply::json(200, &body("")),
        Reply::json(200, &format!("[{}]", body("}"))),
        Reply::json(200, &body(r#","code":300,"message":"Invalid."}"#)),
        Reply::json(200, &body(&format!(r#","page_url":"{}"}}"#, "x".repeat(70_000)))),
        Reply::json(400, &body(r#","code":2300,"message":"No."}"#)),
        Reply::json(503, &body("}")),
        Reply::Last(format!("HTTP/1.1 200 OK\r\nContent-Length: 9000\r\n\r\n{}", body("}")).into_bytes()),
    ] {
        let error = has_target(reply).await.unwrap_err();
        let source = std::error::Error::source(&error).map(|source| format!("{source} {source:?}"));
        let told = format!("{error} {error:?} {source:?}");
        assert!(!told.contains(KEY), "{told}");
    }
}

#[tokio::test]
async fn settings_allow_streams_if_both_switches_are_on() {
    let body = |live: &str, custom: &str, webinar: &str| {
        format!(
            r#"{{"in_meeting":{{"allow_live_streaming":{live},"custom_live_streaming_service":{custom},
               "webinar_live_streaming":{webinar}}}}}"#
        )
    };
    let webinar =
        |enable: &str, services: &str| format!(r#"{{"enable":{enable},"live_streaming_service":{services}}}"#);
    let custom = r#"["youtube","custom_live_streaming_service"]"#;
    for (body, allow_meetings, allow_webinars) in [
        (body("true", "true", &webinar("true", custom)), Some(true), Some(true)),
        (body("\"true\"", "\"true\"", &webinar("\"true\"", custom)), Some(true), Some(true)),
        (body("false", "true", &webinar("false", custom)), Some(false), Some(false)),
        (body("true", "false", &webinar("true", r#"["youtube"]"#)), Some(false), Some(false)),
        (body("null", "false", &webinar("null", "[]")), Some(false), Some(false)),
        (body("true", "null", &webinar("true", "null")), None, None),
        (body("1", "1", "true"), None, None),
        ("{}".to_owned(), None, None),
        (r#"{"in_meeting":[true,true]}"#.to_owned(), None, None),
    ] {
        let expected = StreamSettings { allow_meetings, allow_webinars };
        assert_eq!(settings(Reply::json(200, &body)).await.unwrap(), expected, "{body}");
    }
}

#[tokio::test]
async fn a_no_with_a_reason_is_told_as_that_also_when_it_comes_as_a_success() {
    for status in [200, 400, 404] {
        for (code, message, expected) in [
            (3000, "Cannot access webinar info.", Denied::Webinar),
            (3001, "Meeting does not exist: 81234567890.", Denied::NotFound),
            (300, "Invalid meeting ID.", Denied::InvalidId),
            (1010, "User does not belong to this account.", Denied::OtherAccount),
            (1001, "User does not exist.", Denied::UserMissing),
            (3161, "Meeting hosting and scheduling capabilities are not allowed.", Denied::Licence),
        ] {
            let body = format!(r#"{{"code":{code},"message":"{message}"}}"#);
            let error = has_target(Reply::json(status, &body)).await.unwrap_err();
            assert!(matches!(error, Error::Denied(denied) if denied == expected), "{status} {body}: {error:?}");
        }
    }
}

#[tokio::test]
async fn every_other_end_has_its_error() {
    let fails = async |reply| meeting(reply).await.unwrap_err();
    let scopes = r#"{"code":4711,"message":"Invalid access token, does not contain scopes:[meeting:read:meeting]."}"#;
    let error = fails(Reply::json(400, scopes)).await;
    assert!(matches!(&error, Error::Scope { missing } if missing == &["meeting:read:meeting"]), "{error:?}");
    for (status, body) in [(401, ""), (400, r#"{"code":124}"#), (200, r#"{"code":124,"message":"Invalid."}"#)] {
        let error = fails(Reply::json(status, body)).await;
        assert!(matches!(error, Error::Unauthorized), "{status} {body}: {error:?}");
    }
    let error = fails(Reply::status(429, "Retry-After: 30\r\n", "")).await;
    assert!(matches!(error, Error::Busy { .. }), "{error:?}");
    let error = fails(Reply::json(503, r#"{"code":3001,"message":"Meeting does not exist."}"#)).await;
    assert!(matches!(error, Error::Down { status: 503 }), "{error:?}");
    let error = fails(Reply::json(400, r#"{"code":3000,"message":"Something else."}"#)).await;
    assert!(matches!(&error, Error::Refused { status: 400, code: Some(code) } if code == "3000"), "{error:?}");
    for body in ["", "[]", "null", "\"started\"", "{\"status\":\"started\"", "<html></html>"] {
        let error = fails(Reply::json(200, body)).await;
        assert!(matches!(error, Error::Unexpected { status: 200 }), "{body}: {error:?}");
    }
    let error = fails(Reply::no_content()).await;
    assert!(matches!(error, Error::Unexpected { status: 204 }), "{error:?}");
    let error = fails(Reply::Last(Vec::new())).await;
    assert!(matches!(error, Error::NoAnswer(_)), "{error:?}");
    let zoom = Recorder::start([Reply::Hang]);
    let hasty = Options { call_timeout: std::time::Duration::from_millis(300), ..options(&zoom.url()) };
    let error = door_of(hasty).meeting(&access(), number()).await.unwrap_err();
    assert!(matches!(error, Error::NoAnswer(_)), "{error:?}");
}
