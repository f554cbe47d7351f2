//! The Cancel button of an order that waits for its next try.

use super::stream::{Note, What};
use super::work::Work;
use super::{Done, Failure, lend, policy, turn};
use crate::app::App;
use crate::audit::AuditOutcome;
use crate::id::JobId;
use crate::invocation::Invocation;
use crate::meeting::MeetingId;
use crate::policy::Act;
use crate::reply::{Cancelled, Reply};
use crate::turn::{Phase, Turn};

/// Gives up what waits, if it still does. The state is read at the press: a message in a channel may be old.
pub(super) async fn cancel(work: &Work, meeting: MeetingId, job: &JobId) -> Result<Done, Failure> {
    let (app, invocation, press) = (&work.app, &*work.invocation, &work.hold.id);
    let seen = app.store.turn(meeting).await?;
    let Some(turn) = seen.as_ref().and_then(|seen| seen.value.of(job)) else { return Ok(nothing(meeting)) };
    let told = |how| {
        let outcome = if how == Cancelled::Now { AuditOutcome::Cancelled } else { AuditOutcome::Told };
        let (by, asked_by) = (invocation.person.user.clone(), turn.person.user.clone());
        Done::new(Reply::Cancelled { how, by, meeting, action: turn.action, asked_by }, outcome)
    };
    let waits = match &turn.phase {
        Phase::Working | Phase::Waiting { .. } => true,
        // By this very press, before its process died.
        Phase::Over { press: Some(by) } if by == press => true,
        Phase::Over { .. } | Phase::Taken { .. } | Phase::Unknown { .. } => false,
    };
    if !waits {
        return Ok(nothing(meeting));
    }
    if !may(app, invocation, meeting, turn).await? {
        let how =
            if turn.person.is_colleague_of(&invocation.person) { Cancelled::NotTheirs } else { Cancelled::NotHere };
        return Ok(told(how));
    }
    // It is a stop of what is not on air yet. Whoever asked for something may always take that back.
    if invocation.person != turn.person
        && let Err(denied) = policy::allowed(app, invocation, Act::Stop).await?
    {
        return Ok(policy::end(denied));
    }
    let is_given_up = match &turn.phase {
        Phase::Working => return Ok(told(Cancelled::TooLate)),
        Phase::Waiting { .. } => turn::give_up(app, meeting, job, Some(press)).await?,
        Phase::Over { .. } | Phase::Taken { .. } | Phase::Unknown { .. } => true,
    };
    if !is_given_up {
        return Ok(nothing(meeting));
    }
    let mut done = told(Cancelled::Now);
    done.note = Some(Note { meeting, what: What::Cancelled { job: job.clone() } });
    Ok(done)
}

fn nothing(meeting: MeetingId) -> Done {
    Done::new(Reply::NothingToCancel { meeting }, AuditOutcome::Told)
}

/// Whoever asked for it, and their colleagues who have a Zoom account connected, or are lent the meeting: those who could type a stop.
async fn may(app: &App, invocation: &Invocation, meeting: MeetingId, turn: &Turn) -> Result<bool, Failure> {
    let person = &invocation.person;
    Ok(*person == turn.person
        || (person.is_colleague_of(&turn.person) && lend::acting(app, person, meeting).await?.is_some()))
}
