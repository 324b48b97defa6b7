//! The SQLite side that writer and reader share: schema, settings, header rows, checksums.

use crate::header::Header;
use crate::{OpenError, RecordError, block, events, raw};
use lineside_model::Timestamp;
use lineside_model::state::Shift;
use rusqlite::{Connection, OpenFlags, OptionalExtension, ffi, params};
use std::path::Path;
use std::time::{Duration, SystemTime};
use xxhash_rust::xxh3::{xxh3_64, xxh3_64_with_seed};

/// "SHFT".
pub(crate) const APPLICATION_ID: i64 = 0x5348_4654;
/// The format of a file whose inputs all lie in the journal.
pub(crate) const FORMAT_JOURNAL: i64 = 1;
/// The format of a file with sealed blocks, and the newest that this program reads.
pub(crate) const FORMAT_BLOCKS: i64 = 2;
/// SQLite releases before this can corrupt a WAL that two connections work on (fixed in 3.51.3).
const SQLITE_LEAST: i32 = 3_051_003;

const SCHEMA: &str = "
    CREATE TABLE meta (k TEXT PRIMARY KEY, v);
    CREATE TABLE journal (seq INTEGER PRIMARY KEY, at INTEGER, n INTEGER, crc INTEGER, body BLOB);
    CREATE TABLE keyframe (seq INTEGER, kind INTEGER, at INTEGER, after INTEGER, version INTEGER, crc INTEGER, body BLOB,
                           PRIMARY KEY (seq, kind));
    CREATE TABLE digest (seq INTEGER PRIMARY KEY, at INTEGER, digest INTEGER, crc INTEGER);
";

/// Makes the tables and the header rows; part of the transaction that creates a file.
pub(crate) fn create_tables(connection: &Connection, header: &Header) -> rusqlite::Result<()> {
    connection.execute_batch(SCHEMA)?;
    events::create(connection)?;
    let mut insert = connection.prepare("INSERT INTO meta (k, v) VALUES (?1, ?2)")?;
    let rows = header_rows(header);
    for (key, value) in &rows {
        insert.execute(params![key, value])?;
    }
    insert.execute(params!["check", header_checksum(&rows)])?;
    connection.pragma_update(None, "application_id", APPLICATION_ID)?;
    connection.pragma_update(None, "user_version", FORMAT_JOURNAL)
}

/// A connection that writes. The file must exist.
pub(crate) fn connect_for_writing(path: &Path) -> Result<Connection, RecordError> {
    connect(path, "normal")
}

/// A connection that writes and tolerates no other: [`RecordError::Locked`] while there is one.
pub(crate) fn connect_alone(path: &Path) -> Result<Connection, RecordError> {
    connect(path, "exclusive")
}

fn connect(path: &Path, locking: &str) -> Result<Connection, RecordError> {
    if rusqlite::version_number() < SQLITE_LEAST {
        return Err(RecordError::OldSqlite(rusqlite::version()));
    }
    let failed = |source| RecordError::sqlite(path, source);
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let connection = Connection::open_with_flags(path, flags).map_err(failed)?;
    if connection.is_readonly("main").map_err(failed)? {
        // SQLite opens a write-protected file all the same, and would refuse only the first commit.
        return Err(failed(rusqlite::Error::SqliteFailure(ffi::Error::new(ffi::SQLITE_READONLY), None)));
    }
    let mode = settings_for_writing(&connection, locking).map_err(failed)?;
    if mode != "wal" {
        return Err(RecordError::NoWal { path: path.to_owned(), mode });
    }
    Ok(connection)
}

fn settings_for_writing(connection: &Connection, locking: &str) -> rusqlite::Result<String> {
    connection.busy_timeout(Duration::from_secs(1))?;
    // Before the first read: a log that is opened by one connection alone needs no shared memory.
    connection.pragma_update_and_check(None, "locking_mode", locking, |_in_force| Ok(()))?;
    connection.pragma_update(None, "trusted_schema", false)?;
    connection.pragma_update(None, "page_size", 8192)?; // counts for a new file only
    connection.pragma_update(None, "mmap_size", 0)?;
    let now: String = connection.pragma_query_value(None, "journal_mode", |row| row.get(0))?;
    if now != "wal" {
        // The switch changes a few bytes of one sector. With a rollback journal, a crash just then would
        // leave a file that only a writer may open.
        connection.pragma_update(None, "journal_mode", "off")?;
        if connection.pragma_query_value(None, "page_count", |row| row.get::<_, i64>(0))? == 0 {
            // So that closing can give back what sealing has freed. Counts for a new file only, too.
            connection.pragma_update(None, "auto_vacuum", "incremental")?;
        }
    }
    let mode = connection.pragma_update_and_check(None, "journal_mode", "wal", |row| row.get(0))?;
    connection.pragma_update(None, "synchronous", "full")?;
    connection.pragma_update(None, "wal_autocheckpoint", 0)?;
    connection.pragma_update(None, "journal_size_limit", 64 << 20)?;
    Ok(mode)
}

/// A connection that reads a file of ours, and never changes it. Held only as long as one read takes: an open
/// connection would keep the writer from closing the file.
pub(crate) fn connect_for_reading(path: &Path) -> Result<Connection, OpenError> {
    let about = std::fs::metadata(path).map_err(|source| match source.kind() {
        std::io::ErrorKind::NotFound => OpenError::Missing(path.to_owned()),
        _ => OpenError::Examine { path: path.to_owned(), source },
    })?;
    if about.is_dir() {
        return Err(OpenError::Folder(path.to_owned()));
    }
    let failed = |source| OpenError::sqlite(path, source);
    let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let connection = Connection::open_with_flags(path, flags).map_err(failed)?;
    connection.busy_timeout(Duration::from_secs(2)).map_err(failed)?;
    connection.pragma_update(None, "trusted_schema", false).map_err(failed)?;
    connection.pragma_update(None, "mmap_size", 0).map_err(failed)?;
    check_identity(&connection, path)?;
    Ok(connection)
}

/// Is it a shift file, complete, and of a format that we know?
pub(crate) fn check_identity(connection: &Connection, path: &Path) -> Result<(), OpenError> {
    let number = |name: &str| -> Result<i64, OpenError> {
        connection.pragma_query_value(None, name, |row| row.get(0)).map_err(|source| OpenError::sqlite(path, source))
    };
    match (number("application_id")?, number("user_version")?) {
        (APPLICATION_ID, FORMAT_JOURNAL | FORMAT_BLOCKS) => Ok(()),
        (APPLICATION_ID, found) if found > FORMAT_BLOCKS => {
            Err(OpenError::Newer { path: path.to_owned(), found, known: FORMAT_BLOCKS })
        }
        // Creation is one transaction: without it there is an empty database, or an empty file.
        (0, 0) if number("schema_version")? == 0 => Err(OpenError::Unfinished(path.to_owned())),
        (APPLICATION_ID, found) => Err(OpenError::damaged(path, format!("format {found} does not exist"))),
        _ => Err(OpenError::NotAShiftFile(path.to_owned())),
    }
}

/// Checksum of a row: of its numbers and its body, so that a changed stamp is noticed as well.
pub(crate) fn checksum<const N: usize>(numbers: [i64; N], body: &[u8]) -> i64 {
    const { assert!(N <= 8, "the head has room for eight numbers") };
    let mut head = [0; 64];
    for (place, number) in head.chunks_exact_mut(8).zip(numbers) {
        place.copy_from_slice(&number.to_le_bytes());
    }
    // Rows with fewer numbers were given room for four.
    xxh3_64_with_seed(body, xxh3_64(&head[..8 * N.max(4)])) as i64
}

/// Reads the header that [`create_tables`] wrote.
pub(crate) fn read_header(connection: &Connection, path: &Path) -> Result<Header, OpenError> {
    let failed = |source| OpenError::sqlite(path, source);
    let value = |key: &str| -> Result<String, OpenError> {
        connection
            .query_row("SELECT CAST(v AS TEXT) FROM meta WHERE k = ?1", [key], |row| row.get(0))
            .optional()
            .map_err(failed)?
            .ok_or_else(|| OpenError::damaged(path, format!("the header has no {key:?}")))
    };
    let number = |key: &str| -> Result<i64, OpenError> {
        value(key)?.parse().map_err(|_not_a_number| OpenError::damaged(path, format!("{key:?} is no number")))
    };
    let header = Header {
        writer: value("writer")?,
        config_text: value("config_text")?,
        config_path: value("config_path")?,
        line: value("line")?,
        time_zone: value("time_zone")?,
        shift: Shift {
            name: value("shift_name")?.into(),
            start: Timestamp(number("shift_start")?),
            end: Timestamp(number("shift_end")?),
            crew: value("shift_crew").ok().map(Into::into),
            scheduled: number("shift_scheduled")? == 1,
        },
        date: value("date")?,
        clock_source: value("clock_source")?,
    };
    if number("check")? != header_checksum(&header_rows(&header)) {
        return Err(OpenError::damaged(path, "the header does not match its checksum"));
    }
    Ok(header)
}

/// The header as rows, readable with any SQLite tool.
fn header_rows(header: &Header) -> Vec<(&'static str, String)> {
    let shift = &header.shift;
    let mut rows = vec![
        ("writer", header.writer.clone()),
        ("config_text", header.config_text.clone()),
        ("config_path", header.config_path.clone()),
        ("line", header.line.clone()),
        ("time_zone", header.time_zone.clone()),
        ("shift_name", shift.name.to_string()),
        ("shift_start", shift.start.0.to_string()),
        ("shift_end", shift.end.0.to_string()),
        ("shift_scheduled", i64::from(shift.scheduled).to_string()),
        ("date", header.date.clone()),
        ("clock_source", header.clock_source.clone()),
    ];
    rows.extend(shift.crew.as_ref().map(|crew| ("shift_crew", crew.to_string())));
    rows
}

fn header_checksum(rows: &[(&'static str, String)]) -> i64 {
    let hash = |so_far, text: &str| xxh3_64_with_seed(text.as_bytes(), so_far);
    rows.iter().fold(0, |so_far, (key, value)| hash(hash(so_far, key), value)) as i64
}

/// The sequence number of the state that the file begins from.
pub(crate) fn start_seq(connection: &Connection, path: &Path) -> Result<u64, OpenError> {
    let start = "SELECT seq FROM keyframe WHERE kind = 0";
    let found: Option<i64> = connection
        .query_row(start, [], |row| row.get(0))
        .optional()
        .map_err(|source| OpenError::sqlite(path, source))?;
    let seq = found.and_then(|seq| u64::try_from(seq).ok());
    seq.ok_or_else(|| OpenError::damaged(path, "the state it begins from is missing"))
}

/// The last sequence number that the file covers, by its keys; and the newest stamp that a checksum vouches for, or that
/// of a keyframe. Numbering goes on after it, so writer and reader must agree: both ask here.
pub(crate) fn last(connection: &Connection) -> rusqlite::Result<Option<(u64, Timestamp)>> {
    let keyframe: Option<(i64, Timestamp)> = connection
        .query_row("SELECT seq, at FROM keyframe WHERE kind IN (0, 1) ORDER BY seq DESC LIMIT 1", [], |row| {
            Ok((row.get(0)?, Timestamp(row.get(1)?)))
        })
        .optional()?;
    let sealed = block::last(connection)?.map(|(seq, at)| (raw::signed(seq), at));
    let mut stamp = keyframe.into_iter().chain(sealed).max_by_key(|(seq, _)| *seq);
    let mut last_seq = stamp.map_or(0, |(seq, _)| seq);
    // Without the bodies first: a body that cannot be read must not hide the numbers.
    let mut newest = connection
        .prepare("SELECT seq, at, n, min(n, max(length(body) / 2, 1)) FROM journal ORDER BY seq DESC LIMIT 1000")?;
    let mut rows = newest.query([])?;
    while let Some(row) = rows.next()? {
        let (numbers, count) = ([row.get(0)?, row.get(1)?, row.get(2)?], row.get::<_, Option<i64>>(3)?);
        let [seq, at, _] = numbers;
        let end = seq + count.unwrap_or(1).max(1) - 1;
        last_seq = last_seq.max(end);
        if is_intact(connection, numbers) {
            stamp = stamp.filter(|(seq, _)| *seq >= end).or(Some((end, Timestamp(at))));
            break;
        }
    }
    Ok(stamp.map(|(_, at)| (last_seq as u64, at)))
}

/// The stamp of the first input, in a block or in the journal: where a file begins. The state it begins from may be
/// hours older, when the program did not run before it.
pub(crate) fn first_stamp(connection: &Connection) -> rusqlite::Result<Option<Timestamp>> {
    let first = "SELECT at FROM journal ORDER BY seq LIMIT 1";
    let in_journal = connection.query_row(first, [], |row| row.get(0).map(Timestamp)).optional()?;
    let in_block = block::readable_list(connection)?.first().map(|block| block.at0);
    Ok([in_block, in_journal].into_iter().flatten().min())
}

/// The instant of the last fingerprint: time that passed after the last input.
pub(crate) fn noted(connection: &Connection) -> rusqlite::Result<Option<Timestamp>> {
    let last = "SELECT seq, at, digest, crc FROM digest ORDER BY seq DESC LIMIT 1";
    let found =
        connection.query_row(last, [], |row| Ok(([row.get(0)?, row.get(1)?, row.get(2)?], row.get(3)?))).optional()?;
    Ok(found.filter(|(numbers, crc)| checksum(*numbers, &[]) == *crc).map(|([_, at, _], _)| Timestamp(at)))
}

/// Size and time of a file and of the log beside it, as far as there are such.
pub(crate) type Seen = [Option<(u64, SystemTime)>; 2];

/// What the disk says now: as long as it says the same, nothing was written.
pub(crate) fn seen(path: &Path) -> Seen {
    let about =
        |path: &Path| std::fs::metadata(path).ok().and_then(|about| Some((about.len(), about.modified().ok()?)));
    [about(path), about(&crate::store::beside(path, "-wal"))]
}

/// Can the row be read, and does it match its checksum?
fn is_intact(connection: &Connection, numbers: [i64; 3]) -> bool {
    connection
        .query_row("SELECT crc, body FROM journal WHERE seq = ?1", [numbers[0]], |row| {
            Ok(row.get::<_, i64>(0)? == checksum(numbers, row.get_ref(1)?.as_blob()?))
        })
        .unwrap_or(false)
}
