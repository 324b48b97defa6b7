//! A simulated bottling line and the OPC UA server that shows it: for demo, training and tests.
//!
//! Two parts: [`Simulation`] is the plant as a pure, seeded state machine whose clock the caller owns;
//! [`PlantServer`] runs it in real or accelerated time behind a real OPC UA server. To the rest of Lineside
//! this is a foreign plant: nothing here knows the other crates.

mod catalogue;
pub mod line;
mod plant_toml;
mod quality;
mod random;
mod scenario;
mod server;
mod signal;
mod simulation;

pub use catalogue::{Catalogue, Eu, Kind, TagDef};
pub use plant_toml::plant_toml;
pub use quality::Quality;
pub use scenario::{EMBEDDED, Event, Problem, Scenario, ScenarioError, Target};
pub use server::{CommandError, NAMESPACE, PRODUCT_URI, PlantServer, ServerOptions, StartError, UserPassword};
pub use signal::Value;
pub use simulation::{STEP_MS, Sample, Simulation, SimulationOptions, catalogue_of};
