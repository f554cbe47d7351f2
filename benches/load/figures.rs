//! The figures, part by part, and the table that they are printed as.

use std::time::Duration;

use tempfile::TempDir;

use crate::drive::{Driven, Line, Pace, Typist, drive};
use crate::micro;
use crate::service::{BINARY, Engine, Redis, Service};
use crate::stories;
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
    pub(crate) fn of(what: impl Into<String>, measured: impl Into<String>) -> Self {
        Self { what: what.into(), measured: measured.into(), figure: None }
    }

    pub(crate) fn held(self, figure: &'static str, holds: bool) -> Self {
        Self { figure: Some((figure, holds)), ..self }
    }
}

/// CPU per command, round by round.
#[derive(Default)]
struct Used {
    /// Of the process itself.
    own: Vec<Duration>,
    /// Of Redis meanwhile.
    redis: Vec<Duration>,
}

impl Used {
    /// Takes in a round of so many commands.
    fn push(&mut self, [own, redis]: [Duration; 2], commands: u64) {
        let commands = u32::try_from(commands).unwrap();
        self.own.push(own / commands);
        self.redis.push(redis / commands);
    }

    /// The ratios round by round: what slows one round slows both sides of it.
    fn ratios(&self, other: &Self) -> Vec<f64> {
        let mut ratios: Vec<f64> =
            self.own.iter().zip(&other.own).map(|(ours, other)| ours.as_secs_f64() / other.as_secs_f64()).collect();
        ratios.sort_by(f64::total_cmp);
        ratios
    }

    /// The ratio in the middle.
    fn ratio(&self, other: &Self) -> f64 {
        let ratios = self.ratios(other);
        ratios[ratios.len() / 2]
    }

    /// What is told of one beside another.
    fn beside(&self, other: &Self, name: &str) -> String {
        let ratios = self.ratios(other);
        let (least, most) = (ratios[0], ratios[ratios.len() - 1]);
        format!("{}, {:.2} {name} ({least:.2} to {most:.2})", microseconds(median(&self.own)), self.ratio(other))
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
    const PARTS: [&str; 10] = ["accept", "ack", "trip", "bolt", "rate", "memory", "start", "micro", "kills", "forged"];
    assert!(parts.iter().all(|part| PARTS.contains(part)), "the parts are {PARTS:?} and storm");
    let vendors = Vendors::start().await;
    let typist = Typist::new(vendors.hooks());
    let mut bench = Bench { redis: Redis::start(), vendors, typist, rows: Vec::new() };
    for part in PARTS.iter().filter(|part| parts.is_empty() || parts.contains(part)) {
        println!("measuring: {part}");
        match *part {
            "accept" => bench.accept().await,
            "ack" => bench.ack().await,
            "trip" => bench.trip().await,
            "bolt" => bench.bolt().await,
            "rate" => bench.rate().await,
            "memory" => bench.memory().await,
            "start" => bench.start().await,
            "kills" => bench.rows.push(stories::kills()),
            "forged" => bench.rows.push(stories::forged()),
            _ => {
                let lines = micro::run();
                bench.rows.extend(lines.into_iter().map(|(what, took)| Row::of(what, microseconds(took))));
            }
        }
    }
    print(&bench.rows);
}

impl Bench {
    /// CPU of a command that is accepted: it is in the journal, and its 200 is empty.
    async fn accept(&mut self) {
        let folder = data();
        let bare = Service::bare(&["accept"]);
        let on_redis = Service::onair(Engine::Redis(&self.redis), &self.vendors, None).await;
        let embedded = Service::onair(Engine::Embedded(&folder), &self.vendors, None).await;
        let [bare, on_redis, embedded] = self.accepting([&bare, &on_redis, &embedded]).await;
        self.beside_bare("CPU per command accepted: journaled", [&bare, &on_redis, &embedded]);
        self.rows.push(Row::of("CPU of Redis itself for that", microseconds(median(&on_redis.redis))));
    }

    /// CPU of a command that is answered in its 200, audited in the store by then.
    async fn ack(&mut self) {
        let folder = data();
        let bare = Service::bare(&["ack"]);
        let on_redis = Service::onair(Engine::Redis(&self.redis), &self.vendors, None).await;
        let embedded = Service::onair(Engine::Embedded(&folder), &self.vendors, None).await;
        let [bare, on_redis, embedded] = self.in_turn([&bare, &on_redis, &embedded], Line::Help).await;
        self.beside_bare("CPU per command answered in the 200: audited", [&bare, &on_redis, &embedded]);
        self.rows.push(Row::of("CPU of Redis itself for that", microseconds(median(&on_redis.redis))));
    }

    /// CPU of a command that goes to Zoom and comes back at its `response_url`.
    async fn trip(&mut self) {
        let folder = data();
        let bare = Service::bare(&["trip", &self.redis.url(), &self.vendors.zoom_api()]);
        let on_redis = Service::onair(Engine::Redis(&self.redis), &self.vendors, None).await;
        let embedded = Service::onair(Engine::Embedded(&folder), &self.vendors, None).await;
        let [bare, on_redis, embedded] = self.in_turn([&bare, &on_redis, &embedded], Line::Start).await;
        self.beside_bare("CPU per full round trip", [&bare, &on_redis, &embedded]);
        self.rows.push(Row::of("CPU of Redis itself for that", microseconds(median(&on_redis.redis))));
    }

    fn beside_bare(&mut self, what: &str, [bare, on_redis, embedded]: [&Used; 3]) {
        self.rows.push(Row::of(format!("{what}, bare handler"), microseconds(median(&bare.own))));
        let row = Row::of(format!("{what}, on Redis"), on_redis.beside(bare, "times bare"));
        self.rows.push(row.held("at most 1.7 times bare", on_redis.ratio(bare) <= 1.7));
        self.rows.push(Row::of(format!("{what}, embedded"), embedded.beside(bare, "times bare")));
    }

    /// CPU of the same beside Slack's own framework, which journals nothing.
    async fn bolt(&mut self) {
        const ACCEPTED: &str = "CPU per command accepted";
        const TRIP: &str = "CPU per full round trip";
        const EIGHTH: &str = "at most an eighth of Bolt's";
        const TENTH: &str = "at most a tenth of Bolt's";
        if !Service::has_bolt() {
            for (what, figure) in [(ACCEPTED, EIGHTH), (TRIP, TENTH)] {
                let missing = "not measured: it takes Node.js and `npm ci --prefix benches/bolt`";
                self.rows.push(Row::of(format!("{what}, beside Bolt for JavaScript"), missing).held(figure, false));
            }
            return;
        }
        let on_redis = Service::onair(Engine::Redis(&self.redis), &self.vendors, None).await;
        {
            let bolt = Service::bolt(&["accept"]);
            let sides = self.accepting([&bolt, &on_redis]).await;
            self.beside_bolt(ACCEPTED, &sides, EIGHTH, 1.0 / 8.0);
        }
        let bolt = Service::bolt(&["trip", &self.vendors.zoom_api()]);
        let sides = self.in_turn([&bolt, &on_redis], Line::Start).await;
        self.beside_bolt(TRIP, &sides, TENTH, 1.0 / 10.0);
    }

    fn beside_bolt(&mut self, what: &str, [bolt, ours]: &[Used; 2], figure: &'static str, most: f64) {
        self.rows.push(Row::of(format!("{what}, Bolt for JavaScript"), microseconds(median(&bolt.own))));
        let row = Row::of(format!("{what}, on Redis, beside Bolt"), ours.beside(bolt, "of Bolt's"));
        self.rows.push(row.held(figure, ours.ratio(bolt) <= most));
    }

    /// CPU per command of each side and round, after a round that warms up.
    async fn in_turn<const N: usize>(&self, sides: [&Service; N], line: Line) -> [Used; N] {
        let mut used = [(); N].map(|()| Used::default());
        for round in 0..=ROUNDS {
            for (side, used) in sides.iter().zip(&mut used) {
                let since = self.cpu(side);
                for _ in 0..COMMANDS / AT_A_TIME {
                    let answered = self.vendors.answered();
                    let driven = drive(&side.address, &self.typist, line, AT_ONCE, Pace::Count(AT_A_TIME)).await;
                    self.have_answers(answered + taken(&driven, AT_A_TIME)).await;
                }
                // What follows the last answer.
                tokio::time::sleep(Duration::from_millis(100)).await;
                if round > 0 {
                    used.push(self.cpu_since(side, since), COMMANDS);
                }
            }
        }
        used
    }

    /// The same of being accepted alone: what follows waits meanwhile, behind as many others that wait for Zoom as are worked
    /// on at once.
    async fn accepting<const N: usize>(&self, sides: [&Service; N]) -> [Used; N] {
        const TURNS: u64 = 2;
        let mut used = [(); N].map(|()| Used::default());
        for round in 0..=ROUNDS {
            for (side, used) in sides.iter().zip(&mut used) {
                let mut sum = [Duration::ZERO; 2];
                for _ in 0..TURNS {
                    let answered = self.vendors.answered();
                    let held = self.hold_up(side).await;
                    let since = self.cpu(side);
                    let driven = drive(&side.address, &self.typist, Line::Start, AT_ONCE, Pace::Count(AT_A_TIME)).await;
                    let [own, redis] = self.cpu_since(side, since);
                    sum = [sum[0] + own, sum[1] + redis];
                    self.vendors.zoom_takes(Duration::ZERO);
                    assert_eq!(self.vendors.answered(), answered, "what follows did not wait");
                    let owed = taken(&driven, AT_A_TIME);
                    if let Some(held) = held {
                        self.have_answers(answered + held + owed).await;
                    }
                }
                if round > 0 {
                    used.push(sum, TURNS * AT_A_TIME);
                }
            }
        }
        used
    }

    /// Has a service be at work with as much as it can, for some seconds; says how many commands that are. Nothing, where
    /// nothing follows a command's 200.
    async fn hold_up(&self, side: &Service) -> Option<u64> {
        let permits = side.metric("onair_permits").await?;
        self.vendors.zoom_takes(Duration::from_secs(3));
        let mut held = 0;
        while side.metric("onair_permits_in_use").await? < permits {
            held +=
                taken(&drive(&side.address, &self.typist, Line::Start, AT_ONCE, Pace::Count(AT_ONCE)).await, AT_ONCE);
        }
        Some(held)
    }

    /// CPU of a service and of Redis, so far.
    fn cpu(&self, side: &Service) -> [Duration; 2] {
        [side.cpu(), self.redis.cpu()]
    }

    fn cpu_since(&self, side: &Service, [own, redis]: [Duration; 2]) -> [Duration; 2] {
        [side.cpu() - own, self.redis.cpu() - redis]
    }

    async fn have_answers(&self, count: u64) {
        assert!(self.vendors.have_answers(count, Duration::from_secs(60)).await, "answers are missing");
    }

    /// How fast acknowledgments come, and how many.
    async fn rate(&mut self) {
        const LONG: Duration = Duration::from_secs(5);
        let folder = data();
        for (name, engine) in [("on Redis", Engine::Redis(&self.redis)), ("embedded", Engine::Embedded(&folder))] {
            let service = Service::onair(engine, &self.vendors, None).await;
            let bare = Service::bare(&["ack"]);
            let [highest, of_bare] = [&service, &bare].map(|side| self.rate_of(side, Pace::For(LONG)));
            let (highest, of_bare) = (highest.await.rate(), of_bare.await.rate());
            let share = highest / of_bare;
            self.rows.push(Row::of(
                format!("highest rate, {name}"),
                format!("{}, {share:.2} of the bare handler's", per_second(highest)),
            ));
            let half = Pace::Rate(highest / 2.0, LONG);
            let [at_half, of_bare] = [&service, &bare].map(|side| self.rate_of(side, half));
            let (at_half, of_bare) = (at_half.await, of_bare.await);
            let (p99, median) = (at_half.permille(990), at_half.permille(500));
            let of_bare = microseconds(of_bare.permille(990));
            let measured =
                format!("{}, half of them {}, bare handler {of_bare}", microseconds(p99), microseconds(median));
            let row = Row::of(format!("ack p99 at half of it ({:.0}/s), {name}", at_half.rate()), measured);
            self.rows.push(row.held("under 10 ms", p99 < Duration::from_millis(10)));
        }
        self.one_core().await;
    }

    async fn rate_of(&self, side: &Service, pace: Pace) -> Driven {
        let driven = drive(&side.address, &self.typist, Line::Help, 64, pace).await;
        taken(&driven, driven.count());
        driven
    }

    /// What the embedded store takes where the whole service has one core.
    async fn one_core(&mut self) {
        // Long enough for the places of the queue not to count.
        const LONG: Duration = Duration::from_secs(20);
        // Answering takes more than accepting: driven as fast as it accepts, it would be busy with telling that it is busy.
        let paces = [
            ("audited", Line::Help, Pace::For(LONG)),
            ("journaled and answered, of 2,500/s", Line::Whoami, Pace::Rate(2500.0, LONG)),
        ];
        for (what, line, pace) in paces {
            let folder = data();
            let service = Service::onair(Engine::Embedded(&folder), &self.vendors, Some("0")).await;
            let answered = self.vendors.answered();
            let driven = drive(&service.address, &self.typist, line, 64, pace).await;
            let owed = u64::try_from(driven.accepted.len()).unwrap();
            self.have_answers(answered + owed).await;
            let rate = driven.rate() * fraction(driven.answered + owed, driven.count());
            let row = Row::of(format!("embedded, durable at the 200, one core, {what}"), per_second(rate));
            self.rows.push(row.held("at least 2,000/s", rate >= 2000.0));
        }
    }

    async fn memory(&mut self) {
        let folder = data();
        let bare = Service::bare(&["trip", &self.redis.url(), &self.vendors.zoom_api()]);
        let bare = mebibytes(bare.memory("VmRSS"));
        self.rows.push(Row::of("memory idle, bare handler with Redis and a client", bare));
        for (name, engine) in [("on Redis", Engine::Redis(&self.redis)), ("embedded", Engine::Embedded(&folder))] {
            let service = Service::onair(engine, &self.vendors, None).await;
            tokio::time::sleep(Duration::from_secs(1)).await;
            let idle = service.memory("VmRSS");
            self.rows
                .push(Row::of(format!("memory idle, {name}"), mebibytes(idle)).held("under 15 MiB", idle < 15 * 1024));
            // As many as it has places, and then some.
            for (what, zoom_takes) in [("at full load", 500), ("at full load, Zoom hangs", 9000)] {
                let answered = self.vendors.answered();
                self.vendors.zoom_takes(Duration::from_millis(zoom_takes));
                let pace = Pace::For(Duration::from_secs(8));
                let driven = drive(&service.address, &self.typist, Line::Start, 256, pace).await;
                self.vendors.zoom_takes(Duration::ZERO);
                self.have_answers(answered + u64::try_from(driven.accepted.len()).unwrap()).await;
                let most = service.memory("VmHWM");
                let measured = format!("{}, at {:.0} commands/s", mebibytes(most), driven.rate());
                let row = Row::of(format!("memory {what}, {name}"), measured);
                self.rows.push(row.held("under 40 MiB", most < 40 * 1024));
            }
        }
    }

    async fn start(&mut self) {
        const TIMES: usize = 9;
        let folders: Vec<TempDir> = (0..TIMES).map(|_| data()).collect();
        let (mut bare, mut on_redis, mut embedded) = (Vec::new(), Vec::new(), Vec::new());
        for folder in &folders {
            bare.push(Service::bare(&["trip", &self.redis.url(), &self.vendors.zoom_api()]).ready_after);
            on_redis.push(Service::onair(Engine::Redis(&self.redis), &self.vendors, None).await.ready_after);
            embedded.push(Service::onair(Engine::Embedded(folder), &self.vendors, None).await.ready_after);
        }
        self.rows.push(Row::of("start-up to its address, bare handler", microseconds(median(&bare))));
        for (name, took) in [("on Redis", median(&on_redis)), ("embedded", median(&embedded))] {
            let row = Row::of(format!("start-up to ready, {name}"), microseconds(took));
            self.rows.push(row.held("under 100 ms", took < Duration::from_millis(100)));
        }
        let bytes = std::fs::metadata(BINARY).unwrap().len();
        let row = Row::of("binary, stripped", format!("{:.2} MB", fraction(bytes, 1_000_000)));
        self.rows.push(row.held("under 15 MB", bytes < 15_000_000));
    }
}

/// A folder for an embedded store, beside what was built: a temporary one may be in memory, where nothing is durable.
fn data() -> TempDir {
    tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR")).unwrap()
}

/// How many answers are owed; fails where not all commands were taken, because refusing one is cheaper.
fn taken(driven: &Driven, commands: u64) -> u64 {
    let owed = u64::try_from(driven.accepted.len()).unwrap();
    assert_eq!(
        owed + driven.answered,
        commands,
        "commands were not taken: {} busy, {} failed",
        driven.busy,
        driven.failed
    );
    owed
}

fn median(times: &[Duration]) -> Duration {
    let mut sorted = times.to_vec();
    sorted.sort_unstable();
    sorted[sorted.len() / 2]
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
    let figures = rows.iter().filter_map(|row| row.figure);
    let (hold, fail): (Vec<_>, Vec<_>) = figures.partition(|(_, holds)| *holds);
    println!("\n{} of {} figures hold", hold.len(), hold.len() + fail.len());
}
