//! What a question is about: the running shift, or a recording that a screen opened.

use super::HostRecordings;
use crate::errors::{because, refused};
use lineside_api::Replayed;
use lineside_api::wire::ApiError;
use lineside_model::PlantConfig;
use lineside_recording::{Reader, ShiftFile};
use lineside_runtime::Timeline;
use lineside_runtime::replay::ReplayError;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// A file with its configuration, and who reads it.
pub(crate) struct Subject {
    pub(crate) config: Arc<PlantConfig>,
    reader: Arc<Mutex<Reader>>,
    /// None: the running shift.
    pub(crate) replay: Option<Arc<Replayed>>,
}

impl Subject {
    /// Answers one question after the other.
    pub(crate) fn reader(&self) -> MutexGuard<'_, Reader> {
        // What it remembers is checked against the file at every question.
        self.reader.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The whole of it at a glance, and how much of that is known, 0 to 1.
    pub(crate) fn timeline(&self) -> Result<(Timeline, f64), ApiError> {
        let told = match &self.replay {
            Some(replay) => replay.session.timeline().map(|timeline| (timeline, replay.session.progress())),
            None => of_running(self.reader().file()).map(|timeline| (timeline, 1.0)),
        };
        told.map_err(|error| because(&error))
    }
}

/// A shift that began under an older program has an index from the last start on only; the rest shows once it is opened.
fn of_running(file: &ShiftFile) -> Result<Timeline, ReplayError> {
    if let Some(timeline) = Timeline::of_index(file)? {
        return Ok(timeline);
    }
    let (from, to) = file.bounds()?.unwrap_or_default();
    Ok(Timeline { from, to, shift: file.header().shift.clone(), ..Timeline::default() })
}

impl HostRecordings {
    /// The session of this epoch, as something to be asked about.
    pub(super) fn subject(&self, epoch: u32) -> Result<Subject, ApiError> {
        let stage = self.station.stage();
        if let Some((core, plant)) = stage.plant()
            && plant == epoch
        {
            let config = Arc::clone(core.lock().engine.config());
            return Ok(Subject { config, reader: self.running_reader()?, replay: None });
        }
        let replay = stage.replay(epoch)?;
        let (config, reader) = (Arc::clone(replay.session.config()), Arc::clone(&replay.reader));
        Ok(Subject { config, reader, replay: Some(replay) })
    }

    /// Kept from question to question, until the shift ends.
    fn running_reader(&self) -> Result<Arc<Mutex<Reader>>, ApiError> {
        let nothing = || refused("Nothing is being recorded now.");
        let path = self.station.recording().ok_or_else(nothing)?;
        let mut kept = self.running.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((of, reader)) = kept.as_ref()
            && *of == path
        {
            return Ok(Arc::clone(reader));
        }
        let file = ShiftFile::open(&path).map_err(|error| because(&error))?;
        let reader = Arc::new(Mutex::new(Reader::new(file)));
        *kept = Some((path, Arc::clone(&reader)));
        Ok(reader)
    }
}
