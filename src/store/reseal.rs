//! How does everything that is sealed come under a new key while it is in use?
//!
//! Record by record: what lies there is opened, sealed with the first key of the ring, and put in place of what was seen,
//! if it still is that. Its life, its holder and its lease stay. What somebody wrote meanwhile stays too, and is looked at
//! again. Nothing is kept about how far this has come, for a record says by itself which key it is under: whoever is cut
//! off begins again, and several at once disturb nobody.

use std::collections::{BTreeMap, BTreeSet};

use super::engine::{AnyEngine, on};
use super::error::Error;
use super::key::Key;
use super::seal::{KeyId, key_of};
use super::{Reader, Store};

/// How many keys are looked at in one step.
const PAGE: u32 = 200;

/// How often a record is looked at again that somebody changes each time.
const TRIES: u32 = 20;

/// What became of the records under one prefix.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Resealed {
    /// The prefix; it names nobody.
    pub prefix: &'static str,
    /// How many were sealed with the first key.
    pub moved: usize,
    /// How many do not open: with no key of the ring, or not any more.
    pub unopened: usize,
}

/// How many records are sealed with which key, as they say themselves.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Sealed {
    /// By the key's id.
    pub by_key: BTreeMap<KeyId, usize>,
    /// How many have not the form of a sealed value.
    pub unreadable: usize,
}

impl Sealed {
    /// How many are not under this key.
    pub fn not_under(&self, key: &KeyId) -> usize {
        let others = self.by_key.iter().filter(|(id, _)| *id != key);
        others.map(|(_, count)| count).sum::<usize>() + self.unreadable
    }
}

enum Found {
    Moved,
    Unopened,
    /// It is under the first key already, or gone.
    Fine,
}

impl Store {
    /// Seals everything with the first key that is under another one. Each record has the deadline for itself.
    pub async fn reseal(&self) -> Result<Vec<Resealed>, Error> {
        let mut all = Vec::with_capacity(Key::SEALED.len());
        for prefix in Key::SEALED.iter().copied() {
            // A listing may name a record twice.
            let (mut moved, mut unopened) = (0, BTreeSet::new());
            let mut listing = Listing::of(prefix);
            while let Some(keys) = listing.next(&self.0.engine).await? {
                for key in keys {
                    match self.reseal_one(&key).await? {
                        Found::Moved => moved += 1,
                        Found::Unopened => drop(unopened.insert(key.rest().to_owned())),
                        Found::Fine => {}
                    }
                }
            }
            all.push(Resealed { prefix, moved, unopened: unopened.len() });
        }
        Ok(all)
    }

    /// How many records are sealed with which key.
    pub async fn seals(&self) -> Result<Sealed, Error> {
        seals(&self.0.engine).await
    }

    /// Whether this process alone has the store and there is more than one key: then nobody else could seal again what is
    /// under an old one, and nobody else is in the way.
    pub fn reseals_alone(&self) -> bool {
        matches!(self.0.engine, AnyEngine::Embedded(_)) && self.0.keys.ids().count() > 1
    }

    async fn reseal_one(&self, key: &Key) -> Result<Found, Error> {
        for _ in 0..TRIES {
            let Some(seen) = on!(&self.0.engine, look(key))? else { return Ok(Found::Fine) };
            let Ok(plain) = self.0.keys.open(key.as_str(), &seen) else { return Ok(Found::Unopened) };
            if self.0.keys.is_newest(&seen) {
                return Ok(Found::Fine);
            }
            let wanted = self.seal(key, &plain)?;
            if on!(&self.0.engine, replace(key, &seen, &wanted))? {
                return Ok(Found::Moved);
            }
        }
        // Whoever changes it so often writes it under a key of their own; counting tells which.
        Ok(Found::Fine)
    }
}

impl Reader {
    /// How many records are sealed with which key.
    pub async fn seals(&self) -> Result<Sealed, Error> {
        seals(&self.engine).await
    }
}

async fn seals(engine: &AnyEngine) -> Result<Sealed, Error> {
    let mut found = Sealed::default();
    for prefix in Key::SEALED.iter().copied() {
        let (mut counted, mut listing) = (BTreeSet::new(), Listing::of(prefix));
        while let Some(keys) = listing.next(engine).await? {
            for key in keys.into_iter().filter(|key| counted.insert(key.rest().to_owned())) {
                let Some(value) = on!(engine, look(&key))? else { continue };
                match key_of(&value) {
                    Some(id) => *found.by_key.entry(id).or_default() += 1,
                    None => found.unreadable += 1,
                }
            }
        }
    }
    Ok(found)
}

/// Everything under a prefix, page by page.
pub(super) struct Listing {
    prefix: &'static str,
    from: Option<String>,
    is_over: bool,
}

impl Listing {
    pub(super) fn of(prefix: &'static str) -> Self {
        Self { prefix, from: None, is_over: false }
    }

    /// Whether there is no page after the last one.
    pub(super) fn is_over(&self) -> bool {
        self.is_over
    }

    pub(super) async fn next(&mut self, engine: &AnyEngine) -> Result<Option<Vec<Key>>, Error> {
        if self.is_over {
            return Ok(None);
        }
        let page = on!(engine, list(self.prefix, self.from.as_deref(), PAGE))?;
        self.is_over = page.next.is_none();
        self.from = page.next;
        Ok(Some(page.keys.into_iter().filter_map(|key| Key::found(self.prefix, key)).collect()))
    }
}
