//! Units of measure with their UNECE Recommendation 20 codes (OPC 10000-8, 5.6.4.3).
//!
//! Promise: `unit_id` is computed from the code as the standard says, never typed by hand.

/// A unit of measure.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Eu {
    /// As shown to people.
    pub symbol: &'static str,
    /// UNECE common code.
    pub code: &'static str,
    pub name: &'static str,
}

const fn eu(symbol: &'static str, code: &'static str, name: &'static str) -> Eu {
    Eu { symbol, code, name }
}

pub(super) const CELSIUS: Eu = eu("°C", "CEL", "degree Celsius");
pub(super) const BAR: Eu = eu("bar", "BAR", "bar");
pub(super) const PERCENT: Eu = eu("%", "P1", "percent");
pub(super) const MILLILITRE: Eu = eu("ml", "MLT", "millilitre");
pub(super) const MILLISECOND: Eu = eu("ms", "C26", "millisecond");
pub(super) const SECOND: Eu = eu("s", "SEC", "second");
pub(super) const NEWTON_METRE: Eu = eu("N·m", "NU", "newton metre");
pub(super) const NEWTON: Eu = eu("N", "NEW", "newton");
pub(super) const AMPERE: Eu = eu("A", "AMP", "ampere");
pub(super) const MILLIAMPERE: Eu = eu("mA", "4K", "milliampere");
pub(super) const MILLIMETRE: Eu = eu("mm", "MMT", "millimetre");
pub(super) const MM_PER_SECOND: Eu = eu("mm/s", "C16", "millimetre per second");
pub(super) const DEGREE: Eu = eu("°", "DD", "degree [unit of angle]");
pub(super) const PER_MINUTE: Eu = eu("1/min", "C94", "reciprocal minute");
pub(super) const CUBIC_METRE_PER_HOUR: Eu = eu("m³/h", "MQH", "cubic metre per hour");
pub(super) const KILOWATT: Eu = eu("kW", "KWT", "kilowatt");
pub(super) const ONE: Eu = eu("1", "C62", "one");

impl Eu {
    /// `EUInformation.unitId`: the bytes of the code, big-endian.
    pub fn unit_id(self) -> i32 {
        self.code.bytes().fold(0, |id, byte| (id << 8) | i32::from(byte))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn unit_ids_are_those_of_the_opc_foundation_table() {
        for (eu, id) in [
            (CELSIUS, 4408652),
            (PERCENT, 20529),
            (MILLISECOND, 4403766),
            (SECOND, 5457219),
            (BAR, 4342098),
            (ONE, 4404786),
        ] {
            assert_eq!(eu.unit_id(), id, "{}", eu.name);
        }
    }
}
