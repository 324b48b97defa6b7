//! `plant.toml`: what a person writes about a plant, read into the model's [`PlantConfig`].
//!
//! Promise: a configuration that comes out of here is complete and resolved; otherwise every error
//! of the file is reported at once, each with its place, the problem and the remedy. (Only errors
//! of TOML itself come one at a time: behind one, nothing can be read.) No value of a key that could
//! hold a password is ever repeated in an error.
//!
//! It does not connect to anything, reads no environment variable and keeps no state: the same text
//! always gives the same configuration, so a replay reads the text that was recorded.

mod addresses;
pub mod calendar;
pub mod edit;
mod error;
mod file;
mod forms;
mod maps;
mod report;
mod resolve;
mod section;
mod suggest;
mod syntax;
mod times;

pub use error::{ConfigError, Errors};

use crate::file::PlantFile;
use crate::report::Report;
use crate::section::Form;
use lineside_model::PlantConfig;
use std::path::{Path, PathBuf};

/// A configuration, and the text it was read from (which is what a recording keeps).
#[derive(Clone, Debug, PartialEq)]
pub struct Loaded {
    pub config: PlantConfig,
    pub text: String,
    pub path: PathBuf,
}

/// Reads and checks the file at `path`.
///
/// # Errors
/// The file is missing, cannot be read or is not UTF-8; or everything that [`parse`] reports.
pub fn load(path: &Path) -> Result<Loaded, Errors> {
    let bytes = std::fs::read(path).map_err(|error| error::unreadable(path, &error))?;
    let text = String::from_utf8(bytes).map_err(|error| error::not_utf8(path, &error))?;
    let config = parse(&text, path)?;
    Ok(Loaded { config, text, path: path.to_owned() })
}

/// Checks `text`; `path` only names the file in errors.
///
/// # Errors
/// All errors of the text in the order of their places; of TOML syntax errors only the first.
pub fn parse(text: &str, path: &Path) -> Result<PlantConfig, Errors> {
    let mut report = Report::new(text);
    let config = match toml_span::parse(text) {
        Ok(root) => PlantFile::read("", &root, &mut report).map(|file| resolve::resolve(&file, &mut report)),
        Err(error) => {
            syntax::explain(&error, &mut report);
            None
        }
    };
    match (config, report.into_errors(path)) {
        (Some(config), None) => Ok(config),
        (_, errors) => Err(errors.unwrap_or_default()),
    }
}

/// The JSON Schema (draft 2020-12) of `plant.toml` for editors, made from the same table of keys
/// that [`parse`] reads by. It knows keys, types and spellings, but not references between tables.
pub fn json_schema() -> serde_json::Value {
    let mut schema = PlantFile::schema();
    schema["$schema"] = "https://json-schema.org/draft/2020-12/schema".into();
    schema["title"] = "Lineside plant.toml".into();
    schema
}
