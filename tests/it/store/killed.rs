//! What a process leaves behind in the embedded store that was killed while it wrote.

use std::collections::BTreeSet;
use std::io::{BufRead as _, BufReader, Write as _};
use std::path::Path;
use std::process::{Child, Command, Stdio};

use onair::clock::Clock;
use onair::id::{DeliveryId, JobId};
use onair::journal::{Job, Stage};
use onair::secret::Secret;
use onair::store::{Accepted, AuditQuery, Keyring, Options, Place, Store, With};
use tokio::task::JoinSet;

use super::journal::{LONG, accept, decided};
use super::{DEADLINE, entry, invocation};

/// The test below that is the process to be killed.
const WRITER: &str = "store::killed::a_process_that_is_killed";
const ACKNOWLEDGED: &str = "acknowledged ";
const TASKS: usize = 16;

fn open(folder: &Path) -> Store {
    // The same in both processes.
    let keys = Keyring::parse(&Secret::new(format!("k1:{}", "A".repeat(43)))).unwrap();
    let place = Place::Embedded { folder: folder.to_owned() };
    Store::open(Options { place, keys, deadline: DEADLINE }, Clock::default()).unwrap()
}

/// Accepts jobs in the folder that is its last argument, and says so, until it is killed. Does nothing without one.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "is started by the test that kills it"]
async fn a_process_that_is_killed() {
    let Some(folder) = std::env::args().next_back().filter(|last| last.starts_with('/')) else { return };
    let store = open(Path::new(&folder));
    let mut tasks = JoinSet::new();
    for task in 0..TASKS {
        let store = store.clone();
        tasks.spawn(async move {
            let now = Clock::default().now();
            let mut job = Job { invocation: invocation("U1", now), stage: Stage::Accepted };
            for index in 0..u32::MAX {
                let name = format!("{}-{task}-{index}", std::process::id());
                job.stage = Stage::Accepted;
                assert_eq!(accept(&store, &name, &job, &name, LONG).await, Accepted::New);
                job.stage = decided(&name);
                assert!(store.advance(&JobId::new(&name), &name, &job, Some(&entry(&name, now))).await.unwrap());
                writeln!(std::io::stdout(), "{ACKNOWLEDGED}{name}.").unwrap();
            }
        });
    }
    tasks.join_all().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_was_acknowledged_survives_a_kill() {
    let folder = tempfile::tempdir().unwrap();
    let mut acknowledged = BTreeSet::new();
    for least in [1, 40, 170] {
        acknowledged.extend(write_until_killed(folder.path(), least));
    }

    let store = open(folder.path());
    let mut claimed = BTreeSet::new();
    while let Some(next) = store.claim("b", LONG).await.unwrap() {
        let name = next.id.to_string();
        if acknowledged.contains(&name) {
            assert_eq!(next.job.stage, decided(&name));
            let replay = store.accept(&DeliveryId::new(&name), With::Nothing).await.unwrap();
            assert_eq!(replay, Accepted::Replayed, "its delivery is remembered");
        }
        assert!(claimed.insert(name), "each is claimed once");
    }
    assert_eq!(acknowledged.difference(&claimed).count(), 0);
    // A kill may fall between a write and its acknowledgment; each task has one at most.
    assert!(claimed.len() <= acknowledged.len() + 3 * TASKS);

    let trail = store.audit(&AuditQuery::default()).await.unwrap();
    let trail: Vec<_> = trail.into_iter().map(|(_, entry)| entry.reference.to_string()).collect();
    let once: BTreeSet<_> = trail.iter().cloned().collect();
    assert_eq!(trail.len(), once.len(), "each is in the trail once");
    assert!(acknowledged.is_subset(&once) && once.is_subset(&claimed));
}

/// Starts the writer, kills it once it has acknowledged some, and gives the names of all that it did.
fn write_until_killed(folder: &Path, least: usize) -> Vec<String> {
    let mut writer = Killed(
        Command::new(std::env::current_exe().unwrap())
            .args(["--ignored", "--exact", "--nocapture", WRITER])
            .arg(folder)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap(),
    );
    let lines = BufReader::new(writer.0.stdout.take().unwrap()).lines();
    let mut names = Vec::new();
    for line in lines {
        // The last line may be cut off; what was not told was not acknowledged.
        let Ok(line) = line else { break };
        let Some((_, name)) = line.strip_suffix('.').and_then(|line| line.split_once(ACKNOWLEDGED)) else { continue };
        names.push(name.to_owned());
        if names.len() == least {
            writer.0.kill().unwrap();
        }
    }
    assert!(names.len() >= least, "the writer wrote");
    names
}

/// A process that ends with its test.
struct Killed(Child);

impl Drop for Killed {
    fn drop(&mut self) {
        drop(self.0.kill());
        self.0.wait().unwrap();
    }
}
