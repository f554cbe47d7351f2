//! What somebody probably meant: the nearest of the words that would have been right.

use super::Verb;
use super::option::{Flag, bare_name, folded};
use crate::preset::{PresetName, Presets};

/// The verb behind a misspelled word, or behind another word for the same thing.
pub(super) fn verb(word: &str) -> Option<Verb> {
    let word = folded(word);
    let synonym = match word.as_str() {
        "begin" | "go" | "live" | "launch" | "run" | "on" | "on-air" | "golive" | "go-live" | "broadcast" => {
            Verb::Start
        }
        "end" | "halt" | "finish" | "off" | "off-air" | "quit" | "kill" | "cancel" => Verb::Stop,
        "list" | "ls" | "state" | "info" | "show" => Verb::Status,
        "login" | "log-in" | "link" | "signin" | "sign-in" | "auth" => Verb::Connect,
        "logout" | "log-out" | "unlink" | "signout" | "sign-out" => Verb::Disconnect,
        "who" | "me" | "account" => Verb::Whoami,
        "add" | "remember" | "bookmark" | "name" | "store" => Verb::Save,
        "remove" | "rm" | "delete" | "del" | "unsave" => Verb::Forget,
        "names" | "saved" | "bookmarks" | "favorites" => Verb::Presets,
        "target" | "rtmp" | "key" | "destination" | "configure" | "config" => Verb::Setup,
        "preflight" | "pre-flight" | "test" | "verify" | "ready" => Verb::Check,
        "log" | "logs" | "trail" | "history" | "entries" => Verb::Audit,
        "rules" | "permissions" | "admin" | "admins" | "allow" | "access" => Verb::Policy,
        "health" | "healthy" | "diagnose" | "diagnostics" => Verb::Doctor,
        "usage" | "commands" | "man" => Verb::Help,
        _ => {
            // A copied `stop` ends a show: only a slip of one letter means it.
            let is_meant = |verb: &Verb| *verb != Verb::Stop || word.len() <= 8 && distance(&word, verb.word()) <= 1;
            let words: Vec<&str> = Verb::ALL.into_iter().filter(is_meant).map(Verb::word).collect();
            let near = nearest(&word, &words)?;
            return Verb::ALL.into_iter().find(|verb| verb.word() == near);
        }
    };
    Some(synonym)
}

/// The option behind a misspelled name.
pub(super) fn flag(name: &str) -> Option<Flag> {
    let near = nearest(&folded(name), &Flag::ALL.map(bare_name))?;
    Flag::named(near)
}

/// The value behind a misspelled one; the first if it resembles none, for that one shows the form.
pub(super) fn value(word: &str, allowed: &[&'static str]) -> Option<&'static str> {
    let word = folded(word);
    // By its letters, `no` is nearest to `on`.
    let meant = match word.as_str() {
        "no" | "false" | "none" | "0" | "hide" | "hidden" | "never" => "off",
        "yes" | "true" | "1" | "show" | "shown" => "on",
        other => other,
    };
    nearest(meant, allowed).or_else(|| allowed.first().copied())
}

/// The saved name behind a misspelled one.
pub(super) fn name<'p>(word: &PresetName, saved: &'p Presets) -> Option<&'p PresetName> {
    let keys: Vec<String> = saved.all().iter().map(|preset| preset.name.key()).collect();
    let choices: Vec<&str> = keys.iter().map(String::as_str).collect();
    let near = nearest(&folded(&word.key()), &choices)?;
    saved.all().iter().zip(&keys).find(|(_, key)| *key == near).map(|(preset, _)| &preset.name)
}

/// The only choice that begins with the word, else the one the fewest slips away.
fn nearest<'c>(word: &str, choices: &[&'c str]) -> Option<&'c str> {
    /// Words longer than this are no misspelling of anything here.
    const LONGEST: usize = PresetName::MAX_CHARS;
    let length = word.chars().count();
    if length > LONGEST {
        return None;
    }
    let mut begun = choices.iter().filter(|choice| length >= 2 && folded(choice).starts_with(word));
    if let (Some(choice), None) = (begun.next(), begun.next()) {
        return Some(choice);
    }
    let slips = match length {
        0..=1 => 0,
        2..=4 => 1,
        5..=8 => 2,
        _ => 3,
    };
    let near = choices.iter().map(|choice| (distance(word, &folded(choice)), choice));
    near.filter(|(far, _)| *far <= slips).min_by_key(|(far, _)| *far).map(|(_, choice)| *choice)
}

/// Damerau and Levenshtein's distance: letters put in, left out, changed, or swapped with their neighbor.
fn distance(from: &str, to: &str) -> usize {
    let (from, to): (Vec<char>, Vec<char>) = (from.chars().collect(), to.chars().collect());
    let mut rows = vec![vec![0; to.len() + 1]; from.len() + 1];
    for i in 0..=from.len() {
        for j in 0..=to.len() {
            rows[i][j] = if i == 0 || j == 0 {
                i + j
            } else {
                let changed = rows[i - 1][j - 1] + usize::from(from[i - 1] != to[j - 1]);
                changed.min(rows[i - 1][j] + 1).min(rows[i][j - 1] + 1)
            };
            if i > 1 && j > 1 && from[i - 1] == to[j - 2] && from[i - 2] == to[j - 1] {
                rows[i][j] = rows[i][j].min(rows[i - 2][j - 2] + 1);
            }
        }
    }
    rows[from.len()][to.len()]
}
