//! The life of an accepted command: from its journal record to the answer that arrived.
//!
//! A job is in the journal before Slack has its 200. Whoever works on it holds its lease and renews it; when the
//! process dies, the lease runs out and another instance, or the same after its restart, takes the job over and reads
//! from its stage how far the work had come. What was decided is recorded, with its audit entry, before it is told;
//! the record goes only after Slack has taken the answer.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use jiff::SignedDuration;
use tokio_util::sync::CancellationToken;
use tracing::Instrument as _;

use super::{Done, Failure, chain, entry, order, run, say};
use crate::app::{App, Place};
use crate::audit::{AuditEntry, AuditOutcome, AuditVerb};
use crate::command::{self, Command};
use crate::id::{JobId, Reference};
use crate::invocation::Invocation;
use crate::journal::{Claimed, Job, Stage};
use crate::reply::Reply;
use crate::store;
use crate::words::Message;

/// How long a holder may be silent before its work is taken over.
pub(super) const LEASE: Duration = Duration::from_secs(12);
/// How often a holder renews.
const RENEW: Duration = Duration::from_secs(3);
/// How often the journal is looked through for work whose holder is gone, or that has come due.
const LOOK: Duration = Duration::from_secs(2);
/// How often a job may change hands before its person gets a last word instead of another try.
const MOST_HOLDERS: u32 = 5;
/// How old a command may be when it is carried out. Later it would surprise whoever typed it.
const FRESH: SignedDuration = SignedDuration::from_mins(5);
/// How long a `response_url` takes answers.
const ANSWERABLE: SignedDuration = SignedDuration::from_mins(30);

/// How soon work begins again that the store cut short.
const BEGIN_AGAIN: Duration = Duration::from_secs(1);

/// One job in the hands of this process.
pub(super) struct Work {
    pub(super) app: App,
    pub(super) invocation: Arc<Invocation>,
    id: JobId,
    owner: String,
    /// Whether the order may have been sent already, by an earlier holder or before the store cut the work short.
    doubtful: AtomicBool,
    /// Cancelled when the lease is somebody else's: nothing more may be done or told here.
    lost: CancellationToken,
}

/// A job that nobody has worked on yet, and the name under which this process holds it.
pub(super) struct NewJob {
    pub(super) id: JobId,
    pub(super) owner: String,
    pub(super) job: Job,
}

impl NewJob {
    pub(super) fn new(invocation: Invocation) -> Self {
        let id = JobId::new(Reference::random().as_str());
        Self { id, owner: new_owner(), job: Job { invocation, stage: Stage::Accepted } }
    }
}

/// A name for one holding of one lease. No two holdings share one, not even of the same process.
fn new_owner() -> String {
    Reference::random().as_str().to_owned()
}

/// A change of a job's record that is repeated until the store has taken it.
enum Change<'a> {
    Decide(&'a Job, &'a AuditEntry),
    Postpone(&'a Job, Duration),
    Finish,
}

impl Work {
    /// Records that the order to Zoom is about to be sent. From here on a start is not sent again by anybody.
    ///
    /// Without this record an order is not sent.
    pub(super) async fn ordering(&self) -> Result<(), Failure> {
        let job = Job { invocation: (*self.invocation).clone(), stage: Stage::Ordering };
        match self.app.store.advance(&self.id, &self.owner, &job, None).await? {
            true => {
                self.doubtful.store(true, Ordering::Relaxed);
                Ok(())
            }
            false => Err(Failure::TakenOver),
        }
    }

    /// Whether a start must not be sent because it may have been sent already.
    pub(super) fn is_doubtful(&self) -> bool {
        self.doubtful.load(Ordering::Relaxed)
    }

    /// Writes a change until the store takes it or says that the job is somebody else's.
    async fn persist(&self, change: Change<'_>) -> bool {
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

    async fn write(&self, change: &Change<'_>) -> Result<bool, store::Error> {
        let (store, id, owner) = (&self.app.store, &self.id, &self.owner);
        match change {
            Change::Decide(job, entry) => store.advance(id, owner, job, Some(entry)).await,
            Change::Postpone(job, due) => store.postpone(id, owner, job, *due).await,
            Change::Finish => store.finish(id, owner).await,
        }
    }

    async fn keep_lease(&self) {
        loop {
            tokio::time::sleep(RENEW).await;
            match self.app.store.keep(&self.id, &self.owner, LEASE).await {
                Ok(true) => {}
                Ok(false) => return self.lost.cancel(),
                // While the store is away nobody can take the job over either.
                Err(error) => tracing::warn!(error = chain(&error), "a lease was not renewed"),
            }
        }
    }
}

/// Works on a job from the beginning. It holds its place in the queue to the end.
pub(super) fn begin(app: &App, new: NewJob, place: Place) {
    let claimed = Claimed { id: new.id, job: new.job, attempt: 1 };
    spawn(app, claimed, new.owner, place);
}

fn spawn(app: &App, claimed: Claimed, owner: String, place: Place) {
    let Claimed { id, job, attempt } = claimed;
    let span = tracing::info_span!("command", reference = %job.invocation.reference, attempt);
    let work = Work {
        app: app.clone(),
        invocation: Arc::new(job.invocation),
        id,
        owner,
        doubtful: AtomicBool::new(job.stage == Stage::Ordering),
        lost: CancellationToken::new(),
    };
    let whole = async move {
        let work = Arc::new(work);
        tokio::select! {
            () = work.lost.cancelled() => tracing::warn!("somebody else works on this command now"),
            () = work.keep_lease() => {}
            () = from_stage(&work, job.stage, attempt) => {}
        }
        drop(place);
    };
    drop(app.spawn(whole.instrument(span)));
}

async fn from_stage(work: &Arc<Work>, stage: Stage, attempt: u32) {
    let message = match stage {
        Stage::Decided { message } => message,
        Stage::Accepted | Stage::Ordering => match decide(work, attempt).await {
            Some(message) => message,
            None => return,
        },
    };
    tell(work, message, attempt).await;
}

/// Carries the command out, and records what came of it. Nothing is told that is not recorded.
async fn decide(work: &Arc<Work>, attempt: u32) -> Option<Message> {
    let (app, invocation) = (&work.app, &work.invocation);
    let command = command::parse(invocation.text.as_str()).ok();
    let done = outcome_of(work, command.as_ref(), attempt).await;
    let done = match done {
        Ok(done) => done,
        Err(Failure::TakenOver) => return None,
        Err(failure) => {
            tracing::error!(error = chain(&failure), "command failed");
            Done::new(Reply::Broken, AuditOutcome::Failed)
        }
    };
    let message = say(app, invocation, &done.reply);
    let verb = command.as_ref().map_or(AuditVerb::Help, |command| command.verb().into());
    let mut entry = entry(app, invocation, verb, command.as_ref(), done.outcome);
    entry.zoom_user = done.zoom_user;
    entry.zoom = done.zoom;
    let job = Job { invocation: (**invocation).clone(), stage: Stage::Decided { message: message.clone() } };
    if work.persist(Change::Decide(&job, &entry)).await {
        app.log(&entry);
        Some(message)
    } else {
        None
    }
}

async fn outcome_of(work: &Arc<Work>, command: Option<&Command>, attempt: u32) -> Result<Done, Failure> {
    let age = work.app.clock.now().duration_since(work.invocation.received_at);
    let Some(command) = command else { return Ok(Done::new(Reply::Broken, AuditOutcome::Failed)) };
    let late = age > FRESH;
    if work.is_doubtful() && (late || attempt > MOST_HOLDERS || matches!(command, Command::Start(_))) {
        // It may have been sent: a start is never sent again, and a stop not when it could meet another stream.
        return order::unknown(work, command).await;
    }
    if attempt > MOST_HOLDERS {
        return Ok(Done::new(Reply::Broken, AuditOutcome::Failed));
    }
    if late {
        return Ok(Done::new(Reply::TooLate, AuditOutcome::Failed));
    }
    // A store that is away for a while costs time, not the command.
    loop {
        let result = run_guarded(work, command).await;
        let age = work.app.clock.now().duration_since(work.invocation.received_at);
        match result {
            Err(failure) if failure.is_transient() && age < FRESH => {
                tracing::warn!(error = chain(&failure), "the command begins again: the store was away");
                tokio::time::sleep(BEGIN_AGAIN).await;
                if work.is_doubtful() && matches!(command, Command::Start(_)) {
                    return order::unknown(work, command).await;
                }
            }
            Err(failure) if work.is_doubtful() && !matches!(failure, Failure::TakenOver) => {
                tracing::error!(error = chain(&failure), "the command failed after its order was sent");
                return order::unknown(work, command).await;
            }
            result => return result,
        }
    }
}

/// Runs a command so that neither a panic nor a hang can leave its person without an answer.
async fn run_guarded(work: &Arc<Work>, command: &Command) -> Result<Done, Failure> {
    let (inner_work, inner_command) = (Arc::clone(work), command.clone());
    let task = work.app.spawn(async move { run(&inner_work, &inner_command).await }.in_current_span());
    let abort = AbortOnDrop(task.abort_handle());
    let result = match tokio::time::timeout(work.app.options.work, task).await {
        Ok(Ok(done)) => done,
        Ok(Err(_)) => Err(Failure::Panicked),
        Err(_) => Err(Failure::TookTooLong),
    };
    drop(abort);
    result
}

/// Ends a task when its holder is dropped: work whose lease is lost must not go on behind its back.
struct AbortOnDrop(tokio::task::AbortHandle);

impl Drop for AbortOnDrop {
    fn drop(&mut self) {
        self.0.abort();
    }
}

/// Posts the answer. Where Slack is away the job waits in the journal, as long as its `response_url` lives.
async fn tell(work: &Work, message: Message, attempt: u32) {
    const TRIES_AT_ONCE: u32 = 4;
    const LONGEST_WAIT: Duration = Duration::from_secs(3);
    let (app, invocation) = (&work.app, &work.invocation);
    let mut asked_to_wait = Duration::ZERO;
    for attempt in 1..=TRIES_AT_ONCE {
        let Err(error) = app.slack.answer(&invocation.reply_to, &message).await else { return finish(work).await };
        let Some(wait) = error.retry_in() else {
            tracing::error!(error = chain(&error), "answer lost: Slack does not take it");
            return finish(work).await;
        };
        tracing::warn!(error = chain(&error), attempt, "answer not taken, trying again");
        if wait > LONGEST_WAIT {
            asked_to_wait = wait;
            break;
        }
        if attempt < TRIES_AT_ONCE {
            tokio::time::sleep(wait.max(Duration::from_millis(250) * 2u32.pow(attempt))).await;
        }
    }
    let age = app.clock.now().duration_since(invocation.received_at);
    if age > ANSWERABLE {
        tracing::error!("answer lost: Slack was away for as long as the response_url lived");
        return finish(work).await;
    }
    let due = asked_to_wait.max(Duration::from_secs(5) * attempt.min(12));
    let job = Job { invocation: (**invocation).clone(), stage: Stage::Decided { message } };
    work.persist(Change::Postpone(&job, due)).await;
}

async fn finish(work: &Work) {
    if !work.persist(Change::Finish).await {
        tracing::warn!("an answer was told twice: its job had been taken over");
    }
}

/// Takes a job back whose acceptance the store did not confirm: its person is told that nothing was done, so nothing may
/// be done. The write may still have happened, or happen a moment later.
pub(super) fn withdraw(app: &App, new: NewJob) {
    let inner = app.clone();
    let work = async move {
        let until = tokio::time::Instant::now() + LEASE;
        while tokio::time::Instant::now() < until {
            if let Err(error) = inner.store.finish(&new.id, &new.owner).await {
                tracing::warn!(error = chain(&error), "a job that was not accepted is not withdrawn yet");
            }
            tokio::select! {
                () = inner.stopping() => return,
                () = tokio::time::sleep(RENEW) => {}
            }
        }
    };
    drop(app.spawn(work));
}

/// Takes over, until told to stop, whatever nobody works on: jobs of dead holders, and those that have come due.
pub async fn take_over(app: App) {
    let mut not_before = tokio::time::Instant::now();
    loop {
        let place = app.place().filter(|_| not_before <= tokio::time::Instant::now() && !app.is_stopping());
        if let Some(place) = place {
            let owner = new_owner();
            match app.store.claim(&owner, LEASE).await {
                Ok(Some(claimed)) => {
                    let (reference, attempt) = (&claimed.job.invocation.reference, claimed.attempt);
                    tracing::info!(%reference, attempt, "took a command over");
                    spawn(&app, claimed, owner, place);
                    continue;
                }
                Ok(None) => {}
                Err(error) => {
                    tracing::warn!(error = chain(&error), "the journal could not be looked through");
                    // When the store is back, those who are alive renew their leases first.
                    not_before = tokio::time::Instant::now() + RENEW * 3;
                }
            }
        }
        tokio::select! {
            () = app.stopping() => return,
            () = tokio::time::sleep(LOOK) => {}
        }
    }
}
