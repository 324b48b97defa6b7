//! A stretch of a recording as rows of a table: values, values that were fetched afterwards, gaps, and what cannot be read.
//!
//! Rows come in the order in which Lineside took them in, by the time at which it did.

use lineside_export::{About, Error, Format, Row as TableRow, SourceError, TagAbout, Written};
use lineside_model::report::Fill;
use lineside_model::{Gap, GapReason, GapScope, Input, PlantConfig, PlantState, Sample, TagId, Timestamp};
use lineside_recording::{OpenError, Reader, Row, Rows, ShiftFile};
use lineside_runtime::ReplayError;
use std::collections::{BTreeSet, VecDeque};
use std::path::Path;
use std::sync::atomic::AtomicBool;

/// What of a recording is wanted.
pub(crate) struct Part<'a> {
    pub(crate) file: &'a ShiftFile,
    /// Instants of taking in, both ends included.
    pub(crate) from: Timestamp,
    pub(crate) to: Timestamp,
    /// Empty: all.
    pub(crate) tags: BTreeSet<TagId>,
}

/// Why there is no table.
#[derive(Debug, thiserror::Error)]
pub(crate) enum TableError {
    #[error(transparent)]
    Open(#[from] OpenError),
    #[error(transparent)]
    Replay(#[from] ReplayError),
    #[error(transparent)]
    Export(#[from] Error),
}

/// Writes the part into the file `target`, whole or not at all.
pub(crate) fn write(part: &Part, format: Format, target: &Path, cancel: &AtomicBool) -> Result<Written, TableError> {
    let header = part.file.header();
    let config = lineside_config::parse(&header.config_text, Path::new(&header.config_path));
    let config = config.map_err(ReplayError::Config)?;
    let state = Reader::new(part.file.clone()).keyframe_before(part.from)?;
    let about = about(part.file, &config, &state);
    let config_of = |tag: TagId| config.tags.get(tag.0 as usize).map(|tag| tag.connection);
    let concerns = |gap: &Gap| match gap.scope {
        GapScope::Plant => true,
        GapScope::Tag(tag) => part.tags.is_empty() || part.tags.contains(&tag),
        GapScope::Connection(id) => part.tags.is_empty() || part.tags.iter().any(|tag| config_of(*tag) == Some(id)),
    };
    let rows = part.file.rows(state.seq);
    let mut rows = TableRows { part, concerns: &concerns, rows, ready: VecDeque::new(), ended: false };
    Ok(lineside_export::write(format, target, &about, &mut rows, cancel)?)
}

fn about(file: &ShiftFile, config: &PlantConfig, state: &PlantState) -> About {
    let header = file.header();
    let tags = config.tags.iter().zip(&state.tags);
    About {
        line: header.line.clone(),
        shift: format!("{} {}", header.date, header.shift.name).trim_end().to_owned(),
        time_zone: header.time_zone.clone(),
        configuration: header.config_path.clone(),
        recording: file.path().file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default(),
        program: format!("Lineside {}", env!("CARGO_PKG_VERSION")),
        tags: tags.map(|(tag, state)| TagAbout::of(tag, state.meta.as_deref())).collect(),
        connections: config.connections.iter().map(|connection| connection.name.clone()).collect(),
    }
}

/// The rows of a part, read as they are asked for.
struct TableRows<'a> {
    part: &'a Part<'a>,
    /// Is a gap one of the tags wanted?
    concerns: &'a dyn Fn(&Gap) -> bool,
    rows: Rows,
    ready: VecDeque<TableRow>,
    ended: bool,
}

impl Iterator for TableRows<'_> {
    type Item = Result<TableRow, SourceError>;

    fn next(&mut self) -> Option<Self::Item> {
        loop {
            if let Some(row) = self.ready.pop_front() {
                return Some(Ok(row));
            }
            if self.ended {
                return None;
            }
            match self.rows.next() {
                None => self.ended = true,
                Some(Err(error)) => {
                    self.ended = true;
                    return Some(Err(error.into()));
                }
                Some(Ok(row)) => self.take(row),
            }
        }
    }
}

impl TableRows<'_> {
    fn take(&mut self, row: Row) {
        match row {
            Row::Batch(batch) if batch.at > self.part.to => self.ended = true,
            Row::Batch(batch) if batch.at >= self.part.from => {
                batch.inputs.iter().for_each(|input| self.take_input(batch.at, input));
            }
            Row::Damaged { at, reason, .. } if at.is_none_or(|at| at >= self.part.from && at <= self.part.to) => {
                self.ready.push_back(TableRow::Unreadable { at, why: reason });
            }
            Row::Batch(_) | Row::Damaged { .. } | Row::Keyframe { .. } | Row::Digest { .. } => {}
        }
    }

    fn take_input(&mut self, received: Timestamp, input: &Input) {
        match input {
            Input::Sample(sample) if self.wants(sample.tag) => {
                self.ready.push_back(TableRow::Value { received, sample: sample.clone(), fetched: false });
            }
            Input::Fill(fill) if self.wants(fill.tag) => self.take_fill(received, fill),
            Input::Gap(gap) => self.take_gap(received, *gap),
            Input::Started { stopped: Some(from) } => {
                let reason = GapReason::NotRunning;
                self.take_gap(received, Gap { scope: GapScope::Plant, from: *from, to: received, reason, lost: None });
            }
            _ => {}
        }
    }

    fn take_fill(&mut self, received: Timestamp, fill: &Fill) {
        self.ready.extend(fill.values.iter().map(|value| {
            let sample = Sample {
                tag: fill.tag,
                value: value.value.clone(),
                status: value.status,
                source_time: value.source_time,
                server_time: value.server_time,
            };
            TableRow::Value { received, sample, fetched: true }
        }));
    }

    fn take_gap(&mut self, received: Timestamp, gap: Gap) {
        if (self.concerns)(&gap) {
            self.ready.push_back(TableRow::Gap { received, gap });
        }
    }

    fn wants(&self, tag: TagId) -> bool {
        self.part.tags.is_empty() || self.part.tags.contains(&tag)
    }
}
