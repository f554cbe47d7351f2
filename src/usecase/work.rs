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
use tokio_util::task::AbortOnDropHandle;
use tracing::Instrument as _;

use super::hold::{Change, Hold, LEASE, RENEW, new_owner};
use super::stream::{Note, Showing, What};
use super::tell::{finish, tell, told};
use super::{
    Done, Failure, Task, announce, chain, deed, entry, keep, order, removal, report, revoke, run, say, stream, turn,
    unlinked,
};
use crate::app::{App, Place};
use crate::audit::{AuditOutcome, AuditVerb};
use crate::command::Command;
use crate::id::{JobId, Reference};
use crate::invocation::{CommandText, Invocation};
use crate::journal::{CardOf, Claimed, Job, Retry, Stage};
use crate::policy::{MayLend, Policy};
use crate::reply::{Audience, Reply};
use crate::stream::Stream;
use crate::words::Message;

/// How often the journal is looked through for work whose holder is gone, or that has come due.
const LOOK: Duration = Duration::from_secs(2);
// What a dead process held is in other hands within 20 s, also where one look came too early and the next one found the
// store slow.
const _: () = assert!(LEASE.as_secs() + 3 * LOOK.as_secs() < 20);
/// How many looks in a row may fail before the leases of the living could have run out meanwhile.
const HICCUP: u32 = 1;
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
    pub(super) hold: Hold,
    /// Which next try this is, where the job waited for one.
    pub(super) retry: Option<Retry>,
    /// The turn with its meeting, while it has it.
    pub(super) turn: turn::Mine,
    /// What the rules say of it, once they were read.
    rules: OnceLock<Rules>,
    /// The command by the meeting's id, once the saved name in it was looked up.
    by_id: OnceLock<Command>,
    /// Whether the order may have been sent already, by an earlier holder or before the store cut the work short.
    doubtful: AtomicBool,
}

/// What the rules of a workspace say of a command besides that it is allowed.
#[derive(Clone, Copy)]
struct Rules {
    /// Who reads that the order failed.
    failures: Audience,
    lending: MayLend,
}

/// A job that nobody has worked on yet, and the name under which this process holds it.
pub(super) struct NewJob {
    pub(super) id: JobId,
    pub(super) owner: String,
    pub(super) job: Job,
}

impl NewJob {
    pub(super) fn new(job: Job) -> Self {
        Self { id: JobId::new(Reference::random().as_str()), owner: new_owner(), job }
    }
}

impl Work {
    fn new(app: &App, hold: Hold, invocation: Invocation, stage: &Stage) -> Self {
        let retry = match stage {
            Stage::Waiting(retry) => Some(*retry),
            Stage::Ordering { retry } => *retry,
            Stage::Accepted | Stage::Decided { .. } => None,
        };
        let doubtful = AtomicBool::new(matches!(stage, Stage::Ordering { .. }));
        let turn = turn::Mine::default();
        let (app, invocation) = (app.clone(), Arc::new(invocation));
        let (rules, by_id) = Default::default();
        Self { app, invocation, hold, retry, turn, rules, by_id, doubtful }
    }

    /// Records that the order to Zoom is about to be sent. From here on a start is not sent again by anybody.
    ///
    /// Without this record an order is not sent.
    pub(super) async fn ordering(&self) -> Result<(), Failure> {
        let stage = Stage::Ordering { retry: self.retry };
        match self.hold.write(&Change::Advance(&self.job(stage), None)).await? {
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

    /// Keeps what the rules say, as they were read for this command.
    pub(super) fn keep_rules(&self, policy: &Policy) {
        self.rules.get_or_init(|| Rules { failures: policy.failures, lending: policy.lending });
    }

    /// For how long meetings may be lent, if the rules were read.
    pub(super) fn lending(&self) -> Option<MayLend> {
        self.rules.get().map(|rules| rules.lending)
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
        Job::Command { invocation: Box::new(invocation), stage }
    }
}

/// Works on a job from the beginning. It holds its place in the queue to the end.
pub(super) fn begin(app: &App, new: NewJob, place: Place) {
    let claimed = Claimed { id: new.id, job: new.job, attempt: 1 };
    spawn(app, claimed, new.owner, place);
}

fn spawn(app: &App, claimed: Claimed, owner: String, place: Place) {
    let Claimed { id, job, attempt } = claimed;
    let hold = Hold::new(app, id, owner, attempt);
    let task = match job {
        Job::Command { invocation, stage } => {
            let span = tracing::info_span!("command", reference = %invocation.reference, attempt);
            let work = Work::new(app, hold, *invocation, &stage);
            app.spawn(carry(work, stage, place).instrument(span))
        }
        Job::Report(report) => {
            let span = tracing::info_span!("report", attempt);
            app.spawn(report::work(app.clone(), hold, report, place).instrument(span))
        }
        Job::Removal(removal) => {
            let span = tracing::info_span!("removal", attempt);
            app.spawn(removal::work(app.clone(), hold, removal, place).instrument(span))
        }
        Job::Keep { meeting } => {
            let span = tracing::info_span!("stream", meeting.id = meeting.number());
            app.spawn(keep::work(app.clone(), hold, meeting, place).instrument(span))
        }
        Job::Revoke(revocation) => {
            let span = tracing::info_span!("revoke", reference = %revocation.reference, attempt);
            app.spawn(revoke::work(app.clone(), hold, revocation, place).instrument(span))
        }
        Job::Unlinked(unlinked) => {
            let span = tracing::info_span!("unlinked", reference = %unlinked.reference, attempt);
            app.spawn(unlinked::work(app.clone(), hold, unlinked, place).instrument(span))
        }
        Job::Deed(unknown) => {
            let span = tracing::info_span!("deed", attempt);
            app.spawn(deed::work(app.clone(), hold, unknown, place).instrument(span))
        }
        Job::Announce(announced) => {
            let span = tracing::info_span!("audit_channel");
            app.spawn(announce::work(app.clone(), hold, announced, place).instrument(span))
        }
    };
    drop(task);
}

async fn carry(work: Work, stage: Stage, place: Place) {
    let work = Arc::new(work);
    let carried = async {
        // The turn of an order that may have been sent must be found again before it runs out.
        let permit = if work.is_doubtful() { None } else { work.app.permit().await };
        // Made only now: what waits for its permit costs little.
        Box::pin(from_stage(&work, stage)).await;
        drop(permit);
    };
    work.hold.during(turn::during(&work, carried)).await;
    drop(place);
}

/// What is decided, and recorded.
struct Decided {
    /// What to tell; `None`: the card of the stream shows it.
    message: Option<Message>,
    retry: Option<Retry>,
    /// The stream that the message shows.
    showing: Option<Showing>,
}

async fn from_stage(work: &Arc<Work>, stage: Stage) {
    if removal::has_ended(work, &stage).await {
        return;
    }
    let decided = match stage {
        Stage::Decided { message, retry, card } => {
            let showing = card.map(|card| Showing { card, seen: None });
            Some(Decided { message, retry, showing })
        }
        Stage::Accepted | Stage::Ordering { .. } | Stage::Waiting(_) => decide(work).await,
    };
    match decided {
        Some(Decided { message: Some(message), retry, showing }) => {
            Box::pin(tell(work, message, retry, showing)).await;
        }
        Some(Decided { message: None, retry, .. }) => told(work, retry).await,
        None => {}
    }
}

/// Carries the command out, and records what came of it. Nothing is told that is not recorded.
async fn decide(work: &Arc<Work>) -> Option<Decided> {
    let task = Task::of(&work.invocation);
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
    // In a box of its own, which is not there yet while Zoom is asked.
    Box::pin(record(work, work.known(task), done)).await
}

/// Puts what came of a command into words, and records it, with its stream and its audit entry.
async fn record(work: &Work, task: Task, mut done: Done) -> Option<Decided> {
    let (app, invocation) = (&work.app, &work.invocation);
    let mut message = say(app, invocation, &done.reply);
    if done.reply.is_failed_order() && work.rules.get().is_some_and(|rules| rules.failures == Audience::Person) {
        message.audience = Audience::Person;
    }
    if let (Some(_), Some(meeting)) = (work.retry, task.meeting()) {
        // The channel was told that there would be a next try, so it hears how that ended.
        message.audience = Audience::Channel;
        done.note.get_or_insert(Note { meeting, what: What::FailedStart });
        turn::find(work, meeting).await;
    }
    let noted = match &done.note {
        Some(note) => Box::pin(stream::note(work, note, &message)).await,
        None => None,
    };
    let stopped = noted.as_ref().and_then(|noted| noted.stopped.clone());
    if let (Some(settings), Reply::Show(show)) = (stopped, &mut done.reply) {
        // It is called what its card calls it, and put on air again as it was.
        show.settings = settings;
        message = say(app, invocation, &done.reply);
    }
    let shown = noted.filter(|noted| noted.shows).map(|noted| noted.stream);
    let card = shown.as_ref().and_then(|stream| stream.value.card.as_ref());
    let is_on_card = card.is_some_and(|card| keep::can_change(app, card));
    // A start that went well is answered by the stream's first card. A press also where that cannot be changed any more:
    // the URL of the press can.
    let is_start = matches!(&done.note, Some(Note { what: What::Start { .. }, .. }));
    let is_confirm = matches!(task, Task::Confirm(_));
    let first = shown.filter(|_| is_start || (!is_on_card && invocation.press.is_some() && !is_confirm));
    if let Some(stream) = &first {
        message = keep::card_of(app, &stream.value);
    }
    let mut entry = entry(app, invocation, &task, done.outcome);
    entry.zoom_user = done.zoom_user;
    entry.zoom = done.zoom;
    (entry.on_behalf_of, entry.lent_to) = (done.on_behalf_of, done.lent_to);
    let showing = first.map(|seen| {
        let Stream { meeting, version, .. } = seen.value;
        Showing { card: CardOf { meeting, version }, seen: Some(seen) }
    });
    // Where somebody confirmed a stop, its end takes the place of the question.
    let is_confirmed = is_confirm && done.outcome == AuditOutcome::Stopped;
    message.replaces |= is_confirmed;
    let is_told_otherwise = (is_on_card && !is_confirmed) || matches!(done.reply, Reply::FormOpen);
    let message = (!is_told_otherwise).then_some(message);
    // First, so that whoever takes an order over that waits finds that it does.
    turn::pass_on(work, done.outcome, done.retry).await;
    let card = showing.as_ref().map(|showing| showing.card);
    let stage = Stage::Decided { message: message.clone(), retry: done.retry, card };
    if !work.hold.persist(Change::Advance(&work.job(stage), Some(&entry))).await {
        return None;
    }
    app.log(&entry);
    Some(Decided { message, retry: done.retry, showing })
}

async fn outcome_of(work: &Arc<Work>, task: &Task) -> Result<Done, Failure> {
    // A next try is due at its own time, and those who died before it came do not count against it.
    let due = work.retry.map_or(work.invocation.received_at, |retry| retry.at);
    let holders = work.hold.attempt - work.retry.map_or(0, |retry| retry.holders).min(work.hold.attempt);
    let is_late = || work.app.clock.now().duration_since(due) > FRESH;
    let is_start = task.verb() == AuditVerb::Start;
    if work.is_doubtful() && (is_late() || holders > MOST_HOLDERS || is_start) {
        // It may have been sent: a start is never sent again, and a stop not when it could meet another stream.
        return Box::pin(order::unknown(work, task)).await;
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
                    return Box::pin(order::unknown(work, task)).await;
                }
            }
            Err(failure) if work.is_doubtful() && !matches!(failure, Failure::TakenOver) => {
                tracing::error!(error = chain(&failure), "the command failed after its order was sent");
                return Box::pin(order::unknown(work, task)).await;
            }
            result => return result,
        }
    }
}

/// Runs work so that neither a panic nor a hang can leave its person without an answer. Work whose holder is dropped,
/// because its lease is lost, must not go on behind its back.
///
/// Not an `async fn`, which would keep room for the work beside the task that it is in.
fn guarded(
    app: &App,
    work: impl Future<Output = Result<Done, Failure>> + Send + 'static,
) -> impl Future<Output = Result<Done, Failure>> {
    let task = AbortOnDropHandle::new(app.spawn(work.in_current_span()));
    async {
        match tokio::time::timeout(app.options.work, task).await {
            Ok(Ok(done)) => done,
            Ok(Err(_)) => Err(Failure::Panicked),
            Err(_) => Err(Failure::TookTooLong),
        }
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
    let (mut not_before, mut failures) = (tokio::time::Instant::now(), 0);
    loop {
        let place = app.place().filter(|_| not_before <= tokio::time::Instant::now() && !app.is_stopping());
        if let Some(place) = place {
            let owner = new_owner();
            match app.store.claim(&owner, LEASE).await {
                Ok(Some(claimed)) => {
                    failures = 0;
                    if let Job::Command { invocation, .. } = &claimed.job {
                        let (reference, attempt) = (&invocation.reference, claimed.attempt);
                        tracing::info!(%reference, attempt, "took a command over");
                    }
                    spawn(&app, claimed, owner, place);
                    continue;
                }
                Ok(None) => failures = 0,
                Err(error) => {
                    tracing::warn!(error = chain(&error), "the journal could not be looked through");
                    failures += 1;
                    if failures > HICCUP {
                        // When the store is back, those who are alive renew their leases first.
                        not_before = tokio::time::Instant::now() + RENEW * 3;
                    }
                }
            }
        }
        tokio::select! {
            () = app.stopping() => return,
            () = app.woken() => {}
            () = tokio::time::sleep(LOOK) => {}
        }
    }
}

#[cfg(test)]
mod tests;
