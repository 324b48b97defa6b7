//! The desktop host: one window that carries the api to the page. Nothing but wiring.

use lineside_api::Api;
use lineside_api::wire::{ApiError, ErrorCode, FrameRequest};
use lineside_host::{Args, Host};
use std::sync::Arc;
use tauri::ipc::{InvokeBody, Request, Response};
use tauri::{State, WebviewUrl, WebviewWindowBuilder};

/// Opens the window and stays until it is closed.
pub fn run(args: &Args) -> Result<(), Box<dyn std::error::Error>> {
    let runtime = tokio::runtime::Runtime::new()?;
    let host = Host::start(args, runtime.handle());
    let outcome = tauri::Builder::default()
        .manage(host.api())
        .invoke_handler(tauri::generate_handler![call, frame, put])
        .setup(|app| {
            WebviewWindowBuilder::new(app, "main", WebviewUrl::default())
                .title("Lineside")
                .inner_size(1366.0, 768.0)
                .min_inner_size(1024.0, 700.0)
                // The page takes dropped recordings itself, as in a browser.
                .disable_drag_drop_handler()
                .build()?;
            Ok(())
        })
        .build(tauri::generate_context!())?
        .run_return(|_, _| ());
    runtime.block_on(host.stop());
    if outcome == 0 { Ok(()) } else { Err(format!("the window ended with code {outcome}").into()) }
}

/// One command of the api, by name. A slow one gives its worker thread's place to another, so that it holds up no frame.
#[tauri::command(async)]
fn call(api: State<'_, Arc<Api>>, name: String, request: serde_json::Value) -> Result<serde_json::Value, ApiError> {
    tokio::task::block_in_place(|| api.call(&name, request))
}

/// One frame, as raw bytes: JSON would cost two hundred times as much on the page. It may be held until there is news;
/// the page has one request in flight, so no more than one thread waits.
#[tauri::command(async)]
fn frame(api: State<'_, Arc<Api>>, request: FrameRequest) -> Result<Response, ApiError> {
    api.frame(&request).map(Response::new)
}

/// A piece of a file that is being imported: raw bytes, with `import` and `offset` in headers of these names.
#[tauri::command(async)]
fn put(api: State<'_, Arc<Api>>, request: Request<'_>) -> Result<(), ApiError> {
    let number = |name: &str| request.headers().get(name)?.to_str().ok()?.parse::<u64>().ok();
    let import = number("import").and_then(|import| u32::try_from(import).ok());
    let (InvokeBody::Raw(bytes), Some(import), Some(offset)) = (request.body(), import, number("offset")) else {
        let message = "a piece needs raw bytes, and the headers `import` and `offset`".to_owned();
        return Err(ApiError { code: ErrorCode::BadRequest, message });
    };
    tokio::task::block_in_place(|| api.put(import, offset, bytes))
}
