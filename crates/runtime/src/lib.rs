//! The one loop: it stamps what arrives, records it, applies it, and says what changed.
//!
//! A *live session* ([`live`]) feeds the engine from the adapters and a clock; a *replay session*
//! ([`replay`]) feeds it from a file through the same [`step`], as fast as a screen asks. Neither knows a protocol, a screen or a
//! wire format. OS time is read in [`clock`] and nowhere else.

pub mod clock;
pub mod events;
pub mod live;
pub mod replay;
mod running;
mod start;
pub mod step;
mod tape;
pub mod view;

pub use clock::{Clock, SimClock, SystemClock};
pub use live::{Live, Options};
pub use replay::{
    Command, Damage, Doubt, PlaybackState, Player, Progress, Replay, ReplayError, ReplayReport, ReplaySession, Speed,
    Timeline,
};
pub use running::{MarkError, Running, spawn};
pub use view::{Core, SharedCore, View};
