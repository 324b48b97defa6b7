//! The address space: folders, variables, and what Part 8 says about each (ranges, units, texts).
//!
//! Promise: one variable per tag, read only, with the node id `s=<tag name>`; a dot in a name is a level of
//! the tree under `Objects/Line3`. It does not know where values come from.

use crate::catalogue::{Eu, Kind, TagDef};
use crate::signal::Value;
use crate::simulation::Sample;
use opcua::nodes::{AccessLevel, ObjectBuilder, VariableBuilder};
use opcua::server::address_space::AddressSpace;
use opcua::types::{
    DataTypeId, DataValue, DateTime, EUInformation, ExtensionObject, LocalizedText, NodeId, ObjectTypeId, Range,
    StatusCode, VariableTypeId, Variant,
};
use std::collections::HashSet;

/// `EUInformation.namespaceUri` of UNECE units (OPC 10000-8, 5.6.4.3).
const UNECE: &str = "http://www.opcfoundation.org/UA/units/un/cefact";
const ROOT: &str = "Line3";

/// Inserts all tags and gives their node ids, in the same order.
pub(super) fn insert(space: &mut AddressSpace, namespace: u16, tags: &[TagDef]) -> Vec<NodeId> {
    let root = NodeId::new(namespace, ROOT);
    space.add_folder(&root, opcua::types::QualifiedName::new(namespace, ROOT), "Line 3", &NodeId::objects_folder_id());
    let mut folders = HashSet::new();
    tags.iter()
        .map(|tag| {
            let parent = folder_of(space, namespace, &root, &tag.name, &mut folders);
            variable(space, namespace, &parent, tag)
        })
        .collect()
}

/// A value as OPC UA sends it.
pub(super) fn data_value(sample: &Sample, at: DateTime, now: DateTime) -> DataValue {
    DataValue {
        // The library forgets the status of a variable without a value, but keeps that of a null value.
        value: Some(sample.value.map_or(Variant::Empty, variant)),
        status: Some(StatusCode::from(sample.quality.code())),
        source_timestamp: Some(at),
        source_picoseconds: None,
        server_timestamp: Some(now),
        server_picoseconds: None,
    }
}

fn variant(value: Value) -> Variant {
    match value {
        Value::Bool(value) => value.into(),
        Value::UInt16(value) => value.into(),
        Value::UInt32(value) => value.into(),
        Value::Float(value) => value.into(),
        Value::Double(value) => value.into(),
    }
}

/// The object above a tag, made with all objects above it where they are not there yet.
fn folder_of(
    space: &mut AddressSpace,
    namespace: u16,
    root: &NodeId,
    name: &str,
    made: &mut HashSet<String>,
) -> NodeId {
    let mut parent = root.clone();
    let dots: Vec<usize> = name.match_indices('.').map(|(at, _)| at).collect();
    let mut begin = 0;
    for end in dots {
        let path = &name[..end];
        // A folder id must differ from the tag ids below it.
        let id = NodeId::new(namespace, format!("{path}/"));
        if made.insert(path.to_owned()) {
            let level = &name[begin..end];
            ObjectBuilder::new(&id, opcua::types::QualifiedName::new(namespace, level), level)
                .has_type_definition(ObjectTypeId::BaseObjectType)
                .component_of(parent.clone())
                .insert(space);
        }
        parent = id;
        begin = end + 1;
    }
    parent
}

fn variable(space: &mut AddressSpace, namespace: u16, parent: &NodeId, tag: &TagDef) -> NodeId {
    let id = NodeId::new(namespace, tag.name.as_str());
    let short = tag.name.rsplit_once('.').map_or(tag.name.as_str(), |(_, short)| short);
    let (data_type, type_definition, null) = types(tag);
    VariableBuilder::new(&id, opcua::types::QualifiedName::new(namespace, short), short)
        .description(tag.description.as_str())
        .data_type(data_type)
        .value_rank(-1)
        .value(null)
        .access_level(AccessLevel::CURRENT_READ)
        .user_access_level(AccessLevel::CURRENT_READ)
        .minimum_sampling_interval(f64::from(tag.every_ms))
        .has_type_definition(type_definition)
        .component_of(parent.clone())
        .insert(space);
    if let Some((low, high)) = tag.range {
        property(space, &id, "EURange", DataTypeId::Range, ExtensionObject::from_message(Range { low, high }).into());
    }
    if let Some(eu) = tag.eu {
        property(
            space,
            &id,
            "EngineeringUnits",
            DataTypeId::EUInformation,
            ExtensionObject::from_message(information(eu)).into(),
        );
    }
    texts(space, &id, tag);
    id
}

fn types(tag: &TagDef) -> (DataTypeId, VariableTypeId, Variant) {
    match tag.kind {
        Kind::Double => (DataTypeId::Double, VariableTypeId::AnalogUnitRangeType, 0f64.into()),
        Kind::Float => (DataTypeId::Float, VariableTypeId::AnalogUnitRangeType, 0f32.into()),
        Kind::Counter => (DataTypeId::UInt32, VariableTypeId::BaseDataVariableType, 0u32.into()),
        Kind::Raw => (DataTypeId::UInt16, VariableTypeId::BaseDataVariableType, 0u16.into()),
        Kind::MultiState => (DataTypeId::UInt32, VariableTypeId::MultiStateDiscreteType, 0u32.into()),
        Kind::TwoState => (DataTypeId::Boolean, VariableTypeId::TwoStateDiscreteType, false.into()),
    }
}

fn texts(space: &mut AddressSpace, id: &NodeId, tag: &TagDef) {
    let localized = |text: &str| LocalizedText::new("en", text);
    match (tag.kind, tag.texts) {
        (Kind::MultiState, texts) => {
            let texts: Vec<LocalizedText> = texts.iter().map(|text| localized(text)).collect();
            property(space, id, "EnumStrings", DataTypeId::LocalizedText, texts.into());
        }
        (Kind::TwoState, [no, yes]) => {
            property(space, id, "FalseState", DataTypeId::LocalizedText, localized(no).into());
            property(space, id, "TrueState", DataTypeId::LocalizedText, localized(yes).into());
        }
        _ => {}
    }
}

fn property(space: &mut AddressSpace, of: &NodeId, name: &str, data_type: DataTypeId, value: Variant) {
    let rank = if value.is_array() { 1 } else { -1 };
    let id = NodeId::new(of.namespace, format!("{}/{name}", of.identifier));
    VariableBuilder::new(&id, name, name)
        .data_type(data_type)
        .value_rank(rank)
        .value(value)
        .has_type_definition(VariableTypeId::PropertyType)
        .property_of(of.clone())
        .insert(space);
}

fn information(eu: Eu) -> EUInformation {
    EUInformation {
        namespace_uri: UNECE.into(),
        unit_id: eu.unit_id(),
        display_name: LocalizedText::new("", eu.symbol),
        description: LocalizedText::new("en", eu.name),
    }
}
