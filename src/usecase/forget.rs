//! `/stream forget`: forget a saved name.

use super::{Done, Failure, presets, senseless};
use crate::app::App;
use crate::audit::AuditOutcome;
use crate::command;
use crate::invocation::Invocation;
use crate::preset::PresetName;
use crate::reply::Reply;

pub(super) async fn forget(app: &App, invocation: &Invocation, name: &PresetName) -> Result<Done, Failure> {
    let person = &invocation.person;
    loop {
        let kept = presets::kept(app, person).await?;
        let mut wanted = kept.presets.clone();
        let Some(former) = wanted.forget(name) else { return Ok(senseless(command::not_saved(name, &wanted))) };
        if app.store.change_presets(person, &kept, &wanted).await? {
            return Ok(Done::new(Reply::Forgotten(former), AuditOutcome::Forgotten));
        }
    }
}
