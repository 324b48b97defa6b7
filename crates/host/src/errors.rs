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
