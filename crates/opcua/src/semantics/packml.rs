//! PackML machines of OPC 30050.
//!
//! A machine is an object of PackMLBaseObjectType or a subtype. Its Status object has UnitModeCurrent and
//! CurMachSpeed, its Admin object the counts; the state is in three nested state machines of which the
//! innermost active one counts. Lineside reads the state from one tag, so a number for all of it is preferred.

use super::forest::Forest;
use super::recognised::PACKML;
use super::roles::{Machine, Meanings, Role, is_counter, modes_by_text, state_names, state_numbers};
use crate::browse::UA;
use lineside_model::Mode;
use std::collections::BTreeMap;

const NESTED: &str = "PackML nests three state machines, and this server has no single number for the whole: this tag \
                      does not show every state. If the controller has StateCurrent, pick it instead.";

/// The machine, where `thing` is one.
pub(crate) fn machine(forest: &Forest, thing: usize) -> Option<Machine> {
    if !forest.things[thing].chain.is(PACKML, "PackMLBaseObjectType") {
        return None;
    }
    let mut machine = Machine::new(thing, true, "Its type is PackMLBaseObjectType of OPC 30050.");
    state(forest, &mut machine);
    if let Some(status) = forest.of_type(thing, PACKML, "PackMLStatusObjectType") {
        mode(forest, &mut machine, status);
        if let Some(speed) = forest.child(status, Some(PACKML), "CurMachSpeed") {
            machine.take_speed(forest, speed, "CurMachSpeed of OPC 30050: the actual speed.");
        }
    }
    if let Some(admin) = forest.of_type(thing, PACKML, "PackMLAdminObjectType") {
        if let Some(design) = forest.child(admin, Some(PACKML), "MachDesignSpeed") {
            machine.take_ideal(forest, design);
        }
        counts(forest, &mut machine, admin);
    }
    Some(machine)
}

/// StateCurrent where there is one; else the text of the effective state; else the innermost state machine.
fn state(forest: &Forest, machine: &mut Machine) {
    let all = forest.below(machine.thing);
    let role = |thing, numbers, why: &str| {
        let names = state_names();
        Some(Role { thing, map: Meanings { numbers, names }, why: why.to_string() })
    };
    let single = all.iter().copied().find(|index| forest.things[*index].name == "StateCurrent");
    if let Some(single) = single.filter(|index| forest.things[*index].is_variable) {
        machine.state = role(single, state_numbers(), "StateCurrent: the state by its OPC 30050 number.");
        return;
    }
    let machine_type = |name| forest.of_type(machine.thing, PACKML, name);
    let outer = machine_type("PackMLBaseStateMachineType");
    let effective = outer
        .and_then(|outer| forest.child(outer, Some(UA), "CurrentState"))
        .and_then(|current| forest.child(current, Some(UA), "EffectiveDisplayName"));
    if let Some(effective) = effective {
        machine.state = role(effective, BTreeMap::new(), "EffectiveDisplayName: the innermost state as a text.");
        machine.notes.push("The state is a text; it is understood only where the server says it in English.".into());
        return;
    }
    let inner = [machine_type("PackMLExecuteStateMachineType"), machine_type("PackMLMachineStateMachineType"), outer];
    let current = inner.into_iter().flatten().find_map(|of| forest.child(of, Some(UA), "CurrentState"));
    let Some(current) = current else { return };
    machine.state = match forest.child(current, Some(UA), "Number") {
        Some(number) => role(number, state_numbers(), "Number of the innermost state machine of OPC 30050."),
        None => role(current, BTreeMap::new(), "CurrentState of the innermost state machine of OPC 30050."),
    };
    machine.notes.push(NESTED.into());
}

/// UnitModeCurrent; its numbers are those of the enumeration that UnitSupportedModes names, 1 to 3 by default.
fn mode(forest: &Forest, machine: &mut Machine, status: usize) {
    let Some(current) = forest.child(status, Some(PACKML), "UnitModeCurrent") else { return };
    let supported = forest.child(status, Some(PACKML), "UnitSupportedModes");
    let by_text = [Some(current), supported]
        .into_iter()
        .flatten()
        .map(|thing| modes_by_text(&forest.things[thing].meta))
        .find(|modes| !modes.is_empty());
    let standard = BTreeMap::from([(1, Mode::Produce), (2, Mode::Maintenance), (3, Mode::Manual)]);
    let map = Meanings { numbers: by_text.unwrap_or(standard), names: BTreeMap::new() };
    machine.mode = Some(Role { thing: current, map, why: "UnitModeCurrent of OPC 30050.".into() });
}

/// ProdProcessedCount counts good and defective together; ProdDefectiveCount the defective.
fn counts(forest: &Forest, machine: &mut Machine, admin: usize) {
    let count = |name: &str| forest.child(admin, Some(PACKML), name);
    let number = |of: usize| {
        let below = forest.below(of);
        let named = |name: &str| below.iter().copied().find(|index| forest.things[*index].name == name);
        // AccCount is not reset by the operator (OPC 30050, PackMLCountDataType).
        let candidates = [Some(of), named("AccCount"), named("Count")];
        candidates.into_iter().flatten().find(|index| is_counter(&forest.things[*index].meta))
    };
    let (processed, defective) = (count("ProdProcessedCount"), count("ProdDefectiveCount"));
    if let Some(reject) = defective.and_then(number) {
        machine.reject = Some(Role { thing: reject, map: (), why: "ProdDefectiveCount of OPC 30050.".into() });
    }
    if let Some(processed) = processed.and_then(number) {
        machine.notes.push(format!(
            "{} counts good and defective products together, so it is not proposed as the good count. Take it only \
             where the machine has no rejects.",
            forest.things[processed].name
        ));
    } else if processed.or(defective).is_some() {
        machine.notes.push(
            "The counts are lists of structures (PackMLCountDataType), from which Lineside cannot count. Ask for AccCount \
             as single variables, or pick other counters."
                .into(),
        );
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use lineside_model::PackState;
    use opcua::types::Variant;

    const UINT32: &[&str] = &["UInt32", "UInteger", "Number"];
    const INT32: &[&str] = &["Int32", "Integer", "Number"];
    const FLOAT: &[&str] = &["Float", "Number"];

    /// A machine with its three objects: status, administration, outer state machine.
    fn base(forest: &mut Forest) -> [usize; 4] {
        let machine = forest.plant(None, ("urn:plc", "Filler"), (PACKML, "PackMLBaseObjectType"));
        let object = |forest: &mut Forest, name, of| forest.plant(Some(machine), (PACKML, name), (PACKML, of));
        let status = object(forest, "Status", "PackMLStatusObjectType");
        let admin = object(forest, "Admin", "PackMLAdminObjectType");
        let outer = object(forest, "BaseStateMachine", "PackMLBaseStateMachineType");
        [machine, status, admin, outer]
    }

    #[test]
    fn one_number_for_the_whole_state_is_preferred_to_nested_machines() {
        let check =
            |add: &dyn Fn(&mut Forest, usize, usize) -> usize, numbers: bool, names: bool, said: Option<&str>| {
                let mut forest = Forest::default();
                let [of, status, _, outer] = base(&mut forest);
                let current = forest.variable(outer, (UA, "CurrentState"), &["LocalizedText"]);
                let expected = add(&mut forest, status, current);
                let machine = machine(&forest, of).expect("a machine");
                let state = machine.state.expect("a state");
                assert_eq!(state.thing, expected, "{}", state.why);
                assert_eq!(state.map.numbers.get(&6) == Some(&PackState::Execute), numbers);
                assert_eq!(state.map.names.contains_key("Execute"), names);
                assert_eq!(
                    machine.notes.first().map(|note| said.is_some_and(|said| note.contains(said))),
                    said.map(|_| true)
                );
            };
        check(&|forest, status, _| forest.variable(status, (PACKML, "StateCurrent"), INT32), true, true, None);
        check(
            &|forest, _, current| forest.variable(current, (UA, "EffectiveDisplayName"), &["LocalizedText"]),
            false,
            true,
            Some("English"),
        );
        check(&|forest, _, current| forest.variable(current, (UA, "Number"), UINT32), true, true, Some("nests"));
        check(&|_, _, current| current, false, true, Some("nests"));
    }

    #[test]
    fn modes_are_those_the_server_names_and_else_the_standard_ones() {
        let check = |texts: &[(i64, &str)], expected: &[(i64, Mode)]| {
            let mut forest = Forest::default();
            let [of, status, ..] = base(&mut forest);
            forest.variable(status, (PACKML, "UnitModeCurrent"), &["Enumeration"]);
            let supported = forest.variable(status, (PACKML, "UnitSupportedModes"), &["NodeId"]);
            forest.things[supported].meta.texts =
                texts.iter().map(|(number, text)| (*number, (*text).into())).collect();
            let mode = machine(&forest, of).and_then(|machine| machine.mode).expect("a mode");
            assert_eq!(mode.map.numbers, expected.iter().copied().collect());
        };
        check(&[], &[(1, Mode::Produce), (2, Mode::Maintenance), (3, Mode::Manual)]);
        check(&[(1, "Producing"), (7, "Manual"), (8, "Cleaning")], &[(1, Mode::Produce), (7, Mode::Manual)]);
    }

    #[test]
    fn only_what_counts_the_right_thing_becomes_a_counter() {
        let mut forest = Forest::default();
        let [of, _, admin, _] = base(&mut forest);
        let design = forest.variable(admin, (PACKML, "MachDesignSpeed"), FLOAT);
        forest.things[design].value = Some(Variant::Float(640.0));
        let processed = forest.variable(admin, (PACKML, "ProdProcessedCount"), &["Structure"]);
        forest.variable(processed, (PACKML, "AccCount"), INT32);
        let defective = forest.variable(admin, (PACKML, "ProdDefectiveCount"), &["Structure"]);
        let count = forest.variable(defective, (PACKML, "Count"), INT32);
        let acc = forest.variable(defective, (PACKML, "AccCount"), INT32);
        let machine = machine(&forest, of).expect("a machine");
        assert_eq!(machine.ideal_rate_per_min, Some(640.0));
        assert_eq!(machine.good, None, "good and defective together are not the good count");
        assert_eq!(machine.reject.map(|reject| reject.thing), Some(acc), "not the resettable {count}");
        assert!(machine.notes.iter().any(|note| note.contains("together")), "{:?}", machine.notes);
    }

    #[test]
    fn a_name_without_the_type_is_no_packml_machine() {
        let mut forest = Forest::default();
        let of = forest.plant(None, (PACKML, "PackMLBaseObjectType"), ("urn:vendor", "PackMLBaseObjectType"));
        assert_eq!(machine(&forest, of), None);
    }
}
