//! What a file says of itself, and what it is called.

use lineside_model::state::Shift;

/// What stands at the head of a recording and never changes while it is written.
#[derive(Clone, Debug, PartialEq)]
pub struct Header {
    /// Program and version that made the file.
    pub writer: String,
    /// The configuration in force, word for word: replay needs nothing else.
    pub config_text: String,
    /// Where it was read from; for people.
    pub config_path: String,
    /// The line's name.
    pub line: String,
    /// IANA name of the plant's time zone, for display.
    pub time_zone: String,
    /// The shift that is recorded.
    pub shift: Shift,
    /// Local date on which the shift starts, as in `2026-11-21`; part of the file's name.
    pub date: String,
    /// What the stamps come from, for people.
    pub clock_source: String,
}

/// Ending of every recording.
pub(crate) const EXTENSION: &str = "shift";
/// No part of a file name is longer than this many characters.
const PART_MAX: usize = 40;

/// The file's name, as in `line-3-2026-11-21-early.shift`. [`crate::Recorder::create`] adds `-2`, `-3` and so on when
/// it is taken.
pub fn file_name(header: &Header) -> String {
    format!("{}.{EXTENSION}", file_stem(header))
}

/// The name without its ending.
pub(crate) fn file_stem(header: &Header) -> String {
    let parts = [header.line.as_str(), &header.date, &header.shift.name].map(slug);
    let stem = parts.iter().filter(|part| !part.is_empty()).map(String::as_str).collect::<Vec<_>>().join("-");
    if stem.is_empty() { "shift".to_owned() } else { stem }
}

/// Lower case, letters and digits of any script kept, everything else one hyphen.
fn slug(text: &str) -> String {
    let mut slug = String::new();
    for c in text.chars().flat_map(char::to_lowercase).take(PART_MAX) {
        if c.is_alphanumeric() {
            slug.push(c);
        } else if !slug.is_empty() && !slug.ends_with('-') {
            slug.push('-');
        }
    }
    slug.trim_end_matches('-').to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_safe_on_every_file_system() {
        let check = |line: &str, date: &str, shift: &str, expected: &str| {
            let shift = Shift { name: shift.into(), ..Shift::default() };
            let header = Header { line: line.into(), date: date.into(), shift, ..crate::generate::header() };
            assert_eq!(file_name(&header), expected);
        };
        check("Line 3", "2026-11-21", "Early", "line-3-2026-11-21-early.shift");
        check("Füller/Linie: 3", "2026-11-21", "Früh", "füller-linie-3-2026-11-21-früh.shift");
        check("../..\\x", "2026-11-21", "", "x-2026-11-21.shift");
        check("***", "", "", "shift.shift");
        check(&"a".repeat(300), "2026-11-21", "n", &format!("{}-2026-11-21-n.shift", "a".repeat(40)));
    }
}
