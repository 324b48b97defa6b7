//! Where in the text additions go: after the last of their kind, or at the end.

use super::{Additions, entries};
use lineside_model::PlantConfig;
use toml_span::Value;
use toml_span::value::ValueInner;

/// Text, and the offset at which it is inserted.
pub(super) type Insertion = (usize, String);

/// The new entries, in the order of kinds in which a reader expects them.
pub(super) fn entries(text: &str, additions: &Additions) -> Vec<Insertion> {
    let blocks: [(&str, Vec<String>); 3] = [
        ("connection", additions.connection.iter().map(entries::connection).collect()),
        ("unit", additions.units.iter().map(entries::unit).collect()),
        ("tag", additions.tags.iter().map(entries::tag).collect()),
    ];
    let blocks = blocks.into_iter().filter(|(_, entries)| !entries.is_empty());
    blocks.map(|(kind, entries)| insertion(text, end_of_kind(text, kind), &entries)).collect()
}

/// With a second connection, tags that could leave out the only one must name it.
pub(super) fn connections_of_tags(text: &str, old: &PlantConfig, additions: &Additions) -> Vec<Insertion> {
    let ([only], Some(_)) = (old.connections.as_slice(), &additions.connection) else { return Vec::new() };
    let Ok(root) = toml_span::parse(text) else { return Vec::new() };
    let tags = root.as_table().and_then(|root| root.get("tag")).and_then(Value::as_array);
    let unnamed = tags.into_iter().flatten().filter_map(|tag| {
        let table = tag.as_table()?;
        let name = table.get("name").filter(|_| !table.contains_key("connection"))?;
        let line = text[..name.span.start].rfind('\n').map_or(0, |newline| newline + 1);
        let indent = text[line..].split("name").next().filter(|indent| indent.trim().is_empty())?;
        let key = format!("{indent}connection = {}", entries::quoted(&only.name));
        Some(match line_after(text, name.span.end) {
            Some(next) => (next, key + newline(text)),
            None => (text.len(), newline(text).to_owned() + &key),
        })
    });
    unnamed.collect()
}

/// The entries with a blank line before each.
fn insertion(text: &str, at: usize, entries: &[String]) -> Insertion {
    let mut new: String = entries.iter().map(|entry| format!("\n{entry}")).collect();
    if !text[..at].is_empty() && !text[..at].ends_with('\n') {
        new.insert(0, '\n');
    }
    if text[at..].lines().next().is_some_and(|next| !next.trim().is_empty()) {
        new.push('\n');
    }
    (at, new.replace('\n', newline(text)))
}

/// The start of the line after the last entry of this kind and the comments that belong to it; without any, the end.
fn end_of_kind(text: &str, kind: &str) -> usize {
    let root = toml_span::parse(text).ok();
    let end = root.as_ref().and_then(|root| root.as_table()?.get(kind)).and_then(end);
    let Some(after) = end.and_then(|end| line_after(text, end)) else { return text.len() };
    let mut at = after;
    for line in text[after..].split_inclusive('\n') {
        if line.trim().is_empty() {
            return at;
        }
        if !line.trim_start().starts_with('#') {
            return after; // these comments belong to what follows
        }
        at += line.len();
    }
    at
}

/// The last byte of anything written in the value. Headings have no extent of their own: their keys have.
fn end(value: &Value<'_>) -> Option<usize> {
    match value.as_ref() {
        ValueInner::Table(table) => {
            table.iter().flat_map(|(key, value)| [Some(key.span.end), end(value)]).flatten().max()
        }
        ValueInner::Array(items) if items.iter().any(|item| item.as_table().is_some()) => {
            items.iter().filter_map(end).max()
        }
        _ => Some(value.span.end),
    }
}

fn line_after(text: &str, at: usize) -> Option<usize> {
    text[at..].find('\n').map(|newline| at + newline + 1)
}

fn newline(text: &str) -> &'static str {
    if text.contains("\r\n") { "\r\n" } else { "\n" }
}
