//! The scenario parser: words of a line to statements.
//!
//! Promise: no panic on any text; a problem names the word that is wrong and what may stand there.

use super::{Event, Problem, Scenario, ScenarioError, Target};
use crate::line::{MACHINES, Reason};
use crate::quality::Quality;
use std::time::Duration;

/// Problem and remedy, before the place is known.
type Fault = (String, String);

const EVENTS: &str = "jam, micro-stop, fault, stop, start, wear, changeover, speed, restart, freeze or quality";
/// A plan longer than a year is a slip of the pen.
const LONGEST_S: f64 = 366.0 * 24.0 * 3600.0;

pub(super) fn scenario(name: &str, text: &str) -> Result<Scenario, ScenarioError> {
    let mut scenario =
        Scenario { name: name.into(), running: true, counters: None, speed: 600.0, planned: vec![], by_chance: vec![] };
    let mut problems = Vec::new();
    for (index, line) in text.lines().enumerate() {
        let words = words(line);
        if words.is_empty() {
            continue;
        }
        if let Err((problem, remedy)) = statement(&mut scenario, Words(&words)) {
            problems.push(Problem { place: format!("{name}:{}", index + 1), problem, remedy });
        }
    }
    scenario.planned.sort_by_key(|(at, _)| *at);
    if problems.is_empty() { Ok(scenario) } else { Err(ScenarioError(problems)) }
}

pub(super) fn command(text: &str) -> Result<Event, Problem> {
    let words = words(text);
    let mut rest = Words(&words);
    event(&mut rest).and_then(|event| rest.end().map(|()| event)).map_err(|(problem, remedy)| Problem {
        place: "command".into(),
        problem,
        remedy,
    })
}

fn words(line: &str) -> Vec<&str> {
    let code = line.split_once('#').map_or(line, |(code, _)| code);
    code.split_whitespace().collect()
}

fn statement(scenario: &mut Scenario, mut words: Words<'_>) -> Result<(), Fault> {
    match words.next("a statement", "at, about, start, speed or counters")? {
        "at" => {
            let at = clock(words.next("a time", "HH:MM:SS")?)?;
            scenario.planned.push((at, event(&mut words)?));
        }
        "about" => {
            words.literal("every")?;
            let mean = duration(&mut words)?;
            scenario.by_chance.push((mean, event(&mut words)?));
        }
        "start" => scenario.running = choice(words.next("how to start", "running or empty")?)?,
        "speed" => scenario.speed = speed(&mut words)?,
        "counters" => {
            let word = words.next("a number", "0 to 4294967295")?;
            scenario.counters =
                Some(word.parse().map_err(|e| {
                    wrong("the counter", word, &format!("Write a whole number, 0 to 4294967295 ({e})"))
                })?);
        }
        word => return Err(wrong("the statement", word, "Begin with at, about, start, speed or counters")),
    }
    words.end()
}

fn choice(word: &str) -> Result<bool, Fault> {
    match word {
        "running" => Ok(true),
        "empty" => Ok(false),
        _ => Err(wrong("the start", word, "Write `start running` or `start empty`")),
    }
}

fn event(words: &mut Words<'_>) -> Result<Event, Fault> {
    let event = match words.next("an event", EVENTS)? {
        "jam" => Event::Hold { reason: Reason::Jam, target: target(words)?, lasts: optional_duration(words)? },
        "micro-stop" => {
            Event::Hold { reason: Reason::MicroStop, target: target(words)?, lasts: optional_duration(words)? }
        }
        "fault" => Event::Fault { target: target(words)?, lasts: optional_duration(words)? },
        "stop" => Event::Stop { target: target(words)? },
        "start" => Event::Start { target: target(words)? },
        "wear" => Event::Wear { target: target(words)?, within: duration(words)? },
        "changeover" => Event::Changeover { lasts: duration(words)? },
        "speed" => Event::Speed { per_minute: speed(words)? },
        "restart" => {
            words.skip("server");
            Event::RestartServer { away: duration(words)? }
        }
        "freeze" => {
            let tags = words.next("a tag", "a tag name, e.g. Filler.BowlTemperature")?.to_owned();
            words.skip("for");
            Event::Freeze { tags, lasts: duration(words)? }
        }
        "quality" => quality(words)?,
        word => return Err(wrong("the event", word, &format!("Write {EVENTS}"))),
    };
    Ok(event)
}

fn quality(words: &mut Words<'_>) -> Result<Event, Fault> {
    let tags = words.next("a tag", "a tag name, e.g. Capper.Head04.Torque")?.to_owned();
    let word = words.next("a status", "a status name, e.g. BadSensorFailure")?;
    let Some(quality) = Quality::from_name(word) else {
        let known: Vec<_> = Quality::names().collect();
        return Err(wrong("the status", word, &format!("Write one of {}", known.join(", "))));
    };
    words.skip("for");
    Ok(Event::Quality { tags, quality, lasts: duration(words)? })
}

fn target(words: &mut Words<'_>) -> Result<Target, Fault> {
    let names = || MACHINES.map(|spec| spec.name).join(", ") + " or any";
    let word = words.next("a machine", &names())?;
    if word.eq_ignore_ascii_case("any") {
        return Ok(Target::Any);
    }
    let found = MACHINES.iter().position(|spec| spec.name.eq_ignore_ascii_case(word));
    found.map(Target::Machine).ok_or_else(|| wrong("the machine", word, &format!("Write {}", names())))
}

fn speed(words: &mut Words<'_>) -> Result<f64, Fault> {
    let word = words.next("a speed", "bottles per minute, e.g. 600")?;
    let limit = MACHINES[0].ideal;
    let parsed = word.parse::<f64>().ok().filter(|speed| (0.0..=limit).contains(speed));
    parsed.ok_or_else(|| wrong("the speed", word, &format!("Write bottles per minute, 0 to {limit}")))
}

fn optional_duration(words: &mut Words<'_>) -> Result<Option<Duration>, Fault> {
    words.skip("for");
    if words.0.is_empty() { Ok(None) } else { duration(words).map(Some) }
}

/// `90 s`, `10 min`, `2 h`, or written together.
fn duration(words: &mut Words<'_>) -> Result<Duration, Fault> {
    const HOW: &str = "Write a number with s, min or h, e.g. 90 s";
    let word = words.next("a duration", "a number with s, min or h, e.g. 90 s")?;
    let digits = word.find(|c: char| !c.is_ascii_digit() && c != '.').unwrap_or(word.len());
    let (number, attached) = word.split_at(digits);
    let number: f64 = number.parse().ok().ok_or_else(|| wrong("the duration", word, HOW))?;
    let unit = if attached.is_empty() { words.next("a unit of time", "s, min or h")? } else { attached };
    let factor = match unit {
        "ms" => 0.001,
        "s" | "sec" => 1.0,
        "min" => 60.0,
        "h" => 3600.0,
        _ => return Err(wrong("the unit of time", unit, HOW)),
    };
    let seconds = number * factor;
    if !(0.001..=LONGEST_S).contains(&seconds) {
        return Err(wrong("the duration", word, "Write more than nothing and at most a year"));
    }
    Ok(Duration::from_secs_f64(seconds))
}

fn clock(word: &str) -> Result<Duration, Fault> {
    let parts: Option<Vec<u64>> = word.split(':').map(|part| part.parse::<u32>().ok().map(u64::from)).collect();
    match parts.as_deref() {
        Some([hours, minutes @ 0..=59, seconds @ 0..=59]) if *hours <= 8784 => {
            Ok(Duration::from_secs(hours * 3600 + minutes * 60 + seconds))
        }
        _ => Err(wrong("the time", word, "Write the time since the start as HH:MM:SS, e.g. 00:05:00")),
    }
}

fn wrong(what: &str, word: &str, remedy: &str) -> Fault {
    (format!("{what} `{word}` is not understood"), remedy.to_owned())
}

/// The words of a line that are not read yet.
struct Words<'a>(&'a [&'a str]);

impl<'a> Words<'a> {
    fn next(&mut self, what: &str, remedy: &str) -> Result<&'a str, Fault> {
        let Some((word, rest)) = self.0.split_first() else {
            return Err((format!("{what} is missing at the end of the line"), format!("Write {remedy}")));
        };
        self.0 = rest;
        Ok(word)
    }

    fn literal(&mut self, expected: &str) -> Result<(), Fault> {
        let word = self.next(&format!("`{expected}`"), expected)?;
        if word == expected { Ok(()) } else { Err(wrong("the word", word, &format!("Write `{expected}`"))) }
    }

    fn skip(&mut self, optional: &str) {
        if self.0.first() == Some(&optional) {
            self.0 = &self.0[1..];
        }
    }

    fn end(&self) -> Result<(), Fault> {
        match self.0.first() {
            None => Ok(()),
            Some(word) => {
                Err((format!("`{word}` is too much at the end of the line"), "Remove it, or put a # before it".into()))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn check(text: &str, expected: &str) {
        let found = match scenario("f.txt", text) {
            Ok(scenario) => format!("{:?} {:?}", scenario.planned, scenario.by_chance),
            Err(error) => error.to_string(),
        };
        assert!(found.contains(expected), "{text}: {found}");
    }

    #[test]
    fn statements_and_problems() {
        check("at 00:10:00 jam Capper 90 s", "[(600s, Hold { target: Machine(1), reason: Jam, lasts: Some(90s) })]");
        check("about every 4 min micro-stop any", "[(240s, Hold { target: Any, reason: MicroStop, lasts: None })]");
        check(
            "at 00:05:00 freeze Filler.BowlTemperature for 10 min",
            "Freeze { tags: \"Filler.BowlTemperature\", lasts: 600s }",
        );
        check(
            "at 00:20:00 quality Capper.Head04.Torque BadSensorFailure for 2 min",
            "Quality(2156658688), lasts: 120s",
        );
        check("at 00:30:00 restart server 20s", "RestartServer { away: 20s }");
        check("# nothing\n\n", "[] []");
        check(
            "\nat 00:10 jam Capper",
            "f.txt:2: the time `00:10` is not understood. Write the time since the start as HH:MM:SS",
        );
        check("at 00:10:00 jam Caper", "the machine `Caper` is not understood. Write Filler, Capper, Labeller");
        check("at 00:10:00 jam Capper 5 days", "the unit of time `days` is not understood");
        check("at 00:10:00 jam", "a machine is missing at the end of the line");
        check("speed 600 please", "`please` is too much at the end of the line. Remove it");
        check("speed 99999", "Write bottles per minute, 0 to 640");
        check("quality x\nfoo", "f.txt:2: the statement `foo`");
    }

    proptest! {
        #[test]
        fn no_text_makes_it_panic(text in "(at |about every |[0-9:]{0,9} |jam |any |quality |for |restart |[0-9.]{1,4} ?(s|min|h) |\\PC){0,12}(\n\\PC*)?") {
            if let Err(ScenarioError(problems)) = scenario("any", &text) {
                prop_assert!(problems.iter().all(|p| p.place.starts_with("any:") && !p.remedy.is_empty()));
            }
            if let Err(problem) = command(&text) {
                prop_assert!(problem.place == "command" && !problem.remedy.is_empty());
            }
        }
    }
}
