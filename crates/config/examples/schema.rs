//! Prints the JSON Schema of `plant.toml`; `cargo xtask bindings` writes it into `docs/`.

use std::io::Write;

fn main() -> std::io::Result<()> {
    writeln!(std::io::stdout(), "{:#}", lineside_config::json_schema())
}
