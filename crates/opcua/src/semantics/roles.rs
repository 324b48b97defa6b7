//! What recognised machines have in common: maps of numbers and texts, units of rates, rollover of counters.

use super::forest::Forest;
use crate::browse::Meta;
use crate::data_access::number;
use lineside_model::{Mode, PackState};
use std::collections::BTreeMap;

/// Fewer texts with names of PackML states are chance.
const STATE_TEXTS_MIN: usize = 3;

/// Where one thing of the forest plays a part in a machine.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Role<T> {
    pub(crate) thing: usize,
    pub(crate) map: T,
    pub(crate) why: String,
}

/// Meanings by number and by text.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Meanings<T> {
    pub(crate) numbers: BTreeMap<i64, T>,
    pub(crate) names: BTreeMap<String, T>,
}

impl<T> Default for Meanings<T> {
    fn default() -> Self {
        Meanings { numbers: BTreeMap::new(), names: BTreeMap::new() }
    }
}

/// A machine as a recogniser sees it.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Machine {
    pub(crate) thing: usize,
    pub(crate) declared: bool,
    pub(crate) why: String,
    pub(crate) state: Option<Role<Meanings<PackState>>>,
    pub(crate) mode: Option<Role<Meanings<Mode>>>,
    pub(crate) speed: Option<Role<()>>,
    pub(crate) good: Option<Role<()>>,
    pub(crate) reject: Option<Role<()>>,
    pub(crate) ideal_rate_per_min: Option<f64>,
    pub(crate) notes: Vec<String>,
}

impl Machine {
    pub(crate) fn new(thing: usize, declared: bool, why: &str) -> Machine {
        Machine {
            thing,
            declared,
            why: why.to_string(),
            state: None,
            mode: None,
            speed: None,
            good: None,
            reject: None,
            ideal_rate_per_min: None,
            notes: Vec::new(),
        }
    }

    /// Takes a speed, and says where its unit does not fit.
    pub(crate) fn take_speed(&mut self, forest: &Forest, thing: usize, why: &str) {
        let meta = &forest.things[thing].meta;
        if per_minute(meta).is_none() {
            let unit = meta.unit.as_ref().map_or("", |unit| unit.symbol.as_str());
            let says = if unit.is_empty() { "no unit".to_string() } else { format!("the unit \"{unit}\"") };
            self.notes.push(format!(
                "The server says {says} for the speed ({}); Lineside takes it as products per minute. Check it, and \
                 give the tag a scale where it is something else.",
                forest.things[thing].name
            ));
        }
        self.speed = Some(Role { thing, map: (), why: why.to_string() });
    }

    /// Takes the best speed from the present value of a node.
    pub(crate) fn take_ideal(&mut self, forest: &Forest, thing: usize) {
        let thing = &forest.things[thing];
        let Some(value) = thing.value.as_ref().and_then(number).filter(|value| value.is_finite() && *value > 0.0)
        else {
            return;
        };
        let factor = per_minute(&thing.meta).unwrap_or(1.0);
        self.ideal_rate_per_min = Some(value * factor);
        self.notes.push(format!("The ideal rate is the present value of {} ({value}).", thing.name));
    }
}

/// All PackML state names, for servers that send texts.
pub(crate) fn state_names() -> BTreeMap<String, PackState> {
    PackState::ALL.into_iter().skip(1).map(|state| (state.name().to_string(), state)).collect()
}

/// The numbers of OPC 30050 (StateNumber of the states in its NodeSet).
pub(crate) fn state_numbers() -> BTreeMap<i64, PackState> {
    (1..).map_while(|number| PackState::from_number(number).map(|state| (number, state))).collect()
}

/// The states whose names are texts of the values.
pub(crate) fn states_by_text(meta: &Meta) -> Option<BTreeMap<i64, PackState>> {
    let states = meta.texts.iter().filter_map(|(number, text)| Some((*number, PackState::from_name(text.trim())?)));
    let states: BTreeMap<i64, PackState> = states.collect();
    (states.len() >= STATE_TEXTS_MIN).then_some(states)
}

/// The modes whose names are texts of the values.
pub(crate) fn modes_by_text(meta: &Meta) -> BTreeMap<i64, Mode> {
    let alike = |text: &str| match text.to_ascii_lowercase().as_str() {
        "production" | "producing" => Some(Mode::Produce),
        other => Mode::from_name(other),
    };
    meta.texts.iter().filter_map(|(number, text)| Some((*number, alike(text.trim())?))).collect()
}

/// Products per minute = value * this, for rates whose UNECE code says so.
pub(crate) fn per_minute(meta: &Meta) -> Option<f64> {
    match meta.unit.as_ref()?.code.as_deref()? {
        // Reciprocal minute, second, hour.
        "C94" => Some(1.0),
        "C97" => Some(60.0),
        "H10" => Some(1.0 / 60.0),
        _ => None,
    }
}

/// How many values a counter has before it begins again, where its data type says it.
/// Signed counters are ambiguous: some controllers go on at 0, others at the lowest number.
pub(crate) fn rollover(meta: &Meta) -> Option<u64> {
    match () {
        () if meta.is("Byte") => Some(1 << 8),
        () if meta.is("UInt16") => Some(1 << 16),
        () if meta.is("UInt32") => Some(1 << 32),
        () => None,
    }
}

/// A single number that only counts whole things.
pub(crate) fn is_counter(meta: &Meta) -> bool {
    meta.value_rank == -1 && (meta.is("Integer") || meta.is("UInteger")) && !meta.is("Enumeration")
}

/// A single number of any kind.
pub(crate) fn is_number(meta: &Meta) -> bool {
    meta.value_rank == -1 && meta.is("Number")
}
