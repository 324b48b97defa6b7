//! Reads of any attributes and translations of paths, split by what the server takes. For what runs beside
//! the values: after each call a pause of the same length, so that the server has time for the values.

use crate::service::{halve, is_too_much};
use opcua::client::services::TranslateBrowsePaths;
use opcua::client::{Session, UARequest};
use opcua::types::{
    AttributeId, BrowsePath, DataValue, NodeId, ReadValueId, ReferenceTypeId, RelativePath, RelativePathElement,
    StatusCode, TimestampsToReturn,
};
use std::time::Duration;
use tokio::time::Instant;

/// The longest pause after a call.
const PAUSE_MAX: Duration = Duration::from_secs(1);

/// One attribute of one node.
pub(crate) fn attribute(node: &NodeId, attribute: AttributeId) -> ReadValueId {
    ReadValueId { node_id: node.clone(), attribute_id: attribute as u32, ..ReadValueId::default() }
}

/// Waits as long as the call that began at `begun` took.
pub(crate) async fn rest_after(begun: Instant) {
    tokio::time::sleep(begun.elapsed().min(PAUSE_MAX)).await;
}

/// Reads all of `operands`. One that cannot even be read alone gets the status of its call.
///
/// Errors: the call failed for another reason than its size.
pub(crate) async fn read_all(
    session: &Session,
    operands: &[ReadValueId],
    chunk: &mut usize,
) -> Result<Vec<DataValue>, StatusCode> {
    let mut values = Vec::with_capacity(operands.len());
    while values.len() < operands.len() {
        let rest = &operands[values.len()..];
        let part = &rest[..rest.len().min((*chunk).max(1))];
        let begun = Instant::now();
        match session.read(part, TimestampsToReturn::Neither, 0.0).await {
            Ok(answers) if answers.len() == part.len() => values.extend(answers),
            Ok(_) => return Err(StatusCode::BadUnknownResponse),
            Err(error) if halve(chunk, part.len(), error.status()) => {}
            Err(error) if is_too_much(error.status()) || is_unreadable(part.len(), error.status()) => {
                values.push(DataValue { status: Some(error.status()), ..DataValue::null() });
            }
            Err(error) if error.status() == StatusCode::BadDecodingError => *chunk = part.len() / 2,
            Err(error) => return Err(error.status()),
        }
        rest_after(begun).await;
    }
    Ok(values)
}

/// A single value that cannot be decoded must not hide the others.
fn is_unreadable(operands: usize, status: StatusCode) -> bool {
    operands == 1 && status == StatusCode::BadDecodingError
}

/// The property `name` (of namespace 0) of each of `nodes`, in order; none where there is none.
///
/// Errors: the call failed for another reason than its size.
pub(crate) async fn properties(
    session: &Session,
    paths: &[(NodeId, &str)],
    chunk: &mut usize,
) -> Result<Vec<Option<NodeId>>, StatusCode> {
    let mut found = Vec::with_capacity(paths.len());
    while found.len() < paths.len() {
        let rest = &paths[found.len()..];
        let part: Vec<BrowsePath> = rest.iter().take((*chunk).max(1)).map(path).collect();
        let operands = part.len();
        let begun = Instant::now();
        match TranslateBrowsePaths::new(session).browse_paths(part).send(session.channel()).await {
            Ok(response) => {
                let results = response.results.unwrap_or_default();
                if results.len() != operands {
                    return Err(StatusCode::BadUnknownResponse);
                }
                found.extend(results.into_iter().map(|result| {
                    let target = result.targets.unwrap_or_default().into_iter().next()?;
                    Some(target.target_id.node_id)
                }));
            }
            Err(error) if halve(chunk, operands, error.status()) => {}
            Err(error) if is_too_much(error.status()) => found.push(None),
            Err(error) => return Err(error.status()),
        }
        rest_after(begun).await;
    }
    Ok(found)
}

fn path((node, name): &(NodeId, &str)) -> BrowsePath {
    let element = RelativePathElement {
        reference_type_id: ReferenceTypeId::HasProperty.into(),
        is_inverse: false,
        include_subtypes: true,
        target_name: (*name).into(),
    };
    BrowsePath { starting_node: node.clone(), relative_path: RelativePath { elements: Some(vec![element]) } }
}
