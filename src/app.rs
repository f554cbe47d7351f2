//! All a use case may touch: the three doors, the clock, and the tasks, in one hand.

use std::collections::HashMap;
use std::future::Future;
use std::ops::Deref;
use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use jiff::Timestamp;
use tokio::sync::{Notify, OwnedSemaphorePermit, Semaphore};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use crate::audit::{AuditEntry, AuditVerb};
use crate::clock::Clock;
use crate::id::{ChannelId, Person};
use crate::metrics::Metrics;
use crate::slack::Slack;
use crate::store::Store;
use crate::zoom::Zoom;

/// What use cases are bound by.
#[derive(Clone, Debug)]
pub struct Options {
    /// The public address, without a slash at the end.
    pub base_url: String,
    /// How many accepted commands may be unanswered at once; the next one is told "busy".
    pub queue: usize,
    /// How many of them may be in work at once; the others wait. As many again work beside those where they waited too long.
    pub permits: usize,
    /// How long one command may be in work before its person is told that it broke.
    pub work: Duration,
    /// For how long audit entries are kept; without it, the newest million are.
    pub audit_retention: Option<Duration>,
    /// Where entries are told in a workspace that has not chosen a channel.
    pub audit_channel: Option<ChannelId>,
}

/// The service's parts in one hand; a clone costs nothing.
#[derive(Clone)]
pub struct App(Arc<Parts>);

/// The service's parts.
pub struct Parts {
    /// Settings.
    pub options: Options,
    /// Slack.
    pub slack: Slack,
    /// Zoom.
    pub zoom: Zoom,
    /// The store.
    pub store: Store,
    /// The time.
    pub clock: Clock,
    /// What is counted.
    pub metrics: Arc<Metrics>,
    /// Whose Homes are being shown.
    pub homes: Homes,
    stop: CancellationToken,
    work: Notify,
    proven_at: AtomicI64,
    audited: Notify,
    chosen: Notify,
    tasks: TaskTracker,
    places: Arc<Semaphore>,
    permits: Arc<Semaphore>,
    more_permits: Arc<Semaphore>,
}

/// How long a command waits for its permit before it takes one of those beside. A full queue is through in less at a Zoom
/// that takes half a second.
const PATIENCE: Duration = Duration::from_secs(5);

/// A place in the queue; given back when dropped.
#[derive(Debug)]
pub struct Place(#[expect(dead_code, reason = "held for its drop")] OwnedSemaphorePermit);

/// The right to work on a command; given back when dropped.
#[derive(Debug)]
pub struct Permit(#[expect(dead_code, reason = "held for its drop")] OwnedSemaphorePermit);

/// The people whose Homes are being shown at this moment: each once at a time, so that what is read last is shown last.
#[derive(Clone, Debug, Default)]
pub struct Homes(Arc<Mutex<HashMap<Person, Again>>>);

/// Whether somebody's Home is to be shown once more right after this time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Again {
    Yes,
    No,
}

/// The right to show one person's Home, until it is over or dropped.
#[derive(Debug)]
pub struct Showing {
    homes: Homes,
    person: Person,
    is_over: bool,
}

impl Homes {
    /// The right to show somebody's Home. Where somebody else has it, they are told to show it once more, and there is none.
    pub fn enter(&self, person: &Person) -> Option<Showing> {
        let mut shown = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(again) = shown.get_mut(person) {
            *again = Again::Yes;
            return None;
        }
        shown.insert(person.clone(), Again::No);
        Some(Showing { homes: self.clone(), person: person.clone(), is_over: false })
    }
}

impl Showing {
    /// Whether that was asked for meanwhile. Where it was not, the right is over.
    pub fn again(&mut self) -> bool {
        let mut shown = self.homes.0.lock().unwrap_or_else(PoisonError::into_inner);
        let again = shown.get_mut(&self.person).map(|again| std::mem::replace(again, Again::No));
        if again != Some(Again::Yes) {
            // Under the same lock: whoever asks from here on finds nobody at it.
            shown.remove(&self.person);
            self.is_over = true;
        }
        !self.is_over
    }
}

impl Drop for Showing {
    fn drop(&mut self) {
        if !self.is_over {
            self.homes.0.lock().unwrap_or_else(PoisonError::into_inner).remove(&self.person);
        }
    }
}

impl Deref for App {
    type Target = Parts;

    fn deref(&self) -> &Parts {
        &self.0
    }
}

impl App {
    /// Puts the parts together.
    pub fn new(options: Options, slack: Slack, zoom: Zoom, store: Store, clock: Clock) -> Self {
        let places = Arc::new(Semaphore::new(options.queue));
        let [permits, more_permits] = [options.permits; 2].map(|permits| Arc::new(Semaphore::new(permits)));
        let metrics = Arc::new(Metrics::new(slack.calls(), zoom.calls()));
        Self(Arc::new(Parts {
            options,
            slack,
            zoom,
            store,
            clock,
            metrics,
            homes: Homes::default(),
            stop: CancellationToken::new(),
            work: Notify::new(),
            proven_at: AtomicI64::new(i64::MIN),
            audited: Notify::new(),
            chosen: Notify::new(),
            tasks: TaskTracker::new(),
            places,
            permits,
            more_permits,
        }))
    }

    /// Tells everything that waits for work to end.
    pub fn stop(&self) {
        self.stop.cancel();
    }

    /// Whether [`App::stop`] was called.
    pub fn is_stopping(&self) -> bool {
        self.stop.is_cancelled()
    }

    /// Ends once [`App::stop`] was called.
    pub async fn stopping(&self) {
        self.stop.cancelled().await;
    }

    /// Tells this instance that there may be work in the journal that nobody holds.
    pub fn wake(&self) {
        self.work.notify_one();
    }

    /// Ends once [`App::wake`] was called since the last time.
    pub async fn woken(&self) {
        self.work.notified().await;
    }

    /// Whether it is to be noted that Zoom knows the secret of the webhooks: once a minute at the most.
    pub fn notes_proof(&self, now: Timestamp) -> bool {
        let (last, now) = (self.proven_at.load(Ordering::Relaxed), now.as_second());
        now.saturating_sub(last) >= 60
            && self.proven_at.compare_exchange(last, now, Ordering::Relaxed, Ordering::Relaxed).is_ok()
    }

    /// Tells this instance that there may be an entry that the audit channels have not been told of.
    pub fn tell_audited(&self) {
        self.audited.notify_one();
    }

    /// Ends once an entry was written down since the last time.
    pub async fn audited(&self) {
        self.audited.notified().await;
    }

    /// Tells this instance that a workspace chose an audit channel.
    pub fn tell_chosen(&self) {
        self.chosen.notify_one();
    }

    /// Ends once [`App::tell_chosen`] was called since the last time.
    pub async fn chosen(&self) {
        self.chosen.notified().await;
    }

    /// A place in the queue, or none at once.
    pub fn place(&self) -> Option<Place> {
        Arc::clone(&self.places).try_acquire_owned().ok().map(Place)
    }

    /// How many places in the queue are taken.
    pub fn places_in_use(&self) -> usize {
        self.options.queue - self.places.available_permits()
    }

    /// Waits for the right to work on a command. Whoever has waited longest gets it; after [`PATIENCE`] also one of as many
    /// beside: where a vendor hangs, others get their turn sooner, and all that is in work has a bound.
    pub async fn permit(&self) -> Option<Permit> {
        let beside = async {
            tokio::time::sleep(PATIENCE).await;
            Arc::clone(&self.more_permits).acquire_owned().await
        };
        let permit = tokio::select! {
            biased;
            permit = Arc::clone(&self.permits).acquire_owned() => permit,
            permit = beside => permit,
        };
        permit.ok().map(Permit)
    }

    /// How many commands are in work, without those that work beside.
    pub fn permits_in_use(&self) -> usize {
        self.options.permits - self.permits.available_permits()
    }

    /// Runs work that outlives the request. It is counted, and [`App::drain`] waits for it.
    pub fn spawn<F>(&self, work: F) -> tokio::task::JoinHandle<F::Output>
    where
        F: Future + Send + 'static,
        F::Output: Send + 'static,
    {
        self.tasks.spawn(work)
    }

    /// Waits until all work is done, at most this long; tells how much was cut off.
    pub async fn drain(&self, at_most: Duration) -> usize {
        self.tasks.close();
        // An elapsed deadline is the answer, told by the count.
        let _ = tokio::time::timeout(at_most, self.tasks.wait()).await;
        self.tasks.len()
    }

    /// Writes an entry to the log alone, where the store already has it, and counts it.
    pub fn log(&self, entry: &AuditEntry) {
        self.metrics.outcome(entry.verb.word(), entry.outcome.word());
        // How long a person took at Zoom, or a stream lasted, says nothing of OnAir.
        if !matches!(entry.verb, AuditVerb::Link | AuditVerb::Report | AuditVerb::Setup) {
            self.metrics.decided(entry.verb.word(), Duration::from_millis(entry.duration_ms));
        }
        let (zoom, person) = (entry.zoom.as_ref(), entry.person.as_ref());
        tracing::info!(
            target: "onair::audit",
            reference = %entry.reference,
            enterprise.id = person.and_then(|person| person.enterprise.as_ref()).map(tracing::field::display),
            team.id = person.map(|person| tracing::field::display(&person.team)),
            user.id = person.map(|person| tracing::field::display(&person.user)),
            asked_by.id = entry.asked_by.as_ref().map(tracing::field::display),
            channel.id = entry.channel.as_ref().map(tracing::field::display),
            verb = entry.verb.word(),
            meeting.id = entry.meeting.map(|meeting| meeting.number()),
            asked.settings = entry.asked.as_ref().map(|asked| asked.settings.join(",")),
            zoom_user.id = entry.zoom_user.as_ref().map(tracing::field::display),
            outcome = entry.outcome.word(),
            zoom.status = zoom.and_then(|zoom| zoom.status),
            zoom.code = zoom.and_then(|zoom| zoom.code),
            zoom.tracking_id = zoom.and_then(|zoom| zoom.tracking_id.as_deref()),
            duration_ms = entry.duration_ms,
            "command finished"
        );
        self.tell_audited();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::id::{TeamId, UserId};

    #[test]
    fn a_home_is_shown_once_at_a_time_and_once_more_for_all_who_asked_meanwhile() {
        let person = |team: &str| Person { enterprise: None, team: TeamId::new(team), user: UserId::new("U1") };
        let homes = Homes::default();
        let mut showing = homes.enter(&person("T1")).unwrap();
        assert!(homes.enter(&person("T2")).is_some(), "somebody else");
        assert!(homes.enter(&person("T1")).is_none() && homes.enter(&person("T1")).is_none());
        assert!(showing.again());
        assert!(!showing.again());
        let next = homes.enter(&person("T1")).unwrap();
        drop(showing);
        assert!(homes.enter(&person("T1")).is_none(), "what is over takes nobody's right away");
        drop(next);
        assert!(homes.enter(&person("T1")).is_some());
    }
}
