//! The foreign server: a Python process that a test starts, tells what to do, and ends.

use std::io::{BufRead, BufReader, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};

const NAMESPACE: &str = "urn:lineside:interop";

/// A running asyncua server; killed when dropped.
pub(crate) struct Foreign {
    process: Child,
    commands: ChildStdin,
    answers: BufReader<ChildStdout>,
    pub(crate) port: u16,
}

/// The Python with asyncua. `None` where it is not installed: then the test is not run, which it says; in CI
/// that is a failure.
pub(crate) fn python() -> Option<PathBuf> {
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    let python = std::env::var_os("LINESIDE_PYTHON").map_or_else(|| here.join(".venv/bin/python"), PathBuf::from);
    if python.exists() {
        return Some(python);
    }
    let how = "python3 -m venv tests/.venv && tests/.venv/bin/pip install -r tests/interop/requirements.txt";
    assert!(std::env::var_os("CI").is_none(), "{} is missing; install it with: {how}", python.display());
    eprintln!("NOT RUN: {} is missing; install it with: {how}", python.display());
    None
}

impl Foreign {
    /// Starts on `port`, or on one that is free (0). Returns when clients can connect.
    pub(crate) fn start(python: &Path, port: u16) -> Foreign {
        let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("interop/peer.py");
        let mut process = Command::new(python)
            .arg(script)
            .arg(port.to_string())
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .expect("a Python that starts");
        let (commands, answers) =
            (process.stdin.take().expect("piped"), BufReader::new(process.stdout.take().expect("piped")));
        let mut foreign = Foreign { process, commands, answers, port };
        let up = foreign.answer();
        foreign.port = up.strip_prefix("UP ").and_then(|port| port.parse().ok()).expect("UP and a port");
        foreign
    }

    /// Gives a command and waits until it is carried out.
    pub(crate) fn tell(&mut self, command: &str) {
        writeln!(self.commands, "{command}").expect("the server lives");
        self.until("OK");
    }

    /// Waits for a line that the server prints.
    pub(crate) fn until(&mut self, wanted: &str) {
        loop {
            let answer = self.answer();
            assert!(!answer.is_empty(), "the server ended while {wanted} was expected");
            if answer == wanted {
                return;
            }
        }
    }

    fn answer(&mut self) -> String {
        let mut line = String::new();
        self.answers.read_line(&mut line).expect("text");
        line.trim_end().to_string()
    }
}

impl Drop for Foreign {
    fn drop(&mut self) {
        if let Err(error) = self.process.kill().and_then(|()| self.process.wait().map(drop)) {
            eprintln!("the foreign server could not be ended: {error}");
        }
    }
}

/// The node of a variable, as configurations write it.
pub(crate) fn node(name: &str) -> String {
    format!("nsu={NAMESPACE};s={name}")
}
