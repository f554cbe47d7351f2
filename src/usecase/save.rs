//! `/stream save`: save a meeting under a name of one's own.

use super::{Done, Failure, presets, senseless};
use crate::app::App;
use crate::audit::AuditOutcome;
use crate::command;
use crate::invocation::Invocation;
use crate::preset::Preset;
use crate::reply::Reply;

pub(super) async fn save(app: &App, invocation: &Invocation, preset: &Preset) -> Result<Done, Failure> {
    let person = &invocation.person;
    loop {
        let kept = presets::kept(app, person).await?;
        let mut wanted = kept.presets.clone();
        let Ok(former) = wanted.save(preset.clone()) else { return Ok(senseless(command::too_many_names())) };
        if app.store.change_presets(person, &kept, &wanted).await? {
            // What is there already was typed twice, or written before the process died.
            let replaced = former.filter(|former| former != preset);
            return Ok(Done::new(Reply::Saved { preset: preset.clone(), replaced }, AuditOutcome::Saved));
        }
    }
}
