//! A key is replaced while people work, and then taken out: nothing is lost.

use std::cell::Cell;
use std::process::Output;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use crate::bot::{Bot, Engine, PATIENCE, Service, on_both_engines};
use crate::load::{Line, Receipt, Typist, Way};
use crate::random::Random;

const KEYS: &str = "ONAIR_ENCRYPTION_KEYS";

fn key(id: &str) -> String {
    format!("{id}:{}", STANDARD.encode(id.repeat(16).as_bytes()))
}

fn keys(ids: &[&str]) -> String {
    ids.iter().map(|id| key(id)).collect::<Vec<_>>().join(",")
}

fn told(output: &Output) -> String {
    String::from_utf8([output.stdout.clone(), output.stderr.clone()].concat()).unwrap()
}

/// What `onair check` says about the keys.
fn checked(bot: &Bot) -> String {
    let told = told(&bot.onair(&["check"]));
    told.lines().find_map(|line| line.strip_prefix("keys           ")).unwrap_or_else(|| panic!("{told}")).to_owned()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_key_is_rotated_on_two_instances_under_load_and_nothing_is_lost() {
    let before = keys(&["k1", "k2"]);
    let mut bot = Bot::start_with(Engine::Redis, &[("RUST_LOG", "debug"), (KEYS, &before)]).await;
    let (ada, events, host) = bot.connected("ada").await;
    bot.types(&ada, &events, "/stream save keynote 68423085").await;
    assert!(checked(&bot).starts_with("ok (k1: "), "{}", checked(&bot));
    let mut second = bot.second();
    let way = Way::to([&bot.service, &second]);
    let typist = Typist::new(&bot.slack, &ada, &events, &way);
    let (mut random, is_over) = (Random::new(), Cell::new(false));
    let lines = std::iter::from_fn(|| (!is_over.get()).then(|| Line::any(&mut random, &bot.zoom, &host)));
    let (mut vars, mut logs) = (bot.vars.clone(), Vec::new());
    let rolling = async {
        for ring in [keys(&["k2", "k1"]), keys(&["k2"])] {
            vars.insert(KEYS.to_owned(), ring);
            for instance in [&mut bot.service, &mut second] {
                typist.goes_on_for(30).await;
                way.take_out_of_service(instance);
                way.drained(instance).await;
                instance.end().await;
                let vars = vars.clone();
                let next = tokio::task::spawn_blocking(move || Service::start(&vars)).await.unwrap();
                logs.push(std::mem::replace(instance, next).ended());
                way.put_into_service(instance);
            }
            typist.goes_on_for(30).await;
            let vars = vars.clone();
            let rotate = move || crate::bot::onair(&["keys", "rotate"], &vars);
            let output = tokio::task::spawn_blocking(rotate).await.unwrap();
            assert!(output.status.success(), "{}", told(&output));
        }
        typist.goes_on_for(30).await;
        is_over.set(true);
    };
    let (ledger, ()) = tokio::join!(typist.types(lines, 16), rolling);
    bot.vars = vars;
    assert_eq!(ledger.with(Receipt::Accepted).count(), ledger.typed.len(), "all were accepted");
    ledger.is_answered_within(PATIENCE).await;
    for (typed, answers) in ledger.answers() {
        assert_eq!(answers.len(), 1, "{}: {answers:#?}", typed.line.text);
        let is_lost = ["Connect Zoom", "OnAir broke"].iter().any(|words| answers[0].shown.contains(words));
        assert!(!is_lost, "{}: {}", typed.line.text, answers[0].shown);
    }
    ledger.did_nothing_twice(&bot.zoom);
    assert!(checked(&bot).starts_with("ok (k2: "), "{}", checked(&bot));
    bot.may_say_more = true;
    for log in &logs {
        assert!(!log.contains("does not open"), "{log}");
    }
    bot.logs.append(&mut logs);
    bot.logs.push(second.stop().await);
    bot.finish().await;
}

on_both_engines! {
    async fn a_key_is_put_in_front_and_the_old_one_taken_out(bot) {
        let (ada, events, host) = bot.connected("ada").await;
        let meeting = bot.zoom.meeting_in_progress(&host);
        bot.types(&ada, &events, &format!("/stream save keynote {meeting}")).await;
        bot.types(&ada, &events, "/stream start keynote").await;
        let first = bot.vars[KEYS].clone();
        bot.restart_with(KEYS, &format!("{},{first}", key("k2")));
        if bot.redis.is_none() {
            bot.service.logged("everything that opens is sealed with the first key").await;
        } else {
            assert!(checked(&bot).contains("; onair keys rotate"), "{}", checked(&bot));
        }
        let rotated = bot.onair(&["keys", "rotate"]);
        assert!(rotated.status.success(), "{}", told(&rotated));
        let words = if bot.redis.is_none() { "a running service has this store" } else { "grant:           1 sealed again" };
        assert!(told(&rotated).contains(words), "{}", told(&rotated));
        assert!(told(&rotated).contains("no other key is needed any more"), "{}", told(&rotated));
        assert!(checked(&bot).contains("k1: none, it may be taken out"), "{}", checked(&bot));

        bot.restart_with(KEYS, &key("k2"));
        let whoami = bot.types(&ada, &events, "/stream whoami").await;
        assert!(whoami.shown.contains("ada@example.com"), "{}", whoami.shown);
        bot.types(&ada, &events, "/stream stop keynote").await;
        assert_eq!(bot.last_audit()["outcome"], "stopped");
    }

    async fn a_key_is_rotated_while_no_service_runs(bot) {
        bot.connected("ada").await;
        let first = bot.vars[KEYS].clone();
        bot.service.end().await;
        bot.vars.insert(KEYS.to_owned(), format!("{},{first}", key("k2")));
        let rotated = bot.onair(&["keys", "rotate"]);
        assert!(rotated.status.success(), "{}", told(&rotated));
        assert!(told(&rotated).contains("grant:           1 sealed again"), "{}", told(&rotated));

        // A key that was taken out too early is named by its id, and what is under it only by its prefix.
        bot.vars.insert(KEYS.to_owned(), key("k3"));
        let early = bot.onair(&["keys", "rotate"]);
        assert_eq!(early.status.code(), Some(1), "{}", told(&early));
        assert!(told(&early).contains("grant:           0 sealed again, 1 DO NOT OPEN"), "{}", told(&early));
        assert!(told(&early).contains("still under key k2"), "{}", told(&early));
        assert!(checked(&bot).contains("are under key k2, which ONAIR_ENCRYPTION_KEYS has not"), "{}", checked(&bot));
        bot.vars.insert(KEYS.to_owned(), key("k2"));
        bot.start_over();
    }
}
