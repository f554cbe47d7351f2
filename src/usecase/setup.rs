//! `/stream setup`: a page of the person's own, on which they see and set where a meeting's stream goes.
//!
//! The command gives a link. The page asks who is there, and from the yes on it works in that browser alone; a program
//! that opens links ahead of people can do no harm, and neither can a link that leaks later. Every look asks anew whose
//! account is connected. A change that makes sense uses the page up, and only then is Zoom asked; that it is asked is in the
//! journal by then.

mod ask;

use tracing::Instrument as _;

use self::ask::{Ask, Heard};
use super::deed::Deed;
use super::link::Shown;
use super::record::record;
use super::token::{self, Token};
use super::{Done, Failure, Task, chain, connect, entry, order, policy};
use crate::app::App;
use crate::audit::{AuditEntry, AuditOutcome};
use crate::command::{Command, DEFAULT_COMMAND};
use crate::destination::{Destination, Invitation, Typed};
use crate::grant::{Grant, SET_TARGET_SCOPE, SET_WEBINAR_TARGET_SCOPE, StateToken, ZoomUser, random_secret};
use crate::id::{Reference, ZoomUserId};
use crate::invocation::Invocation;
use crate::meeting::MeetingId;
use crate::outcome::Outcome;
use crate::policy::Act;
use crate::reply::{ConnectWhy, Page, Reply, SetupForm, SetupPage, SlackName, Tried, Values};
use crate::secret::Secret;
use crate::store::{Changed, Seen};
use crate::zoom::Room;

pub(super) async fn setup(app: &App, invocation: &Invocation, meeting: MeetingId) -> Result<Done, Failure> {
    let Some(zoom_user) = app.store.link_of(&invocation.person).await? else {
        return connect::offer(app, invocation, ConnectWhy::FirstTime).await;
    };
    let Some(grant) = token::stored(app, &zoom_user).await? else {
        return connect::offer(app, invocation, ConnectWhy::Ended).await;
    };
    let scope = match order::remembered_room(app, meeting).await? {
        Room::Meeting => SET_TARGET_SCOPE,
        Room::Webinar => SET_WEBINAR_TARGET_SCOPE,
    };
    if grant.tokens.allows(scope) == Some(false) {
        let missing = vec![scope.to_owned()];
        return connect::offer(app, invocation, ConnectWhy::Scope { missing }).await;
    }
    let state = StateToken::generate();
    let (invocation, offered_at) = (invocation.clone(), app.clock.now());
    app.store.invite(&state, &Invitation { meeting, invocation, offered_at, browser: None }).await?;
    let link = Secret::new(format!("{}/zoom/setup?state={}", app.options.base_url, state.expose()));
    let mut done = Done::new(Reply::Setup { link, meeting }, AuditOutcome::Offered);
    done.zoom_user = Some(zoom_user);
    Ok(done)
}

/// What comes of saying yes.
#[derive(Debug)]
pub enum Opened {
    /// The page is this browser's, which has to show this from now on.
    Here(Secret),
    /// It is not.
    Not(Shown),
}

/// What a browser that shows a mark, or none, may do with a page.
enum Access {
    /// Nobody has opened it yet.
    Unopened(Box<Seen<Invitation>>),
    /// It is this browser's.
    Ours(Box<Invitation>),
    /// It is another's.
    Others,
    /// There is none.
    Over,
}

/// The page as it is for this browser. It uses nothing up.
pub async fn show(app: &App, state: &StateToken, mark: Option<&Secret>) -> Shown {
    match access(app, state, mark).await {
        Ok(Access::Unopened(seen)) => shown(Some(&seen.value), confirm(&seen.value, state)),
        Ok(Access::Ours(invitation)) => {
            let page = read(app, &invitation, state).instrument(span(&invitation)).await;
            let page = page.unwrap_or_else(|failure| store_away(&failure));
            shown(Some(&invitation), page)
        }
        Ok(Access::Others) => shown(None, SetupPage::OtherBrowser),
        Ok(Access::Over) => shown(None, SetupPage::Over),
        Err(failure) => shown(None, store_away(&failure)),
    }
}

/// Makes the page this browser's, if it is nobody's yet.
pub async fn open(app: &App, state: &StateToken, mark: Option<Secret>) -> Opened {
    match try_open(app, state, mark).await {
        Ok(Ok(mark)) => Opened::Here(mark),
        Ok(Err(page)) => Opened::Not(shown(None, page)),
        Err(failure) => Opened::Not(shown(None, store_away(&failure))),
    }
}

async fn try_open(app: &App, state: &StateToken, mark: Option<Secret>) -> Result<Result<Secret, SetupPage>, Failure> {
    let mut seen = match (access(app, state, mark.as_ref()).await?, mark) {
        (Access::Unopened(seen), _) => *seen,
        (Access::Ours(_), Some(mark)) => return Ok(Ok(mark)),
        (Access::Ours(_) | Access::Others, _) => return Ok(Err(SetupPage::OtherBrowser)),
        (Access::Over, _) => return Ok(Err(SetupPage::Over)),
    };
    let mark = random_secret();
    loop {
        let wanted = Invitation { browser: Some(mark.clone()), ..seen.value.clone() };
        match app.store.change_invitation(state, &seen, wanted).await? {
            Changed::Done(_) => return Ok(Ok(mark)),
            // Nobody opened it; it came under a new key.
            Changed::Other(Some(other)) if other.value.browser.is_none() => seen = other,
            Changed::Other(Some(_)) => return Ok(Err(SetupPage::OtherBrowser)),
            Changed::Other(None) => return Ok(Err(SetupPage::Over)),
        }
    }
}

/// Sets what was typed, if it makes sense. Only then the page is used up.
///
/// It runs to its end in a task of its own: a browser that is closed in the middle must not lose the audit entry.
pub async fn save(app: &App, state: StateToken, mark: Option<Secret>, typed: Typed) -> Shown {
    let inner = app.clone();
    let whole = async move {
        match Box::pin(try_save(&inner, &state, mark.as_ref(), typed)).await {
            Ok((invitation, page)) => shown(invitation.as_deref(), page),
            Err(failure) => shown(None, store_away(&failure)),
        }
    };
    app.spawn(whole.in_current_span()).await.unwrap_or_else(|_| {
        let reference = Reference::random();
        tracing::error!(%reference, "a change of where a stream goes broke");
        shown(None, SetupPage::Broken { reference })
    })
}

async fn try_save(
    app: &App,
    state: &StateToken,
    mark: Option<&Secret>,
    typed: Typed,
) -> Result<(Option<Box<Invitation>>, SetupPage), Failure> {
    let invitation = match access(app, state, mark).await? {
        Access::Ours(invitation) => invitation,
        Access::Unopened(_) | Access::Others => return Ok((None, SetupPage::OtherBrowser)),
        Access::Over => return Ok((None, SetupPage::Over)),
    };
    let destination = match Destination::read(&typed) {
        Ok(destination) => destination,
        Err(faults) => {
            let values = Values::Wrong { typed: typed.shown_again(), faults };
            let page = form(app, &invitation, state, values).await?;
            return Ok((Some(invitation), page));
        }
    };
    if let Err(denied) = policy::allowed(app, &invitation.invocation, Act::Setup).await? {
        record(app, written(app, &invitation, AuditOutcome::Denied)).await;
        return Ok((Some(invitation), SetupPage::Denied(denied)));
    }
    let deed = Deed::begin(app, written(app, &invitation, AuditOutcome::Unknown)).await?;
    let taken = app.store.take_invitation(state).await;
    if !matches!(taken, Ok(Some(_))) {
        deed.leave().await;
        return Ok((Some(invitation), taken.map(|_| SetupPage::Over)?));
    }
    let asked = Box::pin(set(app, &invitation, &destination).instrument(span(&invitation)));
    let page = match deed.during(asked).await {
        Some(Ok((entry, page))) => {
            deed.end(entry).await;
            page
        }
        Some(Err(failure)) => {
            deed.end(written(app, &invitation, AuditOutcome::Failed)).await;
            store_away(&failure)
        }
        None => SetupPage::Broken { reference: invitation.invocation.reference.clone() },
    };
    Ok((Some(invitation), page))
}

/// What is logged about it is found by what the person was shown.
fn span(invitation: &Invitation) -> tracing::Span {
    tracing::info_span!("setup", reference = %invitation.invocation.reference)
}

async fn access(app: &App, state: &StateToken, mark: Option<&Secret>) -> Result<Access, Failure> {
    let seen = app.store.invitation(state).await?;
    Ok(match seen.filter(|seen| !seen.value.is_over(app.clock.now())) {
        None => Access::Over,
        Some(seen) => match (&seen.value.browser, mark) {
            (None, _) => Access::Unopened(Box::new(seen)),
            (Some(ours), Some(mark)) if ours == mark => Access::Ours(Box::new(seen.value)),
            (Some(_), _) => {
                tracing::warn!(reference = %seen.value.invocation.reference, "a page was asked for by another browser");
                Access::Others
            }
        },
    })
}

fn confirm(invitation: &Invitation, state: &StateToken) -> SetupPage {
    SetupPage::Confirm { asker: asker(invitation), meeting: invitation.meeting, state: state.clone() }
}

/// The form with what is set at Zoom, where it may be set at all.
async fn read(app: &App, invitation: &Invitation, state: &StateToken) -> Result<SetupPage, Failure> {
    let heard = match connected(app, invitation).await? {
        Ok(grant) => ask::ask(app, invitation.meeting, &Ask::Read, grant).await?,
        Err(none) => none,
    };
    let why = match heard.result {
        Ok(present) => return form(app, invitation, state, Values::Present(present.unwrap_or_default())).await,
        Err(why) => why,
    };
    match why {
        Outcome::NotFound
        | Outcome::OtherAccount
        | Outcome::UserMissing
        | Outcome::Reconnect
        | Outcome::Webinar
        | Outcome::Invalid(_)
        | Outcome::NotAllowed(_) => Ok(not_done(app, invitation, Tried::Read, why, heard.account).await),
        Outcome::NotStarted
        | Outcome::Scope { .. }
        | Outcome::Throttled(_)
        | Outcome::Unknown
        | Outcome::Unavailable
        | Outcome::RenewalLost
        | Outcome::Refused { .. }
        | Outcome::Accepted
        | Outcome::Stopped => form(app, invitation, state, Values::Unread(why)).await,
    }
}

async fn form(app: &App, invitation: &Invitation, state: &StateToken, values: Values) -> Result<SetupPage, Failure> {
    let account = match linked(app, invitation).await? {
        Some(zoom_user) => token::stored(app, &zoom_user).await?.map(|grant| grant.user),
        None => None,
    };
    let Some(account) = account else {
        return Ok(not_done(app, invitation, Tried::Read, Outcome::Reconnect, None).await);
    };
    let (asker, meeting, state) = (asker(invitation), invitation.meeting, state.clone());
    Ok(SetupPage::Form(Box::new(SetupForm { asker, account, meeting, state, values })))
}

/// Asks Zoom for the change; gives what is to be written down of it, and what to show.
async fn set(
    app: &App,
    invitation: &Invitation,
    destination: &Destination,
) -> Result<(AuditEntry, SetupPage), Failure> {
    let heard = match connected(app, invitation).await? {
        Ok(grant) => ask::ask(app, invitation.meeting, &Ask::Set(destination), grant).await?,
        Err(none) => none,
    };
    let outcome = heard.result.as_ref().map_or_else(AuditOutcome::from, |_| AuditOutcome::TargetSet);
    let zoom_user = heard.account.as_ref().map(|account| account.id.clone());
    let entry = AuditEntry { zoom_user, zoom: heard.answer, ..written(app, invitation, outcome) };
    let page = match heard.result {
        Ok(_) => SetupPage::Done { meeting: invitation.meeting },
        Err(why) => not_done(app, invitation, Tried::Set, why, heard.account).await,
    };
    Ok((entry, page))
}

fn written(app: &App, invitation: &Invitation, outcome: AuditOutcome) -> AuditEntry {
    let task = Task::Typed(Command::Setup { meeting: invitation.meeting });
    entry(app, &invitation.invocation, &task, outcome)
}

/// A grant whose token works, or why there is none.
async fn connected(app: &App, invitation: &Invitation) -> Result<Result<Grant, Heard>, Failure> {
    let none = |why: Outcome, account: Option<ZoomUser>| Heard { result: Err(why), answer: None, account };
    let Some(zoom_user) = linked(app, invitation).await? else { return Ok(Err(none(Outcome::Reconnect, None))) };
    Ok(match token::live(app, &zoom_user, None).await? {
        Token::Live(grant) => Ok(grant),
        Token::Away { grant, outcome } => Err(none(outcome, Some(grant.user))),
        Token::Over => Err(none(Outcome::Reconnect, None)),
    })
}

/// As whom the person is connected now, which may be another one than when they asked for the page.
async fn linked(app: &App, invitation: &Invitation) -> Result<Option<ZoomUserId>, Failure> {
    Ok(app.store.link_of(&invitation.invocation.person).await?)
}

async fn not_done(
    app: &App,
    invitation: &Invitation,
    tried: Tried,
    why: Outcome,
    account: Option<ZoomUser>,
) -> SetupPage {
    let meeting = invitation.meeting;
    let stream = app.store.stream(meeting).await.unwrap_or_else(|error| {
        tracing::warn!(error = chain(&error), "whether a stream is on air could not be looked up");
        None
    });
    let is_on_air = stream.is_some_and(|seen| seen.value.is_on_air());
    let reference = invitation.invocation.reference.clone();
    SetupPage::NotDone { tried, meeting, why, account, is_on_air, reference }
}

fn asker(invitation: &Invitation) -> SlackName {
    let invocation = &invitation.invocation;
    SlackName {
        user: connect::name_or(&invocation.user_name, invocation.person.user.as_str()),
        team: connect::name_or(&invocation.team_domain, invocation.person.team.as_str()),
    }
}

fn shown(invitation: Option<&Invitation>, page: SetupPage) -> Shown {
    let command = invitation.map_or(DEFAULT_COMMAND, |invitation| &invitation.invocation.command);
    Shown { page: Page::Setup(page), command: command.to_owned() }
}

fn store_away(failure: &Failure) -> SetupPage {
    tracing::error!(error = chain(failure), "a page could not be made: the store failed");
    SetupPage::StoreAway
}
