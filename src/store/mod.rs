//! What does OnAir remember, and how do several instances of it agree?
//!
//! Named operations, each atomic by itself and over within [`Options::deadline`]. Two engines do the same work: Redis
//! for any number of instances, an embedded SQLite file for one. What is a secret or works like one is sealed here,
//! before an engine sees it; `key.rs` lists every record with its owner, its form and its life.
//!
//! An error that [is transient](Error::is_transient) leaves open whether the write happened. Whoever repeats one should
//! know that `accept`, `redeem`, `take_invitation`, `link` and `unlink` then tell what the first try left, and that a job
//! whose `claim` was lost comes back when its lease ends; the others are the same twice as once.

mod chain;
mod embedded;
mod engine;
mod error;
mod grants;
mod inspect;
mod installations;
mod invitations;
mod journal;
mod key;
mod lendings;
mod policies;
mod presets;
mod redis;
mod removal;
mod reseal;
mod seal;
mod seen;
mod trail;

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use secrecy::{ExposeSecret as _, SecretSlice};
use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::audit::AuditEntry;
use crate::clock::Clock;
use crate::grant::{Grant, Pending, StateToken};
use crate::id::{Person, ZoomUserId};
use crate::meeting::MeetingId;
use crate::reply::StreamRecord;
use crate::secret::Secret;

pub use chain::{Fault, Link, Verified};
pub use engine::Waiting;
pub use error::{Cause, Error};
pub use grants::ZoomUsers;
pub use inspect::SomeSealed;
pub use installations::Former;
pub use journal::{Accepted, Planned, With};
pub use key::LeaseName;
pub use policies::KeptPolicy;
pub use presets::KeptPresets;
pub use reseal::{Resealed, Sealed};
pub use seal::{KeyId, Keyring, KeyringError, SealFault};
pub use seen::{Changed, Seen};
pub use trail::{AuditPage, AuditQuery, Placed, Reader, Seq, Trimmed};

use chain::Entry;
use embedded::Embedded;
use engine::{AnyEngine, Item, Left, Swap, on};
use key::Key;
use redis::Redis;

/// What a store is opened with.
#[derive(Clone, Debug)]
pub struct Options {
    /// Where it is.
    pub place: Place,
    /// What seals and opens its secrets.
    pub keys: Keyring,
    /// After how long an operation is given up. In production it leaves the 200 to Slack within its second.
    pub deadline: Duration,
}

/// Where a store is.
#[derive(Clone, Debug)]
pub enum Place {
    /// Redis 6.2 or newer, shared by any number of instances.
    Redis {
        /// `redis://` or `rediss://`, with its password.
        url: Secret,
        /// What stands before every key, so that stores can share a server: [`Place::NAMESPACE`].
        namespace: String,
    },
    /// A folder on a local disk, for one process at a time.
    Embedded {
        /// Made if it is not there, for this user alone.
        folder: PathBuf,
    },
}

impl Place {
    /// The namespace on Redis, unless there is a reason for another.
    pub const NAMESPACE: &str = "onair";
}

/// A link that is gone.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FormerLink {
    /// To whom it led.
    pub zoom_user: ZoomUserId,
    /// How many other people are still linked to them; with none left, their grant has no owner.
    pub left: usize,
}

/// The store. Clones share it; when the last one goes, an embedded store is closed and may be opened again.
#[derive(Clone)]
pub struct Store(Arc<Inner>);

struct Inner {
    engine: AnyEngine,
    keys: Keyring,
}

impl Store {
    /// Opens the store. Redis need not be there yet: [`Store::ping`] tells when it is. The embedded store is there or
    /// this fails, with [`Error::InUse`] while another process has it.
    pub fn open(options: Options, clock: Clock) -> Result<Self, Error> {
        let Options { place, keys, deadline } = options;
        let engine = match &place {
            Place::Redis { url, namespace } => AnyEngine::Redis(Box::new(Redis::open(url, namespace, deadline)?)),
            Place::Embedded { folder } => AnyEngine::Embedded(Embedded::open(folder, deadline, clock)?),
        };
        Ok(Self(Arc::new(Inner { engine, keys })))
    }

    /// Opens the audit trail alone, to read it beside a running service. It needs no keys: the trail has no secrets.
    /// [`Error::Missing`] where no embedded store was ever opened.
    pub fn open_reader(place: &Place, deadline: Duration) -> Result<Reader, Error> {
        Reader::open(place, deadline)
    }

    /// Whether the store would take a write now.
    pub async fn ping(&self) -> Result<(), Error> {
        on!(&self.0.engine, ping())
    }

    /// Keeps an offered connection for 10 minutes.
    pub async fn offer(&self, token: &StateToken, pending: &Pending) -> Result<(), Error> {
        self.put_sealed(&Key::state(token), pending, Some(key::STATE_LIFE)).await
    }

    /// Reads an offered connection without using it up.
    pub async fn offered(&self, token: &StateToken) -> Result<Option<Pending>, Error> {
        self.get_sealed(&Key::state(token)).await
    }

    /// Writes in which browser Slack said whose it is. Nothing where the offer is gone.
    pub async fn prove(&self, token: &StateToken, browser: &Secret) -> Result<Option<Pending>, Error> {
        let key = Key::state(token);
        loop {
            let Some(bytes) = on!(&self.0.engine, get(&key))? else { return Ok(None) };
            let seen: Seen<Pending> = self.sealed(&key, bytes)?;
            let wanted = Pending { proven_in: Some(browser.clone()), ..seen.value.clone() };
            let bytes = self.seal(&key, &to_secret(&key, &wanted)?)?;
            let wanted = Seen { value: wanted, bytes };
            // Somebody else's change is looked at again; there are as many as there are browsers.
            let swap = Swap { life: Some(key::STATE_LIFE), ..Swap::of(&key) };
            if let Ok(Some(proven)) = self.swap(Some(&seen), Some(wanted), swap).await? {
                return Ok(Some(proven.value));
            }
        }
    }

    /// Uses an offered connection up: of many who try, one gets it. One that does not open is used up as well.
    pub async fn redeem(&self, token: &StateToken) -> Result<Option<Pending>, Error> {
        let key = Key::state(token);
        let sealed = on!(&self.0.engine, take(&key))?;
        sealed.map(|sealed| self.open_sealed(&key, &sealed)).transpose()
    }

    /// The Zoom user that a person is linked to.
    pub async fn link_of(&self, person: &Person) -> Result<Option<ZoomUserId>, Error> {
        let key = Key::person(person);
        let group = on!(&self.0.engine, group_of(&key))?;
        group.map(|group| Key::linked_user(&group).ok_or(Error::Corrupt { prefix: key.prefix() })).transpose()
    }

    /// Links a person to a Zoom user, in place of any other, and writes an entry with it. Says what became of the link to
    /// another one.
    pub async fn link(
        &self,
        person: &Person,
        zoom_user: &ZoomUserId,
        entry: Option<&AuditEntry>,
    ) -> Result<Option<FormerLink>, Error> {
        let entry = entry.map(to_log).transpose()?;
        let left = on!(&self.0.engine, join(&Key::person(person), &Key::linked(zoom_user), entry.as_ref()))?;
        left.map(former_link).transpose()
    }

    /// Ends a person's link, and writes an entry with that.
    pub async fn unlink(&self, person: &Person, entry: Option<&AuditEntry>) -> Result<Option<FormerLink>, Error> {
        let entry = entry.map(to_log).transpose()?;
        let left = on!(&self.0.engine, leave(&Key::person(person), entry.as_ref()))?;
        left.map(former_link).transpose()
    }

    /// The people who are linked to a Zoom user.
    pub async fn linked_people(&self, zoom_user: &ZoomUserId) -> Result<Vec<Person>, Error> {
        let members = on!(&self.0.engine, members(&Key::linked(zoom_user)))?;
        let corrupt = Error::Corrupt { prefix: Key::PERSON };
        let mut people: Vec<Person> =
            members.iter().map(|text| Key::linked_person(text)).collect::<Option<_>>().ok_or(corrupt)?;
        people.sort();
        Ok(people)
    }

    /// How many people are linked to a Zoom user.
    pub async fn linked_count(&self, zoom_user: &ZoomUserId) -> Result<usize, Error> {
        on!(&self.0.engine, size(&Key::linked(zoom_user)))
    }

    /// A Zoom user's grant.
    pub async fn grant(&self, zoom_user: &ZoomUserId) -> Result<Option<Grant>, Error> {
        self.get_sealed(&Key::grant(zoom_user)).await
    }

    /// Writes a grant, in place of the one its Zoom user had.
    pub async fn save_grant(&self, grant: &Grant) -> Result<(), Error> {
        self.put_sealed(&Key::grant(&grant.user.id), grant, None).await
    }

    /// Deletes a grant, if there is one.
    pub async fn delete_grant(&self, zoom_user: &ZoomUserId) -> Result<(), Error> {
        on!(&self.0.engine, remove(&Key::grant(zoom_user)))
    }

    /// Takes a lease that is free, or extends one that the owner has already. `false`: somebody else has it.
    pub async fn lease(&self, name: &LeaseName, owner: &str, life: Duration) -> Result<bool, Error> {
        on!(&self.0.engine, hold(&name.0, owner, life))
    }

    /// Ends a lease, if it is the owner's.
    pub async fn release(&self, name: &LeaseName, owner: &str) -> Result<(), Error> {
        on!(&self.0.engine, let_go(&name.0, owner))
    }

    /// Whether a number is known to be a webinar's.
    pub async fn is_webinar(&self, meeting: MeetingId) -> Result<bool, Error> {
        Ok(on!(&self.0.engine, get(&Key::webinar(meeting)))?.is_some())
    }

    /// Remembers for 30 days that a number is a webinar's.
    pub async fn remember_webinar(&self, meeting: MeetingId) -> Result<(), Error> {
        on!(&self.0.engine, put(&Key::webinar(meeting), b"1", Some(key::WEBINAR_LIFE)))
    }

    /// Forgets it.
    pub async fn forget_webinar(&self, meeting: MeetingId) -> Result<(), Error> {
        on!(&self.0.engine, remove(&Key::webinar(meeting)))
    }

    /// Keeps what was done with a meeting's stream for everybody in the person's workspace, in place of what was known
    /// about this meeting, for [`StreamRecord::LIFE`].
    pub async fn record_stream(&self, person: &Person, record: &StreamRecord) -> Result<(), Error> {
        let shelf = Key::streams(person);
        let value = to_json(&shelf, record)?;
        let slot = record.meeting.number().to_string();
        let item = Item { slot: &slot, value: &value, life: StreamRecord::LIFE, entry: None };
        on!(&self.0.engine, shelve(&shelf, item))
    }

    /// What was done lately in the person's workspace, one record per meeting, newest first.
    pub async fn streams(&self, person: &Person) -> Result<Vec<StreamRecord>, Error> {
        let shelf = Key::streams(person);
        let values = on!(&self.0.engine, shelf(&shelf))?;
        let mut records =
            values.iter().map(|value| from_json(&shelf, value)).collect::<Result<Vec<StreamRecord>, Error>>()?;
        records.sort_by_key(|record| (std::cmp::Reverse(record.at), record.meeting));
        Ok(records)
    }

    /// Every entry that matches, oldest first. The deadline is for each thousand entries.
    pub async fn audit(&self, query: &AuditQuery) -> Result<Vec<(Seq, AuditEntry)>, Error> {
        trail::read(&self.0.engine, query).await
    }

    async fn put_sealed<T: Serialize>(&self, key: &Key, value: &T, life: Option<Duration>) -> Result<(), Error> {
        let sealed = self.seal(key, &to_secret(key, value)?)?;
        on!(&self.0.engine, put(key, &sealed, life))
    }

    async fn get_sealed<T: DeserializeOwned>(&self, key: &Key) -> Result<Option<T>, Error> {
        let sealed = on!(&self.0.engine, get(key))?;
        sealed.map(|sealed| self.open_sealed(key, &sealed)).transpose()
    }

    fn seal(&self, key: &Key, plain: &SecretSlice<u8>) -> Result<Vec<u8>, Error> {
        let sealed = self.0.keys.seal(key.as_str(), plain.expose_secret());
        sealed.map_err(|source| Error::Sealed { prefix: key.prefix(), source })
    }

    fn open_sealed<T: DeserializeOwned>(&self, key: &Key, sealed: &[u8]) -> Result<T, Error> {
        let plain = self.0.keys.open(key.as_str(), sealed);
        let plain = plain.map_err(|source| Error::Sealed { prefix: key.prefix(), source })?;
        from_json(key, plain.expose_secret())
    }
}

fn former_link(left: Left) -> Result<FormerLink, Error> {
    let Left { group, size } = left;
    match Key::linked_user(&group) {
        Some(zoom_user) => Ok(FormerLink { zoom_user, left: size }),
        None => Err(Error::Corrupt { prefix: Key::LINKED }),
    }
}

// The causes of both are dropped on purpose: serde quotes the text it stumbled over.

fn to_json<T: Serialize>(key: &Key, value: &T) -> Result<Vec<u8>, Error> {
    serde_json::to_vec(value).map_err(|_| Error::Corrupt { prefix: key.prefix() })
}

fn to_log(entry: &AuditEntry) -> Result<Entry, Error> {
    to_json(&Key::audit(), entry).map(Entry::new)
}

fn to_secret<T: Serialize>(key: &Key, value: &T) -> Result<SecretSlice<u8>, Error> {
    to_json(key, value).map(SecretSlice::from)
}

fn from_json<T: DeserializeOwned>(key: &Key, bytes: &[u8]) -> Result<T, Error> {
    serde_json::from_slice(bytes).map_err(|_| Error::Corrupt { prefix: key.prefix() })
}
