//! From picked nodes to tags and machines for `plant.toml`.

use super::forest::{Forest, Pick, Thing, gather};
use super::names::Unique;
use super::recognised::Recognised;
use super::roles::{Machine, Role, rollover};
use super::{guess, machinery, packml, tags};
use crate::browse::calls::Names;
use crate::browse::{Explorer, Failure, OBJECTS};
use crate::value::shown;
use lineside_model::config::{Scale, Tag, Unit};
use lineside_model::{Mode, PackState, PlantConfig};
use opcua::types::NodeId;
use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::time::Duration;

/// Picked nodes of one proposal.
const PICKS_MAX: usize = 5_000;
/// Time for one proposal.
const TIME_MAX: Duration = Duration::from_secs(180);
/// Tags of one proposal.
const TAGS_MAX: usize = 50_000;

/// What a proposal rests on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Basis {
    /// The server says it by a type of a standard.
    Declared,
    /// It is guessed from names: look at it twice.
    Guess,
}

/// A tag to be confirmed. What the server does not say is empty.
#[derive(Clone, Debug, PartialEq)]
pub struct ProposedTag {
    /// Unique among the tags of the plant and of the proposal, with dots as levels.
    pub name: String,
    /// `nsu=<uri>;…`
    pub node: String,
    pub description: String,
    pub unit: String,
    pub range: Option<(f64, f64)>,
    pub scale: Option<Scale>,
    pub texts: BTreeMap<i64, String>,
    /// For people: `UInt32`, `Double[]`.
    pub data_type: String,
    pub recognised: Option<Recognised>,
    pub basis: Basis,
    /// One sentence: what it is and why it is taken for that.
    pub why: String,
}

/// Where the state of a machine comes from.
#[derive(Clone, Debug, PartialEq)]
pub struct ProposedState {
    /// Name of a proposed tag, or of one that is there.
    pub tag: String,
    /// Both empty: the server does not say what its numbers mean; a person must.
    pub numbers: BTreeMap<i64, PackState>,
    pub names: BTreeMap<String, PackState>,
    pub why: String,
}

/// Where the mode of a machine comes from.
#[derive(Clone, Debug, PartialEq)]
pub struct ProposedMode {
    pub tag: String,
    /// Both empty: a person must say what the numbers mean.
    pub numbers: BTreeMap<i64, Mode>,
    pub names: BTreeMap<String, Mode>,
    pub why: String,
}

/// Where the actual speed of a machine comes from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ProposedSpeed {
    pub tag: String,
    pub why: String,
}

/// A counter of products.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ProposedCounter {
    pub tag: String,
    /// From the data type, where it says so.
    pub rollover: Option<u64>,
    pub why: String,
}

/// A machine to be confirmed.
#[derive(Clone, Debug, PartialEq)]
pub struct ProposedUnit {
    /// Unique among the units of the plant and of the proposal.
    pub name: String,
    /// The object it was recognised at.
    pub node: String,
    pub basis: Basis,
    pub why: String,
    pub state: Option<ProposedState>,
    pub mode: Option<ProposedMode>,
    pub speed: Option<ProposedSpeed>,
    pub ideal_rate_per_min: Option<f64>,
    pub good: Option<ProposedCounter>,
    pub reject: Option<ProposedCounter>,
    /// What a person should know before agreeing.
    pub notes: Vec<String>,
}

/// Something recognised for which nothing is proposed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Note {
    pub node: String,
    /// Browse names from the pick on, with dots.
    pub path: String,
    pub what: Recognised,
    pub text: String,
}

/// A variable that was left out.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Skipped {
    pub node: String,
    pub path: String,
    pub why: String,
}

/// Everything that the picked nodes give.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Proposal {
    pub tags: Vec<ProposedTag>,
    /// In the order of the server, which need not be the flow of material.
    pub units: Vec<ProposedUnit>,
    pub notes: Vec<Note>,
    pub skipped: Vec<Skipped>,
    /// Everything below the picks was looked at, and all of it fitted.
    pub complete: bool,
}

/// Looks at the picked nodes and all below them, and proposes what to add to `existing`.
/// Takes up to three minutes on a large server. Properties become tags only where they are picked themselves,
/// or say a state.
pub async fn propose(explorer: &Explorer, picked: &[String], existing: &PlantConfig) -> Result<Proposal, Failure> {
    if picked.len() > PICKS_MAX {
        return Err(Failure::too_many("picked nodes", picked.len(), PICKS_MAX));
    }
    let gathered = tokio::time::timeout(TIME_MAX, gather(explorer, picked)).await;
    let (names, forest) = gathered.unwrap_or_else(|_elapsed| Err(Failure::too_slow(TIME_MAX)))?;
    let known = known_tags(existing, &explorer.connection().name, &names);
    Ok(from_forest(&forest, existing, &known))
}

/// The tags of this connection by the nodes they read.
fn known_tags(existing: &PlantConfig, connection: &str, names: &Names) -> HashMap<NodeId, String> {
    let of = |tag: &Tag| existing.connections.get(tag.connection.0 as usize);
    let ours = existing.tags.iter().filter(|tag| of(tag).is_some_and(|of| of.name == connection));
    ours.filter_map(|tag| Some((names.resolve(&tag.node).ok()?, tag.name.clone()))).collect()
}

fn from_forest(forest: &Forest, existing: &PlantConfig, known: &HashMap<NodeId, String>) -> Proposal {
    let machines = machines(forest);
    let mut draft = Draft {
        forest,
        prefixes: prefixes(forest, &machines),
        names: Unique::new(existing.tags.iter().map(|tag| tag.name.clone())),
        tag_names: HashMap::new(),
        proposal: Proposal { complete: forest.complete, ..Proposal::default() },
    };
    draft.tags(&machines, known);
    draft.units(machines, existing);
    draft.notes();
    draft.proposal
}

/// Each machine once: declared before guessed; among guesses those whose state has PackML texts first, and
/// the inner before the outer, because a line has machines.
fn machines(forest: &Forest) -> Vec<Machine> {
    let all = || 0..forest.things.len();
    let declared = all().filter_map(|index| packml::machine(forest, index));
    let blocks = all().filter_map(|index| machinery::machine(forest, index));
    let mut guesses: Vec<Machine> = all().filter_map(|index| guess::machine(forest, index)).collect();
    guesses.sort_by_key(|machine| {
        let meaning = machine.state.as_ref().is_some_and(|state| !state.map.numbers.is_empty());
        (!meaning, std::cmp::Reverse(machine.thing))
    });
    let mut found: Vec<Machine> = Vec::new();
    for machine in declared.chain(blocks).chain(guesses) {
        let overlaps =
            |known: &Machine| forest.within(machine.thing, known.thing) || forest.within(known.thing, machine.thing);
        if !found.iter().any(overlaps) {
            found.push(machine);
        }
    }
    found.sort_by_key(|machine| machine.thing);
    found
}

/// Levels put before the names below each pick: none where the pick holds machines, which have names.
fn prefixes(forest: &Forest, machines: &[Machine]) -> HashMap<usize, Vec<String>> {
    let prefix = |pick: &Pick| {
        let root = &forest.things[pick.root];
        let holds = |machine: &Machine| machine.thing != pick.root && forest.within(machine.thing, pick.root);
        if root.is_variable {
            pick.above.iter().chain([&root.name]).cloned().collect()
        } else if root.node == OBJECTS || machines.iter().any(holds) {
            Vec::new()
        } else {
            vec![root.name.clone()]
        }
    };
    forest.picks.iter().map(|pick| (pick.root, prefix(pick))).collect()
}

struct Draft<'f> {
    forest: &'f Forest,
    prefixes: HashMap<usize, Vec<String>>,
    names: Unique,
    /// By thing.
    tag_names: HashMap<usize, String>,
    proposal: Proposal,
}

impl Draft<'_> {
    /// The levels of a thing's name.
    fn levels(&self, thing: usize) -> Vec<String> {
        let mut levels = Vec::new();
        let mut at = thing;
        while let Some(parent) = self.forest.things[at].parent {
            levels.push(self.forest.things[at].name.clone());
            at = parent;
        }
        levels.extend(self.prefixes.get(&at).into_iter().flatten().rev().cloned());
        levels.reverse();
        levels
    }

    fn tags(&mut self, machines: &[Machine], known: &HashMap<NodeId, String>) {
        let roles: BTreeSet<usize> = machines.iter().flat_map(roles).collect();
        let speeds: BTreeSet<usize> =
            machines.iter().filter_map(|machine| Some(machine.speed.as_ref()?.thing)).collect();
        let picked: BTreeSet<usize> = self.forest.picks.iter().map(|pick| pick.root).collect();
        for index in self.forest.in_order() {
            let thing = &self.forest.things[index];
            let wanted = !thing.property || picked.contains(&index) || roles.contains(&index);
            if !thing.is_variable || !wanted {
                continue;
            }
            let levels = self.levels(index);
            if let Some(name) = known.get(&thing.id) {
                self.tag_names.insert(index, name.clone());
                self.skip(thing.node.clone(), &levels, format!("The tag {name} reads it already."));
            } else if let Some(why) = unusable(thing) {
                self.skip(thing.node.clone(), &levels, why.to_string());
            } else if self.proposal.tags.len() >= TAGS_MAX {
                self.proposal.complete = false;
                self.skip(thing.node.clone(), &levels, format!("More than {TAGS_MAX} tags at once."));
            } else {
                let name = self.names.name(levels.iter().map(String::as_str));
                self.tag_names.insert(index, name.clone());
                self.proposal.tags.push(tags::tag(thing, name, speeds.contains(&index)));
            }
        }
    }

    fn skip(&mut self, node: String, levels: &[String], why: String) {
        self.proposal.skipped.push(Skipped { node, path: levels.join("."), why });
    }

    fn units(&mut self, machines: Vec<Machine>, existing: &PlantConfig) {
        let mut names = Unique::new(existing.units.iter().map(|unit| unit.name.clone()));
        for machine in machines {
            let levels = self.levels(machine.thing);
            let node = self.forest.things[machine.thing].node.clone();
            let state = machine.state.as_ref().and_then(|state| self.tag_names.get(&state.thing));
            let before = state.and_then(|state| {
                let reads = |unit: &&Unit| unit.state.as_ref().is_some_and(|map| existing.tag(map.tag).name == *state);
                existing.units.iter().find(reads)
            });
            if let Some(before) = before {
                self.skip(node, &levels, format!("The unit {} has its state already.", before.name));
                continue;
            }
            let name = names.name(levels.iter().map(String::as_str));
            let unit = self.unit(name, node, machine);
            self.proposal.units.push(unit);
        }
    }

    fn unit(&self, name: String, node: String, machine: Machine) -> ProposedUnit {
        let tag = |thing: usize| self.tag_names.get(&thing).cloned();
        let counter = |role: Role<()>| {
            let rollover = rollover(&self.forest.things[role.thing].meta);
            Some(ProposedCounter { tag: tag(role.thing)?, rollover, why: role.why })
        };
        ProposedUnit {
            name,
            node,
            basis: if machine.declared { Basis::Declared } else { Basis::Guess },
            why: machine.why,
            state: machine.state.and_then(|role| {
                let (numbers, names) = (role.map.numbers, role.map.names);
                Some(ProposedState { tag: tag(role.thing)?, numbers, names, why: role.why })
            }),
            mode: machine.mode.and_then(|role| {
                let (numbers, names) = (role.map.numbers, role.map.names);
                Some(ProposedMode { tag: tag(role.thing)?, numbers, names, why: role.why })
            }),
            speed: machine.speed.and_then(|role| Some(ProposedSpeed { tag: tag(role.thing)?, why: role.why })),
            ideal_rate_per_min: machine.ideal_rate_per_min,
            good: machine.good.and_then(counter),
            reject: machine.reject.and_then(counter),
            notes: machine.notes,
        }
    }

    fn notes(&mut self) {
        for (index, thing) in self.forest.things.iter().enumerate() {
            let known = self.forest.recognised(index).filter(|_| !thing.is_variable);
            if let Some((what, text)) = known.and_then(|what| Some((what, what.note()?))) {
                let path = self.levels(index).join(".");
                let text = match what {
                    Recognised::MachineIdentification => format!("{}{text}", self.identity(index)),
                    _ => text.to_string(),
                };
                self.proposal.notes.push(Note { node: thing.node.clone(), path, what, text });
            }
        }
    }

    /// Maker, model and serial number, as far as the server says them.
    fn identity(&self, of: usize) -> String {
        let said = ["Manufacturer", "Model", "SerialNumber"].into_iter().filter_map(|name| {
            let child =
                self.forest.things[of].children.iter().find(|child| self.forest.things[**child].name == name)?;
            let value = self.forest.things[*child].value.as_ref().map(shown)?;
            (!value.is_empty()).then(|| format!("{name} {value}"))
        });
        let said: Vec<String> = said.collect();
        if said.is_empty() { String::new() } else { format!("{}. ", said.join(", ")) }
    }
}

/// Why a variable cannot be a tag.
fn unusable(thing: &Thing) -> Option<&'static str> {
    if thing.meta.denied {
        Some("The server does not let this user read it.")
    } else if thing.undecodable {
        Some("The server sends its value in a form that cannot be decoded.")
    } else {
        None
    }
}

/// The things that play a part in a machine.
fn roles(machine: &Machine) -> Vec<usize> {
    let plain = [&machine.speed, &machine.good, &machine.reject].into_iter().flatten().map(|role| role.thing);
    let state = machine.state.iter().map(|role| role.thing);
    state.chain(machine.mode.iter().map(|role| role.thing)).chain(plain).collect()
}
