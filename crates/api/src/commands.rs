//! The list of commands, once: dispatch and the TypeScript map both come from it.

use crate::slots::{Slot, Slots};
use crate::stage::Stage;
use crate::wire::*;
use crate::{connections, frame, plant};
use lineside_model::TagId;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

/// The most tags that one page may hold.
const TAGS_PER_PAGE: u32 = 5_000;

/// A request without news is answered after this, so that the screen sees time pass and us alive.
pub const HOLD: Duration = Duration::from_millis(200);

/// Setup commands that may be under way: each may hold a thread for half a minute.
const SETUPS_MAX: usize = 8;

/// Commands under way that read whole recordings: more would only be slower for all of them, and for the plant.
const LONG_MAX: usize = 4;

/// The longest piece of an import, in bytes.
pub const PIECE_MAX: usize = 1 << 20;

/// What screens talk to. Cheap to share; answers from any thread.
pub struct Api {
    stage: Arc<Stage>,
    setup: Option<Arc<dyn Setup>>,
    recordings: Option<Arc<dyn Recordings>>,
    /// Setup commands under way.
    setups: Slots,
    /// Commands under way that read whole recordings.
    long: Slots,
}

/// Declares the commands: those that a session answers, those that [`Setup`] does, and those that [`Recordings`] does:
/// at once, or after reading a whole file.
macro_rules! commands {
    (
        plant { $($(#[$plant_meta:meta])* $plant:ident($plant_request:ty) -> $plant_response:ty;)* }
        setup { $($(#[$setup_meta:meta])* $setup:ident($setup_request:ty) -> $setup_response:ty;)* }
        recordings { $($(#[$rec_meta:meta])* $rec:ident($rec_request:ty) -> $rec_response:ty;)* }
        long { $($(#[$long_meta:meta])* $long:ident($long_request:ty) -> $long_response:ty;)* }
    ) => {
        impl Api {
            /// Answers the command `name`. Unknown names and malformed requests are errors of the caller.
            /// Setup commands may take up to half a minute, and reading a whole recording as long as that takes: call it
            /// where that holds up nobody else. More than a few of them at once are refused.
            pub fn call(&self, name: &str, request: serde_json::Value) -> Result<serde_json::Value, ApiError> {
                match name {
                    $(stringify!($plant) => answer(self.$plant(parse(request)?)?),)*
                    $(stringify!($setup) => {
                        let (setup, _busy) = self.setup()?;
                        answer(setup.$setup(parse(request)?)?)
                    })*
                    $(stringify!($rec) => answer(self.recordings()?.$rec(parse(request)?)?),)*
                    $(stringify!($long) => {
                        let recordings = self.recordings()?;
                        let _slot = self.long.take()?;
                        answer(recordings.$long(parse(request)?)?)
                    })*
                    _ => Err(bad_request(format!("there is no command `{name}`"))),
                }
            }
        }

        /// What connects, trusts, browses and configures. It is a trait so that this crate knows no adapter;
        /// the host has it. Every method may block for as long as a server takes, half a minute at most.
        pub trait Setup: Send + Sync {
            $($(#[$setup_meta])* fn $setup(&self, request: $setup_request) -> Result<$setup_response, ApiError>;)*
        }

        /// What lists, opens, plays, searches, checks, exports and imports recordings; the host has it. A replay has no
        /// way to the plant. A method may block for as long as a whole file takes to read.
        pub trait Recordings: Send + Sync {
            $($(#[$rec_meta])* fn $rec(&self, request: $rec_request) -> Result<$rec_response, ApiError>;)*
            $($(#[$long_meta])* fn $long(&self, request: $long_request) -> Result<$long_response, ApiError>;)*

            /// The next piece of a file that is being taken in; `offset` is where it begins.
            fn put(&self, import: u32, offset: u64, bytes: &[u8]) -> Result<(), ApiError>;

            /// The file that an export of this name wrote; `None`: there is none.
            fn exported(&self, name: &str) -> Option<PathBuf>;
        }

        /// The TypeScript of the command list.
        pub fn declaration() -> String {
            let config = ts_rs::Config::new().with_large_int("number");
            let mut text = String::from("type Commands = {\n");
            for (name, request, response) in [
                $((stringify!($plant), <$plant_request as ts_rs::TS>::name(&config), <$plant_response as ts_rs::TS>::name(&config)),)*
                $((stringify!($setup), <$setup_request as ts_rs::TS>::name(&config), <$setup_response as ts_rs::TS>::name(&config)),)*
                $((stringify!($rec), <$rec_request as ts_rs::TS>::name(&config), <$rec_response as ts_rs::TS>::name(&config)),)*
                $((stringify!($long), <$long_request as ts_rs::TS>::name(&config), <$long_response as ts_rs::TS>::name(&config)),)*
            ] {
                text.push_str(&format!("  {name}: {{ request: {request}, response: {response} }},\n"));
            }
            text.push_str("};");
            text
        }
    };
}

commands! {
    plant {
        /// Who is there, what plant, and what is wrong.
        hello(Option<HelloRequest>) -> Hello;
        /// What does not change about the tags, a page at a time.
        tags(TagsRequest) -> TagPage;
        /// Everything known of the connections.
        connections(EpochRequest) -> ConnectionsView;
        /// Why one value is as it is.
        explain(ExplainRequest) -> Explanation;
    }
    setup {
        /// What answers at an address.
        discover(DiscoverRequest) -> Discovery;
        /// All certificates on this PC.
        certificates(()) -> CertificatesView;
        /// Decides about a certificate; answers with how things are then.
        trust(TrustRequest) -> CertificatesView;
        /// Takes in a certificate or a revocation list.
        import_certificate(ImportRequest) -> CertificatesView;
        /// Opens a session for browsing.
        explore(ExploreRequest) -> Explored;
        /// Closes it; also closes by itself when it is not used.
        close_exploration(SessionRequest) -> ();
        /// The nodes under a node.
        browse(BrowseRequest) -> BrowsePage;
        /// All attributes of a node.
        node(NodeRequest) -> NodeDetails;
        /// The values of some nodes now.
        preview(PreviewRequest) -> Preview;
        /// Nodes by name.
        search(SearchRequest) -> SearchPage;
        /// What plant.toml could get for these nodes.
        propose(ProposeRequest) -> Proposal;
        /// Writes what a person confirmed into plant.toml, and brings it into force.
        apply(ApplyRequest) -> Applied;
    }
    recordings {
        /// All recordings of this PC.
        shifts(()) -> ShiftList;
        /// Keeps a recording whatever its age, or no longer.
        pin(PinRequest) -> ShiftList;
        /// Begins to take in a file.
        import(ImportStart) -> ImportTicket;
        /// Opens a recording for this screen.
        open(OpenRequest) -> Opened;
        /// Closes it; also closes by itself when it is not used.
        close(EpochRequest) -> ();
        /// Plays, pauses, seeks; answers with where it stands.
        play(PlayRequest) -> ReplayView;
        /// What the time bar draws. Also of the plant: its running shift.
        timeline(EpochRequest) -> TimelineView;
        /// One tag over a stretch of the recording.
        lane(LaneRequest) -> LaneView;
        /// The next or the last of something.
        find(FindRequest) -> Found;
        /// What differs between two moments.
        compare(CompareRequest) -> Comparison;
        /// Marks a moment.
        mark(MarkRequest) -> MarkView;
        /// Takes a mark away.
        unmark(UnmarkRequest) -> ();
        /// What can be changed in a what-if.
        parameters(EpochRequest) -> WhatIfParameters;
    }
    long {
        /// Reads all of a recording, replays it, and says what is not as it was.
        verify(ShiftRequest) -> VerifyView;
        /// Writes a part of a recording as a smaller one, or as a table.
        export(ExportRequest) -> Exported;
        /// Ends the taking in of a file: it is checked, and is in the library then.
        import_end(ImportEnd) -> Imported;
        /// Runs a recording again under a changed configuration.
        what_if(WhatIfRequest) -> WhatIfResult;
    }
}

impl Api {
    /// Answers from what is on the stage, and where there is a `setup`, also the commands of Setup.
    pub fn new(stage: Arc<Stage>, setup: Option<Arc<dyn Setup>>) -> Api {
        Api { stage, setup, recordings: None, setups: Slots::new(SETUPS_MAX), long: Slots::new(LONG_MAX) }
    }

    /// Answers the commands of recordings as well.
    pub fn with_recordings(self, recordings: Arc<dyn Recordings>) -> Api {
        Api { recordings: Some(recordings), ..self }
    }

    /// The frame that answers this request (`docs/FRAME.md`). Blocks for up to [`HOLD`] while there is no news: the
    /// screen then has them when they come, not when it next thinks of asking.
    pub fn frame(&self, request: &FrameRequest) -> Result<Vec<u8>, ApiError> {
        let session = self.stage.session(request.epoch)?;
        let cursor = frame::cursor(request);
        let patience = if request.fresh { Duration::ZERO } else { HOLD };
        Ok(frame::encode(&session.core.lock_news(cursor, patience), &session, request))
    }

    /// Takes a piece of a file that is being imported (`docs/FRAME.md`). At most [`PIECE_MAX`] bytes.
    pub fn put(&self, import: u32, offset: u64, bytes: &[u8]) -> Result<(), ApiError> {
        if bytes.len() > PIECE_MAX {
            return Err(bad_request(format!("a piece of {} bytes; at most {PIECE_MAX}", bytes.len())));
        }
        self.recordings()?.put(import, offset, bytes)
    }

    /// The file that an export of this name wrote, for whoever fetches it. Any other name is none.
    pub fn exported(&self, name: &str) -> Option<PathBuf> {
        self.recordings.as_ref()?.exported(name)
    }

    fn hello(&self, asked: Option<HelloRequest>) -> Result<Hello, ApiError> {
        self.stage.hello(asked.and_then(|asked| asked.epoch))
    }

    fn tags(&self, request: TagsRequest) -> Result<TagPage, ApiError> {
        let session = self.stage.session(request.epoch)?;
        let core = session.core.lock();
        let (config, state) = (core.engine.config(), core.engine.state());
        let limit = request.limit.min(TAGS_PER_PAGE) as usize;
        let ids = config.tag_ids().skip(request.offset as usize).take(limit);
        let tags = ids.map(|id| plant::tag_info(config, &state.tags[id.0 as usize], id)).collect();
        Ok(TagPage { total: config.tags.len() as u32, tags })
    }

    fn connections(&self, request: EpochRequest) -> Result<ConnectionsView, ApiError> {
        let session = self.stage.session(request.epoch)?;
        let core = session.core.lock();
        Ok(connections::view(core.engine.config(), core.engine.state()))
    }

    fn explain(&self, request: ExplainRequest) -> Result<Explanation, ApiError> {
        let session = self.stage.session(request.epoch)?;
        let core = session.core.lock();
        connections::explain(core.engine.config(), core.engine.state(), TagId(request.tag))
            .ok_or_else(|| bad_request(format!("there is no tag {}", request.tag)))
    }

    fn recordings(&self) -> Result<&dyn Recordings, ApiError> {
        self.recordings.as_deref().ok_or_else(|| refused("This program was started without recordings."))
    }

    /// Setup is of the plant, whatever recordings are open on some screen.
    fn setup(&self) -> Result<(&dyn Setup, Slot<'_>), ApiError> {
        let setup = self.setup.as_deref().ok_or_else(|| refused("This program was started without Setup."))?;
        Ok((setup, self.setups.take()?))
    }
}

fn parse<T: serde::de::DeserializeOwned>(request: serde_json::Value) -> Result<T, ApiError> {
    serde_json::from_value(request).map_err(|error| bad_request(error.to_string()))
}

fn answer<T: serde::Serialize>(response: T) -> Result<serde_json::Value, ApiError> {
    serde_json::to_value(response).map_err(|error| ApiError { code: ErrorCode::Internal, message: error.to_string() })
}

pub(crate) fn bad_request(message: String) -> ApiError {
    ApiError { code: ErrorCode::BadRequest, message }
}

pub(crate) fn stale() -> ApiError {
    ApiError { code: ErrorCode::Stale, message: "this session is over".to_owned() }
}

pub(crate) fn refused(message: &str) -> ApiError {
    ApiError { code: ErrorCode::Refused, message: message.to_owned() }
}
