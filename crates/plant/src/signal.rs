//! What a tag shows at a moment: from the state of the line to a value.
//!
//! Promise: depends on seed, tag name, time and the line only, so one tag is the same in a plant of any
//! size. It does not know qualities or servers.

use crate::catalogue::{By, Catalogue, Kind, Row, Signal, resolution};
use crate::line::{Line, Machine};
use crate::random::{mixed, noise};

/// A value of a tag.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Value {
    Bool(bool),
    UInt16(u16),
    UInt32(u32),
    Float(f32),
    Double(f64),
}

/// The changing part of a signal.
#[derive(Clone, Debug)]
pub(crate) struct Memory {
    /// Identity for noise, from the name of the tag.
    id: u64,
    /// Filtered value of an analog signal, or the count of a counter.
    level: f64,
    /// Tick of the last look; none before the first.
    looked: Option<u64>,
}

/// Looks at signals of one plant.
#[derive(Clone, Debug)]
pub(crate) struct Signals {
    seed: u64,
    memory: Vec<Memory>,
}

/// The moment of a look.
#[derive(Clone, Copy)]
pub(crate) struct Moment<'a> {
    pub(crate) line: &'a Line,
    /// Ticks of the simulation.
    pub(crate) tick: u64,
    pub(crate) tick_ms: u64,
}

impl Moment<'_> {
    fn seconds(&self) -> f64 {
        self.tick as f64 * self.tick_ms as f64 / 1000.0
    }
}

impl Signals {
    pub(crate) fn new(seed: u64, catalogue: &Catalogue) -> Signals {
        let fresh = |name: &str| Memory { id: id_of(name), level: 0.0, looked: None };
        Signals { seed, memory: catalogue.tags().iter().map(|tag| fresh(&tag.name)).collect() }
    }

    /// Where in its period a tag is looked at, so that not all are looked at together.
    pub(crate) fn phase(&self, index: usize, period: u64) -> u64 {
        mixed(self.seed, self.memory[index].id, 0) % period.max(1)
    }

    /// The value of tag `index` now.
    pub(crate) fn look(&mut self, index: usize, catalogue: &Catalogue, now: Moment<'_>) -> Value {
        let memory = &mut self.memory[index];
        let machine = |m: usize| &now.line.machines()[m];
        match catalogue.signals[index] {
            Signal::State(m) => Value::UInt32(machine(m).state.number()),
            Signal::Mode(m) => Value::UInt32(machine(m).mode.number()),
            Signal::StopReason(m) => Value::UInt32(machine(m).reason as u32),
            Signal::Speed(m) => Value::Double(shown_speed(machine(m), noise(self.seed, memory.id, now.tick))),
            Signal::SetSpeed(m) => Value::Double(machine(m).set_speed.round()),
            Signal::Good(m) => Value::UInt32(machine(m).good),
            Signal::Reject(m) => Value::UInt32(machine(m).reject),
            Signal::StateTime(m) => Value::Double(machine(m).seconds_in_state().floor()),
            Signal::Starved(m) => Value::Bool(machine(m).starved),
            Signal::Blocked(m) => Value::Bool(machine(m).blocked),
            Signal::Active(m, reason) => Value::Bool(machine(m).reason == reason),
            Signal::RejectShare(m) => Value::Double(rounded(machine(m).reject_share * 100.0, 1)),
            Signal::Buffer(b) => Value::UInt32(now.line.buffers()[b].count()),
            Signal::BufferLevel(b) => Value::Double(rounded(now.line.buffers()[b].level() * 100.0, 0)),
            Signal::LineSpeed => Value::Double(now.line.wanted_speed()),
            Signal::Heartbeat => Value::UInt32(now.seconds() as u32),
            Signal::Analog(row, m) => analog(self.seed, memory, &row, m, catalogue.tags()[index].kind, now),
            Signal::LoopInput => Value::Float(rounded(
                12.0 + wave(memory.id, now.seconds()) * 6.0 + 0.02 * noise(self.seed, memory.id, now.tick),
                2,
            ) as f32),
            Signal::DigitalInput => Value::Bool(wave(memory.id, now.seconds()) > 0.3),
            Signal::RawInput => Value::UInt16((13_824.0 + wave(memory.id, now.seconds()) * 9_000.0) as u16),
            Signal::PulseInput => pulses(self.seed, memory, now),
            Signal::Load => Value::UInt32(memory.level as u32),
        }
    }

    /// One more on a load counter.
    pub(crate) fn count(&mut self, index: usize) -> Value {
        let memory = &mut self.memory[index];
        memory.level = (memory.level + 1.0) % 4_294_967_296.0;
        Value::UInt32(memory.level as u32)
    }
}

fn analog(seed: u64, memory: &mut Memory, row: &Row, m: usize, kind: Kind, now: Moment<'_>) -> Value {
    let machine = &now.line.machines()[m];
    let share = match row.by {
        By::Always => 1.0,
        By::Running => f64::from(u8::from(machine.running())),
        By::Speed => machine.speed / machine.spec.ideal,
        By::Infeed => m.checked_sub(1).map_or(machine.speed / machine.spec.ideal, |b| now.line.buffers()[b].level()),
    };
    let felt_wear = if machine.running() { machine.wear * row.wear } else { 0.0 };
    // No two stations are alike: each stands a little off the common value, and drifts over about an hour.
    let apart = (mixed(seed, memory.id, 1) as f64 / u64::MAX as f64 - 0.5) * 2.0 + 0.5 * wave(memory.id, now.seconds());
    let target = row.idle + (row.run - row.idle) * share + felt_wear + apart * row.noise * 2.0 * share;
    memory.level = match memory.looked {
        None => target,
        Some(before) => {
            let passed = (now.tick - before) as f64 * now.tick_ms as f64 / 1000.0;
            target + (memory.level - target) * (-passed / row.tau).exp()
        }
    };
    memory.looked = Some(now.tick);
    let trembling = if share > 0.02 || row.lives_at_rest() { row.noise } else { 0.0 };
    let shown = rounded(memory.level + trembling * noise(seed, memory.id, now.tick), row.digits);
    if kind == Kind::Float { Value::Float(shown as f32) } else { Value::Double(shown) }
}

fn pulses(seed: u64, memory: &mut Memory, now: Moment<'_>) -> Value {
    if mixed(seed, memory.id, now.tick).is_multiple_of(3) {
        memory.level = (memory.level + 1.0) % 4_294_967_296.0;
    }
    Value::UInt32(memory.level as u32)
}

fn shown_speed(machine: &Machine, noise: f64) -> f64 {
    if machine.speed <= 0.0 { 0.0 } else { rounded((machine.speed * (1.0 + 0.002 * noise)).max(0.0), 1) }
}

/// A slow movement between -1 and 1 with a period of 20 to 80 minutes, different for every id.
fn wave(id: u64, seconds: f64) -> f64 {
    let period = 1200.0 + (id % 3600) as f64;
    let phase = ((id >> 32) % 1000) as f64 / 1000.0;
    (std::f64::consts::TAU * (seconds / period + phase)).sin()
}

fn rounded(value: f64, digits: u8) -> f64 {
    let steps = (1.0 / resolution(digits)).round();
    // + 0.0 turns a negative zero into zero.
    (value * steps).round() / steps + 0.0
}

/// FNV-1a of the name.
fn id_of(name: &str) -> u64 {
    name.bytes().fold(0xcbf2_9ce4_8422_2325, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01b3))
}
