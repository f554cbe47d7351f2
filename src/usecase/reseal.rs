//! Sealing everything with the first key, where this process alone has the store. Keys change with a restart, so it is
//! done once after each; where several processes share the store, the operator says when all of them have the key.

use std::time::Duration;

use super::chain;
use crate::app::App;

/// How soon it begins again when the store was away.
const AGAIN: Duration = Duration::from_secs(10);

/// Does it, unless told to stop; what is left then is done after the next start.
pub async fn reseal(app: App) {
    if !app.store.reseals_alone() {
        return;
    }
    let all = async {
        loop {
            match app.store.reseal().await {
                Ok(all) => return all,
                Err(error) => tracing::warn!(error = chain(&error), "not everything is sealed with the first key yet"),
            }
            tokio::time::sleep(AGAIN).await;
        }
    };
    tokio::select! {
        () = app.stopping() => {}
        all = all => {
            let moved: usize = all.iter().map(|one| one.moved).sum();
            tracing::info!(moved, "everything that opens is sealed with the first key");
            for one in all.iter().filter(|one| one.unopened > 0) {
                let (prefix, count) = (one.prefix, one.unopened);
                tracing::error!(prefix, count, "values do not open; look at ONAIR_ENCRYPTION_KEYS");
            }
        }
    }
}
