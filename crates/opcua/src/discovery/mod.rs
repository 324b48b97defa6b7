//! Which servers are there, what do they offer, and may they be trusted: everything before the first connection.
//!
//! Promise: nothing is trusted and no secret is sent; every step ends after five seconds, and the number and
//! size of what servers tell is limited. Servers often tell names that nobody can resolve and ports behind a
//! translation: the address by which a server was reached stands, and what it told is shown beside it.
//!
//! Code map: `address` (what people write) → here (who is asked) → `offer` (what they offer).

mod address;
mod offer;

pub use offer::{EndpointFound, Grade, UserKind, UserOffer};

use crate::Settings;
use crate::connect::endpoint;
use crate::connect::wire::Wire;
use crate::pki::{self, CertificateInfo, Expected, Finding, Folders};
use crate::words::{self, Trouble};
use address::{Address, DEFAULT_PORT};
use futures::future::join_all;
use opcua::client::{Client, ClientBuilder};
use opcua::crypto::SecurityPolicy;
use opcua::types::{ApplicationDescription, ApplicationType, EndpointDescription, Error, StatusCode, UAString};
use std::future::Future;
use std::time::Duration;

/// Each question, with connecting.
const STEP: Duration = Duration::from_secs(5);
/// Servers of a discovery server that are asked.
const SERVERS_MAX: usize = 30;
/// Certificates of one server.
const CERTIFICATES_MAX: usize = 4;
const TEXT_MAX: usize = 500;
const BYTES_MAX: usize = 4 * 1024 * 1024;
const ARRAY_MAX: usize = 1_000;
const CHUNKS_MAX: usize = 100;

/// What was found at an address.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Discovery {
    /// The address as it was understood, `opc.tcp://host:port/path`.
    pub address: String,
    /// The server at the address first, then those it knows of. At least one.
    pub servers: Vec<ServerFound>,
}

/// A server, and what it offers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ServerFound {
    /// The name it gives itself.
    pub name: String,
    pub application_uri: String,
    pub product_uri: String,
    /// The address to use.
    pub url: String,
    /// What the discovery server told, where that could not be reached and `url` is another host.
    pub listed_url: Option<String>,
    /// The strongest first.
    pub endpoints: Vec<EndpointFound>,
    pub certificates: Vec<CertificateFound>,
    /// Why it did not tell its endpoints.
    pub trouble: Option<Trouble>,
}

/// A certificate of a server. When it is not trusted, it lies among the rejected ones, so that it can be trusted by
/// its thumbprint.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CertificateFound {
    /// None for bytes that are no certificate.
    pub info: Option<CertificateInfo>,
    /// A connection would be made: nothing blocks.
    pub accepted: bool,
    pub findings: Vec<Finding>,
}

/// Asks the server or discovery server at `address` (`host`, `host:port` or a URL) what it offers and whom it knows.
///
/// # Errors
/// The address is none, our certificate cannot be made, or nobody answers there.
pub async fn discover(settings: &Settings, address: &str) -> Result<Discovery, Trouble> {
    let typed = Address::parse(address)?;
    let search = Search { settings: settings.clone(), client: client(settings).await?, typed: typed.clone() };
    let (here, listed) = tokio::join!(search.endpoints(&typed), search.servers());
    let uri_here = here.as_ref().ok().and_then(|offers| offers.first()).map(|offer| &offer.server.application_uri);
    let plans = plans(&typed, uri_here, &listed);
    let others = join_all(plans.iter().map(|plan| search.ask(plan))).await;
    let mut servers = Vec::new();
    match here {
        // A discovery server is no source of values; it is shown only when it knows nobody.
        Ok(offers) if others.is_empty() || !is_discovery_server(&offers) => {
            servers.push(search.server(&typed, None, offers).await);
        }
        Ok(_) => {}
        Err(trouble) if others.is_empty() => return Err(trouble),
        Err(_) => {}
    }
    servers.extend(others);
    Ok(Discovery { address: typed.to_string(), servers })
}

struct Search {
    settings: Settings,
    client: Client,
    typed: Address,
}

/// A server that was listed, and where it may be.
#[derive(Debug, PartialEq)]
struct Plan<'a> {
    told: &'a ApplicationDescription,
    /// As it was listed, and with the host that the person typed.
    addresses: Vec<Address>,
}

impl Search {
    /// The servers known at the address; where there are none, at its discovery path and at the usual port.
    async fn servers(&self) -> Vec<ApplicationDescription> {
        let here = self.known_at(&self.typed).await;
        if !here.is_empty() {
            return here;
        }
        let mut others = Vec::new();
        if self.typed.path.trim_end_matches('/') != "/discovery" {
            others.push(self.typed.with_path("/discovery"));
        }
        if self.typed.port != DEFAULT_PORT {
            others.push(Address { port: DEFAULT_PORT, path: String::new(), ..self.typed.clone() });
        }
        let elsewhere = join_all(others.iter().map(|address| self.known_at(address))).await;
        elsewhere.into_iter().find(|servers| !servers.is_empty()).unwrap_or_default()
    }

    /// Without clients and discovery servers, which are no sources of values.
    async fn known_at(&self, address: &Address) -> Vec<ApplicationDescription> {
        let wire = Wire::new(&address.to_string(), STEP);
        let question = self.client.find_servers(wire.clone(), None, None);
        let mut servers = self.step(address, "the question for servers", &wire, question).await.unwrap_or_default();
        let source = |kind| matches!(kind, ApplicationType::Server | ApplicationType::ClientAndServer);
        servers.retain(|server| source(server.application_type));
        servers.truncate(SERVERS_MAX);
        servers
    }

    async fn endpoints(&self, address: &Address) -> Result<Vec<EndpointDescription>, Trouble> {
        let wire = Wire::new(&address.to_string(), STEP);
        let question = self.client.get_endpoints(wire.clone(), &[], &[]);
        let mut offers = self.step(address, "the question for its endpoints", &wire, question).await?;
        offers.truncate(offer::ENDPOINTS_MAX);
        Ok(offers)
    }

    async fn step<T>(
        &self,
        address: &Address,
        what: &str,
        wire: &Wire,
        question: impl Future<Output = Result<T, Error>>,
    ) -> Result<T, Trouble> {
        let host = address.authority();
        match tokio::time::timeout(STEP, question).await {
            Ok(Ok(answer)) => Ok(answer),
            Ok(Err(error)) => Err(match wire.failure() {
                Some((kind, text)) => words::unreachable(&host, kind, &text),
                None => words::no_endpoints(&host, &error),
            }),
            Err(_) => Err(words::no_answer(&host, what)),
        }
    }

    /// Asks a listed server where it may be. Who answers must be who was listed.
    async fn ask(&self, plan: &Plan<'_>) -> ServerFound {
        let mut first = None;
        for address in &plan.addresses {
            let trouble = match self.endpoints(address).await {
                Ok(offers) if says(&offers, &plan.told.application_uri) => {
                    let listed = plan.addresses.first().filter(|listed| !listed.same_authority(address));
                    return self.server(address, listed, offers).await;
                }
                Ok(_) => Trouble::new(
                    StatusCode::BadServerUriInvalid,
                    format!(
                        "Another server answers at {}. Correct the list of the discovery server.",
                        address.authority()
                    ),
                ),
                Err(trouble) => trouble,
            };
            first.get_or_insert(trouble);
        }
        let none = || Trouble::new(StatusCode::BadTcpEndpointUrlInvalid, "It was listed without an opc.tcp address.");
        ServerFound {
            url: plan.addresses.first().map(Address::to_string).unwrap_or_default(),
            trouble: Some(first.unwrap_or_else(none)),
            ..described(plan.told)
        }
    }

    async fn server(&self, at: &Address, listed: Option<&Address>, offers: Vec<EndpointDescription>) -> ServerFound {
        let endpoints = offer::graded(&offers, at);
        let described = described(&offers.first().map(|offer| offer.server.clone()).unwrap_or_default());
        ServerFound {
            url: at.to_string(),
            listed_url: listed.map(Address::to_string),
            endpoints,
            certificates: self.certificates(at, offers).await,
            ..described
        }
    }

    /// The different certificates of a server, each compared with the strongest endpoint that uses it.
    async fn certificates(&self, at: &Address, offers: Vec<EndpointDescription>) -> Vec<CertificateFound> {
        let mut different: Vec<EndpointDescription> = Vec::new();
        for offer in offers.into_iter().filter(|offer| !offer.server_certificate.is_null_or_empty()) {
            match different.iter_mut().find(|other| other.server_certificate == offer.server_certificate) {
                Some(other) if endpoint::strength(&offer) > endpoint::strength(other) => *other = offer,
                Some(_) => {}
                None => different.push(offer),
            }
        }
        different.truncate(CERTIFICATES_MAX);
        let (settings, authority) = (self.settings.clone(), at.authority());
        let work = move || different.iter().map(|offer| certificate(&settings, &authority, offer)).collect();
        tokio::task::spawn_blocking(work).await.unwrap_or_else(|error| {
            tracing::error!(%error, "the certificates could not be checked");
            Vec::new()
        })
    }
}

fn certificate(settings: &Settings, authority: &str, offer: &EndpointDescription) -> CertificateFound {
    let policy = SecurityPolicy::from_uri(offer.security_policy_uri.as_ref());
    let expected = Expected {
        authority,
        uri: Some(offer.server.application_uri.as_ref()),
        policy: endpoint::is_secured(offer).then_some(policy),
    };
    let bytes = offer.server_certificate.value.as_deref().unwrap_or_default();
    match pki::examine(settings, bytes, &expected) {
        Ok((chain, findings)) => CertificateFound {
            info: chain.first().map(|cert| cert.info(None)),
            accepted: !findings.iter().any(|finding| finding.blocks),
            findings,
        },
        Err(error) => CertificateFound { info: None, accepted: false, findings: vec![pki::folder_unusable(&error)] },
    }
}

/// Where each listed server but the one already asked may be.
fn plans<'a>(typed: &Address, uri_here: Option<&UAString>, listed: &'a [ApplicationDescription]) -> Vec<Plan<'a>> {
    let others = listed.iter().filter(|told| Some(&told.application_uri) != uri_here);
    let plan = |told: &'a ApplicationDescription| {
        let urls = told.discovery_urls.iter().flatten().filter(|url| url.as_ref().starts_with("opc.tcp://"));
        let mut addresses: Vec<Address> = Vec::new();
        for address in urls.filter_map(|url| Address::parse(url.as_ref()).ok()).take(1) {
            let here = Address { host: typed.host.clone(), ..address.clone() };
            let elsewhere = !here.same_authority(&address);
            addresses.push(address);
            if elsewhere {
                addresses.push(here);
            }
        }
        Plan { told, addresses }
    };
    others.map(plan).collect()
}

fn described(told: &ApplicationDescription) -> ServerFound {
    let bounded = |text: &str| text.chars().take(TEXT_MAX).collect::<String>();
    ServerFound {
        name: bounded(told.application_name.text.as_ref()),
        application_uri: bounded(told.application_uri.as_ref()),
        product_uri: bounded(told.product_uri.as_ref()),
        url: String::new(),
        listed_url: None,
        endpoints: Vec::new(),
        certificates: Vec::new(),
        trouble: None,
    }
}

fn says(offers: &[EndpointDescription], uri: &UAString) -> bool {
    offers.iter().any(|offer| offer.server.application_uri == *uri)
}

fn is_discovery_server(offers: &[EndpointDescription]) -> bool {
    offers.iter().all(|offer| offer.server.application_type == ApplicationType::DiscoveryServer)
}

/// A client for questions without security, which all servers answer (OPC 10000-4 5.5).
async fn client(settings: &Settings) -> Result<Client, Trouble> {
    let settings = settings.clone();
    let broken = |error: &pki::PkiError| pki::own_trouble(error);
    let made = tokio::task::spawn_blocking(move || {
        let own = pki::own(&settings).map_err(|error| broken(&error))?;
        let folders = Folders::of(&settings.pki).map_err(|error| broken(&error))?;
        ClientBuilder::new()
            .application_name(&settings.application_name)
            .application_uri(&own.uri)
            .product_uri("urn:lineside:client")
            .pki_dir(folders.checked())
            .certificate_path(folders.own_certificate())
            .private_key_path(folders.own_key())
            .create_sample_keypair(false)
            .trust_server_certs(false)
            .session_retry_limit(0)
            .request_timeout(STEP)
            .max_array_length(ARRAY_MAX)
            .max_string_length(BYTES_MAX)
            .max_byte_string_length(BYTES_MAX)
            .max_message_size(BYTES_MAX)
            .max_chunk_count(CHUNKS_MAX)
            .client()
            .map_err(|errors| Trouble::new(StatusCode::BadConfigurationError, errors.join("; ")))
    });
    made.await.unwrap_or_else(|error| {
        Err(Trouble::new(StatusCode::BadInternalError, format!("The search could not be started: {error}.")))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn listed(uri: &str, urls: &[&str]) -> ApplicationDescription {
        ApplicationDescription {
            application_uri: uri.into(),
            discovery_urls: Some(urls.iter().map(|url| UAString::from(*url)).collect()),
            ..Default::default()
        }
    }

    #[test]
    fn a_listed_server_is_asked_where_it_was_listed_and_then_at_the_host_that_was_typed() {
        let typed = Address::parse("gateway:4840").unwrap();
        let check = |uri: &str, urls: &[&str], expected: Option<&[&str]>| {
            let listed = [listed(uri, urls)];
            let plans = plans(&typed, Some(&"urn:here".into()), &listed);
            let got = plans.first().map(|plan| plan.addresses.iter().map(Address::to_string).collect::<Vec<_>>());
            assert_eq!(got, expected.map(|urls| urls.iter().map(|url| url.to_string()).collect()), "{urls:?}");
        };
        check("urn:here", &["opc.tcp://inner:4840"], None);
        check("urn:plc", &["opc.tcp://plc:4841/a"], Some(&["opc.tcp://plc:4841/a", "opc.tcp://gateway:4841/a"]));
        check("urn:plc", &["opc.tcp://GATEWAY:4841"], Some(&["opc.tcp://GATEWAY:4841"]));
        check("urn:plc", &["https://plc", "opc.tcp://plc"], Some(&["opc.tcp://plc:4840", "opc.tcp://gateway:4840"]));
        check("urn:plc", &["https://plc"], Some(&[]));
        check("urn:plc", &[], Some(&[]));
    }
}
