//! How do log lines get out without work waiting for whoever reads them?
//!
//! They gather in a buffer, and a thread of its own writes all that are there at once, so that many cost one write. Where
//! nobody reads them the buffer is full after a while. Then lines are left out, and once there is room again the log says
//! how many: a command is answered whether or not its log line finds a reader. A process that is killed loses the lines of
//! its last two milliseconds, and one that ends has a second to write them.

use std::io::{self, Write};
use std::mem;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::Duration;

use tracing_subscriber::fmt::MakeWriter;

/// The most bytes of lines that wait.
const MOST: usize = 512 << 10;

/// How long lines gather before the next are written.
const GATHER: Duration = Duration::from_millis(2);

/// How long the end of the process waits for its last lines to be read.
const LAST: Duration = Duration::from_secs(1);

/// Takes lines, for the thread that writes them.
#[derive(Clone, Default)]
pub(super) struct Lines(Arc<Shared>);

#[derive(Default)]
struct Shared {
    waiting: Mutex<Waiting>,
    /// Told where the thread has something to do, and where it has done it.
    changed: Condvar,
}

#[derive(Default)]
struct Waiting {
    lines: Vec<u8>,
    /// How many had no room.
    left_out: u64,
    /// Whether the thread waits for a line.
    is_idle: bool,
    /// Whether lines that were taken out are not written yet.
    is_writing: bool,
}

impl Lines {
    /// Begins to write what it is given.
    pub(super) fn to(mut out: impl Write + Send + 'static) -> io::Result<Self> {
        let lines = Self::default();
        let shared = Arc::clone(&lines.0);
        let body = move || {
            let mut taken = Vec::new();
            loop {
                let left_out = shared.take(&mut taken);
                // The buffer is empty now: this has room, and comes before all that is written after the gap.
                if left_out > 0 {
                    tracing::warn!(left_out, "lines are missing here: they were not read in time");
                }
                // Where nobody reads any more there is nowhere to say so.
                let _ = out.write_all(&taken);
                taken.clear();
                shared.wrote();
                thread::sleep(GATHER);
            }
        };
        thread::Builder::new().name("log".to_owned()).spawn(body)?;
        Ok(lines)
    }

    /// Waits until all that was logged is written, for a second at the most.
    pub(super) fn flush(&self) {
        let is_open = |waiting: &mut Waiting| !waiting.lines.is_empty() || waiting.is_writing;
        drop(self.0.changed.wait_timeout_while(self.0.lock(), LAST, is_open));
    }
}

impl Shared {
    /// Waits for lines, takes them, and says how many are missing after them.
    fn take(&self, taken: &mut Vec<u8>) -> u64 {
        let mut waiting = self.lock();
        while waiting.lines.is_empty() {
            waiting.is_idle = true;
            waiting = self.changed.wait(waiting).unwrap_or_else(PoisonError::into_inner);
        }
        waiting.is_idle = false;
        waiting.is_writing = true;
        mem::swap(&mut waiting.lines, taken);
        mem::take(&mut waiting.left_out)
    }

    fn wrote(&self) {
        self.lock().is_writing = false;
        self.changed.notify_all();
    }

    fn lock(&self) -> MutexGuard<'_, Waiting> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<'a> MakeWriter<'a> for Lines {
    type Writer = Line<'a>;

    fn make_writer(&'a self) -> Line<'a> {
        Line(&self.0)
    }
}

/// One line, which is written in one piece.
pub(super) struct Line<'a>(&'a Shared);

impl Write for Line<'_> {
    fn write(&mut self, line: &[u8]) -> io::Result<usize> {
        let mut waiting = self.0.lock();
        if waiting.lines.len() + line.len() > MOST {
            waiting.left_out += 1;
            return Ok(line.len());
        }
        waiting.lines.extend_from_slice(line);
        let is_idle = mem::take(&mut waiting.is_idle);
        drop(waiting);
        if is_idle {
            self.0.changed.notify_all();
        }
        Ok(line.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
    use std::time::Instant;

    use super::*;

    /// Somebody who reads a line only when the test does.
    struct Reader(SyncSender<Vec<u8>>);

    impl Write for Reader {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.0.send(bytes.to_vec()).map(|()| bytes.len()).map_err(|_| io::ErrorKind::BrokenPipe.into())
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    fn lines() -> (Lines, Receiver<Vec<u8>>) {
        let (sender, receiver) = sync_channel(0);
        (Lines::to(Reader(sender)).unwrap(), receiver)
    }

    #[test]
    fn what_gathers_while_one_is_written_is_written_at_once_and_in_order() {
        let (lines, read) = lines();
        lines.make_writer().write_all(b"first\n").unwrap();
        assert_eq!(read.recv().unwrap(), b"first\n");
        // The next ones may be taken apart by the thread at any place, but not within a line.
        (0..100).for_each(|number| lines.make_writer().write_all(format!("{number}\n").as_bytes()).unwrap());
        let mut all = Vec::new();
        while !all.ends_with(b"\n99\n") {
            all.extend(read.recv().unwrap());
        }
        let expected: String = (0..100).map(|number| format!("{number}\n")).collect();
        assert_eq!(String::from_utf8(all).unwrap(), expected);
    }

    #[test]
    fn nobody_waits_for_a_reader_and_what_is_left_out_is_counted() {
        let (lines, read) = lines();
        lines.make_writer().write_all(b"first\n").unwrap();
        while !lines.0.lock().is_writing {
            thread::yield_now();
        }
        // The thread has the first in hand until it is read; four have room, and the others are left out.
        let line = vec![b'a'; MOST / 4];
        (0..16).for_each(|_| lines.make_writer().write_all(&line).unwrap());
        assert_eq!(lines.0.lock().left_out, 12);
        assert_eq!(read.recv().unwrap(), b"first\n");
        let mut bytes = 0;
        while bytes < MOST {
            bytes += read.recv().unwrap().len();
        }
        assert_eq!(bytes, MOST);
    }

    #[test]
    fn a_flush_waits_until_all_is_written_and_not_for_ever() {
        let (lines, read) = lines();
        lines.make_writer().write_all(b"last\n").unwrap();
        let begun = Instant::now();
        lines.flush();
        assert!(begun.elapsed() >= LAST, "nobody has read it");
        let reading = thread::spawn(move || read.recv().unwrap());
        lines.flush();
        let waiting = lines.0.lock();
        assert!(waiting.lines.is_empty() && !waiting.is_writing);
        assert_eq!(reading.join().unwrap(), b"last\n");
    }
}
