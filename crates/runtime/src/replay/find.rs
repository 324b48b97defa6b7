//! "The next of these": from an instant of a recording to the nearest thing of a kind, forwards or backwards.
//!
//! Answers with an instant of arrival, so that seeking there shows it. Reads a file and what is known of its events;
//! changes nothing. A question that reads a whole shift can be watched and given up.

use super::condition::{Condition, Point, Reading, instants};
use super::run::ReplayError;
use super::timeline::{Progress, Timeline};
use lineside_engine::{Notice, NoticeKind};
use lineside_model::config::Scale;
use lineside_model::state::Interval;
use lineside_model::{
    ConnectionId, GapScope, LinkState, Mode, PackState, PlantConfig, PlantState, Sample, Span, SubscriptionState,
    TagId, Timestamp, UnitId, Value,
};
use lineside_recording::{Direction, Mark, Reader, Received};

/// So much of a recording is looked at in one go.
const WINDOW: Span = Span::from_secs(900);

/// What is looked for.
#[derive(Clone, Debug, PartialEq)]
pub enum Wanted {
    /// A notice of one of these kinds; empty: of any.
    Notice(Vec<NoticeKind>),
    /// The beginning of a stretch without values.
    Gap,
    Mark,
    /// The unit stops running.
    Stop(UnitId),
    /// The value or the quality of the tag becomes another.
    Change(TagId),
    /// The condition has held for long enough.
    Condition(Condition),
}

/// What was found.
#[derive(Clone, Debug, PartialEq)]
pub struct Found {
    pub at: Timestamp,
    pub notice: Option<Notice>,
    pub mark: Option<Mark>,
}

/// The nearest strictly after `from` (or before it); `None`: there is none, or the search was given up.
pub fn find(
    reader: &mut Reader,
    timeline: &Timeline,
    config: &PlantConfig,
    wanted: &Wanted,
    from: Timestamp,
    direction: Direction,
    progress: &Progress,
) -> Result<Option<Found>, ReplayError> {
    let at = |at: Timestamp| Found { at, notice: None, mark: None };
    Ok(match wanted {
        Wanted::Notice(kinds) => {
            let fits = |notice: &&Notice| kinds.is_empty() || kinds.contains(&notice.kind);
            let found = nearest(timeline.notices.iter().filter(fits), |notice| notice.at, from, direction);
            found.map(|notice| Found { notice: Some(notice.clone()), ..at(notice.at) })
        }
        Wanted::Gap => nearest(timeline.gaps.iter(), |gap| gap.from, from, direction).map(|gap| at(gap.from)),
        Wanted::Mark => nearest(timeline.marks.iter(), |mark| mark.at, from, direction)
            .map(|mark| Found { mark: Some(mark.clone()), ..at(mark.at) }),
        Wanted::Stop(unit) => {
            let strip = timeline.units.get(unit.0 as usize).map_or(&[][..], Vec::as_slice);
            let arrivals = timeline.arrivals.get(unit.0 as usize).map_or(&[][..], Vec::as_slice);
            let shown =
                |place: usize| arrivals.get(place).map_or(strip[place].start, |at| (*at).max(strip[place].start));
            nearest(stop_places(strip).map(shown), |stop| *stop, from, direction).map(at)
        }
        Wanted::Change(tag) => change(reader, *tag, from, direction, progress)?.map(at),
        Wanted::Condition(condition) => {
            let mut search = Search { reader, timeline, config, condition, progress };
            search.nearest(from, direction)?.map(at)
        }
    })
}

/// Does a unit produce in this stretch? `None`: not known. The mode says why it does not before its state does.
pub fn runs(interval: &Interval) -> Option<bool> {
    match (interval.known, interval.mode, interval.state) {
        (false, ..) | (true, _, PackState::Unknown) => None,
        (true, Mode::Changeover | Mode::Maintenance, _) => Some(false),
        (true, _, state) => Some(matches!(state, PackState::Execute | PackState::Completing)),
    }
}

/// When a unit stopped: it does not run, and ran when that was last known.
pub fn stops(strip: &[Interval]) -> impl Iterator<Item = Timestamp> {
    stop_places(strip).map(|place| strip[place].start)
}

/// Where in the strip the unit stopped.
fn stop_places(strip: &[Interval]) -> impl Iterator<Item = usize> {
    let mut ran = false;
    strip.iter().enumerate().filter_map(move |(place, interval)| {
        let now = runs(interval)?;
        let stopped = std::mem::replace(&mut ran, now) && !now;
        stopped.then_some(place)
    })
}

/// The first of the nearest instant.
fn nearest<T>(
    all: impl Iterator<Item = T>,
    at: impl Fn(&T) -> Timestamp,
    from: Timestamp,
    direction: Direction,
) -> Option<T> {
    match direction {
        Direction::After => all.filter(|one| at(one) > from).min_by_key(&at),
        // `min_by_key` takes the first of equal ones, `max_by_key` would take the last.
        Direction::Before => all.filter(|one| at(one) < from).min_by_key(|one| std::cmp::Reverse(at(one))),
    }
}

fn change(
    reader: &mut Reader,
    tag: TagId,
    from: Timestamp,
    direction: Direction,
    progress: &Progress,
) -> Result<Option<Timestamp>, ReplayError> {
    if direction == Direction::After {
        let mut last = reader.next_sample(tag, from + Span(1), Direction::Before)?;
        for next in reader.samples(tag, from + Span(1), Timestamp::MAX) {
            let next = next?;
            if progress.is_cancelled() {
                return Ok(None);
            }
            if last.as_ref().is_some_and(|last| is_late(last, &next)) {
                continue;
            }
            if last.as_ref().is_none_or(|last| !same(&last.sample, &next.sample)) {
                return Ok(Some(next.at));
            }
            last = Some(next);
        }
        return Ok(None);
    }
    change_before(reader, tag, from, progress)
}

/// The last instant before `from` at which the tag became another.
fn change_before(
    reader: &mut Reader,
    tag: TagId,
    from: Timestamp,
    progress: &Progress,
) -> Result<Option<Timestamp>, ReplayError> {
    let mut end = from;
    while !progress.is_cancelled() {
        let Some(newest) = reader.next_sample(tag, end, Direction::Before)? else { return Ok(None) };
        let begin = newest.at - WINDOW;
        let mut last = reader.next_sample(tag, begin, Direction::Before)?;
        let mut found = None;
        for sample in reader.samples(tag, begin, end - Span(1)) {
            let sample = sample?;
            if last.as_ref().is_some_and(|last| is_late(last, &sample)) {
                continue;
            }
            if last.as_ref().is_none_or(|last| !same(&last.sample, &sample.sample)) {
                found = Some(sample.at);
            }
            last = Some(sample);
        }
        if found.is_some() {
            return Ok(found);
        }
        end = begin;
    }
    Ok(None)
}

/// Is the sample older than the one that is shown, so that it is passed over (`engine/src/tags.rs`)?
fn is_late(shown: &Received, new: &Received) -> bool {
    let (was, is) = (&shown.sample, &new.sample);
    let (Some(current), Some(time)) = (was.source_time, is.source_time) else { return false };
    let served_later = matches!((is.server_time, was.server_time), (Some(new), Some(old)) if new > old);
    time < current && current <= new.at && !served_later
}

/// The same value and quality; a NaN is as good as another.
fn same(a: &Sample, b: &Sample) -> bool {
    a.status == b.status && same_value(&a.value, &b.value)
}

pub(super) fn same_value(a: &Value, b: &Value) -> bool {
    match (a, b) {
        (Value::Float(a), Value::Float(b)) => a == b || (a.is_nan() && b.is_nan()),
        (a, b) => a == b,
    }
}

/// The search for a condition.
struct Search<'a> {
    reader: &'a mut Reader,
    timeline: &'a Timeline,
    config: &'a PlantConfig,
    condition: &'a Condition,
    progress: &'a Progress,
}

impl Search<'_> {
    /// Window by window, so that what is near is found soon.
    fn nearest(&mut self, from: Timestamp, direction: Direction) -> Result<Option<Timestamp>, ReplayError> {
        let (first, last) = (self.timeline.from, self.timeline.to);
        let mut edge = from.clamp(first, last);
        while !self.progress.is_cancelled() {
            let (begin, end) = match direction {
                Direction::After => (edge, (edge + WINDOW).min(last)),
                Direction::Before => ((edge - WINDOW).max(first), edge),
            };
            let found = self.within(begin, end)?;
            let fits = |at: &Timestamp| if direction == Direction::After { *at > from } else { *at < from };
            let best = if direction == Direction::After {
                found.into_iter().find(fits)
            } else {
                found.into_iter().rev().find(fits)
            };
            let over = if direction == Direction::After { end >= last } else { begin <= first };
            if best.is_some() || over {
                return Ok(best);
            }
            edge = if direction == Direction::After { end } else { begin };
            self.progress.reach(edge, from, if direction == Direction::After { last } else { first });
        }
        Ok(None)
    }

    /// The instants from `begin` to `end`, both included. Looks further back, so that a stretch which began before counts.
    fn within(&mut self, begin: Timestamp, end: Timestamp) -> Result<Vec<Timestamp>, ReplayError> {
        let state = self.reader.keyframe_before(begin - self.condition.for_at_least - Span(1))?;
        let since = state.at.max(self.timeline.from.min(begin));
        let points = self.points(&state, end)?;
        let reading = self.reading(&state);
        let mut found = instants(self.condition, reading, since, &points, end);
        found.retain(|at| *at >= begin);
        Ok(found)
    }

    /// What is known of the tag in `state`.
    fn reading(&self, state: &PlantState) -> Reading {
        let id = self.condition.tag;
        let tag = state.tags.get(id.0 as usize);
        let link = self.connection().and_then(|connection| state.links.get(connection.0 as usize));
        let inside = |from: Timestamp, to: Timestamp| from <= state.at && state.at < to;
        Reading {
            value: tag.and_then(|tag| self.usable(&tag.value, tag.status.is_bad())),
            up: link.is_some_and(|link| link.state == LinkState::Up),
            flows: link.is_some_and(|link| link.subscription == SubscriptionState::Live),
            confirmed: tag.is_some_and(|tag| tag.confirmed && !tag.item.is_bad()),
            gaps: self.timeline.gaps.iter().filter(|gap| self.covers(gap.scope) && inside(gap.from, gap.to)).count()
                as u32,
        }
    }

    /// What happens to the tag after `state`, in order of time.
    fn points(&mut self, state: &PlantState, end: Timestamp) -> Result<Vec<(Timestamp, Point)>, ReplayError> {
        let after = |at: Timestamp| at > state.at && at <= end;
        let notices = self.timeline.notices.iter().filter(|notice| after(notice.at));
        let mut points: Vec<_> = notices.filter_map(|notice| self.point_of(notice)).collect();
        for gap in self.timeline.gaps.iter().filter(|gap| self.covers(gap.scope)) {
            points.extend(Some((gap.from, Point::GapBegins)).filter(|(at, _)| after(*at)));
            points.extend(Some((gap.to, Point::GapEnds)).filter(|(at, _)| after(*at)));
        }
        let scale = self.scale();
        let mut shown: Option<Received> = None;
        for received in self.reader.samples(self.condition.tag, state.at, end) {
            let received = received?;
            let late = shown.as_ref().is_some_and(|shown| is_late(shown, &received));
            if received.seq > state.seq && !late {
                let value = usable(scale, &received.sample.value, received.sample.status.is_bad());
                points.push((received.at, Point::Value(value)));
                shown = Some(received);
            }
        }
        points.sort_by_key(|(at, _)| *at); // stable: the link comes up before its values
        Ok(points)
    }

    fn point_of(&self, notice: &Notice) -> Option<(Timestamp, Point)> {
        let ours = notice.connection.is_some() && notice.connection == self.connection();
        let point = match notice.kind {
            NoticeKind::Started => Point::Link(false),
            NoticeKind::LinkUp if ours => Point::Link(true),
            NoticeKind::LinkDown if ours => Point::Link(false),
            NoticeKind::SubscriptionLive if ours => Point::Flow(true),
            NoticeKind::SubscriptionLate | NoticeKind::HeartbeatLost if ours => Point::Flow(false),
            NoticeKind::ItemRefused | NoticeKind::ItemAccepted if notice.tag == Some(self.condition.tag) => Point::Lost,
            _ => return None,
        };
        Some((notice.at, point))
    }

    fn covers(&self, scope: GapScope) -> bool {
        match scope {
            GapScope::Plant => true,
            GapScope::Connection(connection) => Some(connection) == self.connection(),
            GapScope::Tag(tag) => tag == self.condition.tag,
        }
    }

    fn connection(&self) -> Option<ConnectionId> {
        self.config.tags.get(self.condition.tag.0 as usize).map(|tag| tag.connection)
    }

    fn scale(&self) -> Option<Scale> {
        self.config.tags.get(self.condition.tag.0 as usize).and_then(|tag| tag.scale)
    }

    fn usable(&self, value: &Value, bad: bool) -> Option<f64> {
        usable(self.scale(), value, bad)
    }
}

/// The value in shown units, if it is a number that can be believed.
fn usable(scale: Option<Scale>, value: &Value, bad: bool) -> Option<f64> {
    let raw = value.as_f64().filter(|_| !bad)?;
    Some(scale.map_or(raw, |scale| raw * scale.gain + scale.offset))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn stops_of_a_unit() {
        let rows = [
            ("E S E S", vec![1, 3]),
            ("S E", vec![]),
            ("E ? S", vec![2]),
            ("E ? E", vec![]),
            ("? S", vec![]),
            ("E H S", vec![1]),
            ("E C", vec![1]),
            ("E G E S", vec![3]),
        ];
        for (text, expected) in rows {
            let interval = |(start, what): (usize, &str)| {
                let (state, mode) = match what {
                    "E" => (PackState::Execute, Mode::Produce),
                    "S" => (PackState::Stopped, Mode::Produce),
                    "H" => (PackState::Held, Mode::Unknown),
                    "C" => (PackState::Execute, Mode::Changeover),
                    "G" => (PackState::Completing, Mode::Manual),
                    _ => (PackState::Unknown, Mode::Unknown),
                };
                Interval { start: Timestamp(start as i64), state, mode, known: what != "?" }
            };
            let strip: Vec<Interval> = text.split(' ').enumerate().map(interval).collect();
            assert_eq!(stops(&strip).map(|at| at.0).collect::<Vec<_>>(), expected, "{text}");
        }
    }

    #[test]
    fn the_nearest_of_several() {
        let all = [(10, 'a'), (20, 'b'), (20, 'c'), (15, 'd')];
        let rows = [
            (0, Direction::After, Some('a')),
            (10, Direction::After, Some('d')),
            (15, Direction::After, Some('b')),
            (20, Direction::After, None),
            (99, Direction::Before, Some('b')),
            (20, Direction::Before, Some('d')),
            (10, Direction::Before, None),
        ];
        for (from, direction, expected) in rows {
            let found = nearest(all.iter(), |(at, _)| Timestamp(*at), Timestamp(from), direction);
            assert_eq!(found.map(|(_, name)| *name), expected, "{from} {direction:?}");
        }
    }
}
