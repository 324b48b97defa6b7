//! `cargo xtask shots`: the pictures of the documentation, taken from the running program.

use crate::shell::{Outcome, call, program};
use crate::{make, test};

/// Builds everything and lets `tests/e2e/shots.mjs` take the pictures.
pub(crate) fn shots() -> Outcome {
    test::prepare()?;
    let programs = make::programs(false)?;
    call(program("npm", "tests/e2e", &["run", "--silent", "shots"]).env("LINESIDE_PROGRAMS", programs.folder()))
}
