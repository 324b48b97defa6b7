//! Problems at start in the three parts that a person needs: where, what, and what to do.

use lineside_api::wire::Problem;
use std::io;
use std::path::Path;

/// All errors of a configuration file.
pub(crate) fn of_config(errors: &lineside_config::Errors) -> Vec<Problem> {
    let problem = |error: &lineside_config::ConfigError| Problem {
        place: match error.line {
            0 => error.file.display().to_string(), // it concerns the whole file
            line => format!("{}:{line}:{}", error.file.display(), error.column),
        },
        problem: error.problem.clone(),
        remedy: error.remedy.clone(),
    };
    errors.0.iter().map(problem).collect()
}

/// The folder for recordings cannot be used at all.
pub(crate) fn data_folder(data: &Path, error: &io::Error) -> Problem {
    Problem {
        place: data.display().to_string(),
        problem: format!("The data folder cannot be written: {error}."),
        remedy: "Make the folder writable for this user, or choose another with --data DIR.".to_owned(),
    }
}

/// Another program records there.
pub(crate) fn data_in_use(data: &Path) -> Problem {
    Problem {
        place: data.display().to_string(),
        problem: "Another Lineside is already recording into this data folder.".to_owned(),
        remedy: "Use the one that is running, or choose another folder with --data DIR.".to_owned(),
    }
}

/// A recording that cannot be used; the plant is shown all the same.
pub(crate) fn recording(text: &str) -> Problem {
    tracing::error!("{text}");
    Problem {
        place: "recordings".to_owned(),
        problem: text.to_owned(),
        remedy: "The file is left as it is, and this shift is recorded. Move the file away to be rid of this message."
            .to_owned(),
    }
}

/// The operating system gives us no thread.
pub(crate) fn no_thread(error: &io::Error) -> Problem {
    Problem {
        place: "this computer".to_owned(),
        problem: format!("The plant loop could not be started: {error}."),
        remedy: "Close other programs and start Lineside again.".to_owned(),
    }
}
