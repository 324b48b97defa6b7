//! How the OPC UA server is set up: endpoints, users, limits, certificates.
//!
//! Promise: no endpoint without security unless asked for; the own certificate is made once and kept;
//! limits let 50,000 items in a few subscriptions pass. It does not know the line.

use super::{NAMESPACE, PRODUCT_URI, ServerOptions, StartError};
use opcua::crypto::{CertificateStore, SecurityPolicy, X509, X509Data};
use opcua::server::diagnostics::NamespaceMetadata;
use opcua::server::node_manager::memory::simple_node_manager;
use opcua::server::{ANONYMOUS_USER_TOKEN_ID, Limits, ServerBuilder, ServerUserToken};
use opcua::types::{BuildInfo, DateTime, MessageSecurityMode};
use std::path::Path;

/// Own certificate: 10 years, as machines live long and nobody renews a demo.
const CERTIFICATE_DAYS: u32 = 3650;
const LOOPBACK: &str = "127.0.0.1";

/// A server that is ready to be built.
pub(super) fn builder(options: &ServerOptions, port: u16) -> ServerBuilder {
    let users: Vec<String> = std::iter::once(ANONYMOUS_USER_TOKEN_ID.to_owned())
        .chain(options.users.iter().map(|user| user.name.clone()))
        .collect();
    let users: Vec<&str> = users.iter().map(String::as_str).collect();
    let mut builder = ServerBuilder::new()
        .application_name("Lineside simulated plant")
        .application_uri(PRODUCT_URI)
        .product_uri(PRODUCT_URI)
        .pki_dir(&options.pki)
        .trust_client_certs(options.trust_clients)
        .host(LOOPBACK)
        .port(port)
        .discovery_urls(vec![endpoint_url(port)])
        .limits(limits())
        .build_info(build_info())
        .with_node_manager(simple_node_manager(
            NamespaceMetadata { namespace_uri: NAMESPACE.into(), ..Default::default() },
            "plant",
        ));
    for user in &options.users {
        builder =
            builder.add_user_token(&user.name, ServerUserToken::user_pass(user.name.as_str(), user.password.as_str()));
    }
    for (name, policy, mode) in endpoints(options.allow_none) {
        builder = builder.add_endpoint(name, ("/", policy, mode, users.as_slice()));
    }
    // Subscriptions are looked at this often: a notification is late by no more than this.
    builder.config_mut().subscription_poll_interval_ms = 10;
    builder
}

/// The address that clients use.
pub(super) fn endpoint_url(port: u16) -> String {
    format!("opc.tcp://{LOOPBACK}:{port}/")
}

/// Makes the own certificate if there is none, and trusts the certificates that the options name.
pub(super) fn prepare_pki(options: &ServerOptions) -> Result<(), StartError> {
    let store = CertificateStore::new(&options.pki);
    store.ensure_pki_path().map_err(|reason| StartError::Pki { path: options.pki.clone(), reason })?;
    if !store.own_certificate_path().exists() || !store.own_private_key_path().exists() {
        let mut names = X509Data::alt_host_names(PRODUCT_URI, None, true, true, false);
        names.add_address(LOOPBACK);
        let data = X509Data {
            key_size: 2048,
            common_name: "Lineside simulated plant".into(),
            organization: "Lineside".into(),
            organizational_unit: "Simulation".into(),
            country: "DE".into(),
            state: "Bremen".into(),
            alt_host_names: names,
            certificate_duration_days: CERTIFICATE_DAYS,
        };
        store
            .create_and_store_application_instance_cert(&data, true)
            .map_err(|reason| StartError::Pki { path: store.own_certificate_path(), reason })?;
        #[cfg(unix)]
        keep_private(&store.own_private_key_path())?;
    }
    options.trust.iter().try_for_each(|file| trust(&store, file))
}

/// Only the owner may read the private key; the library writes it for everybody.
#[cfg(unix)]
fn keep_private(key: &Path) -> Result<(), StartError> {
    use std::os::unix::fs::PermissionsExt;
    let only_owner = std::fs::Permissions::from_mode(0o600);
    std::fs::set_permissions(key, only_owner)
        .map_err(|error| StartError::Pki { path: key.to_owned(), reason: error.to_string() })
}

fn trust(store: &CertificateStore, file: &Path) -> Result<(), StartError> {
    let io = |source| StartError::Trust { path: file.to_owned(), source };
    let bytes = std::fs::read(file).map_err(io)?;
    let certificate = X509::from_der(&bytes).map_err(|e| {
        io(std::io::Error::new(std::io::ErrorKind::InvalidData, format!("not a DER certificate: {e:?}")))
    })?;
    let name = CertificateStore::cert_file_name(&certificate);
    std::fs::write(store.trusted_certs_dir().join(&name), &bytes).map_err(io)?;
    // The store refuses what lies in the folder of rejected certificates, trusted or not.
    match std::fs::remove_file(store.rejected_certs_dir().join(&name)) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => Err(io(error)),
        _ => Ok(()),
    }
}

fn endpoints(allow_none: bool) -> Vec<(String, SecurityPolicy, MessageSecurityMode)> {
    let policies =
        [SecurityPolicy::Basic256Sha256, SecurityPolicy::Aes128Sha256RsaOaep, SecurityPolicy::Aes256Sha256RsaPss];
    let modes = [MessageSecurityMode::SignAndEncrypt, MessageSecurityMode::Sign];
    let mut endpoints: Vec<_> = policies
        .iter()
        .flat_map(|policy| modes.iter().map(move |mode| (format!("{policy}-{mode}"), *policy, *mode)))
        .collect();
    if allow_none {
        endpoints.push(("none".into(), SecurityPolicy::None, MessageSecurityMode::None));
    }
    endpoints
}

fn limits() -> Limits {
    let mut limits = Limits {
        max_array_length: 200_000,
        max_string_length: 1 << 20,
        max_byte_string_length: 1 << 24,
        max_message_size: 64 << 20,
        max_chunk_count: 2000,
        max_sessions: 100,
        ..Limits::default()
    };
    let subscriptions = &mut limits.subscriptions;
    subscriptions.max_subscriptions_per_session = 200;
    subscriptions.max_pending_publish_requests = 200;
    subscriptions.max_publish_requests_per_subscription = 10;
    // 0: an item that asks for 0 gets every change; the library would else drop changes inside an interval.
    subscriptions.min_sampling_interval_ms = 0.0;
    subscriptions.min_publishing_interval_ms = 50.0;
    subscriptions.max_monitored_items_per_sub = 100_000;
    subscriptions.max_monitored_item_queue_size = 10_000;
    subscriptions.max_queued_notifications = 1000;
    let operational = &mut limits.operational;
    operational.max_nodes_per_read = 20_000;
    operational.max_nodes_per_browse = 5000;
    operational.max_monitored_items_per_call = 10_000;
    operational.max_nodes_per_translate_browse_paths_to_node_ids = 5000;
    operational.max_references_per_browse_node = 20_000;
    operational.max_subscriptions_per_call = 200;
    limits
}

fn build_info() -> BuildInfo {
    BuildInfo {
        product_uri: PRODUCT_URI.into(),
        manufacturer_name: "Lineside".into(),
        product_name: "Lineside simulated plant".into(),
        software_version: env!("CARGO_PKG_VERSION").into(),
        build_number: env!("CARGO_PKG_VERSION").into(),
        build_date: DateTime::null(),
    }
}
