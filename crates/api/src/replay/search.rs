//! "The next of these" as records.

use super::{mark, nanos, timestamp};
use crate::commands::bad_request;
use crate::sections;
use crate::wire::*;
use lineside_engine::NoticeKind as Kind;
use lineside_model::{PlantConfig, Span, TagId, Timestamp, UnitId};
use lineside_recording::Direction;
use lineside_runtime::replay::{self, Op, Wanted};

/// What a screen looks for, from where, and which way.
///
/// # Errors
/// A tag or unit that the configuration does not have, a number that is none, or a field that is missing.
pub fn wanted(request: &FindRequest, config: &PlantConfig) -> Result<(Wanted, Timestamp, Direction), ApiError> {
    let wanted = match request.what {
        FindWhat::Notice => Wanted::Notice(request.kinds.iter().map(kind).collect()),
        FindWhat::Gap => Wanted::Gap,
        FindWhat::Mark => Wanted::Mark,
        FindWhat::Stop => Wanted::Stop(unit(request.unit, config)?),
        FindWhat::Change => Wanted::Change(tag(request.tag, config)?),
        FindWhat::Condition => Wanted::Condition(condition(request.condition.as_ref(), config)?),
    };
    let direction = if request.forward { Direction::After } else { Direction::Before };
    Ok((wanted, timestamp(request.from_ms)?, direction))
}

/// What was found.
pub fn found(found: Option<&replay::Found>) -> Found {
    Found {
        at_ms: found.map(|found| found.at.as_millis_f64()),
        notice: found.and_then(|found| found.notice.as_ref()).map(sections::notice),
        mark: found.and_then(|found| found.mark.as_ref()).map(mark),
    }
}

fn condition(request: Option<&Condition>, config: &PlantConfig) -> Result<replay::Condition, ApiError> {
    let request = request.ok_or_else(|| bad_request("`condition` is missing".to_owned()))?;
    if !request.value.is_finite() {
        return Err(bad_request("`value` is not a number".to_owned()));
    }
    Ok(replay::Condition {
        tag: tag(Some(request.tag), config)?,
        op: match request.op {
            ConditionOp::Below => Op::Below,
            ConditionOp::Above => Op::Above,
            ConditionOp::Equal => Op::Equal,
            ConditionOp::NotEqual => Op::NotEqual,
        },
        value: request.value,
        for_at_least: Span(nanos(Some(request.for_ms), "forMs")?.max(0)),
    })
}

/// The tag of this number.
///
/// # Errors
/// The configuration has no such tag.
pub fn tag(id: Option<u32>, config: &PlantConfig) -> Result<TagId, ApiError> {
    let id = id.filter(|id| (*id as usize) < config.tags.len());
    id.map(TagId).ok_or_else(|| bad_request("there is no such tag".to_owned()))
}

/// The unit of this number; none: the one whose state is the state of the line.
fn unit(id: Option<u32>, config: &PlantConfig) -> Result<UnitId, ApiError> {
    let id = id.map(UnitId).or(config.line.constraint).filter(|UnitId(id)| (*id as usize) < config.units.len());
    id.ok_or_else(|| bad_request("there is no such unit".to_owned()))
}

/// Every kind on the wire is one of the engine.
fn kind(wanted: &NoticeKind) -> Kind {
    let known = Kind::ALL.into_iter().find(|kind| sections::notice_kind(*kind) == *wanted);
    known.unwrap_or(Kind::Started)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_kind_of_notice_comes_back() {
        for engine in Kind::ALL {
            assert_eq!(kind(&sections::notice_kind(engine)), engine);
        }
    }
}
