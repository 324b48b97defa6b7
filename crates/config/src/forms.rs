//! The single values of the file: texts, names and numbers.
//!
//! Each form says once what it accepts: in words for people, as a schema for editors, and by `read`.

use crate::report::{Report, quote};
use crate::section::Form;
use serde_json::{Value as Json, json};
use std::collections::BTreeMap;
use toml_span::Value;
use toml_span::value::ValueInner;

/// A text, perhaps empty.
pub(crate) struct Text(pub(crate) String);

/// A name of something or of somebody: not empty, no blanks around it. Keeps its place.
pub(crate) struct Name {
    pub(crate) text: String,
    pub(crate) at: usize,
}

/// Any number but infinities and NaN.
pub(crate) struct Number(pub(crate) f64);

/// A number above 0.
pub(crate) struct Positive(pub(crate) f64);

/// Yes or no.
pub(crate) struct Flag(pub(crate) bool);

/// A low and a high number.
pub(crate) struct Range(pub(crate) (f64, f64));

/// The number of values a counter has.
pub(crate) struct Rollover(pub(crate) u64);

/// Texts for numbers.
pub(crate) struct Texts(pub(crate) BTreeMap<i64, String>);

impl Form for Text {
    const EXPECTED: &'static str = "a text";
    const EXAMPLE: &'static str = "\"…\"";

    fn read(key: &str, value: &Value<'_>, report: &mut Report<'_>) -> Option<Self> {
        text::<Self>(key, value, report).map(|text| Text(text.to_owned()))
    }

    fn schema() -> Json {
        json!({ "type": "string" })
    }
}

impl Form for Name {
    const EXPECTED: &'static str = "a name";
    const EXAMPLE: &'static str = "\"…\"";

    fn read(key: &str, value: &Value<'_>, report: &mut Report<'_>) -> Option<Self> {
        let text = text::<Self>(key, value, report)?;
        let at = report.at(value);
        if text.is_empty() {
            report.add(at, format!("`{key}` is empty"), "write a name between the quotes");
        } else if text.trim() != text || text.contains(char::is_control) {
            let problem = format!("`{key}` has blanks at an end, or control characters");
            report.add(at, problem, "remove them");
        }
        Some(Name { text: text.to_owned(), at })
    }

    fn schema() -> Json {
        json!({ "type": "string", "minLength": 1 })
    }
}

impl Form for Number {
    const EXPECTED: &'static str = "a number";
    const EXAMPLE: &'static str = "0.5";

    fn read(key: &str, value: &Value<'_>, report: &mut Report<'_>) -> Option<Self> {
        number::<Self>(key, value, report).map(Number)
    }

    fn schema() -> Json {
        json!({ "type": "number" })
    }
}

impl Form for Positive {
    const EXPECTED: &'static str = "a number above 0";
    const EXAMPLE: &'static str = "640";

    fn read(key: &str, value: &Value<'_>, report: &mut Report<'_>) -> Option<Self> {
        let number = number::<Self>(key, value, report)?;
        if number > 0.0 {
            return Some(Positive(number));
        }
        report.unfit::<Self>(key, value);
        None
    }

    fn schema() -> Json {
        json!({ "type": "number", "exclusiveMinimum": 0 })
    }
}

impl Form for Flag {
    const EXPECTED: &'static str = "true or false";
    const EXAMPLE: &'static str = "true";

    fn read(key: &str, value: &Value<'_>, report: &mut Report<'_>) -> Option<Self> {
        let flag = value.as_bool().map(Flag);
        if flag.is_none() {
            report.wrong_type::<Self>(key, value);
        }
        flag
    }

    fn schema() -> Json {
        json!({ "type": "boolean" })
    }
}

impl Form for Range {
    const EXPECTED: &'static str = "a list of two numbers, the low and the high one";
    const EXAMPLE: &'static str = "[0, 100]";

    fn read(key: &str, value: &Value<'_>, report: &mut Report<'_>) -> Option<Self> {
        let Some(items) = value.as_array() else {
            report.wrong_type::<Self>(key, value);
            return None;
        };
        let numbers: Option<Vec<f64>> = items.iter().map(finite).collect();
        let Some([low, high]) = numbers.as_deref() else {
            report.unfit::<Self>(key, value);
            return None;
        };
        let (low, high) = (*low, *high);
        if low < high {
            return Some(Range((low, high)));
        }
        let problem = format!("`{key}`: the low end {low} is not below the high end {high}");
        let remedy = "write the low end first, and a higher one after it";
        report.add(report.at(value), problem, remedy);
        None
    }

    fn schema() -> Json {
        json!({ "type": "array", "items": { "type": "number" }, "minItems": 2, "maxItems": 2 })
    }
}

impl Form for Rollover {
    const EXPECTED: &'static str = "a whole number of at least 2";
    const EXAMPLE: &'static str = "4294967296";

    fn read(key: &str, value: &Value<'_>, report: &mut Report<'_>) -> Option<Self> {
        let Some(number) = value.as_integer() else {
            report.wrong_type::<Self>(key, value);
            return None;
        };
        match u64::try_from(number) {
            Ok(modulus) if modulus >= 2 => Some(Rollover(modulus)),
            _ => {
                report.unfit::<Self>(key, value);
                None
            }
        }
    }

    fn schema() -> Json {
        json!({ "type": "integer", "minimum": 2 })
    }
}

impl Form for Texts {
    const EXPECTED: &'static str = "a table of numbers with their texts";
    const EXAMPLE: &'static str = "{ 0 = \"Closed\", 1 = \"Open\" }";

    fn read(key: &str, value: &Value<'_>, report: &mut Report<'_>) -> Option<Self> {
        let Some(table) = value.as_table() else {
            report.wrong_type::<Self>(key, value);
            return None;
        };
        let mut texts = BTreeMap::new();
        for (number, value) in table {
            let shown = text::<Text>(&format!("{key}.{number}"), value, report);
            match (canonical_integer(&number.name), shown) {
                (Some(number), Some(shown)) => {
                    texts.insert(number, shown.to_owned());
                }
                (None, _) => {
                    let problem = format!("`{key}`: {} is not a whole number", quote(&number.name));
                    let remedy = "write the number the server sends, 0 for false and 1 for true";
                    report.add(number.span.start, problem, remedy);
                }
                (Some(_), None) => {}
            }
        }
        Some(Texts(texts))
    }

    fn schema() -> Json {
        json!({
            "type": "object",
            "patternProperties": { "^(0|-?[1-9][0-9]*)$": { "type": "string" } },
            "additionalProperties": false,
        })
    }
}

/// A whole number written in the one usual way: `007` and `+7` are texts, so no number comes twice.
pub(crate) fn canonical_integer(text: &str) -> Option<i64> {
    text.parse::<i64>().ok().filter(|number| number.to_string() == text)
}

/// The text of a value; another type is reported as not being the form `F`.
pub(crate) fn text<'v, F: Form>(key: &str, value: &'v Value<'_>, report: &mut Report<'_>) -> Option<&'v str> {
    let text = value.as_str();
    if text.is_none() {
        report.wrong_type::<F>(key, value);
    }
    text
}

/// The number of a value; another type is reported as not being the form `F`.
fn number<F: Form>(key: &str, value: &Value<'_>, report: &mut Report<'_>) -> Option<f64> {
    let number = finite(value);
    match value.as_ref() {
        ValueInner::Float(_) if number.is_none() => report.unfit::<F>(key, value),
        _ if number.is_none() => report.wrong_type::<F>(key, value),
        _ => {}
    }
    number
}

/// The number of a value, if it is one and no infinity or NaN.
fn finite(value: &Value<'_>) -> Option<f64> {
    match value.as_ref() {
        ValueInner::Integer(number) => Some(*number as f64),
        ValueInner::Float(number) => Some(*number).filter(|number| number.is_finite()),
        _ => None,
    }
}
