//! What a pen draws: for every column of the picture the first, smallest, largest and last value (M4: a line through them
//! fills the same pixels as the line through all values).
//!
//! Values stand at their source time (else when they were taken in), as received, before scaling. A bad value, one that is no number, an
//! outage and a gap break the line; nothing is drawn through them. Values read back for a gap stand inside it.

use super::part::Part;
use lineside_model::input::{Gap, GapScope, LinkState};
use lineside_model::state::{LinkHealth, PlantState};
use lineside_model::{ConnectionId, Input, StatusCode, TagId, Timestamp, Value};

/// Whose values are drawn. Outages and gaps of the connection break the line.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Pen {
    pub tag: TagId,
    pub connection: ConnectionId,
}

/// A pen's line in columns.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Line {
    /// The value in force where the first column begins; `None`: not known there.
    pub before: Option<f64>,
    pub columns: Vec<Column>,
}

/// One column; without values (`count` 0) nothing else in it means anything, except `bad`.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Column {
    /// Values in it.
    pub count: u32,
    /// Values in it that cannot be drawn: bad status, or no number.
    pub bad: u32,
    pub first: f64,
    pub min: f64,
    pub max: f64,
    pub last: f64,
    /// No line leads to `first` from what came before.
    pub broken_before: bool,
    /// No line leads on from `last`, and the value does not hold.
    pub broken_after: bool,
}

#[derive(Clone, Copy, PartialEq)]
enum Point {
    Value(f64),
    /// A value that cannot be drawn.
    Bad,
    /// From here on nothing is known.
    Break,
}

/// The points of a pen, collected part by part.
pub(crate) struct Points {
    pen: Pen,
    all: Vec<(Timestamp, Point)>,
}

impl Points {
    /// Begins with what `state` shows.
    pub(crate) fn new(pen: Pen, state: &PlantState) -> Points {
        let mut points = Points { pen, all: Vec::new() };
        let is_up = |link: &LinkHealth| link.state == LinkState::Up;
        if let Some(tag) = state.tags.get(pen.tag.0 as usize)
            && let Some(received) = tag.received
            && state.links.get(pen.connection.0 as usize).is_none_or(is_up)
        {
            points.push(tag.source_time.unwrap_or(received), &tag.value, tag.status);
        }
        points
    }

    /// Takes a part in which the tag has been loaded.
    pub(crate) fn take(&mut self, part: &Part) {
        if let Some(samples) = part.tag(self.pen.tag) {
            let point = |i| {
                let at = samples.source_time(i).unwrap_or_else(|| samples.at(i));
                (at, samples.number(i).map_or(Point::Bad, Point::Value))
            };
            self.all.extend((0..samples.len()).map(point));
        }
        for rare in part.rare() {
            self.take_rare(rare.at, &rare.input);
        }
        self.all.extend(part.damaged().iter().map(|damage| (damage.at, Point::Break)));
    }

    fn take_rare(&mut self, at: Timestamp, input: &Input) {
        match input {
            Input::Gap(gap) if self.concerns(gap) => self.all.push((gap.from, Point::Break)),
            Input::Link { connection, state, .. } if *connection == self.pen.connection && *state != LinkState::Up => {
                self.all.push((at, Point::Break));
            }
            Input::Started { stopped } => self.all.push((stopped.unwrap_or(at), Point::Break)),
            Input::Fill(fill) if fill.tag == self.pen.tag => {
                for value in &fill.values {
                    if let Some(at) = value.source_time.or(value.server_time) {
                        self.push(at, &value.value, value.status);
                    }
                }
            }
            _ => {}
        }
    }

    fn concerns(&self, gap: &Gap) -> bool {
        match gap.scope {
            GapScope::Plant => true,
            GapScope::Connection(connection) => connection == self.pen.connection,
            GapScope::Tag(tag) => tag == self.pen.tag,
        }
    }

    fn push(&mut self, at: Timestamp, value: &Value, status: StatusCode) {
        let number = value.as_f64().filter(|number| !number.is_nan() && !status.is_bad());
        self.all.push((at, number.map_or(Point::Bad, Point::Value)));
    }

    /// The line between two instants, both included.
    pub(crate) fn line(mut self, from: Timestamp, to: Timestamp, columns: usize) -> Line {
        let to = to.max(from);
        self.all.sort_by_key(|(at, _)| *at); // stable: what arrived first stays first
        let mut line = Line { before: None, columns: vec![Column::default(); columns] };
        let mut last: Option<usize> = None;
        let mut broken = true;
        for (at, point) in self.all {
            if at > to || columns == 0 {
                break;
            }
            if at < from {
                line.before = if let Point::Value(value) = point { Some(value) } else { None };
                broken = line.before.is_none();
                continue;
            }
            let place = column_of(at, from, to, columns);
            let column = &mut line.columns[place];
            match point {
                Point::Value(value) => {
                    column.add(value, broken);
                    (last, broken) = (Some(place), false);
                }
                Point::Bad | Point::Break => {
                    column.bad += u32::from(point == Point::Bad);
                    broken = true;
                    if let Some(last) = last {
                        line.columns[last].broken_after = true;
                    }
                }
            }
        }
        line
    }
}

impl Column {
    fn add(&mut self, value: f64, broken: bool) {
        if self.count == 0 {
            (self.first, self.min, self.max, self.broken_before) = (value, value, value, broken);
        }
        self.min = self.min.min(value);
        self.max = self.max.max(value);
        self.last = value;
        self.broken_after = false;
        self.count = self.count.saturating_add(1);
    }
}

fn column_of(at: Timestamp, from: Timestamp, to: Timestamp, columns: usize) -> usize {
    let width = (i128::from(to.0) - i128::from(from.0)).max(1);
    let place = (i128::from(at.0) - i128::from(from.0)) * columns as i128 / width;
    (place as usize).min(columns - 1)
}
