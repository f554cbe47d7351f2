//! How do many tasks share one SQLite connection without blocking, and one disk without waiting for each other?
//!
//! A thread owns the connection and takes work from a bounded queue. The writer takes all that waits, up to [`BATCH`],
//! runs each piece in a savepoint of one transaction, commits once, and only then answers any of them. A piece that
//! fails is rolled back alone; a commit that fails, fails all.

use std::thread::{self, JoinHandle};
use std::time::Duration;

use rusqlite::Connection;
use tokio::sync::{mpsc, oneshot};
use tokio::time::timeout;

use super::checkpoint::Checkpoints;
use super::file::Files;
use crate::clock::Clock;
use crate::store::error::{Cause, Error};

/// The most pieces of work in one commit.
const BATCH: usize = 256;

/// How many pieces may wait. Whoever finds the queue full waits for a place until the deadline.
const QUEUE: usize = 1024;

/// How often the expired is swept, and how much of each kind at once.
const SWEEP_EVERY_MS: i64 = 60_000;
const SWEEP_ROWS: u32 = 1000;

/// Runs in the transaction, at a time in milliseconds, and leaves what to do once it is known how the commit went.
type Work = Box<dyn FnOnce(&Connection, i64) -> Answer + Send>;
type Answer = Box<dyn FnOnce(Result<(), Cause>)>;

/// A thread with a connection. Dropping it waits until the thread has done what was queued and closed the connection.
pub(super) struct Worker {
    queue: Option<mpsc::Sender<Work>>,
    thread: Option<JoinHandle<()>>,
    deadline: Duration,
}

impl Worker {
    /// The one that writes. It keeps the files until its connection is closed, after all others of this process.
    pub(super) fn writer(
        connection: Connection,
        mut checkpoints: Checkpoints,
        files: Files,
        clock: Clock,
        deadline: Duration,
    ) -> Result<Self, Error> {
        Self::spawn("store-writer", deadline, move |queue| {
            write_all(&connection, &mut checkpoints, &clock, queue);
            drop(checkpoints);
            drop(connection);
            drop(files);
        })
    }

    /// One that reads.
    pub(super) fn reader(connection: Connection, clock: Clock, deadline: Duration) -> Result<Self, Error> {
        Self::spawn("store-reader", deadline, move |mut queue| {
            while let Some(work) = queue.blocking_recv() {
                work(&connection, clock.now().as_millisecond())(Ok(()));
            }
        })
    }

    fn spawn(
        name: &str,
        deadline: Duration,
        body: impl FnOnce(mpsc::Receiver<Work>) + Send + 'static,
    ) -> Result<Self, Error> {
        let (queue, work) = mpsc::channel(QUEUE);
        let thread = thread::Builder::new().name(name.to_owned()).spawn(move || body(work)).map_err(Error::Folder)?;
        Ok(Self { queue: Some(queue), thread: Some(thread), deadline })
    }

    /// Has a piece of work done. One that nobody waits for any more is not begun.
    pub(super) async fn call<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Connection, i64) -> rusqlite::Result<T> + Send + 'static,
    ) -> Result<T, Error> {
        let stopped = || Error::Unavailable(Cause::Stopped);
        let (sender, receiver) = oneshot::channel();
        let work: Work = Box::new(move |connection, now| {
            if sender.is_closed() {
                return Box::new(|_| {});
            }
            let done = in_savepoint(connection, |connection| work(connection, now)).map_err(Cause::from);
            // Whoever has stopped waiting meanwhile is told nothing.
            Box::new(move |committed| drop(sender.send(committed.and(done))))
        });
        let answer = async {
            let queue = self.queue.as_ref().ok_or_else(stopped)?;
            queue.send(work).await.map_err(|_| stopped())?;
            receiver.await.map_err(|_| stopped())
        };
        timeout(self.deadline, answer).await.map_err(|_| Error::TimedOut)??.map_err(Error::Unavailable)
    }
}

impl Drop for Worker {
    fn drop(&mut self) {
        self.queue = None;
        if let Some(thread) = self.thread.take() {
            // A thread that panicked has closed its connection as well.
            drop(thread.join());
        }
    }
}

fn in_savepoint<T>(
    connection: &Connection,
    work: impl FnOnce(&Connection) -> rusqlite::Result<T>,
) -> rusqlite::Result<T> {
    run(connection, "SAVEPOINT piece")?;
    let done = work(connection);
    if done.is_err() {
        run(connection, "ROLLBACK TO piece")?;
    }
    run(connection, "RELEASE piece")?;
    done
}

fn run(connection: &Connection, sql: &str) -> rusqlite::Result<()> {
    connection.prepare_cached(sql)?.execute([]).map(drop)
}

fn write_all(connection: &Connection, checkpoints: &mut Checkpoints, clock: &Clock, mut queue: mpsc::Receiver<Work>) {
    let mut swept_at = i64::MIN;
    while let Some(first) = queue.blocking_recv() {
        let mut batch = vec![first];
        while batch.len() < BATCH
            && let Ok(next) = queue.try_recv()
        {
            batch.push(next);
        }
        let now = clock.now().as_millisecond();
        write_batch(connection, batch, now);
        checkpoints.go_on(connection);
        // A sweep that fails has a full or a broken disk, which the next write tells to somebody who can act.
        if now.saturating_sub(swept_at) >= SWEEP_EVERY_MS && matches!(sweep(connection, now), Ok(Swept::All) | Err(_)) {
            swept_at = now;
        }
    }
}

fn write_batch(connection: &Connection, batch: Vec<Work>, now: i64) {
    let mut answers = Vec::with_capacity(batch.len());
    let mut outcome = run(connection, "BEGIN IMMEDIATE").map_err(Cause::from);
    for work in batch {
        if outcome.is_err() {
            // Dropping the work tells its task that nothing was done.
            break;
        }
        answers.push(work(connection, now));
        // A full disk makes SQLite end the transaction by itself; what follows would commit piece by piece.
        if connection.is_autocommit() {
            outcome = Err(Cause::Sqlite(rusqlite::ffi::SQLITE_ABORT_ROLLBACK));
        }
    }
    if outcome.is_ok() {
        outcome = run(connection, "COMMIT").map_err(Cause::from);
    }
    if outcome.is_err() && !connection.is_autocommit() {
        drop(run(connection, "ROLLBACK"));
    }
    for answer in answers {
        answer(outcome.clone());
    }
}

enum Swept {
    All,
    SomeLeft,
}

fn sweep(connection: &Connection, now: i64) -> rusqlite::Result<Swept> {
    let mut most = 0;
    for sql in [
        "DELETE FROM record WHERE key IN (SELECT key FROM record WHERE ends_ms <= ?1 LIMIT ?2)",
        "DELETE FROM shelf WHERE (shelf, slot) IN (SELECT shelf, slot FROM shelf WHERE ends_ms <= ?1 LIMIT ?2)",
    ] {
        most = most.max(connection.prepare_cached(sql)?.execute((now, SWEEP_ROWS))?);
    }
    Ok(if most < SWEEP_ROWS as usize { Swept::All } else { Swept::SomeLeft })
}
