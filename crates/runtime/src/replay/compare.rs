//! Two moments of a recording: what differs between them, and when each first changed.
//!
//! States at both are exact; what lies between is gone through once. Reads only.

use super::find::same_value;
use super::run::ReplayError;
use super::seek;
use super::timeline::{Progress, Timeline};
use crate::step;
use lineside_engine::{Change, Engine, Notice, NoticeKind, Trust, scaled, trust};
use lineside_model::state::{Counter, Interval};
use lineside_model::{
    Batch, ConnectionId, Input, LinkState, PackState, PlantConfig, PlantState, StatusCode, TagId, Timestamp, UnitId,
    Value,
};
use lineside_recording::{Reader, Row};
use std::sync::Arc;

/// So many differing tags are told; the rest is counted.
const TAGS_MAX: usize = 500;

/// What differs between `a` and `b`. Ordered by the time of the first change after the earlier of the two; what has none
/// comes last.
#[derive(Clone, Debug, PartialEq)]
pub struct Comparison {
    pub a: Timestamp,
    pub b: Timestamp,
    pub units: Vec<UnitDifference>,
    pub tags: Vec<TagDifference>,
    /// Tags that differ beyond those listed.
    pub more_tags: usize,
    pub same_tags: usize,
    pub links: Vec<LinkDifference>,
    /// Between the two, oldest first.
    pub notices: Vec<Notice>,
}

/// A unit at two moments.
#[derive(Clone, Debug, PartialEq)]
pub struct UnitDifference {
    pub unit: UnitId,
    pub a: UnitAt,
    pub b: UnitAt,
    /// When its state first became another; `None`: it did not.
    pub first_changed: Option<Timestamp>,
}

/// A unit at one moment.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct UnitAt {
    pub state: PackState,
    pub rate_per_min: Option<f64>,
    /// Products since the start of the shift; `None`: no reading yet, or no counter.
    pub good: Option<u64>,
    pub reject: Option<u64>,
}

/// A tag at two moments.
#[derive(Clone, Debug, PartialEq)]
pub struct TagDifference {
    pub tag: TagId,
    pub a: ValueAt,
    pub b: ValueAt,
    /// When value or quality first became another than at the earlier moment; `None`: only the trust in it is another.
    pub first_changed: Option<Timestamp>,
    /// Between the two moments.
    pub samples: u64,
}

/// A tag at one moment.
#[derive(Clone, Debug, PartialEq)]
pub struct ValueAt {
    /// As received.
    pub value: Value,
    /// In shown units; `None`: no number.
    pub scaled: Option<f64>,
    pub status: StatusCode,
    pub trust: Trust,
    pub source_time: Option<Timestamp>,
}

/// A connection at two moments.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct LinkDifference {
    pub connection: ConnectionId,
    pub a_up: bool,
    pub b_up: bool,
    pub first_changed: Option<Timestamp>,
}

/// What differs between the states at `a` and `b`; `None`: it was given up.
pub fn compare(
    reader: &mut Reader,
    timeline: &Timeline,
    config: &Arc<PlantConfig>,
    a: Timestamp,
    b: Timestamp,
    progress: &Progress,
) -> Result<Option<Comparison>, ReplayError> {
    let (a, b) = (a.clamp(timeline.from, timeline.to), b.clamp(timeline.from, timeline.to));
    let (early, late) = (a.min(b), a.max(b));
    let (at_a, at_b) = (seek::stand(reader, config, a)?.engine, seek::stand(reader, config, b)?.engine);
    let first = if a <= b { &at_a } else { &at_b };
    let Some(between) = Between::read(reader, first, late, progress)? else { return Ok(None) };
    let notices = timeline.notices.iter().filter(|notice| notice.at > early && notice.at <= late).cloned();
    let mut comparison = Comparison {
        a,
        b,
        units: units(&at_a, &at_b, timeline, early),
        tags: Vec::new(),
        more_tags: 0,
        same_tags: 0,
        links: Vec::new(),
        notices: notices.collect(),
    };
    comparison.links = links(&at_a, &at_b, &comparison.notices);
    comparison.take_tags(&at_a, &at_b, &between);
    Ok(Some(comparison))
}

/// What the samples between two moments say.
struct Between {
    /// By tag: first change, samples.
    tags: Vec<(Option<Timestamp>, u64)>,
}

impl Between {
    /// Goes through everything after the state of `first` up to `until`, once for all tags. With an engine: a sample that
    /// is older than what is shown changes nothing.
    fn read(
        reader: &Reader,
        first: &Engine,
        until: Timestamp,
        progress: &Progress,
    ) -> Result<Option<Between>, ReplayError> {
        let (begin, mut engine, mut changes) = (first.state(), first.clone(), Vec::new());
        let mut between = Between { tags: vec![(None, 0); begin.tags.len()] };
        for row in reader.file().rows(begin.seq) {
            match row? {
                Row::Batch(batch) if batch.at > until => break,
                Row::Batch(batch) => {
                    step::apply(&mut engine, &batch, &mut changes);
                    between.count(&batch);
                }
                Row::Keyframe { state, .. } if state.at > until => break,
                Row::Keyframe { state, .. } => {
                    engine = Engine::from_state(Arc::clone(engine.config()), state);
                    changes.extend(engine.config().tag_ids().map(Change::Tag));
                }
                Row::Digest { .. } | Row::Damaged { .. } => {}
            }
            if progress.is_cancelled() {
                return Ok(None);
            }
            progress.reach(engine.state().at, begin.at, until);
            changes.drain(..).for_each(|change| between.note(begin, engine.state(), &change));
        }
        Ok(Some(between))
    }

    fn count(&mut self, batch: &Batch) {
        for input in &batch.inputs {
            if let Input::Sample(sample) = input
                && let Some((_, samples)) = self.tags.get_mut(sample.tag.0 as usize)
            {
                *samples += 1;
            }
        }
    }

    fn note(&mut self, begin: &PlantState, now: &PlantState, change: &Change) {
        let Change::Tag(TagId(id)) = change else { return };
        let place = *id as usize;
        if let (Some((changed @ None, _)), Some(was), Some(is)) =
            (self.tags.get_mut(place), begin.tags.get(place), now.tags.get(place))
            && ((was.status, was.item) != (is.status, is.item) || !same_value(&was.value, &is.value))
        {
            *changed = Some(now.at);
        }
    }
}

impl Comparison {
    fn take_tags(&mut self, a: &Engine, b: &Engine, between: &Between) {
        for tag in a.config().tag_ids() {
            let (at_a, at_b) = (value_at(a, tag), value_at(b, tag));
            let same = (at_a.status, at_a.trust) == (at_b.status, at_b.trust) && same_value(&at_a.value, &at_b.value);
            if same {
                self.same_tags += 1;
                continue;
            }
            let (first_changed, samples) = between.tags.get(tag.0 as usize).copied().unwrap_or_default();
            self.tags.push(TagDifference { tag, a: at_a, b: at_b, first_changed, samples });
        }
        self.tags.sort_by_key(|tag| (tag.first_changed.unwrap_or(Timestamp::MAX), tag.tag));
        self.more_tags = self.tags.len().saturating_sub(TAGS_MAX);
        self.tags.truncate(TAGS_MAX);
    }
}

fn value_at(engine: &Engine, id: TagId) -> ValueAt {
    let (config, state) = (engine.config(), engine.state());
    let tag = &state.tags[id.0 as usize];
    ValueAt {
        value: tag.value.clone(),
        scaled: scaled(config, state, id),
        status: if tag.item.is_bad() { tag.item } else { tag.status },
        trust: trust(config, state, id),
        source_time: tag.source_time,
    }
}

fn units(a: &Engine, b: &Engine, timeline: &Timeline, early: Timestamp) -> Vec<UnitDifference> {
    let (config, states) = (a.config(), a.state().units.iter().zip(&b.state().units));
    let ids = (0u32..).map(UnitId).zip(&config.units);
    let mut units: Vec<UnitDifference> = ids
        .zip(states)
        .filter_map(|((unit, config), (a, b))| {
            let at = |status: &lineside_model::state::UnitStatus| UnitAt {
                state: status.state,
                rate_per_min: status.rate_per_min,
                good: config.good.and_then(|_| total(&status.good)),
                reject: config.reject.and_then(|_| total(&status.reject)),
            };
            let strip = timeline.units.get(unit.0 as usize).map_or(&[][..], Vec::as_slice);
            let (a, b) = (at(a), at(b));
            (a != b).then(|| UnitDifference { unit, a, b, first_changed: first_change(strip, early) })
        })
        .collect();
    units.sort_by_key(|unit| (unit.first_changed.unwrap_or(Timestamp::MAX), unit.unit));
    units
}

fn total(counter: &Counter) -> Option<u64> {
    counter.base.map(|_| counter.total)
}

/// When the state of a unit first became another than it was at `at`.
fn first_change(strip: &[Interval], at: Timestamp) -> Option<Timestamp> {
    let next = strip.partition_point(|interval| interval.start <= at);
    let was = next.checked_sub(1).and_then(|place| strip.get(place))?;
    let differs = |interval: &&Interval| (interval.state, interval.known) != (was.state, was.known);
    strip[next..].iter().find(differs).map(|interval| interval.start)
}

fn links(a: &Engine, b: &Engine, notices: &[Notice]) -> Vec<LinkDifference> {
    let states = a.state().links.iter().zip(&b.state().links);
    let up = |state: LinkState| state == LinkState::Up;
    let mut links: Vec<LinkDifference> = (0u32..)
        .map(ConnectionId)
        .zip(states)
        .map(|(connection, (a, b))| {
            let turns = |notice: &&Notice| match notice.kind {
                NoticeKind::LinkUp | NoticeKind::LinkDown => notice.connection == Some(connection),
                NoticeKind::Started => true,
                _ => false,
            };
            let first_changed = notices.iter().find(turns).map(|notice| notice.at);
            LinkDifference { connection, a_up: up(a.state), b_up: up(b.state), first_changed }
        })
        .collect();
    links.retain(|link| link.a_up != link.b_up);
    links.sort_by_key(|link| (link.first_changed.unwrap_or(Timestamp::MAX), link.connection));
    links
}

#[cfg(test)]
mod tests {
    use super::*;
    use lineside_model::Mode;

    #[test]
    fn first_changes_of_a_unit() {
        let strip: Vec<Interval> = [(10, 'E'), (20, 'E'), (30, 'S'), (40, '?'), (50, 'E')]
            .map(|(start, what)| {
                let state = match what {
                    'E' => PackState::Execute,
                    'S' => PackState::Stopped,
                    _ => PackState::Unknown,
                };
                Interval { start: Timestamp(start), state, mode: Mode::Unknown, known: what != '?' }
            })
            .to_vec();
        let rows = [(5, None), (10, Some(30)), (25, Some(30)), (30, Some(40)), (45, Some(50)), (50, None)];
        for (at, expected) in rows {
            assert_eq!(first_change(&strip, Timestamp(at)).map(|at| at.0), expected, "after {at}");
        }
    }
}
