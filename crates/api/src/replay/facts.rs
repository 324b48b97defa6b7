//! What a screen is told of one recording.

use crate::wire::{ShiftInfo, ShiftState};
use lineside_engine::NoticeKind;
use lineside_model::UnitId;
use lineside_recording::ShiftFile;
use lineside_recording::library::{About, Entry, FileState};
use lineside_runtime::replay::{self, ReplayError, Timeline};
use std::path::Path;

/// The record of a file that can be read. `stops`: of the line, where known; `clip`: what of a shift it is, in words,
/// where it is not all.
pub fn info(id: &str, entry: &Entry, stops: Option<u32>, clip: Option<String>) -> Option<ShiftInfo> {
    let about = entry.about.as_ref()?;
    let (header, shift) = (&about.header, &about.header.shift);
    let (state, problem) = match &entry.state {
        FileState::Recording => (ShiftState::Recording, String::new()),
        FileState::Complete => (ShiftState::Complete, String::new()),
        FileState::Interrupted => (ShiftState::Interrupted, String::new()),
        FileState::Damaged(reason) => (ShiftState::Damaged, reason.clone()),
    };
    Some(ShiftInfo {
        id: id.to_owned(),
        file: entry.path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default(),
        path: entry.path.display().to_string(),
        line: header.line.clone(),
        time_zone: header.time_zone.clone(),
        date: header.date.clone(),
        shift: shift.name.to_string(),
        scheduled: shift.scheduled,
        crew: shift.crew.as_ref().map(ToString::to_string),
        shift_start_ms: shift.start.as_millis_f64(),
        shift_end_ms: shift.end.as_millis_f64(),
        from_ms: about.from.as_millis_f64(),
        to_ms: about.to.as_millis_f64(),
        bytes: entry.bytes as f64,
        state,
        problem,
        format: about.format as u32,
        gaps: about.has_all_events.then(|| gaps(about)),
        stops,
        marks: about.marks as u32,
        pinned: about.pinned,
        clip,
        outside: id.starts_with("outside:"),
    })
}

/// Stops of the line, as its constraint unit had them; `None`: the line has no such unit, or the file no index.
pub fn stops(entry: &Entry) -> Option<u32> {
    let about = entry.about.as_ref().filter(|about| about.has_all_events)?;
    let config = lineside_config::parse(&about.header.config_text, Path::new(&about.header.config_path)).ok()?;
    let UnitId(unit) = config.line.constraint?;
    let timeline = timeline(&entry.path).ok().flatten()?;
    timeline.units.get(unit as usize).map(|strip| replay::stops(strip).count() as u32)
}

fn timeline(path: &Path) -> Result<Option<Timeline>, ReplayError> {
    Timeline::of_index(&ShiftFile::open(path)?)
}

/// Stretches without values that were noted.
fn gaps(about: &About) -> u32 {
    let is_gap = |kind: u16| NoticeKind::of_number(kind).is_some_and(|kind| kind.gap_reason().is_some());
    about.events.iter().filter(|(kind, _)| is_gap(*kind)).map(|(_, count)| *count as u32).sum()
}
