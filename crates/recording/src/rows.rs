//! Streaming a file in replay order, in bounded memory, while it may still be written.
//!
//! Each portion is read in one short transaction on a connection of its own: a long read would keep the writer's log
//! from shrinking, and an open connection would keep it from closing the file.

use crate::block::{self, Block, BlockInfo, Fault, Piece, Pieces};
use crate::raw::{self, Raw};
use crate::{KeyframeKind, OpenError, codec, database};
use lineside_model::archive;
use lineside_model::state::PlantState;
use lineside_model::{Batch, Timestamp};
use miniz_oxide::inflate::decompress_to_vec_zlib_with_limit as inflate;
use rusqlite::{Connection, ErrorCode, params};
use std::collections::VecDeque;
use std::path::{Path, PathBuf};

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
/// error it asks the file again for the same rows, unless they are damaged beyond reading: then it has ended.
pub struct Rows {
    path: PathBuf,
    ready: VecDeque<Raw>,
    /// What is left of a sealed block; `ready` then holds what was noted meanwhile.
    pieces: Option<Pieces>,
    /// Rows of a batch that lie before this are dropped: the caller has them.
    after_seq: u64,
    /// The sequence number that must come next.
    expected: u64,
    /// Next keys to ask for: of inputs, sealed or not, digests and keyframes.
    inputs_from: Option<u64>,
    digest_from: u64,
    keyframe_from: u64,
    /// Nothing more can be read.
    broken: bool,
}

impl Rows {
    /// `start_seq` is the sequence number of the start state.
    pub(crate) fn new(path: PathBuf, after_seq: u64, start_seq: u64) -> Rows {
        // From the start on, also what was noted of the start state itself.
        let noted_from = if after_seq <= start_seq { start_seq } else { after_seq.saturating_add(1) };
        let after_seq = after_seq.max(start_seq);
        let next = after_seq.saturating_add(1);
        Rows {
            path,
            ready: VecDeque::new(),
            pieces: None,
            after_seq,
            expected: next,
            inputs_from: None,
            digest_from: noted_from,
            keyframe_from: noted_from,
            broken: false,
        }
    }

    fn fill(&mut self) -> Result<(), OpenError> {
        let connection = database::connect_for_reading(&self.path)?;
        let failed = |source| OpenError::sqlite(&self.path, source);
        connection.execute_batch("BEGIN").map_err(failed)?; // ends with the connection
        while self.portion(&connection).map_err(|source| OpenError::sqlite(&self.path, source))? {}
        Ok(())
    }

    /// One consistent portion of all tables. The keys to ask for next move only when all of it was read. True: it holds
    /// nothing that was asked for, but there is more.
    fn portion(&mut self, connection: &Connection) -> rusqlite::Result<bool> {
        let blocks = block::readable_list(connection)?;
        let from = match self.inputs_from {
            Some(from) => from,
            None => first_key(connection, &blocks, self.after_seq)?,
        };
        let block = blocks.into_iter().find(|block| block.seq1 >= from);
        let end = block.map_or(u64::MAX, |block| block.seq0);
        let mut found = if end <= from { Found::default() } else { journal(connection, from, end)? };
        match block {
            Some(block) if found.rows.is_empty() && !found.more => found = sealed(connection, &block, from)?,
            Some(_) => found.more = true,
            None => {}
        }
        let Found { mut rows, pieces, next, more } = found;
        let next = next.unwrap_or(from);
        let until = if more { next - 1 } else { i64::MAX as u64 };
        rows.retain(|row| row.order().0 > self.after_seq);
        // What these two lose is not lost unseen: a digest only proves, and without its keyframe a hole is damage.
        let digests = raw::as_far_as_readable(raw::digests(connection, self.digest_from, until))?;
        let keyframes = raw::as_far_as_readable(raw::keyframes(connection, self.keyframe_from, until))?;
        self.inputs_from = Some(next);
        self.digest_from = digests.last().map_or(self.digest_from, |row| row.order().0 + 1);
        self.keyframe_from = keyframes.last().map_or(self.keyframe_from, |row| row.order().0 + 1);
        rows.extend(digests);
        rows.extend(keyframes);
        rows.sort_by_key(Raw::order);
        self.ready = rows.into();
        self.pieces = pieces;
        if let Some(pieces) = &mut self.pieces {
            pieces.skip_to(self.after_seq.max(from.saturating_sub(1)));
        }
        Ok(more && self.ready.is_empty() && self.next_piece().is_none())
    }

    /// Numbers of the piece of a block that comes next.
    fn next_piece(&mut self) -> Option<(u64, u64)> {
        self.pieces.as_mut().and_then(Pieces::peek)
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

    /// A piece of a block, without the inputs up to `after_seq`.
    fn unpacked(&mut self, piece: Piece) -> Row {
        let skip = |first: u64| (self.after_seq + 1).saturating_sub(first);
        match piece {
            Piece::Batch(mut batch) => {
                self.expected = batch.last_seq() + 1;
                let skip = skip(batch.first_seq);
                batch.inputs.drain(..skip as usize);
                batch.first_seq += skip;
                Row::Batch(batch)
            }
            Piece::Lost { first, last, at, reason } => {
                self.expected = last + 1;
                let first_seq = first + skip(first);
                Row::Damaged { first_seq, last_seq: last, at: Some(at), reason: reason.to_string() }
            }
        }
    }

    fn row(&mut self, raw: Raw) -> Result<Row, OpenError> {
        Ok(match raw {
            Raw::Batch { first, last, at, n, body } => {
                self.expected = last + 1;
                batch(first, last, at, n, &body, self.after_seq)
            }
            Raw::Damaged { first, last, at, reason } => {
                // Where SQLite cannot read, the stretch is a guess from the rows around it.
                let first_seq = first.max(self.expected).min(last);
                self.expected = last + 1;
                Row::Damaged { first_seq, last_seq: last, at, reason: reason.into_owned() }
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
        if self.broken {
            return None;
        }
        if self.ready.is_empty()
            && self.next_piece().is_none()
            && let Err(error) = self.fill()
        {
            self.broken = matches!(error, OpenError::Damaged { .. });
            return Some(Err(error));
        }
        // Inputs come before what was noted of the state after them.
        let noted = self.ready.front().map_or(u64::MAX, |row| row.order().0);
        let piece = self.next_piece().filter(|(_, last)| *last <= noted);
        let first = match (piece, self.ready.front()) {
            (Some((first, _)), _) => first,
            (None, Some(Raw::Batch { first, .. } | Raw::Damaged { first, .. })) => *first,
            // What lies between `after` and the keyframe was never recorded; what lies before must be there.
            (None, Some(Raw::Keyframe { after, .. })) => after + 1,
            (None, Some(Raw::Digest { .. })) => 0,
            (None, None) => return None,
        };
        if let Some(hole) = self.hole_before(first) {
            self.expected = first;
            return Some(Ok(hole));
        }
        if piece.is_some() {
            let piece = self.pieces.as_mut()?.next()?;
            return Some(Ok(self.unpacked(piece)));
        }
        let raw = self.ready.pop_front()?;
        Some(self.row(raw))
    }
}

/// What a portion has of inputs.
#[derive(Default)]
struct Found {
    rows: Vec<Raw>,
    pieces: Option<Pieces>,
    /// Where to go on; `None`: at the same place.
    next: Option<u64>,
    /// There may be more after it.
    more: bool,
}

/// Where reading starts so that what lies after the input `seq` is met.
fn first_key(connection: &Connection, blocks: &[BlockInfo], seq: u64) -> rusqlite::Result<u64> {
    let behind = blocks.iter().rfind(|block| block.seq0 <= seq).map_or(0, |block| (block.seq1 + 1).min(seq + 1));
    match raw::key_at_or_before(connection, seq) {
        // Whatever can be read of the journal comes behind its beginning.
        Err(error) if error.sqlite_error_code() == Some(ErrorCode::DatabaseCorrupt) => Ok(behind),
        key => Ok(key?.max(behind)),
    }
}

/// Journal rows between these keys.
fn journal(connection: &Connection, from: u64, end: u64) -> rusqlite::Result<Found> {
    let (rows, more) = raw::journal(connection, from, end)?;
    let next = rows.last().map(|row| row.order().0 + 1);
    Ok(Found { rows, pieces: None, next, more })
}

/// A block from the input `from` on.
fn sealed(connection: &Connection, info: &BlockInfo, from: u64) -> rusqlite::Result<Found> {
    let mut found = Found { next: Some(info.seq1 + 1), more: true, ..Found::default() };
    match Block::open(connection, info.id).and_then(|block| block.pieces(connection)) {
        Ok(pieces) => found.pieces = Some(pieces),
        Err(Fault::Damaged(reason)) => {
            let reason = format!("block {}: {reason}", info.id).into();
            let first = info.seq0.max(from);
            found.rows.push(Raw::Damaged { first, last: info.seq1, at: Some(info.at0), reason });
        }
        Err(Fault::Sqlite(error)) => return Err(error),
    }
    Ok(found)
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

/// How many keyframes are tried before the start state is taken: damage lies rarely in all of them.
const NEWEST: i64 = 8;

/// Places of the newest keyframes of the kinds known, newest first.
pub(crate) fn newest_keyframes(connection: &Connection) -> rusqlite::Result<Vec<(KeyframeKind, u64)>> {
    let mut statement = connection.prepare_cached(
        "SELECT kind, seq FROM keyframe WHERE kind IN (0, 1, 2) ORDER BY seq DESC, kind DESC LIMIT ?1",
    )?;
    let rows = statement.query_map([NEWEST], |row| {
        let (kind, seq): (i64, i64) = (row.get(0)?, row.get(1)?);
        let kind = match kind {
            0 => KeyframeKind::Start,
            1 => KeyframeKind::Resume,
            _ => KeyframeKind::Periodic,
        };
        Ok((kind, seq as u64))
    })?;
    rows.collect()
}

/// Added to the version of a keyframe whose body is a zlib stream (RFC 1950).
pub(crate) const DEFLATED: i64 = 256;
/// No state is larger: a forged stream cannot make us reserve more.
const STATE_MAX: usize = 1 << 28;

/// Sequence numbers of all keyframes in passing, which no replay of the whole file reads.
pub(crate) fn periodic_keyframes(connection: &Connection) -> rusqlite::Result<Vec<u64>> {
    let mut statement = connection.prepare("SELECT seq FROM keyframe WHERE kind = ?1 ORDER BY seq")?;
    let rows =
        statement.query_map([KeyframeKind::Periodic.number()], |row| row.get::<_, i64>(0).map(|seq| seq as u64))?;
    rows.collect()
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
            params![raw::signed(seq), kind.number()],
            |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?, row.get(3)?, row.get(4)?)),
        )
        .map_err(|source| OpenError::sqlite(path, source))?;
    let damaged = |what: String| OpenError::damaged(path, format!("keyframe {seq}: {what}"));
    if database::checksum([seq as i64, kind.number(), at, after], &body) != crc {
        return Err(damaged("does not match its checksum".to_owned()));
    }
    let (deflated, version) = (version & DEFLATED != 0, version & !DEFLATED);
    if version > i64::from(archive::VERSION) {
        return Err(OpenError::Newer { path: path.to_owned(), found: version, known: i64::from(archive::VERSION) });
    }
    let body = if deflated {
        inflate(&body, STATE_MAX).map_err(|wrong| damaged(format!("cannot be inflated ({:?})", wrong.status)))?
    } else {
        body
    };
    archive::decode(&body).map_err(|malformed| damaged(malformed.to_string()))
}
