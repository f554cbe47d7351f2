//! The embedded store and its disk: what a 200 promises, and how many flushes that costs.

use std::path::{Path, PathBuf};
use std::process::Command;

use tempfile::TempDir;

use crate::bot::{Bot, Engine, PATIENCE};
use crate::load::{Line, Receipt, Typist, Way};

/// A disk whose flushes are counted and can be held up: see `slow_disk.c`.
struct Disk {
    folder: TempDir,
    library: PathBuf,
}

impl Disk {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let library = folder.path().join("slow_disk.so");
        let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/it/slow_disk.c");
        let built = Command::new("cc").args(["-shared", "-fPIC", "-O1", "-o"]).arg(&library).arg(source).status();
        assert!(built.is_ok_and(|status| status.success()), "a C compiler is needed, the one that links Rust: cc");
        Self { folder, library }
    }

    async fn bot(&self) -> Bot {
        let [library, folder] = [&self.library, self.folder.path()].map(|path| path.to_str().unwrap());
        let vars = [("LD_PRELOAD", library), ("SLOW_DISK", folder), ("RUST_LOG", "debug")];
        Bot::start_with(Engine::Embedded, &vars).await
    }

    fn set(&self, name: &str) {
        std::fs::write(self.folder.path().join(name), "").unwrap();
    }

    fn unset(&self, name: &str) {
        std::fs::remove_file(self.folder.path().join(name)).unwrap();
    }

    fn flushes(&self) -> u64 {
        std::fs::metadata(self.folder.path().join("flushes")).map_or(0, |file| file.len())
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nothing_is_accepted_that_the_disk_has_not_flushed() {
    let disk = Disk::new();
    let mut bot = disk.bot().await;
    let (ada, events, host) = bot.connected("ada").await;
    let typist = Typist::new(&bot.slack, &ada, &events, &Way::to([&bot.service]));
    let lines: Vec<Line> = (0..10).flat_map(|_| [Line::of("/stream whoami"), Line::start(&bot.zoom, &host)]).collect();

    disk.set("hold");
    let ledger = typist.types(lines, 20).await;
    let (status, reason) = bot.readiness().await;
    assert!(status == 503 && reason.contains("in time"), "{status} {reason}");
    for (typed, answers) in ledger.answers() {
        assert_eq!(typed.receipt(), Receipt::Answered, "{typed:#?}");
        assert!(answers[0].shown.contains("not accepted"), "{}", answers[0].shown);
    }

    disk.unset("hold");
    bot.ready_again().await;
    let again = typist.types([Line::start(&bot.zoom, &host)], 1).await;
    again.is_answered_within(PATIENCE).await;
    assert_eq!(again.with(Receipt::Accepted).count(), 1);
    // What the disk had taken in before it hung is in the journal after all, and taken back.
    bot.owes_nothing_within(PATIENCE).await;
    assert!(ledger.answers().iter().all(|(_, answers)| answers.len() == 1), "nobody was told anything else");
    ledger.did_nothing_twice(&bot.zoom);
    bot.may_say_more = true;
    bot.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn one_flush_serves_many_commands() {
    const COMMANDS: usize = 400;
    const AT_ONCE: usize = 100;
    let disk = Disk::new();
    let mut bot = disk.bot().await;
    let (ada, events, _) = bot.connected("ada").await;
    let typist = Typist::new(&bot.slack, &ada, &events, &Way::to([&bot.service]));
    bot.owes_nothing_within(PATIENCE).await;

    let before = disk.flushes();
    let alone = typist.types([Line::of("/stream whoami")], 1).await;
    assert!(disk.flushes() > before, "it was flushed before it was acknowledged");
    alone.is_answered_within(PATIENCE).await;
    bot.owes_nothing_within(PATIENCE).await;

    disk.set("slow");
    let before = disk.flushes();
    let ledger = typist.types((0..COMMANDS).map(|_| Line::of("/stream whoami")), AT_ONCE).await;
    ledger.is_answered_within(PATIENCE).await;
    bot.owes_nothing_within(PATIENCE).await;
    // Each accepted command is written three times: accepted, decided, done. So each flush serves more than nine writes; it
    // serves some thirty. A machine that is too busy accepts fewer.
    let (flushes, accepted) = (disk.flushes() - before, ledger.with(Receipt::Accepted).count());
    assert!(flushes * 3 < accepted as u64, "{flushes} flushes for {accepted} commands");
    bot.may_say_more = true;
    bot.finish().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_was_not_accepted_is_not_done_after_a_stop_either() {
    let disk = Disk::new();
    let mut bot = disk.bot().await;
    let (ada, events, host) = bot.connected("ada").await;
    let typist = Typist::new(&bot.slack, &ada, &events, &Way::to([&bot.service]));
    disk.set("hold");
    let ledger = typist.types([Line::start(&bot.zoom, &host)], 1).await;
    assert_eq!(ledger.with(Receipt::Answered).count(), 1);
    // The first try to take it back has failed, and it is time to stop.
    bot.service.logged("not withdrawn yet").await;
    bot.service.signal("TERM");
    bot.service.logged("stopping: no new requests").await;
    disk.unset("hold");
    bot.service.wait();
    bot.start_over();
    bot.owes_nothing_within(PATIENCE).await;
    ledger.did_nothing_twice(&bot.zoom);
    assert!(ledger.answers().iter().all(|(_, answers)| answers.len() == 1), "{:#?}", ledger.answers());
    bot.may_say_more = true;
    bot.finish().await;
}
