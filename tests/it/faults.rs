//! Redis, Zoom and Slack at their worst: what was accepted is answered, what was not accepted is not done.

use std::cell::Cell;
use std::time::{Duration, Instant};

use onair::sandbox::slack::Route;
use onair::sandbox::zoom::Route as ZoomRoute;
use onair::sandbox::{Fault, Recorded};

use crate::bot::{Bot, Engine, PATIENCE, PUBLIC, is_public};
use crate::load::{Ledger, Line, Receipt, Typist, Way};
use crate::proxy::{Mode, Proxy};
use crate::random::Random;
use crate::redis_server::{RedisServer, free_port};

/// Every accepted command was answered once, and no other did anything.
fn all_is_well(bot: &Bot, ledger: &Ledger) {
    assert_eq!(ledger.with(Receipt::None).count(), 0, "each has its 200");
    for (typed, answers) in ledger.answers() {
        assert_eq!(answers.len(), 1, "{}: {answers:#?}", typed.line.text);
        let is_refusal = answers[0].shown.contains("not accepted");
        assert_eq!(is_refusal, typed.receipt() == Receipt::Answered, "{}", answers[0].shown);
    }
    ledger.did_nothing_twice(&bot.zoom);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_redis_that_is_killed_under_load_loses_nothing_that_was_accepted() {
    let mut bot = Bot::start_with(Engine::Redis, &[("RUST_LOG", "debug")]).await;
    let folder = tempfile::tempdir().unwrap();
    let (port, folder) = (free_port(), folder.path().to_str().unwrap());
    let start = || RedisServer::start_on(port, &["--appendonly", "yes", "--appendfsync", "always", "--dir", folder]);
    let mut redis = start();
    bot.restart_with("REDIS_URL", redis.url().expose());
    let (ada, events, host) = bot.connected("ada").await;
    let typist = Typist::new(&bot.slack, &ada, &events, &Way::to([&bot.service]));
    let (mut random, mut chance, is_over) = (Random::new(), Random::new(), Cell::new(false));
    let lines = std::iter::from_fn(|| (!is_over.get()).then(|| Line::any(&mut random, &bot.zoom, &host)));
    let killing = async {
        for _ in 0..3 {
            typist.goes_on_for(50 + usize::try_from(chance.below(50)).unwrap()).await;
            redis.kill();
            // Some commands meet a Redis that is not there.
            typist.goes_on_for(20).await;
            redis = start();
        }
        typist.goes_on_for(50).await;
        is_over.set(true);
        redis
    };
    let (ledger, redis) = tokio::join!(typist.types(lines, 8), killing);
    bot.redis = Some(redis);
    ledger.is_answered_within(PATIENCE).await;
    bot.owes_nothing_within(PATIENCE).await;
    assert!(ledger.with(Receipt::Answered).count() > 0, "some were not accepted");
    all_is_well(&bot, &ledger);
    bot.may_say_more = true;
    bot.finish().await;
}

/// Commands are not accepted, and told so while Slack still waits; the reason is there to be read.
async fn nothing_is_accepted(bot: &mut Bot, start: &Line) -> String {
    let (ada, events) = (bot.slack.user("ada"), bot.slack.channel("events"));
    for line in [&start.text, "/stream connect", "/stream whoami"] {
        let answer = bot.types(&ada, &events, line).await;
        assert!(answer.shown.contains("not accepted"), "{}", answer.shown);
    }
    let (status, reason) = bot.readiness().await;
    assert_eq!(status, 503);
    reason
}

/// After the cure everything works without a restart, and what was not accepted is not done late.
async fn all_works_again(bot: &mut Bot, refused: &Line) {
    bot.ready_again().await;
    let (ada, events) = (bot.slack.user("ada"), bot.slack.channel("events"));
    let host = bot.zoom.user("ada@example.com");
    let answer = bot.types(&ada, &events, &Line::start(&bot.zoom, &host).text).await;
    assert!(is_public(&answer), "{}", answer.shown);
    bot.owes_nothing_within(PATIENCE).await;
    assert_eq!(bot.zoom.orders_of(refused.meeting.unwrap()).len(), 0);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_redis_that_is_slow_is_told_at_once_and_heals() {
    let mut bot = Bot::start(Engine::Redis).await;
    let proxy = Proxy::start(bot.redis.as_ref().unwrap().port()).await;
    bot.restart_with("REDIS_URL", &proxy.instead_of(bot.redis.as_ref().unwrap().url().expose()));
    let (_, _, host) = bot.connected("ada").await;
    let start = Line::start(&bot.zoom, &host);
    proxy.set(Mode::Delay(Duration::from_secs(2)));
    let reason = nothing_is_accepted(&mut bot, &start).await;
    assert!(reason.contains("in time"), "{reason}");
    proxy.set(Mode::Pass);
    all_works_again(&mut bot, &start).await;
    bot.finish().await;
}

/// Redis is there and takes no writes, from the one command on until the other.
async fn a_redis_that_takes_no_writes(strike: &str, cure: &str, code: &str) {
    let mut bot = Bot::start(Engine::Redis).await;
    let (_, _, host) = bot.connected("ada").await;
    let start = Line::start(&bot.zoom, &host);
    bot.redis.as_ref().unwrap().tell(strike).await;
    let reason = nothing_is_accepted(&mut bot, &start).await;
    assert!(reason.contains(code), "{reason}");
    bot.redis.as_ref().unwrap().tell(cure).await;
    all_works_again(&mut bot, &start).await;
    bot.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_redis_that_became_a_replica_is_told_at_once_and_heals() {
    let nobody = format!("REPLICAOF 127.0.0.1 {}", free_port());
    a_redis_that_takes_no_writes(&nobody, "REPLICAOF NO ONE", "READONLY").await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_redis_that_lacks_its_replicas_is_told_at_once_and_heals() {
    let (strike, cure) = ("CONFIG SET min-replicas-to-write 1", "CONFIG SET min-replicas-to-write 0");
    a_redis_that_takes_no_writes(strike, cure, "NOREPLICAS").await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_redis_that_is_out_of_memory_is_told_at_once_and_heals() {
    a_redis_that_takes_no_writes("CONFIG SET maxmemory 1", "CONFIG SET maxmemory 0", "OOM").await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn wires_that_cut_delay_truncate_and_swallow_lose_nothing_that_was_accepted_on_redis() {
    let mut bot = Bot::start_with(Engine::Redis, &[("RUST_LOG", "debug")]).await;
    let redis = Proxy::start(bot.redis.as_ref().unwrap().port()).await;
    bot.vars.insert("REDIS_URL".to_owned(), redis.instead_of(&bot.vars["REDIS_URL"]));
    bad_wires(bot, Some(redis)).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn wires_that_cut_delay_truncate_and_swallow_lose_nothing_that_was_accepted_embedded() {
    bad_wires(Bot::start_with(Engine::Embedded, &[("RUST_LOG", "debug")]).await, None).await;
}

/// Types while the wires to Zoom, to Slack and to the store, if there is one, are bad in turn.
async fn bad_wires(mut bot: Bot, redis: Option<Proxy>) {
    let zoom = Proxy::before(&bot.zoom.api_url()).await;
    for name in ["ZOOM_API_URL", "ZOOM_OAUTH_URL"] {
        let address = zoom.instead_of(&bot.vars[name]);
        bot.vars.insert(name.to_owned(), address);
    }
    let hooks = bot.proxy_before_hooks().await;
    let (ada, events, host) = bot.connected("ada").await;
    let typist = Typist::new(&bot.slack, &ada, &events, &Way::to([&bot.service]));
    let (mut random, mut chance, is_over) = (Random::new(), Random::new(), Cell::new(false));
    let lines = std::iter::from_fn(|| (!is_over.get()).then(|| Line::any(&mut random, &bot.zoom, &host)));
    let spoiling = async {
        for _ in 0..40 {
            let wires: Vec<&Proxy> = redis.iter().chain([&zoom, &hooks]).collect();
            let wire = *chance.one_of(&wires);
            let delay = Duration::from_millis(chance.below(1000));
            let truncate = Mode::Truncate(usize::try_from(chance.below(150)).unwrap());
            wire.set(*chance.one_of(&[Mode::Cut, Mode::Delay(delay), truncate, Mode::Silence]));
            // Some commands meet it, however slow it makes them; then the next wire is bad.
            tokio::time::sleep(Duration::from_millis(chance.below(300))).await;
            typist.goes_on_for(5).await;
            wire.set(Mode::Pass);
        }
        is_over.set(true);
    };
    let (ledger, ()) = tokio::join!(typist.types(lines, 8), spoiling);
    assert_eq!(ledger.with(Receipt::None).count(), 0, "each has its 200");
    ledger.is_answered_within(PATIENCE).await;
    bot.owes_nothing_within(PATIENCE).await;
    ledger.did_nothing_twice(&bot.zoom);
    bot.may_say_more = true;
    bot.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_full_queue_is_told_at_once_and_nothing_is_done() {
    let mut bot = Bot::start_with(Engine::Embedded, &[("RUST_LOG", "info")]).await;
    let (ada, events, host) = bot.connected("ada").await;
    let typist = Typist::new(&bot.slack, &ada, &events, &Way::to([&bot.service]));
    // Whoever is asked to wait this long keeps their place in the queue, and nothing else, for three times that.
    bot.slack.always(Route::ResponseUrl, Fault::too_many("3"));
    let flood = std::iter::from_fn(|| (typist.answered_at_once() == 0).then(|| Line::of("/stream whoami")));
    let ledger = typist.types(flood.take(3000), 32).await;
    let before = typist.answered_at_once();
    let flood = std::iter::from_fn(|| (typist.answered_at_once() == before).then(|| Line::start(&bot.zoom, &host)));
    let starts = typist.types(flood.take(300), 8).await;
    bot.slack.heal();

    assert!(ledger.with(Receipt::Accepted).count() >= 1024, "{}", ledger.typed.len());
    assert!(starts.with(Receipt::Answered).count() > 0, "a start was refused");
    for typed in ledger.with(Receipt::Answered).chain(starts.with(Receipt::Answered)) {
        let told = &typed.delivery.answer.as_ref().unwrap().body;
        assert!(told.contains("Too busy, not accepted"), "{told}");
    }
    ledger.is_answered_within(PATIENCE).await;
    starts.is_answered_within(PATIENCE).await;
    bot.owes_nothing_within(PATIENCE).await;
    all_is_well(&bot, &ledger);
    all_is_well(&bot, &starts);
    let accepted = typist.types([Line::start(&bot.zoom, &host)], 1).await;
    accepted.is_answered_within(PATIENCE).await;
    assert_eq!(accepted.with(Receipt::Accepted).count(), 1, "there is room again");
    bot.may_say_more = true;
    bot.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn where_zoom_hangs_more_are_in_work_after_a_while_and_not_all() {
    const AT_ONCE: usize = 128;
    let mut bot = Bot::start_with(Engine::Embedded, &[("RUST_LOG", "info")]).await;
    let (ada, events, host) = bot.connected("ada").await;
    let typist = Typist::new(&bot.slack, &ada, &events, &Way::to([&bot.service]));
    bot.zoom.always(ZoomRoute::MeetingStatus, Fault::Delay(Duration::from_secs(9)));
    let lines: Vec<Line> = (0..3 * AT_ONCE).map(|_| Line::start(&bot.zoom, &host)).collect();
    let starts = typist.types(lines, 32).await;
    let asked = || bot.zoom.requests().iter().filter(|asked| asked.path.ends_with("/livestream/status")).count();
    let begun = Instant::now();
    while asked() < 2 * AT_ONCE {
        assert!(begun.elapsed() < PATIENCE, "Zoom was asked {} times", asked());
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    assert_eq!(count(&bot, "accepted"), 0, "none of the first is over");
    // The others begin when the first are over, and not before.
    let mut before = asked();
    loop {
        let now = asked();
        if starts.has_an_answer() {
            break;
        }
        assert!(begun.elapsed() < PATIENCE, "nobody was answered");
        before = now;
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    bot.zoom.heal();
    assert_eq!(before, 2 * AT_ONCE, "that many and no more were in work at once");
    starts.is_answered_within(PATIENCE).await;
    bot.owes_nothing_within(PATIENCE).await;
    all_is_well(&bot, &starts);
    bot.may_say_more = true;
    bot.finish().await;
}

/// How many entries have this outcome.
fn count(bot: &Bot, outcome: &str) -> usize {
    bot.audit().into_iter().filter(|entry| entry["outcome"] == outcome).count()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_log_that_nobody_reads_holds_up_no_answer_and_says_what_it_lacks() {
    let mut bot = Bot::start_with(Engine::Embedded, &[("RUST_LOG", "trace")]).await;
    let (ada, events, _) = bot.connected("ada").await;
    let unread = bot.service.is_not_read().await;
    // Far more than a pipe and the service itself keep.
    for _ in 0..600 {
        let told = bot.types(&ada, &events, "/stream whoami").await;
        assert!(told.shown.contains("connected"), "{}", told.shown);
    }
    drop(unread);
    bot.service.logged("lines are missing here").await;
    bot.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_connection_and_an_installation_that_failed_while_the_store_was_away_are_written_down_once_it_is_back() {
    let mut bot = Bot::installable(Engine::Redis).await;
    let folder = tempfile::tempdir().unwrap();
    let (port, folder) = (free_port(), folder.path().to_str().unwrap());
    let start = || RedisServer::start_on(port, &["--appendonly", "yes", "--appendfsync", "always", "--dir", folder]);
    let redis = start();
    bot.restart_with("REDIS_URL", redis.url().expose());
    let (ada, events) = (bot.slack.user("ada"), bot.slack.channel("events"));
    bot.slack.sign_in_as(&ada);
    bot.zoom.sign_in_as(&bot.zoom.user("ada@example.com"));
    let offer = bot.types(&ada, &events, "/stream connect").await;
    // Both are under way when Redis dies.
    bot.zoom.next(ZoomRoute::Token, Fault::Hang);
    let installing = async {
        bot.zoom.wait_for("the code", PATIENCE, |request| request.path.ends_with("/token")).await.unwrap();
        let mut browser = bot.browser();
        let begun = browser.fetch(&format!("{PUBLIC}/slack/install")).await.unwrap();
        let at_slack = browser.fetch(begun.headers["location"].to_str().unwrap()).await.unwrap();
        bot.slack.next(Route::OtherMethod, Fault::Hang);
        let killing = async {
            let install = |request: &Recorded| request.path.ends_with("oauth.v2.access");
            bot.slack.wait_for_request("the code", PATIENCE, install).await.unwrap();
            redis.kill();
        };
        tokio::join!(browser.visit(at_slack.headers["location"].to_str().unwrap()), killing).0.unwrap()
    };
    let (connected, installed) = tokio::join!(bot.press_connect(&offer), installing);
    assert_eq!((connected.status.as_u16(), installed.status.as_u16()), (502, 502), "{}", installed.text());
    bot.redis = Some(start());
    bot.ready_again().await;
    let begun = Instant::now();
    while count(&bot, "link_failed") == 0 || count(&bot, "install_failed") == 0 {
        assert!(begun.elapsed() < PATIENCE, "they are not written down:\n{}", bot.service.log());
    }
    bot.restart();
    assert_eq!((count(&bot, "link_failed"), count(&bot, "install_failed")), (1, 1), "once");
    for (outcome, page) in [("link_failed", &connected), ("install_failed", &installed)] {
        let entry = bot.audit().into_iter().find(|entry| entry["outcome"] == outcome).unwrap();
        assert!(page.text().contains(entry["reference"].as_str().unwrap()), "{}", page.text());
    }
    bot.finish().await;
}
