//! Events: what is told, to whom, in which shape, and what becomes of a delivery.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex};

use jiff::Timestamp;

use super::*;
use crate::sandbox::lock;
use crate::sandbox::signed::{NoAnswer, keyed_hash};
use crate::sandbox::wire::{Answer, Server};

const PATIENCE: Duration = Duration::from_secs(8);
const SECRET_TOKEN: &str = "canary-secret-token";

/// An app that records what comes and answers as told, and otherwise well.
struct App {
    server: Server,
    seen: Arc<Mutex<Vec<Recorded>>>,
    faults: Arc<Mutex<VecDeque<Fault>>>,
}

impl App {
    async fn start() -> Self {
        let (server, listener) = Server::bind().await.unwrap();
        let (seen, faults) = (Arc::<Mutex<Vec<Recorded>>>::default(), Arc::<Mutex<VecDeque<Fault>>>::default());
        let (record, next) = (seen.clone(), faults.clone());
        server.serve(listener, move |request| {
            let answer = well_answered(&request);
            lock(&record).push(request);
            let fault = lock(&next).pop_front();
            async move {
                match fault {
                    Some(fault) => fault.strike(|| answer).await,
                    None => Some(answer),
                }
            }
        });
        Self { server, seen, faults }
    }

    fn url(&self) -> String {
        format!("{}/zoom/webhooks", self.server.base())
    }

    fn next(&self, fault: Fault) {
        lock(&self.faults).push_back(fault);
    }

    fn seen(&self) -> Vec<Recorded> {
        lock(&self.seen).clone()
    }
}

fn well_answered(request: &Recorded) -> Answer {
    match &request.json().unwrap()["payload"]["plainToken"] {
        Value::String(plain) => {
            let encrypted = keyed_hash(SECRET_TOKEN, &[plain.as_bytes()]);
            Answer::json(200, &json!({ "plainToken": plain, "encryptedToken": encrypted }))
        }
        _ => Answer::new(204, ""),
    }
}

/// A Zoom whose events go to an app, and a host who has connected it.
async fn subscribed() -> (SimZoom, App, User, String) {
    let (zoom, app) = (zoom().await, App::start().await);
    zoom.connect_webhooks(&app.url(), SECRET_TOKEN);
    let ada = zoom.user("ada@example.com");
    let access = zoom.grant(&ada).access;
    (zoom, app, ada, access)
}

async fn told(zoom: &SimZoom, count: usize) -> Vec<Value> {
    let sent = zoom.wait_for_events(count, PATIENCE).await.unwrap();
    assert_eq!(sent.len(), count, "{sent:?}");
    sent.iter().map(|sent| sent.event.json()).collect()
}

fn names(events: &[Value]) -> Vec<&str> {
    events.iter().map(|event| event["event"].as_str().unwrap()).collect()
}

#[tokio::test]
async fn a_show_is_told_in_zooms_shapes() {
    let (zoom, app, ada, access) = subscribed().await;
    let id = zoom.meeting_in_progress(&ada);
    assert_eq!(start(&zoom, &access, id).await.0, 204);
    let stop = json!({ "action": "stop" });
    assert_eq!(status(&zoom, &access, &format!("/meetings/{id}"), stop).await.0, 204);
    zoom.end(id);
    let events = told(&zoom, 4).await;
    let expected =
        ["meeting.started", "meeting.live_streaming_started", "meeting.live_streaming_stopped", "meeting.ended"];
    assert_eq!(names(&events), expected);
    let [started, on, off, ended] = [0, 1, 2, 3].map(|index| &events[index]["payload"]);
    for payload in [started, ended] {
        assert_eq!(payload["object"]["id"], json!(id.to_string()));
        assert_eq!(payload["object"]["host_email"], "ada@example.com");
    }
    for payload in [on, off] {
        assert_eq!(payload["object"]["id"], json!(id));
        assert_eq!((&payload["operator"], &payload["operator_id"]), (&json!("ada@example.com"), &json!(ada.id)));
        let live = &payload["object"]["live_streaming"];
        assert_eq!(live["service"], "Custom_Live_Streaming_Service");
        assert!(live["custom_live_streaming_settings"]["stream_key"].as_str().unwrap().contains("canary"));
    }
    for event in &events {
        let (payload, object) = (&event["payload"], &event["payload"]["object"]);
        assert_eq!((&payload["account_id"], &object["host_id"]), (&json!("acct-0001"), &json!(ada.id)));
        assert_eq!((&object["type"], &object["topic"]), (&json!(2), &json!("Meeting 1")));
        assert_eq!(object["uuid"], started["object"]["uuid"]);
        let start_time: Timestamp = object["start_time"].as_str().unwrap().parse().unwrap();
        assert!(event["event_ts"].as_i64().unwrap() >= start_time.as_millisecond());
    }
    assert!(ended["object"]["end_time"].is_string() && started["object"]["end_time"].is_null());
    zoom.begin(id);
    assert_ne!(told(&zoom, 5).await[4]["payload"]["object"]["uuid"], started["object"]["uuid"]);
    assert_eq!(app.seen().len(), 5);
    assert_eq!(zoom.complaints(), Vec::<String>::new());
}

#[tokio::test]
async fn events_are_signed_over_the_raw_body() {
    // Computed with OpenSSL: printf 'v0:1658940994:{"a":1}' | openssl dgst -sha256 -hmac canary-secret-token
    let expected = "v0=3ab4625156b2a2da61adf1dd5c0f2ebfff009bd42d65cfadf69c41f54b6614cb";
    assert_eq!(crate::sandbox::signed::signature(SECRET_TOKEN, "1658940994", br#"{"a":1}"#), expected);
    let (zoom, app, ada, _) = subscribed().await;
    zoom.meeting_in_progress(&ada);
    told(&zoom, 1).await;
    zoom.sign_in_milliseconds();
    zoom.meeting_in_progress(&ada);
    told(&zoom, 2).await;
    for (request, digits) in app.seen().iter().zip([10, 13]) {
        let header = |name: &str| request.header(name).unwrap().to_owned();
        let timestamp = header("x-zm-request-timestamp");
        assert_eq!(timestamp.len(), digits);
        let signed = [b"v0:", timestamp.as_bytes(), b":", &request.body];
        assert_eq!(header("x-zm-signature"), format!("v0={}", keyed_hash(SECRET_TOKEN, &signed)));
        assert_eq!((header("user-agent"), header("clientid")), ("Zoom Marketplace/1.0a".into(), "client".into()));
        assert!(header("content-type").starts_with("application/json") && !header("x-zm-trackingid").is_empty());
        assert_ne!(request.json().unwrap().to_string(), request.text(), "a reprint is another text");
    }
}

#[tokio::test]
async fn who_did_it_is_told_where_somebody_did() {
    let (zoom, _app, ada, _) = subscribed().await;
    let (ben, id) = (zoom.user("ben@example.com"), zoom.meeting_in_progress(&ada));
    zoom.start_stream_by_hand_to(Service::YouTube, id, &ben);
    zoom.drop_stream(id);
    zoom.start_stream_by_hand(id, &ada);
    zoom.stop_stream_by_hand(id, &ben);
    zoom.start_stream_by_hand(id, &ben);
    zoom.end(id);
    let events = told(&zoom, 8).await;
    let who: Vec<(&str, &str)> = events[1..7]
        .iter()
        .map(|event| {
            (event["payload"]["operator"].as_str().unwrap(), event["payload"]["operator_id"].as_str().unwrap())
        })
        .collect();
    let (of_ada, of_ben) = (("ada@example.com", ada.id.as_str()), ("ben@example.com", ben.id.as_str()));
    assert_eq!(who, [of_ben, ("", ""), of_ada, of_ben, of_ben, of_ada]);
    assert_eq!(names(&events)[6..], ["meeting.live_streaming_stopped", "meeting.ended"]);
    let live = &events[1]["payload"]["object"]["live_streaming"];
    assert_eq!((&live["service"], &live["custom_live_streaming_settings"]), (&json!("YouTube"), &Value::Null));
    let mut moments: Vec<i64> = events.iter().map(|event| event["event_ts"].as_i64().unwrap()).collect();
    moments.dedup();
    assert_eq!(moments.len(), 8, "all within one millisecond, and still none like another");
}

#[tokio::test]
async fn an_app_hears_only_what_it_may() {
    let (zoom, _app, ada, access) = subscribed().await;
    // Of a host without a grant: nothing.
    let ben = zoom.user("ben@example.com");
    let of_ben = zoom.meeting_in_progress(&ben);
    zoom.start_stream_by_hand(of_ben, &ben);
    // Of webinars: nothing without a scope, and never a word about the stream.
    let webinar = zoom.webinar_in_progress(&ada);
    let order = json!({ "action": "start" });
    assert_eq!(status(&zoom, &access, &format!("/webinars/{webinar}"), order).await.0, 204);
    assert!(zoom.is_live(webinar));
    zoom.set_scopes(&[SCOPES, WEBINAR_SCOPES].concat());
    zoom.grant(&ada);
    zoom.end(webinar);
    // Of streams: nothing without a scope.
    zoom.set_scopes(&["meeting:read:meeting"]);
    zoom.grant(&ada);
    let id = zoom.meeting_in_progress(&ada);
    zoom.start_stream_by_hand(id, &ada);
    let events = told(&zoom, 2).await;
    assert_eq!(names(&events), ["webinar.ended", "meeting.started"]);
    let ended = &events[0]["payload"]["object"];
    assert_eq!((&ended["type"], &ended["practice_session"]), (&json!(5), &json!(false)));
    assert_eq!(ended["id"], json!(webinar.to_string()));
    // Of a stream that never was: nothing.
    zoom.set_scopes(SCOPES);
    zoom.grant(&ada);
    zoom.edit_meeting(id, |meeting| meeting.reachable = false);
    zoom.stop_stream_by_hand(id, &ada);
    zoom.start_stream_by_hand(id, &ada);
    zoom.end(id);
    assert_eq!(names(&told(&zoom, 4).await)[2..], ["meeting.live_streaming_stopped", "meeting.ended"]);
}

#[tokio::test]
async fn without_a_subscription_nothing_is_sent() {
    let zoom = zoom().await;
    let ada = zoom.user("ada@example.com");
    zoom.grant(&ada);
    zoom.hold_events();
    zoom.end(zoom.meeting_in_progress(&ada));
    zoom.remove_app(&ada);
    assert!(zoom.held_events().is_empty() && zoom.events().is_empty());
    assert_eq!(zoom.validate_url().await, Err(Invalid::NotConnected));
}

#[tokio::test]
async fn held_events_come_late_and_as_arranged() {
    let (zoom, app, ada, _) = subscribed().await;
    let id = zoom.meeting(&ada);
    let seen = |app: &App| -> Vec<String> {
        app.seen().iter().map(|request| request.json().unwrap()["event"].as_str().unwrap().to_owned()).collect()
    };
    zoom.hold_events();
    zoom.begin(id);
    zoom.end(id);
    assert_eq!((zoom.held_events().len(), zoom.events().len()), (2, 0));
    zoom.release_events(reversed);
    told(&zoom, 2).await;
    assert_eq!(seen(&app), ["meeting.ended", "meeting.started"]);
    zoom.hold_events();
    zoom.begin(id);
    zoom.release_events(doubled);
    told(&zoom, 4).await;
    assert_eq!(app.seen()[2].body, app.seen()[3].body);
    zoom.hold_events();
    zoom.end(id);
    zoom.release_events(|held| held.into_iter().skip(1).collect());
    // Nothing is held any more, and the lost one is lost.
    zoom.begin(id);
    assert_eq!(names(&told(&zoom, 5).await)[4], "meeting.started");
    assert_eq!(app.seen().len(), 5);
}

#[tokio::test]
async fn zoom_tries_again_after_5xx_and_cuts_but_not_after_4xx() {
    let (zoom, app, ada, _) = subscribed().await;
    zoom.set_redelivery(&[Duration::from_millis(10), Duration::from_millis(20)]);
    let id = zoom.meeting(&ada);
    let after = async |tries: usize, wanted: usize| {
        let done = |zoom: &SimZoom| zoom.events().last().filter(|sent| sent.tries == tries).cloned();
        let sent = zoom.wait_until("the last try", PATIENCE, done).await.unwrap();
        assert_eq!(app.seen().len(), wanted, "{sent}");
        sent
    };
    app.next(Fault::status(503));
    app.next(Fault::Cut);
    zoom.begin(id);
    assert_eq!(after(3, 3).await.status(), 204);
    app.next(Fault::Cut);
    app.next(Fault::Cut);
    app.next(Fault::status(500));
    zoom.end(id);
    assert_eq!(after(3, 6).await.status(), 500);
    assert_eq!(zoom.complaints(), Vec::<String>::new());
    for status in [401, 302] {
        app.next(Fault::status(status));
        zoom.meeting_in_progress(&ada);
        assert_eq!(after(1, if status == 401 { 7 } else { 8 }).await.status(), status);
    }
    assert_eq!(zoom.complaints().len(), 2);
    app.server.stop().await;
    zoom.meeting_in_progress(&ada);
    let sent = after(3, 8).await;
    assert_eq!(sent.answer.unwrap().unwrap_err(), NoAnswer::AtAll);
    assert_eq!(zoom.complaints().len(), 2);
    // By now a second try of those would have come.
    assert_eq!(zoom.events()[2..4].iter().map(|sent| sent.tries).collect::<Vec<_>>(), [1, 1]);
}

#[tokio::test]
async fn an_answer_later_than_three_seconds_is_none() {
    let (zoom, app, ada, _) = subscribed().await;
    app.next(Fault::Hang);
    let id = zoom.meeting_in_progress(&ada);
    zoom.end(id);
    let sent = zoom.wait_for_events(2, PATIENCE).await.unwrap();
    assert_eq!(sent[0].answer.as_ref().unwrap().as_ref().unwrap_err(), &NoAnswer::InTime);
    assert_eq!((sent[0].tries, sent[0].status(), sent[1].status()), (1, 0, 204));
    let told = "event meeting.started → 0, tries: 1; Zoom wants 200 or 204 within 3 seconds";
    assert_eq!(zoom.complaints(), [told]);
}

#[tokio::test]
async fn an_event_can_be_delivered_again_replayed_and_tampered_with() {
    let (zoom, app, ada, _) = subscribed().await;
    zoom.meeting_in_progress(&ada);
    let sent = zoom.wait_for_events(1, PATIENCE).await.unwrap().remove(0);
    zoom.clock().advance(Duration::from_secs(300));
    assert_eq!(zoom.deliver(&sent.event).await.unwrap().status, 204);
    zoom.send(sent.request.as_ref().unwrap()).await.unwrap();
    let mut request = zoom.signed_event(&sent.event);
    request.body.push(b' ');
    zoom.send(&request).await.unwrap();
    request.remove_header("x-zm-signature");
    zoom.send(&request).await.unwrap();
    zoom.resign(&mut request, "12");
    zoom.send(&request).await.unwrap();
    let unheard = Event::new("meeting.unheard_of", zoom.clock().now(), &json!({}));
    zoom.deliver(&unheard).await.unwrap();
    let seen = app.seen();
    let header = |index: usize, name: &str| seen[index].header(name).map(str::to_owned);
    let (stamp, signature) = ("x-zm-request-timestamp", "x-zm-signature");
    assert!(seen[1].body == seen[0].body && header(1, signature) != header(0, signature));
    assert_eq!((header(2, stamp), header(2, signature)), (header(0, stamp), header(0, signature)));
    let seconds = |index: usize| header(index, stamp).unwrap().parse::<i64>().unwrap();
    assert!((300..400).contains(&(seconds(1) - seconds(0))));
    assert_eq!((header(4, signature), header(5, stamp).unwrap().as_str()), (None, "12"));
    assert_eq!(header(5, signature).unwrap(), crate::sandbox::signed::signature(SECRET_TOKEN, "12", &seen[5].body));
    assert_eq!(seen[6].json().unwrap()["event"], "meeting.unheard_of");
    assert_eq!(zoom.events().len(), 1, "the record is of what happened");
}

#[tokio::test]
async fn an_address_is_valid_if_it_knows_the_secret() {
    let (zoom, app, ..) = subscribed().await;
    assert_eq!(zoom.validate_url().await, Ok(()));
    app.next(Fault::status(401));
    assert_eq!(zoom.validate_url().await, Err(Invalid::Status(401)));
    app.next(Fault::json(200, &json!({ "plainToken": "another" })));
    assert_eq!(zoom.validate_url().await, Err(Invalid::PlainToken));
    app.next(Fault::Cut);
    assert_eq!(zoom.validate_url().await, Err(Invalid::NoAnswer(NoAnswer::AtAll)));
    zoom.connect_webhooks(&app.url(), "another secret");
    assert_eq!(zoom.validate_url().await, Err(Invalid::EncryptedToken));
    let tokens: Vec<Value> =
        app.seen().iter().map(|request| request.json().unwrap()["payload"]["plainToken"].clone()).collect();
    assert!(tokens.iter().all(|token| token.as_str().unwrap().len() == 22) && tokens[0] != tokens[1]);
}

#[tokio::test]
async fn a_user_who_removes_the_app_is_told_of_once() {
    let (zoom, _app, ada, _) = subscribed().await;
    zoom.remove_app(&ada);
    zoom.remove_app(&ada);
    zoom.meeting_in_progress(&ada);
    let events = told(&zoom, 1).await;
    let payload = &events[0]["payload"];
    assert_eq!((&events[0]["event"], &events[0]["event_ts"]), (&json!("app_deauthorized"), &Value::Null));
    assert_eq!((&payload["user_id"], &payload["client_id"]), (&json!(ada.id), &json!("client")));
    assert_eq!(payload["signature"].as_str().unwrap().len(), 64);
    assert_eq!(payload["event_ts"].as_str().unwrap().len(), "2024-09-08 15:58:40".len());
}

#[tokio::test]
async fn nothing_is_delivered_once_zoom_has_stopped() {
    let (zoom, app, ada, _) = subscribed().await;
    zoom.set_redelivery(&[Duration::from_millis(10)]);
    app.next(Fault::status(503));
    zoom.meeting_in_progress(&ada);
    told(&zoom, 1).await;
    zoom.stop().await;
    let tries = app.seen().len();
    zoom.meeting_in_progress(&ada);
    let untold = zoom.wait_for_events(2, Duration::ZERO).await.unwrap_err();
    assert!(untold.to_string().ends_with("event meeting.started → 0, tries: 0"), "{untold}");
    let event = zoom.events().remove(0).event;
    zoom.release_events(|_| vec![event; 1_000]);
    assert_eq!(zoom.complaints(), ["meeting.started: 1000 events are on their way already"]);
    assert_eq!(app.seen().len(), tries);
}
