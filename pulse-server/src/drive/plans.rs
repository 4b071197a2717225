//! Compiled definitions, kept by workflow and version: a version never changes.

use pulse_core::diagnostic::Severity;
use pulse_core::event::WorkflowRef;
use pulse_core::ids::WorkflowId;
use pulse_engine::Plan;
use pulse_store::Store;
use std::collections::HashMap;
use std::sync::{Arc, Mutex};

/// Plans kept at once; beyond that all are dropped and compiled again as needed.
const MAX_PLANS: usize = 1_000;

/// Why there is no plan.
#[derive(Clone, Debug, thiserror::Error)]
pub enum NoPlan {
    /// The store.
    #[error(transparent)]
    Store(#[from] pulse_store::Error),
    /// The version does not exist.
    #[error("version {version} of workflow `{name}` is not stored")]
    Missing {
        /// The workflow's name.
        name: String,
        /// The version.
        version: u32,
    },
    /// It does not compile: it was stored by another version of the program.
    #[error("the definition does not compile: {0}")]
    Broken(String),
}

/// The compiled definitions.
#[derive(Default)]
pub struct Plans(Mutex<HashMap<(WorkflowId, u32), Stored>>);

/// What is kept of a version.
#[derive(Clone)]
struct Stored {
    plan: Arc<Plan>,
    webhook: Option<Arc<str>>,
}

impl Plans {
    /// The plan of a stored version.
    ///
    /// # Errors
    /// When it is not stored or does not compile.
    pub async fn stored(&self, store: &dyn Store, workflow: &WorkflowRef) -> Result<Arc<Plan>, NoPlan> {
        Ok(self.look_up(store, workflow).await?.plan)
    }

    /// Whom the executions of a stored version tell.
    ///
    /// # Errors
    /// As for its plan.
    pub async fn webhook(&self, store: &dyn Store, workflow: &WorkflowRef) -> Result<Option<Arc<str>>, NoPlan> {
        Ok(self.look_up(store, workflow).await?.webhook)
    }

    async fn look_up(&self, store: &dyn Store, workflow: &WorkflowRef) -> Result<Stored, NoPlan> {
        let key = (workflow.id, workflow.version);
        if let Some(stored) = self.cached(key) {
            return Ok(stored);
        }
        let record = store.workflow_version(workflow.id, workflow.version).await?;
        let record =
            record.ok_or_else(|| NoPlan::Missing { name: workflow.name.clone(), version: workflow.version })?;
        let webhook = record.webhook.map(Arc::from);
        let stored = Stored { plan: compile(record.definition).await?, webhook };
        let mut plans = self.0.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        if plans.len() >= MAX_PLANS {
            plans.clear();
        }
        plans.insert(key, stored.clone());
        Ok(stored)
    }

    fn cached(&self, key: (WorkflowId, u32)) -> Option<Stored> {
        self.0.lock().unwrap_or_else(std::sync::PoisonError::into_inner).get(&key).cloned()
    }
}

/// Compiles a definition that was found to be right before, off the async threads: a hostile one may take a while.
pub(super) async fn compile(definition: String) -> Result<Arc<Plan>, NoPlan> {
    // Small ones take less time than the way to another thread and back.
    let loaded = if definition.len() < 2_048 {
        pulse_engine::load_stored(&definition)
    } else {
        let load = tokio::task::spawn_blocking(move || pulse_engine::load_stored(&definition));
        load.await.map_err(|error| NoPlan::Broken(error.to_string()))?
    };
    match loaded.plan {
        Some(plan) => Ok(Arc::new(plan)),
        None => Err(NoPlan::Broken(
            loaded
                .diagnostics
                .iter()
                .find(|found| found.severity == Severity::Error)
                .map(ToString::to_string)
                .unwrap_or_default(),
        )),
    }
}
