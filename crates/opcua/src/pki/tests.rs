//! Vectors for the checks, the folder and the reader of certificates.

use super::chain::TrustLists;
use super::check::{Expected, check};
use super::forge::{DAY, Party, Recipe, key};
use super::parse::{Cert, Crl};
use super::pem::read_all;
use super::*;
use proptest::prelude::*;
use std::fs;
use std::time::SystemTime;

/// The calendar of the vectors: 2026-06-01.
fn now() -> SystemTime {
    SystemTime::UNIX_EPOCH + 20_605 * DAY
}

fn stamp(at: SystemTime) -> lineside_model::Timestamp {
    let since = at.duration_since(SystemTime::UNIX_EPOCH).unwrap();
    lineside_model::Timestamp(i64::try_from(since.as_nanos()).unwrap())
}

/// The same with one bit of its signature changed.
fn forged(party: &Party) -> Party {
    let mut der = party.der.clone();
    *der.last_mut().unwrap() ^= 1;
    Party { der, key: party.key.clone() }
}

/// One situation: what lies where, what the server presents, and what must be found, in order.
struct Case<'a> {
    what: &'a str,
    presents: Vec<&'a Party>,
    trusted: Vec<&'a Party>,
    issuers: Vec<&'a Party>,
    lists: Vec<Vec<u8>>,
    host: &'a str,
    uri: &'a str,
    /// Codes without `BadCertificate`; with a `!` in front where it blocks.
    expected: &'a [&'a str],
}

impl Case<'_> {
    fn run(&self) {
        let chain: Vec<u8> = self.presents.iter().flat_map(|party| party.der.clone()).collect();
        let certs = |parties: &[&Party]| parties.iter().map(|party| Cert::parse(&party.der).unwrap()).collect();
        let lists = TrustLists {
            trusted: certs(&self.trusted),
            issuers: certs(&self.issuers),
            revocations: self.lists.iter().map(|der| Crl::parse(der).unwrap()).collect(),
        };
        let authority = format!("{}:4840", self.host);
        let expected =
            Expected { authority: &authority, uri: Some(self.uri), policy: Some(SecurityPolicy::Basic256Sha256) };
        let chain = Cert::parse_chain(&chain).unwrap();
        let found = check(&chain, &lists, &expected, stamp(now()));
        let codes: Vec<String> = found
            .iter()
            .map(|finding| {
                let name = finding.name.strip_prefix("BadCertificate").unwrap_or(&finding.name);
                assert!(finding.what.ends_with('.') && finding.todo.ends_with('.'), "{finding:?}");
                if finding.blocks { format!("!{name}") } else { name.to_string() }
            })
            .collect();
        assert_eq!(codes, self.expected, "{}: {found:#?}", self.what);
    }
}

#[test]
fn a_pinned_certificate_must_still_be_worth_something() {
    let (strong, weak) = (key(2048), key(1024));
    let good = Recipe::server(now());
    let server = good.make(&strong, None);
    let check = |what: &str, recipe: Recipe, key: &rsa::RsaPrivateKey, host: &str, expected: &[&str]| {
        let party = recipe.make(key, None);
        Case {
            what,
            presents: vec![&party],
            trusted: vec![&party, &server],
            issuers: vec![],
            lists: vec![],
            host,
            uri: "urn:filler",
            expected,
        }
        .run();
    };
    check("good by name", good.clone(), &strong, "filler.plant", &[]);
    check("good by name, other case", good.clone(), &strong, "FILLER.plant.", &[]);
    check("good by address", good.clone(), &strong, "10.0.0.1", &[]);
    check("another host", good.clone(), &strong, "10.0.0.2", &["HostNameInvalid"]);
    check("any host below", Recipe { hosts: &["*.plant"], ..good.clone() }, &strong, "filler.plant", &[]);
    let deep = Recipe { hosts: &["*.plant"], ..good.clone() };
    check("not two below", deep, &strong, "a.filler.plant", &["HostNameInvalid"]);
    let expired = Recipe { valid: (now() - 9 * DAY, now() - DAY), ..good.clone() };
    check("expired", expired, &strong, "10.0.0.1", &["!TimeInvalid"]);
    let early = Recipe { valid: (now() + DAY, now() + 9 * DAY), ..good.clone() };
    check("not yet valid", early, &strong, "10.0.0.1", &["!TimeInvalid"]);
    check("short key", good.clone(), &weak, "10.0.0.1", &["!PolicyCheckFailed"]);
    check("SHA-1", Recipe { sha1: true, ..good.clone() }, &strong, "10.0.0.1", &["PolicyCheckFailed"]);
    let usage = Recipe { signs_and_encrypts: false, ..good.clone() };
    check("made for other uses", usage, &strong, "10.0.0.1", &["UseNotAllowed"]);
    let client = Recipe { for_servers: false, ..good.clone() };
    check("made for clients", client, &strong, "10.0.0.1", &["UseNotAllowed"]);
    let other = Recipe { uri: Some("urn:capper"), ..good.clone() };
    check("another application", other, &strong, "10.0.0.1", &["!UriInvalid"]);
    check("no application", Recipe { uri: None, ..good.clone() }, &strong, "10.0.0.1", &["!UriInvalid"]);
}

#[test]
fn nothing_is_trusted_by_itself() {
    let strong = key(2048);
    let server = Recipe::server(now()).make(&strong, None);
    let damaged = forged(&server);
    let case = |what, presents, trusted, expected| {
        let (issuers, lists) = (vec![], vec![]);
        Case { what, presents, trusted, issuers, lists, host: "10.0.0.1", uri: "urn:filler", expected }.run();
    };
    case("unknown", vec![&server], vec![], &["!Untrusted"]);
    case("damaged", vec![&damaged], vec![&server], &["!Invalid", "!Untrusted"]);
    case("damaged and pinned", vec![&damaged], vec![&damaged], &["!Invalid"]);
    let elsewhere = Recipe { hosts: &["elsewhere"], sha1: true, ..Recipe::server(now()) }.make(&strong, None);
    let expected = &["!Untrusted", "PolicyCheckFailed", "HostNameInvalid"];
    case("what would not block once it is trusted", vec![&elsewhere], vec![], expected);
    let renewed = Recipe { serial: 8, ..Recipe::server(now()) }.make(&strong, None);
    case("the same key is not the same certificate", vec![&renewed], vec![&server], &["!Untrusted"]);
}

#[test]
fn an_authority_vouches_for_what_it_signed() {
    let keys = [key(2048), key(2048), key(2048)];
    let root = Recipe::authority(now(), "Root").make(&keys[0], None);
    let line = Recipe::authority(now(), "Line CA").make(&keys[1], Some(&root));
    let server = Recipe::server(now()).make(&keys[2], Some(&line));
    let direct = Recipe::server(now()).make(&keys[2], Some(&root));
    let list = |of: &Party, revoked: &[&Party]| of.revokes(revoked, now() - DAY, Some(now() + DAY));
    let clean = || vec![list(&root, &[]), list(&line, &[])];
    let check = |what, presents, trusted, issuers, lists, expected: &[&str]| {
        Case { what, presents, trusted, issuers, lists, host: "10.0.0.1", uri: "urn:filler", expected }.run();
    };
    check("direct", vec![&direct], vec![&root], vec![], clean(), &[]);
    check("over an issuer", vec![&server], vec![&root], vec![&line], clean(), &[]);
    check("over what the server sent", vec![&server, &line], vec![&root], vec![], clean(), &["!Invalid"]);
    check("an issuer is not trusted", vec![&server], vec![], vec![&line, &root], clean(), &["!Untrusted"]);
    check("link missing", vec![&server], vec![&root], vec![], clean(), &["ChainIncomplete", "!Untrusted"]);
    check("an intermediate authority trusted", vec![&server], vec![&line], vec![], vec![list(&line, &[])], &[]);
    check(
        "no lists",
        vec![&server],
        vec![&root],
        vec![&line],
        vec![],
        &["RevocationUnknown", "IssuerRevocationUnknown"],
    );
    let old = vec![list(&root, &[]), line.revokes(&[], now() - 9 * DAY, Some(now() - DAY))];
    check("old list", vec![&server], vec![&root], vec![&line], old, &["RevocationUnknown"]);
    let revoked = vec![list(&root, &[]), line.revokes(&[&server], now() - 9 * DAY, Some(now() - DAY))];
    check("revoked by an old list", vec![&server], vec![&root], vec![&line], revoked.clone(), &["!Revoked"]);
    check("revoked though pinned", vec![&server], vec![&server], vec![&line], revoked, &["!Revoked"]);
    let issuer_revoked = vec![list(&root, &[&line]), list(&line, &[])];
    check("issuer revoked", vec![&server], vec![&root], vec![&line], issuer_revoked, &["!IssuerRevoked"]);
    let foreign = vec![list(&Party { key: keys[2].clone(), ..root.clone() }, &[&direct]), list(&root, &[])];
    check("a list that the authority did not sign", vec![&direct], vec![&root], vec![], foreign, &[]);
    check("a signature of another", vec![&forged(&direct)], vec![&root], vec![], clean(), &["Invalid", "!Untrusted"]);
}

#[test]
fn an_authority_does_not_vouch_for_everything() {
    let keys = [key(2048), key(2048), key(2048)];
    let list = |of: &Party| of.revokes(&[], now() - DAY, None);
    let check = |what, root: &Party, line: Option<&Party>, server: Recipe, expected: &[&str]| {
        let leaf = server.make(&keys[2], Some(line.unwrap_or(root)));
        let lists = [Some(root), line].into_iter().flatten().map(list).collect();
        let issuers = line.into_iter().collect();
        let (presents, trusted) = (vec![&leaf], vec![root]);
        Case { what, presents, trusted, issuers, lists, host: "10.0.0.1", uri: "urn:filler", expected }.run();
    };
    let good = Recipe::server(now());
    let root = Recipe::authority(now(), "Root").make(&keys[0], None);
    let host = Recipe { hosts: &["elsewhere"], ..good.clone() };
    check("another host", &root, None, host, &["!HostNameInvalid"]);
    check("SHA-1", &root, None, Recipe { sha1: true, ..good.clone() }, &["!PolicyCheckFailed"]);
    check("for clients", &root, None, Recipe { for_servers: false, ..good.clone() }, &["!UseNotAllowed"]);
    check("another application", &root, None, Recipe { uri: None, ..good.clone() }, &["!UriInvalid"]);
    let expired = Recipe { valid: (now() - 9 * DAY, now() - DAY), ..Recipe::authority(now(), "Root") };
    check("expired authority", &expired.make(&keys[0], None), None, good.clone(), &["!IssuerTimeInvalid"]);
    let no_authority = Recipe { authority: None, ..Recipe::authority(now(), "Line CA") }.make(&keys[1], Some(&root));
    let expected = &["IssuerUseNotAllowed", "!Untrusted"];
    check("signed by a server", &root, Some(&no_authority), good.clone(), expected);
    let narrow = Recipe { authority: Some(Some(0)), ..Recipe::authority(now(), "Root") }.make(&keys[0], None);
    let line = Recipe::authority(now(), "Line CA").make(&keys[1], Some(&narrow));
    check("too long a path", &narrow, Some(&line), good.clone(), &["IssuerUseNotAllowed", "!Untrusted"]);
    check("as long as allowed", &narrow, None, good, &[]);
}

fn description(server: &Party, uri: &str) -> EndpointDescription {
    EndpointDescription {
        server_certificate: server.der.clone().into(),
        security_policy_uri: SecurityPolicy::Basic256Sha256.to_uri().into(),
        server: opcua::types::ApplicationDescription { application_uri: uri.into(), ..Default::default() },
        ..Default::default()
    }
}

#[test]
fn a_server_is_trusted_when_a_person_says_so_and_no_longer_when_it_is_taken_back() {
    let folder = tempfile::tempdir().unwrap();
    let settings = Settings::new(folder.path());
    let server = Recipe::server(SystemTime::now()).make(&key(2048), None);
    let offer = description(&server, "urn:filler");
    let ask = || ensure_trusted(&settings, &offer, "10.0.0.1:4840");
    let shown = |store: &Store| (store.trusted.len(), store.rejected.len());

    let refused = ask().unwrap_err();
    let store = list(&settings).unwrap();
    assert_eq!(shown(&store), (0, 1));
    let thumbprint = &store.rejected[0].thumbprint;
    assert!(refused.detail.contains(thumbprint), "{}", refused.detail);
    assert!(ask().is_err(), "asking again does not help");

    let as_shown = thumbprint
        .to_uppercase()
        .as_bytes()
        .chunks(2)
        .map(|two| String::from_utf8_lossy(two))
        .fold(String::new(), |all, two| if all.is_empty() { two.to_string() } else { format!("{all}:{two}") });
    let info = trust(&settings, &as_shown).unwrap();
    assert_eq!((info.name.as_str(), info.application_uri.as_deref()), ("Filler", Some("urn:filler")));
    assert_eq!(ask(), Ok(vec![]));
    assert_eq!(shown(&list(&settings).unwrap()), (1, 0));
    trust(&settings, &info.sha256).expect("trusting twice is fine");

    let checked = || fs::read_dir(folder.path().join("checked/trusted")).unwrap().count();
    assert_eq!(checked(), 1);
    reject(&settings, thumbprint).unwrap();
    assert_eq!(checked(), 0, "the library has nothing left to compare with");
    assert_eq!(shown(&list(&settings).unwrap()), (0, 1));
    assert_eq!(ask().unwrap_err().status.0, StatusCode::BadCertificateUntrusted.bits());
    assert!(reject(&settings, thumbprint).is_err() && trust(&settings, "00").is_err());

    // By hand, under another name; an offer that an attempt wrote meanwhile does not stand against it.
    fs::copy(list(&settings).unwrap().rejected[0].file.clone().unwrap(), folder.path().join("trusted/certs/x.der"))
        .unwrap();
    assert_eq!(ask(), Ok(vec![]));
    assert_eq!(shown(&list(&settings).unwrap()), (1, 0));
    remove_from(&settings, Place::Trusted, thumbprint).unwrap();
    assert!(ask().is_err() && remove_from(&settings, Place::Trusted, thumbprint).is_err());
    assert!(ensure_trusted(&settings, &EndpointDescription::default(), "x").is_err(), "no certificate at all");
}

#[test]
fn authorities_and_their_lists_are_imported_in_both_forms() {
    let folder = tempfile::tempdir().unwrap();
    let settings = Settings::new(folder.path());
    let now = SystemTime::now();
    let root = Recipe::authority(now, "Root").make(&key(2048), None);
    let server = Recipe::server(now).make(&key(2048), Some(&root));
    let put = |bytes: &[u8], place| import(&settings, bytes, place);
    assert!(matches!(put(&server.der, Place::Issuers), Err(PkiError::NoAuthority { .. })));
    assert!(put(b"rubbish", Place::Trusted).is_err());
    let list_of = root.revokes(&[], now - DAY, Some(now + DAY));
    assert!(put(&list_of, Place::Rejected).is_err());

    let pem = |cert: &Party| pem::to_pem(&Cert::parse(&cert.der).unwrap());
    let bundle = format!("Root of the plant\n{}\n{}", pem(&root).replace('\n', "\r\n"), pem(&server));
    assert_eq!(put(bundle.as_bytes(), Place::Rejected).unwrap().len(), 2);
    put(&list_of, Place::Trusted).unwrap();
    put(pem(&root).as_bytes(), Place::Trusted).unwrap();
    let asked = ensure_trusted(&settings, &description(&server, "urn:filler"), "10.0.0.1:4840");
    assert_eq!(asked, Ok(vec![]), "the authority is trusted");
    let store = list(&settings).unwrap();
    assert_eq!((store.trusted.len(), store.revocation_lists.len(), store.unreadable.len()), (1, 1, 0));
    assert!(store.trusted[0].authority);
    remove_from(&settings, Place::Trusted, &store.revocation_lists[0].thumbprint).unwrap();

    // Several in one file, as a person may put them there: taking one out leaves the others.
    fs::write(folder.path().join("trusted/certs/all.pem"), &bundle).unwrap();
    reject(&settings, &Cert::parse(&server.der).unwrap().thumbprint()).unwrap();
    let names = |infos: Vec<CertificateInfo>| infos.into_iter().map(|info| info.name).collect::<Vec<_>>();
    assert_eq!(names(list(&settings).unwrap().trusted), ["Root"]);

    let own = own(&settings).unwrap();
    let key = fs::read(folder.path().join("own/private/lineside.pem")).unwrap();
    let refused = put(&key, Place::Trusted).unwrap_err();
    assert!(refused.to_string().contains("private key"), "{refused}");
    assert_eq!(put(own.pem.as_bytes(), Place::Trusted).unwrap().len(), 1);
}

#[test]
fn our_certificate_is_made_once_and_keeps_key_and_uri_when_it_is_renewed() {
    let folder = tempfile::tempdir().unwrap();
    let settings = Settings::new(folder.path());
    let first = own(&settings).unwrap();
    assert!(first.uri.starts_with("urn:") && first.uri.ends_with(":lineside:client"), "{}", first.uri);
    assert_eq!(own(&settings).unwrap(), first);
    assert_eq!((first.info.key_bits, first.info.self_signed, first.findings.len()), (Some(2048), true, 0));
    assert!((7_000..7_300).contains(&first.days_left), "{}", first.days_left);
    // What other products must find in it: their library reads it, and the URI comes first.
    X509::from_der(&first.der).unwrap().is_application_uri_valid(&first.uri).unwrap();
    assert_eq!(read_all(first.pem.as_bytes()), read_all(&first.der));
    let key = fs::read(folder.path().join("own/private/lineside.pem")).unwrap();

    let second = renew(&settings).unwrap();
    assert_ne!(second.info.thumbprint, first.info.thumbprint);
    assert_ne!(second.info.serial, first.info.serial);
    assert_eq!((&second.uri, &second.info.subject), (&first.uri, &first.info.subject));
    assert_eq!(fs::read(folder.path().join("own/private/lineside.pem")).unwrap(), key);
    assert_eq!(second.former.iter().map(|old| &old.thumbprint).collect::<Vec<_>>(), [&first.info.thumbprint]);
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        let mode = |path: &str| fs::metadata(folder.path().join(path)).unwrap().permissions().mode() & 0o777;
        assert_eq!((mode("own/private"), mode("own/private/lineside.pem")), (0o700, 0o600));
    }
}

#[test]
fn a_broken_certificate_of_our_own_is_said_and_not_replaced() {
    let folder = tempfile::tempdir().unwrap();
    let settings = Settings::new(folder.path());
    own(&settings).unwrap();
    let file = folder.path().join("own/certs/lineside.der");
    fs::write(&file, b"rubbish").unwrap();
    let trouble = own_trouble(&own(&settings).unwrap_err());
    assert!(trouble.detail.contains("delete own/"), "{}", trouble.detail);
    assert_eq!(fs::read(&file).unwrap(), b"rubbish");

    let expired = Recipe { valid: (now() - 9 * DAY, now() - DAY), ..Recipe::server(now()) };
    let stranger = expired.make(&key(2048), None);
    fs::write(&file, &stranger.der).unwrap();
    assert!(own(&settings).unwrap_err().to_string().contains("not that of the certificate"));
    fs::write(folder.path().join("own/private/lineside.pem"), stranger.key_pem()).unwrap();
    let own = own(&settings).unwrap();
    assert_eq!((own.uri.as_str(), own.findings.len()), ("urn:filler", 1), "a certificate from elsewhere may be used");
    assert!(own.days_left < 0 && own.findings[0].side == Side::Ours, "{own:?}");
}

#[test]
fn a_folder_of_the_old_layout_is_moved_over_and_nothing_is_lost() {
    let made = tempfile::tempdir().unwrap();
    let before = own(&Settings::new(made.path())).unwrap();
    let folder = tempfile::tempdir().unwrap();
    let at = |path: &str| folder.path().join(path);
    for path in ["trusted", "rejected"] {
        fs::create_dir_all(at(path)).unwrap();
    }
    let key_text = fs::read_to_string(made.path().join("own/private/lineside.pem")).unwrap();
    let party =
        Party { der: before.der.clone(), key: rsa::pkcs8::DecodePrivateKey::from_pkcs8_pem(&key_text).unwrap() };
    party.install(folder.path());
    // As the library wrote it: with bare carriage returns.
    fs::write(at("private/private.pem"), key_text.replace('\n', "\r")).unwrap();
    let servers = [0, 1].map(|serial| Recipe { serial, ..Recipe::server(now()) }.make(&key(1024), None));
    fs::write(at("trusted/a.der"), &servers[0].der).unwrap();
    fs::write(at("rejected/b.der"), &servers[1].der).unwrap();
    // Another one of the name lies there already, and one is there twice: a move that was interrupted.
    fs::create_dir_all(at("rejected/certs")).unwrap();
    fs::write(at("rejected/certs/b.der"), &servers[0].der).unwrap();
    fs::create_dir_all(at("trusted/certs")).unwrap();
    fs::write(at("trusted/certs/a.der"), &servers[0].der).unwrap();

    for _again in 0..2 {
        let store = list(&Settings::new(folder.path())).unwrap();
        assert_eq!((&store.own.der, &store.own.uri), (&before.der, &before.uri));
        assert_eq!((store.trusted.len(), store.rejected.len()), (1, 2));
        for gone in ["own/cert.der", "private", "trusted/a.der", "rejected/b.der"] {
            assert!(!at(gone).exists(), "{gone}");
        }
    }
}

#[test]
fn strangers_cannot_fill_the_disk_with_offers() {
    let folder = tempfile::tempdir().unwrap();
    let settings = Settings::new(folder.path());
    let key = key(1024);
    for serial in 0..110 {
        let server = Recipe { serial, ..Recipe::server(now()) }.make(&key, None);
        assert!(ensure_trusted(&settings, &description(&server, "urn:filler"), "x:1").is_err());
    }
    assert_eq!(fs::read_dir(folder.path().join("rejected/certs")).unwrap().count(), 100);
}

/// Made by `tests/fixtures/make.sh` with OpenSSL: another writer of certificates than the one of the other tests.
#[test]
fn certificates_and_lists_of_another_product_are_read_and_checked() {
    let parsed = |bytes: &[u8]| read_all(bytes).unwrap().remove(0);
    let cert = |bytes: &[u8]| match parsed(bytes) {
        Parsed::Certificate(cert) => *cert,
        other => panic!("{other:?}"),
    };
    let Parsed::RevocationList(list) = parsed(include_bytes!("../../tests/fixtures/ca.crl.pem")) else {
        panic!("no revocation list");
    };
    let root = cert(include_bytes!("../../tests/fixtures/ca.pem"));
    let lists = TrustLists { trusted: vec![root], issuers: vec![], revocations: vec![*list] };
    // 2026-06-01, within all of them.
    let at = stamp(now());
    let codes = |cert: Cert, authority: &str| -> Vec<String> {
        let policy = Some(SecurityPolicy::Aes256Sha256RsaPss);
        let expected = Expected { authority, uri: Some("urn:filler"), policy };
        check(&[cert], &lists, &expected, at).into_iter().map(|finding| finding.name).collect()
    };
    let good = || cert(include_bytes!("../../tests/fixtures/good.der"));
    let revoked = cert(include_bytes!("../../tests/fixtures/revoked.pem"));
    assert_eq!(codes(good(), "filler.plant:4840"), [""; 0]);
    assert_eq!(codes(good(), "[fe80::1]:4840"), [""; 0]);
    assert_eq!(codes(good(), "capper.plant:4840"), ["BadCertificateHostNameInvalid"]);
    assert_eq!(codes(revoked, "filler.plant:4840"), ["BadCertificateRevoked"]);
    let info = good().info(None);
    assert_eq!(
        (info.name.as_str(), info.key_bits, info.signature_algorithm.as_str()),
        ("Füller 1", Some(2048), "SHA-384 with RSA")
    );
    // `openssl x509 -fingerprint -sha1`
    assert_eq!(info.thumbprint, include_str!("../../tests/fixtures/good.sha1").trim());
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    /// Whatever a server or a person gives us, reading it ends without a panic.
    #[test]
    fn no_bytes_make_the_reader_panic(
        bytes in proptest::collection::vec(any::<u8>(), 0..200),
        text in ".{0,80}",
        change in (any::<prop::sample::Index>(), any::<u8>()),
    ) {
        static GOOD: std::sync::OnceLock<Vec<Vec<u8>>> = std::sync::OnceLock::new();
        let good = GOOD.get_or_init(|| {
            let root = Recipe::authority(now(), "Root").make(&key(1024), None);
            let server = Recipe::server(now()).make(&root.key, Some(&root));
            let list = root.revokes(&[&server], now(), None);
            let pem = pem::to_pem(&Cert::parse(&server.der).unwrap()).into_bytes();
            vec![server.der.clone(), list, pem, [server.der, root.der].concat()]
        });
        let survive = |bytes: &[u8]| {
            let read = read_all(bytes);
            if let Ok(chain) = Cert::parse_chain(bytes) {
                check(&chain, &TrustLists::default(), &Expected::default(), stamp(now()));
                chain.iter().for_each(|cert| assert!(!files::file_name(cert).contains('/')));
            }
            read.is_ok()
        };
        survive(&bytes);
        survive(text.as_bytes());
        survive(format!("-----BEGIN {text}-----\n{text}\n-----END {text}-----").as_bytes());
        for good in good {
            let mut bytes = good.clone();
            let at = change.0.index(bytes.len());
            bytes[at] = change.1;
            survive(&bytes);
            bytes.truncate(at);
            survive(&bytes);
        }
    }
}
