//! `shift info|verify|digest|export FILE`: recordings without a window, for people and scripts.
//!
//! The result goes to standard output, in words or with `--json` as one object; what went wrong goes to standard error.
//! Exit codes: see [`Outcome`] and `docs/OPERATIONS.md`.

use crate::errors::chain;
use crate::recordings::table::Part;
use crate::recordings::{check, clips, exports};
use crate::times::Wall;
use lineside_api::replay;
use lineside_api::wire::{ExportFormat, ShiftState};
use lineside_model::{TagId, Timestamp};
use lineside_recording::{ShiftFile, library};
use lineside_runtime::{Command, Player, ReplayError, SystemClock};
use serde_json::{Value as Json, json};
use std::collections::BTreeSet;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

/// Looks into a recording, checks it, or writes a part of it as another file.
#[derive(Clone, Debug, clap::Args)]
pub struct ShiftArgs {
    #[command(subcommand)]
    task: ShiftTask,
}

#[derive(Clone, Debug, clap::Subcommand)]
enum ShiftTask {
    /// What the recording says of itself
    Info(FileArgs),
    /// Is everything there, and does replay reach the states that were live?
    Verify(FileArgs),
    /// Fingerprints of the state at some instants
    Digest(DigestArgs),
    /// Writes a part of it as a smaller recording, or as a table
    Export(ExportArgs),
}

#[derive(Clone, Debug, clap::Args)]
struct FileArgs {
    /// A recording.
    #[arg(value_name = "FILE")]
    file: PathBuf,
    /// One JSON object instead of words.
    #[arg(long)]
    json: bool,
}

#[derive(Clone, Debug, clap::Args)]
struct DigestArgs {
    #[command(flatten)]
    of: FileArgs,
    /// An instant: RFC 3339, or local time of the plant. Can be given several times; the end of the recording by default.
    #[arg(long, value_name = "TIME")]
    at: Vec<String>,
}

#[derive(Clone, Debug, clap::Args)]
struct ExportArgs {
    #[command(flatten)]
    of: FileArgs,
    /// What kind of file.
    #[arg(long, value_enum)]
    format: Kind,
    /// Begin of the part; the begin of the recording by default. Times as for `digest`.
    #[arg(long, value_name = "TIME")]
    from: Option<String>,
    /// End of the part; the end of the recording by default.
    #[arg(long, value_name = "TIME")]
    to: Option<String>,
    /// A tag by its name. Can be given several times; all by default.
    #[arg(long, value_name = "NAME")]
    tag: Vec<String>,
    /// The file to write; one that is there is replaced.
    #[arg(long, value_name = "FILE")]
    out: PathBuf,
}

#[derive(Clone, Copy, Debug, clap::ValueEnum)]
enum Kind {
    Shift,
    Parquet,
    Csv,
    Xlsx,
}

/// How a run ended; the number is the exit code.
enum Outcome {
    /// What was asked for is done, and nothing is wrong.
    Fine = 0,
    /// The recording is damaged, or replay differs from what was live.
    Found = 1,
    /// The command line cannot be understood.
    Usage = 2,
    /// The recording cannot be opened.
    NotOpened = 3,
    /// The result cannot be written.
    NotWritten = 4,
}

/// Why there is no result.
enum Failure {
    Usage(String),
    NotOpened(String),
    NotWritten(String),
}

impl From<ReplayError> for Failure {
    fn from(error: ReplayError) -> Failure {
        Failure::NotOpened(chain(&error))
    }
}

impl From<lineside_recording::OpenError> for Failure {
    fn from(error: lineside_recording::OpenError) -> Failure {
        Failure::NotOpened(chain(&error))
    }
}

impl From<std::io::Error> for Failure {
    fn from(error: std::io::Error) -> Failure {
        Failure::NotWritten(format!("the result cannot be written: {error}"))
    }
}

/// Does the task, and returns the exit code of the program.
pub(crate) fn run(args: &ShiftArgs) -> ExitCode {
    let done = match &args.task {
        ShiftTask::Info(args) => info(args),
        ShiftTask::Verify(args) => verify(args),
        ShiftTask::Digest(args) => digest(args),
        ShiftTask::Export(args) => export(args),
    };
    let outcome = done.unwrap_or_else(|failure| {
        let (outcome, message) = match failure {
            Failure::Usage(message) => (Outcome::Usage, message),
            Failure::NotOpened(message) => (Outcome::NotOpened, message),
            Failure::NotWritten(message) => (Outcome::NotWritten, message),
        };
        // Whoever closed standard error does not want to hear it.
        drop(writeln!(std::io::stderr(), "{message}"));
        outcome
    });
    ExitCode::from(outcome as u8)
}

fn info(args: &FileArgs) -> Result<Outcome, Failure> {
    let file = ShiftFile::open(&args.file)?;
    let entry = library::examine(&args.file, None);
    let info = replay::info("", &entry, replay::stops(&entry), clips::in_words(&entry));
    let info = info.ok_or_else(|| Failure::NotOpened(format!("{}: cannot be read", args.file.display())))?;
    let header = file.header();
    if args.json {
        let mut json = serde_json::to_value(&info).unwrap_or_default();
        json["writer"] = header.writer.as_str().into();
        json["configPath"] = header.config_path.as_str().into();
        json["clockSource"] = header.clock_source.as_str().into();
        json.as_object_mut().and_then(|object| object.remove("id"));
        json.as_object_mut().and_then(|object| object.remove("outside"));
        return say(&json);
    }
    let wall = wall(&file);
    let show = |millis: f64| wall.show(Timestamp((millis * 1e6) as i64));
    let count = |count: Option<u32>| count.map_or_else(|| "not known".to_owned(), |count| count.to_string());
    let state = match info.state {
        ShiftState::Recording => "being written",
        ShiftState::Complete => "complete",
        ShiftState::Interrupted => "the program ended without closing it; all that was committed is there",
        ShiftState::Damaged => "damaged",
    };
    tell(&[
        ("line", info.line.clone()),
        ("shift", format!("{} {}", info.date, info.shift).trim_end().to_owned()),
        ("crew", info.crew.clone().unwrap_or_else(|| "not known".to_owned())),
        ("time zone", info.time_zone.clone()),
        ("from", show(info.from_ms)),
        ("to", show(info.to_ms)),
        ("state", state.to_owned()),
        ("clip", info.clip.clone().unwrap_or_else(|| "no, all of it".to_owned())),
        ("format", info.format.to_string()),
        ("bytes", info.bytes.to_string()),
        ("gaps", count(info.gaps)),
        ("stops", count(info.stops)),
        ("marks", info.marks.to_string()),
        ("kept", if info.pinned { "yes" } else { "no" }.to_owned()),
        ("writer", header.writer.clone()),
        ("configuration", header.config_path.clone()),
    ])
}

fn verify(args: &FileArgs) -> Result<Outcome, Failure> {
    let found = check::verify(&args.file)?;
    let outcome = if found.intact { Outcome::Fine } else { Outcome::Found };
    if args.json {
        say(&serde_json::to_value(&found).unwrap_or_default())?;
        return Ok(outcome);
    }
    let wall = wall(&ShiftFile::open(&args.file)?);
    let show = |millis: Option<f64>| {
        millis.map_or_else(|| "?".to_owned(), |millis| wall.show(Timestamp((millis * 1e6) as i64)))
    };
    let result = if found.intact { "intact" } else { "NOT INTACT" };
    let mut lines = vec![
        ("result", result.to_owned()),
        ("inputs", format!("{} in {} batches", found.inputs, found.batches)),
        ("keyframes", found.keyframes.to_string()),
        ("blocks", found.blocks.to_string()),
        ("digests", format!("{} of {} reached by replay", found.digests_equal, found.digests)),
    ];
    lines.extend(found.differs_at_ms.map(|at| ("differs", format!("first at {}", show(Some(at))))));
    lines.extend(found.damaged.iter().map(|damage| {
        let (from, to) = (show(damage.from_ms), show(damage.to_ms));
        ("damaged", format!("{} inputs between {from} and {to}: {}", damage.inputs, damage.reason))
    }));
    lines.extend(found.structure.iter().map(|line| ("structure", line.clone())));
    tell(&lines)?;
    Ok(outcome)
}

fn digest(args: &DigestArgs) -> Result<Outcome, Failure> {
    let file = ShiftFile::open(&args.of.file)?;
    let wall = wall(&file);
    let ats = args.at.iter().map(|text| wall.read(text)).collect::<Result<Vec<_>, _>>().map_err(Failure::Usage)?;
    let clock = Arc::new(SystemClock::new());
    let mut player = Player::open(&args.of.file, None, false, clock)?;
    let ats = if ats.is_empty() { vec![player.state().to] } else { ats };
    let mut digests = Vec::with_capacity(ats.len());
    for at in ats {
        player.command(Command::Seek(at))?;
        digests.push((at, player.core().lock().engine.digest()));
    }
    if args.of.json {
        let list =
            digests.iter().map(|(at, digest)| json!({ "at": wall.show(*at), "digest": format!("{digest:016x}") }));
        return say(&json!({ "digests": list.collect::<Vec<_>>() }));
    }
    let mut out = std::io::stdout().lock();
    for (at, digest) in digests {
        writeln!(out, "{digest:016x}  {}", wall.show(at))?;
    }
    Ok(Outcome::Fine)
}

fn export(args: &ExportArgs) -> Result<Outcome, Failure> {
    let file = ShiftFile::open(&args.of.file)?;
    let wall = wall(&file);
    let (begin, end) = extent(&file);
    let time = |text: &Option<String>, default| text.as_ref().map_or(Ok(default), |text| wall.read(text));
    let (from, to) = (time(&args.from, begin).map_err(Failure::Usage)?, time(&args.to, end).map_err(Failure::Usage)?);
    if to < from {
        return Err(Failure::Usage("--to is before --from".to_owned()));
    }
    let part = Part { file: &file, from, to, tags: tags(&file, &args.tag)? };
    let format = match args.format {
        Kind::Shift => ExportFormat::Shift,
        Kind::Parquet => ExportFormat::Parquet,
        Kind::Csv => ExportFormat::Csv,
        Kind::Xlsx => ExportFormat::Xlsx,
    };
    let written = exports::write(&part, &format, &args.out, &AtomicBool::new(false));
    let size = written.map_err(|error| Failure::NotWritten(chain(&error)))?;
    if args.of.json {
        return say(&json!({ "file": args.out.display().to_string(), "bytes": size.bytes, "rows": size.rows }));
    }
    tell(&[
        ("file", args.out.display().to_string()),
        ("bytes", size.bytes.to_string()),
        ("rows", size.rows.to_string()),
    ])
}

/// The tags of these names.
fn tags(file: &ShiftFile, names: &[String]) -> Result<BTreeSet<TagId>, Failure> {
    if names.is_empty() {
        return Ok(BTreeSet::new());
    }
    let header = file.header();
    let config = lineside_config::parse(&header.config_text, Path::new(&header.config_path));
    let config = config.map_err(|errors| Failure::from(ReplayError::Config(errors)))?;
    let find = |name: &String| {
        let id = config.tag_ids().find(|id| config.tag(*id).name == *name);
        id.ok_or_else(|| Failure::Usage(format!("the recording has no tag `{name}`")))
    };
    names.iter().map(find).collect()
}

/// First and last instant.
fn extent(file: &ShiftFile) -> (Timestamp, Timestamp) {
    let about = library::examine(file.path(), None).about;
    about.map_or((Timestamp::MIN, Timestamp::MAX), |about| (about.from, about.to))
}

fn wall(file: &ShiftFile) -> Wall {
    let (from, to) = extent(file);
    Wall::new(&file.header().time_zone, from, to)
}

fn say(json: &Json) -> Result<Outcome, Failure> {
    writeln!(std::io::stdout().lock(), "{json:#}")?;
    Ok(Outcome::Fine)
}

fn tell(lines: &[(&str, String)]) -> Result<Outcome, Failure> {
    let mut out = std::io::stdout().lock();
    for (name, value) in lines {
        writeln!(out, "{name:<14}{value}")?;
    }
    Ok(Outcome::Fine)
}
