//! Present values of some nodes, for a preview that is asked for every second.

use super::{Explorer, Failure, Meta};
use crate::value::{shown, timestamp};
use lineside_model::{StatusCode, Timestamp};
use opcua::types::{DataValue, NodeId, ReadValueId, Variant};

/// Nodes of one preview.
pub const PREVIEW_MAX: usize = 200;

/// A value as read, for people.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Reading {
    /// The node as it was asked for.
    pub node: String,
    /// At most some 200 characters; with the text of an enumeration: `6 (Execute)`. Empty where there is none.
    pub value: String,
    /// Unit of measure; empty where the server says none.
    pub unit: String,
    pub status: StatusCode,
    /// The status in words.
    pub status_text: String,
    pub source_time: Option<Timestamp>,
    pub server_time: Option<Timestamp>,
}

impl Explorer {
    /// Reads `nodes`, one answer each in order; a node that cannot be read says so in its status.
    pub async fn preview(&self, nodes: &[String]) -> Result<Vec<Reading>, Failure> {
        if nodes.len() > PREVIEW_MAX {
            return Err(Failure::too_many("nodes of a preview", nodes.len(), PREVIEW_MAX));
        }
        let names = self.calls.names().await?;
        // What is no node here is asked for as the null node, which no server has.
        let ids: Vec<NodeId> =
            nodes.iter().map(|node| names.resolve(node).unwrap_or_else(|_unknown| NodeId::null())).collect();
        let metas = self.known_metas(&names, &ids).await?;
        let wanted: Vec<ReadValueId> = ids.into_iter().map(ReadValueId::from).collect();
        let answers = self.calls.read(&names, &wanted).await?;
        let readings = nodes.iter().zip(&metas).zip(answers);
        Ok(readings.map(|((node, meta), answer)| reading(node, meta, &answer)).collect())
    }
}

pub(super) fn reading(node: &str, meta: &Meta, answer: &DataValue) -> Reading {
    let status = answer.status.unwrap_or_default();
    Reading {
        node: node.to_string(),
        value: answer.value.as_ref().map(|value| with_text(value, meta)).unwrap_or_default(),
        unit: meta.unit.as_ref().map(|unit| unit.symbol.clone()).unwrap_or_default(),
        status: StatusCode(status.bits()),
        status_text: status_text(status),
        source_time: answer.source_timestamp.and_then(timestamp),
        server_time: answer.server_timestamp.and_then(timestamp),
    }
}

/// The name of a status and what it means.
pub(super) fn status_text(status: opcua::types::StatusCode) -> String {
    match status.bits() {
        0 => "Good".to_string(),
        _ => format!("{status}: {}", status.sub_code().description()),
    }
}

fn with_text(value: &Variant, meta: &Meta) -> String {
    let plain = shown(value);
    let number = match value {
        Variant::Boolean(state) => Some(i64::from(*state)),
        Variant::Int64(number) => Some(*number),
        other => crate::data_access::number(other).filter(|number| number.fract() == 0.0).map(|number| number as i64),
    };
    match number.and_then(|number| meta.texts.get(&number)) {
        Some(text) => format!("{plain} ({text})"),
        None => plain,
    }
}
