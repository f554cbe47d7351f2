//! Taking one's turn with a meeting, so that one order at a time asks Zoom about it, and passing it on.
//!
//! Who may do what is decided in [`crate::turn`]; this reads, writes, waits and renews.

use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use super::lease::Wait;
use super::order::Ordered;
use super::work::Work;
use super::{Failure, chain};
use crate::audit::AuditOutcome;
use crate::id::{JobId, ZoomUserId};
use crate::journal::Retry;
use crate::meeting::MeetingId;
use crate::store::{Seen, TurnChange};
use crate::turn::{Displaced, Phase, Step, Turn};

/// How long to wait for the answer to somebody else's order: longer than nearly all take, and shorter than work may.
const PATIENCE: Duration = Duration::from_secs(60);

/// The turn that a job has, if it has one.
#[derive(Default)]
pub(super) struct Mine(Mutex<Option<(MeetingId, Seen)>>);

/// What became of asking for the turn.
pub(super) enum Got {
    /// It is this job's.
    Turn,
    /// Somebody asked for the same, or is still at something else.
    Others(Turn),
    /// This job waited for its next try, and somebody ended that: by another order, if one is given, else by Cancel.
    Withdrawn(Option<Turn>),
}

impl Mine {
    fn set(&self, mine: Option<(MeetingId, Seen)>) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = mine;
    }

    fn get(&self) -> Option<(MeetingId, Seen)> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

/// Takes the turn for an order, waiting for another's answer where that has to come first.
pub(super) async fn take(work: &Work, ordered: &Ordered, zoom_user: &ZoomUserId) -> Result<Got, Failure> {
    let mine = Turn {
        job: work.id.clone(),
        action: ordered.action,
        person: work.invocation.person.clone(),
        zoom_user: zoom_user.clone(),
        asked_at: work.invocation.received_at,
        phase: Phase::Working,
        displaced: None,
    };
    let mut wait = Wait::new(PATIENCE);
    // Most often nobody has it, and one round trip takes it.
    let mut seen: Option<Seen> = None;
    loop {
        let current = seen.as_ref().map(|seen| &seen.turn);
        match (mine.step(current, work.retry.is_some(), work.app.clock.now()), current) {
            (Step::Go { displaced }, _) => match go(work, ordered.meeting, &mine, displaced, seen.as_ref()).await? {
                TurnChange::Done(_) => return Ok(Got::Turn),
                TurnChange::Other(now) => seen = now,
            },
            (Step::Already, Some(other)) => return Ok(Got::Others(other.clone())),
            (Step::Withdrawn, other) => {
                return Ok(Got::Withdrawn(other.filter(|other| other.job != mine.job).cloned()));
            }
            (Step::Wait | Step::Already, other) => {
                if !wait.again().await
                    && let Some(other) = other
                {
                    return Ok(Got::Others(other.clone()));
                }
                seen = work.app.store.turn(ordered.meeting).await?;
            }
        }
    }
}

async fn go(
    work: &Work,
    meeting: MeetingId,
    mine: &Turn,
    displaced: Option<Displaced>,
    seen: Option<&Seen>,
) -> Result<TurnChange, Failure> {
    let (over, pending) = match displaced {
        Some(Displaced::Over(job)) => (Some(job), None),
        Some(Displaced::Pending(turn)) => (None, Some(turn)),
        None => (None, None),
    };
    let wanted = Turn { displaced: pending, ..mine.clone() };
    let change = work.app.store.change_turn(meeting, seen, Some(&wanted)).await?;
    if let TurnChange::Done(Some(taken)) = &change {
        work.turn.set(Some((meeting, taken.clone())));
        if let Some(job) = over {
            hurry(work, &job).await;
        }
    }
    Ok(change)
}

/// Finds the turn that this job took before it changed hands, where it is still there.
pub(super) async fn find(work: &Work, meeting: MeetingId) -> Result<(), Failure> {
    if work.turn.get().is_none() {
        let seen = work.app.store.turn(meeting).await?.filter(|seen| seen.turn.job == work.id);
        work.turn.set(seen.map(|seen| (meeting, seen)));
    }
    Ok(())
}

/// Renews the turn while Zoom is asked.
pub(super) async fn renew(work: &Work) {
    let Some((meeting, seen)) = work.turn.get() else { return };
    match work.app.store.change_turn(meeting, Some(&seen), Some(&seen.turn)).await {
        Ok(TurnChange::Done(_)) => {}
        Ok(TurnChange::Other(_)) => tracing::warn!(meeting.id = meeting.number(), "somebody else has the turn now"),
        Err(error) => tracing::warn!(error = chain(&error), "a turn was not renewed"),
    }
}

/// Passes the turn on, with what others should know about this order. What it displaced gets the turn back if Zoom did
/// not take this order, and is told that it is over otherwise.
pub(super) async fn pass_on(work: &Work, outcome: AuditOutcome, retry: Option<Retry>) {
    let Some((meeting, seen)) = work.turn.get() else { return };
    work.turn.set(None);
    let at = work.app.clock.now();
    let phase = match (retry, outcome) {
        (Some(retry), _) => Some(Phase::Waiting { retry_at: retry.at }),
        (None, AuditOutcome::Accepted | AuditOutcome::Stopped) => Some(Phase::Taken { at }),
        (None, AuditOutcome::Unknown) => Some(Phase::Unknown { at }),
        (None, _) => None,
    };
    let displaced = seen.turn.displaced.as_deref();
    let next = match phase {
        Some(phase) => Some(Turn { phase, displaced: None, ..seen.turn.clone() }),
        None => displaced.cloned(),
    };
    let is_over = next.as_ref().is_some_and(|next| next.job == work.id);
    write(work, meeting, &seen, next.as_ref()).await;
    if let Some(displaced) = displaced.filter(|_| is_over) {
        hurry(work, &displaced.job).await;
    }
}

/// Tries for a while. A turn that cannot be passed on runs out soon, and others lose no more than what they would have
/// been told about it.
async fn write(work: &Work, meeting: MeetingId, seen: &Seen, next: Option<&Turn>) {
    let mut wait = Wait::new(Turn::LEASE);
    loop {
        match work.app.store.change_turn(meeting, Some(seen), next).await {
            Ok(TurnChange::Done(_)) => return,
            Ok(TurnChange::Other(_)) => {
                return tracing::warn!(meeting.id = meeting.number(), "the turn ran out before it was passed on");
            }
            Err(error) => tracing::warn!(error = chain(&error), "a turn is not passed on yet"),
        }
        if !wait.again().await {
            return;
        }
    }
}

/// Lets an order that waited learn now that it is over. Else it learns when its next try is due.
async fn hurry(work: &Work, job: &JobId) {
    if let Err(error) = work.app.store.hurry(job).await {
        tracing::warn!(error = chain(&error), "an order that is over hears of it later");
    }
}
