//! Counters of products: what a machine counted, made fit for adding up (reference: domain 3.6).
//!
//! A reading that cannot be true is not added. The counter then keeps the last believed reading as its
//! base; if a later reading confirms the level that was not believed (it could have followed from it),
//! that level becomes the new base, and nothing is added for the jump. Products between a reset and the
//! last reading before it are lost; what is counted after the reset is added.
//!
//! A reading after a stretch without usable readings (outage, bad quality) is added to the total, and
//! to `across_gaps`: how many were made is known, when is not.

use crate::{Change, Engine, Step};
use lineside_model::config::CounterConfig;
use lineside_model::state::{Counter, TagState};
use lineside_model::{StatusCode, Timestamp, UnitId};

/// What one reading says against the one before it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Delta {
    /// So many more.
    Count(u64),
    /// The counter began again at 0 and has counted so many since.
    Reset(u64),
    /// The counter went over its modulus; so many more.
    Rollover(u64),
    /// More than the machine can make in that time.
    Implausible,
    /// The reading is older than the one before it.
    Backwards,
    /// There is no reading before it.
    NoBase,
}

/// Tolerance on the greatest rate, for jitter of the time stamps.
const SLACK: f64 = 1.2;

/// Compares a reading with its base. `max_rate_per_s` is the most that is believed.
pub fn delta(
    base: Option<(i64, Timestamp)>,
    reading: (i64, Timestamp),
    modulus: Option<u64>,
    max_rate_per_s: f64,
) -> Delta {
    let Some(base) = base else { return Delta::NoBase };
    if reading.1 < base.1 {
        return Delta::Backwards;
    }
    let most = max_rate_per_s * (reading.1 - base.1).as_secs_f64() * SLACK;
    let (was, now) = (i128::from(base.0), i128::from(reading.0));
    let over = modulus.map(|m| i128::from(m) - was + now).filter(|d| *d >= 0 && *d as f64 <= most);
    let (found, count): (fn(u64) -> Delta, i128) = match over {
        _ if now >= was => (Delta::Count, now - was),
        Some(over) => (Delta::Rollover, over),
        None => (Delta::Reset, now.max(0)),
    };
    if count as f64 > most + 1.0 { Delta::Implausible } else { found(u64::try_from(count).unwrap_or(u64::MAX)) }
}

/// Can this reading be used? The last usable value of an uncertain source is an old one (OPC UA
/// `UncertainNoCommunicationLastUsable`, `UncertainLastUsableValue`, `UncertainInitialValue`).
pub(crate) fn reading(tag: &TagState, at: Timestamp) -> Option<(i64, Timestamp)> {
    const OLD: [u32; 3] = [0x408F_0000, 0x4090_0000, 0x4092_0000];
    let usable = |s: StatusCode| !s.is_bad() && !OLD.contains(&s.code());
    let time = tag.source_time.or(tag.server_time).unwrap_or(at);
    tag.value.as_i64().filter(|_| usable(tag.status)).map(|value| (value, time))
}

/// Takes one usable reading. Returns what may go into the rate: products counted at a known time.
/// `server_started`: if that is after the base, a smaller reading is a reset, never a rollover.
pub(crate) fn take(
    counter: &mut Counter,
    config: &CounterConfig,
    reading: (i64, Timestamp),
    server_started: Option<Timestamp>,
) -> u64 {
    let across = counter.unusable;
    if counter.doubted == Some(reading) {
        return 0; // the same once more: neither confirms nor contradicts
    }
    let restarted = across && matches!((counter.base, server_started), (Some(b), Some(s)) if b.1 < s);
    let modulus = config.modulus.filter(|_| !restarted);
    let rate = config.max_rate_per_min / 60.0;
    let found = delta(counter.base, reading, modulus, rate);
    let (added, reset) = match found {
        Delta::NoBase => (0, 0),
        Delta::Count(n) => (n, 0),
        Delta::Reset(n) | Delta::Rollover(n) => (n, 1),
        Delta::Implausible | Delta::Backwards => {
            reject(counter, reading, modulus, rate);
            return 0;
        }
    };
    believe(counter, reading);
    counter.total = counter.total.saturating_add(added);
    counter.resets = counter.resets.saturating_add(reset);
    if across {
        counter.across_gaps = counter.across_gaps.saturating_add(added);
    }
    if across { 0 } else { added }
}

fn reject(counter: &mut Counter, reading: (i64, Timestamp), modulus: Option<u64>, rate: f64) {
    let against_doubted = delta(counter.doubted, reading, modulus, rate);
    if matches!(against_doubted, Delta::Count(_) | Delta::Rollover(_)) {
        believe(counter, reading);
    } else {
        counter.doubted = Some(reading);
        counter.rejected = counter.rejected.saturating_add(1);
    }
}

fn believe(counter: &mut Counter, reading: (i64, Timestamp)) {
    counter.base = Some(reading);
    counter.doubted = None;
    counter.unusable = false;
}

/// Forgets the sums of the shift that is over; readings go on.
pub(crate) fn begin_shift(counter: &mut Counter) {
    (counter.total, counter.across_gaps, counter.resets, counter.rejected) = (0, 0, 0, 0);
}

impl Engine {
    /// A counter's tag has a new value.
    pub(crate) fn on_reading(&mut self, unit: UnitId, config: &CounterConfig, good: bool, step: &mut Step) {
        if good {
            self.accumulate(unit, step.at);
        }
        let reading = self.current(config.tag).and_then(|tag| reading(tag, step.at));
        let started = self.link_of(config.tag).and_then(|link| link.server_started);
        let status = &mut self.state.units[unit.0 as usize];
        let counter = if good { &mut status.good } else { &mut status.reject };
        let added = match reading {
            Some(reading) => take(counter, config, reading, started),
            None => {
                counter.unusable = true;
                0
            }
        };
        if good {
            self.add_to_rate(unit, added);
        }
        step.changes.push(Change::Unit(unit));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(second: i64) -> Timestamp {
        Timestamp::from_millis(second * 1000)
    }

    /// Vectors V-C of the reference, and the borders of its rules.
    #[test]
    fn deltas() {
        const WRAP: Option<u64> = Some(1 << 32);
        type Row = (Option<i64>, i64, i64, Option<u64>, f64, Delta);
        let rows: [Row; 16] = [
            (Some(32760), 5, 10, Some(32768), 2.0, Delta::Rollover(13)),
            (Some(99990), 10, 10, Some(100_000), 2.0, Delta::Rollover(20)),
            (Some(2_147_483_640), -2_147_483_640, 10, WRAP, 2.0, Delta::Rollover(16)),
            (Some(1200), 3, 10, None, 2.0, Delta::Reset(3)),
            (None, 5, 10, None, 2.0, Delta::NoBase),
            (Some(100), 100_000, 1, None, 2.0, Delta::Implausible),
            (Some(100), 101, -1, None, 2.0, Delta::Backwards),
            (Some(100), 100, 0, None, 2.0, Delta::Count(0)),
            (Some(100), 101, 0, None, 2.0, Delta::Count(1)),
            (Some(100), 102, 0, None, 2.0, Delta::Implausible),
            (Some(100), 125, 10, None, 2.0, Delta::Count(25)),
            (Some(100), 126, 10, None, 2.0, Delta::Implausible),
            (Some(32000), 5, 10, Some(32768), 2.0, Delta::Reset(5)),
            (Some(32000), 900, 10, Some(32768), 2.0, Delta::Implausible),
            (Some(-5), -9, 10, None, 2.0, Delta::Reset(0)),
            (Some(i64::MIN), i64::MAX, i64::MAX / 1_000_000_000, None, f64::INFINITY, Delta::Count(u64::MAX)),
        ];
        for (base, reading, seconds, modulus, rate, want) in rows {
            let got = delta(base.map(|v| (v, at(0))), (reading, at(seconds)), modulus, rate);
            assert_eq!(got, want, "{base:?} -> {reading} in {seconds} s");
        }
    }

    /// Readings (second, value, is the first after an outage), and what they come to.
    #[test]
    fn sequences() {
        type Row = (&'static str, &'static [(i64, i64, bool)], Option<i64>, (u64, u64, u32, u32));
        let rows: [Row; 6] = [
            ("a spike is passed over", &[(0, 100, false), (1, 9_000_000, false), (2, 103, false)], None, (3, 0, 0, 1)),
            (
                "a new level is believed when confirmed, and the jump is not added",
                &[(0, 100, false), (1, 5000, false), (2, 5002, false), (3, 5003, false)],
                None,
                (1, 0, 0, 1),
            ),
            (
                "the same doubted reading again confirms nothing",
                &[(0, 100, false), (1, 5000, false), (1, 5000, false), (2, 102, false)],
                None,
                (2, 0, 0, 1),
            ),
            ("across an outage", &[(0, 100, false), (60, 150, true), (61, 151, false)], None, (51, 50, 0, 0)),
            ("rollover in an outage", &[(0, 990, false), (60, 20, true)], None, (30, 30, 1, 0)),
            ("restart of the server in an outage", &[(0, 990, false), (60, 20, true)], Some(50), (20, 20, 1, 0)),
        ];
        let config = CounterConfig { tag: lineside_model::TagId(0), modulus: Some(1000), max_rate_per_min: 120.0 };
        for (name, readings, started, want) in rows {
            let mut counter = Counter::default();
            for (second, value, across) in readings {
                counter.unusable |= across;
                take(&mut counter, &config, (*value, at(*second)), started.map(at));
            }
            let got = (counter.total, counter.across_gaps, counter.resets, counter.rejected);
            assert_eq!(got, want, "{name}");
        }
    }
}
