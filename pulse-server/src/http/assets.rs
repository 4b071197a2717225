//! The web application, built into the binary by the build script. Every path that is nothing else gets its page: the
//! application has its own URLs.

use warp::filters::BoxedFilter;
use warp::http::{HeaderMap, HeaderValue, StatusCode, header};
use warp::path::FullPath;
use warp::reply::Response;
use warp::{Filter, Reply};

/// A file of the web application.
struct Asset {
    path: &'static str,
    mime: &'static str,
    etag: &'static str,
    raw: &'static [u8],
    gzip: Option<&'static [u8]>,
    brotli: Option<&'static [u8]>,
}

include!(concat!(env!("OUT_DIR"), "/assets.rs"));

pub(super) fn routes() -> BoxedFilter<(Response,)> {
    warp::get()
        .or(warp::head())
        .unify()
        .and(warp::path::full())
        .and(warp::header::headers_cloned())
        .and_then(|path: FullPath, headers: HeaderMap| async move {
            find(path.as_str()).map(|asset| answer(asset, &headers)).ok_or_else(warp::reject::not_found)
        })
        .boxed()
}

fn find(path: &str) -> Option<&'static Asset> {
    let asset = |name: &str| ASSETS.iter().find(|asset| asset.path == name);
    let name = path.trim_start_matches('/');
    match asset(name) {
        Some(found) => Some(found),
        // Paths of the API and files that do not exist are not pages of the application.
        None if ["api", "ws", "assets", "metrics"].contains(&name.split('/').next().unwrap_or_default()) => None,
        None if name.rsplit('/').next().is_some_and(|last| last.contains('.')) => None,
        None => asset("index.html"),
    }
}

fn answer(asset: &'static Asset, headers: &HeaderMap) -> Response {
    let accepts = headers.get(header::ACCEPT_ENCODING).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let accepts = |name: &str| accepts.split(',').any(|part| part.split(';').next().is_some_and(|n| n.trim() == name));
    let (bytes, encoding) = match (asset.brotli, asset.gzip) {
        (Some(bytes), _) if accepts("br") => (bytes, Some("br")),
        (_, Some(bytes)) if accepts("gzip") => (bytes, Some("gzip")),
        _ => (asset.raw, None),
    };
    let unchanged = headers.get(header::IF_NONE_MATCH).is_some_and(|etag| etag == asset.etag);
    let mut response = match unchanged {
        true => Response::default(),
        false => bytes.into_response(),
    };
    if unchanged {
        *response.status_mut() = StatusCode::NOT_MODIFIED;
    }
    // Names under assets/ carry a hash of the content; the page itself is asked for each time.
    let cache = if asset.path.starts_with("assets/") { "public, max-age=31536000, immutable" } else { "no-cache" };
    let headers = response.headers_mut();
    let mut set = |name, value: &'static str| headers.insert(name, HeaderValue::from_static(value));
    set(header::CONTENT_TYPE, asset.mime);
    set(header::ETAG, asset.etag);
    set(header::CACHE_CONTROL, cache);
    set(header::VARY, "accept-encoding");
    if let Some(encoding) = encoding {
        set(header::CONTENT_ENCODING, encoding);
    }
    response
}
