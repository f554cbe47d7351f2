//! Linking a Zoom account to a Slack user, in the browser: the confirm page, and Zoom's way back.
//!
//! The `state` was made for one Slack user and is stored hashed. Showing the confirm page does not spend it, so a
//! program that opens links ahead of people breaks nothing; coming back from Zoom with a code spends it, once.

use std::time::Duration;

use super::token::Held;
use super::work::NewJob;
use super::{Failure, Task, chain, connect, disconnect, hold, log_zoom, tell, token, whoami, work};
use crate::app::App;
use crate::audit::{AuditOutcome, AuditVerb};
use crate::command::{self, DEFAULT_COMMAND, Verb};
use crate::grant::{Grant, Pending, StateToken, Tokens, ZoomUser};
use crate::id::{Reference, ZoomUserId};
use crate::invocation::Invocation;
use crate::journal::{Job, Stage};
use crate::reply::{Page, Reply};
use crate::secret::Secret;
use crate::store::Unlinked;
use crate::{store, zoom};

/// What Zoom sent the browser back with.
#[derive(Debug)]
pub struct Callback {
    /// The state given to Zoom.
    pub state: StateToken,
    /// What Zoom says.
    pub answer: Answer,
    /// Whether this browser has shown the confirm page of this state, as far as that can be known.
    pub browser: Browser,
}

/// What Zoom says through the browser.
#[derive(Debug)]
pub enum Answer {
    /// The authorization code.
    Code(Secret),
    /// The person said no (`access_denied`).
    Declined,
    /// Something went wrong at Zoom.
    Failed,
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
///
/// It runs to its end in a task of its own: a browser that is closed in the middle must not lose the pair of tokens
/// that Zoom has just given, which ended every earlier one.
pub async fn callback(app: &App, callback: Callback) -> Shown {
    let inner = app.clone();
    let whole = async move { come_back(&inner, callback).await };
    app.spawn(whole).await.unwrap_or_else(|_| store_away(&Failure::Panicked, None))
}

async fn come_back(app: &App, callback: Callback) -> Shown {
    if callback.browser == Browser::Other {
        return Shown::new(Page::OtherBrowser, None);
    }
    let code = match callback.answer {
        Answer::Code(code) => code,
        Answer::Declined => return declined(app, &callback.state).await,
        Answer::Failed => {
            let reference = Reference::random();
            tracing::warn!(%reference, "Zoom sent a browser back with an error of its own");
            return Shown::new(Page::ZoomRefused { reference }, None);
        }
    };
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
    let user = match who(app, &tokens).await {
        Ok(user) => user,
        Err(error) => {
            // Whose they are is not known, so they cannot be kept, and nobody else should have them.
            if let Err(error) = app.zoom.revoke(&tokens.access).await {
                log_zoom(&error, "revoke");
            }
            return Err(error.into());
        }
    };
    let grant = Grant { user, tokens, since: Some(app.clock.now()), warned: Vec::new() };
    let held = hold(app, &grant).await?;
    let linked = link(app, &held, &grant, pending).await;
    held.release().await;
    if let Some(former) = linked?.filter(|former| former.left == 0)
        && let Err(failure) = disconnect::end_if_unused(app, &former.zoom_user).await
    {
        tracing::warn!(error = chain(&failure), "a grant that nobody uses is still stored");
    }
    Ok(grant)
}

/// Asks whose tokens these are, again where Zoom is away for a moment: Zoom has ended the earlier pair by now.
async fn who(app: &App, tokens: &Tokens) -> Result<ZoomUser, zoom::Error> {
    const TRIES: u32 = 3;
    let mut attempt = 1;
    loop {
        match app.zoom.me(&tokens.access).await {
            Err(error) if error.is_transient() && attempt < TRIES => {
                log_zoom(&error, "learn who connected");
                tokio::time::sleep(Duration::from_millis(300) * attempt).await;
                attempt += 1;
            }
            result => return result,
        }
    }
}

/// Takes the grant into one's hands, trying again for two minutes: the pair that was just bought ended the earlier one,
/// so it must not be lost to a store that is away or to somebody who holds on. A pair that cannot be kept is revoked.
async fn hold<'a>(app: &'a App, grant: &Grant) -> Result<Held<'a>, Failed> {
    let give_up = tokio::time::Instant::now() + Duration::from_secs(120);
    loop {
        let failure = match token::hold(app, &grant.user.id).await {
            Ok(held) => return Ok(held),
            Err(failure) => failure,
        };
        if tokio::time::Instant::now() > give_up {
            if let Err(error) = app.zoom.revoke(&grant.tokens.access).await {
                log_zoom(&error, "revoke");
            }
            return Err(Failed::Store(failure));
        }
        tracing::warn!(error = chain(&failure), "a new grant is not stored yet");
        tokio::time::sleep(Duration::from_secs(1)).await;
    }
}

async fn link(app: &App, held: &Held<'_>, grant: &Grant, pending: &Pending) -> Result<Option<Unlinked>, Failed> {
    // The grant first: a link to a grant that is not there would ask people to connect again.
    held.keep(grant).await.map_err(Failed::Store)?;
    Ok(app.store.link(&pending.person, &grant.user.id).await?)
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
    if command.is_none() {
        tell_later(app, invocation, grant.clone());
        return None;
    }
    let Some(place) = app.place() else {
        tell(app, &invocation, &Reply::Busy).await;
        return None;
    };
    // Its time begins now: how long a person took at Zoom is not how long the command was left lying.
    let invocation = Invocation { received_at: app.clock.now(), waited: age, ..invocation };
    let job = Job::Command { invocation: Box::new(invocation.clone()), stage: Stage::Accepted };
    let new = NewJob::new(job);
    match app.store.journal(&new.id, &new.job, &new.owner, hold::LEASE).await {
        Ok(()) => {
            work::begin(app, new, place);
            verb
        }
        Err(error) => {
            tracing::error!(error = chain(&error), "a waiting command was not accepted: the store failed");
            tell(app, &invocation, &Reply::NotAccepted).await;
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
    let mut entry = super::entry(app, &pending.invocation, &Task::Senseless, outcome);
    entry.verb = AuditVerb::Link;
    entry.zoom_user = zoom_user.cloned();
    app.record(&entry).await;
}

fn store_away(failure: &Failure, pending: Option<&Pending>) -> Shown {
    tracing::error!(error = chain(failure), "a page could not be made: the store failed");
    Shown::new(Page::StoreAway, pending)
}
