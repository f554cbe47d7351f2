//! The figures that stories hold rather than clocks: they are counted where they are told, by the tests.

use std::process::{Command, Stdio};

use crate::figures::Row;

/// Killed at random points: what a thousand commands on each store came to.
pub(crate) fn kills() -> Row {
    let told = run(&["kills::"]);
    let counts: Vec<&str> = told.text.lines().filter(|line| line.contains(" kills, ")).collect();
    let holds = told.passed && counts.len() == 2;
    let measured = if holds { format!("0 unanswered; {}", counts.join("; ")) } else { told.end };
    Row::of("kill -9 at random points, 1,000 commands on each store", measured)
        .held("0 unanswered, duplicates only where the receipt was not recorded yet", holds)
}

/// What nobody signed, or signed long ago, or for somebody else, and what came before.
pub(crate) fn forged() -> Row {
    const STORIES: [&str; 6] = [
        "foreign::",
        "commands::what_slack_did_not_sign",
        "commands::a_request_passes_once",
        "commands::one_of_many_copies",
        "webhooks::strangers_change_nothing",
        "policy::forged_replayed_and_foreign",
    ];
    let told = run(&STORIES);
    let measured = if told.passed { format!("0: {}", told.end) } else { told.end };
    Row::of("forged, stale, replayed or cross-workspace requests let in", measured).held("0", told.passed)
}

/// What a run of tests said.
struct Told {
    passed: bool,
    text: String,
    /// What it came to.
    end: String,
}

fn run(stories: &[&str]) -> Told {
    let mut command = Command::new(env!("CARGO"));
    command.args(["test", "--locked", "--test", "it", "--"]).args(stories).arg("--nocapture");
    command.current_dir(env!("CARGO_MANIFEST_DIR")).env("INSTA_UPDATE", "no").stdin(Stdio::null());
    let output = command.output().unwrap();
    let text = [output.stdout, output.stderr].map(|bytes| String::from_utf8_lossy(&bytes).into_owned()).concat();
    let end = text.lines().find_map(|line| line.strip_prefix("test result: ")).unwrap_or("the tests did not run");
    let end = end.split("; 0 ignored").next().unwrap_or(end).to_owned();
    // Stories that nobody finds any more hold nothing.
    let passed = output.status.success() && !end.contains(" 0 passed");
    if !passed {
        println!("{text}");
    }
    Told { passed, text, end }
}
