//! The servers of one connection: one of them in use, the others held as the mode of the redundant set asks for.
//!
//! [`redundancy`] chooses; this file gathers what the choice needs, and carries it out as
//! far as it is no matter of the ladder. A connection without a set has one member, and nothing happens here.

mod redundancy;
pub(crate) mod standby;

use crate::Settings;
use crate::beside::Beside;
use crate::connect::endpoint;
use crate::discovery::discover;
use crate::service::{attribute, read_beside};
use lineside_model::config::{Connection, Redundancy};
use lineside_model::report::{MemberReport, MemberRole};
use lineside_model::{ConnectionId, PlantConfig};
use opcua::client::Session;
use opcua::types::{AttributeId, NodeId, RedundantServerDataType, Variant};
use redundancy::{Grade, Set};
use standby::{Hold, Of, Ready, Seen, Standby};
use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;
use tokio::task::JoinHandle;
use tokio::time::Instant;

/// How often the members are looked at while values flow.
const LOOK: Duration = Duration::from_millis(250);
/// A member that was just left is not tried again sooner.
const LEFT: Duration = Duration::from_secs(2);
/// A set that a server tells has no more members than this.
const MEMBERS_MAX: usize = 10;

const REDUNDANCY_SUPPORT: u32 = 3709;
const REDUNDANT_SERVER_ARRAY: u32 = 11313;
const SERVER_URI_ARRAY: u32 = 11314;

/// What a server says of its set: the mode, and where the others are.
type Told = (Redundancy, Vec<String>);

/// The members of one connection.
pub(crate) struct Members {
    of: Of,
    endpoints: Vec<String>,
    mode: Redundancy,
    set: Set,
    standbys: BTreeMap<usize, Standby>,
    /// Why members cannot be used.
    details: BTreeMap<usize, String>,
    began: Instant,
    /// The question to the server for its set, while it is asked.
    asking: Option<JoinHandle<Option<Told>>>,
    asked: bool,
}

impl Drop for Members {
    fn drop(&mut self) {
        if let Some(asking) = &self.asking {
            asking.abort();
        }
    }
}

impl Members {
    /// As configured; the server of `endpoint` is the first.
    pub(crate) fn new(settings: Settings, config: Arc<PlantConfig>, id: ConnectionId) -> Members {
        let connection = config.connections[id.0 as usize].clone();
        let endpoints: Vec<String> =
            std::iter::once(&connection.endpoint).chain(&connection.redundant).cloned().collect();
        Members {
            set: Set::new(endpoints.len()),
            endpoints,
            mode: connection.redundancy,
            of: Of { settings, config, id, connection },
            standbys: BTreeMap::new(),
            details: BTreeMap::new(),
            began: Instant::now(),
            asking: None,
            asked: false,
        }
    }

    /// The connection with the endpoint of the member in use.
    pub(crate) fn connection(&self) -> &Connection {
        &self.of.connection
    }

    /// Is there anywhere else to go?
    pub(crate) fn is_set(&self) -> bool {
        self.endpoints.len() > 1
    }

    /// Is another member connected, with everything created?
    pub(crate) fn has_ready(&self) -> bool {
        self.standbys.values().any(|standby| matches!(*standby.seen.borrow(), Seen::Up { ready: true, .. }))
    }

    /// The member in use cannot be reached.
    pub(crate) fn lost(&mut self, detail: &str) {
        self.details.insert(self.set.active(), detail.to_string());
        self.set.lost(self.set.active(), self.began.elapsed());
    }

    /// Watches the members while values flow; returns when another one is to be used.
    pub(crate) async fn moved(&mut self, session: &Arc<Session>, beside: &Beside) {
        self.ask(session);
        loop {
            self.take_answer().await;
            if self.is_set() {
                let (level, leaving) = beside.level();
                self.details.remove(&self.set.active());
                self.set.saw(self.set.active(), self.began.elapsed(), level, leaving);
                self.look();
                let members = self.report();
                beside.members(members);
                if self.better().is_some() {
                    return;
                }
            }
            tokio::time::sleep(LOOK).await;
        }
    }

    /// The member to change to now; `true`: it was not found unreachable.
    pub(crate) fn better(&self) -> Option<(usize, bool)> {
        let to = self.set.better(self.began.elapsed())?;
        Some((to, self.set.members()[to].grade > Grade::Unreachable))
    }

    /// Changes to a member; what was prepared on it, if anything was.
    pub(crate) async fn change(&mut self, to: usize) -> Option<Ready> {
        let ready = match self.standbys.remove(&to) {
            Some(standby) => standby.take().await,
            None => None,
        };
        self.set.change(to, self.began.elapsed());
        self.of.connection.endpoint.clone_from(&self.endpoints[to]);
        tracing::info!(endpoint = self.endpoints[to], prepared = ready.is_some(), "another server of the set is used");
        self.look();
        ready
    }

    /// Takes in what is seen of the others, and holds them as it is wanted now.
    fn look(&mut self) {
        let hold = Hold::of(self.mode, self.set.is_wanting());
        let now = self.began.elapsed();
        let active = self.set.active();
        for at in (0..self.endpoints.len()).filter(|at| *at != active) {
            if let Some(standby) = self.standbys.get(&at) {
                standby.hold(hold);
                match &*standby.seen.borrow() {
                    Seen::Nothing => {}
                    Seen::Up { level, leaving, .. } => {
                        self.set.saw(at, now, *level, *leaving);
                        self.details.remove(&at);
                    }
                    Seen::Down(detail) => {
                        if self.set.members()[at].grade != Grade::Unreachable {
                            self.set.lost(at, now);
                        }
                        self.details.insert(at, detail.clone());
                    }
                }
                continue;
            }
            let known = self.set.members()[at].grade != Grade::Unknown;
            let connection = Connection { endpoint: self.endpoints[at].clone(), ..self.of.connection.clone() };
            let of = Of { connection, ..self.of.clone() };
            self.standbys.insert(at, Standby::start(of, hold, if known { LEFT } else { Duration::ZERO }));
        }
        self.standbys.remove(&active);
    }

    /// All members, in the order of the configuration.
    pub(crate) fn report(&self) -> Vec<MemberReport> {
        let members = self.endpoints.iter().zip(self.set.members()).enumerate();
        let report = members.map(|(at, (endpoint, member))| MemberReport {
            endpoint: endpoint.as_str().into(),
            role: match member.grade {
                _ if at == self.set.active() => MemberRole::Active,
                Grade::Unreachable => MemberRole::Unreachable,
                _ => self.role_of(at),
            },
            service_level: member.level,
            detail: self.details.get(&at).map_or("", String::as_str).into(),
        });
        report.collect()
    }

    fn role_of(&self, at: usize) -> MemberRole {
        let seen = self.standbys.get(&at).map(|standby| standby.seen.borrow().clone());
        match seen {
            Some(Seen::Up { ready: true, .. }) => MemberRole::Standby,
            _ => MemberRole::Unknown,
        }
    }

    /// Asks the server for its set where the configuration leaves it to it; once.
    fn ask(&mut self, session: &Arc<Session>) {
        if self.asked || self.of.connection.redundancy != Redundancy::Auto {
            return;
        }
        self.asked = true;
        let (session, settings) = (session.clone(), self.of.settings.clone());
        let (endpoint, known) = (self.of.connection.endpoint.clone(), self.is_set());
        self.asking = Some(tokio::spawn(async move { told(&session, &settings, &endpoint, known).await }));
    }

    async fn take_answer(&mut self) {
        let Some(asking) = self.asking.take_if(|asking| asking.is_finished()) else { return };
        let Ok(Some((mode, others))) = asking.await else { return };
        tracing::info!(?mode, ?others, "the server tells its redundant set");
        self.mode = mode;
        if !self.is_set() {
            self.endpoints.extend(others);
            self.set = Set::new(self.endpoints.len());
        }
    }
}

/// What the server says of its set (OPC 10000-5 6.3.7): mode, and the endpoints of the others unless those are
/// `known`. None where it has none, or its servers look like one (transparent).
async fn told(session: &Session, settings: &Settings, here: &str, known: bool) -> Option<Told> {
    let nodes = [REDUNDANCY_SUPPORT, SERVER_URI_ARRAY, REDUNDANT_SERVER_ARRAY]
        .map(|id| attribute(&NodeId::new(0, id), AttributeId::Value));
    let values = read_beside(session, &nodes, &mut nodes.len()).await.ok()?;
    let mode = match values.first()?.value {
        // Cold, and mirrored sessions, of which only one may be used at a time.
        Some(Variant::Int32(1 | 5)) => Redundancy::Cold,
        Some(Variant::Int32(2)) => Redundancy::Warm,
        Some(Variant::Int32(3)) => Redundancy::Hot,
        _ => return None,
    };
    if known {
        return Some((mode, Vec::new()));
    }
    let uris = servers(values.get(1)?.value.as_ref(), values.get(2)?.value.as_ref());
    let found = discover(settings, here).await.ok()?;
    let url = |uri: &String| found.servers.iter().find(|server| server.application_uri == *uri);
    let others = uris.iter().filter_map(url).map(|server| server.url.clone());
    Some((mode, others.filter(|url| endpoint::authority(url) != endpoint::authority(here)).collect()))
}

/// The application URIs of the set: those of ServerUriArray. Where that tells none, the ids in RedundantServerArray,
/// the best service level first, so that it is tried first; the levels themselves are asked of each server.
fn servers(uris: Option<&Variant>, redundant: Option<&Variant>) -> Vec<String> {
    let values = |array: Option<&Variant>| match array {
        Some(Variant::Array(array)) => array.values.clone(),
        _ => Vec::new(),
    };
    let uris: Vec<String> = values(uris)
        .into_iter()
        .filter_map(|uri| match uri {
            Variant::String(uri) if !uri.is_empty() => Some(uri.to_string()),
            _ => None,
        })
        .take(MEMBERS_MAX)
        .collect();
    if !uris.is_empty() {
        return uris;
    }
    let mut servers: Vec<RedundantServerDataType> = values(redundant)
        .into_iter()
        .filter_map(|server| match server {
            Variant::ExtensionObject(object) => object.into_inner_as::<RedundantServerDataType>().map(|server| *server),
            _ => None,
        })
        .take(MEMBERS_MAX)
        .collect();
    servers.sort_by_key(|server| std::cmp::Reverse(server.service_level));
    servers.into_iter().map(|server| server.server_id.to_string()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use opcua::types::{ExtensionObject, ServerState};

    #[test]
    fn a_set_is_told_by_uris_or_else_by_the_list_of_servers() {
        let check = |uris: &[&str], servers_told: &[(&str, u8)], expected: &[&str]| {
            let uris = uris.iter().map(|uri| (*uri).to_string()).collect::<Vec<String>>();
            let redundant = servers_told.iter().map(|(id, level)| {
                ExtensionObject::from_message(RedundantServerDataType {
                    server_id: (*id).into(),
                    service_level: *level,
                    server_state: ServerState::Running,
                })
            });
            let redundant = redundant.collect::<Vec<ExtensionObject>>();
            assert_eq!(servers(Some(&uris.into()), Some(&redundant.into())), expected);
        };
        check(&["urn:a", "urn:b"], &[("urn:c", 255)], &["urn:a", "urn:b"]);
        check(&[], &[("urn:a", 100), ("urn:b", 255)], &["urn:b", "urn:a"]);
        check(&[""], &[("urn:a", 100)], &["urn:a"]);
        assert_eq!(servers(None, Some(&Variant::from(5_i32))), Vec::<String>::new());
    }
}
