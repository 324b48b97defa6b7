//! What OPC 10000-8 (Data Access) lets a server say about a variable: unit, ranges, texts, precision.
//!
//! Promises: what the server does not say stays empty; texts are for people only, numbers carry the
//! meaning; a property that cannot be read costs itself only.

use super::calls::Names;
use super::types::TypeChain;
use super::{Explorer, Failure, UA, local, references};
use crate::data_access::{
    EngineeringUnit, TEXTS_MAX, Texts, bounded, enumeration, localized, number, range, take_texts, unit,
};
use opcua::types::{
    AttributeId, BrowseDirection, DataTypeDefinition, DataValue, NodeId, ReadValueId, ReferenceTypeId, StatusCode,
    StructureDefinition, Variant,
};
use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, PoisonError};

/// AccessLevel bit (OPC 10000-3, 8.57).
const CURRENT_READ: u8 = 1;
/// Variables whose description is remembered.
const METAS_MAX: usize = 20_000;

/// Properties of Data Access (OPC 10000-8, 5.3) and of enumerations (OPC 10000-3, 5.8.3).
const PROPERTIES: [&str; 9] = [
    "EngineeringUnits",
    "EURange",
    "InstrumentRange",
    "ValuePrecision",
    "Definition",
    "EnumStrings",
    "EnumValues",
    "TrueState",
    "FalseState",
];

/// What a server says about a variable.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Meta {
    /// Name of the data type; empty where the server does not tell it.
    pub data_type: String,
    /// -1 a single value, 1 or more that many dimensions (OPC 10000-3, 5.6.2).
    pub value_rank: i32,
    pub description: String,
    pub unit: Option<EngineeringUnit>,
    /// Normal operating range (low, high).
    pub range: Option<(f64, f64)>,
    /// What the instrument can deliver.
    pub instrument_range: Option<(f64, f64)>,
    /// Digits after the point for numbers (OPC 10000-8, 5.3.1).
    pub precision: Option<f64>,
    /// How the value is made, in the server's words.
    pub definition: String,
    /// Texts by number; 0 and 1 for a Boolean.
    pub texts: BTreeMap<i64, String>,
    /// This user may not read the value.
    pub denied: bool,
    pub(crate) type_chain: Arc<TypeChain>,
}

impl Meta {
    /// Is the value of this data type of OPC UA, or derived from it?
    pub(crate) fn is(&self, name: &str) -> bool {
        self.type_chain.is(UA, name)
    }
}

/// What is remembered, for one order of namespaces.
#[derive(Default)]
pub(crate) struct Metas {
    names: Option<Names>,
    known: HashMap<NodeId, Arc<Meta>>,
}

/// Property nodes by name.
pub(crate) type Properties = BTreeMap<String, NodeId>;

impl Explorer {
    /// As [`Explorer::metas`], remembered: for what is asked every second.
    pub(crate) async fn known_metas(&self, names: &Names, nodes: &[NodeId]) -> Result<Vec<Arc<Meta>>, Failure> {
        let missing: Vec<NodeId> = {
            let mut metas = self.metas.lock().unwrap_or_else(PoisonError::into_inner);
            if metas.names.as_ref() != Some(names) || metas.known.len() > METAS_MAX {
                *metas = Metas { names: Some(names.clone()), known: HashMap::new() };
            }
            nodes.iter().filter(|node| !metas.known.contains_key(*node)).cloned().collect()
        };
        let read = if missing.is_empty() { Vec::new() } else { self.metas(names, &missing).await? };
        let mut metas = self.metas.lock().unwrap_or_else(PoisonError::into_inner);
        metas.known.extend(missing.into_iter().zip(read.into_iter().map(Arc::new)));
        Ok(nodes.iter().map(|node| metas.known.get(node).cloned().unwrap_or_default()).collect())
    }

    /// What the server says about these variables.
    pub(crate) async fn metas(&self, names: &Names, nodes: &[NodeId]) -> Result<Vec<Meta>, Failure> {
        let properties = self.properties(names, nodes).await?;
        self.metas_with(names, nodes, &properties).await
    }

    /// As [`Explorer::metas`], where the properties were found already.
    pub(crate) async fn metas_with(
        &self,
        names: &Names,
        nodes: &[NodeId],
        properties: &[Properties],
    ) -> Result<Vec<Meta>, Failure> {
        let attributes =
            [AttributeId::DataType, AttributeId::ValueRank, AttributeId::Description, AttributeId::UserAccessLevel];
        let wanted: Vec<ReadValueId> = nodes
            .iter()
            .flat_map(|node| attributes.map(|attribute| ReadValueId::new(node.clone(), attribute)))
            .collect();
        let answers = self.calls.read(names, &wanted).await?;
        let mut metas = Vec::with_capacity(nodes.len());
        let mut types = Vec::with_capacity(nodes.len());
        for answer in answers.chunks_exact(attributes.len()) {
            types.push(match &answer[0].value {
                Some(Variant::NodeId(id)) => (**id).clone(),
                _ => NodeId::null(),
            });
            metas.push(Meta {
                value_rank: match answer[1].value {
                    Some(Variant::Int32(rank)) => rank,
                    _ => -1,
                },
                description: answer[2].value.as_ref().and_then(localized).unwrap_or_default(),
                denied: is_denied(&answer[3]),
                ..Meta::default()
            });
        }
        self.take_properties(names, &mut metas, properties).await?;
        self.take_types(names, &mut metas, &types).await?;
        Ok(metas)
    }

    /// The Data Access properties below each node, by name.
    pub(crate) async fn properties(&self, names: &Names, nodes: &[NodeId]) -> Result<Vec<Properties>, Failure> {
        let wanted: Vec<_> =
            nodes.iter().map(|node| references(node, ReferenceTypeId::HasProperty, BrowseDirection::Forward)).collect();
        let results = self.calls.browse(names, &wanted, 0).await?;
        let mut properties = Vec::with_capacity(nodes.len());
        for result in results {
            if !result.continuation_point.is_null_or_empty() {
                // More properties than fit into one answer: those of Data Access come first or not at all.
                self.calls.browse_next(&result.continuation_point, true).await?;
            }
            let of = result.references.unwrap_or_default().into_iter().filter_map(|reference| {
                let name = reference.browse_name;
                Some((property_name(name.namespace_index, name.name.as_ref())?, local(names, &reference.node_id)?))
            });
            properties.push(of.collect());
        }
        Ok(properties)
    }

    async fn take_properties(
        &self,
        names: &Names,
        metas: &mut [Meta],
        properties: &[Properties],
    ) -> Result<(), Failure> {
        let places: Vec<(usize, &str, &NodeId)> = properties
            .iter()
            .enumerate()
            .flat_map(|(index, of)| of.iter().map(move |(name, id)| (index, name.as_str(), id)))
            .collect();
        let wanted: Vec<ReadValueId> = places.iter().map(|(_, _, id)| ReadValueId::from((*id).clone())).collect();
        let answers = self.calls.read(names, &wanted).await?;
        for ((index, name, _), answer) in places.into_iter().zip(answers) {
            if let (Some(meta), Some(value)) = (metas.get_mut(index), answer.value) {
                take(meta, name, &value);
            }
        }
        Ok(())
    }

    /// Names of data types, and the texts of enumerations.
    async fn take_types(&self, names: &Names, metas: &mut [Meta], types: &[NodeId]) -> Result<(), Failure> {
        let chains = self.types.chains(&self.calls, names, types.iter().cloned()).await?;
        let mut enumerations: HashMap<NodeId, Texts> = HashMap::new();
        for (meta, id) in metas.iter_mut().zip(types) {
            let Some(chain) = chains.get(id) else { continue };
            meta.data_type = chain.name().to_string();
            meta.type_chain = Arc::clone(chain);
            if meta.is("LocalizedText") || meta.is("String") {
                // A text already: names for numbers do not belong to it.
                meta.texts.clear();
            }
            if meta.texts.is_empty() && meta.is("Enumeration") {
                if !enumerations.contains_key(id) {
                    enumerations.insert(id.clone(), self.enumeration(names, id).await?);
                }
                meta.texts.clone_from(&enumerations[id]);
            }
        }
        Ok(())
    }

    /// The texts of an enumeration: its DataTypeDefinition (OPC 10000-3, 8.50), or the properties of older servers.
    pub(crate) async fn enumeration(&self, names: &Names, id: &NodeId) -> Result<Texts, Failure> {
        let wanted = ReadValueId::new(id.clone(), AttributeId::DataTypeDefinition);
        let answers = self.calls.read(names, &[wanted]).await?;
        let definition = answers.into_iter().next().and_then(|answer| answer.value);
        if let Some(texts) = definition.as_ref().and_then(enumeration) {
            return Ok(texts);
        }
        let properties = self.properties(names, std::slice::from_ref(id)).await?;
        let mut meta = [Meta::default()];
        self.take_properties(names, &mut meta, &properties).await?;
        Ok(std::mem::take(&mut meta[0].texts))
    }

    /// The fields of a structure in words; empty where the server does not tell them.
    pub(crate) fn fields(definition: &Variant) -> String {
        let Variant::ExtensionObject(object) = definition else { return String::new() };
        let structure = object.inner_as::<StructureDefinition>().or_else(|| {
            object.inner_as::<DataTypeDefinition>().and_then(|definition| match definition {
                DataTypeDefinition::Structure(structure) => Some(structure),
                DataTypeDefinition::Enum(_) => None,
            })
        });
        let fields = structure.and_then(|structure| structure.fields.as_ref()).into_iter().flatten();
        fields.take(TEXTS_MAX).map(|field| field.name.to_string()).collect::<Vec<_>>().join(", ")
    }
}

/// By the access level, or by a refusal to tell it.
fn is_denied(answer: &DataValue) -> bool {
    match (&answer.value, answer.status) {
        (Some(Variant::Byte(level)), _) => level & CURRENT_READ == 0,
        (_, Some(status)) => matches!(
            status,
            StatusCode::BadUserAccessDenied | StatusCode::BadNotReadable | StatusCode::BadSecurityModeInsufficient
        ),
        _ => false,
    }
}

/// The name, where it is a property that is understood here.
pub(crate) fn property_name(namespace: u16, name: &str) -> Option<String> {
    (namespace == 0 && PROPERTIES.contains(&name)).then(|| name.to_string())
}

fn take(meta: &mut Meta, name: &str, value: &Variant) {
    match name {
        "EngineeringUnits" => meta.unit = unit(value),
        "EURange" => meta.range = range(value),
        "InstrumentRange" => meta.instrument_range = range(value),
        "ValuePrecision" => meta.precision = number(value),
        "Definition" => meta.definition = text(value),
        _ => take_texts(&mut meta.texts, name, value),
    }
}

fn text(value: &Variant) -> String {
    match value {
        Variant::String(text) => bounded(text),
        _ => String::new(),
    }
}
