//! A token that works: the stored one while it is fresh, else a new pair, bought once for everybody who waits for it.
//!
//! Zoom's refresh tokens are good for one use and a lost answer cannot be asked for again, so: one refresh in flight
//! per Zoom user across instances, the new pair stored before it is used, the stored pair read again before a grant is
//! given up, and only `invalid_grant` ends one.

use std::time::Duration;

use jiff::Timestamp;
use tracing::Instrument as _;

use super::lease::{Lease, Wait};
use super::revoke::{self, By};
use super::{Failure, chain, lend, log_zoom};
use crate::app::App;
use crate::audit::AuditEntry;
use crate::grant::{Grant, Tokens};
use crate::id::ZoomUserId;
use crate::outcome::{Outcome, Throttle};
use crate::reply::Disconnected;
use crate::secret::Secret;
use crate::store::LeaseName;
use crate::{store, zoom};

/// How long to wait for somebody else's refresh: longer than it takes with all its deadlines.
const PATIENCE: Duration = Duration::from_secs(22);

/// What became of asking for a token.
pub(super) enum Token {
    /// Here it is.
    Live(Grant),
    /// Zoom could not give one now; the grant is kept.
    Away {
        /// The grant as it is.
        grant: Grant,
        /// What to tell.
        outcome: Outcome,
    },
    /// There is none, or Zoom ended it: the person has to connect again.
    Over,
}

/// The stored grant, whether or not its token still works. One that cannot be opened any more, because its key is gone,
/// counts as none: a new connection is the cure, and writes over it.
pub(super) async fn stored(app: &App, user: &ZoomUserId) -> Result<Option<Grant>, Failure> {
    match app.store.grant(user).await {
        Ok(grant) => Ok(grant),
        Err(error @ (store::Error::Sealed { .. } | store::Error::Corrupt { .. })) => {
            tracing::error!(zoom_user.id = %user, error = chain(&error), "a grant cannot be opened; look at ONAIR_ENCRYPTION_KEYS");
            Ok(None)
        }
        Err(error) => Err(error.into()),
    }
}

/// A token for a call that begins now. `refused` is one that Zoom did not take: anything else stored will do.
pub(super) async fn live(app: &App, user: &ZoomUserId, refused: Option<&Secret>) -> Result<Token, Failure> {
    let mut wait = Wait::new(PATIENCE);
    loop {
        let Some(grant) = stored(app, user).await? else { return Ok(Token::Over) };
        if works(&grant.tokens, refused, app.clock.now()) {
            return Ok(Token::Live(grant));
        }
        if let Some(lease) = Lease::take(app, LeaseName::refresh(user)).await? {
            return renew_to_the_end(app, user, refused, lease).await;
        }
        if !wait.again().await {
            return Ok(Token::Away { grant, outcome: Outcome::Unavailable });
        }
    }
}

fn works(tokens: &Tokens, refused: Option<&Secret>, now: Timestamp) -> bool {
    tokens.is_fresh(now) && refused != Some(&tokens.access)
}

/// Does what may buy a pair in a task of its own: work that is given up in the middle of it must not lose the pair that Zoom
/// just gave.
pub(super) async fn to_the_end<T: Send + 'static>(
    app: &App,
    whole: impl Future<Output = Result<T, Failure>> + Send + 'static,
) -> Result<T, Failure> {
    app.spawn(whole.in_current_span()).await.unwrap_or(Err(Failure::Panicked))
}

/// Renews, whatever becomes of the work that needs it.
async fn renew_to_the_end(
    app: &App,
    user: &ZoomUserId,
    refused: Option<&Secret>,
    lease: Lease,
) -> Result<Token, Failure> {
    let (inner, user, refused) = (app.clone(), user.clone(), refused.cloned());
    let renewal = async move {
        let result = renew(&inner, &user, refused.as_ref()).await;
        lease.release().await;
        result
    };
    to_the_end(app, renewal).await
}

/// Buys a new pair. Whoever calls holds the lease; the pair is read again under it, for it may be new already.
async fn renew(app: &App, user: &ZoomUserId, refused: Option<&Secret>) -> Result<Token, Failure> {
    let Some(grant) = stored(app, user).await? else { return Ok(Token::Over) };
    if works(&grant.tokens, refused, app.clock.now()) {
        return Ok(Token::Live(grant));
    }
    let refreshed = app.zoom.refresh(&grant.tokens.refresh).await;
    app.metrics.refresh(result(&refreshed));
    match refreshed {
        Ok(tokens) => {
            let grant = Grant { user: grant.user, tokens, since: grant.since, warned: Vec::new() };
            keep(app, &grant).await?;
            Ok(Token::Live(grant))
        }
        Err(zoom::Error::InvalidGrant) => end_unless_replaced(app, user, &grant, refused).await,
        Err(error) => {
            log_zoom(&error, "refresh");
            let outcome = match error {
                zoom::Error::Busy { retry_at } => Outcome::Throttled(Throttle::PerSecond { retry_at }),
                // Waiting cures nothing here: the Zoom app's own credentials are wrong, or something like it.
                zoom::Error::Refused { status, code } => {
                    Outcome::Refused { status, code: None, message: code.unwrap_or_default() }
                }
                // The pair may be spent although its successor never arrived; only the next try will tell.
                zoom::Error::NoAnswer(_) | zoom::Error::Unexpected { .. } => Outcome::RenewalLost,
                _ => Outcome::Unavailable,
            };
            Ok(Token::Away { grant, outcome })
        }
    }
}

/// How a renewal went, in one of few words.
fn result(refreshed: &Result<Tokens, zoom::Error>) -> &'static str {
    match refreshed {
        Ok(_) => "ok",
        Err(zoom::Error::InvalidGrant) => "invalid_grant",
        Err(zoom::Error::Busy { .. }) => "throttled",
        Err(zoom::Error::Unreachable(_) | zoom::Error::Down { .. }) => "unavailable",
        Err(zoom::Error::NoAnswer(_) | zoom::Error::Unexpected { .. }) => "lost",
        Err(
            zoom::Error::Scope { .. }
            | zoom::Error::Unauthorized
            | zoom::Error::Denied(_)
            | zoom::Error::Refused { .. },
        ) => "refused",
    }
}

/// Stores a new pair, trying again for two minutes: the old one is spent, so a pair that is not stored is a lost grant.
async fn keep(app: &App, grant: &Grant) -> Result<(), Failure> {
    const LONGEST: Duration = Duration::from_secs(3);
    let give_up = tokio::time::Instant::now() + Duration::from_secs(120);
    let mut wait = Duration::from_millis(100);
    loop {
        let Err(error) = app.store.save_grant(grant).await else { return Ok(()) };
        if tokio::time::Instant::now() > give_up {
            return Err(error.into());
        }
        tracing::warn!(error = chain(&error), "a new token pair is not stored yet");
        tokio::time::sleep(wait).await;
        wait = (wait * 2).min(LONGEST);
    }
}

/// Zoom says the refresh token is no good. If another pair was stored meanwhile, that one counts; else it is over.
async fn end_unless_replaced(
    app: &App,
    user: &ZoomUserId,
    tried: &Grant,
    refused: Option<&Secret>,
) -> Result<Token, Failure> {
    match stored(app, user).await? {
        Some(newer) if newer.tokens.refresh != tried.tokens.refresh => {
            let works = works(&newer.tokens, refused, app.clock.now());
            let away = || Token::Away { grant: newer.clone(), outcome: Outcome::Unavailable };
            Ok(if works { Token::Live(newer.clone()) } else { away() })
        }
        Some(_) => {
            tracing::info!(zoom_user.id = %user, "Zoom ended this grant; it is deleted");
            app.store.delete_grant(user).await?;
            Ok(Token::Over)
        }
        None => Ok(Token::Over),
    }
}

/// A grant in one pair of hands: no refresh, no other connection and no deletion meanwhile, except through this.
pub(super) struct Held<'a> {
    app: &'a App,
    user: ZoomUserId,
    lease: Lease,
}

/// Takes a grant into one's hands. Give it back with [`Held::release`]; one that is not given back runs out.
pub(super) async fn hold<'a>(app: &'a App, user: &ZoomUserId) -> Result<Held<'a>, Failure> {
    let lease = Lease::wait(app, LeaseName::refresh(user), PATIENCE).await?;
    let lease = lease.ok_or(Failure::TookTooLong)?;
    Ok(Held { app, user: user.clone(), lease })
}

impl Held<'_> {
    /// Stores a pair that was just bought.
    pub(super) async fn keep(&self, grant: &Grant) -> Result<(), Failure> {
        keep(self.app, grant).await
    }

    /// Revokes the grant at Zoom and deletes it. Where Zoom cannot be told now, that is planned: then it is deleted by
    /// [`Held::delete`] once the last link is gone, from which one finds it again.
    pub(super) async fn end(&self, by: &By) -> Result<Disconnected, Failure> {
        match self.app.store.grant(&self.user).await {
            Ok(Some(grant)) if revoke::is_planned(self.app, &grant).await? => {
                return Ok(Disconnected::NotRevokedAtZoom);
            }
            Ok(_) => {}
            Err(store::Error::Sealed { .. } | store::Error::Corrupt { .. }) => {
                self.delete().await?;
                return Ok(Disconnected::Unreadable);
            }
            Err(error) => return Err(error.into()),
        }
        let mut is_spent = false;
        // Zoom revokes by access token, and an expired one names nothing: a new one is bought first.
        let left = match renew(self.app, &self.user, None).await? {
            Token::Live(grant) => match self.app.zoom.revoke(&grant.tokens.access).await {
                Ok(()) => None,
                Err(error) => {
                    log_zoom(&error, "revoke");
                    Some(grant)
                }
            },
            Token::Over => None,
            Token::Away { grant, outcome } => {
                is_spent = outcome == Outcome::RenewalLost;
                Some(grant)
            }
        };
        match left {
            Some(grant) => {
                revoke::plan(self.app, grant, is_spent, by).await?;
                Ok(Disconnected::NotRevokedAtZoom)
            }
            None => {
                self.delete().await?;
                Ok(Disconnected::Revoked)
            }
        }
    }

    /// Deletes the grant here.
    pub(super) async fn delete(&self) -> Result<(), Failure> {
        Ok(self.app.store.delete_grant(&self.user).await?)
    }

    /// Gives the grant back.
    pub(super) async fn release(self) {
        self.lease.release().await;
    }
}

/// Forgets a grant that Zoom ended at a time, and everybody's link to it, and writes an entry where there was any. Zoom
/// tells it up to an hour and a half late, and people connect again meanwhile.
pub(super) async fn forget(app: &App, user: &ZoomUserId, ended: Timestamp, entry: &AuditEntry) -> Result<(), Failure> {
    let held = hold(app, user).await?;
    let result = forget_held(app, user, ended, entry).await;
    held.release().await;
    result
}

async fn forget_held(app: &App, user: &ZoomUserId, ended: Timestamp, entry: &AuditEntry) -> Result<(), Failure> {
    let grant = stored(app, user).await?;
    if grant.as_ref().and_then(|grant| grant.since).is_some_and(|since| since > ended) {
        tracing::info!("a grant that ended is not the one that was given since");
        return Ok(());
    }
    let mut people = app.store.linked_people(user).await?;
    // The entry goes with what goes last: whoever takes this over finds by it that there is one to write.
    let last = if grant.is_none() { people.pop() } else { None };
    for person in &people {
        lend::end_of(app, person).await?;
        app.store.unlink(person, None).await?;
    }
    let is_written = match &last {
        Some(person) => {
            lend::end_of(app, person).await?;
            app.store.unlink(person, Some(entry)).await?;
            app.store.delete_grant(user).await?;
            true
        }
        None => app.store.end_grant(user, entry).await?,
    };
    if is_written {
        app.log(entry);
    }
    Ok(())
}
