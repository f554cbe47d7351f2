//! How does the log of writes get back into the file without those who write waiting for it?
//!
//! SQLite moves what was written from its log into the file now and then, a checkpoint, by default in a commit, which then
//! takes as long as the disk takes for both. Here a thread of its own does that with a connection of its own, beside the
//! writer, and waits for the disk: SQLite does so only at the end of the log, where a busy writer never lets it arrive.
//! Once little is left that was written meanwhile, the writer moves that itself: only a log that is moved to its end can
//! begin anew, for which SQLite itself waits for the disk once more.
//!
//! See <https://www.sqlite.org/wal.html#ckpt>. Two connections that do this need SQLite 3.51.3 or newer: before, a log
//! could begin anew too early. The one that is built in is.

use std::fs::File;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc::{Receiver, SyncSender, TryRecvError, sync_channel};
use std::thread::{self, JoinHandle};

use rusqlite::Connection;

use crate::store::error::Error;

/// How many pages the log has when it is time for one: 16 MiB.
const LONG: usize = 4096;
/// How many the writer moves itself without those who wait for it noticing much.
const FEW: usize = 1024;
/// How often the thread is asked to leave no more than that, on a disk that is slower than what is written.
const ROUNDS: usize = 4;

/// The thread, and what the writer knows of it. Dropping it waits until its connection is closed.
pub(super) struct Checkpoints {
    ask: Option<SyncSender<()>>,
    /// How many pages of the log are in the file.
    done: Receiver<usize>,
    thread: Option<JoinHandle<()>>,
    /// How often the thread was asked since the writer moved what was left.
    rounds: usize,
    /// How many pages the log had after the last commit.
    pages: Arc<AtomicUsize>,
    /// At how many it is time again: later than [`LONG`] where a reader kept the log from beginning anew.
    due: usize,
}

impl Checkpoints {
    /// Begins, for the writer's connection, with another one to the same file, and that file.
    pub(super) fn of(writer: &mut Connection, beside: Connection, database: Arc<File>) -> Result<Self, Error> {
        let pages = Arc::new(AtomicUsize::new(0));
        let told = Arc::clone(&pages);
        // In place of SQLite's own, which would have a checkpoint in the commit.
        writer.wal_hook(Some(move |_: &mut _, pages| {
            told.store(usize::try_from(pages).unwrap_or(0), Ordering::Relaxed);
            Ok(())
        }))?;
        let (ask, asked) = sync_channel(1);
        let (tell, done) = sync_channel(1);
        let body = move || {
            while asked.recv().is_ok() {
                let moved = checkpoint(&beside);
                if let Err(error) = database.sync_data() {
                    tracing::warn!(%error, "the disk does not take what was written to the store");
                }
                if tell.send(moved).is_err() {
                    break;
                }
            }
        };
        let thread = thread::Builder::new().name("store-checkpoint".to_owned()).spawn(body).map_err(Error::Folder)?;
        Ok(Self { ask: Some(ask), done, thread: Some(thread), rounds: 0, pages, due: LONG })
    }

    /// Has the log moved where it is time for that. To be called between two transactions of the writer.
    pub(super) fn go_on(&mut self, writer: &Connection) {
        let pages = self.pages.load(Ordering::Relaxed);
        if self.rounds > 0 {
            match self.done.try_recv() {
                Err(TryRecvError::Empty) => {}
                Ok(moved) if pages.saturating_sub(moved) > FEW && self.rounds < ROUNDS => self.ask(writer),
                Ok(_) | Err(TryRecvError::Disconnected) => self.move_rest(writer),
            }
        } else if pages >= self.due {
            self.ask(writer);
        } else if pages < LONG {
            self.due = LONG;
        }
    }

    fn ask(&mut self, writer: &Connection) {
        self.rounds += 1;
        if self.ask.as_ref().is_none_or(|ask| ask.try_send(()).is_err()) {
            self.move_rest(writer);
        }
    }

    fn move_rest(&mut self, writer: &Connection) {
        checkpoint(writer);
        self.rounds = 0;
        self.due = LONG.max(self.pages.load(Ordering::Relaxed) + FEW);
    }
}

impl Drop for Checkpoints {
    fn drop(&mut self) {
        self.ask = None;
        if let Some(thread) = self.thread.take() {
            // A thread that panicked has closed its connection as well.
            drop(thread.join());
        }
    }
}

/// Moves what it can without waiting for anybody, and says how many pages of the log are in the file then. Where that does
/// not go well the log keeps them, and it is tried again.
fn checkpoint(connection: &Connection) -> usize {
    match connection.query_row("PRAGMA wal_checkpoint(PASSIVE)", [], |row| row.get::<_, i64>(2)) {
        Ok(moved) => usize::try_from(moved).unwrap_or(0),
        Err(error) => {
            tracing::warn!(%error, "what was written to the store is not moved to where it is kept");
            0
        }
    }
}
