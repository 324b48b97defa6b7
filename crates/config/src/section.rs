//! How a table of the file is declared: once, and both the reader and the JSON Schema follow.

use crate::report::{Report, quote};
use crate::suggest::nearest;
use serde_json::{Value as Json, json};
use toml_span::Value;
use toml_span::value::{Key, Table, ValueInner};

/// Something that can be written in the file.
pub(crate) trait Form: Sized {
    /// Completes "… was expected" and "this is not …".
    const EXPECTED: &'static str;
    /// Completes "write it like `key = …`".
    const EXAMPLE: &'static str;

    /// Reads the value of `key`. Whatever is wrong with it is reported; `None` where it is of no use.
    fn read(key: &str, value: &Value<'_>, report: &mut Report<'_>) -> Option<Self>;

    /// The JSON Schema of what `read` accepts.
    fn schema() -> Json;
}

/// Declares the tables of the file with their keys. `needs` keys must be there, `may` keys may.
///
/// The documentation of a key is what an editor shows. Every field is an `Option`: a table is read
/// to its end whatever is wrong with it, so that all its errors are reported at once.
macro_rules! section {
    ($(
        $(#[doc = $doc:literal])*
        $name:ident {
            $( $(#[doc = $key_doc:literal])* $presence:ident $key:ident: $form:ty, )*
        }
    )*) => { $(
        $(#[doc = $doc])*
        pub(crate) struct $name {
            $( $(#[doc = $key_doc])* pub(crate) $key: Option<$form>, )*
        }

        impl $crate::section::Form for $name {
            const EXPECTED: &'static str = "a table";
            const EXAMPLE: &'static str = concat!("{ ", section!(@first $($key: $form,)*), ", … }");

            fn read(
                key: &str,
                value: &toml_span::Value<'_>,
                report: &mut $crate::report::Report<'_>,
            ) -> Option<Self> {
                let table = $crate::section::table::<Self>(key, value, report)?;
                $crate::section::check_keys(
                    key,
                    (value.span.start, table),
                    &[$((stringify!($key), section!(@needs $presence))),*],
                    report,
                );
                Some($name {
                    $( $key: $crate::section::field(stringify!($key), table, report), )*
                })
            }

            fn schema() -> serde_json::Value {
                $crate::section::object_schema(
                    concat!($($doc),*),
                    [$((
                        stringify!($key),
                        section!(@needs $presence),
                        concat!($($key_doc),*),
                        <$form as $crate::section::Form>::schema(),
                    )),*],
                )
            }
        }
    )* };
    (@first $key:ident: $form:ty, $($rest:tt)*) => { concat!(stringify!($key), " = …") };
    (@needs needs) => { true };
    (@needs may) => { false };
}
pub(crate) use section;

/// A table that keeps its place in the text, for problems that show only later.
pub(crate) struct At<T> {
    pub(crate) at: usize,
    pub(crate) of: T,
}

impl<T: Form> Form for At<T> {
    const EXPECTED: &'static str = T::EXPECTED;
    const EXAMPLE: &'static str = T::EXAMPLE;

    fn read(key: &str, value: &Value<'_>, report: &mut Report<'_>) -> Option<Self> {
        let of = T::read(key, value, report)?;
        Some(At { at: report.at(value), of })
    }

    fn schema() -> Json {
        T::schema()
    }
}

/// Several tables under one heading: `[[tag]]`.
pub(crate) struct Several<T>(pub(crate) Vec<T>);

impl<T: Form> Form for Several<T> {
    const EXPECTED: &'static str = "a heading in double brackets";
    const EXAMPLE: &'static str = "[[…]]";

    fn read(key: &str, value: &Value<'_>, report: &mut Report<'_>) -> Option<Self> {
        let at = report.at(value);
        let items = match value.as_ref() {
            ValueInner::Array(items) => items,
            ValueInner::Table(_) => {
                let problem = format!("[{key}] stands for one table, but there can be several");
                report.add(at, problem, format!("write [[{key}]]"));
                return T::read(key, value, report).map(|item| Several(vec![item]));
            }
            _ => {
                let problem = format!("`{key}` is a table, not a value");
                report.add(at, problem, format!("write [[{key}]] and its keys below"));
                return None;
            }
        };
        let read = items.iter().filter_map(|item| T::read(key, item, report));
        Some(Several(read.collect()))
    }

    fn schema() -> Json {
        json!({ "type": "array", "items": T::schema() })
    }
}

/// The table that the value is; anything else is reported.
pub(crate) fn table<'v, 'de, F: Form>(
    key: &str,
    value: &'v Value<'de>,
    report: &mut Report<'_>,
) -> Option<&'v Table<'de>> {
    match value.as_ref() {
        ValueInner::Table(table) => return Some(table),
        ValueInner::Array(items) if items.iter().all(|item| item.as_table().is_some()) => {
            let problem = format!("[[{key}]] stands for several tables, but there can be only one");
            report.add(report.at(value), problem, format!("write [{key}]"));
        }
        _ => report.wrong_type::<F>(key, value),
    }
    None
}

/// Reads one key of a table, where it is there.
pub(crate) fn field<F: Form>(key: &str, table: &Table<'_>, report: &mut Report<'_>) -> Option<F> {
    F::read(key, table.get(key)?, report)
}

/// Reports keys that are not known here, and missing ones. `known`: name, and whether it is needed.
pub(crate) fn check_keys(
    section: &str,
    (at, table): (usize, &Table<'_>),
    known: &[(&'static str, bool)],
    report: &mut Report<'_>,
) {
    let mut missing: Vec<&str> =
        known.iter().filter(|(name, needed)| *needed && !table.contains_key(*name)).map(|(name, _)| *name).collect();
    for key in table.keys().filter(|key| known.iter().all(|(name, _)| *name != key.name)) {
        // A misspelled key is one mistake, not also a missing key.
        let meant = nearest(&key.name, known.iter().map(|(name, _)| *name));
        missing.retain(|name| Some(*name) != meant);
        unknown_key(section, key, meant, known, report);
    }
    for name in missing {
        let (place, remedy) = if section.is_empty() {
            let remedy = format!("add [{name}]; docs/plant.example.toml shows how");
            ("this file".to_owned(), remedy)
        } else {
            (format!("`{section}`"), format!("add `{name} = …`"))
        };
        report.add(at, format!("`{name}` is missing in {place}"), remedy);
    }
}

fn unknown_key(
    section: &str,
    key: &Key<'_>,
    meant: Option<&str>,
    known: &[(&'static str, bool)],
    report: &mut Report<'_>,
) {
    let at = key.span.start;
    if meant.is_none() && key.name.to_lowercase().starts_with("pass") {
        report.add(
            at,
            "a password does not belong in a file that is copied and recorded",
            "remove it, put it in an environment variable and write the variable's name: \
             password_env = \"LINESIDE_PASSWORD\"",
        );
        return;
    }
    let place = match section {
        "" => "this file".to_owned(),
        section => format!("`{section}`"),
    };
    let remedy = match meant {
        Some(meant) => format!("did you mean `{meant}`?"),
        None => {
            let names: Vec<&str> = known.iter().map(|(name, _)| *name).collect();
            format!("known here: {}", names.join(", "))
        }
    };
    let problem = format!("{} is not known in {place}", quote(&key.name));
    report.add(at, problem, remedy);
}

/// The schema of a table. Keys come with: name, whether needed, documentation, schema.
pub(crate) fn object_schema<const N: usize>(doc: &str, keys: [(&'static str, bool, &str, Json); N]) -> Json {
    let needed: Vec<&str> = keys.iter().filter(|key| key.1).map(|key| key.0).collect();
    let properties = keys.into_iter().map(|(name, _, doc, mut schema)| {
        schema["description"] = doc.trim().into();
        (name.to_owned(), schema)
    });
    json!({
        "type": "object",
        "description": doc.trim(),
        "properties": properties.collect::<serde_json::Map<_, _>>(),
        "required": needed,
        "additionalProperties": false,
    })
}
