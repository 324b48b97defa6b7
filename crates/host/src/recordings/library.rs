//! The recordings of this PC: those that Lineside wrote, those that were imported, and those that somebody opened from
//! elsewhere. What a screen calls them, and what it is told of them.
//!
//! Promise: a request names a recording by an id of ours, never by a path. Imported recordings lie in a folder of their
//! own: none of them is ever gone on with as if it were the running shift, and none is removed because it is old.

use super::clips;
use crate::errors::{chain, refused};
use lineside_api::replay as facts;
use lineside_api::wire::{ApiError, Problem, ShiftInfo};
use lineside_recording::library::{self, Entry, FileState};
use std::collections::BTreeMap;
use std::path::{Component, Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};

/// Before the name of an imported recording in its id.
const IMPORTED: &str = "imported:";
/// Before the number of a recording that lies elsewhere in its id.
const OUTSIDE: &str = "outside:";
/// Ending of recordings.
const EXTENSION: &str = "shift";

/// The folders, and the files from elsewhere.
pub(crate) struct Library {
    shifts: PathBuf,
    imported: PathBuf,
    inner: Mutex<Inner>,
}

struct Inner {
    /// Each knows what it read before.
    shifts: library::Library,
    imported: library::Library,
    outside: Vec<PathBuf>,
    /// What takes reading more than the head of a file, by file; as of the entry that it was read from.
    known: BTreeMap<PathBuf, (Entry, Further)>,
}

/// Stops of the line, and what of a shift a clip is.
type Further = (Option<u32>, Option<String>);

/// What is in the library.
#[derive(Default)]
pub(crate) struct Listing {
    /// Newest first.
    pub(crate) shifts: Vec<ShiftInfo>,
    pub(crate) unreadable: Vec<Problem>,
    pub(crate) bytes: u64,
}

impl Library {
    /// Of this data folder.
    pub(crate) fn new(data: &Path) -> Library {
        let (shifts, imported) = (data.join("shifts"), data.join("imported"));
        let inner = Inner {
            shifts: library::Library::new(&shifts),
            imported: library::Library::new(&imported),
            outside: Vec::new(),
            known: BTreeMap::new(),
        };
        Library { shifts, imported, inner: Mutex::new(inner) }
    }

    /// Where Lineside records.
    pub(crate) fn folder(&self) -> &Path {
        &self.shifts
    }

    /// Where imported recordings lie.
    pub(crate) fn imported_folder(&self) -> &Path {
        &self.imported
    }

    /// The file that an id means. Nothing else on this PC has an id.
    pub(crate) fn path(&self, id: &str) -> Result<PathBuf, ApiError> {
        let gone = || refused(format!("There is no recording {id} any more. Look at the list again."));
        let path = if let Some(number) = id.strip_prefix(OUTSIDE) {
            let index = number.parse::<usize>().ok().and_then(|number| number.checked_sub(1));
            index.and_then(|index| self.inner().outside.get(index).cloned())
        } else if let Some(name) = id.strip_prefix(IMPORTED) {
            file_of(&self.imported, name)
        } else {
            file_of(&self.shifts, id)
        };
        path.filter(|path| path.is_file()).ok_or_else(gone)
    }

    /// The id of a file; one that lies elsewhere gets one.
    pub(crate) fn id(&self, path: &Path) -> String {
        let name = path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
        match path.parent() {
            Some(parent) if is_same(parent, &self.shifts) => return name,
            Some(parent) if is_same(parent, &self.imported) => return format!("{IMPORTED}{name}"),
            _ => {}
        }
        let path = path.canonicalize().unwrap_or_else(|_| path.to_owned());
        let mut inner = self.inner();
        let known = inner.outside.iter().position(|known| *known == path);
        let index = known.unwrap_or_else(|| {
            inner.outside.push(path);
            inner.outside.len() - 1
        });
        format!("{OUTSIDE}{}", index + 1)
    }

    /// Everything there is. `running` is the file that this program writes.
    pub(crate) fn list(&self, running: Option<&Path>) -> Listing {
        let mut inner = self.inner();
        let mut listing = Listing::default();
        let folders = [inner.shifts.list(running), inner.imported.list(running)];
        let mut entries = Vec::new();
        for (folder, listed) in [&self.shifts, &self.imported].into_iter().zip(folders) {
            match listed {
                Ok(listed) => entries.extend(listed),
                Err(error) => listing.unreadable.push(problem(folder, chain(&error))),
            }
        }
        listing.bytes = entries.iter().map(|entry| entry.bytes).sum();
        entries.extend(inner.outside.iter().map(|path| library::examine(path, running)));
        entries.sort_by_cached_key(|entry| std::cmp::Reverse((entry.end(), entry.path.clone())));
        let mut known = std::mem::take(&mut inner.known);
        drop(inner); // ids take it again, and counting reads files
        known.retain(|path, _| entries.iter().any(|entry| entry.path == *path));
        for entry in &entries {
            match &entry.state {
                FileState::Damaged(reason) if entry.about.is_none() => {
                    listing.unreadable.push(problem(&entry.path, reason.clone()));
                }
                _ => {
                    let (stops, clip) = look_further(&mut known, entry);
                    listing.shifts.extend(facts::info(&self.id(&entry.path), entry, stops, clip));
                }
            }
        }
        self.inner().known = known;
        listing
    }

    /// One of them.
    pub(crate) fn one(&self, path: &Path, running: Option<&Path>) -> Result<ShiftInfo, ApiError> {
        let entry = library::examine(path, running);
        let unreadable = || match &entry.state {
            FileState::Damaged(reason) => refused(reason.clone()),
            _ => refused(format!("{}: it cannot be read", path.display())),
        };
        facts::info(&self.id(path), &entry, facts::stops(&entry), clips::in_words(&entry)).ok_or_else(unreadable)
    }

    /// What Lineside recorded itself, for retention.
    pub(crate) fn own(&self, running: Option<&Path>) -> Result<Vec<Entry>, lineside_recording::OpenError> {
        self.inner().shifts.list(running)
    }

    fn inner(&self) -> MutexGuard<'_, Inner> {
        // A panic while it was held left lists that are read again.
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Reads further into a file only when it has changed.
fn look_further(known: &mut BTreeMap<PathBuf, (Entry, Further)>, entry: &Entry) -> Further {
    if let Some((before, further)) = known.get(&entry.path)
        && before == entry
    {
        return further.clone();
    }
    let further = (facts::stops(entry), clips::in_words(entry));
    known.insert(entry.path.clone(), (entry.clone(), further.clone()));
    further
}

fn problem(path: &Path, reason: String) -> Problem {
    Problem {
        place: path.display().to_string(),
        problem: reason,
        remedy: "The file is left as it is. Move it away to be rid of this message.".to_owned(),
    }
}

/// The file of this name in a folder; no other name means anything.
fn file_of(folder: &Path, name: &str) -> Option<PathBuf> {
    let mut components = Path::new(name).components();
    let plain = matches!((components.next(), components.next()), (Some(Component::Normal(only)), None) if only == name);
    let named = Path::new(name).extension().is_some_and(|ending| ending == EXTENSION);
    (plain && named && !name.contains(['/', '\\', ':'])).then(|| folder.join(name))
}

fn is_same(a: &Path, b: &Path) -> bool {
    match (a.canonicalize(), b.canonicalize()) {
        (Ok(a), Ok(b)) => a == b,
        _ => a == b,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_is_a_name_in_a_folder_and_nothing_else() {
        let check = |id: &str, expected: Option<&str>| {
            assert_eq!(file_of(Path::new("shifts"), id), expected.map(PathBuf::from), "{id}");
        };
        check("line-3-2026-11-21-early.shift", Some("shifts/line-3-2026-11-21-early.shift"));
        check("früh.shift", Some("shifts/früh.shift"));
        for id in
            ["", ".", "..", "../a.shift", "/etc/a.shift", "a/b.shift", "a\\b.shift", "c:a.shift", "a.shift/", "a.toml"]
        {
            check(id, None);
        }
    }

    #[test]
    fn files_from_elsewhere_get_ids_that_lead_to_them_alone() {
        let data = tempfile::tempdir().unwrap();
        let elsewhere = tempfile::tempdir().unwrap();
        let library = Library::new(data.path());
        std::fs::create_dir_all(library.folder()).unwrap();
        let file = elsewhere.path().join("a.shift");
        std::fs::write(&file, b"").unwrap();
        let id = library.id(&file);
        assert_eq!(library.id(&file), id, "the same file keeps its id");
        assert_eq!(library.path(&id).unwrap(), file.canonicalize().unwrap());
        for unknown in ["outside:0", "outside:2", "outside:-1", "outside:", "outside:../a.shift", "imported:a.shift"] {
            assert!(library.path(unknown).is_err(), "{unknown}");
        }
        let own = library.folder().join("b.shift");
        std::fs::write(&own, b"").unwrap();
        assert_eq!(library.id(&own), "b.shift");
        assert_eq!(library.path("b.shift").unwrap(), own);
    }
}
