//! `onair check`: one line each for the configuration, the store, its keys, Slack and Zoom, whatever becomes of the others.

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
            for name in ["store", "keys", "slack", "zoom"] {
                not_checked(name)?;
            }
            return Err(problems.into());
        }
    };
    print(format_args!("{:<14} ok", "configuration"))?;
    let clock = Clock::default();
    let kept = config.store.clone();
    let (store, slack, zoom) =
        tokio::join!(store(config.store, clock.clone()), slack(config.slack), zoom(config.zoom, clock));
    // Only a store that is there has something to count.
    let keys = if store.is_ok() { Some(keys(&kept).await) } else { None };
    let store_good = line("store", store)?;
    let keys_good = match keys {
        Some(keys) => line("keys", keys)?,
        None => not_checked("keys")?,
    };
    let slack_good = line("slack", slack)?;
    let zoom_good = line("zoom", zoom)?;
    if store_good && keys_good && slack_good && zoom_good { Ok(()) } else { Err(Failed::Told) }
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

/// Which keys are in use. One that is not configured is needed; one that seals nothing may be taken out.
async fn keys(options: &store::Options) -> anyhow::Result<String> {
    let reader = Store::open_reader(&options.place, options.deadline)?;
    let sealed = reader.seals().await?;
    let first = super::keys::first(&options.keys)?;
    if let Some((lost, count)) = sealed.by_key.iter().find(|(id, _)| !options.keys.ids().any(|known| known == *id)) {
        anyhow::bail!("{count} records are under key {lost}, which ONAIR_ENCRYPTION_KEYS has not");
    }
    let told = options.keys.ids().map(|id| match sealed.by_key.get(id) {
        Some(count) => format!("{id}: {count} records"),
        None if id == first => format!("{id}: 0 records"),
        None => format!("{id}: none, it may be taken out"),
    });
    let left = if sealed.not_under(first) > 0 { "; onair keys rotate" } else { "" };
    Ok(format!(" ({}{left})", told.collect::<Vec<_>>().join(", ")))
}

async fn slack(options: slack::Options) -> anyhow::Result<String> {
    let team = Slack::new(options)?.check().await?;
    Ok(team.map(|team| format!(" (bot token of {team})")).unwrap_or_default())
}

async fn zoom(options: zoom::Options, clock: Clock) -> anyhow::Result<&'static str> {
    Zoom::new(options, clock)?.reachable().await?;
    Ok("")
}

fn not_checked(name: &str) -> Result<bool, Failed> {
    print(format_args!("{name:<14} not checked"))?;
    Ok(false)
}

fn line(name: &str, result: anyhow::Result<impl AsRef<str>>) -> Result<bool, Failed> {
    match &result {
        Ok(note) => print(format_args!("{name:<14} ok{}", note.as_ref()))?,
        Err(error) => print(format_args!("{name:<14} FAILED: {error:#}"))?,
    }
    Ok(result.is_ok())
}
