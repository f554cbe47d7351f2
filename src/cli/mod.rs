//! The command line: `serve`, `sandbox`, `check`, `manifest`, `audit`, `keys`.
//!
//! The only place that prints, and the only one that reads the process environment.

mod alive;
mod audit;
mod check;
mod csv;
mod keys;
mod sandbox;
mod serve;

use std::ffi::OsString;
use std::fmt::Display;
use std::io::Write as _;
use std::process::ExitCode;

use clap::{Parser, Subcommand, ValueEnum};

use crate::config::{Config, Problems};
use crate::manifest;

/// Put Zoom meetings on air from Slack.
#[derive(Debug, Parser)]
#[command(name = "onair", version, about, max_term_width = 100)]
struct Arguments {
    #[command(subcommand)]
    verb: Verb,
}

#[derive(Debug, Subcommand)]
enum Verb {
    /// Run the service. Settings come from the environment; see the README for every variable.
    Serve,
    /// Try OnAir without any account: the real service beside a simulated Slack and Zoom, on a page in a browser.
    Sandbox(sandbox::Arguments),
    /// Run the service until standard input ends.
    #[command(hide = true, name = sandbox::SERVICE)]
    Fed,
    /// Check the configuration, the store, its keys, Slack and Zoom; one line each.
    Check {
        /// Ask nothing but whether the service at ONAIR_LISTEN answers.
        #[arg(long)]
        alive: bool,
    },
    /// Print the app manifest to paste into Slack's or Zoom's form.
    Manifest {
        /// For which of the two.
        vendor: Vendor,
        /// The public https address of the service.
        #[arg(long, value_name = "URL")]
        base_url: String,
        /// The slash command's name; another one where `/stream` is taken.
        #[arg(long, value_name = "NAME", default_value = "/stream")]
        command: String,
    },
    /// Print the audit trail, oldest first.
    Audit(audit::Arguments),
    /// Make keys that seal what is stored.
    Keys {
        #[command(subcommand)]
        verb: KeysVerb,
    },
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum Vendor {
    Slack,
    Zoom,
}

#[derive(Debug, Subcommand)]
enum KeysVerb {
    /// Print a fresh key for ONAIR_ENCRYPTION_KEYS.
    Generate,
    /// Seal everything with the first of ONAIR_ENCRYPTION_KEYS, and say what is still under another one.
    Rotate,
}

/// How a verb ended badly.
#[derive(Debug, thiserror::Error)]
enum Failed {
    /// Exit status 2.
    #[error(transparent)]
    Configuration(#[from] Problems),
    /// Exit status 2.
    #[error(transparent)]
    Usage(#[from] manifest::Error),
    /// Exit status 1.
    #[error(transparent)]
    Broke(#[from] anyhow::Error),
    /// Exit status 1, and everything is said already.
    #[error("failed")]
    Told,
}

/// Runs one verb and gives the process its exit status.
pub async fn run(arguments: impl IntoIterator<Item = OsString>, on_terminal: bool) -> ExitCode {
    let arguments = match Arguments::try_parse_from(arguments) {
        Ok(arguments) => arguments,
        Err(told) => {
            // Help and version are asked for and go to standard output; everything else is wrong usage.
            let code = if told.use_stderr() { 2 } else { 0 };
            let _ = told.print();
            return ExitCode::from(code);
        }
    };
    match dispatch(arguments.verb, on_terminal).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(failed) => {
            let code = match &failed {
                Failed::Configuration(_) | Failed::Usage(_) => 2,
                Failed::Broke(_) | Failed::Told => 1,
            };
            match &failed {
                Failed::Broke(error) => complain(format_args!("{error:#}")),
                Failed::Configuration(_) | Failed::Usage(_) => complain(&failed),
                Failed::Told => {}
            }
            ExitCode::from(code)
        }
    }
}

async fn dispatch(verb: Verb, on_terminal: bool) -> Result<(), Failed> {
    match verb {
        Verb::Serve => serve::serve(on_terminal).await,
        Verb::Sandbox(arguments) => sandbox::sandbox(&arguments).await,
        Verb::Fed => sandbox::serve_while_fed(on_terminal).await,
        Verb::Check { alive: false } => check::check().await,
        Verb::Check { alive: true } => alive::alive(Config::listen_from_vars(environment)?).await,
        Verb::Manifest { vendor, base_url, command } => {
            let text = match vendor {
                Vendor::Slack => manifest::slack(&base_url, &command)?,
                Vendor::Zoom => manifest::zoom(&base_url)?,
            };
            print(text.trim_end())
        }
        Verb::Audit(arguments) => audit::audit(arguments).await,
        Verb::Keys { verb: KeysVerb::Generate } => keys::generate(),
        Verb::Keys { verb: KeysVerb::Rotate } => keys::rotate(Config::store_from_vars(environment)?).await,
    }
}

/// The process environment, which only the configuration looks at.
#[expect(clippy::disallowed_methods, reason = "the one place that reads the environment, for Config")]
fn environment(name: &str) -> Option<String> {
    std::env::var(name).ok()
}

/// Prints a line; a reader that went away (`| head`) ends the verb quietly.
fn print(line: impl Display) -> Result<(), Failed> {
    writeln!(std::io::stdout().lock(), "{line}").map_err(|_| Failed::Told)
}

fn complain(line: impl Display) {
    // Nowhere is left to tell that standard error is closed.
    let _ = writeln!(std::io::stderr().lock(), "onair: {line}");
}
