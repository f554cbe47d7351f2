//! What people have saved: each person's own, whole whoever writes at once, and sealed.

use std::time::Duration;

use onair::id::{Person, TeamId};
use onair::meeting::Title;
use onair::preset::{Preset, PresetName, Presets};
use onair::store::{Error, Keyring, SealFault, Store};

use super::cases::fifty;
use super::sealing::{read, write};
use super::{World, meeting, person};

on_both_engines! {
    names_are_one_persons_own,
    names_change_as_they_were_seen,
    of_fifty_names_saved_at_once_none_is_lost,
    names_stay_until_they_are_forgotten,
    names_under_another_persons_key_do_not_open,
    names_whose_key_is_gone_are_written_over,
}

pub(super) fn preset(name: &str) -> Preset {
    let title = Title::new(&format!("canary title of {name}")).unwrap();
    Preset { name: PresetName::new(name).unwrap(), meeting: meeting("68423085"), title: Some(title) }
}

/// Saves one as a command does: again, where somebody else was faster.
pub(super) async fn save(store: &Store, person: &Person, name: &str) {
    loop {
        let kept = store.presets(person).await.unwrap();
        let mut wanted = kept.presets.clone();
        wanted.save(preset(name)).unwrap();
        if store.change_presets(person, &kept, &wanted).await.unwrap() {
            return;
        }
    }
}

async fn names(store: &Store, person: &Person) -> Vec<String> {
    let kept = store.presets(person).await.unwrap();
    assert!(kept.fault.is_none(), "{:?}", kept.fault);
    kept.presets.all().iter().map(|preset| preset.name.as_str().to_owned()).collect()
}

async fn names_are_one_persons_own(world: World) {
    let (store, ada) = (&world.store, person("U1"));
    save(store, &ada, "keynote").await;
    save(store, &ada, "All-hands").await;
    assert_eq!(names(store, &ada).await, ["All-hands", "keynote"]);
    let kept = store.presets(&ada).await.unwrap().presets;
    assert_eq!(kept.find(&PresetName::new("KEYNOTE").unwrap()), Some(&preset("keynote")));

    let elsewhere = Person { team: TeamId::new("T2"), ..ada.clone() };
    let outside = Person { enterprise: None, ..ada.clone() };
    for other in [person("U2"), elsewhere, outside] {
        assert_eq!(names(store, &other).await, Vec::<String>::new(), "{other:?}");
        save(store, &other, "theirs").await;
    }
    assert_eq!(names(store, &ada).await, ["All-hands", "keynote"]);
}

async fn names_change_as_they_were_seen(world: World) {
    let (store, ada) = (&world.store, person("U1"));
    let nothing = store.presets(&ada).await.unwrap();
    save(store, &ada, "keynote").await;
    let mut wanted = Presets::default();
    wanted.save(preset("late")).unwrap();
    assert!(!store.change_presets(&ada, &nothing, &wanted).await.unwrap(), "there is something now");
    assert_eq!(names(store, &ada).await, ["keynote"]);

    let kept = store.presets(&ada).await.unwrap();
    assert!(store.change_presets(&ada, &kept, &Presets::default()).await.unwrap());
    assert!(store.change_presets(&ada, &kept, &Presets::default()).await.unwrap(), "twice is the same as once");
    assert!(!store.change_presets(&ada, &kept, &wanted).await.unwrap(), "there is nothing any more");
    assert_eq!(names(store, &ada).await, Vec::<String>::new());
}

async fn of_fifty_names_saved_at_once_none_is_lost(world: World) {
    fifty(&world.store, |store, index| async move { save(&store, &person("U1"), &format!("talk{index}")).await }).await;
    assert_eq!(names(&world.store, &person("U1")).await.len(), Presets::MOST);
}

async fn names_stay_until_they_are_forgotten(world: World) {
    save(&world.store, &person("U1"), "keynote").await;
    // Time moves for the embedded store alone; Redis's own clock is proven by the lives of its keys.
    world.clock.advance(Duration::from_secs(10 * 365 * 24 * 60 * 60));
    let world = world.reopen(|_| {});
    assert_eq!(names(&world.store, &person("U1")).await, ["keynote"]);
}

async fn names_under_another_persons_key_do_not_open(world: World) {
    let store = &world.store;
    save(store, &person("U1"), "mine").await;
    save(store, &person("U2"), "theirs").await;
    write(&world, "presets:E1/T1/U1", &read(&world, "presets:E1/T1/U2"));
    let kept = store.presets(&person("U1")).await.unwrap();
    let why = matches!(&kept.fault, Some(Error::Sealed { prefix: "presets:", source: SealFault::NotAuthentic(_) }));
    assert!(why && kept.presets.all().is_empty(), "{kept:?}");
}

async fn names_whose_key_is_gone_are_written_over(world: World) {
    save(&world.store, &person("U1"), "keynote").await;
    let world = world.reopen(|options| options.keys = Keyring::parse(&Keyring::generate_one()).unwrap());
    let kept = world.store.presets(&person("U1")).await.unwrap();
    let why = matches!(&kept.fault, Some(Error::Sealed { source: SealFault::UnknownKey(_), .. }));
    assert!(why && kept.presets.all().is_empty(), "{kept:?}");
    save(&world.store, &person("U1"), "anew").await;
    assert_eq!(names(&world.store, &person("U1")).await, ["anew"]);
}
