//! Shared ground of the acceptance tests: a small plant, a seeded world that feeds it, and the run that
//! proves live and replay to be the same.

pub mod equivalence;
pub mod world;
