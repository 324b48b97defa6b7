//! Start-up is a replay: the last keyframe and what lies after it through the same step, then live.

use crate::clock::Clock;
use crate::events::Chronicle;
use crate::live::Options;
use crate::replay::{Replay, ReplayError};
use crate::tape::{Origin, Tape};
use lineside_config::calendar::Calendar;
use lineside_engine::Engine;
use lineside_model::state::Shift;
use lineside_model::{PlantConfig, PlantState, Timestamp};
use lineside_recording::{Event, ShiftFile};
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// Where a live session begins.
pub(crate) struct Beginning {
    pub(crate) engine: Engine,
    pub(crate) tape: Tape,
    pub(crate) shift: Shift,
    /// The shift has not been told to the engine: its file is new.
    pub(crate) shift_is_new: bool,
    /// When Lineside last lived, as far as the recordings tell.
    pub(crate) stopped: Option<Timestamp>,
    /// Recordings that could not be used: place, problem and remedy in one sentence each.
    pub(crate) problems: Vec<String>,
}

/// What the recordings remember.
struct Memory {
    path: PathBuf,
    shift: Shift,
    state: PlantState,
    /// Of what lies after the last keyframe.
    events: Vec<Event>,
    /// The configuration is the one of that file, to the letter.
    same_config: bool,
}

/// Finds the state in which the program was left, and the file to go on with.
pub(crate) fn begin(
    config: &Arc<PlantConfig>,
    calendar: &Calendar,
    origin: &Origin,
    options: &Options,
    clock: &dyn Clock,
) -> Beginning {
    let mut problems = Vec::new();
    let memory = options.dir.as_deref().and_then(|dir| remember(dir, config, origin, &mut problems));
    let stopped = memory.as_ref().map(|memory| memory.state.at);
    let at = clock.now().max(stopped.unwrap_or(Timestamp::MIN));
    let shift = calendar.shift_at(at);
    let header = origin.header(shift.clone(), calendar.local_date(shift.start));

    let resumable = memory.as_ref().filter(|memory| memory.same_config && memory.shift == shift);
    let (tape, shift_is_new) = match (&options.dir, resumable) {
        (None, _) => (Tape::off(), true),
        (Some(dir), Some(memory)) => {
            (Tape::resume(dir, &memory.path, header, &memory.state, memory.events.clone()), false)
        }
        (Some(dir), None) => {
            let state = memory.as_ref().map_or_else(|| PlantState::new(config), |memory| memory.state.clone());
            (Tape::create(dir, header, &state, at), true)
        }
    };
    let engine = match memory {
        Some(memory) => Engine::from_state(Arc::clone(config), memory.state),
        None => Engine::new(Arc::clone(config)),
    };
    Beginning { engine, tape, shift, shift_is_new, stopped, problems }
}

/// Replays the newest readable file. A file that cannot be used is said so and left alone.
fn remember(dir: &Path, config: &Arc<PlantConfig>, origin: &Origin, problems: &mut Vec<String>) -> Option<Memory> {
    let found = lineside_recording::find_newest(dir);
    problems.extend(found.unreadable.iter().map(|error| chain(error)));
    let file = found.newest?;
    let path = file.path().to_owned();
    match replayed(file) {
        Ok((replay, events)) => {
            let report = replay.report();
            let damaged = report.damaged.iter().cloned();
            let differs = report.mismatches.iter().map(|at| format!("replay differs from what was live: {at:?}"));
            problems.extend(damaged.chain(differs).map(|what| format!("{}: {what}", path.display())));
            Some(memory_of(path, replay, events, config, origin))
        }
        Err(error) => {
            problems.push(chain(&error));
            None
        }
    }
}

/// An error with all of its causes.
fn chain(error: &dyn std::error::Error) -> String {
    let causes = std::iter::successors(error.source(), |cause| cause.source());
    causes.fold(error.to_string(), |text, cause| format!("{text} ({cause})"))
}

fn replayed(file: ShiftFile) -> Result<(Replay, Vec<Event>), ReplayError> {
    let mut replay = Replay::latest(file)?;
    let mut chronicle = Chronicle::after(replay.state());
    let mut events = Vec::new();
    replay.watch(|engine, changes| events.extend(chronicle.events_of(changes, engine.state())))?;
    Ok((replay, events))
}

fn memory_of(path: PathBuf, replay: Replay, events: Vec<Event>, config: &Arc<PlantConfig>, origin: &Origin) -> Memory {
    let header = replay.file().header();
    let same_config = header.config_text == origin.config_text;
    let shift = header.shift.clone();
    let engine = replay.into_engine();
    let state = if same_config { engine.state().clone() } else { carry_over(engine.config(), engine.state(), config) };
    Memory { path, shift, state, events, same_config }
}

/// What a state means under another configuration: units and tags keep what is known of them by name.
fn carry_over(old: &PlantConfig, state: &PlantState, new: &PlantConfig) -> PlantState {
    let mut carried = PlantState::new(new);
    (carried.at, carried.seq) = (state.at, state.seq);
    carried.gaps =
        state.gaps.iter().filter(|known| known.gap.scope == lineside_model::GapScope::Plant).copied().collect();
    for (unit, status) in new.units.iter().zip(&mut carried.units) {
        // The same tags must feed it, or its counters would mean something else.
        if let Some(index) = old.units.iter().position(|known| known.name == unit.name) {
            let (was, is) = (&old.units[index], unit);
            status.clone_from(&state.units[index]);
            if was.good.map(|c| &old.tag(c.tag).node) != is.good.map(|c| &new.tag(c.tag).node) {
                status.good = Default::default();
            }
            if was.reject.map(|c| &old.tag(c.tag).node) != is.reject.map(|c| &new.tag(c.tag).node) {
                status.reject = Default::default();
            }
        }
    }
    carried.output.clone_from(&state.output);
    carried
}
