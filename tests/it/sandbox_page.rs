//! The sandbox's page as a browser drives it, over HTTP: the built program, with the service as its child.

use std::io::{BufRead as _, BufReader};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use onair::sandbox::browser::Browser;
use reqwest::header::{CONTENT_TYPE, HOST, ORIGIN};
use reqwest::{Response, StatusCode};
use serde_json::{Value, json};

use crate::bot::PATIENCE;

const MEETING: u64 = 68_423_085;

/// A running sandbox, and what a browser knows of it.
struct Sandbox {
    process: Child,
    address: String,
    http: reqwest::Client,
    stream: Response,
    /// What has come of the stream and is no whole event yet.
    unread: Vec<u8>,
    state: Value,
    exchanges: Vec<Value>,
}

impl Sandbox {
    async fn start() -> Self {
        let mut process = Command::new(env!("CARGO_BIN_EXE_onair"))
            .args(["sandbox", "--no-browser"])
            .env_clear()
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut lines = BufReader::new(process.stdout.take().unwrap()).lines();
        let line = lines.next().unwrap().unwrap();
        let address = line.split_whitespace().find(|word| word.starts_with("http://")).unwrap();
        let address = address.trim_end_matches('/').to_owned();
        let http = reqwest::Client::builder().timeout(PATIENCE).no_proxy().build().unwrap();
        let stream = http.get(format!("{address}/events")).send().await.unwrap();
        assert_eq!(stream.headers()[CONTENT_TYPE], "text/event-stream");
        let mut sandbox =
            Self { process, address, http, stream, unread: Vec::new(), state: Value::Null, exchanges: Vec::new() };
        sandbox.until("the first state", |sandbox| sandbox.state["people"].is_array().then_some(())).await;
        sandbox
    }

    /// Reads what the page is told until something is found in it.
    async fn until<T>(&mut self, what: &str, mut look: impl FnMut(&Self) -> Option<T>) -> T {
        let reading = async {
            loop {
                if let Some(found) = look(self) {
                    return found;
                }
                let chunk = self.stream.chunk().await.unwrap().expect("the stream goes on");
                // A chunk may end within a character; an event does not.
                self.unread.extend_from_slice(&chunk);
                while let Some(end) = self.unread.windows(2).position(|two| two == b"\n\n") {
                    let event = String::from_utf8(self.unread.drain(..end + 2).collect()).unwrap();
                    self.take(event.trim_end());
                }
            }
        };
        match tokio::time::timeout(PATIENCE, reading).await {
            Ok(found) => found,
            Err(_) => panic!("waited for {what}; there was:\n{:#}\n{:#?}", self.state, self.exchanges),
        }
    }

    fn take(&mut self, event: &str) {
        let field = |name: &str| event.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(": "));
        let data = || serde_json::from_str::<Value>(field("data").unwrap()).unwrap();
        match field("event") {
            Some("state") => self.state = data(),
            Some("exchange") => {
                let exchange = data();
                assert_eq!(exchange["n"].to_string(), field("id").unwrap());
                self.exchanges.push(exchange);
            }
            _ => assert!(event.starts_with(':'), "{event}"),
        }
    }

    /// Acts as the page does.
    async fn acts(&self, act: Value) -> (StatusCode, Value) {
        let request = self.http.post(format!("{}/do", self.address)).header(ORIGIN, &self.address).json(&act);
        let answer = request.send().await.unwrap();
        (answer.status(), answer.json().await.unwrap())
    }

    /// Acts, and nobody is told anything.
    async fn does(&self, act: Value) {
        assert_eq!(self.acts(act.clone()).await, (StatusCode::OK, json!({})), "{act}");
    }

    async fn types(&self, user: &str, text: &str) {
        let act = json!({ "act": "type", "user": self.id("people", user), "channel": self.id("channels", "events"), "text": text });
        self.does(act).await;
    }

    /// The id of a person or channel.
    fn id(&self, list: &str, name: &str) -> String {
        let mut all = self.state[list].as_array().unwrap().iter();
        all.find(|one| one["name"] == name).unwrap()["id"].as_str().unwrap().to_owned()
    }

    /// Waits for a message of the app that says something, or holds it.
    async fn reads(&mut self, words: &str) -> Value {
        self.until(words, |sandbox| {
            let mut messages = sandbox.state["messages"].as_array()?.iter().rev();
            messages.find(|message| message.to_string().contains(words)).cloned()
        })
        .await
    }

    /// Goes through the pages behind the newest Connect Zoom button, and allows what is asked there.
    async fn connects(&mut self, user: &str) {
        self.does(json!({ "act": "be", "user": self.id("people", user) })).await;
        self.types(user, "/stream connect").await;
        let offer = self.reads("/zoom/connect?state=").await;
        let link = strings(&offer).find(|text| text.contains("/zoom/connect?state=")).unwrap().to_owned();
        let base = self.state["service"]["address"].as_str().unwrap();
        let mut browser = Browser::new(base, base).unwrap();
        let mut page = browser.visit(&link).await.unwrap();
        for words in [
            "Is this you?",
            &format!("Slack (simulated)\nAllow OnAir?\nYou are signed in as {user}"),
            "Zoom (simulated)",
        ] {
            assert!(page.text().contains(words), "{words:?} in\n{}", page.text());
            page = browser.press(&page).await.unwrap();
        }
        assert!(page.text().contains("Connected"), "{}", page.text());
        self.reads("You are connected to Zoom as").await;
    }

    /// A button's names as an act has them.
    fn button(message: &Value, label: &str) -> Value {
        let blocks = message["blocks"].as_array().unwrap();
        let found = blocks.iter().find_map(|block| {
            let mut elements = block["elements"].as_array()?.iter();
            let element = elements.find(|element| element["text"]["text"] == label)?;
            Some(json!({ "block_id": block["block_id"], "action_id": element["action_id"] }))
        });
        found.unwrap_or_else(|| panic!("no {label}: {message:#}"))
    }

    fn kill(&mut self) {
        // It may be over.
        let _ = self.process.kill();
        self.process.wait().unwrap();
    }
}

impl Drop for Sandbox {
    fn drop(&mut self) {
        self.kill();
    }
}

/// Every text in a value.
fn strings(value: &Value) -> Box<dyn Iterator<Item = &str> + '_> {
    match value {
        Value::String(text) => Box::new(std::iter::once(text.as_str())),
        Value::Array(list) => Box::new(list.iter().flat_map(strings)),
        Value::Object(fields) => Box::new(fields.values().flat_map(strings)),
        Value::Null | Value::Bool(_) | Value::Number(_) => Box::new(std::iter::empty()),
    }
}

#[tokio::test]
async fn the_page_is_there_for_its_own_address_alone() {
    let mut sandbox = Sandbox::start().await;
    let address = sandbox.address.clone();
    for (path, kind) in [("/", "text/html"), ("/page.css", "text/css"), ("/page.js", "text/javascript")] {
        let file = sandbox.http.get(format!("{address}{path}")).send().await.unwrap();
        assert_eq!(file.headers()[CONTENT_TYPE], format!("{kind}; charset=utf-8"));
        let policy = file.headers()["content-security-policy"].to_str().unwrap();
        assert!(policy.starts_with("default-src 'none'; script-src 'self'") && !policy.contains("unsafe"), "{policy}");
        assert_eq!(file.headers()["x-content-type-options"], "nosniff");
    }
    let get = |path: &str| sandbox.http.get(format!("{address}{path}"));
    let post = || sandbox.http.post(format!("{address}/do")).header(CONTENT_TYPE, "application/json");
    let act = r#"{"act":"service","do":"kill"}"#;
    let port = address.rsplit(':').next().unwrap();
    for (request, status) in [
        (get("/").header(HOST, format!("onair.example.com:{port}")), 421),
        (get("/events").header(HOST, "onair.example.com"), 421),
        (get("/nowhere"), 404),
        (get("/do"), 405),
        (post().body(act).header(HOST, format!("rebound.example.com:{port}")), 421),
        (post().body(act).header(ORIGIN, "http://onair.example.com"), 403),
        (post().body(act).header(ORIGIN, "null"), 403),
        (post().body(act).header("sec-fetch-site", "cross-site"), 403),
        (post().body(act).header("sec-fetch-site", "same-site"), 403),
        (sandbox.http.post(format!("{address}/do")).header(CONTENT_TYPE, "text/plain").body(act), 415),
        (post().body("{"), 400),
        (post().body(r#"{"act":"service","do":"burn"}"#), 400),
        (post().body(r#"{"act":"be","user":"U00000099"}"#), 404),
        (post().body(r#"{"act":"zoom","meeting":1,"do":"start"}"#), 404),
    ] {
        let answer = request.send().await.unwrap();
        assert_eq!(answer.status(), status);
        let told: Value = answer.json().await.unwrap();
        assert!(told["error"].as_str().unwrap().len() > 20, "{told}");
    }
    assert_eq!(sandbox.state["service"]["running"], true, "nothing of that was done");
    // The service knows nothing of the page.
    let service = sandbox.state["service"]["address"].as_str().unwrap().to_owned();
    for path in ["/do", "/events", "/page.js"] {
        assert_eq!(sandbox.http.get(format!("{service}{path}")).send().await.unwrap().status(), 404);
    }
    sandbox.kill();
}

#[tokio::test]
async fn a_show_goes_on_through_a_429_and_a_kill_and_no_secret_is_told() {
    let mut sandbox = Sandbox::start().await;
    assert_eq!(sandbox.state["installed"], true);
    sandbox.connects("ada").await;
    assert_eq!(sandbox.state["zoom"]["grants"], json!(["ada@example.com"]));

    sandbox.does(json!({ "act": "zoom_mood", "mood": "throttled" })).await;
    sandbox.types("ada", &format!("/stream start {MEETING} \"Keynote\"")).await;
    sandbox.reads("tries again by itself").await;
    sandbox.does(json!({ "act": "service", "do": "kill" })).await;
    sandbox.until("the service to be gone", |sandbox| sandbox.state["service"]["pid"].is_null().then_some(())).await;
    let typed = json!({
        "act": "type", "user": sandbox.id("people", "ben"), "channel": sandbox.id("channels", "events"), "text": "/stream whoami",
    });
    let told = sandbox.acts(typed).await.1;
    assert_eq!(told["told"], "/stream failed with the error dispatch_failed");
    sandbox.does(json!({ "act": "zoom_mood", "mood": "well" })).await;
    sandbox.does(json!({ "act": "service", "do": "start" })).await;
    let card = sandbox.reads("is live since").await;
    assert_eq!(sandbox.state["service"]["ready"], true);

    let act = json!({
        "act": "press", "user": sandbox.id("people", "ben"), "message": card["key"], "action": Sandbox::button(&card, "Stop"),
    });
    sandbox.does(act).await;
    // Ben has no Zoom account connected.
    sandbox
        .until("what Ben is told", |sandbox| {
            let ben = sandbox.id("people", "ben");
            sandbox.state["messages"].as_array()?.iter().rev().find(|message| message["only"] == ben.as_str()).map(drop)
        })
        .await;
    let act = json!({
        "act": "press", "user": sandbox.id("people", "ada"), "message": card["key"], "action": Sandbox::button(&card, "Stop"),
    });
    sandbox.does(act).await;
    sandbox.reads("was live from").await;
    sandbox.does(json!({ "act": "zoom_revoke", "user": sandbox.id("people", "ada") })).await;
    let grants = |sandbox: &Sandbox| (sandbox.state["zoom"]["grants"] == json!([])).then_some(());
    sandbox.until("no grant", grants).await;
    assert_eq!(sandbox.state["complaints"], json!([]));

    let unanswered = sandbox.exchanges.iter().find(|exchange| exchange["status"].is_null()).unwrap();
    assert_eq!((&unanswered["from"], &unanswered["to"]), (&json!("slack"), &json!("onair")));
    let waits = sandbox.exchanges.iter().find(|exchange| exchange["status"] == 429).unwrap();
    assert!(waits["answer_headers"].to_string().contains(r#"["retry-after","8"]"#), "{waits}");
    for (from, to, path) in [
        ("browser", "onair", "/slack/oauth/callback?code=•••&state=•••"),
        ("slack", "onair", "/slack/commands"),
        ("onair", "slack", "/hooks/•••"),
        ("browser", "zoom", "/oauth/authorize"),
        ("onair", "zoom", "/oauth/token"),
        ("zoom", "onair", "/zoom/webhooks"),
        ("slack", "onair", "/slack/interactions"),
    ] {
        let is_it = |exchange: &&Value| {
            exchange["from"] == from && exchange["to"] == to && exchange["path"].as_str().unwrap().starts_with(path)
        };
        assert!(sandbox.exchanges.iter().any(|exchange| is_it(&exchange)), "{from} → {to} {path}");
    }
    // Every token, code, key and link of the simulated vendors has this word in it.
    let all = serde_json::to_string(&sandbox.exchanges).unwrap();
    for secret in ["canary", "zak-", "v0=", "Basic c2", "verification-token"] {
        assert!(!all.contains(secret), "{secret} in {}", around(&all, secret));
    }
    assert!(!sandbox.state.to_string().contains("canary"));

    // Another browser is told what was before, and one that comes back only what is new to it.
    let last = sandbox.exchanges.last().unwrap()["n"].as_u64().unwrap();
    let again = sandbox.http.get(format!("{}/events", sandbox.address)).header("last-event-id", (last - 2).to_string());
    sandbox.stream = again.send().await.unwrap();
    sandbox.exchanges.clear();
    sandbox.until("the last two", |sandbox| (sandbox.exchanges.len() == 2).then_some(())).await;
    assert_eq!(sandbox.exchanges[0]["n"], last - 1);
}

/// Where a word stands, for whoever has to find out why.
fn around<'a>(text: &'a str, word: &str) -> &'a str {
    let at = text.find(word).unwrap_or_default();
    let start = (0..=at.saturating_sub(200)).rev().find(|start| text.is_char_boundary(*start)).unwrap_or_default();
    &text[start..at + word.len()]
}

#[tokio::test]
async fn forms_the_home_and_the_two_sides_are_driven_by_their_names() {
    let mut sandbox = Sandbox::start().await;
    let (ada, ben) = (sandbox.id("people", "ada"), sandbox.id("people", "ben"));
    sandbox.types("ada", "/stream policy").await;
    let form = |sandbox: &Sandbox| sandbox.state["modals"].as_array()?.first().cloned();
    let open = sandbox.until("the form", form).await;
    let submit = |values: Value| json!({ "act": "submit", "user": ada, "modal": open["id"], "values": values });
    for (values, why) in [
        (json!({ "nothing": {} }), "there is no field"),
        (
            json!({ "start_people": { "answer": { "type": "multi_users_select", "selected_users": ["U404"] } } }),
            "does not take",
        ),
        (json!({ "start_people": { "answer": { "type": "users_select", "selected_user": ben } } }), "does not take"),
    ] {
        let (status, told) = sandbox.acts(submit(values)).await;
        assert!(status.is_success() && told["told"].as_str().unwrap().contains(why), "{told}");
    }
    let people = json!({ "type": "multi_users_select", "selected_users": [ben] });
    sandbox.does(submit(json!({ "start_people": { "answer": people } }))).await;
    sandbox.until("the form to close", |sandbox| sandbox.state["modals"].as_array()?.is_empty().then_some(())).await;
    sandbox.reads("*policy*").await;
    let (status, _) = sandbox.acts(json!({ "act": "close", "user": ada, "modal": open["id"] })).await;
    assert_eq!(status, 404);

    sandbox.does(json!({ "act": "open_home", "user": ada })).await;
    let home = |sandbox: &Sandbox| sandbox.state["homes"].as_array()?.iter().find(|home| home["user"] == *ada).cloned();
    let home = sandbox.until("the Home", home).await;
    assert_eq!(home["view"]["type"], "home");
    let (status, told) = sandbox
        .acts(json!({ "act": "press_home", "user": ada, "action": { "block_id": "b", "action_id": "a" } }))
        .await;
    assert!(status.is_success() && told["told"].as_str().unwrap().contains("no such button"), "{told}");

    for (what, field, expected) in [
        ("encrypt", "encrypted", json!(true)),
        ("disallow", "allowed", json!(false)),
        ("unreachable", "reachable", json!(false)),
        ("target_off", "target", Value::Null),
        ("end", "running", json!(false)),
        ("start", "running", json!(true)),
        ("unencrypt", "encrypted", json!(false)),
        ("allow", "allowed", json!(true)),
        ("reachable", "reachable", json!(true)),
    ] {
        sandbox.does(json!({ "act": "zoom", "meeting": MEETING, "do": what })).await;
        let is_so = |sandbox: &Sandbox| (sandbox.state["zoom"]["meetings"][0][field] == expected).then_some(());
        sandbox.until(what, is_so).await;
    }
    for act in [
        json!({ "act": "zoom", "meeting": MEETING, "do": "drop" }),
        json!({ "act": "zoom_revoke", "user": ben }),
        json!({ "act": "type", "user": ben, "channel": sandbox.id("channels", "events"), "text": "/golive" }),
    ] {
        let (status, told) = sandbox.acts(act).await;
        assert!(status.is_success() && told["told"].is_string(), "{told}");
    }
    let crew = json!({ "act": "type", "user": ben, "channel": sandbox.id("channels", "crew"), "text": "hello" });
    assert_eq!(sandbox.acts(crew).await.0, 404, "Ben is not in it");
    sandbox.types("ben", "<hello> & good bye").await;
    sandbox.reads("&lt;hello&gt; &amp; good bye").await;
    for mood in ["slow", "down", "throttled", "daily", "late", "refusing", "well"] {
        sandbox.does(json!({ "act": "zoom_mood", "mood": mood })).await;
        sandbox.until(mood, |sandbox| (sandbox.state["zoom"]["mood"] == mood).then_some(())).await;
    }

    let (_, answer) = sandbox.acts(json!({ "act": "uninstall", "user": sandbox.id("people", "ben") })).await;
    assert!(answer["told"].as_str().unwrap().contains("Only an admin"), "{answer}");
    sandbox.does(json!({ "act": "uninstall", "user": ada })).await;
    sandbox.until("it to be taken out", |sandbox| (sandbox.state["installed"] == false).then_some(())).await;
    let typed =
        json!({ "act": "type", "user": ada, "channel": sandbox.id("channels", "events"), "text": "/stream help" });
    assert!(sandbox.acts(typed).await.1["told"].as_str().unwrap().contains("not installed"));
    let (_, told) = sandbox.acts(json!({ "act": "install", "user": ada })).await;
    assert!(told["told"].as_str().unwrap().contains("OnAir is installed in acme"), "{told}");
    sandbox.until("it to be back", |sandbox| (sandbox.state["installed"] == true).then_some(())).await;

    sandbox.does(json!({ "act": "service", "do": "stop" })).await;
    sandbox.until("it to have stopped", |sandbox| (sandbox.state["service"]["running"] == false).then_some(())).await;
    assert_eq!(
        sandbox.acts(json!({ "act": "service", "do": "stop" })).await.1["told"],
        "The service does not run. Start it."
    );
    assert_eq!(sandbox.state["complaints"], json!([]));
}

#[tokio::test]
async fn the_service_ends_with_the_sandbox_however_that_ends() {
    for signal in ["KILL", "TERM", "INT"] {
        let mut sandbox = Sandbox::start().await;
        let service = sandbox.state["service"]["address"].as_str().unwrap().trim_start_matches("http://").to_owned();
        assert!(tokio::net::TcpStream::connect(&service).await.is_ok());
        let pid = sandbox.process.id().to_string();
        assert!(Command::new("kill").args([&format!("-{signal}"), &pid]).status().unwrap().success());
        let status = sandbox.process.wait().unwrap();
        assert_eq!(status.success(), signal != "KILL", "{signal}: {status}");
        let gone = async {
            while tokio::net::TcpStream::connect(&service).await.is_ok() {
                tokio::time::sleep(Duration::from_millis(10)).await;
            }
        };
        tokio::time::timeout(PATIENCE, gone).await.expect("the service is gone");
    }
}

#[test]
fn a_taken_port_and_flags_that_do_not_go_together_are_told() {
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let port = taken.local_addr().unwrap().port().to_string();
    let run = |arguments: &[&str]| {
        let output =
            Command::new(env!("CARGO_BIN_EXE_onair")).arg("sandbox").args(arguments).env_clear().output().unwrap();
        (output.status.code(), String::from_utf8(output.stderr).unwrap())
    };
    let (code, told) = run(&["--no-browser", "--port", &port]);
    assert_eq!(code, Some(1));
    assert!(told.contains(&format!("cannot listen on port {port}; name another one with --port")), "{told}");
    assert_eq!(run(&["--terminal", "--port", "1"]).0, Some(2));
}
