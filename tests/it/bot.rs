//! The whole service under test: the built binary, between a simulated Slack and a simulated Zoom, on either store.
//!
//! [`Bot::finish`] ends every story. It stops the service as an operator would and fails on what nobody may leave
//! behind: a complaint of a vendor, a secret in a log line, in the metrics or in the store's bytes.

use std::collections::BTreeMap;
use std::io::{BufRead as _, BufReader};
use std::path::Path;
use std::process::{Child, Command, Output, Stdio};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use onair::clock::Clock;
use onair::sandbox::browser::{Browser, Visit};
use onair::sandbox::slack::{Audience, Author, Channel, Delivery, Message, SignedRequest, User};
use onair::sandbox::zoom::User as ZoomUser;
use onair::sandbox::{SimSlack, SimZoom};
use onair::secret::Secret;
use onair::store::{Keyring, Options, Place, Store};
use serde_json::Value;
use tempfile::TempDir;

use crate::proxy::Proxy;
use crate::redis_server::RedisServer;

/// What stands for secrets in tests; none of it may be seen anywhere.
pub(crate) const SIGNING_SECRET: &str = "canary-signing-secret";
pub(crate) const CLIENT_SECRET: &str = "canary-client-secret";
pub(crate) const WEBHOOK_SECRET: &str = "canary-webhook-secret";
/// The bot token of the first workspace of the simulated Slack.
pub(crate) const BOT_TOKEN: (&str, &str) = ("SLACK_BOT_TOKEN", "xoxb-canary-T00000001");
/// The id of the app at Slack, and its secret.
pub(crate) const SLACK_CLIENT: (&str, &str) = ("1.2", "canary-slack-client-secret");
pub(crate) const PUBLIC: &str = "https://onair.test";
pub(crate) const BINARY: &str = env!("CARGO_BIN_EXE_onair");
/// How long a story waits for what has to come. It is no figure of the product: a busy machine must not fail a story.
pub(crate) const PATIENCE: Duration = Duration::from_secs(60);

/// Which store the service has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Engine {
    Redis,
    Embedded,
}

/// How cards come to be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Posts {
    /// As the bot's own messages.
    ByBot,
    /// As answers at `response_url`s.
    AsAnswers,
}

/// One story per engine from one body, about a bot that is started so.
macro_rules! stories {
    ($start:ident: $($(#[$meta:meta])* async fn $name:ident($bot:ident) $body:block)*) => {
        $(
            mod $name {
                #[allow(unused_imports, reason = "stories use what they need of their file")]
                use super::*;

                $(#[$meta])*
                #[allow(unused_mut, reason = "not every story changes the bot")]
                async fn story(mut $bot: $crate::bot::Bot) {
                    $body
                    $bot.finish().await;
                }

                #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
                async fn on_redis() {
                    story($crate::bot::Bot::$start($crate::bot::Engine::Redis).await).await;
                }

                #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
                async fn embedded() {
                    story($crate::bot::Bot::$start($crate::bot::Engine::Embedded).await).await;
                }
            }
        )*
    };
}
pub(crate) use stories;

/// Stories about a service with the settings of the README's example.
macro_rules! on_both_engines {
    ($($story:tt)*) => { $crate::bot::stories! { start: $($story)* } };
}
pub(crate) use on_both_engines;

/// Stories with an app that can be installed.
macro_rules! installable {
    ($($story:tt)*) => { $crate::bot::stories! { installable: $($story)* } };
}
pub(crate) use installable;

/// A running service and its world.
pub(crate) struct Bot {
    pub(crate) slack: SimSlack,
    pub(crate) zoom: SimZoom,
    pub(crate) vars: BTreeMap<String, String>,
    pub(crate) service: Service,
    pub(crate) redis: Option<RedisServer>,
    folder: TempDir,
    seen: usize,
    /// What instances logged that have ended; it is searched for secrets, too.
    pub(crate) logs: Vec<String>,
    /// What Slack and Zoom may complain about, because the story made it happen.
    pub(crate) excused: Vec<&'static str>,
    /// Whether more answers may come than the story can know of.
    pub(crate) may_say_more: bool,
}

impl Bot {
    /// A service with the settings of the README's example.
    pub(crate) async fn start(engine: Engine) -> Self {
        Self::start_with(engine, &[]).await
    }

    /// The same, with some settings changed.
    pub(crate) async fn start_with(engine: Engine, changed: &[(&str, &str)]) -> Self {
        let slack = SimSlack::start(SIGNING_SECRET).await.unwrap();
        // A clock of its own: it can be moved ahead of the service's, which is how tokens die early.
        let zoom = SimZoom::start_with_clock("client", CLIENT_SECRET, Clock::default()).await.unwrap();
        zoom.allow_redirect(&format!("{PUBLIC}/zoom/oauth/callback"));
        let folder = tempfile::tempdir().unwrap();
        let redis = (engine == Engine::Redis).then(RedisServer::start);
        let mut vars = settings(&slack, &zoom, folder.path());
        if let Some(redis) = &redis {
            vars.insert("REDIS_URL".to_owned(), redis.url().expose().to_owned());
        }
        vars.extend(changed.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())));
        let service = Service::start(&vars);
        slack.connect_app(&service.at("/slack/commands"));
        slack.connect_interactions(&service.at("/slack/interactions"));
        slack.connect_events(&service.at("/slack/events"));
        let (seen, logs, excused) = (0, Vec::new(), Vec::new());
        Self { slack, zoom, vars, service, redis, folder, seen, logs, excused, may_say_more: false }
    }

    /// A service that hears Zoom's reports, and whose bot may post in `#events`, or has no token at all.
    pub(crate) async fn with_reports(engine: Engine, posts: Posts) -> Self {
        let mut changed = vec![("ZOOM_WEBHOOK_SECRET_TOKEN", WEBHOOK_SECRET)];
        if posts == Posts::ByBot {
            changed.push(BOT_TOKEN);
        }
        let bot = Self::start_with(engine, &changed).await;
        bot.slack.invite_app(&bot.slack.channel("events"));
        bot.zoom.connect_webhooks(&bot.service.at("/zoom/webhooks"), WEBHOOK_SECRET);
        bot
    }

    /// A service from which the app can be installed, and whose people sign in to connect.
    pub(crate) async fn installable(engine: Engine) -> Self {
        let changed = [("SLACK_CLIENT_ID", SLACK_CLIENT.0), ("SLACK_CLIENT_SECRET", SLACK_CLIENT.1)];
        let bot = Self::start_with(engine, &changed).await;
        bot.slack.register_app(SLACK_CLIENT.0, SLACK_CLIENT.1, &format!("{PUBLIC}/slack/oauth/callback"));
        bot.slack.invite_app(&bot.slack.channel("events"));
        bot
    }

    /// Installs the app as somebody, in a browser of their own, and gives the last page.
    pub(crate) async fn install_as(&self, admin: &User) -> Visit {
        self.slack.sign_in_as(admin);
        self.browser().visit(&format!("{PUBLIC}/slack/install")).await.unwrap()
    }

    /// A Slack user in `#events` whose Zoom account of the same name is connected.
    pub(crate) async fn connected(&mut self, name: &str) -> (User, Channel, ZoomUser) {
        let (user, channel) = (self.slack.user(name), self.slack.channel("events"));
        let host = self.zoom.user(&format!("{name}@example.com"));
        self.zoom.sign_in_as(&host);
        let offer = self.types(&user, &channel, "/stream connect").await;
        let page = self.press_connect(&offer).await;
        assert_eq!(page.status, 200, "{}", page.text());
        self.answer().await;
        (user, channel, host)
    }

    /// Types a line and waits for its answer, wherever it comes.
    pub(crate) async fn types(&mut self, user: &User, channel: &Channel, line: &str) -> Message {
        let delivery = self.slack.types(user, channel, line).await;
        assert_eq!(delivery.status(), 200, "{delivery:?}\n{}", self.service.log());
        self.answer().await
    }

    /// The next answer of the app that no story has looked at yet.
    pub(crate) async fn answer(&mut self) -> Message {
        let wanted = self.seen;
        let found = self.slack.wait_until("the next answer", PATIENCE, |messages| {
            messages.iter().filter(|message| message.author == Author::App).nth(wanted).cloned()
        });
        let answer = found.await.unwrap_or_else(|error| panic!("{error}\n{}", self.service.log()));
        self.seen += 1;
        answer
    }

    /// Waits until a message of the app has been changed to say something, and gives it as it is then.
    pub(crate) async fn edited(&self, message: &Message, words: &str) -> Message {
        let found = self.slack.wait_until(words, PATIENCE, |messages| {
            let now = messages.iter().find(|now| now.ts == message.ts && now.channel == message.channel)?;
            now.shown.contains(words).then(|| now.clone())
        });
        found.await.unwrap_or_else(|error| panic!("{error}\n{}", self.service.log()))
    }

    /// How many answers no story has looked at.
    pub(crate) fn unread(&self) -> Vec<Message> {
        let answers = self.slack.messages().into_iter().filter(|message| message.author == Author::App);
        answers.skip(self.seen).collect()
    }

    pub(crate) fn browser(&self) -> Browser {
        Browser::new(PUBLIC, &self.service.at("")).unwrap()
    }

    /// Presses the button of an offer, confirms, signs in at Zoom and comes back.
    pub(crate) async fn press_connect(&self, offer: &Message) -> Visit {
        let mut browser = self.browser();
        let confirm = browser.visit(&connect_link(offer)).await.unwrap();
        assert_eq!(confirm.status, 200, "{}", confirm.text());
        browser.press(&confirm).await.unwrap()
    }

    /// Sends a request as it is, and tells the status and the body.
    pub(crate) async fn send(&self, request: &SignedRequest) -> (u16, String) {
        let answer = self.slack.send(request).await.unwrap_or_else(|failure| panic!("{failure:?}"));
        (answer.status, answer.body)
    }

    /// The audit trail, as `onair audit --json` prints it.
    pub(crate) fn audit(&self) -> Vec<Value> {
        let output = self.onair(&["audit", "--json"]);
        let printed = String::from_utf8(output.stdout).unwrap();
        printed.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
    }

    /// The last entry of the trail, once there are so many.
    pub(crate) fn last_audit(&self) -> Value {
        self.audit().pop().expect("there is an entry")
    }

    /// Runs another verb of the binary with the same settings.
    pub(crate) fn onair(&self, arguments: &[&str]) -> Output {
        onair(arguments, &self.vars)
    }

    /// Stops the service and starts it again with one setting changed.
    pub(crate) fn restart_with(&mut self, name: &str, value: &str) {
        self.vars.insert(name.to_owned(), value.to_owned());
        self.restart();
    }

    /// Stops the service and starts it again, with the settings as they are now.
    pub(crate) fn restart(&mut self) {
        self.service.signal("TERM");
        self.service.wait();
        self.start_over();
    }

    /// Starts the service again after its end.
    pub(crate) fn start_over(&mut self) {
        let ended = std::mem::replace(&mut self.service, Service::start(&self.vars));
        self.logs.push(ended.ended());
        self.slack.connect_app(&self.service.at("/slack/commands"));
        self.slack.connect_interactions(&self.service.at("/slack/interactions"));
        self.slack.connect_events(&self.service.at("/slack/events"));
    }

    /// One more instance with the same settings, hence on the same store.
    pub(crate) fn second(&self) -> Service {
        Service::start(&self.vars)
    }

    /// Where its store is.
    pub(crate) fn place(&self) -> Place {
        match &self.redis {
            Some(redis) => Place::Redis { url: redis.url(), namespace: Place::NAMESPACE.to_owned() },
            None => Place::Embedded { folder: self.vars["ONAIR_DATA"].clone().into() },
        }
    }

    /// The store that the instances share, opened from outside.
    pub(crate) fn shared_store(&self) -> Store {
        let place = self.place();
        let keys = Keyring::parse(&Secret::new(self.vars["ONAIR_ENCRYPTION_KEYS"].clone())).unwrap();
        Store::open(Options { place, keys, deadline: PATIENCE }, Clock::default()).unwrap()
    }

    /// The store of a service that has ended, opened in its place.
    pub(crate) fn stopped_store(&self) -> Store {
        if self.redis.is_some() {
            return self.shared_store();
        }
        let place = Place::Embedded { folder: self.vars["ONAIR_DATA"].clone().into() };
        let keys = Keyring::parse(&Secret::new(self.vars["ONAIR_ENCRYPTION_KEYS"].clone())).unwrap();
        Store::open(Options { place, keys, deadline: PATIENCE }, Clock::default()).unwrap()
    }

    /// Waits until nothing is owed to anybody: no job is left in the journal.
    pub(crate) async fn owes_nothing_within(&self, deadline: Duration) {
        self.owes_at_most(0, deadline).await;
    }

    /// Waits until so few jobs are left in the journal. A stream that Zoom has to confirm is one, which waits for that.
    pub(crate) async fn owes_at_most(&self, jobs: i64, deadline: Duration) {
        let begun = Instant::now();
        loop {
            let open = self.open_jobs().await;
            if open <= jobs {
                return;
            }
            assert!(begun.elapsed() < deadline, "{open} jobs are left after {deadline:?}:\n{}", self.service.log());
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    }

    async fn open_jobs(&self) -> i64 {
        if self.redis.is_some() {
            return self.shared_store().waiting().await.unwrap().open.cast_signed();
        }
        let file = Path::new(&self.vars["ONAIR_DATA"]).join("onair.db");
        let journal = rusqlite::Connection::open(file).unwrap();
        journal.query_row("SELECT count(*) FROM job", [], |row| row.get(0)).unwrap()
    }

    /// Puts a proxy before the `response_url`s. Restarts the service.
    pub(crate) async fn proxy_before_hooks(&mut self) -> Proxy {
        let proxy = Proxy::before(&self.slack.hooks_url()).await;
        self.slack.hand_out_hooks_at(&format!("http://127.0.0.1:{}", proxy.port()));
        self.restart_with("SLACK_HOOKS_URL", &self.slack.hooks_url());
        proxy
    }

    /// Asks whether the service is ready: the status, and the reason why it is not.
    pub(crate) async fn readiness(&self) -> (u16, String) {
        let answer = reqwest::get(self.service.at("/readyz")).await.unwrap();
        let (status, body): (u16, Value) = (answer.status().as_u16(), answer.json().await.unwrap());
        (status, body["checks"]["store"]["reason"].as_str().unwrap_or_default().to_owned())
    }

    /// Waits until the service is ready again after a fault that has healed.
    pub(crate) async fn ready_again(&self) {
        let begun = Instant::now();
        while self.readiness().await.0 != 200 {
            assert!(begun.elapsed() < PATIENCE, "not ready again:\n{}", self.service.log());
        }
    }

    /// What the service counts; nothing where it does not tell, or has ended.
    pub(crate) async fn metrics(&self) -> String {
        let Some(address) = self.service.metrics_at("/metrics") else { return String::new() };
        match reqwest::get(address).await {
            Ok(answer) => answer.text().await.unwrap(),
            Err(_) => String::new(),
        }
    }

    /// Ends the story: see the head of this file.
    pub(crate) async fn finish(self) {
        let unread = self.unread();
        assert!(self.may_say_more || unread.is_empty(), "answers that nobody expected: {unread:#?}");
        let told = self.slack.messages().into_iter().filter(|message| message.author == Author::App);
        let secret = told.into_iter().find(|message| message.shown.contains("canary"));
        assert!(secret.is_none(), "a secret was told: {secret:#?}");
        let complaints = [self.slack.complaints(), self.zoom.complaints()].concat();
        assert_eq!(complaints, self.excused, "complaints of Slack and Zoom");
        let secrets = self.secrets();
        let metrics = self.metrics().await;
        let Self { slack, zoom, service, redis, folder, vars, mut logs, .. } = self;
        logs.push(service.stop().await);
        for secret in &secrets {
            assert!(!logs.iter().any(|log| log.contains(secret.as_str())), "{secret:?} is in the log");
            assert!(!metrics.contains(secret.as_str()), "{secret:?} is in the metrics");
        }
        let stored = stored(redis.as_ref(), folder.path()).await;
        for secret in &secrets {
            assert!(!contains(&stored, secret.as_bytes()), "{secret:?} is in the store");
        }
        drop((slack, zoom, vars));
    }

    /// Everything that may be seen in no log line, in no metric and in no byte of the store.
    fn secrets(&self) -> Vec<String> {
        let mut secrets = vec![SIGNING_SECRET.to_owned(), CLIENT_SECRET.to_owned(), "canary".to_owned()];
        secrets.push(self.vars["ONAIR_ENCRYPTION_KEYS"].clone());
        // None is so short that megabytes of sealed bytes hold it by chance.
        secrets.extend(["zat-canary", "zrt-canary", "/hooks/", "Keynote"].map(str::to_owned));
        for request in self.zoom.requests() {
            secrets
                .extend(["code", "code_verifier", "refresh_token"].iter().filter_map(|name| request.form_field(name)));
            secrets.extend(request.query_field("state"));
        }
        let links = self.slack.messages().into_iter().flat_map(|message| message.links());
        secrets.extend(links.filter_map(|link| Some(link.url.split_once("state=")?.1.to_owned())));
        secrets
    }
}

fn settings(slack: &SimSlack, zoom: &SimZoom, folder: &Path) -> BTreeMap<String, String> {
    let data = folder.join("data");
    let keys = format!("k1:{}", STANDARD.encode([7; 32]));
    let pairs = [
        ("ONAIR_BASE_URL", PUBLIC.to_owned()),
        ("ONAIR_LISTEN", "127.0.0.1:0".to_owned()),
        ("ONAIR_METRICS_LISTEN", "127.0.0.1:0".to_owned()),
        ("ONAIR_DATA", data.to_string_lossy().into_owned()),
        ("ONAIR_ENCRYPTION_KEYS", keys),
        ("SLACK_SIGNING_SECRET", SIGNING_SECRET.to_owned()),
        ("SLACK_API_URL", slack.api_url()),
        ("SLACK_OAUTH_URL", slack.oauth_url()),
        ("SLACK_HOOKS_URL", slack.hooks_url()),
        ("ZOOM_CLIENT_ID", "client".to_owned()),
        ("ZOOM_CLIENT_SECRET", CLIENT_SECRET.to_owned()),
        ("ZOOM_API_URL", zoom.api_url()),
        ("ZOOM_OAUTH_URL", zoom.oauth_url()),
        // Everything is logged, so that a secret in any line of any crate is found.
        ("RUST_LOG", "trace".to_owned()),
        ("ONAIR_LOG", "json".to_owned()),
    ];
    pairs.into_iter().map(|(name, value)| (name.to_owned(), value)).collect()
}

/// Runs the binary to its end.
pub(crate) fn onair(arguments: &[&str], vars: &BTreeMap<String, String>) -> Output {
    Command::new(BINARY).args(arguments).env_clear().envs(vars).stdin(Stdio::null()).output().unwrap()
}

/// Where the Connect Zoom button of an offer leads.
pub(crate) fn connect_link(offer: &Message) -> String {
    offer.link("Connect Zoom").unwrap_or_else(|| panic!("no button in: {}", offer.shown))
}

/// Whether everybody in the channel sees a message.
pub(crate) fn is_public(message: &Message) -> bool {
    message.audience == Audience::Channel
}

/// What a person was told by Slack itself.
pub(crate) fn failure(delivery: &Delivery) -> Option<&'static str> {
    delivery.failure.map(|failure| failure.as_str())
}

/// All bytes of a stopped service's store.
async fn stored(redis: Option<&RedisServer>, folder: &Path) -> Vec<u8> {
    let mut bytes = Vec::new();
    if let Some(redis) = redis {
        bytes.extend(redis.dump().await);
    }
    let Ok(files) = std::fs::read_dir(folder.join("data")) else { return bytes };
    for file in files {
        bytes.extend(std::fs::read(file.unwrap().path()).unwrap());
    }
    bytes
}

fn contains(haystack: &[u8], needle: &[u8]) -> bool {
    haystack.windows(needle.len()).any(|window| window == needle)
}

/// The process of `onair serve`. Dropped, it is killed.
pub(crate) struct Service {
    child: Child,
    address: String,
    lines: Arc<Mutex<Vec<String>>>,
    /// In the hands of whoever reads a line.
    reads: Arc<tokio::sync::Mutex<()>>,
    reader: Option<std::thread::JoinHandle<()>>,
}

impl Service {
    /// Starts it and waits until it listens.
    pub(crate) fn start(vars: &BTreeMap<String, String>) -> Self {
        let mut command = Command::new(BINARY);
        command.arg("serve").env_clear().envs(vars).stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::piped());
        let mut child = command.spawn().unwrap();
        let errors = BufReader::new(child.stderr.take().unwrap());
        let lines = Arc::new(Mutex::new(Vec::new()));
        let reads = Arc::<tokio::sync::Mutex<()>>::default();
        let (kept, reading) = (Arc::clone(&lines), Arc::clone(&reads));
        let reader = std::thread::spawn(move || {
            for line in errors.lines().map_while(Result::ok) {
                let _reads = reading.blocking_lock();
                kept.lock().unwrap().push(line);
            }
        });
        let mut service = Self { child, address: String::new(), lines, reads, reader: Some(reader) };
        service.address = service.listening();
        service
    }

    fn told_address(&self, message: &str) -> Option<String> {
        self.lines.lock().unwrap().iter().find_map(|line| {
            let event: Value = serde_json::from_str(line).ok()?;
            (event["message"] == message).then(|| event["address"].as_str().map(str::to_owned))?
        })
    }

    fn listening(&mut self) -> String {
        let begun = Instant::now();
        loop {
            if let Some(address) = self.told_address("listening") {
                return address;
            }
            let over = begun.elapsed() > PATIENCE || self.child.try_wait().unwrap().is_some();
            assert!(!over, "the service does not listen:\n{}", self.log());
            std::thread::sleep(Duration::from_millis(5));
        }
    }

    /// An address of the running service.
    pub(crate) fn at(&self, path: &str) -> String {
        format!("http://{}{path}", self.address)
    }

    /// An address of its metrics, if it tells any.
    pub(crate) fn metrics_at(&self, path: &str) -> Option<String> {
        Some(format!("http://{}{path}", self.told_address("metrics listening")?))
    }

    /// What it logged so far, without the noise of the libraries.
    pub(crate) fn log(&self) -> String {
        let lines = self.lines.lock().unwrap();
        lines.iter().filter(|line| line.contains("\"target\":\"onair")).cloned().collect::<Vec<_>>().join("\n")
    }

    /// Has nobody read what it logs, as long as this is kept.
    pub(crate) async fn is_not_read(&self) -> tokio::sync::OwnedMutexGuard<()> {
        Arc::clone(&self.reads).lock_owned().await
    }

    /// Waits until it has logged something.
    pub(crate) async fn logged(&self, words: &str) {
        let begun = Instant::now();
        while !self.log().contains(words) {
            assert!(begun.elapsed() < PATIENCE, "{words:?} is not in the log:\n{}", self.log());
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }

    pub(crate) fn id(&self) -> u32 {
        self.child.id()
    }

    /// Sends a signal by its name.
    pub(crate) fn signal(&self, name: &str) {
        let sent = Command::new("kill").args([&format!("-{name}"), &self.id().to_string()]).status().unwrap();
        assert!(sent.success(), "kill -{name}");
    }

    /// Waits for the end of a process that was killed.
    pub(crate) fn wait(&mut self) {
        self.child.wait().unwrap();
    }

    /// Everything that a process logged which has ended.
    pub(crate) fn ended(mut self) -> String {
        self.reader.take().unwrap().join().unwrap();
        self.lines.lock().unwrap().join("\n")
    }

    /// Stops it as an operator would, and gives everything it logged.
    pub(crate) async fn stop(mut self) -> String {
        self.end().await;
        self.ended()
    }

    /// Tells it to stop, and waits until it has.
    pub(crate) async fn end(&mut self) {
        self.signal("TERM");
        let begun = Instant::now();
        let status = loop {
            if let Some(status) = self.child.try_wait().unwrap() {
                break status;
            }
            assert!(begun.elapsed() < PATIENCE, "the service does not stop:\n{}", self.log());
            tokio::time::sleep(Duration::from_millis(5)).await;
        };
        assert!(status.success(), "the service ended with {status}:\n{}", self.log());
    }
}

impl Drop for Service {
    fn drop(&mut self) {
        // It may have ended already; then there is nothing to kill.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
