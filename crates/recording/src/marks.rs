//! Marks: bookmarks with text, and the pin that keeps a file. What people add to a recording; no input, so that they change
//! no state and no digest.
//!
//! The file being written takes them through [`crate::Recorder::mark`]. The functions here are for closed files: each
//! is one transaction, needs the file for itself for a moment, and leaves one file that opens on read-only media again.

use crate::edit::edit;
use crate::{OpenError, RecordError, ShiftFile, database};
use lineside_model::{Text, Timestamp};
use rusqlite::{Connection, Row, params};
use std::path::Path;

/// A remark at an instant, or on a stretch of time.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub struct Mark {
    /// Unique within the file, from 1; 0 for one that has no place in a file yet.
    pub id: u64,
    pub at: Timestamp,
    /// The end of the stretch; `None`: an instant.
    pub until: Option<Timestamp>,
    /// [`BOOKMARK`] or [`PIN`]; others come from later programs and are kept.
    pub kind: u8,
    pub author: Option<Text>,
    pub text: Text,
    /// When it was made.
    pub made: Timestamp,
}

/// A bookmark.
pub const BOOKMARK: u8 = 0;
/// Keeps the whole file: retention passes it over.
pub const PIN: u8 = 1;

/// All marks of a file, by time. A damaged one is left out and logged.
pub fn list(path: &Path) -> Result<Vec<Mark>, OpenError> {
    let connection = database::connect_for_reading(path)?;
    read(&connection).map_err(|source| OpenError::sqlite(path, source))
}

/// Adds a mark to a closed file and returns its number. One with an `id` replaces the mark of that number.
pub fn add(path: &Path, mark: &Mark) -> Result<u64, RecordError> {
    edit(path, |connection| {
        let id = if mark.id == 0 { last_id(connection)? + 1 } else { mark.id };
        write(connection, &Change::Put(Mark { id, ..mark.clone() }))?;
        Ok(id)
    })
}

/// Removes a mark from a closed file. Whether there was one is told.
pub fn remove(path: &Path, id: u64) -> Result<bool, RecordError> {
    edit(path, |connection| {
        let there = read(connection)?.iter().any(|mark| mark.id == id);
        write(connection, &Change::Remove(id))?;
        Ok(there)
    })
}

impl ShiftFile {
    /// All marks, by time, as of now. A damaged one is left out and logged.
    pub fn marks(&self) -> Result<Vec<Mark>, OpenError> {
        self.read(read)
    }
}

/// What is to happen to the marks of a file.
#[derive(Clone, Debug)]
pub(crate) enum Change {
    Put(Mark),
    Remove(u64),
}

/// Made when the first mark comes.
const TABLE: &str = "
    CREATE TABLE IF NOT EXISTS mark (id INTEGER PRIMARY KEY, at INTEGER, until INTEGER, kind INTEGER, author TEXT, text TEXT,
        made INTEGER, crc INTEGER);
";
const PUT: &str = "INSERT OR REPLACE INTO mark VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)";

/// Changes the marks, in a transaction of the caller's. Returns about how many bytes that takes.
pub(crate) fn write(connection: &Connection, change: &Change) -> rusqlite::Result<usize> {
    connection.execute_batch(TABLE)?;
    match change {
        Change::Put(mark) => {
            let (author, until) = (mark.author.as_deref(), mark.until.map(|until| until.0));
            let id = mark.id as i64;
            let crc = checksum(mark);
            connection.prepare_cached(PUT)?.execute(params![
                id,
                mark.at.0,
                until,
                mark.kind,
                author,
                &*mark.text,
                mark.made.0,
                crc
            ])?;
            Ok(48 + mark.text.len())
        }
        Change::Remove(id) => {
            connection.execute("DELETE FROM mark WHERE id = ?1", [*id as i64])?;
            Ok(0)
        }
    }
}

/// The highest number given so far; 0: none.
pub(crate) fn last_id(connection: &Connection) -> rusqlite::Result<u64> {
    if !exists(connection)? {
        return Ok(0);
    }
    connection
        .query_row("SELECT max(id) FROM mark", [], |row| Ok(row.get::<_, Option<i64>>(0)?.unwrap_or(0).max(0) as u64))
}

pub(crate) fn read(connection: &Connection) -> rusqlite::Result<Vec<Mark>> {
    let (marks, damaged) = checked(connection)?;
    if damaged > 0 {
        tracing::warn!(damaged, "marks of a recording cannot be read");
    }
    Ok(marks)
}

/// The intact marks, by time, and how many are damaged.
pub(crate) fn checked(connection: &Connection) -> rusqlite::Result<(Vec<Mark>, u64)> {
    if !exists(connection)? {
        return Ok((Vec::new(), 0));
    }
    let mut select = connection.prepare_cached("SELECT * FROM mark ORDER BY at, id")?;
    let found = select.query_map([], |row| Ok(intact(row)))?.collect::<rusqlite::Result<Vec<_>>>()?;
    let all = found.len();
    let marks: Vec<Mark> = found.into_iter().flatten().collect();
    let damaged = (all - marks.len()) as u64;
    Ok((marks, damaged))
}

fn exists(connection: &Connection) -> rusqlite::Result<bool> {
    connection.table_exists(Some("main"), "mark")
}

fn intact(row: &Row) -> Option<Mark> {
    let (mark, crc) = fields(row).ok()?;
    (crc == checksum(&mark)).then_some(mark)
}

fn fields(row: &Row) -> rusqlite::Result<(Mark, i64)> {
    let mark = Mark {
        id: row.get::<_, i64>(0)? as u64,
        at: Timestamp(row.get(1)?),
        until: row.get::<_, Option<i64>>(2)?.map(Timestamp),
        kind: row.get(3)?,
        author: row.get::<_, Option<String>>(4)?.map(Into::into),
        text: row.get::<_, String>(5)?.into(),
        made: Timestamp(row.get(6)?),
    };
    Ok((mark, row.get(7)?))
}

fn checksum(mark: &Mark) -> i64 {
    let mut body = mark.made.0.to_le_bytes().to_vec();
    for number in [mark.until.map(|until| until.0), mark.author.as_ref().map(|author| author.len() as i64)] {
        body.push(u8::from(number.is_some()));
        body.extend_from_slice(&number.unwrap_or_default().to_le_bytes());
    }
    body.extend_from_slice(mark.author.as_deref().unwrap_or_default().as_bytes());
    body.extend_from_slice(mark.text.as_bytes());
    database::checksum([mark.id as i64, mark.at.0, mark.kind.into()], &body)
}
