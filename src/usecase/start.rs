//! `/stream start`: put a meeting on air, or show what would be sent.

use super::order::{self, Ordered};
use super::work::Work;
use super::{Done, Failure, connect, lend, token};
use crate::app::App;
use crate::audit::AuditOutcome;
use crate::command::{Run, Start};
use crate::invocation::Invocation;
use crate::reply::{ConnectWhy, Reply};

pub(super) async fn start(work: &Work, start: &Start) -> Result<Done, Failure> {
    let ordered = Ordered::start(start);
    match start.run {
        Run::Real => order::carry_out(work, ordered).await,
        Run::Dry => dry_run(&work.app, &work.invocation, ordered).await,
    }
}

/// Shows the request of the real builder. Zoom is not asked, not even for a fresh token.
async fn dry_run(app: &App, invocation: &Invocation, ordered: Ordered) -> Result<Done, Failure> {
    let Some(acting) = lend::acting(app, &invocation.person, ordered.meeting).await? else {
        return connect::offer(app, invocation, ConnectWhy::FirstTime).await;
    };
    let Some(grant) = token::stored(app, &acting.zoom_user).await? else {
        return match acting.on_behalf_of {
            Some(lender) => Ok(lend::lender_cannot(&ordered, lender, AuditOutcome::Reconnect)),
            None => connect::offer(app, invocation, ConnectWhy::Ended).await,
        };
    };
    let room = order::remembered_room(app, ordered.meeting).await?;
    let request = app.zoom.preview(&ordered.to(room));
    let mut done = Done::new(Reply::DryRun { request, account: grant.user }, AuditOutcome::DryRun);
    (done.zoom_user, done.on_behalf_of) = (Some(acting.zoom_user), acting.on_behalf_of);
    Ok(done)
}
