//! Adds connections, units and tags to a `plant.toml`, or makes a new one.
//!
//! Promise: text is only inserted, so comments, order and formatting stay to the byte; what is there keeps its
//! meaning, and what comes out loads, or nothing is written. Names and nodes that are there already are reported,
//! never replaced. It changes and removes nothing: that is done by hand.

mod disk;
mod entries;
mod places;

pub use disk::{apply, system_zone};

use crate::error::{ConfigError, Errors};
use crate::{parse, report::quote};
use lineside_model::PlantConfig;
use lineside_model::config::{Scale, User};
use std::collections::{BTreeMap, HashSet};
use std::path::Path;

/// What is to be added.
#[derive(Clone, Debug, PartialEq, Default)]
pub struct Additions {
    /// Names for a file that is not there yet; one that is there keeps its own.
    pub plant: NewPlant,
    pub connection: Option<NewConnection>,
    /// In the order of material flow.
    pub units: Vec<NewUnit>,
    pub tags: Vec<NewTag>,
}

/// Where a new line stands. What is empty becomes a placeholder that says so.
#[derive(Clone, Debug, PartialEq, Default)]
pub struct NewPlant {
    pub site: String,
    pub area: String,
    pub line: String,
    /// What is counted, in the plural.
    pub product: String,
    /// IANA name; empty: that of this computer.
    pub time_zone: String,
}

impl Additions {
    /// Is there nothing that an existing file would get?
    pub fn is_empty(&self) -> bool {
        self.connection.is_none() && self.units.is_empty() && self.tags.is_empty()
    }
}

/// A connection as it will stand in the file.
#[derive(Clone, Debug, PartialEq, Default)]
pub struct NewConnection {
    pub name: String,
    pub endpoint: String,
    /// `best`, `none`, or policy and mode.
    pub security: String,
    pub user: User,
}

/// A unit. Tags are meant by their names, added ones or those that are there.
#[derive(Clone, Debug, PartialEq, Default)]
pub struct NewUnit {
    pub name: String,
    pub state: Option<NewMap>,
    pub mode: Option<NewMap>,
    pub speed: Option<String>,
    /// Products per minute.
    pub ideal_rate: Option<f64>,
    pub good: Option<NewCounter>,
    pub reject: Option<NewCounter>,
}

/// What the values of a tag mean. No entries: `"packml"`.
#[derive(Clone, Debug, PartialEq, Default)]
pub struct NewMap {
    pub tag: String,
    /// Number or text, and the PackML name.
    pub entries: Vec<(String, String)>,
}

/// A counter of products.
#[derive(Clone, Debug, PartialEq, Default)]
pub struct NewCounter {
    pub tag: String,
    pub rollover: Option<u64>,
}

/// A tag.
#[derive(Clone, Debug, PartialEq, Default)]
pub struct NewTag {
    pub name: String,
    pub description: String,
    /// Name of the connection.
    pub connection: String,
    pub node: String,
    pub unit: String,
    pub range: Option<(f64, f64)>,
    pub scale: Option<Scale>,
    pub texts: BTreeMap<i64, String>,
}

/// A file with its additions.
#[derive(Clone, Debug, PartialEq)]
pub struct Edited {
    pub text: String,
    /// The lines that were added, without blank ones.
    pub added: Vec<String>,
    pub config: PlantConfig,
}

/// The text with the additions; `path` only names the file in errors.
///
/// # Errors
/// The text itself has errors; a name or a node is there already; or the result would not load.
pub fn add(text: &str, path: &Path, additions: &Additions) -> Result<Edited, Errors> {
    let old = parse(text, path)?;
    let conflicts = conflicts(&old, path, additions);
    if !conflicts.is_empty() {
        return Err(Errors(conflicts));
    }
    let mut insertions = places::connections_of_tags(text, &old, additions);
    insertions.extend(places::entries(text, additions));
    insertions.sort_by_key(|(at, _)| *at);
    let edited = inserted(text, &insertions);
    let config = parse(&edited, &path.with_extension("toml (not written)"))?;
    if !keeps(&old, &config, additions) {
        let problem = "Lineside cannot add to this file without changing what is there";
        return Err(whole(path, problem, "write each connection, unit and tag under a heading of its own, as [[tag]]"));
    }
    let lines = insertions.iter().flat_map(|(_, text)| text.lines());
    let added = lines.map(str::to_owned).filter(|line| !line.trim().is_empty()).collect();
    Ok(Edited { text: edited, added, config })
}

/// A plant that has nothing yet, for a file that is not there.
pub fn fresh(plant: &NewPlant) -> String {
    let zone = if plant.time_zone.is_empty() { system_zone() } else { plant.time_zone.clone() };
    let line = |key: &str, value: &str, placeholder: &str, says: &str| {
        let (value, says) = match value.trim() {
            "" => (placeholder, format!("a placeholder: write {says}")),
            value => (value, says.to_owned()),
        };
        format!("{:<34} # {says}\n", format!("{key} = {}", entries::quoted(value)))
    };
    [
        "# Made by Lineside. All keys: docs/plant.example.toml\n\n[plant]\n".to_owned(),
        line("site", &plant.site, "Site", "the name of your site"),
        line("area", &plant.area, "Area", "the name of the area"),
        line("time_zone", &zone, "Etc/UTC", "every time on the screen is in it"),
        "\n[line]\n".to_owned(),
        line("name", &plant.line, "Line 1", "the name of the line"),
        line("product", &plant.product, "products", "what is counted, in the plural"),
    ]
    .concat()
}

/// One problem with the file as a whole.
pub(super) fn whole(path: &Path, problem: impl Into<String>, remedy: impl Into<String>) -> Errors {
    Errors(vec![of_file(path, problem.into(), remedy.into())])
}

fn of_file(path: &Path, problem: String, remedy: String) -> ConfigError {
    ConfigError { file: path.to_owned(), line: 0, column: 0, problem, remedy }
}

fn inserted(text: &str, insertions: &[(usize, String)]) -> String {
    let mut edited = String::with_capacity(text.len() + insertions.iter().map(|(_, new)| new.len()).sum::<usize>());
    let mut done = 0;
    for (at, new) in insertions {
        edited.push_str(&text[done..*at]);
        edited.push_str(new);
        done = *at;
    }
    edited.push_str(&text[done..]);
    edited
}

/// Names and nodes that are there already, or come twice.
fn conflicts(old: &PlantConfig, path: &Path, additions: &Additions) -> Vec<ConfigError> {
    let mut found = Vec::new();
    let mut clash = |kind: &str, name: &str| {
        let problem = format!("there is a {kind} {} already", quote(name));
        found.push(of_file(path, problem, "give the new one another name, or leave it out".to_owned()));
    };
    let mut connections: HashSet<&str> = old.connections.iter().map(|known| known.name.as_str()).collect();
    let mut units: HashSet<&str> = old.units.iter().map(|known| known.name.as_str()).collect();
    let mut tags: HashSet<&str> = old.tags.iter().map(|known| known.name.as_str()).collect();
    additions
        .connection
        .iter()
        .filter(|new| !connections.insert(&new.name))
        .for_each(|new| clash("connection", &new.name));
    additions.units.iter().filter(|new| !units.insert(&new.name)).for_each(|new| clash("unit", &new.name));
    additions.tags.iter().filter(|new| !tags.insert(&new.name)).for_each(|new| clash("tag", &new.name));

    let connection = |tag: &lineside_model::config::Tag| old.connections[tag.connection.0 as usize].name.as_str();
    let mut nodes: BTreeMap<(&str, &str), &str> =
        old.tags.iter().map(|tag| ((connection(tag), tag.node.as_str()), tag.name.as_str())).collect();
    for new in &additions.tags {
        if let Some(known) = nodes.insert((&new.connection, &new.node), &new.name) {
            let problem = format!("the node {} is read by the tag {} already", quote(&new.node), quote(known));
            found.push(of_file(path, problem, format!("leave {} out", quote(&new.name))));
        }
    }
    found
}

/// Does everything that was there mean the same, and did all that was to be added come?
fn keeps(old: &PlantConfig, new: &PlantConfig, additions: &Additions) -> bool {
    let mut rest = new.clone();
    let connections = rest.connections.split_off(old.connections.len().min(rest.connections.len()));
    let units = rest.units.split_off(old.units.len().min(rest.units.len()));
    let tags = rest.tags.split_off(old.tags.len().min(rest.tags.len()));
    rest == *old
        && connections.iter().map(|c| &c.name).eq(additions.connection.iter().map(|c| &c.name))
        && units.iter().map(|unit| &unit.name).eq(additions.units.iter().map(|unit| &unit.name))
        && tags.iter().map(|tag| &tag.name).eq(additions.tags.iter().map(|tag| &tag.name))
}
