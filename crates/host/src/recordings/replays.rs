//! Recordings that screens open, play and ask about.

use super::HostRecordings;
use crate::errors::{because, refused};
use lineside_api::wire::*;
use lineside_api::{Replayed, replay};
use lineside_model::Timestamp;
use lineside_recording::{Pen, Reader};
use lineside_runtime::{Progress, ReplaySession};
use std::sync::{Arc, Mutex};
use std::time::Instant;

/// Columns of a lane: more than any screen is wide.
const COLUMNS_MAX: u32 = 8_192;

impl HostRecordings {
    pub(super) fn open_recording(&self, request: &OpenRequest) -> Result<Opened, ApiError> {
        let path = self.library.path(&request.shift)?;
        let at = request.at_ms.map(replay::timestamp).transpose()?;
        let growing = self.station.recording().is_some_and(|running| running == path);
        let session = ReplaySession::open(&path, at, growing).map_err(|error| because(&error))?;
        let reader = Arc::new(Mutex::new(Reader::new(session.file().clone())));
        let epoch = self.station.new_epoch();
        let stage = self.station.stage();
        stage.open(Replayed { session, shift: request.shift.clone(), reader }, epoch);
        stage.has_opened(&request.shift);
        Ok(Opened { epoch, shift: request.shift.clone() })
    }

    pub(super) fn play_recording(&self, request: &PlayRequest) -> Result<ReplayView, ApiError> {
        let replayed = self.station.stage().replay(request.epoch)?;
        let state = replayed.session.command(replay::command(request)?).map_err(|error| because(&error))?;
        let file = replayed.session.core().lock().file.clone();
        Ok(replay::view_of(&state, &replayed.shift, &file))
    }

    pub(super) fn time_bar(&self, epoch: u32) -> Result<TimelineView, ApiError> {
        let (timeline, progress) = self.subject(epoch)?.timeline()?;
        Ok(replay::timeline(&timeline, progress))
    }

    pub(super) fn pen(&self, request: &LaneRequest) -> Result<LaneView, ApiError> {
        let subject = self.subject(request.epoch)?;
        let tag = replay::tag(Some(request.tag), &subject.config)?;
        let (from, to) = (replay::timestamp(request.from_ms)?, replay::timestamp(request.to_ms)?);
        if to <= from || !(1..=COLUMNS_MAX).contains(&request.columns) {
            return Err(refused(format!("A lane goes forwards in time, in 1 to {COLUMNS_MAX} columns.")));
        }
        let pen = Pen { tag, connection: subject.config.tag(tag).connection };
        let line = subject.reader().pen(pen, from, to, request.columns as usize).map_err(|error| because(&error))?;
        Ok(replay::lane(&subject.config, tag, from, to, &line))
    }

    pub(super) fn search(&self, request: &FindRequest) -> Result<Found, ApiError> {
        let subject = self.subject(request.epoch)?;
        let (wanted, from, direction) = replay::wanted(request, &subject.config)?;
        let (timeline, _) = subject.timeline()?;
        let never = Progress::default();
        let mut reader = subject.reader();
        let found =
            lineside_runtime::replay::find(&mut reader, &timeline, &subject.config, &wanted, from, direction, &never);
        Ok(replay::found(found.map_err(|error| because(&error))?.as_ref()))
    }

    pub(super) fn compare_moments(&self, request: &CompareRequest) -> Result<Comparison, ApiError> {
        let subject = self.subject(request.epoch)?;
        let (a, b) = (replay::timestamp(request.a_ms)?, replay::timestamp(request.b_ms)?);
        let (timeline, _) = subject.timeline()?;
        let mut reader = subject.reader();
        let compared =
            lineside_runtime::replay::compare(&mut reader, &timeline, &subject.config, a, b, &Progress::default());
        let compared = compared.map_err(|error| because(&error))?;
        compared.as_ref().map(replay::comparison).ok_or_else(|| refused("The comparison was given up."))
    }

    pub(super) fn changeable(&self, epoch: u32) -> Result<WhatIfParameters, ApiError> {
        let subject = self.subject(epoch)?;
        Ok(replay::parameters(&lineside_runtime::replay::parameters(&subject.config)))
    }

    pub(super) fn run_again(&self, request: &WhatIfRequest) -> Result<WhatIfResult, ApiError> {
        let began = Instant::now();
        let file = self.subject(request.epoch)?.reader().file().clone();
        let result = lineside_runtime::replay::what_if(&file, &replay::changes(request), &Progress::default());
        let result = result.map_err(|error| because(&error))?;
        let took_ms = began.elapsed().as_secs_f64() * 1e3;
        let result = result.as_ref().map(|result| replay::what_if(result, took_ms));
        result.ok_or_else(|| refused("The run was given up."))
    }

    /// Marks the running shift through its recorder, and any other file directly.
    pub(super) fn set_mark(&self, request: &MarkRequest) -> Result<MarkView, ApiError> {
        let mark = replay::mark_of(request, self.station.now())?;
        let subject = self.subject(request.epoch)?;
        let file = subject.reader().file().clone();
        if self.is_running(file.path()) {
            // Some seconds of hindsight reach before a shift that has just begun.
            let begin = file.bounds().map_err(|error| because(&error))?.map_or(mark.at, |(begin, _)| begin);
            let mark = lineside_recording::Mark { at: mark.at.max(begin), ..mark };
            let mark = self.station.mark(mark).map_err(|error| because(&error))?;
            return Ok(replay::mark(&mark));
        }
        within(&file, mark.at)?;
        let id = lineside_recording::marks::add(file.path(), &mark).map_err(|error| because(&error))?;
        Ok(replay::mark(&lineside_recording::Mark { id, ..mark }))
    }

    pub(super) fn remove_mark(&self, request: &UnmarkRequest) -> Result<(), ApiError> {
        let file = self.subject(request.epoch)?.reader().file().clone();
        let id = request.mark as u64; // what is no number is 0, which no mark has
        if self.is_running(file.path()) {
            return self.station.unmark(id).map_err(|error| because(&error));
        }
        lineside_recording::marks::remove(file.path(), id).map(drop).map_err(|error| because(&error))
    }

    fn is_running(&self, path: &std::path::Path) -> bool {
        self.station.recording().is_some_and(|running| running == path)
    }
}

/// A mark outside of what is recorded would be found by nobody.
fn within(file: &lineside_recording::ShiftFile, at: Timestamp) -> Result<(), ApiError> {
    match file.last() {
        Some((_, to)) if at > to => Err(refused("The recording ends before this mark.")),
        _ => Ok(()),
    }
}
