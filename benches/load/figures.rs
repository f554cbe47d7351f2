//! The figures, part by part, and the table that they are printed as.

use std::time::Duration;

use tempfile::TempDir;

use crate::drive::{Driven, Line, Pace, Typist, drive};
use crate::micro;
use crate::service::{BINARY, Engine, Redis, Service};
use crate::vendors::Vendors;

/// How many times two sides are measured in turn.
const ROUNDS: usize = 5;

/// How many commands one side gets in one round.
const COMMANDS: u64 = 8000;

/// How many of them before their answers are waited for: fewer than the queue has places.
const AT_A_TIME: u64 = 800;

/// How many of them are on their way at once.
const AT_ONCE: u64 = 16;

/// One line of the table.
pub(crate) struct Row {
    what: String,
    measured: String,
    /// The figure to hold, and whether it does.
    figure: Option<(&'static str, bool)>,
}

impl Row {
    fn of(what: impl Into<String>, measured: impl Into<String>) -> Self {
        Self { what: what.into(), measured: measured.into(), figure: None }
    }

    fn held(self, figure: &'static str, holds: bool) -> Self {
        Self { figure: Some((figure, holds)), ..self }
    }
}

/// Everything that the parts share.
struct Bench {
    redis: Redis,
    vendors: Vendors,
    typist: Typist,
    rows: Vec<Row>,
}

pub(crate) async fn run(parts: &[&str]) {
    const PARTS: [&str; 7] = ["ack", "trip", "bolt", "rate", "memory", "start", "micro"];
    assert!(parts.iter().all(|part| PARTS.contains(part)), "the parts are {PARTS:?} and storm");
    let vendors = Vendors::start().await;
    let typist = Typist::new(vendors.hooks());
    let mut bench = Bench { redis: Redis::start(), vendors, typist, rows: Vec::new() };
    for part in PARTS.iter().filter(|part| parts.is_empty() || parts.contains(part)) {
        println!("measuring: {part}");
        match *part {
            "ack" => bench.ack().await,
            "trip" => bench.trip().await,
            "bolt" => bench.bolt().await,
            "rate" => bench.rate().await,
            "memory" => bench.memory().await,
            "start" => bench.start().await,
            _ => {
                let lines = micro::run();
                bench.rows.extend(lines.into_iter().map(|(what, took)| Row::of(what, microseconds(took))));
            }
        }
    }
    print(&bench.rows);
}

impl Bench {
    /// CPU of a command that is answered in its 200, audited in the store by then.
    async fn ack(&mut self) {
        let folder = tempfile::tempdir().unwrap();
        let bare = Service::bare(&["ack"]);
        let on_redis = Service::onair(Engine::Redis(&self.redis), &self.vendors, None).await;
        let embedded = Service::onair(Engine::Embedded(&folder), &self.vendors, None).await;
        let sides = [&bare, &on_redis, &embedded];
        let [bare, on_redis, embedded] = self.in_turn(sides, Line::Help).await;
        self.rows.push(Row::of("CPU per acknowledged command, bare handler", microseconds(median(&bare))));
        self.ratio("CPU per acknowledged command, on Redis", &on_redis, &bare);
        let ratio = ratio_of(&embedded, &bare);
        let measured = format!("{}, {ratio:.2} times bare", microseconds(median(&embedded)));
        self.rows.push(Row::of("CPU per acknowledged command, embedded", measured));
    }

    /// CPU of a command that goes to Zoom and comes back at its `response_url`.
    async fn trip(&mut self) {
        let folder = tempfile::tempdir().unwrap();
        let bare = Service::bare(&["trip", &self.redis.url(), &self.vendors.zoom_api()]);
        let on_redis = Service::onair(Engine::Redis(&self.redis), &self.vendors, None).await;
        let embedded = Service::onair(Engine::Embedded(&folder), &self.vendors, None).await;
        let sides = [&bare, &on_redis, &embedded];
        let redis = self.redis.cpu();
        let [bare, on_redis, embedded] = self.in_turn(sides, Line::Start).await;
        let redis = (self.redis.cpu() - redis) / u32::try_from((ROUNDS as u64 + 1) * COMMANDS).unwrap();
        self.rows.push(Row::of("CPU per full round trip, bare handler", microseconds(median(&bare))));
        self.ratio("CPU per full round trip, on Redis", &on_redis, &bare);
        let ratio = ratio_of(&embedded, &bare);
        let measured = format!("{}, {ratio:.2} times bare", microseconds(median(&embedded)));
        self.rows.push(Row::of("CPU per full round trip, embedded", measured));
        self.rows.push(Row::of("CPU of Redis itself per round trip, about", microseconds(redis)));
    }

    /// CPU of the same two beside Slack's own framework, which journals nothing.
    async fn bolt(&mut self) {
        if !Service::has_bolt() {
            let missing = "not measured: it takes Node.js and `npm ci --prefix benches/bolt`";
            self.rows.push(Row::of("CPU beside Bolt for JavaScript", missing));
            return;
        }
        let on_redis = Service::onair(Engine::Redis(&self.redis), &self.vendors, None).await;
        {
            let bolt = Service::bolt(&["ack"]);
            let [bolt, on_redis] = self.in_turn([&bolt, &on_redis], Line::Help).await;
            self.of_bolt("acknowledged command", [&bolt, &on_redis], "at most an eighth of Bolt's", 1.0 / 8.0);
        }
        let bolt = Service::bolt(&["trip", &self.vendors.zoom_api()]);
        let [bolt, on_redis] = self.in_turn([&bolt, &on_redis], Line::Start).await;
        self.of_bolt("full round trip", [&bolt, &on_redis], "at most a tenth of Bolt's", 1.0 / 10.0);
    }

    fn of_bolt(&mut self, per: &str, [bolt, ours]: [&[Duration]; 2], figure: &'static str, most: f64) {
        let ratio = ratio_of(ours, bolt);
        self.rows.push(Row::of(format!("CPU per {per}, Bolt for JavaScript"), microseconds(median(bolt))));
        let measured = format!("{}, {ratio:.3} of Bolt's", microseconds(median(ours)));
        self.rows.push(Row::of(format!("CPU per {per}, on Redis"), measured).held(figure, ratio <= most));
    }

    /// CPU per command of each side and round, after a round that warms up.
    async fn in_turn<const N: usize>(&self, sides: [&Service; N], line: Line) -> [Vec<Duration>; N] {
        let mut used = [(); N].map(|()| Vec::new());
        for round in 0..=ROUNDS {
            for (side, used) in sides.iter().zip(&mut used) {
                let before = side.cpu();
                for _ in 0..COMMANDS / AT_A_TIME {
                    let answered = self.vendors.answered();
                    let driven = drive(&side.address, &self.typist, line, AT_ONCE, Pace::Count(AT_A_TIME)).await;
                    let owed = self.check(&driven, line);
                    assert!(
                        self.vendors.have_answers(answered + owed, Duration::from_secs(60)).await,
                        "answers are missing"
                    );
                }
                // What follows the last answer.
                tokio::time::sleep(Duration::from_millis(100)).await;
                if round > 0 {
                    used.push((side.cpu() - before) / u32::try_from(COMMANDS).unwrap());
                }
            }
        }
        used
    }

    /// How many answers are owed; fails where commands were not taken, because refusing one is cheaper.
    fn check(&self, driven: &Driven, line: Line) -> u64 {
        assert_eq!((driven.failed, driven.busy), (0, 0), "commands were not taken");
        assert!(line == Line::Help || driven.answered == 0, "{} answered at once", driven.answered);
        u64::try_from(driven.accepted.len()).unwrap()
    }

    fn ratio(&mut self, what: &str, ours: &[Duration], bare: &[Duration]) {
        let ratio = ratio_of(ours, bare);
        let measured = format!("{}, {ratio:.2} times bare", microseconds(median(ours)));
        self.rows.push(Row::of(what, measured).held("at most 1.7 times bare", ratio <= 1.7));
    }

    /// How fast acknowledgments come, and how many.
    async fn rate(&mut self) {
        const LONG: Duration = Duration::from_secs(5);
        let folder = tempfile::tempdir().unwrap();
        {
            let bare = Service::bare(&["ack"]);
            let driven = drive(&bare.address, &self.typist, Line::Help, 64, Pace::For(LONG)).await;
            self.rows.push(Row::of("highest rate, bare handler", per_second(driven.rate())));
        }
        for (name, engine) in [("on Redis", Engine::Redis(&self.redis)), ("embedded", Engine::Embedded(&folder))] {
            let service = Service::onair(engine, &self.vendors, None).await;
            let highest = drive(&service.address, &self.typist, Line::Help, 64, Pace::For(LONG)).await.rate();
            let half = drive(&service.address, &self.typist, Line::Help, 64, Pace::Rate(highest / 2.0, LONG)).await;
            assert_eq!(half.failed, 0, "commands were not taken");
            let (median, p99) = (half.permille(500), half.permille(990));
            let measured = format!("{}, half the time {}", microseconds(p99), microseconds(median));
            self.rows.push(Row::of(format!("highest rate, {name}"), per_second(highest)));
            let row = Row::of(format!("ack p99 at half of it ({:.0}/s), {name}", half.rate()), measured);
            self.rows.push(row.held("under 10 ms", p99 < Duration::from_millis(10)));
        }
        self.one_core().await;
    }

    /// What the embedded store takes where the whole service has one core.
    async fn one_core(&mut self) {
        const LONG: Duration = Duration::from_secs(5);
        // Answering takes more than accepting: driven as fast as it accepts, it would be busy with telling that it is busy.
        let paces = [
            ("audited", Line::Help, Pace::For(LONG)),
            ("journaled and answered, of 2,500/s", Line::Whoami, Pace::Rate(2500.0, LONG)),
        ];
        for (what, line, pace) in paces {
            let folder = tempfile::tempdir().unwrap();
            let service = Service::onair(Engine::Embedded(&folder), &self.vendors, Some("0")).await;
            let answered = self.vendors.answered();
            let driven = drive(&service.address, &self.typist, line, 64, pace).await;
            let owed = u64::try_from(driven.accepted.len()).unwrap();
            assert!(self.vendors.have_answers(answered + owed, Duration::from_secs(60)).await, "answers are missing");
            let rate = driven.rate() * fraction(driven.count() - driven.busy - driven.failed, driven.count());
            let row = Row::of(format!("embedded, durable at the 200, one core, {what}"), per_second(rate));
            self.rows.push(row.held("at least 2,000/s", rate >= 2000.0));
        }
    }

    async fn memory(&mut self) {
        let folder = tempfile::tempdir().unwrap();
        for (name, engine) in [("on Redis", Engine::Redis(&self.redis)), ("embedded", Engine::Embedded(&folder))] {
            let service = Service::onair(engine, &self.vendors, None).await;
            tokio::time::sleep(Duration::from_secs(1)).await;
            let idle = service.memory("VmRSS");
            self.rows
                .push(Row::of(format!("memory idle, {name}"), mebibytes(idle)).held("under 15 MiB", idle < 15 * 1024));
            let answered = self.vendors.answered();
            self.vendors.zoom_takes(Duration::from_millis(500));
            // As many as it has places, and then some.
            let driven =
                drive(&service.address, &self.typist, Line::Start, 256, Pace::For(Duration::from_secs(5))).await;
            let owed = u64::try_from(driven.accepted.len()).unwrap();
            assert!(self.vendors.have_answers(answered + owed, Duration::from_secs(60)).await, "answers are missing");
            self.vendors.zoom_takes(Duration::ZERO);
            let most = service.memory("VmHWM");
            let measured = format!("{}, at {:.0} commands/s", mebibytes(most), driven.rate());
            let row = Row::of(format!("memory at full load, {name}"), measured);
            self.rows.push(row.held("under 40 MiB", most < 40 * 1024));
        }
    }

    async fn start(&mut self) {
        const TIMES: usize = 9;
        let folders: Vec<TempDir> = (0..TIMES).map(|_| tempfile::tempdir().unwrap()).collect();
        let (mut on_redis, mut embedded) = (Vec::new(), Vec::new());
        for folder in &folders {
            on_redis.push(Service::onair(Engine::Redis(&self.redis), &self.vendors, None).await.ready_after);
            embedded.push(Service::onair(Engine::Embedded(folder), &self.vendors, None).await.ready_after);
        }
        for (name, took) in [("on Redis", median(&on_redis)), ("embedded", median(&embedded))] {
            let row = Row::of(format!("start-up to ready, {name}"), microseconds(took));
            self.rows.push(row.held("under 100 ms", took < Duration::from_millis(100)));
        }
        let bytes = std::fs::metadata(BINARY).unwrap().len();
        let row = Row::of("binary, stripped", format!("{:.2} MB", fraction(bytes, 1_000_000)));
        self.rows.push(row.held("under 15 MB", bytes < 15_000_000));
    }
}

fn median(times: &[Duration]) -> Duration {
    let mut sorted = times.to_vec();
    sorted.sort_unstable();
    sorted[sorted.len() / 2]
}

/// The median of the ratios round by round: what slows one round slows both sides of it.
fn ratio_of(ours: &[Duration], bare: &[Duration]) -> f64 {
    let mut ratios: Vec<f64> =
        ours.iter().zip(bare).map(|(ours, bare)| ours.as_secs_f64() / bare.as_secs_f64()).collect();
    ratios.sort_by(f64::total_cmp);
    ratios[ratios.len() / 2]
}

#[expect(clippy::cast_precision_loss, reason = "counts and sizes")]
fn fraction(part: u64, whole: u64) -> f64 {
    part as f64 / whole as f64
}

fn microseconds(time: Duration) -> String {
    match time.as_secs_f64() {
        seconds if seconds < 10e-6 => format!("{:.2} µs", seconds * 1e6),
        seconds if seconds < 1e-3 => format!("{:.0} µs", seconds * 1e6),
        seconds => format!("{:.1} ms", seconds * 1e3),
    }
}

fn per_second(rate: f64) -> String {
    format!("{rate:.0}/s")
}

fn mebibytes(kibibytes: u64) -> String {
    format!("{:.1} MiB", fraction(kibibytes, 1024))
}

/// A table as Markdown has it, so that it can be pasted.
pub(crate) fn print(rows: &[Row]) {
    println!("| what | measured | figure | holds |");
    println!("| --- | --- | --- | --- |");
    for Row { what, measured, figure } in rows {
        let (figure, holds) = figure.map_or(("", ""), |(figure, holds)| (figure, if holds { "yes" } else { "no" }));
        println!("| {what} | {measured} | {figure} | {holds} |");
    }
}
