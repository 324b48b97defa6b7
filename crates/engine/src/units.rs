//! State, mode and rate of units.
//!
//! A unit's state is what its state tag says through the mapping. While the tag is not current (link
//! down, subscription silent, no value since the subscription was made, node refused) the state stays
//! the last known one, and the open interval is "not known". When values come back with the same state,
//! that is no transition: exactly the outage stays unknown, and the state goes on with its old `since`.
//! A bad quality is a state of its own: Unknown. Uncertain values are used.
//!
//! Times of transitions are source times where those can be believed: not in the future, not before
//! the interval they end, not older than a day. Otherwise the time at which Lineside heard of it.

use crate::index::Use;
use crate::intervals::{push, unknown};
use crate::{Change, Engine, Step, believed, trust};
use lineside_model::config::{ModeMap, StateMap};
use lineside_model::state::{Interval, TagState, UnitStatus};
use lineside_model::{Mode, PackState, TagId, Timestamp, UnitId, Value};
use std::collections::BTreeMap;
use std::sync::Arc;

/// What a state tag says: the state, if it says anything at all, and whether the mapping lacks it.
#[derive(Clone, Copy, Default)]
struct Seen {
    state: PackState,
    unmapped: bool,
    known: bool,
}

impl Engine {
    /// A tag that the unit uses has a new value.
    pub(crate) fn on_used_sample(&mut self, unit: UnitId, what: Use, step: &mut Step) {
        let config = Arc::clone(&self.config);
        let uses = &config.units[unit.0 as usize];
        match what {
            Use::State => uses.state.iter().for_each(|map| self.on_state(unit, map, step)),
            Use::Mode => uses.mode.iter().for_each(|map| self.on_mode(unit, map, step)),
            Use::Speed => uses.speed.iter().for_each(|tag| self.on_speed(unit, *tag, step)),
            Use::Good => uses.good.iter().for_each(|c| self.on_reading(unit, c, true, step)),
            Use::Reject => uses.reject.iter().for_each(|c| self.on_reading(unit, c, false, step)),
        }
    }

    /// Whether the unit's tags are current may have changed.
    pub(crate) fn refresh_unit(&mut self, unit: UnitId, step: &mut Step) {
        for what in [Use::State, Use::Mode, Use::Speed, Use::Good, Use::Reject] {
            self.on_used_sample(unit, what, step);
        }
    }

    /// The tag, if its last value is what the server holds now: the link is up, notifications flow, and
    /// the value came through the present subscription.
    pub(crate) fn current(&self, tag: TagId) -> Option<&TagState> {
        trust::current(&self.config, &self.state, tag)
    }

    fn on_state(&mut self, unit: UnitId, map: &StateMap, step: &mut Step) {
        let current = self.current(map.tag).map(|tag| (see_state(map, tag), tag.source_time));
        let status = &mut self.state.units[unit.0 as usize];
        let changed = match current {
            Some((seen, source)) => enter(status, seen, source, step.at),
            None => lose(status, step.at),
        };
        if changed {
            step.changes.extend([Change::Unit(unit), Change::Strip(unit)]);
        }
    }

    fn on_mode(&mut self, unit: UnitId, map: &ModeMap, step: &mut Step) {
        let Some(tag) = self.current(map.tag) else { return };
        let (mode, source) = (see_mode(map, tag), tag.source_time);
        let status = &mut self.state.units[unit.0 as usize];
        if status.mode == mode {
            return;
        }
        let open = status.intervals.back().copied();
        status.mode = mode;
        status.mode_since = believed(source, step.at, open.map_or(Timestamp::MIN, |i| i.start));
        step.changes.push(Change::Unit(unit));
        if let Some(open) = open.filter(|i| i.known) {
            push(&mut status.intervals, Interval { start: status.mode_since, mode, ..open });
            step.changes.push(Change::Strip(unit));
        }
    }

    fn on_speed(&mut self, unit: UnitId, speed: TagId, step: &mut Step) {
        self.accumulate(unit, step.at);
        let usable = self.current(speed).filter(|tag| !tag.status.is_bad()).is_some();
        let rate = trust::scaled(&self.config, &self.state, speed).filter(|rate| usable && rate.is_finite());
        self.state.units[unit.0 as usize].rate_per_min = rate;
        step.changes.push(Change::Unit(unit));
    }
}

/// The state tag is current and says `seen`. True if anything changed.
fn enter(unit: &mut UnitStatus, seen: Seen, source: Option<Timestamp>, at: Timestamp) -> bool {
    let open = unit.intervals.back().copied();
    let first_ever = unit.state_since == Timestamp::default();
    let same = (unit.state, unit.unmapped) == (seen.state, seen.unmapped) && !first_ever;
    if same && open.is_some_and(|i| i.known == seen.known) {
        return false;
    }
    let mut start = at;
    if !same {
        start = believed(source, at, open.map_or(Timestamp::MIN, |i| i.start));
        unit.state_since = if first_ever { believed(source, at, Timestamp::MIN) } else { start };
        (unit.state, unit.unmapped) = (seen.state, seen.unmapped);
    }
    let known = Interval { start, state: seen.state, mode: unit.mode, known: true };
    push(&mut unit.intervals, if seen.known { known } else { unknown(start) });
    true
}

/// The state tag is not current. True if that is news.
fn lose(unit: &mut UnitStatus, at: Timestamp) -> bool {
    let news = unit.intervals.back().is_none_or(|open| open.known);
    if news {
        push(&mut unit.intervals, unknown(at));
    }
    news
}

fn see_state(map: &StateMap, tag: &TagState) -> Seen {
    if tag.status.is_bad() || tag.value == Value::Empty {
        return Seen::default();
    }
    let state = look_up(&map.numbers, &map.names, &tag.value);
    Seen { state: state.unwrap_or_default(), unmapped: state.is_none(), known: true }
}

fn see_mode(map: &ModeMap, tag: &TagState) -> Mode {
    let usable = Some(&tag.value).filter(|_| !tag.status.is_bad());
    usable.and_then(|value| look_up(&map.numbers, &map.names, value)).unwrap_or_default()
}

fn look_up<T: Copy>(numbers: &BTreeMap<i64, T>, names: &BTreeMap<String, T>, value: &Value) -> Option<T> {
    match value {
        // Servers spell PackML's names in every way of writing.
        Value::Text(name) => names.iter().find(|(known, _)| known.eq_ignore_ascii_case(name)).map(|(_, is)| *is),
        other => numbers.get(&other.as_i64()?).copied(),
    }
}
