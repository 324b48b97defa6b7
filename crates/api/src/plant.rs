//! The plant as configured, for screens, with what servers add to it.

use crate::wire::*;
use lineside_model::config::Tag;
use lineside_model::report::NodeMeta;
use lineside_model::state::TagState;
use lineside_model::{PlantConfig, TagId};

/// The plant without its tags.
pub(crate) fn info(config: &PlantConfig, config_path: &str) -> PlantInfo {
    let connections = config.connections.iter().enumerate().map(|(id, connection)| ConnectionInfo {
        id: id as u32,
        name: connection.name.clone(),
        endpoint: connection.endpoint.clone(),
    });
    let units = config.units.iter().enumerate().map(|(id, unit)| UnitInfo {
        id: id as u32,
        name: unit.name.clone(),
        ideal_rate: unit.ideal_rate_per_min,
        band: unit.rate_band.map(<[f64; 2]>::from),
        has_state: unit.state.is_some(),
        has_speed: unit.speed.is_some() || unit.good.is_some(),
        has_good: unit.good.is_some(),
        has_reject: unit.reject.is_some(),
        state_tag: unit.state.as_ref().map(|state| state.tag.0),
        speed_tag: unit.speed.map(|tag| tag.0),
        good_tag: unit.good.as_ref().map(|good| good.tag.0),
        reject_tag: unit.reject.as_ref().map(|reject| reject.tag.0),
    });
    PlantInfo {
        site: config.site.clone(),
        area: config.area.clone(),
        line: config.line.name.clone(),
        time_zone: config.time_zone.clone(),
        product: config.line.product.clone(),
        target_rate: config.line.target_rate_per_min,
        minor_stop_ms: config.line.minor_stop.as_millis_f64(),
        constraint: config.line.constraint.map(|unit| unit.0),
        connections: connections.collect(),
        units: units.collect(),
        tag_count: config.tags.len() as u32,
        config_path: config_path.to_owned(),
    }
}

/// One tag. What the configuration leaves out is as the server says, once it was asked.
pub(crate) fn tag_info(config: &PlantConfig, state: &TagState, id: TagId) -> TagInfo {
    let tag = config.tag(id);
    let meta = state.meta.as_deref();
    let text = |value: i64, text: &str| TagText { value: value as f64, text: text.to_owned() };
    let configured = tag.texts.iter().map(|(value, shown)| text(*value, shown)).collect();
    let told = || meta.iter().flat_map(|meta| &meta.texts).map(|(value, shown)| text(*value, shown)).collect();
    let raw = unscaled(tag, meta);
    TagInfo {
        id: id.0,
        name: tag.name.clone(),
        description: tag.description.clone(),
        connection: tag.connection.0,
        node: tag.node.clone(),
        unit: if tag.unit.is_empty() {
            raw.map(|meta| meta.unit.to_string()).unwrap_or_default()
        } else {
            tag.unit.clone()
        },
        range: tag.range.or(raw.and_then(|meta| meta.range)).map(<[f64; 2]>::from),
        max_age_ms: tag.max_age.map(|age| age.as_millis_f64()),
        texts: if tag.texts.is_empty() { told() } else { configured },
    }
}

/// What the server says, where it is said of the figure that is shown: its unit and range are those of the raw
/// value, and a scaled one has others.
fn unscaled<'m>(tag: &Tag, meta: Option<&'m NodeMeta>) -> Option<&'m NodeMeta> {
    meta.filter(|_| tag.scale.is_none())
}
