//! Webhooks: what is sent, and what became of it.

use crate::event::OpenOption;
use crate::ids::{DeliveryId, ExecutionId, PromptId, StepId};
use crate::status::{ExecutionStatus, WebhookEvent, WebhookStatus};
use crate::time::Timestamp;
use serde::{Deserialize, Serialize};

/// The body of a webhook's call. It holds no parameters, no values and no output: whoever is told looks them up.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Notice {
    /// What happened.
    pub event: WebhookEvent,
    /// When.
    pub at: Timestamp,
    /// Which execution.
    pub execution: ExecutionId,
    /// Its workflow's name.
    pub workflow: String,
    /// Where it stands: one that asks may go on elsewhere.
    pub status: ExecutionStatus,
    /// Who started it.
    pub started_by: String,
    /// Its page on the dashboard.
    pub url: String,
    /// What it asks, when it waits.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub prompt: Option<NoticePrompt>,
}

/// The question in a webhook's call.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct NoticePrompt {
    /// Its id, as `prompt_id` of an answer.
    pub id: PromptId,
    /// Of which step.
    pub step: StepId,
    /// The question, shortened when it is very long.
    pub message: String,
    /// What may be answered.
    pub options: Vec<OpenOption>,
    /// When it is too late.
    pub deadline: Timestamp,
}

/// A call of a webhook, and what came of it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
pub struct DeliveryView {
    /// Its id, as in `X-Pulse-Delivery`.
    pub id: DeliveryId,
    /// What it tells.
    pub event: WebhookEvent,
    /// Whom, without user, password and query.
    pub url: String,
    /// When it happened.
    pub created_at: Timestamp,
    /// How often it was tried.
    pub attempts: u32,
    /// When it is tried next; none when it is not.
    pub next_try_at: Option<Timestamp>,
    /// Where it stands.
    pub status: WebhookStatus,
    /// The status of the last answer.
    pub answer_status: Option<u16>,
    /// The beginning of the last answer.
    pub answer: Option<String>,
    /// Why the last try failed.
    pub error: Option<String>,
}

/// The key that calls of webhooks are signed with.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
pub struct WebhookKey {
    /// The key: these characters themselves are the key of the HMAC.
    pub key: String,
}
