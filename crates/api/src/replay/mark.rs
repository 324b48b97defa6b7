//! Marks as records.

use super::timestamp;
use crate::commands::bad_request;
use crate::wire::*;
use lineside_model::Timestamp;
use lineside_recording::Mark;
use lineside_recording::marks::BOOKMARK;

/// The longest text of a mark, in characters.
const TEXT_MAX: usize = 500;
/// The longest name of an author, in characters.
const AUTHOR_MAX: usize = 80;

/// A mark as a screen shows it.
pub fn mark(mark: &Mark) -> MarkView {
    MarkView {
        id: mark.id as f64,
        at_ms: mark.at.as_millis_f64(),
        until_ms: mark.until.map(Timestamp::as_millis_f64),
        text: mark.text.to_string(),
        author: mark.author.as_ref().map(ToString::to_string),
        made_ms: mark.made.as_millis_f64(),
    }
}

/// The bookmark that a screen asks for, made at this instant.
///
/// # Errors
/// A time is no number, the stretch ends before it begins, or a text is too long.
pub fn mark_of(request: &MarkRequest, made: Timestamp) -> Result<Mark, ApiError> {
    let at = timestamp(request.at_ms)?;
    let until = request.until_ms.map(timestamp).transpose()?;
    if until.is_some_and(|until| until < at) {
        return Err(bad_request("the stretch ends before it begins".to_owned()));
    }
    for (text, max) in [(&request.text, TEXT_MAX), (request.author.as_ref().unwrap_or(&String::new()), AUTHOR_MAX)] {
        if text.chars().count() > max {
            return Err(bad_request(format!("a text is longer than {max} characters")));
        }
    }
    Ok(Mark {
        id: 0,
        at,
        until,
        kind: BOOKMARK,
        author: request.author.as_deref().filter(|author| !author.is_empty()).map(Into::into),
        text: request.text.as_str().into(),
        made,
    })
}
