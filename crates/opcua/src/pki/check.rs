//! Is a server's certificate good enough to talk to it? Every violation, with what to do about it.
//!
//! The order is that of the standard (OPC 10000-4 6.1.3): structure, trust and chain, revocation, validity,
//! use, key, signature, host name, application URI. A certificate that a person pinned is believed to be the
//! right one, so that its host name, its use and a weak signature are only noted; what makes any certificate
//! worthless (expired, revoked, too short a key) stops the connection all the same.

use super::chain::{Broken, Path, TrustLists, list_signed_by};
use super::parse::{Cert, Crl, algorithm_name, bits};
use crate::words;
use lineside_model::{StatusCode, Timestamp};
use opcua::crypto::SecurityPolicy;
use opcua::types::StatusCode as UaStatus;
use std::net::IpAddr;
use x509_cert::der::oid::db::rfc5912 as oid;

/// Whose certificate a finding is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Side {
    /// The server's; it is mended at the server, or by trusting it here.
    Server,
    /// That of this Lineside.
    Ours,
}

/// One thing that is wrong with a certificate.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finding {
    /// The standard's code, e.g. `0x801A0000`.
    pub status: StatusCode,
    /// The standard's name of the code, e.g. `BadCertificateUntrusted`.
    pub name: String,
    pub side: Side,
    /// What is wrong, in a sentence.
    pub what: String,
    /// What to do about it, in a sentence or two.
    pub todo: String,
    /// No connection is made while this stands; otherwise it is a note.
    pub blocks: bool,
}

/// What a certificate is compared with.
#[derive(Clone, Debug, Default)]
pub(crate) struct Expected<'a> {
    /// The server as the person wrote it, `host:port`.
    pub(crate) authority: &'a str,
    /// The application URI that the endpoint's description tells; `None` leaves the comparison out.
    pub(crate) uri: Option<&'a str>,
    /// The policy of the endpoint, which limits the key. `None`: any good one.
    pub(crate) policy: Option<SecurityPolicy>,
}

/// Checks `chain` (the certificate first, then the issuers that the server sent) at the time `now`.
pub(crate) fn check(chain: &[Cert], lists: &TrustLists, expected: &Expected<'_>, now: Timestamp) -> Vec<Finding> {
    let Some(path) = Path::build(chain, lists) else {
        return vec![unreadable(expected.authority, "it is empty")];
    };
    // Where nobody vouches for it, what would block is what still blocks once a person has trusted it.
    let alone = path.pinned || path.anchor.is_none();
    let mut findings = Findings { who: expected.authority, alone, list: Vec::new() };
    if chain.len() > 1 {
        findings.chain_sent();
    }
    findings.trust(&path);
    findings.revocation(&path, &lists.revocations, now);
    findings.validity(&path, now);
    findings.usage(path.certs[0]);
    findings.key(path.certs[0], expected.policy);
    findings.signature(&path);
    findings.host(path.certs[0]);
    if let Some(uri) = expected.uri {
        findings.uri(path.certs[0], uri);
    }
    findings.list
}

/// The finding for bytes that are no certificate.
pub(crate) fn unreadable(who: &str, why: &str) -> Finding {
    finding(
        UaStatus::BadCertificateInvalid,
        true,
        format!("{who} presents a certificate that cannot be read: {why}."),
        "Renew the certificate on the server.",
    )
}

fn finding(status: UaStatus, blocks: bool, what: String, todo: impl Into<String>) -> Finding {
    Finding {
        status: StatusCode(status.bits()),
        name: status.to_string(),
        side: Side::Server,
        what,
        todo: todo.into(),
        blocks,
    }
}

struct Findings<'a> {
    who: &'a str,
    /// A person's trust in this very certificate decides, and not an authority.
    alone: bool,
    list: Vec<Finding>,
}

impl Findings<'_> {
    fn add(&mut self, status: UaStatus, blocks: bool, what: String, todo: impl Into<String>) {
        self.list.push(finding(status, blocks, what, todo));
    }

    /// OPC 10000-6 6.2.3 allows it; the protocol library cannot read such a message, and the session would fail.
    fn chain_sent(&mut self) {
        self.add(
            UaStatus::BadCertificateInvalid,
            true,
            format!("{} sends the certificates of its issuers behind its own, which Lineside cannot talk to yet.", self.who),
            "Set the server to send its own certificate only (often \"SendCertificateChain\"), or use a self-signed one.",
        );
    }

    fn trust(&mut self, path: &Path<'_>) {
        let who = self.who;
        let leaf = path.certs[0];
        let (name, thumbprint) = (leaf.name(), leaf.thumbprint());
        if path.certs.len() == 1 && path.end == Some(Broken::SignatureWrong) && leaf.is_self_issued() {
            self.add(
                UaStatus::BadCertificateInvalid,
                true,
                format!("The certificate of {who} is forged or damaged: its own signature is wrong."),
                "Do not trust it. Renew the certificate on the server.",
            );
        }
        if path.pinned || path.anchor.is_some() {
            return;
        }
        let last = path.certs.last().map_or(leaf, |last| *last);
        let issuer = last.issuer().to_string();
        match path.end {
            Some(Broken::IssuerMissing) if !leaf.is_self_issued() => self.add(
                UaStatus::BadCertificateChainIncomplete,
                false,
                format!("The certificate of {who} is signed by \"{issuer}\", whose certificate is not known here."),
                "Import the issuer's certificate, or trust this very certificate.",
            ),
            Some(Broken::SignatureWrong) if !leaf.is_self_issued() => self.add(
                UaStatus::BadCertificateInvalid,
                false,
                format!("The certificate of {who} names \"{issuer}\" as its issuer, who did not sign it."),
                "Import the right certificate of the issuer. If you have it already, the certificate is forged.",
            ),
            Some(Broken::IssuerNoAuthority) => self.add(
                UaStatus::BadCertificateIssuerUseNotAllowed,
                false,
                format!("The certificate of {who} is signed by \"{issuer}\", which is no authority."),
                "Have the server's certificate signed by an authority, or trust this very certificate.",
            ),
            _ => {}
        }
        self.add(
            UaStatus::BadCertificateUntrusted,
            true,
            format!("The certificate of {who} (\"{name}\", thumbprint {thumbprint}) is not trusted yet, so nothing was sent."),
            "Compare the thumbprint with the one shown at the server; if it is the same, trust the certificate.",
        );
    }

    /// A certificate is revoked when any list that its issuer signed names it, also one that is old.
    fn revocation(&mut self, path: &Path<'_>, lists: &[Crl], now: Timestamp) {
        let who = self.who;
        for (at, pair) in path.needed().windows(2).enumerate() {
            let (cert, issuer) = (pair[0], pair[1]);
            let leaf = at == 0;
            let of: Vec<&Crl> = lists.iter().filter(|list| list_signed_by(list, issuer)).collect();
            let name = cert.name();
            if of.iter().any(|list| list.lists(cert)) {
                let status = if leaf { UaStatus::BadCertificateRevoked } else { UaStatus::BadCertificateIssuerRevoked };
                self.add(
                    status,
                    true,
                    format!("The certificate \"{name}\" of {who} was revoked by its issuer \"{}\".", issuer.name()),
                    "Do not use it. Renew the certificate on the server, and ask why the old one was revoked.",
                );
                continue;
            }
            let newest = of.iter().max_by_key(|list| list.issued());
            let status = if leaf {
                UaStatus::BadCertificateRevocationUnknown
            } else {
                UaStatus::BadCertificateIssuerRevocationUnknown
            };
            let what = match newest {
                None => format!(
                    "Whether \"{name}\" was revoked is not known: \"{}\" has no revocation list here.",
                    issuer.name()
                ),
                Some(list) if list.next().is_some_and(|next| next < now) => {
                    format!(
                        "The revocation list of \"{}\" is out of date, so that a newer revocation is not known.",
                        issuer.name()
                    )
                }
                Some(_) => continue,
            };
            self.add(status, false, what, "Import a current revocation list of this authority.");
        }
    }

    fn validity(&mut self, path: &Path<'_>, now: Timestamp) {
        let who = self.who;
        // Where the very certificate is pinned, its issuers vouch for nothing.
        let needed = if path.pinned { &path.certs[..1] } else { path.needed() };
        for (at, cert) in needed.iter().enumerate() {
            let (status, whose) = match at {
                0 => (UaStatus::BadCertificateTimeInvalid, format!("The certificate of {who}")),
                _ => (
                    UaStatus::BadCertificateIssuerTimeInvalid,
                    format!("The certificate of the issuer \"{}\" of {who}", cert.name()),
                ),
            };
            let (from, until) = cert.validity();
            let what = if now < from {
                format!(
                    "{whose} is not valid yet: it becomes valid on {}; it is {} here.",
                    words::day(from),
                    words::day(now)
                )
            } else if now > until {
                format!("{whose} expired on {}; it is {} here.", words::day(until), words::day(now))
            } else {
                continue;
            };
            self.add(
                status,
                true,
                what,
                "Compare the clocks of both machines; if they agree, renew the certificate on the server.",
            );
        }
    }

    /// OPC 10000-6 6.2.2: an application signs and encrypts with its key, and a server is one for servers.
    fn usage(&mut self, leaf: &Cert) {
        let key = leaf
            .key_usage()
            .is_none_or(|usage| usage.digital_signature() && (usage.key_encipherment() || usage.data_encipherment()));
        let purpose = leaf.extended_usage().is_none_or(|usage| {
            usage.0.iter().any(|usage| {
                *usage == oid::ID_KP_SERVER_AUTH || *usage == x509_cert::der::oid::db::rfc5280::ANY_EXTENDED_KEY_USAGE
            })
        });
        if !key || !purpose {
            let lacks = if key { "for use by a server" } else { "for signing and encrypting" };
            self.add(
                UaStatus::BadCertificateUseNotAllowed,
                !self.alone,
                format!("The certificate of {} was not made {lacks}.", self.who),
                "Renew it on the server with the key usages that OPC UA asks for, or trust this very certificate.",
            );
        }
    }

    fn key(&mut self, leaf: &Cert, policy: Option<SecurityPolicy>) {
        let who = self.who;
        let Some(key) = leaf.key() else {
            self.add(
                UaStatus::BadCertificateInvalid,
                true,
                format!("The key in the certificate of {who} is of an unknown kind."),
                "Renew the certificate on the server with an RSA key of 2048 bits.",
            );
            return;
        };
        let bits = bits(&key) as usize;
        let fits = policy.map_or((2048..=4096).contains(&bits), |policy| policy.is_valid_keylength(bits));
        if !fits {
            let by = policy.map_or_else(|| "good policies allow".to_string(), |policy| format!("{policy} allows"));
            self.add(
                UaStatus::BadCertificatePolicyCheckFailed,
                true,
                format!("The key of {who} has {bits} bits, which is not what {by}."),
                "Renew the certificate on the server with an RSA key of 2048 bits.",
            );
        }
    }

    fn signature(&mut self, path: &Path<'_>) {
        let who = self.who;
        if let Some(Broken::SignatureUnknown(algorithm)) = path.end
            && path.anchor.is_none()
        {
            self.add(
                UaStatus::BadCertificatePolicyCheckFailed,
                !self.alone,
                format!(
                    "The certificate of {who} is signed in a way that cannot be checked here ({}).",
                    algorithm_name(algorithm)
                ),
                "Have it signed with SHA-256 and RSA, or trust this very certificate.",
            );
        }
        // What a trusted authority is signed with does not matter: it is trusted as it is.
        let signed = &path.needed()[..path.anchor.unwrap_or(path.needed().len())];
        if signed.iter().any(|cert| cert.x509.signature_algorithm.oid == oid::SHA_1_WITH_RSA_ENCRYPTION) {
            self.add(
                UaStatus::BadCertificatePolicyCheckFailed,
                !self.alone,
                format!("The certificate of {who} is signed with SHA-1, which can be forged."),
                "Renew it on the server with SHA-256.",
            );
        }
    }

    fn host(&mut self, leaf: &Cert) {
        let host = host_of(self.who);
        if names_host(leaf, host) {
            return;
        }
        let mut names = leaf.host_names();
        names.extend(leaf.addresses().iter().map(IpAddr::to_string));
        let names = if names.is_empty() { "no name".to_string() } else { names.join(", ") };
        let todo = if self.alone {
            "Nothing has to be done where this very certificate is trusted. To be rid of the note, write one of these \
             names into the endpoint."
        } else {
            "Write one of these names into the endpoint, or renew the certificate on the server, or trust this very certificate."
        };
        self.add(
            UaStatus::BadCertificateHostNameInvalid,
            !self.alone,
            format!("The certificate of {} is made out to {names}, and not to {host}.", self.who),
            todo,
        );
    }

    fn uri(&mut self, leaf: &Cert, told: &str) {
        let in_certificate = leaf.application_uri();
        if in_certificate.as_deref() == Some(told) {
            return;
        }
        let carries = in_certificate.map_or_else(|| "no application URI".to_string(), |uri| format!("\"{uri}\""));
        self.add(
            UaStatus::BadCertificateUriInvalid,
            true,
            format!(
                "{} says it is \"{told}\", and its certificate carries {carries}: it may belong to another server.",
                self.who
            ),
            "Correct the application URI of the server, or renew its certificate, so that both are the same.",
        );
    }
}

/// The host of `host:port`, without the brackets of an IPv6 address.
pub(crate) fn host_of(authority: &str) -> &str {
    if let Some((host, _)) = authority.strip_prefix('[').and_then(|rest| rest.split_once(']')) {
        return host;
    }
    authority.rsplit_once(':').map_or(authority, |(host, _)| host)
}

/// Is `host` among the names or addresses? A leading `*.` stands for one label (RFC 6125 6.4.3).
fn names_host(cert: &Cert, host: &str) -> bool {
    if let Ok(address) = host.parse::<IpAddr>() {
        return cert.addresses().contains(&address) || cert.host_names().iter().any(|name| name == host);
    }
    let host = host.trim_end_matches('.');
    cert.host_names().iter().any(|name| {
        let name = name.trim_end_matches('.');
        let below = name.strip_prefix("*.").zip(host.split_once('.'));
        name.eq_ignore_ascii_case(host) || below.is_some_and(|(name, (_, host))| name.eq_ignore_ascii_case(host))
    })
}
