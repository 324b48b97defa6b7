//! What a server says of its nodes: units, ranges, texts of states, data types (OPC 10000-8 5.3, 6).
//!
//! Read in the background, after the values flow, for tags of which the configuration says nothing; again for
//! a tag whose status carries SemanticsChanged or StructureChanged. Kept for one life of the server.

use crate::beside::visit::Visit;
use crate::data_access::{Texts, bounded, enumeration, range, take_texts, unit};
use crate::service::{attribute, properties, read_beside};
use lineside_model::config::Tag;
use lineside_model::report::NodeMeta;
use lineside_model::{PlantConfig, Sample, TagId, Text, Timestamp};
use opcua::types::{AttributeId, DataValue, NodeId, ReadValueId, StatusCode, Variant};
use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;

/// SemanticsChanged and StructureChanged in a value's status (OPC 10000-4 7.39.1).
pub(crate) const CHANGED: u32 = 0x4000 | 0x8000;
/// Tags that are read together; what is known of them is told before the next ones are read.
const TAGS_AT_ONCE: usize = 100;
/// A tag whose reading was interrupted more often than this is left alone.
const BROKEN_MAX: u32 = 2;

const PROPERTIES: [&str; 6] = ["EngineeringUnits", "EURange", "EnumStrings", "EnumValues", "TrueState", "FalseState"];

/// What is known of the nodes of one connection, and of which it is to be read.
#[derive(Debug, Default)]
pub(crate) struct Catalogue {
    started: Option<Timestamp>,
    known: BTreeMap<TagId, Arc<NodeMeta>>,
    wanted: BTreeSet<TagId>,
    /// Being read. Where the link is lost meanwhile, an answer may have been what broke it.
    under_way: Vec<TagId>,
    suspects: BTreeMap<TagId, u32>,
    types: HashMap<NodeId, DataType>,
}

#[derive(Clone, Debug, Default)]
struct DataType {
    name: Text,
    texts: Texts,
}

/// Does the configuration leave it to the server to say what the values are?
pub(crate) fn is_wanted(tag: &Tag) -> bool {
    tag.unit.is_empty() && tag.range.is_none() && tag.texts.is_empty()
}

impl Catalogue {
    /// A session began; `tags` are monitored on it. What another life of the server said is forgotten.
    pub(crate) fn visit(
        &mut self,
        config: &PlantConfig,
        tags: impl Iterator<Item = TagId>,
        started: Option<Timestamp>,
    ) {
        if started.is_none() || started != self.started {
            *self = Catalogue { started, ..Catalogue::default() };
        }
        self.wanted.clear();
        self.accepted(config, tags);
    }

    /// These tags are monitored now too.
    pub(crate) fn accepted(&mut self, config: &PlantConfig, tags: impl Iterator<Item = TagId>) {
        let new = tags.filter(|tag| is_wanted(config.tag(*tag)) && !self.known.contains_key(tag));
        let given_up = |tag: &TagId| self.suspects.get(tag).is_some_and(|broken| *broken > BROKEN_MAX);
        self.wanted.extend(new.filter(|tag| !given_up(tag)));
    }

    /// A value whose status says that its meaning has changed; true where that is to be read.
    pub(crate) fn passed(&mut self, sample: &Sample) -> bool {
        if sample.status.0 & CHANGED == 0 || !self.known.contains_key(&sample.tag) {
            return false;
        }
        if sample.status.0 & 0x8000 != 0 {
            self.types.clear();
        }
        self.wanted.insert(sample.tag)
    }

    /// The tags to read next.
    pub(crate) fn next(&mut self) -> Vec<TagId> {
        for tag in std::mem::take(&mut self.under_way) {
            let broken = self.suspects.entry(tag).or_default();
            *broken += 1;
            if *broken > BROKEN_MAX {
                self.wanted.remove(&tag);
            }
        }
        let mut clear = self.wanted.iter().filter(|tag| !self.suspects.contains_key(tag)).peekable();
        let next: Vec<TagId> = match clear.peek() {
            Some(_) => clear.take(TAGS_AT_ONCE).copied().collect(),
            None => self.wanted.iter().take(1).copied().collect(),
        };
        self.under_way.clone_from(&next);
        next
    }

    /// What was under way has been answered. Where the answer was no failure, nothing more is to be asked of it.
    pub(crate) fn answered(&mut self, failed: bool) {
        for tag in std::mem::take(&mut self.under_way).into_iter().filter(|_| !failed) {
            self.wanted.remove(&tag);
            self.suspects.remove(&tag);
        }
    }

    /// Takes what was read; true where it is news.
    pub(crate) fn learn(&mut self, tag: TagId, meta: &Arc<NodeMeta>) -> bool {
        let before = self.known.insert(tag, meta.clone());
        before.as_ref() != Some(meta)
    }
}

/// Reads what the server says of `tags`.
///
/// Errors: a call failed altogether.
pub(crate) async fn read(
    visit: &Visit,
    catalogue: &opcua::sync::Mutex<Catalogue>,
    tags: &[TagId],
) -> Result<Vec<(TagId, NodeMeta)>, StatusCode> {
    let nodes: Vec<(TagId, NodeId)> =
        tags.iter().filter_map(|tag| Some((*tag, visit.items.lock().get(tag)?.clone()))).collect();
    let (mut translate, mut chunk) = (visit.limits.translate, visit.limits.read);
    let paths: Vec<(NodeId, &str)> =
        nodes.iter().flat_map(|(_, node)| PROPERTIES.map(|name| (node.clone(), name))).collect();
    let found = properties(&visit.session, &paths, &mut translate).await?;
    let mut operands: Vec<ReadValueId> = nodes.iter().map(|(_, node)| attribute(node, AttributeId::DataType)).collect();
    operands.extend(found.iter().flatten().map(|node| attribute(node, AttributeId::Value)));
    let mut values = read_beside(&visit.session, &operands, &mut chunk).await?.into_iter();
    let types: Vec<NodeId> = values.by_ref().take(nodes.len()).map(node_id).collect();
    data_types(visit, catalogue, &types, &mut translate, &mut chunk).await?;
    let mut found = found.into_iter();
    let known = catalogue.lock();
    let metas = nodes.into_iter().zip(types).map(|((tag, _), data_type)| {
        let mut said = Vec::new();
        for (name, property) in PROPERTIES.iter().zip(found.by_ref()) {
            said.extend(property.and_then(|_| Some((*name, values.next()?.value?))));
        }
        (tag, meta(&said, known.types.get(&data_type).cloned().unwrap_or_default()))
    });
    Ok(metas.collect())
}

/// Names, and texts of enumerations, of the data types that are not known yet.
async fn data_types(
    visit: &Visit,
    catalogue: &opcua::sync::Mutex<Catalogue>,
    types: &[NodeId],
    translate: &mut usize,
    chunk: &mut usize,
) -> Result<(), StatusCode> {
    let mut new: Vec<NodeId> = Vec::new();
    for id in types {
        if !id.is_null() && !new.contains(id) && !catalogue.lock().types.contains_key(id) {
            new.push(id.clone());
        }
    }
    let operands: Vec<_> = new
        .iter()
        .flat_map(|id| [attribute(id, AttributeId::BrowseName), attribute(id, AttributeId::DataTypeDefinition)])
        .collect();
    let values = read_beside(&visit.session, &operands, chunk).await?;
    let mut read: Vec<DataType> = values.chunks(2).map(data_type).collect();
    // Older servers describe enumerations by a property of the type only.
    let bare: Vec<usize> = (0..new.len()).filter(|at| read[*at].texts.is_empty() && !is_built_in(&new[*at])).collect();
    let paths: Vec<(NodeId, &str)> =
        bare.iter().flat_map(|at| ["EnumStrings", "EnumValues"].map(|name| (new[*at].clone(), name))).collect();
    let found = properties(&visit.session, &paths, translate).await?;
    let operands: Vec<_> = found.iter().flatten().map(|node| attribute(node, AttributeId::Value)).collect();
    let mut values = read_beside(&visit.session, &operands, chunk).await?.into_iter();
    for (at, properties) in bare.into_iter().zip(found.chunks(2)) {
        for (name, _) in ["EnumStrings", "EnumValues"].into_iter().zip(properties).filter(|(_, found)| found.is_some())
        {
            if let Some(value) = values.next().and_then(|value| value.value) {
                take_texts(&mut read[at].texts, name, &value);
            }
        }
    }
    catalogue.lock().types.extend(new.into_iter().zip(read));
    Ok(())
}

/// The built-in types and their abstract parents (OPC 10000-6 5.1.2) are described by their names.
fn is_built_in(id: &NodeId) -> bool {
    id.namespace == 0 && id.as_u32().is_some_and(|id| id <= 29)
}

fn data_type(values: &[DataValue]) -> DataType {
    let mut data_type = DataType::default();
    for value in values.iter().filter_map(|value| value.value.as_ref()) {
        match value {
            Variant::QualifiedName(name) => data_type.name = bounded(&name.name).into(),
            other => data_type.texts.extend(enumeration(other).unwrap_or_default()),
        }
    }
    data_type
}

fn node_id(value: DataValue) -> NodeId {
    match value.value {
        Some(Variant::NodeId(id)) => *id,
        _ => NodeId::null(),
    }
}

/// What the properties of a node say, with the texts of its type where it has none of its own.
fn meta(said: &[(&str, Variant)], data_type: DataType) -> NodeMeta {
    let mut meta = NodeMeta { data_type: data_type.name, ..NodeMeta::default() };
    let mut texts = Texts::new();
    for (name, value) in said {
        match *name {
            "EngineeringUnits" => meta.unit = unit(value).map_or_else(Text::default, |unit| unit.symbol.into()),
            "EURange" => meta.range = range(value),
            name => take_texts(&mut texts, name, value),
        }
    }
    let texts = if texts.is_empty() { data_type.texts } else { texts };
    meta.texts = texts.into_iter().map(|(number, text)| (number, text.into())).collect();
    meta
}

#[cfg(test)]
mod tests {
    use super::*;
    use lineside_model::{ConnectionId, StatusCode as Status, Value};
    use opcua::types::{EUInformation, ExtensionObject, LocalizedText, Range};

    #[test]
    fn a_node_speaks_for_itself_and_else_its_type_does() {
        let object = |object| Variant::from(object);
        let unit = EUInformation { display_name: "°C".into(), ..EUInformation::default() };
        let said = [
            ("EngineeringUnits", object(ExtensionObject::from_message(unit))),
            ("EURange", object(ExtensionObject::from_message(Range { low: -5.0, high: 90.0 }))),
        ];
        let of_type = || DataType { name: "StateEnum".into(), texts: Texts::from([(3, "held".to_string())]) };
        let analog = meta(&said, of_type());
        assert_eq!((&*analog.unit, analog.range, &*analog.data_type), ("°C", Some((-5.0, 90.0)), "StateEnum"));
        assert_eq!(analog.texts, [(3, "held".into())]);
        let own = meta(&[("TrueState", Variant::from(LocalizedText::from("on")))], of_type());
        assert_eq!(own.texts, [(1, "on".into())]);
    }

    #[test]
    fn it_is_read_once_per_life_of_the_server_and_when_the_semantics_change() {
        let tag = |unit: &str| Tag {
            name: String::new(),
            description: String::new(),
            connection: ConnectionId(0),
            node: String::new(),
            unit: unit.into(),
            range: None,
            scale: None,
            max_age: None,
            texts: Default::default(),
        };
        let config = PlantConfig { tags: vec![tag(""), tag("bar"), tag("")], ..PlantConfig::default() };
        let started = Some(Timestamp::from_millis(1));
        let mut catalogue = Catalogue::default();
        catalogue.visit(&config, config.tag_ids(), started);
        assert_eq!(catalogue.next(), [TagId(0), TagId(2)], "the configuration comes first");
        catalogue.answered(true);
        assert_eq!(catalogue.next(), [TagId(0), TagId(2)], "a failure is no answer");
        let meta = Arc::new(NodeMeta::default());
        assert!(catalogue.learn(TagId(0), &meta));
        assert!(!catalogue.learn(TagId(0), &meta));
        catalogue.answered(false);
        catalogue.visit(&config, config.tag_ids(), started);
        assert_eq!(catalogue.next(), [TagId(2)]);
        catalogue.learn(TagId(2), &meta);
        catalogue.answered(false);
        let sample = |tag, status| Sample {
            tag: TagId(tag),
            value: Value::Empty,
            status: Status(status),
            source_time: None,
            server_time: None,
        };
        assert!(!catalogue.passed(&sample(0, 0x0480)));
        assert!(catalogue.passed(&sample(0, 0x4000)));
        assert!(!catalogue.passed(&sample(0, 0x4000)), "once");
        assert!(!catalogue.passed(&sample(1, 0x4000)), "of no interest");
        assert_eq!(catalogue.next(), [TagId(0)]);
        catalogue.answered(false);
        catalogue.accepted(&config, [TagId(1), TagId(2)].into_iter());
        assert_eq!(catalogue.next(), [], "known, or configured");
        let another = Some(Timestamp::from_millis(2));
        catalogue.visit(&config, [TagId(0)].into_iter(), another);
        catalogue.accepted(&config, [TagId(2)].into_iter());
        assert_eq!(catalogue.next(), [TagId(0), TagId(2)], "a tag that was refused at first");
        // The link is lost again and again while they are read.
        for expected in [vec![TagId(0)], vec![TagId(0)], vec![TagId(2)], vec![TagId(2)], vec![]] {
            catalogue.visit(&config, config.tag_ids(), another);
            assert_eq!(catalogue.next(), expected);
        }
    }
}
