//! Can a figure be believed now, and if not, why? Three facts (link, subscription, age) and the quality
//! received, folded into the one word that a widget shows (reference: domain 6.5).

use lineside_model::state::TagState;
use lineside_model::{LinkState, PlantConfig, PlantState, Severity, StatusCode, SubscriptionState, TagId};

/// The strongest reason against a value, or none.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[repr(u8)]
pub enum Trust {
    /// Good, and the link proves that it is current.
    Live = 0,
    /// The server itself marks it uncertain.
    Uncertain = 1,
    /// Older than the configuration expects.
    Late = 2,
    /// Last known; the subscription is silent, or has not brought a value yet.
    Silent = 3,
    /// Last known; the link is down.
    LinkDown = 4,
    /// The server says bad.
    Bad = 5,
    /// The server refused the node.
    Refused = 6,
    /// No value has arrived yet.
    Waiting = 7,
    /// There is no such tag.
    Absent = 8,
}

/// What can be said of a tag's value now. What makes a value old outranks what its quality says: a bad
/// quality from before an outage is old as well.
pub fn trust(config: &PlantConfig, state: &PlantState, tag: TagId) -> Trust {
    let Some(now) = state.tags.get(tag.0 as usize) else { return Trust::Absent };
    if now.item.is_bad() {
        return Trust::Refused;
    }
    if now.received.is_none() {
        return Trust::Waiting;
    }
    if !link_up(config, state, tag) {
        return Trust::LinkDown;
    }
    if current(config, state, tag).is_none() {
        return Trust::Silent;
    }
    match now.status.severity() {
        Severity::Bad if now.status.code() == StatusCode::BAD_WAITING_FOR_INITIAL_DATA.code() => Trust::Waiting,
        Severity::Bad => Trust::Bad,
        _ if now.late => Trust::Late,
        Severity::Uncertain => Trust::Uncertain,
        Severity::Good => Trust::Live,
    }
}

/// The value in engineering units, `raw * gain + offset`; `None` where it is not a number. Says nothing
/// of its quality. A NaN from the server stays one.
pub fn scaled(config: &PlantConfig, state: &PlantState, tag: TagId) -> Option<f64> {
    let raw = state.tags.get(tag.0 as usize)?.value.as_f64()?;
    let scale = config.tags.get(tag.0 as usize)?.scale;
    Some(scale.map_or(raw, |scale| raw * scale.gain + scale.offset))
}

/// The tag, if its value is what the server holds now, good or bad.
pub(crate) fn current<'a>(config: &PlantConfig, state: &'a PlantState, id: TagId) -> Option<&'a TagState> {
    let tag = state.tags.get(id.0 as usize)?;
    let connection = config.tags.get(id.0 as usize)?.connection;
    let link = state.links.get(connection.0 as usize)?;
    let flows = link.state == LinkState::Up && link.subscription == SubscriptionState::Live;
    (flows && tag.confirmed && !tag.item.is_bad()).then_some(tag)
}

fn link_up(config: &PlantConfig, state: &PlantState, id: TagId) -> bool {
    let link = config.tags.get(id.0 as usize).and_then(|tag| state.links.get(tag.connection.0 as usize));
    link.is_some_and(|link| link.state == LinkState::Up)
}
