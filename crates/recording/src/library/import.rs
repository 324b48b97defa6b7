//! Copies of recordings: into the folder from elsewhere, and out of it.
//!
//! Promise: under its name there is the whole file or none. What an interrupted copy leaves ends in `.part` and is no
//! recording to anyone.

use super::recordings;
use crate::store::{beside, reserve};
use crate::{OpenError, RecordError, ShiftFile, database};
use rusqlite::{Connection, params};
use std::fs::File;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, SystemTime};
use xxhash_rust::xxh3::Xxh3;

/// What became of a file that was to be imported.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Imported {
    /// It is there now.
    Added(PathBuf),
    /// The same recording with the same marks was there before.
    AlreadyThere(PathBuf),
}

/// Why a recording was not copied or removed.
#[derive(Debug, thiserror::Error)]
pub enum LibraryError {
    #[error(transparent)]
    Open(#[from] OpenError),
    #[error(transparent)]
    Record(#[from] RecordError),
    #[error("{}: cannot be written; check that there is space and that the folder may be written", path.display())]
    Copy { path: PathBuf, source: std::io::Error },
    #[error("{}: cannot be removed; check whether another program has it open, and the rights to the folder", path.display())]
    Remove { path: PathBuf, source: std::io::Error },
}

/// Copies a recording into `dir` (made if it is missing) under a free name, after checking that it is one that can be
/// read. One that is being written is taken as it is at this moment.
pub fn import(source: &Path, dir: &Path) -> Result<Imported, LibraryError> {
    let file = ShiftFile::open(source)?;
    std::fs::create_dir_all(dir).map_err(|source| LibraryError::Copy { path: dir.to_owned(), source })?;
    if let Some(there) = find_same(&file, dir)? {
        return Ok(Imported::AlreadyThere(there));
    }
    let mut part = Part::beside(&dir.join("import"));
    part.copy(source)?;
    let path = reserve(dir, file.header())?;
    part.rename(&path).inspect_err(|_why| {
        // The name was reserved with an empty file.
        let removed = std::fs::remove_file(&path);
        tracing::debug!(file = %path.display(), ?removed, "an import was given up");
    })?;
    Ok(Imported::Added(path))
}

/// Copies a recording to `target`, which is replaced: one file, whole or not at all, also of one that is being written.
pub fn copy_to(source: &Path, target: &Path) -> Result<(), LibraryError> {
    ShiftFile::open(source)?;
    let mut part = Part::beside(target);
    part.copy(source)?;
    part.rename(target)
}

/// A file under way: removed when it does not get its name.
pub(crate) struct Part {
    path: PathBuf,
    named: bool,
}

impl Part {
    /// Near `target`, so that it can get its name in one step.
    pub(crate) fn beside(target: &Path) -> Part {
        static COUNT: AtomicU64 = AtomicU64::new(0);
        let number = COUNT.fetch_add(1, Ordering::Relaxed);
        Part { path: beside(target, &format!(".{}-{number}.part", std::process::id())), named: false }
    }

    /// Where it is until then.
    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    /// Fills it with a recording, as it is at this moment, and checks it.
    fn copy(&mut self, source: &Path) -> Result<(), LibraryError> {
        let failed = |source| LibraryError::Copy { path: self.path.clone(), source };
        if self.path.exists() {
            std::fs::remove_file(&self.path).map_err(failed)?;
        }
        if beside(source, "-wal").exists() {
            let connection = database::connect_for_reading(source)?;
            let copied = connection.execute("VACUUM INTO ?1", params![self.path.to_string_lossy()]);
            copied.map_err(|source| RecordError::sqlite(&self.path, source))?;
        } else {
            std::fs::copy(source, &self.path).map(drop).map_err(failed)?;
        }
        ShiftFile::open(&self.path).map(drop).map_err(LibraryError::from)
    }

    /// Gives it its name, for good.
    pub(crate) fn rename(mut self, path: &Path) -> Result<(), LibraryError> {
        let failed = |source| LibraryError::Copy { path: path.to_owned(), source };
        let file = File::options().write(true).open(&self.path).map_err(failed)?;
        file.sync_all().map_err(failed)?;
        std::fs::rename(&self.path, path).map_err(failed)?;
        self.named = true;
        Ok(())
    }
}

/// Removes parts of copies that nobody has written to for so long: the program was killed.
const ABANDONED: Duration = Duration::from_secs(3_600);

/// Clears away what copies that were killed left in `dir`. What cannot be removed stays.
pub(super) fn sweep(dir: &Path, now: SystemTime) {
    let entries = std::fs::read_dir(dir).into_iter().flatten().filter_map(Result::ok);
    for entry in entries.filter(|entry| entry.file_name().to_str().is_some_and(is_part)) {
        let written = entry.metadata().and_then(|about| about.modified());
        if written.is_ok_and(|written| now.duration_since(written).is_ok_and(|age| age > ABANDONED)) {
            let removed = std::fs::remove_file(entry.path());
            tracing::info!(file = %entry.path().display(), ?removed, "a copy was interrupted some time ago");
        }
    }
}

/// A name as [`Part::beside`] gives it, or that of the log of such a file.
fn is_part(name: &str) -> bool {
    let name = ["-wal", "-shm"].iter().find_map(|ending| name.strip_suffix(ending)).unwrap_or(name);
    let numbers = name.strip_suffix(".part").and_then(|name| name.rsplit_once('.')?.1.split_once('-'));
    let is_number = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    numbers.is_some_and(|(process, count)| is_number(process) && is_number(count))
}

impl Drop for Part {
    fn drop(&mut self) {
        if !self.named {
            for ending in ["", "-wal", "-shm"] {
                let removed = std::fs::remove_file(beside(&self.path, ending));
                tracing::debug!(file = %self.path.display(), ?removed, "a copy was given up");
            }
        }
    }
}

/// The file in `dir` that holds the same.
fn find_same(file: &ShiftFile, dir: &Path) -> Result<Option<PathBuf>, LibraryError> {
    let print = fingerprint(file.path())?;
    let same = |path: &PathBuf| {
        ShiftFile::open(path).is_ok_and(|there| there.header() == file.header() && there.last() == file.last())
            && fingerprint(path).is_ok_and(|there| there == print)
    };
    Ok(recordings(dir)?.into_iter().find(same))
}

/// Of the checksums of all rows: equal for the same content, sealed alike, however it lies in the file.
fn fingerprint(path: &Path) -> Result<u64, OpenError> {
    let connection = database::connect_for_reading(path)?;
    let mut hash = Xxh3::new();
    for (table, columns) in [
        ("journal", "seq, crc"),
        ("block", "head, crc"),
        ("seg", "id, crc"),
        ("keyframe", "seq * 4 + kind, crc"),
        ("digest", "seq, crc"),
        ("event", "at, crc"),
        ("mark", "id, crc"),
        ("attach", "length(name), hash"),
    ] {
        add(&connection, table, columns, &mut hash).map_err(|source| OpenError::sqlite(path, source))?;
    }
    Ok(hash.digest())
}

fn add(connection: &Connection, table: &str, columns: &str, hash: &mut Xxh3) -> rusqlite::Result<()> {
    if !connection.table_exists(Some("main"), table)? {
        return Ok(());
    }
    hash.update(table.as_bytes());
    let mut select = connection.prepare(&format!("SELECT {columns} FROM {table} ORDER BY 1, 2"))?;
    let mut rows = select.query([])?;
    while let Some(row) = rows.next()? {
        for column in 0..2 {
            hash.update(&row.get::<_, i64>(column)?.to_le_bytes());
        }
    }
    Ok(())
}
