//! Sealed blocks: the inputs of some minutes as columns, a tenth of the room that they take as journal rows.
//!
//! A block holds batches that follow one another without a hole, and gives exactly these batches back, bit for bit.
//! It is one row of `block` (its `skeleton`: batches, rare inputs, shared clocks) and one row of `seg` for each
//! group of [`GROUP_TAGS`] tags that has samples in it. Every part has a checksum; a part that is damaged costs
//! what it holds.
//!
//! `column` stores values of one kind, `clock` times, `segment` tags, `skeleton` the rest, `overview` a summary by
//! minutes; `pack` and `unpack` go from batches to rows and back; `table` reads and writes the rows.

mod clock;
mod column;
mod overview;
mod pack;
mod segment;
mod skeleton;
mod table;
#[cfg(test)]
mod tests;
mod unpack;

pub(crate) use clock::Places;
pub(crate) use overview::buckets;
pub use overview::{Bucket, Range};
pub(crate) use pack::{Builder, Packed};
pub(crate) use segment::{Column, Segment, TagEntry};
pub(crate) use skeleton::{GroupRuns, Rare, Run, Skeleton};
pub(crate) use table::{
    Block, Fault, create_tables, damaged_overviews, delete_and_insert, group_overview, last, list, readable_list,
    unpacked,
};
pub(crate) use unpack::{Piece, Pieces};

use lineside_model::{TagId, Timestamp};

/// The form of skeleton, segment and overview that this program writes and reads.
const FORM: u8 = 1;
/// Tags of one group: those whose numbers divided by this are equal.
const GROUP_TAGS: u32 = 100;
/// There are so many groups; the last takes all tags beyond.
const GROUPS: u32 = 4096;
/// A block of more inputs is not read: what says so is no block of ours.
pub(crate) const INPUTS_READ: u64 = 1 << 22;

/// Where a block lies.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct BlockInfo {
    pub(crate) id: i64,
    /// First and last sequence number.
    pub(crate) seq0: u64,
    pub(crate) seq1: u64,
    /// Stamp of the first and of the last batch.
    pub(crate) at0: Timestamp,
    pub(crate) at1: Timestamp,
}

impl BlockInfo {
    /// How many inputs it holds; `None`: more than any block does.
    pub(crate) fn inputs(&self) -> Option<usize> {
        let n = self.seq1.checked_sub(self.seq0)?.checked_add(1)?;
        if n > INPUTS_READ { None } else { Some(n as usize) }
    }
}

/// The group that a tag belongs to, in every block of every file.
pub(crate) fn group_of(tag: TagId) -> u32 {
    (tag.0 / GROUP_TAGS).min(GROUPS - 1)
}

/// What the reason begins with when samples of some tags are lost.
pub(crate) const LOST_TAGS: &str = "tags ";

/// The tags of a group, for people.
pub(crate) fn tags_of(group: u32) -> String {
    let first = group * GROUP_TAGS;
    if group == GROUPS - 1 { format!("{first} and above") } else { format!("{first} to {}", first + GROUP_TAGS - 1) }
}
