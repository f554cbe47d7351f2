//! Where log lines go and in which form: standard error, as JSON for machines or text for a terminal. Where traces go:
//! see [`traces`].
//!
//! What never is in them, whatever the filter: tokens, secrets, `response_url`s, titles, what a person typed.

mod lines;
pub mod traces;

use std::io;

use tracing_subscriber::layer::SubscriberExt as _;
use tracing_subscriber::util::SubscriberInitExt as _;
use tracing_subscriber::{EnvFilter, Layer as _, fmt};

use self::lines::Lines;
use self::traces::Traces;

/// The form of a log line.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    /// One JSON object per line.
    Json,
    /// For people.
    Text,
}

/// The filter is not one that `tracing` understands.
#[derive(Debug, thiserror::Error)]
#[error("RUST_LOG: not a filter; write for example info or onair=debug")]
pub struct BadFilter;

/// Checks a filter without installing it.
pub fn check_filter(filter: &str) -> Result<(), BadFilter> {
    EnvFilter::try_new(filter).map(|_| ()).map_err(|_| BadFilter)
}

/// What stays as long as the process logs. Dropped, it waits until the last lines are written, for a second at the most.
#[must_use]
pub struct Log(Lines);

impl Drop for Log {
    fn drop(&mut self) {
        self.0.flush();
    }
}

/// Why there is no log.
#[derive(Debug, thiserror::Error)]
pub enum NoLog {
    /// See there.
    #[error(transparent)]
    BadFilter(#[from] BadFilter),
    /// There is no thread to write it.
    #[error("cannot start to log")]
    NoThread(#[source] io::Error),
}

/// Installs the process's subscriber, which writes log lines and, if there is somewhere, sends traces. Called once,
/// before anything is logged; a second call changes nothing.
pub fn install(format: Format, filter: &str, traces: Option<&Traces>) -> Result<Log, NoLog> {
    let filter = EnvFilter::try_new(filter).map_err(|_| BadFilter)?;
    let log = Lines::to(io::stderr()).map_err(NoLog::NoThread)?;
    let lines = fmt::layer().with_writer(log.clone());
    // The list of spans has the current one, too; each that is written is read from text first.
    let lines = match format {
        Format::Json => lines.json().flatten_event(true).with_current_span(false).boxed(),
        Format::Text => lines.with_ansi(false).boxed(),
    };
    let all = tracing_subscriber::registry().with(traces.map(Traces::layer)).with(lines.with_filter(filter));
    // A process that already has a subscriber keeps it.
    drop(all.try_init());
    Ok(Log(log))
}
