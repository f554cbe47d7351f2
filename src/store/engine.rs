//! What must an engine do to be a store?
//!
//! Engines know keys and opaque bytes, never what they mean. Every call is atomic by itself, ends within the deadline
//! the engine was opened with, and never sees or returns anything that has expired. Lives are counted by the engine's
//! own clock: Redis's, or the [`Clock`](crate::clock::Clock) given to the embedded one.

use std::future::Future;
use std::time::Duration;

use jiff::Timestamp;

use super::chain::{Entry, Link};
use super::embedded::Embedded;
use super::error::Error;
use super::key::Key;
use super::redis::Redis;
use super::trail::Seq;

/// What is written when a delivery is accepted: all of it, or nothing because the delivery was seen before.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Acceptance<'a> {
    /// Where the delivery is remembered.
    pub(crate) delivery: &'a Key,
    /// For how long.
    pub(crate) life: Duration,
    /// An entry for the log.
    pub(crate) entry: Option<&'a Entry>,
    /// A job.
    pub(crate) job: Option<Draft<'a>>,
}

/// A job as it is first written, with a lease on it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Draft<'a> {
    pub(crate) key: &'a Key,
    pub(crate) body: &'a [u8],
    pub(crate) owner: &'a str,
    pub(crate) lease: Duration,
}

/// A job that nobody holds, to be claimed in so long.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Plan<'a> {
    pub(crate) key: &'a Key,
    pub(crate) body: &'a [u8],
    pub(crate) due: Duration,
}

/// What the holder of a job's lease changes: all of it, or nothing because the lease is no longer theirs.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Change<'a> {
    pub(crate) key: &'a Key,
    pub(crate) owner: &'a str,
    /// The same for the same change, which is made once, however often it is asked for, until somebody gets the job.
    pub(crate) mark: [u8; 16],
    pub(crate) body: &'a [u8],
    /// An entry for the log.
    pub(crate) entry: Option<&'a Entry>,
    /// In how long somebody may take the job over, which the owner then gives back.
    pub(crate) due: Option<Duration>,
}

/// What one record becomes if it still is what somebody saw.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Swap<'a> {
    pub(crate) key: &'a Key,
    /// What was seen there; nothing, if nothing was.
    pub(crate) seen: Option<&'a [u8]>,
    /// What is to be there; nothing, to delete it.
    pub(crate) wanted: Option<&'a [u8]>,
    /// For how long it is kept; without a life it stays.
    pub(crate) life: Option<Duration>,
    /// An entry for the log, written with the change; where the record is as wanted already, it was.
    pub(crate) entry: Option<&'a Entry>,
    /// A job to be planned with the change, and also where the record is as wanted already.
    pub(crate) plan: Option<Plan<'a>>,
}

impl<'a> Swap<'a> {
    /// One of a record that stays, with nothing else.
    pub(crate) fn new(key: &'a Key, seen: Option<&'a [u8]>, wanted: Option<&'a [u8]>) -> Self {
        Self { seen, wanted, ..Self::of(key) }
    }

    /// Only of which record; the rest is for whoever fills it in.
    pub(crate) fn of(key: &'a Key) -> Self {
        Self { key, seen: None, wanted: None, life: None, entry: None, plan: None }
    }
}

/// What is put into a slot of a shelf.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Item<'a> {
    pub(crate) slot: &'a str,
    pub(crate) value: &'a [u8],
    /// For how long it lies there.
    pub(crate) life: Duration,
    /// An entry for the log, written with it; where the same value lies there already, it was.
    pub(crate) entry: Option<&'a Entry>,
}

/// Some of the records whose keys begin alike.
#[derive(Clone, Debug, Default)]
pub(crate) struct Page {
    /// Their keys.
    pub(crate) keys: Vec<String>,
    /// Where the next page begins; nothing, if this was the last.
    pub(crate) next: Option<String>,
}

/// Whether a record is now as wanted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Swapped {
    /// It is.
    Done,
    /// It was something else than what was seen, and stays that.
    Other(Option<Vec<u8>>),
}

/// A job for somebody who has taken it over.
#[derive(Clone, Debug)]
pub(crate) struct Taken {
    /// The part of its key that is its own.
    pub(crate) id: String,
    pub(crate) body: Vec<u8>,
    pub(crate) attempt: u32,
}

/// How much work there is that may be nobody's.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Waiting {
    /// How many jobs are in the journal: in somebody's hands, due later, or claimable.
    pub open: u64,
    /// How many of them [`Store::claim`](super::Store::claim) would give now.
    pub claimable: u64,
    /// For how long the first of those has been claimable. Where it grows, nobody claims.
    pub oldest: Option<Duration>,
}

/// The group that a member has left.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Left {
    /// The group's key.
    pub(crate) group: String,
    /// How many members it still has.
    pub(crate) size: usize,
}

/// An entry as it is in the log.
#[derive(Clone, Debug)]
pub(crate) struct Logged {
    pub(crate) seq: Seq,
    pub(crate) bytes: Vec<u8>,
    /// None for what was appended before there was a chain.
    pub(crate) link: Option<Link>,
}

/// Where reading of the log begins.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct From {
    /// After this entry.
    pub(crate) after: Option<Seq>,
    /// Entries appended before this may be left out; the reader looks again.
    pub(crate) since: Option<Timestamp>,
}

/// Which entries of the log stay.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Kept {
    /// About so many.
    Newest(u32),
    /// Those that were appended within this time.
    For(Duration),
}

/// A place where records are kept.
pub(crate) trait Engine {
    /// Whether it would take a write now.
    fn ping(&self) -> impl Future<Output = Result<(), Error>> + Send;

    /// The value of a record.
    fn get(&self, key: &Key) -> impl Future<Output = Result<Option<Vec<u8>>, Error>> + Send;

    /// Writes a record; without a life it stays.
    fn put(&self, key: &Key, value: &[u8], life: Option<Duration>) -> impl Future<Output = Result<(), Error>> + Send;

    /// Reads and deletes a record: of many who take, one gets it.
    fn take(&self, key: &Key) -> impl Future<Output = Result<Option<Vec<u8>>, Error>> + Send;

    /// Deletes a record, if it is there.
    fn remove(&self, key: &Key) -> impl Future<Output = Result<(), Error>> + Send;

    /// Changes a record if it is what was seen. One that is as wanted already counts as changed, and its life begins
    /// anew, so this may be repeated.
    fn swap(&self, swap: Swap<'_>) -> impl Future<Output = Result<Swapped, Error>> + Send;

    /// Takes a lease that is free, or extends one that the owner has; says whether it is the owner's now.
    fn hold(&self, key: &Key, owner: &str, life: Duration) -> impl Future<Output = Result<bool, Error>> + Send;

    /// Ends a lease if it is the owner's.
    fn let_go(&self, key: &Key, owner: &str) -> impl Future<Output = Result<(), Error>> + Send;

    /// Remembers a delivery and writes what comes with it; says whether the delivery is new.
    fn accept(&self, acceptance: Acceptance<'_>) -> impl Future<Output = Result<bool, Error>> + Send;

    /// Writes a job, unless it is there already.
    fn journal(&self, job: Draft<'_>) -> impl Future<Output = Result<(), Error>> + Send;

    /// Renews the lease on a job; says whether it is the owner's.
    fn keep(&self, key: &Key, owner: &str, lease: Duration) -> impl Future<Output = Result<bool, Error>> + Send;

    /// Changes a job; says whether it is, or was when it was given back, the owner's.
    fn change(&self, change: Change<'_>) -> impl Future<Output = Result<bool, Error>> + Send;

    /// Writes a job that nobody holds. One that is there is left as it is, but claimable no later than that; one that
    /// somebody holds is left to them.
    fn plan(&self, plan: Plan<'_>) -> impl Future<Output = Result<(), Error>> + Send;

    /// Makes a job claimable now that was given back to be claimed later; says whether there is one.
    fn hurry(&self, key: &Key) -> impl Future<Output = Result<bool, Error>> + Send;

    /// Deletes a job that is the owner's; says whether there is none now.
    fn finish(&self, key: &Key, owner: &str) -> impl Future<Output = Result<bool, Error>> + Send;

    /// Takes over the job that has been due for longest. Of many who claim, each gets another one.
    fn claim(&self, owner: &str, lease: Duration) -> impl Future<Output = Result<Option<Taken>, Error>> + Send;

    /// Counts the jobs.
    fn waiting(&self) -> impl Future<Output = Result<Waiting, Error>> + Send;

    /// Puts a member into a group, out of the one it was in, and writes an entry with that. Says which it left, unless
    /// that is the same.
    fn join(
        &self,
        member: &Key,
        group: &Key,
        entry: Option<&Entry>,
    ) -> impl Future<Output = Result<Option<Left>, Error>> + Send;

    /// Takes a member out of its group, and writes an entry with that.
    fn leave(&self, member: &Key, entry: Option<&Entry>) -> impl Future<Output = Result<Option<Left>, Error>> + Send;

    /// The group that a member is in.
    fn group_of(&self, member: &Key) -> impl Future<Output = Result<Option<String>, Error>> + Send;

    /// The members of a group, in no order.
    fn members(&self, group: &Key) -> impl Future<Output = Result<Vec<String>, Error>> + Send;

    /// How many members a group has.
    fn size(&self, group: &Key) -> impl Future<Output = Result<usize, Error>> + Send;

    /// Puts a value into a slot of a shelf, in place of what was there.
    fn shelve(&self, shelf: &Key, item: Item<'_>) -> impl Future<Output = Result<(), Error>> + Send;

    /// Everything on a shelf, in no order.
    fn shelf(&self, shelf: &Key) -> impl Future<Output = Result<Vec<Vec<u8>>, Error>> + Send;

    /// The keys of some of the records, or jobs, under a prefix: about `limit` are looked at. Whatever is there from the
    /// first page to the last is on one of them, and may be on two.
    fn list(
        &self,
        prefix: &'static str,
        from: Option<&str>,
        limit: u32,
    ) -> impl Future<Output = Result<Page, Error>> + Send;

    /// The value of a record, or the body of a job.
    fn look(&self, key: &Key) -> impl Future<Output = Result<Option<Vec<u8>>, Error>> + Send;

    /// Puts something else in place of the value of a record, or the body of a job, if it still is what was seen; says
    /// whether it is as wanted. Its life, its holder and all else stay as they are.
    fn replace(&self, key: &Key, seen: &[u8], wanted: &[u8]) -> impl Future<Output = Result<bool, Error>> + Send;

    /// At most `limit` entries of the log, oldest first.
    fn entries(&self, from: From, limit: u32) -> impl Future<Output = Result<Vec<Logged>, Error>> + Send;

    /// At most `limit` entries of the log, newest first.
    fn newest(&self, before: Option<Seq>, limit: u32) -> impl Future<Output = Result<Vec<Logged>, Error>> + Send;

    /// Removes from the beginning of the log what is not kept, at most so many, and says how many those were. The last
    /// link among them is put under [`Key::audit_anchor`] in the same step, as its text.
    fn trim(&self, kept: Kept, most: u32) -> impl Future<Output = Result<u32, Error>> + Send;

    /// The link of the newest entry.
    fn head(&self) -> impl Future<Output = Result<Link, Error>> + Send;
}

/// The engines that there are.
pub(super) enum AnyEngine {
    Redis(Box<Redis>),
    Embedded(Embedded),
}

/// Calls one method of [`Engine`] on whichever engine it is.
macro_rules! on {
    ($engine:expr, $method:ident($($argument:expr),*)) => {{
        use $crate::store::engine::{AnyEngine, Engine as _};
        match $engine {
            AnyEngine::Redis(engine) => engine.$method($($argument),*).await,
            AnyEngine::Embedded(engine) => engine.$method($($argument),*).await,
        }
    }};
}
pub(super) use on;

/// A length of time as engines count it: whole milliseconds, and never none.
pub(super) fn millis(life: Duration) -> i64 {
    i64::try_from(life.as_millis()).unwrap_or(i64::MAX / 4).clamp(1, i64::MAX / 4)
}
