//! Linking a Zoom account to a Slack user, in the browser: the confirm page, and Zoom's way back.
//!
//! The `state` was made for one Slack user and is stored hashed. Showing the confirm page does not spend it, so a
//! program that opens links ahead of people breaks nothing; coming back from Zoom with a code spends it, once.

use std::time::Duration;

use tracing::Instrument as _;

use super::record::record;
use super::revoke::By;
use super::token::Held;
use super::unlinked::Unlinking;
use super::work::NewJob;
use super::{Failure, Task, chain, connect, disconnect, hold, home, log_zoom, tell, token, whoami, work};
use crate::app::App;
use crate::audit::{AuditEntry, AuditOutcome, AuditVerb};
use crate::command::{self, DEFAULT_COMMAND, Verb};
use crate::grant::{Grant, Pending, StateToken, Tokens, ZoomUser, nonce};
use crate::id::{Reference, ZoomUserId};
use crate::invocation::Invocation;
use crate::journal::{Job, Stage};
use crate::reply::{NextPage, Page, Reply};
use crate::secret::Secret;
use crate::store::FormerLink;
use crate::{slack, store, zoom};

/// What Zoom sent the browser back with.
#[derive(Debug)]
pub struct Callback {
    /// The state given to Zoom.
    pub state: StateToken,
    /// What Zoom says.
    pub answer: Answer,
    /// What the browser shows.
    pub shows: Shows,
}

/// What a browser shows of itself.
#[derive(Debug)]
pub struct Shows {
    /// The mark that it was given with the confirm page of this state, if it has one.
    pub mark: Option<Secret>,
    /// Whether it is a browser at all. What is none cannot be led here against its will.
    pub is_browser: bool,
}

/// What Zoom, or Slack, says through the browser.
#[derive(Clone, Debug)]
pub enum Answer {
    /// The authorization code.
    Code(Secret),
    /// The person said no (`access_denied`).
    Declined,
    /// Something went wrong there.
    Failed,
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

/// The page that names the Slack user and leads on to Zoom; where people sign in, by way of Slack. `mark` is the browser's.
pub async fn confirm(app: &App, state: &StateToken, mark: &Secret) -> Shown {
    let pending = match offered(app, state).await {
        Err(failure) => return store_away(&failure, None),
        Ok(pending) => pending,
    };
    let page = pending.as_ref().map_or(Page::LinkOver, |pending| Page::ConfirmConnect {
        user_name: pending.user_name.clone(),
        team_domain: pending.team_domain.clone(),
        waiting: connect::waiting(&pending.invocation),
        next: match app.slack.sign_in_url(state.expose(), &nonce(mark), &pending.person) {
            Some(sign_in) => NextPage::Slack(sign_in),
            None => NextPage::Zoom(app.zoom.authorize_url(state.expose(), &pending.verifier)),
        },
    });
    Shown::new(page, pending.as_ref())
}

/// Where a browser goes that comes back from signing in to Slack.
#[derive(Debug)]
pub enum SignedIn {
    /// On to Zoom.
    On(Secret),
    /// Nowhere.
    Not(Shown),
}

/// Slack's way back: lets the browser go on to Zoom if it is the one that has shown the confirm page, and Slack says that
/// it is the person's who asked.
pub async fn signed_in(app: &App, state: &StateToken, answer: Answer, mark: Option<Secret>) -> SignedIn {
    match try_sign_in(app, state, answer, mark).await {
        Ok(signed_in) => signed_in,
        Err(failure) => SignedIn::Not(store_away(&failure, None)),
    }
}

async fn try_sign_in(app: &App, state: &StateToken, answer: Answer, mark: Option<Secret>) -> Result<SignedIn, Failure> {
    let Some(pending) = offered(app, state).await? else { return Ok(SignedIn::Not(Shown::new(Page::LinkOver, None))) };
    let not = |page| Ok(SignedIn::Not(Shown::new(page, Some(&pending))));
    let Some(mark) = mark else { return Ok(SignedIn::Not(Shown::new(Page::OtherBrowser, None))) };
    let reference = pending.invocation.reference.clone();
    let code = match answer {
        Answer::Code(code) => code,
        Answer::Declined => return not(Page::NotSignedIn { again: Some(connect::page_link(app, state)) }),
        Answer::Failed => {
            tracing::warn!(%reference, "Slack sent a browser back with an error of its own");
            return not(Page::SlackRefused { reference });
        }
    };
    match app.slack.prove(&code, &nonce(&mark), &pending.person, app.clock.now()).await {
        Ok(()) => {}
        Err(slack::NotProven::SomebodyElse) => {
            tracing::warn!(%reference, "a link to connect was opened by somebody else than who asked for it");
            write_down(app, &pending, AuditOutcome::SomebodyElse).await;
            return not(Page::SomebodyElse);
        }
        Err(slack::NotProven::OtherBrowser) => return not(Page::OtherBrowser),
        Err(error) => {
            tracing::warn!(%reference, error = chain(&error), "whose a browser is was not proven");
            let is_away = matches!(&error, slack::NotProven::Slack(error) if error.retry_in().is_some());
            write_down(app, &pending, AuditOutcome::LinkFailed).await;
            return not(if is_away { Page::SlackAway { reference } } else { Page::SlackRefused { reference } });
        }
    }
    Ok(match app.store.prove(state, &mark).await? {
        Some(proven) => SignedIn::On(app.zoom.authorize_url(state.expose(), &proven.verifier)),
        None => SignedIn::Not(Shown::new(Page::LinkOver, None)),
    })
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
    match is_theirs(app, &callback).await {
        Ok(true) => {}
        Ok(false) => return Shown::new(Page::OtherBrowser, None),
        Err(failure) => return store_away(&failure, None),
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
    // What is logged about it is found by what the person was shown.
    let span = tracing::info_span!("link", reference = %pending.invocation.reference);
    redeemed(app, &code, &pending).instrument(span).await
}

async fn redeemed(app: &App, code: &Secret, pending: &Pending) -> Shown {
    match make(app, code, pending).await {
        Ok(grant) => connected(app, pending, grant).await,
        Err(failed) => {
            write_down(app, pending, AuditOutcome::LinkFailed).await;
            not_made(pending, failed)
        }
    }
}

/// Whether the browser that comes back from Zoom is the one that confirmed: where people sign in, the one in which Slack
/// said whose it is; elsewhere one that has shown the page. What came past that was led here by somebody else's link.
async fn is_theirs(app: &App, callback: &Callback) -> Result<bool, Failure> {
    let Shows { mark, is_browser } = &callback.shows;
    if !app.slack.can_be_installed() {
        return Ok(mark.is_some() || !is_browser);
    }
    let pending = offered(app, &callback.state).await?;
    // A link that is over is told as one.
    Ok(pending.is_none_or(|pending| pending.proven_in.is_some() && pending.proven_in == *mark))
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
    /// The app was taken out of the workspace meanwhile.
    Gone,
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
    let by = By { person: pending.person.clone(), reference: pending.invocation.reference.clone() };
    let (held, mut unlinking) = hold(app, &grant, &by).await?;
    let linked = link(app, &held, &grant, pending).await;
    if let Ok(Some(former)) = &linked {
        unlinking.add(former.zoom_user.clone()).await;
    }
    held.release().await;
    if is_gone(app, pending).await? {
        // Whoever forgot what belongs to the place has not seen this.
        disconnect::take_out(app, &by, &grant.user.id).await.map_err(Failed::Store)?;
        unlinking.end().await;
        return Err(Failed::Gone);
    }
    linked?;
    unlinking.end().await;
    Ok(grant)
}

/// Whether the app was taken out since the connection was offered.
async fn is_gone(app: &App, pending: &Pending) -> Result<bool, Failed> {
    let removed = app.store.removed_from(&pending.person.workspace()).await?;
    Ok(removed.is_some_and(|at| pending.offered_at.as_second() <= at.as_second()))
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

/// Takes the grant into one's hands, and has the journal know what may be unlinked by it, trying again for two minutes: the
/// pair that was just bought ended the earlier one, so it must not be lost to a store that is away or to somebody who holds
/// on. A pair that cannot be kept is revoked.
async fn hold<'a>(app: &'a App, grant: &Grant, by: &By) -> Result<(Held<'a>, Unlinking), Failed> {
    let give_up = tokio::time::Instant::now() + Duration::from_secs(120);
    loop {
        let failure = match try_hold(app, grant, by).await {
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

async fn try_hold<'a>(app: &'a App, grant: &Grant, by: &By) -> Result<(Held<'a>, Unlinking), Failure> {
    let held = token::hold(app, &grant.user.id).await?;
    match Unlinking::begin(app, by, &grant.user.id).await {
        Ok(unlinking) => Ok((held, unlinking)),
        Err(error) => {
            held.release().await;
            Err(error.into())
        }
    }
}

async fn link(app: &App, held: &Held<'_>, grant: &Grant, pending: &Pending) -> Result<Option<FormerLink>, Failed> {
    // The grant first: a link to a grant that is not there would ask people to connect again.
    held.keep(grant).await.map_err(Failed::Store)?;
    let entry = entry(app, pending, Some(&grant.user.id), AuditOutcome::Connected);
    let former = app.store.link(&pending.person, &grant.user.id, Some(&entry)).await?;
    app.log(&entry);
    Ok(former)
}

fn not_made(pending: &Pending, failed: Failed) -> Shown {
    let error = match failed {
        Failed::Store(failure) => return store_away(&failure, Some(pending)),
        Failed::Zoom(error) => error,
        Failed::Gone => return Shown::new(Page::LinkOver, Some(pending)),
    };
    let reference = pending.invocation.reference.clone();
    tracing::warn!(%reference, error = chain(&error), "a connection was not made");
    let page = if error.is_transient() { Page::ZoomAway { reference } } else { Page::ZoomRefused { reference } };
    Shown::new(page, Some(pending))
}

async fn connected(app: &App, pending: &Pending, grant: Grant) -> Shown {
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
        if invocation.is_from_home() {
            home::publish(&inner, &invocation.person);
        }
    };
    drop(app.spawn(work.in_current_span()));
}

async fn write_down(app: &App, pending: &Pending, outcome: AuditOutcome) {
    record(app, entry(app, pending, None, outcome)).await;
}

fn entry(app: &App, pending: &Pending, zoom_user: Option<&ZoomUserId>, outcome: AuditOutcome) -> AuditEntry {
    let entry = super::entry(app, &pending.invocation, &Task::Senseless, outcome);
    AuditEntry { verb: AuditVerb::Link, zoom_user: zoom_user.cloned(), ..entry }
}

fn store_away(failure: &Failure, pending: Option<&Pending>) -> Shown {
    tracing::error!(error = chain(failure), "a page could not be made: the store failed");
    Shown::new(Page::StoreAway, pending)
}
