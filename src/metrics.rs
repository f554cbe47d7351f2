//! What is counted, and how it is told to whoever scrapes it.
//!
//! Every label is a `&'static str`, one of few words of the code: no user, team, meeting, title or address can become
//! one, and no stranger can make the exposition grow. What holds at the moment of a scrape is not kept but asked for;
//! see [`Now`].
//!
//! [OpenMetrics](https://prometheus.io/docs/specs/om/open_metrics_spec/)

use std::time::Duration;

use prometheus_client::encoding::text;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::ConstGauge;
use prometheus_client::metrics::histogram::Histogram;
use prometheus_client::metrics::info::Info;
use prometheus_client::registry::{Registry, Unit};

/// The media type of [`Metrics::text`].
pub const CONTENT_TYPE: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";

/// Where the buckets of a command's duration end, in seconds. Most are decided at once or after one answer of Zoom, which
/// may take ten; what waited for a next try takes half a minute or more.
const BUCKETS: [f64; 12] = [0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0];

type Labels<const N: usize> = [(&'static str, &'static str); N];
type Counts<const N: usize> = Family<Labels<N>, Counter>;
type Durations = Family<Labels<1>, Histogram, fn() -> Histogram>;

/// The calls of one door, by name and result. Clones count together.
#[derive(Clone, Debug, Default)]
pub struct Calls(Counts<2>);

impl Calls {
    /// Counts one.
    pub fn count(&self, call: &'static str, result: &'static str) {
        self.0.get_or_create(&[("call", call), ("result", result)]).inc();
    }
}

/// What holds while it is told.
#[derive(Clone, Debug)]
pub struct Now {
    /// How many places the queue has.
    pub places: usize,
    /// How many of them are taken.
    pub places_in_use: usize,
    /// How many commands may be in work at once.
    pub permits: usize,
    /// How many are.
    pub permits_in_use: usize,
    /// Whether the store takes writes.
    pub store_is_up: bool,
    /// The journal, where the store could tell.
    pub journal: Option<Journal>,
}

/// The journal while it is told.
#[derive(Clone, Copy, Debug)]
pub struct Journal {
    /// How many jobs are in it.
    pub jobs: u64,
    /// How many of them nobody works on although they are due.
    pub claimable: u64,
    /// For how long the first of those has been due.
    pub overdue: Duration,
}

/// Everything that is counted.
#[derive(Debug)]
pub struct Metrics {
    registry: Registry,
    outcomes: Counts<2>,
    durations: Durations,
    refused: Counts<2>,
    webhooks: Counts<1>,
    refreshes: Counts<1>,
    announced: Counts<1>,
}

impl Metrics {
    /// Nothing yet, beside what the doors count by themselves.
    pub fn new(slack: &Calls, zoom: &Calls) -> Self {
        let mut metrics = Self {
            registry: Registry::with_prefix("onair"),
            outcomes: Family::default(),
            durations: Family::new_with_constructor(|| Histogram::new(BUCKETS)),
            refused: Family::default(),
            webhooks: Family::default(),
            refreshes: Family::default(),
            announced: Family::default(),
        };
        let version = Info::new([("version", env!("CARGO_PKG_VERSION"))]);
        let all = &mut metrics.registry;
        all.register("build", "Which OnAir this is", version);
        all.register(
            "outcomes",
            "Commands, presses, connections and reports of Zoom, by what came of them",
            metrics.outcomes.clone(),
        );
        all.register_with_unit(
            "command_duration",
            "Histogram of the time from a command's arrival until its answer was decided, its next tries included",
            Unit::Seconds,
            metrics.durations.clone(),
        );
        all.register("requests_refused", "Requests that were not let in", metrics.refused.clone());
        all.register("zoom_webhooks", "Signed reports of Zoom, repeated ones included", metrics.webhooks.clone());
        all.register("zoom_calls", "Calls to Zoom", zoom.0.clone());
        all.register("slack_calls", "Calls to Slack", slack.0.clone());
        all.register("audit_channel_messages", "Messages to audit channels", metrics.announced.clone());
        all.register("token_refreshes", "Renewals of a Zoom grant", metrics.refreshes.clone());
        metrics
    }

    /// Counts what came of something.
    pub fn outcome(&self, verb: &'static str, outcome: &'static str) {
        self.outcomes.get_or_create(&[("verb", verb), ("outcome", outcome)]).inc();
    }

    /// Notes how long a command took from its arrival until it was decided.
    pub fn decided(&self, verb: &'static str, took: Duration) {
        self.durations.get_or_create(&[("verb", verb)]).observe(took.as_secs_f64());
    }

    /// Counts a request that was not let in.
    pub fn refused(&self, door: &'static str, reason: &'static str) {
        self.refused.get_or_create(&[("door", door), ("reason", reason)]).inc();
    }

    /// Counts a report of Zoom.
    pub fn webhook(&self, event: &'static str) {
        self.webhooks.get_or_create(&[("event", event)]).inc();
    }

    /// Counts a renewal of a grant.
    pub fn refresh(&self, result: &'static str) {
        self.refreshes.get_or_create(&[("result", result)]).inc();
    }

    /// Counts a message to an audit channel.
    pub fn announced(&self, result: &'static str) {
        self.announced.get_or_create(&[("result", result)]).inc();
    }

    /// Tells it all, as [`CONTENT_TYPE`]. What was never counted is not in it yet.
    pub fn text(&self, now: &Now) -> String {
        let mut told = String::new();
        let written = text::encode_registry(&mut told, &self.registry)
            .and_then(|()| text::encode_registry(&mut told, &now.registry()))
            .and_then(|()| text::encode_eof(&mut told));
        written.expect("a String takes whatever is written");
        told
    }
}

impl Now {
    fn registry(&self) -> Registry {
        let mut all = Registry::with_prefix("onair");
        let count = |places: usize| ConstGauge::new(i64::try_from(places).unwrap_or(i64::MAX));
        all.register("queue_places", "How many commands and reports may be unfinished at once", count(self.places));
        all.register("queue_places_in_use", "How many are", count(self.places_in_use));
        all.register(
            "permits",
            "How many commands may be in work at once before any has waited for five seconds",
            count(self.permits),
        );
        all.register("permits_in_use", "How many of these are taken", count(self.permits_in_use));
        all.register(
            "store_up",
            "1 if the store takes writes, else 0: then nothing is accepted",
            ConstGauge::new(i64::from(self.store_is_up)),
        );
        let Some(journal) = self.journal else { return all };
        all.register("journal_jobs", "Jobs that are not finished, of all instances", ConstGauge::new(journal.jobs));
        all.register(
            "journal_jobs_claimable",
            "Jobs that are due and that nobody works on",
            ConstGauge::new(journal.claimable),
        );
        all.register_with_unit(
            "journal_overdue",
            "For how long the first of those has been due",
            Unit::Seconds,
            ConstGauge::new(journal.overdue.as_secs_f64()),
        );
        all
    }
}

#[cfg(test)]
mod tests;
