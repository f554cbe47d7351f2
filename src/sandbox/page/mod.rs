//! `onair sandbox` in a browser: the simulated Slack and Zoom with the real service between them, on one page.
//!
//! The service is a process of its own, so that it can really be killed; it ends with this one, however that ends. The page
//! is served on loopback to nobody but a page of this very address.

mod act;
mod server;
mod service;

use std::future::pending;
use std::io::Write as _;
use std::path::PathBuf;
use std::process::Stdio;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use anyhow::{Context as _, bail};
use serde_json::{Value, json};
use tokio::net::TcpListener;
use tokio::sync::watch;

use self::act::Mood;
use self::service::Service;
use super::browser::Browser;
use super::exchange::Exchanges;
use super::stage::{Stage, address};
use super::wire::{Server, Tasks};
use super::{lock, slack};
use crate::clock::Clock;

/// Changes are told this long after the last time, at the earliest.
const BETWEEN_STATES: Duration = Duration::from_millis(50);

/// How long a stream takes to be on air, unless it is to be late.
const CONNECTS_IN: Duration = Duration::from_secs(1);

/// How it is started.
#[derive(Clone, Debug)]
pub struct Options {
    /// This program.
    pub program: PathBuf,
    /// With which verb it runs the service until its standard input ends.
    pub verb: &'static str,
    /// Where the page is to be found on this machine; 0 for any free port.
    pub port: u16,
    /// Whether to open it in a browser.
    pub opens: bool,
}

/// What every request to the page has in hand.
struct Page {
    stage: Stage,
    service: Arc<Service>,
    exchanges: Exchanges,
    mood: Mutex<Mood>,
    /// What is to be shown, as it is now.
    state: watch::Sender<Arc<str>>,
    /// `http://127.0.0.1:<port>`
    address: String,
    tasks: Tasks,
}

/// Starts everything, and ends when `stop` does. Then the service is gone and the temporary folder removed.
pub async fn run(options: &Options, stop: impl Future<Output = ()>) -> anyhow::Result<()> {
    let port = options.port;
    let (server, listener) = Server::bind_to(port)
        .await
        .with_context(|| format!("cannot listen on port {port}; name another one with --port"))?;
    let listen = service::free_address().await?;
    let stage = Stage::set(&format!("http://{listen}"), Clock::default()).await?;
    stage.zoom.set_connect_delay(CONNECTS_IN);
    let exchanges = Exchanges::new(stage.secrets());
    stage.slack.log_to(&exchanges);
    stage.zoom.log_to(&exchanges);
    stage.slack.ask_at_browsers();
    stage.zoom.ask_at_browsers();
    let service = Arc::new(Service::new(options, listen, &stage.vars, server.tasks())?);
    let page = Arc::new(Page {
        stage,
        service,
        exchanges,
        mood: Mutex::default(),
        state: watch::Sender::new(Arc::from("{}")),
        address: server.base(),
        tasks: server.tasks().clone(),
    });
    let shown = async {
        page.begin(&server, listener, options).await?;
        pending::<anyhow::Result<()>>().await
    };
    let ended = tokio::select! {
        ended = shown => ended,
        () = stop => Ok(()),
    };
    // The service first: it writes into the folder that goes with the page.
    page.service.kill().await;
    server.stop().await;
    ended
}

impl Page {
    async fn begin(self: &Arc<Self>, server: &Server, listener: TcpListener, options: &Options) -> anyhow::Result<()> {
        self.service.start().await?;
        let installed = self.install(&self.stage.slack.user("ada")).await?;
        if let Err(told) = installed {
            bail!("the app could not be installed: {told}");
        }
        self.state.send_replace(self.shown());
        server.spawn(Self::keep_shown(self.clone()));
        let page = self.clone();
        server.serve(listener, move |request| {
            let page = page.clone();
            async move { Some(page.answer(request).await) }
        });
        say(&format!(
            "Open {}/ in a browser of this machine. Nothing leaves it; Ctrl-C ends everything.",
            self.address
        ));
        if options.opens {
            open(&self.address);
        }
        Ok(())
    }

    /// Does in a browser what an admin does at the landing page, and gives what is read in the end.
    async fn install(&self, user: &slack::User) -> anyhow::Result<Result<String, String>> {
        self.stage.sign_in_as(&user.name);
        let base = &self.stage.base;
        let mut browser = Browser::new(base, base)?;
        browser.log_to(&self.exchanges);
        let landing = browser.visit(&format!("{base}/")).await?;
        let asked = browser.press(&landing).await?;
        let done = browser.press(&asked).await?;
        Ok(if done.status.is_success() { Ok(done.text()) } else { Err(done.text()) })
    }

    /// Keeps what is shown as it is.
    async fn keep_shown(self: Arc<Self>) {
        let (mut slack, mut zoom) = (self.stage.slack.changes(), self.stage.zoom.changes());
        let mut service = self.service.changes();
        loop {
            let changed = tokio::select! {
                changed = slack.changed() => changed,
                changed = zoom.changed() => changed,
                changed = service.changed() => changed,
            };
            if changed.is_err() {
                return;
            }
            self.show();
            tokio::time::sleep(BETWEEN_STATES).await;
        }
    }

    fn show(&self) {
        let shown = self.shown();
        self.state.send_if_modified(|known| {
            let is_new = *known != shown;
            *known = shown;
            is_new
        });
    }

    fn shown(&self) -> Arc<str> {
        let mut state = self.stage.slack.screen();
        let people = state.get_mut("people").and_then(Value::as_array_mut);
        for person in people.into_iter().flatten() {
            person["zoom"] = json!(address(person["name"].as_str().unwrap_or_default()));
        }
        let mut zoom = self.stage.zoom.screen();
        zoom["mood"] = json!(*lock(&self.mood));
        let now = self.service.now();
        let service = json!({
            "running": now.pid.is_some(), "ready": now.is_ready, "address": self.stage.base, "pid": now.pid,
        });
        let complaints = [self.stage.slack.complaints(), self.stage.zoom.complaints()].concat();
        for (name, part) in [("service", service), ("zoom", zoom), ("complaints", json!(complaints))] {
            state.insert(name.to_owned(), part);
        }
        Value::Object(state).to_string().into()
    }
}

/// Opens an address in whatever this machine opens addresses with. Where that fails, the address was printed.
fn open(address: &str) {
    let program = if cfg!(target_os = "macos") { "open" } else { "xdg-open" };
    let mut command = tokio::process::Command::new(program);
    let command = command.arg(format!("{address}/")).stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    drop(command.spawn());
}

fn say(line: &str) {
    // A reader that went away sees nothing, and the page is there all the same.
    let _ = writeln!(std::io::stdout().lock(), "{line}");
}
