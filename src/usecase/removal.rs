//! The app was taken out of a workspace or an organization: what belonged to that place goes, and what others use stays.
//!
//! Slack tells it by two events in any order, each more than once, and both may come after the app was installed anew. So
//! each is taken in from its own time on, and finds nothing to do where it was done already. The journal has it before
//! Slack hears the 200; whoever takes it over begins again. The audit stays, and so do the rules of the workspace, which
//! are in force again when the app is.

use std::time::Duration;

use jiff::SignedDuration;

use super::hold::{Change, Hold, LEASE};
use super::lease::Lease;
use super::revoke::By;
use super::work::{self, NewJob, Work};
use super::{Failure, chain, disconnect, entry, install, keep};
use crate::app::{App, Place};
use crate::audit::AuditOutcome;
use crate::id::{DeliveryId, Person, Reference, UserId, ZoomUserId};
use crate::installation::{Removal, Removed, Site};
use crate::journal::{Job, Stage};
use crate::store::{Accepted, LeaseName, With};
use crate::stream::{Place as Where, Stream};

/// Whether an event is in the journal.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Received {
    /// It is.
    Yes,
    /// This very delivery was seen before.
    Replayed,
    /// The store is away; Slack is to deliver it again.
    NotNow,
}

/// Takes one delivered event: one round trip to the store, and nothing else awaited.
pub async fn receive(app: &App, delivery: &DeliveryId, removal: Removal) -> Received {
    let new = NewJob::new(Job::Removal(removal));
    let with = With::Job { id: &new.id, job: &new.job, owner: &new.owner, lease: LEASE };
    match app.store.accept(delivery, with).await {
        Ok(Accepted::New) => {
            // Without a place it is claimed later, like what a killed process left.
            if let Some(place) = app.place() {
                work::begin(app, new, place);
            }
            Received::Yes
        }
        Ok(Accepted::Replayed) => Received::Replayed,
        Err(error) => {
            tracing::error!(error = chain(&error), "that the app was taken out was not taken in: the store failed");
            Received::NotNow
        }
    }
}

pub(super) async fn work(app: App, hold: Hold, removal: Removal, place: Place) {
    hold.during(Box::pin(take_in(&app, &hold, removal))).await;
    drop(place);
}

async fn take_in(app: &App, hold: &Hold, removal: Removal) {
    let again = match remove_all(app, &removal).await {
        Ok(()) => {
            hold.persist(Change::Finish).await;
            return;
        }
        Err(failure) => failure,
    };
    tracing::warn!(error = chain(&again), "what belongs to a place without the app is not all gone yet");
    hold.persist(Change::Postpone(&Job::Removal(removal), keep::wait_after(&again, hold.attempt).max(SOON))).await;
}

const SOON: Duration = Duration::from_secs(2);

async fn remove_all(app: &App, removal: &Removal) -> Result<(), Failure> {
    for site in &removal.sites {
        // The two events about one place would else be taken in at once, and be written down twice.
        let turn = Lease::take(app, LeaseName::removal(site)).await?.ok_or(Failure::Changed)?;
        let removed = remove_from(app, removal, site).await;
        turn.release().await;
        removed?;
    }
    Ok(())
}

async fn remove_from(app: &App, removal: &Removal, site: &Site) -> Result<(), Failure> {
    let installation = app.store.seen_installation(site).await?;
    let is_earlier = installation.as_ref().is_some_and(|seen| !removal.is_of(&seen.value));
    let earlier = app.store.removed(site).await?;
    let is_done = earlier.is_some_and(|earlier| earlier.is_done && removal.at <= earlier.at);
    if is_earlier || (is_done && installation.is_none()) {
        tracing::info!("an event about an earlier installation, or told again, changes nothing");
        return Ok(());
    }
    app.store.forget_offers_of(site).await?;
    let connected = connected(app, site, removal).await?;
    // Before anything goes by which it could be seen: whoever takes this over may find nothing any more.
    let was_begun = earlier.is_some_and(|earlier| !earlier.is_done && earlier.had_anything);
    let had_anything = was_begun || installation.is_some() || !connected.is_empty();
    let begun = Removed { at: removal.at, is_done: false, had_anything };
    app.store.remember_removal(site, &begun).await?;
    for (person, zoom_user) in &connected {
        unlink(app, person, zoom_user).await?;
    }
    app.store.forget_presets_of(site).await?;
    for seen in app.store.streams_where(|stream| is_of(stream, site)).await? {
        // Whoever changes it meanwhile has it seen again.
        if !app.store.forget_stream(&seen).await? {
            return Err(Failure::Changed);
        }
    }
    // Slack does not say who did it; the entry names the app's own user there.
    let known = installation.as_ref().and_then(|seen| seen.value.bot.as_ref()).map(|bot| bot.user.clone());
    let who = removal.bot.clone().or(known).unwrap_or_else(|| UserId::new("USLACK"));
    let entry = install::entry(app, Reference::random(), Some(site.user(who)), AuditOutcome::Uninstalled);
    // Late: it is what an event that comes again is compared with. One that was made meanwhile is another one.
    if let Some(seen) = installation
        && !app.store.uninstall(&seen).await?
    {
        tracing::info!("the app was installed anew meanwhile");
    }
    let entry = had_anything.then_some(&entry);
    let ended = Removed { at: removal.at, is_done: true, had_anything: false };
    if !app.store.end_removal(site, &begun, &ended, entry).await? {
        return Err(Failure::Changed);
    }
    if let Some(entry) = entry {
        app.log(entry);
    }
    Ok(())
}

/// Everybody whose connection ends with the place: those who made it before.
async fn connected(app: &App, site: &Site, removal: &Removal) -> Result<Vec<(Person, ZoomUserId)>, Failure> {
    let mut ending: Vec<(Person, ZoomUserId)> = Vec::new();
    for person in app.store.people_of(site).await? {
        let Some(zoom_user) = app.store.link_of(&person).await? else { continue };
        let grant = match app.store.grant(&zoom_user).await {
            Err(error) if error.is_transient() => return Err(error.into()),
            // One that does not open is of no use to anybody.
            grant => grant.ok().flatten(),
        };
        let is_since = grant.and_then(|grant| grant.since).is_some_and(|since| !removal.ends(since));
        let already = ending.iter().filter(|(_, other)| *other == zoom_user).count();
        if !is_since || app.store.linked_count(&zoom_user).await? > already + 1 {
            ending.push((person, zoom_user));
        }
    }
    Ok(ending)
}

async fn unlink(app: &App, person: &Person, zoom_user: &ZoomUserId) -> Result<(), Failure> {
    let by = By { person: person.clone(), reference: Reference::random() };
    let disconnected = disconnect::take_out(app, &by, zoom_user).await?;
    disconnect::record_unless_revoked(app, &by, zoom_user, disconnected).await;
    Ok(())
}

/// Whether a stream was asked for in a place, or is told there.
fn is_of(stream: &Stream, site: &Site) -> bool {
    let asked = stream.asked.as_ref().map(|asked| &asked.person);
    let told = stream.card.as_ref().and_then(|card| match &card.place {
        Where::Posted { person, .. } => Some(person),
        Where::Answered { .. } => None,
    });
    asked.or(told).is_some_and(|person| site.holds(&person.workspace()))
}

/// How long after its arrival a command need not be looked at for that.
const JUST_NOW: SignedDuration = SignedDuration::from_secs(1);

/// Whether a command that was taken over, or had to wait, is of a place that has the app no more; then it has ended.
pub(super) async fn has_ended(work: &Work, stage: &Stage) -> bool {
    let (app, invocation) = (&work.app, &work.invocation);
    let age = app.clock.now().duration_since(invocation.received_at);
    if work.hold.attempt == 1 && age < JUST_NOW {
        return false;
    }
    match app.store.removed_from(&invocation.person.workspace()).await {
        Ok(Some(at)) if invocation.received_at.as_second() <= at.as_second() => {}
        Ok(_) => return false,
        Err(error) => {
            // What is left to do there finds nobody connected.
            tracing::warn!(error = chain(&error), "whether the app is still there could not be looked up");
            return false;
        }
    }
    tracing::info!("nothing more is done or told: the app was taken out there");
    if !matches!(stage, Stage::Decided { .. }) {
        let task = super::Task::of(invocation);
        let entry = entry(app, invocation, &task, AuditOutcome::Uninstalled);
        if work.hold.persist(Change::Advance(&work.job(stage.clone()), Some(&entry))).await {
            app.log(&entry);
        }
    }
    work.hold.persist(Change::Finish).await;
    true
}
