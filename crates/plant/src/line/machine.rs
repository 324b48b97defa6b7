//! One machine of the line: PackML state, speed, counters, stops and wear.
//!
//! Promise: states change only by the PackML table; good + rejected = taken in, bottle for bottle;
//! counters only rise and roll over at 2^32. It does not know its neighbours: the line tells it whether
//! it is starved or blocked and moves the bottles.

use super::packml::{Mode, State, Trigger};
use super::{Reason, TICK_S};
use crate::random::Chance;

/// What does not change about a machine.
#[derive(Clone, Copy, Debug)]
pub struct MachineSpec {
    pub name: &'static str,
    /// Best speed, bottles per minute.
    pub ideal: f64,
    /// Share of bottles rejected when nothing is worn.
    pub reject_share: f64,
    /// What the wear of this machine is, for people.
    pub wear: &'static str,
}

/// Bottles that one tick moved.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Moved {
    pub(super) good: u32,
    pub(super) reject: u32,
}

/// Neighbourhood in one tick, as the line sees it.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Surroundings {
    pub(super) starved: bool,
    pub(super) blocked: bool,
    /// Enough bottles and enough room to start again.
    pub(super) may_resume: bool,
    /// Speed that keeps the buffers in balance, bottles per minute.
    pub(super) set_speed: f64,
}

/// A machine and all that changes about it.
#[derive(Clone, Debug)]
pub struct Machine {
    pub spec: MachineSpec,
    pub state: State,
    pub mode: Mode,
    /// Actual speed, bottles per minute.
    pub speed: f64,
    /// Speed it is asked for, bottles per minute.
    pub set_speed: f64,
    /// Bottles passed on since the counter was new; rolls over.
    pub good: u32,
    /// Bottles thrown out since the counter was new; rolls over.
    pub reject: u32,
    /// Bottles taken in since the simulation began.
    pub taken: u64,
    pub reason: Reason,
    /// 0 as new to 1 worn out.
    pub wear: f64,
    /// Moving share of rejects over about the last 100 bottles.
    pub reject_share: f64,
    pub starved: bool,
    pub blocked: bool,
    /// Whether somebody wants this machine to run.
    pub wanted: bool,
    wear_per_tick: f64,
    ticks_in_state: u32,
    /// Ticks that the present stop still lasts.
    stop_left: u32,
    waiting_ticks: u32,
    progress: f64,
    chance: Chance,
}

impl Machine {
    pub(super) fn new(spec: MachineSpec, running: bool, chance: Chance) -> Machine {
        Machine {
            spec,
            state: if running { State::Execute } else { State::Stopped },
            mode: Mode::Produce,
            speed: 0.0,
            set_speed: 0.0,
            good: 0,
            reject: 0,
            taken: 0,
            reason: Reason::None,
            wear: 0.0,
            reject_share: 0.0,
            starved: false,
            blocked: false,
            wanted: true,
            wear_per_tick: 0.0,
            ticks_in_state: 0,
            stop_left: 0,
            waiting_ticks: 0,
            progress: 0.0,
            chance,
        }
    }

    /// Seconds in the present state.
    pub fn seconds_in_state(&self) -> f64 {
        f64::from(self.ticks_in_state) * TICK_S
    }

    /// Whether the machine produces as it should.
    pub fn running(&self) -> bool {
        self.state == State::Execute
    }

    /// Whether the machine stands with no more to come until somebody starts it.
    pub fn at_rest(&self) -> bool {
        matches!(self.state, State::Stopped | State::Complete | State::Idle)
    }

    /// Sends a command; refused where PackML has no such transition.
    pub(super) fn trigger(&mut self, trigger: Trigger) -> bool {
        let Some(next) = self.state.after(trigger) else { return false };
        self.state = next;
        self.ticks_in_state = 0;
        self.waiting_ticks = 0;
        true
    }

    /// Stops inside the machine (jam, micro-stop) for so many ticks.
    pub(super) fn hold(&mut self, reason: Reason, ticks: u32) {
        if self.trigger(Trigger::Hold) || matches!(self.state, State::Holding | State::Held) {
            self.reason = reason;
            self.stop_left = ticks;
        }
    }

    /// Breaks down; cleared and started again after so many ticks.
    pub(super) fn abort(&mut self, reason: Reason, ticks: u32) {
        if self.trigger(Trigger::Abort) || matches!(self.state, State::Aborting | State::Aborted) {
            self.reason = reason;
            self.stop_left = ticks;
        }
    }

    /// Lets the wear rise to 1 within so many ticks.
    pub(super) fn wear_out(&mut self, ticks: u32) {
        self.wear_per_tick = 1.0 / f64::from(ticks.max(1));
    }

    /// One tick: timers, speed and state.
    pub(super) fn step(&mut self, around: Surroundings) {
        self.ticks_in_state = self.ticks_in_state.saturating_add(1);
        self.starved = around.starved;
        self.blocked = around.blocked;
        self.set_speed = if self.wanted { around.set_speed } else { 0.0 };
        self.ramp();
        if self.running() && self.wear_per_tick > 0.0 {
            self.wear = (self.wear + self.wear_per_tick).min(1.0);
        }
        self.check_rejects();
        self.follow_state(around);
    }

    /// Moves as many bottles as speed, supply and room allow.
    pub(super) fn produce(&mut self, ready: u32, space: u32) -> Moved {
        self.progress += self.speed / 60.0 * TICK_S;
        let wanted = self.progress.floor();
        let count = (wanted as u32).min(ready).min(space);
        // What could not move is lost time, not a debt to be caught up.
        self.progress = (self.progress - f64::from(count)).min(1.0);
        let reject = (0..count).map(|_| u32::from(self.rejects_one())).sum();
        let moved = Moved { good: count - reject, reject };
        self.good = self.good.wrapping_add(moved.good);
        self.reject = self.reject.wrapping_add(moved.reject);
        self.taken += u64::from(count);
        moved
    }

    fn rejects_one(&mut self) -> bool {
        // Rejects stay low until wear is felt at 40 %, then rise to one in four.
        let felt = ((self.wear - 0.4) / 0.6).max(0.0);
        let rejected = self.chance.happens(self.spec.reject_share + 0.25 * felt * felt);
        self.reject_share += (f64::from(u8::from(rejected)) - self.reject_share) * 0.01;
        rejected
    }

    fn check_rejects(&mut self) {
        if self.running() && self.reject_share > 0.10 {
            let repair = self.chance.between(600.0, 1200.0) as u32;
            self.abort(Reason::TooManyRejects, repair);
        }
    }

    fn ramp(&mut self) {
        let target = if self.running() { self.set_speed } else { 0.0 };
        let seconds = match self.state {
            State::Holding | State::Aborting => 0.5,
            _ if target > self.speed => 6.0,
            _ => 2.0,
        };
        let step = self.spec.ideal / seconds * TICK_S;
        self.speed += (target - self.speed).clamp(-step, step);
    }

    fn follow_state(&mut self, around: Surroundings) {
        let stands = self.speed <= 0.0;
        let ticks = self.ticks_in_state;
        let done = match self.state {
            State::Clearing => ticks >= 50,
            State::Starting => ticks >= 40,
            State::Resetting => ticks >= 30,
            State::Unholding => ticks >= 15,
            State::Unsuspending => ticks >= 10,
            State::Aborting | State::Holding | State::Suspending => stands && ticks >= 5,
            State::Stopping => stands && ticks >= 10,
            State::Completing => stands && ticks >= 20,
            State::Execute => return self.execute(around),
            _ => return self.wait(around),
        };
        if done && self.trigger(Trigger::Done) && self.running() {
            self.reason = Reason::None;
        }
    }

    /// Suspends after half a second without bottles or without room, so that a single gap does not stop it.
    fn execute(&mut self, around: Surroundings) {
        self.waiting_ticks = if around.starved || around.blocked { self.waiting_ticks + 1 } else { 0 };
        if self.waiting_ticks >= 5 && self.trigger(Trigger::Suspend) {
            self.reason = if around.blocked { Reason::Blocked } else { Reason::Starved };
        }
    }

    fn wait(&mut self, around: Surroundings) {
        self.stop_left = self.stop_left.saturating_sub(1);
        let over = self.stop_left == 0;
        let produce = self.wanted && self.mode == Mode::Produce;
        match self.state {
            State::Suspended if around.may_resume => self.command(Trigger::Unsuspend),
            State::Suspended => self.reason = if around.blocked { Reason::Blocked } else { Reason::Starved },
            State::Held if over => self.command(Trigger::Unhold),
            State::Aborted if over => self.repaired(),
            State::Stopped | State::Complete if produce && self.ticks_in_state >= 30 => self.command(Trigger::Reset),
            State::Idle if produce && self.ticks_in_state >= 10 => self.command(Trigger::Start),
            _ => {}
        }
    }

    fn repaired(&mut self) {
        self.wear = 0.0;
        self.wear_per_tick = 0.0;
        self.reject_share = 0.0;
        self.command(Trigger::Clear);
    }

    fn command(&mut self, trigger: Trigger) {
        let accepted = self.trigger(trigger);
        debug_assert!(accepted, "{} refuses {trigger:?} in {:?}", self.spec.name, self.state);
    }
}
