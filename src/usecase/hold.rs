//! One job in the hands of this process: its lease, and every change of its record.

use std::time::Duration;

use tokio_util::sync::CancellationToken;

use super::chain;
use crate::app::App;
use crate::audit::AuditEntry;
use crate::id::{JobId, Reference};
use crate::journal::Job;
use crate::store;

/// How long a holder may be silent before its work is taken over.
pub(super) const LEASE: Duration = Duration::from_secs(12);
/// How often a holder renews.
pub(super) const RENEW: Duration = Duration::from_secs(3);

/// The hold on a job.
pub(super) struct Hold {
    app: App,
    pub(super) id: JobId,
    owner: String,
    /// How many have held the job, this process included.
    pub(super) attempt: u32,
    /// Cancelled when the lease is somebody else's: nothing more may be done or told here.
    lost: CancellationToken,
}

/// A change of a job's record.
pub(super) enum Change<'a> {
    /// How far it has come, with what was decided.
    Advance(&'a Job, Option<&'a AuditEntry>),
    /// It is given back, for whoever claims after so long.
    Postpone(&'a Job, Duration),
    /// It is done.
    Finish,
}

/// A name for one holding of one lease. No two holdings share one, not even of the same process.
pub(super) fn new_owner() -> String {
    Reference::random().as_str().to_owned()
}

impl Hold {
    pub(super) fn new(app: &App, id: JobId, owner: String, attempt: u32) -> Self {
        Self { app: app.clone(), id, owner, attempt, lost: CancellationToken::new() }
    }

    /// Writes a change, once. `false`: the job is somebody else's.
    pub(super) async fn write(&self, change: &Change<'_>) -> Result<bool, store::Error> {
        let (store, id, owner) = (&self.app.store, &self.id, &self.owner);
        match change {
            Change::Advance(job, entry) => store.advance(id, owner, job, *entry).await,
            Change::Postpone(job, due) => store.postpone(id, owner, job, *due).await,
            Change::Finish => store.finish(id, owner).await,
        }
    }

    /// Writes a change until the store takes it or says that the job is somebody else's.
    pub(super) async fn persist(&self, change: Change<'_>) -> bool {
        const LONGEST: Duration = Duration::from_secs(5);
        let mut wait = Duration::from_millis(100);
        loop {
            match self.write(&change).await {
                Ok(still_ours) => return still_ours,
                Err(error) => tracing::warn!(error = chain(&error), "the journal did not take it, trying again"),
            }
            tokio::time::sleep(wait).await;
            wait = (wait * 2).min(LONGEST);
        }
    }

    /// Does work, renewing the lease meanwhile; gives it up where the job is somebody else's.
    pub(super) async fn during(&self, work: impl Future<Output = ()>) {
        let renewing = async {
            loop {
                tokio::time::sleep(RENEW).await;
                // Seldom, and with room for all that the store is asked.
                Box::pin(self.renew()).await;
            }
        };
        tokio::select! {
            () = self.lost.cancelled() => tracing::warn!("somebody else works on this now"),
            () = renewing => {}
            () = work => {}
        }
    }

    /// Renews the lease once; cancels [`Hold::lost`] where it is somebody else's.
    async fn renew(&self) {
        match self.app.store.keep(&self.id, &self.owner, LEASE).await {
            Ok(true) => {}
            Ok(false) => self.lost.cancel(),
            // While the store is away nobody can take the job over either.
            Err(error) => tracing::warn!(error = chain(&error), "a lease was not renewed"),
        }
    }
}
