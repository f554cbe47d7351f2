//! `onair serve`: settings → logs → doors → service, until told to stop.

use std::net::SocketAddr;

use anyhow::Context as _;
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
use tokio::net::TcpListener;
use tokio::signal::unix::{SignalKind, signal};

use super::{Failed, environment};
use crate::clock::Clock;
use crate::config::Config;
use crate::http::{self, MetricsListen};
use crate::telemetry::traces::Traces;
use crate::telemetry::{self, Format};

pub(super) async fn serve(on_terminal: bool) -> Result<(), Failed> {
    let config = Config::from_vars(environment)?;
    Ok(run(config, on_terminal).await?)
}

async fn run(config: Config, on_terminal: bool) -> anyhow::Result<()> {
    let unset = if on_terminal { Format::Text } else { Format::Json };
    let traces = config.traces.as_ref().map(Traces::start).transpose()?;
    let _log = telemetry::install(config.logging.format.unwrap_or(unset), &config.logging.filter, traces.as_ref())?;
    let http::Options { listen, metrics, drain } = config.http.clone();
    allow_files();
    let app = config.build(Clock::default()).await?;
    let listener = bind("ONAIR_LISTEN", listen).await?;
    let metrics = match metrics {
        MetricsListen::Off => None,
        MetricsListen::At(address) => Some(bind(ONAIR_METRICS_LISTEN, address).await?),
        MetricsListen::Default(address) => match bind(ONAIR_METRICS_LISTEN, address).await {
            Ok(listener) => Some(listener),
            Err(error) => {
                tracing::warn!("no metrics: {error:#}; another instance on this machine needs an address of its own");
                None
            }
        },
    };
    let stop = stop_signal()?;
    if let Some(metrics) = metrics {
        tracing::info!(address = %metrics.local_addr()?, "metrics listening");
        http::serve_metrics(&app, metrics);
    }
    tracing::info!(address = %listener.local_addr()?, version = env!("CARGO_PKG_VERSION"), "listening");
    http::serve(app, listener, drain, stop).await;
    if let Some(traces) = traces {
        traces.flush().await;
    }
    Ok(())
}

/// As many open files as the system lets it have: each connection is one, and those to Zoom and Slack are needed most when
/// there are many others.
fn allow_files() {
    let limit = getrlimit(Resource::Nofile);
    if let Err(error) = setrlimit(Resource::Nofile, Rlimit { current: limit.maximum, ..limit }) {
        tracing::warn!(%error, "there may be no more open files than before");
    }
}

const ONAIR_METRICS_LISTEN: &str = "ONAIR_METRICS_LISTEN";

async fn bind(variable: &str, address: SocketAddr) -> anyhow::Result<TcpListener> {
    TcpListener::bind(address).await.with_context(|| format!("{variable}: cannot listen on {address}"))
}

/// Ends at the first SIGTERM or SIGINT.
pub(super) fn stop_signal() -> anyhow::Result<impl Future<Output = ()>> {
    let mut terminate = signal(SignalKind::terminate())?;
    let mut interrupt = signal(SignalKind::interrupt())?;
    Ok(async move {
        tokio::select! {
            _ = terminate.recv() => {}
            _ = interrupt.recv() => {}
        }
    })
}
