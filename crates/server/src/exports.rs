//! Files that exports wrote, for a browser to keep. The api says which there are; no path of a request is ever opened.

use axum::body::Body;
use axum::extract::{Path, State};
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use futures::stream::try_unfold;
use lineside_api::Api;
use std::sync::Arc;
use tokio::fs::File;
use tokio::io::AsyncReadExt;

/// Read and sent at once, in bytes.
const CHUNK: usize = 64 << 10;

/// The export of this name, as a file to keep.
pub(crate) async fn serve(State(api): State<Arc<Api>>, Path(name): Path<String>) -> Response {
    let Some(path) = api.exported(&name) else {
        return (StatusCode::NOT_FOUND, "there is no such export; make it again").into_response();
    };
    let opened = async {
        let file = File::open(&path).await?;
        let length = file.metadata().await?.len();
        std::io::Result::Ok((file, length))
    };
    match opened.await {
        Ok((file, length)) => {
            let headers = [
                (header::CONTENT_TYPE, HeaderValue::from_static("application/octet-stream")),
                (header::CONTENT_LENGTH, HeaderValue::from(length)),
                (header::CONTENT_DISPOSITION, attachment(&name)),
                (header::CACHE_CONTROL, HeaderValue::from_static("no-store")),
            ];
            (headers, Body::from_stream(try_unfold(file, chunk))).into_response()
        }
        Err(error) => {
            tracing::warn!(path = %path.display(), %error, "an export cannot be read");
            (StatusCode::NOT_FOUND, "this export is no longer there; make it again").into_response()
        }
    }
}

async fn chunk(mut file: File) -> std::io::Result<Option<(Vec<u8>, File)>> {
    let mut bytes = vec![0; CHUNK];
    let read = file.read(&mut bytes).await?;
    bytes.truncate(read);
    Ok((read > 0).then_some((bytes, file)))
}

/// The name in the encoding of RFC 8187, which takes letters of any script.
fn attachment(name: &str) -> HeaderValue {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-._".contains(&byte);
    let encode = |byte: u8| if plain(byte) { char::from(byte).to_string() } else { format!("%{byte:02X}") };
    let encoded: String = name.bytes().map(encode).collect();
    // Only letters, digits and a few signs are in it.
    HeaderValue::from_str(&format!("attachment; filename*=UTF-8''{encoded}"))
        .unwrap_or_else(|_| HeaderValue::from_static("attachment"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_any_script_survive_the_header() {
        let check = |name: &str, expected: &str| assert_eq!(attachment(name).to_str().unwrap(), expected, "{name}");
        check("line-3.csv", "attachment; filename*=UTF-8''line-3.csv");
        check("früh.shift", "attachment; filename*=UTF-8''fr%C3%BCh.shift");
        check("a\"b\r\n.csv", "attachment; filename*=UTF-8''a%22b%0D%0A.csv");
    }
}
