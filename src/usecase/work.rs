//! The life of an accepted command: from its journal record to the answer that arrived.
//!
//! A job is in the journal before Slack has its 200. Whoever works on it holds its lease and renews it; when the
//! process dies, the lease runs out and another instance, or the same after its restart, takes the job over and reads
//! from its stage how far the work had come. What was decided is recorded, with its audit entry, before it is told;
//! the record goes only after Slack has taken the answer.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use jiff::SignedDuration;
use tokio_util::sync::CancellationToken;
use tokio_util::task::AbortOnDropHandle;
use tracing::Instrument as _;

use super::tell::{finish, tell};
use super::{Done, Failure, Task, chain, entry, order, run, say, turn};
use crate::app::{App, Place};
use crate::audit::{AuditEntry, AuditOutcome, AuditVerb};
use crate::command::Command;
use crate::id::{JobId, Reference};
use crate::invocation::{CommandText, Invocation};
use crate::journal::{Claimed, Job, Retry, Stage};
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

/// How soon work begins again that the store cut short.
const BEGIN_AGAIN: Duration = Duration::from_secs(1);

/// One job in the hands of this process.
pub(super) struct Work {
    pub(super) app: App,
    pub(super) invocation: Arc<Invocation>,
    pub(super) id: JobId,
    /// How many have held the job, this process included.
    pub(super) attempt: u32,
    /// Which next try this is, where the job waited for one.
    pub(super) retry: Option<Retry>,
    /// The turn with its meeting, while it has it.
    pub(super) turn: turn::Mine,
    /// The command by the meeting's id, once the saved name in it was looked up.
    by_id: OnceLock<Command>,
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
pub(super) enum Change<'a> {
    Decide(&'a Job, &'a AuditEntry),
    Postpone(&'a Job, Duration),
    Finish,
}

impl Work {
    /// Records that the order to Zoom is about to be sent. From here on a start is not sent again by anybody.
    ///
    /// Without this record an order is not sent.
    pub(super) async fn ordering(&self) -> Result<(), Failure> {
        match self.app.store.advance(&self.id, &self.owner, &self.job(Stage::Ordering), None).await? {
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

    /// The command by the meeting's id, if its saved name was looked up.
    pub(super) fn by_id(&self) -> Option<&Command> {
        self.by_id.get()
    }

    /// Keeps what a saved name stands for: whatever comes of the command later is about the same meeting, also when the
    /// name is given to another one meanwhile.
    pub(super) fn keep_by_id(&self, command: Command) -> &Command {
        self.by_id.get_or_init(|| command)
    }

    /// What is wanted, by the meeting's id where that is known.
    pub(super) fn known(&self, task: Task) -> Task {
        self.by_id().map_or(task, |command| Task::Typed(command.clone()))
    }

    /// The job as it is at a stage.
    pub(super) fn job(&self, stage: Stage) -> Job {
        let mut invocation = (*self.invocation).clone();
        if let Some(command) = self.by_id() {
            invocation.text = CommandText::new(command.to_string());
        }
        Job { invocation, stage }
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
            turn::renew(self).await;
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
    let retry = match &job.stage {
        Stage::Waiting(retry) => Some(*retry),
        Stage::Accepted | Stage::Ordering | Stage::Decided { .. } => None,
    };
    let work = Work {
        app: app.clone(),
        invocation: Arc::new(job.invocation),
        id,
        attempt,
        retry,
        turn: turn::Mine::default(),
        by_id: OnceLock::new(),
        owner,
        doubtful: AtomicBool::new(job.stage == Stage::Ordering),
        lost: CancellationToken::new(),
    };
    let whole = async move {
        let work = Arc::new(work);
        tokio::select! {
            () = work.lost.cancelled() => tracing::warn!("somebody else works on this command now"),
            () = work.keep_lease() => {}
            () = from_stage(&work, job.stage) => {}
        }
        drop(place);
    };
    drop(app.spawn(whole.instrument(span)));
}

async fn from_stage(work: &Arc<Work>, stage: Stage) {
    let decided = match stage {
        Stage::Decided { message, retry } => Some((message, retry)),
        Stage::Accepted | Stage::Ordering | Stage::Waiting(_) => decide(work).await,
    };
    if let Some((message, retry)) = decided {
        tell(work, message, retry).await;
    }
}

/// Carries the command out, and records what came of it. Nothing is told that is not recorded.
async fn decide(work: &Arc<Work>) -> Option<(Message, Option<Retry>)> {
    let (app, invocation) = (&work.app, &work.invocation);
    let task = Task::of(invocation);
    let done = match outcome_of(work, &task).await {
        Ok(done) => done,
        Err(Failure::TakenOver) => return None,
        Err(Failure::Cancelled) => {
            tracing::info!("nothing more is tried: somebody pressed Cancel");
            finish(work).await;
            return None;
        }
        Err(failure) => {
            tracing::error!(error = chain(&failure), "command failed");
            Done::new(Reply::Broken, AuditOutcome::Failed)
        }
    };
    let message = say(app, invocation, &done.reply);
    let mut entry = entry(app, invocation, &work.known(task), done.outcome);
    entry.zoom_user = done.zoom_user;
    entry.zoom = done.zoom;
    let stage = Stage::Decided { message: message.clone(), retry: done.retry };
    if !work.persist(Change::Decide(&work.job(stage), &entry)).await {
        return None;
    }
    app.log(&entry);
    turn::pass_on(work, done.outcome, done.retry).await;
    Some((message, done.retry))
}

async fn outcome_of(work: &Arc<Work>, task: &Task) -> Result<Done, Failure> {
    // A next try is due at its own time, and those who died before it came do not count against it.
    let due = work.retry.map_or(work.invocation.received_at, |retry| retry.at);
    let holders = work.attempt - work.retry.map_or(0, |retry| retry.holders).min(work.attempt);
    let is_late = || work.app.clock.now().duration_since(due) > FRESH;
    let is_start = task.verb() == AuditVerb::Start;
    if work.is_doubtful() && (is_late() || holders > MOST_HOLDERS || is_start) {
        // It may have been sent: a start is never sent again, and a stop not when it could meet another stream.
        return order::unknown(work, task).await;
    }
    if holders > MOST_HOLDERS {
        tracing::error!("given up: every process that worked on this command has died");
        return Ok(Done::new(Reply::GaveUp, AuditOutcome::Failed));
    }
    if is_late() {
        return Ok(Done::new(Reply::TooLate, AuditOutcome::Failed));
    }
    // A store that is away for a while costs time, not the command.
    loop {
        let (inner_work, inner_task) = (Arc::clone(work), task.clone());
        let result = guarded(&work.app, async move { run(&inner_work, &inner_task).await }).await;
        match result {
            Err(failure) if failure.is_transient() && !is_late() => {
                tracing::warn!(error = chain(&failure), "the command begins again: the store was away");
                tokio::time::sleep(BEGIN_AGAIN).await;
                if work.is_doubtful() && is_start {
                    return order::unknown(work, task).await;
                }
            }
            Err(failure) if work.is_doubtful() && !matches!(failure, Failure::TakenOver) => {
                tracing::error!(error = chain(&failure), "the command failed after its order was sent");
                return order::unknown(work, task).await;
            }
            result => return result,
        }
    }
}

/// Runs work so that neither a panic nor a hang can leave its person without an answer. Work whose holder is dropped,
/// because its lease is lost, must not go on behind its back.
async fn guarded(
    app: &App,
    work: impl Future<Output = Result<Done, Failure>> + Send + 'static,
) -> Result<Done, Failure> {
    let task = AbortOnDropHandle::new(app.spawn(work.in_current_span()));
    match tokio::time::timeout(app.options.work, task).await {
        Ok(Ok(done)) => done,
        Ok(Err(_)) => Err(Failure::Panicked),
        Err(_) => Err(Failure::TookTooLong),
    }
}

/// Takes a job back whose acceptance the store did not confirm: its person is told that nothing was done, so nothing may
/// be done. The write may still have happened, or happen a moment later.
pub(super) fn withdraw(app: &App, new: NewJob) {
    let inner = app.clone();
    let work = async move {
        let until = tokio::time::Instant::now() + LEASE;
        while tokio::time::Instant::now() < until {
            match inner.store.finish(&new.id, &new.owner).await {
                // Whoever stops leaves once the store has answered: what it was sent before is done by then.
                Ok(_) if inner.is_stopping() => return,
                Ok(_) => {}
                Err(error) => {
                    tracing::warn!(error = chain(&error), "a job that was not accepted is not withdrawn yet");
                }
            }
            tokio::select! {
                () = inner.stopping(), if !inner.is_stopping() => {}
                () = tokio::time::sleep(BEGIN_AGAIN) => {}
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

#[cfg(test)]
mod tests;
