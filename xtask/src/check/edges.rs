//! Which crate may know which: the layering of docs/ARCHITECTURE.md, kept true.

use crate::shell::{Outcome, Problem};
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};

/// Every package of the workspace and the packages of ours that it may depend on, without `lineside-`.
/// The composition of a running program is `host`; both hosts are wiring around it.
const ALLOWED: &[(&str, &str)] = &[
    ("lineside-model", ""),
    ("lineside-config", "model"),
    ("lineside-engine", "model"),
    ("lineside-recording", "model"),
    ("lineside-export", "model"),
    ("lineside-opcua", "model"),
    ("lineside-plant", ""),
    ("lineside-runtime", "model config engine recording"),
    ("lineside-api", "model config engine recording runtime"),
    ("lineside-host", "model config recording export opcua runtime api"),
    ("lineside-server", "api host"),
    ("lineside", "api host"),
    ("lineside-tests", "model config engine recording export opcua plant runtime api host server"),
    ("xtask", ""),
];

/// Packages that must not be reachable, at any distance, from one of ours.
const FORBIDDEN: &[(&str, &[&str])] = &[
    ("lineside-model", &["tokio", "tauri", "rusqlite", "serde", "rand", "jiff"]),
    ("lineside-engine", &["tokio", "tauri", "rusqlite", "serde", "rand", "jiff"]),
    ("lineside-recording", &["tokio", "tauri"]),
    ("lineside-export", &["tokio", "tauri", "rusqlite"]),
    ("lineside-opcua", &["tauri", "rusqlite"]),
    ("lineside-host", &["tauri"]),
    ("lineside-server", &["tauri"]),
    ("lineside-tests", &["tauri", "wry"]),
];

/// Fails with every forbidden edge of `cargo metadata`.
pub(crate) fn check(metadata: &Value) -> Outcome {
    let faults = faults(metadata);
    if faults.is_empty() {
        return Ok(());
    }
    Err(Problem::new(
        faults.join("\n       "),
        "Dependencies point one way (docs/ARCHITECTURE.md). Move the code, or change the rule in xtask/src/check/edges.rs with its reason.",
    ))
}

fn faults(metadata: &Value) -> Vec<String> {
    let graph = Graph::new(metadata);
    let mut faults = Vec::new();
    for package in &graph.ours {
        match ALLOWED.iter().find(|(name, _)| name == package) {
            None => faults.push(format!("{package} has no rule")),
            Some((_, allowed)) => {
                let known = graph.direct(package).filter(|name| graph.ours.contains(name));
                let surplus =
                    known.filter(|name| !allowed.split(' ').any(|short| name.strip_prefix("lineside-") == Some(short)));
                faults.extend(surplus.map(|name| format!("{package} must not know {name}")));
            }
        }
    }
    for (package, forbidden) in FORBIDDEN {
        let reached = graph.reachable(package);
        faults.extend(
            forbidden.iter().filter(|name| reached.contains(**name)).map(|name| format!("{package} reaches {name}")),
        );
    }
    faults
}

/// Who depends on whom, by name. Several versions of one package count as one.
struct Graph<'a> {
    ours: BTreeSet<&'a str>,
    /// Name, and whether the dependency is for tests only.
    edges: BTreeMap<&'a str, BTreeSet<(&'a str, bool)>>,
}

impl<'a> Graph<'a> {
    fn new(metadata: &'a Value) -> Self {
        let packages = list(&metadata["packages"]);
        let names: BTreeMap<&str, &str> =
            packages.iter().map(|package| (text(&package["id"]), text(&package["name"]))).collect();
        let name = |id: &'a Value| names.get(text(id)).copied().unwrap_or_default();
        let mut edges: BTreeMap<&str, BTreeSet<(&str, bool)>> = BTreeMap::new();
        for node in list(&metadata["resolve"]["nodes"]) {
            let of = edges.entry(name(&node["id"])).or_default();
            for dependency in list(&node["deps"]) {
                let for_tests = list(&dependency["dep_kinds"]).iter().all(|kind| kind["kind"] == "dev");
                of.insert((name(&dependency["pkg"]), for_tests));
            }
        }
        Self { ours: list(&metadata["workspace_members"]).iter().map(name).collect(), edges }
    }

    fn direct(&self, package: &str) -> impl Iterator<Item = &'a str> {
        self.edges.get(package).into_iter().flatten().map(|(name, _)| *name)
    }

    /// Everything that is built into `package`, and what its own tests use.
    fn reachable(&self, package: &str) -> BTreeSet<&'a str> {
        let mut reached = BTreeSet::new();
        // Only `tests` is nothing but tests; elsewhere a tool of the tests is no part of the crate.
        let own_tests = package == "lineside-tests";
        let mut open: Vec<&str> = self.of(package, own_tests).collect();
        while let Some(next) = open.pop() {
            if reached.insert(next) {
                open.extend(self.of(next, false));
            }
        }
        reached
    }

    fn of(&self, package: &str, with_tests: bool) -> impl Iterator<Item = &'a str> {
        let edges = self.edges.get(package).into_iter().flatten();
        edges.filter(move |(_, for_tests)| with_tests || !for_tests).map(|(name, _)| *name)
    }
}

fn list(value: &Value) -> &[Value] {
    value.as_array().map_or(&[], Vec::as_slice)
}

fn text(value: &Value) -> &str {
    value.as_str().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::faults;
    use serde_json::{Value, json};

    fn metadata(edges: &[(&str, &str, Option<&str>)]) -> Value {
        let names: std::collections::BTreeSet<&str> = edges.iter().flat_map(|(from, to, _)| [*from, *to]).collect();
        let ours: Vec<&&str> = names.iter().filter(|name| name.starts_with("lineside")).collect();
        json!({
            "packages": names.iter().map(|name| json!({"id": name, "name": name})).collect::<Vec<_>>(),
            "workspace_members": ours,
            "resolve": {"nodes": names.iter().map(|name| json!({
                "id": name,
                "deps": edges.iter().filter(|(from, _, _)| from == name)
                    .map(|(_, to, kind)| json!({"pkg": to, "dep_kinds": [{"kind": kind}]})).collect::<Vec<_>>(),
            })).collect::<Vec<_>>()},
        })
    }

    fn check(edges: &[(&str, &str, Option<&str>)], expected: &[&str]) {
        assert_eq!(faults(&metadata(edges)), expected, "{edges:?}");
    }

    #[test]
    fn edges_point_one_way() {
        check(&[("lineside-engine", "lineside-model", None)], &[]);
        check(&[("lineside-model", "lineside-engine", None)], &["lineside-model must not know lineside-engine"]);
        check(&[("lineside-opcua", "lineside-engine", Some("dev"))], &["lineside-opcua must not know lineside-engine"]);
        check(&[("lineside-new", "lineside-model", None)], &["lineside-new has no rule"]);
    }

    #[test]
    fn forbidden_packages_are_found_at_any_distance() {
        check(&[("lineside-engine", "a", None), ("a", "serde", None)], &["lineside-engine reaches serde"]);
        check(&[("lineside-engine", "proptest", Some("dev")), ("proptest", "rand", None)], &[]);
        check(&[("lineside-tests", "wry", Some("dev"))], &["lineside-tests reaches wry"]);
    }
}
