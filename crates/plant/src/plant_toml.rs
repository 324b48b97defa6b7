//! The `plant.toml` that fits the simulated plant, for Lineside.
//!
//! Promise: names every tag of the plant once, with the units, ranges and texts of the server. It only
//! writes text; whether the text is right is the business of the one who reads it.

use crate::catalogue::{Kind, TagDef};
use crate::line::MACHINES;
use crate::server::NAMESPACE;
use crate::simulation::{SimulationOptions, catalogue_of};
use std::fmt::Write;

const HEAD: &str = r#"# The simulated bottling line of Lineside.

[plant]
site = "Bremen"
area = "Bottling"
time_zone = "Europe/Berlin"

[line]
name = "Line 3"
product = "bottles"
target_rate = 600
minor_stop = "5 min"
constraint = "Filler"
output = "Palletizer"

[[shift]]
name = "Early"
start = "06:00"
end = "14:00"
crew = "A"

[[shift]]
name = "Late"
start = "14:00"
end = "22:00"
crew = "B"

[[shift]]
name = "Night"
start = "22:00"
end = "06:00"
crew = "C"
"#;

const ROLLOVER: u64 = 1 << 32;

/// The `plant.toml` for a plant made with `options` behind `endpoint`.
///
/// `security` is what the file says of the connection: `best`, `none`, or `Policy/Mode`.
pub fn plant_toml(endpoint: &str, options: &SimulationOptions, security: &str) -> String {
    let mut text = String::from(HEAD);
    let connection = format!(
        "\n[[connection]]\nname = \"plant\"\nendpoint = {}\nsecurity = {}\npublish = \"100 ms\"\n",
        quoted(endpoint),
        quoted(security)
    );
    text.push_str(&connection);
    MACHINES.iter().for_each(|spec| text.push_str(&unit(spec.name, spec.ideal)));
    catalogue_of(options).tags().iter().for_each(|tag| text.push_str(&tag_entry(tag)));
    text
}

fn unit(name: &str, ideal: f64) -> String {
    format!(
        r#"
[[unit]]
name = "{name}"
state = {{ tag = "{name}.State", map = "packml" }}
mode = {{ tag = "{name}.Mode", map = {{ 1 = "Produce", 2 = "Maintenance", 3 = "Manual", 4 = "Changeover" }} }}
speed = "{name}.Speed"
ideal_rate = {ideal}
rate_band = [570, {ideal}]
good = {{ tag = "{name}.Good", rollover = {ROLLOVER} }}
reject = {{ tag = "{name}.Reject", rollover = {ROLLOVER} }}
"#
    )
}

fn tag_entry(tag: &TagDef) -> String {
    let mut lines = vec![
        "\n[[tag]]".to_owned(),
        format!("name = {}", quoted(&tag.name)),
        format!("node = {}", quoted(&format!("nsu={NAMESPACE};s={}", tag.name))),
        format!("description = {}", quoted(&tag.description)),
    ];
    // "1" is the unit of what has none.
    if let Some(eu) = tag.eu.filter(|eu| eu.symbol != "1") {
        lines.push(format!("unit = {}", quoted(eu.symbol)));
    }
    if let Some((low, high)) = tag.range {
        lines.push(format!("range = [{low}, {high}]"));
    }
    if tag.always_moves {
        lines.push("max_age = \"10 s\"".to_owned());
    }
    if matches!(tag.kind, Kind::MultiState | Kind::TwoState) {
        let texts: Vec<String> =
            tag.texts.iter().enumerate().map(|(number, text)| format!("{number} = {}", quoted(text))).collect();
        lines.push(format!("texts = {{ {} }}", texts.join(", ")));
    }
    lines.push(String::new());
    lines.join("\n")
}

/// A TOML basic string.
fn quoted(text: &str) -> String {
    let mut quoted = String::from('"');
    for c in text.chars() {
        match c {
            '"' | '\\' => {
                quoted.push('\\');
                quoted.push(c);
            }
            c if c.is_control() => {
                // Writing to a String cannot fail.
                let _infallible = write!(quoted, "\\u{:04X}", u32::from(c));
            }
            c => quoted.push(c),
        }
    }
    quoted.push('"');
    quoted
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_names_every_tag_once() {
        let options = SimulationOptions::default();
        let text = plant_toml("opc.tcp://127.0.0.1:1/", &options, "best");
        assert_eq!(text.matches("[[tag]]").count(), 1200);
        assert_eq!(text.matches("name = \"Filler.Speed\"").count(), 1);
        assert!(text.contains("node = \"nsu=urn:lineside:plant;s=Capper.Head04.Torque\""));
        assert_eq!(quoted("a\"b\\c\n"), "\"a\\\"b\\\\c\\u000A\"");
    }
}
