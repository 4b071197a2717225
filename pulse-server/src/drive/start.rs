//! Starting executions: the first append, which is what a 202 stands for.

use super::actor::{self, Loaded, Message, act, publish};
use super::decide::decide;
use super::driver::{Driver, Error};
use super::summary::record;
use super::turns::Turn;
use crate::secrets::Secrets;
use pulse_core::ids::ExecutionId;
use pulse_engine::{Input, Plan, Start, State};
use pulse_store::{Append, Appended, IdempotencyKey};
use std::sync::Arc;
use tokio::sync::{mpsc, oneshot};

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

impl Begun {
    /// A request under a key that was used before.
    fn before(execution_id: ExecutionId, same_request: bool) -> Self {
        match same_request {
            true => Self::Repeated(execution_id),
            false => Self::KeyReused(execution_id),
        }
    }
}

/// The same, for the task in which it happens.
enum First {
    /// It is durable, and in memory: to be driven on with what has come for it meanwhile.
    New(Box<Loaded>, mpsc::Receiver<Message>),
    Known(Begun),
}

impl Driver {
    /// Starts an execution; it is durable when this returns. Dropping the future does not stop what has begun.
    ///
    /// # Errors
    /// When the store fails, its workflow lets no more run, or secrets are given and there is no key to seal them with:
    /// there is no such execution then.
    pub async fn begin(&self, begin: Begin) -> Result<Begun, Error> {
        let (reply, answer) = oneshot::channel();
        let driver = self.clone();
        self.spawn(async move {
            match driver.append_first(begin).await {
                Ok(First::New(loaded, messages)) => {
                    let id = loaded.state.id;
                    let _ = reply.send(Ok(Begun::New(id)));
                    actor::run(driver, id, Some(*loaded), messages).await;
                }
                Ok(First::Known(begun)) => drop(reply.send(Ok(begun))),
                Err(error) => drop(reply.send(Err(error))),
            }
        });
        answer.await.unwrap_or(Err(Error::Stopping))
    }

    async fn append_first(&self, mut begin: Begin) -> Result<First, Error> {
        if self.0.stop.is_cancelled() {
            return Err(Error::Stopping);
        }
        let secrets = Secrets::take(&begin.plan.workflow.params, &mut begin.start.params);
        if !secrets.is_empty() && self.0.key.is_none() {
            return Err(Error::NoDataKey);
        }
        let concurrency = begin.plan.workflow.concurrency;
        // A request that is repeated needs no turn, and nobody makes room for it.
        let _held = match begin.idempotency.as_ref().filter(|_| concurrency.is_some()) {
            None => None,
            Some(key) => {
                let held = self.0.keys.hold(key).await;
                if let Some(Appended::Existing { execution_id, same_request }) = self.store().used(key).await? {
                    return Ok(First::Known(Begun::before(execution_id, same_request)));
                }
                Some(held)
            }
        };
        let id = begin.id.unwrap_or_else(|| ExecutionId(uuid::Uuid::now_v7()));
        // In memory before it is in the store: what comes for it from then on waits until it has begun.
        let (_, Some(messages)) = self.0.resident.enter(id) else { return self.begun_before(id).await };
        let begun = self.take_turn(id, begin, secrets).await;
        if !matches!(begun, Ok(Ok(_))) {
            self.0.resident.remove(id);
        }
        Ok(match begun? {
            Ok(loaded) => First::New(Box::new(loaded), messages),
            Err(known) => First::Known(known),
        })
    }

    /// A child that is in memory: it has begun, or somebody else tries just now.
    async fn begun_before(&self, id: ExecutionId) -> Result<First, Error> {
        match self.store().execution(id).await? {
            Some(_) => Ok(First::Known(Begun::Repeated(id))),
            None => Err(Error::Stopping),
        }
    }

    async fn take_turn(
        &self,
        id: ExecutionId,
        mut begin: Begin,
        secrets: Secrets,
    ) -> Result<Result<Loaded, Begun>, Error> {
        let workflow = begin.start.workflow.as_ref().map(|workflow| workflow.id);
        let mut oldest = Vec::new();
        if let Some(workflow) = workflow {
            if begin.plan.workflow.concurrency.is_some() {
                self.count_turns(workflow).await?;
            }
            match self.0.turns.take(workflow, id, begin.plan.workflow.concurrency) {
                Turn::Now(surplus) => oldest = surplus,
                Turn::Queued(limit) => begin.start.queue = Some(limit),
                Turn::Refused(limit) => return Err(Error::Skipped { limit }),
            }
        }
        let begun = self.append_state(id, begin, secrets).await;
        match (&begun, workflow) {
            (Ok(Ok(_)), _) => oldest.into_iter().for_each(|oldest| self.make_room(oldest)),
            (_, Some(workflow)) => self.release(workflow, id),
            (_, None) => {}
        }
        begun
    }

    async fn append_state(
        &self,
        id: ExecutionId,
        begin: Begin,
        secrets: Secrets,
    ) -> Result<Result<Loaded, Begun>, Error> {
        let Begin { plan, start, title, idempotency, .. } = begin;
        let sealed = self.0.key.as_ref().filter(|_| !secrets.is_empty()).map(|key| secrets.seal(key, id));
        let secrets = Arc::new(secrets);
        let webhook = self.webhook(start.workflow.as_ref()).await?;
        let mut state = State::new(id);
        let transition = decide(self, &plan, &mut state, Input::Start(Box::new(start)))?;
        let record = record(&state, &title).ok_or(Error::NotFound(id))?;
        let deliveries = self.0.webhooks.deliveries(webhook.as_deref(), &state, &record, &transition.entries);
        let is_told = !deliveries.is_empty();
        let append = Append {
            execution_id: id,
            fence: record.fence,
            entries: transition.entries.clone(),
            record: record.clone(),
            idempotency,
            secrets: sealed,
            deliveries,
        };
        if let Appended::Existing { execution_id, same_request } = self.0.store.append(append).await? {
            return Ok(Err(Begun::before(execution_id, same_request)));
        }
        if is_told {
            self.0.webhooks.wake();
        }
        publish(self, &transition.entries, &record);
        act(self, &state, &secrets, transition.effects);
        Ok(Ok(Loaded { state, plan, title, fence: record.fence, secrets, webhook }))
    }
}
