//! The Cancel button of an order that waits for its next try.

use super::{Done, Failure};
use crate::app::App;
use crate::audit::AuditOutcome;
use crate::id::JobId;
use crate::invocation::Invocation;
use crate::meeting::MeetingId;
use crate::reply::{Cancelled, Reply};
use crate::store::TurnChange;
use crate::turn::{Phase, Turn};

/// Gives up what waits, if it still does. The state is read at the press: a message in a channel may be old.
pub(super) async fn cancel(
    app: &App,
    invocation: &Invocation,
    meeting: MeetingId,
    job: &JobId,
) -> Result<Done, Failure> {
    let told = |turn: &Turn, how| {
        let outcome = if how == Cancelled::Now { AuditOutcome::Cancelled } else { AuditOutcome::Told };
        let (action, asked_by) = (turn.action, turn.person.user.clone());
        Done::new(Reply::Cancelled { how, by: invocation.person.user.clone(), meeting, action, asked_by }, outcome)
    };
    loop {
        let seen = app.store.turn(meeting).await?;
        let Some(seen) = seen.filter(|seen| seen.turn.job == *job) else {
            return Ok(Done::new(Reply::NothingToCancel { meeting }, AuditOutcome::Told));
        };
        match &seen.turn.phase {
            // Already given up: by this press before its process died, or by another one a moment ago.
            Phase::Cancelled => return Ok(told(&seen.turn, Cancelled::Now)),
            Phase::Waiting { .. } => {}
            Phase::Working => return Ok(told(&seen.turn, Cancelled::TooLate)),
            Phase::Taken { .. } | Phase::Unknown { .. } => {
                return Ok(Done::new(Reply::NothingToCancel { meeting }, AuditOutcome::Told));
            }
        }
        if !may(app, invocation, &seen.turn).await? {
            return Ok(told(&seen.turn, Cancelled::NotTheirs));
        }
        let wanted = Turn { phase: Phase::Cancelled, ..seen.turn.clone() };
        if let TurnChange::Done(_) = app.store.change_turn(meeting, Some(&seen), Some(&wanted)).await? {
            return Ok(told(&wanted, Cancelled::Now));
        }
    }
}

/// Whoever asked for it, and their colleagues who have a Zoom account connected: those who could type a stop.
async fn may(app: &App, invocation: &Invocation, turn: &Turn) -> Result<bool, Failure> {
    let person = &invocation.person;
    Ok(*person == turn.person || (person.is_colleague_of(&turn.person) && app.store.link_of(person).await?.is_some()))
}
