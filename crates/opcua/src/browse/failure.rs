//! Why looking at a server did not succeed, in words for the person who looks.

use crate::words::Trouble;
use lineside_model::StatusCode;
use opcua::types::StatusCode as UaStatus;
use std::fmt;
use std::time::Duration;

/// What is wrong and what to do about it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Failure {
    /// OPC UA status for programs.
    pub status: StatusCode,
    /// One or two sentences for people.
    pub detail: String,
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.detail)
    }
}

impl std::error::Error for Failure {}

impl From<Trouble> for Failure {
    fn from(trouble: Trouble) -> Failure {
        Failure { status: trouble.status, detail: trouble.detail }
    }
}

impl Failure {
    fn new(status: UaStatus, detail: impl Into<String>) -> Failure {
        Failure { status: StatusCode(status.bits()), detail: detail.into() }
    }

    pub(crate) fn no_node(text: &str, status: UaStatus) -> Failure {
        let detail = if status == UaStatus::BadNodeIdUnknown {
            format!(
                "The server has no namespace of the node {text}. It may be another server, or another program runs on \
                 the controller; browse to the node again."
            )
        } else {
            format!("{text} is not a node id. Write it as nsu=<namespace uri>;s=<name>, or i=<number>.")
        };
        Failure::new(status, detail)
    }

    pub(crate) fn service(host: &str, what: &str, status: UaStatus) -> Failure {
        let detail = match status {
            UaStatus::BadTimeout => format!(
                "{host} did not answer in time when asked to {what}. It is overloaded, or the network is; try again, \
                 or choose a smaller branch."
            ),
            UaStatus::BadUserAccessDenied | UaStatus::BadSecurityModeInsufficient => format!(
                "{host} does not let this user {what} here ({status}). Sign in as another user, or use a secured \
                 endpoint."
            ),
            UaStatus::BadNodeIdUnknown | UaStatus::BadNodeIdInvalid => {
                format!("{host} no longer has this node ({status}). Open the branch above it again.")
            }
            UaStatus::BadDecodingError => format!(
                "{host} sends answers that cannot be read when asked to {what}. Choose a smaller branch, and report \
                 the server's product and version."
            ),
            _ => format!("{host} could not {what}: {} ({status}). Try again.", status.sub_code().description()),
        };
        Failure::new(status, detail)
    }

    pub(crate) fn restarted() -> Failure {
        Failure::new(
            UaStatus::BadNodeIdUnknown,
            "The server restarted with other namespaces while it was looked at. Do the last step again.",
        )
    }

    pub(crate) fn gone(what: &str) -> Failure {
        Failure::new(
            UaStatus::BadContinuationPointInvalid,
            format!("This {what} is no longer kept. Start it again from the beginning."),
        )
    }

    pub(crate) fn too_slow(limit: Duration) -> Failure {
        let seconds = limit.as_secs();
        let detail =
            format!("The server did not tell everything about the picked nodes within {seconds} s. Pick less.");
        Failure::new(UaStatus::BadTimeout, detail)
    }

    pub(crate) fn too_many(what: &str, count: usize, limit: usize) -> Failure {
        Failure::new(UaStatus::BadTooManyOperations, format!("{count} {what} are too many at once: at most {limit}."))
    }
}
