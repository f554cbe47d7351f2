//! A real browser: Chromium, driven through ChromeDriver on loopback, and gone when the test process is gone, however
//! that ends.
//!
//! [WebDriver](https://www.w3.org/TR/webdriver2/),
//! [ChromeDriver's capabilities](https://developer.chrome.com/docs/chromedriver/capabilities)

use std::io::{BufRead as _, BufReader};
use std::os::unix::process::CommandExt as _;
use std::path::Path;
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::mpsc;
use std::time::{Duration, Instant};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use reqwest::Method;
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::bot::PATIENCE;

/// Waits for the end of its input, which comes when the test process lets go of the pipe, even by dying; then ends its
/// own process group, which is ChromeDriver and what may be left of Chromium.
const WATCHDOG: &str = r#"{ chromedriver "$@"; echo ended; } & cat > /dev/null; kill -KILL 0"#;

/// What keeps it from asking anybody but the service under test.
const ARGUMENTS: [&str; 11] = [
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-dev-shm-usage",
    "--disable-quic",
    "--no-first-run",
    "--no-proxy-server",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--disable-crash-reporter",
];

/// One window of a browser of its own, with an empty profile.
pub(crate) struct Chromium {
    http: reqwest::Client,
    /// The address of its session.
    session: String,
    driver: Driver,
    /// The profile, and whatever else they write.
    folder: TempDir,
}

impl Chromium {
    /// Starts one for which a public address, such as `localhost:80`, leads to where the service really listens.
    pub(crate) async fn start(public: &str, real: &str) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let driver = Driver::start(folder.path());
        let http = reqwest::Client::builder().timeout(PATIENCE).build().unwrap();
        let address = format!("http://127.0.0.1:{}/session", driver.port);
        let mut arguments = ARGUMENTS.map(str::to_owned).to_vec();
        arguments.push(format!("--user-data-dir={}", folder.path().join("profile").display()));
        arguments.push(format!("--host-resolver-rules=MAP {public} {real}, MAP * ~NOTFOUND, EXCLUDE 127.0.0.1"));
        let options = json!({ "args": arguments });
        let wanted = json!({ "capabilities": { "alwaysMatch": { "goog:chromeOptions": options } } });
        let begun = ask(&http, Method::POST, &address, &wanted).await.unwrap_or_else(|why| panic!("{why}"));
        let session = format!("{address}/{}", begun["sessionId"].as_str().unwrap());
        Self { http, session, driver, folder }
    }

    /// Opens an address.
    pub(crate) async fn open(&self, url: &str) {
        self.tell("url", &json!({ "url": url })).await;
    }

    pub(crate) async fn back(&self) {
        self.tell("back", &json!({})).await;
    }

    pub(crate) async fn reload(&self) {
        self.tell("refresh", &json!({})).await;
    }

    /// What stands in the address bar.
    pub(crate) async fn address(&self) -> String {
        self.get("url").await.unwrap().as_str().unwrap().to_owned()
    }

    /// Waits until the page shows something, and gives all that a reader sees of it.
    pub(crate) async fn shows(&self, words: &str) -> String {
        let begun = Instant::now();
        loop {
            // There is nothing to be found while one page takes the place of another.
            let seen = self.text().await.unwrap_or_else(|why| why);
            if seen.contains(words) {
                return seen;
            }
            assert!(begun.elapsed() < PATIENCE, "{words:?} is not in: {seen}");
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }

    async fn text(&self) -> Result<String, String> {
        let body = self.find("body").await?;
        Ok(self.get(&format!("element/{body}/text")).await?.as_str().unwrap_or_default().to_owned())
    }

    /// A property of the one thing that a selector finds, such as the `value` of a field as it is now.
    pub(crate) async fn property(&self, selector: &str, name: &str) -> Value {
        let element = self.find(selector).await.unwrap();
        self.get(&format!("element/{element}/property/{name}")).await.unwrap()
    }

    /// What it is called for those who do not see it.
    pub(crate) async fn spoken_name(&self, selector: &str) -> Value {
        let element = self.find(selector).await.unwrap();
        self.get(&format!("element/{element}/computedlabel")).await.unwrap()
    }

    /// Types into a field, in the place of what stood there.
    pub(crate) async fn fill_in(&self, selector: &str, text: &str) {
        let element = self.find(selector).await.unwrap();
        self.tell(&format!("element/{element}/clear"), &json!({})).await;
        self.tell(&format!("element/{element}/value"), &json!({ "text": text })).await;
    }

    pub(crate) async fn click(&self, selector: &str) {
        let element = self.find(selector).await.unwrap();
        self.tell(&format!("element/{element}/click"), &json!({})).await;
    }

    /// Presses keys one after another, wherever the focus is. Those without a sign are
    /// [WebDriver's](https://www.w3.org/TR/webdriver2/#keyboard-actions).
    pub(crate) async fn presses(&self, keys: &str) {
        let pressed =
            keys.chars().flat_map(|key| ["keyDown", "keyUp"].map(|kind| json!({ "type": kind, "value": key })));
        let keyboard = json!({ "type": "key", "id": "keyboard", "actions": pressed.collect::<Vec<_>>() });
        self.tell("actions", &json!({ "actions": [keyboard] })).await;
    }

    /// Makes what is seen of the page so wide and high.
    pub(crate) async fn resize(&self, width: u32, height: u32) {
        let size = json!({ "width": width, "height": height, "deviceScaleFactor": 1, "mobile": false });
        self.tell("goog/cdp/execute", &json!({ "cmd": "Emulation.setDeviceMetricsOverride", "params": size })).await;
    }

    /// What is seen of the page, as a PNG.
    pub(crate) async fn picture(&self) -> Vec<u8> {
        STANDARD.decode(self.get("screenshot").await.unwrap().as_str().unwrap()).unwrap()
    }

    /// Runs a script in the page, and gives what it returns.
    pub(crate) async fn run(&self, script: &str) -> Value {
        self.post("execute/sync", &json!({ "script": script, "args": [] })).await.unwrap()
    }

    /// Waits until an expression of the page is true.
    pub(crate) async fn until(&self, expression: &str) {
        let begun = Instant::now();
        let script = json!({ "script": format!("return Boolean({expression})"), "args": [] });
        // While one page takes the place of another there is nothing that could be asked.
        while self.post("execute/sync", &script).await != Ok(Value::Bool(true)) {
            let seen = self.text().await.unwrap_or_else(|why| why);
            assert!(begun.elapsed() < PATIENCE, "{expression} is not true of: {seen}");
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }

    /// Those elements that a script returns which have no name for who does not see them.
    pub(crate) async fn nameless(&self, script: &str) -> Vec<Value> {
        let mut nameless = Vec::new();
        for found in self.run(script).await.as_array().unwrap() {
            let element = found.as_object().and_then(|found| found.values().next()?.as_str()).unwrap();
            let name = self.get(&format!("element/{element}/computedlabel")).await.unwrap();
            if name.as_str().is_none_or(|name| name.trim().is_empty()) {
                nameless.push(self.get(&format!("element/{element}/property/outerHTML")).await.unwrap());
            }
        }
        nameless
    }

    /// Waits for another tab than this one, and goes there.
    pub(crate) async fn goes_to_new_tab(&self) {
        let here = self.get("window").await.unwrap();
        let begun = Instant::now();
        loop {
            let tabs = self.get("window/handles").await.unwrap();
            if let Some(tab) = tabs.as_array().unwrap().iter().find(|tab| **tab != here) {
                return self.tell("window", &json!({ "handle": tab })).await;
            }
            assert!(begun.elapsed() < PATIENCE, "no tab was opened");
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }

    /// Closes this tab, and goes to the one that is left.
    pub(crate) async fn closes_tab(&self) {
        let left = ask(&self.http, Method::DELETE, &format!("{}/window", self.session), &Value::Null).await.unwrap();
        self.tell("window", &json!({ "handle": left[0] })).await;
    }

    /// What a policy of the pages forbade, in the browser's words.
    pub(crate) async fn forbidden(&self) -> Vec<Value> {
        let mut said = self.console().await;
        said.retain(|entry| entry["source"] == "security");
        said
    }

    /// What the browser has to say about the pages since it was asked last: warnings, errors, and what was forbidden.
    pub(crate) async fn console(&self) -> Vec<Value> {
        let said = self.post("se/log", &json!({ "type": "browser" })).await.unwrap();
        said.as_array().unwrap().clone()
    }

    /// Ends it, and waits until it has.
    pub(crate) async fn close(self) {
        ask(&self.http, Method::DELETE, &self.session, &Value::Null).await.unwrap();
        drop(self.driver);
        self.folder.close().unwrap();
    }

    async fn find(&self, selector: &str) -> Result<String, String> {
        let found = self.post("element", &json!({ "using": "css selector", "value": selector })).await?;
        let element = found.as_object().and_then(|found| found.values().next()?.as_str());
        Ok(element.unwrap_or_else(|| panic!("no element: {found}")).to_owned())
    }

    async fn tell(&self, command: &str, body: &Value) {
        self.post(command, body).await.unwrap_or_else(|why| panic!("{command}: {why}"));
    }

    async fn post(&self, command: &str, body: &Value) -> Result<Value, String> {
        ask(&self.http, Method::POST, &format!("{}/{command}", self.session), body).await
    }

    async fn get(&self, command: &str) -> Result<Value, String> {
        ask(&self.http, Method::GET, &format!("{}/{command}", self.session), &Value::Null).await
    }
}

/// One command: its value, or why not in ChromeDriver's words.
async fn ask(http: &reqwest::Client, method: Method, url: &str, body: &Value) -> Result<Value, String> {
    let mut request = http.request(method, url);
    if !body.is_null() {
        request = request.json(body);
    }
    let answer = request.send().await.unwrap();
    let is_done = answer.status().is_success();
    let value = answer.json::<Value>().await.unwrap()["value"].take();
    if is_done { Ok(value) } else { Err(format!("{}: {}", value["error"], value["message"])) }
}

/// ChromeDriver; dropping it ends it, and the browser with it.
struct Driver {
    port: u16,
    watchdog: Child,
    pipe: Option<ChildStdin>,
}

impl Driver {
    fn start(folder: &Path) -> Self {
        for (program, package) in [("chromedriver", "chromium-driver"), ("chromium", "chromium")] {
            let found = Command::new(program).arg("--version").stdout(Stdio::null()).stderr(Stdio::null()).status();
            assert!(found.is_ok(), "{program} is needed: apt-get install {package}");
        }
        // It takes a free port of IPv4 and wants the same one of IPv6, which somebody else may have: then it ends at once.
        let mut said = Vec::new();
        for _ in 0..10 {
            match Self::try_start(folder) {
                Ok(driver) => return driver,
                Err(lines) => said = lines,
            }
        }
        panic!("ChromeDriver does not start: {said:#?}");
    }

    /// What it said instead, where it has ended.
    fn try_start(folder: &Path) -> Result<Self, Vec<String>> {
        let mut watchdog = Command::new("sh")
            .args(["-c", WATCHDOG, "sh", "--port=0"])
            .env("TMPDIR", folder)
            .process_group(0)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .expect("there is a shell");
        let pipe = watchdog.stdin.take();
        let said = BufReader::new(watchdog.stdout.take().unwrap());
        let (tell, told) = mpsc::channel();
        // It reads on to the end, or ChromeDriver could not go on to write.
        std::thread::spawn(move || {
            let mut lines = Vec::new();
            for line in said.lines().map_while(Result::ok) {
                if let Some(port) = port(&line) {
                    tell.send(Ok(port)).unwrap_or_default();
                } else if line == "ended" {
                    tell.send(Err(std::mem::take(&mut lines))).unwrap_or_default();
                } else {
                    lines.push(line);
                }
            }
        });
        // Made before the wait, so that it is ended even if it says nothing.
        let mut driver = Self { port: 0, watchdog, pipe };
        driver.port = told.recv_timeout(PATIENCE).expect("ChromeDriver starts and says where it listens")?;
        Ok(driver)
    }
}

impl Drop for Driver {
    fn drop(&mut self) {
        drop(self.pipe.take());
        self.watchdog.wait().expect("the watchdog ends with its input");
    }
}

/// The port, in the line by which ChromeDriver says where it listens.
fn port(line: &str) -> Option<u16> {
    let (_, port) = line.split_once("started successfully on port ")?;
    port.trim_end_matches('.').parse().ok()
}
