//! Shared ground of the acceptance tests: a small plant, a seeded world that feeds it, and the run that
//! proves live and replay to be the same; foreign OPC UA servers, a network that can be hurt, and the account of
//! what must not be lost.

pub mod account;
pub mod certificate;
pub mod equivalence;
pub mod hostile;
pub mod peers;
pub mod playback;
pub mod proxy;
pub mod watch;
pub mod world;
