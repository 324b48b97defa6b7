//! What the nodes of a server mean for a plant: tags, machines, states, counters, units of measure.
//!
//! Promises: a node is recognised by its type definition in the namespace of the standard, subtypes
//! included; what rests on names alone is marked as a guess; what the server does not say stays empty.
//! Nothing is decided: a proposal is for a person to confirm. It writes no file.

mod forest;
mod guess;
mod machinery;
mod names;
mod packml;
mod proposal;
mod recognised;
mod roles;
mod tags;

pub use proposal::{
    Basis, Note, Proposal, ProposedCounter, ProposedMode, ProposedSpeed, ProposedState, ProposedTag, ProposedUnit,
    Skipped, propose,
};
pub use recognised::Recognised;
