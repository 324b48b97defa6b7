//! Certificates and users: what is not trusted is refused and explained, and works once a person has acted.

use crate::collect::{Collected, plant};
use crate::peer::{Ground, PASSWORD, Peer, Setup, USER, node, wait_until};
use lineside_model::config::{Security, User};
use lineside_model::{Input, LinkState, PlantConfig, Value};
use opcua::types::Variant;
use std::path::Path;

fn variables() -> Vec<(String, Variant)> {
    vec![("v".into(), 7_i32.into())]
}

/// Where our certificates lie, and those of the other side's library.
const OURS: &str = "certs";
const THEIRS: &str = "";

/// What a person does: moves every rejected certificate to the trusted ones.
pub(crate) fn trust_all(pki: &Path, certs: &str) {
    let (rejected, trusted) = (pki.join("rejected").join(certs), pki.join("trusted").join(certs));
    let rejected: Vec<_> = std::fs::read_dir(rejected).expect("the folder").flatten().collect();
    assert_eq!(rejected.len(), 1, "exactly one certificate was rejected");
    for file in rejected {
        std::fs::rename(file.path(), trusted.join(file.file_name())).expect("a move");
    }
}

#[test]
fn nothing_is_trusted_until_a_person_says_so_on_both_sides() {
    let ground = Ground::new();
    let setup = Setup { secure: true, trust_clients: false, ..Setup::default() };
    let peer = Peer::start(&ground.runtime, &ground.theirs(), &setup, &variables());
    let config = plant(&peer.endpoint(), Security::Best, [node("v")]);
    let mut collected = Collected::start(&ground.runtime, config, &ground.ours());

    let refused = collected.until_down_saying(0, &["is not trusted yet", "thumbprint", "move", "trusted/certs"]);
    trust_all(&ground.ours(), OURS);
    let distrusted =
        collected.until_down_saying(refused, &["does not trust this Lineside yet", "thumbprint", "lineside.der"]);
    trust_all(&ground.theirs(), THEIRS);
    collected.until_value(distrusted, 0, &Value::Int(7));
    collected.until(distrusted, "the security in use", |input| {
        matches!(input, Input::Link { state: LinkState::Up, detail, .. }
            if detail.contains("Basic256Sha256/SignAndEncrypt"))
    });
}

#[test]
fn a_server_without_security_is_refused_unless_asked_for() {
    let ground = Ground::new();
    let peer = Peer::start(&ground.runtime, &ground.theirs(), &Setup::default(), &variables());
    let config = plant(&peer.endpoint(), Security::Best, [node("v")]);
    let mut collected = Collected::start(&ground.runtime, config, &ground.ours());
    collected.until_down_saying(0, &["offers None", "security = \"none\""]);
}

fn with_user(endpoint: &str, security: Security, password_env: &str) -> PlantConfig {
    let mut config = plant(endpoint, security, [node("v")]);
    config.connections[0].user = User::Name { name: USER.into(), password_env: Some(password_env.into()) };
    config
}

/// Cargo sets this variable for its tests; its value serves as the password.
const PASSWORD_ENV: &str = "CARGO_PKG_NAME";

#[test]
fn users_log_in_with_the_password_of_the_environment() {
    assert_eq!(std::env::var(PASSWORD_ENV).unwrap(), PASSWORD);
    let ground = Ground::new();
    let setup = Setup { secure: true, anonymous: false, ..Setup::default() };
    let peer = Peer::start(&ground.runtime, &ground.theirs(), &setup, &variables());
    let saying = |config, words: &[&str]| {
        Collected::start(&ground.runtime, config, &ground.ours()).until_down_saying(0, words);
    };
    saying(plant(&peer.endpoint(), Security::Best, [node("v")]), &["does not accept anonymous users"]);
    let endpoint = peer.endpoint();
    let user = |password_env| with_user(&endpoint, Security::Best, password_env);
    saying(user("LINESIDE_NO_SUCH_VARIABLE"), &["LINESIDE_NO_SUCH_VARIABLE", "not set"]);
    saying(user(PASSWORD_ENV), &["is not trusted yet"]);
    trust_all(&ground.ours(), OURS);
    saying(user("CARGO_PKG_VERSION"), &["refuses the user \"operator\"", "password_env"]);
    wait_until("no session is left behind", || peer.sessions() == 0 && peer.sessions_made() > 0);
    let mut collected = Collected::start(&ground.runtime, user(PASSWORD_ENV), &ground.ours());
    collected.until_value(0, 0, &Value::Int(7));
}

#[test]
fn no_password_goes_over_an_open_line() {
    let ground = Ground::new();
    let peer = Peer::start(&ground.runtime, &ground.theirs(), &Setup::default(), &variables());
    let config = with_user(&peer.endpoint(), Security::None, PASSWORD_ENV);
    let mut collected = Collected::start(&ground.runtime, config, &ground.ours());
    collected.until_down_saying(0, &["password in the clear", "was not sent"]);
}
