//! From the tables of the file to the model: names become ids, defaults are filled in.
//!
//! A missing or unreadable key has been reported before; its placeholder here never leaves `parse`.

use crate::file::{
    ConnectionTable, CounterTable, HeartbeatTable, LineTable, PlantFile, RecordingTable, ScaleTable, ShiftTable,
    TagTable, UnitTable,
};
use crate::forms::Name;
use crate::report::{Report, quote};
use crate::section::{At, Several};
use crate::suggest::did_you_mean;
use lineside_model::config::{
    Connection, CounterConfig, Heartbeat, Line, ModeMap, Retention, Scale, ShiftPattern, StateMap, Tag, Unit, User,
};
use lineside_model::{ConnectionId, PlantConfig, Span, TagId, UnitId};
use std::collections::HashMap;

const PUBLISH: Span = Span::from_millis(250);
const MINOR_STOP: Span = Span::from_secs(5 * 60);
/// A counter is not believed beyond this many times the ideal rate.
const MAX_RATE_FACTOR: f64 = 4.0;
/// Products per minute a counter is believed where no ideal rate is known.
const MAX_RATE_PER_MIN: f64 = 6_000.0;

/// Resolves a file that was read; what does not fit together is reported.
pub(crate) fn resolve(file: &PlantFile, report: &mut Report<'_>) -> PlantConfig {
    let shifts = all(&file.shift);
    let (connections, units, tags) = (all(&file.connection), all(&file.unit), all(&file.tag));
    let of_connections = Names::collect("connection", connections, |c| c.of.name.as_ref(), report);
    let of_units = Names::collect("unit", units, |u| u.name.as_ref(), report);
    let of_tags = Names::collect("tag", tags, |t| t.of.name.as_ref(), report);
    check_starts(shifts, report);
    let plant = file.plant.as_ref();
    let resolved_tags: Vec<Tag> = tags.iter().map(|t| tag(t, &of_connections, report)).collect();
    let mut resolved_connections = Vec::with_capacity(connections.len());
    for (id, table) in (0..).map(ConnectionId).zip(connections) {
        let heartbeat =
            table.of.heartbeat.as_ref().and_then(|from| heartbeat(from, id, (&of_tags, &resolved_tags), report));
        resolved_connections.push(Connection { heartbeat, ..connection(table, report) });
    }
    PlantConfig {
        site: plant.and_then(|p| p.site.as_ref()).map(text).unwrap_or_default(),
        area: plant.and_then(|p| p.area.as_ref()).map(text).unwrap_or_default(),
        time_zone: plant.and_then(|p| p.time_zone.as_ref()).map(|zone| zone.0.clone()).unwrap_or_default(),
        line: file.line.as_ref().map(|l| line(l, &of_units, report)).unwrap_or_default(),
        shifts: shifts.iter().map(|s| shift(&s.of)).collect(),
        connections: resolved_connections,
        units: units.iter().map(|u| unit(u, &of_tags, report)).collect(),
        tags: resolved_tags,
        retention: file.recording.as_ref().map(retention).unwrap_or_default(),
    }
}

fn retention(from: &RecordingTable) -> Retention {
    Retention {
        keep_days: from.keep_days.as_ref().map(|days| days.0),
        keep_bytes: from.keep_gb.as_ref().map(|gb| (gb.0 * 1e9) as u64),
    }
}

fn all<T>(several: &Option<Several<T>>) -> &[T] {
    several.as_ref().map_or(&[], |several| &several.0)
}

fn text(name: &Name) -> String {
    name.text.clone()
}

/// The names of one kind of thing, with their positions in the list.
struct Names<'f> {
    kind: &'static str,
    /// How many things there are, those without a readable name included.
    count: usize,
    in_order: Vec<&'f str>,
    ids: HashMap<&'f str, u32>,
}

impl<'f> Names<'f> {
    /// Reports names that are there twice.
    fn collect<T>(
        kind: &'static str,
        items: &'f [T],
        name: impl Fn(&'f T) -> Option<&'f Name>,
        report: &mut Report<'_>,
    ) -> Names<'f> {
        let mut first: HashMap<&'f str, &'f Name> = HashMap::with_capacity(items.len());
        let mut names = Names {
            kind,
            count: items.len(),
            in_order: Vec::with_capacity(items.len()),
            ids: HashMap::with_capacity(items.len()),
        };
        for (id, name) in (0..).zip(items.iter().map(name)) {
            let Some(name) = name else { continue };
            if let Some(before) = first.get(name.text.as_str()) {
                let line = report.line(before.at);
                let quoted = quote(&name.text);
                let problem = format!("the {kind} {quoted} is there twice; the first is on line {line}");
                report.add(name.at, problem, "give one of the two another name");
                continue;
            }
            first.insert(&name.text, name);
            names.ids.insert(&name.text, id);
            names.in_order.push(&name.text);
        }
        names
    }

    /// The position of a name; an unknown one is reported with the nearest known.
    fn find(&self, key: &str, name: &Name, report: &mut Report<'_>) -> Option<u32> {
        let id = self.ids.get(name.text.as_str()).copied();
        if id.is_none() {
            let kind = self.kind;
            let problem = format!("`{key}`: there is no {kind} {}", quote(&name.text));
            let remedy = did_you_mean(&name.text, self.in_order.iter().copied(), || {
                format!("add it as [[{kind}]], or write the name of one that is there")
            });
            report.add(name.at, problem, remedy);
        }
        id
    }
}

fn line(from: &LineTable, units: &Names<'_>, report: &mut Report<'_>) -> Line {
    let mut unit = |key, name: &Option<Name>| {
        let name = name.as_ref()?;
        units.find(key, name, report).map(UnitId)
    };
    Line {
        constraint: unit("constraint", &from.constraint),
        output: unit("output", &from.output),
        name: from.name.as_ref().map(text).unwrap_or_default(),
        product: from.product.as_ref().map(text).unwrap_or_default(),
        target_rate_per_min: from.target_rate.as_ref().map(|rate| rate.0),
        minor_stop: from.minor_stop.as_ref().map_or(MINOR_STOP, |duration| duration.0),
    }
}

fn shift(from: &ShiftTable) -> ShiftPattern {
    ShiftPattern {
        name: from.name.as_ref().map(text).unwrap_or_default(),
        start_min: from.start.as_ref().map_or(0, |time| time.0),
        end_min: from.end.as_ref().map_or(0, |time| time.0),
        days: days(from),
        crew: from.crew.as_ref().map(text),
    }
}

fn days(from: &ShiftTable) -> [bool; 7] {
    from.days.as_ref().map_or([true; 7], |days| days.0)
}

/// Two shifts that start at the same moment: none of the two could be the later one.
fn check_starts(shifts: &[At<ShiftTable>], report: &mut Report<'_>) {
    let mut first: HashMap<(usize, u16), usize> = HashMap::new();
    for shift in shifts {
        let Some(start) = shift.of.start.as_ref().map(|start| start.0) else {
            continue;
        };
        let starts = days(&shift.of).into_iter().enumerate().filter(|(_, on)| *on);
        let taken = starts.filter_map(|(day, _)| {
            let before = *first.entry((day, start)).or_insert(shift.at);
            (before != shift.at).then_some(before)
        });
        if let Some(before) = taken.min() {
            let line = report.line(before);
            let problem = format!("this shift starts on the same day and time as the one on line {line}");
            report.add(shift.at, problem, "change the days or the start of one of the two");
        }
    }
}

fn connection(table: &At<ConnectionTable>, report: &mut Report<'_>) -> Connection {
    let from = &table.of;
    let redundant = from.redundant.as_ref().map(|endpoints| endpoints.0.clone()).unwrap_or_default();
    let endpoint = from.endpoint.as_ref().map(|endpoint| endpoint.0.clone()).unwrap_or_default();
    if redundant.contains(&endpoint) {
        let remedy = "name only the other servers of the set in `redundant`";
        report.add(table.at, "`redundant` names the server of `endpoint` itself", remedy);
    }
    Connection {
        name: from.name.as_ref().map(text).unwrap_or_default(),
        endpoint,
        security: from.security.clone().unwrap_or_default(),
        user: user(table, report),
        publish: from.publish.as_ref().map_or(PUBLISH, |duration| duration.0),
        redundant,
        redundancy: from.redundancy.unwrap_or_default(),
        heartbeat: None,
        backfill: from.backfill.as_ref().is_none_or(|flag| flag.0),
    }
}

/// Who we are to the server: nobody, a name, or a certificate.
fn user(table: &At<ConnectionTable>, report: &mut Report<'_>) -> User {
    let from = &table.of;
    if from.password_env.is_some() && from.user.is_none() {
        let remedy = "add `user = \"…\"`, or remove password_env for an anonymous session";
        report.add(table.at, "`password_env` is without `user`", remedy);
    }
    match (&from.user, &from.user_certificate, &from.user_key) {
        (Some(name), Some(_), _) | (Some(name), _, Some(_)) => {
            let remedy = "keep `user` for a name and a password, or user_certificate and user_key for a certificate";
            report.add(name.at, "`user` stands beside a user certificate", remedy);
            User::Anonymous
        }
        (Some(name), None, None) => {
            let password_env = from.password_env.as_ref().map(|variable| variable.0.clone());
            User::Name { name: text(name), password_env }
        }
        (None, Some(certificate), Some(key)) => {
            User::Certificate { certificate: certificate.text.clone(), key: key.text.clone() }
        }
        (None, Some(certificate), None) => {
            report.add(
                certificate.at,
                "`user_certificate` is without `user_key`",
                "add `user_key = \"…\"`, its private key",
            );
            User::Anonymous
        }
        (None, None, Some(key)) => {
            report.add(key.at, "`user_key` is without `user_certificate`", "add `user_certificate = \"…\"`");
            User::Anonymous
        }
        (None, None, None) => User::Anonymous,
    }
}

/// The heartbeat of a connection; a value of another server would prove nothing about this one.
fn heartbeat(
    from: &HeartbeatTable,
    connection: ConnectionId,
    (names, tags): (&Names<'_>, &[Tag]),
    report: &mut Report<'_>,
) -> Option<Heartbeat> {
    let (name, within) = (from.tag.as_ref()?, from.within.as_ref()?.0);
    let tag = TagId(names.find("tag", name, report)?);
    if tags.get(tag.0 as usize).is_some_and(|found| found.connection != connection) {
        let problem = format!("`heartbeat`: {} is read from another connection", quote(&name.text));
        report.add(name.at, problem, "name a tag of this connection");
    }
    Some(Heartbeat { tag, within })
}

fn unit(from: &UnitTable, tags: &Names<'_>, report: &mut Report<'_>) -> Unit {
    let mut tag = |key: &str, name: Option<&Name>| {
        let found = name.and_then(|name| tags.find(key, name, report));
        TagId(found.unwrap_or_default())
    };
    let ideal_rate_per_min = from.ideal_rate.as_ref().map(|rate| rate.0);
    let mut counter = |counter: &CounterTable| CounterConfig {
        tag: tag("tag", counter.tag.as_ref()),
        modulus: counter.rollover.as_ref().map(|rollover| rollover.0),
        max_rate_per_min: counter
            .max_rate
            .as_ref()
            .map_or_else(|| ideal_rate_per_min.map_or(MAX_RATE_PER_MIN, |rate| rate * MAX_RATE_FACTOR), |rate| rate.0),
    };
    let (good, reject) = (from.good.as_ref().map(&mut counter), from.reject.as_ref().map(&mut counter));
    Unit {
        name: from.name.as_ref().map(text).unwrap_or_default(),
        state: from.state.as_ref().map(|state| StateMap {
            tag: tag("tag", state.tag.as_ref()),
            numbers: state.map.as_ref().map(|map| map.numbers.clone()).unwrap_or_default(),
            names: state.map.as_ref().map(|map| map.names.clone()).unwrap_or_default(),
        }),
        mode: from.mode.as_ref().map(|mode| ModeMap {
            tag: tag("tag", mode.tag.as_ref()),
            numbers: mode.map.as_ref().map(|map| map.numbers.clone()).unwrap_or_default(),
            names: mode.map.as_ref().map(|map| map.names.clone()).unwrap_or_default(),
        }),
        speed: from.speed.as_ref().map(|name| tag("speed", Some(name))),
        ideal_rate_per_min,
        rate_band: from.rate_band.as_ref().map(|range| range.0),
        good,
        reject,
    }
}

fn tag(table: &At<TagTable>, connections: &Names<'_>, report: &mut Report<'_>) -> Tag {
    let from = &table.of;
    Tag {
        name: from.name.as_ref().map(text).unwrap_or_default(),
        description: from.description.as_ref().map(|text| text.0.clone()).unwrap_or_default(),
        connection: ConnectionId(source(table, connections, report).unwrap_or_default()),
        node: from.node.as_ref().map(|node| node.0.clone()).unwrap_or_default(),
        unit: from.unit.as_ref().map(|text| text.0.clone()).unwrap_or_default(),
        range: from.range.as_ref().map(|range| range.0),
        scale: from.scale.as_ref().map(|from| scale(from, report)),
        max_age: from.max_age.as_ref().map(|duration| duration.0),
        texts: from.texts.as_ref().map(|texts| texts.0.clone()).unwrap_or_default(),
    }
}

/// The connection of a tag: the one named, or the only one.
fn source(tag: &At<TagTable>, connections: &Names<'_>, report: &mut Report<'_>) -> Option<u32> {
    if let Some(name) = &tag.of.connection {
        return connections.find("connection", name, report);
    }
    match connections.count {
        1 => Some(0),
        0 => {
            let problem = "this tag has no connection to be read from";
            report.add(tag.at, problem, "add a [[connection]] with name and endpoint");
            None
        }
        _ => {
            let problem = "this tag does not say which connection it is read from";
            let names = connections.in_order.join(", ");
            let remedy = format!("add `connection = …` with one of {names}");
            report.add(tag.at, problem, remedy);
            None
        }
    }
}

fn scale(table: &At<ScaleTable>, report: &mut Report<'_>) -> Scale {
    let from = &table.of;
    let gain = from.gain.as_ref().map_or(1.0, |gain| gain.0);
    if gain == 0.0 {
        report.add(table.at, "`gain` is 0: every value would be the same", "write a gain that is not 0");
    }
    Scale { gain, offset: from.offset.as_ref().map_or(0.0, |offset| offset.0) }
}
