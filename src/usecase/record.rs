//! Writing an entry down that no job has: the log has it at once, the store once it takes it.

use std::time::Duration;

use tracing::Instrument as _;

use super::chain;
use crate::app::App;
use crate::audit::AuditEntry;
use crate::id::{DeliveryId, Reference};
use crate::store::{self, With};

/// For how long a store that is away is waited for; shorter than it remembers what it was given once.
const PATIENCE: Duration = Duration::from_secs(5 * 60);

/// How often it is tried meanwhile.
const AGAIN: Duration = Duration::from_secs(2);

/// Writes an entry down, once. A store that is away does not hold up the answer: it is given the entry afterwards, unless
/// it stays away for too long, the service stops, or as much waits already as there are places in the queue.
pub(super) async fn record(app: &App, entry: AuditEntry) {
    record_once(app, Reference::random().as_str(), entry).await;
}

/// The same for what may be done again by whoever takes it over: under one name there is one entry, as long as the store
/// remembers that.
pub(super) async fn record_once(app: &App, name: &str, entry: AuditEntry) {
    app.log(&entry);
    let once = DeliveryId::new(format!("entry-{name}"));
    let Err(error) = write(app, &once, &entry).await else { return };
    let Some(place) = app.place() else { return give_up(&entry, &error) };
    tracing::warn!(reference = %entry.reference, error = chain(&error), "an audit entry is not stored yet");
    let inner = app.clone();
    let work = async move {
        write_later(&inner, &once, &entry).await;
        drop(place);
    };
    drop(app.spawn(work.in_current_span()));
}

async fn write_later(app: &App, once: &DeliveryId, entry: &AuditEntry) {
    let until = tokio::time::Instant::now() + PATIENCE;
    loop {
        // Whoever stops tries once more, at once.
        tokio::select! {
            () = app.stopping() => {}
            () = tokio::time::sleep(AGAIN) => {}
        }
        let Err(error) = write(app, once, entry).await else { return };
        if app.is_stopping() || tokio::time::Instant::now() >= until {
            return give_up(entry, &error);
        }
    }
}

/// The store remembers that it was given this, as it remembers a delivery.
async fn write(app: &App, once: &DeliveryId, entry: &AuditEntry) -> Result<(), store::Error> {
    app.store.accept(once, With::Entry(entry)).await?;
    app.tell_audited();
    Ok(())
}

fn give_up(entry: &AuditEntry, error: &store::Error) {
    tracing::error!(reference = %entry.reference, error = chain(error), "audit entry not stored");
}
