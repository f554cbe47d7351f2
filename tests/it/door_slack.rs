//! The Slack door against a vendor that says what it is told to: what is posted, and what comes of every answer.

use std::net::TcpListener;
use std::time::{Duration, Instant};

use onair::invocation::ReplyTo;
use onair::reply::Audience;
use onair::secret::Secret;
use onair::slack::{Error, Options, Slack};
use onair::words::{Button, Does, Message, Style};
use serde_json::{Value, json};

use crate::recorder::{Recorder, Reply};

const PATH: &str = "/commands/T1/2/canary";

fn door(base: &str) -> Slack {
    let options = Options {
        api_url: format!("{base}/api"),
        oauth_url: base.to_owned(),
        client: None,
        hooks_url: base.to_owned(),
        bot_token: Some(Secret::new("xoxb-canary")),
        signing_secrets: vec![Secret::new("signing")],
        connect_timeout: Duration::from_millis(200),
        timeout: Duration::from_millis(500),
    };
    Slack::new(options).unwrap()
}

fn message(audience: Audience, button: Option<Button>) -> Message {
    let buttons = button.into_iter().collect();
    Message { audience, text: "*bold* &lt;3".to_owned(), buttons, replaces: false }
}

async fn post(base: &str) -> Result<(), Error> {
    door(base).answer(&ReplyTo::new(format!("{base}{PATH}")), &message(Audience::Channel, None)).await
}

/// What comes of one answer; nothing in it may show where it was posted.
async fn after(reply: Reply) -> Error {
    let slack = Recorder::start([reply]);
    let error = post(&slack.url()).await.unwrap_err();
    slack.only();
    quiet(error)
}

fn quiet(error: Error) -> Error {
    let mut shown = format!("{error:?} {error}");
    let mut cause = std::error::Error::source(&error);
    while let Some(inner) = cause {
        shown.push_str(&format!(" {inner}"));
        cause = inner.source();
    }
    assert!(!shown.contains("canary") && !shown.contains("/commands") && !shown.contains("http://"), "{shown}");
    error
}

/// An address where nobody listens.
fn nobody() -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    format!("http://{}", listener.local_addr().unwrap())
}

#[tokio::test]
async fn an_answer_is_posted_as_slack_documents_it() {
    let slack = Recorder::start([Reply::status(200, "", "ok"), Reply::status(200, "", "ok")]);
    let (door, url) = (door(&slack.url()), ReplyTo::new(format!("{}{PATH}", slack.url())));
    door.answer(&url, &message(Audience::Channel, None)).await.unwrap();
    let button = Button {
        label: "Connect Zoom".to_owned(),
        does: Does::Open(Secret::new("https://onair.example.com/x?state=1")),
        style: Some(Style::Primary),
        confirm: None,
    };
    door.answer(&url, &message(Audience::Person, Some(button))).await.unwrap();
    let seen = slack.seen();
    let section = json!({ "type": "section", "text": { "type": "mrkdwn", "text": "*bold* &lt;3", "verbatim": true } });
    let body = |at: usize| -> Value { serde_json::from_str(seen[at].text()).unwrap() };
    assert_eq!(body(0), json!({ "response_type": "in_channel", "text": "*bold* &lt;3", "blocks": [section.clone()] }));
    let button = json!({
        "type": "button",
        "action_id": "open_link",
        "style": "primary",
        "text": { "type": "plain_text", "text": "Connect Zoom" },
        "url": "https://onair.example.com/x?state=1",
    });
    let actions = json!({ "type": "actions", "elements": [button] });
    assert_eq!(body(1), json!({ "response_type": "ephemeral", "text": "*bold* &lt;3", "blocks": [section, actions] }));
    for request in &seen {
        assert_eq!(request.line, format!("POST {PATH} HTTP/1.1"));
        assert_eq!(request.header("content-type"), Some("application/json"));
        assert_eq!(request.header("authorization"), None, "a bearer link needs no token");
    }
}

#[tokio::test]
async fn every_status_says_what_comes_next() {
    for status in [400, 403, 404, 410] {
        let error = after(Reply::status(status, "", "used_url")).await;
        assert!(matches!(error, Error::Spent(_)) && error.retry_in().is_none(), "{status}: {error:?}");
    }
    for status in [500, 502, 503, 504] {
        let error = after(Reply::status(status, "", "")).await;
        assert!(matches!(error, Error::Away(_)), "{status}: {error:?}");
        assert_eq!(error.retry_in(), Some(Duration::ZERO));
    }
    let busy = after(Reply::status(429, "Retry-After: 7\r\n", "")).await;
    assert!(matches!(busy, Error::Busy(_)), "{busy:?}");
    assert_eq!(busy.retry_in(), Some(Duration::from_secs(7)));
    let unclear = after(Reply::status(429, "Retry-After: soon\r\n", "")).await;
    assert_eq!(unclear.retry_in(), Some(Duration::from_secs(1)));
}

#[tokio::test]
async fn a_redirect_is_not_followed() {
    let elsewhere = Recorder::start([Reply::status(200, "", "ok")]);
    let error = after(Reply::status(307, &format!("Location: {}/canary\r\n", elsewhere.url()), "")).await;
    assert!(matches!(error, Error::Spent(_)), "{error:?}");
    assert!(elsewhere.seen().is_empty());
}

#[tokio::test]
async fn silence_ends_at_the_deadline_and_is_tried_again() {
    let began = Instant::now();
    let error = after(Reply::Hang).await;
    assert!(began.elapsed() >= Duration::from_millis(500));
    assert!(matches!(error, Error::NoAnswer(_)), "{error:?}");
    assert_eq!(error.retry_in(), Some(Duration::ZERO), "read twice is better than never");
}

#[tokio::test]
async fn the_client_itself_posts_once() {
    // The second one comes by a connection that was used before, which is where clients like to try again.
    let slack = Recorder::start([Reply::status(200, "", "ok"), Reply::Last(Vec::new()), Reply::status(200, "", "ok")]);
    let (door, url) = (door(&slack.url()), ReplyTo::new(format!("{}{PATH}", slack.url())));
    door.answer(&url, &message(Audience::Channel, None)).await.unwrap();
    let error = quiet(door.answer(&url, &message(Audience::Channel, None)).await.unwrap_err());
    assert!(matches!(error, Error::NoAnswer(_)), "{error:?}");
    assert_eq!(slack.seen().len(), 2);
}

#[tokio::test]
async fn what_did_not_leave_is_unreachable() {
    let refused = quiet(post(&nobody()).await.unwrap_err());
    assert!(matches!(refused, Error::Unreachable(_)), "{refused:?}");
    // The kernel accepts the connection and nobody ever speaks TLS on it.
    let silent = TcpListener::bind("127.0.0.1:0").unwrap();
    let slow = quiet(post(&format!("https://{}", silent.local_addr().unwrap())).await.unwrap_err());
    assert!(matches!(slow, Error::Unreachable(_)), "{slow:?}");
    assert_eq!(slow.retry_in(), Some(Duration::ZERO));
}

#[tokio::test]
async fn a_bot_token_is_asked_about_and_a_refusal_is_told_in_slacks_word() {
    let good =
        r#"{"ok":true,"url":"https://acme.slack.com/","team":"Acme","user":"onair","team_id":"T1","user_id":"U1"}"#;
    let slack = Recorder::start([Reply::json(200, good), Reply::json(200, r#"{"ok":false,"error":"invalid_auth"}"#)]);
    let door = door(&slack.url());
    assert_eq!(door.check().await.unwrap(), Some("Acme".to_owned()));
    let refused = door.check().await.unwrap_err();
    assert!(matches!(&refused, Error::Refused(word) if word == "invalid_auth"), "{refused:?}");
    let first = slack.seen().remove(0);
    assert_eq!(first.line, "POST /api/auth.test HTTP/1.1");
    assert_eq!(first.header("authorization"), Some("Bearer xoxb-canary"));
}
