//! Bodies that Slack signed, whatever is in them: forms of commands, payloads of presses and forms, events.
//!
//! The first byte says which of the three it is.

use jiff::Timestamp;
use onair::id::Reference;
use onair::sandbox::slack::signature;
use onair::secret::Secret;
use onair::slack::inbound::{decode_command, decode_event, decode_interaction, is_ssl_check, verify};
use reqwest::header::HeaderMap;

const HOOKS: &str = "https://hooks.slack.com";

pub(crate) fn run(data: &[u8]) {
    let Some((kind, body)) = data.split_first() else { return };
    let (stamp, now) = ("1790000000", Timestamp::from_second(1_790_000_000).unwrap());
    let media = if kind % 3 == 2 { "application/json" } else { "application/x-www-form-urlencoded" };
    let mut headers = HeaderMap::new();
    headers.insert("x-slack-request-timestamp", stamp.parse().unwrap());
    headers.insert("x-slack-signature", signature("secret", stamp, body).parse().unwrap());
    headers.insert("content-type", media.parse().unwrap());
    is_ssl_check(body);
    let secrets = [Secret::new("secret")];
    let verified = verify(&secrets, &headers, body, now).unwrap();
    match kind % 3 {
        0 => {
            if let Ok(invocation) = decode_command(&verified, &headers, HOOKS, Reference::new("R"), now) {
                let reply_to = invocation.reply_to.unwrap();
                assert!(reply_to.expose().starts_with("https://hooks.slack.com/"), "answers go to Slack alone");
            }
        }
        1 => drop(decode_interaction(&verified, &headers, HOOKS, Reference::new("R"), now)),
        _ => drop(decode_event(&verified, &headers)),
    }
}
