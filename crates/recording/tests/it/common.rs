//! What the tests share: a header, batches that say which they are, and reading a file back whole.

use lineside_model::state::{PlantState, Shift};
use lineside_model::{Batch, Input, Sample, StatusCode, TagId, Timestamp, Value};
use lineside_recording::{Header, Row, ShiftFile};
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

pub(crate) const PATIENCE: Duration = Duration::from_secs(20);

pub(crate) fn header() -> Header {
    Header {
        writer: "Lineside test".into(),
        config_text: "[site]\n".into(),
        config_path: "plant.toml".into(),
        line: "Line 3".into(),
        time_zone: "Europe/Berlin".into(),
        shift: Shift { name: "Early".into(), start: Timestamp(1), end: Timestamp(2), crew: None, scheduled: true },
        date: "2026-11-21".into(),
        clock_source: "test".into(),
    }
}

pub(crate) fn state(seq: u64) -> PlantState {
    PlantState { seq, at: Timestamp(seq as i64 * 1_000), ..PlantState::default() }
}

/// Batch with `n` inputs whose values are their sequence numbers.
pub(crate) fn batch(first_seq: u64, n: u64) -> Arc<Batch> {
    let inputs = (first_seq..first_seq + n).map(|seq| {
        Input::Sample(Sample {
            tag: TagId((seq % 50) as u32),
            value: Value::UInt(seq),
            status: StatusCode::GOOD,
            source_time: Some(Timestamp(seq as i64 * 1_000)),
            server_time: None,
        })
    });
    Arc::new(Batch { first_seq, at: Timestamp((first_seq + n) as i64 * 1_000), inputs: inputs.collect() })
}

pub(crate) fn rows(path: &Path, after_seq: u64) -> Vec<Row> {
    let file = ShiftFile::open(path).expect("opens");
    file.rows(after_seq).map(|row| row.expect("reads")).collect()
}

/// The rows in short: `b1-3` batch, `d3` digest, `k9` keyframe, `x4-6` damaged.
pub(crate) fn short(rows: &[Row]) -> String {
    let one = |row: &Row| match row {
        Row::Batch(batch) => format!("b{}-{}", batch.first_seq, batch.last_seq()),
        Row::Keyframe { seq, .. } => format!("k{seq}"),
        Row::Digest { seq, .. } => format!("d{seq}"),
        Row::Damaged { first_seq, last_seq, .. } => format!("x{first_seq}-{last_seq}"),
    };
    rows.iter().map(one).collect::<Vec<_>>().join(" ")
}

/// Every input of every batch says its sequence number: are they as written?
pub(crate) fn assert_as_written(rows: &[Row]) {
    for row in rows {
        let Row::Batch(found) = row else { continue };
        assert_eq!(found.inputs, batch(found.first_seq, found.inputs.len() as u64).inputs);
    }
}
