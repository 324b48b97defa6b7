//! Certificates, policies and users: every policy that a server offers, and for everything that is wrong the
//! words that a person needs.

use crate::Ground;
use lineside_model::config::{Security, User};
use lineside_model::{Input, LinkState, PlantConfig, StatusCode, Value};
use lineside_opcua::Settings;
use lineside_opcua::pki::{self, CertificateInfo};
use lineside_tests::certificate::{Certificate, Valid, make};
use lineside_tests::peers::{APPLICATION, Kind, Options, PASSWORD_ENV, Peer, USER, node};
use lineside_tests::watch::{Watch, endpoint, plant};
use std::path::Path;

const POLICIES: [&str; 3] = ["Basic256Sha256", "Aes128Sha256RsaOaep", "Aes256Sha256RsaPss"];
/// `BadCertificateUntrusted`, `BadCertificateTimeInvalid`.
const UNTRUSTED: u32 = 0x801A_0000;
const TIME_INVALID: u32 = 0x8014_0000;

/// What a person does: looks at the one certificate that was rejected, and trusts it.
fn trust(pki: &Path) -> CertificateInfo {
    let settings = Settings::new(pki);
    let rejected = pki::list(&settings).expect("a folder that can be read").rejected;
    assert_eq!(rejected.len(), 1, "exactly one certificate was rejected");
    pki::trust(&settings, &rejected[0].thumbprint).expect("it lies there")
}

fn server_certificate(folder: &Path, hosts: &[&str], valid: Valid) -> Certificate {
    make(folder, "server", APPLICATION, hosts, valid).expect("a certificate")
}

fn one(port: u16, security: Security) -> PlantConfig {
    plant(&endpoint(port), security, [node("Double")])
}

/// Waits for a link that is down with `status` and all of `words`.
fn until_refused(watch: &mut Watch, from: usize, status: u32, words: &[&str]) -> usize {
    let what = format!("{status:x} saying {words:?}");
    watch.until(from, &what, |input| {
        matches!(input, Input::Link { state: LinkState::Down, status: of, detail, .. }
            if of.code() == StatusCode(status).code() && words.iter().all(|word| detail.contains(word)))
    })
}

/// With each policy and both modes a value arrives, once the certificate is trusted.
fn check_policies(kind: Kind) {
    let ground = Ground::new();
    let certificate = server_certificate(&ground.theirs(), &["127.0.0.1", "localhost"], Valid::Now);
    let policies = ["None"].into_iter().chain(POLICIES).collect();
    let options = Options { policies, certificate: Some(certificate), ..Options::new(&ground.theirs()) };
    let Some(peer) = Peer::start(kind, options) else { return };
    let mut first = Watch::start(&ground.runtime, one(peer.port(), Security::Best), &ground.ours());
    until_refused(&mut first, 0, UNTRUSTED, &["not trusted yet", "thumbprint", "nothing was sent"]);
    first.stop(&ground.runtime);
    trust(&ground.ours());
    let exact = |(policy, encrypt): (&str, bool)| Security::Exact { policy: policy.into(), encrypt };
    let all = POLICIES.into_iter().flat_map(|policy| [(policy, true), (policy, false)]).map(exact);
    for security in all.chain([Security::Best, Security::None]) {
        let mut watch = Watch::start(&ground.runtime, one(peer.port(), security.clone()), &ground.ours());
        watch.until_value(0, 0, &Value::Float(-2.5e300));
        let expected = match &security {
            Security::Exact { policy, encrypt: true } => format!("{policy}/SignAndEncrypt"),
            Security::Exact { policy, encrypt: false } => format!("{policy}/Sign"),
            Security::Best => "Aes256Sha256RsaPss/SignAndEncrypt".to_string(),
            Security::None => "None".to_string(),
        };
        let link = watch.last_link();
        let plain = |text: &str| text.replace(['-', '_'], "");
        assert!(plain(&link).contains(&plain(&expected)), "{expected}: {link}");
        watch.stop(&ground.runtime);
    }
}

#[test]
fn every_policy_of_asyncua() {
    check_policies(Kind::Asyncua);
}

#[test]
fn every_policy_of_node_opcua() {
    check_policies(Kind::NodeOpcua);
}

#[test]
fn every_policy_of_async_opcua() {
    check_policies(Kind::AsyncOpcua);
}

/// To whom it is made out, when it is valid, and the words that stand against it though it is trusted.
type WrongCertificate = (&'static [&'static str], Valid, Option<&'static [&'static str]>);

/// A certificate that is wrong in each way: what a person is told, before and after trusting it.
fn check_certificates(kind: Kind) {
    let here: &'static [&'static str] = &["127.0.0.1", "localhost"];
    let cases: [WrongCertificate; 3] = [
        (here, Valid::Expired, Some(&["expired on", "ompare the clocks", "renew"])),
        (here, Valid::NotYet, Some(&["is not valid yet", "ompare the clocks"])),
        // Who trusts this very certificate has seen to whom it is made out, and may use it.
        (&["press-4.example"], Valid::Now, None),
    ];
    for (hosts, valid, after) in cases {
        let ground = Ground::new();
        let certificate = server_certificate(&ground.theirs(), hosts, valid);
        let policies = vec!["Basic256Sha256"];
        let options = Options { policies, certificate: Some(certificate), ..Options::new(&ground.theirs()) };
        let Some(peer) = Peer::start(kind, options) else { return };
        let mut watch = Watch::start(&ground.runtime, one(peer.port(), Security::Best), &ground.ours());
        let refused = watch.until_down_saying(0, &["not trusted yet", "thumbprint"]);
        let seen = trust(&ground.ours());
        let names = seen.host_names.into_iter().chain(seen.addresses.iter().map(ToString::to_string));
        let mut told: Vec<String> = names.collect();
        told.sort();
        assert_eq!(told, hosts, "the person is shown to whom it is made out");
        match after {
            Some(words) => drop(until_refused(&mut watch, refused, TIME_INVALID, words)),
            None => drop(watch.until_value(refused, 0, &Value::Float(-2.5e300))),
        }
    }
}

#[test]
fn wrong_certificates_of_asyncua() {
    check_certificates(Kind::Asyncua);
}

#[test]
fn wrong_certificates_of_node_opcua() {
    check_certificates(Kind::NodeOpcua);
}

#[test]
fn wrong_certificates_of_async_opcua() {
    check_certificates(Kind::AsyncOpcua);
}

/// A user with a password and one with a certificate get in; a wrong password, a strange certificate and
/// nobody do not, and are told so.
fn check_users(kind: Kind) {
    let ground = Ground::new();
    let user_folder = ground.ours().join("user");
    let user = |name: &str| make(&user_folder, name, "urn:lineside:engineer", &[], Valid::Now).expect("a certificate");
    let known = user("engineer");
    user("stranger");
    let options = Options {
        policies: vec!["Basic256Sha256"],
        tokens: vec!["name", "x509"],
        certificate: Some(server_certificate(&ground.theirs(), &["127.0.0.1"], Valid::Now)),
        user_certificate: Some(known.file),
        ..Options::new(&ground.theirs())
    };
    let Some(peer) = Peer::start(kind, options) else { return };
    let start = |user: User| {
        let mut config = one(peer.port(), Security::Best);
        config.connections[0].user = user;
        Watch::start(&ground.runtime, config, &ground.ours())
    };
    let with_password = |password_env: &str| User::Name { name: USER.into(), password_env: Some(password_env.into()) };
    let with_certificate =
        |name: &str| User::Certificate { certificate: format!("{name}.der"), key: format!("{name}.pem") };

    let mut first = start(with_password(PASSWORD_ENV));
    first.until_down_saying(0, &["not trusted yet"]);
    trust(&ground.ours());
    first.until_value(0, 0, &Value::Float(-2.5e300));
    first.stop(&ground.runtime);
    let refused: [(User, &[&str]); 3] = [
        (with_password("CARGO_PKG_VERSION"), &["operator", "password"]),
        (with_certificate("stranger"), &["certificate"]),
        (User::Anonymous, &["anonymous"]),
    ];
    for (user, words) in refused {
        let mut watch = start(user);
        watch.until_down_saying(0, words);
        watch.stop(&ground.runtime);
    }
    let mut last = start(with_certificate("engineer"));
    last.until_value(0, 0, &Value::Float(-2.5e300));
    last.stop(&ground.runtime);
}

#[test]
fn users_of_asyncua() {
    check_users(Kind::Asyncua);
}

#[test]
fn users_of_node_opcua() {
    check_users(Kind::NodeOpcua);
}

#[test]
fn users_of_async_opcua() {
    check_users(Kind::AsyncOpcua);
}

/// A server that does not know us says so in many ways; each time the person is told what to do there.
fn check_distrust(kind: Kind) {
    let ground = Ground::new();
    let other = make(&ground.theirs(), "other", "urn:lineside:other", &[], Valid::Now).expect("a certificate");
    let options = Options {
        policies: vec!["Basic256Sha256"],
        certificate: Some(server_certificate(&ground.theirs(), &["127.0.0.1"], Valid::Now)),
        trusted: Some(other.file),
        ..Options::new(&ground.theirs())
    };
    let Some(peer) = Peer::start(kind, options) else { return };
    let mut watch = Watch::start(&ground.runtime, one(peer.port(), Security::Best), &ground.ours());
    let refused = watch.until_down_saying(0, &["not trusted yet"]);
    trust(&ground.ours());
    watch.until_down_saying(refused, &["does not trust this Lineside", "thumbprint"]);
}

#[test]
fn asyncua_does_not_trust_us() {
    check_distrust(Kind::Asyncua);
}

#[test]
fn node_opcua_does_not_trust_us() {
    check_distrust(Kind::NodeOpcua);
}

#[test]
fn async_opcua_does_not_trust_us() {
    check_distrust(Kind::AsyncOpcua);
}
