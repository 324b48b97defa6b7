//! What the configuration says, turned round: from a tag to its uses, from a connection to its tags.
//! Derived once, never changed.

use lineside_model::{ConnectionId, PlantConfig, Span, TagId, UnitId};
use std::ops::Range;

/// What a unit takes from a tag.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Use {
    State,
    Mode,
    Speed,
    Good,
    Reject,
}

/// Lookup tables by id.
pub(crate) struct Index {
    tags: Vec<TagFacts>,
    uses: Vec<(UnitId, Use)>,
    by_connection: Vec<Vec<TagId>>,
    units_by_connection: Vec<Vec<UnitId>>,
}

/// What the hot path needs of a tag, close together.
#[derive(Clone, Copy)]
struct TagFacts {
    /// `Span(i64::MAX)`: no expectation.
    max_age: Span,
    first_use: u32,
    last_use: u32,
}

impl Index {
    pub(crate) fn new(config: &PlantConfig) -> Index {
        let mut all = uses_of(config);
        all.sort_by_key(|(tag, ..)| *tag); // stable: units keep their order
        let tags = config.tag_ids().map(|id| facts(config, id, &all)).collect();
        let uses = all.iter().map(|(_, unit, what)| (*unit, *what)).collect();
        let connections = || (0..config.connections.len() as u32).map(ConnectionId);
        let on = |id: TagId, c: ConnectionId| config.tags.get(id.0 as usize).is_some_and(|t| t.connection == c);
        let by_connection = connections().map(|c| config.tag_ids().filter(|id| on(*id, c)).collect()).collect();
        let units_on = |c| {
            let mut units: Vec<UnitId> = all.iter().filter(|(tag, ..)| on(*tag, c)).map(|(_, unit, _)| *unit).collect();
            units.sort();
            units.dedup();
            units
        };
        Index { tags, uses, by_connection, units_by_connection: connections().map(units_on).collect() }
    }

    /// How long a value of the tag may stay without renewal.
    pub(crate) fn max_age(&self, tag: TagId) -> Option<Span> {
        let age = self.tags.get(tag.0 as usize)?.max_age;
        (age.0 != i64::MAX).then_some(age)
    }

    /// Where in the list of uses those of the tag lie; mostly nowhere.
    pub(crate) fn uses(&self, tag: TagId) -> Range<usize> {
        self.tags.get(tag.0 as usize).map_or(0..0, |t| t.first_use as usize..t.last_use as usize)
    }

    /// One use, by its place in the list.
    pub(crate) fn use_at(&self, place: usize) -> (UnitId, Use) {
        self.uses[place]
    }

    /// All tags of a connection.
    pub(crate) fn tags_on(&self, connection: ConnectionId) -> &[TagId] {
        self.by_connection.get(connection.0 as usize).map_or(&[], Vec::as_slice)
    }

    /// All units that take anything from a connection.
    pub(crate) fn units_on(&self, connection: ConnectionId) -> &[UnitId] {
        self.units_by_connection.get(connection.0 as usize).map_or(&[], Vec::as_slice)
    }
}

fn uses_of(config: &PlantConfig) -> Vec<(TagId, UnitId, Use)> {
    let units = (0u32..).map(UnitId).zip(&config.units);
    units
        .flat_map(|(id, unit)| {
            [
                unit.state.as_ref().map(|s| (s.tag, id, Use::State)),
                unit.mode.as_ref().map(|m| (m.tag, id, Use::Mode)),
                unit.speed.map(|tag| (tag, id, Use::Speed)),
                unit.good.map(|c| (c.tag, id, Use::Good)),
                unit.reject.map(|c| (c.tag, id, Use::Reject)),
            ]
        })
        .flatten()
        .collect()
}

fn facts(config: &PlantConfig, id: TagId, uses: &[(TagId, UnitId, Use)]) -> TagFacts {
    TagFacts {
        // An age of nothing would be over before it began, again and again.
        max_age: config.tag(id).max_age.filter(|age| *age > Span::ZERO).unwrap_or(Span(i64::MAX)),
        first_use: uses.partition_point(|(tag, ..)| *tag < id) as u32,
        last_use: uses.partition_point(|(tag, ..)| *tag <= id) as u32,
    }
}
