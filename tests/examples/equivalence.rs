//! `cargo xtask sim --seed N`: one seed of the equivalence run, or many in a row.

use lineside_tests::equivalence::prove;
use std::io::Write;
use std::process::ExitCode;

fn main() -> ExitCode {
    let mut args = std::env::args().skip(1);
    let mut value = |name: &str| {
        let found = args.by_ref().find(|arg| arg == name).and_then(|_| args.next());
        found.and_then(|text| text.parse::<u64>().ok())
    };
    let Some(seed) = value("--seed") else {
        let _usage = writeln!(std::io::stderr(), "usage: equivalence --seed N [--runs N]");
        return ExitCode::FAILURE;
    };
    let runs = value("--runs").unwrap_or(1);
    for seed in seed..seed + runs {
        let Ok(dir) = tempfile::tempdir() else { return ExitCode::FAILURE };
        let outcome = prove(seed, 12, 100, dir.path());
        let _told = match &outcome {
            Ok(proof) => writeln!(std::io::stdout(), "seed {seed}: equal; {proof:?}"),
            Err(error) => writeln!(std::io::stdout(), "{error}"),
        };
        if outcome.is_err() {
            let kept = dir.keep();
            let _where = writeln!(std::io::stdout(), "the files are kept in {}", kept.display());
            return ExitCode::FAILURE;
        }
    }
    ExitCode::SUCCESS
}
