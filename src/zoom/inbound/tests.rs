//! Who is let in, and what is read of what they say. The bodies have the form that Zoom documents.

use proptest::prelude::*;
use serde_json::{Value, json};

use super::*;

const SECRET: &str = "webhook-secret";
const SENT: i64 = 1_790_000_000;

fn at(second: i64) -> Timestamp {
    Timestamp::from_second(second).unwrap()
}

fn sign(secret: &str, stamp: &str, body: &[u8]) -> String {
    let mut mac = Hmac::<Sha256>::new_from_slice(secret.as_bytes()).unwrap();
    mac.update(format!("v0:{stamp}:").as_bytes());
    mac.update(body);
    format!("v0={}", hex::encode(mac.finalize().into_bytes()))
}

fn headers(pairs: &[(&'static str, &str)]) -> HeaderMap {
    pairs.iter().map(|(name, value)| (header::HeaderName::from_static(name), value.parse().unwrap())).collect()
}

fn signed(secret: &str, stamp: &str, body: &[u8]) -> HeaderMap {
    let signature = sign(secret, stamp, body);
    let content = ("content-type", "application/json; charset=utf-8");
    headers(&[("x-zm-request-timestamp", stamp), ("x-zm-signature", &signature), content])
}

fn secrets(texts: &[&str]) -> Vec<Secret> {
    texts.iter().map(|text| Secret::new(*text)).collect()
}

fn is_let_in(texts: &[&str], headers: &HeaderMap, body: &[u8], now: i64) -> bool {
    verify(&secrets(texts), headers, body, at(now)).is_ok()
}

fn read(body: &Value) -> Result<Incoming, BadShape> {
    let (body, known) = (body.to_string(), secrets(&[SECRET]));
    let headers = signed(SECRET, &SENT.to_string(), body.as_bytes());
    let verified = verify(&known, &headers, body.as_bytes(), at(SENT)).unwrap();
    decode(&verified, &headers, at(SENT))
}

fn live(id: &Value) -> Value {
    json!({
        "event": "meeting.live_streaming_started",
        "event_ts": SENT * 1000 + 5,
        "payload": {
            "account_id": "acct",
            "operator": "ada@example.com",
            "operator_id": "zada",
            "object": {
                "id": id,
                "uuid": "4444AAAiAAAAAiAiAiiAii==",
                "host_id": "zada",
                "topic": "canary topic",
                "live_streaming": {
                    "service": "Custom_Live_Streaming_Service",
                    "custom_live_streaming_settings": {
                        "stream_url": "rtmp://canary.example.com/live",
                        "stream_key": "canary-key",
                        "page_url": "https://example.com/watch",
                    },
                },
            },
        },
    })
}

fn report(incoming: Incoming) -> (DeliveryId, Report) {
    let Incoming::Report { delivery, report, .. } = incoming else { panic!("{incoming:?}") };
    (delivery, report)
}

#[test]
fn only_what_zoom_signed_lately_is_let_in() {
    let body = b"{}";
    let stamp = SENT.to_string();
    let good = signed(SECRET, &stamp, body);
    assert!(is_let_in(&[SECRET], &good, body, SENT));
    assert!(is_let_in(&["new", SECRET], &good, body, SENT) && is_let_in(&[SECRET, "new"], &good, body, SENT));
    assert!(!is_let_in(&["other"], &good, body, SENT) && !is_let_in(&[], &good, body, SENT));
    assert!(!is_let_in(&[SECRET], &good, b"{ }", SENT), "changed");
    for (now, fits) in [(SENT + 7200, true), (SENT + 7201, false), (SENT - 300, true), (SENT - 301, false)] {
        assert_eq!(is_let_in(&[SECRET], &good, body, now), fits, "{}", now - SENT);
    }
    let with_nothing = signed("", &stamp, body);
    assert!(!is_let_in(&["", SECRET], &with_nothing, body, SENT), "an empty secret is none");
    for (missing, twice) in [("x-zm-signature", false), ("x-zm-request-timestamp", false), ("x-zm-signature", true)] {
        let mut odd = good.clone();
        let value = odd.remove(missing).unwrap();
        if twice {
            odd.append(missing, value.clone());
            odd.append(missing, value);
        }
        assert!(!is_let_in(&[SECRET], &odd, body, SENT), "{missing}");
    }
}

#[test]
fn milliseconds_are_taken_for_what_they_are() {
    let stamp = (SENT * 1000).to_string();
    assert!(is_let_in(&[SECRET], &signed(SECRET, &stamp, b"{}"), b"{}", SENT));
    for odd in ["", "-1", "1e9", "99999999999999999", "١٧٩٠٠٠٠٠٠٠"] {
        let headers = headers(&[("x-zm-signature", &sign(SECRET, odd, b"{}"))]);
        let mut odd_headers = headers;
        if let Ok(value) = odd.parse() {
            odd_headers.insert("x-zm-request-timestamp", value);
        }
        assert!(!is_let_in(&[SECRET], &odd_headers, b"{}", SENT), "{odd:?}");
    }
}

#[test]
fn the_address_is_proven_with_the_secret_that_signed() {
    let body = json!({ "event": "endpoint.url_validation", "payload": { "plainToken": "token" } }).to_string();
    let known = secrets(&["new", SECRET]);
    let headers = signed(SECRET, &SENT.to_string(), body.as_bytes());
    let verified = verify(&known, &headers, body.as_bytes(), at(SENT)).unwrap();
    let mut mac = Hmac::<Sha256>::new_from_slice(SECRET.as_bytes()).unwrap();
    mac.update(b"token");
    let encrypted_token = hex::encode(mac.finalize().into_bytes());
    let proof = Incoming::Validation { plain_token: "token".to_owned(), encrypted_token };
    assert_eq!(decode(&verified, &headers, at(SENT)), Ok(proof));
}

#[test]
fn a_report_is_read_without_the_stream_key_whatever_form_its_id_has() {
    for id in [json!(81_234_567_890_u64), json!("81234567890")] {
        let (_, report) = report(read(&live(&id)).unwrap());
        let shown = format!("{report:?}{}", serde_json::to_string(&report).unwrap());
        assert!(!shown.contains("canary"), "{shown}");
        let Report::Meeting(report) = report else { panic!("{report:?}") };
        assert_eq!((report.what, report.meeting.number()), (Happened::StreamStarted, 81_234_567_890));
        assert_eq!(report.at, Timestamp::from_millisecond(SENT * 1000 + 5).unwrap());
        assert_eq!(report.page_url.as_deref(), Some("https://example.com/watch"));
        assert_eq!(report.operator.and_then(|operator| operator.email).as_deref(), Some("ada@example.com"));
    }
}

#[test]
fn the_same_event_has_one_name_and_another_has_another() {
    let name = |event: &str, uuid: &str, ts: i64| {
        let mut body = live(&json!(81_234_567_890_u64));
        (body["event"], body["event_ts"]) = (event.into(), ts.into());
        body["payload"]["object"]["uuid"] = uuid.into();
        report(read(&body).unwrap()).0
    };
    let first = name("meeting.live_streaming_started", "a==", 1000);
    assert_eq!(first, name("meeting.live_streaming_started", "a==", 1000));
    for other in [
        name("meeting.live_streaming_stopped", "a==", 1000),
        name("meeting.live_streaming_started", "b==", 1000),
        name("meeting.live_streaming_started", "a==", 1001),
    ] {
        assert_ne!(first, other);
    }
}

#[test]
fn a_user_who_took_the_app_out_is_read_with_the_time_inside() {
    let body = json!({
        "event": "app_deauthorized",
        "payload": { "user_id": "zada", "account_id": "acct", "client_id": "client", "event_ts": "1790000000005" },
    });
    let (_, report) = report(read(&body).unwrap());
    let at = Timestamp::from_millisecond(SENT * 1000 + 5).unwrap();
    assert_eq!(report, Report::Deauthorized { zoom_user: ZoomUserId::new("zada"), at });
    let mut as_in_the_documents = body;
    as_in_the_documents["payload"]["event_ts"] = json!("2026-09-21 14:13:20");
    as_in_the_documents["payload"]["deauthorization_time"] = json!("2026-09-21T14:13:20.005Z");
    let (name, report) = self::report(read(&as_in_the_documents).unwrap());
    assert_eq!(report, Report::Deauthorized { zoom_user: ZoomUserId::new("zada"), at });
    assert_eq!(self::report(read(&as_in_the_documents).unwrap()).0, name, "the same when it comes again");
}

#[test]
fn what_means_nothing_here_is_named_and_what_makes_no_sense_is_refused() {
    let other = json!({ "event": "meeting.participant_joined", "payload": {} });
    assert_eq!(read(&other), Ok(Incoming::Other { event: "meeting.participant_joined".to_owned() }));
    for (path, value, bad) in [
        ("/payload/object/id", json!("12"), "id"),
        ("/payload/object/uuid", json!(""), "uuid"),
        ("/payload/object/host_id", json!(null), "user"),
        ("/payload/object", json!(null), "object"),
        ("/payload", json!(7), "payload"),
        ("/event", json!(null), "body"),
    ] {
        let mut body = live(&json!("81234567890"));
        *body.pointer_mut(path).unwrap() = value;
        assert_eq!(read(&body), Err(BadShape(bad)), "{path}");
    }
}

proptest! {
    #[test]
    fn no_signed_body_makes_it_panic(body in proptest::collection::vec(any::<u8>(), 0..400)) {
        let known = secrets(&[SECRET]);
        let headers = signed(SECRET, &SENT.to_string(), &body);
        let verified = verify(&known, &headers, &body, at(SENT)).unwrap();
        let _ = decode(&verified, &headers, at(SENT));
    }
}
