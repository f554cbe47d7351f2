//! Where log lines go and in which form: standard error, as JSON for machines or text for a terminal.
//!
//! What never is in them, whatever the filter: tokens, secrets, `response_url`s, titles, what a person typed.

use std::io;

use tracing_subscriber::EnvFilter;
use tracing_subscriber::util::SubscriberInitExt as _;

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

/// Installs the process's subscriber. Called once, before anything is logged; a second call changes nothing.
pub fn install(format: Format, filter: &str) -> Result<(), BadFilter> {
    let filter = EnvFilter::try_new(filter).map_err(|_| BadFilter)?;
    let builder = tracing_subscriber::fmt().with_env_filter(filter).with_writer(io::stderr);
    let installed = match format {
        Format::Json => builder.json().flatten_event(true).finish().try_init(),
        Format::Text => builder.with_ansi(false).finish().try_init(),
    };
    // A process that already has a subscriber keeps it.
    drop(installed);
    Ok(())
}
