//! Texts nobody meant to write: they give errors, never a panic. And a very large plant is read fast.

use lineside_config::{load, parse};
use proptest::prelude::*;
use std::fmt::Write as _;
use std::path::Path;
use std::time::{Duration, Instant};

const EXAMPLE: &str = include_str!("../../../../docs/plant.example.toml");

/// Errors have a place inside the text, and come in the order of their places.
fn check(text: &str) -> Result<(), TestCaseError> {
    let Err(errors) = parse(text, Path::new("plant.toml")) else {
        return Ok(());
    };
    prop_assert!(!errors.0.is_empty());
    let places: Vec<_> = errors.0.iter().map(|error| (error.line, error.column)).collect();
    prop_assert!(places.is_sorted(), "{places:?}");
    for error in &errors.0 {
        let line = text.split('\n').nth(error.line - 1);
        let length = line.map(|line| line.chars().count());
        prop_assert!(length.is_some_and(|length| error.column <= length + 1), "{error}");
        prop_assert!(!error.problem.is_empty() && !error.remedy.is_empty());
    }
    Ok(())
}

/// Words that mean something in the file, for texts that get further than the first character.
const WORDS: &[&str] = &[
    "[",
    "[[",
    "]",
    "]]",
    "{",
    "}",
    "=",
    ".",
    ",",
    "\"",
    "'",
    "\n",
    "\r\n",
    " ",
    "#",
    "plant",
    "line",
    "tag",
    "unit",
    "shift",
    "connection",
    "name",
    "node",
    "state",
    "map",
    "a",
    "b",
    "\"x\"",
    "1",
    "-1",
    "0.5",
    "nan",
    "inf",
    "1e999",
    "true",
    "06:00",
    "\"5 min\"",
    "\u{feff}",
    "ä",
    "\\",
    "\"\"\"",
    "'''",
    "\0",
];

proptest! {
    #![proptest_config(ProptestConfig { cases: 3_000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn random_bytes(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
        check(&String::from_utf8_lossy(&bytes))?;
    }

    #[test]
    fn random_words(words in prop::collection::vec(prop::sample::select(WORDS), 0..60)) {
        check(&words.concat())?;
    }

    #[test]
    fn mutated_example(
        edits in prop::collection::vec((any::<prop::sample::Index>(), 0usize..30, prop::sample::select(WORDS)), 1..6),
    ) {
        let mut chars: Vec<char> = EXAMPLE.chars().collect();
        for (at, cut, word) in edits {
            let at = at.index(chars.len());
            let end = (at + cut).min(chars.len());
            chars.splice(at..end, word.chars());
        }
        check(&chars.into_iter().collect::<String>())?;
    }

    #[test]
    fn shuffled_lines(mut lines in Just(EXAMPLE.lines().collect::<Vec<_>>()).prop_shuffle(), keep in 1usize..60) {
        lines.truncate(keep);
        check(&lines.join("\n"))?;
    }
}

#[test]
fn files_that_cannot_be_read_say_so() {
    let folder = std::env::temp_dir();
    let missing = load(&folder.join("lineside-no-such-plant.toml")).unwrap_err().to_string();
    assert!(missing.contains("cannot be read") && missing.contains("check the path"), "{missing}");
    let latin1 = folder.join(format!("lineside-latin1-{}.toml", std::process::id()));
    std::fs::write(&latin1, b"[plant]\nsite = \"K\xf6ln\"\n").unwrap();
    let errors = load(&latin1).unwrap_err();
    std::fs::remove_file(&latin1).unwrap();
    assert_eq!((errors.0[0].line, errors.0[0].column), (2, 10));
}

/// A plant with so many tags, and with so many mistakes in them.
fn large(tags: usize, mistakes: usize) -> String {
    let mut text = EXAMPLE.to_owned();
    for i in 0..tags {
        let age = if i < mistakes { "10 sec" } else { "10 s" };
        write!(
            text,
            "\n[[tag]]\nname = \"Cell{}.Drive{i}.Torque\"\nnode = \"nsu=urn:lineside:plant;s=Drive{i}.Torque\"\n\
             unit = \"N·m\"\nrange = [0, 700]\nmax_age = \"{age}\"\nscale = {{ gain = 0.1, offset = 0 }}\n",
            i % 40
        )
        .unwrap();
    }
    text
}

/// The best of three: other work on the machine only ever adds.
fn time(tags: usize, mistakes: usize) -> Duration {
    let text = large(tags, mistakes);
    let mut best = Duration::MAX;
    for _ in 0..3 {
        let start = Instant::now();
        let result = parse(&text, Path::new("plant.toml"));
        best = best.min(start.elapsed());
        match result {
            Ok(config) => assert_eq!((config.tags.len(), mistakes), (tags + 8, 0)),
            Err(errors) => assert_eq!(errors.0.len(), mistakes),
        }
    }
    eprintln!("{tags} tags, {mistakes} mistakes, {} bytes: {best:?}", text.len());
    best
}

/// A plant as large as Lineside promises to show; unoptimised, a part of it is enough to see the cost.
const TAGS: usize = if cfg!(debug_assertions) { 10_000 } else { 50_000 };

/// Ten times the tags may take ten times as long, not a hundred times; the same for mistakes. (The
/// promise of 50,000 tags in a second is for a release build: `cargo test --release` prints it.)
#[test]
fn time_grows_with_the_tags_and_not_with_their_square() {
    for part_wrong in [0, 1] {
        let small = time(TAGS / 10, TAGS / 10 * part_wrong);
        let all = time(TAGS, TAGS * part_wrong);
        assert!(all < small * 40, "a tenth of the tags: {small:?}, all: {all:?}");
    }
}
