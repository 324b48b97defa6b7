//! Service calls with many operands, split by what the server can take.
//!
//! Limits are declared by servers, or found by failing: at "too many" the call is halved and repeated.

use crate::words::code;
use opcua::client::Session;
use opcua::types::{DataValue, NodeId, ReadValueId, StatusCode, TimestampsToReturn};

/// Reads the Value attribute of `nodes`, in calls of at most `chunk` (which shrinks where it must).
/// A node that cannot even be read alone gets the status of its call.
pub(crate) async fn read(session: &Session, nodes: &[NodeId], chunk: &mut usize) -> Result<Vec<DataValue>, StatusCode> {
    let mut values = Vec::with_capacity(nodes.len());
    while values.len() < nodes.len() {
        let rest = &nodes[values.len()..];
        let part: Vec<ReadValueId> = rest.iter().take(*chunk).cloned().map(ReadValueId::from).collect();
        match session.read(&part, TimestampsToReturn::Both, 0.0).await {
            Ok(answers) if answers.len() == part.len() => values.extend(answers),
            Ok(_) => return Err(StatusCode::BadUnknownResponse),
            Err(error) if halve(chunk, part.len(), error.status()) => {}
            Err(error) if is_too_much(error.status()) => {
                values.push(DataValue { status: Some(error.status()), ..DataValue::null() });
            }
            Err(error) => return Err(error.status()),
        }
    }
    Ok(values)
}

/// The call with `operands` failed with `status`: true where a smaller one may succeed, `chunk` being halved.
pub(crate) fn halve(chunk: &mut usize, operands: usize, status: StatusCode) -> bool {
    let may = operands > 1 && is_too_much(status);
    if may {
        *chunk = operands / 2;
        tracing::info!(%status, operands, chunk = *chunk, "the server takes less at once");
    }
    may
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_too_much_halves_and_never_below_one() {
        let check = |operands, status, expected: Option<usize>| {
            let mut chunk = 1_000;
            let halved = halve(&mut chunk, operands, status);
            assert_eq!(halved.then_some(chunk), expected, "{operands} {status}");
        };
        check(1_000, StatusCode::BadTooManyOperations, Some(500));
        check(3, StatusCode::BadResponseTooLarge, Some(1));
        check(1, StatusCode::BadTooManyOperations, None);
        check(1_000, StatusCode::BadTimeout, None);
    }
}
