//! What Zoom reports: taken in once, whenever and however often it comes.

use std::time::Duration;

use jiff::Timestamp;

use super::hold::{Change, Hold, LEASE};
use super::stream::{self, Edit, OrNew};
use super::work::{self, NewJob};
use super::{Failure, chain, keep, token, turn};
use crate::app::{App, Place};
use crate::audit::{AuditEntry, AuditOutcome, AuditVerb};
use crate::id::{DeliveryId, Reference, ZoomUserId};
use crate::journal::Job;
use crate::outcome::Action;
use crate::store::With;
use crate::stream::{Confirms, Happened, MeetingReport, News, Report, State};
use crate::turn::Phase;

/// Whether a report is in the journal.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Taken {
    /// It is, or was already.
    Yes,
    /// The store is away; Zoom is to deliver it again.
    NotNow,
}

/// Takes one delivered report: one round trip to the store, and nothing else awaited.
pub async fn receive(app: &App, delivery: &DeliveryId, report: Report) -> Taken {
    let new = NewJob::new(Job::Report(report));
    let with = With::Job { id: &new.id, job: &new.job, owner: &new.owner, lease: LEASE };
    match app.store.accept(delivery, with).await {
        Ok(crate::store::Accepted::New) => {
            // Without a place it is claimed later, like what a killed process left.
            if let Some(place) = app.place() {
                work::begin(app, new, place);
            }
            Taken::Yes
        }
        Ok(crate::store::Accepted::Replayed) => Taken::Yes,
        Err(error) => {
            tracing::error!(error = chain(&error), "a report of Zoom was not taken: the store failed");
            Taken::NotNow
        }
    }
}

/// Notes that Zoom knows the secret of the webhooks, behind the answer's back.
pub fn proven(app: &App) {
    let now = app.clock.now();
    if app.notes_proof(now) {
        let inner = app.clone();
        drop(app.spawn(async move {
            if let Err(error) = inner.store.prove_webhooks(now).await {
                tracing::warn!(error = chain(&error), "it was not noted that Zoom knows the webhooks' secret");
            }
        }));
    }
}

pub(super) async fn work(app: App, hold: Hold, report: Report, place: Place) {
    hold.during(Box::pin(take_in(&app, &hold, report))).await;
    drop(place);
}

async fn take_in(app: &App, hold: &Hold, report: Report) {
    /// After this many tries, over an hour in all, nobody is going to read the record.
    const MOST_TRIES: u32 = 60;
    const SOON: Duration = Duration::from_millis(200);
    let taken = match &report {
        Report::Meeting(report) => about_meeting(app, report).await,
        Report::Deauthorized { zoom_user, at } => deauthorized(app, zoom_user, *at).await,
    };
    let job = Job::Report(report);
    match taken {
        Ok(()) => drop(hold.persist(Change::Finish).await),
        Err(Delay::UntilOrderIsAnswered) => {
            hold.persist(Change::Postpone(&job, SOON)).await;
            wake_soon(app);
        }
        Err(Delay::Failed(failure)) if !failure.is_transient() && hold.attempt > MOST_TRIES => {
            tracing::error!(error = chain(&failure), "a report of Zoom is lost");
            hold.persist(Change::Finish).await;
        }
        Err(Delay::Failed(failure)) => {
            tracing::warn!(error = chain(&failure), "a report of Zoom is taken in later");
            hold.persist(Change::Postpone(&job, keep::wait_after(&failure, hold.attempt))).await;
        }
    }
}

/// Has the journal looked through again when a report that was put off is due.
fn wake_soon(app: &App) {
    let inner = app.clone();
    drop(app.spawn(async move {
        tokio::select! {
            () = inner.stopping() => {}
            () = tokio::time::sleep(Duration::from_millis(250)) => inner.wake(),
        }
    }));
}

/// Why a report is not taken in yet.
enum Delay {
    /// It may be about an order whose answer is still on its way.
    UntilOrderIsAnswered,
    Failed(Failure),
}

impl<E: Into<Failure>> From<E> for Delay {
    fn from(error: E) -> Self {
        Self::Failed(error.into())
    }
}

async fn about_meeting(app: &App, report: &MeetingReport) -> Result<(), Delay> {
    if is_being_ordered(app, report).await? {
        return Err(Delay::UntilOrderIsAnswered);
    }
    let or_new = match report.what {
        Happened::StreamStarted => OrNew::New(Confirms::Yes),
        Happened::MeetingStarted | Happened::MeetingEnded | Happened::StreamStopped => OrNew::Nothing,
    };
    // One that comes late says that a stream was live which is over by now.
    let is_end = report.what != Happened::StreamStarted;
    let (mut is_news, mut waited) = (false, None);
    let news = News::Reported(report.clone());
    let changed = stream::change(app, report.meeting, or_new, |stream| {
        let heard = stream.heard_at;
        waited = if let State::Throttled(next) = &stream.state { Some(next.job.clone()) } else { None };
        is_news = stream.take(&news, app.clock.now());
        if is_news && is_end && stream.notice(app.clock.now()) {
            stream.owed = keep::notice_of(app, stream);
        }
        if !is_news {
            return Edit::from(stream.heard_at != heard);
        }
        let outcome = if is_end { AuditOutcome::Ended } else { AuditOutcome::Live };
        let entry = keep::entry(app, stream, outcome);
        Edit::Event(Box::new(AuditEntry { zoom_user: Some(report.host.clone()), ..entry }))
    });
    let Some(stream) = changed.await?.filter(|_| is_news) else { return Ok(()) };
    // Zoom took an earlier try after all, or there is nothing to put on air any more.
    if let (Some(job), State::Live { .. } | State::Ended { .. }) = (waited, &stream.state) {
        turn::give_up(app, report.meeting, &job, None).await?;
    }
    if let State::Ended { .. } = &stream.state {
        turn::forget_start(app, report.meeting).await?;
    }
    Ok(())
}

/// Whether somebody orders just that at this moment: what was reported may be its effect, and not somebody's who did it
/// in Zoom.
async fn is_being_ordered(app: &App, report: &MeetingReport) -> Result<bool, Failure> {
    let action = match report.what {
        Happened::StreamStarted => Action::Start,
        Happened::StreamStopped => Action::Stop,
        Happened::MeetingStarted | Happened::MeetingEnded => return Ok(false),
    };
    let turn = app.store.turn(report.meeting).await?;
    Ok(turn.is_some_and(|seen| seen.value.action == action && seen.value.phase == Phase::Working))
}

/// Zoom has ended the grant already; what is left is to forget it, and everybody's link to it.
async fn deauthorized(app: &App, zoom_user: &ZoomUserId, at: Timestamp) -> Result<(), Delay> {
    let (now, verb, outcome) = (app.clock.now(), AuditVerb::Report, AuditOutcome::Deauthorized);
    let entry = AuditEntry::new(now, Reference::random(), verb, outcome);
    let entry = AuditEntry { zoom_user: Some(zoom_user.clone()), ..entry };
    Ok(token::forget(app, zoom_user, at, &entry).await?)
}
