//! The adapter's other end: what was delivered, and waiting for what must come.

use crate::account::Ledger;
use lineside_model::config::{Connection, Line, Redundancy, Security, Tag, User};
use lineside_model::inlet::inlet;
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
pub const PATIENCE: Duration = Duration::from_secs(40);

/// A plant with one connection at the default publishing interval and these nodes.
pub fn plant(endpoint: &str, security: Security, nodes: impl IntoIterator<Item = String>) -> PlantConfig {
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
            publish: Span::from_millis(250),
            redundant: Vec::new(),
            redundancy: Redundancy::Auto,
            heartbeat: None,
            backfill: true,
        }],
        tags: nodes.into_iter().map(tag).collect(),
        ..PlantConfig::default()
    }
}

/// `opc.tcp` on loopback.
pub fn endpoint(port: u16) -> String {
    format!("opc.tcp://127.0.0.1:{port}/")
}

/// An adapter at work, and all that it delivered.
pub struct Watch {
    receiver: Receiver<Vec<Input>>,
    pub inputs: Vec<Input>,
    pub ledger: Ledger,
    /// Samples are counted in the ledger but not kept: for long runs.
    pub forget_samples: bool,
    tags: usize,
    adapter: Option<Adapter>,
}

impl Watch {
    pub fn start(runtime: &Runtime, config: PlantConfig, pki: &Path) -> Watch {
        let (inlet, receiver) = inlet();
        let tags = config.tags.len();
        let adapter = spawn(runtime.handle(), Arc::new(config), ConnectionId(0), Settings::new(pki), inlet);
        Watch {
            receiver,
            inputs: Vec::new(),
            ledger: Ledger::new(tags),
            forget_samples: false,
            tags,
            adapter: Some(adapter),
        }
    }

    /// How many tags the plant has.
    pub fn tags(&self) -> usize {
        self.tags
    }

    /// Waits until an input from position `from` on is what is `wanted`; returns the position after it.
    pub fn until(&mut self, from: usize, what: &str, wanted: impl Fn(&Input) -> bool) -> usize {
        let deadline = Instant::now() + PATIENCE;
        let mut at = from;
        loop {
            if let Some(found) = self.inputs[at..].iter().position(&wanted) {
                return at + found + 1;
            }
            at = self.inputs.len();
            if !self.pump(deadline) {
                panic!("{what} did not come; the last inputs: {:#?}", &self.inputs[at.saturating_sub(12)..]);
            }
        }
    }

    /// Waits until every counter has come to `number`; the time that was left of `patience`.
    ///
    /// # Errors
    /// What is the last that was said of the link.
    pub fn until_everybody_at(&mut self, number: u32, patience: Duration) -> Result<(), String> {
        let deadline = Instant::now() + patience;
        while self.ledger.everybody_at() < number {
            if !self.pump(deadline) {
                let at = self.ledger.everybody_at();
                return Err(format!("values stand at {at}, not {number}; the link: {}", self.last_link()));
            }
        }
        Ok(())
    }

    /// Takes the next delivery; `false` if none came before the deadline.
    pub fn pump(&mut self, deadline: Instant) -> bool {
        let left = deadline.saturating_duration_since(Instant::now());
        let Ok(mut inputs) = self.receiver.recv_timeout(left) else { return false };
        inputs.iter().for_each(|input| self.ledger.take(input));
        if self.forget_samples {
            inputs.retain(|input| !matches!(input, Input::Sample(_)));
        }
        self.inputs.append(&mut inputs);
        true
    }

    pub fn until_link(&mut self, from: usize, wanted: LinkState) -> usize {
        self.until(from, "link", |input| matches!(input, Input::Link { state, .. } if *state == wanted))
    }

    /// Waits for a link that is down with all of `words` in its detail.
    pub fn until_down_saying(&mut self, from: usize, words: &[&str]) -> usize {
        self.until(from, &format!("down saying {words:?}"), |input| {
            matches!(input, Input::Link { state: LinkState::Down, detail, .. }
                if words.iter().all(|word| detail.contains(word)))
        })
    }

    pub fn until_value(&mut self, from: usize, tag: u32, value: &Value) -> usize {
        self.until(
            from,
            &format!("tag {tag} = {value:?}"),
            |input| matches!(input, Input::Sample(sample) if sample.tag == TagId(tag) && sample.value == *value),
        )
    }

    pub fn samples(&self) -> impl Iterator<Item = &Sample> {
        self.inputs.iter().filter_map(|input| match input {
            Input::Sample(sample) => Some(sample),
            _ => None,
        })
    }

    pub fn gaps(&self) -> Vec<Gap> {
        self.ledger.gaps().to_vec()
    }

    /// The server's last answer for the tag.
    pub fn item(&self, tag: u32) -> Option<StatusCode> {
        self.inputs.iter().rev().find_map(|input| match input {
            Input::Item { tag: of, status } if *of == TagId(tag) => Some(*status),
            _ => None,
        })
    }

    /// What was last said of the link.
    pub fn last_link(&self) -> String {
        let link = self.inputs.iter().rev().find_map(|input| match input {
            Input::Link { state, detail, .. } => Some(format!("{state:?}: {detail}")),
            _ => None,
        });
        link.unwrap_or_else(|| "nothing".to_string())
    }

    /// Exactly one gap of the whole connection, for one of `reasons`, with a beginning before its end.
    pub fn the_one_gap(&self, reasons: &[GapReason]) -> Gap {
        let gaps = self.gaps();
        assert_eq!(gaps.len(), 1, "{gaps:?}");
        assert_eq!(gaps[0].scope, GapScope::Connection(ConnectionId(0)));
        assert!(reasons.contains(&gaps[0].reason), "{gaps:?}");
        assert!(gaps[0].from < gaps[0].to, "{gaps:?}");
        gaps[0]
    }

    pub fn stop(mut self, runtime: &Runtime) -> Vec<Input> {
        if let Some(adapter) = self.adapter.take() {
            runtime.block_on(adapter.stop());
        }
        self.inputs.extend(self.receiver.try_iter().flatten());
        self.inputs
    }
}
