//! plant.toml, which a mapping from a server is written into.
#![no_main]

use std::path::Path;

libfuzzer_sys::fuzz_target!(|text: &str| drop(lineside_config::parse(text, Path::new("plant.toml"))));
