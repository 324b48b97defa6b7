//! Where the keyframes of a recording stand, and the parts into which blocks and keyframes divide it.

use crate::block::BlockInfo;
use crate::raw::signed;
use crate::{KeyframeKind, database};
use lineside_model::Timestamp;
use rusqlite::Connection;

/// Where an intact keyframe stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Place {
    pub(crate) seq: u64,
    pub(crate) kind: KeyframeKind,
    pub(crate) at: Timestamp,
    /// Sequence numbers behind it, up to its own, were never recorded.
    pub(crate) after: u64,
    crc: i64,
}

/// The keyframes of all kinds known here, one per sequence number. A damaged one is none: its stamp would lead astray.
/// Their bodies are large, so that those in `known` are not looked at again, and those in passing between two of `blocks`
/// only when they are decoded: nothing goes by their stamps but which of them to try first.
pub(crate) fn places(connection: &Connection, known: &[Place], blocks: &[BlockInfo]) -> rusqlite::Result<Vec<Place>> {
    let mut select = connection.prepare_cached(
        "SELECT seq, kind, at, after, crc FROM keyframe WHERE kind IN (0, 1, 2) AND seq >= 0 ORDER BY seq, kind",
    )?;
    let mut rows = select.query([])?;
    let mut places: Vec<Place> = Vec::new();
    while let Some(row) = rows.next()? {
        let numbers: [i64; 4] = [row.get(0)?, row.get(1)?, row.get(2)?, row.get(3)?];
        let crc = row.get(4)?;
        let kind = match numbers[1] {
            0 => KeyframeKind::Start,
            1 => KeyframeKind::Resume,
            _ => KeyframeKind::Periodic,
        };
        let place = Place { seq: numbers[0] as u64, kind, at: Timestamp(numbers[2]), after: numbers[3] as u64, crc };
        // Of two out of order, one is damaged.
        while places.last().is_some_and(|last| last.at > place.at && !is_intact(connection, last)) {
            places.pop();
        }
        let is_next = places.last().is_none_or(|last| last.seq < place.seq && last.at <= place.at);
        let in_passing = kind == KeyframeKind::Periodic && is_between(blocks, place.seq);
        if is_next && (known.contains(&place) || in_passing || is_intact(connection, &place)) {
            places.push(place);
        }
    }
    Ok(places)
}

/// Does a block end with the input `seq`, and the next one begin behind it?
fn is_between(blocks: &[BlockInfo], seq: u64) -> bool {
    let next = blocks.partition_point(|block| block.seq0 <= seq);
    next > 0 && blocks[next - 1].seq1 == seq && blocks.get(next).is_some_and(|block| block.seq0 == seq + 1)
}

/// Where a part of a recording lies. Its ends in time are those that the block or intact keyframes vouch for.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct PartPlace {
    /// It holds the inputs after this one, up to `until`.
    pub(crate) after: u64,
    pub(crate) until: u64,
    /// Nothing in it lies before `from` or after `to`.
    pub(crate) from: Timestamp,
    pub(crate) to: Timestamp,
    pub(crate) what: What,
}

/// What a part is.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum What {
    Block(BlockInfo),
    Journal,
    /// It should be there, and is not.
    Missing,
}

impl PartPlace {
    /// The same inputs, in the same form.
    pub(crate) fn is_same(&self, other: &PartPlace) -> bool {
        (self.after, self.until, self.what) == (other.after, other.until, other.what)
    }
}

/// The parts after the first keyframe, in order. The last is the journal's open end.
pub(crate) fn parts(
    connection: &Connection,
    places: &[Place],
    blocks: &[BlockInfo],
) -> rusqlite::Result<Vec<PartPlace>> {
    let Some(start) = places.first() else { return Ok(Vec::new()) };
    let mut parts = Vec::new();
    let mut after = start.seq;
    for block in blocks.iter().copied() {
        if block.seq1 <= after {
            continue;
        }
        journal_between(connection, places, after, block.seq0.saturating_sub(1), &mut parts)?;
        parts.push(part(places, after.max(block.seq0.saturating_sub(1)), block.seq1, What::Block(block)));
        after = block.seq1;
    }
    journal_between(connection, places, after, u64::MAX, &mut parts)?;
    Ok(parts)
}

/// The journal after one input and up to another, divided by keyframes.
fn journal_between(
    connection: &Connection,
    places: &[Place],
    mut after: u64,
    until: u64,
    parts: &mut Vec<PartPlace>,
) -> rusqlite::Result<()> {
    let mut rows = connection.prepare_cached("SELECT 1 FROM journal WHERE seq BETWEEN ?1 AND ?2 LIMIT 1")?;
    let inside = places.iter().map(|place| place.seq).filter(|seq| *seq < until);
    for end in inside.chain([until]) {
        if end <= after {
            continue;
        }
        let was_never = |place: &Place| place.kind == KeyframeKind::Resume && place.after <= after && end <= place.seq;
        if end == u64::MAX || rows.exists([signed(after + 1), signed(end)])? {
            parts.push(part(places, after, end, What::Journal));
        } else if !places.iter().any(was_never) {
            parts.push(part(places, after, end, What::Missing));
        }
        after = end;
    }
    Ok(())
}

fn part(places: &[Place], after: u64, until: u64, what: What) -> PartPlace {
    let begin = places.iter().rev().find(|place| place.seq <= after);
    let end = places.iter().find(|place| place.seq >= until);
    let (from, to) = match what {
        What::Block(block) => (block.at0, block.at1),
        _ => (begin.map_or(Timestamp::MIN, |place| place.at), end.map_or(Timestamp::MAX, |place| place.at)),
    };
    PartPlace { after, until, from, to, what }
}

fn is_intact(connection: &Connection, place: &Place) -> bool {
    let numbers = [signed(place.seq), place.kind.number(), place.at.0, place.after as i64];
    let read = || -> rusqlite::Result<bool> {
        let mut body = connection.prepare_cached("SELECT body FROM keyframe WHERE seq = ?1 AND kind = ?2")?;
        body.query_row([numbers[0], numbers[1]], |row| {
            Ok(database::checksum(numbers, row.get_ref(0)?.as_blob()?) == place.crc)
        })
    };
    read().unwrap_or(false)
}
