//! Which server of a redundant set to use: the rules of OPC 10000-4 6.6.2.4.2, with hysteresis.
//!
//! Pure: states and times in, a choice out. A healthy server is never left for another; a degraded one only for
//! a better kind that has proved itself, and not soon after the last change; a lost one at once.

use lineside_model::report::SERVICE_LEVEL_HEALTHY;
use std::time::Duration;

/// A member must have been of its kind for so long before a server that still works is left for it.
const PROVED: Duration = Duration::from_secs(3);
/// After a change the next one waits so long, but where there is nothing left to stay for.
const STAY: Duration = Duration::from_secs(10);

/// What a member is good for, worst first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Grade {
    Unreachable,
    /// Service level 0, or it announced its end: leave.
    Maintenance,
    /// Not tried yet.
    Unknown,
    /// Service level 1.
    NoData,
    /// Service level 2 to 199.
    Degraded,
    /// From 200 on; also where the server does not tell its level.
    Healthy,
}

/// One server of the set.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Member {
    pub(crate) grade: Grade,
    pub(crate) level: Option<u8>,
    /// Since when it has been of this grade.
    since: Duration,
    /// When it was last found unreachable.
    failed: Option<Duration>,
}

/// The set, and the member in use. Times are since the start of the adapter.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Set {
    members: Vec<Member>,
    active: usize,
    changed: Option<Duration>,
}

impl Set {
    /// Nothing is known yet of `count` members; the first is tried first.
    pub(crate) fn new(count: usize) -> Set {
        let unknown = Member { grade: Grade::Unknown, level: None, since: Duration::ZERO, failed: None };
        Set { members: vec![unknown; count.max(1)], active: 0, changed: None }
    }

    pub(crate) fn active(&self) -> usize {
        self.active
    }

    pub(crate) fn members(&self) -> &[Member] {
        &self.members
    }

    /// The member answers. `leaving`: it announced its end.
    pub(crate) fn saw(&mut self, at: usize, now: Duration, level: Option<u8>, leaving: bool) {
        let grade = match level {
            _ if leaving => Grade::Maintenance,
            Some(0) => Grade::Maintenance,
            Some(1) => Grade::NoData,
            Some(level) if level < SERVICE_LEVEL_HEALTHY => Grade::Degraded,
            Some(_) | None => Grade::Healthy,
        };
        self.become_grade(at, now, grade);
        self.members[at].level = level;
    }

    /// The member cannot be reached, or does not take us.
    pub(crate) fn lost(&mut self, at: usize, now: Duration) {
        self.become_grade(at, now, Grade::Unreachable);
        self.members[at].failed = Some(now);
        self.members[at].level = None;
    }

    /// Is it worth knowing how the others are?
    pub(crate) fn is_wanting(&self) -> bool {
        self.members[self.active].grade != Grade::Healthy
    }

    /// The member to change to now, if any.
    pub(crate) fn better(&self, now: Duration) -> Option<usize> {
        let active = &self.members[self.active];
        let best = self.best()?;
        let other = &self.members[best];
        let change = match active.grade {
            Grade::Healthy => false,
            Grade::Unreachable => other.grade > Grade::Unreachable || other.failed < active.failed,
            Grade::Maintenance => other.grade > active.grade,
            Grade::Unknown => other.grade >= Grade::Degraded,
            Grade::NoData | Grade::Degraded => {
                let rested = self.changed.is_none_or(|changed| now.saturating_sub(changed) >= STAY);
                other.grade > active.grade && now.saturating_sub(other.since) >= PROVED && rested
            }
        };
        change.then_some(best)
    }

    /// Changes to a member.
    pub(crate) fn change(&mut self, to: usize, now: Duration) {
        self.active = to;
        self.changed = Some(now);
    }

    /// The best of the others: by grade, then by level, then the one whose failure is the longest ago, then in
    /// the order of the configuration.
    fn best(&self) -> Option<usize> {
        let others = (0..self.members.len()).filter(|at| *at != self.active).rev();
        others.max_by_key(|at| {
            let member = &self.members[*at];
            (member.grade, member.level, std::cmp::Reverse(member.failed))
        })
    }

    fn become_grade(&mut self, at: usize, now: Duration, grade: Grade) {
        let member = &mut self.members[at];
        if member.grade != grade {
            (member.grade, member.since) = (grade, now);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const fn s(seconds: u64) -> Duration {
        Duration::from_secs(seconds)
    }

    /// Levels of the members at second 0 (none: unreachable), then what is chosen at `second`.
    fn check(levels: &[Option<u8>], changed: Option<u64>, second: u64, expected: Option<usize>) {
        let mut set = Set::new(levels.len());
        for (at, level) in levels.iter().enumerate() {
            match level {
                Some(level) => set.saw(at, s(0), Some(*level), false),
                None => set.lost(at, s(0)),
            }
        }
        set.changed = changed.map(s);
        assert_eq!(set.better(s(second)), expected, "{levels:?} at {second}");
    }

    #[test]
    fn the_rules_of_the_standard() {
        check(&[Some(200), Some(255)], None, 100, None);
        check(&[Some(199), Some(200)], None, 100, Some(1));
        check(&[Some(199), Some(200)], None, 2, None);
        check(&[Some(199), Some(200)], Some(95), 100, None);
        check(&[Some(100), Some(199)], None, 100, None);
        check(&[Some(1), Some(2), Some(150)], None, 100, Some(2));
        check(&[Some(0), Some(1)], Some(0), 0, Some(1));
        check(&[Some(0), Some(0)], None, 100, None);
        check(&[None, Some(1), Some(200)], Some(0), 0, Some(2));
        check(&[None, Some(255), Some(255)], None, 0, Some(1));
        check(&[Some(0), None], None, 100, None);
        check(&[Some(120)], None, 100, None);
    }

    #[test]
    fn unreachable_members_are_tried_in_turn() {
        let mut set = Set::new(3);
        let mut tried = vec![set.active()];
        for second in 0..5 {
            set.lost(set.active(), s(second));
            let to = set.better(s(second)).unwrap();
            set.change(to, s(second));
            tried.push(to);
        }
        assert_eq!(tried, [0, 1, 2, 0, 1, 2]);
    }

    #[test]
    fn who_announces_the_end_is_left_though_its_level_is_high() {
        let mut set = Set::new(2);
        set.saw(0, s(0), Some(255), false);
        set.saw(1, s(0), Some(200), false);
        assert_eq!(set.better(s(50)), None);
        set.saw(0, s(50), Some(255), true);
        assert_eq!(set.better(s(50)), Some(1));
    }

    #[derive(Clone, Debug)]
    enum Event {
        Saw(usize, Option<u8>),
        Lost(usize),
        Wait(u64),
    }

    fn event() -> impl Strategy<Value = Event> {
        let level = prop_oneof![
            Just(None),
            prop_oneof![Just(0_u8), Just(1), Just(150), Just(199), Just(200), Just(255)].prop_map(Some)
        ];
        prop_oneof![
            (0..3_usize, level).prop_map(|(at, level)| Event::Saw(at, level)),
            (0..3_usize).prop_map(Event::Lost),
            (1..20_u64).prop_map(Event::Wait),
        ]
    }

    proptest! {
        /// Whatever happens: no healthy server is left, a working one not twice within the time to stay, and in
        /// the end the best kind there is is in use, and stays so.
        #[test]
        fn no_choice_is_hasty_and_the_last_one_is_right(events in prop::collection::vec(event(), 0..60)) {
            let mut set = Set::new(3);
            let mut now = Duration::ZERO;
            let step = |set: &mut Set, now: Duration| -> Result<bool, TestCaseError> {
                let Some(to) = set.better(now) else { return Ok(false) };
                let left = set.members[set.active];
                prop_assert_ne!(left.grade, Grade::Healthy);
                if left.grade >= Grade::NoData {
                    prop_assert!(set.changed.is_none_or(|changed| now - changed >= STAY));
                    prop_assert!(set.members[to].grade > left.grade);
                }
                set.change(to, now);
                Ok(true)
            };
            for event in events {
                match event {
                    Event::Saw(at, level) => set.saw(at, now, level, false),
                    Event::Lost(at) => set.lost(at, now),
                    Event::Wait(seconds) => now += s(seconds),
                }
                step(&mut set, now)?;
            }
            let best = set.members.iter().map(|member| member.grade).max();
            for _ in 0..3 {
                now += STAY;
                step(&mut set, now)?;
            }
            // Below that an untried member is as good: the attempt will tell.
            if best >= Some(Grade::Degraded) {
                prop_assert_eq!(Some(set.members[set.active].grade), best);
                now += STAY;
                prop_assert!(!step(&mut set, now)?);
            }
        }
    }
}
