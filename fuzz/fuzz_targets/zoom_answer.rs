//! What Zoom answers to an order, whatever is in the body: it comes to one of the outcomes.
//!
//! The first two bytes are the status.

#![no_main]

use http::HeaderMap;
use jiff::Timestamp;
use libfuzzer_sys::fuzz_target;
use onair::outcome::{Action, Attempt, denied, is_unauthorized, is_webinar, judge, judge_change};
use onair::zoom::read_answer;

fuzz_target!(|data: &[u8]| {
    let Some((status, body)) = data.split_first_chunk::<2>() else { return };
    let status = 100 + u16::from_be_bytes(*status) % 500;
    let now = Timestamp::from_second(1_790_000_000).unwrap();
    let answer = read_answer(status, &HeaderMap::new(), body, now);
    assert!(answer.message.chars().count() <= 1000);
    let _ = denied(&answer);
    let attempt = Attempt::Answered(answer);
    is_unauthorized(&attempt);
    is_webinar(&attempt);
    drop(judge(Action::Start, &attempt, now));
    drop(judge(Action::Stop, &attempt, now));
    drop(judge_change(&attempt, now));
});
