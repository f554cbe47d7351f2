mod methods;
mod press;
mod views;

use std::sync::Arc;
use std::time::Duration;

use serde_json::{Value, json};

use super::*;
use crate::sandbox::wire::Answer;

const SECRET: &str = "signing-secret";

/// An app that answers every command and every press alike.
async fn app(slack: &SimSlack, answer: Option<Answer>) -> Server {
    let (server, listener) = Server::bind().await.unwrap();
    let answer = Arc::new(answer);
    server.serve(listener, move |_| {
        let answer = answer.clone();
        async move {
            match &*answer {
                Some(Answer { status, headers, body, .. }) => {
                    Some(Answer { headers: headers.clone(), ..Answer::new(*status, body.clone()) })
                }
                None => std::future::pending().await,
            }
        }
    });
    slack.connect_app(&format!("{}/slack/commands", server.base()));
    slack.connect_interactions(&format!("{}/slack/interactions", server.base()));
    server
}

fn empty() -> Option<Answer> {
    Some(Answer::new(200, ""))
}

fn client() -> reqwest::Client {
    reqwest::Client::builder().no_proxy().timeout(Duration::from_secs(5)).build().unwrap()
}

async fn post(url: &str, body: &Value) -> (u16, String) {
    let response = client().post(url).json(body).send().await.unwrap();
    (response.status().as_u16(), response.text().await.unwrap())
}

/// Calls a Web API method with the token of a workspace.
async fn call(slack: &SimSlack, workspace: &Workspace, method: &str, body: Value) -> Value {
    let response = response(slack, &slack.bot_token(workspace), method, &body).await;
    assert_eq!(response.status().as_u16(), 200);
    response.json().await.unwrap()
}

async fn response(slack: &SimSlack, token: &str, method: &str, body: &Value) -> reqwest::Response {
    let url = format!("{}/{method}", slack.api_url());
    client().post(url).bearer_auth(token).json(body).send().await.unwrap()
}

#[test]
fn the_published_signature_comes_out() {
    let body = "token=xyzz0WbapA4vBCDEFasx0q6G&team_id=T1DC2JH3J&team_domain=testteamnow&channel_id=G8PSS9T3V\
                &channel_name=foobar&user_id=U2CERLKJA&user_name=roadrunner&command=%2Fwebhook-collect&text=\
                &response_url=https%3A%2F%2Fhooks.slack.com%2Fcommands%2FT1DC2JH3J%2F397700885554%2F96rGlfmibIGlgcZRskXaIFfN\
                &trigger_id=398738663015.47445629121.803a0bc887a14d10d2c447fce8b6703c";
    let signed = signature("8f742231b10e8888abcd99yyyzzz85a5", "1531420618", body.as_bytes());
    assert_eq!(signed, "v0=a2114d57b48eac39b9ad189dd8316235a7b4a8d21a10bd27519666489c69b503");
}

#[tokio::test]
async fn a_command_carries_every_field_and_a_signature_over_its_bytes() {
    let slack = SimSlack::start(SECRET).await.unwrap();
    let workspace = slack.grid_workspace("globex", "Globex Corp", Installed::OrgWide);
    let bob = slack.user_in(&workspace, "bob");
    let events = slack.channel_in(&workspace, "events");
    let request = slack.signed_request(&bob, &events, "/stream start 684 230 85 “Keynote”");
    let pairs: Vec<_> = url::form_urlencoded::parse(&request.body).into_owned().collect();
    let keys: Vec<_> = pairs.iter().map(|(key, _)| key.as_str()).collect();
    assert_eq!(
        keys.join(" "),
        "token team_id team_domain enterprise_id enterprise_name channel_id channel_name user_id user_name command \
         text api_app_id is_enterprise_install response_url trigger_id"
    );
    assert_eq!(request.form_field("text").unwrap(), "start 684 230 85 “Keynote”");
    assert_eq!(request.form_field("is_enterprise_install").unwrap(), "true");
    assert!(request.form_field("response_url").unwrap().starts_with(&slack.hooks_url()));

    let header = |name: &str| request.headers.iter().find(|(key, _)| key == name).unwrap().1.clone();
    let expected = signature(SECRET, &header("X-Slack-Request-Timestamp"), &request.body);
    assert_eq!(header("X-Slack-Signature"), expected);
}

#[tokio::test]
async fn outside_an_organization_there_is_no_enterprise() {
    let slack = SimSlack::start(SECRET).await.unwrap();
    let (ada, bob) = (slack.user("ada"), slack.user("bob"));
    let request = slack.signed_request(&ada, &slack.direct_message(&[&ada, &bob]), "/stream");
    assert_eq!(request.form_field("enterprise_id"), None);
    assert_eq!(request.form_field("is_enterprise_install").unwrap(), "false");
    assert_eq!(request.form_field("channel_name").unwrap(), "directmessage");
    assert_eq!(request.form_field("text").unwrap(), "");
    assert_eq!(slack.user("ada"), ada);
}

#[tokio::test]
async fn a_tampered_request_keeps_its_old_signature_until_signed_anew() {
    let slack = SimSlack::start(SECRET).await.unwrap();
    let mut request = slack.signed_request(&slack.user("ada"), &slack.channel("events"), "/stream help");
    let signed =
        |request: &SignedRequest| request.headers.iter().find(|(key, _)| key == "X-Slack-Signature").unwrap().1.clone();
    let before = signed(&request);
    request.set_form_field("text", "start 68423085");
    assert_eq!(request.form_field("text").unwrap(), "start 68423085");
    assert_eq!(signed(&request), before);
    slack.resign(&mut request, 1_531_420_618);
    assert_eq!(signed(&request), signature(SECRET, "1531420618", &request.body));
    assert_eq!(request.headers.iter().filter(|(key, _)| key == "X-Slack-Signature").count(), 1);
}

#[tokio::test]
async fn a_direct_answer_is_for_the_person_unless_it_says_otherwise() {
    let slack = SimSlack::start(SECRET).await.unwrap();
    let (ada, events) = (slack.user("ada"), slack.channel("events"));
    let _plain = app(&slack, Some(Answer::new(200, "Working…").with("content-type", "text/plain"))).await;
    assert_eq!(slack.types(&ada, &events, "/stream status").await.status(), 200);
    let public = json!({ "response_type": "in_channel", "text": "On air" });
    let _public = app(&slack, Some(Answer::json(200, &public))).await;
    slack.types(&ada, &events, "/stream start 68423085").await;
    let bare = json!({ "response_type": "in_channel" });
    let _bare = app(&slack, Some(Answer::json(200, &bare))).await;
    slack.types(&ada, &slack.channel("ops"), "/stream stop 68423085").await;
    insta::assert_snapshot!(slack.transcript(), @r"
    #events  OnAir (only ada sees this): Working…
    #events  ada: /stream start 68423085
    #events  OnAir: On air
    #ops  ada: /stream stop 68423085
    ");
    assert_eq!(slack.complaints(), Vec::<String>::new());
}

#[tokio::test]
async fn a_command_that_fails_is_told_as_slack_tells_it() {
    let slack = SimSlack::start(SECRET).await.unwrap();
    let (ada, events) = (slack.user("ada"), slack.channel("events"));
    let server = app(&slack, Some(Answer::new(500, "oops"))).await;
    assert_eq!(slack.types(&ada, &events, "/stream").await.failure, Some(Failure::DispatchFailed));
    server.stop().await;
    assert_eq!(slack.types(&ada, &events, "/stream").await.failure, Some(Failure::DispatchFailed));
    let _late = app(&slack, None).await;
    let late = slack.types(&ada, &events, "/stream").await;
    assert_eq!(late.failure, Some(Failure::OperationTimeout));
    assert!(late.took >= DEADLINE);
    insta::assert_snapshot!(slack.transcript_of(&events), @r#"
    #events  Slackbot (only ada sees this): /stream failed with the error "dispatch_failed"
    #events  Slackbot (only ada sees this): /stream failed with the error "dispatch_failed"
    #events  Slackbot (only ada sees this): /stream failed with the error "operation_timeout"
    "#);
}

#[tokio::test]
async fn a_response_url_takes_five_messages_in_thirty_minutes() {
    let slack = SimSlack::start(SECRET).await.unwrap();
    let (ada, events) = (slack.user("ada"), slack.channel("events"));
    let _app = app(&slack, empty()).await;
    let url = slack.types(&ada, &events, "/stream help").await.response_url();
    for number in 1..=5 {
        assert_eq!(post(&url, &json!({ "text": format!("{number}") })).await, (200, "ok".to_owned()));
    }
    assert_eq!(slack.complaints(), Vec::<String>::new());
    assert_eq!(post(&url, &json!({ "text": "6" })).await, (404, "used_url".to_owned()));
    assert_eq!(slack.complaints().len(), 1);

    let url = slack.types(&ada, &events, "/stream help").await.response_url();
    slack.clock().advance(Duration::from_secs(30 * 60 + 1));
    assert_eq!(post(&url, &json!({ "text": "late" })).await, (404, "expired_url".to_owned()));
    assert_eq!(slack.messages().len(), 5);
}

#[tokio::test]
async fn a_response_url_is_particular_about_what_it_takes() {
    let slack = SimSlack::start(SECRET).await.unwrap();
    let url = hook(&slack);
    let form = client().post(&url).form(&[("text", "hi")]).send().await.unwrap();
    assert_eq!((form.status().as_u16(), form.text().await.unwrap().as_str()), (400, "invalid_payload"));
    let broken = client().post(&url).header("content-type", "application/json").body("{").send().await.unwrap();
    assert_eq!(broken.status().as_u16(), 400);
    assert_eq!(post(&url, &json!({ "response_type": "ephemeral" })).await, (400, "no_text".to_owned()));
    assert_eq!(post(&url, &json!({ "text": "x".repeat(40_001) })).await, (400, "msg_too_long".to_owned()));
    assert_eq!(slack.complaints().len(), 4);
    assert_eq!(post(&url, &json!({ "text": "hi", "respnse_type": "in_channel" })).await.0, 200);
    assert_eq!(slack.complaints()[4], "unknown key \"respnse_type\" in a message");
    assert_eq!(post(&format!("{}/commands/T1/2/3", slack.hooks_url()), &json!({ "text": "hi" })).await.0, 404);
}

fn hook(slack: &SimSlack) -> String {
    let request = slack.signed_request(&slack.user("ada"), &slack.channel("events"), "/stream help");
    request.form_field("response_url").unwrap()
}

#[tokio::test]
async fn blocks_are_refused_where_slack_refuses_them() {
    let slack = SimSlack::start(SECRET).await.unwrap();
    let url = hook(&slack);
    let text = |length: usize| json!({ "type": "mrkdwn", "text": "x".repeat(length) });
    let plain = |length: usize| json!({ "type": "plain_text", "text": "x".repeat(length) });
    let section = |length: usize| json!({ "type": "section", "text": text(length) });
    let button = |button: Value| json!({ "type": "actions", "elements": [button] });
    for bad in [
        json!([{ "type": "carousel_of_doom" }]),
        json!([section(0)]),
        json!([section(3001)]),
        json!([{ "type": "section" }]),
        json!([{ "type": "section", "text": "bare" }]),
        json!([{ "type": "section", "text": text(1), "colour": "red" }]),
        json!([{ "type": "header", "text": text(1) }]),
        json!([{ "type": "context", "elements": [] }]),
        json!([button(json!({ "type": "button", "text": plain(76) }))]),
        json!([button(json!({ "type": "button", "text": text(1) }))]),
        json!([button(json!({ "type": "button", "text": plain(1), "url": "not a url" }))]),
        json!([button(
            json!({ "type": "button", "text": plain(1), "url": format!("https://x/{}", "y".repeat(3000)) })
        )]),
        json!([button(json!({ "type": "button", "text": plain(1), "style": "loud" }))]),
        json!(vec![section(1); 51]),
        json!("not json"),
    ] {
        let (status, error) = post(&url, &json!({ "text": "hi", "blocks": bad })).await;
        assert_eq!((status, error.as_str()), (400, "invalid_blocks"), "{bad}");
    }
    let good = button(json!({ "type": "button", "text": plain(75), "url": "https://example.com", "style": "primary" }));
    let blocks = json!([section(3000), good, { "type": "divider" }, { "type": "header", "text": plain(150) }]);
    assert_eq!(post(&url, &json!({ "text": "hi", "blocks": blocks })).await.0, 200);
}

#[tokio::test]
async fn a_transcript_shows_what_people_see() {
    let slack = SimSlack::start(SECRET).await.unwrap();
    let url = hook(&slack);
    let ada = slack.user("ada").id;
    let blocks = json!([
        { "type": "section", "text": { "type": "mrkdwn", "text": format!(
            "<@{ada}> put *R&amp;D* on air <!date^1700000000^{{time}}|at 22:13>\n<https://x.test/?a=1&amp;b=2|Watch>"
        ) } },
        { "type": "context", "elements": [{ "type": "plain_text", "text": "Ref 7QK" }] },
        { "type": "actions", "elements": [{
            "type": "button",
            "text": { "type": "plain_text", "text": "Connect Zoom" },
            "url": "https://onair.test/zoom/connect?state=1&x=2",
        }] },
    ]);
    post(&url, &json!({ "response_type": "in_channel", "text": "fallback", "blocks": blocks })).await;
    post(&url, &json!({ "text": "&lt;b&gt; &amp;lt; <#C1|ops> <!channel> <https://y.test>" })).await;
    insta::assert_snapshot!(slack.transcript(), @r"
    #events  OnAir: @ada put *R&D* on air at 22:13
        Watch
        Ref 7QK
        [Connect Zoom]
    #events  OnAir (only ada sees this): <b> &lt; #ops @channel https://y.test
    ");
    let first = &slack.messages()[0];
    assert_eq!(first.link("Watch").unwrap(), "https://x.test/?a=1&b=2");
    assert_eq!(first.link("Connect Zoom").unwrap(), "https://onair.test/zoom/connect?state=1&x=2");
    assert_eq!(slack.links(first).len(), 2);
}

#[tokio::test]
async fn a_date_is_shown_as_its_fallback_or_as_its_form() {
    let slack = SimSlack::start(SECRET).await.unwrap();
    let url = hook(&slack);
    let dates = "live since <!date^1700000000^{date} at {time}|14 Nov, 22:13>, \
                 until <!date^1700000060^{time}^https://x.test/|22:14>";
    post(&url, &json!({ "text": dates })).await;
    slack.show_dates_as_forms();
    post(&url, &json!({ "text": dates })).await;
    insta::assert_snapshot!(slack.transcript(), @r"
    #events  OnAir (only ada sees this): live since 14 Nov, 22:13, until 22:14
    #events  OnAir (only ada sees this): live since {date} at {time}, until {time}
    ");
}

#[tokio::test]
async fn replacing_changes_the_message_but_never_its_readers() {
    let slack = SimSlack::start(SECRET).await.unwrap();
    let url = hook(&slack);
    post(&url, &json!({ "response_type": "in_channel", "text": "Starting" })).await;
    post(&url, &json!({ "response_type": "in_channel", "text": "On air", "replace_original": true })).await;
    assert_eq!(slack.transcript(), "#events  OnAir: On air");
    assert_eq!(slack.complaints(), Vec::<String>::new());
    post(&url, &json!({ "text": "Only you", "replace_original": "true" })).await;
    assert_eq!(slack.transcript(), "#events  OnAir: Only you");
    assert_eq!(slack.complaints(), ["replace_original cannot change who sees a message"]);
}

#[tokio::test]
async fn faults_strike_in_their_order_and_leave_no_message() {
    let slack = SimSlack::start(SECRET).await.unwrap();
    let url = hook(&slack);
    slack.next(Route::ResponseUrl, Fault::status(500));
    slack.next(Route::ResponseUrl, Fault::too_many("7"));
    slack.next(Route::ResponseUrl, Fault::Cut);
    slack.next(Route::PostMessage, Fault::Hang);
    assert_eq!(post(&url, &json!({ "text": "a" })).await.0, 500);
    let limited = client().post(&url).json(&json!({ "text": "b" })).send().await.unwrap();
    assert_eq!((limited.status().as_u16(), limited.headers()["retry-after"].to_str().unwrap()), (429, "7"));
    assert!(client().post(&url).json(&json!({ "text": "c" })).send().await.is_err());
    assert_eq!(post(&url, &json!({ "text": "d" })).await.0, 200);
    assert_eq!(slack.transcript(), "#events  OnAir (only ada sees this): d");
    assert_eq!(slack.requests().len(), 4);
}

#[tokio::test]
async fn waiting_in_vain_tells_what_was_there() {
    let slack = SimSlack::start(SECRET).await.unwrap();
    let (url, events) = (hook(&slack), slack.channel("events"));
    let waiting = {
        let (slack, events) = (slack.clone(), events.clone());
        async move { slack.wait_for(&events, 1).await }
    };
    let body = json!({ "text": "here" });
    let (found, _) = tokio::join!(waiting, post(&url, &body));
    assert_eq!(found.unwrap().text, "here");
    let vain = slack.wait_until("a second message", Duration::from_millis(20), |messages| messages.get(1).cloned());
    let told = vain.await.unwrap_err().to_string();
    assert_eq!(told, "waited 20ms for a second message; there was:\n#events  OnAir (only ada sees this): here");
}
