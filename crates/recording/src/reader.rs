//! Opening a shift file: what it says of itself, the state it begins from, its rows, and whether it is intact.

use crate::rows::{self, Row, Rows};
use crate::{Header, KeyframeKind, OpenError, attach, block, database, events, marks, raw};
use lineside_model::Timestamp;
use lineside_model::state::PlantState;
use rusqlite::Connection;
use std::path::{Path, PathBuf};

/// A shift file for reading: finished, left by a crash, or being written right now. Holds no connection between
/// calls, so it is never in the writer's way, and never changes the file.
#[derive(Clone, Debug)]
pub struct ShiftFile {
    path: PathBuf,
    header: Header,
    start_seq: u64,
    last: Option<(u64, Timestamp)>,
}

/// What [`ShiftFile::verify`] found.
#[derive(Clone, Debug, PartialEq, Default)]
pub struct Report {
    pub batches: u64,
    pub inputs: u64,
    pub keyframes: u64,
    pub digests: u64,
    /// Stretches that are sealed.
    pub blocks: u64,
    /// Rows of the index of events.
    pub events: u64,
    pub marks: u64,
    pub attachments: u64,
    /// Each stretch that cannot be read: first and last sequence number, and why.
    pub damaged: Vec<(u64, u64, String)>,
    /// What SQLite's own check says beyond that; empty when all is well.
    pub structure: Vec<String>,
    /// Events, marks, attachments and overviews that cannot be read, in words. Replay needs none of them.
    pub beside: Vec<String>,
}

impl Report {
    /// Is everything there?
    pub fn is_intact(&self) -> bool {
        self.damaged.is_empty() && self.structure.is_empty() && self.beside.is_empty()
    }

    /// A lost segment is one damage, although inputs of others lie between those that it held. Its reason names it.
    fn damage(&mut self, first_seq: u64, last_seq: u64, reason: String) {
        let segment = reason.starts_with(block::LOST_TAGS);
        match self.damaged.iter_mut().rfind(|(.., before)| segment && *before == reason) {
            Some((_, last, _)) => *last = last_seq,
            None => self.damaged.push((first_seq, last_seq, reason)),
        }
    }
}

impl ShiftFile {
    /// Opens a file and checks that it is one, complete and of a format known here.
    pub fn open(path: impl AsRef<Path>) -> Result<ShiftFile, OpenError> {
        let path = path.as_ref();
        let connection = database::connect_for_reading(path)?;
        Ok(ShiftFile {
            path: path.to_owned(),
            start_seq: database::start_seq(&connection, path)?,
            header: database::read_header(&connection, path)?,
            last: database::last(&connection).ok().flatten(),
        })
    }

    /// What the file says of itself.
    pub fn header(&self) -> &Header {
        &self.header
    }

    /// The file.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// The state that the file begins from; `rows(state.seq)` is everything after it.
    pub fn start(&self) -> Result<PlantState, OpenError> {
        let connection = database::connect_for_reading(&self.path)?;
        rows::keyframe(&connection, &self.path, KeyframeKind::Start, self.start_seq)
    }

    /// The newest state in the file that can be read: a keyframe of any kind. With `rows(state.seq)` it reaches the
    /// file's end as [`ShiftFile::start`] does, only sooner.
    pub fn latest(&self) -> Result<PlantState, OpenError> {
        let connection = database::connect_for_reading(&self.path)?;
        let newest = rows::newest_keyframes(&connection).map_err(|source| OpenError::sqlite(&self.path, source))?;
        let mut states = newest.into_iter().map(|(kind, seq)| rows::keyframe(&connection, &self.path, kind, seq));
        states.find_map(Result::ok).map_or_else(|| self.start(), Ok)
    }

    /// Everything after the input `after_seq`, in replay order. A batch that it lies within comes without the inputs
    /// up to it.
    pub fn rows(&self, after_seq: u64) -> Rows {
        Rows::new(self.path.clone(), after_seq, self.start_seq)
    }

    /// The last sequence number that the file covers, and the newest stamp: of the last batch that is intact or of the
    /// last keyframe. As of now, or, if the file cannot be read any more, as of when it was opened. `None`: the file is
    /// damaged so that its end is not known; it cannot be resumed.
    pub fn last(&self) -> Option<(u64, Timestamp)> {
        let now = database::connect_for_reading(&self.path).ok();
        let now = now.and_then(|connection| database::last(&connection).ok());
        now.unwrap_or(self.last)
    }

    /// The stamp of the first input, and the last instant that the file knows of: of its last input, keyframe or
    /// fingerprint. `None`: there is no input in it. Reads no more than a few rows.
    pub fn bounds(&self) -> Result<Option<(Timestamp, Timestamp)>, OpenError> {
        let last = self.last().map(|(_, at)| at);
        let (first, noted) =
            self.read(|connection| Ok((database::first_stamp(connection)?, database::noted(connection)?)))?;
        Ok(first.map(|first| (first, [last, noted].into_iter().flatten().fold(first, Timestamp::max))))
    }

    /// One read on a connection of its own.
    pub(crate) fn read<T>(&self, read: impl FnOnce(&Connection) -> rusqlite::Result<T>) -> Result<T, OpenError> {
        let connection = database::connect_for_reading(&self.path)?;
        read(&connection).map_err(|source| OpenError::sqlite(&self.path, source))
    }

    /// Reads everything and has SQLite check its structure.
    pub fn verify(&self) -> Result<Report, OpenError> {
        let mut report = Report { structure: structure(&self.path)?, ..Report::default() };
        self.start()?;
        report.keyframes += 1;
        for row in self.rows(self.start_seq) {
            match row? {
                Row::Batch(batch) => {
                    report.batches += 1;
                    report.inputs += batch.inputs.len() as u64;
                }
                Row::Keyframe { .. } => report.keyframes += 1,
                Row::Digest { .. } => report.digests += 1,
                Row::Damaged { first_seq, last_seq, reason, .. } => report.damage(first_seq, last_seq, reason),
            }
        }
        match self.read(|connection| beside(connection, &mut report)) {
            Ok(()) => {}
            Err(OpenError::Damaged { what, .. }) => report.beside.push(what),
            Err(other) => return Err(other),
        }
        self.check_keyframes(&mut report)?;
        Ok(report)
    }

    /// Keyframes in passing: a replay of the whole file does not need them, a quick seek does.
    fn check_keyframes(&self, report: &mut Report) -> Result<(), OpenError> {
        let connection = database::connect_for_reading(&self.path)?;
        let places = match rows::periodic_keyframes(&connection).map_err(|source| OpenError::sqlite(&self.path, source))
        {
            Err(OpenError::Damaged { what, .. }) => {
                report.beside.push(what);
                return Ok(());
            }
            other => other?,
        };
        report.keyframes += places.len() as u64;
        for seq in places {
            match rows::keyframe(&connection, &self.path, KeyframeKind::Periodic, seq) {
                Ok(_intact) => {}
                Err(OpenError::Damaged { what, .. }) => report.beside.push(what),
                Err(other) => return Err(other),
            }
        }
        Ok(())
    }
}

/// Counts and checks what is no input.
fn beside(connection: &Connection, report: &mut Report) -> rusqlite::Result<()> {
    let events = events::checked(connection, Timestamp::MIN..=Timestamp::MAX)?;
    let (marks, damaged_marks) = marks::checked(connection)?;
    let damaged_digests = raw::damaged_digests(connection)?;
    let damaged_events = events.iter().filter(|event| event.is_err()).count() as u64;
    report.events = events.len() as u64;
    report.marks = marks.len() as u64 + damaged_marks;
    for (count, what) in [(damaged_events, "events"), (damaged_marks, "marks"), (damaged_digests, "fingerprints")] {
        if count > 0 {
            report.beside.push(format!("{what}: {count} cannot be read"));
        }
    }
    let damaged = attach::damaged(connection)?;
    report.attachments = attach::read_list(connection)?.len() as u64;
    report.beside.extend(damaged.into_iter().map(|name| format!("attachment {name:?} does not match its checksum")));
    let blocks = block::list(connection)?;
    report.blocks = blocks.len() as u64;
    for info in blocks {
        let damaged = block::damaged_overviews(connection, &info)?;
        report.beside.extend(damaged.into_iter().map(|group| {
            format!("the overview of tags {} in block {} cannot be read", block::tags_of(group), info.id)
        }));
    }
    Ok(())
}

fn structure(path: &Path) -> Result<Vec<String>, OpenError> {
    let connection = database::connect_for_reading(path)?;
    let check = || -> rusqlite::Result<Vec<String>> {
        let mut check = connection.prepare("PRAGMA integrity_check(20)")?;
        check.query_map([], |row| row.get(0))?.collect()
    };
    let mut found = check().map_err(|source| OpenError::sqlite(path, source))?;
    found.retain(|line| line != "ok");
    Ok(found)
}
