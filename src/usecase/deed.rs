//! Something that Zoom is asked to change outside of a command: it is in the journal before, so that there is an entry about
//! it also where the process dies or the store goes away in the middle. What came of it is not known then.

use super::hold::{Change, Hold, LEASE};
use super::work::NewJob;
use crate::app::{App, Place};
use crate::audit::AuditEntry;
use crate::journal::Job;
use crate::store;

/// One of them, in the hands of this process.
pub(super) struct Deed {
    app: App,
    hold: Hold,
}

impl Deed {
    /// Begins it; `unknown` is what is written down where nobody can end it.
    pub(super) async fn begin(app: &App, unknown: AuditEntry) -> Result<Self, store::Error> {
        let NewJob { id, owner, job } = NewJob::new(Job::Deed(Some(Box::new(unknown))));
        app.store.journal(&id, &job, &owner, LEASE).await?;
        Ok(Self { app: app.clone(), hold: Hold::new(app, id, owner, 1) })
    }

    /// Does it; nothing where it took so long that somebody else has written down that nobody knows.
    pub(super) async fn during<T>(&self, work: impl Future<Output = T>) -> Option<T> {
        let mut done = None;
        self.hold.during(async { done = Some(work.await) }).await;
        done
    }

    /// Ends it with what came of it. Where the store is away, that is written down when it is back.
    pub(super) async fn end(self, entry: AuditEntry) {
        self.app.log(&entry);
        if let Ok(true) = self.hold.write(&Change::Advance(&Job::Deed(None), Some(&entry))).await {
            self.leave().await;
            return;
        }
        let app = self.app.clone();
        drop(app.spawn(async move {
            let Self { app: _, hold } = self;
            write_down(&hold, &entry).await;
        }));
    }

    /// Ends it where nothing was done.
    pub(super) async fn leave(self) {
        if self.hold.write(&Change::Finish).await.is_err() {
            drop(self.app.spawn(async move { self.hold.persist(Change::Finish).await }));
        }
    }
}

/// Takes over what somebody began who is gone.
pub(super) async fn work(app: App, hold: Hold, unknown: Option<Box<AuditEntry>>, place: Place) {
    hold.during(async {
        match unknown {
            Some(entry) => {
                if write_down(&hold, &entry).await {
                    app.log(&entry);
                }
            }
            None => drop(hold.persist(Change::Finish).await),
        }
    })
    .await;
    drop(place);
}

/// Writes down what came of a job, and ends it; says whether it was this process's to end.
pub(super) async fn write_down(hold: &Hold, entry: &AuditEntry) -> bool {
    let is_ours = hold.persist(Change::Advance(&Job::Deed(None), Some(entry))).await;
    if is_ours {
        hold.persist(Change::Finish).await;
    }
    is_ours
}
