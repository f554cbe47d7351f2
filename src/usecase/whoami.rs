//! `/stream whoami`: which Zoom account is connected, and whether it can do its work.

use super::token::{self, Token};
use super::{Done, Failure, connect};
use crate::app::App;
use crate::audit::AuditOutcome;
use crate::grant::Grant;
use crate::invocation::Invocation;
use crate::reply::{ConnectWhy, Reply};

pub(super) async fn whoami(app: &App, invocation: &Invocation) -> Result<Done, Failure> {
    let Some(zoom_user) = app.store.link_of(&invocation.person).await? else {
        return Ok(Done::new(Reply::NotConnected, AuditOutcome::Told));
    };
    let Some(grant) = token::stored(app, &zoom_user).await? else {
        return connect::offer(app, invocation, ConnectWhy::Ended).await;
    };
    // Asking keeps a connection that nobody used for long. Where Zoom does not renew it now, it stays as it is.
    let grant = match grant.tokens.end_soon(app.clock.now()) {
        false => grant,
        true => match token::live(app, &zoom_user, None).await? {
            Token::Live(grant) | Token::Away { grant, .. } => grant,
            Token::Over => return connect::offer(app, invocation, ConnectWhy::Ended).await,
        },
    };
    let reply = describe(app, grant).await?;
    let mut done = Done::new(reply, AuditOutcome::Told);
    done.zoom_user = Some(zoom_user);
    Ok(done)
}

/// What a person is told about their connection.
pub(super) async fn describe(app: &App, grant: Grant) -> Result<Reply, Failure> {
    let shared_with = app.store.linked_count(&grant.user.id).await?.saturating_sub(1);
    Ok(Reply::Whoami { account: grant.user, shared_with, lacks_scope: grant.tokens.lacks_livestream_scope() })
}
