//! Recordings at the boundary of the api, as a page has them: a shift that was recorded from a script under a test clock is
//! opened, played, searched, compared, marked, checked, exported and imported, in a whole program without a screen.

mod files;
mod ground;
mod questions;
mod sessions;
