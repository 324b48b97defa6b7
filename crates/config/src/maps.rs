//! What the numbers and texts of a state or mode tag mean.

use crate::forms::{canonical_integer, text};
use crate::report::{Report, quote};
use crate::section::Form;
use crate::suggest::did_you_mean;
use lineside_model::{Mode, PackState};
use serde_json::{Value as Json, json};
use std::collections::BTreeMap;
use toml_span::Value;

/// Meanings by number and by text.
pub(crate) struct Meanings<T> {
    pub(crate) numbers: BTreeMap<i64, T>,
    pub(crate) names: BTreeMap<String, T>,
}

/// A closed list of PackML names.
pub(crate) trait PackWord: Copy + 'static {
    /// Completes "… is not a …".
    const KIND: &'static str;
    const EXPECTED: &'static str;
    const EXAMPLE: &'static str;

    /// Every word with its name.
    fn all() -> Vec<(&'static str, Self)>;

    /// The numbers of OPC 30050.
    fn numbers() -> BTreeMap<i64, Self>;
}

impl PackWord for PackState {
    const KIND: &'static str = "PackML state";
    const EXPECTED: &'static str = "\"packml\" or a table of numbers or texts with PackML states";
    const EXAMPLE: &'static str = "{ 4 = \"Idle\", 6 = \"Execute\" }";

    fn all() -> Vec<(&'static str, Self)> {
        let known = PackState::ALL.into_iter().filter(|state| *state != PackState::Unknown);
        known.map(|state| (state.name(), state)).collect()
    }

    fn numbers() -> BTreeMap<i64, Self> {
        (0..PackState::ALL.len() as i64)
            .filter_map(|number| PackState::from_number(number).map(|state| (number, state)))
            .collect()
    }
}

impl PackWord for Mode {
    const KIND: &'static str = "mode";
    const EXPECTED: &'static str = "\"packml\" or a table of numbers or texts with modes";
    const EXAMPLE: &'static str = "{ 1 = \"Produce\", 4 = \"Changeover\" }";

    fn all() -> Vec<(&'static str, Self)> {
        let known = Mode::ALL.into_iter().filter(|mode| *mode != Mode::Unknown);
        known.map(|mode| (mode.name(), mode)).collect()
    }

    /// Numbers above 3 are user-defined in PackML: `Changeover` has none until the file gives it one.
    fn numbers() -> BTreeMap<i64, Self> {
        BTreeMap::from([(1, Mode::Produce), (2, Mode::Maintenance), (3, Mode::Manual)])
    }
}

impl<T: PackWord> Meanings<T> {
    fn packml() -> Meanings<T> {
        let names = T::all().into_iter().map(|(name, word)| (name.to_owned(), word));
        Meanings { numbers: T::numbers(), names: names.collect() }
    }
}

impl<T: PackWord> Form for Meanings<T> {
    const EXPECTED: &'static str = T::EXPECTED;
    const EXAMPLE: &'static str = T::EXAMPLE;

    fn read(key: &str, value: &Value<'_>, report: &mut Report<'_>) -> Option<Self> {
        let table = match (value.as_str(), value.as_table()) {
            (Some("packml"), _) => return Some(Meanings::packml()),
            (Some(other), _) => {
                let problem = format!("`{key}`: {} is not {}", quote(other), Self::EXPECTED);
                let example = || format!("write it like `{key} = {}`", Self::EXAMPLE);
                report.add(report.at(value), problem, did_you_mean(other, ["packml"], example));
                return None;
            }
            (None, None) => {
                report.wrong_type::<Self>(key, value);
                return None;
            }
            (None, Some(table)) => table,
        };
        if table.is_empty() {
            report.unfit::<Self>(key, value);
        }
        let mut meanings = Meanings { numbers: BTreeMap::new(), names: BTreeMap::new() };
        for (from, value) in table {
            let Some(word) = word::<T>(key, value, report) else {
                continue;
            };
            match canonical_integer(&from.name) {
                Some(number) => meanings.numbers.insert(number, word),
                None => meanings.names.insert(from.name.to_string(), word),
            };
        }
        Some(meanings)
    }

    fn schema() -> Json {
        let names: Vec<&str> = T::all().into_iter().map(|(name, _)| name).collect();
        json!({ "anyOf": [
            { "const": "packml" },
            { "type": "object", "additionalProperties": { "enum": names }, "minProperties": 1 },
        ] })
    }
}

/// One PackML word, spelled as in the standard.
fn word<T: PackWord>(key: &str, value: &Value<'_>, report: &mut Report<'_>) -> Option<T> {
    let name = text::<Meanings<T>>(key, value, report)?;
    let all = T::all();
    let names = || all.iter().map(|(name, _)| *name);
    if let Some((_, word)) = all.iter().find(|(known, _)| *known == name) {
        return Some(*word);
    }
    let list = || format!("choose one of {}", names().collect::<Vec<_>>().join(", "));
    let problem = format!("`{key}`: {} is not a {}", quote(name), T::KIND);
    report.add(report.at(value), problem, did_you_mean(name, names(), list));
    None
}
