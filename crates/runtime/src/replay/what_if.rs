//! What would have been: the recorded inputs run again under a changed configuration, beside the one that was in force.
//!
//! Both runs begin with the state that the file begins with, and take the same inputs in the same order; what differs
//! comes from the changed parameters alone. That start state was computed under the recorded parameters, as was every
//! state taken over behind a stretch that was not recorded: counters go on from there ([`Caveat`]). Nothing is written
//! anywhere.

use super::figures::{Figure, Figures, Meter};
use super::parameters::{ParameterChange, ParameterError, changed};
use super::player::stamp;
use super::run::{Replay, ReplayError};
use super::seek;
use super::timeline::Progress;
use crate::events::{Chronicle, Strips, notice_of};
use lineside_engine::{Change, Engine, Notice};
use lineside_model::{Batch, GapScope, Input, PlantConfig, PlantState, Span, Timestamp, UnitId};
use lineside_recording::{Row, ShiftFile};
use std::sync::Arc;

/// Rates from counters are renewed this often: no step is longer, while they may change.
const STEP: Span = Span::from_secs(10);
/// After so long without any input no rate changes any more.
const SETTLED: Span = Span::from_secs(300);

/// What differs, and what does not.
#[derive(Clone, Debug, PartialEq)]
pub struct WhatIf {
    pub figures: Vec<FigurePair>,
    /// Notices that there would not have been; oldest first.
    pub gone: Vec<Notice>,
    /// Notices that there would have been besides.
    pub new: Vec<Notice>,
    /// How many are the same in both.
    pub same: usize,
    pub inputs: u64,
    /// Why the second run is not wholly one under the changed parameters.
    pub caveats: Vec<Caveat>,
}

/// One figure of both runs.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct FigurePair {
    pub figure: Figure,
    /// `None`: of the line.
    pub unit: Option<UnitId>,
    pub recorded: Option<f64>,
    pub what_if: Option<f64>,
}

/// Something computed under the recorded parameters goes into both runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Caveat {
    /// The state that the file begins with.
    StartState,
    /// The state here, behind a stretch that was not recorded.
    TakenOver(Timestamp),
    /// Inputs from here on could not be read, and are missing in both.
    Damaged(Timestamp),
}

/// Why there is no answer.
#[derive(Debug, thiserror::Error)]
pub enum WhatIfError {
    #[error(transparent)]
    Parameter(#[from] ParameterError),
    #[error(transparent)]
    Replay(#[from] ReplayError),
}

/// Runs the recording under both configurations; `None`: it was given up.
pub fn what_if(
    file: &ShiftFile,
    changes: &[ParameterChange],
    progress: &Progress,
) -> Result<Option<WhatIf>, WhatIfError> {
    let replay = Replay::of(file.clone())?;
    let (config, start) = (Arc::clone(replay.config()), replay.state().clone());
    let other = Arc::new(changed(&config, changes)?);
    let (from, to) = seek::bounds(file)?;
    let begun = start.at;
    let mut runs = [Run::new(config, start.clone(), from), Run::new(other, start, from)];
    // A state that was never lived in holds nothing that parameters could have made.
    let mut caveats = if begun == Timestamp::default() { Vec::new() } else { vec![Caveat::StartState] };
    let mut inputs = 0;
    for row in file.rows(runs[0].engine.state().seq) {
        let row = row.map_err(ReplayError::Open)?;
        if progress.is_cancelled() {
            return Ok(None);
        }
        progress.reach(stamp(&row).unwrap_or(from), from, to);
        match &row {
            Row::Batch(batch) => inputs += batch.inputs.len() as u64,
            Row::Keyframe { state, .. } => caveats.push(Caveat::TakenOver(state.at)),
            Row::Damaged { .. } => caveats.push(Caveat::Damaged(runs[0].engine.state().at)),
            Row::Digest { .. } => {}
        }
        runs.iter_mut().for_each(|run| run.take(&row));
    }
    let [recorded, other] = runs.map(|run| run.finish(to));
    let (gone, new, same) = differences(&recorded.notices, &other.notices);
    Ok(Some(WhatIf { figures: pairs(&recorded, &other), gone, new, same, inputs, caveats }))
}

/// One of the two runs.
struct Run {
    engine: Engine,
    chronicle: Chronicle,
    strips: Strips,
    notices: Vec<Notice>,
    meter: Meter,
    changes: Vec<Change>,
    from: Timestamp,
}

impl Run {
    fn new(config: Arc<PlantConfig>, start: PlantState, from: Timestamp) -> Run {
        Run {
            chronicle: Chronicle::after(&start),
            strips: Strips::of(&start),
            notices: Vec::new(),
            meter: Meter::new(&start),
            changes: Vec::new(),
            engine: Engine::from_state(config, start),
            from,
        }
    }

    fn take(&mut self, row: &Row) {
        match row {
            Row::Batch(batch) => {
                self.advance(batch.at, unknown_from(batch));
                for (seq, input) in (batch.first_seq..).zip(&batch.inputs) {
                    self.engine.apply(seq, batch.at, input, &mut self.changes);
                }
                self.note();
            }
            Row::Keyframe { state, .. } => {
                self.advance(state.at, Some(self.engine.state().at));
                self.engine = Engine::from_state(Arc::clone(self.engine.config()), state.clone());
                self.meter.take_over(state);
                self.chronicle.missed();
                self.note();
            }
            Row::Digest { at, .. } => self.advance(*at, None),
            Row::Damaged { .. } => {}
        }
    }

    /// Time passes up to `at`; from `unknown_from` on nobody looked.
    fn advance(&mut self, at: Timestamp, unknown_from: Option<Timestamp>) {
        let begun = self.engine.state().at;
        if self.engine.state().seq > 0 {
            while self.engine.state().at + STEP < at && self.engine.state().at < begun + SETTLED {
                let next = (self.engine.state().at + STEP).floor(STEP);
                self.step(next, unknown_from);
            }
        }
        self.step(at, unknown_from);
        self.note();
    }

    fn step(&mut self, at: Timestamp, unknown_from: Option<Timestamp>) {
        let before = self.engine.state().at.max(self.from);
        let until = unknown_from.map_or(at, |from| from.min(at));
        self.meter.watch(self.engine.config(), self.engine.state(), until - before);
        self.engine.advance_to(at, &mut self.changes);
    }

    /// Takes down what has changed.
    fn note(&mut self) {
        for event in self.chronicle.events_of(&self.changes, self.engine.state()) {
            self.strips.take(&event);
            self.notices.extend(notice_of(&event));
        }
        self.meter.note(self.engine.config(), &self.changes, self.engine.state());
        self.changes.clear();
    }

    fn finish(mut self, to: Timestamp) -> Figures {
        self.advance(to, None);
        let Run { engine, strips, notices, meter, from, .. } = self;
        Figures::new(&engine, &strips, notices, meter, (from, to.max(engine.state().at)))
    }
}

/// From when on the plant was not looked at, as a batch tells afterwards.
fn unknown_from(batch: &Batch) -> Option<Timestamp> {
    batch.inputs.iter().find_map(|input| match input {
        Input::Started { stopped } => *stopped,
        Input::Gap(gap) if gap.scope == GapScope::Plant => Some(gap.from),
        _ => None,
    })
}

fn pairs(recorded: &Figures, other: &Figures) -> Vec<FigurePair> {
    let pair = |((figure, unit, recorded), (_, _, what_if)): (&_, &_)| FigurePair {
        figure: *figure,
        unit: *unit,
        recorded: *recorded,
        what_if: *what_if,
    };
    recorded.all.iter().zip(&other.all).map(pair).collect()
}

/// What is only in the first, what is only in the second, and how many are in both. Numbers of inputs aside: a notice
/// is the same if it says the same at the same time.
fn differences(first: &[Notice], second: &[Notice]) -> (Vec<Notice>, Vec<Notice>, usize) {
    let plain = |notice: &Notice| Notice { seq: 0, ..notice.clone() };
    let mut only_second: Vec<Notice> = Vec::new();
    let mut rest: Vec<Option<&Notice>> = first.iter().map(Some).collect();
    let mut same = 0;
    for notice in second {
        let begin = first.partition_point(|other| other.at < notice.at);
        let there = (begin..first.len())
            .take_while(|place| first[*place].at == notice.at)
            .find(|place| rest[*place].is_some_and(|other| plain(other) == plain(notice)));
        match there {
            Some(place) => {
                rest[place] = None;
                same += 1;
            }
            None => only_second.push(notice.clone()),
        }
    }
    (rest.into_iter().flatten().cloned().collect(), only_second, same)
}

#[cfg(test)]
mod tests {
    use super::*;
    use lineside_engine::NoticeKind;
    use lineside_model::{StatusCode, Text};

    fn notices(text: &str) -> Vec<Notice> {
        let notice = |(seq, word): (usize, &str)| {
            let (at, detail) = word.split_at(1);
            Notice {
                seq: seq as u64,
                at: Timestamp(at.parse().expect("a digit")),
                kind: NoticeKind::LinkUp,
                connection: None,
                tag: None,
                from: None,
                to: None,
                lost: None,
                status: StatusCode::GOOD,
                detail: Text::from(detail),
            }
        };
        text.split_whitespace().enumerate().map(notice).collect()
    }

    #[test]
    fn notices_of_two_runs() {
        let rows = [
            ("1a 2b", "1a 2b", "", "", 2),
            ("1a 2b 3c", "1a 3c", "2b", "", 2),
            ("1a", "1a 2b", "", "2b", 1),
            ("1a 1a", "1a", "1a", "", 1),
            ("1a 2b", "1b 2a", "1a 2b", "1b 2a", 0),
            ("", "", "", "", 0),
        ];
        let words =
            |all: &[Notice]| all.iter().map(|n| format!("{}{}", n.at.0, n.detail)).collect::<Vec<_>>().join(" ");
        for (first, second, gone, new, same) in rows {
            let got = differences(&notices(first), &notices(second));
            assert_eq!(
                (words(&got.0).as_str(), words(&got.1).as_str(), got.2),
                (gone, new, same),
                "{first} | {second}"
            );
        }
    }
}
