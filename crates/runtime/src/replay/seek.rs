//! The state at an instant, without playing through everything before it.

use super::player::{Damage, stamp};
use super::run::ReplayError;
use crate::step;
use lineside_engine::{Change, Engine, Notice};
use lineside_model::{PlantConfig, PlantState, Timestamp};
use lineside_recording::{Row, ShiftFile};
use std::sync::Arc;

/// A state reached, and what was met on the way to it.
pub(super) struct Stand {
    pub(super) engine: Engine,
    /// Met on the way, in order; the state is doubtful if there is any.
    pub(super) damaged: Vec<Damage>,
    /// Those from the keyframe on.
    pub(super) notices: Vec<Notice>,
}

/// The first and the last instant of a file.
pub(super) fn bounds(file: &ShiftFile) -> Result<(Timestamp, Timestamp), ReplayError> {
    let start = file.start()?;
    let first = file.rows(start.seq).find_map(|row| row.as_ref().ok().and_then(stamp));
    // A file that goes on from another begins with a state that may be hours old.
    let from = first.unwrap_or(start.at).max(start.at);
    Ok((from, file.last().map_or(from, |(_, to)| to.max(from))))
}

/// The state at `at`: all inputs stamped up to then, and every deadline due by then.
pub(super) fn stand(file: &ShiftFile, config: &Arc<PlantConfig>, at: Timestamp) -> Result<Stand, ReplayError> {
    reach(file, config, file.start()?, at)
}

/// The state at `at` from a keyframe behind the input `last_seq`; `None` while there is none.
pub(super) fn stand_behind(
    file: &ShiftFile,
    config: &Arc<PlantConfig>,
    at: Timestamp,
    last_seq: u64,
) -> Result<Option<Stand>, ReplayError> {
    let _ = (file, config, at, last_seq);
    Ok(None)
}

/// The last instant before `at` at which anything was recorded.
pub(super) fn change_before(file: &ShiftFile, at: Timestamp) -> Result<Option<Timestamp>, ReplayError> {
    let mut last = None;
    for row in file.rows(file.start()?.seq) {
        match stamp(&row?) {
            Some(stamp) if stamp >= at => break,
            Some(stamp) => last = Some(stamp),
            None => {}
        }
    }
    Ok(last)
}

fn reach(file: &ShiftFile, config: &Arc<PlantConfig>, state: PlantState, at: Timestamp) -> Result<Stand, ReplayError> {
    let rows = file.rows(state.seq);
    let engine = Engine::from_state(Arc::clone(config), state);
    let mut stand = Stand { engine, damaged: Vec::new(), notices: Vec::new() };
    let mut changes = Vec::new();
    for row in rows {
        let row = row?;
        if stamp(&row).is_some_and(|stamp| stamp > at) {
            break;
        }
        stand.take(row, &mut changes);
    }
    stand.engine.advance_to(at, &mut changes);
    stand.keep_notices(&mut changes);
    Ok(stand)
}

impl Stand {
    fn take(&mut self, row: Row, changes: &mut Vec<Change>) {
        match row {
            Row::Batch(batch) => step::apply(&mut self.engine, &batch, changes),
            Row::Keyframe { state, .. } => {
                self.engine = Engine::from_state(Arc::clone(self.engine.config()), state);
                self.damaged.clear();
            }
            Row::Digest { .. } => {}
            Row::Damaged { first_seq, last_seq, reason, .. } => {
                let at = self.engine.state().at;
                self.damaged.push(Damage { first_seq, last_seq, at, reason });
            }
        }
        self.keep_notices(changes);
    }

    fn keep_notices(&mut self, changes: &mut Vec<Change>) {
        self.notices.extend(changes.drain(..).filter_map(|change| match change {
            Change::Notice(notice) => Some(notice),
            _ => None,
        }));
    }
}
