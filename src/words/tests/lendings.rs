//! Control of a meeting, lent and taken back.

use super::*;
use crate::lend::{Lending, Term};
use crate::policy::MayLend;
use crate::reply::{Lent, NotLent};

pub(super) fn lent() -> Lent {
    let lending = Lending {
        meeting: meeting(),
        lender: UserId::new("U1"),
        colleague: UserId::new("U2"),
        zoom_user: ZoomUserId::new("z1"),
        since: now(),
        until: later(7200),
    };
    Lent { lending, is_shortened: false, is_utc: false }
}

pub(super) fn not_lent() -> Vec<NotLent> {
    vec![
        NotLent::Off { ask: [UserId::new("U7")].into() },
        NotLent::Oneself,
        NotLent::NotAPerson,
        NotLent::NotHere,
        NotLent::TooMany,
        NotLent::NoForm,
    ]
}

#[test]
fn what_is_lent() {
    insta::assert_snapshot!(seen(&Reply::Lent(lent())), @"
    (Channel)
    @U1 lends control of `684 230 85` to @U2 until 2026-10-05 16:00:00 UTC.
    @U2 may start and stop its stream on behalf of @U1.
    To take it back, @U1 presses *Take back* or types `/stream lend 68423085 back`
    [Take back]
    ");
    let told = |lent: Lent| seen(&Reply::Lent(lent)).lines().nth(2).unwrap().to_owned();
    insta::assert_snapshot!(told(Lent { is_shortened: true, is_utc: true, ..lent() }), @"
    The rules of this workspace allow no longer.
    ");
    insta::assert_snapshot!(told(Lent { is_utc: true, ..lent() }), @"
    OnAir can't tell your time zone here, so it took that time of day for UTC.
    ");
    let context = Context { command: "/stream", workspace: None, now: now(), reference: &Reference::new("r-7f3k") };
    let private = lent_to_you(&lent().lending, &context);
    assert_eq!(private.audience, Audience::Person);
    insta::assert_snapshot!(rendered(&private.text), @"
    @U1 lends you control of `684 230 85` until 2026-10-05 16:00:00 UTC.
    What you do with its stream is done on behalf of @U1, and written down as that.
    To put it on air: `/stream start 68423085`
    ");
}

#[test]
fn why_nothing_is_lent() {
    let told = |why| seen(&Reply::NotLent { meeting: meeting(), why });
    insta::assert_snapshot!(not_lent().into_iter().map(told).collect::<Vec<_>>().join("\n"), @"
    (Person)
    Nothing was lent: in this workspace nobody may lend control of a meeting.
    Ask @U7 or an admin of this workspace. They allow it with `/stream policy`
    (Person)
    Nothing was lent: that is you.
    To choose a colleague: `/stream lend 68423085`
    (Person)
    Nothing was lent: that is a bot, or somebody who has left this workspace.
    To choose a colleague: `/stream lend 68423085`
    (Person)
    Nothing was lent: there is nobody like that in this workspace.
    To choose a colleague: `/stream lend 68423085`
    (Person)
    Nothing was lent: you lend to 20 colleagues already, and nobody can lend more.
    To take a meeting back: `/stream lend 68423085 back`
    (Person)
    Nothing was lent: OnAir has no bot in this workspace that works, so it can't let you choose somebody.
    Name them by their member ID, from their profile: `/stream lend 68423085 to @U0123ABCD`
    ");
}

#[test]
fn what_is_taken_back() {
    let told = |names: &[&str]| {
        let colleagues = names.iter().map(|name| UserId::new(*name)).collect();
        seen(&Reply::TakenBack { meeting: meeting(), lender: UserId::new("U1"), colleagues })
    };
    insta::assert_snapshot!(told(&["U2", "U3"]), @"
    (Channel)
    @U1 took control of `684 230 85` back from @U2 and @U3.
    What is on air stays on air. To take it off: `/stream stop 68423085`
    ");
    insta::assert_snapshot!(told(&[]), @"
    (Person)
    Nothing to take back: you lend control of `684 230 85` to nobody.
    More: `/stream help lend`
    ");
}

#[test]
fn what_is_lent_and_does_not_work() {
    let (action, lender) = (Action::Start, UserId::new("U1"));
    insta::assert_snapshot!(seen(&Reply::LenderCannot { meeting: meeting(), action, lender }), @"
    (Person)
    Nothing was started: @U1 lends you `684 230 85`, and their Zoom account doesn't let OnAir do it.
    Ask @U1 to connect it again, as one that may: `/stream connect`
    ");
    let not_any_more = |why| {
        let (action, asked_by) = (Action::Start, UserId::new("U2"));
        seen(&Reply::NoAccountAnyMore { meeting: meeting(), action, asked_by, why })
    };
    insta::assert_snapshot!(not_any_more(ConnectWhy::FirstTime), @"
    (Channel)
    The stream of `684 230 85` was not started: @U2 has no Zoom account connected, and nobody lends them one for it any more.
    To do it after all: `/stream connect`, and repeat the command. What is known about it: `/stream status 68423085`
    ");
    insta::assert_snapshot!(not_any_more(ConnectWhy::Ended), @"
    (Channel)
    The stream of `684 230 85` was not started: the Zoom connection of @U2 has ended.
    To do it after all: `/stream connect`, and repeat the command. What is known about it: `/stream status 68423085`
    ");
}

#[test]
fn who_acts_is_named_with_whoever_they_act_for() {
    let Reply::Show(show) = shown(Action::Stop, Settings::default(), Outcome::Stopped) else { unreachable!() };
    let show = Show { on_behalf_of: Some(UserId::new("U9")), ..show };
    insta::assert_snapshot!(seen(&Reply::Show(show)), @"
    (Channel)
    The stream of `684 230 85` was stopped by @U1 on behalf of @U9.
    To put it on air again: `/stream start 68423085`
    ");
}

#[test]
fn the_form_has_no_longer_time_than_the_rules_allow() {
    let choices = |rule, typed| {
        let form = lend_form(meeting(), rule, typed);
        let Takes::Choice { options, chosen } = &form.fields[1].takes else { panic!("it is a choice") };
        let marked = |choice: &Choice| {
            let mark = if choice.name == *chosen { "(*)" } else { "( )" };
            format!("{mark} {}", choice.label)
        };
        options.iter().map(marked).collect::<Vec<_>>().join(" ")
    };
    insta::assert_snapshot!(choices(MayLend::OneHour, None), @"
    (*) An hour
    ");
    insta::assert_snapshot!(choices(MayLend::OneDay, Some(Term::For { minutes: 90 })), @"
    (*) 90 min, as typed ( ) An hour ( ) 4 hours ( ) 12 hours ( ) 24 hours
    ");
    insta::assert_snapshot!(choices(MayLend::FourHours, Some(Term::Until { hour: 8, minute: 5 })), @"
    (*) Until 08:05, as typed ( ) An hour ( ) 4 hours
    ");
    let form = lend_form(meeting(), MayLend::OneHour, None);
    assert!(form.title.chars().count() <= 24);
    insta::assert_snapshot!(form.intro, @"
    Somebody of this workspace starts and stops the stream of `684 230 85` with your Zoom account, on behalf of you. Its stream key is not lent, and you can take it back.
    ");
}

#[test]
fn what_is_told_beside_a_field() {
    let faults = [
        LendFault::Off,
        LendFault::NotConnected,
        LendFault::Nobody,
        LendFault::Oneself,
        LendFault::NotAPerson,
        LendFault::NotHere,
        LendFault::NoTerm,
        LendFault::Over,
        LendFault::TooMany,
        LendFault::NotSaved,
    ];
    let told = faults.map(|fault| format!("{}: {}", fault.field(), lend_fault(fault, "/stream")));
    insta::assert_snapshot!(told.join("\n"), @"
    colleague: Not lent: in this workspace nobody may lend control of a meeting.
    colleague: Not lent: first connect your Zoom account, with /stream connect.
    colleague: Not lent: choose somebody.
    colleague: Not lent: that is you.
    colleague: Not lent: that is a bot, or somebody who has left this workspace.
    colleague: Not lent: choose somebody of this workspace.
    term: Not lent: choose one of these.
    term: Not lent: that time is over by now.
    colleague: Not lent: you lend to 20 colleagues already.
    colleague: Not lent: OnAir can't write anything down just now. Press Lend again in a minute.
    ");
}
