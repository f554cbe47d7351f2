//! Where the app is installed, and how all that belongs to one place is found and forgotten.

use onair::grant::StateToken;
use onair::id::{EnterpriseId, Person, TeamId, UserId, Workspace};
use onair::installation::{Begun, Installation, Removed, Site};
use onair::preset::Presets;
use onair::store::Keyring;
use onair::stream::{Confirms, Stream};

use super::presets::save;
use super::sealing::read;
use super::{World, grant, install, installation, invitation, meeting, pending, zoom_user};

on_both_engines! {
    a_workspace_is_served_by_its_own_installation_before_its_organizations,
    an_installation_that_was_begun_is_known_by_its_state_and_made_once,
    a_bots_token_is_sealed_for_its_place,
    what_belongs_to_one_place_is_found_and_nothing_else,
    a_stream_is_forgotten_as_it_was_seen,
    a_removal_is_remembered_for_the_place_and_what_is_in_it,
}

fn workspace(enterprise: Option<&str>, team: &str) -> Workspace {
    Workspace { enterprise: enterprise.map(EnterpriseId::new), team: TeamId::new(team) }
}

fn at(site: Site, world: &World) -> Installation {
    Installation { site, ..installation("T1", world.clock.now()) }
}

async fn a_workspace_is_served_by_its_own_installation_before_its_organizations(world: World) {
    let (ours, sister) = (workspace(Some("E1"), "T1"), workspace(Some("E1"), "T2"));
    let (whole, own) = (Site::Organization(EnterpriseId::new("E1")), Site::Workspace(ours.clone()));
    let serves = async |workspace: &Workspace| {
        world.store.installation_for(workspace).await.unwrap().map(|installation| installation.site)
    };
    assert_eq!(serves(&ours).await, None);
    install(&world.store, &at(whole.clone(), &world)).await;
    for workspace in [&ours, &sister] {
        assert_eq!(serves(workspace).await, Some(whole.clone()));
    }
    install(&world.store, &at(own.clone(), &world)).await;
    assert_eq!((serves(&ours).await, serves(&sister).await), (Some(own.clone()), Some(whole.clone())));
    for other in [workspace(None, "T1"), workspace(Some("E2"), "T1"), workspace(None, "E1")] {
        assert_eq!(serves(&other).await, None, "{other:?}");
    }
    let seen = world.store.seen_installation(&own).await.unwrap().unwrap();
    install(&world.store, &at(own.clone(), &world)).await;
    assert!(!world.store.uninstall(&seen).await.unwrap(), "it was made anew since");
    let seen = world.store.seen_installation(&own).await.unwrap().unwrap();
    assert!(world.store.uninstall(&seen).await.unwrap());
    assert_eq!(serves(&ours).await, Some(whole));
}

async fn an_installation_that_was_begun_is_known_by_its_state_and_made_once(world: World) {
    let begun = Begun::now(world.clock.now());
    let state = world.store.state_of(&begun).unwrap();
    assert!(!state.expose().contains(begun.browser.expose()), "the browser's mark is in clear");
    assert_eq!(world.store.begun(&state).unwrap().browser, begun.browser);
    assert!(world.store.begun(&StateToken::generate()).is_none(), "of a connection");
    let users = (0..20).map(|_| {
        let (store, state) = (world.store.clone(), state.clone());
        async move { store.use_up(&state).await.unwrap() }
    });
    let used = tokio::task::JoinSet::from_iter(users).join_all().await;
    assert_eq!(used.into_iter().filter(|used| *used).count(), 1);
    let other = world.reopen(|options| options.keys = Keyring::parse(&Keyring::generate_one()).unwrap());
    assert!(other.store.begun(&state).is_none(), "another key opens it");
}

async fn a_bots_token_is_sealed_for_its_place(world: World) {
    install(&world.store, &installation("T1", world.clock.now())).await;
    let bytes = read(&world, "installation:-/T1");
    assert!(!String::from_utf8_lossy(&bytes).contains("canary"), "the token is in clear");
}

async fn what_belongs_to_one_place_is_found_and_nothing_else(world: World) {
    let (store, now) = (&world.store, world.clock.now());
    let person = |enterprise: Option<&str>, team: &str, user: &str| {
        let Workspace { enterprise, team } = workspace(enterprise, team);
        Person { enterprise, team, user: UserId::new(user) }
    };
    let people = [
        person(None, "T1", "U1"),
        person(None, "T1", "U2"),
        person(None, "T10", "U1"),
        person(Some("E1"), "T1", "U1"),
        person(Some("E1"), "T2", "U1"),
        person(Some("E10"), "T1", "U1"),
    ];
    store.save_grant(&grant("Z1")).await.unwrap();
    let mut offers = Vec::new();
    for who in &people {
        store.link(who, &zoom_user("Z1"), None).await.unwrap();
        save(store, who, "keynote").await;
        let (state, page) = (StateToken::generate(), StateToken::generate());
        let mut offer = pending("U1", now);
        offer.person = who.clone();
        store.offer(&state, &offer).await.unwrap();
        let mut invited = invitation("U1", now);
        invited.invocation.person = who.clone();
        store.invite(&page, &invited).await.unwrap();
        offers.push((state, page));
    }
    let alone = Site::Workspace(workspace(None, "T1"));
    let whole = Site::Organization(EnterpriseId::new("E1"));
    assert_eq!(store.people_of(&alone).await.unwrap(), people[..2]);
    assert_eq!(store.people_of(&whole).await.unwrap(), people[3..5]);
    for site in [&alone, &whole] {
        store.forget_presets_of(site).await.unwrap();
        store.forget_offers_of(site).await.unwrap();
    }
    for ((who, (state, page)), stays) in people.iter().zip(&offers).zip([false, false, true, false, false, true]) {
        let presets = store.presets(who).await.unwrap();
        assert_eq!(presets.presets != Presets::default(), stays, "{who:?}");
        assert_eq!(store.offered(state).await.unwrap().is_some(), stays, "{who:?}");
        assert_eq!(store.invitation(page).await.unwrap().is_some(), stays, "{who:?}");
    }
}

async fn a_stream_is_forgotten_as_it_was_seen(world: World) {
    let store = &world.store;
    let stream = Stream::new(meeting("68423085"), Confirms::Yes, world.clock.now());
    store.change_stream(None, stream.clone(), None, None).await.unwrap();
    let seen = store.streams_where(|_| true).await.unwrap().remove(0);
    assert!(store.streams_where(|_| false).await.unwrap().is_empty());
    let other = Stream { version: stream.version + 1, ..stream };
    store.change_stream(Some(&seen), other, None, None).await.unwrap();
    assert!(!store.forget_stream(&seen).await.unwrap(), "somebody changed it");
    let seen = store.stream(meeting("68423085")).await.unwrap().unwrap();
    assert!(store.forget_stream(&seen).await.unwrap());
    assert!(store.stream(meeting("68423085")).await.unwrap().is_none());
}

async fn a_removal_is_remembered_for_the_place_and_what_is_in_it(world: World) {
    let (store, now) = (&world.store, world.clock.now());
    let (ours, sister) = (workspace(Some("E1"), "T1"), workspace(Some("E1"), "T2"));
    let removed = async |workspace: &Workspace| store.removed_from(workspace).await.unwrap();
    store
        .remember_removal(&Site::Workspace(ours.clone()), &Removed { at: now, is_done: false, had_anything: true })
        .await
        .unwrap();
    assert_eq!((removed(&ours).await, removed(&sister).await), (Some(now), None));
    let later = now + jiff::SignedDuration::from_secs(5);
    store
        .remember_removal(
            &Site::Organization(EnterpriseId::new("E1")),
            &Removed { at: later, is_done: true, had_anything: false },
        )
        .await
        .unwrap();
    assert_eq!((removed(&ours).await, removed(&sister).await), (Some(later), Some(later)));
    assert_eq!(removed(&workspace(None, "T1")).await, None);
}
