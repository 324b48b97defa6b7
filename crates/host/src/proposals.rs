//! What is proposed for `plant.toml`, for screens.

use crate::nodes;
use lineside_api::wire::*;
use lineside_model::{Mode, PackState};
use lineside_opcua::semantics::{self, Basis, ProposedCounter, ProposedTag, ProposedUnit};
use std::collections::BTreeMap;

/// Left-out nodes that are told one by one.
const SKIPPED_MAX: usize = 200;

/// A proposal with everything a person should know of it before agreeing.
pub(crate) fn view(from: &semantics::Proposal) -> Proposal {
    let mut notes: Vec<String> = from.notes.iter().map(|note| format!("{}: {}", note.path, note.text)).collect();
    for unit in &from.units {
        notes.extend(unit.notes.iter().map(|note| format!("{}: {note}", unit.name)));
        notes.extend(unsaid(unit, &from.tags));
    }
    notes.extend(from.skipped.iter().take(SKIPPED_MAX).map(|skipped| format!("{}: {}", skipped.path, skipped.why)));
    if from.skipped.len() > SKIPPED_MAX {
        notes.push(format!("{} more nodes were left out.", from.skipped.len() - SKIPPED_MAX));
    }
    if !from.complete {
        notes.push("Not everything below what you picked was looked at: pick smaller branches.".to_owned());
    }
    Proposal {
        units: from.units.iter().map(|found| unit(found, &from.tags)).collect(),
        tags: from.tags.iter().map(tag).collect(),
        notes,
    }
}

fn tag(from: &ProposedTag) -> TagProposal {
    TagProposal {
        name: from.name.clone(),
        node: from.node.clone(),
        description: from.description.clone(),
        unit: from.unit.clone(),
        range: from.range.map(<[f64; 2]>::from),
        scale: from.scale.map(|scale| TagScale { gain: scale.gain, offset: scale.offset }),
        texts: from.texts.iter().map(|(value, text)| TagText { value: *value as f64, text: text.clone() }).collect(),
        data_type: from.data_type.clone(),
        recognised: from.recognised.and_then(nodes::recognised),
        why: from.why.clone(),
        guess: from.basis == Basis::Guess,
        known: false,
    }
}

fn unit(from: &ProposedUnit, tags: &[ProposedTag]) -> UnitProposal {
    let standard_states = (0..PackState::ALL.len() as i64).filter_map(|n| Some((n, PackState::from_number(n)?)));
    let standard_modes = BTreeMap::from([(1, Mode::Produce), (2, Mode::Maintenance), (3, Mode::Manual)]);
    UnitProposal {
        name: from.name.clone(),
        model: model(from),
        state: from.state.as_ref().and_then(|map| {
            let standard = map.numbers == standard_states.clone().collect();
            meanings(&map.tag, (standard, entries(&map.numbers, &map.names, |state| state.name())), tags)
        }),
        mode: from.mode.as_ref().and_then(|map| {
            let standard = map.numbers == standard_modes;
            meanings(&map.tag, (standard, entries(&map.numbers, &map.names, |mode| mode.name())), tags)
        }),
        speed: from.speed.as_ref().map(|speed| speed.tag.clone()),
        ideal_rate: from.ideal_rate_per_min,
        good: from.good.as_ref().map(counter),
        reject: from.reject.as_ref().map(counter),
        why: from.why.clone(),
        guess: from.basis == Basis::Guess,
        known: false,
    }
}

/// The model that the machine declares; its reason names the specification.
fn model(from: &ProposedUnit) -> String {
    let models = [("30050", "PackML (OPC 30050)"), ("40001-1", "Machinery (OPC 40001-1)")];
    let named = models.iter().find(|(number, _)| from.basis == Basis::Declared && from.why.contains(number));
    named.map(|(_, model)| (*model).to_owned()).unwrap_or_default()
}

fn entries<T: Copy>(
    numbers: &BTreeMap<i64, T>,
    names: &BTreeMap<String, T>,
    word: impl Fn(T) -> &'static str,
) -> Vec<MapEntry> {
    let numbers = numbers.iter().map(|(value, meaning)| (value.to_string(), *meaning));
    let names = names.iter().map(|(value, meaning)| (value.clone(), *meaning));
    numbers.chain(names).map(|(value, meaning)| MapEntry { value, meaning: word(meaning).to_owned() }).collect()
}

/// The map of a tag. Where nobody says what its values mean, the texts of the tag wait for a person; without texts there
/// is nothing to wait with.
fn meanings(tag: &str, (standard, entries): (bool, Vec<MapEntry>), tags: &[ProposedTag]) -> Option<MapProposal> {
    if standard || !entries.is_empty() {
        let entries = if standard { Vec::new() } else { entries };
        return Some(MapProposal { tag: tag.to_owned(), entries });
    }
    let texts = &tags.iter().find(|found| found.name == tag)?.texts;
    let open = texts.keys().map(|value| MapEntry { value: value.to_string(), meaning: String::new() });
    let entries: Vec<MapEntry> = open.collect();
    (!entries.is_empty()).then(|| MapProposal { tag: tag.to_owned(), entries })
}

/// A state without meaning and without texts cannot be proposed, but it should not go unseen.
fn unsaid(unit: &ProposedUnit, tags: &[ProposedTag]) -> Option<String> {
    let state = unit.state.as_ref().filter(|state| state.numbers.is_empty() && state.names.is_empty())?;
    meanings(&state.tag, (false, Vec::new()), tags).is_none().then(|| {
        format!(
            "{}: {} is its state, but the server does not say what its values mean. Add `state` in plant.toml.",
            unit.name, state.tag
        )
    })
}

fn counter(from: &ProposedCounter) -> CounterProposal {
    CounterProposal { tag: from.tag.clone(), rollover: from.rollover.map(|rollover| rollover as f64) }
}
