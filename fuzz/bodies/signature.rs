//! The headers that say who signed and when: whoever does not know the secret is not let in, whatever they write, and
//! neither is who adds something to what was signed.
//!
//! The input has three parts with a zero byte between them: the times, the signatures, the body. Of times and signatures
//! there may be up to four, one a line, which come as headers of one name.

use jiff::Timestamp;
use onair::sandbox::slack::signature;
use onair::secret::Secret;
use onair::{slack, zoom};
use reqwest::header::{HeaderMap, HeaderValue};

const SECRET: &str = "nobody knows it";
const NOW: i64 = 1_790_000_000;

pub(crate) fn run(data: &[u8]) {
    let mut parts = data.splitn(3, |byte| *byte == 0);
    let [Some(times), Some(signatures), Some(body)] = [parts.next(), parts.next(), parts.next()] else { return };
    let (Some(times), Some(signatures)) = (values(times), values(signatures)) else { return };
    assert_eq!(let_in(&times, &signatures, body), [false; 2], "nobody signed it");

    let (time, signature) = (NOW.to_string(), signature(SECRET, &NOW.to_string(), body));
    let [time, signature] = [time, signature].map(|value| vec![HeaderValue::try_from(value).unwrap()]);
    assert_eq!(let_in(&time, &signature, body), [true; 2], "it is signed");
    assert_eq!(let_in(&[&time[..], &times].concat(), &signature, body), [false; 2], "there is another time");
    assert_eq!(let_in(&time, &[&signature[..], &signatures].concat(), body), [false; 2], "there is another signature");
}

/// A value for each line, as far as they are read.
fn values(lines: &[u8]) -> Option<Vec<HeaderValue>> {
    lines.split(|byte| *byte == b'\n').take(4).map(|line| HeaderValue::from_bytes(line).ok()).collect()
}

/// Whether Slack's door and Zoom's take it.
fn let_in(times: &[HeaderValue], signatures: &[HeaderValue], body: &[u8]) -> [bool; 2] {
    let secrets = [Secret::new(SECRET), Secret::new("")];
    let now = Timestamp::from_second(NOW).unwrap();
    let mut headers = HeaderMap::new();
    for (name, values) in [
        ("x-slack-request-timestamp", times),
        ("x-slack-signature", signatures),
        ("x-zm-request-timestamp", times),
        ("x-zm-signature", signatures),
    ] {
        for value in values {
            headers.append(name, value.clone());
        }
    }
    let slack = slack::inbound::verify(&secrets, &headers, body, now).is_ok();
    let zoom = zoom::inbound::verify(&secrets, &headers, body, now).is_ok();
    [slack, zoom]
}
