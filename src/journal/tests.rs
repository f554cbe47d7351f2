//! When an order is tried again, and when not any more.

use super::*;

fn at(second: i64) -> Timestamp {
    Timestamp::from_second(1_790_000_000 + second).unwrap()
}

fn plan(limit: &Throttle, retries: u32, now: i64, jitter: f64) -> Option<Retry> {
    Retry::plan(limit, &Tried { retries, answerable_until: at(30 * 60), now: at(now) }, jitter)
}

#[test]
fn it_is_tried_again_when_zoom_says_and_a_little_later() {
    for limit in [Throttle::PreviousStart { retry_at: at(31) }, Throttle::PerSecond { retry_at: at(31) }] {
        assert_eq!(plan(&limit, 0, 1, 0.0), Some(Retry { number: 1, at: at(31), holders: 0 }));
        assert_eq!(plan(&limit, 2, 1, 1.0), Some(Retry { number: 3, at: at(34), holders: 0 }), "a tenth at the most");
    }
}

#[test]
fn it_is_tried_three_times_and_never_after_a_daily_quota() {
    let limit = Throttle::PreviousStart { retry_at: at(31) };
    assert_eq!(plan(&limit, Retry::MOST, 1, 0.0), None);
    assert_eq!(plan(&Throttle::Daily { retry_at: at(31) }, 0, 1, 0.0), None);
}

#[test]
fn it_is_not_tried_when_nobody_could_be_told_any_more() {
    let limit = |second| Throttle::PreviousStart { retry_at: at(second) };
    assert!(plan(&limit(29 * 60), 0, 1, 0.0).is_some());
    assert_eq!(plan(&limit(29 * 60 + 1), 0, 1, 0.0), None);
    assert_eq!(plan(&limit(27 * 60), 0, 1, 1.0), None, "the jitter counts");
}

#[test]
fn a_stage_that_an_earlier_version_wrote_is_read() {
    let message = r#"{"audience":"channel","text":"told","button":{"label":"Connect Zoom","url":"https://x"}}"#;
    let stage: Stage = serde_json::from_str(&format!(r#"{{"decided":{{"message":{message}}}}}"#)).unwrap();
    assert!(matches!(stage, Stage::Decided { retry: None, message: Some(message), .. } if !message.replaces));
}
