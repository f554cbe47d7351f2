//! `onair check`: one line each for the configuration, the store, Slack and Zoom.

use std::error::Error;

use super::{Failed, environment, print};
use crate::clock::Clock;
use crate::config::Config;

pub(super) async fn check() -> Result<(), Failed> {
    let config = Config::from_vars(environment)?;
    print("configuration  ok")?;
    let app = match config.build(Clock::default()).await {
        Ok(app) => app,
        Err(error) => {
            print(format_args!("store          FAILED: {:#}", anyhow::Error::from(error)))?;
            return Err(Failed::Told);
        }
    };
    let (store, slack, zoom) = tokio::join!(app.store.ping(), app.slack.check(), app.zoom.reachable());
    let store_good = line("store", store.map(|()| String::new()))?;
    let slack_good =
        line("slack", slack.map(|team| team.map(|team| format!(" (bot token of {team})")).unwrap_or_default()))?;
    let zoom_good = line("zoom", zoom.map(|()| String::new()))?;
    if store_good && slack_good && zoom_good { Ok(()) } else { Err(Failed::Told) }
}

fn line<E: Error>(name: &str, result: Result<String, E>) -> Result<bool, Failed> {
    match &result {
        Ok(note) => print(format_args!("{name:<14} ok{note}"))?,
        Err(error) => {
            let cause = error.source().map(|cause| format!(": {cause}")).unwrap_or_default();
            print(format_args!("{name:<14} FAILED: {error}{cause}"))?;
        }
    }
    Ok(result.is_ok())
}
