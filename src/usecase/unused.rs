//! Telling people that Zoom is going to end a connection which nobody uses: by direct message, a fortnight before, each
//! person once per token. A connection is not renewed by itself, because access that nobody uses should end.

use std::time::Duration;

use super::{Failure, bot, chain};
use crate::app::App;
use crate::command::DEFAULT_COMMAND;
use crate::grant::Grant;
use crate::id::{ChannelId, Reference, ZoomUserId};
use crate::store::LeaseName;
use crate::words;

/// How often all grants are looked at, by whichever instance is first.
const EVERY: Duration = Duration::from_secs(60 * 60);

/// How often an instance asks whether it is time.
const ASK: Duration = Duration::from_secs(10 * 60);

/// Does it until told to stop.
pub async fn warn_of_unused(app: App) {
    let owner = Reference::random();
    loop {
        match app.store.lease(&LeaseName::unused(), owner.as_str(), EVERY).await {
            Ok(true) => {
                tokio::select! {
                    () = app.stopping() => return,
                    looked = look(&app) => match looked {
                        Ok(()) => tracing::debug!("looked for connections that nobody uses"),
                        Err(failure) => tracing::warn!(error = chain(&failure), "not all connections were looked at"),
                    },
                }
                tokio::select! {
                    () = app.stopping() => return,
                    () = tokio::time::sleep(EVERY) => {}
                }
            }
            Ok(false) => {}
            Err(error) => tracing::warn!(error = chain(&error), "connections are looked at later"),
        }
        tokio::select! {
            () = app.stopping() => return,
            () = tokio::time::sleep(ASK) => {}
        }
    }
}

async fn look(app: &App) -> Result<(), Failure> {
    let mut all = app.store.zoom_users();
    while let Some(users) = all.next().await? {
        for user in users {
            if let Err(failure) = warn(app, &user).await {
                tracing::warn!(zoom_user.id = %user, error = chain(&failure), "a connection was not looked at");
            }
        }
    }
    Ok(())
}

async fn warn(app: &App, user: &ZoomUserId) -> Result<(), Failure> {
    let Some(seen) = app.store.seen_grant(user).await? else { return Ok(()) };
    if !seen.value.tokens.end_soon(app.clock.now()) {
        return Ok(());
    }
    for person in app.store.linked_people(user).await? {
        // Read for each: the grant may be renewed meanwhile, and then there is nothing to tell.
        let Some(seen) = app.store.seen_grant(user).await? else { return Ok(()) };
        if !seen.value.tokens.end_soon(app.clock.now()) || seen.value.warned.contains(&person) {
            continue;
        }
        let context = words::Context {
            command: DEFAULT_COMMAND,
            workspace: None,
            now: app.clock.now(),
            reference: &Reference::random(),
        };
        let message = words::unused(&seen.value, &context);
        let to = ChannelId::new(person.user.as_str());
        match bot::post(app, &person, &to, &message).await {
            Ok(_) => tracing::info!(zoom_user.id = %user, user.id = %person.user, "told that a connection ends unused"),
            Err(error) if error.retry_in().is_some() && !error.leaves_open() => {
                tracing::info!(error = chain(&error), "a connection ends unused; that is told later");
                continue;
            }
            Err(error) => tracing::info!(error = chain(&error), "a connection ends unused, which can't be told"),
        }
        let mut warned = seen.value.warned.clone();
        warned.push(person);
        // Where it was written meanwhile, it was renewed, or sealed again: then this is told once more at the worst.
        app.store.change_grant(&seen, &Grant { warned, ..seen.value.clone() }).await?;
    }
    Ok(())
}
