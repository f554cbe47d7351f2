//! `/stream presets`: the names a person has saved, and what becomes of one in another command.

use super::work::Work;
use super::{Done, Failure, chain};
use crate::app::App;
use crate::audit::AuditOutcome;
use crate::command::{Command, Target, UsageError};
use crate::id::Person;
use crate::invocation::Invocation;
use crate::reply::Reply;
use crate::store::KeptPresets;

pub(super) async fn presets(app: &App, invocation: &Invocation) -> Result<Done, Failure> {
    let kept = kept(app, &invocation.person).await?;
    Ok(Done::new(Reply::Presets(kept.presets), AuditOutcome::Told))
}

/// The command by its meeting's id. The name is looked up once: a next try, and whoever takes the job over after its
/// order was sent, find the id in the journal.
pub(super) async fn look_up<'w>(
    work: &'w Work,
    named: &Command<Target>,
) -> Result<Result<&'w Command, UsageError>, Failure> {
    if let Some(command) = work.by_id() {
        return Ok(Ok(command));
    }
    let kept = kept(&work.app, &work.invocation.person).await?;
    Ok(named.resolve(&kept.presets).map(|command| work.keep_by_id(command)))
}

/// What a person has saved. Names that cannot be opened any more, because their key is gone, count as none: saving one
/// anew is the cure, and writes over them.
pub(super) async fn kept(app: &App, person: &Person) -> Result<KeptPresets, Failure> {
    let kept = app.store.presets(person).await?;
    if let Some(fault) = &kept.fault {
        tracing::error!(error = chain(fault), "saved names cannot be opened; look at ONAIR_ENCRYPTION_KEYS");
    }
    Ok(kept)
}
