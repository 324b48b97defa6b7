//! What can go wrong: where, what, and what to do.

use std::io;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};

/// Why the rows cannot be had.
pub type SourceError = Box<dyn std::error::Error + Send + Sync>;

/// An export that did not come about. Nothing is left of it.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    #[error("{}: cannot be made here; choose another folder or name", path.display())]
    Create { path: PathBuf, source: io::Error },
    #[error("{}: another export is writing this file; wait for it or choose another name", path.display())]
    Busy { path: PathBuf },
    #[error("{}: writing failed; check the room on the disk, then export again", path.display())]
    Write { path: PathBuf, source: io::Error },
    #[error("{}: cannot be put in place; close the program that has it open, or choose another name", path.display())]
    Replace { path: PathBuf, source: io::Error },
    #[error("reading what was to be exported failed; `lineside verify` on the recording says what is damaged")]
    Source(#[source] SourceError),
    #[error("there is no time zone `{name}`; write an IANA name, e.g. Europe/Berlin, in the configuration")]
    Zone { name: String, source: jiff::Error },
    #[error("the export was stopped")]
    Cancelled,
}

/// How one of the formats failed, before it is known where.
#[derive(Debug)]
pub(crate) enum Failure {
    Output(io::Error),
    Source(SourceError),
    Cancelled,
}

impl Failure {
    /// The error to tell. Once it is cancelled every write fails, and what the formats make of that does not matter.
    pub(crate) fn at(self, path: &Path, cancel: &AtomicBool) -> Error {
        match self {
            _ if cancel.load(Ordering::Relaxed) => Error::Cancelled,
            Failure::Cancelled => Error::Cancelled,
            Failure::Source(source) => Error::Source(source),
            Failure::Output(source) => Error::Write { path: path.to_owned(), source },
        }
    }
}

impl From<io::Error> for Failure {
    fn from(error: io::Error) -> Failure {
        Failure::Output(error)
    }
}
