//! Two instances on one Redis: what one of them owes when it dies, and how both are replaced under load.

use std::cell::Cell;
use std::time::Duration;

use onair::sandbox::Fault;
use onair::sandbox::slack::{Message, Route as SlackRoute};
use onair::sandbox::zoom::Route;

use crate::bot::{Bot, Engine, PATIENCE, Service};
use crate::load::{Line, Receipt, Typed, Typist, Way};
use crate::random::Random;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_a_killed_instance_held_is_answered_by_the_other() {
    let mut bot = Bot::start(Engine::Redis).await;
    let hooks = bot.proxy_before_hooks().await;
    let (ada, events, host) = bot.connected("ada").await;
    let second = bot.second();
    // Everything goes to the first. It waits for Zoom with a start and a stop, and for Slack with all the rest.
    let typist = Typist::new(&bot.slack, &ada, &events, &Way::to([&bot.service]));
    bot.slack.always(SlackRoute::ResponseUrl, Fault::Hang);
    bot.zoom.next(Route::MeetingStatus, Fault::Hang);
    bot.zoom.next(Route::MeetingStatus, Fault::Hang);
    let hung = [Line::start(&bot.zoom, &host), Line::stop(&bot.zoom, &host)];
    let [started, stopped] = hung.each_ref().map(|line| line.meeting.unwrap());
    let at_zoom = typist.types(hung, 2).await;
    let all_asked = |zoom: &onair::sandbox::SimZoom| {
        [started, stopped].iter().all(|meeting| zoom.orders_of(*meeting).len() == 1).then_some(())
    };
    bot.zoom.wait_until("both orders", PATIENCE, all_asked).await.unwrap();
    let lines: Vec<Line> = (0..10).flat_map(|_| ["/stream whoami", "/stream status"].map(Line::of)).collect();
    let at_slack = typist.types(lines.into_iter().chain((0..10).map(|_| Line::start(&bot.zoom, &host))), 30).await;
    assert!(at_slack.with(Receipt::Accepted).count() > 0, "some were accepted");

    bot.service.signal("KILL");
    bot.service.wait();
    // What it sent last is still on its way, and is not to be taken.
    hooks.drained().await;
    bot.slack.heal();
    tokio::join!(at_zoom.is_answered_within(PATIENCE), at_slack.is_answered_within(PATIENCE));

    let accepted = |(typed, _): &(&Typed, Vec<Message>)| typed.receipt() == Receipt::Accepted;
    for (typed, answers) in at_zoom.answers().into_iter().chain(at_slack.answers()).filter(accepted) {
        assert_eq!(answers.len(), 1, "{}: {answers:#?}", typed.line.text);
    }
    at_zoom.did_nothing_twice(&bot.zoom);
    at_slack.did_nothing_twice(&bot.zoom);
    assert_eq!(bot.zoom.stops_of(stopped), 1, "a stop is sent again");
    bot.may_say_more = true;
    let killed = std::mem::replace(&mut bot.service, second);
    bot.logs.push(killed.ended());
    bot.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn both_are_restarted_under_load_and_nobody_notices() {
    let mut bot = Bot::start_with(Engine::Redis, &[("RUST_LOG", "debug")]).await;
    let (ada, events, host) = bot.connected("ada").await;
    let mut second = bot.second();
    let way = Way::to([&bot.service, &second]);
    let typist = Typist::new(&bot.slack, &ada, &events, &way);
    let (mut random, is_over) = (Random::new(), Cell::new(false));
    let lines = std::iter::from_fn(|| (!is_over.get()).then(|| Line::any(&mut random, &bot.zoom, &host)));
    let (vars, mut logs) = (bot.vars.clone(), Vec::new());
    let rolling = async {
        for (count, instance) in [(50, &mut bot.service), (100, &mut second)] {
            typist.has_typed(count).await;
            way.take_out_of_service(instance);
            way.drained(instance).await;
            instance.end().await;
            // Elsewhere, because the load goes on here.
            let vars = vars.clone();
            let next = tokio::task::spawn_blocking(move || Service::start(&vars)).await.unwrap();
            logs.push(std::mem::replace(instance, next).ended());
            way.put_into_service(instance);
        }
        typist.has_typed(200).await;
        is_over.set(true);
    };
    let (ledger, ()) = tokio::join!(typist.types(lines, 16), rolling);
    assert_eq!(ledger.with(Receipt::Accepted).count(), ledger.typed.len(), "all were accepted");
    ledger.is_answered_within(PATIENCE).await;
    for (typed, answers) in ledger.answers() {
        assert_eq!(answers.len(), 1, "{}: {answers:#?}", typed.line.text);
    }
    ledger.did_nothing_twice(&bot.zoom);
    bot.may_say_more = true;
    bot.logs.append(&mut logs);
    bot.logs.push(second.stop().await);
    bot.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn one_start_typed_everywhere_at_once_is_one_order() {
    let mut bot = Bot::start(Engine::Redis).await;
    let (ada, events, host) = bot.connected("ada").await;
    let second = bot.second();
    let typist = Typist::new(&bot.slack, &ada, &events, &Way::to([&bot.service, &second]));
    bot.zoom.next(Route::MeetingStatus, Fault::Delay(Duration::from_secs(1)));
    let start = Line::start(&bot.zoom, &host);
    let meeting = start.meeting.unwrap();
    let ledger = typist.types((0..20).map(|_| start.clone()), 20).await;
    ledger.is_answered_within(PATIENCE).await;
    assert_eq!(bot.zoom.orders_of(meeting).len(), 1);
    let answers = ledger.answers().into_iter().map(|(_, answers)| answers);
    let already = answers.filter(|answers| answers.len() == 1 && answers[0].shown.contains("Already start")).count();
    assert_eq!(already, 19);
    bot.may_say_more = true;
    bot.logs.push(second.stop().await);
    bot.finish().await;
}
