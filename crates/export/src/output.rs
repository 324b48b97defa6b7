//! The two ends of an export: rows that can be cut short, and a file that is there whole or not at all.

use crate::error::{Failure, SourceError};
use crate::{Error, Row};
use std::ffi::OsString;
use std::fs::{self, File, OpenOptions, TryLockError};
use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};

/// Large enough that a slow network folder is not asked for every line.
const BUFFER: usize = 1 << 18;

/// The rows, until they end or the export is cancelled.
pub(crate) struct Source<'a> {
    rows: &'a mut dyn Iterator<Item = Result<Row, SourceError>>,
    cancel: &'a AtomicBool,
    taken: u64,
}

impl<'a> Source<'a> {
    pub(crate) fn new(
        rows: &'a mut dyn Iterator<Item = Result<Row, SourceError>>,
        cancel: &'a AtomicBool,
    ) -> Source<'a> {
        Source { rows, cancel, taken: 0 }
    }

    pub(crate) fn taken(&self) -> u64 {
        self.taken
    }
}

impl Iterator for Source<'_> {
    type Item = Result<Row, Failure>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.cancel.load(Ordering::Relaxed) {
            return Some(Err(Failure::Cancelled));
        }
        let row = self.rows.next()?;
        self.taken += 1;
        Some(row.map_err(Failure::Source))
    }
}

/// The file while it is written: `.<name>.part` beside the target, locked, and removed unless it is finished.
pub(crate) struct Draft<'a> {
    target: PathBuf,
    part: PathBuf,
    file: BufWriter<File>,
    bytes: u64,
    finished: bool,
    cancel: &'a AtomicBool,
}

impl<'a> Draft<'a> {
    pub(crate) fn create(target: &Path, cancel: &'a AtomicBool) -> Result<Draft<'a>, Error> {
        let failed = |source: io::Error| Error::Create { path: target.to_owned(), source };
        let name = target.file_name().ok_or_else(|| failed(io::ErrorKind::InvalidFilename.into()))?;
        let mut part = OsString::from(".");
        part.push(name);
        part.push(".part");
        let part = target.with_file_name(part);
        // What a crash left of an earlier export is overwritten; what is being written is locked.
        let file = OpenOptions::new().write(true).create(true).truncate(false).open(&part).map_err(failed)?;
        match file.try_lock() {
            Ok(()) => file.set_len(0).map_err(failed)?,
            Err(TryLockError::WouldBlock) => return Err(Error::Busy { path: target.to_owned() }),
            Err(TryLockError::Error(source)) => return Err(failed(source)),
        }
        let file = BufWriter::with_capacity(BUFFER, file);
        Ok(Draft { target: target.to_owned(), part, file, bytes: 0, finished: false, cancel })
    }

    pub(crate) fn target(&self) -> &Path {
        &self.target
    }

    /// The folder that it is in, for what must lie on the same disk meanwhile.
    pub(crate) fn folder(&self) -> &Path {
        match self.part.parent() {
            Some(folder) if !folder.as_os_str().is_empty() => folder,
            _ => Path::new("."),
        }
    }

    /// Puts the complete file in its place; its size in bytes.
    pub(crate) fn finish(mut self) -> Result<u64, Error> {
        let written = self.file.flush().and_then(|()| self.file.get_ref().sync_all());
        written.map_err(|source| Failure::Output(source).at(&self.target, self.cancel))?;
        fs::rename(&self.part, &self.target).map_err(|source| Error::Replace { path: self.target.clone(), source })?;
        self.finished = true;
        Ok(self.bytes)
    }
}

impl Write for Draft<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if self.cancel.load(Ordering::Relaxed) {
            return Err(io::Error::other("cancelled"));
        }
        let written = self.file.write(bytes)?;
        self.bytes += written as u64;
        Ok(written)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.file.flush()
    }
}

impl Drop for Draft<'_> {
    fn drop(&mut self) {
        if !self.finished {
            // A file that cannot be removed is overwritten by the next export of that name.
            let _left_behind = fs::remove_file(&self.part);
        }
    }
}
