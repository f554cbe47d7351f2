//! Single steps of the way of a command, by themselves: the best of some repetitions each.

use std::hint::black_box;
use std::time::{Duration, Instant};

use axum::http::HeaderMap;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use onair::clock::Clock;
use onair::command;
use onair::id::Reference;
use onair::reply::Reply;
use onair::sandbox::slack::signature;
use onair::secret::Secret;
use onair::slack::{inbound, render};
use onair::store::Keyring;
use onair::words;

use crate::drive::SIGNING_SECRET;

const BODY: &str = "token=gIkuvaNzQIHg97ATvDxqgjtO&team_id=T0001&team_domain=example&channel_id=C2147483705\
    &channel_name=test&user_id=U2147483697&user_name=Steve&command=%2Fstream&text=start+684+230+85+%22Keynote%22\
    &api_app_id=A123456&is_enterprise_install=false&response_url=https%3A%2F%2Fhooks.slack.com%2Fcommands%2F1234%2F5678\
    &trigger_id=13345224609.738474920.8088930838d88f008e0";

/// What each step takes.
pub(crate) fn run() -> Vec<(String, Duration)> {
    let now = Clock::default().now();
    let stamp = now.as_second().to_string();
    let mut headers = HeaderMap::new();
    headers.insert("x-slack-request-timestamp", stamp.parse().unwrap());
    headers.insert("x-slack-signature", signature(SIGNING_SECRET, &stamp, BODY.as_bytes()).parse().unwrap());
    headers.insert("content-type", "application/x-www-form-urlencoded".parse().unwrap());
    let secrets = [Secret::new(SIGNING_SECRET)];
    let verify = || inbound::verify(&secrets, &headers, BODY.as_bytes(), now).unwrap();
    let verified = verify();
    let decode =
        || inbound::decode_command(&verified, &headers, "https://hooks.slack.com", Reference::random(), now).unwrap();
    let invocation = decode();
    let plain = serde_json::to_vec(&invocation).unwrap();
    let keys = Keyring::parse(&Secret::new(format!("k1:{}", STANDARD.encode([7; 32])))).unwrap();
    let sealed = keys.seal("job:1", &plain).unwrap();
    let reference = Reference::random();
    let context = words::Context { command: "/stream", workspace: None, now, reference: &reference };
    let error = command::parse("start 68423085 Keynote").unwrap_err();
    let reply = Reply::Usage(error);
    vec![
        step("verify", || _ = black_box(verify())),
        step("look for ssl_check", || _ = black_box(inbound::is_ssl_check(black_box(BODY.as_bytes())))),
        step("decode", || drop(black_box(decode()))),
        step("parse", || drop(black_box(command::parse(black_box("start 684 230 85 \"Keynote\""))))),
        step("journal record as JSON", || drop(black_box(serde_json::to_vec(&invocation)))),
        step("seal", || drop(black_box(keys.seal("job:1", &plain)))),
        step("open", || drop(black_box(keys.open("job:1", &sealed)))),
        step("words and blocks of a usage error", || {
            drop(black_box(serde_json::to_vec(&render::response(&words::say(&reply, &context)))));
        }),
    ]
}

/// The time of one call, in the best of twenty repetitions of many.
fn step(what: &str, call: impl Fn()) -> (String, Duration) {
    const TIMES: u32 = 5000;
    let repetition = || {
        let begun = Instant::now();
        (0..TIMES).for_each(|_| call());
        begun.elapsed() / TIMES
    };
    let best = (0..20).map(|_| repetition()).min().unwrap();
    (format!("{what}, alone"), best)
}
