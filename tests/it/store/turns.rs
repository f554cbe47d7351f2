//! Whose turn it is with a meeting: of many who want it, one gets it.

use std::time::Duration;

use onair::id::{JobId, ZoomUserId};
use onair::meeting::Settings;
use onair::outcome::Action;
use onair::store::{Changed, Seen};
use onair::turn::{Fingerprint, Phase, Turn};

use super::cases::fifty;
use super::{World, eventually, meeting, person};

on_both_engines! {
    a_turn_changes_as_it_was_seen,
    of_fifty_who_want_a_turn_one_gets_it,
    a_turn_that_is_there_may_be_given_again,
}

fn turn(world: &World, job: &str, phase: Phase) -> Turn {
    Turn {
        job: JobId::new(job),
        action: Action::Start,
        person: person("U1"),
        zoom_user: ZoomUserId::new("Z1"),
        settings: Fingerprint::from(&Settings::default()),
        asked_at: world.clock.now(),
        phase,
        displaced: None,
    }
}

async fn change(world: &World, seen: Option<&Seen<Turn>>, wanted: Option<&Turn>) -> Changed<Turn> {
    world.store.change_turn(meeting("68423085"), seen, wanted).await.unwrap()
}

fn done(change: Changed<Turn>) -> Option<Seen<Turn>> {
    let Changed::Done(seen) = change else { panic!("{change:?}") };
    seen
}

fn other(change: Changed<Turn>) -> Option<Seen<Turn>> {
    let Changed::Other(seen) = change else { panic!("{change:?}") };
    seen
}

async fn a_turn_changes_as_it_was_seen(world: World) {
    let (first, second) = (turn(&world, "a", Phase::Working), turn(&world, "b", Phase::Working));
    let seen = done(change(&world, None, Some(&first)).await).unwrap();
    assert_eq!(other(change(&world, None, Some(&second)).await).unwrap().value, first, "somebody has it");
    assert_eq!(world.store.turn(meeting("68423085")).await.unwrap().unwrap().value, first);
    assert!(world.store.turn(meeting("68423086")).await.unwrap().is_none(), "each meeting has its own");

    let taken = turn(&world, "a", Phase::Taken { at: world.clock.now() });
    let after = done(change(&world, Some(&seen), Some(&taken)).await).unwrap();
    assert_eq!(other(change(&world, Some(&seen), None).await).unwrap().value, taken, "it is not any more as it was");
    assert!(done(change(&world, Some(&after), None).await).is_none());
    assert!(done(change(&world, Some(&after), None).await).is_none(), "twice is the same as once");
    assert!(other(change(&world, Some(&after), Some(&second)).await).is_none());
    assert!(world.store.turn(meeting("68423085")).await.unwrap().is_none());
}

async fn of_fifty_who_want_a_turn_one_gets_it(world: World) {
    let template = turn(&world, "", Phase::Working);
    let answers = fifty(&world.store, move |store, index| {
        let wanted = Turn { job: JobId::new(format!("job {index}")), ..template.clone() };
        async move { store.change_turn(meeting("68423085"), None, Some(&wanted)).await.unwrap() }
    });
    let answers = answers.await;
    assert_eq!(answers.iter().filter(|answer| matches!(answer, Changed::Done(_))).count(), 1, "{answers:?}");
}

async fn a_turn_that_is_there_may_be_given_again(world: World) {
    let working = turn(&world, "a", Phase::Working);
    for _ in 0..2 {
        assert!(done(change(&world, None, Some(&working)).await).is_some(), "whoever lost the answer asks again");
    }
    let asked = || async { world.store.turn(meeting("68423085")).await.unwrap() };
    assert!(asked().await.is_some());
    // Time moves for the embedded store alone; Redis's own clock is proven by the lives of its keys.
    world.clock.advance(Turn::LEASE + Duration::from_secs(1));
    if world.folder.is_some() {
        eventually(asked, Option::is_none).await;
    }
}
