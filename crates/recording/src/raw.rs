//! Rows as the file has them, in portions: which are intact, and where the damaged ones belong.

use crate::{KeyframeKind, database};
use lineside_model::Timestamp;
use rusqlite::{Connection, ErrorCode, OptionalExtension};
use std::borrow::Cow;
use std::ops::Range;

/// A portion ends when its bodies pass this many bytes.
const PORTION: usize = 1 << 20;
/// What a row costs beyond its body, so that many tiny rows end a portion too.
const ROW_COST: usize = 100;

/// A row as the file has it.
pub(crate) enum Raw {
    Batch { first: u64, last: u64, at: Timestamp, n: i64, body: Vec<u8> },
    Digest { seq: u64, at: Timestamp, digest: u64 },
    Keyframe { seq: u64, after: u64 },
    Damaged { first: u64, last: u64, at: Option<Timestamp>, reason: Cow<'static, str> },
}

impl Raw {
    pub(crate) fn order(&self) -> (u64, u8) {
        match self {
            Raw::Batch { last, .. } | Raw::Damaged { last, .. } => (*last, 0),
            Raw::Digest { seq, .. } => (*seq, 1),
            Raw::Keyframe { seq, .. } => (*seq, 2),
        }
    }
}

/// Where reading starts so that a batch which `seq` lies within is met. SQLite's keys are signed.
pub(crate) fn key_at_or_before(connection: &Connection, seq: u64) -> rusqlite::Result<u64> {
    let key: Option<i64> = connection
        .query_row("SELECT seq FROM journal WHERE seq <= ?1 ORDER BY seq DESC LIMIT 1", [signed(seq)], |row| row.get(0))
        .optional()?;
    Ok(key.map_or(0, |key| key.max(0) as u64))
}

pub(crate) fn signed(seq: u64) -> i64 {
    i64::try_from(seq).unwrap_or(i64::MAX)
}

/// Journal rows from the key `from` on and before the key `end`, and whether there may be more of them.
pub(crate) fn journal(connection: &Connection, from: u64, end: u64) -> rusqlite::Result<(Vec<Raw>, bool)> {
    let mut rows: Vec<Raw> = Vec::new();
    let (begin, mut from, mut size) = (from, from, 0);
    let more = loop {
        let error = match journal_run(connection, from..end, &mut rows, &mut size) {
            Ok(more) => break more,
            Err(error) => error,
        };
        from = rows.last().map_or(from, |row| row.order().0 + 1);
        if error.sqlite_error_code() != Some(ErrorCode::DatabaseCorrupt) {
            return Err(error);
        }
        match step_over(connection, from..end)? {
            Some(damage) => {
                from = damage.order().0 + 1;
                size += ROW_COST;
                rows.push(damage);
            }
            // What was read comes first; the next portion meets this place again.
            None if rows.is_empty() => return Err(error),
            None => break true,
        }
    };
    settle(&mut rows, begin..end);
    Ok((rows, more))
}

/// Reads rows up to the size of a portion, or up to the first that SQLite cannot read. True: there may be more. A
/// portion never ends with a damaged row, because its key may be damaged too and is no place to go on from.
fn journal_run(
    connection: &Connection,
    keys: Range<u64>,
    rows: &mut Vec<Raw>,
    size: &mut usize,
) -> rusqlite::Result<bool> {
    let mut select = connection
        .prepare_cached("SELECT seq, at, n, crc, body FROM journal WHERE seq >= ?1 AND seq < ?2 ORDER BY seq")?;
    let mut found = select.query([signed(keys.start), signed(keys.end)])?;
    let mut free = keys.start;
    while let Some(row) = found.next()? {
        let (seq, at, n): (i64, i64, i64) = (row.get(0)?, row.get(1)?, row.get(2)?);
        if seq < signed(free) || seq >= signed(keys.end) {
            continue; // damaged branches of the tree lead back: nothing is read twice
        }
        let body: Vec<u8> = row.get(4).unwrap_or_default();
        *size += body.len() + ROW_COST;
        // A damaged count must not move the reading position: an input takes at least two bytes.
        let count = n.clamp(1, (body.len() as i64 / 2).max(1));
        let (first, last, at) = (seq as u64, seq.saturating_add(count - 1) as u64, Timestamp(at));
        if count == n && row.get(3) == Ok(database::checksum([seq, at.0, n], &body)) {
            rows.push(Raw::Batch { first, last, at, n, body });
            free = last + 1;
            if *size >= PORTION {
                return Ok(true);
            }
        } else {
            rows.push(Raw::Damaged { first, last, at: Some(at), reason: "the row does not match its checksum".into() });
        }
    }
    Ok(false)
}

/// Intact rows vouch for their place by their checksums; damaged ones between them are fitted in, or dropped when
/// nothing is left for them (the reader then reports what is missing).
fn settle(rows: &mut Vec<Raw>, keys: Range<u64>) {
    let mut next = keys.end;
    for row in rows.iter_mut().rev() {
        match row {
            Raw::Damaged { last, .. } => *last = (*last).min(next - 1),
            Raw::Batch { first, .. } => next = *first,
            Raw::Digest { .. } | Raw::Keyframe { .. } => {}
        }
    }
    let mut free = keys.start;
    rows.retain_mut(|row| {
        if let Raw::Damaged { first, last, .. } = row {
            *first = if *first > *last { free } else { free.max(*first) };
            if *first > *last {
                return false;
            }
        }
        free = row.order().0 + 1;
        true
    });
}

/// Where SQLite itself cannot read: the stretch up to the next row that it can, found by its key alone, trying
/// farther and farther away. `None`: there is none.
fn step_over(connection: &Connection, keys: Range<u64>) -> rusqlite::Result<Option<Raw>> {
    let Range { start: from, end } = keys;
    let mut keys =
        connection.prepare_cached("SELECT seq FROM journal WHERE seq >= ?1 AND seq < ?2 ORDER BY seq LIMIT 2")?;
    for distance in (0..62).map(|power| (1u64 << power) - 1) {
        let least = signed(from.saturating_add(distance));
        let Ok(found) = keys
            .query_map([least, signed(end)], |row| row.get::<_, i64>(0))
            .and_then(Iterator::collect::<rusqlite::Result<Vec<i64>>>)
        else {
            continue;
        };
        let (first, last) = match (distance, found.as_slice()) {
            (_, []) => return Ok(None),
            (_, [key, ..]) if *key < least => continue, // a damaged branch that leads back
            // Its key can be read, its body not.
            (0, [key, next]) if next > key => (*key as u64, *next as u64 - 1),
            (0, [key, ..]) => (*key as u64, *key as u64),
            (_, [key, ..]) => (from, *key as u64 - 1),
        };
        return Ok(Some(Raw::Damaged { first, last, at: None, reason: "SQLite cannot read these rows".into() }));
    }
    Ok(None)
}

/// Without the rest when SQLite cannot read all of it.
pub(crate) fn as_far_as_readable(rows: rusqlite::Result<Vec<Raw>>) -> rusqlite::Result<Vec<Raw>> {
    match rows {
        Err(error) if error.sqlite_error_code() == Some(ErrorCode::DatabaseCorrupt) => {
            tracing::warn!(%error, "part of a recording cannot be read");
            Ok(Vec::new())
        }
        other => other,
    }
}

pub(crate) fn digests(connection: &Connection, from: u64, until: u64) -> rusqlite::Result<Vec<Raw>> {
    let mut select = connection
        .prepare_cached("SELECT seq, at, digest, crc FROM digest WHERE seq BETWEEN ?1 AND ?2 ORDER BY seq")?;
    let found = select.query_map([signed(from), signed(until)], |row| {
        let numbers: [i64; 3] = [row.get(0)?, row.get(1)?, row.get(2)?];
        let intact = database::checksum(numbers, &[]) == row.get::<_, i64>(3)?;
        let [seq, at, digest] = numbers;
        // A damaged fingerprint proves nothing, and nothing else is lost with it.
        Ok(intact.then_some(Raw::Digest { seq: seq as u64, at: Timestamp(at), digest: digest as u64 }))
    })?;
    found.filter_map(Result::transpose).filter(|row| is_within(row, from, until)).collect()
}

/// How many fingerprints do not match their checksums. A replay passes them over, a check tells them.
pub(crate) fn damaged_digests(connection: &Connection) -> rusqlite::Result<u64> {
    let mut select = connection.prepare("SELECT seq, at, digest, crc FROM digest")?;
    let mut found = select.query([])?;
    let mut damaged = 0;
    while let Some(row) = found.next()? {
        let numbers: [i64; 3] = [row.get(0)?, row.get(1)?, row.get(2)?];
        damaged += u64::from(database::checksum(numbers, &[]) != row.get::<_, i64>(3)?);
    }
    Ok(damaged)
}

/// Only which there are: their bodies are large.
pub(crate) fn keyframes(connection: &Connection, from: u64, until: u64) -> rusqlite::Result<Vec<Raw>> {
    let mut select = connection
        .prepare_cached("SELECT seq, after FROM keyframe WHERE kind = ?1 AND seq BETWEEN ?2 AND ?3 ORDER BY seq")?;
    let kind = KeyframeKind::Resume.number();
    let found = select.query_map([kind, signed(from), signed(until)], |row| {
        let (seq, after) = (row.get::<_, i64>(0)?, row.get::<_, i64>(1)?);
        // Its checksum is looked at when it is read; a damaged number must not lead astray before.
        Ok(Raw::Keyframe { seq: seq as u64, after: after.clamp(0, seq.max(0)) as u64 })
    })?;
    found.filter(|row| is_within(row, from, until)).collect()
}

/// Damaged branches of the tree lead to other keys than were asked for.
fn is_within(row: &rusqlite::Result<Raw>, from: u64, until: u64) -> bool {
    row.as_ref().map_or(true, |row| (from..=until).contains(&row.order().0))
}
