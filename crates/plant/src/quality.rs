//! The OPC UA status codes that the plant can give to a value (OPC 10000-6, `StatusCode.csv`).
//!
//! Promise: names and numbers are those of the standard. It knows only the codes that field devices give.

/// Status of a value.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub struct Quality(u32);

const NAMES: [(&str, u32); 13] = [
    ("Good", 0),
    ("GoodLocalOverride", 0x0096_0000),
    ("UncertainLastUsableValue", 0x4090_0000),
    ("UncertainSensorNotAccurate", 0x4093_0000),
    ("UncertainEngineeringUnitsExceeded", 0x4094_0000),
    ("UncertainSubNormal", 0x4095_0000),
    ("BadWaitingForInitialData", 0x8032_0000),
    ("BadNoCommunication", 0x8031_0000),
    ("BadConfigurationError", 0x8089_0000),
    ("BadNotConnected", 0x808A_0000),
    ("BadDeviceFailure", 0x808B_0000),
    ("BadSensorFailure", 0x808C_0000),
    ("BadOutOfService", 0x808D_0000),
];

impl Quality {
    /// The value can be used.
    pub const GOOD: Quality = Quality(0);

    /// The quality with this name of the standard.
    pub fn from_name(name: &str) -> Option<Quality> {
        NAMES.iter().find(|(known, _)| known.eq_ignore_ascii_case(name)).map(|(_, code)| Quality(*code))
    }

    /// All names that [`Quality::from_name`] knows.
    pub fn names() -> impl Iterator<Item = &'static str> {
        NAMES.iter().map(|(name, _)| *name)
    }

    /// The 32 bits of the status code.
    pub fn code(self) -> u32 {
        self.0
    }

    /// Severity bad: there is no value.
    pub fn is_bad(self) -> bool {
        self.0 & 0x8000_0000 != 0
    }
}
