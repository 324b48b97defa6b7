//! What can go wrong with a shift file, in words for the person in front of it: place, problem, remedy.

use rusqlite::ErrorCode;
use std::path::{Path, PathBuf};

/// Why a shift file cannot be read.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    #[error("{}: there is no such file", .0.display())]
    Missing(PathBuf),
    #[error("{}: this is a folder, not a shift file", .0.display())]
    Folder(PathBuf),
    #[error("{}: this is not a Lineside shift file", .0.display())]
    NotAShiftFile(PathBuf),
    #[error("{}: the creation of this file was cut short; it holds nothing and can be deleted", .0.display())]
    Unfinished(PathBuf),
    #[error(
        "{}: made by a newer Lineside (format {found}, this program reads up to {known}); open it with the newer program",
        path.display()
    )]
    Newer { path: PathBuf, found: i64, known: i64 },
    #[error("{}: damaged: {what}; use a copy of the file if there is one", path.display())]
    Damaged { path: PathBuf, what: String },
    #[error("{}: cannot be opened; check the rights to the file, and if its folder is write-protected and holds a -wal file beside it, copy both to a folder that can be written", path.display())]
    CannotOpen { path: PathBuf, source: rusqlite::Error },
    #[error("{}: held locked by another program; close that program and try again", .0.display())]
    Locked(PathBuf),
    #[error("{}: reading failed; check that the disk is connected and healthy", path.display())]
    Read { path: PathBuf, source: rusqlite::Error },
    #[error("{}: cannot be examined; check that the disk is connected and the rights to the file", path.display())]
    Examine { path: PathBuf, source: std::io::Error },
}

impl OpenError {
    pub(crate) fn sqlite(path: &Path, source: rusqlite::Error) -> OpenError {
        let path = path.to_owned();
        match source.sqlite_error_code() {
            Some(ErrorCode::NotADatabase) => OpenError::NotAShiftFile(path),
            Some(ErrorCode::DatabaseCorrupt) => OpenError::Damaged { path, what: source.to_string() },
            Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked) => OpenError::Locked(path),
            Some(ErrorCode::CannotOpen | ErrorCode::ReadOnly | ErrorCode::PermissionDenied) => {
                OpenError::CannotOpen { path, source }
            }
            _ => OpenError::Read { path, source },
        }
    }

    pub(crate) fn damaged(path: &Path, what: impl ToString) -> OpenError {
        OpenError::Damaged { path: path.to_owned(), what: what.to_string() }
    }
}

/// Why the recorder cannot write.
#[derive(Debug, thiserror::Error)]
pub enum RecordError {
    #[error("{}: cannot create a recording in this folder; check that it exists and may be written", folder.display())]
    Folder { folder: PathBuf, source: std::io::Error },
    #[error("{}: the disk is full; free some space, recording then goes on", .0.display())]
    DiskFull(PathBuf),
    #[error("{}: may not be written; check the rights to the file and its folder", path.display())]
    NotWritable { path: PathBuf, source: rusqlite::Error },
    #[error("{}: held locked by another program; close that program, recording then goes on", .0.display())]
    Locked(PathBuf),
    #[error("{}: was removed or replaced while it was being written; a new file must be begun", .0.display())]
    Gone(PathBuf),
    #[error("{}: a file beside it (-wal) was removed while it was being written", .0.display())]
    WalGone(PathBuf),
    #[error("{}: another program has written into this file; a new file must be begun", .0.display())]
    ForeignWriter(PathBuf),
    #[error("{}: cannot be written safely on this disk (journal mode {mode}); record to a local disk", path.display())]
    NoWal { path: PathBuf, mode: String },
    #[error("{}: writing failed; check that the disk is connected and healthy", path.display())]
    Write { path: PathBuf, source: rusqlite::Error },
    #[error("{}: cannot be examined; check that the disk is connected", path.display())]
    Examine { path: PathBuf, source: std::io::Error },
    #[error("cannot continue this recording")]
    Open(#[from] OpenError),
    #[error(
        "SQLite {0} can corrupt a file that is being written: 3.51.3 or newer is needed; this build of Lineside is wrong"
    )]
    OldSqlite(&'static str),
    #[error("the recorder's thread could not be started")]
    Thread(#[source] std::io::Error),
    #[error("not everything is recorded: {0}")]
    Unwritten(String),
    #[error(
        "{}: cannot be changed while it is being recorded or read elsewhere; mark it in the running session, or try again \
         when it is closed",
        .0.display()
    )]
    InUse(PathBuf),
    #[error("{name:?} is too large to be attached: {mib} MiB at most")]
    TooLarge { name: String, mib: usize },
    #[error(
        "{}: complete, but another program reads it: keep the -wal file beside it, or let that program close it and \
         open and close the recording again",
        .0.display()
    )]
    StillRead(PathBuf),
}

impl RecordError {
    pub(crate) fn sqlite(path: &Path, source: rusqlite::Error) -> RecordError {
        let path = path.to_owned();
        match source.sqlite_error_code() {
            Some(ErrorCode::DiskFull) => RecordError::DiskFull(path),
            Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked) => RecordError::Locked(path),
            Some(ErrorCode::ConstraintViolation) => RecordError::ForeignWriter(path),
            Some(ErrorCode::ReadOnly | ErrorCode::PermissionDenied | ErrorCode::CannotOpen) => {
                RecordError::NotWritable { path, source }
            }
            Some(ErrorCode::DatabaseCorrupt | ErrorCode::NotADatabase) => {
                RecordError::Open(OpenError::sqlite(&path, source))
            }
            _ => RecordError::Write { path, source },
        }
    }

    /// Will trying again in the same file never help?
    pub(crate) fn is_final(&self) -> bool {
        match self {
            RecordError::Gone(_) | RecordError::ForeignWriter(_) => true,
            RecordError::Open(why) => !matches!(why, OpenError::Examine { .. }),
            _ => false,
        }
    }
}

/// The error and everything that caused it, in one line.
pub(crate) fn words(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(cause) = source {
        text = format!("{text}: {cause}");
        source = cause.source();
    }
    text
}
