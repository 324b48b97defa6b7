//! Everything a server says about one node, as rows of text.
//!
//! A row whose attribute cannot be read shows the status instead; it never hides the others.

use super::calls::Names;
use super::preview::{reading, status_text};
use super::tree::{Node, NodeClass};
use super::walk::Seen;
use super::{Explorer, Failure, Meta, Reading, local, references};
use crate::value::shown;
use lineside_model::StatusCode;
use opcua::types::{
    AttributeId, BrowseDirection, DataValue, NodeClass as UaClass, NodeId, ReadValueId, ReferenceTypeId,
    StatusCode as UaStatus, Variant,
};

/// Asked for in this order; what a class of nodes does not have is left out.
const ATTRIBUTES: [AttributeId; 14] = [
    AttributeId::NodeClass,
    AttributeId::BrowseName,
    AttributeId::DisplayName,
    AttributeId::Description,
    AttributeId::DataType,
    AttributeId::ValueRank,
    AttributeId::ArrayDimensions,
    AttributeId::AccessLevel,
    AttributeId::UserAccessLevel,
    AttributeId::MinimumSamplingInterval,
    AttributeId::Historizing,
    AttributeId::EventNotifier,
    AttributeId::Executable,
    AttributeId::IsAbstract,
];

/// One fact about a node.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Row {
    /// As the standard names it: `AccessLevel`.
    pub name: &'static str,
    /// Readable; where `status` is bad, the reason.
    pub text: String,
    pub status: StatusCode,
}

/// Everything about one node.
#[derive(Clone, Debug, PartialEq)]
pub struct Details {
    pub node: Node,
    pub rows: Vec<Row>,
    /// Variables only.
    pub value: Option<Reading>,
    /// Variables only.
    pub meta: Option<Meta>,
}

impl Explorer {
    /// All attributes and Data Access properties of `node`.
    pub async fn details(&self, node: &str) -> Result<Details, Failure> {
        let names = self.calls.names().await?;
        let id = names.resolve(node)?;
        let seen = self.seen(&names, &id).await?;
        let wanted: Vec<ReadValueId> =
            ATTRIBUTES.iter().map(|attribute| ReadValueId::new(id.clone(), *attribute)).collect();
        let answers = self.calls.read(&names, &wanted).await?;
        let is_variable = seen.class == NodeClass::Variable;
        let meta = match is_variable {
            true => self.metas(&names, std::slice::from_ref(&id)).await?.into_iter().next(),
            false => None,
        };
        let mut rows: Vec<Row> = Vec::new();
        for (attribute, answer) in ATTRIBUTES.iter().zip(&answers) {
            rows.extend(attribute_row(*attribute, answer, meta.as_ref(), &names));
        }
        rows.extend(meta.iter().flat_map(meta_rows));
        rows.extend(self.structure_row(&names, &answers, meta.as_ref()).await?);
        let value = match &meta {
            Some(meta) => {
                let answers = self.calls.read(&names, &[ReadValueId::from(id)]).await?;
                answers.first().map(|answer| reading(node, meta, answer))
            }
            None => None,
        };
        let node = self.nodes(&names, vec![seen]).await?.pop().ok_or_else(|| Failure::gone("node"))?;
        Ok(Details { node, rows, value, meta })
    }

    /// What a walk must know of its root.
    pub(crate) async fn seen(&self, names: &Names, id: &NodeId) -> Result<Seen, Failure> {
        let wanted = [AttributeId::NodeClass, AttributeId::BrowseName, AttributeId::DisplayName]
            .map(|attribute| ReadValueId::new(id.clone(), attribute));
        let answers = self.calls.read(names, &wanted).await?;
        let class = match (&answers[0].value, answers[0].status) {
            (Some(Variant::Int32(class)), _) => NodeClass::from(UaClass::try_from(*class).unwrap_or_default()),
            (_, status) => {
                let host = crate::connect::endpoint::authority(&self.connection().endpoint);
                let status = status.filter(UaStatus::is_bad).unwrap_or(UaStatus::BadNodeIdUnknown);
                return Err(Failure::service(host, "show the node", status));
            }
        };
        let type_definition = references(id, ReferenceTypeId::HasTypeDefinition, BrowseDirection::Forward);
        let results = self.calls.browse(names, &[type_definition], 0).await?;
        let reference = results.into_iter().next().and_then(|result| result.references?.into_iter().next());
        let (name, namespace) = match &answers[1].value {
            Some(Variant::QualifiedName(name)) => (name.name.to_string(), name.namespace_index),
            _ => (String::new(), 0),
        };
        let display = answers[2].value.as_ref().map(shown).unwrap_or_default();
        Ok(Seen {
            id: id.clone(),
            display: if display.is_empty() { name.clone() } else { display },
            name,
            namespace,
            class,
            type_definition: reference.and_then(|of| local(names, &of.node_id)).unwrap_or_else(NodeId::null),
            property: false,
            parent: None,
        })
    }

    /// The fields of a structured value.
    async fn structure_row(
        &self,
        names: &Names,
        answers: &[DataValue],
        meta: Option<&Meta>,
    ) -> Result<Option<Row>, Failure> {
        let place = ATTRIBUTES.iter().position(|attribute| *attribute == AttributeId::DataType);
        let data_type = place.and_then(|place| answers.get(place)).and_then(|answer| answer.value.as_ref());
        let (Some(meta), Some(Variant::NodeId(id))) = (meta, data_type) else { return Ok(None) };
        if !meta.is("Structure") {
            return Ok(None);
        }
        let wanted = ReadValueId::new((**id).clone(), AttributeId::DataTypeDefinition);
        let answer = self.calls.read(names, &[wanted]).await?.into_iter().next().and_then(|answer| answer.value);
        let fields = answer.map(|definition| Explorer::fields(&definition)).unwrap_or_default();
        Ok((!fields.is_empty()).then(|| good("Fields", fields)))
    }
}

fn good(name: &'static str, text: String) -> Row {
    Row { name, text, status: StatusCode::GOOD }
}

/// `None`: this class of nodes has no such attribute, or nothing is said.
fn attribute_row(attribute: AttributeId, answer: &DataValue, meta: Option<&Meta>, names: &Names) -> Option<Row> {
    let name = attribute_name(attribute);
    let status = answer.status.unwrap_or_default();
    if status == UaStatus::BadAttributeIdInvalid {
        return None;
    }
    if status.is_bad() {
        return Some(Row { name, text: status_text(status), status: StatusCode(status.bits()) });
    }
    let value = answer.value.as_ref()?;
    let text = match (attribute, value) {
        (AttributeId::NodeClass, Variant::Int32(class)) => {
            NodeClass::from(UaClass::try_from(*class).unwrap_or_default()).name().to_string()
        }
        (AttributeId::BrowseName, Variant::QualifiedName(of)) => match names.uri(of.namespace_index) {
            uri if of.namespace_index == 0 || uri.is_empty() => of.name.to_string(),
            uri => format!("{} ({uri})", of.name),
        },
        (AttributeId::DataType, Variant::NodeId(id)) => match meta.map(|meta| meta.data_type.as_str()) {
            Some(known) if !known.is_empty() => format!("{known} ({})", names.portable(id)),
            _ => names.portable(id),
        },
        (AttributeId::AccessLevel | AttributeId::UserAccessLevel, Variant::Byte(level)) => access(*level),
        (AttributeId::EventNotifier, Variant::Byte(level)) => events(*level),
        (AttributeId::ValueRank, Variant::Int32(rank)) => rank_text(*rank),
        (AttributeId::MinimumSamplingInterval, Variant::Double(interval)) => sampling(*interval),
        (_, Variant::Empty) => return None,
        (_, other) => shown(other),
    };
    (!text.is_empty()).then(|| good(name, text))
}

fn attribute_name(attribute: AttributeId) -> &'static str {
    match attribute {
        AttributeId::NodeClass => "NodeClass",
        AttributeId::BrowseName => "BrowseName",
        AttributeId::DisplayName => "DisplayName",
        AttributeId::Description => "Description",
        AttributeId::DataType => "DataType",
        AttributeId::ValueRank => "ValueRank",
        AttributeId::ArrayDimensions => "ArrayDimensions",
        AttributeId::AccessLevel => "AccessLevel",
        AttributeId::UserAccessLevel => "UserAccessLevel",
        AttributeId::MinimumSamplingInterval => "MinimumSamplingInterval",
        AttributeId::Historizing => "Historizing",
        AttributeId::EventNotifier => "EventNotifier",
        AttributeId::Executable => "Executable",
        _ => "IsAbstract",
    }
}

fn meta_rows(meta: &Meta) -> Vec<Row> {
    let range = |(low, high): (f64, f64)| format!("{low} to {high}");
    let mut rows = Vec::new();
    if let Some(unit) = &meta.unit {
        let code = unit.code.as_ref().map(|code| format!(", UNECE {code}")).unwrap_or_default();
        let name = if unit.name.is_empty() { String::new() } else { format!(", {}", unit.name) };
        rows.push(good("EngineeringUnits", format!("{}{name}{code} (unitId {})", unit.symbol, unit.unit_id)));
    }
    rows.extend(meta.range.map(|known| good("EURange", range(known))));
    rows.extend(meta.instrument_range.map(|known| good("InstrumentRange", range(known))));
    rows.extend(meta.precision.map(|digits| good("ValuePrecision", digits.to_string())));
    if !meta.definition.is_empty() {
        rows.push(good("Definition", meta.definition.clone()));
    }
    if !meta.texts.is_empty() {
        let texts: Vec<String> = meta.texts.iter().map(|(number, text)| format!("{number} = {text}")).collect();
        rows.push(good("Texts", texts.join(", ")));
    }
    rows
}

/// OPC 10000-3, 8.57.
fn access(level: u8) -> String {
    let bits =
        ["read", "write", "read history", "write history", "semantic change events", "write status", "write timestamp"];
    let words: Vec<&str> =
        bits.iter().enumerate().filter(|(bit, _)| level & (1 << bit) != 0).map(|(_, word)| *word).collect();
    if words.is_empty() { "none".to_string() } else { words.join(", ") }
}

/// OPC 10000-3, 8.59.
fn events(level: u8) -> String {
    let bits = [(1, "sends events"), (4, "read event history"), (8, "write event history")];
    let words: Vec<&str> = bits.iter().filter(|(bit, _)| level & bit != 0).map(|(_, word)| *word).collect();
    words.join(", ")
}

/// OPC 10000-3, 5.6.2.
fn rank_text(rank: i32) -> String {
    match rank {
        -3 => "single value or one dimension".to_string(),
        -2 => "any".to_string(),
        -1 => "single value".to_string(),
        0 => "one or more dimensions".to_string(),
        1 => "one dimension".to_string(),
        more => format!("{more} dimensions"),
    }
}

/// OPC 10000-3, 5.6.2: milliseconds; 0 continuous, -1 not known.
fn sampling(interval: f64) -> String {
    match interval {
        0.0 => "continuous".to_string(),
        known if known > 0.0 => format!("{known} ms"),
        _ => "not known".to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bits_are_words() {
        assert_eq!(access(0), "none");
        assert_eq!(access(0b101), "read, read history");
        assert_eq!(events(1), "sends events");
        assert_eq!(rank_text(2), "2 dimensions");
        assert_eq!(sampling(0.0), "continuous");
        assert_eq!(sampling(-1.0), "not known");
    }
}
