//! The table of transitions: what each news makes of each state, and reports that come late, twice and out of order.

use super::*;
use crate::id::{TeamId, UserId};
use crate::reply::Audience;

fn at(second: i64) -> Timestamp {
    Timestamp::from_second(1_790_000_000 + second).unwrap()
}

fn meeting() -> MeetingId {
    "68423085".parse().unwrap()
}

fn person(user: &str) -> Person {
    Person { enterprise: None, team: TeamId::new("T1"), user: UserId::new(user) }
}

fn asked() -> Asked {
    Asked {
        person: person("ada"),
        on_behalf_of: None,
        channel: ChannelId::new("C1"),
        command: "/stream".to_owned(),
        settings: Settings::default(),
        at: at(0),
        reference: Reference::new("R1"),
    }
}

fn next_try() -> NextTry {
    NextTry { number: 1, at: at(31), told: at(30), job: JobId::new("j1") }
}

fn told() -> Box<Message> {
    Box::new(Message { audience: Audience::Channel, text: "no".to_owned(), buttons: Vec::new(), replaces: false })
}

/// A stream that ada asked for, with Zoom's reports heard or not.
fn stream(confirms: Confirms, state: State) -> Stream {
    let live_since = if let State::Live { since, .. } = &state { Some(*since) } else { None };
    Stream { asked: Some(asked()), state, live_since, ..Stream::new(meeting(), confirms, at(0)) }
}

fn report(what: Happened, instance: &str, second: i64, operator: Option<&str>) -> MeetingReport {
    MeetingReport {
        what,
        meeting: meeting(),
        instance: InstanceId::new(instance),
        host: ZoomUserId::new("zada"),
        at: at(second),
        operator: operator.map(|email| Operator { id: None, email: Some(email.to_owned()) }),
        page_url: None,
    }
}

fn started(second: i64) -> News {
    News::Reported(report(Happened::StreamStarted, "run1", second, Some("ada@example.com")))
}

fn stopped(second: i64, operator: Option<&str>) -> News {
    News::Reported(report(Happened::StreamStopped, "run1", second, operator))
}

fn meeting_ended(second: i64) -> News {
    News::Reported(report(Happened::MeetingEnded, "run1", second, None))
}

fn by_ben() -> News {
    News::StopTaken { by: person("ben") }
}

fn looked(is_running: bool) -> News {
    News::Looked { is_running }
}

/// A state in one word, for the table.
fn word(state: &State) -> &'static str {
    match state {
        State::Throttled(_) => "throttled",
        State::Accepted { .. } => "accepted",
        State::Unconfirmed { .. } => "unconfirmed",
        State::Unknown { .. } => "unknown",
        State::Live { by: None, .. } => "live",
        State::Live { by: Some(_), .. } => "live, from Zoom",
        State::Stopping { .. } => "stopping",
        State::Ended { how: End::Stopped { .. }, .. } => "stopped",
        State::Ended { how: End::InZoom { .. }, .. } => "ended in Zoom",
        State::Ended { how: End::Dropped, .. } => "dropped",
        State::Ended { how: End::MeetingEnded, .. } => "over with its meeting",
        State::Ended { how: End::FoundOver, .. } => "found over",
        State::Ended { how: End::AskedAnew { .. }, .. } => "asked anew",
        State::Failed { .. } => "failed",
    }
}

fn states() -> Vec<State> {
    vec![
        State::Throttled(next_try()),
        State::Accepted { at: at(1) },
        State::Unconfirmed { at: at(1) },
        State::Unknown { at: at(1) },
        State::Live { since: at(2), by: None },
        State::Stopping { at: at(3), by: person("ben") },
        State::Ended { at: at(4), how: End::Stopped { by: person("ben") } },
        State::Failed { told: told() },
    ]
}

/// What becomes of each state, with Zoom's reports heard.
fn row(news: &News) -> Vec<&'static str> {
    let after = |state| {
        let mut stream = stream(Confirms::Yes, state);
        stream.take(news, at(10));
        word(&stream.state)
    };
    states().into_iter().map(after).collect()
}

#[test]
fn each_news_makes_of_each_state_what_the_table_says() {
    let before: Vec<&str> = states().iter().map(word).collect();
    let [throttled, accepted, unconfirmed, unknown, live, stopping, ended, failed] =
        ["throttled", "accepted", "unconfirmed", "unknown", "live", "stopping", "stopped", "failed"];
    assert_eq!(before, [throttled, accepted, unconfirmed, unknown, live, stopping, ended, failed]);
    let (zoom, over, from_zoom) = ("ended in Zoom", "over with its meeting", "live, from Zoom");
    let table = [
        (News::StartTaken, [accepted, accepted, accepted, accepted, live, accepted, accepted, accepted]),
        (News::StartUnclear, [unknown, unknown, unknown, unknown, live, unknown, unknown, unknown]),
        (
            News::StartThrottled(next_try()),
            [throttled, throttled, throttled, throttled, live, throttled, throttled, throttled],
        ),
        (News::StartFailed(told()), [failed, accepted, unconfirmed, unknown, live, stopping, ended, failed]),
        (by_ben(), [ended, ended, ended, ended, stopping, stopping, ended, failed]),
        (started(5), [live, live, live, live, live, live_again(), from_zoom, from_zoom]),
        (stopped(5, Some("ada@example.com")), [throttled, zoom, zoom, zoom, zoom, ended, ended, failed]),
        (stopped(5, None), [throttled, "dropped", "dropped", "dropped", "dropped", ended, ended, failed]),
        (meeting_ended(5), [over, over, over, over, over, ended, ended, failed]),
        (News::Overdue, [throttled, unconfirmed, unconfirmed, unknown, live, ended, ended, failed]),
        (looked(true), [throttled, accepted, unconfirmed, unknown, live, stopping, ended, failed]),
        // At second 10 it is too early to believe it.
        (looked(false), [throttled, accepted, unconfirmed, unknown, live, stopping, ended, failed]),
    ];
    for (news, expected) in table {
        assert_eq!(row(&news), expected, "{news:?}");
    }
}

/// A start that Zoom reports after a stop was taken is a new one, made in Zoom.
fn live_again() -> &'static str {
    "live, from Zoom"
}

#[test]
fn without_reports_nothing_is_waited_for() {
    let mut accepted = stream(Confirms::No, State::Accepted { at: at(1) });
    assert_eq!(accepted.overdue_at(), None);
    assert!(!accepted.take(&News::Overdue, at(100)));
    let mut live = stream(Confirms::No, State::Accepted { at: at(1) });
    assert!(live.take(&by_ben(), at(10)));
    assert_eq!(word(&live.state), "stopped");
}

#[test]
fn silence_is_told_after_forty_five_seconds() {
    let mut accepted = stream(Confirms::Yes, State::Accepted { at: at(1) });
    assert_eq!(accepted.overdue_at(), Some(at(46)));
    assert!(accepted.take(&News::Overdue, at(46)));
    assert_eq!(accepted.overdue_at(), None, "once");
    assert!(accepted.take(&started(50), at(51)), "a late report is believed");
    assert_eq!(accepted.state, State::Live { since: at(50), by: None });
}

#[test]
fn what_zoom_says_when_it_is_asked_ends_a_stream_whose_meeting_is_over() {
    let mut live = stream(Confirms::Yes, State::Live { since: at(2), by: None });
    assert!(live.take(&looked(true), at(60)));
    assert_eq!(live.looked, Some(Looked { at: at(60), is_running: true }));
    assert!(live.take(&looked(false), at(61)));
    assert_eq!((word(&live.state), live.looked), ("found over", None));
    assert!(!live.take(&started(50), at(62)), "a late report is about what is over");
    assert!(live.take(&started(70), at(71)), "a new one is not");
    assert!(live.is_on_air());
}

#[test]
fn what_zoom_said_is_not_shown_beside_newer_news() {
    let mut live = stream(Confirms::Yes, State::Live { since: at(2), by: None });
    assert!(live.take(&looked(true), at(60)));
    assert!(live.take(&by_ben(), at(61)));
    assert_eq!(live.looked, None);
}

#[test]
fn a_stream_concerns_colleagues_and_its_host() {
    let mut stream = stream(Confirms::Yes, State::Accepted { at: at(1) });
    stream.host = Some(ZoomUserId::new("zada"));
    let other = Person { team: TeamId::new("T2"), ..person("eve") };
    assert!(stream.concerns(&person("ben"), None));
    assert!(!stream.concerns(&other, None) && !stream.concerns(&other, Some(&ZoomUserId::new("zeve"))));
    assert!(stream.concerns(&other, Some(&ZoomUserId::new("zada"))));
    stream.host = None;
    assert!(!stream.concerns(&other, None), "no host is nobody's");
}

#[test]
fn a_report_that_comes_again_changes_nothing() {
    let mut stream = stream(Confirms::Yes, State::Accepted { at: at(1) });
    assert!(stream.take(&started(5), at(6)));
    let version = stream.version;
    assert!(!stream.take(&started(5), at(7)));
    assert_eq!(stream.version, version);
    assert!(stream.take(&stopped(9, None), at(10)));
    assert!(!stream.take(&stopped(9, None), at(11)));
}

#[test]
fn reports_out_of_order_leave_the_newest() {
    let mut stream = stream(Confirms::Yes, State::Accepted { at: at(1) });
    assert!(stream.take(&stopped(9, None), at(10)));
    assert!(stream.take(&started(5), at(11)), "since when it was live");
    assert_eq!((&stream.state, stream.live_since), (&State::Ended { at: at(9), how: End::Dropped }, Some(at(5))));
    assert_eq!(stream.heard_at, Some(at(9)), "the newest that was heard");
    assert!(!stream.take(&started(5), at(12)), "once");
}

#[test]
fn reports_that_come_after_a_stop_was_taken_leave_it_stopped() {
    let over = State::Ended { at: at(4), how: End::Stopped { by: person("ben") } };
    for reports in [[started(2), stopped(3, Some("ada@example.com"))], [stopped(3, None), started(2)]] {
        let mut stream = stream(Confirms::Yes, over.clone());
        for report in reports {
            stream.take(&report, at(10));
        }
        assert_eq!((&stream.state, stream.live_since), (&over, Some(at(2))));
    }
    let mut stopping = stream(Confirms::Yes, State::Stopping { at: at(4), by: person("ben") });
    stopping.live_since = Some(at(2));
    assert!(!stopping.take(&started(2), at(10)), "it is the one that is being stopped");
    assert_eq!(word(&stopping.state), "stopping");
    assert!(stopping.take(&started(3), at(10)), "whatever this clock says of the stop, it is another one");
}

#[test]
fn a_stream_of_which_nothing_is_known_is_live_from_when_zoom_says() {
    let mut stream = Stream::new(meeting(), Confirms::Yes, at(10));
    assert!(stream.take(&started(5), at(10)));
    assert_eq!(word(&stream.state), "live, from Zoom");
}

#[test]
fn the_end_of_an_earlier_run_says_nothing_about_this_one() {
    let mut stream = stream(Confirms::Yes, State::Accepted { at: at(1) });
    assert!(stream.take(&started(5), at(6)));
    let other = News::Reported(report(Happened::MeetingEnded, "run0", 8, None));
    assert!(!stream.take(&other, at(9)));
    assert!(stream.is_on_air());
}

#[test]
fn the_end_of_the_meeting_explains_a_stream_that_ended_a_moment_before() {
    let mut stream = stream(Confirms::Yes, State::Live { since: at(2), by: None });
    stream.take(&started(2), at(2));
    assert!(stream.take(&stopped(60, Some("ada@example.com")), at(60)));
    assert!(stream.take(&meeting_ended(61), at(61)));
    assert_eq!(stream.state, State::Ended { at: at(60), how: End::MeetingEnded });
    assert!(!stream.take(&meeting_ended(200), at(200)));
}

#[test]
fn a_new_run_that_nobody_asked_for_is_a_stream_of_its_own() {
    let mut stream = stream(Confirms::Yes, State::Accepted { at: at(1) });
    let place = Place::Posted { person: person("ada"), channel: ChannelId::new("C1"), ts: "1.2".to_owned() };
    stream.card = Some(Card { place, shown: 0 });
    stream.take(&started(5), at(6));
    stream.take(&stopped(9, None), at(9));
    assert!(stream.asked.is_some());
    let next_run = News::Reported(report(Happened::StreamStarted, "run2", 100, Some("eve@example.com")));
    assert!(stream.take(&next_run, at(101)));
    assert_eq!((stream.asked.as_ref(), stream.card.as_ref()), (None, None));
    assert!(stream.is_behind(), "somebody is to hear of it");
}

#[test]
fn three_drops_of_one_run_are_one_card() {
    let mut stream = stream(Confirms::Yes, State::Accepted { at: at(1) });
    for second in [10, 20, 30] {
        assert!(stream.take(&started(second), at(second)));
        assert!(stream.take(&stopped(second + 5, None), at(second + 5)));
    }
    let noticed: Vec<bool> = [35, 40, 700].into_iter().map(|second| stream.notice(at(second))).collect();
    assert_eq!(noticed, [true, false, true], "one notice in ten minutes");
    assert!(stream.asked.is_some(), "it is still the stream that ada asked for");
    assert_eq!(stream.version, 6);
}

#[test]
fn whoever_asks_again_gets_a_new_card_unless_it_is_on_air() {
    let place = Place::Posted { person: person("ada"), channel: ChannelId::new("C1"), ts: "1.2".to_owned() };
    let card = Some(Card { place, shown: 0 });
    let again = Asked { reference: Reference::new("R2"), ..asked() };
    let mut ended = Stream { card: card.clone(), ..stream(Confirms::Yes, State::Failed { told: told() }) };
    ended.ask(asked(), Confirms::Yes);
    assert_eq!(ended.card, card, "a next try is not another order");
    ended.ask(again.clone(), Confirms::Yes);
    assert_eq!((ended.card, ended.asked.map(|asked| asked.reference)), (None, Some(Reference::new("R2"))));
    let mut live = Stream { card: card.clone(), ..stream(Confirms::Yes, State::Live { since: at(2), by: None }) };
    live.ask(again, Confirms::Yes);
    assert_eq!((live.card, live.asked.map(|asked| asked.reference)), (card, Some(Reference::new("R1"))));
}

/// A stream of run 1 that ada asked for and Zoom reported, with a card.
fn on_air() -> Stream {
    let mut stream = stream(Confirms::Yes, State::Accepted { at: at(1) });
    let place = Place::Posted { person: person("ada"), channel: ChannelId::new("C1"), ts: "1.2".to_owned() };
    stream.card = Some(Card { place, shown: 0 });
    stream.take(&started(5), at(6));
    stream
}

fn of_run(what: Happened, run: &str, second: i64) -> News {
    News::Reported(report(what, run, second, None))
}

/// Another command of ada's.
fn asked_again(second: i64) -> Asked {
    Asked { reference: Reference::new("R2"), at: at(second), ..asked() }
}

fn ask_again(stream: &mut Stream, second: i64) {
    stream.ask(asked_again(second), Confirms::Yes);
    stream.take(&News::StartTaken, at(second));
}

#[test]
fn a_start_that_is_reported_after_its_stop_was_taken_is_over() {
    let mut stream = stream(Confirms::Yes, State::Throttled(next_try()));
    stream.take(&News::StartTaken, at(1));
    assert!(stream.take(&by_ben(), at(4)));
    assert!(stream.take(&started(5), at(6)), "by a clock that is ahead");
    assert_eq!((word(&stream.state), stream.live_since), ("stopped", Some(at(5))));
    assert!(!stream.take(&stopped(9, Some("ada@example.com")), at(10)));
    assert!(!stream.notice(at(10)), "nothing ended outside OnAir");
    assert!(stream.take(&started(40), at(41)), "a start after that is one made in Zoom");
    assert_eq!(word(&stream.state), "live, from Zoom");
}

#[test]
fn a_start_right_after_a_stop_is_asked_for_and_its_end_is_not_the_earlier_one() {
    let mut stream = on_air();
    stream.take(&by_ben(), at(32));
    ask_again(&mut stream, 34);
    assert_eq!(word(&stream.state), "accepted");
    let former = stream.former.as_ref().unwrap();
    assert_eq!((word(&former.state), former.card.is_some(), stream.card.is_some()), ("stopped", true, false));
    assert!(stream.is_behind(), "the earlier card is to say that it was stopped");
    assert!(!stream.take(&stopped(35, Some("ada@example.com")), at(36)), "that is the stop of ben's");
    assert!(stream.take(&started(40), at(41)));
    assert_eq!(stream.state, State::Live { since: at(40), by: None });
    assert!(stream.take(&stopped(50, None), at(51)), "and this is its own end");
}

#[test]
fn what_was_before_a_start_does_not_end_it() {
    for late in [Happened::StreamStopped, Happened::MeetingEnded] {
        let mut stream = on_air();
        stream.take(&looked(false), at(300));
        stream.heard_at = Some(at(5));
        ask_again(&mut stream, 320);
        assert!(!stream.take(&of_run(late, "run1", 100), at(321)), "{late:?}");
        assert_eq!(word(&stream.state), "accepted");
        assert!(stream.take(&of_run(Happened::MeetingEnded, "run2", 330), at(331)), "it may be of a run not heard of");
    }
}

#[test]
fn the_next_run_of_a_meeting_ends_the_stream_of_the_one_before() {
    let mut stream = on_air();
    assert!(stream.take(&of_run(Happened::MeetingStarted, "run2", 101), at(101)));
    assert_eq!(word(&stream.state), "over with its meeting");
    assert!(!stream.take(&stopped(99, None), at(102)), "its own end comes late");
    assert!(!stream.take(&meeting_ended(100), at(102)));
    let mut accepted = self::stream(Confirms::Yes, State::Accepted { at: at(10) });
    accepted.take(&of_run(Happened::MeetingStarted, "run0", 1), at(11));
    assert!(!accepted.take(&of_run(Happened::MeetingStarted, "run1", 9), at(12)), "the start was taken in run 1");
    assert_eq!(word(&accepted.state), "accepted");
}

#[test]
fn a_card_that_shows_an_earlier_run_on_air_is_brought_to_its_end() {
    let mut stream = on_air();
    assert!(stream.take(&of_run(Happened::StreamStarted, "run2", 100), at(101)));
    assert_eq!((stream.asked.as_ref(), stream.card.as_ref()), (None, None));
    let former = stream.former.unwrap();
    assert_eq!((word(&former.state), former.card.is_some()), ("found over", true));
}

#[test]
fn a_card_that_waits_for_news_is_brought_to_its_end_by_another_start() {
    let mut stream = on_air();
    stream.state = State::Unconfirmed { at: at(1) };
    ask_again(&mut stream, 60);
    assert_eq!(word(&stream.former.unwrap().state), "asked anew");
    let mut ended = on_air();
    ended.take(&stopped(9, None), at(9));
    ask_again(&mut ended, 60);
    assert_eq!((ended.former, ended.card), (None, None), "what says that it ended stays true");
}
