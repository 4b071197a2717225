//! The whole of a store, as the server holds it.

use crate::{Access, Claims, Executions, Journal, Outputs, Settings, Workers, Workflows};
use async_trait::async_trait;
use tokio::sync::watch;

/// Everything PULSE keeps, in one database.
#[async_trait]
pub trait Store:
    Journal + Executions + Claims + Outputs + Workflows + Workers + Access + Settings + Send + Sync
{
    /// Says why, once the store takes no more writes because it failed.
    fn failed(&self) -> watch::Receiver<Option<String>>;

    /// Finishes the writes that are queued, refuses new ones, and closes the database.
    async fn close(&self);
}
