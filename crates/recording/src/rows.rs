//! Streaming a file in replay order, in bounded memory, while it may still be written.
//!
//! Each portion is read in one short transaction on a connection of its own: a long read would keep the writer's log
//! from shrinking, and an open connection would keep it from closing the file.

use crate::{KeyframeKind, OpenError, codec, database};
use lineside_model::archive;
use lineside_model::state::PlantState;
use lineside_model::{Batch, Timestamp};
use rusqlite::{Connection, ErrorCode, OptionalExtension, params};
use std::collections::VecDeque;
use std::path::{Path, PathBuf};

/// A portion ends when its bodies pass this many bytes.
const PORTION: usize = 1 << 20;
/// What a row costs beyond its body, so that many tiny rows end a portion too.
const ROW_COST: usize = 100;

/// One thing that replay is to do.
#[derive(Clone, Debug, PartialEq)]
#[expect(clippy::large_enum_variant, reason = "rows are held one at a time, and most are batches")]
pub enum Row {
    /// Inputs to apply.
    Batch(Batch),
    /// The state to take over: what lies between the row before and this was not recorded.
    Keyframe { kind: KeyframeKind, seq: u64, state: PlantState },
    /// The live state had this digest after the input `seq`, at `at`.
    Digest { seq: u64, at: Timestamp, digest: u64 },
    /// These inputs cannot be read. What follows can, but applies to a state that is not known.
    Damaged {
        first_seq: u64,
        last_seq: u64,
        /// Their stamp as far as the file still tells it; not to be relied on.
        at: Option<Timestamp>,
        reason: String,
    },
}

/// Rows after a sequence number, strictly in replay order: by sequence number, and for the same one batch, digest,
/// keyframe. After the end (`None`) it can be asked again, and goes on with what has been written meanwhile; after an
/// error it asks the file again for the same rows.
pub struct Rows {
    path: PathBuf,
    ready: VecDeque<Raw>,
    /// Rows of a batch that lie before this are dropped: the caller has them.
    after_seq: u64,
    /// The sequence number that must come next.
    expected: u64,
    /// Next keys to ask for, one per table.
    journal_from: Option<u64>,
    digest_from: u64,
    keyframe_from: u64,
}

/// A row as the file has it.
enum Raw {
    Batch { first: u64, last: u64, at: Timestamp, n: i64, body: Vec<u8> },
    Digest { seq: u64, at: Timestamp, digest: u64 },
    Keyframe { seq: u64, after: u64 },
    Damaged { first: u64, last: u64, at: Option<Timestamp>, reason: &'static str },
}

impl Raw {
    fn order(&self) -> (u64, u8) {
        match self {
            Raw::Batch { last, .. } | Raw::Damaged { last, .. } => (*last, 0),
            Raw::Digest { seq, .. } => (*seq, 1),
            Raw::Keyframe { seq, .. } => (*seq, 2),
        }
    }
}

impl Rows {
    /// `start_seq` is the sequence number of the start state.
    pub(crate) fn new(path: PathBuf, after_seq: u64, start_seq: u64) -> Rows {
        let after_seq = after_seq.max(start_seq);
        let next = after_seq.saturating_add(1);
        Rows {
            path,
            ready: VecDeque::new(),
            after_seq,
            expected: next,
            journal_from: None,
            digest_from: next,
            keyframe_from: next,
        }
    }

    fn fill(&mut self) -> Result<(), OpenError> {
        let connection = database::connect_for_reading(&self.path)?;
        let portion = self.portion(&connection).map_err(|source| OpenError::sqlite(&self.path, source))?;
        self.ready = portion.into();
        Ok(())
    }

    /// One consistent portion of all three tables. The keys to ask for next move only when all of it was read.
    fn portion(&mut self, connection: &Connection) -> rusqlite::Result<Vec<Raw>> {
        connection.execute_batch("BEGIN")?; // ends with the connection
        let from = match self.journal_from {
            Some(from) => from,
            None => key_at_or_before(connection, self.after_seq)?,
        };
        let (mut rows, more) = journal(connection, from)?;
        let journal_from = rows.last().map_or(from, |row| row.order().0 + 1);
        let until = if more { journal_from - 1 } else { i64::MAX as u64 };
        rows.retain(|row| row.order().0 > self.after_seq);
        let digests = digests(connection, self.digest_from, until)?;
        let keyframes = keyframes(connection, self.keyframe_from, until)?;
        self.journal_from = Some(journal_from);
        self.digest_from = digests.last().map_or(self.digest_from, |row| row.order().0 + 1);
        self.keyframe_from = keyframes.last().map_or(self.keyframe_from, |row| row.order().0 + 1);
        rows.extend(digests);
        rows.extend(keyframes);
        rows.sort_by_key(Raw::order);
        Ok(rows)
    }

    /// The hole before `first`, if there is one.
    fn hole_before(&self, first: u64) -> Option<Row> {
        (first > self.expected).then(|| Row::Damaged {
            first_seq: self.expected,
            last_seq: first - 1,
            at: None,
            reason: "these rows are missing from the file".to_owned(),
        })
    }

    fn row(&mut self, raw: Raw) -> Result<Row, OpenError> {
        Ok(match raw {
            Raw::Batch { first, last, at, n, body } => {
                self.expected = last + 1;
                batch(first, last, at, n, &body, self.after_seq)
            }
            Raw::Damaged { first, last, at, reason } => {
                self.expected = last + 1;
                let first_seq = first.max(self.after_seq + 1);
                Row::Damaged { first_seq, last_seq: last, at, reason: reason.to_owned() }
            }
            Raw::Digest { seq, at, digest } => Row::Digest { seq, at, digest },
            Raw::Keyframe { seq, after } => {
                self.expected = seq + 1;
                let connection = database::connect_for_reading(&self.path)?;
                match keyframe(&connection, &self.path, KeyframeKind::Resume, seq) {
                    Ok(state) => Row::Keyframe { kind: KeyframeKind::Resume, seq, state },
                    Err(OpenError::Damaged { what, .. }) => {
                        Row::Damaged { first_seq: seq.min(after + 1), last_seq: seq, at: None, reason: what }
                    }
                    Err(other) => return Err(other),
                }
            }
        })
    }
}

impl Iterator for Rows {
    type Item = Result<Row, OpenError>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.ready.is_empty()
            && let Err(error) = self.fill()
        {
            return Some(Err(error));
        }
        let first = match self.ready.front()? {
            Raw::Batch { first, .. } | Raw::Damaged { first, .. } => *first,
            // What lies between `after` and the keyframe was never recorded; what lies before must be there.
            Raw::Keyframe { after, .. } => after + 1,
            Raw::Digest { .. } => 0,
        };
        if let Some(hole) = self.hole_before(first) {
            self.expected = first;
            return Some(Ok(hole));
        }
        let raw = self.ready.pop_front()?;
        Some(self.row(raw))
    }
}

/// The batch without the inputs up to `after_seq`.
fn batch(first: u64, last: u64, at: Timestamp, n: i64, body: &[u8], after_seq: u64) -> Row {
    let skip = (after_seq + 1).saturating_sub(first);
    let damaged = |reason: String| Row::Damaged { first_seq: first + skip, last_seq: last, at: Some(at), reason };
    match codec::decode(at, body) {
        Ok(inputs) if inputs.len() as i64 != n => damaged("the number of inputs is not as noted".to_owned()),
        Ok(mut inputs) => {
            inputs.drain(..skip as usize);
            Row::Batch(Batch { first_seq: first + skip, at, inputs })
        }
        Err(malformed) => damaged(malformed.to_string()),
    }
}

/// Where reading starts so that a batch which `seq` lies within is met. SQLite's keys are signed.
fn key_at_or_before(connection: &Connection, seq: u64) -> rusqlite::Result<u64> {
    let key: Option<i64> = connection
        .query_row("SELECT seq FROM journal WHERE seq <= ?1 ORDER BY seq DESC LIMIT 1", [signed(seq)], |row| {
            row.get(0)
        })
        .optional()?;
    Ok(key.map_or(0, |key| key.max(0) as u64))
}

fn signed(seq: u64) -> i64 {
    i64::try_from(seq).unwrap_or(i64::MAX)
}

/// Journal rows from the key `from` on, and whether there may be more after them.
fn journal(connection: &Connection, from: u64) -> rusqlite::Result<(Vec<Raw>, bool)> {
    let mut rows: Vec<Raw> = Vec::new();
    let (mut from, mut size) = (from, 0);
    while size < PORTION {
        match journal_run(connection, from, &mut rows, &mut size) {
            Ok(()) => {
                bound_damage(&mut rows);
                return Ok((rows, size >= PORTION));
            }
            Err(error) if error.sqlite_error_code() == Some(ErrorCode::DatabaseCorrupt) => {
                from = rows.last().map_or(from, |row| row.order().0 + 1);
                let Some(damage) = step_over(connection, from)? else { return Err(error) };
                from = damage.order().0 + 1;
                size += ROW_COST;
                rows.push(damage);
            }
            Err(error) => return Err(error),
        }
    }
    bound_damage(&mut rows);
    Ok((rows, true))
}

/// Reads rows up to the size of a portion, or up to the first that SQLite cannot read.
fn journal_run(connection: &Connection, from: u64, rows: &mut Vec<Raw>, size: &mut usize) -> rusqlite::Result<()> {
    let mut select =
        connection.prepare_cached("SELECT seq, at, n, crc, body FROM journal WHERE seq >= ?1 ORDER BY seq")?;
    let mut found = select.query([signed(from)])?;
    while *size < PORTION
        && let Some(row) = found.next()?
    {
        let (seq, at, n): (i64, i64, i64) = (row.get(0)?, row.get(1)?, row.get(2)?);
        let body: Vec<u8> = row.get(4).unwrap_or_default();
        *size += body.len() + ROW_COST;
        // A damaged count must not move the reading position: an input takes at least two bytes.
        let count = n.clamp(1, (body.len() as i64 / 2).max(1));
        let (first, last, at) = (seq as u64, (seq + count - 1) as u64, Timestamp(at));
        let intact = row.get(3) == Ok(database::checksum([seq, at.0, n], &body)) && count == n;
        rows.push(if intact {
            Raw::Batch { first, last, at, n, body }
        } else {
            Raw::Damaged { first, last, at: Some(at), reason: "the row does not match its checksum" }
        });
    }
    Ok(())
}

/// A damaged row cannot reach into the row after it.
fn bound_damage(rows: &mut [Raw]) {
    for i in 1..rows.len() {
        let (Raw::Batch { first: next, .. } | Raw::Damaged { first: next, .. }) = rows[i] else { continue };
        if let Raw::Damaged { first, last, .. } = &mut rows[i - 1] {
            *last = (*last).min(next - 1).max(*first);
        }
    }
}

/// Where SQLite itself cannot read: the stretch up to the next row that it can, found by its key alone, trying
/// farther and farther away. `None`: there is none.
fn step_over(connection: &Connection, from: u64) -> rusqlite::Result<Option<Raw>> {
    let mut keys = connection.prepare_cached("SELECT seq FROM journal WHERE seq >= ?1 ORDER BY seq LIMIT 2")?;
    for distance in (0..62).map(|power| (1u64 << power) - 1) {
        let Ok(found) = keys
            .query_map([signed(from.saturating_add(distance))], |row| row.get::<_, i64>(0))
            .and_then(Iterator::collect::<rusqlite::Result<Vec<i64>>>)
        else {
            continue;
        };
        let damaged = |first, last| Raw::Damaged { first, last, at: None, reason: "SQLite cannot read these rows" };
        return Ok(match (distance, found.as_slice()) {
            // Its key can be read, its body not.
            (0, [key, next]) => Some(damaged(*key as u64, *next as u64 - 1)),
            (0, [key]) => Some(damaged(*key as u64, *key as u64)),
            (_, [key, ..]) => Some(damaged(from, *key as u64 - 1)),
            (_, []) => None,
        });
    }
    Ok(None)
}

fn digests(connection: &Connection, from: u64, until: u64) -> rusqlite::Result<Vec<Raw>> {
    let mut select = connection
        .prepare_cached("SELECT seq, at, digest, crc FROM digest WHERE seq BETWEEN ?1 AND ?2 ORDER BY seq")?;
    let found = select.query_map([signed(from), signed(until)], |row| {
        let numbers: [i64; 3] = [row.get(0)?, row.get(1)?, row.get(2)?];
        let intact = database::checksum(numbers, &[]) == row.get::<_, i64>(3)?;
        let [seq, at, digest] = numbers;
        // A damaged fingerprint proves nothing, and nothing else is lost with it.
        Ok(intact.then_some(Raw::Digest { seq: seq as u64, at: Timestamp(at), digest: digest as u64 }))
    })?;
    found.filter_map(Result::transpose).collect()
}

/// Only which there are: their bodies are large.
fn keyframes(connection: &Connection, from: u64, until: u64) -> rusqlite::Result<Vec<Raw>> {
    let mut select = connection
        .prepare_cached("SELECT seq, after FROM keyframe WHERE kind = ?1 AND seq BETWEEN ?2 AND ?3 ORDER BY seq")?;
    let kind = KeyframeKind::Resume.number();
    let found = select.query_map([kind, signed(from), signed(until)], |row| {
        let (seq, after) = (row.get::<_, i64>(0)?, row.get::<_, i64>(1)?);
        // Its checksum is looked at when it is read; a damaged number must not lead astray before.
        Ok(Raw::Keyframe { seq: seq as u64, after: after.clamp(0, seq.max(0)) as u64 })
    })?;
    found.collect()
}

/// One keyframe, checked and decoded.
pub(crate) fn keyframe(
    connection: &Connection,
    path: &Path,
    kind: KeyframeKind,
    seq: u64,
) -> Result<PlantState, OpenError> {
    let (at, after, version, crc, body): (i64, i64, i64, i64, Vec<u8>) = connection
        .query_row(
            "SELECT at, after, version, crc, body FROM keyframe WHERE seq = ?1 AND kind = ?2",
            params![signed(seq), kind.number()],
            |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?, row.get(3)?, row.get(4)?)),
        )
        .map_err(|source| OpenError::sqlite(path, source))?;
    let damaged = |what: String| OpenError::damaged(path, format!("keyframe {seq}: {what}"));
    if database::checksum([seq as i64, kind.number(), at, after], &body) != crc {
        return Err(damaged("does not match its checksum".to_owned()));
    }
    if version > i64::from(archive::VERSION) {
        return Err(OpenError::Newer { path: path.to_owned(), found: version, known: i64::from(archive::VERSION) });
    }
    archive::from_bytes(&body).map_err(|malformed| damaged(malformed.to_string()))
}
