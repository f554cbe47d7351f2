//! How does one SQLite file keep the records?
//!
//! Every operation is one piece of work for the writer, or for a second connection that only reads and so never waits
//! for a commit. Expiry is a column: what has ended is invisible at once and swept later.

mod checkpoint;
mod file;
mod worker;

use std::path::Path;
use std::time::Duration;

use rusqlite::{Connection, OptionalExtension as _, Params, Row};

use self::checkpoint::Checkpoints;
use self::worker::Worker;
use super::chain::{Entry, Link};
use super::engine::{
    Acceptance, Change, Draft, Engine, From, Item, Kept, Left, Logged, Page, Plan, Swap, Swapped, Taken, Waiting,
    millis,
};
use super::error::{Cause, Error};
use super::key::Key;
use super::trail::Seq;
use crate::clock::Clock;

/// The engine in a file. The reader is dropped first, so that the writer is the last to close and tidies the log.
pub(crate) struct Embedded {
    reader: Worker,
    writer: Option<Worker>,
}

impl Embedded {
    /// Opens the folder for this process alone.
    pub(super) fn open(folder: &Path, deadline: Duration, clock: Clock) -> Result<Self, Error> {
        // The writer waits longer for a foreign lock than any task waits for it, so it has the file once that ends.
        let (files, mut connection) = file::open_writer(folder, deadline * 2)?;
        let beside = file::open_beside_writer(folder, deadline)?;
        let checkpoints = Checkpoints::of(&mut connection, beside, files.database())?;
        // The lock proves that everybody who held a job or a lease is dead.
        let sql = "UPDATE job SET owner = NULL, mark = NULL, due_ms = min(due_ms, ?1) WHERE owner IS NOT NULL";
        change(&connection, sql, [clock.now().as_millisecond()])?;
        change(&connection, "DELETE FROM record WHERE key GLOB ?1 || '*'", [Key::LEASES])?;
        let reading = file::open_reader(folder, deadline)?;
        let reader = Worker::reader(reading, clock.clone(), deadline)?;
        Ok(Self { reader, writer: Some(Worker::writer(connection, checkpoints, files, clock, deadline)?) })
    }

    /// Opens an existing store for reading, whoever else has it.
    pub(super) fn open_reader(folder: &Path, deadline: Duration) -> Result<Self, Error> {
        // Only the log is read this way, and nothing in it expires, so any clock does.
        let reader = Worker::reader(file::open_reader(folder, deadline)?, Clock::default(), deadline)?;
        Ok(Self { reader, writer: None })
    }

    async fn write<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Connection, i64) -> rusqlite::Result<T> + Send + 'static,
    ) -> Result<T, Error> {
        match &self.writer {
            Some(writer) => writer.call(work).await,
            None => Err(Error::Unavailable(Cause::Stopped)),
        }
    }
}

impl Engine for Embedded {
    async fn ping(&self) -> Result<(), Error> {
        // A full disk, or one that became read-only, is still read well: only a write tells. It leaves nothing behind.
        let key = Key::ping().as_str().to_owned();
        self.write(move |connection, now| {
            let sql = "INSERT INTO record (key, value, ends_ms) VALUES (?1, x'', ?2)
                       ON CONFLICT (key) DO UPDATE SET ends_ms = excluded.ends_ms";
            change(connection, sql, (&key, now))?;
            change(connection, "DELETE FROM record WHERE key = ?1", [key]).map(drop)
        })
        .await
    }

    async fn get(&self, key: &Key) -> Result<Option<Vec<u8>>, Error> {
        let key = key.as_str().to_owned();
        self.reader.call(move |connection, now| find(connection, GET, (key, now))).await
    }

    async fn put(&self, key: &Key, value: &[u8], life: Option<Duration>) -> Result<(), Error> {
        let (key, value) = (key.as_str().to_owned(), value.to_vec());
        self.write(move |connection, now| put(connection, &key, value, life.map(|life| now + millis(life)))).await
    }

    async fn take(&self, key: &Key) -> Result<Option<Vec<u8>>, Error> {
        let key = key.as_str().to_owned();
        self.write(move |connection, now| {
            let sql = "DELETE FROM record WHERE key = ?1 AND (ends_ms IS NULL OR ends_ms > ?2) RETURNING value";
            find(connection, sql, (key, now))
        })
        .await
    }

    async fn remove(&self, key: &Key) -> Result<(), Error> {
        let key = key.as_str().to_owned();
        self.write(move |connection, _| change(connection, "DELETE FROM record WHERE key = ?1", [key]).map(drop)).await
    }

    async fn swap(&self, swap: Swap<'_>) -> Result<Swapped, Error> {
        let key = swap.key.as_str().to_owned();
        let (seen, wanted) = (swap.seen.map(<[u8]>::to_vec), swap.wanted.map(<[u8]>::to_vec));
        let (life, entry, plan) = (swap.life.map(millis), swap.entry.cloned(), swap.plan.map(planning));
        self.write(move |connection, now| {
            let known: Option<Vec<u8>> = find(connection, GET, (&key, now))?;
            if known != seen && known != wanted {
                return Ok(Swapped::Other(known));
            }
            if let Some(entry) = entry.filter(|_| known != wanted) {
                append(connection, now, &entry)?;
            }
            match wanted {
                Some(wanted) => put(connection, &key, wanted, life.map(|life| now + life))?,
                None => change(connection, "DELETE FROM record WHERE key = ?1", [key]).map(drop)?,
            }
            plan.map_or(Ok(()), |write| write(connection, now))?;
            Ok(Swapped::Done)
        })
        .await
    }

    async fn hold(&self, key: &Key, owner: &str, life: Duration) -> Result<bool, Error> {
        let (key, owner) = (key.as_str().to_owned(), owner.as_bytes().to_vec());
        self.write(move |connection, now| {
            let sql = "INSERT INTO record (key, value, ends_ms) VALUES (?1, ?2, ?3)
                       ON CONFLICT (key) DO UPDATE SET value = excluded.value, ends_ms = excluded.ends_ms
                       WHERE record.value = excluded.value OR record.ends_ms <= ?4";
            change(connection, sql, (key, owner, now + millis(life), now)).map(|rows| rows == 1)
        })
        .await
    }

    async fn let_go(&self, key: &Key, owner: &str) -> Result<(), Error> {
        let (key, owner) = (key.as_str().to_owned(), owner.as_bytes().to_vec());
        self.write(move |connection, _| {
            change(connection, "DELETE FROM record WHERE key = ?1 AND value = ?2", (key, owner)).map(drop)
        })
        .await
    }

    async fn accept(&self, acceptance: Acceptance<'_>) -> Result<bool, Error> {
        let Acceptance { delivery, life, entry, job } = acceptance;
        let (delivery, entry) = (delivery.as_str().to_owned(), entry.cloned());
        let job = job.map(writing);
        self.write(move |connection, now| {
            let sql = "INSERT INTO record (key, value, ends_ms) VALUES (?1, x'', ?2)
                       ON CONFLICT (key) DO UPDATE SET ends_ms = excluded.ends_ms WHERE record.ends_ms <= ?3";
            let is_new = change(connection, sql, (delivery, now + millis(life), now))? == 1;
            if is_new && let Some(entry) = entry {
                append(connection, now, &entry)?;
            }
            if is_new && let Some(write) = job {
                write(connection, now)?;
            }
            Ok(is_new)
        })
        .await
    }

    async fn journal(&self, job: Draft<'_>) -> Result<(), Error> {
        self.write(writing(job)).await
    }

    async fn keep(&self, key: &Key, owner: &str, lease: Duration) -> Result<bool, Error> {
        let (id, owner) = (key.rest().to_owned(), owner.to_owned());
        self.write(move |connection, now| {
            let sql = "UPDATE job SET due_ms = ?3 WHERE id = ?1 AND owner = ?2";
            change(connection, sql, (id, owner, now + millis(lease))).map(|rows| rows == 1)
        })
        .await
    }

    async fn change(&self, asked: Change<'_>) -> Result<bool, Error> {
        let Change { key, owner, mark, body, entry, due } = asked;
        let (id, owner, body) = (key.rest().to_owned(), owner.to_owned(), body.to_vec());
        let entry = entry.cloned();
        self.write(move |connection, now| {
            let due = due.map(|due| now + millis(due));
            let sql = "UPDATE job SET body = ?4, mark = ?3, due_ms = ifnull(?5, due_ms), owner = iif(?5, NULL, owner)
                       WHERE id = ?1 AND owner = ?2 AND mark IS NOT ?3";
            if change(connection, sql, (&id, &owner, mark, body, due))? == 1 {
                entry.map_or(Ok(()), |entry| append(connection, now, &entry))?;
                return Ok(true);
            }
            let sql = "SELECT 1 FROM job WHERE id = ?1 AND mark = ?3 AND ifnull(owner, ?2) = ?2";
            find(connection, sql, (id, owner, mark)).map(|done: Option<i64>| done.is_some())
        })
        .await
    }

    async fn plan(&self, plan: Plan<'_>) -> Result<(), Error> {
        self.write(planning(plan)).await
    }

    async fn hurry(&self, key: &Key) -> Result<bool, Error> {
        let id = key.rest().to_owned();
        self.write(move |connection, now| {
            let sql = "UPDATE job SET due_ms = min(due_ms, ?2) WHERE id = ?1 AND owner IS NULL";
            change(connection, sql, (&id, now))?;
            find(connection, "SELECT 1 FROM job WHERE id = ?1", [id]).map(|job: Option<i64>| job.is_some())
        })
        .await
    }

    async fn finish(&self, key: &Key, owner: &str) -> Result<bool, Error> {
        let (id, owner) = (key.rest().to_owned(), owner.to_owned());
        self.write(move |connection, _| {
            change(connection, "DELETE FROM job WHERE id = ?1 AND owner = ?2", (&id, owner))?;
            find(connection, "SELECT 1 FROM job WHERE id = ?1", [id]).map(|left: Option<i64>| left.is_none())
        })
        .await
    }

    async fn claim(&self, owner: &str, lease: Duration) -> Result<Option<Taken>, Error> {
        let owner = owner.to_owned();
        self.write(move |connection, now| {
            let sql = "UPDATE job SET owner = ?1, mark = NULL, attempt = attempt + 1, due_ms = ?2
                       WHERE seq = (SELECT seq FROM job WHERE due_ms <= ?3 ORDER BY due_ms, seq LIMIT 1)
                       RETURNING id, body, attempt";
            let taken = |row: &Row<'_>| Ok(Taken { id: row.get(0)?, body: row.get(1)?, attempt: row.get(2)? });
            connection.prepare_cached(sql)?.query_row((owner, now + millis(lease), now), taken).optional()
        })
        .await
    }

    async fn waiting(&self) -> Result<Waiting, Error> {
        self.reader
            .call(|connection, now| {
                let sql = "SELECT (SELECT count(*) FROM job), count(*), ?1 - min(due_ms) FROM job WHERE due_ms <= ?1";
                connection.prepare_cached(sql)?.query_row([now], |row| {
                    // None of these is negative.
                    let oldest = row.get::<_, Option<i64>>(2)?.map(|ms| Duration::from_millis(ms.unsigned_abs()));
                    let count = |column| row.get::<_, i64>(column).map(i64::unsigned_abs);
                    Ok(Waiting { open: count(0)?, claimable: count(1)?, oldest })
                })
            })
            .await
    }

    async fn join(&self, member: &Key, group: &Key, entry: Option<&Entry>) -> Result<Option<Left>, Error> {
        let (member, group) = (member.as_str().to_owned(), group.as_str().to_owned());
        let entry = entry.cloned();
        self.write(move |connection, now| {
            entry.map_or(Ok(()), |entry| append(connection, now, &entry))?;
            let former: Option<String> = find(connection, GROUP_OF, [&member])?;
            let sql = "INSERT INTO member (member, party) VALUES (?1, ?2)
                       ON CONFLICT (member) DO UPDATE SET party = excluded.party";
            change(connection, sql, (member, &group))?;
            left(connection, former.filter(|former| *former != group))
        })
        .await
    }

    async fn leave(&self, member: &Key, entry: Option<&Entry>) -> Result<Option<Left>, Error> {
        let (member, entry) = (member.as_str().to_owned(), entry.cloned());
        self.write(move |connection, now| {
            entry.map_or(Ok(()), |entry| append(connection, now, &entry))?;
            let former = find(connection, "DELETE FROM member WHERE member = ?1 RETURNING party", [member])?;
            left(connection, former)
        })
        .await
    }

    async fn group_of(&self, member: &Key) -> Result<Option<String>, Error> {
        let member = member.as_str().to_owned();
        self.reader.call(move |connection, _| find(connection, GROUP_OF, [member])).await
    }

    async fn members(&self, group: &Key) -> Result<Vec<String>, Error> {
        let group = group.as_str().to_owned();
        let sql = "SELECT member FROM member WHERE party = ?1";
        self.reader.call(move |connection, _| texts(connection, sql, [group])).await
    }

    async fn size(&self, group: &Key) -> Result<usize, Error> {
        let group = group.as_str().to_owned();
        self.reader.call(move |connection, _| size(connection, &group)).await
    }

    async fn shelve(&self, shelf: &Key, item: Item<'_>) -> Result<(), Error> {
        let Item { slot, value, life, entry } = item;
        let (shelf, slot, value) = (shelf.as_str().to_owned(), slot.to_owned(), value.to_vec());
        let entry = entry.cloned();
        self.write(move |connection, now| {
            if let Some(entry) = entry {
                let sql = "SELECT value FROM shelf WHERE shelf = ?1 AND slot = ?2 AND ends_ms > ?3";
                if find(connection, sql, (&shelf, &slot, now))?.as_ref() != Some(&value) {
                    append(connection, now, &entry)?;
                }
            }
            let sql = "INSERT INTO shelf (shelf, slot, value, ends_ms) VALUES (?1, ?2, ?3, ?4)
                       ON CONFLICT (shelf, slot) DO UPDATE SET value = excluded.value, ends_ms = excluded.ends_ms";
            change(connection, sql, (shelf, slot, value, now + millis(life))).map(drop)
        })
        .await
    }

    async fn shelf(&self, shelf: &Key) -> Result<Vec<Vec<u8>>, Error> {
        let shelf = shelf.as_str().to_owned();
        self.reader
            .call(move |connection, now| {
                let sql = "SELECT value FROM shelf WHERE shelf = ?1 AND ends_ms > ?2";
                connection.prepare_cached(sql)?.query_map((shelf, now), |row| row.get(0))?.collect()
            })
            .await
    }

    async fn list(&self, prefix: &'static str, from: Option<&str>, limit: u32) -> Result<Page, Error> {
        let from = from.unwrap_or(prefix).to_owned();
        self.reader
            .call(move |connection, now| {
                // No character is greater than the one after the prefix.
                let keys = match prefix {
                    Key::JOBS => {
                        let sql = "SELECT ?1 || id FROM job WHERE ?1 || id > ?2 ORDER BY id LIMIT ?3";
                        texts(connection, sql, (prefix, from, limit))?
                    }
                    Key::PERSON => {
                        let sql = "SELECT member FROM member WHERE member > ?2 AND member < ?1 || char(1114111)
                                   ORDER BY member LIMIT ?3";
                        texts(connection, sql, (prefix, from, limit))?
                    }
                    _ => {
                        let sql = "SELECT key FROM record WHERE key > ?2 AND key < ?1 || char(1114111)
                                   AND (ends_ms IS NULL OR ends_ms > ?4) ORDER BY key LIMIT ?3";
                        texts(connection, sql, (prefix, from, limit, now))?
                    }
                };
                let next = keys.last().filter(|_| keys.len() == limit as usize).cloned();
                Ok(Page { keys, next })
            })
            .await
    }

    async fn look(&self, key: &Key) -> Result<Option<Vec<u8>>, Error> {
        if key.prefix() != Key::JOBS {
            return self.get(key).await;
        }
        let id = key.rest().to_owned();
        self.reader.call(move |connection, _| find(connection, "SELECT body FROM job WHERE id = ?1", [id])).await
    }

    async fn replace(&self, key: &Key, seen: &[u8], wanted: &[u8]) -> Result<bool, Error> {
        let (sql, name) = match key.prefix() {
            Key::JOBS => ("UPDATE job SET body = ?3 WHERE id = ?1 AND body IN (?2, ?3)", key.rest()),
            _ => ("UPDATE record SET value = ?3 WHERE key = ?1 AND value IN (?2, ?3)", key.as_str()),
        };
        let (name, seen, wanted) = (name.to_owned(), seen.to_vec(), wanted.to_vec());
        self.write(move |connection, _| change(connection, sql, (name, seen, wanted)).map(|rows| rows == 1)).await
    }

    async fn entries(&self, from: From, limit: u32) -> Result<Vec<Logged>, Error> {
        let after = from.after.map_or(0, |after| i64::try_from(after.major).unwrap_or(i64::MAX));
        let since = from.since.map(|since| since.as_millisecond());
        self.reader
            .call(move |connection, _| {
                // Only the first page looks for where the time begins: at the first place that has it, because a clock that
                // was set back may not hide anything.
                let sql = "SELECT seq, entry, number, hash FROM log
                           WHERE seq > ?1 AND (?2 IS NULL OR ?1 > 0
                             OR seq >= (SELECT min(seq) FROM log WHERE at_ms >= ?2))
                           ORDER BY seq LIMIT ?3";
                let mut statement = connection.prepare_cached(sql)?;
                statement.query_map((after, since, limit), logged)?.collect()
            })
            .await
    }

    async fn newest(&self, before: Option<Seq>, limit: u32) -> Result<Vec<Logged>, Error> {
        let before = before.and_then(|before| i64::try_from(before.major).ok()).unwrap_or(i64::MAX);
        self.reader
            .call(move |connection, _| {
                let sql = "SELECT seq, entry, number, hash FROM log WHERE seq < ?1 ORDER BY seq DESC LIMIT ?2";
                connection.prepare_cached(sql)?.query_map((before, limit), logged)?.collect()
            })
            .await
    }

    async fn trim(&self, kept: Kept, most: u32) -> Result<u32, Error> {
        let anchor = Key::audit_anchor().as_str().to_owned();
        self.write(move |connection, now| {
            let newest: Option<i64> = find(connection, "SELECT seq FROM log ORDER BY seq DESC LIMIT 1", [])?;
            let goes = |seq: i64, at: i64| match kept {
                Kept::Newest(longest) => newest.is_some_and(|newest| seq <= newest - i64::from(longest)),
                Kept::For(age) => at < now - millis(age),
            };
            let sql = "SELECT seq, at_ms, number, hash FROM log ORDER BY seq LIMIT ?1";
            let mut statement = connection.prepare_cached(sql)?;
            let mut rows = statement.query([most])?;
            let (mut gone, mut last) = (None, None);
            while let Some(row) = rows.next()? {
                let seq: i64 = row.get(0)?;
                if !goes(seq, row.get(1)?) {
                    break;
                }
                gone = Some(seq);
                last = link(row, 2)?.or(last);
            }
            if let Some(last) = last {
                put(connection, &anchor, last.to_string().into_bytes(), None)?;
            }
            let Some(gone) = gone else { return Ok(0) };
            let removed = change(connection, "DELETE FROM log WHERE seq <= ?1", [gone])?;
            Ok(u32::try_from(removed).unwrap_or(u32::MAX))
        })
        .await
    }

    async fn head(&self) -> Result<Link, Error> {
        self.reader.call(|connection, _| head(connection)).await
    }
}

const GET: &str = "SELECT value FROM record WHERE key = ?1 AND (ends_ms IS NULL OR ends_ms > ?2)";
const GROUP_OF: &str = "SELECT party FROM member WHERE member = ?1";

fn find<T: rusqlite::types::FromSql>(
    connection: &Connection,
    sql: &str,
    parameters: impl Params,
) -> rusqlite::Result<Option<T>> {
    connection.prepare_cached(sql)?.query_row(parameters, |row| row.get(0)).optional()
}

fn texts(connection: &Connection, sql: &str, parameters: impl Params) -> rusqlite::Result<Vec<String>> {
    connection.prepare_cached(sql)?.query_map(parameters, |row| row.get(0))?.collect()
}

fn change(connection: &Connection, sql: &str, parameters: impl Params) -> rusqlite::Result<usize> {
    connection.prepare_cached(sql)?.execute(parameters)
}

fn put(connection: &Connection, key: &str, value: Vec<u8>, ends: Option<i64>) -> rusqlite::Result<()> {
    let sql = "INSERT INTO record (key, value, ends_ms) VALUES (?1, ?2, ?3)
               ON CONFLICT (key) DO UPDATE SET value = excluded.value, ends_ms = excluded.ends_ms";
    change(connection, sql, (key, value, ends)).map(drop)
}

/// The work of writing a job, unless it is there.
fn writing(job: Draft<'_>) -> impl FnOnce(&Connection, i64) -> rusqlite::Result<()> + Send + 'static {
    let Draft { key, body, owner, lease } = job;
    let (id, body, owner) = (key.rest().to_owned(), body.to_vec(), owner.to_owned());
    move |connection, now| {
        let sql = "INSERT INTO job (id, body, owner, attempt, due_ms) VALUES (?1, ?2, ?3, 1, ?4)
                   ON CONFLICT (id) DO NOTHING";
        change(connection, sql, (id, body, owner, now + millis(lease))).map(drop)
    }
}

/// The work of planning a job.
fn planning(plan: Plan<'_>) -> impl FnOnce(&Connection, i64) -> rusqlite::Result<()> + Send + 'static {
    let Plan { key, body, due } = plan;
    let (id, body) = (key.rest().to_owned(), body.to_vec());
    move |connection, now| {
        let sql = "INSERT INTO job (id, body, owner, attempt, due_ms) VALUES (?1, ?2, NULL, 0, ?3)
                   ON CONFLICT (id) DO UPDATE SET due_ms = min(due_ms, excluded.due_ms) WHERE owner IS NULL";
        change(connection, sql, (id, body, now + millis(due))).map(drop)
    }
}

fn append(connection: &Connection, now: i64, entry: &Entry) -> rusqlite::Result<()> {
    let Link { number, hash } = head(connection)?.next(&entry.digest);
    let number = number.cast_signed();
    let sql = "INSERT INTO log (at_ms, entry, number, hash) VALUES (?1, ?2, ?3, ?4)";
    change(connection, sql, (now, &entry.bytes, number, &hash))?;
    change(connection, "UPDATE head SET number = ?1, hash = ?2", (number, &hash)).map(drop)
}

fn logged(row: &Row<'_>) -> rusqlite::Result<Logged> {
    let seq = Seq { major: row.get::<_, i64>(0)?.unsigned_abs(), minor: 0 };
    Ok(Logged { seq, bytes: row.get(1)?, link: link(row, 2)? })
}

/// The link in two columns from this one on.
fn link(row: &Row<'_>, at: usize) -> rusqlite::Result<Option<Link>> {
    let number: Option<i64> = row.get(at)?;
    number.map(|number| Ok(Link { number: number.unsigned_abs(), hash: row.get(at + 1)? })).transpose()
}

fn head(connection: &Connection) -> rusqlite::Result<Link> {
    connection
        .prepare_cached("SELECT number, hash FROM head")?
        .query_row([], |row| Ok(Link { number: row.get::<_, i64>(0)?.unsigned_abs(), hash: row.get(1)? }))
}

fn size(connection: &Connection, group: &str) -> rusqlite::Result<usize> {
    let mut statement = connection.prepare_cached("SELECT count(*) FROM member WHERE party = ?1")?;
    // A count is never negative.
    statement.query_row([group], |row| row.get(0)).map(|count: i64| usize::try_from(count).unwrap_or(0))
}

fn left(connection: &Connection, former: Option<String>) -> rusqlite::Result<Option<Left>> {
    former.map(|group| Ok(Left { size: size(connection, &group)?, group })).transpose()
}
