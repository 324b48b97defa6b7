//! The list of a unit's intervals: without holes, without empty ones, neighbours always differ, bounded.

use lineside_model::Timestamp;
use lineside_model::state::{INTERVAL_HORIZON, INTERVALS_MAX, Interval};
use std::collections::VecDeque;

/// A stretch from `start` on, of which nothing is known.
pub(crate) fn unknown(start: Timestamp) -> Interval {
    Interval { start, ..Interval::default() }
}

/// Ends the open interval at the start of `next`, which is open from there on. Whatever began at that
/// instant or later is replaced.
pub(crate) fn push(list: &mut VecDeque<Interval>, next: Interval) {
    while list.back().is_some_and(|last| last.start >= next.start) {
        list.pop_back();
    }
    let goes_on = list.back().is_some_and(|last| Interval { start: next.start, ..*last } == next);
    if !goes_on {
        list.push_back(next);
    }
    while list.len() > INTERVALS_MAX {
        list.pop_front();
    }
}

/// Drops intervals that ended before the horizon. True if there were any.
pub(crate) fn prune(list: &mut VecDeque<Interval>, now: Timestamp) -> bool {
    let before = list.len();
    let horizon = now - INTERVAL_HORIZON;
    while list.get(1).is_some_and(|second| second.start <= horizon) {
        list.pop_front();
    }
    list.len() < before
}

/// Marks `[from, to)` as not known, as far as the list reaches back.
pub(crate) fn blank(list: &mut VecDeque<Interval>, from: Timestamp, to: Timestamp) {
    let Some(first) = list.front() else { return };
    let from = from.max(first.start);
    let after = list.partition_point(|i| i.start <= to);
    if from >= to || after == 0 {
        return;
    }
    let resumed = Interval { start: to, ..list[after - 1] };
    let tail = list.split_off(after);
    push(list, unknown(from));
    push(list, resumed);
    tail.into_iter().for_each(|interval| push(list, interval));
}

#[cfg(test)]
mod tests {
    use super::*;
    use lineside_model::{Mode, PackState};

    fn list(text: &str) -> VecDeque<Interval> {
        let mut list = VecDeque::new();
        for word in text.split_whitespace() {
            let (start, what) = word.split_once('=').expect("start=state");
            let start = Timestamp(start.parse().expect("number"));
            let state = PackState::from_name(what).unwrap_or_default();
            let known = Interval { start, state, mode: Mode::Produce, known: true };
            push(&mut list, if what == "?" { unknown(start) } else { known });
        }
        list
    }

    #[test]
    fn lists() {
        let rows = [
            ("1=Idle 2=Execute 2=Held", None, "1=Idle 2=Held"),
            ("1=Idle 2=Idle 3=?", None, "1=Idle 3=?"),
            ("1=Idle 2=Execute 2=Idle", None, "1=Idle"),
            ("1=Idle 9=Held", Some((3, 5)), "1=Idle 3=? 5=Idle 9=Held"),
            ("1=Idle 4=Held", Some((3, 5)), "1=Idle 3=? 5=Held"),
            ("1=Idle 4=Held", Some((0, 4)), "1=? 4=Held"),
            ("1=Idle 4=Held", Some((5, 5)), "1=Idle 4=Held"),
            ("4=Held", Some((1, 3)), "4=Held"),
            ("1=Idle 4=?", Some((3, 6)), "1=Idle 3=?"),
        ];
        for (before, hole, want) in rows {
            let mut got = list(before);
            if let Some((from, to)) = hole {
                blank(&mut got, Timestamp(from), Timestamp(to));
            }
            assert_eq!(got, list(want), "{before} {hole:?}");
        }
    }

    #[test]
    fn lists_are_bounded() {
        let mut many = VecDeque::new();
        for n in 0..2 * INTERVALS_MAX as i64 {
            let state = if n % 2 == 0 { PackState::Execute } else { PackState::Held };
            push(&mut many, Interval { start: Timestamp(n), state, mode: Mode::Produce, known: true });
        }
        assert_eq!((many.len(), many[0].start), (INTERVALS_MAX, Timestamp(INTERVALS_MAX as i64)));

        let day = INTERVAL_HORIZON.0;
        for (now, left) in [(day, 3), (day + 4, 3), (day + 5, 2), (3 * day, 1)] {
            let mut list = list("1=Idle 5=Held 9=Execute");
            assert_eq!(prune(&mut list, Timestamp(now)), left < 3, "at {now}");
            assert_eq!(list.len(), left, "at {now}");
        }
    }
}
