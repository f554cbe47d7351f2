//! The list of what would stop a start.

use super::*;
use crate::command::Target;
use crate::id::{JobId, Person, TeamId};
use crate::reply::{Check, Cure, Verdict, Why};
use crate::stream::{End, State};

/// Everything is fine.
pub(super) fn good() -> Check {
    Check {
        meeting: meeting(),
        called: meeting().into(),
        is_webinar: false,
        on_behalf_of: None,
        account: ada(),
        connection: Verdict::Good,
        permission: Verdict::Good,
        host: Verdict::Good,
        running: Verdict::Good,
        encryption: Verdict::Good,
        settings: Verdict::Good,
        target: Verdict::Good,
        reports: Verdict::Good,
        stream: None,
    }
}

fn list(check: Check) -> String {
    seen(&Reply::Check(Box::new(check)))
}

/// What one precondition makes of the list: its outcome, its own line, and what comes after the lines.
fn changed(check: Check) -> String {
    let (now, before) = (list(check), list(good()));
    let same: Vec<&str> = before.lines().filter(|line| line.starts_with('✅')).collect();
    now.lines().skip(1).filter(|line| !same.contains(line)).collect::<Vec<_>>().join("\n")
}

#[test]
fn everything_is_fine() {
    insta::assert_snapshot!(list(good()), @"
    (Person)
    `684 230 85` is ready for its stream, as far as Zoom shows:
    ✅ Account: you are connected as Ada Host (`ada@example.com`)
    ✅ Connection: it works
    ✅ Permission: OnAir may start and stop streams
    ✅ Meeting: it exists, and you host it
    ✅ Running: it is
    ✅ Encryption: it isn't end-to-end
    ✅ Zoom settings: yours let you stream meetings
    ✅ Stream address: it has one; whether it works, only a start shows
    ✅ Confirmation: Zoom reports to OnAir, which says when it is live
    ✅ On air: not that OnAir knows
    To put it on air: `/stream start 68423085`
    ");
    let called = Target::Saved(PresetName::new("keynote").unwrap());
    insta::assert_snapshot!(changed(Check { called, ..good() }), @"
    `684 230 85` is ready for its stream, as far as Zoom shows:
    To put it on air: `/stream start keynote`
    ");
    insta::assert_snapshot!(changed(Check { reports: Verdict::Unknown(Why::NoReports), ..good() }), @"
    `684 230 85` is ready for its stream, as far as Zoom shows:
    ❔ Confirmation: Zoom's reports aren't set up; OnAir can't confirm that it is live
    To put it on air: `/stream start 68423085`
    ");
}

#[test]
fn each_thing_that_is_wrong_has_its_cure() {
    let bad = Verdict::Bad;
    let away = Verdict::Unknown(Why::NoConnection);
    let broken = Check {
        connection: bad(Cure::TellAnAdmin),
        host: away.clone(),
        running: away.clone(),
        encryption: away.clone(),
        settings: away.clone(),
        target: away,
        ..good()
    };
    insta::assert_snapshot!(changed(broken), @"
    One thing would stop a start of `684 230 85`:
    ❌ Connection: Zoom refuses OnAir itself, for everybody. Give an admin this reference: `r-7f3k`
    ❔ Meeting: not known without a connection that works
    ❔ Running: not known without a connection that works
    ❔ Encryption: not known without a connection that works
    ❔ Zoom settings: not known without a connection that works
    ❔ Stream address: not known without a connection that works
    Mend that, then check again: `/stream check 68423085`
    ");
    insta::assert_snapshot!(changed(Check { permission: bad(Cure::Connect), ..good() }), @"
    One thing would stop a start of `684 230 85`:
    ❌ Permission: OnAir may not start it for you. Connect again with `/stream connect` and allow everything. If Zoom doesn't offer it while you connect, an admin has to add it to OnAir's app at Zoom.
    Mend that, then check again: `/stream check 68423085`
    ");
    let unseen = Verdict::Unknown(Why::NoMeeting);
    let none = Check { running: unseen.clone(), encryption: unseen.clone(), target: unseen, ..good() };
    insta::assert_snapshot!(changed(Check { host: bad(Cure::CheckTheId), ..none.clone() }), @"
    One thing would stop a start of `684 230 85`:
    ❌ Meeting: Zoom has none with this id for your account. Check the id. If it is right, whoever hosts it connects with `/stream connect` and starts it.
    ❔ Running: not known, Zoom doesn't show it to your account
    ❔ Encryption: not known, Zoom doesn't show it to your account
    ❔ Stream address: not known, Zoom doesn't show it to your account
    Mend that, then check again: `/stream check 68423085`
    ");
    insta::assert_snapshot!(changed(Check { host: bad(Cure::OtherAccount), ..none }), @"
    One thing would stop a start of `684 230 85`:
    ❌ Meeting: its host isn't in the Zoom account you connected. Connect as somebody of the host's account: `/stream connect`
    ❔ Running: not known, Zoom doesn't show it to your account
    ❔ Encryption: not known, Zoom doesn't show it to your account
    ❔ Stream address: not known, Zoom doesn't show it to your account
    Mend that, then check again: `/stream check 68423085`
    ");
    insta::assert_snapshot!(changed(Check { running: bad(Cure::StartTheMeeting), ..good() }), @"
    One thing would stop a start of `684 230 85`:
    ❌ Running: it isn't. Start it in Zoom.
    Once it is running, put it on air: `/stream start 68423085`
    ");
    insta::assert_snapshot!(changed(Check { encryption: bad(Cure::Allow(NotAllowed::Encryption)), ..good() }), @"
    One thing would stop a start of `684 230 85`:
    ❌ Encryption: the meeting is end-to-end encrypted, and Zoom can't stream those. End the meeting, switch its encryption from end-to-end to enhanced in the Zoom web portal → Meetings, and start it again.
    Mend that, then check again: `/stream check 68423085`
    ");
    insta::assert_snapshot!(changed(Check { settings: bad(Cure::Allow(NotAllowed::Setting)), ..good() }), @r#"
    One thing would stop a start of `684 230 85`:
    ❌ Zoom settings: Zoom doesn't let its host stream. Zoom web portal → Settings → Meeting → In Meeting (Advanced): switch on "Allow livestreaming of meetings" and tick "Custom Live Streaming Service". Grayed out? A Zoom admin has locked it. Not there? It takes a Pro license or higher.
    Mend that, then check again: `/stream check 68423085`
    "#);
    insta::assert_snapshot!(changed(Check { settings: bad(Cure::Allow(NotAllowed::Licence)), ..good() }), @"
    One thing would stop a start of `684 230 85`:
    ❌ Zoom settings: its host's Zoom license doesn't cover it. A Zoom admin gives the host a Pro license or higher: Zoom web portal → User Management → Users.
    Mend that, then check again: `/stream check 68423085`
    ");
    insta::assert_snapshot!(changed(Check { target: bad(Cure::SetTheTarget), ..good() }), @"
    One thing would stop a start of `684 230 85`:
    ❌ Stream address: it has none. Set it on a private page: `/stream setup 68423085`
    Mend that, then check again: `/stream check 68423085`
    ");
}

#[test]
fn several_things_are_cured_from_top_to_bottom() {
    let check = Check {
        running: Verdict::Bad(Cure::StartTheMeeting),
        target: Verdict::Bad(Cure::SetTheTarget),
        called: Target::Saved(PresetName::new("keynote").unwrap()),
        ..good()
    };
    insta::assert_snapshot!(changed(check), @"
    2 things would stop a start of `684 230 85`:
    ❌ Running: it isn't. Start it in Zoom.
    ❌ Stream address: it has none. Set it on a private page: `/stream setup keynote`
    Mend these from top to bottom, then check again: `/stream check keynote`
    ");
}

#[test]
fn what_is_not_known_says_why() {
    let unknown = Verdict::Unknown;
    let scope = |scope| unknown(Why::Scope(scope));
    let few_scopes = Check {
        host: scope("meeting:read:meeting"),
        running: scope("meeting:read:meeting"),
        encryption: scope("meeting:read:meeting"),
        settings: scope("user:read:settings"),
        target: scope("meeting:read:livestream"),
        reports: scope("meeting:read:livestream"),
        ..good()
    };
    insta::assert_snapshot!(list(few_scopes), @"
    (Person)
    Nothing found that would stop a start of `684 230 85`, but not everything can be known:
    ✅ Account: you are connected as Ada Host (`ada@example.com`)
    ✅ Connection: it works
    ✅ Permission: OnAir may start and stop streams
    ❔ Meeting: not known without the optional permission `meeting:read:meeting`
    ❔ Running: not known without the optional permission `meeting:read:meeting`
    ❔ Encryption: not known without the optional permission `meeting:read:meeting`
    ❔ Zoom settings: not known without the optional permission `user:read:settings`
    ❔ Stream address: not known without the optional permission `meeting:read:livestream`
    ❔ Confirmation: Zoom doesn't report without the permission `meeting:read:livestream`; OnAir can't confirm that it is live
    ✅ On air: not that OnAir knows
    To have OnAir see more, connect again and allow `meeting:read:meeting`, `user:read:settings` and `meeting:read:livestream`: `/stream connect`
    If Zoom doesn't offer it while you connect, an admin has to add it to OnAir's app at Zoom.
    To put it on air: `/stream start 68423085`
    ");
    insta::assert_snapshot!(changed(Check { permission: unknown(Why::NotSaid), ..good() }), @"
    Nothing found that would stop a start of `684 230 85`, but not everything can be known:
    ❔ Permission: not known, Zoom doesn't say
    To put it on air: `/stream start 68423085`
    ");
    let others = Check { host: unknown(Why::OtherHost), settings: unknown(Why::OthersSettings), ..good() };
    insta::assert_snapshot!(changed(others), @"
    Nothing found that would stop a start of `684 230 85`, but not everything can be known:
    ❔ Meeting: somebody else hosts it, and Zoom may refuse your start; then the host connects and starts it
    ❔ Zoom settings: not known, the host's count, and Zoom shows you only your own
    To put it on air: `/stream start 68423085`
    ");
    let refused = |code| unknown(Why::Refused { status: 400, code });
    let whys = [
        unknown(Why::Busy { retry_at: later(30) }),
        unknown(Why::Away),
        unknown(Why::RenewalLost),
        refused(Some("2300".to_owned())),
        refused(None),
        unknown(Why::Unreadable),
        unknown(Why::NoLicence),
    ];
    let all = whys.map(|target| changed(Check { target, ..good() }));
    insta::assert_snapshot!(all.join("\n\n"), @"
    Nothing found that would stop a start of `684 230 85`, but not everything can be known:
    ❔ Stream address: not known, Zoom takes no more requests until 14:00:30 UTC
    Check again then: `/stream check 68423085`

    Nothing found that would stop a start of `684 230 85`, but not everything can be known:
    ❔ Stream address: not known, Zoom is down or can't be reached
    Check again in a minute: `/stream check 68423085`

    Nothing found that would stop a start of `684 230 85`, but not everything can be known:
    ❔ Stream address: not known, Zoom did not answer while OnAir renewed its access; the next try will tell
    Check again in a minute: `/stream check 68423085`

    Nothing found that would stop a start of `684 230 85`, but not everything can be known:
    ❔ Stream address: not known, Zoom refused to say, with code `2300`
    The same again? Give an admin this reference: `r-7f3k`
    To put it on air: `/stream start 68423085`

    Nothing found that would stop a start of `684 230 85`, but not everything can be known:
    ❔ Stream address: not known, Zoom refused to say, with status 400
    The same again? Give an admin this reference: `r-7f3k`
    To put it on air: `/stream start 68423085`

    Nothing found that would stop a start of `684 230 85`, but not everything can be known:
    ❔ Stream address: not known, Zoom's answer makes no sense
    The same again? Give an admin this reference: `r-7f3k`
    To put it on air: `/stream start 68423085`

    Nothing found that would stop a start of `684 230 85`, but not everything can be known:
    ❔ Stream address: not known, Zoom doesn't show it without a license
    To put it on air: `/stream start 68423085`
    ");
}

#[test]
fn of_a_webinar_less_is_known() {
    let unseen = Verdict::Unknown(Why::Webinar);
    let webinar = Check {
        is_webinar: true,
        host: unseen.clone(),
        running: unseen.clone(),
        encryption: unseen.clone(),
        target: unseen,
        reports: Verdict::Unknown(Why::Webinar),
        ..good()
    };
    insta::assert_snapshot!(list(webinar.clone()), @"
    (Person)
    Nothing found that would stop a start of `684 230 85`, but not everything can be known:
    ✅ Account: you are connected as Ada Host (`ada@example.com`)
    ✅ Connection: it works
    ✅ Permission: OnAir may start and stop streams of webinars
    ❔ Webinar: it is one, and OnAir can't see whether you host it
    ❔ Running: not known, OnAir can't see that of a webinar
    ❔ Encryption: not known, OnAir can't see that of a webinar
    ✅ Zoom settings: yours let you stream webinars
    ❔ Stream address: not known, OnAir can't see that of a webinar
    ❔ Confirmation: Zoom reports nothing of webinars; OnAir can't confirm that it is live
    ✅ On air: not that OnAir knows
    To put it on air: `/stream start 68423085`
    ");
    let (settings, permission) = (Verdict::Bad(Cure::AllowWebinars), Verdict::Bad(Cure::Connect));
    let forbidden = list(Check { settings, permission, ..webinar });
    let wrong: Vec<&str> = forbidden.lines().filter(|line| line.starts_with('❌')).collect();
    insta::assert_snapshot!(wrong.join("\n"), @r#"
    ❌ Permission: OnAir may not start it for you. Connect again with `/stream connect` and allow everything. If Zoom doesn't offer it while you connect, an admin has to add it to OnAir's app at Zoom.
    ❌ Zoom settings: Zoom doesn't let you stream webinars. Zoom web portal → Settings → Webinar: switch on "Allow livestreaming of webinars"; a Zoom admin may have locked it.
    "#);
}

#[test]
fn a_stream_that_is_known_changes_the_next_step() {
    let person = Person { enterprise: None, team: TeamId::new("T1"), user: UserId::new("U1") };
    let next = NextTry { number: 1, at: later(30), told: later(30), job: JobId::new("j1") };
    let states = [
        State::Throttled(next),
        State::Accepted { at: later(-10) },
        State::Unconfirmed { at: later(-100) },
        State::Unknown { at: later(-10) },
        State::Live { since: later(-600), by: None },
        State::Stopping { at: later(-5), by: person },
        State::Ended { at: later(-600), how: End::Dropped },
    ];
    let all = states.map(|state| changed(Check { stream: Some(state), ..good() }));
    insta::assert_snapshot!(all.join("\n\n"), @"
    `684 230 85` is ready for its stream, as far as Zoom shows:
    ✅ On air: not yet; OnAir tries again by itself at 14:00:30 UTC (1 of 3)
    Nothing more to do. To give it up: `/stream stop 68423085`

    `684 230 85` may be on air already.
    ❔ On air: Zoom took a start 2026-10-05 13:59:50 UTC, and has not reported that it is live
    Look at the stream first. Nothing on air? Start it again: `/stream start 68423085`

    `684 230 85` may be on air already.
    ❔ On air: Zoom took a start 2026-10-05 13:58:20 UTC, and has not reported that it is live
    Look at the stream first. Nothing on air? Start it again: `/stream start 68423085`

    `684 230 85` may be on air already.
    ❔ On air: a start was sent 2026-10-05 13:59:50 UTC, and Zoom gave no clear answer
    Look at the stream first. Nothing on air? Start it again: `/stream start 68423085`

    `684 230 85` is live already.
    ✅ On air: live since 2026-10-05 13:50:00 UTC
    To take it off air: `/stream stop 68423085`

    `684 230 85` is being taken off air.
    ❔ On air: Zoom took a stop 2026-10-05 13:59:55 UTC, and has not reported that it is off air
    Check again in a minute: `/stream check 68423085`

    `684 230 85` is ready for its stream, as far as Zoom shows:
    ✅ On air: not since 2026-10-05 13:50:00 UTC
    To put it on air: `/stream start 68423085`
    ");
    let unconfirmed =
        Check { reports: Verdict::Unknown(Why::NoReports), stream: Some(State::Accepted { at: later(-10) }), ..good() };
    insta::assert_snapshot!(changed(unconfirmed), @"
    `684 230 85` may be on air already.
    ❔ Confirmation: Zoom's reports aren't set up; OnAir can't confirm that it is live
    ❔ On air: Zoom took a start 2026-10-05 13:59:50 UTC, and OnAir can't tell what became of it
    Look at the stream first. Nothing on air? Start it again: `/stream start 68423085`
    ");
}
