//! Which of the server's endpoints to use: the strongest that suits, never a weaker one than asked for.
//!
//! Ranked by policy first and mode second, not by the server's own `securityLevel` (which "best"
//! helpers follow down to None). The user's host and port are kept: servers tell host names that
//! the client cannot resolve, and ports behind a translation.

use crate::words::Trouble;
use lineside_model::config::{Connection, Security, User};
use opcua::types::{EndpointDescription, MessageSecurityMode, StatusCode, UAString, UserTokenPolicy, UserTokenType};

const POLICY_BASE: &str = "http://opcfoundation.org/UA/SecurityPolicy#";

/// Chooses from `offers`. The result carries the user's host and port, and exactly one user token policy.
pub(crate) fn choose(offers: &[EndpointDescription], connection: &Connection) -> Result<EndpointDescription, Trouble> {
    let mut secure: Vec<&EndpointDescription> = offers
        .iter()
        .filter(|offer| offer.endpoint_url.as_ref().starts_with("opc.tcp://"))
        .filter(|offer| suits(offer, &connection.security))
        .collect();
    secure.sort_by_key(|offer| std::cmp::Reverse(strength(offer)));
    if secure.is_empty() {
        return Err(none_suits(offers, connection));
    }
    let found = secure.iter().find_map(|offer| Some((*offer, token(offer, &connection.user)?)));
    let (offer, token) = found.ok_or_else(|| no_token(&secure, connection))?;
    let mut chosen = offer.clone();
    chosen.endpoint_url = UAString::from(with_authority_of(offer.endpoint_url.as_ref(), &connection.endpoint));
    chosen.user_identity_tokens = Some(vec![token]);
    Ok(chosen)
}

/// `Basic256Sha256/SignAndEncrypt`, as configurations write it.
pub(crate) fn describe(offer: &EndpointDescription) -> String {
    match offer.security_mode {
        MessageSecurityMode::None => "None".to_string(),
        mode => format!("{}/{mode:?}", policy_name(offer.security_policy_uri.as_ref())),
    }
}

/// Is anything signed on this endpoint?
pub(crate) fn is_secured(offer: &EndpointDescription) -> bool {
    matches!(offer.security_mode, MessageSecurityMode::Sign | MessageSecurityMode::SignAndEncrypt)
}

/// `host:port` of an endpoint URL, as written.
pub(crate) fn authority(url: &str) -> &str {
    let rest = url.strip_prefix("opc.tcp://").unwrap_or(url);
    rest.split(['/', '?']).next().unwrap_or(rest)
}

pub(crate) fn with_authority_of(url: &str, user_url: &str) -> String {
    let path = url.strip_prefix("opc.tcp://").and_then(|rest| rest.find('/').map(|at| &rest[at..])).unwrap_or("");
    format!("opc.tcp://{}{path}", authority(user_url))
}

pub(crate) fn policy_name(uri: &str) -> &str {
    uri.strip_prefix(POLICY_BASE).unwrap_or(uri)
}

/// Rank of a policy; 0 for None, for what is broken (SHA-1) and for what we do not speak.
pub(crate) fn policy_rank(uri: &str) -> u8 {
    match policy_name(uri) {
        "Aes256_Sha256_RsaPss" => 3,
        "Aes128_Sha256_RsaOaep" => 2,
        "Basic256Sha256" => 1,
        _ => 0,
    }
}

pub(crate) fn strength(offer: &EndpointDescription) -> (u8, bool) {
    (policy_rank(offer.security_policy_uri.as_ref()), offer.security_mode == MessageSecurityMode::SignAndEncrypt)
}

fn suits(offer: &EndpointDescription, security: &Security) -> bool {
    match security {
        Security::Best => is_secured(offer) && policy_rank(offer.security_policy_uri.as_ref()) > 0,
        Security::None => offer.security_mode == MessageSecurityMode::None,
        Security::Exact { policy, encrypt } => {
            let mode = if *encrypt { MessageSecurityMode::SignAndEncrypt } else { MessageSecurityMode::Sign };
            offer.security_mode == mode && same_policy(policy_name(offer.security_policy_uri.as_ref()), policy)
        }
    }
}

/// Policies are written with and without underscores.
fn same_policy(a: &str, b: &str) -> bool {
    let letters = |name: &str| name.chars().filter(char::is_ascii_alphanumeric).collect::<String>();
    letters(a).eq_ignore_ascii_case(&letters(b))
}

/// The token policy for `user`, if this endpoint has one under which no password travels in the clear.
fn token(offer: &EndpointDescription, user: &User) -> Option<UserTokenPolicy> {
    let offered = offer.user_identity_tokens.iter().flatten();
    match user {
        User::Anonymous => offered.into_iter().find(|token| token.token_type == UserTokenType::Anonymous).cloned(),
        User::Name { .. } => offered
            .into_iter()
            .filter(|token| token.token_type == UserTokenType::UserName)
            .filter(|token| password_is_encrypted(offer, token))
            .max_by_key(|token| policy_rank(token_policy(offer, token)))
            .cloned(),
        User::Certificate { .. } => offered
            .into_iter()
            .filter(|token| token.token_type == UserTokenType::Certificate)
            .filter(|token| signature_is_made(offer, token))
            .max_by_key(|token| policy_rank(token_policy(offer, token)))
            // In so many words: the library takes an empty policy for None, and could then sign nothing.
            .map(|token| UserTokenPolicy { security_policy_uri: token_policy(offer, token).into(), ..token.clone() }),
    }
}

/// The policy that encrypts the token: its own, or the channel's where it names none (OPC 10000-4 7.41).
pub(crate) fn token_policy<'a>(offer: &'a EndpointDescription, token: &'a UserTokenPolicy) -> &'a str {
    if token.security_policy_uri.is_empty() {
        offer.security_policy_uri.as_ref()
    } else {
        token.security_policy_uri.as_ref()
    }
}

pub(crate) fn password_is_encrypted(offer: &EndpointDescription, token: &UserTokenPolicy) -> bool {
    let policy = policy_name(token_policy(offer, token));
    match policy {
        "None" => offer.security_mode == MessageSecurityMode::SignAndEncrypt,
        _ => policy_rank(policy) > 0 || is_secured(offer),
    }
}

/// Some servers ask for SHA-1 signatures of users even on their best channel, which protects them.
fn signature_is_made(offer: &EndpointDescription, token: &UserTokenPolicy) -> bool {
    let policy = policy_name(token_policy(offer, token));
    policy_rank(policy) > 0 || (is_secured(offer) && matches!(policy, "Basic256" | "Basic128Rsa15"))
}

fn none_suits(offers: &[EndpointDescription], connection: &Connection) -> Trouble {
    let host = authority(&connection.endpoint);
    let mut offered: Vec<String> = offers.iter().map(describe).collect();
    offered.sort();
    offered.dedup();
    let offered = if offered.is_empty() { "nothing".to_string() } else { offered.join(", ") };
    let advice = match &connection.security {
        Security::Best => {
            "Lineside connects securely unless told otherwise, and does not accept these. Enable Basic256Sha256 or \
             better on the server; on a network that is protected otherwise, write security = \"none\" for this \
             connection in plant.toml."
                .to_string()
        }
        Security::None => {
            "It has no endpoint without security. Leave out security = \"none\" for this connection in plant.toml."
                .to_string()
        }
        Security::Exact { policy, encrypt } => format!(
            "{policy}/{} is not among them. Enable it on the server, or write another one of these, or \
             security = \"best\", in plant.toml.",
            if *encrypt { "SignAndEncrypt" } else { "Sign" }
        ),
    };
    Trouble::new(StatusCode::BadSecurityPolicyRejected, format!("{host} offers {offered}. {advice}"))
}

fn no_token(secure: &[&EndpointDescription], connection: &Connection) -> Trouble {
    let host = authority(&connection.endpoint);
    let takes_names = secure
        .iter()
        .flat_map(|offer| offer.user_identity_tokens.iter().flatten())
        .any(|token| token.token_type == UserTokenType::UserName);
    let detail = match (&connection.user, takes_names) {
        (User::Anonymous, _) => format!(
            "{host} does not accept anonymous users. Set `user` and `password_env` for this connection in plant.toml."
        ),
        (User::Name { .. }, true) => format!(
            "{host} would take the password in the clear, so it was not sent. Use an encrypted endpoint \
             (security = \"best\"), or enable an encrypting user token policy on the server."
        ),
        (User::Certificate { .. }, _) => format!(
            "{host} does not take a user certificate. Leave out `user_certificate` for this connection in plant.toml, \
             or enable certificates of users on the server."
        ),
        (User::Name { .. }, false) => format!(
            "{host} does not take a user name and password. Leave out `user` for this connection in plant.toml, or \
             enable user names on the server."
        ),
    };
    Trouble::new(StatusCode::BadIdentityTokenRejected, detail)
}

#[cfg(test)]
mod tests {
    use super::*;
    use lineside_model::Span;

    fn offer(policy: &str, mode: MessageSecurityMode, tokens: &[(UserTokenType, &str)]) -> EndpointDescription {
        let uri = |name: &str| {
            if name.is_empty() { UAString::null() } else { UAString::from(format!("{POLICY_BASE}{name}")) }
        };
        EndpointDescription {
            endpoint_url: "opc.tcp://hidden-name:999/ua/server".into(),
            security_policy_uri: uri(policy),
            security_mode: mode,
            user_identity_tokens: Some(
                tokens
                    .iter()
                    .map(|(token_type, policy)| UserTokenPolicy {
                        token_type: *token_type,
                        security_policy_uri: uri(policy),
                        ..Default::default()
                    })
                    .collect(),
            ),
            ..Default::default()
        }
    }

    fn connection(security: Security, user: User) -> Connection {
        Connection {
            name: "line".into(),
            endpoint: "opc.tcp://10.0.0.1:4840/".into(),
            security,
            user,
            publish: Span::from_millis(250),
            redundant: Vec::new(),
            redundancy: Default::default(),
            heartbeat: None,
            backfill: true,
        }
    }

    fn named() -> User {
        User::Name { name: "op".into(), password_env: Some("PW".into()) }
    }

    const ANY: &[(UserTokenType, &str)] = &[(UserTokenType::Anonymous, ""), (UserTokenType::UserName, "")];
    use MessageSecurityMode::{None as Plain, Sign, SignAndEncrypt as Encrypt};

    fn check(offers: &[EndpointDescription], security: Security, user: User, expected: Result<&str, &str>) {
        let chosen = choose(offers, &connection(security.clone(), user));
        match (chosen, expected) {
            (Ok(chosen), Ok(name)) => assert_eq!(describe(&chosen), name, "{security:?}"),
            (Err(trouble), Err(words)) => {
                assert!(trouble.detail.contains(words), "{words:?} not in {}", trouble.detail)
            }
            (chosen, expected) => panic!("{security:?}: {chosen:?} instead of {expected:?}"),
        }
    }

    #[test]
    fn best_is_the_strongest_policy_and_then_the_mode() {
        let all = [
            offer("None", Plain, ANY),
            offer("Basic128Rsa15", Encrypt, ANY),
            offer("Basic256", Encrypt, ANY),
            offer("Basic256Sha256", Encrypt, ANY),
            offer("Aes128_Sha256_RsaOaep", Encrypt, ANY),
            offer("Aes256_Sha256_RsaPss", Sign, ANY),
            offer("Aes256_Sha256_RsaPss", Encrypt, ANY),
        ];
        let best = |offers: &[EndpointDescription], expected| check(offers, Security::Best, User::Anonymous, expected);
        best(&all, Ok("Aes256_Sha256_RsaPss/SignAndEncrypt"));
        best(&all[..6], Ok("Aes256_Sha256_RsaPss/Sign"));
        best(&all[..5], Ok("Aes128_Sha256_RsaOaep/SignAndEncrypt"));
        best(&all[..4], Ok("Basic256Sha256/SignAndEncrypt"));
        best(&all[..3], Err("security = \"none\""));
        best(&[], Err("offers nothing"));
        check(&all, Security::None, User::Anonymous, Ok("None"));
        check(&all[1..], Security::None, User::Anonymous, Err("no endpoint without security"));
        let exact = |policy: &str, encrypt| Security::Exact { policy: policy.into(), encrypt };
        check(&all, exact("Aes256Sha256RsaPss", false), User::Anonymous, Ok("Aes256_Sha256_RsaPss/Sign"));
        check(&all, exact("Basic256Sha256", false), User::Anonymous, Err("Basic256Sha256/Sign is not among"));
    }

    #[test]
    fn a_password_never_travels_in_the_clear() {
        let by_name = |policy: &str, mode, token: &str, security, expected| {
            check(&[offer(policy, mode, &[(UserTokenType::UserName, token)])], security, named(), expected);
        };
        by_name("None", Plain, "", Security::None, Err("in the clear"));
        by_name("None", Plain, "None", Security::None, Err("in the clear"));
        by_name("None", Plain, "Basic256Sha256", Security::None, Ok("None"));
        by_name("Basic256Sha256", Sign, "None", Security::Best, Err("in the clear"));
        by_name("Basic256Sha256", Sign, "", Security::Best, Ok("Basic256Sha256/Sign"));
        by_name("Basic256Sha256", Encrypt, "None", Security::Best, Ok("Basic256Sha256/SignAndEncrypt"));
        let anonymous_only = [offer("Basic256Sha256", Encrypt, &[(UserTokenType::Anonymous, "")])];
        check(&anonymous_only, Security::Best, named(), Err("does not take a user name"));
        let names_only = [offer("Basic256Sha256", Encrypt, &[(UserTokenType::UserName, "")])];
        check(&names_only, Security::Best, User::Anonymous, Err("does not accept anonymous"));
    }

    #[test]
    fn a_user_certificate_signs_under_a_policy_in_so_many_words() {
        let user = || User::Certificate { certificate: "op.der".into(), key: "op.pem".into() };
        let by_certificate = |policy: &str, mode, token: &str, security, expected: Result<&str, &str>| {
            let offers = [offer(policy, mode, &[(UserTokenType::Certificate, token)])];
            match (choose(&offers, &connection(security, user())), expected) {
                (Ok(chosen), Ok(name)) => {
                    let token = &chosen.user_identity_tokens.unwrap()[0];
                    assert_eq!(policy_name(token.security_policy_uri.as_ref()), name);
                }
                (Err(trouble), Err(words)) => assert!(trouble.detail.contains(words), "{}", trouble.detail),
                (chosen, expected) => panic!("{chosen:?} instead of {expected:?}"),
            }
        };
        by_certificate("Basic256Sha256", Encrypt, "", Security::Best, Ok("Basic256Sha256"));
        by_certificate("Basic256Sha256", Sign, "Aes256_Sha256_RsaPss", Security::Best, Ok("Aes256_Sha256_RsaPss"));
        by_certificate("Basic256Sha256", Encrypt, "Basic128Rsa15", Security::Best, Ok("Basic128Rsa15"));
        by_certificate("Basic256Sha256", Encrypt, "None", Security::Best, Err("does not take a user certificate"));
        by_certificate("None", Plain, "", Security::None, Err("does not take a user certificate"));
        by_certificate("None", Plain, "Basic256Sha256", Security::None, Ok("Basic256Sha256"));
    }

    #[test]
    fn the_host_and_port_of_the_user_are_kept() {
        let offers =
            [offer("Basic256Sha256", Encrypt, &[(UserTokenType::UserName, "None"), (UserTokenType::UserName, "")])];
        let chosen = choose(&offers, &connection(Security::Best, named())).unwrap();
        assert_eq!(chosen.endpoint_url.as_ref(), "opc.tcp://10.0.0.1:4840/ua/server");
        let tokens = chosen.user_identity_tokens.unwrap();
        assert_eq!(tokens.len(), 1);
        assert!(tokens[0].security_policy_uri.is_null(), "the encrypting token is preferred");
    }
}
