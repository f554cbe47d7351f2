//! What a store does, whichever engine it stands on.

use std::time::Duration;

use jiff::SignedDuration;
use onair::destination::Invitation;
use onair::grant::{Grant, StateToken};
use onair::id::DeliveryId;
use onair::outcome::Action;
use onair::reply::StreamRecord;
use onair::secret::Secret;
use onair::store::{Accepted, AuditQuery, Changed, FormerLink, LeaseName, Store, With};
use tokio::task::JoinSet;

use super::trail::references;
use super::{World, ago, entry, eventually, grant, invitation, meeting, pending, person, zoom_user};

on_both_engines! {
    a_delivery_is_new_once,
    of_fifty_deliveries_at_once_one_is_new,
    an_offer_is_redeemed_once,
    of_fifty_who_redeem_one_gets_it,
    an_offered_page_is_for_one_browser_and_one_change,
    of_fifty_browsers_that_open_a_page_one_gets_it,
    a_link_leads_to_one_zoom_user,
    relinking_leaves_the_former_zoom_user,
    links_are_counted_right_under_concurrency,
    a_grant_is_replaced_and_deleted,
    a_grant_changes_only_as_it_was_seen,
    a_lease_is_for_one_owner,
    a_lease_ends_by_itself,
    of_fifty_who_want_a_lease_one_gets_it,
    a_webinar_is_remembered_until_forgotten,
    streams_are_told_newest_first_per_workspace,
    the_store_answers_a_ping,
}

async fn a_delivery_is_new_once(world: World) {
    let (store, now) = (&world.store, world.clock.now());
    let delivery = DeliveryId::new("d1");
    assert_eq!(store.accept(&delivery, With::Entry(&entry("R1", now))).await.unwrap(), Accepted::New);
    assert_eq!(store.accept(&delivery, With::Entry(&entry("R2", now))).await.unwrap(), Accepted::Replayed);
    assert_eq!(store.accept(&DeliveryId::new("d2"), With::Nothing).await.unwrap(), Accepted::New);
    assert_eq!(references(store, &AuditQuery::default()).await, ["R1"]);
}

async fn of_fifty_deliveries_at_once_one_is_new(world: World) {
    let now = world.clock.now();
    let answers = fifty(&world.store, move |store, index| async move {
        store.accept(&DeliveryId::new("d"), With::Entry(&entry(&format!("R{index}"), now))).await.unwrap()
    });
    let new = answers.await.into_iter().filter(|accepted| *accepted == Accepted::New).count();
    assert_eq!(new, 1);
    assert_eq!(references(&world.store, &AuditQuery::default()).await.len(), 1);
}

async fn an_offer_is_redeemed_once(world: World) {
    let (store, now) = (&world.store, world.clock.now());
    let token = StateToken::generate();
    assert!(store.offered(&token).await.unwrap().is_none());
    store.offer(&token, &pending("U1", now)).await.unwrap();

    let same = StateToken::new(token.expose());
    for _ in 0..2 {
        assert_eq!(store.offered(&same).await.unwrap().unwrap().person, person("U1"));
    }
    let redeemed = store.redeem(&same).await.unwrap().unwrap();
    assert_eq!(redeemed.verifier.expose(), "canary-verifier");
    assert_eq!(redeemed.offered_at, now);
    assert!(store.redeem(&token).await.unwrap().is_none());
    assert!(store.offered(&token).await.unwrap().is_none());
}

async fn of_fifty_who_redeem_one_gets_it(world: World) {
    let token = StateToken::generate();
    world.store.offer(&token, &pending("U1", world.clock.now())).await.unwrap();
    let answers = fifty(&world.store, move |store, _| {
        let token = token.clone();
        async move { store.redeem(&token).await.unwrap() }
    });
    assert_eq!(answers.await.into_iter().flatten().count(), 1);
}

async fn an_offered_page_is_for_one_browser_and_one_change(world: World) {
    let (store, now) = (&world.store, world.clock.now());
    let token = StateToken::generate();
    assert!(store.invitation(&token).await.unwrap().is_none());
    assert!(store.take_invitation(&token).await.unwrap().is_none());
    store.invite(&token, &invitation("U1", now)).await.unwrap();
    assert!(store.offered(&token).await.unwrap().is_none(), "it is no offer to connect");

    let same = StateToken::new(token.expose());
    let seen = store.invitation(&same).await.unwrap().unwrap();
    assert_eq!((seen.value.meeting, &seen.value.browser), (meeting("68423085"), &None));
    let opened = |mark: &str| Invitation { browser: Some(Secret::new(mark)), ..invitation("U1", now) };
    let first = store.change_invitation(&same, &seen, opened("first")).await.unwrap();
    assert!(matches!(first, Changed::Done(Some(_))), "{first:?}");
    let second = store.change_invitation(&same, &seen, opened("second")).await.unwrap();
    let Changed::Other(Some(there)) = second else { panic!("{second:?}") };
    assert_eq!(there.value.browser, Some(Secret::new("first")));

    let taken = store.take_invitation(&same).await.unwrap().unwrap();
    assert_eq!((taken.invocation.person, taken.browser), (person("U1"), Some(Secret::new("first"))));
    assert!(store.take_invitation(&token).await.unwrap().is_none());
    let late = store.change_invitation(&same, &there, opened("late")).await.unwrap();
    assert!(matches!(late, Changed::Other(None)), "what was used up does not come back: {late:?}");
}

async fn of_fifty_browsers_that_open_a_page_one_gets_it(world: World) {
    let (token, now) = (StateToken::generate(), world.clock.now());
    world.store.invite(&token, &invitation("U1", now)).await.unwrap();
    let seen = world.store.invitation(&token).await.unwrap().unwrap();
    let answers = fifty(&world.store, move |store, index| {
        let (token, seen) = (token.clone(), seen.clone());
        async move {
            let opened = Invitation { browser: Some(Secret::new(index.to_string())), ..seen.value.clone() };
            matches!(store.change_invitation(&token, &seen, opened).await.unwrap(), Changed::Done(_))
        }
    });
    assert_eq!(answers.await.into_iter().filter(|opened| *opened).count(), 1);
}

async fn a_link_leads_to_one_zoom_user(world: World) {
    let store = &world.store;
    let (ada, bob, zoe) = (person("UA"), person("UB"), zoom_user("Z1"));
    assert_eq!(store.link_of(&ada).await.unwrap(), None);
    assert_eq!(store.unlink(&ada, None).await.unwrap(), None);
    assert_eq!(store.linked_count(&zoe).await.unwrap(), 0);

    assert_eq!(store.link(&ada, &zoe, None).await.unwrap(), None);
    assert_eq!(store.link(&bob, &zoe, None).await.unwrap(), None);
    assert_eq!(store.link(&ada, &zoe, None).await.unwrap(), None, "the same link again changes nothing");
    assert_eq!(store.link_of(&ada).await.unwrap(), Some(zoe.clone()));
    assert_eq!(store.linked_count(&zoe).await.unwrap(), 2);

    let gone = |left| Some(FormerLink { zoom_user: zoe.clone(), left });
    assert_eq!(store.unlink(&ada, None).await.unwrap(), gone(1));
    assert_eq!(store.unlink(&ada, None).await.unwrap(), None);
    assert_eq!(store.unlink(&bob, None).await.unwrap(), gone(0));
    assert_eq!(store.link_of(&bob).await.unwrap(), None);
    assert_eq!(store.linked_count(&zoe).await.unwrap(), 0);
}

async fn relinking_leaves_the_former_zoom_user(world: World) {
    let store = &world.store;
    let (ada, bob) = (person("UA"), person("UB"));
    let (former, newer) = (zoom_user("Z:1/{x}"), zoom_user("Z2"));
    store.link(&ada, &former, None).await.unwrap();
    store.link(&bob, &former, None).await.unwrap();

    let gone = |left| Some(FormerLink { zoom_user: former.clone(), left });
    assert_eq!(store.link(&ada, &newer, None).await.unwrap(), gone(1));
    assert_eq!(store.link(&bob, &newer, None).await.unwrap(), gone(0));
    assert_eq!(store.linked_count(&former).await.unwrap(), 0);
    assert_eq!(store.linked_count(&newer).await.unwrap(), 2);
    assert_eq!(store.link_of(&ada).await.unwrap(), Some(newer));
}

async fn links_are_counted_right_under_concurrency(world: World) {
    let zoe = zoom_user("Z1");
    let joined = fifty(&world.store, move |store, index| async move {
        store.link(&person(&format!("U{index}")), &zoom_user("Z1"), None).await.unwrap()
    });
    assert_eq!(joined.await.into_iter().flatten().count(), 0);
    assert_eq!(world.store.linked_count(&zoe).await.unwrap(), 50);

    let left = fifty(&world.store, move |store, index| async move {
        store.unlink(&person(&format!("U{index}")), None).await.unwrap().unwrap().left
    });
    let mut left = left.await;
    left.sort_unstable();
    assert_eq!(left, (0..50).collect::<Vec<_>>(), "everybody saw another number, and one was the last");
}

async fn a_grant_is_replaced_and_deleted(world: World) {
    let store = &world.store;
    let (first, mut second) = (grant("Z1"), grant("Z1"));
    second.tokens.access = onair::secret::Secret::new("newer");
    assert_eq!(store.grant(&first.user.id).await.unwrap(), None);
    store.save_grant(&first).await.unwrap();
    store.save_grant(&grant("Z2")).await.unwrap();
    assert_eq!(store.grant(&first.user.id).await.unwrap(), Some(first.clone()));
    store.save_grant(&second).await.unwrap();
    assert_eq!(store.grant(&first.user.id).await.unwrap(), Some(second));
    store.delete_grant(&first.user.id).await.unwrap();
    store.delete_grant(&first.user.id).await.unwrap();
    assert_eq!(store.grant(&first.user.id).await.unwrap(), None);
    assert_eq!(store.grant(&zoom_user("Z2")).await.unwrap(), Some(grant("Z2")));
}

async fn a_grant_changes_only_as_it_was_seen(world: World) {
    let store = &world.store;
    store.save_grant(&grant("Z1")).await.unwrap();
    store.save_grant(&grant("Z2")).await.unwrap();
    let seen = store.seen_grant(&zoom_user("Z1")).await.unwrap().unwrap();
    let mut renewed = grant("Z1");
    renewed.tokens.refresh = Secret::new("canary-renewed");
    let warned = Grant { warned: vec![person("U1")], ..grant("Z1") };
    store.save_grant(&renewed).await.unwrap();
    assert!(!store.change_grant(&seen, &warned).await.unwrap(), "its tokens are others now");
    assert_eq!(store.grant(&zoom_user("Z1")).await.unwrap().as_ref(), Some(&renewed));
    let seen = store.seen_grant(&zoom_user("Z1")).await.unwrap().unwrap();
    assert!(store.change_grant(&seen, &warned).await.unwrap());
    assert_eq!(store.grant(&zoom_user("Z1")).await.unwrap().as_ref(), Some(&warned));
    store.delete_grant(&zoom_user("Z1")).await.unwrap();
    assert!(!store.change_grant(&seen, &warned).await.unwrap(), "what is gone does not come back");

    let (mut all, mut users) = (store.zoom_users(), std::collections::BTreeSet::new());
    while let Some(page) = all.next().await.unwrap() {
        users.extend(page.into_iter().map(|user| user.to_string()));
    }
    assert_eq!(users.into_iter().collect::<Vec<_>>(), ["Z2"]);
}

async fn a_lease_is_for_one_owner(world: World) {
    const LONG: Duration = Duration::from_secs(60);
    let store = &world.store;
    let name = LeaseName::refresh(&zoom_user("68423085"));
    assert!(store.lease(&name, "a", LONG).await.unwrap());
    assert!(store.lease(&name, "a", LONG).await.unwrap(), "its owner extends it");
    assert!(!store.lease(&name, "b", LONG).await.unwrap());
    assert!(store.lease(&LeaseName::refresh(&zoom_user("68423086")), "b", LONG).await.unwrap(), "another lease");

    store.release(&name, "b").await.unwrap();
    assert!(!store.lease(&name, "b", LONG).await.unwrap(), "only its owner releases it");
    store.release(&name, "a").await.unwrap();
    store.release(&name, "a").await.unwrap();
    assert!(store.lease(&name, "b", LONG).await.unwrap());
}

async fn a_lease_ends_by_itself(world: World) {
    const SHORT: Duration = Duration::from_millis(200);
    const LONG: Duration = Duration::from_secs(60);
    let store = &world.store;
    let (ends, extended) = (LeaseName::refresh(&zoom_user("Z1")), LeaseName::refresh(&zoom_user("Z2")));
    assert!(store.lease(&ends, "a", SHORT).await.unwrap());
    assert!(store.lease(&extended, "a", SHORT).await.unwrap());
    assert!(store.lease(&extended, "a", LONG).await.unwrap());

    eventually(|| async { store.lease(&ends, "b", LONG).await.unwrap() }, |taken| *taken).await;
    assert!(!store.lease(&ends, "a", LONG).await.unwrap(), "it is lost to its former owner");
    assert!(!store.lease(&extended, "b", LONG).await.unwrap(), "the other was extended in time");
}

async fn of_fifty_who_want_a_lease_one_gets_it(world: World) {
    let answers = fifty(&world.store, |store, index| async move {
        let name = LeaseName::refresh(&zoom_user("Z1"));
        store.lease(&name, &format!("owner {index}"), Duration::from_secs(60)).await.unwrap()
    });
    assert_eq!(answers.await.into_iter().filter(|taken| *taken).count(), 1);
}

async fn a_webinar_is_remembered_until_forgotten(world: World) {
    let store = &world.store;
    let (webinar, other) = (meeting("81234567890"), meeting("68423085"));
    store.remember_webinar(webinar).await.unwrap();
    store.remember_webinar(webinar).await.unwrap();
    assert!(store.is_webinar(webinar).await.unwrap());
    assert!(!store.is_webinar(other).await.unwrap());
    store.forget_webinar(webinar).await.unwrap();
    store.forget_webinar(other).await.unwrap();
    assert!(!store.is_webinar(webinar).await.unwrap());
}

async fn streams_are_told_newest_first_per_workspace(world: World) {
    let (store, now) = (&world.store, world.clock.now());
    let record = |digits, action, seconds| StreamRecord {
        meeting: meeting(digits),
        action,
        by: Some(person("U1").user),
        at: ago(now, SignedDuration::from_secs(seconds)),
        fate: onair::reply::Fate::Taken,
    };
    let (older, newer) = (record("11111111", Action::Start, 60), record("22222222", Action::Start, 30));
    let stopped = record("11111111", Action::Stop, 10);
    store.record_stream(&person("U1"), &newer).await.unwrap();
    store.record_stream(&person("U2"), &older).await.unwrap();
    assert_eq!(store.streams(&person("U3")).await.unwrap(), [newer.clone(), older]);
    store.record_stream(&person("U1"), &stopped).await.unwrap();
    assert_eq!(store.streams(&person("U3")).await.unwrap(), [stopped, newer]);

    let mut elsewhere = person("U1");
    elsewhere.enterprise = None;
    assert_eq!(store.streams(&elsewhere).await.unwrap(), []);
}

async fn the_store_answers_a_ping(world: World) {
    world.store.ping().await.unwrap();
}

/// Does something fifty times at once.
pub(super) async fn fifty<T, F>(store: &Store, act: impl Fn(Store, usize) -> F) -> Vec<T>
where
    T: Send + 'static,
    F: Future<Output = T> + Send + 'static,
{
    let mut tasks = JoinSet::new();
    for index in 0..50 {
        tasks.spawn(act(store.clone(), index));
    }
    tasks.join_all().await
}
