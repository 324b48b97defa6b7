//! The adapter's other end: what was delivered, and waiting for what must come.

use lineside_model::config::{Connection, Line, Security, Tag, User};
use lineside_model::inlet::inlet;
use lineside_model::report::LinkReport;
use lineside_model::{
    ConnectionId, Gap, GapReason, GapScope, Input, LinkState, PlantConfig, Sample, Span, StatusCode, TagId, Value,
};
use lineside_opcua::{Adapter, Settings, spawn};
use std::path::Path;
use std::sync::Arc;
use std::sync::mpsc::Receiver;
use std::time::{Duration, Instant};
use tokio::runtime::Runtime;

/// Longer than anything takes on a busy machine.
pub(crate) const PATIENCE: Duration = Duration::from_secs(40);

/// A plant with one connection and these nodes.
pub(crate) fn plant(endpoint: &str, security: Security, nodes: impl IntoIterator<Item = String>) -> PlantConfig {
    let tag = |node: String| Tag {
        name: node.clone(),
        description: String::new(),
        connection: ConnectionId(0),
        node,
        unit: String::new(),
        range: None,
        scale: None,
        max_age: None,
        texts: Default::default(),
    };
    PlantConfig {
        line: Line::default(),
        connections: vec![Connection {
            name: "peer".into(),
            endpoint: endpoint.into(),
            security,
            user: User::Anonymous,
            publish: Span::from_millis(100),
            redundant: Vec::new(),
            redundancy: Default::default(),
            heartbeat: None,
            backfill: true,
        }],
        tags: nodes.into_iter().map(tag).collect(),
        ..PlantConfig::default()
    }
}

/// An adapter at work, and all that it delivered.
pub(crate) struct Collected {
    receiver: Receiver<Vec<Input>>,
    pub(crate) inputs: Vec<Input>,
    adapter: Option<Adapter>,
}

impl Collected {
    pub(crate) fn start(runtime: &Runtime, config: PlantConfig, pki: &Path) -> Collected {
        Collected::with(runtime, config, Settings::new(pki))
    }

    pub(crate) fn with(runtime: &Runtime, config: PlantConfig, settings: Settings) -> Collected {
        let (inlet, receiver) = inlet();
        let adapter = spawn(runtime.handle(), Arc::new(config), ConnectionId(0), settings, inlet);
        Collected { receiver, inputs: Vec::new(), adapter: Some(adapter) }
    }

    /// Waits until an input from position `from` on is what is `wanted`; returns the position after it.
    pub(crate) fn until(&mut self, from: usize, what: &str, wanted: impl Fn(&Input) -> bool) -> usize {
        let deadline = Instant::now() + PATIENCE;
        let mut at = from;
        loop {
            if let Some(found) = self.inputs[at..].iter().position(&wanted) {
                return at + found + 1;
            }
            at = self.inputs.len();
            let left = deadline.saturating_duration_since(Instant::now());
            match self.receiver.recv_timeout(left) {
                Ok(inputs) => self.inputs.extend(inputs),
                Err(error) => panic!("{what}: {error}; the last inputs: {:#?}", &self.inputs[at.saturating_sub(12)..]),
            }
        }
    }

    /// Takes what comes within `time`.
    pub(crate) fn pump(&mut self, time: Duration) {
        let deadline = Instant::now() + time;
        while let Ok(inputs) = self.receiver.recv_timeout(deadline.saturating_duration_since(Instant::now())) {
            self.inputs.extend(inputs);
        }
    }

    /// Waits for a report that is `wanted`.
    pub(crate) fn until_report(&mut self, from: usize, what: &str, wanted: impl Fn(&LinkReport) -> bool) -> usize {
        self.until(from, what, |input| matches!(input, Input::Report { report, .. } if wanted(report)))
    }

    pub(crate) fn until_link(&mut self, from: usize, wanted: LinkState) -> usize {
        self.until(from, "link", |input| matches!(input, Input::Link { state, .. } if *state == wanted))
    }

    /// Waits for a link that is down with all of `words` in its detail.
    pub(crate) fn until_down_saying(&mut self, from: usize, words: &[&str]) -> usize {
        self.until(from, &format!("down saying {words:?}"), |input| {
            matches!(input, Input::Link { state: LinkState::Down, detail, .. }
                if words.iter().all(|word| detail.contains(word)))
        })
    }

    pub(crate) fn until_value(&mut self, from: usize, tag: u32, value: &Value) -> usize {
        self.until(
            from,
            &format!("tag {tag} = {value:?}"),
            |input| matches!(input, Input::Sample(sample) if sample.tag == TagId(tag) && sample.value == *value),
        )
    }

    pub(crate) fn samples(&self) -> impl Iterator<Item = &Sample> {
        self.inputs.iter().filter_map(|input| match input {
            Input::Sample(sample) => Some(sample),
            _ => None,
        })
    }

    pub(crate) fn gaps(&self) -> Vec<Gap> {
        let gaps = self.inputs.iter().filter_map(|input| match input {
            Input::Gap(gap) => Some(*gap),
            _ => None,
        });
        gaps.collect()
    }

    /// The server's last answer for the tag.
    pub(crate) fn item(&self, tag: u32) -> Option<StatusCode> {
        self.inputs.iter().rev().find_map(|input| match input {
            Input::Item { tag: of, status } if *of == TagId(tag) => Some(*status),
            _ => None,
        })
    }

    /// Exactly one gap of the whole connection, for one of `reasons`, with a beginning before its end.
    pub(crate) fn the_one_gap(&self, reasons: &[GapReason]) -> Gap {
        let gaps = self.gaps();
        assert_eq!(gaps.len(), 1, "{gaps:?}");
        assert_eq!(gaps[0].scope, GapScope::Connection(ConnectionId(0)));
        assert!(reasons.contains(&gaps[0].reason), "{gaps:?}");
        assert!(gaps[0].from < gaps[0].to, "{gaps:?}");
        gaps[0]
    }

    pub(crate) fn stop(mut self, runtime: &Runtime) -> Vec<Input> {
        if let Some(adapter) = self.adapter.take() {
            runtime.block_on(adapter.stop());
        }
        self.inputs.extend(self.receiver.try_iter().flatten());
        self.inputs
    }
}
