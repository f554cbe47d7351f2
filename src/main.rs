//! The process: what it was called with → a command line verb → an exit status.
//!
//! 0: fine. 1: it failed. 2: wrong usage or configuration.

use std::process::ExitCode;

#[tokio::main]
async fn main() -> ExitCode {
    onair::cli::run(std::env::args_os(), std::io::IsTerminal::is_terminal(&std::io::stderr())).await
}
