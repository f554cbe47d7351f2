//! Where do the embedded store's files lie, who may read them, and who may open them?
//!
//! `onair.db` is SQLite's file, with its `-wal` and `-shm` beside it; all are for the owner alone. `onair.lock` is empty
//! and locked by the process that writes; the system ends the lock with the process, however that ends.

use std::fs::{DirBuilder, File, OpenOptions, TryLockError};
use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _};
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use rusqlite::{Connection, OpenFlags};

use crate::store::error::Error;

const DATABASE: &str = "onair.db";
const LOCK: &str = "onair.lock";

/// The most memory for pages of one connection, in KiB and below zero, as SQLite takes it. The system has the file in its
/// own cache.
const CACHE: i32 = -1024;

/// How a file becomes what this version writes: the first step makes an empty one into layout 1, each other one makes a
/// layout into the next. A step that was released is never changed.
const STEPS: [&str; 3] = [include_str!("schema.sql"), include_str!("journal.sql"), include_str!("chain.sql")];

/// What this process has open itself as long as it writes. It must outlive all connections: whoever closes a file ends
/// what locks the process has on it, SQLite's too.
pub(super) struct Files {
    _lock: File,
    database: Arc<File>,
}

impl Files {
    /// The file of the connections, to have the disk take what was written to it.
    pub(super) fn database(&self) -> Arc<File> {
        Arc::clone(&self.database)
    }
}

/// Opens for writing. The files come first, to be dropped last.
pub(super) fn open_writer(folder: &Path, patience: Duration) -> Result<(Files, Connection), Error> {
    DirBuilder::new().recursive(true).mode(0o700).create(folder).map_err(Error::Folder)?;
    let lock = private_file(&folder.join(LOCK))?;
    match lock.try_lock() {
        Ok(()) => {}
        Err(TryLockError::WouldBlock) => return Err(Error::InUse),
        Err(TryLockError::Error(error)) => return Err(Error::Folder(error)),
    }
    // SQLite would make the file readable for everybody; its other files take the mode of this one.
    let database = Arc::new(private_file(&folder.join(DATABASE))?);
    let mut connection = connect(folder, OpenFlags::SQLITE_OPEN_READ_WRITE, patience)?;
    connection.pragma_update(None, "journal_mode", "WAL")?;
    make_durable(&connection)?;
    lay_out(&mut connection)?;
    Ok((Files { _lock: lock, database }, connection))
}

/// Opens once more what this process has open for writing.
pub(super) fn open_beside_writer(folder: &Path, patience: Duration) -> Result<Connection, Error> {
    let connection = connect(folder, OpenFlags::SQLITE_OPEN_READ_WRITE, patience)?;
    make_durable(&connection)?;
    Ok(connection)
}

/// What was acknowledged survives a power cut, not only a crash.
fn make_durable(connection: &Connection) -> Result<(), Error> {
    Ok(connection.pragma_update(None, "synchronous", "FULL")?)
}

/// Opens for reading, beside a writer or without one.
pub(super) fn open_reader(folder: &Path, patience: Duration) -> Result<Connection, Error> {
    if !folder.join(DATABASE).try_exists().map_err(Error::Folder)? {
        return Err(Error::Missing);
    }
    let connection = connect(folder, OpenFlags::SQLITE_OPEN_READ_ONLY, patience)?;
    match layout(&connection)? {
        0 => Err(Error::Missing),
        layout if layout > STEPS.len() => Err(Error::Newer),
        layout if layout < STEPS.len() => Err(Error::Older),
        _ => Ok(connection),
    }
}

fn private_file(path: &Path) -> Result<File, Error> {
    let mut options = OpenOptions::new();
    options.read(true).write(true).create(true).truncate(false).mode(0o600).open(path).map_err(Error::Folder)
}

fn connect(folder: &Path, mode: OpenFlags, patience: Duration) -> Result<Connection, Error> {
    let flags = mode | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let connection = Connection::open_with_flags(folder.join(DATABASE), flags)?;
    connection.busy_timeout(patience)?;
    connection.pragma_update(None, "cache_size", CACHE)?;
    connection.set_prepared_statement_cache_capacity(64);
    Ok(connection)
}

fn lay_out(connection: &mut Connection) -> Result<(), Error> {
    let steps = STEPS.get(layout(connection)?..).ok_or(Error::Newer)?;
    if steps.is_empty() {
        return Ok(());
    }
    let transaction = connection.transaction()?;
    for step in steps {
        transaction.execute_batch(step)?;
    }
    transaction.execute_batch(&format!("PRAGMA user_version = {}", STEPS.len()))?;
    Ok(transaction.commit()?)
}

fn layout(connection: &Connection) -> Result<usize, Error> {
    let layout: i64 = connection.pragma_query_value(None, "user_version", |row| row.get(0))?;
    // A negative one was written by nobody; it is as little known as a newer one.
    Ok(usize::try_from(layout).unwrap_or(usize::MAX))
}
