//! The check of a whole recording: is everything there, and does replay reach the states that were live?

use lineside_api::wire::{DamageView, VerifyView};
use lineside_model::Timestamp;
use lineside_recording::{Report, Row, ShiftFile};
use lineside_runtime::{Replay, ReplayError};
use std::path::Path;
use std::time::Instant;

/// Reads the file from end to end, twice: its rows, then through the engine.
pub(crate) fn verify(path: &Path) -> Result<VerifyView, ReplayError> {
    let began = Instant::now();
    let file = ShiftFile::open(path)?;
    let read = file.verify()?;
    let mut replay = Replay::of(file.clone())?;
    let replayed = replay.run(|_| ())?;
    let differs_at = replayed.mismatches.first().map(|first| first.at);
    Ok(VerifyView {
        intact: read.is_intact() && differs_at.is_none(),
        batches: read.batches as f64,
        inputs: read.inputs as f64,
        blocks: read.blocks as u32,
        keyframes: read.keyframes as u32,
        digests_equal: replayed.digests_equal as u32,
        digests: replayed.digests_equal as u32 + replayed.mismatches.len() as u32,
        differs_at_ms: differs_at.map(Timestamp::as_millis_f64),
        damaged: damaged(&file, &read)?,
        structure: [read.structure, read.beside].concat(),
        took_ms: began.elapsed().as_secs_f64() * 1e3,
    })
}

/// The damaged stretches with the stamps around them.
fn damaged(file: &ShiftFile, read: &Report) -> Result<Vec<DamageView>, ReplayError> {
    if read.damaged.is_empty() {
        return Ok(Vec::new()); // no third pass for a file that is whole
    }
    let mut damaged: Vec<DamageView> = Vec::new();
    let mut last = None;
    for row in file.rows(file.start()?.seq) {
        match row? {
            Row::Batch(batch) => {
                let open = damaged.iter_mut().rev().take_while(|damage| damage.to_ms.is_none());
                open.for_each(|damage| damage.to_ms = Some(batch.at.as_millis_f64()));
                last = Some(batch.at);
            }
            Row::Damaged { first_seq, last_seq, reason, .. } => damaged.push(DamageView {
                from_ms: last.map(Timestamp::as_millis_f64),
                to_ms: None,
                inputs: (last_seq - first_seq + 1) as f64,
                reason,
            }),
            Row::Keyframe { .. } | Row::Digest { .. } => {}
        }
    }
    Ok(damaged)
}
