//! What a server offers, graded: how strong each endpoint is, and whether a password would be safe on it.

use super::address::Address;
use crate::connect::endpoint;
use opcua::types::{EndpointDescription, MessageSecurityMode, UserTokenType};

/// More endpoints than any server has (6 policies, 2 modes, some transports).
pub(super) const ENDPOINTS_MAX: usize = 100;

/// How good the security of an endpoint is. Ordered: the strongest is the greatest.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Grade {
    /// A policy that this client does not speak.
    Unsupported,
    /// No security at all: only when asked for in so many words.
    None,
    /// SHA-1 (Basic128Rsa15, Basic256): refused unless asked for in so many words.
    Weak,
    /// Old but acceptable (Basic256Sha256).
    Accepted,
    /// Aes128_Sha256_RsaOaep, Aes256_Sha256_RsaPss.
    Strong,
}

/// One endpoint of a server.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EndpointFound {
    /// The address to use, with the host and port by which the server was reached.
    pub url: String,
    /// What the server told, where that is another host or port.
    pub told_url: Option<String>,
    /// `Basic256Sha256/SignAndEncrypt`, as `security` in `plant.toml` takes it; `None` without security.
    pub security: String,
    /// `Basic256Sha256`
    pub policy: String,
    /// Messages are encrypted; otherwise signed only, or nothing.
    pub encrypted: bool,
    pub grade: Grade,
    pub users: Vec<UserOffer>,
    /// SHA-1 of the certificate that the server uses here, if it names one.
    pub thumbprint: Option<String>,
}

/// A way to log in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UserOffer {
    pub kind: UserKind,
    /// The policy that protects the secret or the signature; `None` where nothing does.
    pub policy: String,
    /// What is sent can neither be read nor be lured out by another server. A password under an encrypting policy
    /// over a channel without security counts as unsafe: nobody knows then who receives it.
    pub safe: bool,
}

/// Kinds of users.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum UserKind {
    Anonymous,
    /// User name and password.
    Name,
    /// X.509 certificate.
    Certificate,
    /// A token of an authorisation service, which Lineside does not speak.
    Issued,
}

/// The endpoints over opc.tcp, the strongest first.
pub(super) fn graded(offers: &[EndpointDescription], asked: &Address) -> Vec<EndpointFound> {
    let mut found: Vec<EndpointFound> = offers
        .iter()
        .filter(|offer| offer.endpoint_url.as_ref().starts_with("opc.tcp://"))
        .take(ENDPOINTS_MAX)
        .map(|offer| one(offer, asked))
        .collect();
    found.sort_by_key(|endpoint| {
        std::cmp::Reverse((endpoint.grade, endpoint::policy_rank(&endpoint.policy), endpoint.encrypted))
    });
    found
}

fn one(offer: &EndpointDescription, asked: &Address) -> EndpointFound {
    let told = offer.endpoint_url.as_ref();
    let elsewhere = Address::parse(told).map_or(true, |address| !address.same_authority(asked));
    let url = if elsewhere { endpoint::with_authority_of(told, &asked.to_string()) } else { told.to_string() };
    let certificate = offer.server_certificate.value.as_deref().unwrap_or_default();
    EndpointFound {
        url,
        told_url: elsewhere.then(|| told.chars().take(500).collect()),
        security: endpoint::describe(offer),
        policy: endpoint::policy_name(offer.security_policy_uri.as_ref()).to_string(),
        encrypted: offer.security_mode == MessageSecurityMode::SignAndEncrypt,
        grade: grade(offer),
        users: offer
            .user_identity_tokens
            .iter()
            .flatten()
            .take(ENDPOINTS_MAX)
            .map(|token| user(offer, token))
            .collect(),
        thumbprint: crate::pki::Cert::parse_chain(certificate).ok().map(|chain| chain[0].thumbprint()),
    }
}

fn grade(offer: &EndpointDescription) -> Grade {
    if offer.security_mode == MessageSecurityMode::None {
        return Grade::None;
    }
    match endpoint::policy_name(offer.security_policy_uri.as_ref()) {
        "Aes256_Sha256_RsaPss" | "Aes128_Sha256_RsaOaep" => Grade::Strong,
        "Basic256Sha256" => Grade::Accepted,
        "Basic256" | "Basic128Rsa15" => Grade::Weak,
        "None" => Grade::None,
        _ => Grade::Unsupported,
    }
}

fn user(offer: &EndpointDescription, token: &opcua::types::UserTokenPolicy) -> UserOffer {
    let kind = match token.token_type {
        UserTokenType::Anonymous => UserKind::Anonymous,
        UserTokenType::UserName => UserKind::Name,
        UserTokenType::Certificate => UserKind::Certificate,
        UserTokenType::IssuedToken => UserKind::Issued,
    };
    let policy = endpoint::token_policy(offer, token);
    let safe = match kind {
        UserKind::Anonymous => true,
        UserKind::Name => endpoint::is_secured(offer) && endpoint::password_is_encrypted(offer, token),
        UserKind::Certificate | UserKind::Issued => endpoint::is_secured(offer) && endpoint::policy_rank(policy) > 0,
    };
    UserOffer { kind, policy: endpoint::policy_name(policy).to_string(), safe }
}

#[cfg(test)]
mod tests {
    use super::*;
    use MessageSecurityMode::{None as Plain, Sign, SignAndEncrypt as Encrypt};
    use opcua::types::{UAString, UserTokenPolicy};

    fn offer(url: &str, policy: &str, mode: MessageSecurityMode, token: (UserTokenType, &str)) -> EndpointDescription {
        let uri = |name: &str| match name {
            "" => UAString::null(),
            name => UAString::from(format!("http://opcfoundation.org/UA/SecurityPolicy#{name}")),
        };
        let token = UserTokenPolicy { token_type: token.0, security_policy_uri: uri(token.1), ..Default::default() };
        EndpointDescription {
            endpoint_url: url.into(),
            security_policy_uri: uri(policy),
            security_mode: mode,
            user_identity_tokens: Some(vec![token]),
            ..Default::default()
        }
    }

    #[test]
    fn the_strongest_comes_first_and_every_policy_has_its_grade() {
        let name = (UserTokenType::UserName, "");
        let url = "opc.tcp://plc:4840/";
        let offers = [
            offer(url, "None", Plain, name),
            offer(url, "ECC_nistP256", Encrypt, name),
            offer(url, "Basic128Rsa15", Encrypt, name),
            offer(url, "Basic256Sha256", Sign, name),
            offer(url, "Aes128_Sha256_RsaOaep", Encrypt, name),
            offer(url, "Basic256Sha256", Encrypt, name),
            offer(url, "Aes256_Sha256_RsaPss", Sign, name),
            offer("https://plc/", "Aes256_Sha256_RsaPss", Encrypt, name),
        ];
        let asked = Address::parse("plc").unwrap();
        let found: Vec<_> = graded(&offers, &asked).into_iter().map(|one| (one.security, one.grade)).collect();
        let expected = [
            ("Aes256_Sha256_RsaPss/Sign", Grade::Strong),
            ("Aes128_Sha256_RsaOaep/SignAndEncrypt", Grade::Strong),
            ("Basic256Sha256/SignAndEncrypt", Grade::Accepted),
            ("Basic256Sha256/Sign", Grade::Accepted),
            ("Basic128Rsa15/SignAndEncrypt", Grade::Weak),
            ("None", Grade::None),
            ("ECC_nistP256/SignAndEncrypt", Grade::Unsupported),
        ];
        assert_eq!(found, expected.map(|(security, grade)| (security.to_string(), grade)));
    }

    #[test]
    fn a_password_is_safe_only_where_it_is_encrypted_for_a_known_server() {
        let check = |policy: &str, mode, token: (UserTokenType, &str), safe: bool| {
            let found = graded(&[offer("opc.tcp://plc:4840/", policy, mode, token)], &Address::parse("plc").unwrap());
            assert_eq!(found[0].users[0].safe, safe, "{policy} {mode:?} {token:?}");
        };
        let name = |policy| (UserTokenType::UserName, policy);
        check("None", Plain, (UserTokenType::Anonymous, ""), true);
        check("None", Plain, name(""), false);
        check("None", Plain, name("Basic256Sha256"), false);
        check("Basic256Sha256", Sign, name("None"), false);
        check("Basic256Sha256", Sign, name(""), true);
        check("Basic256Sha256", Encrypt, name("None"), true);
        check("Basic256Sha256", Sign, (UserTokenType::Certificate, ""), true);
        check("None", Plain, (UserTokenType::Certificate, ""), false);
    }

    #[test]
    fn the_host_by_which_the_server_was_reached_is_kept_and_the_other_one_told() {
        let check = |told: &str, asked: &str, url: &str, marked: bool| {
            let token = (UserTokenType::Anonymous, "");
            let found = graded(&[offer(told, "None", Plain, token)], &Address::parse(asked).unwrap());
            assert_eq!((found[0].url.as_str(), found[0].told_url.is_some()), (url, marked));
        };
        check("opc.tcp://plc:4840/a", "plc", "opc.tcp://plc:4840/a", false);
        check("opc.tcp://PLC/a", "plc", "opc.tcp://PLC/a", false);
        check("opc.tcp://inner:4840/a", "plc:14840", "opc.tcp://plc:14840/a", true);
        check("opc.tcp://plc:4840/a", "plc:14840", "opc.tcp://plc:14840/a", true);
        check("opc.tcp://bad host/a", "[::1]:7", "opc.tcp://[::1]:7/a", true);
    }
}
