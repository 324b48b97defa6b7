//! The keyframes of a recording: where they stand, and that they are intact.

use crate::{KeyframeKind, database};
use lineside_model::Timestamp;
use rusqlite::{Connection, params};

/// Where an intact keyframe stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Place {
    pub(crate) seq: u64,
    pub(crate) kind: KeyframeKind,
    pub(crate) at: Timestamp,
    crc: i64,
}

/// The intact keyframes of all kinds known here, one per sequence number. Those in `known` are not looked at again: their
/// bodies are large. A damaged one is none: its stamp would lead astray.
pub(crate) fn places(connection: &Connection, known: &[Place]) -> rusqlite::Result<Vec<Place>> {
    let mut select = connection.prepare_cached(
        "SELECT seq, kind, at, after, crc FROM keyframe WHERE kind IN (0, 1, 2) ORDER BY seq, kind DESC",
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
        let place = Place { seq: numbers[0] as u64, kind, at: Timestamp(numbers[2]), crc };
        let is_next = places.last().is_none_or(|last| last.seq < place.seq && last.at <= place.at);
        if is_next && (known.contains(&place) || is_intact(connection, numbers, crc)) {
            places.push(place);
        }
    }
    Ok(places)
}

fn is_intact(connection: &Connection, numbers: [i64; 4], crc: i64) -> bool {
    let body = "SELECT body FROM keyframe WHERE seq = ?1 AND kind = ?2";
    let intact = connection.query_row(body, params![numbers[0], numbers[1]], |row| {
        Ok(database::checksum(numbers, row.get_ref(0)?.as_blob()?) == crc)
    });
    intact.unwrap_or(false)
}
