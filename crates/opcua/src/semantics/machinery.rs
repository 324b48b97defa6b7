//! Machines that say their state by the building blocks of OPC 40001-1 (Machinery).
//!
//! MachineryItemState has four states, MachineryOperationMode four modes, and no others at this level. They
//! say less than PackML: what they become here is a proposal a person must agree with.

use super::forest::Forest;
use super::recognised::{MACHINERY, Recognised};
use super::roles::{Machine, Meanings, Role};
use crate::browse::UA;
use lineside_model::{Mode, PackState};
use std::collections::BTreeMap;

/// OPC 40001-1, StateNumber of MachineryItemState. 0 NotAvailable says nothing about the machine: no state.
const STATES: [(i64, &str, PackState); 3] = [
    (1, "OutOfService", PackState::Aborted),
    (2, "NotExecuting", PackState::Idle),
    (3, "Executing", PackState::Execute),
];

/// OPC 40001-1, StateNumber of MachineryOperationMode. 0 None is no mode.
const MODES: [(i64, &str, Mode); 3] =
    [(1, "Maintenance", Mode::Maintenance), (2, "Setup", Mode::Changeover), (3, "Processing", Mode::Produce)];

const TEXT_ONLY: &str =
    "The server gives the state or mode as a text only; it is understood only where that is English.";

/// The machine whose building block `thing` is, where it says the state or the mode.
pub(crate) fn machine(forest: &Forest, thing: usize) -> Option<Machine> {
    let has = |wanted| block(forest, thing, wanted);
    let (state, mode) = (has(Recognised::MachineryItemState), has(Recognised::MachineryOperationMode));
    if state.is_none() && mode.is_none() {
        return None;
    }
    let mut machine = Machine::new(thing, true, "It has building blocks of OPC 40001-1 (Machinery).");
    if let Some((place, is_text)) = state.and_then(|block| current(forest, block)) {
        machine.state = Some(role(place, is_text, &STATES, "MachineryItemState of OPC 40001-1."));
        machine.notes.push(
            "Machinery has four states only: OutOfService is proposed as Aborted, NotExecuting as Idle, Executing as \
             Execute; NotAvailable is no state. Check that it fits this machine."
                .into(),
        );
        if is_text {
            machine.notes.push(TEXT_ONLY.into());
        }
    }
    if let Some((place, is_text)) = mode.and_then(|block| current(forest, block)) {
        machine.mode = Some(role(place, is_text, &MODES, "MachineryOperationMode of OPC 40001-1."));
        machine.notes.push("Setup is proposed as the mode Changeover, Processing as Produce.".into());
        if is_text {
            machine.notes.push(TEXT_ONLY.into());
        }
    }
    Some(machine)
}

/// The building block, directly below the machine or in its folder MachineryBuildingBlocks.
fn block(forest: &Forest, machine: usize, wanted: Recognised) -> Option<usize> {
    if forest.things[machine].name == "MachineryBuildingBlocks" {
        return None;
    }
    let folder = forest.child(machine, Some(MACHINERY), "MachineryBuildingBlocks");
    let direct = forest.things[machine].children.iter();
    let within = folder.into_iter().flat_map(|folder| &forest.things[folder].children);
    direct.chain(within).copied().find(|index| forest.recognised(*index) == Some(wanted))
}

/// Number of the current state, or else its text.
fn current(forest: &Forest, block: usize) -> Option<(usize, bool)> {
    let current = forest.child(block, Some(UA), "CurrentState")?;
    Some(forest.child(current, Some(UA), "Number").map_or((current, true), |number| (number, false)))
}

fn role<T: Copy>(thing: usize, is_text: bool, known: &[(i64, &str, T)], why: &str) -> Role<Meanings<T>> {
    let mut map = Meanings { numbers: BTreeMap::new(), names: BTreeMap::new() };
    if is_text {
        map.names = known.iter().map(|(_, name, meaning)| ((*name).to_string(), *meaning)).collect();
    } else {
        map.numbers = known.iter().map(|(number, _, meaning)| (*number, *meaning)).collect();
    }
    Role { thing, map, why: why.to_string() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn building_blocks_give_state_and_mode_by_number_or_else_by_text() {
        let check = |with_number: bool, in_folder: bool| {
            let mut forest = Forest::default();
            let of = forest.plant(None, ("urn:plc", "Saw"), (UA, "BaseObjectType"));
            let above = match in_folder {
                true => forest.plant(Some(of), (MACHINERY, "MachineryBuildingBlocks"), (UA, "FolderType")),
                false => of,
            };
            let block = forest.plant(
                Some(above),
                (MACHINERY, "MachineryItemState"),
                (MACHINERY, "MachineryItemState_StateMachineType"),
            );
            let current = forest.variable(block, (UA, "CurrentState"), &["LocalizedText"]);
            let expected = match with_number {
                true => forest.variable(current, (UA, "Number"), &["UInt32"]),
                false => current,
            };
            let found: Vec<Machine> = (0..forest.things.len()).filter_map(|index| machine(&forest, index)).collect();
            let [saw] = found.as_slice() else { panic!("one machine, not its folder: {found:#?}") };
            let state = saw.state.as_ref().expect("a state");
            assert_eq!((saw.thing, state.thing), (of, expected));
            assert_eq!(state.map.numbers.contains_key(&3), with_number);
            assert_eq!(state.map.names.contains_key("Executing"), !with_number);
            assert_eq!(state.map.numbers.get(&0), None, "NotAvailable is no state");
        };
        check(true, true);
        check(true, false);
        check(false, true);
    }
}
