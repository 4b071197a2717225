//! Ownership of executions, where several servers share a database.
//!
//! An execution has an owner until its lease ends. A claim takes it with one conditional update, which raises the fence:
//! from then on an append under the fence of before is refused. So an owner that was only slow, and comes back after its
//! lease, can do no harm. All times are the database's, the only clock that all servers see.

use crate::Result;
use async_trait::async_trait;
use pulse_core::ids::ExecutionId;
use pulse_core::time::Timestamp;
use std::time::Duration;

/// An execution that has been claimed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Claim {
    /// Which.
    pub execution_id: ExecutionId,
    /// Under which its new owner appends.
    pub fence: i64,
    /// When the lease ends, by the database's clock.
    pub lease_until: Timestamp,
}

/// Owners, leases and fences of executions that have not ended. An owner's name belongs to one run of one server: two
/// that use the same one at a time would take each other's leases for their own.
#[async_trait]
pub trait Claims {
    /// What the database's clock says.
    async fn database_time(&self) -> Result<Timestamp>;

    /// Claims an execution that nobody has, or whose lease has ended. Nothing when somebody has it (the same owner, too,
    /// who renews instead), when it has ended, or when there is none.
    async fn claim(&self, id: ExecutionId, owner: &str, lease: Duration) -> Result<Option<Claim>>;

    /// Claims up to `limit` executions whose lease has ended, those first that ended first. One that nobody has because it
    /// was released waits for something else, and is not claimed this way.
    async fn claim_abandoned(&self, owner: &str, lease: Duration, limit: usize) -> Result<Vec<Claim>>;

    /// Lets the leases of executions end `lease` from now. Answers which of them are still this owner's; the others have
    /// been claimed by somebody else, deleted or released, and are to be let go of.
    async fn renew(&self, ids: &[ExecutionId], owner: &str, lease: Duration) -> Result<Vec<ExecutionId>>;

    /// Gives an execution back. Answers whether it was this owner's.
    async fn release(&self, id: ExecutionId, owner: &str) -> Result<bool>;
}
