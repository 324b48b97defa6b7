//! Machines that can be guessed from the names of their variables.
//!
//! Many controllers have PackML tags by name without its types. A guess is always marked as one. It needs a
//! state whose texts are PackML names, or two other things that a machine has.

use super::forest::{Forest, Thing};
use super::roles::{Machine, Meanings, Role, is_counter, is_number, modes_by_text, state_names, states_by_text};
use std::collections::BTreeMap;

const STATE: &[&str] = &["state", "statecurrent", "currentstate", "machinestate", "packmlstate", "unitstate"];
const MODE: &[&str] = &["mode", "unitmode", "unitmodecurrent", "currentmode", "modecurrent", "operationmode"];
const SPEED: &[&str] = &["speed", "curmachspeed", "actualspeed", "currentspeed", "machinespeed"];
const GOOD: &[&str] = &["good", "goodcount", "goodcounter", "goodparts", "goodproducts", "countgood", "partsgood"];
const REJECT: &[&str] = &[
    "reject",
    "rejects",
    "rejected",
    "rejectcount",
    "rejectcounter",
    "bad",
    "badcount",
    "badparts",
    "scrap",
    "scrapcount",
    "proddefectivecount",
];
const IDEAL: &[&str] = &["machdesignspeed", "designspeed", "idealrate", "nominalspeed"];
/// Objects that only group the tags of a machine.
const GROUPS: &[&str] = &["status", "admin", "command"];

/// The machine, where the names below `thing` look like one.
pub(crate) fn machine(forest: &Forest, thing: usize) -> Option<Machine> {
    if forest.things[thing].is_variable || GROUPS.contains(&plain(&forest.things[thing].name).as_str()) {
        return None;
    }
    let mut machine = Machine::new(thing, false, "");
    let find = |names: &[&str], fits: &dyn Fn(&Thing) -> bool| find(forest, thing, names, fits);
    let said = |index: usize| format!("Guessed from its name, {}.", forest.things[index].name);
    let state = find(STATE, &|of| is_whole(of) || of.meta.is("String") || of.meta.is("LocalizedText"));
    let mode = find(MODE, &is_whole);
    let speed = find(SPEED, &|of| is_number(&of.meta));
    let good = find(GOOD, &|of| is_counter(&of.meta));
    let reject = find(REJECT, &|of| is_counter(&of.meta));
    let by_text = state.and_then(|index| states_by_text(&forest.things[index].meta));
    let others = [mode, speed, good, reject].iter().flatten().count();
    if by_text.is_none() && others + usize::from(state.is_some()) < 3 {
        return None;
    }
    machine.why = match &by_text {
        Some(states) => format!("Guessed: {} texts of its state are names of PackML states.", states.len()),
        None => "Guessed from the names of its variables.".to_string(),
    };
    if let Some(index) = state {
        machine.state = Some(state_role(forest, index, by_text, &mut machine.notes));
    }
    machine.mode = mode.map(|index| {
        let numbers = modes_by_text(&forest.things[index].meta);
        if numbers.is_empty() {
            machine.notes.push(format!("What the numbers of {} mean is not said.", forest.things[index].name));
        }
        Role { thing: index, map: Meanings { numbers, names: BTreeMap::new() }, why: said(index) }
    });
    if let Some(index) = speed {
        machine.take_speed(forest, index, &said(index));
    }
    machine.good = good.map(|index| Role { thing: index, map: (), why: said(index) });
    machine.reject = reject.map(|index| Role { thing: index, map: (), why: said(index) });
    if let Some(index) = find(IDEAL, &|of| is_number(&of.meta)) {
        machine.take_ideal(forest, index);
    }
    Some(machine)
}

fn state_role(
    forest: &Forest,
    index: usize,
    by_text: Option<BTreeMap<i64, lineside_model::PackState>>,
    notes: &mut Vec<String>,
) -> Role<Meanings<lineside_model::PackState>> {
    let thing = &forest.things[index];
    let why = match &by_text {
        Some(_) => "Its texts are names of PackML states.".to_string(),
        None => format!("Guessed from its name, {}.", thing.name),
    };
    let is_text = !is_whole(thing);
    let numbers = by_text.unwrap_or_default();
    if numbers.is_empty() && !is_text {
        notes.push(format!(
            "What the numbers of {} mean is not said. Where the machine follows OPC 30050, choose the PackML map.",
            thing.name
        ));
    }
    let names = if is_text { state_names() } else { BTreeMap::new() };
    Role { thing: index, map: Meanings { numbers, names }, why }
}

/// A variable with one of these names, in this order, directly below or in a group.
fn find(forest: &Forest, machine: usize, names: &[&str], fits: &dyn Fn(&Thing) -> bool) -> Option<usize> {
    let direct = forest.things[machine].children.iter().copied();
    let groups = direct.clone().filter(|index| {
        !forest.things[*index].is_variable && GROUPS.contains(&plain(&forest.things[*index].name).as_str())
    });
    let places: Vec<usize> =
        direct.clone().chain(groups.flat_map(|group| forest.things[group].children.iter().copied())).collect();
    names.iter().find_map(|name| {
        places.iter().copied().find(|index| {
            let thing = &forest.things[*index];
            thing.is_variable && !thing.property && plain(&thing.name) == *name && fits(thing)
        })
    })
}

/// Lower case, letters and digits only.
fn plain(name: &str) -> String {
    name.chars().filter(|c| c.is_alphanumeric()).flat_map(char::to_lowercase).collect()
}

fn is_whole(thing: &Thing) -> bool {
    let meta = &thing.meta;
    meta.value_rank == -1 && (meta.is("Integer") || meta.is("UInteger") || meta.is("Enumeration"))
}
