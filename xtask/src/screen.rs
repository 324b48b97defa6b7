//! An X server without hardware, for the window in tests and measurements.

use crate::shell::{Outcome, Problem};
use std::io::{BufRead, BufReader};
use std::process::{Child, Command, Stdio};

/// Ends with its owner.
pub(crate) struct Screen {
    process: Child,
    /// For the `DISPLAY` variable of programs that draw on it.
    pub(crate) display: String,
}

impl Screen {
    /// Starts Xvfb on a display number of its own choice and waits until it takes clients.
    pub(crate) fn start() -> Outcome<Self> {
        let mut process = Command::new("Xvfb")
            .args(["-displayfd", "1", "-screen", "0", "1920x1080x24", "-nolisten", "tcp"])
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .map_err(|error| Problem::new(format!("Xvfb did not start: {error}"), "Install the package xvfb."))?;
        let mut number = String::new();
        if let Some(stdout) = process.stdout.take() {
            let read = BufReader::new(stdout).read_line(&mut number);
            read.map_err(|error| Problem::new(format!("reading Xvfb's display number: {error}"), ""))?;
        }
        let number = number.trim();
        if number.is_empty() {
            crate::plant::end(&mut process);
            return Err(Problem::new("Xvfb ended before it was ready", ""));
        }
        Ok(Self { display: format!(":{number}"), process })
    }
}

impl Drop for Screen {
    fn drop(&mut self) {
        crate::plant::end(&mut self.process);
    }
}
