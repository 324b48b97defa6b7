//! Sequence numbers of one subscription: what is missing, what came twice.
//!
//! OPC 10000-4 5.14.5 and OPC 10000-1 6.11: numbering starts at 1, skips 0 when it wraps, and a keep-alive
//! carries the number of the *next* message. The client library does not look at them, so a lost
//! notification would be silent. This is the pure part; Republish is sent by `flow`.

/// More missing messages than this are not asked for one by one; they count as lost.
pub(crate) const REPUBLISH_MAX: u32 = 100;

/// Numbers run from 1 to `u32::MAX`.
const RING: u64 = u32::MAX as u64;

/// What a message's number says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Arrival {
    /// The one expected: deliver it.
    InOrder,
    /// `count` messages from `first` on were not seen. Republish them, then deliver this one.
    Missing { first: u32, count: u32 },
    /// Seen before: drop it.
    Repeated,
}

/// The number expected next on one subscription.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Tracker {
    next: u32,
}

impl Tracker {
    /// A subscription just created.
    pub(crate) fn new() -> Tracker {
        Tracker { next: 1 }
    }

    /// The number of the next message.
    pub(crate) fn next(&self) -> u32 {
        self.next
    }

    /// Expects `number` next: what lies before is delivered or lost.
    pub(crate) fn expect(&mut self, number: u32) {
        self.next = number;
    }

    /// Those of `numbers` that are still to come, in order.
    pub(crate) fn ahead(&self, numbers: &[u32]) -> Vec<u32> {
        let distance = |number: u32| (u64::from(number) + RING - u64::from(self.next)) % RING;
        let mut ahead: Vec<u32> =
            numbers.iter().copied().filter(|number| *number != 0 && distance(*number) < RING / 2).collect();
        ahead.sort_unstable_by_key(|number| distance(*number));
        ahead.dedup();
        ahead.truncate(REPUBLISH_MAX as usize);
        ahead
    }

    /// A message with data arrived.
    pub(crate) fn data(&mut self, number: u32) -> Arrival {
        // 0 is never used by the standard; a server that does not number loses nothing by it.
        if number == 0 {
            return Arrival::InOrder;
        }
        let arrival = self.compare(number);
        if arrival != Arrival::Repeated {
            self.next = successor(number);
        }
        arrival
    }

    /// A keep-alive arrived: `number` is what the next message will carry; nothing is consumed.
    pub(crate) fn keep_alive(&mut self, number: u32) -> Arrival {
        if number == 0 {
            return Arrival::InOrder;
        }
        match self.compare(number) {
            // Some servers repeat the last number; nothing is missing then.
            Arrival::Repeated => Arrival::InOrder,
            arrival => {
                self.next = number;
                arrival
            }
        }
    }

    fn compare(&self, number: u32) -> Arrival {
        let ahead = (u64::from(number) + RING - u64::from(self.next)) % RING;
        match u32::try_from(ahead) {
            Ok(0) => Arrival::InOrder,
            Ok(count) if u64::from(count) < RING / 2 => Arrival::Missing { first: self.next, count },
            _ => Arrival::Repeated,
        }
    }
}

/// The number after `number`.
pub(crate) fn successor(number: u32) -> u32 {
    if number == u32::MAX { 1 } else { number + 1 }
}

/// The number before `number`.
pub(crate) fn predecessor(number: u32) -> u32 {
    if number <= 1 { u32::MAX } else { number - 1 }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Clone, Copy, Debug)]
    enum Message {
        Data(u32),
        KeepAlive(u32),
    }
    use Message::{Data, KeepAlive};

    fn check(next: u32, messages: &[(Message, Arrival)], next_after: u32) {
        let mut tracker = Tracker { next };
        for (message, expected) in messages {
            let arrival = match *message {
                Data(number) => tracker.data(number),
                KeepAlive(number) => tracker.keep_alive(number),
            };
            assert_eq!(arrival, *expected, "{message:?} from {next} in {messages:?}");
        }
        assert_eq!(tracker.next, next_after, "{messages:?}");
    }

    #[test]
    fn numbers_of_the_standard() {
        let missing = |first, count| Arrival::Missing { first, count };
        use Arrival::{InOrder, Repeated};
        assert_eq!(Tracker::new(), Tracker { next: 1 });
        check(5, &[(Data(5), InOrder), (Data(7), missing(6, 1))], 8);
        check(8, &[(KeepAlive(9), missing(8, 1)), (Data(9), InOrder)], 10);
        check(u32::MAX, &[(Data(u32::MAX), InOrder), (Data(1), InOrder)], 2);
        check(u32::MAX, &[(Data(2), missing(u32::MAX, 2))], 3);
        check(5, &[(KeepAlive(5), InOrder), (Data(5), InOrder)], 6);
        check(5, &[(Data(4), Repeated), (Data(5), InOrder), (Data(5), Repeated)], 6);
        check(5, &[(KeepAlive(4), InOrder), (Data(5), InOrder)], 6);
        check(1, &[(Data(u32::MAX), Repeated)], 1);
        check(1, &[(Data(3), missing(1, 2))], 4);
        check(5, &[(Data(0), InOrder), (KeepAlive(0), InOrder)], 5);
        assert_eq!(Tracker { next: u32::MAX }.ahead(&[2, 0, 1, u32::MAX - 1, u32::MAX, 1]), [u32::MAX, 1, 2]);
        let endless: Vec<u32> = (1..100_000).collect();
        assert_eq!(Tracker { next: 5 }.ahead(&endless).len(), REPUBLISH_MAX as usize);
    }
}
