//! Prints the TypeScript of the contract; `cargo xtask bindings` writes it into the UI.

use std::io::Write;

fn main() -> std::io::Result<()> {
    let mut out = std::io::stdout().lock();
    writeln!(out, "// Made from crates/api by `cargo xtask bindings`. Do not edit.")?;
    for declaration in lineside_api::wire::declarations() {
        writeln!(out, "\nexport {declaration}")?;
    }
    writeln!(out, "\nexport {}", lineside_api::commands::declaration())
}
