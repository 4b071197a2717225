//! One module per resource.

mod children;
mod commands;
mod executions;
mod health;
mod legacy;
mod live;
mod me;
mod session;
mod starting;
mod targets;
mod tokens;
mod webhooks;
mod workers;
mod workflows;

pub(super) use commands::routes as commands;
pub(super) use executions::routes as executions;
pub(super) use health::routes as health;
pub(super) use legacy::{heartbeat, socket as legacy_socket};
pub(super) use live::{browser_socket, worker_socket};
pub(super) use me::routes as me;
pub(super) use session::routes as session;
pub(super) use tokens::routes as tokens;
pub(super) use webhooks::routes as webhooks;
pub(super) use workers::routes as workers;
pub(super) use workflows::routes as workflows;
