//! `/stream disconnect`: the link goes, and with the last one the grant, here and at Zoom.
//!
//! The link goes last: whatever fails before it, and a process that is killed in between, leaves a link from which the
//! same command can be given again. Where Zoom is still to be told, the grant goes after it, by which one sees that.

use super::record::record_once;
use super::revoke::By;
use super::token::{self, Held, to_the_end};
use super::{Done, Failure, chain, lend};
use crate::app::App;
use crate::audit::{AuditEntry, AuditOutcome, AuditVerb};
use crate::id::ZoomUserId;
use crate::invocation::Invocation;
use crate::reply::{Disconnected, Reply};

pub(super) async fn disconnect(app: &App, invocation: &Invocation) -> Result<Done, Failure> {
    let Some(zoom_user) = app.store.link_of(&invocation.person).await? else {
        return Ok(Done::new(Reply::NotConnected, AuditOutcome::Told));
    };
    let by = By { person: invocation.person.clone(), reference: invocation.reference.clone() };
    let disconnected = take_out(app, &by, &zoom_user).await?;
    let outcome = match disconnected {
        Disconnected::StillShared | Disconnected::Revoked => AuditOutcome::Disconnected,
        Disconnected::NotRevokedAtZoom | Disconnected::Unreadable => AuditOutcome::DisconnectedNotRevoked,
    };
    let mut done = Done::new(Reply::Disconnected(disconnected), outcome);
    done.zoom_user = Some(zoom_user);
    Ok(done)
}

/// Takes a person's link away, and ends the grant with the last one.
pub(super) async fn take_out(app: &App, by: &By, zoom_user: &ZoomUserId) -> Result<Disconnected, Failure> {
    let (inner, by, user) = (app.clone(), by.clone(), zoom_user.clone());
    let whole = async move {
        let held = token::hold(&inner, &user).await?;
        let result = take_apart(&inner, &by, &held, &user).await;
        held.release().await;
        result
    };
    to_the_end(app, whole).await
}

async fn take_apart(app: &App, by: &By, held: &Held<'_>, zoom_user: &ZoomUserId) -> Result<Disconnected, Failure> {
    // The person may be gone from there already, having asked twice.
    let shared = app.store.linked_people(zoom_user).await?.iter().any(|other| *other != by.person);
    let disconnected = if shared { Disconnected::StillShared } else { held.end(by).await? };
    // Meanwhile they may have connected another account, which stays.
    if app.store.link_of(&by.person).await?.as_ref() == Some(zoom_user) {
        lend::end_of(app, &by.person).await?;
        app.store.unlink(&by.person, None).await?;
    }
    if disconnected == Disconnected::NotRevokedAtZoom
        && let Err(failure) = held.delete().await
    {
        tracing::warn!(error = chain(&failure), "a grant is deleted when Zoom is told");
    }
    Ok(disconnected)
}

/// Ends a grant, if nobody is linked to it.
pub(super) async fn end_if_unlinked(app: &App, by: &By, zoom_user: &ZoomUserId) -> Result<(), Failure> {
    let (inner, by, user) = (app.clone(), by.clone(), zoom_user.clone());
    let whole = async move {
        let held = token::hold(&inner, &user).await?;
        let result = end_held_if_unlinked(&inner, &by, &held, &user).await;
        held.release().await;
        result
    };
    to_the_end(app, whole).await
}

async fn end_held_if_unlinked(app: &App, by: &By, held: &Held<'_>, zoom_user: &ZoomUserId) -> Result<(), Failure> {
    // Somebody may have connected the same Zoom account meanwhile, with a grant of its own.
    if app.store.linked_count(zoom_user).await? == 0 {
        let disconnected = held.end(by).await?;
        // The grant goes after its entry: whoever takes this over finds by it what there is to write.
        record_unless_revoked(app, by, zoom_user, disconnected).await;
        held.delete().await?;
    }
    Ok(())
}

/// Writes down that a grant that nobody asked to end is over here, and not at Zoom.
pub(super) async fn record_unless_revoked(app: &App, by: &By, zoom_user: &ZoomUserId, disconnected: Disconnected) {
    if matches!(disconnected, Disconnected::NotRevokedAtZoom | Disconnected::Unreadable) {
        let (now, By { person, reference }) = (app.clock.now(), by.clone());
        let name = format!("{reference}-{zoom_user}");
        let entry = AuditEntry::new(now, reference, AuditVerb::Disconnect, AuditOutcome::DisconnectedNotRevoked);
        let entry = AuditEntry { person: Some(person), zoom_user: Some(zoom_user.clone()), ..entry };
        record_once(app, &name, entry).await;
    }
}
