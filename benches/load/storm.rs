//! Many commands a second for a while, at a Zoom that takes its time: what becomes of each, and of the service meanwhile.

use std::time::{Duration, Instant};

use crate::drive::{Line, Pace, Typist, drive};
use crate::service::{Engine, Redis, Service};
use crate::vendors::Vendors;

/// How many connections Slack is given. OnAir takes 1,024 at once.
const CONNECTIONS: u64 = 256;

/// How long Zoom takes.
const ZOOM_TAKES: Duration = Duration::from_millis(500);

pub(crate) async fn run(arguments: &[&str]) {
    let number = |at: usize, default: u64| arguments.get(at).map_or(default, |text| text.parse().unwrap());
    let (rate, seconds) = (number(0, 2000), number(1, 60));
    let (redis, vendors) = (Redis::start(), Vendors::start().await);
    vendors.zoom_takes(ZOOM_TAKES);
    let typist = Typist::new(vendors.hooks());
    let service = Service::onair(Engine::Redis(&redis), &vendors, None).await;
    println!("{rate} starts/s for {seconds} s at a Zoom that takes {} ms", ZOOM_TAKES.as_millis());
    let places = service.metric("onair_queue_places").await.unwrap();
    let permits = service.metric("onair_permits").await.unwrap();
    let (cpu, begun) = (service.cpu(), Instant::now());
    #[expect(clippy::cast_precision_loss, reason = "a rate")]
    let pace = Pace::Rate(rate as f64, Duration::from_secs(seconds));
    let driving = drive(&service.address, &typist, Line::Start, CONNECTIONS, pace);
    let watching = async {
        let (mut most_in_use, mut most_at_work, mut most_jobs) = (0f64, 0f64, 0f64);
        loop {
            tokio::time::sleep(Duration::from_secs(1)).await;
            let in_use = service.metric("onair_queue_places_in_use").await.unwrap_or_default();
            let at_work = service.metric("onair_permits_in_use").await.unwrap_or_default();
            let jobs = service.metric("onair_journal_jobs").await.unwrap_or_default();
            most_in_use = most_in_use.max(in_use);
            (most_at_work, most_jobs) = (most_at_work.max(at_work), most_jobs.max(jobs));
            println!(
                "{:>4} s: {in_use} of {places} places, {at_work} of {permits} permits, {jobs} jobs in the journal, {} answers, {} KiB",
                begun.elapsed().as_secs(),
                vendors.answered(),
                service.memory("VmRSS")
            );
            if begun.elapsed() >= Duration::from_secs(seconds) {
                return (most_in_use, most_at_work, most_jobs);
            }
        }
    };
    let (driven, (most_in_use, most_at_work, most_jobs)) = tokio::join!(driving, watching);
    let owed = u64::try_from(driven.accepted.len()).unwrap();
    let all_came = vendors.have_answers(owed, Duration::from_secs(60)).await;
    let used = service.cpu() - cpu;
    let wrong = driven.accepted.iter().filter(|number| vendors.answers_to(**number) != 1).count();
    println!();
    println!("sent                      {} at {:.0}/s", driven.count(), driven.rate());
    println!("accepted                  {owed}");
    println!("refused in words (busy)   {}", driven.busy);
    println!("anything else             {}", driven.failed);
    println!("answered, of the accepted {} ({})", vendors.answered(), if all_came { "all" } else { "NOT ALL" });
    println!("not exactly once          {wrong}");
    println!("orders to Zoom            {}", vendors.ordered());
    println!("ack p50, p99              {:?}, {:?}", driven.permille(500), driven.permille(990));
    println!("most places in use        {most_in_use} of {places}");
    println!("most permits in use       {most_at_work} of {permits}");
    println!("most jobs in the journal  {most_jobs}");
    println!("most memory               {} KiB", service.memory("VmHWM"));
    println!("CPU                       {:.2} cores", used.as_secs_f64() / begun.elapsed().as_secs_f64());
    assert_eq!(
        (driven.failed, owed + driven.busy),
        (0, driven.count()),
        "not everything was accepted or refused in words"
    );
    assert!(all_came && wrong == 0, "not everything was answered once");
    assert!(most_in_use <= places && most_jobs <= places, "more was taken than there are places");
}
