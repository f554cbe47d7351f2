//! Taking one's turn with a meeting, so that one order at a time asks Zoom about it, and passing it on.
//!
//! Who may do what is decided in [`crate::turn`]; this reads, writes, waits and renews.

use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use super::hold::RENEW;
use super::lease::Wait;
use super::order::Ordered;
use super::work::Work;
use super::{Failure, chain};
use crate::app::App;
use crate::audit::AuditOutcome;
use crate::id::{JobId, ZoomUserId};
use crate::journal::Retry;
use crate::meeting::MeetingId;
use crate::outcome::Action;
use crate::store::{Changed, Seen};
use crate::turn::{Displaced, Fingerprint, Phase, Step, Turn};

/// How long to wait for the answer to somebody else's order: longer than nearly all take, and shorter than work may.
const PATIENCE: Duration = Duration::from_secs(60);

/// The turn that a job has, if it has one.
#[derive(Default)]
pub(super) struct Mine(Mutex<Option<(MeetingId, Seen<Turn>)>>);

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
    fn set(&self, mine: Option<(MeetingId, Seen<Turn>)>) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = mine;
    }

    fn get(&self) -> Option<(MeetingId, Seen<Turn>)> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

/// Takes the turn for an order, waiting for another's answer where that has to come first.
pub(super) async fn take(work: &Work, ordered: &Ordered, zoom_user: &ZoomUserId) -> Result<Got, Failure> {
    let mine = Turn {
        job: work.hold.id.clone(),
        action: ordered.action,
        person: work.invocation.person.clone(),
        zoom_user: zoom_user.clone(),
        settings: Fingerprint::from(&ordered.settings),
        asked_at: work.invocation.received_at,
        phase: Phase::Working,
        displaced: None,
    };
    let mut wait = Wait::new(PATIENCE);
    // Most often nobody has it, and one round trip takes it.
    let mut seen: Option<Seen<Turn>> = None;
    loop {
        let current = seen.as_ref().map(|seen| &seen.value);
        match (mine.step(current, work.retry.is_some(), work.app.clock.now()), current) {
            (Step::Go { displaced }, _) => match go(work, ordered.meeting, &mine, displaced, seen.as_ref()).await? {
                Changed::Done(_) => return Ok(Got::Turn),
                Changed::Other(now) => seen = now,
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
    seen: Option<&Seen<Turn>>,
) -> Result<Changed<Turn>, Failure> {
    let wanted = Turn { displaced, ..mine.clone() };
    let change = work.app.store.change_turn(meeting, seen, Some(&wanted)).await?;
    if let Changed::Done(Some(taken)) = &change {
        work.turn.set(Some((meeting, taken.clone())));
    }
    Ok(change)
}

/// Finds the turn that this job took before it changed hands, or before it waited, where it is still there. One that is
/// not found runs out, or is found by those who come next.
pub(super) async fn find(work: &Work, meeting: MeetingId) {
    if work.turn.get().is_some() {
        return;
    }
    let job = &work.hold.id;
    match work.app.store.turn(meeting).await {
        Ok(Some(seen)) if seen.value.job == *job => work.turn.set(Some((meeting, seen))),
        // It must not get the turn back: it is not going to wait any more.
        Ok(Some(seen)) if seen.value.of(job).is_some() => {
            if let Err(failure) = give_up(&work.app, meeting, job, None).await {
                tracing::warn!(error = chain(&failure), "an order that is over seems to wait");
            }
        }
        Ok(_) => {}
        Err(error) => tracing::warn!(error = chain(&error), "a turn was not found again"),
    }
}

/// Does work, renewing the turn meanwhile, if the job has it.
pub(super) async fn during(work: &Work, carried: impl Future<Output = ()>) {
    let renewing = async {
        loop {
            tokio::time::sleep(RENEW).await;
            Box::pin(renew(work)).await;
        }
    };
    tokio::select! {
        () = renewing => {}
        () = carried => {}
    }
}

async fn renew(work: &Work) {
    let Some((meeting, seen)) = work.turn.get() else { return };
    match work.app.store.change_turn(meeting, Some(&seen), Some(&seen.value)).await {
        Ok(Changed::Done(_)) => {}
        // Somebody gave up what this order displaced.
        Ok(Changed::Other(Some(now))) if now.value.job == work.hold.id => work.turn.set(Some((meeting, now))),
        Ok(Changed::Other(_)) => tracing::warn!(meeting.id = meeting.number(), "somebody else has the turn now"),
        Err(error) => tracing::warn!(error = chain(&error), "a turn was not renewed"),
    }
}

/// Whether this order has the turn of somebody who waits and is nobody to it. It does not wait in their place.
pub(super) fn is_guest(work: &Work) -> bool {
    let mine = work.turn.get();
    mine.is_some_and(|(_, seen)| matches!(seen.value.displaced, Some(Displaced::Pending(_))))
}

/// Passes the turn on, with what others should know about this order. Tries for a while: a turn that cannot be passed on
/// runs out soon, and others lose no more than what they would have been told about it.
pub(super) async fn pass_on(work: &Work, outcome: AuditOutcome, retry: Option<Retry>) {
    let Some((meeting, mut seen)) = work.turn.get() else { return };
    work.turn.set(None);
    let at = work.app.clock.now();
    let phase = match (retry, outcome) {
        (Some(retry), _) => Some(Phase::Waiting { retry_at: retry.at }),
        (None, AuditOutcome::Accepted | AuditOutcome::Stopped) => Some(Phase::Taken { at }),
        (None, AuditOutcome::Unknown) => Some(Phase::Unknown { at }),
        (None, _) => None,
    };
    let mut wait = Wait::new(Turn::LEASE);
    loop {
        let (next, over) = seen.value.after(phase.clone());
        match work.app.store.change_turn(meeting, Some(&seen), next.as_ref()).await {
            Ok(Changed::Done(_)) => {
                if let Some(job) = over {
                    hurry(work, &job).await;
                }
                return;
            }
            Ok(Changed::Other(Some(now))) if now.value.job == work.hold.id => seen = now,
            Ok(Changed::Other(_)) => {
                return tracing::warn!(meeting.id = meeting.number(), "the turn ran out before it was passed on");
            }
            Err(error) => {
                tracing::warn!(error = chain(&error), "a turn is not passed on yet");
                if !wait.again().await {
                    return;
                }
            }
        }
    }
}

/// Gives up an order that waits for its next try, by a press if one is given; says whether it still waited.
pub(super) async fn give_up(
    app: &App,
    meeting: MeetingId,
    job: &JobId,
    press: Option<&JobId>,
) -> Result<bool, Failure> {
    let mut seen = app.store.turn(meeting).await?;
    loop {
        let Some(wanted) = seen.as_ref().and_then(|seen| seen.value.without(job, press)) else { return Ok(false) };
        match app.store.change_turn(meeting, seen.as_ref(), Some(&wanted)).await? {
            Changed::Done(_) => return Ok(true),
            Changed::Other(now) => seen = now,
        }
    }
}

/// Forgets that a start was taken a moment ago: it is off air again, so the same start is not one typed twice.
pub(super) async fn forget_start(app: &App, meeting: MeetingId) -> Result<(), Failure> {
    let seen = app.store.turn(meeting).await?;
    let is_taken = |turn: &Turn| turn.action == Action::Start && matches!(turn.phase, Phase::Taken { .. });
    if let Some(seen) = seen.filter(|seen| is_taken(&seen.value)) {
        // Somebody who has the turn by now does not care.
        app.store.change_turn(meeting, Some(&seen), None).await?;
    }
    Ok(())
}

/// Lets an order that waited learn now that it is over. Else it learns when its next try is due.
async fn hurry(work: &Work, job: &JobId) {
    if let Err(error) = work.app.store.hurry(job).await {
        tracing::warn!(error = chain(&error), "an order that is over hears of it later");
    }
}
