//! From the start of the program to the first live value that a screen gets.

use crate::rig::Rig;
use crate::screen::Screen;
use crate::{Figures, Outcome};
use std::path::Path;
use std::time::{Duration, Instant};

const STARTS: usize = 5;
const DEADLINE: Duration = Duration::from_secs(60);

/// The slowest of several starts. The first finds an empty data folder and makes its own certificate.
pub(crate) fn measure(programs: &Path) -> Outcome<Figures> {
    let rig = Rig::start(programs, &[], |text| text)?;
    let starts: Vec<f64> = (0..STARTS).map(|_| once(&rig)).collect::<Outcome<_>>()?;
    eprintln!("starts: {starts:.2?} s");
    Ok(vec![("start.first_value_s", starts.into_iter().fold(0.0, f64::max))])
}

fn once(rig: &Rig) -> Outcome<f64> {
    let begin = Instant::now();
    let host = rig.host()?;
    let mut screen = Screen::open(&host.address, u32::MAX)?;
    while !screen.frame()?.iter().any(|shown| shown.live) {
        if begin.elapsed() > DEADLINE {
            return Err(format!("no live value after {DEADLINE:?}").into());
        }
        std::thread::sleep(Duration::from_millis(5));
    }
    Ok(begin.elapsed().as_secs_f64())
}
