//! What was delivered: enough to recognise a value of the history that already came through the subscription.
//!
//! Several values may share one time, so a value is recognised by source time, value and status code (the
//! information bits differ between a live value and its copy in a history).

use lineside_model::{Sample, StatusCode, TagId, Timestamp, Value};
use std::collections::VecDeque;
use std::hash::{DefaultHasher, Hash, Hasher};

/// Values remembered over all tags: some seconds of the heaviest load.
const RECENT: usize = 65_536;

/// One value, recognisable.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Mark {
    pub(crate) tag: TagId,
    pub(crate) time: Timestamp,
    print: u64,
}

impl Mark {
    /// None where the value has no time.
    pub(crate) fn of(sample: &Sample) -> Option<Mark> {
        let time = sample.source_time.or(sample.server_time)?;
        Some(Mark { tag: sample.tag, time, print: print(&sample.value, sample.status) })
    }
}

fn print(value: &Value, status: StatusCode) -> u64 {
    let mut hasher = DefaultHasher::new();
    (value.kind(), status.code()).hash(&mut hasher);
    match value {
        Value::Empty => {}
        Value::Bool(value) => value.hash(&mut hasher),
        Value::Int(value) => value.hash(&mut hasher),
        Value::UInt(value) => value.hash(&mut hasher),
        Value::Float(value) => value.to_bits().hash(&mut hasher),
        Value::Text(value) => value.hash(&mut hasher),
        Value::Time(value) => value.hash(&mut hasher),
        Value::Raw(value) => (&value.type_name, &value.text, &value.bytes).hash(&mut hasher),
    }
    hasher.finish()
}

/// The last values of all tags, and the very last of each.
#[derive(Debug, Default)]
pub(crate) struct Delivered {
    recent: VecDeque<Mark>,
    /// By tag id.
    last: Vec<Option<Mark>>,
}

impl Delivered {
    pub(crate) fn note(&mut self, mark: Mark) {
        if self.recent.len() >= RECENT {
            self.recent.pop_front();
        }
        self.recent.push_back(mark);
        let at = mark.tag.0 as usize;
        if self.last.len() <= at {
            self.last.resize(at + 1, None);
        }
        self.last[at] = Some(mark);
    }

    /// What is remembered from `from` to `to`.
    pub(crate) fn within(&self, from: Timestamp, to: Timestamp) -> impl Iterator<Item = Mark> {
        let all = self.recent.iter().copied().chain(self.last.iter().copied().flatten());
        all.filter(move |mark| (from..=to).contains(&mark.time))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sample(tag: u32, second: i64, value: f64, status: u32) -> Sample {
        Sample {
            tag: TagId(tag),
            value: Value::Float(value),
            status: StatusCode(status),
            source_time: Some(Timestamp::from_millis(second * 1_000)),
            server_time: None,
        }
    }

    #[test]
    fn values_are_told_apart_by_tag_time_value_and_code() {
        let mark = |tag, second, value, status| Mark::of(&sample(tag, second, value, status)).unwrap();
        let one = mark(1, 1, 1.0, 0);
        assert_eq!(one, mark(1, 1, 1.0, 0x0480), "an overflow bit makes no other value");
        for other in [mark(2, 1, 1.0, 0), mark(1, 2, 1.0, 0), mark(1, 1, 2.0, 0), mark(1, 1, 1.0, 0x8000_0000)] {
            assert_ne!(one, other);
        }
        assert_eq!(Mark::of(&Sample { source_time: None, ..sample(1, 1, 1.0, 0) }), None);
    }

    #[test]
    fn the_last_value_of_a_slow_tag_is_not_forgotten() {
        let mut delivered = Delivered::default();
        let slow = Mark::of(&sample(0, 5, 1.0, 0)).unwrap();
        delivered.note(slow);
        for index in 0..=RECENT as i64 {
            delivered.note(Mark::of(&sample(1, 100 + index, 1.0, 0)).unwrap());
        }
        let second = |second: i64| Timestamp::from_millis(second * 1_000);
        assert_eq!(delivered.within(second(5), second(5)).collect::<Vec<_>>(), [slow]);
        assert_eq!(delivered.recent.len(), RECENT);
        assert_eq!(delivered.within(second(6), second(99)).count(), 0);
    }
}
