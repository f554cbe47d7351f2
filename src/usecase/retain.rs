//! How the audit trail loses what is older than the settings keep: bit by bit, by every instance.

use std::time::Duration;

use super::chain;
use crate::app::App;
use crate::store::Trimmed;

/// How often it is looked for.
const EVERY: Duration = Duration::from_secs(60);

/// Between two steps the store has time for others.
const BETWEEN: Duration = Duration::from_millis(100);

/// Trims the trail until told to stop.
pub async fn retain(app: App) {
    loop {
        let pause = match app.store.trim_audit(app.options.audit_retention).await {
            Ok(Trimmed::SomeLeft) => BETWEEN,
            Ok(Trimmed::All) => EVERY,
            Err(error) => {
                tracing::warn!(error = chain(&error), "the audit trail was not trimmed");
                EVERY
            }
        };
        tokio::select! {
            () = app.stopping() => return,
            () = tokio::time::sleep(pause) => {}
        }
    }
}
