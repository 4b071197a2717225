//! The server: HTTP and WebSocket in front, the engine's executions and the workers behind, one store below.
//!
//! ```text
//! browser, CLI ──▶ http ──▶ drive (one task per busy execution: decide → append → commit → act) ──▶ store
//!       ▲                      │  ▲
//!       └──────── live ◀───────┘  └── fleet ◀──▶ workers
//! ```

pub mod access;
pub mod clock;
mod config;
pub mod drive;
mod error;
pub mod fleet;
pub mod http;
pub mod live;
mod local;
pub mod secrets;
mod server;
mod signal;
mod sole;
pub mod upkeep;
pub mod webhooks;

pub use config::{Args, Config, LogFormat, check_environment, init_logging, is_setting, load_dotenv};
pub use error::Error;
pub use server::{Running, rebuild, start};
pub use signal::stop_signal;
