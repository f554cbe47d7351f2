//! A token that works: the stored one while it is fresh, else a new pair, bought once for everybody who waits for it.
//!
//! Zoom's refresh tokens are good for one use and a lost answer cannot be asked for again, so: one refresh in flight
//! per Zoom user across instances, the new pair stored before it is used, the stored pair read again before a grant is
//! given up, and only `invalid_grant` ends one.

use std::time::Duration;

use jiff::Timestamp;
use tracing::Instrument as _;

use super::{Failure, chain, log_zoom};
use crate::app::App;
use crate::grant::{Grant, Tokens};
use crate::id::{Reference, ZoomUserId};
use crate::outcome::{Outcome, Throttle};
use crate::secret::Secret;
use crate::store::LeaseName;
use crate::{store, zoom};

/// Longer than a refresh and its storing can take with all their deadlines.
const LEASE: Duration = Duration::from_secs(20);
/// How long to wait for somebody else's refresh, a little longer than its lease.
const PATIENCE: Duration = Duration::from_secs(22);
const LOOK_AGAIN: Duration = Duration::from_millis(50);

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

/// The stored grant, whether or not its token still works.
pub(super) async fn stored(app: &App, user: &ZoomUserId) -> Result<Option<Grant>, Failure> {
    Ok(app.store.grant(user).await?)
}

/// A token for a call that begins now. `refused` is one that Zoom did not take: anything else stored will do.
pub(super) async fn live(app: &App, user: &ZoomUserId, refused: Option<&Secret>) -> Result<Token, Failure> {
    let owner = Reference::random();
    let give_up = tokio::time::Instant::now() + PATIENCE;
    loop {
        let Some(grant) = stored(app, user).await? else { return Ok(Token::Over) };
        if works(&grant.tokens, refused, app.clock.now()) {
            return Ok(Token::Live(grant));
        }
        if app.store.lease(&LeaseName::refresh(user), owner.as_str(), LEASE).await? {
            return renew_to_the_end(app, user, refused, owner).await;
        }
        if tokio::time::Instant::now() > give_up {
            return Ok(Token::Away { grant, outcome: Outcome::Unavailable });
        }
        tokio::time::sleep(LOOK_AGAIN).await;
    }
}

fn works(tokens: &Tokens, refused: Option<&Secret>, now: Timestamp) -> bool {
    tokens.is_fresh(now) && refused != Some(&tokens.access)
}

/// Renews in a task of its own: work that is given up in the middle of it must not lose the pair that Zoom just gave.
async fn renew_to_the_end(
    app: &App,
    user: &ZoomUserId,
    refused: Option<&Secret>,
    owner: Reference,
) -> Result<Token, Failure> {
    let (inner, user, refused) = (app.clone(), user.clone(), refused.cloned());
    let renewal = async move {
        let result = renew(&inner, &user, refused.as_ref()).await;
        release(&inner, &user, &owner).await;
        result
    };
    app.spawn(renewal.in_current_span()).await.unwrap_or(Err(Failure::Panicked))
}

/// Buys a new pair. Whoever calls holds the lease; the pair is read again under it, for it may be new already.
async fn renew(app: &App, user: &ZoomUserId, refused: Option<&Secret>) -> Result<Token, Failure> {
    let Some(grant) = stored(app, user).await? else { return Ok(Token::Over) };
    if works(&grant.tokens, refused, app.clock.now()) {
        return Ok(Token::Live(grant));
    }
    match app.zoom.refresh(&grant.tokens.refresh).await {
        Ok(tokens) => {
            let grant = Grant { user: grant.user, tokens };
            keep(app, &grant).await?;
            Ok(Token::Live(grant))
        }
        Err(zoom::Error::InvalidGrant) => end_unless_replaced(app, user, &grant, refused).await,
        Err(error) => {
            log_zoom(&error, "refresh");
            let outcome = match error {
                zoom::Error::Busy { retry_at } => Outcome::Throttled(Throttle::PerSecond { retry_at }),
                _ => Outcome::Unavailable,
            };
            Ok(Token::Away { grant, outcome })
        }
    }
}

/// Stores a new pair, trying again for a while: the old one is spent, so a pair that is not stored is a lost grant.
async fn keep(app: &App, grant: &Grant) -> Result<(), Failure> {
    const TRIES: u32 = 5;
    let mut attempt = 1;
    loop {
        match app.store.save_grant(grant).await {
            Ok(()) => return Ok(()),
            Err(error) if attempt < TRIES => {
                tracing::warn!(error = chain(&error), attempt, "a new token pair is not stored yet");
                tokio::time::sleep(Duration::from_millis(200) * attempt).await;
                attempt += 1;
            }
            Err(error) => return Err(error.into()),
        }
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

/// Does something to a grant while nobody else can: no refresh, no other connection, no deletion.
pub(super) async fn alone<T>(
    app: &App,
    user: &ZoomUserId,
    work: impl AsyncFnOnce() -> Result<T, store::Error>,
) -> Result<T, Failure> {
    let owner = Reference::random();
    let give_up = tokio::time::Instant::now() + PATIENCE;
    while !app.store.lease(&LeaseName::refresh(user), owner.as_str(), LEASE).await? {
        if tokio::time::Instant::now() > give_up {
            return Err(Failure::TookTooLong);
        }
        tokio::time::sleep(LOOK_AGAIN).await;
    }
    let result = work().await;
    release(app, user, &owner).await;
    Ok(result?)
}

async fn release(app: &App, user: &ZoomUserId, owner: &Reference) {
    if let Err(error) = app.store.release(&LeaseName::refresh(user), owner.as_str()).await {
        tracing::warn!(error = chain(&error), "a lease is left to run out");
    }
}
