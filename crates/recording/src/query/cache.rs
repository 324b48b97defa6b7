//! Decoded parts, as many as there is room for.

use super::part::Part;
use super::places::PartPlace;
use crate::OpenError;
use lineside_model::TagId;
use std::collections::VecDeque;

/// Parts are let go, the longest unused first, when they take more than this.
const BYTES: usize = 64 << 20;

/// What is wanted of a part beside its rare inputs.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Want {
    All,
    /// The samples of a tag, with their numbers.
    Tag(TagId),
    /// The samples of a tag, without their numbers.
    Curve(TagId),
    /// Only its minutes.
    Overview(TagId),
}

/// The most recently used part is the last.
#[derive(Default)]
pub(crate) struct Cache(VecDeque<(PartPlace, Part)>);

impl Cache {
    /// Takes a part out.
    pub(crate) fn take(&mut self, place: &PartPlace) -> Option<Part> {
        let found = self.0.iter().position(|(known, _)| known.is_same(place))?;
        self.0.remove(found).map(|(_, part)| part)
    }

    /// Puts a part in, or back.
    pub(crate) fn put(&mut self, place: PartPlace, part: Part) -> &Part {
        let mut bytes = part.bytes();
        for (_, part) in &self.0 {
            bytes += part.bytes();
        }
        while bytes > BYTES
            && let Some((_, least_used)) = self.0.pop_front()
        {
            bytes -= least_used.bytes();
        }
        self.0.push_back((place, part));
        let last = self.0.len() - 1;
        &self.0[last].1
    }

    /// Lets go what is no part any more, and goes on reading where the journal has grown.
    pub(crate) fn keep(&mut self, places: &[PartPlace]) -> Result<(), OpenError> {
        self.0.retain(|(known, _)| places.iter().any(|place| place.is_same(known)));
        for (_, part) in self.0.iter_mut() {
            if let Part::Journal(journal) = part {
                journal.go_on()?;
            }
        }
        Ok(())
    }
}
