//! `GET /metrics`: what is counted, of whom nothing is said, and where it is told.

use std::fs;
use std::time::{Duration, Instant};

use onair::clock::Clock;
use onair::sandbox::Fault;
use onair::sandbox::slack::Route as SlackRoute;
use onair::sandbox::zoom::{Event, Route};
use reqwest::{Client, Method};
use serde_json::json;

use crate::bot::{Bot, Engine, PATIENCE, Posts};
use crate::load::{Line, Receipt, Typist, Way};

/// Waits until all of these lines are told, and gives everything that is told then.
async fn told(bot: &Bot, lines: &[&str]) -> String {
    let begun = Instant::now();
    loop {
        let told = bot.metrics().await;
        let missing = lines.iter().find(|line| !told.lines().any(|other| other == **line));
        let Some(missing) = missing else { return told };
        assert!(begun.elapsed() < PATIENCE, "{missing} is not in\n{told}\n{}", bot.service.log());
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

fn client() -> Client {
    Client::builder().timeout(PATIENCE).no_proxy().build().unwrap()
}

/// The way of a stream, and three requests that are not let in.
async fn what_happens_is_counted_and_of_whom_nothing_is_said(mut bot: Bot) {
    let (ada, events, host) = bot.connected("ada").await;
    let meeting = bot.zoom.meeting_in_progress(&host);
    let card = bot.types(&ada, &events, &format!("/stream start {meeting} \"Keynote\"")).await;
    bot.edited(&card, "is live since").await;
    let good = bot.slack.signed_request(&ada, &events, "/stream help");
    let mut forged = good.clone();
    forged.remove_header("x-slack-signature");
    let mut large = good.clone();
    large.body = vec![b'a'; 64 * 1024 + 1];
    let requests = [(&forged, 401), (&large, 413), (&good, 200), (&good, 401)];
    for (request, status) in requests {
        assert_eq!(bot.send(request).await.0, status);
    }
    let now = Clock::default().now();
    let unknown = bot.zoom.signed_event(&Event::new("meeting.participant_joined", now, &json!({ "object": {} })));
    let mut forged = unknown.clone();
    forged.remove_header("x-zm-signature");
    for (request, status) in [(&unknown, 200), (&forged, 401)] {
        assert_eq!(bot.zoom.send(request).await.unwrap().status, status);
    }
    bot.owes_nothing_within(PATIENCE).await;
    let told = told(
        &bot,
        &[
            &format!("onair_build_info{{version=\"{}\"}} 1", env!("CARGO_PKG_VERSION")),
            "onair_outcomes_total{verb=\"connect\",outcome=\"offered\"} 1",
            "onair_outcomes_total{verb=\"link\",outcome=\"connected\"} 1",
            "onair_outcomes_total{verb=\"start\",outcome=\"accepted\"} 1",
            "onair_outcomes_total{verb=\"report\",outcome=\"live\"} 1",
            "onair_outcomes_total{verb=\"help\",outcome=\"told\"} 1",
            "onair_command_duration_seconds_count{verb=\"start\"} 1",
            "onair_command_duration_seconds_bucket{le=\"+Inf\",verb=\"start\"} 1",
            "onair_requests_refused_total{door=\"slack\",reason=\"unsigned\"} 1",
            "onair_requests_refused_total{door=\"slack\",reason=\"too_large\"} 1",
            "onair_requests_refused_total{door=\"slack\",reason=\"replayed\"} 1",
            "onair_requests_refused_total{door=\"zoom\",reason=\"unsigned\"} 1",
            "onair_zoom_webhooks_total{event=\"meeting.live_streaming_started\"} 1",
            "onair_zoom_webhooks_total{event=\"other\"} 1",
            "onair_zoom_calls_total{call=\"token\",result=\"2xx\"} 1",
            "onair_zoom_calls_total{call=\"meetings/livestream/status\",result=\"2xx\"} 1",
            "onair_slack_calls_total{call=\"chat.postMessage\",result=\"ok\"} 1",
            "onair_slack_calls_total{call=\"chat.update\",result=\"ok\"} 1",
            "onair_queue_places 1024",
            "onair_queue_places_in_use 0",
            "onair_permits 128",
            "onair_permits_in_use 0",
            "onair_store_up 1",
            "onair_journal_jobs 0",
            "onair_journal_jobs_claimable 0",
            "onair_journal_overdue_seconds 0.0",
            "# EOF",
        ],
    )
    .await;
    for verb in ["link", "report"] {
        assert!(!told.contains(&format!("onair_command_duration_seconds_count{{verb=\"{verb}\"}}")), "{told}");
    }
    let user = bot.zoom.user("ada@example.com");
    let (meeting, host) = (meeting.to_string(), user.id.as_str());
    for hidden in [
        &meeting,
        &ada.id,
        &ada.team,
        &events.id,
        host,
        "ada",
        "participant",
        "canary",
        "Keynote",
        "http",
        "zat-",
        "zrt-",
    ] {
        assert!(!told.contains(hidden), "{hidden} is in\n{told}");
    }
    bot.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_happens_is_counted_on_redis() {
    let bot = Bot::with_reports(Engine::Redis, Posts::ByBot).await;
    what_happens_is_counted_and_of_whom_nothing_is_said(bot).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_happens_is_counted_embedded() {
    let bot = Bot::with_reports(Engine::Embedded, Posts::ByBot).await;
    what_happens_is_counted_and_of_whom_nothing_is_said(bot).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_renewal_and_a_zoom_that_is_away_are_counted() {
    let mut bot = Bot::start(Engine::Embedded).await;
    let (ada, events, host) = bot.connected("ada").await;
    let meeting = bot.zoom.meeting_in_progress(&host);
    // Zoom does not take the first token any more, and the service does not know it yet.
    bot.zoom.clock().advance(Duration::from_secs(2 * 3600));
    bot.types(&ada, &events, &format!("/stream start {meeting}")).await;
    bot.zoom.next(Route::MeetingStatus, Fault::status(503));
    bot.types(&ada, &events, &format!("/stream stop {meeting}")).await;
    let lines = [
        "onair_token_refreshes_total{result=\"ok\"} 1",
        "onair_zoom_calls_total{call=\"meetings/livestream/status\",result=\"4xx\"} 1",
        "onair_zoom_calls_total{call=\"meetings/livestream/status\",result=\"2xx\"} 1",
        "onair_zoom_calls_total{call=\"meetings/livestream/status\",result=\"5xx\"} 1",
        "onair_outcomes_total{verb=\"stop\",outcome=\"unavailable\"} 1",
    ];
    told(&bot, &lines).await;
    bot.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn metrics_are_told_on_their_own_socket_and_nothing_else_is() {
    let bot = Bot::start(Engine::Redis).await;
    let http = client();
    let own = |path| bot.service.metrics_at(path).unwrap();
    let good = http.get(own("/metrics")).send().await.unwrap();
    assert_eq!(good.status(), 200);
    assert_eq!(good.headers()["content-type"], "application/openmetrics-text; version=1.0.0; charset=utf-8");
    for (method, address) in [
        (Method::GET, bot.service.at("/metrics")),
        (Method::HEAD, own("/metrics")),
        (Method::POST, own("/metrics")),
        (Method::GET, own("/metrics/")),
        (Method::GET, own("/")),
        (Method::GET, own("/healthz")),
        (Method::POST, own("/slack/commands")),
    ] {
        let answer = http.request(method.clone(), &address).send().await.unwrap();
        assert_eq!(answer.status(), 404, "{method} {address}");
        assert_eq!(answer.text().await.unwrap(), "", "{method} {address}");
    }
    bot.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_socket_ends_with_the_service_whoever_still_has_a_connection() {
    let bot = Bot::start(Engine::Redis).await;
    let http = client();
    let second = bot.second();
    let told = http.get(second.metrics_at("/metrics").unwrap()).send().await.unwrap();
    assert!(told.text().await.unwrap().ends_with("# EOF\n"));
    let log = second.stop().await;
    assert!(log.contains("\"message\":\"stopped\""), "{log}");
    bot.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn set_to_nothing_no_socket_is_opened_for_them() {
    let mut bot = Bot::start_with(Engine::Embedded, &[("ONAIR_METRICS_LISTEN", "")]).await;
    assert_eq!(bot.service.metrics_at("/metrics"), None);
    assert_eq!(listening_sockets(bot.service.id()), 1);
    bot.restart_with("ONAIR_METRICS_LISTEN", "127.0.0.1:0");
    assert_eq!(listening_sockets(bot.service.id()), 2);
    bot.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_second_instance_on_the_same_machine_goes_without_where_nobody_chose_an_address() {
    let mut bot = Bot::start(Engine::Embedded).await;
    // Where it fails, somebody else has it, and that is all the story needs.
    let _taken = std::net::TcpListener::bind("127.0.0.1:9091");
    bot.vars.remove("ONAIR_METRICS_LISTEN");
    bot.restart();
    bot.service.logged("no metrics: ONAIR_METRICS_LISTEN: cannot listen on 127.0.0.1:9091").await;
    assert_eq!(bot.service.metrics_at("/metrics"), None);
    bot.finish().await;
}

/// How many TCP sockets a process listens on, as Linux has it.
fn listening_sockets(process: u32) -> usize {
    const LISTEN: &str = "0A";
    let folder = format!("/proc/{process}");
    let own: Vec<String> = fs::read_dir(format!("{folder}/fd"))
        .unwrap()
        .filter_map(|file| fs::read_link(file.unwrap().path()).ok()?.to_str().map(str::to_owned))
        .collect();
    let tables = ["tcp", "tcp6"].map(|name| fs::read_to_string(format!("{folder}/net/{name}")).unwrap_or_default());
    let sockets = tables.iter().flat_map(|table| table.lines().skip(1)).filter(|line| {
        let cells: Vec<&str> = line.split_whitespace().collect();
        cells[3] == LISTEN && own.contains(&format!("socket:[{}]", cells[9]))
    });
    sockets.count()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_store_that_is_away_is_told_and_keeps_nobody_waiting() {
    let mut bot = Bot::start(Engine::Redis).await;
    told(&bot, &["onair_store_up 1", "onair_journal_jobs 0"]).await;
    bot.redis.take().unwrap().kill();
    let away = told(&bot, &["onair_store_up 0", "onair_queue_places_in_use 0", "# EOF"]).await;
    assert!(!away.contains("journal"), "{away}");
    bot.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn more_commands_than_may_be_in_work_wait_and_are_answered_as_well() {
    let mut bot = Bot::start(Engine::Embedded).await;
    let (ada, events, _) = bot.connected("ada").await;
    let typist = Typist::new(&bot.slack, &ada, &events, &Way::to([&bot.service]));
    // Whoever is asked to wait this long is in work for three times that.
    bot.slack.always(SlackRoute::ResponseUrl, Fault::too_many("3"));
    let ledger = typist.types((0..160).map(|_| Line::of("/stream whoami")), 32).await;
    assert_eq!(ledger.with(Receipt::Accepted).count(), 160);
    told(&bot, &["onair_queue_places_in_use 160", "onair_permits_in_use 128"]).await;
    bot.slack.heal();
    ledger.is_answered_within(PATIENCE).await;
    bot.owes_nothing_within(PATIENCE).await;
    told(&bot, &["onair_queue_places_in_use 0", "onair_permits_in_use 0"]).await;
    assert!(ledger.answers().iter().all(|(_, answers)| answers.len() == 1));
    bot.may_say_more = true;
    bot.finish().await;
}
