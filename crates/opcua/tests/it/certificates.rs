//! Discovery, server certificates of every kind, and users with certificates, against a real server.

use crate::collect::{Collected, plant};
use crate::forge::{DAY, Party, Recipe, key};
use crate::peer::{Ground, PASSWORD, Peer, Setup, USER, node};
use lineside_model::config::{Security, User};
use lineside_model::{PlantConfig, Value};
use lineside_opcua::discovery::{Discovery, Grade, UserKind, discover};
use lineside_opcua::pki::{self, Place};
use lineside_opcua::{Settings, identity};
use opcua::types::Variant;
use std::time::SystemTime;

fn variables() -> Vec<(String, Variant)> {
    vec![("v".into(), 7_i32.into())]
}

/// A certificate as it should be for the peer.
fn recipe() -> Recipe {
    Recipe { uri: Some("urn:lineside:test-peer"), hosts: &["127.0.0.1"], ..Recipe::server(SystemTime::now()) }
}

fn secured(certificate: Party) -> Setup {
    Setup { secure: true, certificate: Some(certificate), ..Setup::default() }
}

/// Starts a peer with `certificate` and sees what a connection says after `arrange`; `None`: values arrive.
fn connect(certificate: Party, arrange: impl FnOnce(&Settings), expected: Option<&[&str]>) {
    let ground = Ground::new();
    let settings = Settings::new(ground.ours());
    arrange(&settings);
    let peer = Peer::start(&ground.runtime, &ground.theirs(), &secured(certificate), &variables());
    let config = plant(&peer.endpoint(), Security::Best, [node("v")]);
    let mut collected = Collected::start(&ground.runtime, config, &ground.ours());
    match expected {
        Some(words) => {
            collected.until_down_saying(0, words);
        }
        None => {
            collected.until_value(0, 0, &Value::Int(7));
        }
    }
}

#[test]
fn what_is_wrong_with_a_pinned_certificate_is_said() {
    let (now, strong) = (SystemTime::now(), key(2048));
    let pinned = |recipe: Recipe, expected: Option<&[&str]>| {
        let party = recipe.make(&strong, None);
        let der = party.der.clone();
        connect(party, |ours| drop(pki::import(ours, &der, Place::Trusted).expect("an import")), expected);
    };
    pinned(recipe(), None);
    pinned(Recipe { hosts: &["elsewhere"], ..recipe() }, None);
    let valid = (now - 9 * DAY, now - DAY);
    pinned(Recipe { valid, ..recipe() }, Some(&["expired on", "clocks", "renew"]));
    let valid = (now + DAY, now + 9 * DAY);
    pinned(Recipe { valid, ..recipe() }, Some(&["not valid yet", "clocks"]));
    let other = Recipe { uri: Some("urn:other"), ..recipe() };
    pinned(other, Some(&["urn:lineside:test-peer", "urn:other", "application URI"]));
}

#[test]
fn an_authority_of_the_plant_is_enough_until_it_revokes() {
    let now = SystemTime::now();
    let root = Recipe::authority(now, "Plant CA").make(&key(2048), None);
    let strong = key(2048);
    let signed = |recipe: Recipe, lists: &[Vec<u8>], expected: Option<&[&str]>| {
        let arrange = |ours: &Settings| {
            for bytes in std::iter::once(&root.der).chain(lists) {
                pki::import(ours, bytes, Place::Trusted).expect("an import");
            }
        };
        connect(recipe.make(&strong, Some(&root)), arrange, expected);
    };
    signed(recipe(), &[], None);
    let wrong_host: &[&str] = &["made out to elsewhere", "not to 127.0.0.1", "trust this very certificate"];
    signed(Recipe { hosts: &["elsewhere"], ..recipe() }, &[], Some(wrong_host));
    let revoked = root.revokes(&[&recipe().make(&strong, Some(&root))], now - DAY, Some(now + DAY));
    signed(recipe(), &[revoked], Some(&["revoked by its issuer", "Plant CA"]));
}

fn found(ground: &Ground, address: &str) -> Discovery {
    ground.runtime.block_on(discover(&Settings::new(ground.ours()), address)).expect("a discovery")
}

#[test]
fn discovery_tells_what_is_offered_and_what_to_trust() {
    let ground = Ground::new();
    let settings = Settings::new(ground.ours());
    let party = recipe().make(&key(2048), None);
    let setup = Setup { host: "no-such-host.invalid", ..secured(party) };
    let peer = Peer::start(&ground.runtime, &ground.theirs(), &setup, &variables());
    let address = format!("127.0.0.1:{}", peer.port);

    let first = found(&ground, &address);
    assert_eq!((first.address.as_str(), first.servers.len()), (format!("opc.tcp://{address}").as_str(), 1));
    let server = &first.servers[0];
    assert_eq!((server.name.as_str(), server.application_uri.as_str()), ("Test peer", "urn:lineside:test-peer"));
    assert_eq!(server.trouble, None);
    let endpoint = &server.endpoints[0];
    assert_eq!((endpoint.security.as_str(), endpoint.grade), ("Basic256Sha256/SignAndEncrypt", Grade::Accepted));
    assert_eq!(endpoint.url, format!("opc.tcp://{address}/"));
    assert!(endpoint.told_url.as_ref().is_some_and(|told| told.contains("no-such-host.invalid")), "{endpoint:?}");
    let users: Vec<_> = endpoint.users.iter().map(|user| (user.kind, user.safe)).collect();
    assert_eq!(users, [(UserKind::Anonymous, true), (UserKind::Name, true)]);

    let certificate = &server.certificates[0];
    let codes: Vec<_> = certificate.findings.iter().map(|finding| finding.name.as_str()).collect();
    assert_eq!((certificate.accepted, codes), (false, vec!["BadCertificateUntrusted"]));
    let thumbprint = certificate.info.as_ref().expect("a certificate").thumbprint.clone();
    assert_eq!(endpoint.thumbprint.as_ref(), Some(&thumbprint));

    pki::trust(&settings, &thumbprint).expect("it was kept to be trusted");
    let again = found(&ground, &address);
    assert!(again.servers[0].certificates[0].accepted, "{again:?}");
    let mut collected =
        Collected::start(&ground.runtime, plant(&endpoint.url, Security::Best, [node("v")]), &ground.ours());
    collected.until_value(0, 0, &Value::Int(7));
}

#[test]
fn an_address_where_nobody_answers_is_explained() {
    let ground = Ground::new();
    let check = |address: &str, words: &str| {
        let trouble = ground.runtime.block_on(discover(&Settings::new(ground.ours()), address)).unwrap_err();
        assert!(trouble.detail.contains(words), "{}", trouble.detail);
    };
    // Port 1 has no server, and nobody but the system's administrator can start one.
    check("127.0.0.1:1", "no OPC UA server listens");
    check("http://plc7", "opc.tcp only");
    check("no-such-host.invalid:4841", "cannot be resolved");
}

#[test]
fn a_user_logs_in_with_a_certificate_or_a_stored_password() {
    let ground = Ground::new();
    let settings = Settings::new(ground.ours());
    let (party, holder, stranger) = (
        recipe().make(&key(2048), None),
        recipe().make(&key(2048), None),
        Recipe { serial: 9, ..recipe() }.make(&key(2048), None),
    );
    pki::import(&settings, &party.der, Place::Trusted).expect("an import");
    let user = ground.ours().join("user");
    for (name, party) in [("holder", &holder), ("stranger", &stranger)] {
        std::fs::write(user.join(format!("{name}.der")), &party.der).unwrap();
        std::fs::write(user.join(format!("{name}.pem")), party.key_pem()).unwrap();
    }
    let setup = Setup { anonymous: false, holder: Some(user.join("holder.der")), ..secured(party) };
    let peer = Peer::start(&ground.runtime, &ground.theirs(), &setup, &variables());
    let with = |user: User| -> PlantConfig {
        let mut config = plant(&peer.endpoint(), Security::Best, [node("v")]);
        config.connections[0].user = user;
        config
    };
    let certificate = |name: &str| User::Certificate { certificate: format!("{name}.der"), key: format!("{name}.pem") };
    let start = |config| Collected::start(&ground.runtime, config, &ground.ours());
    start(with(certificate("holder"))).until_value(0, 0, &Value::Int(7));
    start(with(certificate("stranger"))).until_down_saying(0, &["refuses the user certificate stranger.der"]);

    let name = || with(User::Name { name: USER.into(), password_env: None });
    start(name()).until_down_saying(0, &["no password for user", "Setup"]);
    let connection = name().connections[0].name.clone();
    identity::store_password(&settings, &connection, "wrong").unwrap();
    start(name()).until_down_saying(0, &["refuses the user \"operator\"", "enter the password again in Setup"]);
    identity::store_password(&settings, &connection, PASSWORD).unwrap();
    start(name()).until_value(0, 0, &Value::Int(7));
}
