//! Sealing: journal rows become column blocks.
//!
//! Promise: a block takes the place of journal rows only after it was unpacked again and gave exactly what they hold,
//! and in one transaction. Rows that are damaged, or that do not come back equal, stay where they are. Reading and
//! packing need no lock; the writing takes as long as writing some hundred kilobytes.

use crate::block::{self, Builder, Packed, Piece};
use crate::error::words;
use crate::queue::Shared;
use crate::raw::{self, Raw, signed};
use crate::store::Store;
use crate::{OpenError, RecordError, ShiftFile, codec, database};
use lineside_model::{Batch, Input, Sample, Timestamp, Value};
use rusqlite::Connection;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::JoinHandle;

/// A block holds at most so many inputs, so that reading one takes bounded memory.
const INPUTS_MAX: u64 = 1_000_000;

/// What [`seal_file`] did.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub struct Sealed {
    /// Blocks made.
    pub blocks: u64,
    /// Inputs in them.
    pub inputs: u64,
}

/// Seals all of a file that nobody writes, and leaves one file. What is damaged stays in the journal.
pub fn seal_file(path: &Path) -> Result<Sealed, RecordError> {
    ShiftFile::open(path)?; // what cannot be read as a recording is left as it is
    let mut store = Store::open(path, Arc::default())?;
    let sealed = seal_rest(&mut store, &|| false)?;
    store.shrink()?;
    store.close().map_err(|error| match error {
        RecordError::Locked(path) => RecordError::StillRead(path),
        other => other,
    })?;
    Ok(sealed)
}

/// Seals what is in the journal, until told to stop.
pub(crate) fn seal_rest(store: &mut Store, stop: &dyn Fn() -> bool) -> Result<Sealed, RecordError> {
    let mut sealed = Sealed::default();
    let mut from = 0;
    while let Some(stretch) = prepare(store.path(), from, store.last_seq(), stop)? {
        from = stretch.next;
        if let Some(packed) = stretch.packed
            && store.seal(&packed)?
        {
            sealed.blocks += 1;
            sealed.inputs += packed.seq1 + 1 - packed.seq0;
        }
    }
    Ok(sealed)
}

/// A stretch of the journal, ready to be sealed.
#[derive(Debug)]
pub(crate) struct Prepared {
    /// `None`: it would not come back equal.
    pub(crate) packed: Option<Packed>,
    /// Where the next stretch begins at the earliest.
    pub(crate) next: u64,
}

/// Packs the first stretch of journal rows from the input `from` to `until`: rows that follow one another, up to a
/// keyframe or to the most that a block holds. `None`: there is none, or it was told to stop.
pub(crate) fn prepare(
    path: &Path,
    from: u64,
    until: u64,
    stop: &dyn Fn() -> bool,
) -> Result<Option<Prepared>, OpenError> {
    let connection = database::connect_for_reading(path)?;
    let failed = |source| OpenError::sqlite(path, source);
    let Some(rows) = stretch(&connection, from, until, stop).map_err(failed)? else { return Ok(None) };
    drop(connection); // packing takes longer than the writer should wait with its log
    let mut builder = Builder::default();
    for row in &rows {
        if stop() {
            return Ok(None);
        }
        // It was decoded once already, so this is never missed.
        codec::decode(row.at, &row.body).into_iter().for_each(|inputs| builder.push(row.batch(inputs)));
    }
    let next = rows.last().map_or(from, |row| row.first_seq + row.n);
    let Some(packed) = builder.finish(stop) else { return Ok(None) };
    let equal = comes_back(&packed, &rows);
    if !equal {
        let (file, first) = (path.display(), packed.seq0);
        tracing::error!(%file, first, next, "a block would not come back equal; these rows stay in the journal");
    }
    Ok(Some(Prepared { packed: equal.then_some(packed), next }))
}

/// A row of the journal, intact.
struct JournalRow {
    first_seq: u64,
    n: u64,
    at: Timestamp,
    body: Vec<u8>,
}

impl JournalRow {
    fn batch(&self, inputs: Vec<Input>) -> Batch {
        Batch { first_seq: self.first_seq, at: self.at, inputs }
    }
}

fn stretch(
    connection: &Connection,
    from: u64,
    until: u64,
    stop: &dyn Fn() -> bool,
) -> rusqlite::Result<Option<Vec<JournalRow>>> {
    let mut rows: Vec<JournalRow> = Vec::new();
    let (mut from, mut inputs, mut keyframe) = (from, 0, None);
    loop {
        if stop() {
            return Ok(None);
        }
        let (found, more) = raw::journal(connection, from, until.saturating_add(1))?;
        for row in found {
            from = row.order().0 + 1;
            let follows = |first| rows.last().is_none_or(|row| row.first_seq + row.n == first);
            let taken = match row {
                Raw::Batch { first, n, at, body, .. } if follows(first) && inputs + n as u64 <= INPUTS_MAX => {
                    let readable = codec::decode(at, &body).is_ok_and(|inputs| inputs.len() as i64 == n);
                    readable.then_some(JournalRow { first_seq: first, n: n as u64, at, body })
                }
                _ => None,
            };
            let Some(row) = taken else {
                // What cannot be sealed stays; what comes before it can.
                if rows.is_empty() { continue } else { return Ok(Some(rows)) }
            };
            let keyframe = match keyframe {
                Some(keyframe) => keyframe,
                None => *keyframe.insert(next_keyframe(connection, row.first_seq)?),
            };
            inputs += row.n;
            rows.push(row);
            if from > keyframe || inputs == INPUTS_MAX {
                return Ok(Some(rows));
            }
        }
        if !more {
            return Ok((!rows.is_empty()).then_some(rows));
        }
    }
}

/// The sequence number of the first keyframe at or after the input `seq`.
fn next_keyframe(connection: &Connection, seq: u64) -> rusqlite::Result<u64> {
    let least: Option<i64> =
        connection.query_row("SELECT min(seq) FROM keyframe WHERE seq >= ?1", [signed(seq)], |row| row.get(0))?;
    Ok(least.map_or(u64::MAX, |seq| seq as u64))
}

/// Does the block give what the rows hold, bit for bit?
fn comes_back(packed: &Packed, rows: &[JournalRow]) -> bool {
    let Ok(pieces) = block::unpacked(packed) else { return false };
    let mut rows = rows.iter();
    for piece in pieces {
        let (Piece::Batch(found), Some(row)) = (piece, rows.next()) else { return false };
        let inputs = codec::decode(row.at, &row.body).unwrap_or_default();
        let same_head = (found.first_seq, found.at) == (row.first_seq, row.at);
        if !same_head || found.inputs.len() != inputs.len() || !found.inputs.iter().zip(&inputs).all(is_same) {
            return false;
        }
    }
    rows.next().is_none()
}

fn is_same((left, right): (&Input, &Input)) -> bool {
    match (left, right) {
        (Input::Sample(left), Input::Sample(right)) => is_same_sample(left, right),
        _ => encoded(left) == encoded(right),
    }
}

/// Equal, and a NaN with all its bits.
fn is_same_sample(left: &Sample, right: &Sample) -> bool {
    let values = match (&left.value, &right.value) {
        (Value::Float(left), Value::Float(right)) => left.to_bits() == right.to_bits(),
        (left, right) => left == right,
    };
    let rest = |sample: &Sample| (sample.tag, sample.status, sample.source_time, sample.server_time);
    values && rest(left) == rest(right)
}

fn encoded(input: &Input) -> Vec<u8> {
    let mut bytes = Vec::new();
    codec::rare::put(&mut bytes, input);
    bytes
}

/// Packing on a thread of its own, one stretch: what it made waits in [`Shared`] for the writer.
pub(crate) struct Packer {
    stop: Arc<AtomicBool>,
    thread: JoinHandle<()>,
}

impl Packer {
    /// `None`: the thread could not be started; the rows stay in the journal.
    pub(crate) fn start(path: PathBuf, from: u64, until: u64, shared: Arc<Shared>) -> Option<Packer> {
        let stop = Arc::new(AtomicBool::new(false));
        let stopped = Arc::clone(&stop);
        let work = move || {
            let prepared = prepare(&path, from, until, &|| stopped.load(Ordering::Relaxed));
            let prepared = prepared.unwrap_or_else(|error| {
                tracing::warn!(reason = words(&error), "a stretch of the recording is not sealed yet");
                None
            });
            shared.lock().packed = Some(prepared);
            shared.work.notify_one();
        };
        let thread = std::thread::Builder::new().name("sealing".to_owned()).spawn(work);
        thread.ok().map(|thread| Packer { stop, thread })
    }

    /// Waits until the thread has ended; false: by a panic. With `stop` that is soon.
    pub(crate) fn end(self, stop: bool) -> bool {
        if stop {
            self.stop.store(true, Ordering::Relaxed);
        }
        self.thread.join().is_ok()
    }
}
