//! The whole of a store, as the server holds it.

use crate::Error;
use crate::{Access, Claims, Deliveries, Executions, Journal, Outputs, Settings, Workers, Workflows};
use async_trait::async_trait;
use tokio::sync::watch;

/// Everything PULSE keeps, in one database.
#[async_trait]
pub trait Store:
    Journal + Executions + Claims + Outputs + Deliveries + Workflows + Workers + Access + Settings + Send + Sync
{
    /// Says why, once the store takes no more writes because it failed.
    fn failed(&self) -> watch::Receiver<Option<String>>;

    /// Why the last write was not done, when it can be once there is room again or the database can be reached; `None`
    /// after one that was. Only another write tells that it is over.
    fn trouble(&self) -> Option<Error> {
        None
    }

    /// Finishes the writes that are queued, refuses new ones, and closes the database. For a database server that does not
    /// answer it waits at most 1.5 s.
    async fn close(&self);
}
