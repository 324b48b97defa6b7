//! From what a person confirmed on the screen to additions for `plant.toml`.

use lineside_api::wire::*;
use lineside_config::edit::{self, Additions, NewConnection, NewCounter, NewMap, NewPlant, NewTag, NewUnit};
use lineside_model::config::{Connection, Scale, User};
use std::path::Path;

/// Beyond this an f64 from a screen is no exact whole number.
const EXACT: f64 = 9_007_199_254_740_992.0;

/// The connection as it would stand in a file; what is wrong with it is said as for a file.
pub(crate) fn connection(draft: &ConnectionDraft) -> Result<Connection, lineside_config::Errors> {
    let additions = Additions { connection: Some(new_connection(draft)), ..Additions::default() };
    let edited = edit::add(&edit::fresh(&NewPlant::default()), Path::new("Setup"), &additions)?;
    // `add` promises that what was to be added is there.
    Ok(edited.config.connections.into_iter().next().expect("the connection that was added"))
}

/// Everything to be added; tags are read from the connection of this name.
///
/// # Errors
/// A map of which nothing has a meaning.
pub(crate) fn of(request: &ApplyRequest, connection: &str) -> Result<Additions, Problem> {
    let units = request.units.iter().filter(|unit| !unit.known).map(new_unit);
    Ok(Additions {
        plant: request.plant.as_ref().map(new_plant).unwrap_or_default(),
        connection: request.draft.as_ref().filter(|_| request.connection.is_none()).map(new_connection),
        units: units.collect::<Result<_, _>>()?,
        tags: request.tags.iter().filter(|tag| !tag.known).map(|tag| new_tag(tag, connection)).collect(),
    })
}

fn new_plant(draft: &PlantDraft) -> NewPlant {
    NewPlant {
        site: draft.site.clone(),
        area: draft.area.clone(),
        line: draft.line.clone(),
        product: draft.product.clone(),
        time_zone: draft.time_zone.clone(),
    }
}

fn new_connection(draft: &ConnectionDraft) -> NewConnection {
    let security = if draft.security.eq_ignore_ascii_case("none") { "none" } else { &draft.security };
    NewConnection {
        name: draft.name.clone(),
        endpoint: draft.endpoint.clone(),
        security: security.to_owned(),
        user: match draft.user.kind {
            UserKind::Anonymous | UserKind::Issued => User::Anonymous,
            UserKind::Name => User::Name { name: draft.user.name.clone(), password_env: None },
            UserKind::Certificate => {
                User::Certificate { certificate: draft.user.certificate.clone(), key: draft.user.key.clone() }
            }
        },
    }
}

fn new_unit(from: &UnitProposal) -> Result<NewUnit, Problem> {
    let map = |map: &Option<MapProposal>| map.as_ref().map(|map| new_map(&from.name, map)).transpose();
    Ok(NewUnit {
        name: from.name.clone(),
        state: map(&from.state)?,
        mode: map(&from.mode)?,
        speed: from.speed.clone(),
        ideal_rate: from.ideal_rate,
        good: from.good.as_ref().map(new_counter),
        reject: from.reject.as_ref().map(new_counter),
    })
}

fn new_map(unit: &str, from: &MapProposal) -> Result<NewMap, Problem> {
    let meant = from.entries.iter().filter(|entry| !entry.meaning.is_empty());
    let entries: Vec<_> = meant.map(|entry| (entry.value.clone(), entry.meaning.clone())).collect();
    if entries.is_empty() && !from.entries.is_empty() {
        return Err(Problem {
            place: unit.to_owned(),
            problem: format!("Nobody said what the values of {} mean.", from.tag),
            remedy: "Choose a meaning for at least one value, or leave the map out.".to_owned(),
        });
    }
    Ok(NewMap { tag: from.tag.clone(), entries })
}

fn new_counter(from: &CounterProposal) -> NewCounter {
    let whole = |rollover: &f64| rollover.fract() == 0.0 && (0.0..=EXACT).contains(rollover);
    NewCounter { tag: from.tag.clone(), rollover: from.rollover.filter(whole).map(|rollover| rollover as u64) }
}

fn new_tag(from: &TagProposal, connection: &str) -> NewTag {
    let whole = |text: &&TagText| text.value.fract() == 0.0 && text.value.abs() <= EXACT;
    NewTag {
        name: from.name.clone(),
        description: from.description.clone(),
        connection: connection.to_owned(),
        node: from.node.clone(),
        unit: from.unit.clone(),
        range: from.range.map(|[low, high]| (low, high)),
        scale: from.scale.as_ref().map(|scale| Scale { gain: scale.gain, offset: scale.offset }),
        texts: from.texts.iter().filter(whole).map(|text| (text.value as i64, text.text.clone())).collect(),
    }
}
