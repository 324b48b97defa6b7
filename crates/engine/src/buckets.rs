//! Means of the rates and points of the output, at the ends of fixed stretches of time.
//!
//! A bucket's mean weighs each speed with the time it held; it is not known where the speed was known for
//! less than half of the bucket. A unit without a speed tag gets its rate from its good counter: a
//! bucket's mean is what was counted in it, where the counter was usable for all of it, and the rate is
//! the mean of the last minute, renewed at the end of each bucket. Products counted across an outage
//! belong to no bucket.

use crate::intervals::{blank, prune};
use crate::{Change, Engine, Step};
use lineside_model::config::Unit;
use lineside_model::state::{OUTPUT_BUCKET, OutputPoint, RATE_BUCKET, RATE_BUCKETS, UnitStatus};
use lineside_model::{PlantState, Span, Timestamp, UnitId};

/// More than a day of output points; a shift is shorter.
const OUTPUT_MAX: usize = 1_600;
/// A rate from a counter is the mean of so many buckets: one minute.
const COUNTED_BUCKETS: usize = 6;

/// When the bucket now filling ends; `None` at the end of time.
pub(crate) fn end_of_rates(state: &PlantState) -> Option<Timestamp> {
    state.rate_bucket.0.checked_add(RATE_BUCKET.0).map(Timestamp)
}

/// When the bucket now filling ends; `None` at the end of time.
pub(crate) fn end_of_output(state: &PlantState) -> Option<Timestamp> {
    state.output_bucket.0.checked_add(OUTPUT_BUCKET.0).map(Timestamp)
}

impl Engine {
    /// Starts the first buckets.
    pub(crate) fn begin_buckets(&mut self, at: Timestamp) {
        self.state.rate_bucket = at.floor(RATE_BUCKET);
        self.state.output_bucket = at.floor(OUTPUT_BUCKET);
        self.state.units.iter_mut().for_each(|unit| unit.rate_from = at);
    }

    /// Counts the rate that held up to `now` into the bucket. To be called before anything that the
    /// rate depends on changes.
    pub(crate) fn accumulate(&mut self, unit: UnitId, now: Timestamp) {
        let bucket = self.state.rate_bucket;
        let status = &mut self.state.units[unit.0 as usize];
        let from = status.rate_from.max(bucket).min(now);
        let secs = (now - from).as_secs_f64();
        status.rate_from = now;
        if counts(&self.config.units[unit.0 as usize]) {
            let usable = status.good.base.is_some() && !status.good.unusable;
            status.rate_secs += if usable { secs } else { 0.0 };
        } else if let Some(rate) = status.rate_per_min {
            status.rate_sum += rate * secs;
            status.rate_secs += secs;
        }
    }

    /// Counts products into the bucket, where the rate comes from the counter.
    pub(crate) fn add_to_rate(&mut self, unit: UnitId, products: u64) {
        if counts(&self.config.units[unit.0 as usize]) {
            let status = &mut self.state.units[unit.0 as usize];
            status.rate_sum += products as f64 * 60.0; // per minute x seconds
            if status.good.unusable {
                status.rate_per_min = None;
            }
        }
    }

    pub(crate) fn end_rate_bucket(&mut self, end: Timestamp, horizon: Timestamp, step: &mut Step) {
        for place in 0..self.state.units.len() {
            let unit = UnitId(place as u32);
            let config = &self.config.units[place];
            let counted = counts(config);
            if counted || config.speed.is_some() {
                self.accumulate(unit, end);
                close_bucket(&mut self.state.units[place], counted);
                step.changes.push(Change::Unit(unit));
            }
        }
        // After the first bucket without input all are alike: of a long sleep only the last are kept.
        self.state.rate_bucket = skip(end, horizon, RATE_BUCKET, 2 * RATE_BUCKETS);
    }

    pub(crate) fn end_output_bucket(&mut self, end: Timestamp, horizon: Timestamp, step: &mut Step) {
        self.state.output_bucket = skip(end, horizon, OUTPUT_BUCKET, OUTPUT_MAX);
        for (id, unit) in (0u32..).map(UnitId).zip(&mut self.state.units) {
            if prune(&mut unit.intervals, end) {
                step.changes.push(Change::Strip(id));
            }
        }
        let Some(place) = self.config.output_unit().map(|unit| unit.0 as usize) else { return };
        if self.config.units.get(place).is_none_or(|unit| unit.good.is_none()) {
            return;
        }
        let good = &self.state.units[place].good;
        let usable = good.base.is_some() && !good.unusable;
        self.state.output.push(OutputPoint { at: end, total: usable.then_some(good.total) });
        let surplus = self.state.output.len().saturating_sub(OUTPUT_MAX);
        self.state.output.drain(..surplus);
        step.changes.push(Change::Output);
    }

    /// Nothing is known of the plant in `[from, to)`, although it seemed so: marks it in every list.
    pub(crate) fn forget(&mut self, from: Timestamp, to: Timestamp, step: &mut Step) {
        let filling = self.state.rate_bucket;
        for (id, unit) in (0u32..).map(UnitId).zip(&mut self.state.units) {
            blank(&mut unit.intervals, from, to);
            forget_rates(unit, filling, from, to);
            if to > filling {
                (unit.rate_sum, unit.rate_secs, unit.rate_from) = (0.0, 0.0, step.at);
            }
            step.changes.extend([Change::Unit(id), Change::Strip(id)]);
        }
        for point in self.state.output.iter_mut().filter(|p| p.at > from && p.at <= to) {
            point.total = None;
        }
        step.changes.push(Change::Output);
    }
}

/// Does the unit's rate come from its good counter?
fn counts(config: &Unit) -> bool {
    config.speed.is_none() && config.good.is_some()
}

fn close_bucket(unit: &mut UnitStatus, counted: bool) {
    // Readings count for the time before them: cutting a counted bucket short would distort it.
    let enough = RATE_BUCKET.as_secs_f64() * if counted { 0.999 } else { 0.5 };
    let known = unit.rate_secs >= enough;
    let mean = known.then(|| unit.rate_sum / unit.rate_secs).filter(|mean| mean.is_finite());
    unit.rates.push_back(mean);
    while unit.rates.len() > RATE_BUCKETS {
        unit.rates.pop_front();
    }
    (unit.rate_sum, unit.rate_secs) = (0.0, 0.0);
    if counted {
        let last = unit.rates.iter().rev().take(COUNTED_BUCKETS).flatten();
        let (n, sum) = last.fold((0usize, 0.0), |(n, sum), rate| (n + 1, sum + rate));
        let known = mean.is_some() && n * 2 >= COUNTED_BUCKETS && !unit.good.unusable;
        unit.rate_per_min = known.then(|| sum / n as f64);
    }
}

fn forget_rates(unit: &mut UnitStatus, filling: Timestamp, from: Timestamp, to: Timestamp) {
    let mut end = filling;
    for mean in unit.rates.iter_mut().rev() {
        let start = end - RATE_BUCKET;
        let covered = to.min(end) - from.max(start);
        if covered.0 > RATE_BUCKET.0 / 2 {
            *mean = None;
        }
        end = start;
    }
}

/// Where the next bucket starts: at `end`, or so much later that `keep` buckets are left up to `horizon`.
fn skip(end: Timestamp, horizon: Timestamp, bucket: Span, keep: usize) -> Timestamp {
    let left = (i128::from(horizon.0) - i128::from(end.0)) / i128::from(bucket.0);
    let skipped = (left - keep as i128).max(0) * i128::from(bucket.0);
    Timestamp(i64::try_from(i128::from(end.0) + skipped).unwrap_or(i64::MAX))
}
