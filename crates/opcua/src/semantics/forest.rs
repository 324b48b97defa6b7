//! Everything below the picked nodes, with what the server says of each variable.
//!
//! Gathered once over the network; the recognisers then only look at it.

use super::recognised::Recognised;
use crate::browse::calls::Names;
use crate::browse::types::TypeChain;
use crate::browse::walk::{Seen, Walk};
use crate::browse::{Explorer, Failure, Meta, NodeClass, OBJECTS, UA};
use crate::browse::{meta, references};
use opcua::types::{BrowseDirection, NodeId, ReadValueId, ReferenceTypeId, StatusCode, Variant};
use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;
use std::time::Duration;
use tokio::time::Instant;

/// Time for all walks of one proposal; what is not reached by then is left out and said.
const DEADLINE: Duration = Duration::from_secs(60);

/// Variables whose value says something about others, by browse name.
const TELLING: [&str; 9] = [
    "MachDesignSpeed",
    "DesignSpeed",
    "IdealRate",
    "NominalSpeed",
    "UnitSupportedModes",
    "Manufacturer",
    "SerialNumber",
    "Model",
    "ProductInstanceUri",
];

/// A node below a pick, or the pick itself.
#[derive(Clone, Debug)]
pub(crate) struct Thing {
    /// `nsu=…`
    pub(crate) node: String,
    pub(crate) id: NodeId,
    /// Browse name, and the URI of its namespace.
    pub(crate) name: String,
    pub(crate) uri: String,
    pub(crate) is_variable: bool,
    pub(crate) property: bool,
    pub(crate) type_definition: NodeId,
    pub(crate) parent: Option<usize>,
    pub(crate) children: Vec<usize>,
    pub(crate) chain: Arc<TypeChain>,
    /// Variables only.
    pub(crate) meta: Meta,
    /// Of a few variables only.
    pub(crate) value: Option<Variant>,
    /// The value was tried and cannot be decoded.
    pub(crate) undecodable: bool,
}

/// A node that a person picked.
#[derive(Clone, Debug)]
pub(crate) struct Pick {
    pub(crate) root: usize,
    /// The browse name of the node above it; `None` directly below Objects.
    pub(crate) above: Option<String>,
}

/// All picked nodes.
#[derive(Clone, Debug, Default)]
pub(crate) struct Forest {
    pub(crate) things: Vec<Thing>,
    pub(crate) picks: Vec<Pick>,
    /// Everything below the picks is in it.
    pub(crate) complete: bool,
}

impl Forest {
    /// The child with this browse name, of namespace `uri` where one is given.
    pub(crate) fn child(&self, of: usize, uri: Option<&str>, name: &str) -> Option<usize> {
        let fits = |index: &usize| {
            let thing = &self.things[*index];
            thing.name == name && uri.is_none_or(|uri| thing.uri == uri)
        };
        self.things[of].children.iter().copied().find(fits)
    }

    /// Everything below a thing, nearest first.
    pub(crate) fn below(&self, of: usize) -> Vec<usize> {
        let mut all = self.things[of].children.clone();
        let mut at = 0;
        while at < all.len() {
            let children = &self.things[all[at]].children;
            all.extend(children);
            at += 1;
        }
        all
    }

    /// All things, those of one object together: its variables first, then object by object.
    pub(crate) fn in_order(&self) -> Vec<usize> {
        let mut order = Vec::with_capacity(self.things.len());
        let roots = (0..self.things.len()).filter(|index| self.things[*index].parent.is_none());
        let mut waiting: Vec<usize> = roots.collect();
        waiting.reverse();
        while let Some(index) = waiting.pop() {
            order.push(index);
            let (variables, objects): (Vec<usize>, Vec<usize>) =
                self.things[index].children.iter().partition(|child| self.things[**child].is_variable);
            waiting.extend(objects.into_iter().rev().chain(variables.into_iter().rev()));
        }
        order
    }

    /// The nearest thing below that is of this type.
    pub(crate) fn of_type(&self, below: usize, uri: &str, name: &str) -> Option<usize> {
        self.below(below).into_iter().find(|index| self.things[*index].chain.is(uri, name))
    }

    pub(crate) fn recognised(&self, index: usize) -> Option<Recognised> {
        Recognised::of(&self.things[index].chain)
    }

    /// Is it `of`, or below it?
    pub(crate) fn within(&self, index: usize, of: usize) -> bool {
        let mut at = Some(index);
        while let Some(here) = at {
            if here == of {
                return true;
            }
            at = self.things[here].parent;
        }
        false
    }
}

/// Walks from every pick.
pub(crate) async fn gather(explorer: &Explorer, picked: &[String]) -> Result<(Names, Forest), Failure> {
    let mut forest = Forest { complete: true, ..Forest::default() };
    let names = explorer.calls.names().await?;
    let mut known: HashMap<NodeId, usize> = HashMap::new();
    let deadline = Instant::now() + DEADLINE;
    for node in picked.iter().collect::<BTreeSet<_>>() {
        let mut walk = explorer.walk(Some(node)).await?;
        if known.contains_key(&walk.nodes[0].id) {
            continue;
        }
        while !walk.done() && Instant::now() < deadline {
            walk.step(&explorer.calls, deadline).await?;
            walk.without_server();
        }
        forest.complete &= walk.complete();
        let above = above(explorer, &names, &walk.nodes[0]).await?;
        forest.picks.push(Pick { root: forest.things.len(), above });
        take(&mut forest, walk, &mut known);
    }
    describe(explorer, &names, &mut forest).await?;
    try_out(explorer, &names, &mut forest).await?;
    Ok((names, forest))
}

fn take(forest: &mut Forest, walk: Walk, known: &mut HashMap<NodeId, usize>) {
    let mut places: Vec<usize> = Vec::with_capacity(walk.nodes.len());
    for seen in walk.nodes {
        let parent = seen.parent.map(|parent| places[parent]);
        let index = match known.get(&seen.id) {
            Some(before) => *before,
            None => {
                known.insert(seen.id.clone(), forest.things.len());
                forest.things.push(thing(&walk.names, seen));
                forest.things.len() - 1
            }
        };
        places.push(index);
        // A branch that was picked by itself before hangs here, too.
        if let Some(parent) = parent.filter(|parent| *parent != index && forest.things[index].parent.is_none()) {
            forest.things[index].parent = Some(parent);
            forest.things[parent].children.push(index);
        }
    }
}

fn thing(names: &Names, seen: Seen) -> Thing {
    Thing {
        node: names.portable(&seen.id),
        id: seen.id,
        uri: names.uri(seen.namespace).to_string(),
        name: seen.name,
        is_variable: seen.class == NodeClass::Variable,
        property: seen.property,
        type_definition: seen.type_definition,
        parent: None,
        children: Vec::new(),
        chain: Arc::default(),
        meta: Meta::default(),
        value: None,
        undecodable: false,
    }
}

/// Asks for types, descriptions and telling values, each for all things at once.
async fn describe(explorer: &Explorer, names: &Names, forest: &mut Forest) -> Result<(), Failure> {
    let types = forest.things.iter().map(|thing| thing.type_definition.clone());
    let chains = explorer.types.chains(&explorer.calls, names, types).await?;
    for thing in &mut forest.things {
        thing.chain = chains.get(&thing.type_definition).cloned().unwrap_or_default();
    }
    let variables: Vec<usize> = (0..forest.things.len()).filter(|index| forest.things[*index].is_variable).collect();
    let ids: Vec<NodeId> = variables.iter().map(|index| forest.things[*index].id.clone()).collect();
    let properties: Vec<_> = variables.iter().map(|index| properties(forest, *index)).collect();
    let metas = explorer.metas_with(names, &ids, &properties).await?;
    for (index, meta) in variables.iter().zip(metas) {
        forest.things[*index].meta = meta;
    }
    let telling: Vec<usize> =
        variables.into_iter().filter(|index| TELLING.contains(&forest.things[*index].name.as_str())).collect();
    let wanted: Vec<ReadValueId> =
        telling.iter().map(|index| ReadValueId::from(forest.things[*index].id.clone())).collect();
    let answers = explorer.calls.read(names, &wanted).await?;
    for (index, answer) in telling.into_iter().zip(answers) {
        forest.things[index].value = answer.value.filter(|_| answer.status.unwrap_or_default().is_good());
        if let Some(Variant::NodeId(enumeration)) = &forest.things[index].value {
            let enumeration = (**enumeration).clone();
            forest.things[index].meta.texts = explorer.enumeration(names, &enumeration).await?;
        }
    }
    Ok(())
}

/// Some servers send lists and structures that nobody can decode, which costs the connection each time.
/// Single values of the standard's own types are not tried.
async fn try_out(explorer: &Explorer, names: &Names, forest: &mut Forest) -> Result<(), Failure> {
    let doubtful = |thing: &Thing| {
        let meta = &thing.meta;
        thing.is_variable && !thing.property && !meta.denied && (meta.value_rank != -1 || meta.is("Structure"))
    };
    let tried: Vec<usize> = (0..forest.things.len()).filter(|index| doubtful(&forest.things[*index])).collect();
    let wanted: Vec<ReadValueId> =
        tried.iter().map(|index| ReadValueId::from(forest.things[*index].id.clone())).collect();
    let answers = explorer.calls.read(names, &wanted).await?;
    for (index, answer) in tried.into_iter().zip(answers) {
        forest.things[index].undecodable = answer.status == Some(StatusCode::BadDecodingError);
    }
    Ok(())
}

fn properties(forest: &Forest, of: usize) -> BTreeMap<String, NodeId> {
    let children = forest.things[of].children.iter().map(|index| &forest.things[*index]);
    let standard = children.filter(|child| child.property && child.uri == UA);
    standard.filter_map(|child| Some((meta::property_name(0, &child.name)?, child.id.clone()))).collect()
}

/// The name of the node above a pick, where that says something.
async fn above(explorer: &Explorer, names: &Names, root: &Seen) -> Result<Option<String>, Failure> {
    let asked = references(&root.id, ReferenceTypeId::HierarchicalReferences, BrowseDirection::Inverse);
    let results = explorer.calls.browse(names, &[asked], 0).await?;
    let reference = results.into_iter().next().and_then(|result| result.references?.into_iter().next());
    let objects = names.resolve(OBJECTS)?;
    Ok(reference.filter(|above| above.node_id.node_id != objects).map(|above| above.browse_name.name.to_string()))
}

#[cfg(test)]
pub(crate) mod sample {
    //! Forests for the tests of the recognisers.

    use super::*;
    use crate::browse::types::TypeName;

    fn chain(names: &[(&str, &str)]) -> Arc<TypeChain> {
        let names = names.iter().map(|(uri, name)| TypeName { uri: (*uri).into(), name: (*name).into() });
        Arc::new(TypeChain(names.collect()))
    }

    impl Forest {
        /// Adds a thing with its qualified name and type below `parent`.
        pub(crate) fn plant(&mut self, parent: Option<usize>, name: (&str, &str), of: (&str, &str)) -> usize {
            let index = self.things.len();
            self.things.push(Thing {
                node: format!("i={index}"),
                id: NodeId::new(0, index as u32),
                uri: name.0.into(),
                name: name.1.into(),
                is_variable: false,
                property: false,
                type_definition: NodeId::null(),
                parent,
                children: Vec::new(),
                chain: chain(&[of]),
                meta: Meta::default(),
                value: None,
                undecodable: false,
            });
            match parent {
                Some(parent) => self.things[parent].children.push(index),
                None => self.picks.push(Pick { root: index, above: None }),
            }
            index
        }

        /// Adds a variable; `data_type` with its supertypes, all of the namespace of OPC UA.
        pub(crate) fn variable(&mut self, parent: usize, name: (&str, &str), data_type: &[&str]) -> usize {
            let index = self.plant(Some(parent), name, (UA, "BaseDataVariableType"));
            let types: Vec<(&str, &str)> = data_type.iter().map(|name| (UA, *name)).collect();
            let thing = &mut self.things[index];
            thing.is_variable = true;
            thing.meta.data_type = data_type[0].into();
            thing.meta.value_rank = -1;
            thing.meta.type_chain = chain(&types);
            index
        }
    }
}
