//! `/stream audit`: the last entries about the workspace of whoever asks, for its admins.

use super::{Done, Failure, admin};
use crate::app::App;
use crate::audit::AuditOutcome;
use crate::command::AUDIT_COUNT;
use crate::invocation::Invocation;
use crate::reply::Reply;

pub(super) async fn audit(app: &App, invocation: &Invocation, count: Option<usize>) -> Result<Done, Failure> {
    if let Some(denied) = admin::only(app, &invocation.person).await? {
        return Ok(denied);
    }
    let entries = app.store.latest_audit(&invocation.person.workspace(), count.unwrap_or(AUDIT_COUNT)).await?;
    Ok(Done::new(Reply::Audit(entries), AuditOutcome::Told))
}
