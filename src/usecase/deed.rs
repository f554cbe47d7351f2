//! Something that Zoom is asked to change outside of a command: it is in the journal before, so that there is an entry about
//! it also where the process dies or the store goes away in the middle. What came of it is not known then.

use super::hold::{Change, Hold, LEASE};
use super::work::{self, NewJob};
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
        let new = NewJob::new(Job::Deed(Some(Box::new(unknown))));
        match app.store.journal(&new.id, &new.job, &new.owner, LEASE).await {
            Ok(()) => Ok(Self { app: app.clone(), hold: Hold::new(app, new.id, new.owner, 1) }),
            Err(error) => {
                // It may be there all the same.
                work::withdraw(app, new);
                Err(error)
            }
        }
    }

    /// Does it; nothing where it took so long that somebody else has written down that nobody knows.
    pub(super) async fn during<T>(&self, work: impl Future<Output = T>) -> Option<T> {
        let mut done = None;
        self.hold.during(async { done = Some(work.await) }).await;
        done
    }

    /// Ends it with what came of it. Where the store is away, that is written down when it is back.
    pub(super) async fn end(self, entry: AuditEntry) {
        match self.hold.write(&Change::Advance(&Job::Deed(None), Some(&entry))).await {
            Ok(true) => {
                self.app.log(&entry);
                self.leave().await;
            }
            Ok(false) => {}
            Err(_) => {
                let Self { app, hold } = self;
                let inner = app.clone();
                drop(app.spawn(async move { hold.during(settle(&inner, &hold, &entry)).await }));
            }
        }
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
            Some(entry) => settle(&app, &hold, &entry).await,
            None => drop(hold.persist(Change::Finish).await),
        }
    })
    .await;
    drop(place);
}

/// Writes down what came of a job, and ends it, if it is this process's to end.
pub(super) async fn settle(app: &App, hold: &Hold, entry: &AuditEntry) {
    if hold.persist(Change::Advance(&Job::Deed(None), Some(entry))).await {
        app.log(entry);
        hold.persist(Change::Finish).await;
    }
}
