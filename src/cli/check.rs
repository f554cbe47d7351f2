//! `onair check`: one line each for the configuration, the store, its keys, its queue and its streams, Slack, Zoom, the clock
//! and the webhooks, whatever becomes of the others.

use anyhow::Context as _;
use jiff::{SignedDuration, Timestamp};

use super::{Failed, environment, print};
use crate::clock::{Clock, MOST_APART};
use crate::config::Config;
use crate::journal::LATE;
use crate::slack::{self, Slack};
use crate::store::{self, Store};
use crate::stream::State;
use crate::zoom::{self, Zoom};

/// What is looked at, in this order.
const LINES: [&str; 9] = ["configuration", "store", "keys", "queue", "streams", "slack", "zoom", "clock", "webhooks"];

pub(super) async fn check() -> Result<(), Failed> {
    let [configuration, others @ ..] = LINES;
    let config = match Config::from_vars(environment) {
        Ok(config) => config,
        Err(problems) => {
            print(format_args!("{configuration:<14} FAILED: {} problem(s)", problems.count()))?;
            for name in others {
                line(name, None)?;
            }
            return Err(problems.into());
        }
    };
    let clock = Clock::default();
    let (kept, has_webhooks) = (config.store.clone(), !config.zoom.webhook_secrets.is_empty());
    let (store, slack, zoom) =
        tokio::join!(store(config.store, clock.clone()), slack(config.slack), zoom(config.zoom, clock.clone()));
    // Only a store that is there has something to count, and only a Zoom that answers tells the time.
    let (mut keys, mut queue, mut streams) = (None, None, None);
    if store.is_ok() {
        keys = Some(self::keys(&kept).await);
        queue = Some(self::queue(&kept).await);
        streams = Some(self::streams(&kept, &clock).await);
    }
    let (zoom, ahead) = match zoom {
        Ok(ahead) => (Ok(String::new()), ahead),
        Err(error) => (Err(error), None),
    };
    let found = [
        Some(Ok(String::new())),
        Some(store),
        keys,
        queue,
        streams,
        Some(slack),
        Some(zoom),
        ahead.map(apart),
        Some(Ok(webhooks(has_webhooks))),
    ];
    let mut all_good = true;
    for (name, found) in LINES.into_iter().zip(found) {
        all_good &= !matches!(line(name, found)?, Found::Failed);
    }
    if all_good { Ok(()) } else { Err(Failed::Told) }
}

async fn store(options: store::Options, clock: Clock) -> anyhow::Result<String> {
    match Store::open(options, clock) {
        // Only a service keeps it for longer than a check, and `/readyz` says how it is there.
        Err(store::Error::InUse) => Ok(" (in use by a running service)".to_owned()),
        opened => {
            opened?.ping().await?;
            Ok(String::new())
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
    let slack = Slack::new(options)?;
    let team = slack.check().await?;
    slack.check_client().await.context("SLACK_CLIENT_ID or SLACK_CLIENT_SECRET is wrong")?;
    Ok(team.map(|team| format!(" (bot token of {team})")).unwrap_or_default())
}

/// Tells by how much this machine's clock is ahead.
async fn zoom(options: zoom::Options, clock: Clock) -> anyhow::Result<Option<SignedDuration>> {
    let zoom = Zoom::new(options, clock)?;
    let ahead = zoom.reachable().await?;
    zoom.check_client().await.context("ZOOM_CLIENT_ID or ZOOM_CLIENT_SECRET is wrong")?;
    Ok(ahead)
}

/// Work that nobody does: none for long, while a service runs.
async fn queue(options: &store::Options) -> anyhow::Result<String> {
    let waiting = Store::open_reader(&options.place, options.deadline)?.waiting().await?;
    if let Some(oldest) = waiting.oldest.filter(|oldest| *oldest > LATE) {
        let (count, seconds) = (waiting.claimable, oldest.as_secs());
        anyhow::bail!("{count} jobs are due, the first for {seconds} s, and nobody does them: start `onair serve`");
    }
    Ok(format!(" ({} jobs, none of them late)", waiting.open))
}

/// Streams of which Zoom took the start and reported nothing.
async fn streams(options: &store::Options, clock: &Clock) -> anyhow::Result<String> {
    let all = Store::open_reader(&options.place, options.deadline)?.streams(&options.keys).await?;
    let unconfirmed = all.iter().filter_map(|stream| match stream.state {
        State::Unconfirmed { at } => Some(at),
        _ => None,
    });
    let since: Vec<Timestamp> = unconfirmed.collect();
    Ok(match since.iter().min() {
        None => " (none unconfirmed)".to_owned(),
        Some(oldest) => {
            let minutes = clock.now().duration_since(*oldest).as_mins();
            format!(" ({} unconfirmed, the oldest for {minutes} min: its card lists the likely causes)", since.len())
        }
    })
}

/// Both vendors' signatures carry the time, and tokens end at theirs.
fn apart(ahead: SignedDuration) -> anyhow::Result<String> {
    let seconds = ahead.abs().as_secs();
    if ahead.abs() <= MOST_APART {
        return Ok(format!(" ({seconds} s from Zoom's)"));
    }
    let way = if ahead.is_positive() { "ahead of" } else { "behind" };
    anyhow::bail!(
        "this machine is {seconds} s {way} Zoom: tokens are renewed at the wrong time, and from 300 s on every request of \
         Slack and Zoom is refused; let it keep time by NTP"
    )
}

fn webhooks(are_set: bool) -> String {
    let told = match are_set {
        true => "secret set: Zoom's reports confirm streams",
        false => "ZOOM_WEBHOOK_SECRET_TOKEN is not set: no card ever says live",
    };
    format!(" ({told})")
}

/// What became of one line.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Found {
    Good,
    Failed,
    NotChecked,
}

fn line(name: &str, result: Option<anyhow::Result<String>>) -> Result<Found, Failed> {
    let (told, found) = match result {
        Some(Ok(note)) => (format!("ok{note}"), Found::Good),
        Some(Err(error)) => (format!("FAILED: {error:#}"), Found::Failed),
        None => ("not checked".to_owned(), Found::NotChecked),
    };
    print(format_args!("{name:<14} {told}"))?;
    Ok(found)
}
