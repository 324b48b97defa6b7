//! The commands of recordings: the library, replays, the time bar, marks, checks, exports and imports.
//!
//! Promise: nothing here reaches the plant. A request names files by ids of ours; whatever takes long holds up neither
//! the running shift nor a frame.

pub(crate) mod check;
pub(crate) mod clips;
pub(crate) mod exports;
mod imports;
mod keeper;
pub(crate) mod library;
mod replays;
mod retention;
mod subject;
pub(crate) mod table;

use crate::args::Args;
use crate::errors::{because, refused};
use crate::station::Station;
use exports::Exports;
use imports::Imports;
use library::Library;
use lineside_api::wire::*;
use lineside_api::{Recordings, replay};
use lineside_model::TagId;
use lineside_recording::{Mark, Reader, ShiftFile, marks};
use retention::Removals;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};
use table::Part;
use tokio::task::JoinHandle;

/// Recordings of a running Lineside.
pub(crate) struct HostRecordings {
    station: Arc<Station>,
    library: Library,
    imports: Imports,
    exports: Exports,
    removals: Removals,
    /// Who reads the running shift, for questions about it.
    running: Mutex<Option<(PathBuf, Arc<Mutex<Reader>>)>>,
    /// The file that was being written when old recordings were removed last.
    retained: Mutex<Option<PathBuf>>,
}

impl HostRecordings {
    /// Of the data folder in `args`.
    pub(crate) fn new(args: &Args, station: Arc<Station>) -> HostRecordings {
        let data = args.data_dir();
        let library = Library::new(&data);
        HostRecordings {
            imports: Imports::new(library.imported_folder().to_owned()),
            exports: Exports::new(&data, args.downloads),
            station,
            library,
            removals: Removals::default(),
            running: Mutex::default(),
            retained: Mutex::default(),
        }
    }

    /// Looks after them until the task is aborted.
    pub(crate) fn keep(self: &Arc<Self>) -> JoinHandle<()> {
        keeper::spawn(Arc::clone(self))
    }

    /// The next screen is asked to open this file, wherever it lies.
    pub(crate) fn ask_to_open(&self, path: &Path) {
        self.station.stage().ask_to_open(self.library.id(path));
    }

    /// Ends what is under way.
    pub(crate) fn end(&self) {
        self.exports.cancel();
        self.station.stage().close_unused(std::time::Duration::ZERO);
    }

    fn list(&self) -> ShiftList {
        // First what went, then what is there: nothing is in neither.
        let retention = self.removals.view(self.station.retention());
        let listing = self.library.list(self.station.recording().as_deref());
        ShiftList {
            shifts: listing.shifts,
            unreadable: listing.unreadable,
            folder: self.library.folder().display().to_string(),
            bytes: listing.bytes as f64,
            retention,
        }
    }

    fn set_pin(&self, request: &PinRequest) -> Result<(), ApiError> {
        let path = self.library.path(&request.shift)?;
        let running = self.station.recording().is_some_and(|running| running == path);
        let there = marks::list(&path).map_err(|error| because(&error))?;
        let pins: Vec<u64> = there.iter().filter(|mark| mark.kind == marks::PIN).map(|mark| mark.id).collect();
        if request.pinned != pins.is_empty() {
            return Ok(());
        }
        let now = self.station.now();
        let pin = Mark { kind: marks::PIN, at: now, made: now, ..Mark::default() };
        match (request.pinned, running) {
            (true, true) => self.station.mark(pin).map(drop).map_err(|error| because(&error)),
            (true, false) => marks::add(&path, &pin).map(drop).map_err(|error| because(&error)),
            (false, _) => pins.into_iter().try_for_each(|id| match running {
                true => self.station.unmark(id).map_err(|error| because(&error)),
                false => marks::remove(&path, id).map(drop).map_err(|error| because(&error)),
            }),
        }
    }

    fn take_over(&self, path: &Path) -> Result<Imported, ApiError> {
        let taken = lineside_recording::library::import(path, self.library.imported_folder());
        let (path, known) = match taken.map_err(|error| because(&error))? {
            lineside_recording::library::Imported::Added(path) => (path, false),
            lineside_recording::library::Imported::AlreadyThere(path) => (path, true),
        };
        Ok(Imported { shift: self.library.one(&path, None)?, known })
    }
}

impl Recordings for HostRecordings {
    fn shifts(&self, (): ()) -> Result<ShiftList, ApiError> {
        Ok(self.list())
    }

    fn pin(&self, request: PinRequest) -> Result<ShiftList, ApiError> {
        self.set_pin(&request)?;
        Ok(self.list())
    }

    fn verify(&self, request: ShiftRequest) -> Result<VerifyView, ApiError> {
        check::verify(&self.library.path(&request.shift)?).map_err(|error| because(&error))
    }

    fn export(&self, request: ExportRequest) -> Result<Exported, ApiError> {
        let file = ShiftFile::open(self.library.path(&request.shift)?).map_err(|error| because(&error))?;
        let (from, to) = (replay::timestamp(request.from_ms)?, replay::timestamp(request.to_ms)?);
        if to < from {
            return Err(refused("The stretch to export ends before it begins."));
        }
        let tags = request.tags.into_iter().map(TagId).collect();
        self.exports.write(&Part { file: &file, from, to, tags }, &request.format)
    }

    fn import(&self, request: ImportStart) -> Result<ImportTicket, ApiError> {
        self.imports.begin(request)
    }

    fn put(&self, import: u32, offset: u64, bytes: &[u8]) -> Result<(), ApiError> {
        self.imports.put(import, offset, bytes)
    }

    fn import_end(&self, request: ImportEnd) -> Result<Imported, ApiError> {
        self.imports.end(request.import, |path, _name| self.take_over(path))
    }

    fn exported(&self, name: &str) -> Option<PathBuf> {
        self.exports.file(name)
    }

    fn open(&self, request: OpenRequest) -> Result<Opened, ApiError> {
        self.open_recording(&request)
    }

    fn close(&self, request: EpochRequest) -> Result<(), ApiError> {
        self.station.stage().close(request.epoch);
        Ok(())
    }

    fn play(&self, request: PlayRequest) -> Result<ReplayView, ApiError> {
        self.play_recording(&request)
    }

    fn timeline(&self, request: EpochRequest) -> Result<TimelineView, ApiError> {
        self.time_bar(request.epoch)
    }

    fn lane(&self, request: LaneRequest) -> Result<LaneView, ApiError> {
        self.pen(&request)
    }

    fn find(&self, request: FindRequest) -> Result<Found, ApiError> {
        self.search(&request)
    }

    fn compare(&self, request: CompareRequest) -> Result<Comparison, ApiError> {
        self.compare_moments(&request)
    }

    fn mark(&self, request: MarkRequest) -> Result<MarkView, ApiError> {
        self.set_mark(&request)
    }

    fn unmark(&self, request: UnmarkRequest) -> Result<(), ApiError> {
        self.remove_mark(&request)
    }

    fn parameters(&self, request: EpochRequest) -> Result<WhatIfParameters, ApiError> {
        self.changeable(request.epoch)
    }

    fn what_if(&self, request: WhatIfRequest) -> Result<WhatIfResult, ApiError> {
        self.run_again(&request)
    }
}
