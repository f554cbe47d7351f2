//! Where a stream goes, byte for byte; and what becomes of a key in Zoom's answers.

use std::net::TcpListener;

use onair::destination::{Destination, Present, Resolution, Typed};
use onair::meeting::MeetingId;
use onair::outcome::Attempt;
use onair::secret::Secret;
use onair::zoom::Room;

use super::{ACCESS, access, answered, door, door_of, options};
use crate::recorder::{Recorder, Reply};

fn meeting() -> MeetingId {
    "81234567890".parse().unwrap()
}

fn destination(stream_key: &str, resolution: Option<Resolution>) -> Destination {
    let typed = Typed {
        stream_url: Secret::new("rtmps://live.example.com:443/app"),
        stream_key: Secret::new(stream_key),
        page_url: Secret::new("https://live.example.com/watch?a=1&b=2"),
        resolution,
    };
    Destination::read(&typed).unwrap()
}

async fn sends(room: Room, resolution: Option<Resolution>, path: &str, body: &str) {
    let zoom = Recorder::start([Reply::no_content()]);
    let destination = destination(r#"canary-key?user="a"&pass=ü\"#, resolution);
    let attempt = door(&zoom).set_destination(&access(), room, meeting(), &destination).await;
    assert_eq!(answered(attempt).status, 204);
    let (seen, version) = (zoom.only(), env!("CARGO_PKG_VERSION"));
    let length = body.len();
    assert_eq!(
        seen.head(),
        format!(
            "PATCH {path} HTTP/1.1\naccept: application/json\nauthorization: Bearer {ACCESS}\ncontent-length: {length}\n\
             content-type: application/json\nuser-agent: onair/{version}"
        )
    );
    assert_eq!(seen.text(), body);
}

#[tokio::test]
async fn a_change_sends_all_three_and_nothing_else() {
    let three = r#""stream_url":"rtmps://live.example.com:443/app","stream_key":"canary-key?user=\"a\"&pass=ü\\","page_url":"https://live.example.com/watch?a=1&b=2""#;
    sends(Room::Meeting, None, "/v2/meetings/81234567890/livestream", &format!("{{{three}}}")).await;
    sends(Room::Webinar, None, "/v2/webinars/81234567890/livestream", &format!("{{{three}}}")).await;
    for (resolution, word) in [(Resolution::Hd, "720p"), (Resolution::FullHd, "1080p")] {
        let body = format!("{{{three},\"resolution\":\"{word}\"}}");
        sends(Room::Meeting, Some(resolution), "/v2/meetings/81234567890/livestream", &body).await;
    }
}

#[tokio::test]
async fn what_is_set_is_read_without_the_key() {
    let body = r#"{"stream_url":"rtmp://a/b","stream_key":"canary-key","page_url":"https://a","resolution":"720p"}"#;
    let zoom = Recorder::start([Reply::json(200, body)]);
    let (attempt, present) = door(&zoom).destination(&access(), Room::Webinar, meeting()).await;
    let (stream_url, page_url) = (Secret::new("rtmp://a/b"), "https://a".to_owned());
    let expected = Present { stream_url, has_key: true, page_url, resolution: Some(Resolution::Hd) };
    assert_eq!(present, Some(expected));
    let all = format!("{attempt:?} {present:?}");
    assert!(!all.contains("canary"), "{all}");
    let seen = zoom.only();
    assert_eq!(seen.line, "GET /v2/webinars/81234567890/livestream HTTP/1.1");
    assert_eq!((seen.header("accept"), seen.text().len()), (Some("application/json"), 0));
}

#[tokio::test]
async fn what_cannot_be_read_is_no_answer_to_the_question() {
    let whole = r#"{"stream_url":"rtmp://a/b","stream_key":"canary-key","page_url":"https://a"}"#;
    let cut = format!("HTTP/1.1 200 OK\r\nContent-Length: 9999\r\n\r\n{whole}").into_bytes();
    for reply in [
        Reply::json(200, r#"{"stream_url":["canary-key"]}"#),
        Reply::json(200, "<html>canary-key</html>"),
        Reply::json(200, "[\"rtmp://a/b\",\"canary-key\"]"),
        Reply::json(200, r#"{"code":3000,"message":"No.","stream_url":"rtmp://a/b"}"#),
        Reply::json(201, whole),
        Reply::no_content(),
        Reply::Last(cut),
        Reply::json(404, r#"{"code":3001,"message":"Meeting does not exist: 81234567890."}"#),
    ] {
        let (attempt, present) = door(&Recorder::start([reply])).destination(&access(), Room::Meeting, meeting()).await;
        assert_eq!(present, None);
        assert!(matches!(attempt, Attempt::Answered(_)) && !format!("{attempt:?}").contains("canary"), "{attempt:?}");
    }
}

#[tokio::test]
async fn a_key_that_zoom_repeats_is_taken_out_of_its_words() {
    let body = r#"{"code":300,"message":"No: {\"stream_key\":\"canary-\\\"key\"} or canary-\"key.",
                   "errors":[{"field":"canary-\"key","message":"Bad canary-\"key"}]}"#;
    let zoom = Recorder::start([Reply::json(400, body)]);
    let destination = destination("canary-\"key", None);
    let answer = answered(door(&zoom).set_destination(&access(), Room::Meeting, meeting(), &destination).await);
    assert_eq!(answer.message, r#"No: {"stream_key":"…"} or …."#);
    assert_eq!((answer.fields[0].field.as_str(), answer.fields[0].message.as_str()), ("…", "Bad …"));
}

#[tokio::test]
async fn a_key_in_the_middle_of_which_a_text_is_cut_off_is_taken_out_as_well() {
    let key = "canary".repeat(80);
    let body = format!(r#"{{"code":3000,"message":"Not {key}, {key} or {key}."}}"#);
    let zoom = Recorder::start([Reply::json(400, &body)]);
    let destination = destination(&key, None);
    let answer = answered(door(&zoom).set_destination(&access(), Room::Meeting, meeting(), &destination).await);
    assert_eq!(answer.message, "Not …, … or …");
}

#[tokio::test]
async fn what_was_not_sent_is_told_from_what_was_not_answered() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let nobody = format!("http://{}", listener.local_addr().unwrap());
    drop(listener);
    let destination = destination("key", None);
    let attempt = door_of(options(&nobody)).set_destination(&access(), Room::Meeting, meeting(), &destination).await;
    assert_eq!(attempt, Attempt::NotSent);
    let zoom = Recorder::start([Reply::Last(Vec::new())]);
    let attempt = door(&zoom).set_destination(&access(), Room::Meeting, meeting(), &destination).await;
    assert_eq!(attempt, Attempt::NoAnswer);
}
