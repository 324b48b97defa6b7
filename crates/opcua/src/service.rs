//! Service calls with many operands, split by what the server can take.
//!
//! Limits are declared by servers, or found by failing: at "too many" the call is halved and repeated ([`judge`]).
//! What runs beside the values reads by [`read_beside`]: after each call it pauses as long as the call took, so that
//! the server has time for the values.

use crate::words::code;
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

/// What came of a call with some of the operands.
#[derive(Debug, PartialEq)]
pub(crate) enum Came<A> {
    /// One for each operand, in order.
    Answers(Vec<A>),
    /// Nothing: the same again, with fewer at once.
    TooMuch,
    /// The server does not even take this one operand.
    Never(StatusCode),
}

/// Judges the answer to a call with `operands`; `chunk` is halved where they were too many.
///
/// Errors: the call failed for another reason than its size; BadUnknownResponse: not one answer for each.
pub(crate) fn judge<A>(
    answer: Result<Vec<A>, StatusCode>,
    operands: usize,
    chunk: &mut usize,
) -> Result<Came<A>, StatusCode> {
    match answer {
        Ok(answers) if answers.len() == operands => Ok(Came::Answers(answers)),
        Ok(_) => Err(StatusCode::BadUnknownResponse),
        Err(status) if !is_too_much(status) => Err(status),
        Err(status) if operands <= 1 => Ok(Came::Never(status)),
        Err(status) => {
            *chunk = operands / 2;
            tracing::info!(%status, operands, chunk = *chunk, "the server takes less at once");
            Ok(Came::TooMuch)
        }
    }
}

/// Reads the Value attribute of `nodes`, in calls of at most `chunk` (which shrinks where it must).
/// A node that cannot even be read alone gets the status of its call.
///
/// Errors: as [`judge`].
pub(crate) async fn read(session: &Session, nodes: &[NodeId], chunk: &mut usize) -> Result<Vec<DataValue>, StatusCode> {
    let mut values = Vec::with_capacity(nodes.len());
    while values.len() < nodes.len() {
        let rest = &nodes[values.len()..];
        let part: Vec<ReadValueId> = rest.iter().take((*chunk).max(1)).cloned().map(ReadValueId::from).collect();
        let answer = session.read(&part, TimestampsToReturn::Both, 0.0).await;
        match judge(answer.map_err(|error| error.status()), part.len(), chunk)? {
            Came::Answers(answers) => values.extend(answers),
            Came::TooMuch => {}
            Came::Never(status) => values.push(status_only(status)),
        }
    }
    Ok(values)
}

/// Reads all of `operands` without haste. One that cannot be read alone, or not be decoded, gets the status of its
/// call: it must not hide the others.
///
/// Errors: as [`judge`].
pub(crate) async fn read_beside(
    session: &Session,
    operands: &[ReadValueId],
    chunk: &mut usize,
) -> Result<Vec<DataValue>, StatusCode> {
    let mut values = Vec::with_capacity(operands.len());
    while values.len() < operands.len() {
        let rest = &operands[values.len()..];
        let part = &rest[..rest.len().min((*chunk).max(1))];
        let begun = Instant::now();
        let answer = session.read(part, TimestampsToReturn::Neither, 0.0).await;
        match judge(answer.map_err(|error| error.status()), part.len(), chunk) {
            Ok(Came::Answers(answers)) => values.extend(answers),
            Ok(Came::TooMuch) => {}
            Ok(Came::Never(status)) => values.push(status_only(status)),
            Err(StatusCode::BadDecodingError) if part.len() > 1 => *chunk = part.len() / 2,
            Err(status @ StatusCode::BadDecodingError) => values.push(status_only(status)),
            Err(status) => return Err(status),
        }
        rest_after(begun).await;
    }
    Ok(values)
}

/// The property `name` (of namespace 0) of each of `nodes`, in order, without haste; none where there is none.
///
/// Errors: as [`judge`].
pub(crate) async fn properties(
    session: &Session,
    paths: &[(NodeId, &str)],
    chunk: &mut usize,
) -> Result<Vec<Option<NodeId>>, StatusCode> {
    let mut found = Vec::with_capacity(paths.len());
    while found.len() < paths.len() {
        let part: Vec<BrowsePath> = paths[found.len()..].iter().take((*chunk).max(1)).map(path).collect();
        let operands = part.len();
        let begun = Instant::now();
        let answer = TranslateBrowsePaths::new(session).browse_paths(part).send(session.channel()).await;
        let answer = answer.map(|response| response.results.unwrap_or_default()).map_err(|error| error.status());
        match judge(answer, operands, chunk)? {
            Came::Answers(results) => found.extend(results.into_iter().map(|result| {
                let target = result.targets.unwrap_or_default().into_iter().next()?;
                Some(target.target_id.node_id)
            })),
            Came::TooMuch => {}
            Came::Never(_) => found.push(None),
        }
        rest_after(begun).await;
    }
    Ok(found)
}

/// One attribute of one node.
pub(crate) fn attribute(node: &NodeId, attribute: AttributeId) -> ReadValueId {
    ReadValueId { node_id: node.clone(), attribute_id: attribute as u32, ..ReadValueId::default() }
}

/// The answer for what could not be read.
pub(crate) fn status_only(status: StatusCode) -> DataValue {
    DataValue { status: Some(status), ..DataValue::null() }
}

/// Waits as long as the call that began at `begun` took.
pub(crate) async fn rest_after(begun: Instant) {
    tokio::time::sleep(begun.elapsed().min(PAUSE_MAX)).await;
}

/// Does the status say that the request, or its answer, was too large?
pub(crate) fn is_too_much(status: StatusCode) -> bool {
    matches!(
        code(status),
        StatusCode::BadTooManyOperations
            | StatusCode::BadTooManyMonitoredItems
            | StatusCode::BadEncodingLimitsExceeded
            | StatusCode::BadRequestTooLarge
            | StatusCode::BadResponseTooLarge
            | StatusCode::BadTcpMessageTooLarge
    )
}

/// Does the status say that the channel or the session is no more, rather than that the service failed?
/// An answer that does not come belongs to it: on a lost packet, asking again on the same channel is idle.
pub(crate) fn is_of_link(status: StatusCode) -> bool {
    matches!(
        code(status),
        StatusCode::BadTimeout
            | StatusCode::BadConnectionClosed
            | StatusCode::BadNotConnected
            | StatusCode::BadCommunicationError
            | StatusCode::BadSecureChannelClosed
            | StatusCode::BadSecureChannelIdInvalid
            | StatusCode::BadSessionIdInvalid
            | StatusCode::BadSessionClosed
            | StatusCode::BadSessionNotActivated
            | StatusCode::BadDecodingError
            | StatusCode::BadServerHalted
            | StatusCode::BadShutdown
            | StatusCode::BadDisconnect
            | StatusCode::BadEndOfStream
            | StatusCode::BadRequestTimeout
    )
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_too_much_halves_and_never_below_one() {
        let check = |answer: Result<Vec<u8>, StatusCode>, operands, expected: Result<Came<u8>, StatusCode>, chunk| {
            let mut learned = 1_000;
            assert_eq!(judge(answer, operands, &mut learned), expected);
            assert_eq!(learned, chunk);
        };
        check(Ok(vec![1, 2]), 2, Ok(Came::Answers(vec![1, 2])), 1_000);
        check(Ok(vec![1]), 2, Err(StatusCode::BadUnknownResponse), 1_000);
        check(Err(StatusCode::BadTooManyOperations), 1_000, Ok(Came::TooMuch), 500);
        check(Err(StatusCode::BadResponseTooLarge), 3, Ok(Came::TooMuch), 1);
        let too_many = StatusCode::BadTooManyOperations;
        check(Err(too_many), 1, Ok(Came::Never(too_many)), 1_000);
        check(Err(StatusCode::BadTimeout), 1_000, Err(StatusCode::BadTimeout), 1_000);
    }
}
