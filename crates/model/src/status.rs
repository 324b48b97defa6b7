//! OPC UA status codes, kept whole: 32 bits as the server sent them (OPC 10000-4, 7.39).

use std::fmt;

/// A full OPC UA status code, including sub-code, limit, overflow and historian bits.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct StatusCode(pub u32);

/// The two top bits of a status code.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Severity {
    /// Usable.
    Good,
    /// Usable with care; must be marked.
    Uncertain,
    /// Must not be used in any calculation.
    Bad,
}

impl StatusCode {
    /// The value is good and nothing more is to be said.
    pub const GOOD: StatusCode = StatusCode(0);
    /// Nothing has arrived yet.
    pub const BAD_WAITING_FOR_INITIAL_DATA: StatusCode = StatusCode(0x8032_0000);
    /// The server does not know the node.
    pub const BAD_NODE_ID_UNKNOWN: StatusCode = StatusCode(0x8034_0000);

    /// Good, uncertain or bad. The reserved fourth pattern counts as bad.
    pub fn severity(self) -> Severity {
        match self.0 >> 30 {
            0 => Severity::Good,
            1 => Severity::Uncertain,
            _ => Severity::Bad,
        }
    }

    /// The code without its information bits: what names are looked up by and what is compared.
    pub fn code(self) -> u32 {
        self.0 & 0xFFFF_0000
    }

    /// Is the value good?
    pub fn is_good(self) -> bool {
        self.severity() == Severity::Good
    }

    /// Is the value bad?
    pub fn is_bad(self) -> bool {
        self.severity() == Severity::Bad
    }

    /// The server's queue overflowed just before this value: values were lost. Only meaningful where
    /// the information type says "data value".
    pub fn overflowed(self) -> bool {
        self.0 & 0x0480 == 0x0480
    }
}

impl fmt::Debug for StatusCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:#010x}", self.0)
    }
}
