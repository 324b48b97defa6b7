//! Two moments of a recording as records.

use crate::sections;
use crate::wire::*;
use lineside_model::{StatusCode, Timestamp};
use lineside_runtime::replay;

/// Notices between two moments; how many of the oldest were left out is not told, the time bar has them all.
const NOTICES_MAX: usize = 1_000;

/// What differs between two moments.
pub fn comparison(compared: &replay::Comparison) -> Comparison {
    let notices = &compared.notices;
    Comparison {
        a_ms: compared.a.as_millis_f64(),
        b_ms: compared.b.as_millis_f64(),
        units: compared.units.iter().map(unit).collect(),
        tags: compared.tags.iter().map(tag).collect(),
        more_tags: compared.more_tags as u32,
        same_tags: compared.same_tags as u32,
        links: compared.links.iter().map(link).collect(),
        notices: notices[notices.len().saturating_sub(NOTICES_MAX)..].iter().map(sections::notice).collect(),
    }
}

fn unit(unit: &replay::UnitDifference) -> UnitDifference {
    let count = |count: Option<u64>| count.map(|count| count as f64);
    UnitDifference {
        unit: unit.unit.0,
        a_state: unit.a.state.name().to_owned(),
        b_state: unit.b.state.name().to_owned(),
        a_rate: unit.a.rate_per_min,
        b_rate: unit.b.rate_per_min,
        a_good: count(unit.a.good),
        b_good: count(unit.b.good),
        a_reject: count(unit.a.reject),
        b_reject: count(unit.b.reject),
        first_changed_ms: millis(unit.first_changed),
    }
}

fn tag(tag: &replay::TagDifference) -> TagDifference {
    TagDifference {
        tag: tag.tag.0,
        a: value(&tag.a),
        b: value(&tag.b),
        first_changed_ms: millis(tag.first_changed),
        samples: tag.samples as f64,
    }
}

fn value(at: &replay::ValueAt) -> ValueAt {
    let StatusCode(status) = at.status;
    ValueAt {
        value: at.scaled.filter(|value| value.is_finite()), // JSON has no NaN
        text: crate::frame::shown_text(&at.value),
        status,
        trust: sections::trust_view(at.trust),
        source_ms: millis(at.source_time),
    }
}

fn link(link: &replay::LinkDifference) -> LinkDifference {
    LinkDifference {
        connection: link.connection.0,
        a_up: link.a_up,
        b_up: link.b_up,
        first_changed_ms: millis(link.first_changed),
    }
}

fn millis(at: Option<Timestamp>) -> Option<f64> {
    at.map(Timestamp::as_millis_f64)
}
