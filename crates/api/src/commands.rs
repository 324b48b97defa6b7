//! The list of commands, once: dispatch and the TypeScript map both come from it.

use crate::frame;
use crate::wire::*;
use lineside_model::PlantConfig;
use lineside_runtime::SharedCore;
use std::sync::Arc;
use std::time::Duration;

/// The most tags that one page may hold.
const TAGS_PER_PAGE: u32 = 5_000;

/// A request without news is answered after this, so that the screen sees time pass and us alive.
pub const HOLD: Duration = Duration::from_millis(200);

/// What screens talk to. Cheap to share; answers from any thread.
pub struct Api {
    session: Option<Session>,
    problems: Vec<Problem>,
    config_path: String,
}

pub(crate) struct Session {
    pub(crate) core: Arc<SharedCore>,
    pub(crate) epoch: u32,
    pub(crate) mode: SessionMode,
}

macro_rules! commands {
    ($($(#[$meta:meta])* $name:ident($request:ty) -> $response:ty;)*) => {
        impl Api {
            /// Answers the command `name`. Unknown names and malformed requests are errors of the caller.
            pub fn call(&self, name: &str, request: serde_json::Value) -> Result<serde_json::Value, ApiError> {
                match name {
                    $(stringify!($name) => answer(self.$name(parse(request)?)?),)*
                    _ => Err(bad_request(format!("there is no command `{name}`"))),
                }
            }
        }

        /// The TypeScript of the command list.
        pub fn declaration() -> String {
            let config = ts_rs::Config::new().with_large_int("number");
            let mut text = String::from("type Commands = {\n");
            $(text.push_str(&format!(
                "  {}: {{ request: {}, response: {} }},\n",
                stringify!($name),
                <$request as ts_rs::TS>::name(&config),
                <$response as ts_rs::TS>::name(&config),
            ));)*
            text.push_str("};");
            text
        }
    };
}

commands! {
    /// Who is there, what plant, and what is wrong.
    hello(()) -> Hello;
    /// What does not change about the tags, a page at a time.
    tags(TagsRequest) -> TagPage;
}

impl Api {
    /// A live plant.
    pub fn live(core: Arc<SharedCore>, epoch: u32, config_path: String, problems: Vec<Problem>) -> Api {
        Api { session: Some(Session { core, epoch, mode: SessionMode::Live }), problems, config_path }
    }

    /// Nothing to show but what is wrong.
    pub fn without_plant(config_path: String, problems: Vec<Problem>) -> Api {
        Api { session: None, problems, config_path }
    }

    /// The frame that answers this request (`docs/FRAME.md`). Blocks for up to [`HOLD`] while there is no news: the
    /// screen then has them when they come, not when it next thinks of asking.
    pub fn frame(&self, request: &FrameRequest) -> Result<Vec<u8>, ApiError> {
        let session = self.session()?;
        if request.epoch != session.epoch {
            return Err(ApiError { code: ErrorCode::Stale, message: "this session is over".to_owned() });
        }
        let cursor = frame::cursor(request);
        let patience = if request.fresh { Duration::ZERO } else { HOLD };
        Ok(frame::encode(&session.core.lock_news(cursor, patience), session, request))
    }

    fn hello(&self, _: ()) -> Result<Hello, ApiError> {
        Ok(Hello {
            version: env!("CARGO_PKG_VERSION").to_owned(),
            mode: self.session.as_ref().map_or(SessionMode::Live, |session| session.mode.clone()),
            epoch: self.session.as_ref().map_or(0, |session| session.epoch),
            plant: self
                .session
                .as_ref()
                .map(|session| plant_info(session.core.lock().engine.config(), &self.config_path)),
            problems: self.problems.clone(),
        })
    }

    fn tags(&self, request: TagsRequest) -> Result<TagPage, ApiError> {
        let session = self.session()?;
        let config = Arc::clone(session.core.lock().engine.config());
        let limit = request.limit.min(TAGS_PER_PAGE) as usize;
        let ids = config.tag_ids().skip(request.offset as usize).take(limit);
        Ok(TagPage { total: config.tags.len() as u32, tags: ids.map(|id| tag_info(&config, id)).collect() })
    }

    fn session(&self) -> Result<&Session, ApiError> {
        self.session.as_ref().ok_or_else(|| bad_request("no plant is configured".to_owned()))
    }
}

fn parse<T: serde::de::DeserializeOwned>(request: serde_json::Value) -> Result<T, ApiError> {
    serde_json::from_value(request).map_err(|error| bad_request(error.to_string()))
}

fn answer<T: serde::Serialize>(response: T) -> Result<serde_json::Value, ApiError> {
    serde_json::to_value(response).map_err(|error| ApiError { code: ErrorCode::Internal, message: error.to_string() })
}

fn bad_request(message: String) -> ApiError {
    ApiError { code: ErrorCode::BadRequest, message }
}

fn plant_info(config: &PlantConfig, config_path: &str) -> PlantInfo {
    let connections = config.connections.iter().enumerate().map(|(id, connection)| ConnectionInfo {
        id: id as u32,
        name: connection.name.clone(),
        endpoint: connection.endpoint.clone(),
    });
    let units = config.units.iter().enumerate().map(|(id, unit)| UnitInfo {
        id: id as u32,
        name: unit.name.clone(),
        ideal_rate: unit.ideal_rate_per_min,
        band: unit.rate_band.map(<[f64; 2]>::from),
        has_state: unit.state.is_some(),
        has_speed: unit.speed.is_some() || unit.good.is_some(),
        has_good: unit.good.is_some(),
        has_reject: unit.reject.is_some(),
    });
    PlantInfo {
        site: config.site.clone(),
        area: config.area.clone(),
        line: config.line.name.clone(),
        time_zone: config.time_zone.clone(),
        product: config.line.product.clone(),
        target_rate: config.line.target_rate_per_min,
        minor_stop_ms: config.line.minor_stop.as_millis_f64(),
        constraint: config.line.constraint.map(|unit| unit.0),
        connections: connections.collect(),
        units: units.collect(),
        tag_count: config.tags.len() as u32,
        config_path: config_path.to_owned(),
    }
}

fn tag_info(config: &PlantConfig, id: lineside_model::TagId) -> TagInfo {
    let tag = config.tag(id);
    TagInfo {
        id: id.0,
        name: tag.name.clone(),
        description: tag.description.clone(),
        connection: tag.connection.0,
        node: tag.node.clone(),
        unit: tag.unit.clone(),
        range: tag.range.map(<[f64; 2]>::from),
        max_age_ms: tag.max_age.map(|age| age.as_millis_f64()),
        texts: tag.texts.iter().map(|(value, text)| TagText { value: *value as f64, text: text.clone() }).collect(),
    }
}
