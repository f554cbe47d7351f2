//! The Home of somebody for whom things are not as they should be, and of somebody with more than fits.

use super::*;
use crate::id::{ChannelId, Person, TeamId};
use crate::policy::{Act, Because, Denied};
use crate::reply::{Account, Home, HomeStream, Known};
use crate::stream::{Asked, State, Stream};

fn context_of<'a>(reference: &'a Reference) -> Context<'a> {
    Context { command: "/stream", workspace: None, now: now(), reference }
}

fn shows(shown: &Home) -> String {
    let lines = home(shown, &context_of(&Reference::new("r-7f3k"))).into_iter().map(|section| {
        let button = section.button.map(|button| format!(" [{}]", button.label)).unwrap_or_default();
        format!("{}{button}", rendered(&section.text))
    });
    lines.collect::<Vec<_>>().join("\n")
}

fn with(account: Account, speaks: bool) -> Home {
    Home { account, streams: Vec::new(), presets: Presets::default(), speaks }
}

/// What stands in it about the account.
fn first(shown: &Home) -> String {
    shows(shown).split("\n*Streams*").next().unwrap().to_owned()
}

#[test]
fn a_connection_that_does_not_work() {
    insta::assert_snapshot!(first(&with(Account::Ended, true)), @"
    *Your Zoom account*
    Zoom has ended your connection, so OnAir can do nothing as you.
    Press *Connect Zoom*: OnAir sends you the link by direct message. [Connect Zoom]
    ");
    let lacks = Account::Connected { user: ada(), shared_with: 2, lacks_scope: true };
    insta::assert_snapshot!(first(&with(lacks, true)), @"
    *Your Zoom account*
    You are connected to Zoom as Ada Host (`ada@example.com`).
    2 other Slack users share this connection.
    It can't start or stop streams: that was not allowed when it was made.
    Connect again and allow everything Zoom asks: `/stream connect` [Connect Zoom]
    ");
}

#[test]
fn a_bot_that_may_not_post() {
    insta::assert_snapshot!(first(&with(Account::None, false)), @"
    *Your Zoom account*
    You have no Zoom account connected.
    OnAir starts and stops streams as you, so it needs your own Zoom account, for your own meetings.
    Connect it: `/stream connect`
    ");
    let connected = Account::Connected { user: ada(), shared_with: 0, lacks_scope: false };
    insta::assert_snapshot!(first(&with(connected, false)), @"
    *Your Zoom account*
    You are connected to Zoom as Ada Host (`ada@example.com`).
    To use another account: `/stream connect`. To undo it: `/stream disconnect`
    ");
}

fn live(number: u64) -> HomeStream {
    let asked = Asked {
        person: Person { enterprise: None, team: TeamId::new("T1"), user: UserId::new("U1") },
        channel: ChannelId::new("C1"),
        command: "/stream".to_owned(),
        settings: settings(&"&".repeat(50)),
        on_behalf_of: None,
        at: now(),
        reference: Reference::new("r-7f3k"),
    };
    let meeting = (81_200_000_000 + number).to_string().parse().unwrap();
    let state = State::Live { since: later(-300), by: None };
    let stream = Stream { asked: Some(asked), state, ..Stream::new(meeting, Confirms::Yes, now()) };
    HomeStream { known: Known { record: None, stream: Some(Box::new(stream)) }, may_stop: true }
}

#[test]
fn more_than_fits_is_counted() {
    let names = (10..10 + Presets::MOST).map(|number| format!("{number}{}", "x".repeat(30)));
    let presets = saved(names.map(|name| preset(&name, Some(&"&".repeat(50)))));
    let account = Account::Connected { user: ada(), shared_with: 0, lacks_scope: false };
    let full = Home { account, streams: (0..30).map(live).collect(), presets, speaks: true };
    let sections = home(&full, &context_of(&Reference::new("r-7f3k")));
    assert!(sections.len() <= 100 && sections.iter().all(|section| (1..=MAX_MESSAGE).contains(&size(&section.text))));
    let shown = shows(&full);
    assert!(shown.contains("And 10 more: `/stream status`"), "{shown}");
    let listed = shown.matches("/stream start ").count();
    assert!(
        listed > 0 && shown.contains(&format!("And {} more: `/stream presets`", Presets::MOST - listed)),
        "{shown}"
    );
    assert_eq!(shown.matches("[Stop]").count(), 20);
}

#[test]
fn a_stop_that_takes_two_where_there_is_one() {
    let denied = Denied { act: Act::Stop, why: Because::Alone, ask: std::collections::BTreeSet::new() };
    insta::assert_snapshot!(seen(&Reply::Denied(denied)), @"
    (Person)
    Nothing was stopped: somebody else asked for it, and in this workspace that takes a second person.
    Ask for it where others are: type `/stream stop` and the meeting in a channel.
    ");
}
