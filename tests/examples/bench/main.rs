//! Measurements of whole programs: the plant, the loopback host, and a screen's requests.
//!
//! `bench <group> <folder of release programs> [seconds]` prints one line `{"<id>": <number>}`; `cargo
//! xtask bench` calls it. Nothing is simulated but the plant: the programs are those that ship.

mod bare;
mod frame;
mod ingest;
mod opcua;
mod recording;
mod rig;
mod screen;
mod start;

use std::error::Error;
use std::io::Write;
use std::path::Path;

type Outcome<T> = Result<T, Box<dyn Error>>;

/// What was measured: id and value.
type Figures = Vec<(&'static str, f64)>;

fn main() -> Outcome<()> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let (group, programs, seconds) = match arguments.as_slice() {
        [group, programs] => (group, programs, 60),
        [group, programs, seconds] => (group, programs, seconds.parse()?),
        _ => return Err("usage: bench ingest|frame|opcua|recording|start <folder of programs> [seconds]".into()),
    };
    let programs = Path::new(programs);
    let figures = match group.as_str() {
        "ingest" => ingest::measure(programs, seconds)?,
        "frame" => frame::measure(programs)?,
        "opcua" => opcua::measure(seconds)?,
        "recording" => recording::measure(programs)?,
        "start" => start::measure(programs)?,
        other => return Err(format!("there is no group `{other}`").into()),
    };
    let line: serde_json::Map<_, _> = figures.into_iter().map(|(id, value)| (id.to_owned(), value.into())).collect();
    writeln!(std::io::stdout(), "{}", serde_json::Value::Object(line))?;
    Ok(())
}
