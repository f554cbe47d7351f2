//! `/stream disconnect`: the link goes, and with the last one the grant, here and at Zoom.
//!
//! The link goes last: whatever fails before it, and a process that is killed in between, leaves a link from which the
//! same command can be given again.

use super::token::{self, Held};
use super::{Done, Failure};
use crate::app::App;
use crate::audit::AuditOutcome;
use crate::id::ZoomUserId;
use crate::invocation::Invocation;
use crate::reply::{Disconnected, Reply};

pub(super) async fn disconnect(app: &App, invocation: &Invocation) -> Result<Done, Failure> {
    let Some(zoom_user) = app.store.link_of(&invocation.person).await? else {
        return Ok(Done::new(Reply::NotConnected, AuditOutcome::Told));
    };
    let held = token::hold(app, &zoom_user).await?;
    let result = take_apart(app, invocation, &held, &zoom_user).await;
    held.release().await;
    let disconnected = result?;
    let outcome = match disconnected {
        Disconnected::StillShared | Disconnected::Revoked => AuditOutcome::Disconnected,
        Disconnected::NotRevokedAtZoom => AuditOutcome::DisconnectedNotRevoked,
    };
    let mut done = Done::new(Reply::Disconnected(disconnected), outcome);
    done.zoom_user = Some(zoom_user);
    Ok(done)
}

async fn take_apart(
    app: &App,
    invocation: &Invocation,
    held: &Held<'_>,
    zoom_user: &ZoomUserId,
) -> Result<Disconnected, Failure> {
    let shared = app.store.linked_count(zoom_user).await? > 1;
    let disconnected = if shared { Disconnected::StillShared } else { held.end().await? };
    app.store.unlink(&invocation.person).await?;
    Ok(disconnected)
}

/// Ends a grant that nobody is linked to any more.
pub(super) async fn end_if_unused(app: &App, zoom_user: &ZoomUserId) -> Result<(), Failure> {
    let held = token::hold(app, zoom_user).await?;
    let result = match app.store.linked_count(zoom_user).await {
        // Somebody may have connected the same Zoom account meanwhile, with a grant of its own.
        Ok(0) => held.end().await.map(|_| ()),
        Ok(_) => Ok(()),
        Err(error) => Err(error.into()),
    };
    held.release().await;
    result
}
