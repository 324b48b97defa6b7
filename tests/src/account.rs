//! The account of numbered samples: each number that a server produced was delivered, was filled later, or
//! lies in a gap that was reported. Nothing may be missing without a word.

use lineside_model::{Gap, GapScope, Input, TagId, Timestamp, Value};
use std::fmt;

/// Servers stamp to the millisecond at worst.
const TOLERANCE_NS: i64 = 1_000_000;

/// No run is so long.
const NUMBERS_MAX: u32 = 1 << 24;

/// What arrived, as the adapter delivered it. Tag `i` is counter `i`.
#[derive(Clone, Debug)]
pub struct Ledger {
    tags: Vec<Arrived>,
    gaps: Vec<Gap>,
}

/// The numbers of one counter.
#[derive(Clone, Debug, Default)]
struct Arrived {
    first: Option<u32>,
    last: u32,
    delivered: Numbers,
    filled: Numbers,
    repeated: u64,
}

/// A set of numbers, one bit each.
#[derive(Clone, Debug, Default)]
struct Numbers {
    bits: Vec<u64>,
    count: u64,
}

/// Where all numbers went, from the first to the last that arrived of each counter.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Account {
    pub delivered: u64,
    /// Read afterwards from the server's history.
    pub filled: u64,
    /// Filled although it had been delivered.
    pub filled_twice: u64,
    /// Missing, and told to be.
    pub in_gaps: u64,
    /// Delivered again, as the current value of a new subscription.
    pub repeated: u64,
    /// Missing without a word: counter and number. Only the first hundred are listed.
    pub unexplained: Vec<(u32, u32)>,
    pub unexplained_count: u64,
    pub gaps: usize,
}

impl Ledger {
    pub fn new(counters: usize) -> Ledger {
        Ledger { tags: vec![Arrived::default(); counters], gaps: Vec::new() }
    }

    pub fn take(&mut self, input: &Input) {
        match input {
            Input::Sample(sample) => {
                if let (Some(tag), Some(number)) = (self.tags.get_mut(sample.tag.0 as usize), number(&sample.value)) {
                    tag.deliver(number);
                }
            }
            Input::Gap(gap) => self.gaps.push(*gap),
            Input::Fill(fill) => {
                if let Some(tag) = self.tags.get_mut(fill.tag.0 as usize) {
                    fill.values.iter().for_each(|value| tag.fill(&value.value));
                }
            }
            _ => {}
        }
    }

    /// Values delivered so far, each once.
    pub fn delivered(&self) -> u64 {
        self.tags.iter().map(|tag| tag.delivered.count).sum()
    }

    pub fn gaps(&self) -> &[Gap] {
        &self.gaps
    }

    /// The smallest of the last numbers of all counters: everybody has come so far.
    pub fn everybody_at(&self) -> u32 {
        self.tags.iter().map(|tag| tag.last).min().unwrap_or_default()
    }

    /// Accounts for every number that the server produced; `rounds` are their source times, from number 1 on.
    pub fn settle(&self, rounds: &[Timestamp]) -> Account {
        let mut account = Account { gaps: self.gaps.len(), ..Account::default() };
        for (counter, tag) in self.tags.iter().enumerate() {
            account.repeated += tag.repeated;
            for number in tag.first.unwrap_or(1).max(1)..=tag.last {
                let time = rounds.get(number as usize - 1);
                if tag.delivered.has(number) {
                    account.delivered += 1;
                    account.filled_twice += u64::from(tag.filled.has(number));
                } else if tag.filled.has(number) {
                    account.filled += 1;
                } else if time.is_some_and(|time| self.in_gap(counter as u32, *time)) {
                    account.in_gaps += 1;
                } else {
                    account.unexplained_count += 1;
                    if account.unexplained.len() < 100 {
                        account.unexplained.push((counter as u32, number));
                    }
                }
            }
        }
        account
    }

    fn in_gap(&self, counter: u32, time: Timestamp) -> bool {
        self.gaps.iter().any(|gap| {
            let covers = !matches!(gap.scope, GapScope::Tag(tag) if tag != TagId(counter));
            covers && gap.from.0 - TOLERANCE_NS <= time.0 && time.0 <= gap.to.0 + TOLERANCE_NS
        })
    }
}

/// What a counter can have come to; anything else was changed on the way.
fn number(value: &Value) -> Option<u32> {
    match value {
        Value::UInt(number) => u32::try_from(*number).ok().filter(|number| *number < NUMBERS_MAX),
        _ => None,
    }
}

impl Arrived {
    fn fill(&mut self, value: &Value) {
        if let Some(number) = number(value) {
            self.filled.add(number);
        }
    }

    fn deliver(&mut self, number: u32) {
        self.first.get_or_insert(number);
        self.last = self.last.max(number);
        if !self.delivered.add(number) {
            self.repeated += 1;
        }
    }
}

impl Numbers {
    /// `false` where it was there already.
    fn add(&mut self, number: u32) -> bool {
        let (word, bit) = (number as usize / 64, 1 << (number % 64));
        if self.bits.len() <= word {
            self.bits.resize(word + 1, 0);
        }
        let new = self.bits[word] & bit == 0;
        self.bits[word] |= bit;
        self.count += u64::from(new);
        new
    }

    fn has(&self, number: u32) -> bool {
        self.bits.get(number as usize / 64).is_some_and(|word| word & (1 << (number % 64)) != 0)
    }
}

impl fmt::Display for Account {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{} delivered, {} filled, {} in {} gaps, {} repeated, {} unexplained",
            self.delivered, self.filled, self.in_gaps, self.gaps, self.repeated, self.unexplained_count
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use lineside_model::report::{Fill, FilledValue};
    use lineside_model::{ConnectionId, GapReason, Sample, StatusCode};
    use std::sync::Arc;

    fn sample(tag: u32, number: u64) -> Input {
        let (source_time, server_time) = (None, None);
        Input::Sample(Sample {
            tag: TagId(tag),
            value: Value::UInt(number),
            status: StatusCode::GOOD,
            source_time,
            server_time,
        })
    }

    fn fill(tag: u32, numbers: &[u64]) -> Input {
        let value = |number: &u64| FilledValue { value: Value::UInt(*number), ..FilledValue::default() };
        let values = numbers.iter().map(value).collect();
        Input::Fill(Arc::new(Fill { tag: TagId(tag), values, ..Fill::default() }))
    }

    fn gap(scope: GapScope, from: i64, to: i64) -> Input {
        let (from, to) = (Timestamp::from_millis(from), Timestamp::from_millis(to));
        Input::Gap(Gap { scope, from, to, reason: GapReason::LinkDown, lost: None })
    }

    /// Round `n` is at `n` × 100 ms; both counters get what `inputs` say.
    fn check(inputs: &[Input], delivered: u64, in_gaps: u64, repeated: u64, unexplained: &[(u32, u32)]) {
        let rounds: Vec<Timestamp> = (1..=10).map(|round| Timestamp::from_millis(round * 100)).collect();
        let mut ledger = Ledger::new(2);
        inputs.iter().for_each(|input| ledger.take(input));
        let account = ledger.settle(&rounds);
        assert_eq!((account.delivered, account.in_gaps, account.repeated), (delivered, in_gaps, repeated), "{account}");
        assert_eq!(account.unexplained, unexplained);
    }

    #[test]
    fn every_number_is_delivered_or_in_a_gap_or_unexplained() {
        let two = [sample(0, 2), sample(1, 2)];
        let six = [sample(0, 6), sample(1, 6)];
        let with = |between: &[Input]| [two.as_slice(), between, six.as_slice()].concat();
        let missing: Vec<(u32, u32)> = (0..2).flat_map(|tag| (3..=5).map(move |number| (tag, number))).collect();
        check(&with(&[]), 4, 0, 0, &missing);
        let link = GapScope::Connection(ConnectionId(0));
        check(&with(&[gap(link, 250, 550)]), 4, 6, 0, &[]);
        check(&with(&[gap(GapScope::Tag(TagId(1)), 250, 550)]), 4, 3, 0, &missing[..3]);
        check(&with(&[fill(0, &[3, 4, 5]), fill(1, &[3])]), 4, 0, 0, &[(1, 4), (1, 5)]);
        check(&with(&[gap(link, 250, 450)]), 4, 4, 0, &[(0, 5), (1, 5)]);
        check(&with(&[sample(0, 3), sample(0, 3), gap(link, 310, 550)]), 5, 4, 1, &[(1, 3)]);
    }
}
