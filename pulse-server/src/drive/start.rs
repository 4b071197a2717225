//! Starting executions: the first append, which is what a 202 stands for.

use super::actor::{Loaded, act, publish};
use super::decide::decide;
use super::driver::{Driver, Error};
use super::summary::record;
use super::turns::Turn;
use crate::secrets::Secrets;
use pulse_core::ids::ExecutionId;
use pulse_engine::{Input, Plan, Start, State};
use pulse_store::{Append, Appended, IdempotencyKey};
use std::sync::Arc;
use tokio::sync::oneshot;

/// An execution to be started. Its parameters have been checked.
pub struct Begin {
    /// Its id, if that is settled: a child's was drawn by its parent.
    pub id: Option<ExecutionId>,
    /// What it runs.
    pub plan: Arc<Plan>,
    /// What it is started with, secrets among it: they are taken out and sealed.
    pub start: Start,
    /// What it runs, in a few words.
    pub title: String,
    /// The client's key for repeating the request.
    pub idempotency: Option<IdempotencyKey>,
}

/// What starting came to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Begun {
    /// It is durable.
    New(ExecutionId),
    /// The same request was made before, under the same key.
    Repeated(ExecutionId),
    /// The key was used for another request.
    KeyReused(ExecutionId),
}

impl Driver {
    /// Starts an execution; it is durable when this returns. Dropping the future does not stop what has begun.
    ///
    /// # Errors
    /// When the store fails, or secrets are given and there is no key to seal them with.
    pub async fn begin(&self, begin: Begin) -> Result<Begun, Error> {
        let (reply, answer) = oneshot::channel();
        let driver = self.clone();
        self.spawn(async move {
            let _ = reply.send(driver.append_first(begin).await);
        });
        answer.await.unwrap_or(Err(Error::Stopping))
    }

    async fn append_first(&self, begin: Begin) -> Result<Begun, Error> {
        if self.0.stop.is_cancelled() {
            return Err(Error::Stopping);
        }
        let Begin { id, plan, mut start, title, idempotency } = begin;
        let secrets = Secrets::take(&plan.workflow.params, &mut start.params);
        if !secrets.is_empty() && self.0.key.is_none() {
            return Err(Error::NoDataKey);
        }
        let id = id.unwrap_or_else(|| ExecutionId(uuid::Uuid::now_v7()));
        let workflow = start.workflow.as_ref().map(|workflow| workflow.id);
        if let Some(workflow) = workflow {
            match self.0.turns.take(workflow, id, plan.workflow.concurrency) {
                Turn::Now(oldest) => {
                    for oldest in oldest {
                        let reason = Some("a newer one takes its place (concurrency: cancel_oldest)".to_owned());
                        self.give(oldest, Input::Abort { by: "concurrency".to_owned(), reason });
                    }
                }
                Turn::Queued(limit) => start.queue = Some(limit),
                Turn::Refused(limit) => return Err(Error::Skipped { limit }),
            }
        }
        let begun = self.append_state(id, Begin { id: None, plan, start, title, idempotency }, secrets).await;
        if let (Some(workflow), false) = (workflow, matches!(begun, Ok(Begun::New(_)))) {
            self.release(workflow, id);
        }
        begun
    }

    async fn append_state(&self, id: ExecutionId, begin: Begin, secrets: Secrets) -> Result<Begun, Error> {
        let Begin { plan, start, title, idempotency, .. } = begin;
        let sealed = self.0.key.as_ref().filter(|_| !secrets.is_empty()).map(|key| secrets.seal(key, id));
        let secrets = Arc::new(secrets);
        let mut state = State::new(id);
        let transition = decide(self, &plan, &mut state, Input::Start(Box::new(start))).await?;
        let record = record(&state, &title).ok_or(Error::NotFound(id))?;
        let append = Append {
            execution_id: id,
            fence: record.fence,
            entries: transition.entries.clone(),
            record: record.clone(),
            idempotency,
            secrets: sealed,
        };
        match self.0.store.append(append).await? {
            Appended::New => {}
            Appended::Existing { execution_id, same_request: true } => return Ok(Begun::Repeated(execution_id)),
            Appended::Existing { execution_id, .. } => return Ok(Begun::KeyReused(execution_id)),
        }
        publish(self, &transition.entries, &record);
        // In memory before it acts: a result must find it there.
        let waits = !state.outstanding().is_empty();
        let seen = state.clone();
        if waits {
            self.start_actor(Loaded { state, plan, title, fence: record.fence, secrets: secrets.clone() });
        }
        act(self, &seen, &secrets, transition.effects);
        Ok(Begun::New(id))
    }
}
