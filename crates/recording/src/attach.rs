//! Attachments: whole files that belong to a recording (a picture, a note, a screen), kept inside it.
//!
//! They are data for people, never input to replay. They are added to closed files.

use crate::edit::edit;
use crate::{OpenError, RecordError, database};
use rusqlite::{Connection, OptionalExtension, params};
use std::path::Path;
use xxhash_rust::xxh3::xxh3_64;

/// No attachment is larger than this: a recording is carried about.
pub const SIZE_MAX: usize = 16 << 20;

/// Made when the first attachment comes.
const TABLE: &str = "CREATE TABLE IF NOT EXISTS attach (name TEXT PRIMARY KEY, mime TEXT, hash INTEGER, body BLOB)";

/// An attachment without its body.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Attachment {
    /// Unique within the recording.
    pub name: String,
    /// Media type, as in `image/png`.
    pub mime: String,
    /// Length of the body.
    pub bytes: u64,
}

/// All attachments, by name.
pub fn list(path: &Path) -> Result<Vec<Attachment>, OpenError> {
    let connection = database::connect_for_reading(path)?;
    read_list(&connection).map_err(|source| OpenError::sqlite(path, source))
}

/// The body of the attachment of this name; `None`: there is none.
pub fn read(path: &Path, name: &str) -> Result<Option<Vec<u8>>, OpenError> {
    let connection = database::connect_for_reading(path)?;
    let failed = |source| OpenError::sqlite(path, source);
    if !exists(&connection).map_err(failed)? {
        return Ok(None);
    }
    let found: Option<(i64, Vec<u8>)> = connection
        .query_row("SELECT hash, body FROM attach WHERE name = ?1", [name], |row| Ok((row.get(0)?, row.get(1)?)))
        .optional()
        .map_err(failed)?;
    match found {
        Some((hash, body)) if hash != hash_of(&body) => {
            Err(OpenError::damaged(path, format!("attachment {name:?} does not match its checksum")))
        }
        found => Ok(found.map(|(_, body)| body)),
    }
}

/// Adds an attachment to a closed file; one of the same name is replaced. At most [`SIZE_MAX`] bytes.
pub fn add(path: &Path, name: &str, mime: &str, body: &[u8]) -> Result<(), RecordError> {
    if body.len() > SIZE_MAX {
        return Err(RecordError::TooLarge { name: name.to_owned(), mib: SIZE_MAX >> 20 });
    }
    edit(path, |connection| {
        connection.execute_batch(TABLE)?;
        let put = "INSERT OR REPLACE INTO attach (name, mime, hash, body) VALUES (?1, ?2, ?3, ?4)";
        connection.execute(put, params![name, mime, hash_of(body), body]).map(|_one| ())
    })
}

pub(crate) fn read_list(connection: &Connection) -> rusqlite::Result<Vec<Attachment>> {
    if !exists(connection)? {
        return Ok(Vec::new());
    }
    let mut select = connection.prepare_cached("SELECT name, mime, length(body) FROM attach ORDER BY name")?;
    let found = select.query_map([], |row| {
        Ok(Attachment { name: row.get(0)?, mime: row.get(1)?, bytes: row.get::<_, i64>(2)?.max(0) as u64 })
    })?;
    found.collect()
}

/// The names of those that do not match their checksums.
pub(crate) fn damaged(connection: &Connection) -> rusqlite::Result<Vec<String>> {
    if !exists(connection)? {
        return Ok(Vec::new());
    }
    let mut select = connection.prepare_cached("SELECT CAST(name AS TEXT), hash, body FROM attach ORDER BY name")?;
    let mut rows = select.query([])?;
    let mut damaged = Vec::new();
    while let Some(row) = rows.next()? {
        let matches = row.get_ref(2)?.as_blob().is_ok_and(|body| row.get(1) == Ok(hash_of(body)));
        if !matches {
            damaged.push(row.get::<_, Option<String>>(0)?.unwrap_or_default());
        }
    }
    Ok(damaged)
}

fn exists(connection: &Connection) -> rusqlite::Result<bool> {
    connection.table_exists(Some("main"), "attach")
}

fn hash_of(body: &[u8]) -> i64 {
    xxh3_64(body) as i64
}
