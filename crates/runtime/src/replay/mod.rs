//! Replay: a `.shift` file through the same step as live, with an engine of its own and no effects.
//!
//! [`Replay`] runs a file to its end and compares digests. [`ReplaySession`] is what screens drive: play, pause,
//! seek, step, loop, follow. Nothing here holds an adapter, a recorder or an executor: there is nothing through
//! which a replay could reach the plant or change a file.

mod compare;
mod condition;
mod figures;
mod find;
mod findings;
mod parameters;
mod playback;
mod player;
mod run;
mod seek;
mod session;
mod story;
mod timeline;
mod what_if;

pub use compare::{Comparison, LinkDifference, TagDifference, UnitAt, UnitDifference, ValueAt, compare};
pub use condition::{Condition, Op};
pub use figures::Figure;
pub use find::{Found, Wanted, find, runs, stops};
pub use findings::{Doubt, PlaybackState};
pub use lineside_recording::Damage;
pub use parameters::{Parameter, ParameterChange, ParameterError, ParameterKind, changed, parameters};
pub use playback::{Command, Goal, Playback, Speed};
pub use player::Player;
pub use run::{Mismatch, Replay, ReplayError, ReplayReport};
pub use session::ReplaySession;
pub use timeline::{Progress, Timeline};
pub use what_if::{Caveat, FigurePair, WhatIf, WhatIfError, what_if};
