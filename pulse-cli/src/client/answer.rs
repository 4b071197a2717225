//! What a server's answer means: a value, a refusal, or not a PULSE server at all.

use crate::error::Error;
use crate::server::Address;
use pulse_core::api::Problem;
use reqwest::header::{CONTENT_TYPE, HeaderMap};
use serde::de::DeserializeOwned;

/// Reads the body of an answer.
pub(super) fn read<T: DeserializeOwned>(address: &Address, body: &[u8]) -> Result<T, Error> {
    serde_json::from_slice(body).map_err(|error| Error::NotPulse {
        url: address.to_string(),
        what: format!("its JSON is not as expected: {error}"),
    })
}

/// The error of an answer that is no success.
pub(super) fn refusal(address: &Address, status: u16, media: &str, body: &[u8]) -> Error {
    match serde_json::from_slice::<Problem>(body) {
        Ok(problem) => Error::Refused { problem: Box::new(problem), hint: None, file: None },
        Err(_) => {
            let media = if media.is_empty() { "no content type" } else { media };
            Error::NotPulse { url: address.to_string(), what: format!("status {status} with {media}") }
        }
    }
}

/// The content type without its parameters.
pub(super) fn media_type(headers: &HeaderMap) -> String {
    let value = headers.get(CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    value.split(';').next().unwrap_or_default().trim().to_owned()
}

/// The innermost reason, which is what a person can act on: `connection refused` and not how it was found out.
pub(super) fn root_cause(error: &(dyn std::error::Error + 'static)) -> String {
    let mut cause = error;
    while let Some(source) = cause.source() {
        cause = source;
    }
    let text = cause.to_string();
    // The operating system's number says nothing that its words do not.
    match text.find(" (os error ") {
        Some(end) => text[..end].to_lowercase(),
        None => text,
    }
}
