//! `onair sandbox` in a terminal: the real service between the simulated Slack and the simulated Zoom, one exchange to
//! begin with, then whatever is typed.

use std::io::{BufRead as _, Write as _};
use std::time::Duration;

use anyhow::Context as _;
use tokio::net::TcpListener;
use tokio::sync::{mpsc, oneshot};
use tokio::task::JoinHandle;

use super::Fault;
use super::browser::Browser;
use super::slack::{Author, Button, Channel, Delivery, Message, User};
use super::stage::{MEETING, Stage};
use super::zoom::Route;
use crate::clock::Clock;
use crate::config::Config;
use crate::http;
use crate::meeting::MeetingId;

const HELP: &str = "  /stream …                 as in Slack; /stream help lists the commands
  as NAME                   be somebody else (ada is an admin; ben has no Zoom account connected)
  in NAME                   go to another channel (events and backstage are there)
  press LABEL               press the last button of that name, as Stop, Refresh or Cancel
  install | uninstall       add the app to the workspace in a browser, or take it out at Slack
  connect                   press the last Connect Zoom button, sign in at Zoom, and come back
                            (or open its address in a browser of this machine)
  zoom                      what is going on at Zoom
  zoom begin|end NUMBER     start or end a meeting
  zoom drop NUMBER          let its stream end by itself
  zoom down|slow|throttled|well
  help                      this list
  quit";

/// The whole world, and where in it the person at the terminal is.
struct Sandbox {
    stage: Stage,
    browser: Browser,
    user: User,
    channel: Channel,
    /// How often each message had been changed when it was shown, in their order.
    shown: Vec<usize>,
    stop: oneshot::Sender<()>,
    service: JoinHandle<()>,
}

/// Starts everything, shows one exchange, and reads commands from standard input until it ends or `stop` does. Either way
/// the temporary folder is removed.
pub async fn run(once: bool, stop: impl Future<Output = ()>) -> anyhow::Result<()> {
    let mut sandbox = Sandbox::start().await?;
    say(&format!(
        "The service listens on {}; Slack and Zoom are simulated. Nothing leaves this machine.\n",
        sandbox.stage.base
    ));
    tokio::select! {
        told = sandbox.tell(once) => told?,
        () = stop => say(""),
    }
    sandbox.stop().await
}

impl Sandbox {
    async fn start() -> anyhow::Result<Self> {
        let clock = Clock::default();
        let listener = TcpListener::bind(("127.0.0.1", 0)).await?;
        let base = format!("http://{}", listener.local_addr()?);
        let stage = Stage::set(&base, clock.clone()).await?;
        let config = Config::from_vars(|name| stage.vars.get(name).cloned())?;
        let drain = config.http.drain;
        let app = config.build(clock).await?;
        let (user, channel) = (stage.slack.user("ada"), stage.slack.channel("events"));
        let (stop, stopped) = oneshot::channel();
        let service = async move {
            // A sender that is gone means the same as a word from it.
            http::serve(app, listener, drain, async { drop(stopped.await) }).await;
        };
        #[expect(clippy::disallowed_methods, reason = "the service itself cannot be one of the tasks that it drains")]
        let service = tokio::spawn(service);
        let browser = Browser::new(&base, &base)?;
        Ok(Self { stage, browser, user, channel, shown: Vec::new(), stop, service })
    }

    async fn tell(&mut self, once: bool) -> anyhow::Result<()> {
        self.install().await?;
        self.type_line("/stream connect").await?;
        self.connect().await?;
        self.type_line("/stream start 68423085 \"Keynote\"").await?;
        // Zoom takes a moment until the picture is there, and reports it then.
        self.news().await;
        self.show_new();
        if once { Ok(()) } else { self.converse().await }
    }

    /// Does in a browser what an admin does at the landing page, as the current person.
    async fn install(&mut self) -> anyhow::Result<()> {
        say(&format!("{} opens {}/ and presses Add to Slack", self.user.name, self.stage.base));
        let landing = self.browser.visit(&format!("{}/", self.stage.base)).await?;
        let done = self.browser.press(&landing).await?;
        show_page(&done.text());
        Ok(())
    }

    /// Has Slack tell that the app was taken out, as an admin does there.
    async fn uninstall(&self) {
        for event in self.stage.slack.uninstall(self.stage.slack.home()) {
            if let Err(failure) = self.stage.slack.send(&event).await {
                say(&format!("    ⚠ {}", failure.as_str()));
            }
        }
        say("The app is taken out of the workspace, and what belonged there goes. `install` puts it back.\n");
    }

    /// Types a line as the current person and shows all that comes of it.
    async fn type_line(&mut self, line: &str) -> anyhow::Result<()> {
        say(&format!("{}  {} types: {line}", self.channel.label(), self.user.name));
        let before = self.answers();
        self.stage.slack.types(&self.user, &self.channel, line).await;
        self.show_after(before).await
    }

    /// How many messages there are that no person wrote, and that are not the audit's.
    fn answers(&self) -> usize {
        self.stage.slack.messages().iter().filter(|message| self.is_answer(message)).count()
    }

    fn is_answer(&self, message: &Message) -> bool {
        !matches!(message.author, Author::Person(_)) && message.channel != self.stage.audit
    }

    /// Waits for one more answer than there were, and shows everything new.
    async fn show_after(&mut self, before: usize) -> anyhow::Result<()> {
        let more = |messages: &[Message]| {
            let answers = messages.iter().filter(|message| self.is_answer(message)).count();
            (answers > before).then_some(())
        };
        self.stage.slack.wait_until("an answer", Duration::from_secs(60), more).await?;
        self.show_new();
        Ok(())
    }

    /// Ends when there is a message that was not shown yet as it is now.
    async fn news(&self) {
        const A_WHILE: Duration = Duration::from_secs(3600);
        let unseen = |messages: &[Message]| {
            let now = messages.iter().map(|message| message.edits);
            (!now.eq(self.shown.iter().copied())).then_some(())
        };
        while self.stage.slack.wait_until("news", A_WHILE, unseen).await.is_err() {}
    }

    fn show_new(&mut self) {
        let messages = self.stage.slack.messages();
        for (index, message) in messages.iter().enumerate() {
            let before = self.shown.get(index);
            if before == Some(&message.edits) {
                continue;
            }
            if before.is_some() {
                say("(changed)");
            }
            say(&message.transcript());
            for link in message.links() {
                say(&format!("    {} → {}", link.label, link.url));
            }
        }
        self.shown = messages.iter().map(|message| message.edits).collect();
        say("");
    }

    /// Presses the newest button of that name, as the current person.
    async fn press(&self, label: &str) {
        let messages = self.stage.slack.messages();
        let is_meant = |button: &Button| button.label.eq_ignore_ascii_case(label);
        let newest = messages.iter().rev();
        let found = newest.filter_map(|message| Some((message, message.buttons().into_iter().find(is_meant)?))).next();
        let Some((message, button)) = found else {
            say(&format!("There is no button {label:?} to press.\n"));
            return;
        };
        if let Some(asked) = &button.confirm {
            say(&format!(
                "    ┌ Slack asks\n    │ {}\n    │ {}\n    │ pressed: {}",
                asked.title, asked.text, asked.confirm
            ));
        }
        match self.stage.slack.presses(&self.user, message, &button.label).await {
            Ok(Delivery { failure: Some(failure), .. }) => say(&format!("    ⚠ {}\n", failure.as_str())),
            Ok(Delivery { failure: None, .. }) => {}
            Err(error) => say(&format!("{} can't press it: {error}\n", self.user.name)),
        }
    }

    /// Does in a browser what a person does after pressing the button.
    async fn connect(&mut self) -> anyhow::Result<()> {
        let messages = self.stage.slack.messages();
        let Some(link) = messages.iter().rev().find_map(|message| message.link("Connect Zoom")) else {
            say("There is no Connect Zoom button to press; type /stream connect first.\n");
            return Ok(());
        };
        let before = self.answers();
        let confirm = self.browser.visit(&link).await?;
        show_page(&confirm.text());
        if confirm.button().is_none() {
            return Ok(());
        }
        let done = self.browser.press(&confirm).await?;
        show_page(&done.text());
        if done.status.is_success() { self.show_after(before).await } else { Ok(()) }
    }

    async fn converse(&mut self) -> anyhow::Result<()> {
        say(&format!("Now it is yours: type a command, or one of these.\n{HELP}\n"));
        let mut lines = typed();
        loop {
            prompt(&format!("{} in {} > ", self.user.name, self.channel.label()));
            let line = tokio::select! {
                line = lines.recv() => line,
                // Something came that nobody here asked for, such as a connection made in a real browser.
                () = self.news() => {
                    say("");
                    self.show_new();
                    continue;
                }
            };
            let Some(line) = line else { return Ok(()) };
            match line.trim().split_once(' ').unwrap_or((line.trim(), "")) {
                ("", _) => {}
                ("quit" | "exit", _) => return Ok(()),
                ("help", _) => say(HELP),
                ("as", name) if !name.is_empty() => {
                    self.user = self.stage.slack.user(name.trim().trim_start_matches('@'));
                    self.stage.slack.sign_in_as(&self.user);
                }
                ("in", name) if !name.is_empty() => {
                    self.channel = self.stage.slack.channel(name.trim().trim_start_matches('#'));
                }
                ("press", label) if !label.is_empty() => self.press(label.trim()).await,
                ("connect", _) => self.connect().await?,
                ("install", _) => self.install().await?,
                ("uninstall", _) => self.uninstall().await,
                ("zoom", what) => self.at_zoom(what.trim()),
                ("/stream", _) => self.type_line(line.trim()).await?,
                (other, _) if other.starts_with('/') => {
                    say("The simulated Slack knows one command, /stream; /stream help lists what it does.\n");
                }
                _ => say(&format!("Slack commands begin with /stream. Here you can also type:\n{HELP}")),
            }
        }
    }

    fn at_zoom(&self, what: &str) {
        let (verb, number) = what.split_once(' ').unwrap_or((what, ""));
        match (verb, number.trim().parse::<MeetingId>()) {
            ("begin", Ok(meeting)) if self.stage.zoom.meeting_now(meeting.number()).is_some() => {
                self.stage.zoom.begin(meeting.number());
            }
            ("end", Ok(meeting)) if self.stage.zoom.meeting_now(meeting.number()).is_some() => {
                self.stage.zoom.end(meeting.number());
            }
            ("drop", Ok(meeting)) if self.stage.zoom.is_live(meeting.number()) => {
                self.stage.zoom.drop_stream(meeting.number())
            }
            ("down", _) => self.stage.zoom.always(Route::Any, Fault::status(503)),
            ("slow", _) => self.stage.zoom.always(Route::Any, Fault::Delay(Duration::from_secs(4))),
            ("throttled", _) => self.stage.zoom.always(Route::Any, Fault::too_many("30")),
            ("well", _) => self.stage.zoom.heal(),
            ("", _) => {}
            _ => say(
                "zoom begin|end NUMBER (of a meeting that exists), zoom drop NUMBER (of one on air), zoom down|slow|throttled|well",
            ),
        }
        let running = self.stage.zoom.meeting_now(MEETING).is_some_and(|meeting| meeting.running);
        let (running, live) = (if running { "running" } else { "not running" }, self.stage.zoom.is_live(MEETING));
        say(&format!(
            "Zoom: meeting {MEETING} is {running}; its live stream is {}.\n",
            if live { "on" } else { "off" }
        ));
    }

    async fn stop(self) -> anyhow::Result<()> {
        // The service may have ended by itself, and then there is nobody to tell.
        let _ = self.stop.send(());
        self.service.await.context("the service panicked")
    }
}

/// The lines of standard input, read by a thread of its own: one that tokio waits for would keep the process from ending
/// until somebody presses Enter.
fn typed() -> mpsc::Receiver<String> {
    let (send, receive) = mpsc::channel(1);
    std::thread::spawn(move || {
        for line in std::io::stdin().lock().lines().map_while(Result::ok) {
            if send.blocking_send(line).is_err() {
                return;
            }
        }
    });
    receive
}

fn show_page(text: &str) {
    say(&format!("    ┌ in the browser\n    │ {}\n", text.replace('\n', "\n    │ ")));
}

fn say(line: &str) {
    // A reader that went away sees nothing; the loop ends at its end of input.
    let _ = writeln!(std::io::stdout().lock(), "{line}");
}

fn prompt(text: &str) {
    let mut out = std::io::stdout().lock();
    // See `say`.
    let _ = write!(out, "{text}").and_then(|()| out.flush());
}
