//! The programs as children, each ended with its owner.

use crate::Outcome;
use std::fs;
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

/// A child that has said where it listens.
pub(crate) struct Program {
    child: Child,
    pub(crate) address: String,
}

impl Program {
    fn start(command: &mut Command) -> Outcome<Self> {
        let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn()?;
        let stdout = child.stdout.take().ok_or("no standard output")?;
        let mut lines = BufReader::new(stdout).lines();
        let address = lines.by_ref().map_while(Result::ok).find_map(|line| Some(line.strip_prefix("UP ")?.to_owned()));
        // Read to the end: a full pipe would stop the child.
        std::thread::spawn(move || lines.map_while(Result::ok).for_each(drop));
        let mut program = Self { child, address: String::new() };
        program.address = address.ok_or_else(|| format!("{command:?} ended before it was ready"))?;
        Ok(program)
    }

    /// Processor time that the program has used so far, in user and system mode (`proc(5)`, fields 14 and 15).
    pub(crate) fn cpu(&self) -> Outcome<Duration> {
        cpu(&self.child.id().to_string())
    }
}

impl Drop for Program {
    fn drop(&mut self) {
        drop(self.child.stdin.take());
        if let Err(error) = self.child.kill().and_then(|()| self.child.wait()) {
            eprintln!("ending a program: {error}");
        }
    }
}

/// A simulated plant and the folder of an app that trusts it.
pub(crate) struct Rig {
    programs: PathBuf,
    home: tempfile::TempDir,
    _plant: Program,
}

impl Rig {
    /// Starts the plant of a `size`; the configuration that shows it passes through `edit`.
    pub(crate) fn start(programs: &Path, size: &[&str], edit: impl FnOnce(String) -> String) -> Outcome<Self> {
        let home = tempfile::tempdir()?;
        let pki = home.path().join("plant-pki");
        fs::create_dir_all(&pki)?;
        let plant = Program::start(
            Command::new(programs.join("lineside-plant"))
                .args(["--port", "0", "--trust-clients", "--exit-with-stdin", "--seed", "1", "--pki"])
                .arg(&pki)
                .args(size),
        )?;
        let printed = Command::new(programs.join("lineside-plant"))
            .args(["config", "--endpoint", &plant.address])
            .args(size)
            .output()?;
        let rig = Self { programs: programs.to_owned(), home, _plant: plant };
        fs::write(rig.configuration(), edit(String::from_utf8(printed.stdout)?))?;
        let trusted = rig.data().join("pki/trusted/certs");
        fs::create_dir_all(&trusted)?;
        for certificate in fs::read_dir(pki.join("own"))? {
            let certificate = certificate?;
            fs::copy(certificate.path(), trusted.join(certificate.file_name()))?;
        }
        Ok(rig)
    }

    /// Starts the loopback host on this plant.
    pub(crate) fn host(&self) -> Outcome<Program> {
        Program::start(
            Command::new(self.programs.join("lineside-server"))
                .arg("--plant")
                .arg(self.configuration())
                .arg("--data")
                .arg(self.data())
                .arg("--ui")
                .arg(self.home.path()),
        )
    }

    pub(crate) fn data(&self) -> PathBuf {
        self.home.path().join("data")
    }

    pub(crate) fn configuration(&self) -> PathBuf {
        self.home.path().join("plant.toml")
    }
}

/// Processor time of `process`, which may be `self`.
pub(crate) fn cpu(process: &str) -> Outcome<Duration> {
    let text = fs::read_to_string(format!("/proc/{process}/stat"))?;
    // The second field is the program's name in parentheses and may hold spaces.
    let (_, fields) = text.rsplit_once(')').ok_or("unexpected form of /proc/<pid>/stat")?;
    let ticks =
        |index: usize| -> Outcome<u64> { Ok(fields.split_whitespace().nth(index).ok_or("too few fields")?.parse()?) };
    // Linux shows these in units of 1/100 s on every architecture that we build for.
    Ok(Duration::from_millis((ticks(11)? + ticks(12)?) * 10))
}
