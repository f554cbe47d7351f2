//! `onair keys`: a fresh key, and everything sealed with it.

use anyhow::Context as _;

use super::{Failed, print};
use crate::clock::Clock;
use crate::store::{self, KeyId, Keyring, Options, Resealed, Sealed, Store};

pub(super) fn generate() -> Result<(), Failed> {
    print(Keyring::generate_one().expose())
}

/// Seals everything with the first key, beside services on the same Redis, or where no service has the embedded store.
pub(super) async fn rotate(options: Options) -> Result<(), Failed> {
    let first = first(&options.keys)?.clone();
    let reader = match Store::open_reader(&options.place, options.deadline) {
        // It is carried on by opening it.
        Err(store::Error::Older) => None,
        opened => Some(opened.context("cannot open the store")?),
    };
    let store = match (Store::open(options, Clock::default()), reader) {
        (Err(store::Error::InUse), Some(reader)) => {
            print("a running service has this store; it seals everything with the first of its keys when it starts")?;
            return told(&reader.seals().await.context(COUNTING)?, &first);
        }
        (opened, _) => opened.context("cannot open the store")?,
    };
    let all =
        store.reseal().await.context("not everything is sealed again; run this once more, it goes on from there")?;
    for Resealed { prefix, moved, unopened } in &all {
        let shut = if *unopened > 0 { format!(", {unopened} DO NOT OPEN") } else { String::new() };
        print(format_args!("{prefix:<16} {moved} sealed again{shut}"))?;
    }
    told(&store.seals().await.context(COUNTING)?, &first)?;
    if all.iter().any(|one| one.unopened > 0) { Err(Failed::Told) } else { Ok(()) }
}

const COUNTING: &str = "cannot count what is under which key";

/// The key that seals.
pub(super) fn first(keys: &Keyring) -> anyhow::Result<&KeyId> {
    keys.ids().next().context("there is no key")
}

/// Says how much is under which key; fails while something is under another one than the first.
fn told(sealed: &Sealed, first: &KeyId) -> Result<(), Failed> {
    let count = sealed.by_key.get(first).copied().unwrap_or_default();
    print(format_args!("key {first} seals, and {count} records are under it"))?;
    for (id, count) in sealed.by_key.iter().filter(|(id, _)| *id != first) {
        print(format_args!("{count} records are still under key {id}"))?;
    }
    if sealed.unreadable > 0 {
        print(format_args!("{} records are not sealed values", sealed.unreadable))?;
    }
    match sealed.not_under(first) {
        0 => print("no other key is needed any more, once every instance seals with this one"),
        _ => Err(Failed::Told),
    }
}
