//! `/stream stop`: take a meeting off air; and the confirmation of a stop that one person alone may not give.

use super::order::{self, Ordered};
use super::work::Work;
use super::{Done, Failure, policy, stream};
use crate::audit::AuditOutcome;
use crate::meeting::MeetingId;
use crate::policy::Act;
use crate::reply::{ConfirmStop, NotConfirmed, Reply};
use crate::stream::State;

pub(super) async fn stop(work: &Work, meeting: MeetingId) -> Result<Done, Failure> {
    order::carry_out(work, Ordered::stop(meeting)).await
}

/// Stops it as whoever confirms it, who needs a Zoom account that may, as for a stop of their own.
pub(super) async fn confirm(work: &Work, stop: &ConfirmStop) -> Result<Done, Failure> {
    let invocation = &*work.invocation;
    let not_done = |why| {
        let reply = Reply::NotConfirmed { meeting: stop.meeting, why };
        Ok(Done::new(reply, AuditOutcome::Denied))
    };
    // What may have been sent already is sent again or told as unknown, and not judged anew.
    if !work.is_doubtful() {
        if !stop.asked_by.is_colleague_of(&invocation.person) {
            return not_done(NotConfirmed::NotHere);
        }
        match policy::allowed(&work.app, invocation, Act::Stop).await? {
            Ok(policy) => work.keep_rules(&policy),
            Err(denied) => return Ok(policy::end(denied)),
        }
        if stop.asked_by == invocation.person {
            return not_done(NotConfirmed::SamePerson);
        }
        if invocation.received_at > stop.until {
            return not_done(NotConfirmed::TooLate);
        }
        let stream = stream::known(&work.app, stop.meeting).await?.filter(|stream| stream.is_of(&stop.stream));
        if stream.is_none_or(|stream| matches!(stream.state, State::Ended { .. } | State::Failed { .. })) {
            return not_done(NotConfirmed::Over);
        }
    }
    order::carry_out(work, Ordered::stop(stop.meeting)).await
}
