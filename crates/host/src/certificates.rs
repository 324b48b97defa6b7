//! Certificates for screens: the stores on this PC, and what is wrong with a certificate.

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use lineside_api::wire::*;
use lineside_model::Timestamp;
use lineside_opcua::pki::{CertificateInfo, Finding, RevocationListInfo, Side, Store};

const DAY_MS: f64 = 86_400_000.0;

/// All that lies in the store, at the time `now`.
pub(crate) fn view(store: &Store, now: Timestamp) -> CertificatesView {
    let all = |certificates: &[CertificateInfo], place: &CertificatePlace| {
        certificates.iter().map(|info| certificate(info, place.clone(), &[], now)).collect()
    };
    let own = &store.own;
    CertificatesView {
        own: certificate(&own.info, CertificatePlace::Own, &own.findings, now),
        own_pem: own.pem.clone(),
        own_der: BASE64_STANDARD.encode(&own.der),
        own_file: own.info.file.as_ref().map(|file| file.display().to_string()).unwrap_or_default(),
        trusted: all(&store.trusted, &CertificatePlace::Trusted),
        issuers: all(&store.issuers, &CertificatePlace::Issuer),
        rejected: all(&store.rejected, &CertificatePlace::Rejected),
        revocation_lists: store.revocation_lists.iter().map(revocation).collect(),
    }
}

/// One certificate with what is wrong with it.
pub(crate) fn certificate(
    info: &CertificateInfo,
    place: CertificatePlace,
    findings: &[Finding],
    now: Timestamp,
) -> CertificateView {
    let left = (info.not_after.as_millis_f64() - now.as_millis_f64()) / DAY_MS;
    let addresses = info.addresses.iter().map(ToString::to_string);
    CertificateView {
        thumbprint: info.thumbprint.clone(),
        sha256: info.sha256.clone(),
        subject: info.subject.clone(),
        issuer: info.issuer.clone(),
        self_signed: info.self_signed,
        not_before_ms: info.not_before.as_millis_f64(),
        not_after_ms: info.not_after.as_millis_f64(),
        days_left: left.floor(),
        host_names: info.host_names.iter().cloned().chain(addresses).collect(),
        application_uri: info.application_uri.clone().unwrap_or_default(),
        key_bits: info.key_bits.unwrap_or_default(),
        signature: info.signature_algorithm.clone(),
        place,
        findings: findings.iter().map(finding).collect(),
    }
}

/// The list in which a certificate lies.
pub(crate) fn place(store: &Store, thumbprint: &str) -> CertificatePlace {
    let among = |list: &[CertificateInfo]| list.iter().any(|info| same(&info.thumbprint, thumbprint));
    if same(&store.own.info.thumbprint, thumbprint) {
        CertificatePlace::Own
    } else if among(&store.trusted) {
        CertificatePlace::Trusted
    } else if among(&store.issuers) {
        CertificatePlace::Issuer
    } else if among(&store.rejected) {
        CertificatePlace::Rejected
    } else {
        CertificatePlace::Unknown
    }
}

/// The same thumbprint, SHA-1 or SHA-256, however it is written.
pub(crate) fn same(a: &str, b: &str) -> bool {
    let plain = |text: &str| text.chars().filter(char::is_ascii_hexdigit).collect::<String>();
    plain(a).eq_ignore_ascii_case(&plain(b))
}

fn finding(from: &Finding) -> CertificateFinding {
    CertificateFinding {
        status: from.status.0,
        side: match from.side {
            Side::Server => FindingSide::Server,
            Side::Ours => FindingSide::Lineside,
        },
        problem: from.what.clone(),
        remedy: from.todo.clone(),
        blocks: from.blocks,
    }
}

fn revocation(from: &RevocationListInfo) -> RevocationView {
    RevocationView {
        issuer: from.issuer.clone(),
        file: from.file.as_ref().map(|file| file.display().to_string()).unwrap_or_default(),
        next_update_ms: from.next.map(Timestamp::as_millis_f64),
        revoked: u32::try_from(from.revoked).unwrap_or(u32::MAX),
    }
}
