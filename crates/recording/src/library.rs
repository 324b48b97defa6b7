//! The folder of recordings: what is in it, what may go, and what comes in from elsewhere.
//!
//! Promise: listing reads a few rows of each file that has changed since the last time and no others, changes nothing,
//! and never fails because of one file: one that cannot be read is listed with the reason. Only what copies left behind
//! that were interrupted is cleared away, once.

mod import;
mod retention;

pub(crate) use import::Part;
pub use import::{Imported, LibraryError, copy_to, import};
pub use retention::{Policy, expired, remove};

use crate::header::EXTENSION;
use crate::{ClipOf, Header, OpenError, attach, clip, database, events, marks};
use database::Seen;
use lineside_model::{Span, Timestamp};
use rusqlite::Connection;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::time::SystemTime;

/// A log that was written to this recently belongs to a recorder at work. One commits several times a second while values
/// come, and at least every few seconds.
const AT_WORK: Span = Span::from_secs(60);

/// One file of the folder.
#[derive(Clone, Debug, PartialEq)]
pub struct Entry {
    pub path: PathBuf,
    /// On the disk, with the log beside it.
    pub bytes: u64,
    /// When it was last written, by the clock of the disk.
    pub modified: Timestamp,
    pub state: FileState,
    /// `None`: it cannot be read.
    pub about: Option<About>,
}

/// How a file was left.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum FileState {
    /// It is being written.
    Recording,
    /// It was closed: one file that opens anywhere.
    Complete,
    /// The program ended without closing it: complete up to there, with a log beside it that belongs to it.
    Interrupted,
    /// It cannot be read: place, problem and remedy.
    Damaged(String),
}

/// What a file that can be read holds.
#[derive(Clone, Debug, PartialEq)]
pub struct About {
    pub header: Header,
    /// The lowest format a program must know to read it.
    pub format: i64,
    /// First and newest instant that it covers: of a clip, where it was cut; else from the first input on.
    pub from: Timestamp,
    pub to: Timestamp,
    /// The last sequence number.
    pub last_seq: u64,
    /// How many events there are of each kind, by the numbers of the kinds.
    pub events: Vec<(u16, u64)>,
    /// The counts are all that happened; otherwise the index is missing or began late.
    pub has_all_events: bool,
    /// Bookmarks, pins not counted.
    pub marks: u64,
    pub pinned: bool,
    pub attachments: u64,
    /// It was cut out of another.
    pub clip: Option<ClipOf>,
}

/// Lists a folder again and again, and reads only what has changed.
#[derive(Debug, Default)]
pub struct Library {
    dir: PathBuf,
    known: BTreeMap<PathBuf, (Seen, Result<About, String>)>,
}

impl Library {
    /// Of this folder. It need not exist yet. Parts of copies into it that nobody has written to for an hour are removed.
    pub fn new(dir: &Path) -> Library {
        import::sweep(dir, SystemTime::now());
        Library { dir: dir.to_owned(), known: BTreeMap::new() }
    }

    /// The folder.
    pub fn dir(&self) -> &Path {
        &self.dir
    }

    /// All recordings, newest first. `running` is the file that this program writes; other programs' are recognised by
    /// their log. A folder that does not exist holds none.
    pub fn list(&mut self, running: Option<&Path>) -> Result<Vec<Entry>, OpenError> {
        let mut known = BTreeMap::new();
        let mut entries = Vec::new();
        for path in recordings(&self.dir)? {
            let seen = database::seen(&path);
            let about = match self.known.remove(&path) {
                Some((before, about)) if before == seen => about,
                _ => about(&path).map_err(|error| crate::error::words(&error)),
            };
            entries.push(entry(&path, &seen, about.clone(), running));
            known.insert(path, (seen, about));
        }
        self.known = known;
        entries.sort_by_cached_key(|entry| std::cmp::Reverse((entry.end(), entry.path.clone())));
        Ok(entries)
    }
}

/// One file, wherever it lies; `running` as for [`Library::list`].
pub fn examine(path: &Path, running: Option<&Path>) -> Entry {
    entry(path, &database::seen(path), about(path).map_err(|error| crate::error::words(&error)), running)
}

impl Entry {
    /// The newest instant that it covers; when that is not known, when it was written.
    pub fn end(&self) -> Timestamp {
        self.about.as_ref().map_or(self.modified, |about| about.to)
    }
}

/// The files of a folder that are called recordings.
fn recordings(dir: &Path) -> Result<Vec<PathBuf>, OpenError> {
    match std::fs::read_dir(dir) {
        Ok(entries) => {
            let paths = entries.filter_map(Result::ok).map(|entry| entry.path());
            Ok(paths.filter(|path| path.extension().is_some_and(|ending| ending == EXTENSION)).collect())
        }
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(Vec::new()),
        Err(source) => Err(OpenError::Examine { path: dir.to_owned(), source }),
    }
}

fn entry(path: &Path, seen: &Seen, about: Result<About, String>, running: Option<&Path>) -> Entry {
    let [file, log] = seen;
    let modified =
        [file, log].into_iter().flatten().map(|(_, modified)| timestamp(*modified)).max().unwrap_or_default();
    let state = match &about {
        Err(reason) => FileState::Damaged(reason.clone()),
        Ok(_) if running == Some(path) => FileState::Recording,
        Ok(_) => match log {
            Some((_, written)) if timestamp(SystemTime::now()) - timestamp(*written) < AT_WORK => FileState::Recording,
            Some(_) => FileState::Interrupted,
            None => FileState::Complete,
        },
    };
    let bytes = [file, log].into_iter().flatten().map(|(bytes, _)| bytes).sum();
    Entry { path: path.to_owned(), bytes, modified, state, about: about.ok() }
}

fn about(path: &Path) -> Result<About, OpenError> {
    let connection = database::connect_for_reading(path)?;
    database::start_seq(&connection, path)?;
    let header = database::read_header(&connection, path)?;
    let failed = |source| OpenError::sqlite(path, source);
    let (last_seq, stamp) = database::last(&connection)
        .map_err(failed)?
        .ok_or_else(|| OpenError::damaged(path, "the state it begins from is missing"))?;
    let first = database::first_stamp(&connection).map_err(failed)?;
    let noted = database::noted(&connection).map_err(failed)?;
    let clip = clip::read_of(&connection).map_err(failed)?;
    let from = clip.as_ref().map(|clip| clip.from).or(first);
    let extras = |connection: &Connection| -> rusqlite::Result<_> {
        let marks = marks::read(connection)?;
        let format: i64 = connection.pragma_query_value(None, "user_version", |row| row.get(0))?;
        Ok((
            marks,
            attach::read_list(connection)?.len(),
            events::counts(connection)?,
            events::is_complete(connection)?,
            format,
        ))
    };
    let (marks, attachments, events, has_all_events, format) = extras(&connection).map_err(failed)?;
    Ok(About {
        header,
        format,
        from: from.unwrap_or(stamp).min(stamp),
        to: noted.unwrap_or(stamp).max(stamp),
        last_seq,
        events,
        has_all_events,
        marks: marks.iter().filter(|mark| mark.kind != marks::PIN).count() as u64,
        pinned: marks.iter().any(|mark| mark.kind == marks::PIN),
        attachments: attachments as u64,
        clip,
    })
}

fn timestamp(time: SystemTime) -> Timestamp {
    let since = time.duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
    Timestamp(i64::try_from(since.as_nanos()).unwrap_or(i64::MAX))
}
