//! An async-opcua server in this process, on a port that the system chooses.

use crate::collect::PATIENCE;
use crate::forge::Party;
use crate::historian::{Historian, History};
use opcua::crypto::SecurityPolicy;
use opcua::server::SessionSubscriptions;
use opcua::server::address_space::{AccessLevel, AddressSpace, NodeType, ReferenceDirection, Variable};
use opcua::server::diagnostics::NamespaceMetadata;
use opcua::server::node_manager::NodeManagerBuilder;
use opcua::server::node_manager::memory::{
    CoreNodeManager, InMemoryNodeManager, InMemoryNodeManagerBuilder, simple_node_manager,
};
use opcua::server::{ANONYMOUS_USER_TOKEN_ID, Limits, ServerBuilder, ServerHandle, ServerUserToken};
use opcua::sync::Mutex;
use opcua::types::{
    BuildInfo, DataValue, MessageSecurityMode, NodeId, QualifiedName, ReferenceTypeId, VariableId, Variant,
};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Instant;
use tempfile::TempDir;
use tokio::net::TcpListener;
use tokio::runtime::Runtime;
use tokio::task::JoinHandle;

pub(crate) const NAMESPACE: &str = "urn:lineside:test-peer:values";
/// From here on client handles are those of the server's own state.
const VITAL_HANDLES: u32 = 0xFFFF_FF00;
pub(crate) const USER: &str = "operator";
const HOLDER: &str = "holder";
pub(crate) const PASSWORD: &str = "lineside-opcua";

/// What differs from one test's server to another's.
pub(crate) struct Setup {
    pub(crate) port: u16,
    pub(crate) secure: bool,
    pub(crate) trust_clients: bool,
    /// The host name that the server tells its clients.
    pub(crate) host: &'static str,
    pub(crate) limits: fn(&mut Limits),
    pub(crate) anonymous: bool,
    /// A session without a request ends after this.
    pub(crate) session_timeout_ms: u64,
    /// Another namespace, before that of the values.
    pub(crate) first_namespace: Option<&'static str>,
    /// The server's certificate; otherwise it makes one.
    pub(crate) certificate: Option<Party>,
    /// The certificate file of a user who may log in.
    pub(crate) holder: Option<PathBuf>,
}

impl Default for Setup {
    fn default() -> Setup {
        Setup {
            port: 0,
            secure: false,
            trust_clients: true,
            host: "127.0.0.1",
            limits: |_| {},
            anonymous: true,
            session_timeout_ms: 600_000,
            first_namespace: None,
            certificate: None,
            holder: None,
        }
    }
}

/// A server that runs until it is dropped.
pub(crate) struct Peer {
    handle: ServerHandle,
    manager: Arc<InMemoryNodeManager<Historian>>,
    /// What its variables keep; nothing until a test says so.
    pub(crate) history: Arc<Mutex<History>>,
    namespace: u16,
    pub(crate) port: u16,
    task: JoinHandle<Result<(), String>>,
}

impl Peer {
    /// Starts with these variables, which are named by `s=<name>`.
    pub(crate) fn start(runtime: &Runtime, pki: &Path, setup: &Setup, variables: &[(String, Variant)]) -> Peer {
        let listener = runtime.block_on(TcpListener::bind(("127.0.0.1", setup.port))).expect("a free port");
        let port = listener.local_addr().expect("a bound port").port();
        if let Some(certificate) = &setup.certificate {
            certificate.install(pki);
        }
        let _inside = runtime.enter();
        let history = Arc::default();
        let (server, handle) = builder(pki, setup, port, &history).build().expect("a valid setup");
        let managers = handle.node_managers();
        let manager = managers.get_by_name::<InMemoryNodeManager<Historian>>("peer").expect("its node manager");
        let namespace = handle.get_namespace_index(NAMESPACE).expect("its namespace");
        {
            let mut space = manager.address_space().write();
            for (name, value) in variables {
                let id = NodeId::new(namespace, name.as_str());
                let variable = Variable::new(&id, name.as_str(), name.as_str(), value.clone());
                space.add_variables(vec![variable], &NodeId::objects_folder_id());
            }
        }
        let task = runtime.spawn(server.run_with(listener));
        Peer { handle, manager, history, namespace, port, task }
    }

    pub(crate) fn endpoint(&self) -> String {
        format!("opc.tcp://127.0.0.1:{}/", self.port)
    }

    pub(crate) fn set(&self, values: impl IntoIterator<Item = (String, DataValue)>) {
        let values: Vec<(NodeId, DataValue)> =
            values.into_iter().map(|(name, value)| (NodeId::new(self.namespace, name), value)).collect();
        let values = values.iter().map(|(node, value)| (node, None, value.clone()));
        self.manager.set_values(self.handle.subscriptions(), values).expect("known variables");
    }

    /// Builds more nodes; `build` gets the address space and the index of [`NAMESPACE`].
    pub(crate) fn build(&self, build: impl FnOnce(&mut AddressSpace, u16)) {
        build(&mut self.manager.address_space().write(), self.namespace);
    }

    /// The variable keeps this history, which clients may read.
    pub(crate) fn keep(&self, name: &str, values: Vec<DataValue>) {
        let id = NodeId::new(self.namespace, name);
        if let Some(NodeType::Variable(variable)) = self.manager.address_space().write().find_mut(&id) {
            let level = AccessLevel::CURRENT_READ | AccessLevel::HISTORY_READ;
            variable.set_access_level(level);
            variable.set_user_access_level(level);
            variable.set_historizing(true);
        }
        self.history.lock().values.insert(id, values);
    }

    /// Gives the variable (or another node of the same namespace) a property.
    pub(crate) fn describe(&self, name: &str, property: &str, value: impl Into<Variant>) {
        let parent = NodeId::new(self.namespace, name);
        let id = NodeId::new(self.namespace, format!("{name}.{property}"));
        let variable = Variable::new(&id, QualifiedName::new(0, property), property, value);
        let reference = (&parent, &ReferenceTypeId::HasProperty, ReferenceDirection::Inverse);
        self.manager.address_space().write().insert(variable, Some(&[reference]));
    }

    /// Says how its redundant set is to be used (OPC 10000-5 12.5, RedundancySupport).
    pub(crate) fn say_redundancy(&self, support: i32) {
        let core = self.handle.node_managers().get_of_type::<CoreNodeManager>().expect("its own state");
        let mut space = core.address_space().write();
        match space.find_mut(VariableId::Server_ServerRedundancy_RedundancySupport) {
            Some(NodeType::Variable(variable)) => {
                variable.set_data_value(DataValue::new_now(support));
            }
            _ => panic!("no such variable"),
        }
    }

    /// The server's handle, for its own state.
    pub(crate) fn handle(&self) -> &ServerHandle {
        &self.handle
    }

    /// Subscriptions at the server, of all sessions.
    pub(crate) fn subscriptions(&self) -> usize {
        self.subscription_ids().len()
    }

    /// Their ids.
    pub(crate) fn subscription_ids(&self) -> Vec<u32> {
        let of = |session| self.handle.subscriptions().get_session_subscriptions(session);
        let mut ids: Vec<u32> = (0..100).filter_map(of).flat_map(|session| session.lock().subscription_ids()).collect();
        ids.sort_unstable();
        ids
    }

    /// Monitored items of tags at the server, of all subscriptions; without those of the server's own state.
    pub(crate) fn items(&self) -> usize {
        let of = |session| self.handle.subscriptions().get_session_subscriptions(session);
        let count = |session: Arc<Mutex<SessionSubscriptions>>| -> usize {
            let session = session.lock();
            let ids = session.subscription_ids();
            let items = ids.into_iter().filter_map(|id| session.get(id)).flat_map(|subscription| subscription.items());
            items.filter(|item| item.client_handle() < VITAL_HANDLES).count()
        };
        (0..100).filter_map(of).map(count).sum()
    }

    /// Sessions at the server now.
    pub(crate) fn sessions(&self) -> u32 {
        self.diagnostic(VariableId::Server_ServerDiagnostics_ServerDiagnosticsSummary_CurrentSessionCount)
    }

    /// Sessions made since the server started.
    pub(crate) fn sessions_made(&self) -> u32 {
        self.diagnostic(VariableId::Server_ServerDiagnostics_ServerDiagnosticsSummary_CumulatedSessionCount)
    }

    fn diagnostic(&self, variable: VariableId) -> u32 {
        match self.handle.info().diagnostics.get(variable).and_then(|value| value.value) {
            Some(Variant::UInt32(count)) => count,
            other => panic!("{variable:?} is {other:?}"),
        }
    }

    /// Ends the server as a shutdown does, and waits until its port is free.
    pub(crate) fn stop(self, runtime: &Runtime) {
        self.handle.cancel();
        let mut task = self.task;
        let ended = runtime.block_on(async { tokio::time::timeout(PATIENCE / 20, &mut task).await });
        if ended.is_err() {
            task.abort();
            assert!(runtime.block_on(task).expect_err("it was ended").is_cancelled());
        }
    }
}

fn builder(pki: &Path, setup: &Setup, port: u16, history: &Arc<Mutex<History>>) -> ServerBuilder {
    let mut limits =
        Limits { max_array_length: 100_000, max_message_size: 1 << 26, max_chunk_count: 2_000, ..Limits::default() };
    limits.subscriptions.max_notifications_per_publish = 0;
    limits.subscriptions.min_sampling_interval_ms = 0.0;
    (setup.limits)(&mut limits);
    let mut users = vec![USER];
    users.extend(setup.anonymous.then_some(ANONYMOUS_USER_TOKEN_ID));
    users.extend(setup.holder.is_some().then_some(HOLDER));
    let (policy, mode) = if setup.secure {
        (SecurityPolicy::Basic256Sha256, MessageSecurityMode::SignAndEncrypt)
    } else {
        (SecurityPolicy::None, MessageSecurityMode::None)
    };
    let mut builder = ServerBuilder::new();
    if let Some(namespace) = setup.first_namespace {
        builder = builder.with_node_manager(manager(namespace, "first"));
    }
    builder = builder
        .application_name("Test peer")
        .application_uri("urn:lineside:test-peer")
        .product_uri("urn:lineside:test-peer")
        .create_sample_keypair(setup.secure && setup.certificate.is_none())
        .pki_dir(pki)
        .trust_client_certs(setup.trust_clients)
        .host(setup.host)
        .port(port)
        .discovery_urls(vec![format!("opc.tcp://{}:{port}/", setup.host)])
        .limits(limits)
        .build_info(BuildInfo { product_name: "Peer".into(), product_uri: "urn:peer".into(), ..BuildInfo::default() })
        .with_node_manager(InMemoryNodeManagerBuilder::new(Historian::builder(NAMESPACE, "peer", history.clone())))
        .diagnostics_enabled(true)
        .max_session_timeout_ms(setup.session_timeout_ms)
        .add_user_token(USER, ServerUserToken::user_pass(USER, PASSWORD))
        .add_endpoint("one", ("/", policy, mode, users.as_slice()));
    if let Some(file) = &setup.holder {
        builder = builder.add_user_token(HOLDER, ServerUserToken::x509(HOLDER, file));
    }
    builder.config_mut().subscription_poll_interval_ms = 20;
    builder
}

fn manager(namespace: &str, name: &'static str) -> impl NodeManagerBuilder + 'static {
    simple_node_manager(NamespaceMetadata { namespace_uri: namespace.into(), ..Default::default() }, name)
}

/// Waits until `reached`, which the server does in its own time.
pub(crate) fn wait_until(what: &str, reached: impl Fn() -> bool) {
    let deadline = Instant::now() + PATIENCE;
    while !reached() {
        assert!(Instant::now() < deadline, "{what}");
        std::thread::yield_now();
    }
}

/// A runtime, and folders for both sides.
pub(crate) struct Ground {
    pub(crate) runtime: Runtime,
    folder: TempDir,
}

impl Ground {
    pub(crate) fn new() -> Ground {
        let runtime =
            tokio::runtime::Builder::new_multi_thread().worker_threads(3).enable_all().build().expect("a runtime");
        Ground { runtime, folder: tempfile::tempdir().expect("a folder") }
    }

    pub(crate) fn ours(&self) -> PathBuf {
        self.folder.path().join("ours")
    }

    pub(crate) fn theirs(&self) -> PathBuf {
        self.folder.path().join("theirs")
    }
}

/// The node of a variable, as configurations write it.
pub(crate) fn node(name: &str) -> String {
    format!("nsu={NAMESPACE};s={name}")
}
