//! Shared by the tests: the example, snapshots, TOML as JSON.

use serde_json::Value as Json;
use std::path::{Path, PathBuf};
use toml_span::value::ValueInner;

/// A file of the repository.
pub(crate) fn repository(file: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..").join(file)
}

/// Compares with a file of expectations; `UPDATE=1` rewrites it.
pub(crate) fn check_file(expected: &Path, got: &str) {
    if std::env::var_os("UPDATE").is_some() {
        std::fs::write(expected, got).unwrap();
    }
    let want = std::fs::read_to_string(expected).unwrap_or_default();
    assert_eq!(want, got, "{} is stale; UPDATE=1 rewrites it", expected.display());
}

/// The text as a JSON Schema validator sees it; `None` where it is not TOML.
pub(crate) fn to_json(text: &str) -> Option<Json> {
    toml_span::parse(text).ok().map(|root| json(&root))
}

fn json(value: &toml_span::Value<'_>) -> Json {
    match value.as_ref() {
        ValueInner::String(text) => text.as_ref().into(),
        ValueInner::Integer(number) => (*number).into(),
        ValueInner::Float(number) => (*number).into(),
        ValueInner::Boolean(on) => (*on).into(),
        ValueInner::Array(items) => items.iter().map(json).collect(),
        ValueInner::Table(table) => {
            let keys = table.iter().map(|(key, value)| (key.name.to_string(), json(value)));
            Json::Object(keys.collect())
        }
    }
}
