//! The built UI, file by file. Nothing outside its folder is ever read.

use axum::Router;
use axum::extract::State;
use axum::http::{StatusCode, Uri, header};
use axum::response::{IntoResponse, Response};
use std::path::{Component, Path, PathBuf};
use std::sync::Arc;

/// What the page may load and where it may connect: this server and nothing else.
const CONTENT_SECURITY_POLICY: &str = "default-src 'self'; connect-src 'self' ws://127.0.0.1:* ws://localhost:*; style-src 'self' 'unsafe-inline'; img-src 'self' data:";

/// Serves the files below `ui`; `/` is `index.html`.
pub(crate) fn service(ui: PathBuf) -> Router {
    Router::new().fallback(serve).with_state(Arc::new(ui))
}

async fn serve(State(ui): State<Arc<PathBuf>>, uri: Uri) -> Response {
    let Some(path) = file_below(&ui, uri.path()) else {
        return (StatusCode::NOT_FOUND, "no such page").into_response();
    };
    match tokio::fs::read(&path).await {
        Ok(bytes) => {
            let mime = mime_guess::from_path(&path).first_or_octet_stream();
            let headers = [
                (header::CONTENT_TYPE, mime.to_string()),
                (header::CONTENT_SECURITY_POLICY, CONTENT_SECURITY_POLICY.to_owned()),
                (header::CACHE_CONTROL, "no-cache".to_owned()),
            ];
            (headers, bytes).into_response()
        }
        Err(error) => {
            tracing::warn!(path = %path.display(), %error, "a page could not be read; was the UI built?");
            (StatusCode::NOT_FOUND, "no such page; build the UI with `npm run build` in ui/").into_response()
        }
    }
}

/// The file that a request path means, unless it leads out of the folder.
fn file_below(ui: &Path, request: &str) -> Option<PathBuf> {
    let relative = Path::new(request.trim_start_matches('/'));
    let plain = relative.components().all(|component| matches!(component, Component::Normal(_)));
    let relative = if relative.as_os_str().is_empty() { Path::new("index.html") } else { relative };
    plain.then(|| ui.join(relative))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_request_leads_out_of_the_folder() {
        let check = |request: &str, expected: Option<&str>| {
            assert_eq!(file_below(Path::new("ui"), request), expected.map(PathBuf::from), "{request}");
        };
        check("/", Some("ui/index.html"));
        check("/assets/a.js", Some("ui/assets/a.js"));
        check("/../secret", None);
        check("/assets/../../secret", None);
        check("//etc/passwd", Some("ui/etc/passwd"));
    }
}
