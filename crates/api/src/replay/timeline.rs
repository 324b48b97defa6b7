//! What the time bar draws, as records.

use super::mark;
use crate::sections;
use crate::wire::*;
use lineside_engine::NoticeKind as Kind;
use lineside_model::state::Interval;
use lineside_model::{ConnectionId, Gap, GapScope, TagId};
use lineside_recording::marks::BOOKMARK;
use lineside_runtime::Timeline;

/// A time bar takes no more notices than this; it says how many of the oldest it left out.
const NOTICES_MAX: usize = 5_000;

/// The whole of a recording at a glance. `progress` is how much of it is known, 0 to 1.
pub fn timeline(timeline: &Timeline, progress: f64) -> TimelineView {
    let skipped = timeline.notices.len().saturating_sub(NOTICES_MAX);
    let bookmarks = timeline.marks.iter().filter(|mark| mark.kind == BOOKMARK);
    TimelineView {
        from_ms: timeline.from.as_millis_f64(),
        to_ms: timeline.to.as_millis_f64(),
        shift: Some(sections::shift_view(&timeline.shift)),
        strips: (0..).zip(&timeline.units).map(|(unit, intervals)| strip(unit, intervals)).collect(),
        gaps: timeline.gaps.iter().map(gap).collect(),
        notices: timeline.notices[skipped..].iter().map(sections::notice).collect(),
        notices_dropped: skipped as u32,
        marks: bookmarks.map(mark).collect(),
        complete: timeline.complete,
        progress: if timeline.complete { 1.0 } else { progress },
    }
}

fn strip(unit: u32, intervals: &[Interval]) -> StripView {
    StripView { unit, intervals: intervals.iter().map(sections::interval).collect() }
}

fn gap(gap: &Gap) -> GapSpanView {
    let (connection, tag) = match gap.scope {
        GapScope::Plant => (None, None),
        GapScope::Connection(ConnectionId(id)) => (Some(id), None),
        GapScope::Tag(TagId(id)) => (None, Some(id)),
    };
    let kind = Kind::ALL.into_iter().find(|kind| kind.gap_reason() == Some(gap.reason));
    GapSpanView {
        from_ms: gap.from.as_millis_f64(),
        to_ms: gap.to.as_millis_f64(),
        connection,
        tag,
        kind: sections::notice_kind(kind.unwrap_or(Kind::GapNotRecorded)),
    }
}
