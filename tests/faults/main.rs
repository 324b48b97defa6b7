//! Faults of the network and of servers: after each of them every value returns by itself, nothing is there
//! twice, and every number that the server produced was delivered, filled, or lies in a gap.
//!
//! The cases are data; each prints how long it took from the mend to the last value's return. The adapter runs
//! with its default settings.

mod cable;
mod day;
mod hostile;
mod server;
mod stage;
