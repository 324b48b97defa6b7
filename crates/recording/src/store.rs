//! The writing side of one file: everything the writer's thread does to the disk.
//!
//! Promise: what [`Store::write`] returned from is on disk, in the file at this path. A failure writes nothing of
//! what was asked. The position is what the file says, never what we remember: after any doubt the file is
//! opened anew and asked.

use crate::block::{self, Packed};
use crate::header::{EXTENSION, Header, file_stem};
use crate::queue::{Item, Keyframe};
use crate::{KeyframeKind, OpenError, RecordError, codec, database, events, marks, rows};
use lineside_model::archive;
use lineside_model::state::PlantState;
use lineside_model::{Batch, Timestamp};
use miniz_oxide::deflate::compress_to_vec_zlib;
use rusqlite::{Connection, TransactionBehavior, params};
use std::borrow::Cow;
use std::fs::File;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};

const INSERT_BATCH: &str = "INSERT INTO journal (seq, at, n, crc, body) VALUES (?1, ?2, ?3, ?4, ?5)";
const INSERT_KEYFRAME: &str =
    "INSERT OR REPLACE INTO keyframe (seq, kind, at, after, version, crc, body) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)";
const KEYFRAME_AFTER: &str = "SELECT min(after) FROM keyframe WHERE seq = ?1 AND kind = ?2";
const INSERT_DIGEST: &str = "INSERT OR REPLACE INTO digest (seq, at, digest, crc) VALUES (?1, ?2, ?3, ?4)";

/// Two milliseconds for a thousand tags, on the writer's thread, every quarter of an hour.
const DEFLATE_LEVEL: u8 = 6;

pub(crate) struct Store {
    path: PathBuf,
    /// Absent after a failure, until it is opened anew.
    connection: Option<Connection>,
    /// The last sequence number in the file.
    last_seq: u64,
    identity: Identity,
    page_limit: Arc<AtomicU32>,
    /// Used again for each row.
    body: Vec<u8>,
}

/// What one commit wrote.
pub(crate) struct Written {
    pub(crate) last_seq: u64,
    pub(crate) bytes: usize,
    pub(crate) took: Duration,
}

impl Store {
    /// Makes a file under a free name in `dir`, with header and start state in one transaction.
    pub(crate) fn create(
        dir: &Path,
        header: &Header,
        state: &PlantState,
        page_limit: Arc<AtomicU32>,
    ) -> Result<Store, RecordError> {
        let path = reserve(dir, header)?;
        let made = fill(&path, header, state).and_then(|()| Store::open(&path, page_limit));
        if made.is_err() {
            // It holds nothing. If even this fails, it is recognised as unfinished and stays.
            for file in [path.clone(), beside(&path, "-wal"), beside(&path, "-shm")] {
                let removed = std::fs::remove_file(&file);
                tracing::debug!(file = %file.display(), ?removed, "unfinished recording");
            }
        }
        made
    }

    /// Opens a file to continue it.
    pub(crate) fn open(path: &Path, page_limit: Arc<AtomicU32>) -> Result<Store, RecordError> {
        // The reader's checks first: they change nothing, not even the journal mode of a foreign database.
        drop(database::connect_for_reading(path)?);
        let connection = database::connect_for_writing(path)?;
        let last = database::last(&connection).map_err(|source| RecordError::sqlite(path, source))?;
        let (last_seq, _) = last.ok_or_else(|| OpenError::damaged(path, "where it ends is not known"))?;
        let identity = Identity::of(path)?;
        let path = path.to_owned();
        Ok(Store { path, connection: Some(connection), last_seq, identity, page_limit, body: Vec::new() })
    }

    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    pub(crate) fn last_seq(&self) -> u64 {
        self.last_seq
    }

    /// The highest number of a mark in the file.
    pub(crate) fn last_mark(&self) -> Result<u64, RecordError> {
        let last = self.connection.as_ref().map_or(Ok(0), marks::last_id);
        last.map_err(|source| RecordError::sqlite(&self.path, source))
    }

    /// Writes all of `items` in one durable transaction, or nothing.
    pub(crate) fn write(&mut self, items: &[Item]) -> Result<Written, RecordError> {
        let done = self.try_write(items);
        if done.is_err() {
            // Drops whatever state the connection is in; closing it works a log that has lost its name into the file.
            self.connection = None;
        }
        done
    }

    fn try_write(&mut self, items: &[Item]) -> Result<Written, RecordError> {
        self.reopen()?;
        let Some(connection) = self.connection.as_mut() else {
            return Err(RecordError::Gone(self.path.clone()));
        };
        let failed = |source| RecordError::sqlite(&self.path, source);
        limit_pages(connection, &self.page_limit).map_err(failed)?;
        let begun = Instant::now();
        let written = write_all(connection, items, self.last_seq, &mut self.body).map_err(failed)?;
        // A removed file goes on taking writes on some systems: without this, they would count as recorded.
        self.identity.check(&self.path)?;
        self.last_seq = written.0;
        Ok(Written { last_seq: written.0, bytes: written.1, took: begun.elapsed() })
    }

    /// After a failure: opens the file again, and makes sure that it is the one we wrote.
    fn reopen(&mut self) -> Result<(), RecordError> {
        if self.connection.is_some() {
            return Ok(());
        }
        self.identity.check_file(&self.path)?;
        let again = Store::open(&self.path, self.page_limit.clone()).map_err(|error| match error {
            RecordError::Open(OpenError::Missing(path)) => RecordError::Gone(path),
            RecordError::Open(OpenError::Locked(path)) => RecordError::Locked(path),
            RecordError::Open(OpenError::CannotOpen { path, source } | OpenError::Read { path, source }) => {
                RecordError::sqlite(&path, source)
            }
            other => other,
        })?;
        if again.last_seq < self.last_seq {
            return Err(RecordError::Gone(self.path.clone()));
        }
        *self = again;
        Ok(())
    }

    /// Puts a block in the place of its journal rows. False: the journal does not hold exactly those, and nothing was done.
    pub(crate) fn seal(&mut self, packed: &Packed) -> Result<bool, RecordError> {
        let done = self.try_seal(packed);
        if done.is_err() {
            self.connection = None;
        }
        done
    }

    fn try_seal(&mut self, packed: &Packed) -> Result<bool, RecordError> {
        self.reopen()?;
        let Some(connection) = self.connection.as_mut() else {
            return Err(RecordError::Gone(self.path.clone()));
        };
        let failed = |source| RecordError::sqlite(&self.path, source);
        limit_pages(connection, &self.page_limit).map_err(failed)?;
        let begun = Instant::now();
        let sealed = replace_rows(connection, packed).map_err(failed)?;
        self.identity.check(&self.path)?;
        tracing::debug!(first = packed.seq0, last = packed.seq1, bytes = packed.bytes(), took = ?begun.elapsed(), "sealed");
        Ok(sealed)
    }

    /// Gives pages back that hold nothing. A file of an earlier program keeps them, for later rows.
    pub(crate) fn shrink(&mut self) -> Result<(), RecordError> {
        self.reopen()?;
        let Some(connection) = &self.connection else { return Ok(()) };
        // Each step gives one page back.
        let give = || -> rusqlite::Result<()> {
            connection.prepare("PRAGMA incremental_vacuum")?.query_map([], |_page| Ok(()))?.collect()
        };
        give().map_err(|source| RecordError::sqlite(&self.path, source))
    }

    /// Works the write-ahead log into the file, as far as readers allow, without waiting for them.
    pub(crate) fn checkpoint(&self) -> Result<(), RecordError> {
        let Some(connection) = &self.connection else { return Ok(()) };
        connection
            .pragma_update_and_check(None, "wal_checkpoint", "PASSIVE", |_busy_and_counts| Ok(()))
            .map_err(|source| RecordError::sqlite(&self.path, source))
    }

    /// Makes it one file, fit for read-only media.
    pub(crate) fn close(&mut self) -> Result<(), RecordError> {
        self.reopen()?;
        let Some(connection) = self.connection.as_ref() else { return Ok(()) };
        let done = one_file(connection).map_err(|source| RecordError::sqlite(&self.path, source));
        if done.is_ok() {
            self.connection = None;
        }
        done
    }
}

/// Truncates the log and leaves WAL mode. `memory`, not `delete`: the file is the same afterwards, but a crash in the
/// middle leaves no rollback journal, which a reader on read-only media could not play back.
pub(crate) fn one_file(connection: &Connection) -> rusqlite::Result<()> {
    connection.busy_timeout(Duration::ZERO)?; // the caller tries again, and knows for how long
    connection.pragma_update_and_check(None, "wal_checkpoint", "TRUNCATE", |_busy_and_counts| Ok(()))?;
    connection.pragma_update_and_check(None, "journal_mode", "memory", |_mode| Ok(()))
}

/// Takes a free name. The file is empty and closed again when this returns.
pub(crate) fn reserve(dir: &Path, header: &Header) -> Result<PathBuf, RecordError> {
    let failed = |source| RecordError::Folder { folder: dir.to_owned(), source };
    std::fs::create_dir_all(dir).map_err(failed)?;
    let stem = file_stem(header);
    let mut path = dir.join(format!("{stem}.{EXTENSION}"));
    for number in 2.. {
        match File::create_new(&path) {
            Ok(_empty) => break,
            Err(error) if error.kind() == std::io::ErrorKind::AlreadyExists => {
                path = dir.join(format!("{stem}-{number}.{EXTENSION}"));
            }
            Err(error) => return Err(failed(error)),
        }
    }
    Ok(path)
}

pub(crate) fn fill(path: &Path, header: &Header, state: &PlantState) -> Result<(), RecordError> {
    let mut connection = database::connect_for_writing(path)?;
    let start = Keyframe::new(KeyframeKind::Start, state, state.seq);
    let all = |connection: &mut Connection| -> rusqlite::Result<()> {
        let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
        database::create_tables(&transaction, header)?;
        write_keyframe(&transaction, &start)?;
        transaction.commit()
    };
    all(&mut connection).map_err(|source| RecordError::sqlite(path, source))
}

fn write_all(
    connection: &mut Connection,
    items: &[Item],
    mut last_seq: u64,
    body: &mut Vec<u8>,
) -> rusqlite::Result<(u64, usize)> {
    let mut bytes = 0;
    let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
    for item in items {
        bytes += match item {
            // Already there: the commit before had reached the disk although it reported a failure.
            Item::Batch(batch) if batch.last_seq() <= last_seq => 0,
            Item::Batch(batch) => write_batch(&transaction, batch, body)?,
            Item::Keyframe(keyframe) => write_keyframe(&transaction, keyframe)?,
            Item::Digest { seq, at, digest } => write_digest(&transaction, *seq, *at, *digest)?,
            Item::Events(events) => events::write(&transaction, events)?,
            Item::Mark(change) => marks::write(&transaction, change)?,
        };
        last_seq = match item {
            Item::Batch(batch) => last_seq.max(batch.last_seq()),
            Item::Keyframe(keyframe) => last_seq.max(keyframe.seq),
            Item::Digest { .. } | Item::Events(_) | Item::Mark(_) => last_seq,
        };
    }
    transaction.commit()?;
    Ok((last_seq, bytes))
}

fn replace_rows(connection: &mut Connection, packed: &Packed) -> rusqlite::Result<bool> {
    let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
    block::create_tables(&transaction)?;
    if !block::delete_and_insert(&transaction, packed)? {
        return Ok(false); // rolls back
    }
    transaction.pragma_update(None, "user_version", database::FORMAT_BLOCKS)?;
    transaction.commit()?;
    Ok(true)
}

fn write_batch(connection: &Connection, batch: &Batch, body: &mut Vec<u8>) -> rusqlite::Result<usize> {
    body.clear();
    codec::encode(batch, body);
    let numbers = [batch.first_seq as i64, batch.at.0, batch.inputs.len() as i64];
    let crc = database::checksum(numbers, body);
    let [seq, at, n] = numbers;
    connection.prepare_cached(INSERT_BATCH)?.execute(params![seq, at, n, crc, &*body])?;
    Ok(body.len())
}

fn write_keyframe(connection: &Connection, keyframe: &Keyframe) -> rusqlite::Result<usize> {
    let place = [keyframe.seq as i64, keyframe.kind.number()];
    // One that replaces another at the same place still stands behind the same hole.
    let before: Option<i64> = connection.prepare_cached(KEYFRAME_AFTER)?.query_row(place, |row| row.get(0))?;
    let after = before.unwrap_or(i64::MAX).min(keyframe.after as i64);
    let (version, body) = stored(keyframe);
    let numbers = [place[0], place[1], keyframe.at.0, after];
    let crc = database::checksum(numbers, &body);
    let [seq, kind, at, after] = numbers;
    connection.prepare_cached(INSERT_KEYFRAME)?.execute(params![seq, kind, at, after, version, crc, &*body])?;
    Ok(body.len())
}

/// A keyframe as the file has it: those in passing are many, and deflated.
fn stored(keyframe: &Keyframe) -> (i64, Cow<'_, [u8]>) {
    let version = i64::from(archive::VERSION);
    match keyframe.kind {
        KeyframeKind::Start | KeyframeKind::Resume => (version, Cow::Borrowed(&*keyframe.body)),
        KeyframeKind::Periodic => {
            (version + rows::DEFLATED, Cow::Owned(compress_to_vec_zlib(&keyframe.body, DEFLATE_LEVEL)))
        }
    }
}

fn write_digest(connection: &Connection, seq: u64, at: Timestamp, digest: u64) -> rusqlite::Result<usize> {
    let crc = database::checksum([seq as i64, at.0, digest as i64], &[]);
    connection.prepare_cached(INSERT_DIGEST)?.execute(params![seq as i64, at.0, digest as i64, crc])?;
    Ok(size_of_val(&digest))
}

fn limit_pages(connection: &Connection, limit: &AtomicU32) -> rusqlite::Result<()> {
    let pages = match limit.load(Ordering::Relaxed) {
        0 => u32::MAX - 1, // SQLite's own limit
        pages => pages,
    };
    connection.pragma_update_and_check(None, "max_page_count", pages, |_in_force| Ok(()))
}

/// The path with something appended to its last part.
pub(crate) fn beside(path: &Path, ending: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(ending);
    name.into()
}

/// Which file stands at the path: to notice that it was removed or replaced. On systems where an open file cannot be
/// removed, its presence is enough.
#[derive(Clone, Copy, PartialEq, Eq)]
struct Identity {
    #[cfg(unix)]
    device_and_inode: (u64, u64),
}

impl Identity {
    fn of(path: &Path) -> Result<Identity, RecordError> {
        let about = std::fs::metadata(path).map_err(|source| match source.kind() {
            std::io::ErrorKind::NotFound => RecordError::Gone(path.to_owned()),
            _ => RecordError::Examine { path: path.to_owned(), source },
        })?;
        #[cfg(unix)]
        {
            use std::os::unix::fs::MetadataExt;
            Ok(Identity { device_and_inode: (about.dev(), about.ino()) })
        }
        #[cfg(not(unix))]
        {
            drop(about);
            Ok(Identity {})
        }
    }

    fn check_file(self, path: &Path) -> Result<(), RecordError> {
        if Identity::of(path)? == self { Ok(()) } else { Err(RecordError::Gone(path.to_owned())) }
    }

    /// The file and its write-ahead log are still in place.
    fn check(self, path: &Path) -> Result<(), RecordError> {
        self.check_file(path)?;
        match Identity::of(&beside(path, "-wal")) {
            Err(RecordError::Gone(_)) => Err(RecordError::WalGone(path.to_owned())),
            other => other.map(|_there| ()),
        }
    }
}
