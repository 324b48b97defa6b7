//! Collects the problems of one text and gives each its line and column.
//!
//! Places are byte offsets until the end: lines and columns are only worked out for problems.

use crate::error::{ConfigError, Errors};
use crate::section::Form;
use std::path::Path;
use toml_span::Value;
use toml_span::value::ValueInner;

/// Longer texts are cut where a problem repeats them.
const QUOTED_CHARS: usize = 60;

/// The problems found so far in one text.
pub(crate) struct Report<'t> {
    text: &'t str,
    /// Offset of the first byte of each line.
    lines: Vec<usize>,
    found: Vec<Found>,
}

struct Found {
    at: usize,
    problem: String,
    remedy: String,
}

impl<'t> Report<'t> {
    pub(crate) fn new(text: &'t str) -> Report<'t> {
        let starts = text.match_indices('\n').map(|(newline, _)| newline + 1);
        Report { text, lines: std::iter::once(0).chain(starts).collect(), found: Vec::new() }
    }

    pub(crate) fn add(&mut self, at: usize, problem: impl Into<String>, remedy: impl Into<String>) {
        self.found.push(Found { at, problem: problem.into(), remedy: remedy.into() });
    }

    /// The value is of another type than the form wants.
    pub(crate) fn wrong_type<F: Form>(&mut self, key: &str, value: &Value<'_>) {
        let problem = format!("`{key}`: {} was expected, found {}", F::EXPECTED, found(value));
        self.add(self.at(value), problem, example::<F>(key));
    }

    /// The text is not what the form wants. It is not repeated: it may hold a password.
    pub(crate) fn unfit<F: Form>(&mut self, key: &str, value: &Value<'_>) {
        let problem = format!("`{key}`: this is not {}", F::EXPECTED);
        self.add(self.at(value), problem, example::<F>(key));
    }

    /// The text is not what the form wants.
    pub(crate) fn malformed<F: Form>(&mut self, key: &str, value: &Value<'_>, text: &str) {
        let problem = format!("`{key}`: {} is not {}", quote(text), F::EXPECTED);
        self.add(self.at(value), problem, example::<F>(key));
    }

    /// Where the value starts, its quotation mark included.
    pub(crate) fn at(&self, value: &Value<'_>) -> usize {
        let start = value.span.start;
        let quoted = value.as_str().is_some_and(|text| !text.is_empty());
        if quoted { start.saturating_sub(1) } else { start }
    }

    /// The value as it is written in the file, for values that are no secret.
    pub(crate) fn source(&self, value: &Value<'_>) -> String {
        quote(self.text.get(value.span.start..value.span.end).unwrap_or_default())
    }

    /// The line of an offset, from 1.
    pub(crate) fn line(&self, at: usize) -> usize {
        self.lines.partition_point(|start| *start <= at)
    }

    /// The errors in the order of their places; `None` where there are none.
    pub(crate) fn into_errors(mut self, file: &Path) -> Option<Errors> {
        let mut found = std::mem::take(&mut self.found);
        found.sort_by_key(|found| found.at);
        let errors = found.into_iter().map(|found| {
            let (line, column) = self.place(found.at);
            ConfigError { file: file.to_owned(), line, column, problem: found.problem, remedy: found.remedy }
        });
        let errors: Vec<ConfigError> = errors.collect();
        (!errors.is_empty()).then_some(Errors(errors))
    }

    /// Line and column of an offset, both from 1, the column in characters.
    fn place(&self, at: usize) -> (usize, usize) {
        let line = self.line(at);
        let start = self.lines[line - 1];
        let before = self.text[start..].char_indices();
        let column =
            before.take_while(|(offset, _)| start + offset < at).filter(|(_, char)| *char != '\u{feff}').count();
        (line, column + 1)
    }
}

/// A text of the file for people: cut where it is long, control characters made visible.
pub(crate) fn quote(text: &str) -> String {
    let shown: String = text.chars().take(QUOTED_CHARS).collect();
    let more = if shown.len() < text.len() { "…" } else { "" };
    format!("`{}{more}`", shown.escape_debug())
}

fn example<F: Form>(key: &str) -> String {
    format!("write it like `{key} = {}`", F::EXAMPLE)
}

fn found(value: &Value<'_>) -> &'static str {
    match value.as_ref() {
        ValueInner::String(_) => "a text",
        ValueInner::Integer(_) => "a whole number",
        ValueInner::Float(_) => "a number with decimals",
        ValueInner::Boolean(_) => "true or false",
        ValueInner::Array(_) => "a list",
        ValueInner::Table(_) => "a table",
    }
}
