//! The tables `block` and `seg`: their rows, checked.

use super::overview::{self, Bucket};
use super::pack::{Packed, PackedSegment};
use super::segment::Segment;
use super::skeleton::{self, Skeleton};
use super::unpack::Pieces;
use super::{BlockInfo, FORM, GROUPS, group_of};
use crate::database::checksum;
use crate::raw::signed;
use lineside_model::archive::Malformed;
use lineside_model::{TagId, Timestamp};
use rusqlite::types::ValueRef;
use rusqlite::{Connection, ErrorCode, OptionalExtension, Row, params};
use std::sync::Arc;

/// Why a part of a block cannot be read.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Fault {
    /// It costs this part; the rest can be read.
    #[error("{0}")]
    Damaged(String),
    /// The file cannot be read.
    #[error("reading failed")]
    Sqlite(#[from] rusqlite::Error),
}

impl From<Malformed> for Fault {
    fn from(malformed: Malformed) -> Fault {
        Fault::Damaged(malformed.to_string())
    }
}

const SCHEMA: &str = "
    CREATE TABLE IF NOT EXISTS block (id INTEGER PRIMARY KEY, seq0 INTEGER, seq1 INTEGER, at0 INTEGER, at1 INTEGER,
                                      n INTEGER, version INTEGER, head INTEGER, crc INTEGER, skeleton BLOB);
    CREATE TABLE IF NOT EXISTS seg (id INTEGER PRIMARY KEY, n INTEGER, src_min INTEGER, src_max INTEGER, crc INTEGER,
                                    ov_crc INTEGER, ov BLOB, body BLOB);
";
const INSERT_BLOCK: &str = "INSERT INTO block VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10)";
const INSERT_SEGMENT: &str = "INSERT INTO seg VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)";

/// Makes the tables where they are missing: with the first block a file becomes one of format 2.
pub(crate) fn create_tables(connection: &Connection) -> rusqlite::Result<()> {
    connection.execute_batch(SCHEMA)
}

/// Puts the block in the place of its journal rows. False: the journal does not hold exactly these; nothing is to be
/// committed.
pub(crate) fn delete_and_insert(connection: &Connection, packed: &Packed) -> rusqlite::Result<bool> {
    let ends = [signed(packed.seq0), signed(packed.seq1)];
    let deleted = connection.prepare_cached("DELETE FROM journal WHERE seq BETWEEN ?1 AND ?2")?.execute(ends)?;
    if deleted as u64 != packed.batches {
        return Ok(false);
    }
    let id: i64 = connection.query_row("SELECT coalesce(max(id), 0) + 1 FROM block", [], |row| row.get(0))?;
    let [seq0, seq1] = ends;
    let numbers = [id, seq0, seq1, packed.at0.0, packed.at1.0, packed.batches as i64, i64::from(FORM)];
    let (head, crc) = (checksum(numbers, &[]), checksum([id], &packed.skeleton));
    let [id, seq0, seq1, at0, at1, n, version] = numbers;
    let values = params![id, seq0, seq1, at0, at1, n, version, head, crc, packed.skeleton];
    connection.prepare_cached(INSERT_BLOCK)?.execute(values)?;
    for segment in &packed.segments {
        let id = segment_id(id, segment.group);
        let (least, most) = segment.source.unzip();
        let numbers = [id, segment.n as i64, least.unwrap_or(0), most.unwrap_or(0)];
        let crc = checksum(numbers, &segment.body);
        let ov_crc = checksum([id], &segment.overview);
        let values = params![id, numbers[1], least, most, crc, ov_crc, segment.overview, segment.body];
        connection.prepare_cached(INSERT_SEGMENT)?.execute(values)?;
    }
    Ok(true)
}

fn segment_id(block: i64, group: u32) -> i64 {
    block.saturating_mul(i64::from(GROUPS)).saturating_add(i64::from(group))
}

/// Is there a table of blocks?
fn exists(connection: &Connection) -> rusqlite::Result<bool> {
    let found =
        connection.prepare_cached("SELECT 1 FROM sqlite_schema WHERE type = 'table' AND name = 'block'")?.exists([])?;
    Ok(found)
}

/// The blocks in the order of their sequence numbers: those whose numbers match their checksum. That of the rest of a
/// block is looked at when it is read.
pub(crate) fn list(connection: &Connection) -> rusqlite::Result<Vec<BlockInfo>> {
    if !exists(connection)? {
        return Ok(Vec::new());
    }
    let mut select = connection.prepare_cached("SELECT id, seq0, seq1, at0, at1, n, version, head FROM block")?;
    let mut blocks: Vec<BlockInfo> =
        select.query_map([], info)?.filter_map(Result::transpose).collect::<Result<_, _>>()?;
    blocks.sort_by_key(|block| (block.seq0, block.id));
    blocks.dedup_by(|next, block| next.seq0 <= block.seq1); // damaged branches of the tree lead back
    Ok(blocks)
}

/// [`list`], as far as SQLite can read it.
pub(crate) fn readable_list(connection: &Connection) -> rusqlite::Result<Vec<BlockInfo>> {
    match list(connection) {
        Err(error) if error.sqlite_error_code() == Some(ErrorCode::DatabaseCorrupt) => {
            tracing::warn!(%error, "the blocks of a recording cannot be listed");
            Ok(Vec::new())
        }
        other => other,
    }
}

/// `None`: the numbers do not match their checksum.
fn info(row: &Row<'_>) -> rusqlite::Result<Option<BlockInfo>> {
    let mut numbers = [0; 8];
    for (i, number) in numbers.iter_mut().enumerate() {
        let ValueRef::Integer(found) = row.get_ref(i)? else { return Ok(None) };
        *number = found;
    }
    let [id, seq0, seq1, at0, at1, n, version, head] = numbers;
    if checksum([id, seq0, seq1, at0, at1, n, version], &[]) != head || seq0 < 0 || seq1 == i64::MAX {
        return Ok(None);
    }
    let info = BlockInfo { id, seq0: seq0 as u64, seq1: seq1 as u64, at0: Timestamp(at0), at1: Timestamp(at1) };
    Ok(Some(info).filter(|info| info.inputs().is_some()))
}

/// The last sequence number in blocks, and the stamp of the last batch in them.
pub(crate) fn last(connection: &Connection) -> rusqlite::Result<Option<(u64, Timestamp)>> {
    Ok(list(connection)?.pop().map(|last| (last.seq1, last.at1)))
}

/// A block for reading.
#[derive(Debug)]
pub(crate) struct Block {
    pub(crate) skeleton: Arc<Skeleton>,
}

impl Block {
    /// Reads the skeleton.
    pub(crate) fn open(connection: &Connection, id: i64) -> Result<Block, Fault> {
        let (info, body) = skeleton_row(connection, id)?;
        Ok(Block { skeleton: Arc::new(skeleton::decode(info, &body)?) })
    }

    /// The segment of a group; `None`: it has no samples in this block.
    pub(crate) fn segment(&self, connection: &Connection, group: u32) -> Result<Option<Segment>, Fault> {
        if self.skeleton.numbers.binary_search(&group).is_err() {
            return Ok(None);
        }
        let segment = Segment::open(segment_row(connection, self.skeleton.info.id, group)?)?;
        // It is of this block, and of the tags of this group.
        let tags = segment.entries.iter().all(|entry| group_of(entry.tag) == group);
        if segment.samples() > self.skeleton.samples() {
            return Err(Malformed("number of samples").into());
        }
        if tags { Ok(Some(segment)) } else { Err(Malformed("tags of another group").into()) }
    }

    /// All batches. Segments that are damaged are among the pieces.
    pub(crate) fn pieces(&self, connection: &Connection) -> Result<Pieces, Fault> {
        let mut segments = Vec::new();
        for group in &self.skeleton.numbers {
            segments.push(match self.segment(connection, *group) {
                Ok(Some(segment)) => Ok(segment),
                Ok(None) => Err("no such segment".to_owned()),
                Err(Fault::Damaged(reason)) => Err(reason),
                Err(failed) => return Err(failed),
            });
        }
        Ok(Pieces::new(self.skeleton.clone(), segments)?)
    }
}

/// The batches of a block that is not in a file yet.
pub(crate) fn unpacked(packed: &Packed) -> Result<Pieces, Malformed> {
    let Packed { seq0, seq1, at0, at1, .. } = *packed;
    let info = BlockInfo { id: 0, seq0, seq1, at0, at1 };
    let skeleton = Arc::new(skeleton::decode(info, &packed.skeleton)?);
    let open = |segment: &PackedSegment| Segment::open(segment.body.clone()).map_err(|malformed| malformed.to_string());
    Pieces::new(skeleton, packed.segments.iter().map(open).collect())
}

/// The overviews of the tags of a group in a block; empty when it has no samples there.
pub(crate) fn group_overview(
    connection: &Connection,
    block: &BlockInfo,
    group: u32,
) -> Result<Vec<(TagId, Vec<Bucket>)>, Fault> {
    let id = segment_id(block.id, group);
    let found = readable(
        connection
            .prepare_cached("SELECT ov_crc, ov FROM seg WHERE id = ?1")?
            .query_row([id], |row| Ok((row.get::<_, i64>(0)?, row.get::<_, Vec<u8>>(1)?)))
            .optional(),
    )?;
    let Some((crc, body)) = found else { return Ok(Vec::new()) };
    if checksum([id], &body) != crc {
        return Err(Fault::Damaged("the overview does not match its checksum".to_owned()));
    }
    let samples = block.inputs().unwrap_or(0);
    Ok(overview::decode(&body, block.at0, samples)?)
}

/// The groups of a block whose overviews cannot be read.
pub(crate) fn damaged_overviews(connection: &Connection, block: &BlockInfo) -> rusqlite::Result<Vec<u32>> {
    let ends = [segment_id(block.id, 0), segment_id(block.id, GROUPS - 1)];
    let mut ids = connection.prepare_cached("SELECT id FROM seg WHERE id BETWEEN ?1 AND ?2 ORDER BY id")?;
    let found = ids.query_map(ends, |row| row.get::<_, i64>(0))?.collect::<rusqlite::Result<Vec<_>>>()?;
    let mut damaged = Vec::new();
    for group in found.into_iter().map(|id| id.rem_euclid(i64::from(GROUPS)) as u32) {
        match group_overview(connection, block, group) {
            Ok(_) => {}
            Err(Fault::Damaged(_)) => damaged.push(group),
            Err(Fault::Sqlite(error)) => return Err(error),
        }
    }
    Ok(damaged)
}

fn skeleton_row(connection: &Connection, id: i64) -> Result<(BlockInfo, Vec<u8>), Fault> {
    let mut select = connection
        .prepare_cached("SELECT id, seq0, seq1, at0, at1, n, version, head, crc, skeleton FROM block WHERE id = ?1")?;
    let row = |row: &Row<'_>| Ok((info(row)?, row.get::<_, i64>(8)?, row.get::<_, Vec<u8>>(9)?));
    let Some((Some(info), crc, body)) = readable(select.query_row([id], row).optional())? else {
        return Err(Fault::Damaged("the row of the block cannot be read".to_owned()));
    };
    if checksum([id], &body) != crc {
        return Err(Fault::Damaged("the block does not match its checksum".to_owned()));
    }
    Ok((info, body))
}

fn segment_row(connection: &Connection, block: i64, group: u32) -> Result<Vec<u8>, Fault> {
    let id = segment_id(block, group);
    let mut select = connection.prepare_cached("SELECT n, src_min, src_max, crc, body FROM seg WHERE id = ?1")?;
    let row = |row: &Row<'_>| {
        let times = [row.get::<_, Option<i64>>(1)?.unwrap_or(0), row.get::<_, Option<i64>>(2)?.unwrap_or(0)];
        Ok(([id, row.get(0)?, times[0], times[1]], row.get::<_, i64>(3)?, row.get::<_, Vec<u8>>(4)?))
    };
    let found = readable(select.query_row([id], row).optional())?;
    let (numbers, crc, body) = found.ok_or_else(|| Fault::Damaged("the segment is missing".to_owned()))?;
    if checksum(numbers, &body) != crc {
        return Err(Fault::Damaged("the segment does not match its checksum".to_owned()));
    }
    Ok(body)
}

/// What SQLite cannot read in an otherwise readable file is damage of this part.
fn readable<T>(found: rusqlite::Result<T>) -> Result<T, Fault> {
    found.map_err(|error| match error {
        rusqlite::Error::SqliteFailure(why, _) if why.code != ErrorCode::DatabaseCorrupt => error.into(),
        other => Fault::Damaged(other.to_string()),
    })
}
