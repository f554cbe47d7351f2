use proptest::prelude::*;
use reqwest::header::{HeaderMap, HeaderName, HeaderValue};

use super::*;
use hmac::{Hmac, KeyInit as _, Mac as _};

const SECRET: &str = "8f742231b10e8888abcd99yyyzzz85a5";
const BODY: &str = "token=xyzz0WbapA4vBCDEFasx0q6G&team_id=T1DC2JH3J&team_domain=testteamnow&channel_id=G8PSS9T3V&\
                    channel_name=foobar&user_id=U2CERLKJA&user_name=roadrunner&command=%2Fwebhook-collect&text=&\
                    response_url=https%3A%2F%2Fhooks.slack.com%2Fcommands%2FT1DC2JH3J%2F397700885554%2F96rGlfmibIGlgcZRskXaIFfN&\
                    trigger_id=398738663015.47445629121.803a0bc887a14d10d2c447fce8b6703c";
const SIGNATURE: &str = "v0=a2114d57b48eac39b9ad189dd8316235a7b4a8d21a10bd27519666489c69b503";
const SENT: i64 = 1_531_420_618;

fn headers(pairs: &[(&str, &str)]) -> HeaderMap {
    let mut map = HeaderMap::new();
    for (name, value) in pairs {
        let name: HeaderName = name.parse().unwrap();
        map.append(name, HeaderValue::from_bytes(value.as_bytes()).unwrap());
    }
    map
}

fn published() -> HeaderMap {
    headers(&[
        ("X-Slack-Request-Timestamp", "1531420618"),
        ("X-Slack-Signature", SIGNATURE),
        ("Content-Type", "application/x-www-form-urlencoded"),
    ])
}

fn at(second: i64) -> Timestamp {
    Timestamp::from_second(second).unwrap()
}

fn secrets(texts: &[&str]) -> Vec<Secret> {
    texts.iter().map(|text| Secret::new(*text)).collect()
}

fn sign(secret: &str, stamp: &str, body: &[u8]) -> String {
    let mut mac = Hmac::<Sha256>::new_from_slice(secret.as_bytes()).unwrap();
    mac.update(format!("v0:{stamp}:").as_bytes());
    mac.update(body);
    format!("v0={}", hex::encode(mac.finalize().into_bytes()))
}

#[test]
fn slacks_published_example_is_verified_and_read() {
    let verified = verify(&secrets(&[SECRET]), &published(), BODY.as_bytes(), at(SENT)).unwrap();
    let reference = Reference::new("R");
    let read = decode_command(&verified, &published(), "https://hooks.slack.com", reference, at(SENT)).unwrap();
    assert_eq!(read.person.key(), "-/T1DC2JH3J/U2CERLKJA");
    assert_eq!((read.command.as_str(), read.text.as_str()), ("/webhook-collect", ""));
    assert_eq!((read.user_name.as_str(), read.team_domain.as_str()), ("roadrunner", "testteamnow"));
}

#[test]
fn the_window_is_three_hundred_seconds_both_ways() {
    for (now, good) in [(SENT - 301, false), (SENT - 300, true), (SENT + 300, true), (SENT + 301, false)] {
        let result = verify(&secrets(&[SECRET]), &published(), BODY.as_bytes(), at(now));
        assert_eq!(result.is_ok(), good, "{}", now - SENT);
    }
}

#[test]
fn either_of_two_secrets_is_enough_and_an_empty_one_is_none() {
    let check = |texts: &[&str]| verify(&secrets(texts), &published(), BODY.as_bytes(), at(SENT)).is_ok();
    assert!(check(&["new", SECRET]) && check(&[SECRET, "new"]));
    assert!(!check(&["new", "old"]) && !check(&[]));
    let with_empty = sign("", "1531420618", BODY.as_bytes());
    let forged = headers(&[("X-Slack-Request-Timestamp", "1531420618"), ("X-Slack-Signature", &with_empty)]);
    assert_eq!(verify(&secrets(&[""]), &forged, BODY.as_bytes(), at(SENT)).unwrap_err(), Unverified);
}

#[test]
fn odd_headers_are_refused() {
    let stamp = ("X-Slack-Request-Timestamp", "1531420618");
    let cases: &[&[(&str, &str)]] = &[
        &[],
        &[stamp],
        &[("X-Slack-Signature", SIGNATURE)],
        &[stamp, stamp, ("X-Slack-Signature", SIGNATURE)],
        &[stamp, ("X-Slack-Signature", SIGNATURE), ("X-Slack-Signature", SIGNATURE)],
        &[stamp, ("X-Slack-Signature", &SIGNATURE[3..])],
        &[stamp, ("X-Slack-Signature", &SIGNATURE[..60])],
        &[stamp, ("X-Slack-Signature", "v0=zz")],
        &[stamp, ("X-Slack-Signature", "v0=")],
        &[stamp, ("X-Slack-Signature", "")],
        &[stamp, ("X-Slack-Signature", "v0=\u{e9}")],
        &[("X-Slack-Request-Timestamp", ""), ("X-Slack-Signature", SIGNATURE)],
        &[("X-Slack-Request-Timestamp", "+1531420618"), ("X-Slack-Signature", SIGNATURE)],
        &[("X-Slack-Request-Timestamp", "1531420618.0"), ("X-Slack-Signature", SIGNATURE)],
        &[("X-Slack-Request-Timestamp", "99999999999999999999"), ("X-Slack-Signature", SIGNATURE)],
        &[("X-Slack-Request-Timestamp", "-9223372036854775808"), ("X-Slack-Signature", SIGNATURE)],
    ];
    for case in cases {
        assert!(verify(&secrets(&[SECRET]), &headers(case), BODY.as_bytes(), at(SENT)).is_err(), "{case:?}");
    }
}

#[test]
fn ssl_check_is_a_field_and_not_a_word_in_the_text() {
    assert!(is_ssl_check(b"ssl_check=1&token=x"));
    for body in [&b"text=ssl_check%3D1"[..], b"ssl_check=0", b"", b"\xff\xfe", b"text=a+ssl_check=1"] {
        assert!(!is_ssl_check(body));
    }
}

fn decode(body: &str, content_type: &str) -> Result<Invocation, BadShape> {
    let stamp = SENT.to_string();
    let map = headers(&[
        ("x-slack-request-timestamp", &stamp),
        ("x-slack-signature", &sign(SECRET, &stamp, body.as_bytes())),
        ("content-type", content_type),
    ]);
    let verified = verify(&secrets(&[SECRET]), &map, body.as_bytes(), at(SENT)).unwrap();
    decode_command(&verified, &map, "https://hooks.slack.com", Reference::new("R"), at(SENT))
}

#[test]
fn a_signed_body_of_the_wrong_shape_is_named() {
    const FORM: &str = "application/x-www-form-urlencoded";
    assert!(decode(BODY, "Application/X-WWW-Form-UrlEncoded; charset=utf-8").is_ok());
    assert_eq!(decode(BODY, "application/json").unwrap_err(), BadShape::ContentType);
    for (from, to, field) in [
        ("user_id=U2CERLKJA", "user_id=", "user_id"),
        ("team_id=T1DC2JH3J", "x=y", "team_id"),
        ("user_id=U2CERLKJA", "user_id=U1%2FU2", "user_id"),
        ("channel_id=G8PSS9T3V", "channel_id=a%20b", "channel_id"),
        ("command=%2Fwebhook-collect", "command=webhook", "command"),
        ("hooks.slack.com%2F", "hooks.slack.com.evil.example%2F", "response_url"),
        ("hooks.slack.com%2F", "hooks.slack.com%40evil.example%2F", "response_url"),
        ("https%3A%2F%2Fhooks", "http%3A%2F%2Fhooks", "response_url"),
        ("user_name=roadrunner", "user_id=U3", "a field given twice"),
    ] {
        assert!(BODY.contains(from));
        assert_eq!(decode(&BODY.replace(from, to), FORM).unwrap_err(), BadShape::Field(field), "{to}");
    }
}

#[test]
fn the_enterprise_is_part_of_who_somebody_is() {
    let body = format!("{BODY}&enterprise_id=E123&enterprise_name=Big&is_enterprise_install=true");
    let read = decode(&body, "application/x-www-form-urlencoded").unwrap();
    assert_eq!(read.person.key(), "E123/T1DC2JH3J/U2CERLKJA");
}

#[test]
fn what_a_person_typed_and_where_answers_go_is_not_in_the_debug_output() {
    let body = BODY.replace("text=", "text=start+canary");
    let shown = format!("{:?}", decode(&body, "application/x-www-form-urlencoded").unwrap());
    assert!(!shown.contains("canary") && !shown.contains("hooks.slack.com"), "{shown}");
}

proptest! {
    #[test]
    fn only_the_bytes_that_were_signed_pass(body in proptest::collection::vec(any::<u8>(), 0..300), flip in 0usize..2400) {
        let stamp = SENT.to_string();
        let map = headers(&[("x-slack-request-timestamp", &stamp), ("x-slack-signature", &sign(SECRET, &stamp, &body))]);
        prop_assert!(verify(&secrets(&[SECRET]), &map, &body, at(SENT)).is_ok());
        let mut changed = body.clone();
        if let Some(byte) = changed.get_mut(flip / 8) {
            *byte ^= 1 << (flip % 8);
            prop_assert!(verify(&secrets(&[SECRET]), &map, &changed, at(SENT)).is_err());
        }
    }
}

#[test]
fn a_verified_body_does_not_print() {
    let verified = verify(&secrets(&[SECRET]), &published(), BODY.as_bytes(), at(SENT)).unwrap();
    assert_eq!(format!("{verified:?}"), format!("Verified {{ bytes: {}, .. }}", BODY.len()));
}

#[test]
fn deliveries_sort_by_the_second_they_were_signed_in_and_differ_by_their_bytes() {
    let name = |sent: i64, body: &str| {
        let stamp = sent.to_string();
        let signature = sign(SECRET, &stamp, body.as_bytes());
        let headers = headers(&[("X-Slack-Request-Timestamp", &stamp), ("X-Slack-Signature", &signature)]);
        verify(&secrets(&[SECRET]), &headers, body.as_bytes(), at(sent)).unwrap().delivery().as_str().to_owned()
    };
    assert_eq!(name(SENT, "a"), name(SENT, "a"));
    assert_ne!(name(SENT, "a"), name(SENT, "b"));
    let sent: Vec<String> = (0..20).map(|second| name(SENT + second, "a")).collect();
    assert!(sent.is_sorted(), "{sent:?}");
}
