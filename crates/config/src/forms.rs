//! The single values of the file: texts, numbers, durations, times, addresses.
//!
//! Each form says once what it accepts: in words for people, as a schema for editors, and by `read`.

use crate::report::{Report, quote};
use crate::section::Form;
use crate::suggest::{did_you_mean, nearest};
use jiff::tz::TimeZoneDatabase;
use lineside_model::Span;
use lineside_model::config::Security;
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

/// A low and a high number.
pub(crate) struct Range(pub(crate) (f64, f64));

/// The number of values a counter has.
pub(crate) struct Rollover(pub(crate) u64);

/// A length of time above 0: whole number and unit.
pub(crate) struct Duration(pub(crate) Span);

/// A time of day: minutes after midnight.
pub(crate) struct WallTime(pub(crate) u16);

/// Weekdays, Monday first.
pub(crate) struct Days(pub(crate) [bool; 7]);

/// An IANA time zone.
pub(crate) struct Zone(pub(crate) String);

/// The address of an OPC UA server.
pub(crate) struct Endpoint(pub(crate) String);

/// An OPC UA node with its namespace.
pub(crate) struct NodeId(pub(crate) String);

/// The name of an environment variable.
pub(crate) struct Variable(pub(crate) String);

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
            report.add(
                at,
                format!("`{key}` is empty"),
                "write a name between the quotes",
            );
        } else if text.trim() != text || text.contains(char::is_control) {
            let problem = format!("`{key}` has blanks at an end, or control characters");
            report.add(at, problem, "remove them");
        }
        Some(Name {
            text: text.to_owned(),
            at,
        })
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

impl Form for Range {
    const EXPECTED: &'static str = "a list of two numbers, the low and the high one";
    const EXAMPLE: &'static str = "[0, 100]";

    fn read(key: &str, value: &Value<'_>, report: &mut Report<'_>) -> Option<Self> {
        let Some(items) = value.as_array() else {
            report.wrong_type::<Self>(key, value);
            return None;
        };
        let [low, high] = items.as_slice() else {
            report.unfit::<Self>(key, value);
            return None;
        };
        let at = report.at(value);
        let (low, high) = (
            number::<Number>(key, low, report),
            number::<Number>(key, high, report),
        );
        let (low, high) = (low?, high?);
        if low < high {
            return Some(Range((low, high)));
        }
        let problem = format!("`{key}`: the low end {low} is not below the high end {high}");
        report.add(
            at,
            problem,
            "write the low end first, and a higher one after it",
        );
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

/// Units of durations in nanoseconds.
const DURATION_UNITS: [(&str, i64); 4] = [
    ("ms", 1_000_000),
    ("s", 1_000_000_000),
    ("min", 60_000_000_000),
    ("h", 3_600_000_000_000),
];

impl Form for Duration {
    const EXPECTED: &'static str = "a duration above 0: a whole number and ms, s, min or h";
    const EXAMPLE: &'static str = "\"5 min\"";

    fn read(key: &str, value: &Value<'_>, report: &mut Report<'_>) -> Option<Self> {
        let text = text::<Self>(key, value, report)?;
        let duration = duration(text).map(Duration);
        if duration.is_none() {
            report.malformed::<Self>(key, value, text);
        }
        duration
    }

    fn schema() -> Json {
        json!({ "type": "string", "pattern": "^0*[1-9][0-9]* ?(ms|s|min|h)$" })
    }
}

/// `<whole number>[ ]<unit>`; `None` for anything else, for 0 and beyond 292 years.
fn duration(text: &str) -> Option<Span> {
    let digits = text.find(|c: char| !c.is_ascii_digit())?;
    let (number, unit) = text.split_at(digits);
    let unit = unit.strip_prefix(' ').unwrap_or(unit);
    let (_, nanos) = DURATION_UNITS.iter().find(|(name, _)| *name == unit)?;
    let span = number.parse::<i64>().ok()?.checked_mul(*nanos)?;
    (span > 0).then_some(Span(span))
}

impl Form for WallTime {
    const EXPECTED: &'static str = "a time of day from 00:00 to 23:59";
    const EXAMPLE: &'static str = "\"06:00\"";

    fn read(key: &str, value: &Value<'_>, report: &mut Report<'_>) -> Option<Self> {
        let text = text::<Self>(key, value, report)?;
        let time = wall_time(text).map(WallTime);
        if time.is_none() && text == "24:00" {
            let problem = format!("`{key}`: `24:00` is not {}", Self::EXPECTED);
            report.add(report.at(value), problem, "write midnight as \"00:00\"");
        } else if time.is_none() {
            report.malformed::<Self>(key, value, text);
        }
        time
    }

    fn schema() -> Json {
        json!({ "type": "string", "pattern": "^([01][0-9]|2[0-3]):[0-5][0-9]$" })
    }
}

fn wall_time(text: &str) -> Option<u16> {
    let two_digits = |part: &str| {
        let digits = part.len() == 2 && part.bytes().all(|byte| byte.is_ascii_digit());
        if digits {
            part.parse::<u16>().ok()
        } else {
            None
        }
    };
    let (hours, minutes) = text.split_once(':')?;
    let (hours, minutes) = (two_digits(hours)?, two_digits(minutes)?);
    (hours < 24 && minutes < 60).then_some(hours * 60 + minutes)
}

const DAYS: [&str; 7] = ["mon", "tue", "wed", "thu", "fri", "sat", "sun"];

impl Form for Days {
    const EXPECTED: &'static str = "a list of weekdays";
    const EXAMPLE: &'static str = "[\"mon\", \"tue\", \"wed\", \"thu\", \"fri\", \"sat\", \"sun\"]";

    fn read(key: &str, value: &Value<'_>, report: &mut Report<'_>) -> Option<Self> {
        let Some(items) = value.as_array() else {
            report.wrong_type::<Self>(key, value);
            return None;
        };
        let mut days = [false; 7];
        for item in items {
            let Some(day) = text::<Text>(key, item, report) else {
                continue;
            };
            if let Some(index) = DAYS.iter().position(|known| *known == day) {
                days[index] = true;
            } else {
                let all = || format!("the weekdays are {}", DAYS.join(", "));
                let remedy = did_you_mean(day, DAYS, all);
                report.add(
                    report.at(item),
                    format!("`{key}`: {} is not a weekday", quote(day)),
                    remedy,
                );
            }
        }
        if items.is_empty() {
            let problem = format!("`{key}` is empty: the shift would never start");
            report.add(
                report.at(value),
                problem,
                "name its days, or leave the key out for all days",
            );
        }
        Some(Days(days))
    }

    fn schema() -> Json {
        json!({ "type": "array", "items": { "enum": DAYS }, "minItems": 1 })
    }
}

impl Form for Zone {
    const EXPECTED: &'static str = "an IANA time zone";
    const EXAMPLE: &'static str = "\"Europe/Berlin\"";

    fn read(key: &str, value: &Value<'_>, report: &mut Report<'_>) -> Option<Self> {
        let text = text::<Self>(key, value, report)?;
        let zones = TimeZoneDatabase::bundled();
        let names: Vec<String> = zones.available().map(|name| name.to_string()).collect();
        if names.iter().any(|name| name == text) {
            return Some(Zone(text.to_owned()));
        }
        let city = |name: &&String| {
            name.rsplit('/')
                .next()
                .is_some_and(|city| city.eq_ignore_ascii_case(text))
        };
        let near = match names.iter().find(city) {
            Some(name) => Some(name.as_str()),
            None => nearest(text, names.iter().map(String::as_str)),
        };
        let remedy = near.map_or_else(
            || format!("write it like `{key} = {}`", Self::EXAMPLE),
            |name| format!("did you mean `{name}`?"),
        );
        let problem = format!("`{key}`: {} is not {}", quote(text), Self::EXPECTED);
        report.add(report.at(value), problem, remedy);
        None
    }

    fn schema() -> Json {
        json!({ "type": "string", "minLength": 1, "examples": ["Europe/Berlin"] })
    }
}

impl Form for Endpoint {
    const EXPECTED: &'static str =
        "the address of an OPC UA server, with its port and without user or password";
    const EXAMPLE: &'static str = "\"opc.tcp://192.168.0.10:4840/\"";

    fn read(key: &str, value: &Value<'_>, report: &mut Report<'_>) -> Option<Self> {
        let text = text::<Self>(key, value, report)?;
        if is_endpoint(text) {
            return Some(Endpoint(text.to_owned()));
        }
        report.unfit::<Self>(key, value);
        None
    }

    fn schema() -> Json {
        json!({ "type": "string", "pattern": r"^opc\.tcp://([^\s/:@\[\]]+|\[[0-9A-Fa-f:.]+\]):[0-9]{1,5}(/[^\s@]*)?$" })
    }
}

/// `opc.tcp://host:port[/path]` (OPC 10000-6, 7.2), the host a name, an IPv4 or an `[IPv6]` address.
fn is_endpoint(text: &str) -> bool {
    let Some(rest) = text.strip_prefix("opc.tcp://") else {
        return false;
    };
    let authority = rest.split('/').next().unwrap_or(rest);
    let Some((host, port)) = authority.rsplit_once(':') else {
        return false;
    };
    let host_fits = match host
        .strip_prefix('[')
        .and_then(|host| host.strip_suffix(']'))
    {
        Some(ip) => ip.parse::<std::net::Ipv6Addr>().is_ok(),
        None => !host.is_empty() && !host.contains([':', '[', ']']),
    };
    let port_fits = port.bytes().all(|byte| byte.is_ascii_digit())
        && port.parse::<u16>().is_ok_and(|port| port > 0);
    host_fits
        && port_fits
        && !text.contains(|c: char| c == '@' || c.is_whitespace() || c.is_control())
}

impl Form for NodeId {
    const EXPECTED: &'static str = "a node id: nsu=<namespace uri>; or ns=<index>;, then s=<text>, i=<number>, g=<guid> or b=<base64>";
    const EXAMPLE: &'static str = "\"nsu=urn:maker:plc;s=Filler.Speed\"";

    fn read(key: &str, value: &Value<'_>, report: &mut Report<'_>) -> Option<Self> {
        let text = text::<Self>(key, value, report)?;
        if is_node_id(text) {
            return Some(NodeId(text.to_owned()));
        }
        if is_node_id(&format!("ns=0;{text}")) {
            let problem = format!("`{key}`: {} names no namespace", quote(text));
            report.add(
                report.at(value),
                problem,
                format!("write `{key} = \"ns=0;{text}\"`"),
            );
        } else {
            report.malformed::<Self>(key, value, text);
        }
        None
    }

    fn schema() -> Json {
        json!({ "type": "string", "pattern": "^(nsu=[^;]+|ns=[0-9]{1,5});[isgb]=.+" })
    }
}

/// The text form of an ExpandedNodeId (OPC 10000-6, 5.1.12) with the namespace written out.
fn is_node_id(text: &str) -> bool {
    let Some((namespace, id)) = text.split_once(';') else {
        return false;
    };
    let namespace_fits = match (
        namespace.strip_prefix("nsu="),
        namespace.strip_prefix("ns="),
    ) {
        (Some(uri), _) => !uri.is_empty() && !uri.contains(char::is_whitespace),
        (_, Some(index)) => digits(index) && index.parse::<u16>().is_ok(),
        _ => false,
    };
    let Some((kind, id)) = id.split_once('=') else {
        return false;
    };
    let id_fits = match kind {
        "s" => !id.is_empty() && id.chars().count() <= 4096,
        "i" => digits(id) && id.parse::<u32>().is_ok(),
        "g" => is_guid(id),
        "b" => is_base64(id),
        _ => false,
    };
    namespace_fits && id_fits
}

fn digits(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit())
}

fn is_guid(text: &str) -> bool {
    let groups: Vec<&str> = text.split('-').collect();
    let lengths: Vec<usize> = groups.iter().map(|group| group.len()).collect();
    lengths == [8, 4, 4, 4, 12]
        && groups
            .iter()
            .all(|group| group.bytes().all(|byte| byte.is_ascii_hexdigit()))
}

fn is_base64(text: &str) -> bool {
    let body = text.trim_end_matches('=');
    let padding = text.len() - body.len();
    let known = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'+' || byte == b'/';
    !body.is_empty() && padding <= 2 && text.len().is_multiple_of(4) && body.bytes().all(known)
}

/// Policies of OPC 10000-7, 6.6 with a channel of their own. The first two are deprecated there, but
/// machines that know nothing newer exist; they are used only where the file asks for them by name.
const POLICIES: [&str; 5] = [
    "Basic128Rsa15",
    "Basic256",
    "Basic256Sha256",
    "Aes128_Sha256_RsaOaep",
    "Aes256_Sha256_RsaPss",
];
const MODES: [&str; 2] = ["Sign", "SignAndEncrypt"];

impl Form for Security {
    const EXPECTED: &'static str = "\"best\", \"none\" or a policy and a mode";
    const EXAMPLE: &'static str = "\"Basic256Sha256/SignAndEncrypt\"";

    fn read(key: &str, value: &Value<'_>, report: &mut Report<'_>) -> Option<Self> {
        let text = text::<Self>(key, value, report)?;
        match (text, text.split_once('/')) {
            ("best", _) => return Some(Security::Best),
            ("none", _) => return Some(Security::None),
            (_, Some((policy, mode))) if POLICIES.contains(&policy) && MODES.contains(&mode) => {
                return Some(Security::Exact {
                    policy: policy.to_owned(),
                    encrypt: mode == "SignAndEncrypt",
                });
            }
            _ => {}
        }
        let words = security_words();
        let all = || format!("choose one of {}", words.join(", "));
        let remedy = did_you_mean(text, words.iter().map(String::as_str), all);
        let problem = format!("`{key}`: {} is not {}", quote(text), Self::EXPECTED);
        report.add(report.at(value), problem, remedy);
        None
    }

    fn schema() -> Json {
        json!({ "enum": security_words() })
    }
}

fn security_words() -> Vec<String> {
    let exact = POLICIES
        .iter()
        .flat_map(|policy| MODES.map(|mode| format!("{policy}/{mode}")));
    ["best", "none"]
        .map(str::to_owned)
        .into_iter()
        .chain(exact)
        .collect()
}

impl Form for Variable {
    const EXPECTED: &'static str =
        "the name of an environment variable (letters, digits and _), never the password itself";
    const EXAMPLE: &'static str = "\"LINESIDE_PASSWORD\"";

    fn read(key: &str, value: &Value<'_>, report: &mut Report<'_>) -> Option<Self> {
        let text = text::<Self>(key, value, report)?;
        let name = |c: char| c.is_ascii_alphanumeric() || c == '_';
        if text.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_') && text.chars().all(name)
        {
            return Some(Variable(text.to_owned()));
        }
        report.unfit::<Self>(key, value);
        None
    }

    fn schema() -> Json {
        json!({ "type": "string", "pattern": "^[A-Za-z_][A-Za-z0-9_]*$" })
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
    text.parse::<i64>()
        .ok()
        .filter(|number| number.to_string() == text)
}

/// The text of a value; another type is reported as not being the form `F`.
pub(crate) fn text<'v, F: Form>(
    key: &str,
    value: &'v Value<'_>,
    report: &mut Report<'_>,
) -> Option<&'v str> {
    let text = value.as_str();
    if text.is_none() {
        report.wrong_type::<F>(key, value);
    }
    text
}

/// The number of a value; another type is reported as not being the form `F`.
fn number<F: Form>(key: &str, value: &Value<'_>, report: &mut Report<'_>) -> Option<f64> {
    match value.as_ref() {
        ValueInner::Integer(number) => Some(*number as f64),
        ValueInner::Float(number) if number.is_finite() => Some(*number),
        ValueInner::Float(_) => {
            report.unfit::<F>(key, value);
            None
        }
        _ => {
            report.wrong_type::<F>(key, value);
            None
        }
    }
}
