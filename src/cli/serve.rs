//! `onair serve`: settings → doors → service, until told to stop.

use anyhow::Context as _;
use tokio::net::TcpListener;
use tokio::signal::unix::{SignalKind, signal};

use super::{Failed, environment};
use crate::clock::Clock;
use crate::config::Config;
use crate::http;

pub(super) async fn serve() -> Result<(), Failed> {
    let config = Config::from_vars(environment)?;
    Ok(run(config).await?)
}

async fn run(config: Config) -> anyhow::Result<()> {
    let http::Options { listen, drain } = config.http.clone();
    let app = config.build(Clock::default()).await?;
    let listener = TcpListener::bind(listen).await.with_context(|| format!("cannot listen on {listen}"))?;
    let stop = stop_signal()?;
    tracing::info!(address = %listener.local_addr()?, version = env!("CARGO_PKG_VERSION"), "listening");
    http::serve(app, listener, drain, stop).await;
    Ok(())
}

/// Ends at the first SIGTERM or SIGINT.
fn stop_signal() -> anyhow::Result<impl Future<Output = ()>> {
    let mut terminate = signal(SignalKind::terminate())?;
    let mut interrupt = signal(SignalKind::interrupt())?;
    Ok(async move {
        tokio::select! {
            _ = terminate.recv() => {}
            _ = interrupt.recv() => {}
        }
    })
}
