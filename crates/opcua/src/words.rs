//! What went wrong, in words for the person at the line: what happened, what it means, what to do.
//!
//! A [`Trouble`] becomes the status and detail of `Input::Link`. Nothing here decides; it only says.

use crate::pki::OwnCertificate;
use lineside_model::config::User;
use lineside_model::{StatusCode, Timestamp};
use opcua::types::StatusCode as UaStatus;
use std::io::ErrorKind;
use std::path::Path;
use std::time::Duration;

/// Why there is no connection.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Trouble {
    pub status: StatusCode,
    /// Complete sentences: what happened, and what to do.
    pub detail: String,
}

impl Trouble {
    pub(crate) fn new(status: UaStatus, detail: impl Into<String>) -> Trouble {
        Trouble { status: StatusCode(status.bits()), detail: detail.into() }
    }
}

/// No TCP connection to `host` (as written in the configuration).
pub(crate) fn unreachable(host: &str, kind: ErrorKind, text: &str) -> Trouble {
    match kind {
        ErrorKind::ConnectionRefused => Trouble::new(
            UaStatus::BadConnectionRejected,
            format!(
                "{host} refuses the connection: the machine answers, but no OPC UA server listens on this port. \
                 Start the server, or correct the port in the endpoint."
            ),
        ),
        ErrorKind::NotFound => Trouble::new(
            UaStatus::BadTcpEndpointUrlInvalid,
            format!(
                "The name of {host} cannot be resolved. Correct the name in the endpoint, or write the IP address; \
                 if it is right, ask for the DNS server."
            ),
        ),
        ErrorKind::TimedOut => no_answer(host, "the TCP connection"),
        _ => Trouble::new(
            UaStatus::BadCommunicationError,
            format!("{host} cannot be reached: {text}. Check the cable, the switch, and the route to the server."),
        ),
    }
}

/// Nothing came back in time.
pub(crate) fn no_answer(host: &str, step: &str) -> Trouble {
    Trouble::new(
        UaStatus::BadTimeout,
        format!(
            "{host} did not answer {step} in time. The server hangs or is overloaded, or a firewall drops the \
             packets. Check that the server runs and that the port is open on the way to it."
        ),
    )
}

/// The server spoke, but did not list its endpoints.
pub(crate) fn no_endpoints(host: &str, error: &opcua::types::Error) -> Trouble {
    Trouble::new(
        error.status(),
        format!(
            "{host} does not tell its endpoints ({}). Something answers there that may be no OPC UA server; check \
             the host and the port in the endpoint.",
            error.status()
        ),
    )
}

/// The session was not opened, after the endpoint had been chosen and the server's certificate trusted.
pub(crate) fn no_session(host: &str, status: UaStatus, secured: bool, own: &OwnCertificate, user: &User) -> Trouble {
    let detail = match code(status) {
        _ if is_user_refusal(status) => user_refused(host, user),
        UaStatus::BadTooManySessions => format!(
            "{host} has no session left ({status}). Close other clients, or raise the server's session limit. \
             Sessions of a lost connection end by themselves after a minute or so."
        ),
        UaStatus::BadTimeout => return no_answer(host, "the opening of the session"),
        UaStatus::BadSecurityPolicyRejected | UaStatus::BadSecurityModeRejected => format!(
            "{host} offers this security and then refuses it ({status}). Write another `security` for this connection \
             in plant.toml, or correct the server's list of endpoints."
        ),
        _ if secured => match our_certificate_refused(host, status, own) {
            Some(detail) => detail,
            None => unexplained(host, status),
        },
        _ => unexplained(host, status),
    };
    Trouble::new(status, detail)
}

/// What a server has against our certificate. Many do not say, and just close the connection.
fn our_certificate_refused(host: &str, status: UaStatus, own: &OwnCertificate) -> Option<String> {
    let file = own.info.file.as_deref().unwrap_or(Path::new("")).display();
    let text = match code(status) {
        UaStatus::BadCertificateUriInvalid => format!(
            "{host} refuses our certificate ({status}): it does not carry the application URI {} that the server \
             expects. Delete what the server keeps of an earlier Lineside, and have the certificate {file} trusted there.",
            own.uri
        ),
        UaStatus::BadCertificateTimeInvalid | UaStatus::BadCertificateIssuerTimeInvalid => format!(
            "{host} finds our certificate expired or not yet valid ({status}); it is valid from {} until {}. Compare \
             the clocks of both machines; if they agree, renew the certificate in Setup and have it trusted on the server.",
            day(own.info.not_before),
            day(own.info.not_after)
        ),
        UaStatus::BadCertificateHostNameInvalid => format!(
            "{host} refuses our certificate because of the host name in it ({status}). Renew the certificate in Setup \
             after this machine was renamed, and have it trusted on the server."
        ),
        UaStatus::BadCertificateUseNotAllowed | UaStatus::BadCertificatePolicyCheckFailed => format!(
            "{host} does not accept the kind of our certificate ({status}): its key usage, its key of {} bits or its \
             signature. Look up what the server asks for, and put such a certificate in place of {file}.",
            own.info.key_bits.unwrap_or_default()
        ),
        UaStatus::BadCertificateRevoked | UaStatus::BadCertificateIssuerRevoked => format!(
            "{host} says that our certificate was revoked ({status}). Ask who runs the server's certificate authority."
        ),
        UaStatus::BadCertificateChainIncomplete
        | UaStatus::BadCertificateRevocationUnknown
        | UaStatus::BadCertificateIssuerRevocationUnknown => format!(
            "{host} cannot check who signed our certificate ({status}). Install the issuer's certificate and its \
             revocation list on the server."
        ),
        _ if may_be_distrust(status) => format!(
            "{host} ended the connection during the secure handshake ({status}). Most often it does not trust this \
             Lineside yet: on the server, move the certificate with thumbprint {} from its rejected to its trusted \
             certificates, or import {file}. Lineside tries again by itself.",
            own.info.thumbprint
        ),
        _ => return None,
    };
    Some(text)
}

fn unexplained(host: &str, status: UaStatus) -> String {
    format!("{host} did not open a session ({status}). The server's own log says why; Lineside tries again by itself.")
}

/// An established connection ended.
pub(crate) fn link_lost(host: &str, status: UaStatus) -> Trouble {
    let detail = match code(status) {
        UaStatus::BadDecodingError | UaStatus::BadEncodingLimitsExceeded => format!(
            "{host} sent a message that cannot be read ({status}); the connection had to be closed. If it happens \
             again and again, remove the tag with the largest or most unusual value from plant.toml."
        ),
        UaStatus::BadSessionClosed | UaStatus::BadSessionIdInvalid => {
            format!("{host} closed our session ({status}); it may have been restarted or have closed it on request.")
        }
        _ => format!("The connection to {host} broke ({status}): a cable, a switch, or the server stopped."),
    };
    let status = if status.is_bad() { status } else { UaStatus::BadConnectionClosed };
    Trouble::new(status, detail)
}

/// The server promised a sign of life and sent none.
pub(crate) fn silent(host: &str, silence: Duration) -> Trouble {
    Trouble::new(
        UaStatus::BadNoCommunication,
        format!(
            "{host} was silent for {:.0} s although it must report more often; the connection was given up. The \
             server hangs, or the network between drops packets without closing the connection.",
            silence.as_secs_f64()
        ),
    )
}

/// The subscriptions are gone although the session is not.
pub(crate) fn subscription_gone(host: &str, status: UaStatus) -> Trouble {
    Trouble::new(
        status,
        format!("{host} ended our subscription ({status}). Lineside connects again and subscribes anew."),
    )
}

/// The session stands, but a service that we cannot do without failed.
pub(crate) fn service_failed(host: &str, what: &str, status: UaStatus) -> Trouble {
    let advice = match code(status) {
        UaStatus::BadTooManySubscriptions => {
            "Close other clients or raise the server's subscription limit; those of a lost connection end by themselves."
        }
        UaStatus::BadTimeout => "The server is overloaded, or the tag list is too long for it.",
        UaStatus::BadUserAccessDenied => "Give this user the right to read and to subscribe.",
        _ => "The server's own log says why.",
    };
    Trouble::new(status, format!("{host} failed to {what} ({status}). {advice}"))
}

/// The server took the link but not these tags, of which `tag` is the first.
pub(crate) fn refused(count: usize, tag: &str, node: &str, status: UaStatus) -> String {
    let advice = match code(status) {
        UaStatus::BadDecodingError => {
            "Its value cannot be decoded and would close the connection, so it was left out; the others are not \
             affected. Ask the server's maker, or remove the tag."
        }
        UaStatus::BadTooManyMonitoredItems | UaStatus::BadTooManySubscriptions => {
            "The server takes no more items. Raise its limit, or remove tags that nobody needs."
        }
        _ => "Correct the node, or the rights of the user.",
    };
    format!("{count} tags were refused, the first is {tag} ({node}: {status}). {advice}")
}

/// The code without information bits, to compare with.
pub(crate) fn code(status: UaStatus) -> UaStatus {
    UaStatus::from(status.bits() & 0xFFFF_0000)
}

fn user_refused(host: &str, user: &User) -> String {
    match user {
        User::Name { name, password_env: Some(variable) } => format!(
            "{host} refuses the user \"{name}\": the name or the password is wrong, or the user may not log in. Check \
             `user` in plant.toml and the password in the environment variable {variable} (`password_env`)."
        ),
        User::Name { name, password_env: None } => format!(
            "{host} refuses the user \"{name}\": the name or the password is wrong, or the user may not log in. Check \
             `user` in plant.toml, and enter the password again in Setup."
        ),
        User::Certificate { certificate, .. } => format!(
            "{host} refuses the user certificate {certificate}: have it trusted among the server's user certificates, \
             and give this user the right to log in."
        ),
        User::Anonymous => format!(
            "{host} refuses anonymous users. Set `user` for this connection in plant.toml and enter the password in \
             Setup, or allow anonymous access on the server."
        ),
    }
}

/// `2026-11-22 16:31 UTC`
pub(crate) fn day(at: Timestamp) -> String {
    let since = Duration::from_nanos(u64::try_from(at.0).unwrap_or_default());
    match x509_cert::der::DateTime::from_unix_duration(since) {
        Ok(at) => {
            format!("{:04}-{:02}-{:02} {:02}:{:02} UTC", at.year(), at.month(), at.day(), at.hour(), at.minutes())
        }
        Err(_) => "a date that cannot be shown".to_string(),
    }
}

fn is_user_refusal(status: UaStatus) -> bool {
    matches!(
        code(status),
        UaStatus::BadIdentityTokenRejected
            | UaStatus::BadIdentityTokenInvalid
            | UaStatus::BadUserAccessDenied
            | UaStatus::BadUserSignatureInvalid
    )
}

/// Servers that do not trust a client say so in many ways; many just close the connection.
fn may_be_distrust(status: UaStatus) -> bool {
    matches!(
        code(status),
        UaStatus::BadSecurityChecksFailed
            | UaStatus::BadCertificateUntrusted
            | UaStatus::BadCertificateInvalid
            | UaStatus::BadCertificateUseNotAllowed
            | UaStatus::BadCertificateChainIncomplete
            | UaStatus::BadConnectionClosed
            | UaStatus::BadConnectionRejected
            | UaStatus::BadSecureChannelClosed
            | UaStatus::BadCommunicationError
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Each text must say what happened and what to do, with the words a person looks for.
    #[test]
    fn every_failure_says_what_to_do() {
        let folder = tempfile::tempdir().unwrap();
        let own = crate::pki::own(&crate::Settings::new(folder.path())).unwrap();
        let session = |status, user: &User| no_session("plc:4840", status, true, &own, user);
        let nobody = &User::Anonymous;
        let name =
            |variable: Option<&str>| User::Name { name: "op".into(), password_env: variable.map(str::to_string) };
        let holder = &User::Certificate { certificate: "op.der".into(), key: "op.pem".into() };
        let check = |trouble: Trouble, words: &[&str]| {
            for word in words {
                assert!(trouble.detail.contains(word), "{word:?} is not in {:?}", trouble.detail);
            }
            assert!(trouble.status.is_bad(), "{trouble:?}");
        };
        check(unreachable("plc:4840", ErrorKind::ConnectionRefused, ""), &["plc:4840", "Start the server", "port"]);
        check(unreachable("plc:4840", ErrorKind::NotFound, ""), &["resolved", "IP address"]);
        check(unreachable("plc:4840", ErrorKind::TimedOut, ""), &["firewall"]);
        check(unreachable("plc:4840", ErrorKind::HostUnreachable, "no route"), &["no route", "cable"]);
        let thumbprint = own.info.thumbprint.as_str();
        check(session(UaStatus::BadSecurityChecksFailed, nobody), &["trust", thumbprint, "own/certs/lineside.der"]);
        check(session(UaStatus::BadConnectionClosed, nobody), &["trust", thumbprint]);
        check(session(UaStatus::BadIdentityTokenRejected, &name(Some("PW"))), &["\"op\"", "password_env", "PW"]);
        check(session(UaStatus::BadUserAccessDenied, &name(None)), &["\"op\"", "Setup"]);
        check(session(UaStatus::BadUserAccessDenied, nobody), &["anonymous", "`user`"]);
        check(session(UaStatus::BadIdentityTokenRejected, holder), &["op.der", "user certificates"]);
        check(session(UaStatus::BadTooManySessions, nobody), &["session limit"]);
        check(session(UaStatus::BadSecurityPolicyRejected, nobody), &["`security`"]);
        check(session(UaStatus::BadCertificateTimeInvalid, nobody), &["clocks", "UTC", "renew"]);
        check(session(UaStatus::BadCertificateUriInvalid, nobody), &[&own.uri]);
        check(session(UaStatus::BadCertificateHostNameInvalid, nobody), &["host name"]);
        check(session(UaStatus::BadCertificateUseNotAllowed, nobody), &["2048 bits"]);
        check(session(UaStatus::BadCertificateRevoked, nobody), &["revoked"]);
        check(session(UaStatus::BadCertificateChainIncomplete, nobody), &["issuer's certificate"]);
        check(link_lost("plc:4840", UaStatus::Good), &["broke"]);
        check(link_lost("plc:4840", UaStatus::BadDecodingError), &["plant.toml"]);
        check(silent("plc:4840", Duration::from_secs(6)), &["6 s"]);
        assert!(refused(3, "Speed", "i=1", UaStatus::BadDecodingError).contains("left out"));
        assert!(refused(3, "Speed", "i=1", UaStatus::BadNodeIdUnknown).starts_with("3 tags were refused"));
    }
}
