//! Events: an index of what the engine found notable, so that "the next of this kind" and the lanes of a time bar
//! need no replay.
//!
//! Promise: derived while live from the same inputs that the journal holds, and committed in their order. They are never
//! input to replay: a file without them, or with damaged ones, replays as before. The numbers of the kinds belong to the
//! engine; nothing here interprets them. A damaged row is left out and logged.

use crate::{OpenError, ShiftFile, database};
use lineside_model::{ConnectionId, StatusCode, TagId, Text, Timestamp, UnitId};
use rusqlite::{Connection, OptionalExtension, Row, params};
use std::ops::RangeInclusive;

/// Something that happened, as the index has it. What does not apply is `None`, 0 or empty.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub struct Event {
    /// Sequence number of the last input applied when it happened.
    pub seq: u64,
    /// Counts the events of the same (`at`, `seq`) from 0. The three are the event's place: one that is recorded again at
    /// its place (after a crash, from the same inputs) replaces itself.
    pub order: u32,
    /// When it happened, on the clock of the stamps.
    pub at: Timestamp,
    pub kind: u16,
    pub priority: Option<u8>,
    pub tag: Option<TagId>,
    pub connection: Option<ConnectionId>,
    pub unit: Option<UnitId>,
    /// State and mode of a unit from here on, and whether they are known.
    pub state: u8,
    pub mode: u8,
    pub known: bool,
    /// The stretch of time that it speaks of.
    pub from: Option<Timestamp>,
    pub to: Option<Timestamp>,
    /// How many values were lost, or found.
    pub lost: Option<u64>,
    pub status: StatusCode,
    pub detail: Text,
}

/// Which way to look.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Direction {
    /// The first strictly after an instant.
    After,
    /// The last strictly before an instant.
    Before,
}

impl ShiftFile {
    /// Has this file had an index of events from its very beginning? Otherwise what [`ShiftFile::events`] tells is not all
    /// that happened, and only a pass through the file finds the rest.
    pub fn has_all_events(&self) -> Result<bool, OpenError> {
        self.read(is_complete)
    }

    /// All events with `from <= at <= to`, in the order in which they happened.
    pub fn events(&self, from: Timestamp, to: Timestamp) -> Result<Vec<Event>, OpenError> {
        self.read(|connection| between(connection, from..=to))
    }

    /// The nearest event of one of `kinds` (none: of any kind) that `accept` takes, strictly after or before `at`. Events
    /// of one instant are one step: the first of them that fits stands for it.
    pub fn next_event(
        &self,
        kinds: &[u16],
        at: Timestamp,
        direction: Direction,
        accept: &dyn Fn(&Event) -> bool,
    ) -> Result<Option<Event>, OpenError> {
        self.read(|connection| next(connection, kinds, at, direction, accept))
    }
}

/// In the meta table: events are recorded from the beginning of the file.
const META_COMPLETE: &str = "events";

/// Idempotent: files of earlier programs get the table when the first event comes.
const TABLE: &str = "
    CREATE TABLE IF NOT EXISTS event (at INTEGER, seq INTEGER, ord INTEGER, kind INTEGER, priority INTEGER, tag INTEGER,
        connection INTEGER, unit INTEGER, state INTEGER, mode INTEGER, known INTEGER, since INTEGER, until INTEGER,
        lost INTEGER, status INTEGER, detail TEXT, crc INTEGER, PRIMARY KEY (at, seq, ord)) WITHOUT ROWID;
    CREATE INDEX IF NOT EXISTS event_kind ON event (kind, at, seq, ord);
";
const INSERT: &str =
    "INSERT OR REPLACE INTO event VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16, ?17)";

/// Part of the transaction that creates a file.
pub(crate) fn create(connection: &Connection) -> rusqlite::Result<()> {
    connection.execute_batch(TABLE)?;
    connection.execute("INSERT OR REPLACE INTO meta (k, v) VALUES (?1, 1)", [META_COMPLETE]).map(|_one| ())
}

/// Writes events, in a transaction of the caller's. Returns about how many bytes they take.
pub(crate) fn write(connection: &Connection, events: &[Event]) -> rusqlite::Result<usize> {
    connection.execute_batch(TABLE)?;
    let mut insert = connection.prepare_cached(INSERT)?;
    let mut bytes = 0;
    for event in events {
        let id = |id: u32| i64::from(id);
        let time = |at: Timestamp| at.0;
        bytes += insert.execute(params![
            event.at.0,
            event.seq as i64,
            event.order,
            event.kind,
            event.priority,
            event.tag.map(|tag| id(tag.0)),
            event.connection.map(|connection| id(connection.0)),
            event.unit.map(|unit| id(unit.0)),
            event.state,
            event.mode,
            event.known,
            event.from.map(time),
            event.to.map(time),
            event.lost.map(|lost| lost as i64),
            event.status.0,
            &*event.detail,
            checksum(event),
        ])? * (64 + event.detail.len());
    }
    Ok(bytes)
}

/// The index does not tell all that happened in this file.
pub(crate) fn set_incomplete(connection: &Connection) -> rusqlite::Result<()> {
    connection.execute("DELETE FROM meta WHERE k = ?1", [META_COMPLETE]).map(drop)
}

pub(crate) fn is_complete(connection: &Connection) -> rusqlite::Result<bool> {
    let row = connection.query_row("SELECT 1 FROM meta WHERE k = ?1", [META_COMPLETE], |_row| Ok(()));
    Ok(row.optional()?.is_some())
}

/// How many there are of each kind, by the numbers of the kinds.
pub(crate) fn counts(connection: &Connection) -> rusqlite::Result<Vec<(u16, u64)>> {
    if !exists(connection)? {
        return Ok(Vec::new());
    }
    let mut select = connection.prepare_cached("SELECT kind, count(*) FROM event GROUP BY kind ORDER BY kind")?;
    let found = select.query_map([], |row| Ok((row.get(0)?, row.get::<_, i64>(1)? as u64)))?;
    found.collect()
}

pub(crate) fn between(connection: &Connection, range: RangeInclusive<Timestamp>) -> rusqlite::Result<Vec<Event>> {
    Ok(checked(connection, range)?.into_iter().filter_map(intact).collect())
}

/// Every event of the range; the damaged ones as `Err`.
pub(crate) fn checked(
    connection: &Connection,
    range: RangeInclusive<Timestamp>,
) -> rusqlite::Result<Vec<Result<Event, Damaged>>> {
    if !exists(connection)? {
        return Ok(Vec::new());
    }
    let mut select =
        connection.prepare_cached("SELECT * FROM event WHERE at BETWEEN ?1 AND ?2 ORDER BY at, seq, ord")?;
    select.query_map([range.start().0, range.end().0], |row| Ok(event(row)))?.collect()
}

/// A row of the index that is not as it was written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Damaged;

pub(crate) fn next(
    connection: &Connection,
    kinds: &[u16],
    at: Timestamp,
    direction: Direction,
    accept: &dyn Fn(&Event) -> bool,
) -> rusqlite::Result<Option<Event>> {
    if !exists(connection)? {
        return Ok(None);
    }
    let mut best = None;
    let any = [None];
    let some: Vec<Option<u16>> = kinds.iter().copied().map(Some).collect();
    for kind in if some.is_empty() { &any[..] } else { &some } {
        let found = next_of(connection, *kind, at, direction, accept)?;
        best = [best, found].into_iter().flatten().min_by_key(|event| nearness(event, direction));
    }
    Ok(best)
}

/// Smaller is nearer; at one instant the first counts, whichever way one came.
fn nearness(event: &Event, direction: Direction) -> (i128, u64, u32) {
    let at = i128::from(event.at.0);
    (if direction == Direction::After { at } else { -at }, event.seq, event.order)
}

fn next_of(
    connection: &Connection,
    kind: Option<u16>,
    at: Timestamp,
    direction: Direction,
    accept: &dyn Fn(&Event) -> bool,
) -> rusqlite::Result<Option<Event>> {
    let which = if kind.is_some() { "kind = ?2" } else { "?2 IS NULL" };
    let order = match direction {
        Direction::After => "at > ?1 ORDER BY at, seq, ord",
        Direction::Before => "at < ?1 ORDER BY at DESC, seq, ord",
    };
    let mut select = connection.prepare_cached(&format!("SELECT * FROM event WHERE {which} AND {order}"))?;
    let mut rows = select.query(params![at.0, kind])?;
    while let Some(row) = rows.next()? {
        if let Some(event) = intact(event(row)).filter(accept) {
            return Ok(Some(event));
        }
    }
    Ok(None)
}

fn exists(connection: &Connection) -> rusqlite::Result<bool> {
    connection.table_exists(Some("main"), "event")
}

fn intact(event: Result<Event, Damaged>) -> Option<Event> {
    if event.is_err() {
        tracing::warn!("a row in the index of events is damaged");
    }
    event.ok()
}

fn event(row: &Row) -> Result<Event, Damaged> {
    let (event, crc) = fields(row).map_err(|_not_such_a_number| Damaged)?;
    if crc == checksum(&event) { Ok(event) } else { Err(Damaged) }
}

fn fields(row: &Row) -> rusqlite::Result<(Event, i64)> {
    let time = |column| Ok::<_, rusqlite::Error>(row.get::<_, Option<i64>>(column)?.map(Timestamp));
    let event = Event {
        at: Timestamp(row.get(0)?),
        seq: row.get::<_, i64>(1)? as u64,
        order: row.get(2)?,
        kind: row.get(3)?,
        priority: row.get(4)?,
        tag: row.get::<_, Option<u32>>(5)?.map(TagId),
        connection: row.get::<_, Option<u32>>(6)?.map(ConnectionId),
        unit: row.get::<_, Option<u32>>(7)?.map(UnitId),
        state: row.get(8)?,
        mode: row.get(9)?,
        known: row.get(10)?,
        from: time(11)?,
        to: time(12)?,
        lost: row.get::<_, Option<i64>>(13)?.map(|lost| lost as u64),
        status: StatusCode(row.get(14)?),
        detail: row.get::<_, String>(15)?.into(),
    };
    Ok((event, row.get(16)?))
}

/// Of all fields: a number that changed on the disk is noticed.
fn checksum(event: &Event) -> i64 {
    let mut body = Vec::with_capacity(96 + event.detail.len());
    let mut number = |number: Option<i64>| {
        body.push(u8::from(number.is_some()));
        body.extend_from_slice(&number.unwrap_or_default().to_le_bytes());
    };
    number(event.priority.map(i64::from));
    number(event.tag.map(|id| id.0.into()));
    number(event.connection.map(|id| id.0.into()));
    number(event.unit.map(|id| id.0.into()));
    number(Some(i64::from_le_bytes([event.state, event.mode, event.known.into(), 0, 0, 0, 0, 0])));
    number(event.from.map(|at| at.0));
    number(event.to.map(|at| at.0));
    number(event.lost.map(|lost| lost as i64));
    number(Some(event.status.0.into()));
    body.extend_from_slice(event.detail.as_bytes());
    database::checksum([event.at.0, event.seq as i64, event.order.into(), event.kind.into()], &body)
}
