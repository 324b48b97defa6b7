//! The index of events: what the engine found notable, as rows of a recording. One function for the live session and
//! for a pass through an old file.
//!
//! A row is an engine notice, or the start of a stretch of constant state of a unit. Stretches may be told again from
//! an earlier one on (an outage is learned of afterwards): whoever reads them lets each row replace what began at its
//! start or later ([`Strips`]).

use lineside_engine::{Change, Notice, NoticeKind, UNIT_INTERVAL};
use lineside_model::state::Interval;
use lineside_model::{Mode, PackState, PlantState, Timestamp, UnitId};
use lineside_recording::Event;
use std::collections::VecDeque;

/// Turns changes into events; knows what was told of each unit.
#[derive(Default)]
pub struct Chronicle {
    told: Vec<VecDeque<Interval>>,
    /// Something told was not kept: everything is compared with the next change.
    missed: bool,
    /// Place of the last event.
    last: (Timestamp, u64, u32),
}

impl Chronicle {
    /// What is in the state is known to whoever reads the file: it begins from it.
    pub fn after(state: &PlantState) -> Chronicle {
        let told = state.units.iter().map(|unit| unit.intervals.clone()).collect();
        Chronicle { told, ..Chronicle::default() }
    }

    /// The events of one step: `changes` led to `state`.
    pub fn events_of(&mut self, changes: &[Change], state: &PlantState) -> Vec<Event> {
        let mut events: Vec<Event> = changes.iter().filter_map(of_notice).collect();
        let strip = |change: &Change| matches!(change, Change::Strip(_));
        if self.missed || changes.iter().any(strip) {
            let missed = std::mem::take(&mut self.missed);
            for id in (0..state.units.len() as u32).map(UnitId) {
                if missed || changes.contains(&Change::Strip(id)) {
                    self.tell_intervals(id, state, &mut events);
                }
            }
        }
        events.iter_mut().for_each(|event| event.order = self.place(event));
        events
    }

    /// The events were not recorded: what is in them is told again.
    pub fn missed(&mut self) {
        self.told.clear();
        self.missed = true;
    }

    fn tell_intervals(&mut self, id: UnitId, state: &PlantState, events: &mut Vec<Event>) {
        let place = id.0 as usize;
        self.told.resize(state.units.len(), VecDeque::new());
        let (told, now) = (&mut self.told[place], &state.units[place].intervals);
        let first = first_difference(told, now);
        events.extend(now.iter().skip(first).map(|interval| of_interval(id, interval, state)));
        told.clone_from(now);
    }

    /// Counts the events of one instant and input.
    fn place(&mut self, event: &Event) -> u32 {
        let (at, seq, order) = self.last;
        let next = if (at, seq) == (event.at, event.seq) { order + 1 } else { 0 };
        self.last = (event.at, event.seq, next);
        next
    }
}

/// From which interval on `now` has to be told to someone who knows `told`; the length of `now`: nothing is new.
fn first_difference(told: &VecDeque<Interval>, now: &VecDeque<Interval>) -> usize {
    let Some(first) = now.front() else { return 0 };
    let dropped = told.partition_point(|interval| interval.start < first.start); // over a day old
    let same = told.iter().skip(dropped).zip(now).take_while(|(old, new)| old == new).count();
    // What is told now replaces what began then or later. Something earlier is taken back by telling what was before it.
    let begun = now.get(same).map_or(Timestamp::MAX, |interval| interval.start);
    let taken_back = told.get(dropped + same).is_some_and(|old| old.start < begun);
    if taken_back { same.saturating_sub(1) } else { same }
}

fn of_notice(change: &Change) -> Option<Event> {
    let Change::Notice(notice) = change else { return None };
    Some(Event {
        seq: notice.seq,
        at: notice.at,
        kind: notice.kind.number(),
        connection: notice.connection,
        tag: notice.tag,
        from: notice.from,
        to: notice.to,
        lost: notice.lost,
        status: notice.status,
        detail: notice.detail.clone(),
        ..Event::default()
    })
}

fn of_interval(unit: UnitId, interval: &Interval, state: &PlantState) -> Event {
    Event {
        seq: state.seq,
        at: state.at,
        kind: UNIT_INTERVAL,
        unit: Some(unit),
        state: interval.state as u8,
        mode: interval.mode as u8,
        known: interval.known,
        from: Some(interval.start),
        ..Event::default()
    }
}

/// The notice that an event is, if it is one of a kind known here.
pub fn notice_of(event: &Event) -> Option<Notice> {
    Some(Notice {
        seq: event.seq,
        at: event.at,
        kind: NoticeKind::of_number(event.kind)?,
        connection: event.connection,
        tag: event.tag,
        from: event.from,
        to: event.to,
        lost: event.lost,
        status: event.status,
        detail: event.detail.clone(),
    })
}

/// The intervals of all units, put together from the state a file begins with and its events.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Strips {
    pub units: Vec<Vec<Interval>>,
    /// Beside each interval: when it was learned of. It begins by the machine's clock, earlier than a replay shows it.
    pub arrivals: Vec<Vec<Timestamp>>,
}

impl Strips {
    /// As the state has them.
    pub fn of(state: &PlantState) -> Strips {
        let units: Vec<Vec<Interval>> =
            state.units.iter().map(|unit| unit.intervals.iter().copied().collect()).collect();
        let arrivals = units.iter().map(|list| list.iter().map(|interval| interval.start).collect()).collect();
        Strips { units, arrivals }
    }

    /// Takes an event in order; those that are no interval change nothing.
    pub fn take(&mut self, event: &Event) {
        let (Some(unit), Some(start), UNIT_INTERVAL) = (event.unit, event.from, event.kind) else { return };
        let place = unit.0 as usize;
        let (Some(list), Some(arrivals)) = (self.units.get_mut(place), self.arrivals.get_mut(place)) else { return };
        let state = PackState::ALL.get(usize::from(event.state)).copied().unwrap_or_default();
        let mode = Mode::ALL.get(usize::from(event.mode)).copied().unwrap_or_default();
        let interval = Interval { start, state, mode, known: event.known };
        let kept = list.partition_point(|interval| interval.start < start);
        // Told again, it was known before.
        let known = (list.get(kept) == Some(&interval)).then(|| arrivals[kept]);
        list.truncate(kept);
        arrivals.truncate(kept);
        list.push(interval);
        arrivals.push(known.unwrap_or(event.at));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn list(text: &str) -> VecDeque<Interval> {
        let interval = |word: &str| {
            let (start, state) = word.split_once('=').expect("start=state");
            let state = PackState::from_name(state).unwrap_or_default();
            let (start, known) = (Timestamp(start.parse().expect("number")), state != PackState::Unknown);
            Interval { start, state, mode: Mode::Unknown, known }
        };
        text.split_whitespace().map(interval).collect()
    }

    fn state(text: &str) -> PlantState {
        let mut state = PlantState { at: Timestamp(50), seq: 7, ..PlantState::default() };
        state.units.push(Default::default());
        state.units[0].intervals = list(text);
        state
    }

    #[test]
    fn what_is_told_of_a_unit_is_enough() {
        // told before, now, how many rows that takes
        let rows = [
            ("", "1=Idle", 1),
            ("1=Idle", "1=Idle", 0),
            ("1=Idle", "1=Idle 2=Held", 1),
            ("1=Idle 2=Held", "1=Idle 3=Held", 2),
            ("1=Idle 2=Held", "1=Idle", 1),
            ("1=Idle 9=Held", "1=Idle 3=? 5=Idle 9=Held", 3),
            ("1=Idle 2=Held 3=Idle", "2=Held 3=Idle", 0),
            ("1=Idle 2=Held 3=Idle", "2=Held 3=Idle 4=?", 1),
            ("1=Idle 2=Held", "3=Idle", 1),
        ];
        for (before, now, expected) in rows {
            let mut chronicle = Chronicle::after(&state(before));
            let mut strips = Strips::of(&state(before));
            let events = chronicle.events_of(&[Change::Strip(UnitId(0))], &state(now));
            events.iter().for_each(|event| strips.take(event));
            assert_eq!(events.len(), expected, "{before} -> {now}");
            let told = strips.units[0].iter().skip_while(|old| old.start < list(now)[0].start).copied();
            assert_eq!(told.collect::<VecDeque<_>>(), list(now), "{before} -> {now}");
            assert!(events.iter().map(|event| event.order).eq(0..expected as u32));

            chronicle.missed();
            let again = chronicle.events_of(&[], &state(now));
            assert_eq!(again.len(), list(now).len(), "{now}: what was not recorded is told again");
        }
    }

    /// A state is learned of after it began; what is told again was known before.
    #[test]
    fn an_interval_is_known_from_its_arrival_on() {
        let event = |at: i64, start: i64, state: PackState| Event {
            at: Timestamp(at),
            kind: UNIT_INTERVAL,
            unit: Some(UnitId(0)),
            state: state as u8,
            known: true,
            from: Some(Timestamp(start)),
            ..Event::default()
        };
        let check = |events: &[Event], expected: &[i64]| {
            let mut strips = Strips::of(&state("1=Idle"));
            events.iter().for_each(|event| strips.take(event));
            assert_eq!(strips.arrivals[0], expected.iter().copied().map(Timestamp).collect::<Vec<_>>(), "{events:?}");
            assert_eq!(strips.units[0].len(), expected.len());
        };
        check(&[], &[1]);
        check(&[event(15, 10, PackState::Held)], &[1, 15]);
        check(&[event(15, 10, PackState::Held), event(30, 20, PackState::Idle)], &[1, 15, 30]);
        check(&[event(15, 10, PackState::Held), event(30, 10, PackState::Held)], &[1, 15]);
        check(&[event(15, 10, PackState::Held), event(30, 10, PackState::Idle)], &[1, 30]);
        check(&[event(15, 10, PackState::Held), event(30, 5, PackState::Idle)], &[1, 30]);
    }
}
