//! Summaries of executions: what lists and wake-ups need without folding a journal.

use crate::Result;
use crate::text::{fold, make_name, make_storable, name};
use async_trait::async_trait;
use pulse_core::ids::{ExecutionId, Seq, WorkflowId};
use pulse_core::status::{ExecutionStatus, Trigger};
use pulse_core::time::Timestamp;

/// The summary of an execution. It can be computed again from the journal at any time.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ExecutionRecord {
    /// Its id: a UUIDv7 made when it was created, so that ids sort by age.
    pub id: ExecutionId,
    /// The stored workflow it runs; none for a quick command.
    pub workflow_id: Option<WorkflowId>,
    /// That workflow's name at the time.
    pub workflow: Option<String>,
    /// Which version of its definition.
    pub version: Option<u32>,
    /// What it runs, in a few words.
    pub title: String,
    /// Where it stands.
    pub status: ExecutionStatus,
    /// Who started it.
    pub started_by: String,
    /// What started it.
    pub trigger: Trigger,
    /// When it was accepted: within a minute of the time in its id, which is what `since` and `until` search by.
    pub created_at: Timestamp,
    /// When its first step started.
    pub started_at: Option<Timestamp>,
    /// When it ended.
    pub finished_at: Option<Timestamp>,
    /// Why it failed or was aborted.
    pub error: Option<String>,
    /// Whether it waits for a person.
    pub waiting_for_input: bool,
    /// When it has to be woken, if nothing else wakes it before.
    pub wake_at: Option<Timestamp>,
    /// How many of its commands are on workers or on their way.
    pub active_commands: u32,
    /// The number of its last journal entry.
    pub last_seq: Seq,
    /// Which server drives it.
    pub owner: Option<String>,
    /// Until when that server may, by the database's clock.
    pub lease_until: Option<Timestamp>,
    /// Under which ownership it was written last.
    pub fence: i64,
}

/// Which executions a list shows. Everything given has to hold.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ExecutionFilter {
    /// In one of these states; any when empty.
    pub status: Vec<ExecutionStatus>,
    /// Of the workflow with this name, ignoring case.
    pub workflow: Option<String>,
    /// Started by exactly this.
    pub started_by: Option<String>,
    /// With this in the title or in the error, ignoring case.
    pub text: Option<String>,
    /// Created at this time or later.
    pub since: Option<Timestamp>,
    /// Created at this time or earlier.
    pub until: Option<Timestamp>,
}

/// The summaries of all executions. They are written by appends, and anew from a journal.
#[async_trait]
pub trait Executions {
    /// One execution.
    async fn execution(&self, id: ExecutionId) -> Result<Option<ExecutionRecord>>;

    /// Up to `limit` executions, newest (largest id) first, only those before `before` when it is given.
    async fn executions(
        &self,
        filter: &ExecutionFilter,
        before: Option<ExecutionId>,
        limit: usize,
    ) -> Result<Vec<ExecutionRecord>>;

    /// Ids that start with these hex digits (hyphens and case do not matter), newest first. Nothing when it is no hex.
    async fn executions_by_prefix(&self, hex_prefix: &str, limit: usize) -> Result<Vec<ExecutionId>>;

    /// Executions that have not ended, oldest first, only those after `after` when it is given.
    async fn unfinished(&self, after: Option<ExecutionId>, limit: usize) -> Result<Vec<ExecutionRecord>>;

    /// Executions that have not ended and are to be woken at `until` or before, the earliest first.
    async fn due(&self, until: Timestamp, limit: usize) -> Result<Vec<(ExecutionId, Timestamp)>>;

    /// Executions that have ended, before `until`, oldest first: what retention deletes.
    async fn finished_before(&self, until: Timestamp, limit: usize) -> Result<Vec<ExecutionId>>;

    /// Writes a summary that was made anew from the journal, in place of the one that is there or of none. It has to be
    /// the one for the journal's end (`Conflict`), and there has to be a journal (`NotFound`). Owner, lease and fence of
    /// one that is there stay: they are in no journal.
    async fn replace_summary(&self, record: ExecutionRecord) -> Result<()>;

    /// Deletes an ended execution with its journal, output, calls of webhooks and idempotency keys. It is gone from every list at once; a
    /// long journal or output is deleted in pieces after that. Answers whether there was one.
    async fn delete_execution(&self, id: ExecutionId) -> Result<bool>;
}

impl ExecutionRecord {
    /// The same with texts that every database keeps.
    pub(crate) fn storable(mut self) -> Self {
        [Some(&mut self.title), self.error.as_mut()].into_iter().flatten().for_each(make_storable);
        let names = [Some(&mut self.started_by), self.workflow.as_mut(), self.owner.as_mut()];
        names.into_iter().flatten().for_each(make_name);
        self
    }
}

impl ExecutionFilter {
    /// Whether a summary passes, by the definition that every implementation has to meet.
    pub(crate) fn matches(&self, record: &ExecutionRecord) -> bool {
        (self.status.is_empty() || self.status.contains(&record.status))
            && self.workflow.as_ref().is_none_or(|name| record.workflow.as_ref().is_some_and(|w| fold(w) == fold(name)))
            && self.started_by.as_ref().is_none_or(|by| name(by) == record.started_by)
            && self.since.is_none_or(|since| record.created_at >= since)
            && self.until.is_none_or(|until| record.created_at <= until)
            && self.text.as_ref().is_none_or(|text| {
                let text = fold(text);
                fold(&record.title).contains(&text) || record.error.as_ref().is_some_and(|e| fold(e).contains(&text))
            })
    }
}
