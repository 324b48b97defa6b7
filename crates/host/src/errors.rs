//! Answers to commands that failed, in words for whoever asked.

use lineside_api::wire::{ApiError, ErrorCode};

/// It cannot be had now; the message says why.
pub(crate) fn refused(message: impl Into<String>) -> ApiError {
    ApiError { code: ErrorCode::Refused, message: message.into() }
}

/// The request itself is wrong.
pub(crate) fn bad_request(message: impl Into<String>) -> ApiError {
    ApiError { code: ErrorCode::BadRequest, message: message.into() }
}

/// Anything else.
pub(crate) fn internal(message: impl Into<String>) -> ApiError {
    ApiError { code: ErrorCode::Internal, message: message.into() }
}

/// An error with all of its causes, as the reason why something cannot be had.
pub(crate) fn because(error: &dyn std::error::Error) -> ApiError {
    refused(chain(error))
}

/// An error with all of its causes.
pub(crate) fn chain(error: &dyn std::error::Error) -> String {
    let causes = std::iter::successors(error.source(), |cause| cause.source());
    causes.fold(error.to_string(), |text, cause| format!("{text} ({cause})"))
}
