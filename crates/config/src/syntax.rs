//! Errors of TOML itself, in words.

use crate::report::Report;
use toml_span::{Error, ErrorKind};

/// Reports a syntax error with what usually causes it. Nothing of the text but keys is repeated.
pub(crate) fn explain(error: &Error, report: &mut Report<'_>) {
    let (problem, remedy) = match &error.kind {
        ErrorKind::DuplicateKey { key, first } => {
            let line = report.line(first.start);
            (format!("`{key}` is there twice; the first is on line {line}"), "remove one of the two".to_owned())
        }
        ErrorKind::DuplicateTable { name, first } => {
            let line = report.line(first.start);
            (
                format!("[{name}] is there twice; the first is on line {line}"),
                format!("put both under one heading, or write [[{name}]] for one of several"),
            )
        }
        kind => (format!("this is not TOML: {error}"), remedy(kind).to_owned()),
    };
    report.add(error.span.start, problem, remedy);
}

fn remedy(kind: &ErrorKind) -> &'static str {
    match kind {
        ErrorKind::InvalidNumber | ErrorKind::OutOfRange(_) => {
            "write numbers like 640 or 0.5; times and durations go in quotes: \"06:00\", \"5 min\""
        }
        ErrorKind::UnquotedString | ErrorKind::Wanted { .. } | ErrorKind::Unexpected(_) => {
            "write one `key = value` to a line: texts, times and durations in quotes, decimals with a point"
        }
        ErrorKind::InvalidCharInString(_) | ErrorKind::UnterminatedString => {
            "close the text with a quotation mark on the same line"
        }
        ErrorKind::InvalidEscape(_) | ErrorKind::InvalidHexEscape(_) | ErrorKind::InvalidEscapeValue(_) => {
            "write a backslash as \\\\, or put the text in single quotes"
        }
        ErrorKind::UnexpectedEof => "complete the last line",
        ErrorKind::ExceededDepthLimit => "write fewer brackets inside brackets",
        ErrorKind::RedefineAsArray => "use one kind of heading for it, [[…]] for one of several",
        ErrorKind::DottedKeyInvalidType { .. } => "give the two keys different names",
        _ => "compare it with docs/plant.example.toml",
    }
}
