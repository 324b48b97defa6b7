//! A pen's line as a record, in shown units.

use crate::wire::*;
use lineside_model::config::{PlantConfig, Scale};
use lineside_model::{TagId, Timestamp};
use lineside_recording::{Column, Line};

/// One tag between two instants, column by column. The value that was in force before holds until the first one.
pub fn lane(config: &PlantConfig, tag: TagId, from: Timestamp, to: Timestamp, line: &Line) -> LaneView {
    let scale = config.tags.get(tag.0 as usize).and_then(|tag| tag.scale);
    let count = line.columns.len();
    let mut view = LaneView {
        tag: tag.0,
        from_ms: from.as_millis_f64(),
        to_ms: to.as_millis_f64(),
        first: Vec::with_capacity(count),
        min: Vec::with_capacity(count),
        max: Vec::with_capacity(count),
        last: Vec::with_capacity(count),
        doubtful: Vec::with_capacity(count),
    };
    let mut held = line.before;
    for column in &line.columns {
        view.push(column, held, scale);
        held = after(column, held);
    }
    view
}

/// The value in force behind a column; `None`: none is.
fn after(column: &Column, held: Option<f64>) -> Option<f64> {
    match column {
        Column { broken_after: true, .. } => None,
        Column { count: 0, bad: 1.., .. } => None,
        Column { count: 0, .. } => held,
        column => Some(column.last),
    }
}

impl LaneView {
    fn push(&mut self, column: &Column, held: Option<f64>, scale: Option<Scale>) {
        let shown = |raw: f64| scale.map_or(raw, |scale| raw * scale.gain + scale.offset);
        // A gain below 0 turns the picture over.
        let turned = scale.is_some_and(|scale| scale.gain < 0.0);
        let (low, high) = if turned { (column.max, column.min) } else { (column.min, column.max) };
        let has = column.count > 0;
        let value = |of_column: f64| if has { Some(shown(of_column)) } else { held.map(shown) };
        self.first.push(value(column.first));
        self.min.push(value(low));
        self.max.push(value(high));
        self.last.push(value(column.last));
        self.doubtful.push(column.bad > 0 || column.broken_after || (!has && held.is_none()));
    }
}
