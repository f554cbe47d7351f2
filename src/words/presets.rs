//! The names under which one person has saved meetings. For their own eyes: names and titles may be confidential.

use super::Context;
use super::text::{MAX_MESSAGE, code, plain, size};
use crate::command::{Command, Run, Start, Target, Verb};
use crate::meeting::Settings;
use crate::preset::{Preset, Presets};

pub(super) fn saved(preset: &Preset, replaced: Option<&Preset>, context: &Context) -> Vec<String> {
    let mut lines = vec![format!("Saved: {} is {}.", name(preset), what(preset))];
    if let Some(replaced) = replaced {
        lines.push(format!("It was {} before.", what(replaced)));
    }
    lines.push(format!("To put it on air: {}", start(preset, context)));
    lines
}

pub(super) fn forgotten(preset: &Preset, context: &Context) -> Vec<String> {
    vec![
        format!("Forgotten: {} was {}.", name(preset), what(preset)),
        format!("To have it back: {}", context.copy(&Command::Save(preset.clone()).to_string())),
    ]
}

pub(super) fn list(saved: &Presets, context: &Context) -> Vec<String> {
    if saved.all().is_empty() {
        return vec![
            "You have no saved names. They are for you alone: nobody else sees or uses them.".to_owned(),
            format!("Save a meeting under one: {}", context.copy(Verb::Save.example())),
        ];
    }
    let framed = |head: String, names: Vec<String>| {
        let forget = format!("To forget one: {} and its name", context.verb(Verb::Forget));
        [vec![head], names, vec![forget]].concat()
    };
    let whole = saved.all().iter().map(|preset| format!("• {}: {}", start(preset, context), what(preset)));
    let whole = framed("Your saved names, to start each:".to_owned(), whole.collect());
    if size(&whole.join("\n")) <= MAX_MESSAGE {
        return whole;
    }
    // Rather every name without its title than some names with theirs.
    let short = saved.all().iter().map(|preset| format!("• {}: {}", name(preset), code(&preset.meeting.to_string())));
    framed(format!("Your saved names. To start one: {} and its name", context.verb(Verb::Start)), short.collect())
}

/// What a name stands for.
pub(super) fn what(preset: &Preset) -> String {
    let meeting = code(&preset.meeting.to_string());
    match &preset.title {
        Some(title) => format!("{meeting}, “{}”", plain(title.as_str())),
        None => meeting,
    }
}

fn name(preset: &Preset) -> String {
    code(preset.name.as_str())
}

pub(super) fn start(preset: &Preset, context: &Context) -> String {
    let meeting = Target::Saved(preset.name.clone());
    let start = Start { meeting, settings: Settings::default(), run: Run::Real };
    context.copy(&Command::Start(start).to_string())
}
