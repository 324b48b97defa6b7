//! PackML states and modes by name. Numbers differ between sources (OPC 30050, TMC, simulators), so
//! a number means something only through a mapping; see `docs/ARCHITECTURE.md`.

/// A PackML state (ISA-TR88.00.02 names), or why there is none.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
#[repr(u8)]
pub enum PackState {
    /// Not known: no data, bad quality, or a number outside the mapping.
    #[default]
    Unknown = 0,
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

/// A PackML unit mode.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
#[repr(u8)]
pub enum Mode {
    /// Not known, or the unit has no mode tag.
    #[default]
    Unknown = 0,
    Produce = 1,
    Maintenance = 2,
    Manual = 3,
    /// User-defined in PackML; Lineside draws it as planned changeover.
    Changeover = 4,
}

impl PackState {
    /// All states in the order of their OPC 30050 numbers; the index is the number.
    pub const ALL: [PackState; 18] = [
        PackState::Unknown,
        PackState::Clearing,
        PackState::Stopped,
        PackState::Starting,
        PackState::Idle,
        PackState::Suspended,
        PackState::Execute,
        PackState::Stopping,
        PackState::Aborting,
        PackState::Aborted,
        PackState::Holding,
        PackState::Held,
        PackState::Unholding,
        PackState::Suspending,
        PackState::Unsuspending,
        PackState::Resetting,
        PackState::Completing,
        PackState::Complete,
    ];

    /// The state with this OPC 30050 number.
    pub fn from_number(number: i64) -> Option<PackState> {
        let index = usize::try_from(number).ok()?;
        PackState::ALL.get(index).copied().filter(|s| *s != PackState::Unknown)
    }

    /// The state with this PackML name, upper or lower case.
    pub fn from_name(name: &str) -> Option<PackState> {
        PackState::ALL.into_iter().skip(1).find(|s| s.name().eq_ignore_ascii_case(name))
    }

    /// The PackML name.
    pub fn name(self) -> &'static str {
        match self {
            PackState::Unknown => "Unknown",
            PackState::Clearing => "Clearing",
            PackState::Stopped => "Stopped",
            PackState::Starting => "Starting",
            PackState::Idle => "Idle",
            PackState::Suspended => "Suspended",
            PackState::Execute => "Execute",
            PackState::Stopping => "Stopping",
            PackState::Aborting => "Aborting",
            PackState::Aborted => "Aborted",
            PackState::Holding => "Holding",
            PackState::Held => "Held",
            PackState::Unholding => "Unholding",
            PackState::Suspending => "Suspending",
            PackState::Unsuspending => "Unsuspending",
            PackState::Resetting => "Resetting",
            PackState::Completing => "Completing",
            PackState::Complete => "Complete",
        }
    }
}

impl Mode {
    /// All modes; the index is the number in recordings.
    pub const ALL: [Mode; 5] = [Mode::Unknown, Mode::Produce, Mode::Maintenance, Mode::Manual, Mode::Changeover];

    /// The mode with this PackML name, upper or lower case.
    pub fn from_name(name: &str) -> Option<Mode> {
        Mode::ALL.into_iter().skip(1).find(|m| m.name().eq_ignore_ascii_case(name))
    }

    /// The PackML name.
    pub fn name(self) -> &'static str {
        match self {
            Mode::Unknown => "Unknown",
            Mode::Produce => "Produce",
            Mode::Maintenance => "Maintenance",
            Mode::Manual => "Manual",
            Mode::Changeover => "Changeover",
        }
    }
}
