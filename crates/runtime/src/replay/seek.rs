//! The state at an instant, without playing through everything before it.

use super::player::stamp;
use super::run::ReplayError;
use lineside_engine::{Change, Engine, Notice};
use lineside_model::{PlantConfig, Span, Timestamp};
use lineside_recording::{Damage, Reader, ShiftFile};
use std::sync::Arc;

/// A state reached, and what was met on the way to it.
pub(super) struct Stand {
    pub(super) engine: Engine,
    /// Met on the way, in order; the state is doubtful if there is any.
    pub(super) damaged: Vec<Damage>,
    /// Those from the keyframe on.
    pub(super) notices: Vec<Notice>,
}

/// The first and the last instant of a file. One that goes on from another begins with a state that may be hours old:
/// the first input counts.
pub(super) fn bounds(file: &ShiftFile) -> Result<(Timestamp, Timestamp), ReplayError> {
    match file.bounds()? {
        Some(bounds) => Ok(bounds),
        None => file.start().map(|start| (start.at, start.at)).map_err(ReplayError::from),
    }
}

/// The state at `at`: all inputs stamped up to then that still matter, and every deadline due by then.
pub(super) fn stand(reader: &mut Reader, config: &Arc<PlantConfig>, at: Timestamp) -> Result<Stand, ReplayError> {
    let state = reader.keyframe_before(at)?;
    let mut engine = Engine::from_state(Arc::clone(config), state);
    let lead = reader.lead(engine.state(), at, &|tag| engine.needs_every(tag))?;
    if let Some(base) = lead.base {
        engine = Engine::from_state(Arc::clone(config), base);
    }
    let (mut changes, mut notices) = (Vec::new(), Vec::new());
    for (seq, stamp, input) in &lead.inputs {
        engine.apply(*seq, *stamp, input, &mut changes);
        keep_notices(&mut changes, &mut notices);
    }
    engine.advance_to(at, &mut changes);
    keep_notices(&mut changes, &mut notices);
    Ok(Stand { engine, damaged: lead.damaged, notices })
}

/// The state at `at`, if a keyframe behind the input `last_seq` leads there.
pub(super) fn stand_behind(
    reader: &mut Reader,
    config: &Arc<PlantConfig>,
    at: Timestamp,
    last_seq: u64,
) -> Result<Option<Stand>, ReplayError> {
    let behind = reader.keyframe_before(at)?.seq > last_seq;
    if behind { stand(reader, config, at).map(Some) } else { Ok(None) }
}

/// The last instant before `at` at which anything was recorded.
pub(super) fn change_before(reader: &mut Reader, at: Timestamp) -> Result<Option<Timestamp>, ReplayError> {
    let mut until = at - Span(1);
    loop {
        let state = reader.keyframe_before(until)?;
        let mut last = None;
        for row in reader.file().rows(state.seq) {
            match stamp(&row?) {
                Some(stamp) if stamp >= at => break,
                Some(stamp) => last = Some(stamp),
                None => {}
            }
        }
        let begun = state.at;
        if last.is_some() || begun > until {
            return Ok(last);
        }
        let next = begun - Span(1);
        if reader.keyframe_before(next)?.seq == state.seq {
            return Ok(None); // the beginning of the file
        }
        until = next;
    }
}

fn keep_notices(changes: &mut Vec<Change>, notices: &mut Vec<Notice>) {
    notices.extend(changes.drain(..).filter_map(|change| match change {
        Change::Notice(notice) => Some(notice),
        _ => None,
    }));
}
