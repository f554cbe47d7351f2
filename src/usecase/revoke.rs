//! Telling Zoom later what it could not be told at once: that a grant nobody uses any more is over. It is gone from here by
//! then; the tokens that are left are in the journal, for a day.

use std::time::Duration;

use jiff::SignedDuration;

use super::hold::{Change, Hold};
use super::{Failure, chain, deed, log_zoom, token};
use crate::app::{App, Place};
use crate::audit::{AuditEntry, AuditOutcome, AuditVerb};
use crate::grant::Grant;
use crate::id::{Person, Reference};
use crate::journal::{Job, Revocation};
use crate::zoom;

/// For how long it is tried.
const WORTH_TRYING: SignedDuration = SignedDuration::from_hours(24);

/// How soon it is tried again at first, and how late at last.
const SOONEST: Duration = Duration::from_secs(3);
const LATEST: Duration = Duration::from_secs(600);

/// What is known of whoever's grant is over.
#[derive(Clone, Debug)]
pub(super) struct By {
    pub(super) person: Person,
    /// What they were told the end by.
    pub(super) reference: Reference,
}

/// Has it told later, once for each grant. This is written before the last link goes, and the grant after that.
pub(super) async fn plan(app: &App, grant: Grant, is_spent: bool, by: &By) -> Result<(), Failure> {
    let id = Revocation::job_of(&grant);
    let By { person, reference } = by.clone();
    let owed = Revocation { grant, is_spent, person, reference, since: app.clock.now() };
    Ok(app.store.plan(&id, &job(&owed), SOONEST).await?)
}

/// Whether that is planned already. It is tried at once, then.
pub(super) async fn is_planned(app: &App, grant: &Grant) -> Result<bool, Failure> {
    Ok(app.store.hurry(&Revocation::job_of(grant)).await?)
}

pub(super) async fn work(app: App, hold: Hold, revocation: Box<Revocation>, place: Place) {
    hold.during(Box::pin(revoke(&app, &hold, *revocation))).await;
    drop(place);
}

fn job(owed: &Revocation) -> Job {
    Job::Revoke(Box::new(owed.clone()))
}

/// How a try ended.
enum Tried {
    /// Zoom knows it.
    Told,
    /// There is a newer grant, which ended this one at Zoom.
    Replaced,
    /// The pair that would name it was lost on its way here.
    Lost,
    /// It is to be tried again.
    Not,
}

async fn revoke(app: &App, hold: &Hold, mut owed: Revocation) {
    let tried = tell(app, hold, &mut owed).await.unwrap_or_else(|failure| {
        tracing::warn!(error = chain(&failure), "Zoom is told later that a grant is over");
        Tried::Not
    });
    match tried {
        Tried::Told => {
            let (now, reference) = (app.clock.now(), owed.reference.clone());
            let entry = AuditEntry::new(now, reference, AuditVerb::Disconnect, AuditOutcome::Disconnected);
            let zoom_user = Some(owed.grant.user.id.clone());
            let entry = AuditEntry { person: Some(owed.person.clone()), zoom_user, ..entry };
            deed::settle(app, hold, &entry).await;
        }
        Tried::Replaced => drop(hold.persist(Change::Finish).await),
        Tried::Lost => give_up(hold, &owed).await,
        Tried::Not if app.clock.now().duration_since(owed.since) > WORTH_TRYING => {
            give_up(hold, &owed).await;
        }
        Tried::Not => {
            let wait = SOONEST.saturating_mul(2u32.saturating_pow(hold.attempt.saturating_sub(1))).min(LATEST);
            hold.persist(Change::Postpone(&job(&owed), wait)).await;
        }
    }
}

/// The entry is there already that says so.
async fn give_up(hold: &Hold, owed: &Revocation) {
    tracing::error!(reference = %owed.reference, "a grant could not be ended at Zoom; its user has to do that there");
    hold.persist(Change::Finish).await;
}

/// Nobody connects the same Zoom account meanwhile.
async fn tell(app: &App, hold: &Hold, owed: &mut Revocation) -> Result<Tried, Failure> {
    let held = token::hold(app, &owed.grant.user.id).await?;
    let told = match app.store.grant(&owed.grant.user.id).await {
        Ok(None) => tell_zoom(app, hold, owed).await,
        Ok(Some(grant)) if grant.tokens.refresh == owed.grant.tokens.refresh => tell_if_unlinked(app, hold, owed).await,
        Ok(Some(_)) => Ok(Tried::Replaced),
        Err(error) if error.is_transient() => Err(error.into()),
        Err(_) => Ok(Tried::Replaced),
    };
    held.release().await;
    told
}

/// Whoever planned it has died in the middle: before the last link was gone, which is then still to go, or before the grant
/// was.
async fn tell_if_unlinked(app: &App, hold: &Hold, owed: &mut Revocation) -> Result<Tried, Failure> {
    if app.store.linked_count(&owed.grant.user.id).await? > 0 {
        return Ok(Tried::Not);
    }
    app.store.delete_grant(&owed.grant.user.id).await?;
    tell_zoom(app, hold, owed).await
}

async fn tell_zoom(app: &App, hold: &Hold, owed: &mut Revocation) -> Result<Tried, Failure> {
    if !owed.grant.tokens.is_fresh(app.clock.now()) {
        // Zoom revokes by access token, and an expired one names nothing. Whoever takes this over in the middle of a
        // refresh does not know whether it was the last one.
        let was_spent = std::mem::replace(&mut owed.is_spent, true);
        keep(hold, owed).await?;
        match app.zoom.refresh(&owed.grant.tokens.refresh).await {
            Ok(tokens) => owed.grant.tokens = tokens,
            Err(zoom::Error::InvalidGrant) => return Ok(if was_spent { Tried::Lost } else { Tried::Told }),
            Err(error) => {
                log_zoom(&error, "refresh");
                let is_lost = matches!(error, zoom::Error::NoAnswer(_) | zoom::Error::Unexpected { .. });
                owed.is_spent = was_spent || is_lost;
                return Ok(Tried::Not);
            }
        }
        owed.is_spent = false;
        keep(hold, owed).await?;
    }
    Ok(match app.zoom.revoke(&owed.grant.tokens.access).await {
        Ok(()) => Tried::Told,
        Err(error) => {
            log_zoom(&error, "revoke");
            Tried::Not
        }
    })
}

async fn keep(hold: &Hold, owed: &Revocation) -> Result<(), Failure> {
    let is_ours = hold.persist(Change::Advance(&job(owed), None)).await;
    if is_ours { Ok(()) } else { Err(Failure::TakenOver) }
}
