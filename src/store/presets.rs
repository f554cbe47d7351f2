//! How are one person's names kept private and whole?
//!
//! All of them are one sealed record, so that neither a title nor how many names there are lies open. Whoever changes it
//! says what they saw, as with a turn.

use super::engine::{Swap, Swapped, on};
use super::error::Error;
use super::key::Key;
use super::{Store, to_secret};
use crate::id::Person;
use crate::preset::Presets;

/// A person's names as they lie in the store.
#[derive(Debug)]
pub struct KeptPresets {
    /// The names.
    pub presets: Presets,
    /// Why what lies there does not open, if it does not: its key is gone. Then no name is known.
    pub fault: Option<Error>,
    sealed: Option<Vec<u8>>,
}

impl Store {
    /// What a person has saved.
    pub async fn presets(&self, person: &Person) -> Result<KeptPresets, Error> {
        let key = Key::presets(person);
        let sealed = on!(&self.0.engine, get(&key))?;
        let (presets, fault) = match sealed.as_deref().map(|sealed| self.open_sealed(&key, sealed)) {
            None => (Presets::default(), None),
            Some(Ok(presets)) => (presets, None),
            Some(Err(fault @ Error::Sealed { .. })) => (Presets::default(), Some(fault)),
            Some(Err(error)) => return Err(error),
        };
        Ok(KeptPresets { presets, fault, sealed })
    }

    /// Writes what a person has saved, if it still is as it was seen. `false`: it is not, and stays.
    pub async fn change_presets(&self, person: &Person, seen: &KeptPresets, wanted: &Presets) -> Result<bool, Error> {
        let key = Key::presets(person);
        let wanted = match wanted.all() {
            [] => None,
            _ => Some(self.seal(&key, &to_secret(&key, wanted)?)?),
        };
        let swap = Swap::new(&key, seen.sealed.as_deref(), wanted.as_deref());
        Ok(on!(&self.0.engine, swap(swap))? == Swapped::Done)
    }
}
