//! How does an accepted command survive the process that accepted it?
//!
//! A job is in the journal from its acceptance until it is finished. Its holder's lease is a promise to be working on
//! it; when the lease ends, or the time comes to which the job was postponed, whoever claims gets it. Each change asks
//! whose job it is in the same step, so that a holder who was slow, and not dead, does nothing after somebody else took
//! over. Until somebody does, a lease that has ended can still be renewed.
//!
//! An owner's name stands for one holding: two tasks of one process that hold one job after each other under the same
//! name are not told apart.

use std::time::Duration;

use secrecy::ExposeSecret as _;
use sha2::{Digest as _, Sha256};

use super::chain::Entry;
use super::engine::{Acceptance, Change, Draft, Plan, Taken, Waiting, millis, on};
use super::error::Error;
use super::key::{DELIVERY_LIFE, Key, REPORT_LIFE};
use super::{Store, to_log, to_secret};
use crate::audit::AuditEntry;
use crate::id::{DeliveryId, JobId};
use crate::journal::{Claimed, Job};

/// A job that is planned together with something else, as [`Store::plan`] plans one.
#[derive(Clone, Debug)]
pub struct Planned {
    /// Its name.
    pub id: JobId,
    /// The job.
    pub job: Job,
    /// In how long it may be claimed.
    pub due: Duration,
}

/// What is written together with the memory of a delivery.
#[derive(Clone, Copy, Debug)]
pub enum With<'a> {
    /// Nothing else.
    Nothing,
    /// The audit entry of what was answered at once.
    Entry(&'a AuditEntry),
    /// The job that the answer will come from, in its first holder's hands.
    Job {
        /// Its name.
        id: &'a JobId,
        /// The job.
        job: &'a Job,
        /// Who begins at once.
        owner: &'a str,
        /// For how long they may be silent.
        lease: Duration,
    },
}

/// Whether a delivery was seen before.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Accepted {
    /// It was not; everything that came with it is written.
    New,
    /// It was; nothing is written.
    Replayed,
}

impl Store {
    /// Remembers a delivery for longer than it can come again, 15 minutes for one of Slack's and three hours for one of
    /// Zoom's, and writes what comes with it if it is new. One round trip: this is all that an acknowledgment waits for.
    pub async fn accept(&self, delivery: &DeliveryId, with: With<'_>) -> Result<Accepted, Error> {
        let delivery = Key::delivery(delivery);
        let life = if let With::Job { job: Job::Report(_), .. } = with { REPORT_LIFE } else { DELIVERY_LIFE };
        let nothing = Acceptance { delivery: &delivery, life, entry: None, job: None };
        let is_new = match with {
            With::Nothing => on!(&self.0.engine, accept(nothing))?,
            With::Entry(entry) => {
                let entry = to_log(entry)?;
                on!(&self.0.engine, accept(Acceptance { entry: Some(&entry), ..nothing }))?
            }
            With::Job { id, job, owner, lease } => {
                let key = Key::job(id);
                let body = self.seal_job(&key, job)?;
                let draft = Draft { key: &key, body: &body, owner, lease };
                on!(&self.0.engine, accept(Acceptance { job: Some(draft), ..nothing }))?
            }
        };
        Ok(if is_new { Accepted::New } else { Accepted::Replayed })
    }

    /// Writes a job that no delivery brought, in its first holder's hands. One that is there already stays as it is.
    pub async fn journal(&self, id: &JobId, job: &Job, owner: &str, lease: Duration) -> Result<(), Error> {
        let key = Key::job(id);
        let body = self.seal_job(&key, job)?;
        on!(&self.0.engine, journal(Draft { key: &key, body: &body, owner, lease }))
    }

    /// Renews the lease on a job, counted from now. `false`: it is no longer the owner's, who stops.
    pub async fn keep(&self, id: &JobId, owner: &str, lease: Duration) -> Result<bool, Error> {
        on!(&self.0.engine, keep(&Key::job(id), owner, lease))
    }

    /// Writes how far a job has come, and with it the audit entry of what was decided. `false`: it is no longer the
    /// owner's, and nothing is written. Repeated with the same arguments, it appends the entry once.
    pub async fn advance(&self, id: &JobId, owner: &str, job: &Job, entry: Option<&AuditEntry>) -> Result<bool, Error> {
        let entry = entry.map(to_log).transpose()?;
        self.change(id, owner, job, entry.as_ref(), None).await
    }

    /// Writes how far a job has come and gives it back, for whoever claims after the given time. `false`: it is no
    /// longer the owner's, and nothing is written.
    pub async fn postpone(&self, id: &JobId, owner: &str, job: &Job, due: Duration) -> Result<bool, Error> {
        self.change(id, owner, job, None, Some(due)).await
    }

    /// Writes a job that nobody holds, to be claimed in so long. One that is there already stays as it is, but is
    /// claimable no later than that, unless somebody holds it.
    pub async fn plan(&self, id: &JobId, job: &Job, due: Duration) -> Result<(), Error> {
        let key = Key::job(id);
        let body = self.seal_job(&key, job)?;
        on!(&self.0.engine, plan(Plan { key: &key, body: &body, due }))
    }

    /// Makes a postponed job claimable now; one in somebody's hands stays as it is. `false`: it is gone.
    pub async fn hurry(&self, id: &JobId) -> Result<bool, Error> {
        on!(&self.0.engine, hurry(&Key::job(id)))
    }

    /// Deletes a job that is done. `false`: it is no longer the owner's, and stays. One that is gone is finished, so
    /// this may be repeated.
    pub async fn finish(&self, id: &JobId, owner: &str) -> Result<bool, Error> {
        on!(&self.0.engine, finish(&Key::job(id), owner))
    }

    /// Takes over the job that has been claimable for longest, if there is one. Of many who claim at once, each gets
    /// another one.
    ///
    /// [`Error::Sealed`] and [`Error::Corrupt`] are about one job, which is put aside, so that asking again gives the
    /// next one. It is due again after a minute, then after two, four, and so on: a key may be configured again, and a
    /// newer OnAir may read what this one cannot. When nobody could for a day and a half, it is deleted.
    pub async fn claim(&self, owner: &str, lease: Duration) -> Result<Option<Claimed>, Error> {
        let Some(Taken { id, body, attempt }) = on!(&self.0.engine, claim(owner, lease))? else { return Ok(None) };
        let id = JobId::new(id);
        let key = Key::job(&id);
        match self.open_sealed(&key, &body) {
            Ok(job) => Ok(Some(Claimed { id, job, attempt })),
            Err(unreadable) => {
                // Where this fails, the job comes back when its lease ends.
                drop(self.put_aside(&key, owner, &body, attempt).await);
                Err(unreadable)
            }
        }
    }

    /// Counts the jobs, for readiness and metrics.
    pub async fn waiting(&self) -> Result<Waiting, Error> {
        on!(&self.0.engine, waiting())
    }

    pub(super) fn seal_job(&self, key: &Key, job: &Job) -> Result<Vec<u8>, Error> {
        self.seal(key, &to_secret(key, job)?)
    }

    async fn put_aside(&self, key: &Key, owner: &str, body: &[u8], attempt: u32) -> Result<bool, Error> {
        let Some(due) = unreadable_wait(attempt) else { return on!(&self.0.engine, finish(key, owner)) };
        let mark = mark(owner, body, None, Some(due));
        on!(&self.0.engine, change(Change { key, owner, mark, body, entry: None, due: Some(due) }))
    }

    async fn change(
        &self,
        id: &JobId,
        owner: &str,
        job: &Job,
        entry: Option<&Entry>,
        due: Option<Duration>,
    ) -> Result<bool, Error> {
        let key = Key::job(id);
        let plain = to_secret(&key, job)?;
        let mark = mark(owner, plain.expose_secret(), entry, due);
        let body = self.seal(&key, &plain)?;
        on!(&self.0.engine, change(Change { key: &key, owner, mark, body: &body, entry, due }))
    }
}

/// For how long a job that cannot be read is put aside; not at all once that would be more than a day.
fn unreadable_wait(attempt: u32) -> Option<Duration> {
    const FIRST: Duration = Duration::from_secs(60);
    const LONGEST: Duration = Duration::from_secs(24 * 60 * 60);
    // The first who claims a job is the second who holds it.
    let wait = 2u32.checked_pow(attempt.saturating_sub(2)).and_then(|times| FIRST.checked_mul(times))?;
    (wait <= LONGEST).then_some(wait)
}

/// The same for the same change; a sealed body differs each time. It lies open beside the body and gives nothing away:
/// nobody guesses what was hashed, since each job has its own unguessable `response_url` in it.
fn mark(owner: &str, job: &[u8], entry: Option<&Entry>, due: Option<Duration>) -> [u8; 16] {
    let mut hash = Sha256::new();
    for part in [owner.as_bytes(), job, entry.map_or(&[], |entry| &entry.bytes)] {
        hash.update(part.len().to_le_bytes());
        hash.update(part);
    }
    hash.update(due.map_or(0, millis).to_le_bytes());
    let mut mark = [0; 16];
    mark.copy_from_slice(&hash.finalize()[..16]);
    mark
}
