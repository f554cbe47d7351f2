//! A stream as its card shows it, and as `/stream status` tells it.

use super::*;
use crate::id::{ChannelId, Person, TeamId};
use crate::reply::{Cure, Fate, Known, StatusOf, Verdict, Why};
use crate::stream::{Asked, End, Looked, Operator, State, Stream};

fn record(action: Action, minutes_ago: i64) -> StreamRecord {
    StreamRecord {
        meeting: meeting(),
        action,
        by: Some(UserId::new("U1")),
        at: later(-60 * minutes_ago),
        fate: crate::reply::Fate::Taken,
    }
}

fn person(user: &str) -> Person {
    Person { enterprise: None, team: TeamId::new("T1"), user: UserId::new(user) }
}

fn stream(confirms: Confirms, state: State) -> Stream {
    let asked = Asked {
        person: person("U1"),
        on_behalf_of: None,
        channel: ChannelId::new("C1"),
        command: "/stream".to_owned(),
        settings: settings("Keynote"),
        at: later(-600),
        reference: Reference::new("r-7f3k"),
    };
    let live_since = if let State::Live { since, .. } = &state { Some(*since) } else { None };
    Stream { asked: Some(asked), state, live_since, ..Stream::new(meeting(), confirms, later(-600)) }
}

fn live() -> Stream {
    let heard_at = Some(later(-300));
    let page_url = Some("https://watch.example/show".to_owned());
    Stream { heard_at, page_url, ..stream(Confirms::Yes, State::Live { since: later(-300), by: None }) }
}

fn ended(live_since: Option<Timestamp>, confirms: Confirms, how: End) -> Stream {
    Stream { live_since, may_have_started: true, ..stream(confirms, State::Ended { at: now(), how }) }
}

/// A card as it looks in Slack.
fn shows(stream: &Stream) -> String {
    let message = card(
        stream,
        &Context { command: "/stream", workspace: None, now: now(), reference: &Reference::new("r-7f3k") },
    );
    let buttons: Vec<String> = message.buttons.iter().map(|button| format!("[{}]", button.label)).collect();
    format!("{}\n{}", rendered(&message.text), buttons.join(" "))
}

fn list(streams: Vec<Known>) -> String {
    seen(&Reply::Status { of: StatusOf::Workspace, streams })
}

fn one(known: Option<Known>, running: Verdict) -> String {
    let of = StatusOf::Meeting { meeting: meeting(), running };
    seen(&Reply::Status { of, streams: known.into_iter().collect() })
}

fn of_stream(stream: Stream) -> Known {
    Known { record: None, stream: Some(Box::new(stream)) }
}

fn of_record(record: StreamRecord) -> Known {
    Known { record: Some(record), stream: None }
}

#[test]
fn a_card_offers_what_helps_now() {
    let at = later(-300);
    insta::assert_snapshot!(shows(&live()), @"
    “Keynote” (`684 230 85`) is live since 2026-10-05 13:55:00 UTC. Asked for by @U1.
    To take it off air: `/stream stop 68423085`
    [Stop] [Watch] [Refresh]
    ");
    insta::assert_snapshot!(shows(&stream(Confirms::Yes, State::Accepted { at })), @"
    Zoom accepted the start of “Keynote” (`684 230 85`), asked for by @U1.
    OnAir says here when Zoom reports that it is on air.
    To take it off air: `/stream stop 68423085`
    [Stop]
    ");
    insta::assert_snapshot!(shows(&stream(Confirms::No, State::Accepted { at })), @"
    Zoom accepted the start of “Keynote” (`684 230 85`), asked for by @U1.
    OnAir can't confirm yet that it is on air; it usually is within a minute.
    No picture by then? Check the stream's address and key in Zoom, and whether the streaming service waits for a start button of its own.
    To take it off air: `/stream stop 68423085`
    [Stop] [Refresh]
    ");
    insta::assert_snapshot!(shows(&stream(Confirms::Yes, State::Unconfirmed { at })), @r#"
    “Keynote” (`684 230 85`) is not confirmed: Zoom took the start at 13:55:00 UTC, and has not reported since that it is on air. Asked for by @U1.
    Most often one of these:
    • the stream's address or key in Zoom is wrong, or the streaming service can't be reached
    • the streaming service waits for a start button of its own
    • Zoom's report is late: look at the stream
    Nothing on air? Mend it, then repeat: `/stream start 68423085 "Keynote"`
    [Start again] [Check] [Stop] [Refresh]
    "#);
    insta::assert_snapshot!(shows(&stream(Confirms::No, State::Unknown { at })), @r#"
    “Keynote” (`684 230 85`) may be on air: the order was sent, and Zoom gave no clear answer. Asked for by @U1.
    Look at the stream first: OnAir never repeats a start by itself.
    Nothing on air after a minute? Repeat: `/stream start 68423085 "Keynote"`
    Can't tell? Give an admin this reference: `r-7f3k`
    [Start again] [Check] [Stop] [Refresh]
    "#);
}

#[test]
fn a_card_says_what_zoom_said_when_it_was_asked() {
    let looked = |is_running| Stream { looked: Some(Looked { at: now(), is_running }), ..live() };
    insta::assert_snapshot!(shows(&looked(true)), @"
    “Keynote” (`684 230 85`) is live since 2026-10-05 13:55:00 UTC. Asked for by @U1.
    Zoom said at 14:00:00 UTC that the meeting is in progress.
    To take it off air: `/stream stop 68423085`
    [Stop] [Watch] [Refresh]
    ");
    insta::assert_snapshot!(shows(&looked(false)), @"
    “Keynote” (`684 230 85`) is live since 2026-10-05 13:55:00 UTC. Asked for by @U1.
    Zoom said at 14:00:00 UTC that the meeting is not in progress.
    To take it off air: `/stream stop 68423085`
    [Stop] [Watch] [Refresh]
    ");
}

#[test]
fn a_card_tells_how_a_stream_ended() {
    let by = || End::Stopped { by: person("U2") };
    insta::assert_snapshot!(shows(&ended(Some(later(-300)), Confirms::Yes, by())), @r#"
    “Keynote” (`684 230 85`) was live from 2026-10-05 13:55:00 UTC to 14:00:00 UTC, 5 min: stopped by @U2. Asked for by @U1.
    To put it on air again: `/stream start 68423085 "Keynote"`
    [Start again]
    "#);
    insta::assert_snapshot!(shows(&ended(None, Confirms::Yes, by())), @r#"
    “Keynote” (`684 230 85`) did not go live, as far as Zoom says: stopped by @U2. Asked for by @U1.
    To put it on air again: `/stream start 68423085 "Keynote"`
    [Start again]
    "#);
    let waited = Stream { may_have_started: false, ..ended(None, Confirms::No, by()) };
    insta::assert_snapshot!(shows(&waited), @r#"
    “Keynote” (`684 230 85`) did not go live: stopped by @U2. Asked for by @U1.
    To put it on air again: `/stream start 68423085 "Keynote"`
    [Start again]
    "#);
    insta::assert_snapshot!(shows(&ended(None, Confirms::No, by())), @r#"
    “Keynote” (`684 230 85`) is over: stopped by @U2. Asked for by @U1.
    To put it on air again: `/stream start 68423085 "Keynote"`
    [Start again]
    "#);
    let first = |stream: &Stream| shows(stream).lines().next().unwrap().to_owned();
    let in_zoom = End::InZoom { by: Operator { id: None, email: Some("ada@example.com".to_owned()) } };
    insta::assert_snapshot!(first(&ended(None, Confirms::Yes, End::Dropped)), @"“Keynote” (`684 230 85`) went off air at 14:00:00 UTC: it ended by itself, outside OnAir. Asked for by @U1.");
    insta::assert_snapshot!(first(&ended(None, Confirms::Yes, in_zoom)), @"“Keynote” (`684 230 85`) went off air at 14:00:00 UTC: stopped in Zoom by `ada@example.com`. Asked for by @U1.");
    insta::assert_snapshot!(first(&ended(None, Confirms::No, End::MeetingEnded)), @"“Keynote” (`684 230 85`) is over: the meeting has ended. Asked for by @U1.");
    insta::assert_snapshot!(shows(&ended(Some(later(-300)), Confirms::Yes, End::FoundOver)), @r#"
    “Keynote” (`684 230 85`) was live since 2026-10-05 13:55:00 UTC, and is off air: Zoom said at 14:00:00 UTC that its meeting is over. Asked for by @U1.
    To put it on air again: `/stream start 68423085 "Keynote"`
    [Start again]
    "#);
    insta::assert_snapshot!(shows(&ended(None, Confirms::No, End::FoundOver)), @r#"
    “Keynote” (`684 230 85`) is off air: Zoom said at 14:00:00 UTC that its meeting is over. Asked for by @U1.
    To put it on air again: `/stream start 68423085 "Keynote"`
    [Start again]
    "#);
    insta::assert_snapshot!(shows(&ended(Some(later(-300)), Confirms::Yes, End::MeetingEnded)), @r#"
    “Keynote” (`684 230 85`) was live from 2026-10-05 13:55:00 UTC to 14:00:00 UTC, 5 min: the meeting has ended. Asked for by @U1.
    To put it on air again: `/stream start 68423085 "Keynote"`
    [Start again]
    "#);
}

#[test]
fn the_status_of_a_workspace_is_a_list() {
    insta::assert_snapshot!(list(Vec::new()), @r#"
    (Person)
    OnAir started and stopped nothing in this workspace in the last 24 hours, as far as it knows.
    To put a meeting on air: `/stream start 68423085 "Keynote"`
    "#);
    let stop = StreamRecord { fate: Fate::Unknown, ..record(Action::Stop, 1) };
    let by = Some(Operator { id: None, email: Some("ada@example.com".to_owned()) });
    let outside = Stream { asked: None, ..stream(Confirms::Yes, State::Live { since: later(-60), by }) };
    let streams = vec![
        Known { record: Some(stop), ..of_stream(live()) },
        Known { record: Some(StreamRecord { by: None, ..record(Action::Start, 1) }), ..of_stream(outside) },
        of_record(record(Action::Stop, 5)),
        of_stream(stream(Confirms::Yes, State::Unconfirmed { at: later(-300) })),
        of_stream(ended(Some(later(-300)), Confirms::Yes, End::Dropped)),
    ];
    insta::assert_snapshot!(list(streams), @"
    (Person)
    Streams of the last 24 hours, newest first:
    • “Keynote” (`684 230 85`): live since 2026-10-05 13:55:00 UTC; asked for by @U1
    • `684 230 85`: stop sent, and Zoom gave no clear answer: it may still be on air, 2026-10-05 13:59:00 UTC, by @U1
    • `684 230 85`: live since 2026-10-05 13:59:00 UTC, started in Zoom by `ada@example.com`
    • `684 230 85`: stopped, 2026-10-05 13:55:00 UTC, by @U1
    • “Keynote” (`684 230 85`): Zoom took the start and has not confirmed it, 2026-10-05 13:55:00 UTC; asked for by @U1
    • “Keynote” (`684 230 85`): off air, it ended by itself, outside OnAir, 2026-10-05 14:00:00 UTC; asked for by @U1
    “Live” is what Zoom reported. To hear what Zoom says about one meeting: `/stream status 68423085`
    ");
}

#[test]
fn the_status_of_one_meeting_says_where_it_comes_from() {
    let at = later(-5);
    insta::assert_snapshot!(one(Some(of_stream(live())), Verdict::Good), @"
    (Person)
    “Keynote” (`684 230 85`): live since 2026-10-05 13:55:00 UTC; asked for by @U1
    That is from what Zoom reported, the last time at 13:55:00 UTC.
    Zoom says that the meeting is in progress.
    To take it off air: `/stream stop 68423085`
    ");
    insta::assert_snapshot!(one(Some(of_stream(live())), Verdict::Bad(Cure::StartTheMeeting)), @"
    (Person)
    “Keynote” (`684 230 85`): live since 2026-10-05 13:55:00 UTC; asked for by @U1
    That is from what Zoom reported, the last time at 13:55:00 UTC.
    Zoom says that the meeting is not in progress, and nothing is on air without it.
    To take it off air: `/stream stop 68423085`
    ");
    let accepted = |confirms| Some(of_stream(stream(confirms, State::Accepted { at })));
    insta::assert_snapshot!(one(accepted(Confirms::Yes), Verdict::Good), @"
    (Person)
    “Keynote” (`684 230 85`): Zoom took the start, 2026-10-05 13:59:55 UTC; asked for by @U1
    That is from what Zoom answered; its report has not come.
    Zoom says that the meeting is in progress.
    To take it off air: `/stream stop 68423085`
    ");
    insta::assert_snapshot!(one(accepted(Confirms::No), Verdict::Unknown(Why::NoConnection)), @"
    (Person)
    “Keynote” (`684 230 85`): Zoom took the start, 2026-10-05 13:59:55 UTC; asked for by @U1
    That is from what Zoom answered. It reports nothing about this one, and can't be asked whether a stream is on air: look at the stream itself.
    Whether the meeting is in progress: not known without a connection that works.
    To take it off air: `/stream stop 68423085`
    ");
    insta::assert_snapshot!(one(Some(of_record(record(Action::Stop, 5))), Verdict::Good), @"
    (Person)
    `684 230 85`: stopped, 2026-10-05 13:55:00 UTC, by @U1
    That is what OnAir did. It can't ask Zoom whether a stream is on air now, so look at the stream itself.
    Zoom says that the meeting is in progress.
    To put it on air again: `/stream start 68423085`
    ");
    insta::assert_snapshot!(one(None, Verdict::Unknown(Why::Away)), @"
    (Person)
    OnAir started and stopped nothing with `684 230 85` in the last 24 hours, as far as it knows.
    Whether the meeting is in progress: not known, Zoom is down or can't be reached.
    To put it on air: `/stream start 68423085`
    ");
}

#[test]
fn a_person_of_another_workspace_is_not_named() {
    let eve = Person { team: TeamId::new("T2"), ..person("U1") };
    let stopped = ended(Some(later(-300)), Confirms::Yes, End::Stopped { by: eve.clone() });
    assert!(
        shows(&stopped).contains("stopped by somebody in another workspace. Asked for by @U1."),
        "{}",
        shows(&stopped)
    );
    let stopping = stream(Confirms::Yes, State::Stopping { at: now(), by: eve });
    assert!(shows(&stopping).contains("as somebody in another workspace asked"), "{}", shows(&stopping));
}

/// What the dialog of Stop says.
fn asks(stream: &Stream) -> String {
    let message = card(
        stream,
        &Context { command: "/stream", workspace: None, now: now(), reference: &Reference::new("r-7f3k") },
    );
    let confirm = message.buttons.into_iter().find_map(|button| button.confirm).unwrap();
    assert!(text::size(&confirm.text) <= 300, "{}", confirm.text);
    rendered(&confirm.text)
}

#[test]
fn the_dialog_of_stop_says_what_is_so_whenever_it_opens() {
    insta::assert_snapshot!(asks(&live()), @"“Keynote” (`684 230 85`) stops for everybody who watches. It is live since 2026-10-05 13:55:00 UTC. @U1 started it.");
    let by = Operator { id: None, email: Some("eve@example.com".to_owned()) };
    let from_zoom = Stream { state: State::Live { since: later(-300), by: Some(by) }, ..live() };
    assert!(asks(&from_zoom).ends_with("It was started in Zoom by `eve@example.com`."), "{}", asks(&from_zoom));
    let long = Operator { id: None, email: Some(format!("{}@example.com", "e".repeat(300))) };
    let from_zoom = Stream { state: State::Live { since: later(-300), by: Some(long) }, ..live() };
    assert!(asks(&from_zoom).ends_with("It was started in Zoom."), "{}", asks(&from_zoom));
}

#[test]
fn the_dialog_of_stop_has_room_for_every_title() {
    for title in ["&", "<", "＠", "𝄞"] {
        let mut stream = live();
        stream.asked.as_mut().unwrap().settings = settings(&title.repeat(50));
        assert!(asks(&stream).contains("684 230 85"), "{}", asks(&stream));
    }
}
