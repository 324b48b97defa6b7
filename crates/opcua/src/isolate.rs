//! The search for values that cannot be decoded. One such value closes the whole connection, again and again;
//! so the nodes are read in parts, a part that closes the connection is halved, and a single node that
//! still does is the culprit.
//!
//! Pure: who reads (`supervise` for the tags, the explorer's calls for what a person looks at) says what came of it.

/// What is still to be tried, and what was found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Suspects<T> {
    waiting: Vec<Vec<T>>,
    found: Vec<T>,
}

impl<T> Suspects<T> {
    /// All of `items` are under suspicion.
    pub(crate) fn new(items: Vec<T>) -> Suspects<T> {
        Suspects { waiting: vec![items], found: Vec::new() }
    }

    /// The items to read next, at most `most`; none when all is known.
    pub(crate) fn next(&mut self, most: usize) -> Option<&[T]> {
        self.waiting.pop_if(|part| part.is_empty());
        let part = self.waiting.last_mut()?;
        if part.len() > most.max(1) {
            let first = part.drain(..most.max(1)).collect();
            self.waiting.push(first);
        }
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
            self.found.extend(rest);
        } else {
            self.waiting.extend([rest, part]);
        }
    }

    /// The items whose values cannot be decoded, as far as they were found since this was last asked.
    pub(crate) fn found(&mut self) -> Vec<T> {
        std::mem::take(&mut self.found)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// Searches among `count` items, of which `bad` cannot be decoded; returns how often a connection was lost.
    fn check(count: u32, bad: &[u32]) -> usize {
        let mut suspects = Suspects::new((0..count).collect());
        let mut lost = 0;
        while let Some(part) = suspects.next(256) {
            assert!(part.len() <= 256);
            if part.iter().any(|item| bad.contains(item)) {
                lost += 1;
                suspects.failed();
            } else {
                suspects.passed();
            }
        }
        assert_eq!(suspects.found(), bad, "of {count}");
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
