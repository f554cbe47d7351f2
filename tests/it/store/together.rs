//! What is written down with a change, in one step: with each that is made, and with none that is not.

use std::time::Duration;

use jiff::SignedDuration;
use onair::audit::AuditEntry;
use onair::id::{Person, TeamId, UserId, Workspace};
use onair::installation::{Removed, Site};
use onair::journal::{Claimed, Job};
use onair::lend::Lending;
use onair::policy::Policy;
use onair::store::{AuditQuery, Changed, Planned, Store};
use onair::stream::{Confirms, Stream};

use super::journal::{LONG, claimed, id};
use super::{World, entry, grant, installation, meeting, person, zoom_user};

on_both_engines! {
    a_change_of_rules_is_written_down_if_it_is_made,
    an_installation_is_written_down_if_it_is_made,
    what_becomes_of_a_stream_is_written_down_if_it_is_kept,
    a_stream_and_when_its_keeper_looks_at_it_are_one_step,
    each_connection_is_written_down_and_also_the_same_again,
    a_lending_is_written_down,
    the_end_of_a_grant_is_written_down_where_there_was_one,
    the_end_of_a_connection_is_written_down,
    a_removal_is_written_down_once_when_it_is_done,
}

async fn written(store: &Store) -> Vec<AuditEntry> {
    let trail = store.audit(&AuditQuery::default()).await.unwrap();
    trail.into_iter().map(|(_, entry)| entry).collect()
}

fn here() -> Workspace {
    Workspace { enterprise: None, team: TeamId::new("T1") }
}

async fn a_change_of_rules_is_written_down_if_it_is_made(world: World) {
    let (store, now) = (&world.store, world.clock.now());
    let seen = store.policy(&here()).await.unwrap();
    let of = |manager: &str| Policy { managers: [UserId::new(manager)].into(), ..Policy::default() };
    let first = entry("R1", now);
    assert!(store.change_policy(&here(), &seen, &of("U1"), &first).await.unwrap());
    assert!(!store.change_policy(&here(), &seen, &of("U2"), &entry("R2", now)).await.unwrap(), "it was changed since");
    assert_eq!(written(store).await, [first]);
}

async fn an_installation_is_written_down_if_it_is_made(world: World) {
    let (store, now) = (&world.store, world.clock.now());
    let (wanted, first) = (installation("T1", now), entry("R1", now));
    let former = store.installed_in(&wanted.site).await.unwrap();
    assert!(former.installation.is_none());
    assert!(store.install(&former, &wanted, &first).await.unwrap());
    assert!(!store.install(&former, &wanted, &entry("R2", now)).await.unwrap(), "there is another one by now");
    assert_eq!(store.installed_in(&wanted.site).await.unwrap().installation.map(|it| it.site), Some(wanted.site));
    assert_eq!(written(store).await, [first]);
}

async fn what_becomes_of_a_stream_is_written_down_if_it_is_kept(world: World) {
    let (store, now) = (&world.store, world.clock.now());
    let stream = Stream::new(meeting("68423085"), Confirms::Yes, now);
    let first = entry("R1", now);
    let done = store.change_stream(None, stream.clone(), Some(&first), None).await.unwrap();
    assert!(matches!(done, Changed::Done(_)));
    let other = store.change_stream(None, stream, Some(&entry("R2", now)), None).await.unwrap();
    assert!(matches!(other, Changed::Other(Some(_))));
    assert_eq!(written(store).await, [first]);
}

async fn a_stream_and_when_its_keeper_looks_at_it_are_one_step(world: World) {
    let (store, now) = (&world.store, world.clock.now());
    let meeting = meeting("68423085");
    let stream = Stream::new(meeting, Confirms::Yes, now);
    let keeper = |name, due| Planned { id: id(name), job: Job::Keep { meeting }, due };
    let planned = keeper("keep", LONG);
    let Changed::Done(seen) = store.change_stream(None, stream.clone(), None, Some(&planned)).await.unwrap() else {
        panic!("there was none");
    };
    let not_made = keeper("not made", Duration::ZERO);
    let other = store.change_stream(None, stream.clone(), None, Some(&not_made)).await.unwrap();
    assert!(matches!(other, Changed::Other(Some(_))));
    assert!(store.claim("a", LONG).await.unwrap().is_none(), "it is planned for later");
    let sooner = keeper("keep", Duration::ZERO);
    assert!(matches!(store.change_stream(seen.as_ref(), stream, None, Some(&sooner)).await.unwrap(), Changed::Done(_)));
    let Claimed { id: claimed, job, attempt } = claimed(store, "a", LONG).await;
    assert_eq!((claimed, attempt), (id("keep"), 1));
    assert!(matches!(job, Job::Keep { meeting: of } if of == meeting));
    assert_eq!(store.waiting().await.unwrap().open, 1, "with what was not changed there is nothing to look at");
}

async fn each_connection_is_written_down_and_also_the_same_again(world: World) {
    let (store, now) = (&world.store, world.clock.now());
    let entries = ["R1", "R2", "R3"].map(|reference| entry(reference, now));
    for (entry, zoom) in entries.iter().zip(["Z1", "Z1", "Z2"]) {
        store.link(&person("U1"), &zoom_user(zoom), Some(entry)).await.unwrap();
    }
    assert_eq!(written(store).await, entries);
    assert_eq!(store.link_of(&person("U1")).await.unwrap(), Some(zoom_user("Z2")));
}

async fn a_lending_is_written_down(world: World) {
    let (store, now) = (&world.store, world.clock.now());
    let Person { user: lender, .. } = person("U1");
    let until = now.checked_add(SignedDuration::from_hours(1)).unwrap();
    let (meeting, colleague) = (meeting("68423085"), UserId::new("U2"));
    let lending = Lending { meeting, lender, colleague, zoom_user: zoom_user("Z1"), since: now, until };
    let first = entry("R1", now);
    store.lend(&here(), &lending, now, Some(&first)).await.unwrap();
    store.lend(&here(), &lending, now, Some(&first)).await.unwrap();
    assert_eq!(written(store).await, [first], "a repetition is no other lending");
    assert_eq!(store.lendings(&here()).await.unwrap(), [lending]);
}

async fn the_end_of_a_grant_is_written_down_where_there_was_one(world: World) {
    let (store, now) = (&world.store, world.clock.now());
    let (first, zoe) = (entry("R1", now), zoom_user("Z1"));
    store.save_grant(&grant("Z1")).await.unwrap();
    assert!(store.end_grant(&zoe, &first).await.unwrap());
    assert!(!store.end_grant(&zoe, &entry("R2", now)).await.unwrap());
    assert!(store.grant(&zoe).await.unwrap().is_none());
    assert_eq!(written(store).await, [first]);
}

async fn the_end_of_a_connection_is_written_down(world: World) {
    let (store, first) = (&world.store, entry("R1", world.clock.now()));
    store.link(&person("U1"), &zoom_user("Z1"), None).await.unwrap();
    assert_eq!(store.unlink(&person("U1"), Some(&first)).await.unwrap().unwrap().left, 0);
    assert_eq!(written(store).await, [first]);
}

async fn a_removal_is_written_down_once_when_it_is_done(world: World) {
    let (store, at) = (&world.store, world.clock.now());
    let (site, first) = (Site::Workspace(here()), entry("R1", at));
    let begun = Removed { at, is_done: false, had_anything: true };
    let ended = Removed { at, is_done: true, had_anything: false };
    store.remember_removal(&site, &begun).await.unwrap();
    for _ in 0..2 {
        assert!(store.end_removal(&site, &begun, &ended, Some(&first)).await.unwrap());
    }
    assert_eq!((written(store).await, store.removed(&site).await.unwrap()), (vec![first], Some(ended)));
}
