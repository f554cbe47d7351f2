//! What people forget: the floors, and the places that must name the same things.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use onair::audit::AuditOutcome;
use onair::command::Verb;
use onair::config::VARIABLES;

const README: &str = include_str!("../../README.md");

/// The floors of `src/lib.rs`, from the ground up.
const FLOORS: &[&[&str]] = &[
    &["id", "secret", "clock", "metrics"],
    &[
        "command",
        "invocation",
        "journal",
        "meeting",
        "outcome",
        "grant",
        "reply",
        "words",
        "audit",
        "manifest",
        "preset",
        "turn",
        "stream",
        "destination",
        "installation",
        "policy",
        "lend",
    ],
    &["slack", "zoom", "store"],
    &["app"],
    &["usecase"],
    &["http", "telemetry"],
    &["config"],
    &["cli", "sandbox", "main", "lib"],
];

/// Crates that may be named on one floor, or in some modules, only.
const KEPT_IN: &[(&str, &[&str])] = &[
    ("anyhow", &["cli", "sandbox"]),
    ("tracing_subscriber", &["telemetry"]),
    ("opentelemetry", &["telemetry"]),
    ("opentelemetry_sdk", &["telemetry"]),
    ("opentelemetry_otlp", &["telemetry"]),
    ("tracing_opentelemetry", &["telemetry"]),
    ("axum", &["http"]),
    ("tower_http", &["http"]),
    ("slack_morphism", &["slack"]),
    ("reqwest", &["slack", "zoom", "sandbox"]),
    ("redis", &["store"]),
    ("rusqlite", &["store"]),
    ("clap", &["cli"]),
    ("prometheus_client", &["metrics"]),
];

/// Every source file with the module on a floor that it belongs to. The simulators' and doors' own tests count, too.
fn sources() -> Vec<(PathBuf, String, String)> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut found = Vec::new();
    let mut folders = vec![root.clone()];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|extension| extension == "rs") {
                let inside = path.strip_prefix(&root).unwrap();
                let module = inside.iter().next().unwrap().to_string_lossy().trim_end_matches(".rs").to_owned();
                found.push((inside.to_owned(), module, fs::read_to_string(&path).unwrap()));
            }
        }
    }
    assert!(found.len() > 40, "the sources are found: {}", found.len());
    found
}

fn floor_of(module: &str) -> usize {
    let floor = FLOORS.iter().position(|modules| modules.contains(&module));
    floor.unwrap_or_else(|| panic!("{module} is on no floor: put it on one, here and in lib.rs"))
}

/// The modules named after `crate::` in code, one by one also where they stand in braces.
fn imported(source: &str) -> Vec<String> {
    let code: String =
        source.lines().filter(|line| !line.trim_start().starts_with("//")).collect::<Vec<_>>().join("\n");
    let mut modules = Vec::new();
    for (at, _) in code.match_indices("crate::") {
        // `$crate::` and `self_crate::` are somebody else's.
        if code[..at].ends_with(|c: char| c.is_alphanumeric() || c == '_') {
            continue;
        }
        let rest = &code[at + "crate::".len()..];
        match rest.strip_prefix('{') {
            Some(group) => modules.extend(first_names(group)),
            None => modules.push(rest.chars().take_while(|c| c.is_alphanumeric() || *c == '_').collect()),
        }
    }
    modules
}

/// The first names of the outermost items of a brace group: `a::B, c::{D, e}` → `a`, `c`.
fn first_names(group: &str) -> Vec<String> {
    let (mut depth, mut names, mut name, mut taking) = (0, Vec::new(), String::new(), true);
    for c in group.chars() {
        match c {
            '{' => depth += 1,
            '}' if depth == 0 => break,
            '}' => depth -= 1,
            ',' if depth == 0 => {
                names.push(std::mem::take(&mut name));
                taking = true;
            }
            ':' if depth == 0 => taking = false,
            c if depth == 0 && taking && (c.is_alphanumeric() || c == '_') => name.push(c),
            _ => {}
        }
    }
    names.push(name);
    names.retain(|name| !name.is_empty());
    names
}

#[test]
fn braces_and_comments_do_not_hide_an_import() {
    let source = "use crate::{a, b::{C, d}};\nlet x = crate::e::f();\n// use crate::g;\n/// [`crate::h`]\n";
    assert_eq!(imported(source), ["a", "b", "e"]);
}

#[test]
fn every_module_imports_from_the_floors_below_it() {
    let mut seen = 0;
    for (path, module, source) in sources() {
        let floor = floor_of(&module);
        for import in imported(&source) {
            if import == module {
                continue;
            }
            seen += 1;
            let below = floor_of(&import) < floor;
            let family = floor == 1 && floor_of(&import) == 1;
            // The composition root may name everything.
            let root = matches!(module.as_str(), "main" | "lib");
            // The command line starts the sandbox; nothing else knows it.
            let starts_sandbox = module == "cli" && import == "sandbox";
            assert!(below || family || root || starts_sandbox, "{}: {module} imports {import}", path.display());
        }
    }
    assert!(seen > 100, "imports are found: {seen}");
}

#[test]
fn every_crate_stays_behind_its_door() {
    for (path, module, source) in sources() {
        for (name, modules) in KEPT_IN {
            let used = source.contains(&format!("use {name}::")) || source.contains(&format!(" {name}::"));
            assert!(!used || modules.contains(&module.as_str()), "{} uses {name}", path.display());
        }
    }
}

#[test]
fn pure_floors_do_no_io_and_read_no_clock() {
    const IMPURE: &[&str] =
        &["async ", ".await", "std::fs", "std::net", "tokio", "Arc<", "Timestamp::now", "SystemTime"];
    for (path, module, source) in sources() {
        if floor_of(&module) == 1 {
            for word in IMPURE {
                assert!(!source.contains(word), "{} has {word}", path.display());
            }
        }
    }
}

#[test]
fn nothing_but_the_command_line_reaches_the_sandbox() {
    for (path, module, source) in sources() {
        let allowed = matches!(module.as_str(), "sandbox" | "cli" | "lib");
        assert!(allowed || !imported(&source).contains(&"sandbox".to_owned()), "{}", path.display());
        assert!(!path.ends_with("cli/serve.rs") || !source.contains("sandbox"), "serve reaches the sandbox");
    }
}

/// The floors of the table in `lib.rs`, from the ground up, each with its modules in order.
fn documented_floors() -> Vec<Vec<String>> {
    let library = include_str!("../../src/lib.rs");
    let mut floors: Vec<(usize, Vec<String>)> = library
        .lines()
        .filter_map(|line| {
            let mut cells = line.strip_prefix("//! | ")?.split(" | ");
            let floor = cells.next()?.parse().ok()?;
            let mut modules: Vec<String> = cells.next()?.split('`').skip(1).step_by(2).map(str::to_owned).collect();
            modules.sort();
            Some((floor, modules))
        })
        .collect();
    floors.sort();
    assert!(floors.iter().enumerate().all(|(at, (floor, _))| at == *floor), "{floors:?}");
    floors.into_iter().map(|(_, modules)| modules).collect()
}

#[test]
fn the_floors_are_those_of_the_documentation() {
    let floors: Vec<Vec<String>> = FLOORS
        .iter()
        .map(|modules| {
            // `lib` only names the others.
            let mut modules: Vec<String> =
                modules.iter().filter(|module| **module != "lib").map(|module| (*module).to_owned()).collect();
            modules.sort();
            modules
        })
        .collect();
    assert_eq!(floors, documented_floors());
}

/// The rows of the README's table whose first cell is in backticks.
fn rows() -> BTreeMap<String, String> {
    let rows = README.lines().filter_map(|line| {
        let (name, rest) = line.strip_prefix("| `")?.split_once("` |")?;
        Some((name.to_owned(), rest.trim_matches(|c| c == '|' || c == ' ').to_owned()))
    });
    rows.collect()
}

#[test]
fn the_readme_names_every_variable_as_the_configuration_does() {
    let rows = rows();
    for variable in VARIABLES {
        let row = rows.get(variable.name).unwrap_or_else(|| panic!("{} is not in the README", variable.name));
        assert_eq!(row.replace('`', ""), format!("{} | {}", variable.meaning, variable.default), "{}", variable.name);
    }
    let section = README.split_once("\n## Every variable\n").unwrap().1.split("\n## ").next().unwrap();
    let named: Vec<&str> =
        section.lines().filter_map(|line| Some(line.strip_prefix("| `")?.split_once('`')?.0)).collect();
    let read: Vec<&str> = VARIABLES.iter().map(|variable| variable.name).collect();
    assert_eq!(named, read);
}

#[test]
fn the_readme_explains_every_outcome_and_every_verb() {
    for outcome in AuditOutcome::ALL {
        assert!(README.contains(&format!("`{}`", outcome.word())), "{} is not in the README", outcome.word());
    }
    for verb in Verb::ALL {
        let line = format!("/stream {} {}", verb.word(), verb.arguments());
        assert!(README.contains(line.trim()), "{line} is not in the README");
    }
}

#[test]
fn the_manifests_ask_for_no_scope_that_the_readme_does_not_explain() {
    let slack = include_str!("../../manifests/slack.yaml");
    let zoom: serde_json::Value = serde_json::from_str(include_str!("../../manifests/zoom.json")).unwrap();
    let bot = slack.split_once("    bot:\n").unwrap().1.lines().map_while(|line| line.strip_prefix("      - "));
    let user =
        zoom["oauth_information"]["scopes"].as_array().unwrap().iter().map(|scope| scope["scope"].as_str().unwrap());
    let scopes: Vec<&str> = bot.chain(user).collect();
    assert!(scopes.len() > 5, "{scopes:?}");
    for scope in scopes {
        assert!(README.contains(&format!("| `{scope}` |")), "{scope}");
    }
}

#[test]
fn the_manifest_points_at_routes_that_exist() {
    let router = include_str!("../../src/http/mod.rs");
    let slack = include_str!("../../manifests/slack.yaml");
    let zoom = include_str!("../../manifests/zoom.json");
    let mut paths: Vec<&str> = slack.split("https://onair.example.com").skip(1).collect();
    paths.extend(zoom.split("https://onair.example.com").skip(1));
    assert!(paths.len() >= 4);
    for rest in paths {
        let path = rest.split('"').next().unwrap();
        assert!(router.contains(&format!("\"{path}\"")), "{path}");
    }
}

/// A second provider of rustls panics at run time, and only for `rediss://`. The lock file may name what nothing links.
#[test]
fn nothing_links_a_second_tls_stack() {
    let tree = ["tree", "--locked", "--offline", "--prefix", "none", "--edges", "normal,build"];
    let output = std::process::Command::new(env!("CARGO")).args(tree).output().unwrap();
    let tree = String::from_utf8(output.stdout).unwrap();
    let crates: Vec<&str> = tree.lines().filter_map(|line| line.split(' ').next()).collect();
    assert!(crates.contains(&"rustls") && crates.contains(&"aws-lc-rs"), "{}", String::from_utf8_lossy(&output.stderr));
    let deny = include_str!("../../.deny.toml");
    for other in ["ring", "openssl-sys", "native-tls"] {
        assert!(!crates.contains(&other), "{other} is linked");
        assert!(deny.contains(&format!("crate = \"{other}\"")), "{other} is banned");
    }
}

/// What `cargo deny` asks of licences and sources, also where it is not installed.
#[test]
fn every_dependency_comes_from_the_registry_under_a_licence_that_is_allowed() {
    const REGISTRY: &str = "registry+https://github.com/rust-lang/crates.io-index";
    let platform = format!("{}-unknown-linux-gnu", std::env::consts::ARCH);
    let metadata = ["metadata", "--locked", "--offline", "--format-version", "1", "--filter-platform", &platform];
    let output = std::process::Command::new(env!("CARGO")).args(metadata).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let metadata: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    let deny = include_str!("../../.deny.toml");
    let allowed = deny.lines().find_map(|line| line.strip_prefix("allow = [")).unwrap();
    let is_allowed = |licence: &str| allowed.contains(&format!("\"{}\"", licence.trim_matches(['(', ')', ' '])));
    let others: Vec<&serde_json::Value> =
        metadata["packages"].as_array().unwrap().iter().filter(|package| package["name"] != "onair").collect();
    assert!(others.len() > 100, "{}", others.len());
    for package in others {
        assert_eq!(package["source"], REGISTRY, "{}", package["name"]);
        let licence = package["license"].as_str().unwrap_or_default().replace('/', " OR ");
        // Each of what is joined by AND has a way that is allowed among those joined by OR.
        let is_good = licence.split(" AND ").all(|all| all.split(" OR ").any(is_allowed));
        assert!(is_good, "{} is under {licence}", package["name"]);
    }
}

/// Slack's limits, of its schema for manifests.
#[test]
fn the_slack_manifest_keeps_the_limits_that_grow_with_the_commands() {
    let manifest = include_str!("../../manifests/slack.yaml");
    let of = |name: &str| {
        let line = manifest.lines().find_map(|line| line.trim().trim_start_matches("- ").strip_prefix(name)).unwrap();
        line.trim_start_matches(':').trim().trim_matches('"').to_owned()
    };
    for (name, most) in
        [("name", 35), ("description", 140), ("usage_hint", 1000), ("command", 32), ("display_name", 80)]
    {
        assert!((1..=most).contains(&of(name).len()), "{name}: {}", of(name));
    }
    assert!(manifest.lines().filter(|line| line.starts_with("      - ")).all(|line| line.trim().len() <= 52), "scopes");
}

/// The platform's grace period is longer than what the service may take to stop.
#[test]
fn fly_lets_the_service_finish_and_asks_what_exists() {
    let fly = include_str!("../../fly.toml");
    let grace = fly.lines().find_map(|line| line.strip_prefix("kill_timeout = \"")).unwrap();
    let grace: u64 = grace.trim_end_matches("s\"").parse().unwrap();
    let drain = include_str!("../../src/config.rs").split("drain: Duration::from_secs(").nth(1).unwrap();
    let drain: u64 = drain.split(')').next().unwrap().parse().unwrap();
    assert!(grace > drain + onair::telemetry::traces::FLUSH.as_secs(), "{grace} s for {drain} s of work");
    let router = include_str!("../../src/http/mod.rs");
    assert!(fly.contains("path = \"/healthz\"") && router.contains("\"/healthz\""));
    let set: Vec<&str> = fly.lines().filter_map(|line| line.split_once(" = ")).map(|(name, _)| name).collect();
    for name in set.iter().filter(|name| name.starts_with("ONAIR_")) {
        assert!(VARIABLES.iter().any(|variable| variable.name == *name), "{name}");
    }
}

/// The runbook's headings and the rules' names, both in order, are the same; whoever is woken finds a page.
#[test]
fn every_alert_has_its_heading_in_the_runbook() {
    let rules = include_str!("../../manifests/alerts.yml");
    let runbook = include_str!("../../manifests/runbook.md");
    let alerts: Vec<&str> = rules.lines().filter_map(|line| line.trim().strip_prefix("- alert: ")).collect();
    let headings: Vec<&str> = runbook.lines().filter_map(|line| line.strip_prefix("## ")).collect();
    assert!(alerts.len() > 5, "{alerts:?}");
    assert_eq!(alerts, headings);
    let links: Vec<String> =
        rules.lines().filter_map(|line| Some(line.split_once("runbook.md#")?.1.to_owned())).collect();
    let anchors: Vec<String> = alerts.iter().map(|alert| alert.to_lowercase()).collect();
    assert_eq!(links, anchors, "a link leads to the heading");
    for (at, _) in runbook.match_indices("](#") {
        let anchor = runbook[at + 3..].split(')').next().unwrap();
        assert!(anchors.iter().any(|known| known == anchor), "{anchor}");
    }
}

#[test]
fn alerts_and_runbook_name_no_metric_that_is_not_told() {
    let told = include_str!("../../src/metrics/tests.rs");
    let named = [include_str!("../../manifests/alerts.yml"), include_str!("../../manifests/runbook.md")].concat();
    let mut seen = 0;
    for (at, _) in named.match_indices("onair_") {
        let name: String = named[at..].chars().take_while(|c| c.is_ascii_alphanumeric() || *c == '_').collect();
        let is_told = told.lines().any(|line| line.trim().split(['{', ' ']).next() == Some(name.as_str()));
        assert!(is_told, "{name}");
        seen += 1;
    }
    assert!(seen > 10, "{seen}");
    // The labels' values that an alert compares are words of the code.
    for outcome in ["failed", "unconfirmed"] {
        assert!(AuditOutcome::ALL.iter().any(|known| known.word() == outcome), "{outcome}");
    }
}
