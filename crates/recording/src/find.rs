//! Which recording to continue after a start.

use crate::header::EXTENSION;
use crate::{OpenError, ShiftFile};
use std::path::Path;

/// What [`find_newest`] found.
#[derive(Debug, Default)]
pub struct Found {
    /// The file of the newest shift; among files of one shift, the one that reaches farthest.
    pub newest: Option<ShiftFile>,
    /// Files that look like recordings but cannot be read, each with the reason (which names the file).
    pub unreadable: Vec<OpenError>,
}

/// The newest shift file in `dir`. A folder that does not exist holds none.
pub fn find_newest(dir: &Path) -> Found {
    let mut found = Found::default();
    let entries = match std::fs::read_dir(dir) {
        Ok(entries) => entries,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return found,
        Err(source) => {
            found.unreadable.push(OpenError::Examine { path: dir.to_owned(), source });
            return found;
        }
    };
    let mut paths: Vec<_> = entries.filter_map(Result::ok).map(|entry| entry.path()).collect();
    paths.retain(|path| path.extension().is_some_and(|ending| ending == EXTENSION));
    paths.sort();
    for path in paths {
        match ShiftFile::open(&path) {
            Ok(file) if found.newest.as_ref().is_none_or(|best| age(&file) >= age(best)) => found.newest = Some(file),
            Ok(_older) => {}
            Err(error) => found.unreadable.push(error),
        }
    }
    found
}

/// Orders files from old to new.
fn age(file: &ShiftFile) -> impl Ord + use<> {
    (file.header().shift.start, file.last().map(|(seq, at)| (at, seq)))
}
