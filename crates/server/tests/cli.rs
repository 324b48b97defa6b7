//! `shift …` as scripts use it: the program itself, its output and its exit codes.

use serde_json::Value as Json;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

/// A recording that is kept in the repository.
fn recording() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/recordings/format-1.shift")
}

fn shift(arguments: &[&str]) -> Output {
    let program = env!("CARGO_BIN_EXE_lineside-server");
    Command::new(program).arg("shift").args(arguments).output().expect("the program starts")
}

fn check(arguments: &[&str], code: i32) -> Output {
    let output = shift(arguments);
    assert_eq!(output.status.code(), Some(code), "{arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
    assert_eq!(code > 1, !output.stderr.is_empty(), "{arguments:?}: words where something is wrong, silence otherwise");
    output
}

fn json(arguments: &[&str]) -> Json {
    let output = check(arguments, 0);
    serde_json::from_slice(&output.stdout).unwrap_or_else(|error| panic!("{arguments:?}: {error}"))
}

#[test]
fn a_recording_is_looked_into_checked_and_exported() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("kept.shift");
    std::fs::copy(recording(), &file).unwrap();
    let before = std::fs::read(&file).unwrap();
    let file = file.to_str().unwrap();

    let info = json(&["info", file, "--json"]);
    assert_eq!(info["format"], 1);
    assert!(info["line"].is_string() && info["writer"].is_string() && info["fromMs"].as_f64() < info["toMs"].as_f64());
    let words = String::from_utf8(check(&["info", file], 0).stdout).unwrap();
    assert!(words.contains("time zone") && words.contains(info["line"].as_str().unwrap()), "{words}");

    let found = json(&["verify", file, "--json"]);
    assert_eq!((&found["intact"], &found["digestsEqual"]), (&true.into(), &found["digests"]));
    assert!(found["digests"].as_u64() > Some(0), "{found}");
    check(&["verify", file], 0);

    let end = json(&["digest", file, "--json"]);
    let again = json(&["digest", file, "--json", "--at", end["digests"][0]["at"].as_str().unwrap()]);
    assert_eq!(end, again);
    assert_eq!(end["digests"][0]["digest"].as_str().map(str::len), Some(16));

    for format in ["csv", "parquet", "xlsx", "shift"] {
        let out = folder.path().join(format!("part.{format}"));
        let written = json(&["export", file, "--format", format, "--out", out.to_str().unwrap(), "--json"]);
        assert_eq!(written["bytes"].as_u64(), Some(std::fs::metadata(&out).unwrap().len()), "{format}");
        assert!(written["rows"].as_u64() > Some(0), "{format}: {written}");
    }
    let copy = folder.path().join("part.shift");
    assert_eq!(json(&["digest", copy.to_str().unwrap(), "--json"]), end, "the export ends in the same state");
    assert_eq!(before, std::fs::read(file).unwrap(), "reading changes nothing");
}

#[test]
fn exit_codes_say_what_is_wrong() {
    let folder = tempfile::tempdir().unwrap();
    let file = recording();
    let file = file.to_str().unwrap();
    let text = folder.path().join("text.shift");
    std::fs::write(&text, "not a recording").unwrap();
    check(&["info", text.to_str().unwrap()], 3);
    check(&["verify", "no/such.shift"], 3);
    check(&["digest", file, "--at", "ten past three"], 2);
    check(&["digest", file, "--at", "1999-01-01T00:00:00Z"], 2);
    check(&["export", file, "--format", "csv", "--out", "/no/such/folder/a.csv"], 4);
    check(&["export", file, "--format", "csv", "--out", "a.csv", "--tag", "no such tag"], 2);
    check(&["export", file, "--format", "doc", "--out", "a.doc"], 2);
    check(&["frobnicate", file], 2);
}

#[test]
fn damage_is_found() {
    let folder = tempfile::tempdir().unwrap();
    let whole = std::fs::read(recording()).unwrap();
    let mut found = 0;
    for place in (1..8).map(|part| whole.len() * part / 8) {
        let file = folder.path().join("damaged.shift");
        let mut damaged = whole.clone();
        damaged[place..(place + 64).min(whole.len())].fill(0x55);
        std::fs::write(&file, damaged).unwrap();
        let code = shift(&["verify", file.to_str().unwrap()]).status.code();
        assert!(matches!(code, Some(0 | 1 | 3)), "no crash: {code:?}");
        found += i32::from(code != Some(0));
    }
    assert!(found > 0);
}
