//! `/stream disconnect`: the link goes, and with the last one the grant, here and at Zoom.

use super::token::{self, Token};
use super::{Done, Failure, log_zoom};
use crate::app::App;
use crate::audit::AuditOutcome;
use crate::id::ZoomUserId;
use crate::invocation::Invocation;
use crate::reply::{Disconnected, Reply};

pub(super) async fn disconnect(app: &App, invocation: &Invocation) -> Result<Done, Failure> {
    let Some(unlinked) = app.store.unlink(&invocation.person).await? else {
        return Ok(Done::new(Reply::NotConnected, AuditOutcome::Told));
    };
    let disconnected = match unlinked.left {
        0 => forget(app, &unlinked.zoom_user).await?,
        _ => Disconnected::StillShared,
    };
    let outcome = match disconnected {
        Disconnected::StillShared | Disconnected::Revoked => AuditOutcome::Disconnected,
        Disconnected::NotRevokedAtZoom => AuditOutcome::DisconnectedNotRevoked,
    };
    let mut done = Done::new(Reply::Disconnected(disconnected), outcome);
    done.zoom_user = Some(unlinked.zoom_user);
    Ok(done)
}

/// Revokes a grant at Zoom that nobody uses any more, then deletes it. It is deleted even where Zoom cannot be told.
pub(super) async fn forget(app: &App, zoom_user: &ZoomUserId) -> Result<Disconnected, Failure> {
    // Zoom revokes by access token, and an expired one names nothing: a new one is bought first.
    let revoked = match token::live(app, zoom_user, None).await? {
        Token::Live(grant) => match app.zoom.revoke(&grant.tokens.access).await {
            Ok(()) => Disconnected::Revoked,
            Err(error) => {
                log_zoom(&error, "revoke");
                Disconnected::NotRevokedAtZoom
            }
        },
        Token::Over => Disconnected::Revoked,
        Token::Away { .. } => Disconnected::NotRevokedAtZoom,
    };
    token::alone(app, zoom_user, async || {
        // Somebody may have connected the same Zoom account meanwhile, with a grant of its own.
        if app.store.linked_count(zoom_user).await? == 0 { app.store.delete_grant(zoom_user).await } else { Ok(()) }
    })
    .await?;
    Ok(revoked)
}
