//! What Zoom answers to an order, whatever is in its headers and its body: it comes to one of the outcomes.
//!
//! The first two bytes are the status. Each of three headers follows, up to a zero byte, or is not there where nothing is
//! before that; then the body.

use jiff::{SignedDuration, Timestamp};
use onair::outcome::{Action, Attempt, Outcome, Throttle, denied, is_unauthorized, is_webinar, judge, judge_change};
use onair::zoom::read_answer;
use reqwest::header::{HeaderMap, HeaderValue};

const HEADERS: [&str; 3] = ["x-ratelimit-type", "retry-after", "x-zm-trackingid"];

pub(crate) fn run(data: &[u8]) {
    let Some((status, rest)) = data.split_first_chunk::<2>() else { return };
    let status = 100 + u16::from_be_bytes(*status) % 500;
    let mut parts = rest.splitn(HEADERS.len() + 1, |byte| *byte == 0);
    let mut headers = HeaderMap::new();
    for name in HEADERS {
        let value = parts.next().filter(|value| !value.is_empty());
        if let Some(Ok(value)) = value.map(HeaderValue::from_bytes) {
            headers.insert(name, value);
        }
    }
    let now = Timestamp::from_second(1_790_000_000).unwrap();
    let answer = read_answer(status, &headers, parts.next().unwrap_or_default(), now);
    assert!(answer.message.chars().count() <= 1000);
    assert!(answer.tracking_id.iter().all(|id| id.chars().count() <= 1000));
    let _ = denied(&answer);
    let attempt = Attempt::Answered(answer);
    is_unauthorized(&attempt);
    is_webinar(&attempt);
    for action in [Action::Start, Action::Stop] {
        if let Outcome::Throttled(throttle) = judge(action, &attempt, now) {
            check(&throttle, now);
        }
    }
    drop(judge_change(&attempt, now));
}

/// Nobody waits for what is past, or for longer than the limit can last.
fn check(throttle: &Throttle, now: Timestamp) {
    let (at, longest) = match throttle {
        Throttle::PreviousStart { retry_at } | Throttle::PerSecond { retry_at } => {
            (retry_at, SignedDuration::from_mins(10))
        }
        Throttle::Daily { retry_at } => (retry_at, SignedDuration::from_hours(25)),
    };
    assert!(*at > now && at.duration_since(now) <= longest, "{throttle:?}");
}
