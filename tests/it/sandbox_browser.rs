//! The sandbox as a newcomer meets it: `onair sandbox` in a real browser, from Connect Zoom to a service that was killed.

use std::fs;
use std::io::{BufRead as _, BufReader};
use std::process::{Child, Command, Stdio};
use std::sync::mpsc;

use onair::command::Verb;
use serde_json::{Value, json};

use crate::bot::{BINARY, PATIENCE};
use crate::chromium::Chromium;

/// How the page looks with a stream on air: what the README shows.
const PICTURE: &str = concat!(env!("CARGO_TARGET_TMPDIR"), "/sandbox.png");

const TAB: char = '\u{e004}';
const ENTER: char = '\u{e007}';
const ESCAPE: char = '\u{e00c}';
const UP: char = '\u{e013}';
const DOWN: char = '\u{e015}';

/// The newest message in the channel.
const LAST: &str = ".message:last-of-type";

/// Everything on the page that can be pressed, chosen or filled in, as it is now.
const INTERACTIVE: &str = r#"
    const all = "a[href], button, input, select, textarea, summary, [tabindex='0']";
    const around = document.querySelector("dialog[open]") ?? document;
    const found = [...around.querySelectorAll(all)].filter((node) => !node.disabled && node.checkVisibility());
"#;

/// The sandbox, as a process of its own, and its page in a browser.
struct Sandbox {
    process: Process,
    chromium: Chromium,
}

/// Ended with the story, however that ends.
struct Process(Child);

impl Drop for Process {
    fn drop(&mut self) {
        // It has ended already where the story went well.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

impl Sandbox {
    async fn start() -> Self {
        let process = Command::new(BINARY)
            .args(["sandbox", "--no-browser"])
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::inherit())
            .spawn()
            .unwrap();
        let mut process = Process(process);
        let lines = BufReader::new(process.0.stdout.take().unwrap()).lines();
        let (tell, told) = mpsc::channel();
        // It reads on to the end, or the sandbox could not go on to write.
        std::thread::spawn(move || {
            for line in lines.map_while(Result::ok) {
                let address = line.split_whitespace().find(|word| word.starts_with("http://127.0.0.1:"));
                if let (true, Some(address)) = (line.starts_with("Open "), address) {
                    tell.send(address.to_owned()).unwrap_or_default();
                }
            }
        });
        let address = told.recv_timeout(PATIENCE).expect("the sandbox says where its page is");
        let real = address.trim_start_matches("http://").trim_end_matches('/');
        let chromium = Chromium::start("localhost:80", real).await;
        chromium.resize(1440, 900).await;
        chromium.open(&address).await;
        chromium.until("document.body.dataset.ready").await;
        Self { process, chromium }
    }

    /// Types a line as the person chosen on the page.
    async fn types(&self, line: &str) {
        self.chromium.fill_in("#line", &format!("{line}{ENTER}")).await;
    }

    /// Waits until the newest message says something.
    async fn reads(&self, words: &str) {
        let words = json!(words);
        self.chromium.until(&format!("document.querySelector({:?})?.textContent.includes({words})", LAST)).await;
    }

    /// Presses what is called so in the newest message.
    async fn presses(&self, action: &str) {
        let button = format!("{LAST} [data-action={action:?}]");
        self.chromium.until(&format!("document.querySelector({button:?})")).await;
        self.chromium.click(&button).await;
    }

    /// Connects Ada's Zoom account, in the tab that the button opens.
    async fn connected() -> Self {
        let sandbox = Self::start().await;
        sandbox.types("/stream connect").await;
        sandbox.presses("open_link").await;
        sandbox.chromium.goes_to_new_tab().await;
        sandbox.says_yes().await;
        sandbox.chromium.closes_tab().await;
        sandbox.chromium.until("document.querySelector('#grants').textContent.includes('ada@example.com')").await;
        sandbox
    }

    /// Says yes wherever somebody is asked: the service, Slack and Zoom.
    async fn says_yes(&self) {
        for page in ["Is this you?", "Slack (simulated)", "Zoom (simulated)"] {
            self.chromium.shows(page).await;
            self.chromium.click("a.button").await;
        }
        self.chromium.shows("is now connected to Zoom as").await;
    }

    /// Whether everything has a name, and can be reached and seen with the Tab key alone.
    async fn is_usable_by_keyboard(&self) {
        let chromium = &self.chromium;
        let nameless = chromium.nameless(&format!("{INTERACTIVE} return found;")).await;
        assert_eq!(nameless, Vec::<Value>::new(), "without a name");
        let count = chromium
            .run(&format!(
                "{INTERACTIVE}
                window.reached = new Set([document.activeElement]);
                window.unseen = [];
                window.noting = (event) => {{
                    const node = event.target;
                    window.reached.add(node);
                    const own = getComputedStyle(node), around = getComputedStyle(node.parentElement);
                    if (own.outlineStyle === 'none' && around.boxShadow === 'none') window.unseen.push(node.outerHTML);
                }};
                document.addEventListener('focusin', window.noting);
                return found.length;"
            ))
            .await;
        let count = usize::try_from(count.as_u64().unwrap()).unwrap();
        chromium.presses(&TAB.to_string().repeat(count + 5)).await;
        let missed = chromium
            .run(&format!(
                "{INTERACTIVE}
                document.removeEventListener('focusin', window.noting);
                const is_reached = (node) => window.reached.has(node)
                    || node.type === 'radio' && [...window.reached].some((other) => other.name === node.name);
                return found.filter((node) => !is_reached(node)).map((node) => node.outerHTML);"
            ))
            .await;
        assert_eq!(missed, json!([]), "not reached with Tab");
        assert_eq!(chromium.run("return window.unseen").await, json!([]), "the focus is not seen");
    }

    /// Ends the story: neither the browser nor Slack nor Zoom has anything to complain about.
    async fn finish(mut self) {
        assert_eq!(self.chromium.property("#complaint-list", "textContent").await, "");
        assert_eq!(self.chromium.console().await, Vec::<Value>::new());
        let sent = Command::new("kill").args(["-TERM", &self.process.0.id().to_string()]).status().unwrap();
        assert!(sent.success());
        let status = self.process.0.wait().unwrap();
        assert!(status.success(), "{status}");
        self.chromium.close().await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_newcomer_goes_on_air_with_the_keyboard_alone_and_off_air_with_a_button() {
    let sandbox = Sandbox::connected().await;
    let chromium = &sandbox.chromium;
    sandbox.is_usable_by_keyboard().await;

    // The first stop of Tab leads to the message box, where verbs and meetings are completed.
    chromium.reload().await;
    chromium.until("document.body.dataset.ready").await;
    chromium.presses(&format!("{TAB}{ENTER}/s{DOWN}{ENTER}")).await;
    assert_eq!(chromium.property("#line", "value").await, "/stream ");
    chromium.presses(&format!("sta{DOWN}{ENTER}6842{DOWN}{ENTER}")).await;
    assert_eq!(chromium.property("#line", "value").await, "/stream start 68423085");
    assert!(chromium.property("#usage", "textContent").await.as_str().unwrap().contains("--dry-run"));
    chromium.presses(&format!(" \"Town hall\"{ENTER}")).await;
    sandbox.reads("“Town hall” (684 230 85) is live since").await;
    sandbox.reads("(edited)").await;
    assert!(chromium.property(&format!("{LAST} .body time"), "dateTime").await.as_str().unwrap().ends_with('Z'));
    chromium.until("document.querySelector('#meetings').textContent.includes('● On air')").await;
    chromium.resize(1200, 760).await;
    fs::write(PICTURE, chromium.picture().await).unwrap();
    chromium.presses(&UP.to_string()).await;
    assert_eq!(chromium.property("#line", "value").await, "/stream start 68423085 \"Town hall\"");

    sandbox.presses("press:stop").await;
    chromium.shows("Take it off air?").await;
    sandbox.is_usable_by_keyboard().await;
    chromium.presses(&ESCAPE.to_string()).await;
    chromium.until("!document.querySelector('dialog')").await;
    assert_eq!(chromium.property(":focus", "textContent").await, "Stop");
    chromium.presses(&ENTER.to_string()).await;
    chromium.shows("Take it off air?").await;
    chromium.click("dialog button.go").await;
    sandbox.reads("was live from").await;
    // The button is gone from the message, and who pressed it is still there.
    chromium.until("document.activeElement.closest('.message')").await;
    sandbox.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_429_is_told_with_the_next_try_which_comes() {
    let sandbox = Sandbox::connected().await;
    let chromium = &sandbox.chromium;
    chromium.click("[data-key=throttled]").await;
    chromium.until("document.querySelector('[data-key=throttled]').ariaPressed === 'true'").await;
    sandbox.types("/stream start 68423085").await;
    sandbox.reads("OnAir tries again by itself at").await;
    chromium.run("document.querySelector('#filter').value = 'failed'").await;
    chromium.run("document.querySelector('#filter').dispatchEvent(new Event('change'))").await;
    let shown = "[...document.querySelectorAll('.exchange')].filter((node) => node.checkVisibility())";
    chromium.until(&format!("{shown}.length > 0 && {shown}.every((node) => node.dataset.kind === 'bad')")).await;
    chromium.click(".exchange:not([hidden]) summary").await;
    chromium.shows("retry-after").await;
    chromium.click("[data-key=well]").await;
    sandbox.reads("is live since").await;
    sandbox.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_service_that_is_killed_at_work_finishes_it_when_it_is_started() {
    let sandbox = Sandbox::connected().await;
    let chromium = &sandbox.chromium;
    sandbox.types("/stream start 68423085 \"Keynote\"").await;
    sandbox.reads("is live since").await;
    chromium.click("[data-key=slow]").await;
    chromium.until("document.querySelector('[data-key=slow]').ariaPressed === 'true'").await;
    let asked =
        "[...document.querySelectorAll('.exchange')].filter((node) => node.textContent.includes('/slack/commands'))";
    let before = chromium.run(&format!("return {asked}.length")).await;
    sandbox.types("/stream stop 68423085").await;
    // What is acknowledged is written down.
    chromium.until(&format!("{asked}.length > {before} && {asked}[0].textContent.includes('200')")).await;
    chromium.click("[data-service=kill]").await;
    chromium.until("document.querySelector('#service-state').textContent.startsWith('Not running')").await;
    sandbox.types("/stream status").await;
    sandbox.reads("failed with the error").await;
    chromium.click("[data-key=well]").await;
    chromium.click("[data-service=start]").await;
    chromium.until("document.querySelector('#service-state').textContent.startsWith('Running and ready')").await;
    sandbox.reads("“Keynote” (684 230 85) was stopped by @ada").await;
    sandbox.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_form_is_saved_and_a_home_is_each_persons_own() {
    let sandbox = Sandbox::connected().await;
    let chromium = &sandbox.chromium;
    sandbox.types("/stream policy").await;
    chromium.until("document.querySelector('dialog.form')").await;
    sandbox.is_usable_by_keyboard().await;
    chromium.click("dialog input[value=with_second_person]").await;
    chromium.click("dialog [type=submit]").await;
    chromium.until("!document.querySelector('dialog')").await;
    assert_eq!(chromium.property(":focus", "id").await, "line");
    sandbox.types("/stream policy").await;
    chromium.until("document.querySelector('dialog input[value=with_second_person]')?.checked").await;
    chromium.presses(&ESCAPE.to_string()).await;
    chromium.until("!document.querySelector('dialog')").await;

    // On a telephone there is one part at a time, and the page itself is not moved about.
    chromium.resize(360, 740).await;
    for part in ["zoom", "requests", "slack"] {
        chromium.click(&format!("[data-to={part}]")).await;
        sandbox.is_usable_by_keyboard().await;
        let page = "document.documentElement";
        let size = chromium.run(&format!("return [{page}.scrollWidth, {page}.scrollHeight]")).await;
        assert_eq!(size, json!([360, 740]), "{part}");
    }
    chromium.resize(1440, 900).await;

    chromium.click("#apps button").await;
    chromium.until("document.querySelector('#home').textContent.includes('ada@example.com')").await;
    let crew = "[...document.querySelectorAll('#channels .name')].some((node) => node.textContent.startsWith('crew'))";
    chromium.until(crew).await;
    chromium.click(".person[data-key]:nth-of-type(2)").await;
    chromium.until("document.querySelector('#home').textContent.includes('You have no Zoom account connected.')").await;
    chromium.until(&format!("!{crew}")).await;

    // What people write is text, whatever it looks like.
    chromium.click("#channels button").await;
    sandbox.types("<b>not bold</b> & *bold*, <javascript:alert(1)|not a link>").await;
    sandbox.reads("<b>not bold</b> & bold, <javascript:alert(1)|not a link>").await;
    assert_eq!(chromium.property(&format!("{LAST} .body strong"), "textContent").await, "bold");
    chromium.until(&format!("!document.querySelector('{LAST} .body :is(a, b)')")).await;
    sandbox.finish().await;
}

/// The page's table of verbs says what help says.
#[test]
fn the_page_completes_every_verb_as_help_lists_it() {
    let page = include_str!("../../src/sandbox/page/page.js");
    let table = page.split_once("const VERBS = [\n").unwrap().1.split_once("\n];").unwrap().0;
    let quoted = |text: &str| if text.contains('"') { format!("'{text}'") } else { format!("\"{text}\"") };
    let rows: Vec<String> = Verb::ALL
        .iter()
        .map(|verb| format!("  [\"{}\", {}, {}],", verb.word(), quoted(verb.arguments()), quoted(verb.purpose())))
        .collect();
    assert_eq!(table, rows.join("\n"));
}
