//! One tag of a block, ready for use: what a search, a chart or a seek reads.

use super::column::values::Values;
use super::segment::{Column, TagEntry};
use super::skeleton::Skeleton;
use lineside_model::{Input, Sample, StatusCode, TagId, Timestamp, Value};

/// The samples of one tag in a block, in the order of replay.
#[derive(Clone, Debug)]
pub(crate) struct TagColumn {
    pub(crate) tag: TagId,
    /// Its source times do not descend and none is absent, or all are absent: then the last sample before an instant
    /// is what the engine would hold, as far as this block goes.
    pub(crate) monotone: bool,
    /// Source times of the first and the last sample, where both have one.
    pub(crate) source_ends: Option<(Timestamp, Timestamp)>,
    /// Sequence numbers.
    pub(crate) seqs: Vec<u64>,
    /// Stamps of the batches, nanoseconds since 1970.
    pub(crate) received: Vec<i64>,
    source: Vec<Option<Timestamp>>,
    server: Vec<Option<Timestamp>>,
    status: Vec<u32>,
    values: Values,
}

impl TagColumn {
    pub(super) fn new(entry: &TagEntry, column: Column, seqs: Vec<u64>, skeleton: &Skeleton) -> TagColumn {
        let Column { clock, places, status, values } = column;
        let received = places.iter().map(|place| skeleton.runs[clock.runs[place] as usize].at.0).collect();
        TagColumn {
            tag: entry.tag,
            monotone: entry.ordered,
            source_ends: entry.ends.map(|(first, last)| (Timestamp(first), Timestamp(last))),
            seqs,
            received,
            source: places.iter().map(|place| clock.source.get(place)).collect(),
            server: places.iter().map(|place| clock.server.get(place)).collect(),
            status,
            values,
        }
    }

    /// How many samples; at least one.
    pub(crate) fn len(&self) -> usize {
        self.seqs.len()
    }

    /// Sample `i`, as an input of replay.
    pub(crate) fn sample(&self, i: usize) -> Input {
        Input::Sample(Sample {
            tag: self.tag,
            value: self.value(i),
            status: self.status(i),
            source_time: self.source[i],
            server_time: self.server[i],
        })
    }

    pub(crate) fn value(&self, i: usize) -> Value {
        self.values.get(i)
    }

    pub(crate) fn status(&self, i: usize) -> StatusCode {
        StatusCode(self.status[i])
    }

    pub(crate) fn source_time(&self, i: usize) -> Option<Timestamp> {
        self.source[i]
    }

    pub(crate) fn server_time(&self, i: usize) -> Option<Timestamp> {
        self.server[i]
    }

    /// Source times, for charts.
    pub(crate) fn source_times(&self) -> &[Option<Timestamp>] {
        &self.source
    }

    /// Status codes.
    pub(crate) fn statuses(&self) -> &[u32] {
        &self.status
    }

    /// All values as numbers; NaN where one is none.
    pub(crate) fn numbers(&self) -> Vec<f64> {
        self.values.numbers()
    }
}
