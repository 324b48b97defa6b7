//! Files that a person brings: they come in pieces, lie beside the library until all of it is there, and are a
//! recording only after the check.
//!
//! Promise: no name from outside becomes a path; nothing that is half there is ever listed; what nobody goes on with is
//! removed, also after a crash.

use crate::errors::{bad_request, internal, refused};
use lineside_api::wire::{ApiError, ImportStart, ImportTicket};
use std::collections::BTreeMap;
use std::fs::{self, File, OpenOptions};
use std::io::Write;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

/// The largest file taken in: far beyond a shift of 50,000 tags.
const BYTES_MAX: f64 = (64_u64 << 30) as f64;
/// Files taken in at once.
const OPEN_MAX: usize = 4;
/// Without a new piece, an import is given up after this.
pub(crate) const IDLE: Duration = Duration::from_secs(120);
/// Ending of a file that is not all there.
const EXTENSION: &str = "part";

/// The imports that are under way, by number.
pub(crate) struct Imports {
    folder: PathBuf,
    table: Mutex<Table>,
}

#[derive(Default)]
struct Table {
    last: u32,
    /// Each with a lock of its own: a slow disk holds up only whoever writes to it.
    open: BTreeMap<u32, Arc<Mutex<Import>>>,
}

struct Import {
    name: String,
    bytes: u64,
    written: u64,
    file: File,
    temporary: Temporary,
    used: Instant,
}

/// A file that is removed when it is dropped.
struct Temporary(PathBuf);

impl Drop for Temporary {
    fn drop(&mut self) {
        if let Err(error) = fs::remove_file(&self.0)
            && error.kind() != std::io::ErrorKind::NotFound
        {
            tracing::warn!(file = %self.0.display(), %error, "a file that was to be imported cannot be removed");
        }
    }
}

impl Imports {
    /// Takes files into this folder.
    pub(crate) fn new(folder: PathBuf) -> Imports {
        Imports { folder, table: Mutex::default() }
    }

    /// A file is announced; its pieces follow.
    pub(crate) fn begin(&self, request: ImportStart) -> Result<ImportTicket, ApiError> {
        // NaN is not within, either.
        if !(1.0..=BYTES_MAX).contains(&request.bytes) {
            return Err(refused(format!("A file of {} bytes is no recording that can be imported.", request.bytes)));
        }
        let mut table = self.table();
        if table.open.len() >= OPEN_MAX {
            return Err(refused("Other files are being imported. Wait until they are done, then try again."));
        }
        table.last = table.last.wrapping_add(1).max(1);
        let number = table.last;
        let (file, temporary) = self.create(number).map_err(|error| self.not_written(&error))?;
        let name = last_part(&request.name).to_owned();
        let import = Import { name, bytes: request.bytes as u64, written: 0, file, temporary, used: Instant::now() };
        table.open.insert(number, Arc::new(Mutex::new(import)));
        Ok(ImportTicket { import: number })
    }

    /// The next piece. Pieces come in order; one that does not fit ends the import.
    pub(crate) fn put(&self, number: u32, offset: u64, bytes: &[u8]) -> Result<(), ApiError> {
        let outcome = self.open(number)?.lock().unwrap_or_else(PoisonError::into_inner).put(offset, bytes);
        if outcome.is_err() {
            self.table().open.remove(&number);
        }
        outcome.map_err(|misfit| match misfit {
            Misfit::Place { expected } => bad_request(format!("a piece at {offset}, but {expected} bytes are there")),
            Misfit::Long { bytes } => bad_request(format!("the file is longer than the {bytes} bytes announced")),
            Misfit::Disk(error) => self.not_written(&error),
        })
    }

    /// All pieces are there: `take` gets the file and the name that the person's file has; it moves the file away, or
    /// leaves it to be removed.
    pub(crate) fn end<T>(
        &self,
        number: u32,
        take: impl FnOnce(&Path, &str) -> Result<T, ApiError>,
    ) -> Result<T, ApiError> {
        let import = self.open(number)?;
        self.table().open.remove(&number);
        let import = import.lock().unwrap_or_else(PoisonError::into_inner);
        if import.written != import.bytes {
            let (written, bytes) = (import.written, import.bytes);
            return Err(bad_request(format!("{written} of {bytes} bytes are there")));
        }
        import.file.sync_all().map_err(|error| self.not_written(&error))?;
        take(&import.temporary.0, &import.name)
    }

    /// Gives up what nobody has gone on with for `idle`, and removes what a crash left.
    pub(crate) fn close_unused(&self, idle: Duration) {
        let mut table = self.table();
        // One that is being written to right now is in use.
        let unused = |import: &Arc<Mutex<Import>>| import.try_lock().is_ok_and(|import| import.used.elapsed() >= idle);
        table.open.retain(|_, import| !unused(import));
        drop(table);
        self.sweep(idle);
    }

    fn sweep(&self, idle: Duration) {
        let Ok(entries) = fs::read_dir(&self.folder) else { return };
        for path in entries.filter_map(Result::ok).map(|entry| entry.path()) {
            let modified = || fs::metadata(&path).and_then(|facts| facts.modified()).ok();
            let is_old = || modified().and_then(|at| at.elapsed().ok()).is_some_and(|age| age >= idle);
            if path.extension().is_some_and(|ending| ending == EXTENSION) && is_old() {
                drop(Temporary(path));
            }
        }
    }

    fn create(&self, number: u32) -> std::io::Result<(File, Temporary)> {
        fs::create_dir_all(&self.folder)?;
        // The process is in the name: another Lineside may take files into the same folder.
        let path = self.folder.join(format!("import-{}-{number}.{EXTENSION}", std::process::id()));
        let file = OpenOptions::new().write(true).create(true).truncate(true).open(&path)?;
        Ok((file, Temporary(path)))
    }

    fn open(&self, number: u32) -> Result<Arc<Mutex<Import>>, ApiError> {
        let gone = || refused("This import was given up. Bring the file again.");
        self.table().open.get(&number).cloned().ok_or_else(gone)
    }

    fn not_written(&self, error: &std::io::Error) -> ApiError {
        internal(format!("{}: the file cannot be written: {error}", self.folder.display()))
    }

    fn table(&self) -> MutexGuard<'_, Table> {
        // Nothing panics while it is held, and each entry stands for itself.
        self.table.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Why a piece was not taken.
enum Misfit {
    Place { expected: u64 },
    Long { bytes: u64 },
    Disk(std::io::Error),
}

impl Import {
    fn put(&mut self, offset: u64, bytes: &[u8]) -> Result<(), Misfit> {
        if offset != self.written {
            return Err(Misfit::Place { expected: self.written });
        }
        if bytes.len() as u64 > self.bytes - self.written {
            return Err(Misfit::Long { bytes: self.bytes });
        }
        self.file.write_all(bytes).map_err(Misfit::Disk)?;
        self.written += bytes.len() as u64;
        self.used = Instant::now();
        Ok(())
    }
}

/// What stands after the last separator of any system: a name, never a path.
fn last_part(name: &str) -> &str {
    name.rsplit(['/', '\\']).next().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn imports() -> (tempfile::TempDir, Imports) {
        let folder = tempfile::tempdir().unwrap();
        let imports = Imports::new(folder.path().to_owned());
        (folder, imports)
    }

    fn files(folder: &tempfile::TempDir) -> usize {
        fs::read_dir(folder.path()).unwrap().count()
    }

    #[test]
    fn pieces_become_the_file_and_nothing_is_left() {
        let (folder, imports) = imports();
        let ticket = imports.begin(ImportStart { name: "../../up\\night.shift".into(), bytes: 6.0 }).unwrap();
        imports.put(ticket.import, 0, b"abc").unwrap();
        imports.put(ticket.import, 3, b"def").unwrap();
        let taken = imports.end(ticket.import, |path, name| Ok((fs::read(path).unwrap(), name.to_owned()))).unwrap();
        assert_eq!(taken, (b"abcdef".to_vec(), "night.shift".to_owned()));
        assert_eq!(files(&folder), 0);
        assert!(imports.end(ticket.import, |_, _| Ok(())).is_err(), "it is over");
    }

    #[test]
    fn what_does_not_fit_ends_the_import() {
        let check = |bytes: f64, pieces: &[(u64, &[u8])]| {
            let (folder, imports) = imports();
            let ticket = imports.begin(ImportStart { name: "a.shift".into(), bytes }).unwrap();
            let put = pieces.iter().try_for_each(|(offset, bytes)| imports.put(ticket.import, *offset, bytes));
            put.and_then(|()| imports.end(ticket.import, |_, _| Ok(()))).expect_err("does not fit");
            assert_eq!(files(&folder), 0, "{pieces:?}");
        };
        check(6.0, &[(3, b"abc")]);
        check(6.0, &[(0, b"abc"), (0, b"abc")]);
        check(6.0, &[(0, b"abcdefg")]);
        check(6.0, &[(u64::MAX, b"abc")]);
        check(6.0, &[(0, b"abc")]);
        for bytes in [0.0, -1.0, f64::NAN, f64::INFINITY, 1e300] {
            assert!(imports().1.begin(ImportStart { name: "a".into(), bytes }).is_err(), "{bytes}");
        }
    }

    #[test]
    fn what_nobody_goes_on_with_is_removed() {
        let (folder, imports) = imports();
        fs::write(folder.path().join("import-1-1.part"), b"left by a crash").unwrap();
        fs::write(folder.path().join("night.shift"), b"").unwrap();
        let ticket = imports.begin(ImportStart { name: "a.shift".into(), bytes: 6.0 }).unwrap();
        imports.close_unused(IDLE);
        assert_eq!(files(&folder), 3, "all are young");
        imports.close_unused(Duration::ZERO);
        assert_eq!(files(&folder), 1);
        assert!(imports.put(ticket.import, 0, b"abc").is_err());
        for _ in 0..OPEN_MAX {
            imports.begin(ImportStart { name: "a.shift".into(), bytes: 6.0 }).unwrap();
        }
        assert!(imports.begin(ImportStart { name: "a.shift".into(), bytes: 6.0 }).is_err(), "a few at once");
    }
}
