//! What one instance at a time may do: taken, renewed by itself, and given back.

use std::time::Duration;

use tokio_util::task::AbortOnDropHandle;
use tracing::Instrument as _;

use super::{Failure, chain};
use crate::app::App;
use crate::id::Reference;
use crate::store::LeaseName;

/// How long a holder may be silent. Shorter than the lease on a job, so that whoever takes over the job of a killed
/// process finds its other leases free.
const LIFE: Duration = Duration::from_secs(10);
/// How often a holder renews.
const RENEW: Duration = Duration::from_secs(3);

/// A lease in hand. Dropped, it runs out; [`Lease::release`] ends it at once.
pub(super) struct Lease {
    app: App,
    name: LeaseName,
    owner: Reference,
    renewing: AbortOnDropHandle<()>,
}

impl Lease {
    /// Takes it, if nobody has it.
    pub(super) async fn take(app: &App, name: LeaseName) -> Result<Option<Self>, Failure> {
        let owner = Reference::random();
        if !app.store.lease(&name, owner.as_str(), LIFE).await? {
            return Ok(None);
        }
        let renewing = renew(app.clone(), name.clone(), owner.clone()).in_current_span();
        let renewing = AbortOnDropHandle::new(app.spawn(renewing));
        Ok(Some(Self { app: app.clone(), name, owner, renewing }))
    }

    /// Takes it as soon as nobody has it; none after so long.
    pub(super) async fn wait(app: &App, name: LeaseName, patience: Duration) -> Result<Option<Self>, Failure> {
        let mut wait = Wait::new(patience);
        loop {
            let taken = Self::take(app, name.clone()).await?;
            if taken.is_some() || !wait.again().await {
                return Ok(taken);
            }
        }
    }

    /// Gives it back.
    pub(super) async fn release(self) {
        let Self { app, name, owner, renewing } = self;
        // A renewal that came after the release would take the lease again, for nobody.
        drop(renewing);
        if let Err(error) = app.store.release(&name, owner.as_str()).await {
            tracing::warn!(error = chain(&error), "a lease is left to run out");
        }
    }
}

async fn renew(app: App, name: LeaseName, owner: Reference) {
    loop {
        tokio::time::sleep(RENEW).await;
        match app.store.lease(&name, owner.as_str(), LIFE).await {
            Ok(true) => {}
            Ok(false) => tracing::warn!("a lease ran out and was taken by somebody else"),
            Err(error) => tracing::warn!(error = chain(&error), "a lease was not renewed"),
        }
    }
}

/// Waiting for what somebody else has: often at first, then seldom, so that many who wait do not load the store.
pub(super) struct Wait {
    give_up: tokio::time::Instant,
    next: Duration,
}

impl Wait {
    pub(super) fn new(patience: Duration) -> Self {
        Self { give_up: tokio::time::Instant::now() + patience, next: Duration::from_millis(25) }
    }

    /// Waits a while; says no once it has been long enough.
    pub(super) async fn again(&mut self) -> bool {
        const LONGEST: Duration = Duration::from_millis(500);
        tokio::time::sleep(self.next).await;
        self.next = (self.next * 2).min(LONGEST);
        tokio::time::Instant::now() < self.give_up
    }
}
