//! Every setting: its variable, its meaning, its default. Nothing else knows the names of variables.
//!
//! All problems are found before a port is bound and told at once, by the variable's name and never by its value.

use std::fmt;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use url::Url;

use crate::app::{self, App};
use crate::clock::{self, Clock};
use crate::http::{self, MetricsListen};
use crate::id::ChannelId;
use crate::secret::Secret;
use crate::slack::{self, Slack};
use crate::store::{self, Keyring, Place, Store};
use crate::telemetry::{self, Format, traces};
use crate::zoom::{self, Zoom};

/// One variable, as the documentation lists it.
#[derive(Clone, Copy, Debug)]
pub struct Variable {
    /// Its name.
    pub name: &'static str,
    /// What it is for.
    pub meaning: &'static str,
    /// What holds without it.
    pub default: &'static str,
}

macro_rules! variables {
    ($($name:ident: $meaning:literal, $default:literal;)*) => {
        $(const $name: &str = stringify!($name);)*

        /// Every variable that is read, in the order of the README.
        pub const VARIABLES: &[Variable] = &[
            $(Variable { name: stringify!($name), meaning: $meaning, default: $default },)*
        ];
    };
}

variables! {
    ONAIR_BASE_URL: "public https address of this service", "required";
    ONAIR_LISTEN: "the service's socket", "0.0.0.0:8080";
    ONAIR_METRICS_LISTEN: "/metrics only; empty: off", "127.0.0.1:9091";
    REDIS_URL: "redis:// or rediss://: the store is Redis", "unset: embedded store";
    ONAIR_DATA: "folder of the embedded store", "./data";
    ONAIR_ENCRYPTION_KEYS: "id:base64(32 bytes),…: the first seals, all open", "required";
    SLACK_SIGNING_SECRET: "one, or two comma-separated while rotating", "required";
    SLACK_BOT_TOKEN: "bot token of one workspace without the install flow", "unset";
    SLACK_CLIENT_ID: "client id of the Slack app: people install it from here, and sign in to connect", "unset";
    SLACK_CLIENT_SECRET: "client secret of the Slack app", "unset; required with the id";
    ZOOM_CLIENT_ID: "client id of the Zoom OAuth app", "required";
    ZOOM_CLIENT_SECRET: "client secret of the Zoom OAuth app", "required";
    ZOOM_WEBHOOK_SECRET_TOKEN: "what Zoom signs its webhooks with: one, or two comma-separated while rotating", "unset: no webhooks";
    ZOOM_LIVESTREAM_BODY: "json or multipart", "json";
    ONAIR_AUDIT_CHANNEL: "id of the channel where the bot tells what comes into the audit", "unset: nowhere";
    ONAIR_AUDIT_RETENTION: "for how long audit entries are kept, such as 365d or 90d; a day at the least", "unset: the newest million";
    SLACK_API_URL: "Slack's Web API", "https://slack.com/api";
    SLACK_OAUTH_URL: "Slack's pages: {}/oauth/v2/authorize, {}/openid/connect/authorize", "https://slack.com";
    SLACK_HOOKS_URL: "prefix that a response_url must have", "https://hooks.slack.com";
    ZOOM_API_URL: "Zoom's API", "https://api.zoom.us/v2";
    ZOOM_OAUTH_URL: "Zoom's OAuth: {}/authorize, {}/token, {}/revoke", "https://zoom.us/oauth";
    RUST_LOG: "which log lines are written", "info";
    ONAIR_LOG: "json or text", "json unless a terminal";
    OTEL_EXPORTER_OTLP_ENDPOINT: "where traces go, by OTLP over HTTP; /v1/traces is added", "unset: no traces";
    OTEL_EXPORTER_OTLP_TRACES_ENDPOINT: "the same as a whole address", "unset";
    OTEL_EXPORTER_OTLP_PROTOCOL: "http/protobuf alone", "http/protobuf";
    OTEL_SERVICE_NAME: "what the service is called in traces", "onair";
    OTEL_TRACES_SAMPLER: "which traces are sent, with OTEL_TRACES_SAMPLER_ARG", "parentbased_always_on";
    OTEL_SDK_DISABLED: "true: no traces", "false";
}

/// All settings, checked.
#[derive(Clone, Debug)]
pub struct Config {
    /// The sockets.
    pub http: http::Options,
    /// What use cases are bound by.
    pub app: app::Options,
    /// The store.
    pub store: store::Options,
    /// Slack.
    pub slack: slack::Options,
    /// Zoom.
    pub zoom: zoom::Options,
    /// Log lines.
    pub logging: Logging,
    /// Traces, where they go anywhere.
    pub traces: Option<traces::Options>,
}

/// Why the service cannot be put together although its settings are well-formed.
#[derive(Debug, thiserror::Error)]
pub enum BuildError {
    /// No HTTP client.
    #[error(transparent)]
    Slack(#[from] slack::BuildError),
    /// No HTTP client.
    #[error(transparent)]
    Zoom(#[from] zoom::BuildError),
    /// The embedded store cannot be opened, or another process has it.
    #[error("cannot open the store")]
    Store(#[from] store::Error),
}

/// How log lines are written.
#[derive(Clone, Debug)]
pub struct Logging {
    /// JSON or text; none where neither is asked for: then it is text on a terminal and JSON elsewhere.
    pub format: Option<Format>,
    /// Which lines.
    pub filter: String,
}

/// Everything that is wrong with the settings, one line each.
#[derive(Debug, thiserror::Error)]
pub struct Problems(Vec<String>);

impl Problems {
    /// How many there are.
    pub fn count(&self) -> usize {
        self.0.len()
    }
}

impl fmt::Display for Problems {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "the configuration has {} problem(s):", self.0.len())?;
        self.0.iter().try_for_each(|problem| write!(f, "\n  {problem}"))
    }
}

/// How long one operation of the store may take. A command that the store did not take is told so within a second, and
/// the rest of that second is for the way there and back.
pub const STORE_DEADLINE: Duration = Duration::from_millis(800);
const _: () = assert!(STORE_DEADLINE.as_millis() < 1000, "a command that is not accepted is told so within a second");

/// What is told elsewhere from the trail must not be gone before it was.
const SHORTEST_RETENTION: Duration = Duration::from_secs(24 * 60 * 60);

const LISTEN: &str = "0.0.0.0:8080";

impl Config {
    /// Reads the settings from "something that gives strings", in production the environment.
    pub fn from_vars(lookup: impl Fn(&str) -> Option<String>) -> Result<Self, Problems> {
        let mut vars = Vars::new(&lookup);
        let base_url = vars.base_url();
        let listen = vars.listen(ONAIR_LISTEN, LISTEN);
        let metrics = vars.metrics_listen(ONAIR_METRICS_LISTEN, "127.0.0.1:9091");
        let place = vars.place();
        let keys = vars.keys();
        let slack = slack::Options {
            api_url: vars.url(SLACK_API_URL, "https://slack.com/api"),
            oauth_url: vars.url(SLACK_OAUTH_URL, "https://slack.com"),
            client: vars.slack_client(&base_url),
            hooks_url: vars.url(SLACK_HOOKS_URL, "https://hooks.slack.com"),
            bot_token: vars.optional(SLACK_BOT_TOKEN).map(Secret::new),
            signing_secrets: vars.one_or_two(SLACK_SIGNING_SECRET),
            connect_timeout: Duration::from_secs(3),
            timeout: Duration::from_secs(5),
        };
        let zoom = zoom::Options {
            api_url: vars.url(ZOOM_API_URL, "https://api.zoom.us/v2"),
            oauth_url: vars.url(ZOOM_OAUTH_URL, "https://zoom.us/oauth"),
            client_id: vars.required(ZOOM_CLIENT_ID),
            client_secret: Secret::new(vars.required(ZOOM_CLIENT_SECRET)),
            redirect_uri: format!("{base_url}/zoom/oauth/callback"),
            webhook_secrets: vars.none_to_two(ZOOM_WEBHOOK_SECRET_TOKEN),
            body: vars.livestream_body(),
            connect_timeout: Duration::from_secs(3),
            call_timeout: Duration::from_secs(10),
        };
        let logging = vars.logging();
        let audit_channel = vars.audit_channel();
        let audit_retention = vars.audit_retention();
        let traces = vars.traces();
        let keys = vars.finish(keys)?;
        Ok(Self {
            http: http::Options { listen, metrics, drain: Duration::from_secs(25) },
            app: app::Options {
                base_url,
                queue: 1024,
                permits: 128,
                work: Duration::from_secs(90),
                audit_retention,
                audit_channel,
            },
            store: store::Options { place, keys, deadline: STORE_DEADLINE },
            slack,
            zoom,
            logging,
            traces,
        })
    }

    /// Opens every door. Nothing is contacted yet; a Redis that is away shows in `/readyz`.
    pub async fn build(self, clock: Clock) -> Result<App, BuildError> {
        let slack = Slack::new(self.slack)?;
        let zoom = Zoom::new(self.zoom, clock.clone())?;
        let store = Store::open(self.store, clock.clone())?;
        Ok(App::new(self.app, slack, zoom, store, clock))
    }

    /// Where the service listens, for commands that need nothing else.
    pub fn listen_from_vars(lookup: impl Fn(&str) -> Option<String>) -> Result<SocketAddr, Problems> {
        let mut vars = Vars::new(&lookup);
        let listen = vars.listen(ONAIR_LISTEN, LISTEN);
        vars.finish(Some(listen))
    }

    /// The store, for commands that need nothing else.
    pub fn store_from_vars(lookup: impl Fn(&str) -> Option<String>) -> Result<store::Options, Problems> {
        let mut vars = Vars::new(&lookup);
        let (place, keys) = (vars.place(), vars.keys());
        let keys = vars.finish(keys)?;
        Ok(store::Options { place, keys, deadline: STORE_DEADLINE })
    }

    /// Where the store is, for commands that need nothing else.
    pub fn place_from_vars(lookup: impl Fn(&str) -> Option<String>) -> Result<Place, Problems> {
        let mut vars = Vars::new(&lookup);
        let place = vars.place();
        vars.finish(Some(place))
    }
}

/// Reads variables one by one and keeps what is wrong with them. What is returned for a wrong one is never used.
struct Vars<'a> {
    lookup: &'a dyn Fn(&str) -> Option<String>,
    problems: Vec<String>,
}

impl<'a> Vars<'a> {
    fn new(lookup: &'a dyn Fn(&str) -> Option<String>) -> Self {
        Self { lookup, problems: Vec::new() }
    }

    /// What was read, if nothing was wrong with any variable. A missing value has its problem noted already.
    fn finish<T>(self, read: Option<T>) -> Result<T, Problems> {
        match read {
            Some(value) if self.problems.is_empty() => Ok(value),
            _ => Err(Problems(self.problems)),
        }
    }

    fn problem(&mut self, name: &str, what: impl fmt::Display) {
        self.problems.push(format!("{name}: {what}"));
    }

    /// A variable set to nothing counts as unset.
    fn optional(&mut self, name: &'static str) -> Option<String> {
        (self.lookup)(name).map(|value| value.trim().to_owned()).filter(|value| !value.is_empty())
    }

    fn required(&mut self, name: &'static str) -> String {
        self.optional(name).unwrap_or_else(|| {
            self.problem(name, "required, and not set");
            String::new()
        })
    }

    /// Scheme, host and port, and nothing else: the routes are at the root, so a path would make every link a dead one.
    fn base_url(&mut self) -> String {
        let text = self.required(ONAIR_BASE_URL);
        if text.is_empty() {
            return text;
        }
        if !Url::parse(&text).is_ok_and(|url| is_plain(&url) && url.path() == "/") {
            let what = "write the public https address and no path, such as https://onair.example.com";
            self.problem(ONAIR_BASE_URL, what);
        }
        text.trim_end_matches('/').to_owned()
    }

    fn url(&mut self, name: &'static str, default: &str) -> String {
        let text = self.optional(name).unwrap_or_else(|| default.to_owned());
        if !Url::parse(&text).is_ok_and(|url| is_plain(&url)) {
            self.problem(
                name,
                format_args!("write an https address (http only on this machine itself); the default is {default}"),
            );
        }
        text.trim_end_matches('/').to_owned()
    }

    fn logging(&mut self) -> Logging {
        let format = match self.optional(ONAIR_LOG).as_deref() {
            None => None,
            Some("json") => Some(Format::Json),
            Some("text") => Some(Format::Text),
            Some(_) => {
                self.problem(ONAIR_LOG, "write json or text");
                None
            }
        };
        let filter = self.optional(RUST_LOG).unwrap_or_else(|| "info".to_owned());
        if telemetry::check_filter(&filter).is_err() {
            self.problem(RUST_LOG, "not a filter; write for example info or onair=debug");
        }
        Logging { format, filter }
    }

    /// OpenTelemetry's own names; whatever else it reads, such as headers, goes past this.
    fn traces(&mut self) -> Option<traces::Options> {
        const SAMPLERS: [&str; 6] = [
            "always_on",
            "always_off",
            "traceidratio",
            "parentbased_always_on",
            "parentbased_always_off",
            "parentbased_traceidratio",
        ];
        if self.optional(OTEL_SDK_DISABLED).is_some_and(|text| text.eq_ignore_ascii_case("true")) {
            return None;
        }
        let whole = self.receiver(OTEL_EXPORTER_OTLP_TRACES_ENDPOINT);
        let base = self.receiver(OTEL_EXPORTER_OTLP_ENDPOINT);
        let base = base.map(|base| format!("{}/v1/traces", base.trim_end_matches('/')));
        let endpoint = whole.or(base)?;
        if self.optional(OTEL_EXPORTER_OTLP_PROTOCOL).is_some_and(|protocol| protocol != "http/protobuf") {
            self.problem(OTEL_EXPORTER_OTLP_PROTOCOL, "write http/protobuf; its port is usually 4318");
        }
        if self.optional(OTEL_TRACES_SAMPLER).is_some_and(|name| !SAMPLERS.contains(&name.as_str())) {
            self.problem(OTEL_TRACES_SAMPLER, format_args!("write one of {}", SAMPLERS.join(", ")));
        }
        let service_name = self.optional(OTEL_SERVICE_NAME).unwrap_or_else(|| "onair".to_owned());
        Some(traces::Options { endpoint, service_name })
    }

    /// An address on a private network, most often: it may be http anywhere.
    fn receiver(&mut self, name: &'static str) -> Option<String> {
        let text = self.optional(name)?;
        if !Url::parse(&text).is_ok_and(|url| matches!(url.scheme(), "http" | "https") && url.has_host()) {
            self.problem(name, "write an http or https address, such as http://localhost:4318");
        }
        Some(text)
    }

    fn listen(&mut self, name: &'static str, default: &str) -> SocketAddr {
        let text = self.optional(name).unwrap_or_else(|| default.to_owned());
        text.parse().unwrap_or_else(|_| {
            self.problem(name, format_args!("write an address and a port, such as {default}"));
            SocketAddr::from(([127, 0, 0, 1], 0))
        })
    }

    /// The one kind of variable that means something when it is set to nothing.
    fn metrics_listen(&mut self, name: &'static str, default: &str) -> MetricsListen {
        match (self.lookup)(name) {
            None => MetricsListen::Default(self.listen(name, default)),
            Some(value) if value.trim().is_empty() => MetricsListen::Off,
            Some(_) => MetricsListen::At(self.listen(name, default)),
        }
    }

    fn none_to_two(&mut self, name: &'static str) -> Vec<Secret> {
        if self.optional(name).is_some() { self.one_or_two(name) } else { Vec::new() }
    }

    fn one_or_two(&mut self, name: &'static str) -> Vec<Secret> {
        let text = self.required(name);
        let parts: Vec<&str> = text.split(',').map(str::trim).collect();
        if !text.is_empty() && (parts.len() > 2 || parts.iter().any(|part| part.is_empty())) {
            self.problem(name, "write one secret, or two separated by a comma while rotating");
        }
        parts.into_iter().map(Secret::new).collect()
    }

    fn audit_channel(&mut self) -> Option<ChannelId> {
        let text = self.optional(ONAIR_AUDIT_CHANNEL)?;
        let is_id = text.starts_with(['C', 'G']) && text.bytes().all(|c| c.is_ascii_uppercase() || c.is_ascii_digit());
        if !is_id {
            self.problem(
                ONAIR_AUDIT_CHANNEL,
                "write the channel's id, such as C0123ABCD, which Slack shows in its details",
            );
        }
        Some(ChannelId::new(text))
    }

    fn audit_retention(&mut self) -> Option<Duration> {
        let text = self.optional(ONAIR_AUDIT_RETENTION)?;
        let read = clock::parse_length(&text).and_then(|age| Duration::try_from(age).ok());
        let good = read.filter(|age| *age >= SHORTEST_RETENTION);
        if good.is_none() {
            self.problem(ONAIR_AUDIT_RETENTION, "write a time of one day or more, such as 365d, 90d or 36h");
        }
        good
    }

    /// Both or neither: half an app can be installed nowhere.
    fn slack_client(&mut self, base_url: &str) -> Option<slack::Client> {
        let (id, secret) = (self.optional(SLACK_CLIENT_ID), self.optional(SLACK_CLIENT_SECRET));
        match (id, secret) {
            (Some(id), Some(secret)) => {
                let redirect_uri = format!("{base_url}/slack/oauth/callback");
                Some(slack::Client { id, secret: Secret::new(secret), redirect_uri })
            }
            (None, None) => None,
            (Some(_), None) => {
                self.problem(SLACK_CLIENT_SECRET, "required with SLACK_CLIENT_ID, and not set");
                None
            }
            (None, Some(_)) => {
                self.problem(SLACK_CLIENT_ID, "required with SLACK_CLIENT_SECRET, and not set");
                None
            }
        }
    }

    fn livestream_body(&mut self) -> zoom::BodyFormat {
        match self.optional(ZOOM_LIVESTREAM_BODY).as_deref() {
            None | Some("json") => zoom::BodyFormat::Json,
            Some("multipart") => zoom::BodyFormat::Multipart,
            Some(_) => {
                self.problem(ZOOM_LIVESTREAM_BODY, "write json or multipart");
                zoom::BodyFormat::Json
            }
        }
    }

    fn place(&mut self) -> Place {
        match self.optional(REDIS_URL) {
            Some(url) => {
                let good =
                    Url::parse(&url).is_ok_and(|url| matches!(url.scheme(), "redis" | "rediss") && url.has_host());
                if !good {
                    self.problem(REDIS_URL, "write redis://host:6379 or rediss://host:6379");
                }
                Place::Redis { url: Secret::new(url), namespace: Place::NAMESPACE.to_owned() }
            }
            None => Place::Embedded {
                folder: PathBuf::from(self.optional(ONAIR_DATA).unwrap_or_else(|| "./data".to_owned())),
            },
        }
    }

    fn keys(&mut self) -> Option<Keyring> {
        let text = Secret::new(self.required(ONAIR_ENCRYPTION_KEYS));
        match Keyring::parse(&text) {
            Ok(keys) => Some(keys),
            Err(error) => {
                if !text.expose().is_empty() {
                    self.problem(ONAIR_ENCRYPTION_KEYS, format_args!("{error}; `onair keys generate` makes one"));
                }
                None
            }
        }
    }
}

/// An address that tokens and codes may be sent to: encrypted, or not leaving this machine, and nothing hidden in it.
fn is_plain(url: &Url) -> bool {
    let is_private = url.scheme() == "https" || (url.scheme() == "http" && is_loopback(url));
    let has_user = !url.username().is_empty() || url.password().is_some();
    is_private && url.has_host() && !has_user && url.query().is_none() && url.fragment().is_none()
}

fn is_loopback(url: &Url) -> bool {
    match url.host() {
        Some(url::Host::Domain(name)) => name == "localhost",
        Some(url::Host::Ipv4(address)) => address.is_loopback(),
        Some(url::Host::Ipv6(address)) => address.is_loopback(),
        None => false,
    }
}

#[cfg(test)]
mod tests;
