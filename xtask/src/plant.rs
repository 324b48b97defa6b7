//! The simulated plant as a child process, and the app's trust in it.
//!
//! Promise: the plant ends with its owner, also when the owner is killed (the plant ends when its
//! standard input closes). The link is secured as in a factory: the app trusts this plant because
//! the plant's own certificate was put into its trust store, nothing is switched off.

use crate::make::Programs;
use crate::shell::{Outcome, Problem};
use std::fs;
use std::io::{BufRead, BufReader};
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

/// The port that the demo uses when it is free, so that its configuration stays the same.
const USUAL_PORT: u16 = 4855;

/// A running simulated plant and what the app needs to show it.
pub(crate) struct Plant {
    process: Child,
    /// The configuration that shows this plant.
    pub(crate) configuration: PathBuf,
    /// The app's data folder, which trusts this plant.
    pub(crate) data: PathBuf,
}

impl Plant {
    /// Starts a plant whose files live in `folder`.
    pub(crate) fn start(programs: &Programs, folder: &Path) -> Outcome<Self> {
        let pki = folder.join("plant-pki");
        let data = folder.join("data");
        fs::create_dir_all(&pki).map_err(Problem::file("creating", &pki))?;
        let mut process = Command::new(programs.path("lineside-plant"))
            .args(["--port", &free_port().to_string(), "--trust-clients", "--exit-with-stdin"])
            .arg("--pki")
            .arg(&pki)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .map_err(Problem::file("starting", &programs.path("lineside-plant")))?;
        let endpoint = announced(&mut process, "lineside-plant")?;
        let configuration = folder.join("plant.toml");
        write_configuration(programs, &endpoint, &configuration)?;
        trust(&pki, &data.join("pki/trusted/certs"))?;
        Ok(Self { process, configuration, data })
    }
}

impl Drop for Plant {
    fn drop(&mut self) {
        drop(self.process.stdin.take());
        end(&mut self.process);
    }
}

/// Waits for the line `UP <address>` and returns the address; later lines pass to the terminal.
pub(crate) fn announced(process: &mut Child, name: &str) -> Outcome<String> {
    let unsaid = || Problem::new(format!("{name} ended before it was ready"), "Its own message stands above.");
    let mut lines = BufReader::new(process.stdout.take().ok_or_else(unsaid)?).lines();
    while let Some(Ok(line)) = lines.next() {
        if let Some(address) = line.strip_prefix("UP ") {
            let address = address.to_owned();
            // The pipe is read to its end: a full pipe would stop the child.
            std::thread::spawn(move || lines.map_while(Result::ok).for_each(|line| println!("{line}")));
            return Ok(address);
        }
        println!("{line}");
    }
    Err(unsaid())
}

/// Ends a child that this tool started; one that has ended already is fine.
pub(crate) fn end(process: &mut Child) {
    let ended = process.kill().and_then(|()| process.wait());
    if let Err(error) = ended {
        eprintln!("ending process {}: {error}", process.id());
    }
}

fn free_port() -> u16 {
    TcpListener::bind(("127.0.0.1", USUAL_PORT)).map_or(0, |_| USUAL_PORT)
}

fn write_configuration(programs: &Programs, endpoint: &str, path: &Path) -> Outcome {
    let mut command = Command::new(programs.path("lineside-plant"));
    command.args(["config", "--endpoint", endpoint]);
    fs::write(path, crate::shell::output(&mut command)?).map_err(Problem::file("writing", path))
}

fn trust(plant_pki: &Path, trusted: &Path) -> Outcome {
    fs::create_dir_all(trusted).map_err(Problem::file("creating", trusted))?;
    let own = plant_pki.join("own");
    let entries = fs::read_dir(&own).map_err(Problem::file("reading", &own))?;
    for certificate in entries.filter_map(Result::ok) {
        let to = trusted.join(certificate.file_name());
        fs::copy(certificate.path(), &to).map_err(Problem::file("writing", &to))?;
    }
    Ok(())
}
