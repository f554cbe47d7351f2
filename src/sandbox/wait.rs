//! Waiting for a condition in a world, with a deadline that tells what was there instead.

use std::fmt;
use std::future::pending;
use std::time::Duration;

use tokio::sync::watch;

/// How long the waits without a deadline of their own wait.
pub(super) const PATIENCE: Duration = Duration::from_secs(60);

/// What was waited for did not come.
#[derive(Clone)]
pub struct TimedOut {
    pub(super) waited_for: String,
    pub(super) within: Duration,
    pub(super) instead: String,
}

impl fmt::Display for TimedOut {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "waited {:?} for {}; there was:\n{}", self.within, self.waited_for, self.instead)
    }
}

impl fmt::Debug for TimedOut {
    /// As people read it, because this is what `unwrap` prints.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl std::error::Error for TimedOut {}

/// Looks now and after every change until there is something, or the time is over.
pub(super) async fn until<T>(
    changes: &watch::Sender<u64>,
    within: Duration,
    mut look: impl FnMut() -> Option<T>,
) -> Option<T> {
    // Subscribed before the first look: a change between the two is not missed.
    let mut news = changes.subscribe();
    let wait = async {
        loop {
            if let Some(found) = look() {
                return found;
            }
            if news.changed().await.is_err() {
                pending::<()>().await;
            }
        }
    };
    tokio::time::timeout(within, wait).await.ok()
}
