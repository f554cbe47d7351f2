//! Where the time and the memory go: the figures that OnAir holds, measured beside handlers that do as little as possible.
//!
//! ```sh
//! cargo bench --bench load                      # all figures, as one table; some minutes
//! cargo bench --bench load -- accept trip       # some parts; what they are is told where one is not known
//! cargo bench --bench load -- storm 2000 60     # 2,000 commands/s for 60 s at a Zoom that takes 500 ms
//! ```
//!
//! Everything compared is driven in the same run, by the same driver, in turn, and what counts is the ratio: a busy
//! machine slows both sides. CPU is the time of the threads of the process itself, without Redis, the driver and the simulated
//! vendors. Nothing is encrypted on the way: a proxy in front, and the vendors, would have TLS. Neither is there a bot, a
//! webhook or an audit channel. It needs `redis-server`, `taskset` and Linux.
//!
//! The parts `kills` and `forged` run the tests that hold those figures, hence build them first.
//!
//! The part `bolt` measures beside Slack's Bolt for JavaScript, too. It needs Node.js 20 and, once, `npm ci --prefix
//! benches/bolt`, which fetches what `benches/bolt/package-lock.json` names; without it that part only says so.

#![expect(clippy::print_stdout, reason = "it prints a table")]
#![expect(clippy::unwrap_used, reason = "a measurement that breaks ends")]
#![expect(clippy::disallowed_methods, reason = "it has no App to spawn with")]

mod bare;
mod drive;
mod figures;
mod micro;
mod service;
mod stories;
mod storm;
mod vendors;

#[tokio::main]
async fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let words: Vec<&str> = arguments.iter().map(String::as_str).filter(|word| *word != "--bench").collect();
    match words.as_slice() {
        [bare::WORD, what, rest @ ..] => bare::serve(what, rest).await,
        // `cargo test --all-targets` runs this as well, and has no use for it.
        _ if !arguments.iter().any(|word| word == "--bench") => println!("nothing is measured without --bench"),
        ["storm", rest @ ..] => storm::run(rest).await,
        parts => figures::run(parts).await,
    }
}
