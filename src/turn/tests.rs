//! Who gets the turn, who waits, and who is told that nothing more is needed.

use super::*;
use crate::id::{TeamId, UserId};

fn at(second: i64) -> Timestamp {
    Timestamp::from_second(1_790_000_000 + second).unwrap()
}

fn turn(job: &str, action: Action, zoom_user: &str, phase: Phase) -> Turn {
    Turn {
        job: JobId::new(job),
        action,
        person: Person { enterprise: None, team: TeamId::new("T1"), user: UserId::new("U1") },
        zoom_user: ZoomUserId::new(zoom_user),
        settings: Fingerprint::from(&Settings::default()),
        asked_at: at(0),
        phase,
        displaced: None,
    }
}

fn start(job: &str, phase: Phase) -> Turn {
    turn(job, Action::Start, "ada", phase)
}

const WORKING: Phase = Phase::Working;
const OVER: Phase = Phase::Over { press: None };
const GO: Step = Step::Go { displaced: None };

fn waiting() -> Phase {
    Phase::Waiting { retry_at: at(30) }
}

/// What the one that wants the turn does, five seconds after the other began.
fn check(mine: &Turn, current: &Turn, expected: &Step) {
    assert_eq!(mine.step(Some(current), false, at(5)), *expected, "{current:?}");
}

#[test]
fn whoever_comes_first_goes() {
    assert_eq!(start("a", WORKING).step(None, false, at(0)), GO);
    assert_eq!(start("a", WORKING).step(None, true, at(0)), GO, "also when it is a next try");
}

#[test]
fn whoever_takes_a_job_over_has_its_turn() {
    for phase in [WORKING, waiting(), Phase::Taken { at: at(1) }, Phase::Unknown { at: at(1) }] {
        let current = start("a", phase);
        assert_eq!(start("a", WORKING).step(Some(&current), false, at(5)), GO);
        assert_eq!(start("a", WORKING).step(Some(&current), true, at(5)), GO);
    }
}

#[test]
fn the_same_order_of_the_same_zoom_user_is_not_sent_twice() {
    for phase in [WORKING, waiting(), Phase::Taken { at: at(1) }, Phase::Unknown { at: at(1) }] {
        check(&start("b", WORKING), &start("a", phase.clone()), &Step::Already);
        let stop = |job| turn(job, Action::Stop, "ada", phase.clone());
        check(&stop("b"), &stop("a"), &Step::Already);
    }
}

#[test]
fn what_was_done_a_while_ago_is_done_again() {
    let taken = start("a", Phase::Taken { at: at(0) });
    let again = start("b", WORKING);
    assert_eq!(again.step(Some(&taken), false, at(9)), Step::Already);
    assert_eq!(again.step(Some(&taken), false, at(10)), GO);
}

#[test]
fn the_opposite_waits_for_an_answer_and_follows_it() {
    let stop = turn("b", Action::Stop, "ada", WORKING);
    check(&stop, &start("a", WORKING), &Step::Wait);
    check(&stop, &start("a", Phase::Taken { at: at(4) }), &GO);
    check(&stop, &start("a", Phase::Unknown { at: at(4) }), &GO);
    check(&stop, &start("a", OVER), &GO);
}

#[test]
fn another_zoom_user_waits_for_the_answer_because_it_may_be_no() {
    let ben = turn("b", Action::Start, "ben", WORKING);
    check(&ben, &start("a", WORKING), &Step::Wait);
    check(&ben, &start("a", Phase::Taken { at: at(1) }), &Step::Already);
    check(&ben, &start("a", Phase::Unknown { at: at(1) }), &GO);
    let mut elsewhere = ben.clone();
    elsewhere.person.team = TeamId::new("T2");
    check(&elsewhere, &start("a", Phase::Taken { at: at(1) }), &GO);
}

#[test]
fn what_waits_for_its_next_try_gives_way_to_another_order() {
    let current = start("a", waiting());
    let over = Step::Go { displaced: Some(Displaced::Over(JobId::new("a"))) };
    check(&turn("b", Action::Stop, "ada", WORKING), &current, &over);
    let pending = Step::Go { displaced: Some(Displaced::Pending(Box::new(current.clone()))) };
    check(&turn("b", Action::Stop, "ben", WORKING), &current, &pending);
    check(&turn("b", Action::Start, "ben", WORKING), &current, &pending);
}

#[test]
fn a_next_try_ends_where_somebody_ended_it() {
    let retry = start("a", WORKING);
    let step = |current: &Turn| retry.step(Some(current), true, at(35));
    assert_eq!(step(&start("a", OVER)), Step::Withdrawn);
    for phase in [WORKING, waiting(), Phase::Taken { at: at(1) }] {
        assert_eq!(step(&turn("b", Action::Stop, "ada", phase.clone())), Step::Withdrawn);
        assert_eq!(step(&start("b", phase)), Step::Withdrawn);
    }
}

#[test]
fn a_next_try_waits_for_what_zoom_says_to_a_stranger() {
    let retry = start("a", WORKING);
    let stranger = guest();
    assert_eq!(retry.step(Some(&stranger), true, at(35)), Step::Wait);
    let taken_over = turn("b", Action::Stop, "ben", WORKING);
    assert_eq!(taken_over.step(Some(&stranger), false, at(5)), Step::Go { displaced: stranger.displaced.clone() });
}

/// A stranger's order that has the turn of one that waits.
fn guest() -> Turn {
    let displaced = Some(Displaced::Pending(Box::new(start("a", waiting()))));
    Turn { displaced, ..turn("b", Action::Stop, "ben", WORKING) }
}

#[test]
fn a_stranger_ends_what_waits_only_where_zoom_takes_their_order() {
    let taken = Phase::Taken { at: at(6) };
    let (next, over) = guest().after(Some(taken.clone()));
    assert_eq!((next.unwrap().phase, over), (taken, Some(JobId::new("a"))));
    for phase in [None, Some(waiting()), Some(Phase::Unknown { at: at(6) })] {
        assert_eq!(guest().after(phase), (Some(start("a", waiting())), None), "it has its turn back");
    }
}

#[test]
fn the_same_zoom_user_ends_what_waits_whatever_zoom_says() {
    let displaced = Some(Displaced::Over(JobId::new("a")));
    let stop = Turn { displaced, ..turn("b", Action::Stop, "ada", WORKING) };
    for (phase, left) in [(None, OVER), (Some(waiting()), waiting())] {
        let (next, over) = stop.after(phase);
        let next = next.unwrap();
        assert_eq!((&next.job, &next.phase, over), (&stop.job, &left, Some(JobId::new("a"))));
        assert_eq!(start("a", WORKING).step(Some(&next), true, at(35)), Step::Withdrawn);
    }
    let refused = stop.after(None).0.unwrap();
    check(&start("c", WORKING), &refused, &GO);
}

#[test]
fn what_waits_can_be_given_up_also_while_a_stranger_has_its_turn() {
    let (job, press) = (JobId::new("a"), JobId::new("p"));
    let over = Phase::Over { press: Some(press.clone()) };
    assert_eq!(start("a", waiting()).without(&job, Some(&press)).unwrap().phase, over);
    let guest = guest().without(&job, Some(&press)).unwrap();
    assert_eq!(guest.of(&job).unwrap().phase, over);
    let (back, told) = guest.after(None);
    assert_eq!((back.unwrap().phase, told), (over, None));
    assert_eq!(start("a", WORKING).without(&job, Some(&press)), None, "it does not wait");
    assert_eq!(guest.without(&job, Some(&press)), None, "it does not wait any more");
}

#[test]
fn only_work_is_forgotten_soon() {
    assert_eq!(start("a", WORKING).life(), Turn::LEASE);
    for phase in [waiting(), Phase::Taken { at: at(1) }, Phase::Unknown { at: at(1) }, OVER] {
        assert!(start("a", phase).life() > Duration::from_secs(30 * 60), "longer than a response_url lives");
    }
}
