//! What of a shift a clip is, in words.

use crate::times::Wall;
use lineside_recording::ShiftFile;
use lineside_recording::library::Entry;
use std::path::Path;

/// `from 08:40:00 to 09:05:00, 24 of 240 tags`; `None`: the file is no clip.
pub(crate) fn in_words(entry: &Entry) -> Option<String> {
    let about = entry.about.as_ref()?;
    let clip = ShiftFile::open(&entry.path).ok()?.clip_of().ok()??;
    let wall = Wall::new(&about.header.time_zone, clip.from, clip.to);
    let (from, to) = (wall.time_of_day(clip.from), wall.time_of_day(clip.to));
    let all = lineside_config::parse(&about.header.config_text, Path::new(&about.header.config_path));
    let tags = match (&clip.tags, all) {
        (None, _) => String::new(),
        (Some(tags), Ok(config)) => format!(", {} of {} tags", tags.len(), config.tags.len()),
        (Some(tags), Err(_)) => format!(", {} tags", tags.len()),
    };
    Some(format!("from {from} to {to}{tags}"))
}
