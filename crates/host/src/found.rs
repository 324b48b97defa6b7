//! What answers at an address, for screens.

use crate::certificates;
use lineside_api::wire::*;
use lineside_model::Timestamp;
use lineside_opcua::SIMULATED_PLANT;
use lineside_opcua::discovery::{self, CertificateFound, EndpointFound, Grade, ServerFound};
use lineside_opcua::pki::Store;

/// The answer of discovery. Endpoints that Lineside cannot use are told as a problem, not offered.
pub(crate) fn view(found: &discovery::Discovery, store: &Store, now: Timestamp) -> Discovery {
    let url = found.servers.first().map_or(&found.address, |server| &server.url).clone();
    let problems = found.servers.iter().flat_map(problems).collect();
    let servers = found.servers.iter().filter(|server| server.trouble.is_none() || !server.endpoints.is_empty());
    Discovery { url, servers: servers.map(|server| offer(server, store, now)).collect(), problems }
}

fn offer(server: &ServerFound, store: &Store, now: Timestamp) -> ServerOffer {
    let usable: Vec<&EndpointFound> =
        server.endpoints.iter().filter(|found| found.grade != Grade::Unsupported).collect();
    // The strongest comes first; what is weak or open is never taken unasked.
    let best = usable.iter().position(|found| found.grade >= Grade::Accepted);
    let endpoints = usable.iter().enumerate().map(|(at, found)| endpoint(found, Some(at) == best));
    ServerOffer {
        name: server.name.clone(),
        application_uri: server.application_uri.clone(),
        product_uri: server.product_uri.clone(),
        endpoints: endpoints.collect(),
        certificate: server.certificates.first().and_then(|found| certificate(found, store, now)),
        simulated: server.product_uri == SIMULATED_PLANT,
    }
}

fn endpoint(found: &EndpointFound, recommended: bool) -> EndpointOffer {
    EndpointOffer {
        url: found.url.clone(),
        advertised_url: found.told_url.clone(),
        security: found.security.clone(),
        grade: match found.grade {
            Grade::Strong => EndpointGrade::Strong,
            Grade::Accepted => EndpointGrade::Accepted,
            Grade::Weak | Grade::Unsupported => EndpointGrade::Weak,
            Grade::None => EndpointGrade::None,
        },
        recommended,
        users: found.users.iter().map(user).collect(),
    }
}

fn user(offer: &discovery::UserOffer) -> UserOffer {
    let kind = match offer.kind {
        discovery::UserKind::Anonymous => UserKind::Anonymous,
        discovery::UserKind::Name => UserKind::Name,
        discovery::UserKind::Certificate => UserKind::Certificate,
        discovery::UserKind::Issued => UserKind::Issued,
    };
    UserOffer { kind, safe: offer.safe }
}

fn certificate(found: &CertificateFound, store: &Store, now: Timestamp) -> Option<CertificateView> {
    let info = found.info.as_ref()?;
    let place = certificates::place(store, &info.thumbprint);
    Some(certificates::certificate(info, place, &found.findings, now))
}

fn problems(server: &ServerFound) -> Vec<Problem> {
    let place = if server.url.is_empty() { &server.name } else { &server.url };
    let problem = |problem: &str, remedy: &str| Problem {
        place: place.clone(),
        problem: problem.to_owned(),
        remedy: remedy.to_owned(),
    };
    // A trouble says both what is wrong and what to do.
    let mut all: Vec<Problem> = server.trouble.iter().map(|trouble| problem(&trouble.detail, "")).collect();
    let nameless = server.certificates.iter().filter(|found| found.info.is_none());
    all.extend(nameless.flat_map(|found| &found.findings).map(|finding| problem(&finding.what, &finding.todo)));
    let unknown: Vec<&str> = server
        .endpoints
        .iter()
        .filter(|found| found.grade == Grade::Unsupported)
        .map(|found| found.security.as_str())
        .collect();
    if !unknown.is_empty() {
        let what = format!("Lineside does not speak {}.", unknown.join(", "));
        all.push(problem(&what, "Use one of the other endpoints, or enable Basic256Sha256 or better at the server."));
    }
    all
}
