//! An accumulating conveyor between two machines.
//!
//! Promise: what is pushed comes out again, once, after the transit time; never more than the capacity
//! is inside. Numbers are whole bottles.

use std::collections::VecDeque;

/// A conveyor that keeps moving while its end is blocked, so bottles queue at the end.
#[derive(Clone, Debug)]
pub struct Buffer {
    capacity: u32,
    /// Bottles on their way, one cell per tick of transit; the front arrives next.
    belt: VecDeque<u32>,
    on_belt: u32,
    ready: u32,
}

impl Buffer {
    pub(super) fn new(capacity: u32, transit_ticks: usize) -> Buffer {
        Buffer { capacity, belt: vec![0; transit_ticks.max(1)].into(), on_belt: 0, ready: 0 }
    }

    /// Puts bottles where they would be in normal running: `per_tick` on the belt, the rest queued.
    pub(super) fn fill(&mut self, count: u32, per_tick: u32) {
        for cell in &mut self.belt {
            let part = per_tick.min(count - self.on_belt);
            *cell = part;
            self.on_belt += part;
        }
        self.ready = count - self.on_belt;
    }

    /// Most bottles that fit.
    pub fn capacity(&self) -> u32 {
        self.capacity
    }

    /// Bottles inside, moving or queued.
    pub fn count(&self) -> u32 {
        self.on_belt + self.ready
    }

    /// Bottles that the next machine can take now.
    pub fn ready(&self) -> u32 {
        self.ready
    }

    /// Bottles that still fit.
    pub fn space(&self) -> u32 {
        self.capacity - self.count()
    }

    /// Filled share, 0 to 1.
    pub fn level(&self) -> f64 {
        f64::from(self.count()) / f64::from(self.capacity)
    }

    /// Moves the belt by one tick.
    pub(super) fn step(&mut self) {
        let arrived = self.belt.pop_front().unwrap_or(0);
        self.belt.push_back(0);
        self.on_belt -= arrived;
        self.ready += arrived;
    }

    /// Adds bottles at the start. The caller asks for [`Buffer::space`] first.
    pub(super) fn push(&mut self, count: u32) {
        if let Some(last) = self.belt.back_mut() {
            *last += count;
            self.on_belt += count;
        }
    }

    /// Takes queued bottles at the end. The caller asks for [`Buffer::ready`] first.
    pub(super) fn take(&mut self, count: u32) {
        self.ready -= count;
    }
}
