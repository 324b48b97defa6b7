//! Nouns and units of Lineside: what the plant is, what arrives from it, and what is known of it.
//!
//! Every other crate speaks in these types. This crate does no I/O, reads no clock, draws no random
//! number and derives no serialisation: [`archive`] lists the fields of the state once, and the
//! recording and the digest are built from that list.

pub mod archive;
pub mod config;
pub mod inlet;
pub mod input;
pub mod packml;
pub mod report;
pub mod state;
mod status;
mod time;
mod value;

pub use config::{ConnectionId, PlantConfig, TagId, UnitId};
pub use input::{Batch, Gap, GapReason, GapScope, Input, LinkState, Sample, SubscriptionState};
pub use packml::{Mode, PackState};
pub use state::PlantState;
pub use status::{Severity, StatusCode};
pub use time::{Span, Timestamp};
pub use value::{RawValue, Text, Value};
