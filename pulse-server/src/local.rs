//! What `pulse up` sets up in its own server: example workflows at first start, and a token for the command line beside
//! it.

use crate::access::{Secret, hash};
use crate::{Error, Running, clock};
use pulse_core::ids::{TokenId, WorkflowId};
use pulse_core::status::Role;
use pulse_store::{SaveWorkflow, TokenRecord};
use std::time::Duration;

/// Marks the tokens that are made anew at each start. They stand for the person at this machine.
pub(crate) const MADE_BY: &str = "pulse up";
/// How long such a token works when the server is never started again.
const LIFETIME: Duration = Duration::from_secs(365 * 86_400);

impl Running {
    /// Stores definitions; those whose name is taken stay as they are. Answers how many were stored.
    ///
    /// # Errors
    /// When one has mistakes, or cannot be stored.
    pub async fn seed(&self, definitions: &[&str]) -> Result<usize, Error> {
        let mut stored = 0;
        for definition in definitions {
            let loaded = pulse_engine::load(definition);
            let (Some(_), Some(workflow)) = (&loaded.plan, loaded.workflow) else {
                let first = loaded.diagnostics.first().map(ToString::to_string).unwrap_or_default();
                return Err(Error::config("example workflow", first));
            };
            let name = workflow.name.ok_or_else(|| Error::config("example workflow", "it has no name"))?;
            if self.store().workflow_by_name(&name).await?.is_some() {
                continue;
            }
            let save = SaveWorkflow {
                id: WorkflowId(uuid::Uuid::now_v7()),
                name,
                description: workflow.description.unwrap_or_default(),
                tags: workflow.tags,
                definition: (*definition).to_owned(),
                webhook: workflow.webhook,
                by: MADE_BY.to_owned(),
                at: clock::now(),
                expected: None,
            };
            self.store().save_workflow(save).await?;
            stored += 1;
        }
        Ok(stored)
    }

    /// An admin token under a person's name for the command line on this machine: the one of the last start while that
    /// is good for at least half of its time, so that whoever follows an execution need not notice a restart; else a
    /// new one in its place.
    ///
    /// # Errors
    /// When it cannot be stored.
    pub async fn local_token(&self, name: &str, last: Option<&str>) -> Result<Secret, Error> {
        if let Some(last) = last {
            let known = self.store().token_by_hash(&hash(last)).await?;
            let good = |token: &TokenRecord| {
                token.name == name && token.created_by == MADE_BY && token.expires_at > clock::now().plus(LIFETIME / 2)
            };
            if known.as_ref().is_some_and(good) {
                return Ok(Secret::known(last));
            }
        }
        for token in self.store().tokens().await?.into_iter().filter(|token| token.created_by == MADE_BY) {
            self.store().delete_token(token.id).await?;
        }
        let (secret, now) = (Secret::generate("pulse_"), clock::now());
        let token = TokenRecord {
            id: TokenId(uuid::Uuid::now_v7()),
            hash: secret.hash(),
            name: name.to_owned(),
            role: Role::Admin,
            created_by: MADE_BY.to_owned(),
            created_at: now,
            expires_at: now.plus(LIFETIME),
        };
        self.store().insert_token(token).await?;
        Ok(secret)
    }
}
