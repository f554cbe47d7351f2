//! Starts and stops, byte for byte.

use onair::meeting::{Captions, Layout, Settings, SpeakerName, Title};
use onair::outcome::{Action, Attempt};
use onair::zoom::{BodyFormat, Options, Order, Room};

use super::{ACCESS, access, answered, door, door_of, options, order, start};
use crate::recorder::{Recorder, Reply, Seen};

async fn sent(order: &Order) -> Seen {
    let zoom = Recorder::start([Reply::no_content()]);
    assert_eq!(answered(door(&zoom).order(&access(), order).await).status, 204);
    zoom.only()
}

async fn sends(settings: Settings, body: &str) {
    let seen = sent(&order(Action::Start, Room::Meeting, settings)).await;
    assert_eq!(seen.text(), body);
    assert_eq!(seen.header("content-length"), Some(body.len().to_string().as_str()));
}

fn title(text: &str) -> Option<Title> {
    Some(Title::new(text).expect("a title"))
}

fn everything() -> Settings {
    Settings {
        title: title("Keynote"),
        speaker_name: Some(SpeakerName::On),
        layout: Some(Layout::SpeakerView),
        captions: Some(Captions::BurntIn),
    }
}

const EVERYTHING: &str =
    r#"{"active_speaker_name":true,"display_name":"Keynote","layout":"speaker_view","close_caption":"burnt-in"}"#;

fn head(path: &str, length: usize) -> String {
    let version = env!("CARGO_PKG_VERSION");
    format!(
        "PATCH {path} HTTP/1.1\naccept: application/json\nauthorization: Bearer {ACCESS}\ncontent-length: {length}\n\
         content-type: application/json\nuser-agent: onair/{version}"
    )
}

#[tokio::test]
async fn a_start_that_asks_for_nothing_sends_the_action_alone() {
    let seen = sent(&start()).await;
    assert_eq!(seen.head(), head("/v2/meetings/68423085/livestream/status", 18));
    assert_eq!(seen.text(), r#"{"action":"start"}"#);
}

#[tokio::test]
async fn a_start_sends_just_the_settings_that_were_asked() {
    let none = Settings::default();
    for (shown, text) in [(SpeakerName::On, "true"), (SpeakerName::Off, "false")] {
        let settings = Settings { speaker_name: Some(shown), ..none.clone() };
        sends(settings, &format!(r#"{{"action":"start","settings":{{"active_speaker_name":{text}}}}}"#)).await;
    }
    for (layout, text) in [
        (Layout::FollowHost, "follow_host"),
        (Layout::GalleryView, "gallery_view"),
        (Layout::SpeakerView, "speaker_view"),
    ] {
        let settings = Settings { layout: Some(layout), ..none.clone() };
        sends(settings, &format!(r#"{{"action":"start","settings":{{"layout":"{text}"}}}}"#)).await;
    }
    for (captions, text) in [(Captions::BurntIn, "burnt-in"), (Captions::Embedded, "embedded"), (Captions::Off, "off")]
    {
        let settings = Settings { captions: Some(captions), ..none.clone() };
        sends(settings, &format!(r#"{{"action":"start","settings":{{"close_caption":"{text}"}}}}"#)).await;
    }
    let settings = Settings { title: title(r#"Ada's "Größe" \ 1"#), ..none };
    sends(settings, r#"{"action":"start","settings":{"display_name":"Ada's \"Größe\" \\ 1"}}"#).await;
}

#[tokio::test]
async fn a_start_that_asks_for_everything_keeps_the_documented_order() {
    sends(everything(), &format!(r#"{{"action":"start","settings":{EVERYTHING}}}"#)).await;
}

#[tokio::test]
async fn a_stop_never_sends_settings() {
    let seen = sent(&order(Action::Stop, Room::Meeting, everything())).await;
    assert_eq!(seen.head(), head("/v2/meetings/68423085/livestream/status", 17));
    assert_eq!(seen.text(), r#"{"action":"stop"}"#);
}

#[tokio::test]
async fn a_webinar_has_its_own_path_and_the_same_body() {
    let settings = Settings { captions: Some(Captions::Off), ..Settings::default() };
    let body = r#"{"action":"start","settings":{"close_caption":"off"}}"#;
    let seen = sent(&order(Action::Start, Room::Webinar, settings)).await;
    assert_eq!(seen.head(), head("/v2/webinars/68423085/livestream/status", body.len()));
    assert_eq!(seen.text(), body);
}

#[tokio::test]
async fn an_id_of_eleven_digits_reaches_the_path_whole() {
    let seen = sent(&Order { meeting: "81234567890".parse().unwrap(), ..start() }).await;
    assert_eq!(seen.line, "PATCH /v2/meetings/81234567890/livestream/status HTTP/1.1");
}

async fn sent_as_multipart(order: &Order) -> Seen {
    let zoom = Recorder::start([Reply::no_content()]);
    let door = door_of(Options { body: BodyFormat::Multipart, ..options(&zoom.url()) });
    assert_eq!(answered(door.order(&access(), order).await).status, 204);
    let seen = zoom.only();
    assert!(door.preview(order).ends_with(&format!("\n\n{}", seen.text())), "the preview shows other bytes");
    seen
}

#[tokio::test]
async fn multipart_has_an_action_and_settings_only_if_asked() {
    let seen = sent_as_multipart(&order(Action::Start, Room::Meeting, everything())).await;
    let boundary = seen.header("content-type").and_then(|kind| kind.strip_prefix("multipart/form-data; boundary="));
    let boundary = boundary.expect("a boundary");
    assert_eq!(
        seen.text(),
        format!(
            "--{boundary}\r\nContent-Disposition: form-data; name=\"action\"\r\n\r\nstart\r\n\
             --{boundary}\r\nContent-Disposition: form-data; name=\"settings\"\r\n\r\n{EVERYTHING}\r\n\
             --{boundary}--\r\n"
        )
    );
    assert_eq!(seen.line, "PATCH /v2/meetings/68423085/livestream/status HTTP/1.1");
    assert_eq!(seen.header("accept"), Some("application/json"));

    for (action, word) in [(Action::Start, "start"), (Action::Stop, "stop")] {
        let seen = sent_as_multipart(&order(action, Room::Meeting, Settings::default())).await;
        let text = seen.text();
        let boundary = text.strip_prefix("--").and_then(|text| text.split("\r\n").next()).expect("a boundary");
        assert_eq!(
            text,
            format!(
                "--{boundary}\r\nContent-Disposition: form-data; name=\"action\"\r\n\r\n{word}\r\n--{boundary}--\r\n"
            )
        );
    }
}

#[tokio::test]
async fn a_preview_is_the_request_with_the_token_hidden() {
    let zoom = Recorder::start([Reply::no_content()]);
    let door = door(&zoom);
    let order = order(Action::Start, Room::Webinar, Settings { title: title("Keynote"), ..Settings::default() });
    let preview = door.preview(&order);
    assert_eq!(
        preview,
        format!(
            "PATCH {}/v2/webinars/68423085/livestream/status\nAccept: application/json\n\
             Content-Type: application/json\nAuthorization: Bearer ••••\n\n\
             {{\"action\":\"start\",\"settings\":{{\"display_name\":\"Keynote\"}}}}",
            zoom.url()
        )
    );
    assert!(zoom.seen().is_empty(), "a preview sends nothing");

    door.order(&access(), &order).await;
    let seen = zoom.only();
    let (head, body) = preview.split_once("\n\n").expect("a head and a body");
    assert_eq!(seen.text(), body);
    for line in head.lines().skip(1).filter(|line| !line.starts_with("Authorization")) {
        let (name, value) = line.split_once(": ").expect("a header");
        assert_eq!(seen.header(&name.to_lowercase()), Some(value));
    }
}

#[tokio::test]
async fn a_base_with_a_slash_at_its_end_makes_the_same_path() {
    let zoom = Recorder::start([Reply::no_content()]);
    let door = door_of(Options { api_url: format!("{}/v2/", zoom.url()), ..options(&zoom.url()) });
    door.order(&access(), &start()).await;
    assert_eq!(zoom.only().line, "PATCH /v2/meetings/68423085/livestream/status HTTP/1.1");
}

#[tokio::test]
async fn the_connection_is_kept_after_a_204_and_after_a_refusal() {
    let refusal = r#"{"code":4927,"message":"Meeting 68423085 has not started."}"#;
    let zoom = Recorder::start([Reply::no_content(), Reply::json(400, refusal), Reply::no_content()]);
    let door = door(&zoom);
    for _ in 0..3 {
        assert!(matches!(door.order(&access(), &start()).await, Attempt::Answered(_)));
    }
    assert_eq!(zoom.seen().iter().map(|seen| seen.connection).collect::<Vec<_>>(), [0, 0, 0]);
}
