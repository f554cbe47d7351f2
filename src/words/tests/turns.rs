//! Another order in the way, and the next try of one that was throttled.

use super::*;

fn start() -> Command {
    Command::Start(Start { meeting: meeting(), settings: settings("Keynote"), run: Run::Real })
}

fn stop() -> Command {
    Command::Stop { meeting: meeting() }
}

fn already(asked: Command, action: Action, by: Option<&str>, phase: Phase) -> String {
    let by = by.map(UserId::new);
    seen(&Reply::Already(Already { asked, action, is_same: true, by, asked_at: later(-4), phase }))
}

fn throttled(action: Action, limit: Throttle) -> String {
    let Reply::Show(show) = shown(action, Settings::default(), Outcome::Throttled(limit)) else { unreachable!() };
    let retry = Some(NextTry { number: 1, at: later(31), told: later(30), job: JobId::new("j1") });
    seen(&Reply::Show(Show { retry, ..show }))
}

#[test]
fn what_is_under_way_is_not_sent_twice() {
    insta::assert_snapshot!(already(start(), Action::Start, Some("U2"), Phase::Working), @"
    (Person)
    Already starting: `684 230 85`, asked for by @U2 4 s ago. Nothing was sent twice.
    The answer comes where it was asked for.
    ");
    insta::assert_snapshot!(already(stop(), Action::Stop, None, Phase::Working), @"
    (Person)
    Already stopping: `684 230 85`, asked for by somebody in another workspace 4 s ago. Nothing was sent twice.
    The answer comes where it was asked for.
    ");
}

#[test]
fn what_was_just_done_is_not_sent_twice() {
    let taken = Phase::Taken { at: later(-3) };
    insta::assert_snapshot!(already(start(), Action::Start, Some("U2"), taken.clone()), @r#"
    (Person)
    Already started: `684 230 85`, asked for by @U2 4 s ago, and Zoom accepted it. Nothing was sent twice.
    Nothing on air yet? Zoom takes one start in 30 s: wait 27s, then repeat: `/stream start 68423085 "Keynote"`
    To take it off air: `/stream stop 68423085`
    "#);
    insta::assert_snapshot!(already(stop(), Action::Stop, Some("U2"), taken), @"
    (Person)
    Already stopped: `684 230 85`, asked for by @U2 4 s ago. Nothing was sent twice.
    To put it on air again: `/stream start 68423085`
    ");
    insta::assert_snapshot!(already(start(), Action::Start, Some("U2"), Phase::Unknown { at: later(-3) }), @r#"
    (Person)
    Already sent: the start of `684 230 85`, asked for by @U2 4 s ago. Zoom gave no clear answer.
    Look at the stream first. No change after a minute? Repeat: `/stream start 68423085 "Keynote"`
    "#);
}

#[test]
fn other_settings_are_not_called_the_same() {
    let (by, phase) = (Some(UserId::new("U2")), Phase::Taken { at: later(-3) });
    let already = Already { asked: start(), action: Action::Start, is_same: false, by, asked_at: later(-4), phase };
    insta::assert_snapshot!(seen(&Reply::Already(already)), @r#"
    (Person)
    Already started: `684 230 85`, asked for by @U2 4 s ago, and Zoom accepted it. Your other settings were not sent.
    Nothing on air yet? Zoom takes one start in 30 s: wait 27s, then repeat: `/stream start 68423085 "Keynote"`
    To take it off air: `/stream stop 68423085`
    "#);
}

#[test]
fn what_waits_for_its_next_try_is_not_sent_twice() {
    let waiting = Phase::Waiting { retry_at: later(30) };
    insta::assert_snapshot!(already(stop(), Action::Stop, Some("U2"), waiting.clone()), @"
    (Person)
    Already stopping: `684 230 85`, asked for by @U2 4 s ago. Zoom asked to wait.
    OnAir tries again by itself at 14:00:30 UTC. To give it up, press *Cancel* there.
    ");
    insta::assert_snapshot!(already(start(), Action::Start, Some("U2"), waiting), @"
    (Person)
    Already starting: `684 230 85`, asked for by @U2 4 s ago. Zoom asked to wait.
    OnAir tries again by itself at 14:00:30 UTC. To give it up: `/stream stop 68423085`
    ");
}

#[test]
fn the_opposite_of_what_takes_too_long_is_to_be_repeated() {
    insta::assert_snapshot!(already(stop(), Action::Start, Some("U2"), Phase::Working), @"
    (Person)
    Not sent: the start of `684 230 85` is still under way, asked for by @U2 4 s ago.
    Repeat in a minute: `/stream stop 68423085`
    ");
}

#[test]
fn an_order_that_is_tried_again_by_itself_says_when_and_how_to_prevent_it() {
    insta::assert_snapshot!(throttled(Action::Start, Throttle::PreviousStart { retry_at: later(30) }), @"
    (Channel)
    The stream of `684 230 85` was not started again: wait 30s, the previous start may still be taking effect. Asked for by @U1.
    OnAir tries again by itself at 14:00:31 UTC (1 of 3).
    To give it up, press *Cancel* or: `/stream stop 68423085`
    [Cancel]
    ");
    insta::assert_snapshot!(throttled(Action::Stop, Throttle::PerSecond { retry_at: later(5) }), @"
    (Channel)
    The stream of `684 230 85` was not stopped: Zoom gets too many requests from your company's apps, wait 5s. Asked for by @U1.
    OnAir tries again by itself at 14:00:31 UTC (1 of 3).
    Urgent? The host stops the stream in Zoom, or ends the meeting.
    To give it up, press *Cancel*.
    [Cancel]
    ");
}

#[test]
fn what_is_not_tried_again_says_who_ended_it() {
    let withdrawn = |by: Option<&str>, their_action| {
        let asked_by = UserId::new("U1");
        seen(&Reply::Withdrawn { by: by.map(UserId::new), their_action, asked_by, asked: start() })
    };
    insta::assert_snapshot!(withdrawn(Some("U2"), Action::Stop), @r#"
    (Channel)
    The start of `684 230 85` that @U1 asked for is not tried again: @U2 asked to stop it.
    Still wanted? `/stream start 68423085 "Keynote"`
    "#);
    insta::assert_snapshot!(withdrawn(None, Action::Start), @r#"
    (Channel)
    The start of `684 230 85` that @U1 asked for is not tried again: somebody in another workspace asked to start it.
    Still wanted? `/stream start 68423085 "Keynote"`
    "#);
}

#[test]
fn a_press_of_cancel_is_answered() {
    let cancelled = |how| {
        let (by, asked_by, action) = (UserId::new("U2"), UserId::new("U1"), Action::Start);
        Reply::Cancelled { how, by, meeting: meeting(), action, asked_by }
    };
    insta::assert_snapshot!(seen(&cancelled(Cancelled::Now)), @"
    (Channel)
    Cancelled by @U2: the start of `684 230 85` that @U1 asked for is not tried again.
    What OnAir did with it lately: `/stream status 68423085`
    ");
    assert!(tell(&cancelled(Cancelled::Now)).replaces, "it takes the button away");
    insta::assert_snapshot!(seen(&cancelled(Cancelled::TooLate)), @"
    (Person)
    Too late to cancel: Zoom is being asked about the start of `684 230 85` at this moment.
    What OnAir did with it lately: `/stream status 68423085`
    ");
    insta::assert_snapshot!(seen(&cancelled(Cancelled::NotHere)), @"
    (Person)
    Not cancelled: the start of `684 230 85` was asked for in another workspace.
    Whoever asked for it can cancel it there.
    What OnAir did with it lately: `/stream status 68423085`
    ");
    insta::assert_snapshot!(seen(&cancelled(Cancelled::NotTheirs)), @"
    (Person)
    Not cancelled: the start of `684 230 85` is @U1's.
    They can cancel it, and so can everybody here who has connected a Zoom account.
    Connect yours: `/stream connect`
    ");
    insta::assert_snapshot!(seen(&Reply::NothingToCancel { meeting: meeting() }), @"
    (Person)
    Nothing to cancel: OnAir does not wait to try `684 230 85` again any more.
    What OnAir did with it lately: `/stream status 68423085`
    ");
}

#[test]
fn a_command_that_every_process_died_over() {
    insta::assert_snapshot!(seen(&Reply::GaveUp), @"
    (Person)
    OnAir could not finish your command: it broke down each time it tried. No stream was started or stopped.
    Type it again.
    The same again? Give an admin this reference: `r-7f3k`
    ");
}

#[test]
fn a_lost_renewal_is_told_as_that() {
    insta::assert_snapshot!(seen(&shown(Action::Start, settings("Keynote"), Outcome::RenewalLost)), @r#"
    (Channel)
    Nothing was started for “Keynote” (`684 230 85`): Zoom did not answer while OnAir renewed its access. Asked for by @U1.
    Zoom's answer is lost, and the access with it if Zoom had renewed it; the next try will tell.
    Repeat, and connect again if you are asked to: `/stream start 68423085 "Keynote"`
    "#);
}
