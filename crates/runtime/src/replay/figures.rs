//! Figures of one run through a recording, for comparing two runs. They are no KPIs: each is only what its name says, over
//! what is recorded.

use super::find::{runs, stops};
use crate::events::Strips;
use lineside_engine::{Change, Engine, Notice};
use lineside_model::state::Interval;
use lineside_model::{PlantConfig, PlantState, Span, TagId, Timestamp, UnitId};

/// What is measured. Times in seconds, counts in products, rates in products per minute, shares from 0 to 1.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Figure {
    Running,
    Stopped,
    /// Nothing is known of the state.
    Unknown,
    Stops,
    /// Stops that ended within the configured time for minor stops.
    ShortStops,
    /// Since the start of the shift.
    Good,
    Reject,
    /// While running, where it is known.
    MeanRate,
    /// Mean rate while running, of the ideal rate.
    RateAgainstIdeal,
    /// Running, at a rate outside of the normal band.
    OutsideBand,
    /// Time of values past their age, summed over all tags.
    Late,
    /// Good products of the line, of what the target rate gives in the recorded time.
    OutputAgainstTarget,
}

/// The figures of one run, in a fixed order.
pub(super) struct Figures {
    pub(super) all: Vec<(Figure, Option<UnitId>, Option<f64>)>,
    pub(super) notices: Vec<Notice>,
}

/// Measures what only lasts while it is watched.
pub(super) struct Meter {
    units: Vec<UnitMeter>,
    /// Since when each tag has been late.
    late_since: Vec<Option<Timestamp>>,
    late: Span,
}

#[derive(Clone, Default)]
struct UnitMeter {
    /// Sum of rate x seconds while running, and seconds of it.
    rate_sum: f64,
    rate_secs: f64,
    outside_secs: f64,
}

impl Meter {
    pub(super) fn new(state: &PlantState) -> Meter {
        let units = vec![UnitMeter::default(); state.units.len()];
        let mut meter = Meter { units, late_since: Vec::new(), late: Span::ZERO };
        meter.take_over(state);
        meter
    }

    /// The state is another one now.
    pub(super) fn take_over(&mut self, state: &PlantState) {
        let late = state.tags.iter().map(|tag| tag.late.then_some(state.at));
        self.late_since = late.collect();
    }

    /// The units are as in `state` for so long.
    pub(super) fn watch(&mut self, config: &PlantConfig, state: &PlantState, time: Span) {
        let secs = time.as_secs_f64();
        if secs <= 0.0 {
            return;
        }
        for ((meter, status), unit) in self.units.iter_mut().zip(&state.units).zip(&config.units) {
            let running = status.intervals.back().and_then(runs) == Some(true);
            let Some(rate) = status.rate_per_min.filter(|_| running) else { continue };
            meter.rate_sum += rate * secs;
            meter.rate_secs += secs;
            if unit.rate_band.is_some_and(|(low, high)| rate < low || rate > high) {
                meter.outside_secs += secs;
            }
        }
    }

    /// Tags may have become late, or be renewed.
    pub(super) fn note(&mut self, config: &PlantConfig, changes: &[Change], state: &PlantState) {
        for change in changes {
            let Change::Tag(id) = change else { continue };
            let place = id.0 as usize;
            let (Some(tag), Some(since)) = (state.tags.get(place), self.late_since.get_mut(place)) else { continue };
            match (*since, tag.late) {
                (None, true) => *since = Some(late_from(config, state, *id)),
                (Some(begun), false) => {
                    *since = None;
                    self.late = Span(self.late.0.saturating_add((state.at - begun).0));
                }
                _ => {}
            }
        }
    }

    fn late_until(&self, to: Timestamp) -> Span {
        let open = self.late_since.iter().flatten().map(|since| (to - *since).0.max(0));
        Span(open.fold(self.late.0, i64::saturating_add))
    }
}

/// When the value that is there became too old.
fn late_from(config: &PlantConfig, state: &PlantState, id: TagId) -> Timestamp {
    let received = state.tags[id.0 as usize].received;
    let max_age = config.tag(id).max_age;
    received.zip(max_age).map_or(state.at, |(received, max_age)| (received + max_age).min(state.at))
}

impl Figures {
    pub(super) fn new(
        engine: &Engine,
        strips: &Strips,
        notices: Vec<Notice>,
        meter: Meter,
        (from, to): (Timestamp, Timestamp),
    ) -> Figures {
        let (config, state) = (engine.config(), engine.state());
        let mut all = Vec::new();
        for (place, unit) in config.units.iter().enumerate() {
            let (id, status) = (Some(UnitId(place as u32)), &state.units[place]);
            let strip = strips.units.get(place).map_or(&[][..], Vec::as_slice);
            let measured = &meter.units[place];
            let mean = (measured.rate_secs > 0.0).then(|| measured.rate_sum / measured.rate_secs);
            let total = |counter: &lineside_model::state::Counter| counter.base.map(|_| counter.total as f64);
            let of_state = |figure: Figure, value: f64| (figure, id, unit.state.as_ref().map(|_| value));
            let [running, stopped, unknown] = times(strip, from, to);
            let (many, short) = count_stops(strip, config.line.minor_stop, from, to);
            all.extend([
                of_state(Figure::Running, running),
                of_state(Figure::Stopped, stopped),
                of_state(Figure::Unknown, unknown),
                of_state(Figure::Stops, many as f64),
                of_state(Figure::ShortStops, short as f64),
                (Figure::Good, id, unit.good.and_then(|_| total(&status.good))),
                (Figure::Reject, id, unit.reject.and_then(|_| total(&status.reject))),
                (Figure::MeanRate, id, mean),
                (Figure::RateAgainstIdeal, id, mean.zip(unit.ideal_rate_per_min).map(|(mean, ideal)| mean / ideal)),
                (Figure::OutsideBand, id, unit.rate_band.map(|_| measured.outside_secs)),
            ]);
        }
        all.push((Figure::Late, None, Some(meter.late_until(to).as_secs_f64())));
        all.push((Figure::OutputAgainstTarget, None, output(config, state, to - from)));
        Figures { all, notices }
    }
}

fn output(config: &PlantConfig, state: &PlantState, time: Span) -> Option<f64> {
    let unit = state.units.get(config.output_unit()?.0 as usize)?;
    let target = config.line.target_rate_per_min? * time.as_secs_f64() / 60.0;
    unit.good.base.filter(|_| target > 0.0).map(|_| unit.good.total as f64 / target)
}

/// Seconds running, stopped, unknown between two instants.
fn times(strip: &[Interval], from: Timestamp, to: Timestamp) -> [f64; 3] {
    let mut times = [0.0; 3];
    let first = strip.first().map_or(to, |interval| interval.start);
    times[2] += (first.min(to) - from).as_secs_f64().max(0.0);
    for (place, interval) in strip.iter().enumerate() {
        let end = strip.get(place + 1).map_or(to, |next| next.start).min(to);
        let secs = (end - interval.start.max(from)).as_secs_f64().max(0.0);
        times[match runs(interval) {
            Some(true) => 0,
            Some(false) => 1,
            None => 2,
        }] += secs;
    }
    times
}

/// Stops between two instants, and how many of them ended within `minor`. One whose end is not known is no short one.
fn count_stops(strip: &[Interval], minor: Span, from: Timestamp, to: Timestamp) -> (usize, usize) {
    let (mut many, mut short) = (0, 0);
    for stop in stops(strip).filter(|stop| *stop >= from && *stop <= to) {
        many += 1;
        let after = strip.iter().filter(|interval| interval.start >= stop);
        let ended = after.map(|interval| (interval.start, runs(interval))).find(|(_, runs)| *runs != Some(false));
        if ended.is_some_and(|(at, runs)| runs == Some(true) && at - stop < minor) {
            short += 1;
        }
    }
    (many, short)
}

#[cfg(test)]
mod tests {
    use super::*;
    use lineside_model::{Mode, PackState};

    #[test]
    fn times_and_stops_of_a_strip() {
        let at = |second: i64| Timestamp(second * 1_000_000_000);
        // strip, seconds running, stopped, unknown, stops, short stops (below 10 s), from 0 to 100
        let rows = [
            ("", [0.0, 0.0, 100.0], 0, 0),
            ("0E", [100.0, 0.0, 0.0], 0, 0),
            ("20E", [80.0, 0.0, 20.0], 0, 0),
            ("0E 50S", [50.0, 50.0, 0.0], 1, 0),
            ("0E 50S 55E", [95.0, 5.0, 0.0], 1, 1),
            ("0E 50S 60E", [90.0, 10.0, 0.0], 1, 0),
            ("0E 50S 52? 55E", [95.0, 2.0, 3.0], 1, 0),
            ("0E 50H 53S 55E", [95.0, 5.0, 0.0], 1, 1),
            ("0S 10E", [90.0, 10.0, 0.0], 0, 0),
            ("0E 120S", [100.0, 0.0, 0.0], 0, 0),
        ];
        for (text, expected, many, short) in rows {
            let interval = |word: &str| {
                let (start, what) = word.split_at(word.len() - 1);
                let state = match what {
                    "E" => PackState::Execute,
                    "S" => PackState::Stopped,
                    "H" => PackState::Held,
                    _ => PackState::Unknown,
                };
                let start = at(start.parse().expect("a number"));
                Interval { start, state, mode: Mode::Unknown, known: what != "?" }
            };
            let strip: Vec<Interval> = text.split_whitespace().map(interval).collect();
            assert_eq!(times(&strip, at(0), at(100)), expected, "{text}");
            assert_eq!(count_stops(&strip, Span::from_secs(10), at(0), at(100)), (many, short), "{text}");
        }
    }
}
