//! What happens to Lineside itself and to the calendar: start, gaps, recorder, clock, shift.

use crate::intervals::blank;
use crate::notice::{Notice, NoticeKind};
use crate::{Change, Engine, Step, counter};
use lineside_model::state::{GAPS_MAX, KnownGap, RecorderState, Shift};
use lineside_model::{ConnectionId, Gap, GapReason, GapScope, Span, TagId, Timestamp, UnitId};

impl Engine {
    /// Lineside starts. What deadlines have drawn on since it stopped is taken back: nobody looked.
    pub(crate) fn on_started(&mut self, stopped: Option<Timestamp>, step: &mut Step) {
        let stopped = stopped.map(|s| s.min(step.at));
        if let Some(from) = stopped.filter(|from| *from < step.at) {
            let gap = Gap { from, to: step.at, reason: GapReason::NotRunning, ..Gap::default() };
            self.keep_gap(gap);
            self.forget(from, step.at, step);
        }
        step.notice(NoticeKind::Started, |n| n.during(stopped));
        self.drop_links(step);
    }

    /// Values are missing. A gap of the whole plant leaves nothing known of that time; any other leaves the
    /// states of those units unknown that it covers, up to the first value after it. (Adapters notice an
    /// outage only some time after it began.)
    pub(crate) fn on_gap(&mut self, gap: Gap, step: &mut Step) {
        let Some((connection, tag)) = self.place_of(gap.scope) else { return };
        let gap = Gap { to: gap.to.max(gap.from), ..gap };
        self.keep_gap(gap);
        let Gap { from, to, lost, .. } = gap;
        let (from, to) = (Some(from), Some(to));
        step.notice(NoticeKind::of_gap(gap.reason), |n| Notice { connection, tag, from, to, lost, ..n });
        match gap.scope {
            GapScope::Plant => self.forget(gap.from, gap.to.min(step.at), step),
            GapScope::Connection(_) | GapScope::Tag(_) => self.forget_states(&gap, step),
        }
    }

    fn forget_states(&mut self, gap: &Gap, step: &mut Step) {
        let (config, state) = (&self.config, &mut self.state);
        let covers = |tag: TagId| match gap.scope {
            GapScope::Plant => true,
            GapScope::Connection(id) => config.tags.get(tag.0 as usize).is_some_and(|t| t.connection == id),
            GapScope::Tag(id) => id == tag,
        };
        for ((id, unit), status) in (0u32..).map(UnitId).zip(&config.units).zip(&mut state.units) {
            if unit.state.as_ref().is_some_and(|map| covers(map.tag)) {
                let first_after = status.intervals.back().filter(|open| open.known && open.start > gap.from);
                let to = first_after.map_or(gap.to, |open| open.start.min(gap.to));
                blank(&mut status.intervals, gap.from, to.min(step.at));
                step.changes.push(Change::Strip(id));
            }
        }
    }

    /// A shift begins: sums begin at 0, readings go on. The same shift told once more (after a restart)
    /// begins nothing.
    pub(crate) fn on_shift(&mut self, shift: &Shift, step: &mut Step) {
        let same = |old: &Shift| (&old.name, old.start) == (&shift.name, shift.start);
        let goes_on = self.state.shift.as_ref().is_some_and(same);
        self.state.shift = Some(shift.clone());
        step.changes.push(Change::Shift);
        if goes_on {
            return;
        }
        for (id, unit) in (0u32..).map(UnitId).zip(&mut self.state.units) {
            counter::begin_shift(&mut unit.good);
            counter::begin_shift(&mut unit.reject);
            step.changes.push(Change::Unit(id));
        }
        self.state.output.clear();
        step.changes.push(Change::Output);
        let (from, to) = (Some(shift.start), Some(shift.end));
        step.notice(NoticeKind::ShiftStarted, |n| Notice { from, to, detail: shift.name.clone(), ..n });
    }

    /// The recorder says how it is. Only a change of kind is noted.
    pub(crate) fn on_recorder(&mut self, state: &RecorderState, step: &mut Step) {
        let was = std::mem::replace(&mut self.state.recorder, state.clone());
        step.changes.push(Change::Recorder);
        if std::mem::discriminant(&was) == std::mem::discriminant(state) {
            return;
        }
        match (was, state) {
            (_, RecorderState::Failed(why)) => {
                step.notice(NoticeKind::RecorderFailed, |n| Notice { detail: why.clone(), ..n });
            }
            (_, RecorderState::Lagging(_)) => step.notice(NoticeKind::RecorderLagging, |n| n),
            (RecorderState::Lagging(_) | RecorderState::Failed(_), RecorderState::Recording) => {
                step.notice(NoticeKind::RecorderRecovered, |n| n);
            }
            (_, RecorderState::Recording | RecorderState::Off) => {}
        }
    }

    /// The wall clock was set. The notice's detail is the step in seconds, with sign.
    pub(crate) fn on_clock_step(&mut self, by_ns: i64, step: &mut Step) {
        self.state.clock_stepped_ns = self.state.clock_stepped_ns.saturating_add(by_ns);
        let detail = format!("{:+.3}", Span(by_ns).as_secs_f64()).into();
        step.notice(NoticeKind::ClockStepped, |n| Notice { detail, ..n });
    }

    fn keep_gap(&mut self, gap: Gap) {
        self.state.gaps.push_back(KnownGap { gap, ..KnownGap::default() });
        while self.state.gaps.len() > GAPS_MAX {
            self.state.gaps.pop_front();
        }
    }

    /// Connection and tag of a scope; `None` if the configuration has no such thing.
    fn place_of(&self, scope: GapScope) -> Option<(Option<ConnectionId>, Option<TagId>)> {
        match scope {
            GapScope::Plant => Some((None, None)),
            GapScope::Connection(id) => self.config.connections.get(id.0 as usize).map(|_| (Some(id), None)),
            GapScope::Tag(id) => self.config.tags.get(id.0 as usize).map(|tag| (Some(tag.connection), Some(id))),
        }
    }
}
