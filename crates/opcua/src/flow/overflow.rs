//! Overflow of a server's queue for one tag: the bit in the status, turned into a gap.
//!
//! By OPC 10000-4 5.13.1.5 the oldest value kept carries the bit. There are servers (async-opcua's among
//! them) that set it on the newest, on each, and without the information type that makes it valid. So
//! one message means at most one gap, which reaches back to the last value before that message.

use lineside_model::{Gap, GapReason, GapScope, Sample, StatusCode, Timestamp};

/// Where the values of one tag stand.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Overflow {
    last: Option<Timestamp>,
    /// The last value before the message in which `last` came.
    before: Option<Timestamp>,
    message: u64,
    told: bool,
}

impl Overflow {
    /// Notes a value of message number `message` (from 1 on); the gap that lies before it, if any.
    pub(crate) fn gap(&mut self, sample: &Sample, message: u64) -> Option<Gap> {
        let time = sample.source_time.or(sample.server_time);
        if self.message != message {
            *self = Overflow { last: self.last, before: self.last, message, told: false };
        }
        self.last = time.or(self.last);
        if self.told || !overflowed(sample.status) {
            return None;
        }
        self.told = true;
        let to = self.last?;
        let from = self.before.unwrap_or(to).min(to);
        let (scope, reason) = (GapScope::Tag(sample.tag), GapReason::ServerOverflow);
        Some(Gap { scope, from, to, reason, lost: None })
    }
}

/// The overflow bit, with the information type "data value" or with none at all.
fn overflowed(status: StatusCode) -> bool {
    status.overflowed() || status.0 & 0x0C80 == 0x0080
}

#[cfg(test)]
mod tests {
    use super::*;
    use lineside_model::{TagId, Value};

    /// Values as (message, second, status), and the gaps as (from, to) in seconds.
    fn check(values: &[(u64, i64, u32)], expected: &[(i64, i64)]) {
        let at = |second: i64| Timestamp::from_millis(second * 1000);
        let mut overflow = Overflow::default();
        let gaps = values.iter().filter_map(|(message, second, status)| {
            let (tag, source_time) = (TagId(0), Some(at(*second)));
            let status = StatusCode(*status);
            overflow.gap(&Sample { tag, value: Value::Empty, status, source_time, server_time: None }, *message)
        });
        let gaps: Vec<(Timestamp, Timestamp)> = gaps.map(|gap| (gap.from, gap.to)).collect();
        let expected: Vec<_> = expected.iter().map(|(from, to)| (at(*from), at(*to))).collect();
        assert_eq!(gaps, expected, "{values:?}");
    }

    #[test]
    fn one_message_is_one_gap_wherever_the_bit_is() {
        check(&[(1, 1, 0), (2, 8, 0x0480), (2, 9, 0), (2, 10, 0)], &[(1, 8)]);
        check(&[(1, 1, 0), (2, 8, 0x0480), (3, 20, 0x0480)], &[(1, 8), (8, 20)]);
        check(&[(1, 1, 0), (2, 8, 0), (2, 9, 0x0080)], &[(1, 9)]);
        check(&[(1, 1, 0), (2, 8, 0x0080), (2, 9, 0x0080), (2, 10, 0x0080)], &[(1, 8)]);
        check(&[(1, 5, 0x0480)], &[(5, 5)]);
        check(&[(1, 1, 0x0880), (2, 2, 0x0400), (3, 3, 0x8000_0000)], &[]);
    }
}
