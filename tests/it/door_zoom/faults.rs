//! Answers that are odd, cut, late, or none.

use std::net::TcpListener;
use std::time::{Duration, Instant};

use onair::outcome::{Answer, Attempt, FieldError};
use onair::zoom::{BuildError, Error, Options, Zoom};

use super::{access, answered, door, door_of, options, start};
use crate::recorder::{Recorder, Reply};

const HEAD_400: &str =
    "HTTP/1.1 400 Bad Request\r\nContent-Type: application/json\r\nContent-Length: 100000000\r\n\r\n";

async fn attempt(reply: Reply) -> Attempt {
    door(&Recorder::start([reply])).order(&access(), &start()).await
}

/// With a time-out that a test can wait for.
fn hasty(base: &str) -> Options {
    Options { call_timeout: Duration::from_millis(500), ..options(base) }
}

/// An address where nobody listens.
fn nobody() -> String {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
    format!("http://{}", listener.local_addr().expect("a bound address"))
}

#[tokio::test]
async fn a_refused_connection_is_not_sent() {
    assert_eq!(door_of(options(&nobody())).order(&access(), &start()).await, Attempt::NotSent);
}

#[tokio::test]
async fn a_name_that_does_not_resolve_is_not_sent() {
    let door = door_of(options("http://zoom.invalid"));
    assert_eq!(door.order(&access(), &start()).await, Attempt::NotSent);
}

#[tokio::test]
async fn a_time_out_before_tls_stands_is_not_sent() {
    // The kernel accepts the connection and nobody ever speaks TLS on it.
    let silent = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("https://{}", silent.local_addr().unwrap());
    let connect_timeout = Duration::from_millis(100);
    let door = door_of(Options { connect_timeout, ..options(&url) });
    assert_eq!(door.order(&access(), &start()).await, Attempt::NotSent);
}

#[tokio::test]
async fn a_peer_that_speaks_no_tls_is_not_sent() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("https://{}", listener.local_addr().unwrap());
    std::thread::spawn(move || {
        use std::io::Write as _;
        let (mut stream, _) = listener.accept().unwrap();
        stream.write_all(b"HTTP/1.1 400 Bad Request\r\n\r\n").unwrap();
    });
    assert_eq!(door_of(options(&url)).order(&access(), &start()).await, Attempt::NotSent);
}

#[tokio::test]
async fn a_connection_closed_after_the_request_is_no_answer() {
    let zoom = Recorder::start([Reply::Last(Vec::new())]);
    assert_eq!(door(&zoom).order(&access(), &start()).await, Attempt::NoAnswer);
    zoom.only();
}

#[tokio::test]
async fn a_connection_closed_at_once_is_no_answer() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    std::thread::spawn(move || drop(listener.accept()));
    assert_eq!(door_of(options(&url)).order(&access(), &start()).await, Attempt::NoAnswer);
}

#[tokio::test]
async fn an_order_whose_answer_is_lost_is_not_repeated() {
    // The second one comes by a connection that was used before, which is where clients like to try again.
    let zoom = Recorder::start([Reply::no_content(), Reply::Last(Vec::new()), Reply::no_content()]);
    let door = door(&zoom);
    assert_eq!(answered(door.order(&access(), &start()).await).status, 204);
    assert_eq!(door.order(&access(), &start()).await, Attempt::NoAnswer);
    assert_eq!(zoom.seen().len(), 2);
}

#[tokio::test]
async fn silence_is_no_answer_after_the_time_out() {
    let zoom = Recorder::start([Reply::Hang]);
    let began = Instant::now();
    assert_eq!(door_of(hasty(&zoom.url())).order(&access(), &start()).await, Attempt::NoAnswer);
    assert!(began.elapsed() >= Duration::from_millis(500), "{:?}", began.elapsed());
    zoom.only();
}

#[tokio::test]
async fn half_a_head_is_no_answer() {
    let half = b"HTTP/1.1 204 No Cont".to_vec();
    assert_eq!(attempt(Reply::Last(half)).await, Attempt::NoAnswer);
    assert_eq!(attempt(Reply::Last(b"SSH-2.0-OpenSSH_9.9\r\n".to_vec())).await, Attempt::NoAnswer);
}

#[tokio::test]
async fn an_answer_whose_body_is_cut_keeps_its_status() {
    let cut = format!("{HEAD_400}{{\"code\":4927,\"mess").into_bytes();
    let expected = Answer { status: 400, ..Answer::default() };
    assert_eq!(answered(attempt(Reply::Last(cut.clone())).await), expected);

    let zoom = Recorder::start([Reply::Stall(cut)]);
    assert_eq!(answered(door_of(hasty(&zoom.url())).order(&access(), &start()).await), expected);
}

#[tokio::test]
async fn an_envelope_that_came_before_the_cut_is_read() {
    let cut = format!("{HEAD_400}{{\"code\":4927,\"message\":\"Meeting 1 has not started.\"}}");
    assert_eq!(answered(attempt(Reply::Last(cut.into_bytes())).await).code, Some(4927));
}

#[tokio::test]
async fn an_endless_body_ends_at_64_kib() {
    let began = Instant::now();
    let endless = "HTTP/1.1 400 Bad Request\r\n\r\n{\"code\":4927,\"message\":\"".to_owned().into_bytes();
    assert_eq!(answered(attempt(Reply::Endless(endless)).await), Answer { status: 400, ..Answer::default() });
    assert!(began.elapsed() < options("").call_timeout, "the limit ends it, not the time-out");

    for (length, code) in [(64 * 1024, Some(4927)), (64 * 1024 + 1, None)] {
        let json = r#"{"code":4927}"#;
        let body = " ".repeat(length - json.len()) + json;
        assert_eq!(answered(attempt(Reply::json(400, &body)).await).code, code, "{length} bytes");
    }
}

#[tokio::test]
async fn a_redirect_is_an_answer_and_the_token_stays_here() {
    for status in [301, 302, 303, 307, 308] {
        let elsewhere = Recorder::start([Reply::no_content()]);
        let location = format!("Location: {}/v2/collect\r\n", elsewhere.url());
        let answer = answered(attempt(Reply::status(status, &location, "")).await);
        assert_eq!(answer, Answer { status, ..Answer::default() });
        assert!(elsewhere.seen().is_empty(), "{status} was followed");
    }
}

#[tokio::test]
async fn xml_is_read_although_json_was_asked_for() {
    let xml = "<?xml version=\"1.0\"?><error><code>300</code><message>Validation &quot;Failed&quot;.</message></error>";
    let answer = answered(attempt(Reply::status(400, "Content-Type: application/xml\r\n", xml)).await);
    assert_eq!((answer.code, answer.message.as_str()), (Some(300), "Validation \"Failed\"."));
}

#[tokio::test]
async fn fields_limits_and_the_tracking_id_reach_the_answer() {
    let headers = "X-ZM-TRACKINGID: v=2.0;clid=us02;rid=WEB_1\r\nX-RateLimit-Type: Daily-limit\r\n\
                   Retry-After: 2026-10-22T00:00:00Z\r\n";
    let body = r#"{"code":300,"message":"Validation Failed.","errors":[{"field":"settings.display_name","message":"Invalid field."}]}"#;
    let answer = answered(attempt(Reply::status(429, headers, body)).await);
    assert_eq!(answer.tracking_id.as_deref(), Some("v=2.0;clid=us02;rid=WEB_1"));
    assert_eq!(answer.limit.kind.as_deref(), Some("Daily-limit"));
    assert_eq!(answer.limit.retry_at, Some("2026-10-22T00:00:00Z".parse().unwrap()));
    let expected = FieldError { field: "settings.display_name".into(), message: "Invalid field.".into() };
    assert_eq!(answer.fields, [expected]);
}

#[tokio::test]
async fn bodies_that_are_no_envelope_leave_the_status() {
    let bodies = [&b""[..], b"\xff\xfe\x80 not text", b"Bad gateway", b"<html>502</html>", b"[[[", b"\"code\""];
    for body in bodies {
        let answer = answered(attempt(Reply::status(502, "", body)).await);
        assert_eq!(answer, Answer { status: 502, ..Answer::default() }, "{body:?}");
    }
    let headers = "X-ZM-TRACKINGID: \u{fc}\r\n";
    assert_eq!(answered(attempt(Reply::status(500, headers, "")).await).tracking_id, None);
}

#[tokio::test]
async fn reachable_takes_any_answer_from_both_addresses() {
    let zoom = Recorder::start([Reply::json(404, "{}"), Reply::status(500, "", "")]);
    door(&zoom).reachable().await.expect("both answer");
    let lines: Vec<_> = zoom.seen().into_iter().map(|seen| seen.line).collect();
    assert_eq!(lines, ["GET /v2 HTTP/1.1", "GET /oauth HTTP/1.1"]);

    let zoom = Recorder::start([Reply::json(200, "{}")]);
    let half = Options { oauth_url: nobody(), ..options(&zoom.url()) };
    let error = door_of(half).reachable().await.unwrap_err();
    assert!(matches!(error, Error::Unreachable(_)), "{error:?}");
}

#[test]
fn addresses_that_cannot_be_bases_are_named_and_not_shown() {
    for bad in
        ["", "api.zoom.us/v2", "ftp://zoom.example", "https://me:pw@zoom.example", "https://zoom.example/?token=x"]
    {
        let bad = Options { api_url: bad.into(), ..options("http://127.0.0.1:1") };
        let error = Zoom::new(bad, Default::default()).unwrap_err();
        assert!(matches!(error, BuildError::Address { option: "api_url" }), "{error:?}");
        assert_eq!(error.to_string(), "api_url is not a plain http or https address");
    }
}
