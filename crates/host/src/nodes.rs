//! Nodes of a server, for screens.

use lineside_api::wire::*;
use lineside_model::PlantConfig;
use lineside_opcua::browse::{Details, Node, NodeClass, Reading};
use lineside_opcua::semantics::Recognised as Known;
use std::collections::HashMap;

/// The tags of one connection, by the nodes they read.
pub(crate) struct Tags(HashMap<String, String>);

impl Tags {
    /// Those of the connection of this name.
    pub(crate) fn of(config: Option<&PlantConfig>, connection: &str) -> Tags {
        let tags = config.iter().flat_map(|config| {
            let of =
                |tag: &&lineside_model::config::Tag| config.connections[tag.connection.0 as usize].name == connection;
            config.tags.iter().filter(of)
        });
        Tags(tags.map(|tag| (tag.node.clone(), tag.name.clone())).collect())
    }
}

/// One node of the tree; `path` is for what was searched.
pub(crate) fn node(from: Node, path: Vec<String>, tags: &Tags) -> NodeView {
    NodeView {
        tag: tags.0.get(&from.node).cloned(),
        node: from.node,
        name: from.name,
        class: match from.class {
            NodeClass::Object => NodeClassView::Object,
            NodeClass::Variable => NodeClassView::Variable,
            NodeClass::Method => NodeClassView::Method,
            NodeClass::View => NodeClassView::View,
            NodeClass::ObjectType | NodeClass::VariableType | NodeClass::ReferenceType | NodeClass::DataType => {
                NodeClassView::Other
            }
        },
        type_name: from.type_name,
        children: from.has_children.unwrap_or(true),
        recognised: from.recognised.and_then(recognised),
        path,
    }
}

/// Everything about one node. An object has no value: nothing is said of it.
pub(crate) fn details(from: Details) -> NodeDetails {
    let row = |row: lineside_opcua::browse::Row| NodeAttribute {
        name: row.name.to_owned(),
        text: row.text,
        status: row.status.0,
    };
    let node = from.node.node.clone();
    NodeDetails {
        name: from.node.name,
        attributes: from.rows.into_iter().map(row).collect(),
        value: from.value.map_or_else(|| nothing(node.clone()), reading),
        node,
    }
}

/// One value.
pub(crate) fn reading(from: Reading) -> PreviewValue {
    PreviewValue {
        node: from.node,
        // What cannot be read has no value; its place says why.
        text: if from.value.is_empty() && from.status.is_bad() { from.status_text } else { from.value },
        unit: from.unit,
        status: from.status.0,
        source_ms: from.source_time.map(lineside_model::Timestamp::as_millis_f64),
    }
}

/// What the type of a node means here; parts of a machine are not the machine.
pub(crate) fn recognised(known: Known) -> Option<Recognised> {
    match known {
        Known::PackMlMachine => Some(Recognised::PackmlMachine),
        Known::MachineIdentification | Known::MachineryItemState | Known::MachineryOperationMode => {
            Some(Recognised::MachineryItem)
        }
        Known::MachineryMonitoring => Some(Recognised::MachineryComponent),
        Known::MachineryOperationCounter | Known::MachineryLifetimeCounter => Some(Recognised::Counter),
        Known::JobManagement | Known::JobOrderReceiver | Known::JobResponseProvider => Some(Recognised::JobControl),
        Known::Analog => Some(Recognised::Analog),
        Known::TwoState => Some(Recognised::TwoState),
        Known::MultiState => Some(Recognised::MultiState),
        Known::MultiStateValue => Some(Recognised::Enumeration),
        Known::PackMlStateMachine | Known::PackMlStatus | Known::PackMlAdmin | Known::DataItem => None,
    }
}

fn nothing(node: String) -> PreviewValue {
    PreviewValue { node, text: String::new(), unit: String::new(), status: 0, source_ms: None }
}
