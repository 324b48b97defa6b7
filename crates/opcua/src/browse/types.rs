//! The names and the supertypes of type definitions and data types, asked for once.
//!
//! A type is recognised by its name in the namespace of its standard, and through its supertypes
//! (HasSubtype, inverse): vendors derive their own types from the standard's.

use super::calls::{Calls, Names};
use super::{Failure, MASK_ALL};
use opcua::types::{AttributeId, BrowseDescription, BrowseDirection, NodeId, ReadValueId, ReferenceTypeId, Variant};
use std::collections::{HashMap, HashSet};
use std::sync::{Arc, Mutex, PoisonError};

/// Longer chains of supertypes are cut; the standard's own have fewer than ten.
const DEPTH_MAX: usize = 24;
/// Types that are remembered.
const TYPES_MAX: usize = 20_000;

/// A type by its qualified name.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) struct TypeName {
    pub(crate) uri: String,
    pub(crate) name: String,
}

/// A type and its supertypes, itself first. Empty where the server does not tell it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct TypeChain(pub(crate) Vec<TypeName>);

impl TypeChain {
    /// The type's own name.
    pub(crate) fn name(&self) -> &str {
        self.0.first().map_or("", |first| first.name.as_str())
    }

    /// Is it this type of this namespace, or a subtype of it?
    pub(crate) fn is(&self, uri: &str, name: &str) -> bool {
        self.0.iter().any(|known| known.uri == uri && known.name == name)
    }
}

/// What is known of types.
#[derive(Default)]
pub(crate) struct Types(Mutex<Known>);

#[derive(Default)]
struct Known {
    names: Option<Names>,
    /// The name of a type, and its supertype.
    types: HashMap<NodeId, (TypeName, Option<NodeId>)>,
}

impl Types {
    /// The chains of `wanted`.
    pub(crate) async fn chains(
        &self,
        calls: &Calls,
        names: &Names,
        wanted: impl IntoIterator<Item = NodeId>,
    ) -> Result<HashMap<NodeId, Arc<TypeChain>>, Failure> {
        let wanted: HashSet<NodeId> = wanted.into_iter().filter(|id| !id.is_null()).collect();
        let mut level: Vec<NodeId> = self.unknown(names, wanted.iter());
        let first = self.type_names(calls, names, &level).await?;
        self.keep(level.iter().cloned().zip(first.into_iter().map(|name| (name, None))));
        for _ in 0..DEPTH_MAX {
            if level.is_empty() {
                break;
            }
            let above = supertypes(calls, names, &level).await?;
            self.link(&level, &above);
            let next: Vec<NodeId> = self.unknown(names, above.iter().flatten().map(|(id, _)| id));
            let found = above.into_iter().flatten().filter(|(id, _)| next.contains(id));
            self.keep(found.map(|(id, name)| (id, (name, None))).collect::<Vec<_>>());
            level = next;
        }
        let known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        Ok(wanted.into_iter().map(|id| (id.clone(), Arc::new(known.chain(&id)))).collect())
    }

    fn unknown<'a>(&self, names: &Names, ids: impl Iterator<Item = &'a NodeId>) -> Vec<NodeId> {
        let mut known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if known.names.as_ref() != Some(names) || known.types.len() > TYPES_MAX {
            *known = Known { names: Some(names.clone()), types: HashMap::new() };
        }
        let mut seen = HashSet::new();
        ids.filter(|id| !known.types.contains_key(*id) && seen.insert((*id).clone())).cloned().collect()
    }

    fn keep(&self, types: impl IntoIterator<Item = (NodeId, (TypeName, Option<NodeId>))>) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).types.extend(types);
    }

    fn link(&self, level: &[NodeId], above: &[Option<(NodeId, TypeName)>]) {
        let mut known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        for (id, above) in level.iter().zip(above) {
            if let Some(entry) = known.types.get_mut(id) {
                entry.1 = above.as_ref().map(|(id, _)| id.clone());
            }
        }
    }

    async fn type_names(&self, calls: &Calls, names: &Names, ids: &[NodeId]) -> Result<Vec<TypeName>, Failure> {
        let wanted: Vec<ReadValueId> =
            ids.iter().map(|id| ReadValueId::new(id.clone(), AttributeId::BrowseName)).collect();
        let values = calls.read(names, &wanted).await?;
        Ok(values
            .into_iter()
            .map(|value| match value.value {
                Some(Variant::QualifiedName(name)) => {
                    TypeName { uri: names.uri(name.namespace_index).to_string(), name: name.name.to_string() }
                }
                _ => TypeName { uri: String::new(), name: String::new() },
            })
            .collect())
    }
}

impl Known {
    fn chain(&self, id: &NodeId) -> TypeChain {
        let mut chain = Vec::new();
        let mut at = Some(id);
        while let Some((name, above)) = at.and_then(|id| self.types.get(id)) {
            if chain.len() == DEPTH_MAX {
                break;
            }
            chain.push(name.clone());
            at = above.as_ref();
        }
        TypeChain(chain.into_iter().filter(|known| !known.name.is_empty()).collect())
    }
}

async fn supertypes(calls: &Calls, names: &Names, ids: &[NodeId]) -> Result<Vec<Option<(NodeId, TypeName)>>, Failure> {
    let wanted: Vec<BrowseDescription> = ids
        .iter()
        .map(|id| BrowseDescription {
            node_id: id.clone(),
            browse_direction: BrowseDirection::Inverse,
            reference_type_id: ReferenceTypeId::HasSubtype.into(),
            include_subtypes: false,
            node_class_mask: 0,
            result_mask: MASK_ALL,
        })
        .collect();
    let results = calls.browse(names, &wanted, 0).await?;
    let above = results.into_iter().map(|result| {
        let reference = result.references.unwrap_or_default().into_iter().next()?;
        let name = reference.browse_name;
        let uri = names.uri(name.namespace_index).to_string();
        Some((reference.node_id.node_id, TypeName { uri, name: name.name.to_string() }))
    });
    Ok(above.collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_subtype_is_what_its_supertypes_are_and_a_circle_ends() {
        let name = |uri: &str, name: &str| TypeName { uri: uri.into(), name: name.into() };
        let id = |number: u32| NodeId::new(1, number);
        let types = HashMap::from([
            (id(1), (name("urn:vendor", "Mine"), Some(id(2)))),
            (id(2), (name("urn:standard", "Base"), Some(id(3)))),
            (id(3), (name("urn:standard", "Circle"), Some(id(2)))),
        ]);
        let known = Known { names: None, types };
        let chain = known.chain(&id(1));
        assert_eq!(chain.name(), "Mine");
        assert!(chain.is("urn:standard", "Base") && chain.is("urn:vendor", "Mine"));
        assert!(!chain.is("urn:vendor", "Base"), "the name alone does not count");
        assert_eq!(known.chain(&id(9)), TypeChain::default());
    }
}
