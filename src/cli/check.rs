//! `onair check`: one line each for the configuration, the store, Slack and Zoom, whatever becomes of the others.

use super::{Failed, environment, print};
use crate::clock::Clock;
use crate::config::Config;
use crate::slack::{self, Slack};
use crate::store::{self, Store};
use crate::zoom::{self, Zoom};

pub(super) async fn check() -> Result<(), Failed> {
    let config = match Config::from_vars(environment) {
        Ok(config) => config,
        Err(problems) => {
            print(format_args!("{:<14} FAILED: {} problem(s)", "configuration", problems.count()))?;
            for name in ["store", "slack", "zoom"] {
                print(format_args!("{name:<14} not checked"))?;
            }
            return Err(problems.into());
        }
    };
    print(format_args!("{:<14} ok", "configuration"))?;
    let clock = Clock::default();
    let (store, slack, zoom) =
        tokio::join!(store(config.store, clock.clone()), slack(config.slack), zoom(config.zoom, clock));
    let store_good = line("store", store)?;
    let slack_good = line("slack", slack)?;
    let zoom_good = line("zoom", zoom)?;
    if store_good && slack_good && zoom_good { Ok(()) } else { Err(Failed::Told) }
}

async fn store(options: store::Options, clock: Clock) -> anyhow::Result<&'static str> {
    match Store::open(options, clock) {
        // Only a service keeps it for longer than a check, and `/readyz` says how it is there.
        Err(store::Error::InUse) => Ok(" (in use by a running service)"),
        opened => {
            opened?.ping().await?;
            Ok("")
        }
    }
}

async fn slack(options: slack::Options) -> anyhow::Result<String> {
    let team = Slack::new(options)?.check().await?;
    Ok(team.map(|team| format!(" (bot token of {team})")).unwrap_or_default())
}

async fn zoom(options: zoom::Options, clock: Clock) -> anyhow::Result<&'static str> {
    Zoom::new(options, clock)?.reachable().await?;
    Ok("")
}

fn line(name: &str, result: anyhow::Result<impl AsRef<str>>) -> Result<bool, Failed> {
    match &result {
        Ok(note) => print(format_args!("{name:<14} ok{}", note.as_ref()))?,
        Err(error) => print(format_args!("{name:<14} FAILED: {error:#}"))?,
    }
    Ok(result.is_ok())
}
