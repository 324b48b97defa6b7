//! The search for values that cannot be decoded. One such value closes the whole connection, again and again;
//! so the nodes are read in parts, a part that closes the connection is halved, and a single node that
//! still does is the culprit.
//!
//! Pure: `supervise` reads and says what came of it.

use crate::subscribe::Item;
use lineside_model::TagId;

/// Items of the first parts.
const PART: usize = 256;

/// What is still to be tried, and what was found.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Suspects {
    waiting: Vec<Vec<Item>>,
    found: Vec<TagId>,
}

impl Suspects {
    /// All of `items` are under suspicion.
    pub(crate) fn new(items: &[Item]) -> Suspects {
        Suspects { waiting: items.chunks(PART).rev().map(<[Item]>::to_vec).collect(), found: Vec::new() }
    }

    /// The items to read next; none when all is known.
    pub(crate) fn next(&self) -> Option<&[Item]> {
        self.waiting.last().map(Vec::as_slice)
    }

    /// The last part was read.
    pub(crate) fn passed(&mut self) {
        self.waiting.pop();
    }

    /// The last part closed the connection.
    pub(crate) fn failed(&mut self) {
        let Some(mut part) = self.waiting.pop() else {
            return;
        };
        let rest = part.split_off(part.len() / 2);
        if part.is_empty() {
            self.found.extend(rest.into_iter().map(|(tag, _)| tag));
        } else {
            self.waiting.extend([rest, part]);
        }
    }

    /// The tags whose values cannot be decoded.
    pub(crate) fn found(self) -> Vec<TagId> {
        self.found
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use opcua::types::NodeId;
    use proptest::prelude::*;

    /// Searches among `count` items, of which `bad` cannot be decoded; returns how often a connection was lost.
    fn check(count: u32, bad: &[u32]) -> usize {
        let items: Vec<Item> = (0..count).map(|id| (TagId(id), NodeId::new(1, id))).collect();
        let mut suspects = Suspects::new(&items);
        let mut lost = 0;
        while let Some(part) = suspects.next() {
            if part.iter().any(|(tag, _)| bad.contains(&tag.0)) {
                lost += 1;
                suspects.failed();
            } else {
                suspects.passed();
            }
        }
        let found: Vec<u32> = suspects.found().into_iter().map(|tag| tag.0).collect();
        assert_eq!(found, bad, "of {count}");
        lost
    }

    #[test]
    fn one_culprit_among_many_costs_few_connections() {
        assert_eq!(check(50_000, &[31_415]), 9);
        assert_eq!(check(1, &[0]), 1);
        assert_eq!(check(0, &[]), 0);
    }

    proptest! {
        #[test]
        fn every_culprit_is_found_and_nothing_else(count in 0_u32..2_000, bad in prop::collection::btree_set(0_u32..2_000, 0..8)) {
            check(count, &bad.into_iter().filter(|id| *id < count).collect::<Vec<_>>());
        }
    }
}
