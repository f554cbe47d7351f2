//! Linking a Zoom account to a Slack user, in the browser: the confirm page, and Zoom's way back.
//!
//! The `state` was made for one Slack user and is stored hashed. Showing the confirm page does not spend it, so a
//! program that opens links ahead of people breaks nothing; coming back from Zoom with a code spends it, once.

use super::{Failure, begin, chain, connect, disconnect, tell, token, whoami};
use crate::app::App;
use crate::audit::{AuditOutcome, AuditVerb};
use crate::command::{self, DEFAULT_COMMAND, Verb};
use crate::grant::{Grant, Pending, StateToken};
use crate::id::ZoomUserId;
use crate::invocation::Invocation;
use crate::reply::{Page, Reply};
use crate::secret::Secret;
use crate::{store, zoom};

/// What Zoom sent the browser back with.
#[derive(Debug)]
pub struct Callback {
    /// The state given to Zoom.
    pub state: StateToken,
    /// The authorization code, or none where the person said no.
    pub code: Option<Secret>,
    /// Whether this browser has shown the confirm page of this state, as far as that can be known.
    pub browser: Browser,
}

/// Whether the browser that comes back is the one that confirmed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Browser {
    /// It has shown the confirm page, or is no browser at all.
    Confirmed,
    /// It has not: somebody may have been sent Zoom's page without ours.
    Other,
}

/// A page, and the command's name as the workspace of its reader has it.
#[derive(Debug)]
pub struct Shown {
    /// What to show.
    pub page: Page,
    /// With its slash; the usual name where the workspace is not known.
    pub command: String,
}

impl Shown {
    fn new(page: Page, pending: Option<&Pending>) -> Self {
        let command = pending.map_or(DEFAULT_COMMAND, |pending| &pending.invocation.command);
        Self { page, command: command.to_owned() }
    }
}

/// The page that names the Slack user and leads on to Zoom.
pub async fn confirm(app: &App, state: &StateToken) -> Shown {
    let pending = match offered(app, state).await {
        Err(failure) => return store_away(&failure, None),
        Ok(pending) => pending,
    };
    let page = pending.as_ref().map_or(Page::LinkOver, |pending| Page::ConfirmConnect {
        user_name: pending.user_name.clone(),
        team_domain: pending.team_domain.clone(),
        waiting: connect::waiting(&pending.invocation),
        authorize_url: app.zoom.authorize_url(state.expose(), &pending.verifier),
    });
    Shown::new(page, pending.as_ref())
}

/// Zoom's way back: exchanges the code, stores the grant and the link, and lets the waiting command run.
pub async fn callback(app: &App, callback: Callback) -> Shown {
    if callback.browser == Browser::Other {
        return Shown::new(Page::OtherBrowser, None);
    }
    let Some(code) = callback.code else { return declined(app, &callback.state).await };
    let pending = match app.store.redeem(&callback.state).await {
        Err(error) => return store_away(&error.into(), None),
        Ok(pending) => pending.filter(|pending| !pending.is_over(app.clock.now())),
    };
    let Some(pending) = pending else { return Shown::new(Page::LinkOver, None) };
    match make(app, &code, &pending).await {
        Ok(grant) => connected(app, &pending, grant).await,
        Err(failed) => {
            record(app, &pending, None, AuditOutcome::LinkFailed).await;
            not_made(&pending, failed)
        }
    }
}

async fn offered(app: &App, state: &StateToken) -> Result<Option<Pending>, Failure> {
    let pending = app.store.offered(state).await?;
    Ok(pending.filter(|pending| !pending.is_over(app.clock.now())))
}

/// The person said no at Zoom. The offer stands, so that they can think again.
async fn declined(app: &App, state: &StateToken) -> Shown {
    match offered(app, state).await {
        Err(failure) => store_away(&failure, None),
        Ok(pending) => {
            let again = pending.as_ref().map(|_| connect::page_link(app, state));
            Shown::new(Page::Declined { again }, pending.as_ref())
        }
    }
}

/// Why a connection was not made.
enum Failed {
    Store(Failure),
    Zoom(zoom::Error),
}

impl From<store::Error> for Failed {
    fn from(error: store::Error) -> Self {
        Self::Store(error.into())
    }
}

impl From<zoom::Error> for Failed {
    fn from(error: zoom::Error) -> Self {
        Self::Zoom(error)
    }
}

async fn make(app: &App, code: &Secret, pending: &Pending) -> Result<Grant, Failed> {
    let tokens = app.zoom.exchange(code, &pending.verifier).await?;
    let user = app.zoom.me(&tokens.access).await?;
    let grant = Grant { user, tokens };
    let zoom_user = &grant.user.id;
    let replaced = token::alone(app, zoom_user, async || {
        // The grant first: a link to a grant that is not there would ask people to connect again.
        app.store.save_grant(&grant).await?;
        app.store.link(&pending.person, zoom_user).await
    });
    let replaced = replaced.await.map_err(Failed::Store)?;
    if let Some(former) = replaced.filter(|former| former.left == 0)
        && let Err(failure) = disconnect::forget(app, &former.zoom_user).await
    {
        tracing::warn!(error = chain(&failure), "a grant that nobody uses is still stored");
    }
    Ok(grant)
}

fn not_made(pending: &Pending, failed: Failed) -> Shown {
    let error = match failed {
        Failed::Store(failure) => return store_away(&failure, Some(pending)),
        Failed::Zoom(error) => error,
    };
    let reference = pending.invocation.reference.clone();
    tracing::warn!(%reference, error = chain(&error), "a connection was not made");
    let page = if error.is_transient() { Page::ZoomAway { reference } } else { Page::ZoomRefused { reference } };
    Shown::new(page, Some(pending))
}

async fn connected(app: &App, pending: &Pending, grant: Grant) -> Shown {
    record(app, pending, Some(&grant.user.id), AuditOutcome::Connected).await;
    let running = resume(app, pending.invocation.clone(), &grant).await;
    let page = Page::Connected {
        user_name: pending.user_name.clone(),
        team_domain: pending.team_domain.clone(),
        running,
        lacks_scope: grant.tokens.lacks_livestream_scope(),
        account: grant.user,
    };
    Shown::new(page, Some(pending))
}

/// Runs the command that waited, as its own person and read afresh; tells a bare `connect` how it ended.
async fn resume(app: &App, invocation: Invocation, grant: &Grant) -> Option<Verb> {
    let age = app.clock.now().duration_since(invocation.received_at);
    let verb = connect::waiting(&invocation).filter(|_| age <= Pending::LIFE);
    let command = verb.and_then(|_| command::parse(invocation.text.as_str()).ok());
    let Some(command) = command else {
        tell_later(app, invocation, grant.clone());
        return None;
    };
    match app.place() {
        Some(place) => {
            begin(app, invocation, command, place);
            verb
        }
        None => {
            tell(app, &invocation, &Reply::Busy).await;
            None
        }
    }
}

/// Says in Slack, too, that the account is connected. The page does not wait for it.
fn tell_later(app: &App, invocation: Invocation, grant: Grant) {
    let inner = app.clone();
    let work = async move {
        match whoami::describe(&inner, grant).await {
            Ok(reply) => tell(&inner, &invocation, &reply).await,
            Err(failure) => tracing::warn!(error = chain(&failure), "connected, but not told in Slack"),
        }
    };
    drop(app.spawn(work));
}

async fn record(app: &App, pending: &Pending, zoom_user: Option<&ZoomUserId>, outcome: AuditOutcome) {
    let mut entry = super::entry(app, &pending.invocation, AuditVerb::Link, None, outcome);
    entry.zoom_user = zoom_user.cloned();
    app.record(&entry).await;
}

fn store_away(failure: &Failure, pending: Option<&Pending>) -> Shown {
    tracing::error!(error = chain(failure), "a page could not be made: the store failed");
    Shown::new(Page::StoreAway, pending)
}
