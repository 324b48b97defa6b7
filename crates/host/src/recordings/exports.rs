//! Parts of recordings as files of their own, in the folder `exports`: smaller recordings, and tables for other programs.
//!
//! Promise: a file is there whole or not at all, and never in the place of another. Only what was written here since the
//! program was started is given out by name.

use super::table::{self, Part, TableError};
use crate::errors::{because, internal};
use lineside_api::wire::{ApiError, ExportFormat, Exported};
use lineside_export::Format;
use lineside_model::TagId;
use lineside_recording::OpenError;
use lineside_recording::library::{self, LibraryError};
use lineside_runtime::{Player, ReplayError, SystemClock};
use std::collections::{BTreeMap, BTreeSet};
use std::fs::OpenOptions;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

/// Exports of one name before another is asked for.
const NAMES_MAX: u32 = 10_000;

/// The folder, and what was written into it.
pub(crate) struct Exports {
    folder: PathBuf,
    /// Files can be fetched by a browser.
    downloads: bool,
    written: Mutex<BTreeMap<String, PathBuf>>,
    /// Set at the end of the program.
    cancel: AtomicBool,
}

/// What an export wrote: bytes, and values (rows of a table, inputs of a recording).
pub(crate) struct Size {
    pub(crate) bytes: u64,
    pub(crate) rows: u64,
}

/// Why there is no file.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ExportError {
    #[error(transparent)]
    Table(#[from] TableError),
    #[error(transparent)]
    Open(#[from] OpenError),
    #[error(transparent)]
    Replay(#[from] ReplayError),
    #[error(transparent)]
    Library(#[from] LibraryError),
    #[error("{}: the size of the export cannot be read", path.display())]
    Size { path: PathBuf, source: io::Error },
}

impl Exports {
    /// Writes below this data folder.
    pub(crate) fn new(data: &Path, downloads: bool) -> Exports {
        let (folder, written) = (data.join("exports"), Mutex::default());
        Exports { folder, downloads, written, cancel: AtomicBool::new(false) }
    }

    /// Writes the part.
    pub(crate) fn write(&self, part: &Part, format: &ExportFormat) -> Result<Exported, ApiError> {
        let path = self
            .reserve(part.file.path(), extension(format))
            .map_err(|error| internal(format!("{}: no file can be made there: {error}", self.folder.display())))?;
        let size = match write(part, format, &path, &self.cancel) {
            Ok(size) => size,
            Err(error) => {
                // The name was reserved with an empty file.
                let removed = std::fs::remove_file(&path);
                tracing::warn!(file = %path.display(), ?removed, "an export did not come about");
                return Err(because(&error));
            }
        };
        let name = path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
        let exported = Exported {
            url: self.downloads.then(|| format!("/exports/{name}")),
            path: path.display().to_string(),
            bytes: size.bytes as f64,
            rows: size.rows as f64,
            file: name.clone(),
        };
        self.written.lock().unwrap_or_else(PoisonError::into_inner).insert(name, path);
        Ok(exported)
    }

    /// The file of this name, if it was written here.
    pub(crate) fn file(&self, name: &str) -> Option<PathBuf> {
        self.written.lock().unwrap_or_else(PoisonError::into_inner).get(name).cloned()
    }

    /// Ends what is under way.
    pub(crate) fn cancel(&self) {
        self.cancel.store(true, Ordering::Relaxed);
    }

    /// A name that nobody has: that of the recording, and a number where that is taken.
    fn reserve(&self, recording: &Path, extension: &str) -> io::Result<PathBuf> {
        std::fs::create_dir_all(&self.folder)?;
        let stem = recording.file_stem().map(|stem| stem.to_string_lossy().into_owned()).unwrap_or_default();
        for number in 1..=NAMES_MAX {
            let suffix = if number == 1 { String::new() } else { format!("-{number}") };
            let path = self.folder.join(format!("{stem}{suffix}.{extension}"));
            match OpenOptions::new().write(true).create_new(true).open(&path) {
                Ok(_) => return Ok(path),
                Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
                Err(error) => return Err(error),
            }
        }
        Err(io::ErrorKind::AlreadyExists.into())
    }
}

/// Writes the part into the file `target`, which is replaced.
pub(crate) fn write(
    part: &Part,
    format: &ExportFormat,
    target: &Path,
    cancel: &AtomicBool,
) -> Result<Size, ExportError> {
    let format = match format {
        ExportFormat::Shift => return clip(part, target),
        ExportFormat::Parquet => Format::Parquet,
        ExportFormat::Csv => Format::Csv,
        ExportFormat::Xlsx => Format::Xlsx,
    };
    let written = table::write(part, format, target, cancel)?;
    Ok(Size { bytes: written.bytes, rows: written.rows })
}

fn extension(format: &ExportFormat) -> &'static str {
    match format {
        ExportFormat::Shift => "shift",
        ExportFormat::Parquet => Format::Parquet.extension(),
        ExportFormat::Csv => Format::Csv.extension(),
        ExportFormat::Xlsx => Format::Xlsx.extension(),
    }
}

/// The whole recording as it is, or a clip. With some tags come those that states and counts are computed from: without
/// them the units would stand still in it.
fn clip(part: &Part, target: &Path) -> Result<Size, ExportError> {
    let inputs = if part.tags.is_empty() && covers_all(part) {
        library::copy_to(part.file.path(), target)?;
        part.file.last().map_or(0, |(last, _)| last).saturating_sub(part.file.start()?.seq)
    } else {
        let player = Player::open(part.file.path(), Some(part.from), false, Arc::new(SystemClock::new()))?;
        let core = player.core();
        let engine = &core.lock().engine;
        let needed = engine.config().tag_ids().filter(|tag| engine.needs_every(*tag));
        let tags: Vec<TagId> = needed.chain(part.tags.iter().copied()).collect::<BTreeSet<_>>().into_iter().collect();
        let tags = (!part.tags.is_empty()).then_some(&tags[..]);
        lineside_recording::clip(part.file, engine.state(), part.to, tags, target)?.inputs
    };
    let bytes =
        std::fs::metadata(target).map_err(|source| ExportError::Size { path: target.to_owned(), source })?.len();
    Ok(Size { bytes, rows: inputs })
}

fn covers_all(part: &Part) -> bool {
    let about = library::examine(part.file.path(), None).about;
    about.is_some_and(|about| part.from <= about.from && part.to >= about.to)
}
