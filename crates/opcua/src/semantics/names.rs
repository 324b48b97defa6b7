//! Names of tags and units: dotted, unique, legal in `plant.toml`.

use std::collections::HashSet;

/// Makes names and remembers them.
#[derive(Debug, Default)]
pub(crate) struct Unique(HashSet<String>);

impl Unique {
    pub(crate) fn new(taken: impl IntoIterator<Item = String>) -> Unique {
        Unique(taken.into_iter().collect())
    }

    /// The levels with dots between them; with a number behind where the name is taken.
    pub(crate) fn name<'a>(&mut self, levels: impl IntoIterator<Item = &'a str>) -> String {
        let levels: Vec<String> = levels.into_iter().map(level).filter(|level| !level.is_empty()).collect();
        let plain = if levels.is_empty() { "Tag".to_string() } else { levels.join(".") };
        let mut name = plain.clone();
        let mut number = 2_usize;
        while !self.0.insert(name.clone()) {
            name = format!("{plain}_{number}");
            number += 1;
        }
        name
    }
}

/// A browse name as one or more levels: no blanks at the ends, no control characters, no empty levels.
fn level(name: &str) -> String {
    let plain: String = name.chars().map(|c| if c.is_control() { ' ' } else { c }).collect();
    let parts = plain.split('.').map(str::trim).filter(|part| !part.is_empty());
    parts.collect::<Vec<_>>().join(".")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_legal_and_unique() {
        let mut unique = Unique::new(["Filler.Speed".to_string()]);
        let mut check = |levels: &[&str], expected: &str| assert_eq!(unique.name(levels.iter().copied()), expected);
        check(&["Filler", "Speed"], "Filler.Speed_2");
        check(&["Filler", "Speed"], "Filler.Speed_3");
        check(&[" Filler\n", "", "Speed.Set."], "Filler.Speed.Set");
        check(&[], "Tag");
        check(&["."], "Tag_2");
    }

    proptest::proptest! {
        #[test]
        fn any_name_becomes_a_legal_one(levels in proptest::collection::vec("\\PC{0,6}|[. \t\n]{0,4}", 0..4)) {
            let name = Unique::default().name(levels.iter().map(String::as_str));
            proptest::prop_assert!(!name.is_empty() && name.trim() == name && !name.contains(char::is_control));
        }
    }
}
