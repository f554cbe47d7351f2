//! What does the store have that belongs to one workspace or organization, and how does it forget that?

use jiff::Timestamp;

use super::engine::{Swap, Swapped, on};
use super::error::Error;
use super::key::Key;
use super::reseal::Listing;
use super::{Seen, Store, from_json, to_json, to_log};
use crate::audit::AuditEntry;
use crate::destination::Invitation;
use crate::grant::Pending;
use crate::id::{Person, Workspace};
use crate::installation::{Removal, Removed, Site};
use crate::stream::Stream;

impl Store {
    /// Everybody in a place who is linked to a Zoom user.
    pub async fn people_of(&self, site: &Site) -> Result<Vec<Person>, Error> {
        let (mut people, mut listing) = (Vec::new(), Listing::of(Key::PERSON));
        while let Some(keys) = listing.next(&self.0.engine).await? {
            let found = keys.iter().filter_map(|key| Key::linked_person(key.as_str()));
            people.extend(found.filter(|person| site.holds(&person.workspace())));
        }
        people.sort();
        people.dedup();
        Ok(people)
    }

    /// Forgets the saved names of everybody in a place.
    pub async fn forget_presets_of(&self, site: &Site) -> Result<(), Error> {
        let mut listing = Listing::of(Key::PRESETS);
        while let Some(keys) = listing.next(&self.0.engine).await? {
            for key in keys {
                if Person::from_key(key.rest()).is_some_and(|person| site.holds(&person.workspace())) {
                    on!(&self.0.engine, remove(&key))?;
                }
            }
        }
        Ok(())
    }

    /// Forgets what was offered to people in a place: connections, and pages of `setup`.
    pub async fn forget_offers_of(&self, site: &Site) -> Result<(), Error> {
        for prefix in [Key::STATES, Key::INVITATIONS] {
            let mut listing = Listing::of(prefix);
            while let Some(keys) = listing.next(&self.0.engine).await? {
                for key in keys {
                    // One that does not open is over in ten minutes.
                    let person = match prefix {
                        Key::STATES => {
                            self.get_sealed::<Pending>(&key).await.map(|offer| offer.map(|offer| offer.person))
                        }
                        _ => {
                            let offer = self.get_sealed::<Invitation>(&key).await;
                            offer.map(|offer| offer.map(|offer| offer.invocation.person))
                        }
                    };
                    match person {
                        Ok(Some(person)) if site.holds(&person.workspace()) => on!(&self.0.engine, remove(&key))?,
                        Ok(_) => {}
                        Err(error) if error.is_transient() => return Err(error),
                        Err(_) => {}
                    }
                }
            }
        }
        Ok(())
    }

    /// Every stream that is known, one after the other, to whoever looks for some of them. One that cannot be read is
    /// left out.
    pub async fn streams_where(&self, mut wanted: impl FnMut(&Stream) -> bool) -> Result<Vec<Seen<Stream>>, Error> {
        let (mut found, mut listing) = (Vec::new(), Listing::of(Key::STREAMS));
        while let Some(keys) = listing.next(&self.0.engine).await? {
            for key in keys {
                let Some(bytes) = on!(&self.0.engine, get(&key))? else { continue };
                let Ok(seen) = self.sealed::<Stream>(&key, bytes) else { continue };
                if wanted(&seen.value) {
                    found.push(seen);
                }
            }
        }
        Ok(found)
    }

    /// Forgets a stream, if it still is as it was seen; says whether it is forgotten.
    pub async fn forget_stream(&self, seen: &Seen<Stream>) -> Result<bool, Error> {
        let key = Key::stream(seen.value.meeting);
        let swap = Swap::new(&key, Some(&seen.bytes), None);
        Ok(on!(&self.0.engine, swap(swap))? == Swapped::Done)
    }

    /// Remembers for [`Removal::MEMORY`] that the app was taken out somewhere, and whether all that belonged there is gone.
    pub async fn remember_removal(&self, site: &Site, removed: &Removed) -> Result<(), Error> {
        let key = Key::gone(site);
        on!(&self.0.engine, put(&key, &to_json(&key, removed)?, Some(Removal::MEMORY)))
    }

    /// Remembers that all is gone, and writes an entry with that.
    pub async fn end_removal(
        &self,
        site: &Site,
        seen: &Removed,
        wanted: &Removed,
        entry: Option<&AuditEntry>,
    ) -> Result<bool, Error> {
        let key = Key::gone(site);
        let (seen, wanted) = (to_json(&key, seen)?, to_json(&key, wanted)?);
        let (life, entry) = (Some(Removal::MEMORY), entry.map(to_log).transpose()?);
        let swap = Swap { life, entry: entry.as_ref(), ..Swap::new(&key, Some(&seen), Some(&wanted)) };
        Ok(on!(&self.0.engine, swap(swap))? == Swapped::Done)
    }

    /// What is remembered of a place.
    pub async fn removed(&self, site: &Site) -> Result<Option<Removed>, Error> {
        let key = Key::gone(site);
        on!(&self.0.engine, get(&key))?.map(|bytes| from_json(&key, &bytes)).transpose()
    }

    /// When the app was last taken out of a workspace, or of its organization, lately.
    pub async fn removed_from(&self, workspace: &Workspace) -> Result<Option<Timestamp>, Error> {
        let organization = workspace.enterprise.clone().map(Site::Organization);
        let mut last = None;
        for site in [Some(Site::Workspace(workspace.clone())), organization].into_iter().flatten() {
            last = last.max(self.removed(&site).await?.map(|removed| removed.at));
        }
        Ok(last)
    }
}
