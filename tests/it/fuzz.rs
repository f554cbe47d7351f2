//! The fuzz targets, which are a workspace of their own that no other test builds: what they do with an input is built
//! here as well, and shown everything that lies in their corpus.

#[path = "../../fuzz/bodies/mod.rs"]
mod bodies;

use std::collections::BTreeSet;
use std::fs;
use std::panic::catch_unwind;
use std::path::{Path, PathBuf};

type Body = fn(&[u8]);

const TARGETS: [(&str, Body); 6] = [
    ("command", bodies::command::run),
    ("slack", bodies::slack::run),
    ("signature", bodies::signature::run),
    ("zoom_webhook", bodies::zoom_webhook::run),
    ("zoom_answer", bodies::zoom_answer::run),
    ("sealed", bodies::sealed::run),
];

/// What lies in a folder of `fuzz`.
fn paths(folder: &str) -> Vec<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("fuzz").join(folder);
    let entries = fs::read_dir(&folder).unwrap_or_else(|error| panic!("{}: {error}", folder.display()));
    entries.map(|entry| entry.unwrap().path()).collect()
}

/// The names of what lies there, without what tells their kind.
fn names(folder: &str) -> BTreeSet<String> {
    paths(folder).iter().map(|path| path.file_stem().unwrap().to_str().unwrap().to_owned()).collect()
}

#[test]
fn each_target_takes_everything_in_its_corpus() {
    let mut found = Vec::new();
    for (name, body) in TARGETS {
        let inputs = paths(&format!("corpus/{name}"));
        assert!(!inputs.is_empty(), "{name} has no corpus");
        for path in inputs {
            let input = fs::read(&path).unwrap();
            if catch_unwind(|| body(&input)).is_err() {
                found.push(path);
            }
        }
    }
    assert!(found.is_empty(), "{found:#?}");
}

#[test]
fn no_target_is_forgotten_anywhere() {
    let known: BTreeSet<String> = TARGETS.iter().map(|(name, _)| (*name).to_owned()).collect();
    assert_eq!(names("corpus"), known);
    assert_eq!(names("fuzz_targets"), known);
    let bodies: BTreeSet<String> = names("bodies").into_iter().filter(|name| name != "mod").collect();
    assert_eq!(bodies, known);
    let built = include_str!("../../fuzz/Cargo.toml").split("[[bin]]\nname = \"").skip(1);
    assert_eq!(built.map(|rest| rest.split('"').next().unwrap().to_owned()).collect::<BTreeSet<_>>(), known);
    let readme = include_str!("../../fuzz/README.md");
    let rows = readme.lines().filter_map(|line| line.strip_prefix("| `")?.split('`').next());
    assert_eq!(rows.map(str::to_owned).collect::<BTreeSet<_>>(), known);
    let run = readme.split_once("for target in ").unwrap().1.split(';').next().unwrap();
    assert_eq!(run.split(' ').map(str::to_owned).collect::<BTreeSet<_>>(), known);
}
