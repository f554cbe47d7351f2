//! The journal: who holds a job, who gets it next, and what a former holder can still do to it.

use std::collections::BTreeSet;
use std::time::{Duration, Instant};

use onair::id::{DeliveryId, JobId};
use onair::invocation::Invocation;
use onair::journal::{Claimed, Job, Stage};
use onair::reply::Audience;
use onair::store::{Accepted, AuditQuery, Store, Waiting, With};
use onair::words::Message;

use super::cases::fifty;
use super::trail::references;
use super::{World, entry, eventually, invocation};

on_both_engines! {
    a_job_comes_with_its_delivery_or_not_at_all,
    a_job_is_taken_over_when_its_lease_ends,
    a_lease_that_is_kept_does_not_end,
    a_lease_that_has_ended_is_kept_if_nobody_came,
    a_former_holder_changes_nothing,
    of_fifty_who_claim_each_gets_another_job,
    the_job_that_is_due_for_longest_comes_first,
    a_postponed_job_comes_back_in_its_time,
    what_was_decided_is_in_the_trail_once,
    a_job_that_is_there_is_not_written_again,
    a_finished_job_is_gone,
    a_postponed_job_can_be_hurried,
    a_planned_job_is_there_once_and_due_at_the_earliest_of_its_times,
}

const SHORT: Duration = Duration::from_millis(300);
/// Stores count whole milliseconds.
const NEARLY: Duration = Duration::from_millis(298);
pub(super) const LONG: Duration = Duration::from_secs(60);

pub(super) fn id(name: &str) -> JobId {
    JobId::new(name)
}

pub(super) fn job(world: &World, stage: Stage) -> Job {
    Job::Command { invocation: Box::new(invocation("U1", world.clock.now())), stage }
}

/// The command in a job.
pub(super) fn command(job: &Job) -> (&Invocation, &Stage) {
    let Job::Command { invocation, stage } = job else { panic!("{job:?}") };
    (invocation, stage)
}

pub(super) fn decided(text: &str) -> Stage {
    let message = Message { audience: Audience::Channel, text: text.into(), buttons: Vec::new(), replaces: false };
    Stage::Decided { message: Some(message), retry: None, card: None }
}

/// Accepts a job under a name that its delivery has as well.
pub(super) async fn accept(store: &Store, name: &str, job: &Job, owner: &str, lease: Duration) -> Accepted {
    store.accept(&DeliveryId::new(name), With::Job { id: &id(name), job, owner, lease }).await.unwrap()
}

pub(super) async fn claimed(store: &Store, owner: &str, lease: Duration) -> Claimed {
    let claim = || async { store.claim(owner, lease).await.unwrap() };
    eventually(claim, Option::is_some).await.unwrap()
}

async fn claimable(store: &Store, wanted: u64) -> Waiting {
    let waiting = || async { store.waiting().await.unwrap() };
    eventually(waiting, |waiting| waiting.claimable == wanted).await
}

async fn a_job_comes_with_its_delivery_or_not_at_all(world: World) {
    let store = &world.store;
    let job = job(&world, Stage::Accepted);
    assert_eq!(store.waiting().await.unwrap(), Waiting { open: 0, claimable: 0, oldest: None });
    assert_eq!(accept(store, "d1", &job, "a", LONG).await, Accepted::New);
    let second = id("j2");
    let replay = With::Job { id: &second, job: &job, owner: "a", lease: LONG };
    assert_eq!(store.accept(&DeliveryId::new("d1"), replay).await.unwrap(), Accepted::Replayed);

    assert!(store.claim("b", LONG).await.unwrap().is_none(), "it is in somebody's hands");
    assert_eq!(store.waiting().await.unwrap(), Waiting { open: 1, claimable: 0, oldest: None });
    assert!(store.keep(&id("d1"), "a", LONG).await.unwrap());
    assert!(!store.keep(&second, "a", LONG).await.unwrap(), "a replay writes no job");
}

async fn a_job_is_taken_over_when_its_lease_ends(world: World) {
    let (store, accepted) = (&world.store, job(&world, Stage::Accepted));
    let begun = Instant::now();
    accept(store, "j1", &accepted, "a", SHORT).await;
    let Claimed { id: name, job, attempt } = claimed(store, "b", SHORT).await;
    assert!(begun.elapsed() >= NEARLY);
    assert_eq!((name, attempt), (id("j1"), 2));
    let ((taken, stage), (given, _)) = (command(&job), command(&accepted));
    assert_eq!(*stage, Stage::Accepted);
    assert_eq!(taken.reply_to, given.reply_to);
    assert_eq!(taken.text.as_str(), given.text.as_str());

    let waiting = claimable(store, 1).await;
    assert_eq!(waiting.open, 1);
    assert!(waiting.oldest.is_some_and(|oldest| oldest < begun.elapsed()), "{waiting:?}");
    assert_eq!(claimed(store, "c", LONG).await.attempt, 3);
    assert!(store.claim("d", LONG).await.unwrap().is_none());
}

async fn a_lease_that_is_kept_does_not_end(world: World) {
    let (store, job) = (&world.store, job(&world, Stage::Accepted));
    accept(store, "kept", &job, "a", LONG).await;
    assert!(store.keep(&id("kept"), "a", SHORT).await.unwrap(), "it is counted from now, also where that is shorter");
    accept(store, "left", &job, "a", SHORT).await;
    assert!(store.keep(&id("kept"), "a", LONG).await.unwrap());
    assert!(!store.keep(&id("kept"), "b", LONG).await.unwrap());
    assert_eq!(claimed(store, "b", LONG).await.id, id("left"), "though it was to end later");
    assert!(store.claim("b", LONG).await.unwrap().is_none());
}

async fn a_lease_that_has_ended_is_kept_if_nobody_came(world: World) {
    let store = &world.store;
    accept(store, "j1", &job(&world, Stage::Accepted), "a", Duration::ZERO).await;
    claimable(store, 1).await;
    assert!(store.keep(&id("j1"), "a", LONG).await.unwrap());
    assert!(store.claim("b", LONG).await.unwrap().is_none());
}

async fn a_former_holder_changes_nothing(world: World) {
    let (store, now, name) = (&world.store, world.clock.now(), id("j1"));
    let (ordering, told) = (job(&world, Stage::Ordering { retry: None }), job(&world, decided("told")));
    accept(store, "j1", &job(&world, Stage::Accepted), "a", SHORT).await;
    assert!(store.advance(&name, "a", &ordering, None).await.unwrap());
    assert_eq!(*command(&claimed(store, "b", SHORT).await.job).1, Stage::Ordering { retry: None });

    let refused = || async {
        assert!(!store.keep(&name, "a", LONG).await.unwrap());
        assert!(!store.advance(&name, "a", &ordering, None).await.unwrap(), "also what it did before");
        assert!(!store.advance(&name, "a", &told, Some(&entry("R1", now))).await.unwrap());
        assert!(!store.postpone(&name, "a", &told, LONG).await.unwrap());
    };
    refused().await;
    assert!(!store.finish(&name, "a").await.unwrap());

    let Claimed { job, attempt, .. } = claimed(store, "c", LONG).await;
    assert_eq!((command(&job).1.clone(), attempt), (Stage::Ordering { retry: None }, 3));
    assert!(store.finish(&name, "c").await.unwrap());
    refused().await;
    assert_eq!(store.waiting().await.unwrap().open, 0, "nothing brings it back");
    assert_eq!(references(store, &AuditQuery::default()).await, [""; 0]);
}

async fn of_fifty_who_claim_each_gets_another_job(world: World) {
    let store = &world.store;
    let job = job(&world, Stage::Accepted);
    for index in 0..20 {
        accept(store, &format!("j{index}"), &job, "a", Duration::ZERO).await;
    }
    claimable(store, 20).await;
    let claims =
        fifty(store, |store, index| async move { store.claim(&format!("owner {index}"), LONG).await.unwrap() });
    let claims: Vec<_> = claims.await.into_iter().flatten().collect();
    assert_eq!(claims.len(), 20);
    assert!(claims.iter().all(|claimed| claimed.attempt == 2));
    assert_eq!(claims.iter().map(|claimed| &claimed.id).collect::<BTreeSet<_>>().len(), 20);
    assert_eq!(store.waiting().await.unwrap(), Waiting { open: 20, claimable: 0, oldest: None });
}

async fn the_job_that_is_due_for_longest_comes_first(world: World) {
    let store = &world.store;
    let job = job(&world, Stage::Accepted);
    for (name, seconds) in [("b", 2), ("a", 3), ("c", 1)] {
        // Held long first, so that writing them slowly does not change their order.
        accept(store, name, &job, "a", LONG).await;
        assert!(store.keep(&id(name), "a", SHORT * seconds + SHORT).await.unwrap());
    }
    claimable(store, 3).await;
    for name in ["c", "b", "a"] {
        assert_eq!(claimed(store, "b", LONG).await.id, id(name));
    }
}

async fn a_postponed_job_comes_back_in_its_time(world: World) {
    let (store, name) = (&world.store, id("j1"));
    store.journal(&name, &job(&world, Stage::Ordering { retry: None }), "a", LONG).await.unwrap();
    let (again, begun) = (job(&world, Stage::Accepted), Instant::now());
    for _ in 0..2 {
        assert!(store.postpone(&name, "a", &again, SHORT).await.unwrap(), "twice is the same as once");
    }
    assert!(!store.keep(&name, "a", LONG).await.unwrap(), "it was given back");
    assert!(!store.finish(&name, "a").await.unwrap());
    assert!(!store.advance(&name, "a", &again, None).await.unwrap());

    let Claimed { job, attempt, .. } = claimed(store, "a", LONG).await;
    assert!(begun.elapsed() >= NEARLY);
    assert_eq!((command(&job).1.clone(), attempt), (Stage::Accepted, 2));
    assert!(store.postpone(&name, "a", &again, SHORT).await.unwrap(), "another time it is not the same");
    assert_eq!(claimed(store, "b", LONG).await.attempt, 3);
}

async fn what_was_decided_is_in_the_trail_once(world: World) {
    let (store, now, name) = (&world.store, world.clock.now(), id("j1"));
    let told = job(&world, decided("told"));
    accept(store, "j1", &job(&world, Stage::Accepted), "a", LONG).await;
    for _ in 0..3 {
        assert!(store.advance(&name, "a", &told, Some(&entry("R1", now))).await.unwrap());
    }
    assert_eq!(references(store, &AuditQuery::default()).await, ["R1"]);
    assert!(store.advance(&name, "a", &told, Some(&entry("R2", now))).await.unwrap());
    assert_eq!(references(store, &AuditQuery::default()).await, ["R1", "R2"], "another entry is another change");

    assert!(store.keep(&name, "a", Duration::ZERO).await.unwrap());
    assert_eq!(*command(&claimed(store, "b", LONG).await.job).1, decided("told"));
}

async fn a_job_that_is_there_is_not_written_again(world: World) {
    let (store, name) = (&world.store, id("j1"));
    store.journal(&name, &job(&world, Stage::Accepted), "a", LONG).await.unwrap();
    assert!(store.advance(&name, "a", &job(&world, Stage::Ordering { retry: None }), None).await.unwrap());
    store.journal(&name, &job(&world, Stage::Accepted), "b", Duration::ZERO).await.unwrap();
    assert_eq!(accept(store, "j1", &job(&world, Stage::Accepted), "b", Duration::ZERO).await, Accepted::New);
    assert!(!store.keep(&name, "b", LONG).await.unwrap());
    assert!(store.keep(&name, "a", Duration::ZERO).await.unwrap());
    let Claimed { job, attempt, .. } = claimed(store, "c", LONG).await;
    assert_eq!((command(&job).1.clone(), attempt), (Stage::Ordering { retry: None }, 2));
}

async fn a_finished_job_is_gone(world: World) {
    let (store, name) = (&world.store, id("j1"));
    accept(store, "j1", &job(&world, Stage::Accepted), "a", Duration::ZERO).await;
    claimable(store, 1).await;
    for _ in 0..2 {
        assert!(store.finish(&name, "a").await.unwrap());
    }
    assert!(store.claim("b", LONG).await.unwrap().is_none());
    assert_eq!(store.waiting().await.unwrap(), Waiting { open: 0, claimable: 0, oldest: None });
}

async fn a_postponed_job_can_be_hurried(world: World) {
    let (store, name) = (&world.store, id("j1"));
    let waiting = job(&world, Stage::Accepted);
    accept(store, "j1", &waiting, "a", LONG).await;
    assert!(store.hurry(&name).await.unwrap());
    assert!(store.claim("b", LONG).await.unwrap().is_none(), "it is in somebody's hands");
    assert!(store.postpone(&name, "a", &waiting, LONG).await.unwrap());
    assert!(store.claim("b", LONG).await.unwrap().is_none());
    for _ in 0..2 {
        assert!(store.hurry(&name).await.unwrap());
    }
    assert_eq!(claimed(store, "b", LONG).await.id, name);
    assert!(!store.hurry(&id("nobody's")).await.unwrap());
    assert_eq!(store.waiting().await.unwrap(), Waiting { open: 1, claimable: 0, oldest: None });
}

async fn a_planned_job_is_there_once_and_due_at_the_earliest_of_its_times(world: World) {
    let (store, name) = (&world.store, id("j1"));
    let (first, second) = (job(&world, Stage::Accepted), job(&world, Stage::Ordering { retry: None }));
    store.plan(&name, &first, LONG).await.unwrap();
    assert!(store.claim("a", LONG).await.unwrap().is_none());
    store.plan(&name, &second, Duration::ZERO).await.unwrap();
    let Claimed { job, attempt, .. } = claimed(store, "a", LONG).await;
    assert_eq!((command(&job).1.clone(), attempt), (Stage::Accepted, 1), "what was there stays");
    store.plan(&name, &second, Duration::ZERO).await.unwrap();
    assert!(store.claim("b", LONG).await.unwrap().is_none(), "somebody holds it");
    assert!(store.keep(&name, "a", LONG).await.unwrap());
    assert!(store.postpone(&name, "a", &job, LONG).await.unwrap());
    store.plan(&name, &second, LONG * 2).await.unwrap();
    assert!(store.claim("b", LONG).await.unwrap().is_none());
    store.plan(&name, &second, Duration::ZERO).await.unwrap();
    assert_eq!(claimed(store, "b", LONG).await.id, name);
}
