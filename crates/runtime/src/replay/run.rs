//! A `.shift` file from one end to the other at full speed, held against the digests that were written while live.

use crate::step;
use lineside_config::Errors;
use lineside_engine::{Change, Engine};
use lineside_model::{PlantConfig, PlantState, Timestamp, UnitId};
use lineside_recording::{OpenError, Row, ShiftFile};
use std::path::Path;
use std::sync::Arc;

/// A file being replayed.
pub struct Replay {
    file: ShiftFile,
    engine: Engine,
    report: ReplayReport,
}

/// What a run through a file found.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ReplayReport {
    pub batches: u64,
    pub inputs: u64,
    /// Digests written while live that replay reached too.
    pub digests_equal: u64,
    /// Digests that differ: where, what was recorded, what replay has.
    pub mismatches: Vec<Mismatch>,
    /// Stretches that cannot be read, in words.
    pub damaged: Vec<String>,
}

/// A point at which replay does not reach the state that the live session had.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Mismatch {
    pub seq: u64,
    pub at: Timestamp,
    pub live: u64,
    pub replay: u64,
}

/// Why a file cannot be replayed.
#[derive(Debug, thiserror::Error)]
pub enum ReplayError {
    #[error(transparent)]
    Open(#[from] OpenError),
    #[error("the configuration inside the recording is not valid: {0}")]
    Config(Errors),
    #[error("no thread could be started for the replay")]
    Thread(#[source] std::io::Error),
    #[error("the replay has ended")]
    Ended,
}

impl Replay {
    /// Opens a file and stands at its beginning.
    pub fn open(path: &Path) -> Result<Replay, ReplayError> {
        Replay::of(ShiftFile::open(path)?)
    }

    /// Stands at the beginning of an open file.
    pub fn of(file: ShiftFile) -> Result<Replay, ReplayError> {
        let state = file.start()?;
        Replay::from(file, state)
    }

    /// Stands at the last keyframe of an open file: the quick way to its end.
    pub fn latest(file: ShiftFile) -> Result<Replay, ReplayError> {
        let state = file.latest()?;
        Replay::from(file, state)
    }

    fn from(file: ShiftFile, state: PlantState) -> Result<Replay, ReplayError> {
        let header = file.header();
        let config =
            lineside_config::parse(&header.config_text, Path::new(&header.config_path)).map_err(ReplayError::Config)?;
        let engine = Engine::from_state(Arc::new(config), state);
        Ok(Replay { file, engine, report: ReplayReport::default() })
    }

    /// Plays to the end at full speed; `after` sees the engine after every batch.
    pub fn run(&mut self, mut after: impl FnMut(&Engine)) -> Result<&ReplayReport, ReplayError> {
        self.watch(|engine, _changes| after(engine))
    }

    /// As [`Replay::run`]; `after` also sees what each step changed.
    pub fn watch(&mut self, mut after: impl FnMut(&Engine, &[Change])) -> Result<&ReplayReport, ReplayError> {
        self.watch_while(|engine, changes| {
            after(engine, changes);
            true
        })
    }

    /// As [`Replay::watch`], until `after` says that it is enough.
    pub fn watch_while(
        &mut self,
        mut after: impl FnMut(&Engine, &[Change]) -> bool,
    ) -> Result<&ReplayReport, ReplayError> {
        let mut changes = Vec::new();
        for row in self.file.rows(self.engine.state().seq) {
            take(&mut self.engine, &mut self.report, row?, &mut changes);
            let goes_on = after(&self.engine, &changes);
            changes.clear();
            if !goes_on {
                break;
            }
        }
        Ok(&self.report)
    }

    /// The state reached.
    pub fn state(&self) -> &PlantState {
        self.engine.state()
    }

    /// What the run so far found.
    pub fn report(&self) -> &ReplayReport {
        &self.report
    }

    /// The file.
    pub fn file(&self) -> &ShiftFile {
        &self.file
    }

    /// The configuration that was in force.
    pub fn config(&self) -> &Arc<PlantConfig> {
        self.engine.config()
    }

    /// Gives up the session and keeps the state it reached.
    pub fn into_engine(self) -> Engine {
        self.engine
    }
}

fn take(engine: &mut Engine, report: &mut ReplayReport, row: Row, changes: &mut Vec<Change>) {
    match row {
        Row::Batch(batch) => {
            report.batches += 1;
            report.inputs += batch.inputs.len() as u64;
            step::apply(engine, &batch, changes);
        }
        Row::Keyframe { state, .. } => {
            *engine = Engine::from_state(engine.config().clone(), state);
            let units = 0..engine.config().units.len() as u32;
            changes.extend(units.map(|unit| Change::Strip(UnitId(unit))));
        }
        Row::Digest { seq, .. } if seq != engine.state().seq => {
            let told = !report.damaged.is_empty(); // the inputs before it are damaged
            report.damaged.extend((!told).then(|| format!("the fingerprint after input {seq} is out of its place")));
        }
        Row::Digest { seq, at, digest } => {
            engine.advance_to(at, changes);
            compare(engine, report, Mismatch { seq, at, live: digest, replay: 0 });
        }
        Row::Damaged { reason, .. } => report.damaged.push(reason),
    }
}

fn compare(engine: &Engine, report: &mut ReplayReport, recorded: Mismatch) {
    let replay = engine.digest();
    if replay == recorded.live {
        report.digests_equal += 1;
    } else {
        tracing::error!(seq = recorded.seq, "replay does not reach the state that was live");
        report.mismatches.push(Mismatch { replay, ..recorded });
    }
}
