//! Where playback is and where it goes next: commands in, position out.
//!
//! Pure: it is given elapsed time and never reads a clock. It does not know files or states; whoever drives it
//! says how far it really came ([`Playback::arrived`]), and the next step starts from there.

use lineside_model::{Span, Timestamp};

/// The slowest and the fastest speed that can be asked for in numbers.
const SPEEDS: (f64, f64) = (0.1, 1000.0);
/// More than this between two steps is a pause of the computer, not time that was watched.
const ELAPSED_MAX: Span = Span::from_secs(1);

/// A step forwards of up to this is played; a longer one is a jump.
const STEP_PLAYED: Span = Span::from_secs(60);

/// How fast plant time passes.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Speed {
    /// So many seconds per second: 0.1 to 1000.
    Times(f64),
    /// As fast as this computer can.
    Max,
}

/// What a screen asks for.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Command {
    /// Plays on, at this speed if one is given. At the end it begins again.
    Play(Option<Speed>),
    Pause,
    /// Goes to an instant; playing goes on from there.
    Seek(Timestamp),
    /// Goes on or back by this much, and pauses.
    Step(Span),
    /// Goes to the next (true) or the previous instant at which anything was recorded, and pauses.
    StepChange {
        forward: bool,
    },
    /// Repeats what lies between the two.
    Loop {
        from: Timestamp,
        to: Timestamp,
    },
    Unloop,
    /// Stays at the end of a file that is being written; of any other, goes to its end.
    Follow,
    /// Looks how far the file reaches now.
    Refresh,
}

/// What is to be done for it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Goal {
    Stay,
    /// Every change up to here, in order.
    PlayTo(Timestamp),
    /// The state at this instant takes the place of the present one.
    Jump(Timestamp),
}

/// Position, speed and bounds.
#[derive(Clone, Debug, PartialEq)]
pub struct Playback {
    pub position: Timestamp,
    pub from: Timestamp,
    pub to: Timestamp,
    pub speed: Speed,
    pub playing: bool,
    /// At the end of a file that is still being written, and staying there.
    pub following: bool,
    /// The file is still being written.
    pub growing: bool,
    pub range: Option<(Timestamp, Timestamp)>,
}

impl Playback {
    /// Paused at the beginning.
    pub fn new(from: Timestamp, to: Timestamp, growing: bool) -> Playback {
        let to = to.max(from);
        let (speed, playing, following) = (Speed::Times(1.0), false, false);
        Playback { position: from, from, to, speed, playing, following, growing, range: None }
    }

    /// Takes a command. [`Command::StepChange`] needs the file, and is turned into a seek by who has it.
    pub fn take(&mut self, command: Command) -> Goal {
        match command {
            Command::Play(speed) => return self.play(speed),
            Command::Pause => self.halt(),
            Command::Seek(at) => {
                self.following = false;
                return self.jump(at);
            }
            Command::Step(by) => return self.step(by),
            Command::Loop { from, to } => return self.repeat(from, to),
            Command::Unloop => self.range = None,
            Command::Follow => return self.follow(),
            Command::StepChange { .. } | Command::Refresh => {}
        }
        Goal::Stay
    }

    /// So much time has passed for the person who watches.
    pub fn advance(&mut self, elapsed: Span) -> Goal {
        if !self.playing {
            return Goal::Stay;
        }
        let end = self.end();
        if self.position >= end && !self.growing_at(end) {
            self.following = false;
            return match self.range {
                Some((from, _)) => Goal::Jump(from),
                None => {
                    self.playing = false;
                    Goal::Stay
                }
            };
        }
        if self.position >= end {
            (self.following, self.speed) = (true, Speed::Times(1.0));
        }
        let wanted = match self.speed {
            _ if self.following => end,
            Speed::Max => end,
            Speed::Times(times) => self.position + scaled(elapsed.min(ELAPSED_MAX), times),
        };
        Goal::PlayTo(wanted.clamp(self.position, end.max(self.position)))
    }

    /// So far it really came.
    pub fn arrived(&mut self, at: Timestamp) {
        self.position = at;
    }

    /// The file reaches this far now.
    pub fn reaches(&mut self, to: Timestamp) {
        self.to = self.to.max(to);
    }

    fn play(&mut self, speed: Option<Speed>) -> Goal {
        self.speed = speed.map_or(self.speed, permitted);
        (self.playing, self.following) = (true, false);
        if self.position >= self.end() && !self.growing_at(self.end()) {
            return self.jump(self.range.map_or(self.from, |(from, _)| from));
        }
        Goal::Stay
    }

    fn step(&mut self, by: Span) -> Goal {
        self.halt();
        let at = (self.position + by).clamp(self.from, self.to);
        let is_near = at >= self.position && at - self.position <= STEP_PLAYED;
        if is_near { Goal::PlayTo(at) } else { Goal::Jump(at) }
    }

    fn repeat(&mut self, from: Timestamp, to: Timestamp) -> Goal {
        let (from, to) = (from.min(to).clamp(self.from, self.to), from.max(to).clamp(self.from, self.to));
        self.range = (from < to).then_some((from, to));
        self.following = false;
        let outside = self.range.is_some() && !(from..to).contains(&self.position);
        if outside { Goal::Jump(from) } else { Goal::Stay }
    }

    fn follow(&mut self) -> Goal {
        self.range = None;
        (self.playing, self.following) = (self.growing, self.growing);
        self.speed = Speed::Times(1.0);
        self.jump(self.to)
    }

    fn halt(&mut self) {
        (self.playing, self.following) = (false, false);
    }

    fn jump(&self, at: Timestamp) -> Goal {
        Goal::Jump(at.clamp(self.from, self.to))
    }

    fn end(&self) -> Timestamp {
        self.range.map_or(self.to, |(_, to)| to)
    }

    fn growing_at(&self, end: Timestamp) -> bool {
        self.growing && self.range.is_none() && end == self.to
    }
}

fn permitted(speed: Speed) -> Speed {
    match speed {
        Speed::Times(times) if times.is_finite() => Speed::Times(times.clamp(SPEEDS.0, SPEEDS.1)),
        Speed::Times(_) => Speed::Times(1.0),
        Speed::Max => Speed::Max,
    }
}

fn scaled(span: Span, times: f64) -> Span {
    Span((span.0 as f64 * times) as i64)
}

#[cfg(test)]
mod tests {
    use super::*;
    use Command::*;

    fn at(second: i64) -> Timestamp {
        Timestamp(second * 1_000_000_000)
    }

    /// What happens to a playback of seconds 100 to 200.
    enum Do {
        Take(Command),
        /// Seconds that pass; all is played in time.
        Pass(f64),
        /// The file grows to this second.
        Grow(i64),
        /// Nobody writes it any more.
        Close,
    }
    use Do::*;

    fn run(growing: bool, steps: &[Do]) -> Playback {
        let mut playback = Playback::new(at(100), at(200), growing);
        for step in steps {
            let goal = match step {
                Take(command) => playback.take(*command),
                Pass(seconds) => playback.advance(Span((seconds * 1e9) as i64)),
                Close => {
                    playback.growing = false;
                    Goal::Stay
                }
                Grow(second) => {
                    playback.reaches(at(*second));
                    Goal::Stay
                }
            };
            if let Goal::PlayTo(to) | Goal::Jump(to) = goal {
                playback.arrived(to);
            }
        }
        playback
    }

    #[test]
    fn positions() {
        let play = |times: f64| Take(Play(Some(Speed::Times(times))));
        let looped = || Take(Loop { from: at(120), to: at(110) });
        // growing, steps, position, playing, following
        type Row = (&'static str, bool, Vec<Do>, i64, bool, bool);
        let rows: Vec<Row> = vec![
            ("paused", false, vec![Pass(1.0)], 100, false, false),
            ("plays", false, vec![Take(Play(None)), Pass(1.0), Pass(1.0)], 102, true, false),
            ("faster", false, vec![play(10.0), Pass(0.5)], 105, true, false),
            ("not faster than 1000", false, vec![play(1e9), Pass(0.05)], 150, true, false),
            ("no number", false, vec![play(f64::NAN), Pass(1.0)], 101, true, false),
            ("a sleep is not watched", false, vec![play(1.0), Pass(3600.0)], 101, true, false),
            ("max", false, vec![Take(Play(Some(Speed::Max))), Pass(0.01)], 200, true, false),
            ("pauses at the end", false, vec![play(1000.0), Pass(1.0), Pass(1.0)], 200, false, false),
            ("again from the end", false, vec![play(1000.0), Pass(1.0), Pass(1.0), Take(Play(None))], 100, true, false),
            ("seeks within", false, vec![Take(Seek(at(150)))], 150, false, false),
            ("seeks no further", false, vec![Take(Seek(at(900)))], 200, false, false),
            ("seeks and plays on", false, vec![play(1.0), Take(Seek(at(150))), Pass(1.0)], 151, true, false),
            ("steps", false, vec![Take(Step(Span::from_secs(5))), Pass(1.0)], 105, false, false),
            ("steps back", false, vec![Take(Seek(at(150))), Take(Step(Span::from_secs(-5)))], 145, false, false),
            ("loops", false, vec![play(1.0), looped(), Pass(1.0)], 111, true, false),
            ("round", false, vec![play(100.0), looped(), Pass(1.0), Pass(1.0), Pass(0.01)], 111, true, false),
            ("no loop", false, vec![play(1.0), looped(), Take(Unloop), Pass(1.0)], 111, true, false),
            ("follows", true, vec![Take(Follow), Grow(230), Pass(0.1)], 230, true, true),
            ("follow a closed file", false, vec![Take(Follow), Pass(1.0)], 200, false, false),
            ("catches up", true, vec![play(1000.0), Pass(1.0), Pass(1.0), Grow(201), Pass(0.1)], 201, true, true),
            ("leaves the end", true, vec![Take(Follow), Take(Seek(at(150))), Pass(1.0)], 151, true, false),
            ("the file ends", true, vec![Take(Follow), Grow(230), Close, Pass(0.1), Pass(0.1)], 230, false, false),
            ("pause at the end", true, vec![Take(Follow), Take(Pause), Grow(300), Pass(1.0)], 200, false, false),
        ];
        for (name, growing, steps, position, playing, following) in rows {
            let got = run(growing, &steps);
            assert_eq!((got.position, got.playing, got.following), (at(position), playing, following), "{name}");
        }
    }
}
