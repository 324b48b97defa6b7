//! The bottling line: five machines, four conveyors, and what happens between them.
//!
//! Promise: a pure state machine that is given time by [`Line::step`]; no clock, no I/O. Bottles are
//! conserved: taken in at the first machine = passed on by the last + rejected + on the conveyors. A stop
//! travels: upstream the conveyor fills and blocks, downstream it empties and starves.

mod buffer;
mod machine;
mod packml;

pub use buffer::Buffer;
pub use machine::{Machine, MachineSpec};
pub use packml::{MODE_TEXTS, Mode, STATE_TEXTS, State, Trigger};

use crate::random::Chance;
use machine::Surroundings;

/// Length of one step of the line in milliseconds.
pub const TICK_MS: u64 = 100;
const TICK_S: f64 = TICK_MS as f64 / 1000.0;

/// Why a machine does not produce. The number is the value of the `StopReason` tag.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum Reason {
    None = 0,
    Starved = 1,
    Blocked = 2,
    Jam = 3,
    MicroStop = 4,
    TooManyRejects = 5,
    DriveFault = 6,
    Changeover = 7,
    Operator = 8,
}

/// Texts of the reasons; the index is the number.
pub const REASON_TEXTS: [&str; 9] = [
    "None",
    "Starved",
    "Blocked",
    "Bottle jam",
    "Micro-stop",
    "Too many rejects",
    "Drive fault",
    "Changeover",
    "Operator stop",
];

/// The machines in the order of material flow.
pub const MACHINES: [MachineSpec; 5] = [
    MachineSpec { name: "Filler", ideal: 640.0, reject_share: 0.002, wear: "fill volume" },
    MachineSpec { name: "Capper", ideal: 680.0, reject_share: 0.003, wear: "closing torque" },
    MachineSpec { name: "Labeller", ideal: 720.0, reject_share: 0.004, wear: "label position" },
    MachineSpec { name: "Packer", ideal: 760.0, reject_share: 0.001, wear: "glue temperature" },
    MachineSpec { name: "Palletizer", ideal: 800.0, reject_share: 0.0002, wear: "gripper pressure" },
];

/// Capacity in bottles and transit time in ticks of the conveyor after each machine but the last.
const CONVEYORS: [(u32, usize); 4] = [(60, 10), (400, 80), (600, 100), (500, 120)];

/// What can be done to the line.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Action {
    /// A stop inside a machine for so many seconds.
    Hold {
        machine: usize,
        reason: Reason,
        seconds: f64,
    },
    /// A breakdown, repaired after so many seconds.
    Fault {
        machine: usize,
        seconds: f64,
    },
    /// An operator stops a machine until [`Action::Start`].
    Stop {
        machine: usize,
    },
    Start {
        machine: usize,
    },
    /// A machine wears out within so many seconds: its measured value drifts, then rejects rise, then it stops.
    Wear {
        machine: usize,
        seconds: f64,
    },
    /// The line runs empty, is changed over and starts again after so many seconds.
    Changeover {
        seconds: f64,
    },
    /// The wanted speed of the line, bottles per minute.
    Speed {
        per_minute: f64,
    },
}

/// The line and all that changes about it.
#[derive(Clone, Debug)]
pub struct Line {
    machines: Vec<Machine>,
    buffers: Vec<Buffer>,
    wanted_speed: f64,
    /// Ticks until the changeover may end.
    changeover: Option<u32>,
    ticks: u64,
}

impl Line {
    /// A line that runs, with conveyors filled as in normal running, or one that stands empty and starts by itself.
    pub fn new(seed: u64, running: bool) -> Line {
        let mut chance = Chance::new(seed, 0);
        let mut machines: Vec<Machine> = MACHINES
            .iter()
            .enumerate()
            .map(|(index, spec)| Machine::new(*spec, running, Chance::new(seed, 1 + index as u64)))
            .collect();
        let mut buffers: Vec<Buffer> =
            CONVEYORS.iter().map(|(capacity, transit)| Buffer::new(*capacity, *transit)).collect();
        for machine in &mut machines {
            // Counters of a machine that has been in service for a while.
            machine.good = chance.between(1e6, 2e8) as u32;
            machine.reject = chance.between(1e3, 1e5) as u32;
            machine.speed = if running { 600.0 } else { 0.0 };
        }
        if running {
            buffers.iter_mut().for_each(|buffer| buffer.fill(buffer.capacity() * 2 / 5, 1));
        }
        Line { machines, buffers, wanted_speed: 600.0, changeover: None, ticks: 0 }
    }

    /// The machines in the order of material flow.
    pub fn machines(&self) -> &[Machine] {
        &self.machines
    }

    /// The conveyors; number `i` lies between machine `i` and machine `i + 1`.
    pub fn buffers(&self) -> &[Buffer] {
        &self.buffers
    }

    /// Wanted speed of the line, bottles per minute.
    pub fn wanted_speed(&self) -> f64 {
        self.wanted_speed
    }

    /// Steps since the beginning.
    pub fn ticks(&self) -> u64 {
        self.ticks
    }

    /// Sets all counters of good bottles, as after a change of the controller.
    pub fn set_counters(&mut self, good: u32) {
        self.machines.iter_mut().for_each(|machine| machine.good = good);
    }

    /// Does something to the line. What the state of a machine does not allow has no effect.
    pub fn act(&mut self, action: Action) {
        match action {
            Action::Hold { machine, reason, seconds } => self.machines[machine].hold(reason, ticks(seconds)),
            Action::Fault { machine, seconds } => self.machines[machine].abort(Reason::DriveFault, ticks(seconds)),
            Action::Stop { machine } => {
                let machine = &mut self.machines[machine];
                machine.wanted = false;
                if machine.trigger(Trigger::Stop) {
                    machine.reason = Reason::Operator;
                }
            }
            Action::Start { machine } => self.machines[machine].wanted = true,
            Action::Wear { machine, seconds } => self.machines[machine].wear_out(ticks(seconds)),
            Action::Changeover { seconds } => self.changeover = Some(ticks(seconds)),
            Action::Speed { per_minute } => self.wanted_speed = per_minute.clamp(0.0, MACHINES[0].ideal),
        }
    }

    /// One step of [`TICK_MS`].
    pub fn step(&mut self) {
        self.ticks += 1;
        self.buffers.iter_mut().for_each(Buffer::step);
        self.step_changeover();
        // Downstream first: room that a machine makes can be used in the same step.
        for index in (0..self.machines.len()).rev() {
            let around = self.surroundings(index);
            self.machines[index].step(around);
            self.move_bottles(index);
        }
    }

    fn move_bottles(&mut self, index: usize) {
        let ready = if index == 0 { u32::MAX } else { self.buffers[index - 1].ready() };
        let space = self.buffers.get(index).map_or(u32::MAX, Buffer::space);
        let moved = self.machines[index].produce(ready, space);
        if index > 0 {
            self.buffers[index - 1].take(moved.good + moved.reject);
        }
        if let Some(outfeed) = self.buffers.get_mut(index) {
            outfeed.push(moved.good);
        }
    }

    fn surroundings(&self, index: usize) -> Surroundings {
        let infeed = index.checked_sub(1).map(|before| &self.buffers[before]);
        let outfeed = self.buffers.get(index);
        // When no more bottles come, the last ones are taken one by one.
        let last_ones = index > 0 && self.machines[index - 1].at_rest();
        let enough = infeed.is_none_or(|b| b.ready() >= if last_ones { 1 } else { b.capacity() / 8 });
        let room = outfeed.is_none_or(|b| b.space() >= b.capacity() / 4);
        Surroundings {
            starved: infeed.is_some_and(|b| b.ready() == 0),
            blocked: outfeed.is_some_and(|b| b.space() == 0),
            may_resume: enough && room,
            set_speed: self.balanced_speed(index, infeed, outfeed),
        }
    }

    /// Faster with a full infeed, slower with a full outfeed: the V profile of a line around its slowest machine.
    fn balanced_speed(&self, index: usize, infeed: Option<&Buffer>, outfeed: Option<&Buffer>) -> f64 {
        let from_infeed = infeed.map_or(0.0, |b| b.level() - 0.4);
        let from_outfeed = if index == 0 { 0.0 } else { outfeed.map_or(0.0, |b| (b.level() - 0.7).max(0.0)) };
        let share = (1.0 + 0.4 * from_infeed - 0.5 * from_outfeed).clamp(0.6, 1.25);
        (self.wanted_speed * share).min(self.machines[index].spec.ideal)
    }

    fn step_changeover(&mut self) {
        let Some(left) = self.changeover else { return };
        for index in 0..self.machines.len() {
            self.run_out(index);
        }
        let all_changed = self.machines.iter().all(|machine| machine.mode == Mode::Changeover);
        if left == 0 && all_changed {
            self.machines.iter_mut().for_each(|machine| machine.mode = Mode::Produce);
            self.changeover = None;
        } else {
            self.changeover = Some(left.saturating_sub(1));
        }
    }

    /// Ends production of a machine when nothing more comes to it, then changes its mode.
    fn run_out(&mut self, index: usize) {
        let empty =
            index == 0 || (self.machines[index - 1].mode == Mode::Changeover && self.buffers[index - 1].count() == 0);
        let machine = &mut self.machines[index];
        if machine.mode == Mode::Changeover || !empty {
            return;
        }
        match machine.state {
            State::Stopped | State::Complete => {
                machine.mode = Mode::Changeover;
                machine.reason = Reason::Changeover;
            }
            State::Execute => {
                machine.trigger(Trigger::Complete);
            }
            State::Suspended | State::Suspending | State::Idle => {
                machine.trigger(Trigger::Stop);
            }
            _ => {}
        }
    }
}

fn ticks(seconds: f64) -> u32 {
    (seconds / TICK_S).clamp(1.0, 1e9) as u32
}
