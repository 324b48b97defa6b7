//! The contract between Lineside and its screens.
pub mod wire;
