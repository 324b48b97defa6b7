//! The `.shift` file: one file holds one shift, as the stamped inputs from which everything else is derived.
//!
//! [`Recorder`] writes: it takes stamped batches without ever blocking its caller, and commits them durably
//! about five times a second on a thread of its own. [`ShiftFile`] reads any such file, also one that is
//! being written. What is committed survives `kill -9` and power loss, and no repair step exists.
//!
//! # The file
//!
//! A SQLite database with `application_id` 0x53484654 ("SHFT") and `user_version` 1, or 2 from the first sealed block on: the
//! lowest version a program must know to read the file. While it is written it is in WAL mode, so a `-wal` and a `-shm` file stand
//! beside it; after [`Recorder::close`] it is one file that opens on read-only media.
//!
//! | table      | holds |
//! |------------|-------|
//! | `meta`     | the [`Header`]: who wrote it, the configuration in force, the shift; `check` is a checksum of all of it |
//! | `journal`  | one row per stamped batch: first sequence number, stamp, count, checksum, body (`codec.rs`) |
//! | `keyframe` | states as data: kind 0 where the file begins, kind 1 where replay must take a state over, `after` the last input recorded before; kind 2 in passing, for a quick start; a reader skips kinds it does not know |
//! | `digest`   | fingerprints of the live state that replay must meet |
//! | `event`    | an index of what happened, derived while live ([`Event`]); never input to replay |
//! | `mark`, `attach` | what people add ([`marks`], [`attach`]); made when the first row comes |
//!
//! | `block`, `seg` | format 2: journal rows sealed into columns (`block.rs`, `seal.rs`), in the same transaction that removes them |
//!
//! Reserved for later formats, so that no one takes the names: `grp`, `tag`, `frame`, `gap`. Tables that only add
//! knowledge (marks, attachments) may appear in a format 1 file; inputs that lie elsewhere than in the journal make format 2,
//! because a reader of format 1 would miss them.
//!
//! # No silent hole
//!
//! Sequence numbers have no holes. When a batch is refused, the recorder refuses everything until it has
//! accepted a [`KeyframeKind::Resume`] keyframe; replay takes that state over. A jump in the sequence numbers without such
//! a keyframe is damage, and the reader says so.

pub mod attach;
mod block;
mod clip;
mod codec;
mod database;
mod edit;
mod error;
mod events;
mod find;
mod header;
pub mod library;
pub mod marks;
mod query;
mod queue;
mod raw;
mod reader;
mod recorder;
mod rows;
mod seal;
mod store;
mod writer;

#[cfg(test)]
mod generate;

pub use block::{Bucket as Minute, Range as MinuteRange};
pub use clip::{ClipOf, Clipped, clip};
pub use error::{OpenError, RecordError};
pub use events::{Direction, Event};
pub use find::{Found, find_newest};
pub use header::{Header, file_name};
pub use marks::Mark;
pub use query::{Column, Damage, Lead, Line, Pen, Reader, Received, Samples};
pub use queue::{Appended, Commit, OnCommit, Options, State, Status};
pub use reader::{Report, ShiftFile};
pub use recorder::Recorder;
pub use rows::{Row, Rows};
pub use seal::{Sealed, seal_file};

/// What a keyframe is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum KeyframeKind {
    /// The state the file begins from. Written by [`Recorder::create`], once.
    Start,
    /// The state after a time that was not recorded: replay takes it over.
    Resume,
    /// The state in passing: a start needs to replay only what lies after it. It adds no knowledge, and readers that
    /// replay the whole file skip it.
    Periodic,
}

impl KeyframeKind {
    /// The number in the file.
    pub(crate) fn number(self) -> i64 {
        match self {
            KeyframeKind::Start => 0,
            KeyframeKind::Resume => 1,
            KeyframeKind::Periodic => 2,
        }
    }
}
