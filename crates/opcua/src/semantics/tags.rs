//! One tag for one variable: what it is, and why it is taken for that.

use super::forest::Thing;
use super::proposal::{Basis, ProposedTag};
use super::recognised::Recognised;
use super::roles::per_minute;
use lineside_model::config::Scale;

/// A tag for a variable. `as_speed`: it is the speed of a machine and wanted in products per minute.
pub(crate) fn tag(thing: &Thing, name: String, as_speed: bool) -> ProposedTag {
    let meta = &thing.meta;
    let recognised = Recognised::of(&thing.chain);
    // C62 is "one": the unit of what has none.
    let unit = meta.unit.as_ref().filter(|unit| unit.code.as_deref() != Some("C62"));
    let mut tag = ProposedTag {
        name,
        node: thing.node.clone(),
        description: meta.description.clone(),
        unit: unit.map(|unit| unit.symbol.clone()).unwrap_or_default(),
        range: meta.range,
        scale: None,
        texts: meta.texts.clone(),
        data_type: data_type(thing),
        recognised,
        basis: Basis::Declared,
        why: why(thing, recognised),
    };
    if let Some(gain) = per_minute(meta).filter(|gain| as_speed && *gain != 1.0) {
        tag.scale = Some(Scale { gain, offset: 0.0 });
        tag.unit = "1/min".to_string();
        tag.range = meta.range.map(|(low, high)| (low * gain, high * gain));
        tag.why.push_str(" Scaled to products per minute by its unit.");
    }
    tag
}

fn data_type(thing: &Thing) -> String {
    let name = &thing.meta.data_type;
    if thing.meta.value_rank > 0 { format!("{name}[]") } else { name.clone() }
}

fn why(thing: &Thing, recognised: Option<Recognised>) -> String {
    let meta = &thing.meta;
    match recognised {
        Some(known) => {
            let said = [
                meta.unit.as_ref().map(|_| "unit"),
                meta.range.map(|_| "range"),
                (!meta.texts.is_empty()).then_some("texts"),
            ];
            let said: Vec<&str> = said.into_iter().flatten().collect();
            let with = if said.is_empty() { String::new() } else { format!(", with its {}", said.join(" and ")) };
            let article = if known == Recognised::Analog { "An" } else { "A" };
            format!("{article} {}{with}, by its type {} ({}).", known.words(), thing.chain.name(), known.source())
        }
        None if meta.is("Enumeration") => {
            let texts = if meta.texts.is_empty() { "whose texts the server does not say" } else { "with its texts" };
            format!("An enumeration, {texts}, by its data type {}.", meta.data_type)
        }
        None if meta.is("Structure") => {
            format!("A structure ({}): it is shown and recorded, and not computed with.", meta.data_type)
        }
        None if meta.value_rank > 0 => "A list: it is shown and recorded, and not computed with.".to_string(),
        None if meta.data_type.is_empty() => "A variable whose data type the server does not tell.".to_string(),
        None => format!("A variable of the data type {}; the server says no more.", meta.data_type),
    }
}
