//! The adapter against a server in this process, over real TCP: what arrives, what is refused, what is
//! lost, and what a person is told.
//!
//! Nothing waits for time to pass: every step waits for an input (or a state of the server), with a deadline.

mod beside;
mod browse;
mod certificates;
mod collect;
mod forge;
mod historian;
mod ladder;
mod liar;
mod lies;
mod links;
mod peer;
mod proxy;
mod redundancy;
mod security;
mod values;
