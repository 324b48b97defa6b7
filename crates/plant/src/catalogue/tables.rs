//! The measured values of each machine and of its stations, as tables.
//!
//! Promise: one row per signal; what a signal does is said by its row alone. Figures are those of a line
//! for 0.5 l bottles with 60 filling valves and 18 closing heads.

use super::units::*;

/// What a measured value follows.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum By {
    /// Nothing: it is always at its running value.
    Always,
    /// Whether the machine runs.
    Running,
    /// The speed of the machine as a share of its best.
    Speed,
    /// The level of the conveyor before the machine.
    Infeed,
}

/// A measured value.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Row {
    pub(crate) name: &'static str,
    pub(crate) what: &'static str,
    pub(crate) eu: Eu,
    pub(crate) range: (f64, f64),
    pub(crate) idle: f64,
    pub(crate) run: f64,
    pub(crate) by: By,
    /// Added at full wear while the machine runs.
    pub(crate) wear: f64,
    /// Time constant in seconds.
    pub(crate) tau: f64,
    /// Standard deviation of the measurement.
    pub(crate) noise: f64,
    pub(crate) digits: u8,
    pub(crate) every_ms: u32,
    /// Double instead of Float.
    pub(crate) double: bool,
}

const fn row(name: &'static str, what: &'static str, eu: Eu, range: (f64, f64), every_ms: u32) -> Row {
    let middle = (range.0 + range.1) / 2.0;
    Row {
        name,
        what,
        eu,
        range,
        idle: middle,
        run: middle,
        by: By::Always,
        wear: 0.0,
        tau: 1.0,
        noise: 0.0,
        digits: 1,
        every_ms,
        double: false,
    }
}

impl Row {
    const fn at(mut self, run: f64) -> Row {
        self.idle = run;
        self.run = run;
        self
    }

    const fn by(mut self, by: By, idle: f64, run: f64, tau: f64) -> Row {
        self.by = by;
        self.idle = idle;
        self.run = run;
        self.tau = tau;
        self
    }

    const fn noise(mut self, noise: f64, digits: u8) -> Row {
        self.noise = noise;
        self.digits = digits;
        self
    }

    const fn wear(mut self, added: f64) -> Row {
        self.wear = added;
        self
    }

    /// Whether the measurement trembles while the machine stands. What is 0 at rest, or measured on each
    /// bottle, does not.
    pub(crate) fn lives_at_rest(&self) -> bool {
        self.by == By::Always || (self.idle != 0.0 && self.idle != self.run)
    }

    const fn double(mut self) -> Row {
        self.double = true;
        self
    }
}

/// Groups of equal stations of a machine.
pub(crate) struct Stations {
    pub(crate) name: &'static str,
    pub(crate) count: u32,
    pub(crate) rows: &'static [Row],
}

/// Signals of a machine: its own, and those of its stations and drives.
pub(crate) struct Signals {
    pub(crate) own: &'static [Row],
    pub(crate) stations: &'static [Stations],
}

const DRIVE: &[Row] = &[
    row("Current", "Motor current", AMPERE, (0.0, 16.0), 1000).by(By::Speed, 0.0, 9.0, 0.8).noise(0.06, 1),
    row("Temperature", "Winding temperature", CELSIUS, (0.0, 120.0), 10_000)
        .by(By::Speed, 28.0, 78.0, 900.0)
        .noise(0.05, 1),
    row("Vibration", "Vibration velocity, r.m.s.", MM_PER_SECOND, (0.0, 7.1), 5000)
        .by(By::Speed, 0.1, 2.4, 1.0)
        .wear(1.6)
        .noise(0.05, 1),
    row("Power", "Electrical power", KILOWATT, (0.0, 11.0), 5000).by(By::Speed, 0.0, 4.8, 0.8).noise(0.03, 1),
    row("LoadShare", "Torque as a share of the rated torque", PERCENT, (0.0, 120.0), 10_000)
        .by(By::Speed, 0.0, 62.0, 0.8)
        .noise(0.6, 0),
    row("HousingTemperature", "Temperature of the gearbox", CELSIUS, (0.0, 90.0), 30_000)
        .by(By::Speed, 24.0, 52.0, 1500.0)
        .noise(0.04, 1),
];

const CABINET: &[Row] = &[
    row("CabinetTemperature", "Temperature in the control cabinet", CELSIUS, (10.0, 50.0), 5000)
        .by(By::Running, 27.0, 34.0, 1800.0)
        .noise(0.04, 1),
    row("Voltage24", "Control voltage", ONE, (20.0, 28.0), 10_000).at(24.1).noise(0.03, 1),
    row("AirPressure", "Air pressure at the machine", BAR, (0.0, 8.0), 1000)
        .by(By::Speed, 6.3, 6.0, 3.0)
        .noise(0.03, 2)
        .double(),
];

const FILLER: Signals = Signals {
    own: &[
        row("BowlLevel", "Level in the bowl", PERCENT, (0.0, 100.0), 500)
            .by(By::Speed, 66.0, 61.0, 4.0)
            .noise(0.35, 1)
            .double(),
        row("BowlPressure", "Pressure in the bowl", BAR, (0.0, 6.0), 500).at(3.2).noise(0.02, 2).double(),
        row("BowlTemperature", "Product temperature in the bowl", CELSIUS, (0.0, 25.0), 1000)
            .by(By::Running, 9.5, 7.4, 400.0)
            .noise(0.05, 2)
            .double(),
        row("ProductFlow", "Product flow to the bowl", CUBIC_METRE_PER_HOUR, (0.0, 25.0), 500)
            .by(By::Speed, 0.0, 19.2, 1.5)
            .noise(0.08, 2)
            .double(),
        row("FillVolume", "Mean fill volume", MILLILITRE, (490.0, 510.0), 1000)
            .at(500.6)
            .wear(-6.5)
            .noise(0.12, 2)
            .double(),
        row("Co2Pressure", "CO2 pressure", BAR, (0.0, 8.0), 1000).at(5.1).noise(0.015, 2).double(),
        row("RinserPressure", "Water pressure at the rinser", BAR, (0.0, 5.0), 2000)
            .by(By::Running, 0.4, 2.6, 1.0)
            .noise(0.02, 2),
    ],
    stations: &[
        Stations {
            name: "Valve",
            count: 60,
            rows: &[
                row("FillVolume", "Fill volume of the last bottle", MILLILITRE, (490.0, 510.0), 6000)
                    .by(By::Running, 500.5, 500.5, 1.0)
                    .wear(-6.5)
                    .noise(0.3, 1),
                row("FillTime", "Fill time of the last bottle", MILLISECOND, (2000.0, 6000.0), 6000)
                    .by(By::Running, 3900.0, 3900.0, 1.0)
                    .wear(500.0)
                    .noise(18.0, 0),
                row("ReturnGas", "Pressure of the return gas", BAR, (0.0, 4.0), 12_000)
                    .by(By::Running, 0.0, 1.4, 2.0)
                    .noise(0.01, 2),
                row("SealWear", "Computed wear of the seal", PERCENT, (0.0, 100.0), 60_000).at(31.0).noise(0.01, 1),
            ],
        },
        Stations { name: "Drive", count: 6, rows: DRIVE },
    ],
};

const CAPPER: Signals = Signals {
    own: &[
        row("Torque", "Mean closing torque", NEWTON_METRE, (0.0, 3.0), 1000)
            .by(By::Running, 0.0, 1.82, 0.8)
            .wear(-0.65)
            .noise(0.02, 2)
            .double(),
        row("CapLevel", "Level of the cap hopper", PERCENT, (0.0, 100.0), 2000)
            .by(By::Speed, 72.0, 58.0, 120.0)
            .noise(0.3, 1)
            .double(),
        row("ChutePressure", "Air pressure of the cap chute", BAR, (0.0, 2.0), 1000)
            .by(By::Running, 0.6, 0.9, 1.0)
            .noise(0.01, 2),
        row("SterileAir", "Temperature of the sterile air", CELSIUS, (10.0, 40.0), 2000).at(22.4).noise(0.03, 1),
    ],
    stations: &[
        Stations {
            name: "Head",
            count: 18,
            rows: &[
                row("Torque", "Torque of the last closure", NEWTON_METRE, (0.0, 3.0), 2000)
                    .by(By::Running, 0.0, 1.82, 0.3)
                    .wear(-0.65)
                    .noise(0.05, 2),
                row("Angle", "Angle of the last closure", DEGREE, (500.0, 900.0), 4000)
                    .by(By::Running, 710.0, 710.0, 1.0)
                    .wear(-60.0)
                    .noise(4.0, 0),
                row("Force", "Top load of the last closure", NEWTON, (0.0, 400.0), 4000)
                    .by(By::Running, 0.0, 215.0, 0.3)
                    .noise(3.0, 0),
                row("Clutch", "Temperature of the clutch", CELSIUS, (0.0, 90.0), 20_000)
                    .by(By::Speed, 24.0, 47.0, 900.0)
                    .wear(9.0)
                    .noise(0.05, 1),
            ],
        },
        Stations { name: "Drive", count: 4, rows: DRIVE },
    ],
};

const LABELLER: Signals = Signals {
    own: &[
        row("GlueTemperature", "Temperature of the label glue", CELSIUS, (100.0, 180.0), 1000)
            .at(148.0)
            .noise(0.12, 1)
            .double(),
        row("LabelPosition", "Mean position error of the label", MILLIMETRE, (-3.0, 3.0), 1000)
            .at(0.1)
            .wear(1.7)
            .noise(0.06, 2)
            .double(),
        row("ReelFront", "Rest on the front reel", PERCENT, (0.0, 100.0), 2000)
            .by(By::Speed, 64.0, 41.0, 600.0)
            .noise(0.02, 1)
            .double(),
        row("ReelBack", "Rest on the back reel", PERCENT, (0.0, 100.0), 2000)
            .by(By::Speed, 58.0, 33.0, 700.0)
            .noise(0.02, 1)
            .double(),
        row("Vacuum", "Vacuum of the transfer drum", BAR, (-1.0, 0.0), 1000)
            .by(By::Running, -0.2, -0.62, 1.0)
            .noise(0.008, 2),
        row("WebTension", "Tension of the web", NEWTON, (0.0, 60.0), 1000).by(By::Speed, 6.0, 31.0, 1.0).noise(0.5, 1),
    ],
    stations: &[
        Stations {
            name: "Station",
            count: 24,
            rows: &[
                row("Position", "Position error of the last label", MILLIMETRE, (-3.0, 3.0), 4000)
                    .by(By::Running, 0.1, 0.1, 1.0)
                    .wear(1.7)
                    .noise(0.12, 2),
                row("PlateTorque", "Torque of the bottle plate", NEWTON_METRE, (0.0, 4.0), 8000)
                    .by(By::Speed, 0.0, 1.1, 0.8)
                    .noise(0.03, 2),
                row("Contrast", "Contrast seen by the camera", PERCENT, (0.0, 100.0), 8000)
                    .by(By::Running, 87.0, 87.0, 1.0)
                    .noise(0.6, 0),
            ],
        },
        Stations { name: "Drive", count: 6, rows: DRIVE },
    ],
};

const PACKER: Signals = Signals {
    own: &[
        row("GlueTemperature", "Temperature of the hot melt", CELSIUS, (120.0, 200.0), 1000)
            .at(168.0)
            .wear(-21.0)
            .noise(0.12, 1)
            .double(),
        row("GluePressure", "Pressure of the hot melt", BAR, (0.0, 60.0), 1000)
            .by(By::Running, 12.0, 34.0, 1.5)
            .noise(0.2, 1)
            .double(),
        row("Magazine", "Level of the blank magazine", PERCENT, (0.0, 100.0), 2000)
            .by(By::Speed, 80.0, 46.0, 300.0)
            .noise(0.3, 0),
        row("Vacuum", "Vacuum of the blank pick-up", BAR, (-1.0, 0.0), 1000)
            .by(By::Running, -0.1, -0.71, 0.8)
            .noise(0.008, 2),
    ],
    stations: &[
        Stations {
            name: "Lane",
            count: 12,
            rows: &[
                row("Occupancy", "Occupancy of the lane", PERCENT, (0.0, 100.0), 2000)
                    .by(By::Infeed, 0.0, 100.0, 3.0)
                    .noise(1.2, 0),
                row("Gripper", "Gripper pressure", BAR, (0.0, 3.0), 4000).by(By::Running, 0.0, 1.5, 0.5).noise(0.02, 2),
                row("Nozzle", "Temperature of the glue nozzle", CELSIUS, (120.0, 200.0), 5000)
                    .at(171.0)
                    .wear(-18.0)
                    .noise(0.1, 1),
            ],
        },
        Stations { name: "Drive", count: 8, rows: DRIVE },
    ],
};

const PALLETIZER: Signals = Signals {
    own: &[
        row("LiftPosition", "Position of the lift", MILLIMETRE, (0.0, 2400.0), 1000)
            .by(By::Running, 150.0, 1180.0, 8.0)
            .noise(4.0, 0)
            .double(),
        row("GripperPressure", "Gripper pressure", BAR, (0.0, 8.0), 1000)
            .by(By::Running, 0.5, 5.2, 0.6)
            .wear(-1.9)
            .noise(0.03, 2)
            .double(),
        row("LayerWeight", "Load on the lift", PERCENT, (0.0, 100.0), 1000)
            .by(By::Infeed, 10.0, 95.0, 6.0)
            .noise(0.4, 1),
        row("FilmTension", "Tension of the wrapping film", NEWTON, (0.0, 120.0), 1000)
            .by(By::Running, 0.0, 64.0, 1.0)
            .noise(0.7, 1),
    ],
    stations: &[
        Stations {
            name: "Axis",
            count: 8,
            rows: &[
                row("Torque", "Torque of the axis", PERCENT, (-100.0, 100.0), 1000)
                    .by(By::Speed, 0.0, 44.0, 0.5)
                    .noise(2.2, 0),
                row("LagError", "Lag error of the axis", MILLIMETRE, (-2.0, 2.0), 2000)
                    .by(By::Running, 0.0, 0.14, 0.5)
                    .noise(0.03, 2),
                row("Temperature", "Temperature of the axis drive", CELSIUS, (0.0, 110.0), 10_000)
                    .by(By::Speed, 27.0, 63.0, 900.0)
                    .noise(0.05, 1),
            ],
        },
        Stations { name: "Drive", count: 8, rows: DRIVE },
    ],
};

/// Signals of the machines in the order of [`crate::line::MACHINES`].
pub(crate) const SIGNALS: [Signals; 5] = [FILLER, CAPPER, LABELLER, PACKER, PALLETIZER];

/// Signals that every machine has.
pub(crate) const COMMON: &[Row] = CABINET;

/// Signals of the conveyor before a machine, by its sections.
pub(crate) const SECTION: &[Row] = &[
    row("Current", "Motor current of the conveyor section", AMPERE, (0.0, 6.0), 2000)
        .by(By::Speed, 0.3, 2.6, 1.0)
        .noise(0.03, 2),
    row("Speed", "Speed of the conveyor section", PERCENT, (0.0, 120.0), 2000)
        .by(By::Speed, 12.0, 96.0, 1.5)
        .noise(0.3, 1),
    row("Occupancy", "Occupancy of the conveyor section", PERCENT, (0.0, 100.0), 1000)
        .by(By::Infeed, 0.0, 100.0, 2.0)
        .noise(0.8, 0),
    row("Temperature", "Motor temperature of the conveyor section", CELSIUS, (0.0, 100.0), 20_000)
        .by(By::Speed, 24.0, 49.0, 1200.0)
        .noise(0.05, 1),
];

/// Sections of the conveyor before each machine; the first has the bottle infeed.
pub(crate) const SECTIONS: [u32; 5] = [6, 2, 6, 10, 8];

/// Supplies of the line.
pub(crate) const SUPPLIES: &[Row] = &[
    row("AirPressure", "Pressure of the compressed air", BAR, (0.0, 10.0), 1000).at(6.8).noise(0.03, 2).double(),
    row("AirFlow", "Flow of compressed air", CUBIC_METRE_PER_HOUR, (0.0, 900.0), 1000)
        .by(By::Speed, 120.0, 610.0, 6.0)
        .noise(5.0, 0)
        .double(),
    row("Co2Flow", "Flow of CO2", CUBIC_METRE_PER_HOUR, (0.0, 120.0), 1000)
        .by(By::Speed, 0.0, 74.0, 4.0)
        .noise(0.5, 1)
        .double(),
    row("WaterPressure", "Pressure of the water", BAR, (0.0, 8.0), 1000).at(4.4).noise(0.025, 2).double(),
    row("WaterTemperature", "Temperature of the water", CELSIUS, (0.0, 40.0), 5000).at(14.6).noise(0.04, 1).double(),
    row("GlycolSupply", "Temperature of the coolant supply", CELSIUS, (-10.0, 10.0), 2000)
        .at(-3.2)
        .noise(0.04, 2)
        .double(),
    row("GlycolReturn", "Temperature of the coolant return", CELSIUS, (-10.0, 15.0), 2000)
        .by(By::Running, -1.0, 2.1, 300.0)
        .noise(0.04, 2)
        .double(),
    row("Power", "Electrical power of the line", KILOWATT, (0.0, 320.0), 1000)
        .by(By::Speed, 45.0, 214.0, 3.0)
        .noise(1.5, 1)
        .double(),
    row("ProductTank", "Level of the product tank", PERCENT, (0.0, 100.0), 2000)
        .by(By::Running, 78.0, 52.0, 3600.0)
        .noise(0.05, 1)
        .double(),
    row("ProductTemperature", "Temperature of the product", CELSIUS, (0.0, 25.0), 2000).at(6.2).noise(0.03, 2).double(),
    row("AmbientTemperature", "Temperature of the hall", CELSIUS, (0.0, 45.0), 30_000).at(23.4).noise(0.03, 1).double(),
    row("AmbientHumidity", "Humidity of the hall", PERCENT, (0.0, 100.0), 30_000).at(51.0).noise(0.2, 0).double(),
];

/// Cycle time of the machine in seconds is shown beside its speed.
pub(crate) const SPEED_UNIT: Eu = PER_MINUTE;
/// Unit of times in states.
pub(crate) const TIME_UNIT: Eu = SECOND;
/// Unit of conveyor levels.
pub(crate) const LEVEL_UNIT: Eu = PERCENT;
/// Unit of the current loops of the I/O modules.
pub(crate) const LOOP_UNIT: Eu = MILLIAMPERE;
