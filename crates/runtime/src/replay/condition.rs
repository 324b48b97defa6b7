//! "The next time this tag is below 1.2 for 5 seconds": the instants at which a condition has held long enough.
//!
//! Pure: told what happened to the tag, in order. What is not known (bad quality, no number, link down, silent, inside
//! a gap) fulfils no condition and ends the stretch in which one held.

use lineside_model::{Span, TagId, Timestamp};

/// A tag's value, in shown units, against a number.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Condition {
    pub tag: TagId,
    pub op: Op,
    pub value: f64,
    /// Without interruption. Zero: at once.
    pub for_at_least: Span,
}

/// How it is compared.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Op {
    Below,
    Above,
    Equal,
    NotEqual,
}

/// What happens to a tag.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Point {
    /// A value came; `None`: one that cannot be used.
    Value(Option<f64>),
    Link(bool),
    Flow(bool),
    /// What the server holds now is not known until the next value.
    Lost,
    GapBegins,
    GapEnds,
}

/// What is known of the tag at one moment.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Reading {
    pub(super) value: Option<f64>,
    pub(super) up: bool,
    pub(super) flows: bool,
    pub(super) confirmed: bool,
    pub(super) gaps: u32,
}

impl Op {
    fn holds(self, value: f64, limit: f64) -> bool {
        match self {
            Op::Below => value < limit,
            Op::Above => value > limit,
            Op::Equal => value == limit,
            Op::NotEqual => value != limit && !value.is_nan(),
        }
    }
}

impl Reading {
    fn take(&mut self, point: Point) {
        match point {
            Point::Value(value) => (self.value, self.confirmed) = (value, true),
            Point::Link(up) => {
                self.up = up;
                self.confirmed &= up;
            }
            Point::Flow(flows) => self.flows = flows,
            Point::Lost => self.confirmed = false,
            Point::GapBegins => self.gaps += 1,
            Point::GapEnds => self.gaps = self.gaps.saturating_sub(1),
        }
    }

    fn known(&self) -> Option<f64> {
        self.value.filter(|_| self.up && self.flows && self.confirmed && self.gaps == 0)
    }
}

/// The instants at which the condition has held for long enough, each once per stretch, in order: from `begin`, where
/// `reading` is what is known, to `end`. `points` are ordered by time.
pub(super) fn instants(
    condition: &Condition,
    mut reading: Reading,
    begin: Timestamp,
    points: &[(Timestamp, Point)],
    end: Timestamp,
) -> Vec<Timestamp> {
    let holds = |reading: &Reading| reading.known().is_some_and(|value| condition.op.holds(value, condition.value));
    let mut found = Vec::new();
    let mut since = holds(&reading).then_some(begin);
    let close = |since: Option<Timestamp>, until: Timestamp, found: &mut Vec<Timestamp>| {
        found.extend(since.map(|since| since + condition.for_at_least).filter(|instant| *instant <= until));
    };
    let mut points = points.iter().peekable();
    while let Some((at, point)) = points.next() {
        reading.take(*point);
        // What happens at one instant is one step.
        if points.peek().is_some_and(|(next, _)| next == at) {
            continue;
        }
        match (since, holds(&reading)) {
            (None, true) => since = Some(*at),
            (Some(_), false) => close(since.take(), *at, &mut found),
            _ => {}
        }
    }
    close(since, end, &mut found);
    found
}

#[cfg(test)]
mod tests {
    use super::*;
    use Point::*;

    #[test]
    fn conditions() {
        let at = |second: i64| Timestamp(second * 1_000_000_000);
        let value = |second: i64, value: f64| (at(second), Value(Some(value)));
        let below = |value, seconds| (Op::Below, value, seconds);
        // op, limit, seconds; what happens from 0 to 100; instants
        type Row = ((Op, f64, i64), Vec<(Timestamp, Point)>, &'static [i64]);
        let rows: [Row; 17] = [
            (below(5.0, 0), vec![value(10, 4.0)], &[10]),
            (below(5.0, 5), vec![value(10, 4.0)], &[15]),
            (below(5.0, 5), vec![value(10, 4.0), value(14, 6.0)], &[]),
            (below(5.0, 5), vec![value(10, 4.0), value(15, 6.0)], &[15]),
            (below(5.0, 5), vec![value(10, 4.0), value(12, 3.0), value(20, 9.0), value(30, 1.0)], &[15, 35]),
            (below(5.0, 5), vec![value(96, 4.0)], &[]),
            (below(5.0, 5), vec![value(95, 4.0)], &[100]),
            (below(5.0, 5), vec![value(10, 4.0), (at(12), Value(None)), value(13, 4.0)], &[18]),
            (below(5.0, 5), vec![value(10, 4.0), (at(12), Link(false)), (at(20), Link(true))], &[]),
            (below(5.0, 5), vec![value(10, 4.0), (at(12), Link(false)), (at(20), Link(true)), value(21, 4.0)], &[26]),
            (below(5.0, 5), vec![value(10, 4.0), (at(12), Flow(false)), (at(20), Flow(true))], &[25]),
            (below(5.0, 5), vec![value(10, 4.0), (at(12), GapBegins), (at(14), GapEnds)], &[19]),
            (below(5.0, 5), vec![value(10, 4.0), (at(12), Lost), value(12, 4.0)], &[15]),
            (below(5.0, 0), vec![value(10, f64::NAN)], &[]),
            ((Op::Above, 5.0, 0), vec![value(10, 5.0), value(11, 5.1)], &[11]),
            ((Op::Equal, 5.0, 1), vec![value(10, 5.0), value(12, 5.1)], &[11]),
            ((Op::NotEqual, 5.0, 0), vec![value(10, 5.0), value(11, f64::NAN), value(12, 4.0)], &[12]),
        ];
        for ((op, value, seconds), points, expected) in rows {
            let condition = Condition { tag: TagId(0), op, value, for_at_least: Span::from_secs(seconds) };
            let reading = Reading { value: None, up: true, flows: true, confirmed: true, gaps: 0 };
            let found = instants(&condition, reading, at(0), &points, at(100));
            let expected: Vec<Timestamp> = expected.iter().map(|second| at(*second)).collect();
            assert_eq!(found, expected, "{condition:?} {points:?}");
        }
    }
}
