//! `onair sandbox`, and the service as the sandbox's page runs it: until its standard input ends.

use std::io::{IsTerminal as _, Read as _};
use std::process::exit;

use anyhow::Context as _;

use super::{Failed, environment, serve};
use crate::sandbox::{page, terminal};

/// The verb that runs the service for the page.
pub(super) const SERVICE: &str = "serve-while-fed";

#[derive(Debug, clap::Args)]
pub(super) struct Arguments {
    /// Type commands in this terminal instead.
    #[arg(long)]
    terminal: bool,
    /// Show one exchange in this terminal, and stop.
    #[arg(long, conflicts_with = "terminal")]
    once: bool,
    /// Where the page is to be found; any free port by default.
    #[arg(long, value_name = "PORT", default_value_t = 0, hide_default_value = true, conflicts_with_all = ["terminal", "once"])]
    port: u16,
    /// Print the page's address only.
    #[arg(long, conflicts_with_all = ["terminal", "once"])]
    no_browser: bool,
}

pub(super) async fn sandbox(arguments: &Arguments) -> Result<(), Failed> {
    let stop = serve::stop_signal()?;
    if arguments.terminal || arguments.once {
        return Ok(terminal::run(arguments.once, stop).await?);
    }
    let program = std::env::current_exe().context("cannot find this program on the disk")?;
    let opens = !arguments.no_browser && std::io::stdout().is_terminal() && has_windows();
    let options = page::Options { program, verb: SERVICE, port: arguments.port, opens };
    Ok(page::run(&options, stop).await?)
}

/// Whether a browser that is opened has somewhere to appear.
fn has_windows() -> bool {
    cfg!(target_os = "macos") || ["DISPLAY", "WAYLAND_DISPLAY"].iter().any(|name| environment(name).is_some())
}

/// Runs the service like `serve`; when standard input ends, the process does, at once.
pub(super) async fn serve_while_fed(on_terminal: bool) -> Result<(), Failed> {
    // A thread of its own, which nothing that the service does holds up.
    std::thread::spawn(|| {
        let mut input = std::io::stdin().lock();
        while input.read(&mut [0; 64]).is_ok_and(|count| count > 0) {}
        exit(1);
    });
    serve::serve(on_terminal).await
}
