//! The PackML state machine as OPC 30050 gives it: state numbers and legal transitions.
//!
//! Promise: a state changes only through [`State::after`], so an illegal transition cannot happen.
//! It does not know times or machines.

/// A PackML state with its OPC 30050 `StateNumber`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[repr(u8)]
pub enum State {
    Clearing = 1,
    Stopped = 2,
    Starting = 3,
    Idle = 4,
    Suspended = 5,
    Execute = 6,
    Stopping = 7,
    Aborting = 8,
    Aborted = 9,
    Holding = 10,
    Held = 11,
    Unholding = 12,
    Suspending = 13,
    Unsuspending = 14,
    Resetting = 15,
    Completing = 16,
    Complete = 17,
}

/// A PackML mode with its number; 1 to 3 are PackML's, 4 is this line's own.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum Mode {
    Produce = 1,
    Maintenance = 2,
    Manual = 3,
    Changeover = 4,
}

/// What makes a state change: a command, or `Done` when an acting state has run to completion.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Trigger {
    Reset,
    Start,
    Stop,
    Hold,
    Unhold,
    Suspend,
    Unsuspend,
    Complete,
    Abort,
    Clear,
    Done,
}

/// Texts of the states; the index is the number.
pub const STATE_TEXTS: [&str; 18] = [
    "Undefined",
    "Clearing",
    "Stopped",
    "Starting",
    "Idle",
    "Suspended",
    "Execute",
    "Stopping",
    "Aborting",
    "Aborted",
    "Holding",
    "Held",
    "Unholding",
    "Suspending",
    "Unsuspending",
    "Resetting",
    "Completing",
    "Complete",
];

/// Texts of the modes; the index is the number.
pub const MODE_TEXTS: [&str; 5] = ["Invalid", "Produce", "Maintenance", "Manual", "Changeover"];

impl State {
    /// The number of OPC 30050.
    pub fn number(self) -> u32 {
        u32::from(self as u8)
    }

    /// The state after `trigger`, or none where the standard has no such transition.
    pub fn after(self, trigger: Trigger) -> Option<State> {
        use State::*;
        match (self, trigger) {
            (Stopped | Complete, Trigger::Reset) => Some(Resetting),
            (Idle, Trigger::Start) => Some(Starting),
            (Stopping | Stopped | Aborting | Aborted | Clearing, Trigger::Stop) => None,
            (_, Trigger::Stop) => Some(Stopping),
            (Aborting | Aborted, Trigger::Abort) => None,
            (_, Trigger::Abort) => Some(Aborting),
            (Aborted, Trigger::Clear) => Some(Clearing),
            (Execute | Starting | Suspending | Suspended | Unsuspending | Unholding, Trigger::Hold) => Some(Holding),
            (Held, Trigger::Unhold) => Some(Unholding),
            (Execute, Trigger::Suspend) => Some(Suspending),
            (Suspended, Trigger::Unsuspend) => Some(Unsuspending),
            (Execute, Trigger::Complete) => Some(Completing),
            (_, Trigger::Done) => self.completed(),
            _ => None,
        }
    }

    /// Where an acting state ends by itself.
    fn completed(self) -> Option<State> {
        use State::*;
        match self {
            Resetting => Some(Idle),
            Starting | Unholding | Unsuspending => Some(Execute),
            Holding => Some(Held),
            Suspending => Some(Suspended),
            Completing => Some(Complete),
            Stopping | Clearing => Some(Stopped),
            Aborting => Some(Aborted),
            _ => None,
        }
    }
}

impl Mode {
    /// The number that the mode tag shows.
    pub fn number(self) -> u32 {
        u32::from(self as u8)
    }
}
