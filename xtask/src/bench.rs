//! `cargo xtask bench`: the release build against its targets.
//!
//! Promise: every figure was measured in this run, by a program that exercises the real parts; a
//! figure that could not be measured makes the command fail and is not in the output.

use crate::machine;
use crate::make::{self, Programs};
use crate::memory;
use crate::shell::{Outcome, Problem, cargo, output, parse, program};
use clap::{Args, ValueEnum};
use serde_json::{Map, Value, json};
use std::fs;
use std::path::PathBuf;

#[derive(Args)]
pub(crate) struct Options {
    /// Measure this group alone
    #[arg(long)]
    only: Option<Group>,
    /// Write `{id: {value, unit, target}}` to this file
    #[arg(long, value_name = "FILE")]
    json: Option<PathBuf>,
    /// Minutes after which memory is read
    #[arg(long, default_value_t = DEFAULT_MINUTES)]
    minutes: f64,
    /// Seconds of full load in the group `ingest`; in the group `opcua` it lasts ten times as long
    #[arg(long, default_value_t = DEFAULT_SECONDS)]
    seconds: u32,
}

const DEFAULT_MINUTES: f64 = 10.0;
const DEFAULT_SECONDS: u32 = 60;

/// The part of an id before the dot, where nothing else is said.
#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Group {
    Journal,
    /// Also the figures of `replay` and `trend`, which are of the same file
    Recording,
    Ingest,
    Opcua,
    Frame,
    Start,
    Memory,
}

struct Figure {
    id: &'static str,
    unit: &'static str,
    target: Option<Target>,
}

#[derive(Clone, Copy)]
enum Target {
    AtLeast(f64),
    AtMost(f64),
}

const fn figure(id: &'static str, unit: &'static str, target: Option<Target>) -> Figure {
    Figure { id, unit, target }
}

/// Everything that is measured. A figure without a target is watched, not judged.
const FIGURES: &[Figure] = &[
    figure("ingest.lost", "values", Some(Target::AtMost(0.0))),
    figure("ingest.values_per_cpu_s", "values/CPU-s", Some(Target::AtLeast(600_000.0))),
    figure("ingest.ratio_to_bare_client", "1", Some(Target::AtLeast(0.5))),
    figure("opcua.create_50k_s", "s", Some(Target::AtMost(10.0))),
    figure("opcua.lost", "values", Some(Target::AtMost(0.0))),
    figure("opcua.recovery_s", "s", Some(Target::AtMost(3.0))),
    figure("opcua.ratio_to_asyncua", "1", Some(Target::AtLeast(1.0))),
    figure("opcua.ratio_to_node_opcua", "1", Some(Target::AtLeast(1.0))),
    figure("journal.samples_per_s", "samples/s", Some(Target::AtLeast(1_000_000.0))),
    figure("recording.bytes_per_change", "B", Some(Target::AtMost(2.0))),
    figure("recording.bytes_per_scan_point", "B", None),
    figure("recording.ratio_to_mcap", "1", Some(Target::AtLeast(12.0))),
    figure("recording.ratio_to_mcap_scan", "1", Some(Target::AtLeast(2.0))),
    figure("recording.ratio_to_sqlite_rows", "1", Some(Target::AtLeast(14.0))),
    figure("recording.ratio_to_influx", "1", Some(Target::AtLeast(1.0))),
    figure("recording.ratio_to_victoriametrics", "1", Some(Target::AtLeast(1.0))),
    figure("recording.append_samples_per_s", "samples/s", Some(Target::AtLeast(1_000_000.0))),
    figure("replay.seek_visible_ms_p95", "ms", Some(Target::AtMost(10.0))),
    figure("replay.seek_all_ms_p95", "ms", Some(Target::AtMost(25.0))),
    figure("replay.seek_across_file", "1", Some(Target::AtMost(2.0))),
    figure("replay.scrub_seeks_per_s", "seeks/s", Some(Target::AtLeast(30.0))),
    figure("replay.changes_per_s", "changes/s", Some(Target::AtLeast(5_000_000.0))),
    figure("replay.open_ms", "ms", Some(Target::AtMost(300.0))),
    figure("trend.m4_8pens_shift_ms", "ms", Some(Target::AtMost(30.0))),
    figure("frame.source_to_frame_ms_p95", "ms", Some(Target::AtMost(150.0))),
    figure("frame.js_apply_ms_p99", "ms", Some(Target::AtMost(2.0))),
    figure("start.first_value_s", "s", Some(Target::AtMost(2.5))),
    figure("memory.backend_mb", "MB", None),
    figure("memory.webview_mb", "MB", None),
];

/// Measures, prints the table, writes the file. A missed target is printed, not an error: the
/// bench is an instrument, and machines differ.
pub(crate) fn bench(options: &Options) -> Outcome {
    machine::packages(machine::BUILD)?;
    make::ui()?;
    let programs = make::programs(true)?;
    let mut measured = Map::new();
    for group in Group::value_variants().iter().filter(|group| options.only.is_none_or(|only| only == **group)) {
        measured.extend(measure(*group, &programs, options)?);
    }
    let report = report(&measured)?;
    print_table(&report, options);
    let Some(path) = &options.json else {
        return Ok(());
    };
    let text = format!("{:#}\n", Value::Object(report));
    fs::write(path, text).map_err(Problem::file("writing", path))
}

/// `{id: value}` of one group.
fn measure(group: Group, programs: &Programs, options: &Options) -> Outcome<Map<String, Value>> {
    let folder = programs.folder().to_string_lossy().into_owned();
    match group {
        // In the folder of programs: a temporary folder may be memory, where a commit costs nothing.
        Group::Journal => {
            picked(&driver("lineside-recording", "journal_rate", &[&folder])?, "samples_per_s", "journal.samples_per_s")
        }
        Group::Recording => driver("lineside-tests", "bench", &["recording", &folder]),
        Group::Ingest => driver("lineside-tests", "bench", &["ingest", &folder, &options.seconds.to_string()]),
        Group::Opcua => {
            machine::python()?;
            machine::npm_packages("tests/peers/node")?;
            let seconds = (options.seconds * 10).to_string();
            driver("lineside-tests", "bench", &["opcua", &folder, &seconds])
        }
        Group::Frame => {
            let mut measured = driver("lineside-tests", "bench", &["frame", &folder])?;
            let apply = lines(&output(&mut program("npm", "ui", &["run", "--silent", "bench:apply"]))?)?;
            measured.extend(picked(&apply, "applyMsP99", "frame.js_apply_ms_p99")?);
            Ok(measured)
        }
        Group::Start => driver("lineside-tests", "bench", &["start", &folder]),
        Group::Memory => memory::measure(programs, options.minutes),
    }
}

/// The one figure of a bench program that has names of its own.
fn picked(measured: &Map<String, Value>, name: &str, id: &str) -> Outcome<Map<String, Value>> {
    let missing = || Problem::new(format!("a bench program did not print {name}"), "");
    let value = measured.get(name).cloned().ok_or_else(missing)?;
    Ok(Map::from_iter([(id.to_owned(), value)]))
}

/// Runs a bench program of the workspace, optimised.
fn driver(package: &str, example: &str, arguments: &[&str]) -> Outcome<Map<String, Value>> {
    println!("measuring with {example} ...");
    let fixed = ["run", "--quiet", "--release", "--package", package, "--example", example, "--"];
    lines(&output(cargo(&fixed).args(arguments))?)
}

/// A bench program ends with one line `{"<id>": <number>, ...}`.
fn lines(text: &str) -> Outcome<Map<String, Value>> {
    let last = text.lines().rfind(|line| line.starts_with('{')).unwrap_or_default();
    match parse(last, "the result of a bench program")? {
        Value::Object(values) => Ok(values),
        other => Err(Problem::new(format!("a bench program printed {other}"), "")),
    }
}

fn report(measured: &Map<String, Value>) -> Outcome<Map<String, Value>> {
    let known = |id: &String| FIGURES.iter().find(|figure| figure.id == id);
    let mut report = Map::new();
    for (id, value) in measured {
        let figure =
            known(id).ok_or_else(|| Problem::new(format!("a bench program printed the unknown id {id}"), ""))?;
        let target = figure.target.map(|(Target::AtLeast(limit) | Target::AtMost(limit))| limit);
        report.insert(id.clone(), json!({"value": value, "unit": figure.unit, "target": target}));
    }
    Ok(report)
}

fn print_table(report: &Map<String, Value>, options: &Options) {
    println!("\n{:<32} {:>14} {:<14} {:>14}", "figure", "measured", "unit", "target");
    for figure in FIGURES {
        let Some(value) = report.get(figure.id).and_then(|row| row["value"].as_f64()) else {
            continue;
        };
        let (target, met) = match figure.target {
            None => (String::new(), true),
            Some(Target::AtLeast(limit)) => (format!(">= {}", short(limit)), value >= limit),
            Some(Target::AtMost(limit)) => (format!("<= {}", short(limit)), value <= limit),
        };
        let verdict = if met { "" } else { "  MISSED" };
        println!("{:<32} {:>14} {:<14} {target:>14}{verdict}", figure.id, short(value), figure.unit);
    }
    if options.minutes < DEFAULT_MINUTES {
        println!("memory was read after {} min, not {DEFAULT_MINUTES}", options.minutes);
    }
    if options.seconds < DEFAULT_SECONDS {
        println!("ingest ran for {} s, not {DEFAULT_SECONDS}", options.seconds);
    }
}

fn short(value: f64) -> String {
    if value.abs() >= 1000.0 { format!("{value:.0}") } else { format!("{}", (value * 1000.0).round() / 1000.0) }
}
