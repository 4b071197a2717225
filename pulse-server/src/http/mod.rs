//! HTTP: the accept loop, what every request goes through, and one module per resource.

mod app;
mod assets;
mod execution_view;
mod listen;
mod problem;
mod request;
mod routes;
pub(crate) mod socket;

pub use app::{App, routes};
pub use listen::{bind, serve};
pub use problem::ApiError;
