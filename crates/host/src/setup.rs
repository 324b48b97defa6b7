//! The commands of Setup, over the adapter: find, trust, look, propose, write down.
//!
//! Every command is answered within [`PATIENCE`] and some file access. Passwords go into their file and nowhere else:
//! not into `plant.toml`, not into the log, not back to a screen.

use crate::errors::{bad_request, internal, refused};
use crate::explorations::Explorations;
use crate::station::Station;
use crate::{additions, certificates, found, nodes, problems, proposals};
use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use lineside_api::Setup;
use lineside_api::wire::*;
use lineside_config::{Errors, edit};
use lineside_model::config::Connection;
use lineside_opcua::browse::{Explorer, Search};
use lineside_opcua::pki::{self, PkiError, Place};
use lineside_opcua::{discovery, identity, semantics};
use nodes::Tags;
use std::future::Future;
use std::sync::Arc;
use std::sync::mpsc::sync_channel;
use std::time::Duration;

/// No server is waited for longer than this.
const PATIENCE: Duration = Duration::from_secs(30);
/// Nodes that one page of a search brings.
const SEARCH_PAGE: usize = 100;
/// One page of a search takes no longer than this, however little it found.
const SEARCH_TIME: Duration = Duration::from_secs(5);

/// Setup of a running Lineside.
pub(crate) struct HostSetup {
    station: Arc<Station>,
    explorations: Explorations,
}

impl HostSetup {
    pub(crate) fn new(station: Arc<Station>) -> HostSetup {
        let explorations = Explorations::new(station.handle());
        HostSetup { station, explorations }
    }

    /// Closes what is open at servers.
    pub(crate) fn end(&self) {
        self.explorations.close_all();
    }

    /// Waits for an answer on this thread, which may be one of the runtime's own.
    fn wait<T: Send + 'static>(&self, answer: impl Future<Output = T> + Send + 'static) -> Result<T, ApiError> {
        let (sender, receiver) = sync_channel(1);
        self.station.handle().spawn(async move {
            // Nobody waits any longer: the answer is of no use.
            drop(sender.send(tokio::time::timeout(PATIENCE, answer).await));
        });
        match receiver.recv() {
            Ok(Ok(answer)) => Ok(answer),
            Ok(Err(_elapsed)) => Err(refused(format!(
                "The server did not answer within {} s. Try again, or ask for less.",
                PATIENCE.as_secs()
            ))),
            Err(_ended) => Err(internal("the question to the server was broken off")),
        }
    }

    /// Asks the session of this number.
    fn look<T, F, A>(&self, session: u32, question: F) -> Result<T, ApiError>
    where
        T: Send + 'static,
        F: FnOnce(Arc<Explorer>) -> A,
        A: Future<Output = Result<T, lineside_opcua::browse::Failure>> + Send + 'static,
    {
        let explorer = self.explorer(session)?;
        self.wait(question(explorer))?.map_err(|failure| refused(failure.detail))
    }

    fn explorer(&self, session: u32) -> Result<Arc<Explorer>, ApiError> {
        let closed = || refused("This session was closed because nobody used it. Connect again.".to_owned());
        self.explorations.take(session).ok_or_else(closed)
    }

    /// The tags that read nodes of the server of this session.
    fn tags(&self, session: u32) -> Result<Tags, ApiError> {
        let explorer = self.explorer(session)?;
        let loaded = self.station.loaded();
        Ok(Tags::of(loaded.as_deref().map(|loaded| &loaded.config), &explorer.connection().name))
    }

    fn configured(&self, id: u32) -> Result<Connection, ApiError> {
        let loaded = self.station.loaded();
        let connection = loaded.as_ref().and_then(|loaded| loaded.config.connections.get(id as usize));
        connection.cloned().ok_or_else(|| bad_request("there is no such connection"))
    }

    /// The connection that is meant: a configured one, or the draft of another.
    fn meant(&self, id: Option<u32>, draft: Option<&ConnectionDraft>) -> Result<Connection, ApiError> {
        match (id, draft) {
            (Some(id), _) => self.configured(id),
            (None, Some(draft)) if draft.user.kind == UserKind::Issued => {
                let name = &draft.name;
                Err(refused(format!(
                    "Lineside has no tokens of an authorisation service for \"{name}\". Choose another user."
                )))
            }
            (None, Some(draft)) => {
                let loaded = self.station.loaded();
                let known = loaded.iter().flat_map(|loaded| &loaded.config.connections).any(|c| c.name == draft.name);
                if known {
                    let name = &draft.name;
                    return Err(refused(format!("There is a connection \"{name}\" already. Write another name.")));
                }
                additions::connection(draft).map_err(|errors| refused(in_words(&errors)))
            }
            (None, None) => Err(bad_request("neither a connection nor a draft")),
        }
    }

    /// Keeps a password that was typed. An empty one is none.
    fn keep_password(&self, connection: &Connection, draft: Option<&ConnectionDraft>) -> Result<(), ApiError> {
        let password = draft.and_then(|draft| draft.user.password.as_deref()).filter(|password| !password.is_empty());
        let Some(password) = password else { return Ok(()) };
        identity::store_password(&self.station.settings(), &connection.name, password).map_err(pki_refused)
    }

    fn store(&self) -> Result<pki::Store, ApiError> {
        pki::list(&self.station.settings()).map_err(pki_refused)
    }

    fn decide(&self, request: &TrustRequest) -> Result<(), PkiError> {
        let settings = self.station.settings();
        match request.decision {
            TrustDecision::Trust => {
                pki::trust(&settings, &request.thumbprint)?;
                self.station.retry_now();
            }
            TrustDecision::Reject => {
                let info = pki::reject(&settings, &request.thumbprint)?;
                self.station.reconnect((!info.authority).then_some(&info.thumbprint));
            }
            TrustDecision::Remove => self.forget(&settings, &request.thumbprint)?,
        }
        Ok(())
    }

    fn forget(&self, settings: &lineside_opcua::Settings, thumbprint: &str) -> Result<(), PkiError> {
        let store = pki::list(settings)?;
        let among = |list: &[pki::CertificateInfo]| {
            let named = |info: &&pki::CertificateInfo| {
                certificates::same(&info.thumbprint, thumbprint) || certificates::same(&info.sha256, thumbprint)
            };
            list.iter().find(named).cloned()
        };
        let trusted = among(&store.trusted);
        let places = [
            (Place::Trusted, trusted.is_some()),
            (Place::Issuers, among(&store.issuers).is_some()),
            (Place::Rejected, among(&store.rejected).is_some()),
        ];
        let mut lies: Vec<Place> = places.into_iter().filter(|(_, there)| *there).map(|(place, _)| place).collect();
        if lies.is_empty() {
            lies.push(Place::Rejected); // the refusal names the thumbprint
        }
        lies.into_iter().try_for_each(|place| pki::remove_from(settings, place, thumbprint))?;
        if let Some(info) = trusted {
            self.station.reconnect((!info.authority).then_some(&info.thumbprint));
        }
        Ok(())
    }
}

impl Setup for HostSetup {
    fn discover(&self, request: DiscoverRequest) -> Result<Discovery, ApiError> {
        let settings = self.station.settings();
        let asked = async move { discovery::discover(&settings, &request.address).await };
        let found = self.wait(asked)?.map_err(|trouble| refused(trouble.detail))?;
        Ok(found::view(&found, &self.store()?, self.station.now()))
    }

    fn certificates(&self, _: ()) -> Result<CertificatesView, ApiError> {
        Ok(certificates::view(&self.store()?, self.station.now()))
    }

    fn trust(&self, request: TrustRequest) -> Result<CertificatesView, ApiError> {
        self.decide(&request).map_err(pki_refused)?;
        self.certificates(())
    }

    fn import_certificate(&self, request: ImportRequest) -> Result<CertificatesView, ApiError> {
        let place = match request.place {
            CertificatePlace::Trusted => Place::Trusted,
            CertificatePlace::Issuer => Place::Issuers,
            CertificatePlace::Rejected => Place::Rejected,
            CertificatePlace::Own | CertificatePlace::Unknown => return Err(bad_request("nothing is imported there")),
        };
        let bytes = BASE64_STANDARD.decode(request.data.trim()).map_err(|error| bad_request(error.to_string()))?;
        pki::import(&self.station.settings(), &bytes, place).map_err(pki_refused)?;
        self.station.retry_now();
        self.certificates(())
    }

    fn explore(&self, request: ExploreRequest) -> Result<Explored, ApiError> {
        let connection = self.meant(request.connection, request.draft.as_ref())?;
        self.keep_password(&connection, request.draft.as_ref())?;
        let settings = self.station.settings();
        let opened = self.wait(async move {
            let explorer = Explorer::open(&settings, &connection).await?;
            let about = explorer.about().await?;
            Ok((Arc::new(explorer), about))
        })?;
        let (explorer, about) = opened.map_err(|failure: lineside_opcua::browse::Failure| refused(failure.detail))?;
        let session = self.explorations.keep(explorer);
        // A configured connection may wait for the very password that was typed.
        self.station.retry_now();
        Ok(Explored { session, product: about.product, security: about.security, namespaces: about.namespaces })
    }

    fn close_exploration(&self, request: SessionRequest) -> Result<(), ApiError> {
        self.explorations.close(request.session);
        Ok(())
    }

    fn browse(&self, request: BrowseRequest) -> Result<BrowsePage, ApiError> {
        let more = request.more.as_deref().map(token).transpose()?;
        let node = request.node;
        let page =
            self.look(request.session, |explorer| async move { explorer.children(node.as_deref(), more).await })?;
        let tags = self.tags(request.session)?;
        let nodes = page.nodes.into_iter().map(|node| nodes::node(node, Vec::new(), &tags)).collect();
        Ok(BrowsePage { nodes, more: page.more.map(|token| token.to_string()) })
    }

    fn node(&self, request: NodeRequest) -> Result<NodeDetails, ApiError> {
        let node = request.node;
        self.look(request.session, |explorer| async move { explorer.details(&node).await }).map(nodes::details)
    }

    fn preview(&self, request: PreviewRequest) -> Result<Preview, ApiError> {
        let nodes = request.nodes;
        let values = self.look(request.session, |explorer| async move { explorer.preview(&nodes).await })?;
        Ok(Preview { values: values.into_iter().map(nodes::reading).collect() })
    }

    fn search(&self, request: SearchRequest) -> Result<SearchPage, ApiError> {
        let more = request.more.as_deref().map(token).transpose()?;
        let search = Search { text: request.text, under: request.under, limit: SEARCH_PAGE, deadline: SEARCH_TIME };
        let page = self.look(request.session, |explorer| async move {
            match more {
                Some(token) => explorer.search_on(token).await,
                None => explorer.search(search).await,
            }
        })?;
        let tags = self.tags(request.session)?;
        Ok(SearchPage {
            found: page.found.into_iter().map(|found| nodes::node(found.node, found.path, &tags)).collect(),
            visited: u32::try_from(page.visited).unwrap_or(u32::MAX),
            more: page.more.map(|token| token.to_string()),
        })
    }

    fn propose(&self, request: ProposeRequest) -> Result<Proposal, ApiError> {
        let existing = self.station.loaded().map(|loaded| loaded.config.clone()).unwrap_or_default();
        let nodes = request.nodes;
        let found = self
            .look(request.session, |explorer| async move { semantics::propose(&explorer, &nodes, &existing).await })?;
        Ok(proposals::view(&found))
    }

    fn apply(&self, request: ApplyRequest) -> Result<Applied, ApiError> {
        let connection = self.meant(request.connection, request.draft.as_ref())?;
        let path = self.station.path();
        let applied = |added, problems| Ok(Applied { path: path.display().to_string(), added, problems });
        let additions = match additions::of(&request, &connection.name) {
            Ok(additions) if additions.is_empty() => return applied(Vec::new(), Vec::new()),
            Ok(additions) => additions,
            Err(problem) => return applied(Vec::new(), vec![problem]),
        };
        if !request.dry_run {
            self.keep_password(&connection, request.draft.as_ref())?;
        }
        let loaded = self.station.loaded();
        let known = loaded.as_ref().map(|loaded| loaded.text.as_str());
        match edit::apply(path, known, &additions, request.dry_run) {
            Ok(edited) => {
                if !request.dry_run {
                    self.station.begin();
                }
                applied(edited.added, Vec::new())
            }
            Err(errors) => applied(Vec::new(), problems::of_config(&errors)),
        }
    }
}

fn token(more: &str) -> Result<u64, ApiError> {
    more.parse().map_err(|_no_number| bad_request("`more` is not from an answer of ours"))
}

fn in_words(errors: &Errors) -> String {
    let sentences: Vec<String> = errors.0.iter().map(|error| format!("{}; {}.", error.problem, error.remedy)).collect();
    sentences.join(" ")
}

fn pki_refused(error: PkiError) -> ApiError {
    let cause = std::error::Error::source(&error).map(|cause| format!(": {cause}")).unwrap_or_default();
    refused(format!("{error}{cause}."))
}
