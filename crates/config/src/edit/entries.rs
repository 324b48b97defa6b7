//! The entries of the file as a person would write them.

use super::{NewConnection, NewCounter, NewMap, NewTag, NewUnit};
use lineside_model::config::{Scale, User};

/// Whole numbers up to here are written without decimals.
const WHOLE_MAX: f64 = 1e15;

/// `[[connection]]`
pub(super) fn connection(new: &NewConnection) -> String {
    let mut entry = Entry::new("connection");
    entry.text("name", &new.name).text("endpoint", &new.endpoint);
    if new.security != "best" {
        entry.text("security", &new.security);
    }
    match &new.user {
        User::Anonymous => {}
        User::Name { name, password_env } => {
            entry.text("user", name);
            if let Some(variable) = password_env {
                entry.text("password_env", variable);
            }
        }
        User::Certificate { certificate, key } => {
            entry.text("user_certificate", certificate).text("user_key", key);
        }
    }
    entry.done()
}

/// `[[unit]]`
pub(super) fn unit(new: &NewUnit) -> String {
    let mut entry = Entry::new("unit");
    entry.text("name", &new.name);
    if let Some(map) = &new.state {
        entry.line("state", &meanings(map));
    }
    if let Some(map) = &new.mode {
        entry.line("mode", &meanings(map));
    }
    if let Some(tag) = &new.speed {
        entry.text("speed", tag);
    }
    if let Some(rate) = &new.ideal_rate {
        entry.line("ideal_rate", &number(*rate));
    }
    if let Some(tag) = &new.good {
        entry.line("good", &counter(tag));
    }
    if let Some(tag) = &new.reject {
        entry.line("reject", &counter(tag));
    }
    entry.done()
}

/// `[[tag]]`
pub(super) fn tag(new: &NewTag) -> String {
    let mut entry = Entry::new("tag");
    entry.text("name", &new.name).text("connection", &new.connection).text("node", &new.node);
    for (key, text) in [("description", &new.description), ("unit", &new.unit)] {
        if !text.is_empty() {
            entry.text(key, text);
        }
    }
    if let Some((low, high)) = new.range {
        entry.line("range", &format!("[{}, {}]", number(low), number(high)));
    }
    if let Some(Scale { gain, offset }) = new.scale {
        entry.line("scale", &format!("{{ gain = {}, offset = {} }}", number(gain), number(offset)));
    }
    if !new.texts.is_empty() {
        let texts = new.texts.iter().map(|(value, text)| (value.to_string(), text.clone()));
        entry.line("texts", &table(texts));
    }
    entry.done()
}

/// A text as TOML: in quotes, everything escaped that must be.
pub(super) fn quoted(text: &str) -> String {
    let mut out = String::with_capacity(text.len() + 2);
    out.push('"');
    for c in text.chars() {
        match c {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\t' => out.push_str("\\t"),
            c if c.is_control() => out.push_str(&format!("\\u{:04X}", u32::from(c))),
            c => out.push(c),
        }
    }
    out.push('"');
    out
}

struct Entry(String);

impl Entry {
    fn new(kind: &str) -> Entry {
        Entry(format!("[[{kind}]]\n"))
    }

    fn text(&mut self, key: &str, text: &str) -> &mut Entry {
        self.line(key, &quoted(text))
    }

    fn line(&mut self, key: &str, value: &str) -> &mut Entry {
        for part in [key, " = ", value, "\n"] {
            self.0.push_str(part);
        }
        self
    }

    fn done(self) -> String {
        self.0
    }
}

fn meanings(map: &NewMap) -> String {
    let entries = if map.entries.is_empty() { "\"packml\"".to_owned() } else { table(map.entries.iter().cloned()) };
    format!("{{ tag = {}, map = {entries} }}", quoted(&map.tag))
}

fn counter(counter: &NewCounter) -> String {
    let rollover = counter.rollover.map(|rollover| format!(", rollover = {rollover}")).unwrap_or_default();
    format!("{{ tag = {}{rollover} }}", quoted(&counter.tag))
}

fn table(entries: impl Iterator<Item = (String, String)>) -> String {
    let pairs: Vec<String> = entries.map(|(key, text)| format!("{} = {}", bare(&key), quoted(&text))).collect();
    format!("{{ {} }}", pairs.join(", "))
}

/// A key, in quotes only where it needs them.
fn bare(key: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || c == '_' || c == '-';
    if !key.is_empty() && key.chars().all(plain) { key.to_owned() } else { quoted(key) }
}

fn number(value: f64) -> String {
    if value.fract() == 0.0 && value.abs() < WHOLE_MAX { format!("{value:.0}") } else { format!("{value:?}") }
}
