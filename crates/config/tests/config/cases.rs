//! Every `cases/*.toml` gives exactly the errors in the `.txt` beside it (none: an empty file).
//! `UPDATE=1` rewrites the texts. No case may be refused by the schema and taken by the parser.

use lineside_config::{json_schema, parse};
use std::path::Path;

fn check(case: &Path, schema: &jsonschema::Validator) {
    let text = std::fs::read_to_string(case).unwrap();
    let name = case.file_name().unwrap();
    let got = match parse(&text, Path::new(name)) {
        Ok(_) => String::new(),
        Err(errors) => format!("{errors}\n"),
    };
    crate::common::check_file(&case.with_extension("txt"), &got);
    if let Some(json) = crate::common::to_json(&text) {
        assert!(!got.is_empty() || schema.is_valid(&json), "{name:?}: the schema refuses what the parser takes");
    }
    assert!(!got.contains("hunter2"), "{name:?}: a password is repeated in an error");
}

#[test]
fn cases_give_their_errors() {
    let schema = jsonschema::validator_for(&json_schema()).unwrap();
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/cases");
    let mut cases: Vec<_> = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    cases.retain(|path| path.extension().is_some_and(|extension| extension == "toml"));
    assert!(cases.len() >= 20, "only {} cases found", cases.len());
    for case in cases {
        check(&case, &schema);
    }
}
