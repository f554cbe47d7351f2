//! Killed at any moment under load: who was told that their command is accepted gets an answer.

use std::collections::BTreeSet;
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use onair::sandbox::slack::Message;

use crate::bot::{Bot, Engine, PATIENCE};
use crate::load::{Ledger, Line, Receipt, Typist, Way};
use crate::random::{Random, note};

const COMMANDS: usize = 1000;
const KILLS: usize = 20;

async fn story(engine: Engine) {
    // Trace would be most of the work of a thousand commands.
    let mut bot = Bot::start_with(engine, &[("RUST_LOG", "info")]).await;
    let hooks = bot.proxy_before_hooks().await;
    let (ada, events, host) = bot.connected("ada").await;
    let way = Way::to([&bot.service]);
    let typist = Typist::new(&bot.slack, &ada, &events, &way);
    let mut random = Random::new();
    let lines: Vec<Line> = (0..COMMANDS).map(|_| Line::any(&mut random, &bot.zoom, &host)).collect();
    let mut ends = Vec::new();
    let killing = async {
        for kill in 0..KILLS {
            let share = COMMANDS / KILLS;
            let offset = usize::try_from(random.below(share as u64)).unwrap();
            typist.has_typed(kill * share + offset).await;
            // Acknowledgments come first; this strikes in the work that follows them.
            tokio::time::sleep(Duration::from_millis(random.below(40))).await;
            let at = bot.slack.clock().now();
            bot.service.signal("KILL");
            way.take_out_of_service(&bot.service);
            bot.service.wait();
            hooks.drained().await;
            ends.push(End { at, last: bot.slack.messages().pop().map(|last| last.ts).unwrap_or_default() });
            bot.start_over();
            way.put_into_service(&bot.service);
        }
    };
    let (ledger, ()) = tokio::join!(typist.types(lines, 8), killing);
    ledger.is_answered_within(PATIENCE).await;
    // Also what was recorded and could not be acknowledged any more.
    bot.owes_nothing_within(PATIENCE).await;

    let Twice { answers, longest } = told_twice(&ledger, &ends);
    let (accepted, cut_off) = (ledger.with(Receipt::Accepted).count(), ledger.with(Receipt::None).count());
    note(&format!(
        "{engine:?}: {KILLS} kills, {accepted} accepted, {cut_off} cut off, {answers} told twice, {} ms before a kill at most",
        longest.as_millis()
    ));
    // Each process lives for less than a second, so it is the number that tells whether it is recorded what Slack has. On
    // Redis most of what a killed one has in work waits for the end of its lease, and is told by a later one.
    let one_in = if engine == Engine::Redis { 6 } else { 2 };
    assert!(answers * one_in < accepted, "it was not recorded that Slack has an answer");
    assert!(accepted > COMMANDS / 2, "{accepted} accepted");
    ledger.did_nothing_twice(&bot.zoom);
    let mut audit = bot.audit();
    // The way through the browser has the reference of the command that led there.
    audit.retain(|entry| entry["verb"] != "link");
    let entries: Vec<String> = audit.iter().map(|entry| entry["reference"].to_string()).collect();
    assert!(entries.len() > accepted, "each is written down");
    assert_eq!(entries.iter().collect::<BTreeSet<_>>().len(), entries.len(), "and once");
    bot.may_say_more = true;
    bot.finish().await;
}

/// How one process ended.
struct End {
    at: Timestamp,
    /// The last message that it has sent.
    last: String,
}

/// Answers that came more than once.
struct Twice {
    answers: usize,
    /// The longest time that one of them had before its process was killed.
    longest: SignedDuration,
}

/// What came more than once. Each of these came from another process, the earlier one killed before it could record that
/// Slack has it.
fn told_twice(ledger: &Ledger, ends: &[End]) -> Twice {
    let process_of = |answer: &Message| ends.iter().filter(|end| answer.ts > end.last).count();
    let mut twice = Twice { answers: 0, longest: SignedDuration::ZERO };
    for (typed, answers) in ledger.answers() {
        let processes: Vec<usize> = answers.iter().map(process_of).collect();
        assert!(processes.is_sorted_by(|earlier, later| earlier < later), "{processes:?}: {typed:#?}\n{answers:#?}");
        let Some((_, earlier)) = answers.split_last() else { continue };
        twice.answers += earlier.len();
        for answer in earlier {
            let had = ends[process_of(answer)].at.duration_since(answer.posted_at);
            twice.longest = twice.longest.max(had);
        }
    }
    twice
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_thousand_commands_and_twenty_kills_on_redis() {
    story(Engine::Redis).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_thousand_commands_and_twenty_kills_on_the_embedded_store() {
    story(Engine::Embedded).await;
}
