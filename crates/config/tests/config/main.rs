//! What `plant.toml` promises: its errors, its schema, its calendar, its speed of reading.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails by panicking")]

mod calendar;
mod cases;
mod common;
mod edit;
mod example;
mod hostile;
