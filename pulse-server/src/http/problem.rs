//! Errors of the API. One place maps kinds to HTTP; what the client sees and what the log gets are separate texts.

use crate::access::{BadHeaders, Denied};
use crate::drive;
use pulse_core::api::Problem;
use pulse_core::diagnostic::Diagnostic;
use pulse_core::workflow::BadParam;
use pulse_engine::Refused;
use warp::Reply;
use warp::http::{HeaderValue, StatusCode, header};
use warp::reply::Response;

/// Why a request is not answered as asked.
#[derive(Debug, thiserror::Error)]
pub enum ApiError {
    /// No credential, or a wrong one.
    #[error("sign in first: send a token as `Authorization: Bearer …`, or use the sign-in link")]
    Unauthorized,
    /// A worker without the key, or with a wrong one.
    #[error("the worker's key is missing or wrong: it has to be the WORKER_API_KEY of the server")]
    UnknownWorker,
    /// Too small a role.
    #[error("this needs the role {needed}; you are {is}")]
    Forbidden {
        /// What is needed.
        needed: pulse_core::status::Role,
        /// What the caller has.
        is: pulse_core::status::Role,
    },
    /// Not among those who may answer.
    #[error("only members of {} may answer this", groups.join(", "))]
    NotAllowed {
        /// Who may.
        groups: Vec<String>,
    },
    /// A request that did not come from our own pages.
    #[error("{0}")]
    CrossSite(&'static str),
    /// Nothing there.
    #[error("there is no {what} {id}")]
    NotFound {
        /// What kind of thing.
        what: &'static str,
        /// Which.
        id: String,
    },
    /// The method does not exist here.
    #[error("the method is not allowed here")]
    Method,
    /// Not a request at all.
    #[error("{0}")]
    BadRequest(String),
    /// The body is too large.
    #[error("the body is larger than {limit} bytes")]
    TooLarge {
        /// The limit.
        limit: usize,
    },
    /// The body did not come in time.
    #[error("the body did not arrive in time")]
    Slow,
    /// Another content type.
    #[error("send `Content-Type: application/json`")]
    MediaType,
    /// It makes sense, but cannot be done as it is.
    #[error("{detail}")]
    Invalid {
        /// Stable code.
        code: &'static str,
        /// What is wrong.
        detail: String,
    },
    /// A definition with mistakes.
    #[error("the definition has {} {}", errors(.0), if errors(.0) == 1 { "mistake" } else { "mistakes" })]
    Diagnostics(Vec<Diagnostic>),
    /// It does not fit what is there.
    #[error("{detail}")]
    Conflict {
        /// Stable code.
        code: &'static str,
        /// What.
        detail: String,
    },
    /// Too many wrong credentials.
    #[error("too many wrong credentials from this address; wait a minute")]
    TooMany,
    /// Not now.
    #[error("{0}")]
    Unavailable(String),
    /// Our fault.
    #[error("something went wrong in the server; its log says more")]
    Internal,
}

fn errors(diagnostics: &[Diagnostic]) -> usize {
    let errors = diagnostics.iter().filter(|d| d.severity == pulse_core::diagnostic::Severity::Error);
    errors.map(Diagnostic::count).sum()
}

impl ApiError {
    fn parts(&self) -> (StatusCode, &'static str) {
        match self {
            Self::Unauthorized | Self::UnknownWorker => (StatusCode::UNAUTHORIZED, "unauthorized"),
            Self::Forbidden { .. } => (StatusCode::FORBIDDEN, "forbidden"),
            Self::NotAllowed { .. } => (StatusCode::FORBIDDEN, "not-allowed"),
            Self::CrossSite(_) => (StatusCode::FORBIDDEN, "cross-site"),
            Self::NotFound { .. } => (StatusCode::NOT_FOUND, "not-found"),
            Self::Method => (StatusCode::METHOD_NOT_ALLOWED, "method-not-allowed"),
            Self::BadRequest(_) => (StatusCode::BAD_REQUEST, "bad-request"),
            Self::TooLarge { .. } => (StatusCode::PAYLOAD_TOO_LARGE, "too-large"),
            Self::Slow => (StatusCode::REQUEST_TIMEOUT, "timeout"),
            Self::MediaType => (StatusCode::UNSUPPORTED_MEDIA_TYPE, "media-type"),
            Self::Invalid { code, .. } => (StatusCode::UNPROCESSABLE_ENTITY, code),
            Self::Diagnostics(_) => (StatusCode::UNPROCESSABLE_ENTITY, "invalid-definition"),
            Self::Conflict { code, .. } => (StatusCode::CONFLICT, code),
            Self::TooMany => (StatusCode::TOO_MANY_REQUESTS, "too-many-requests"),
            Self::Unavailable(_) => (StatusCode::SERVICE_UNAVAILABLE, "unavailable"),
            Self::Internal => (StatusCode::INTERNAL_SERVER_ERROR, "internal"),
        }
    }
}

impl Reply for ApiError {
    fn into_response(self) -> Response {
        let (status, code) = self.parts();
        let detail = self.to_string().trim_end().to_owned();
        let title = status.canonical_reason().unwrap_or("Error").to_owned();
        let diagnostics = if let Self::Diagnostics(found) = self { found } else { Vec::new() };
        let problem = Problem { title, status: status.as_u16(), detail, code: code.to_owned(), diagnostics };
        let mut response = warp::reply::json(&problem).into_response();
        *response.status_mut() = status;
        response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static("application/problem+json"));
        if status == StatusCode::UNAUTHORIZED {
            response.headers_mut().insert(header::WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
        }
        response
    }
}

/// Turns a handler's result into an answer.
pub(super) async fn respond<R: Reply>(handler: impl Future<Output = Result<R, ApiError>>) -> Response {
    match handler.await {
        Ok(reply) => reply.into_response(),
        Err(error) => error.into_response(),
    }
}

impl From<Denied> for ApiError {
    fn from(denied: Denied) -> Self {
        match denied {
            Denied::Unknown => Self::Unauthorized,
            Denied::TooMany => Self::TooMany,
        }
    }
}

impl ApiError {
    /// Why a worker is not let in.
    pub(super) fn of_worker(denied: Denied) -> Self {
        match denied {
            Denied::Unknown => Self::UnknownWorker,
            Denied::TooMany => Self::TooMany,
        }
    }
}

impl From<BadHeaders> for ApiError {
    fn from(bad: BadHeaders) -> Self {
        Self::BadRequest(bad.to_string())
    }
}

impl From<pulse_store::Error> for ApiError {
    fn from(error: pulse_store::Error) -> Self {
        use pulse_store::Error;
        match error {
            Error::NotFound { what, id } => Self::NotFound { what, id },
            Error::TooLong { .. } => Self::Invalid { code: error.code(), detail: error.to_string() },
            Error::NameTaken { .. }
            | Error::VersionConflict { .. }
            | Error::NotEnded { .. }
            | Error::Conflict { .. } => Self::Conflict { code: error.code(), detail: error.to_string() },
            // The log says once that nothing can be stored, not for each who asks.
            Error::Full { .. } | Error::Unavailable { .. } => Self::Unavailable(error.to_string()),
            Error::Fenced { .. } => {
                tracing::error!(%error, "the store refuses");
                Self::Unavailable(error.to_string())
            }
            Error::Corrupt { .. } | Error::TooNew { .. } | Error::TooOld { .. } | Error::Failed { .. } => {
                tracing::error!(%error, "the store fails");
                Self::Internal
            }
        }
    }
}

impl From<drive::Error> for ApiError {
    fn from(error: drive::Error) -> Self {
        match error {
            drive::Error::NotFound(id) => Self::NotFound { what: "execution", id: id.to_string() },
            drive::Error::Refused(refused) => refused.into(),
            drive::Error::Store(error) => error.into(),
            drive::Error::Skipped { .. } => Self::Conflict { code: "concurrency-limit", detail: error.to_string() },
            drive::Error::NoDataKey => Self::Invalid { code: "no-data-key", detail: error.to_string() },
            drive::Error::Stopping => Self::Unavailable(error.to_string()),
            drive::Error::NoPlan(_) | drive::Error::Damaged { .. } | drive::Error::Sealed(_) => {
                tracing::error!(%error, "an execution cannot be read");
                Self::Internal
            }
        }
    }
}

impl From<Refused> for ApiError {
    fn from(refused: Refused) -> Self {
        let detail = refused.to_string();
        match refused {
            Refused::Ended { .. } => Self::Conflict { code: "ended", detail },
            Refused::NoPrompt => Self::Conflict { code: "no-prompt", detail },
            Refused::Answered { .. } => Self::Conflict { code: "answered", detail },
            Refused::NotAnOption { .. } => Self::Invalid { code: "not-an-option", detail },
            Refused::BadFields(_) => Self::Invalid { code: "invalid-fields", detail },
            Refused::Ambiguous => Self::Invalid { code: "ambiguous-prompt", detail },
            Refused::UnknownCommand(_) => Self::Conflict { code: "unknown-command", detail },
        }
    }
}

impl From<Vec<BadParam>> for ApiError {
    fn from(bad: Vec<BadParam>) -> Self {
        let detail = bad.iter().map(|bad| bad.message.as_str()).collect::<Vec<_>>().join("; ");
        Self::Invalid { code: "invalid-params", detail }
    }
}
