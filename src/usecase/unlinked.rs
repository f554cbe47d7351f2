//! Ending grants to whom nobody is linked since somebody connected: the one of the account that they had before, and the new
//! one where the link to it was not made. That is in the journal before, so that it is done wherever the process dies.
//!
//! Whether anybody is linked is looked at with the grant in hand, as whoever links or unlinks has it. The new account comes
//! first: its grant is in the hands of whoever connects until the link is made, or never will be.

use std::time::Duration;

use super::hold::{Change, Hold, LEASE};
use super::revoke::By;
use super::work::NewJob;
use super::{Failure, chain, disconnect, keep};
use crate::app::{App, Place};
use crate::id::ZoomUserId;
use crate::journal::{Job, Unlinked};
use crate::store;

/// How soon it is tried again.
const SOON: Duration = Duration::from_secs(2);

/// Grants that may lose their last link, in the hands of whoever connects. Dropped, it is left to whoever takes it over.
pub(super) struct Unlinking {
    app: App,
    hold: Hold,
    by: By,
    zoom_users: Vec<ZoomUserId>,
}

impl Unlinking {
    /// Writes down that the person is about to be linked to a Zoom user, whose grant is in hand.
    pub(super) async fn begin(app: &App, by: &By, zoom_user: &ZoomUserId) -> Result<Self, store::Error> {
        let former = app.store.link_of(&by.person).await?.filter(|former| former != zoom_user);
        let zoom_users: Vec<ZoomUserId> = [zoom_user.clone()].into_iter().chain(former).collect();
        // Where it is not known whether this is there, it does nothing but look.
        let new = NewJob::new(job(by, &zoom_users));
        app.store.journal(&new.id, &new.job, &new.owner, LEASE).await?;
        let hold = Hold::new(app, new.id, new.owner, 1);
        Ok(Self { app: app.clone(), hold, by: by.clone(), zoom_users })
    }

    /// Takes in that the person was linked to somebody else by then, having connected twice at once.
    pub(super) async fn add(&mut self, former: ZoomUserId) {
        if !self.zoom_users.contains(&former) {
            self.zoom_users.push(former);
            let job = job(&self.by, &self.zoom_users);
            // Where the store is away, all that is left is to end it below.
            let _ = self.hold.write(&Change::Advance(&job, None)).await;
        }
    }

    /// Ends those to whom nobody is linked; what does not go well is taken over.
    pub(super) async fn end(self) {
        let Self { app, hold, by, zoom_users } = &self;
        let work = async {
            let ended = match end_all(app, by, zoom_users).await {
                Ok(()) => hold.write(&Change::Finish).await.map_err(Failure::from),
                Err(failure) => Err(failure),
            };
            if let Err(failure) = ended {
                tracing::warn!(error = chain(&failure), "whether a grant is left that nobody uses is looked at later");
            }
        };
        hold.during(Box::pin(work)).await;
    }
}

/// Takes over what somebody began who is gone.
pub(super) async fn work(app: App, hold: Hold, unlinked: Unlinked, place: Place) {
    hold.during(Box::pin(take_over(&app, &hold, unlinked))).await;
    drop(place);
}

async fn take_over(app: &App, hold: &Hold, unlinked: Unlinked) {
    let Unlinked { zoom_users, person, reference } = unlinked;
    let by = By { person, reference };
    let Err(failure) = end_all(app, &by, &zoom_users).await else {
        hold.persist(Change::Finish).await;
        return;
    };
    tracing::warn!(error = chain(&failure), "a grant that nobody uses is not ended yet");
    let wait = keep::wait_after(&failure, hold.attempt).max(SOON);
    hold.persist(Change::Postpone(&job(&by, &zoom_users), wait)).await;
}

fn job(by: &By, zoom_users: &[ZoomUserId]) -> Job {
    let By { person, reference } = by.clone();
    Job::Unlinked(Unlinked { zoom_users: zoom_users.to_vec(), person, reference })
}

async fn end_all(app: &App, by: &By, zoom_users: &[ZoomUserId]) -> Result<(), Failure> {
    for zoom_user in zoom_users {
        disconnect::end_if_unlinked(app, by, zoom_user).await?;
    }
    Ok(())
}
