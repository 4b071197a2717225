//! What is told of an append: one call for each question that it puts, and one for the execution's end.

use super::call::host_of;
use pulse_core::api::{Notice, NoticePrompt};
use pulse_core::event::{Entry, Event};
use pulse_core::ids::DeliveryId;
use pulse_core::status::{ExecutionStatus, WebhookEvent};
use pulse_core::text::shorten;
use pulse_engine::State;
use pulse_store::{ExecutionRecord, NewDelivery};
use std::sync::Arc;
use tokio::sync::Notify;

/// How many characters of a question are told.
const MESSAGE_CHARS: usize = 4_000;

/// Makes calls of entries, and wakes who makes them. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Webhooks {
    /// Where the dashboard is.
    base: Arc<str>,
    wake: Arc<Notify>,
}

impl Webhooks {
    /// For a server whose dashboard is at an address.
    pub fn new(base: &str) -> Self {
        Self { base: base.into(), wake: Arc::default() }
    }

    /// What a workflow's webhook is to be told of entries, after which the execution is in a state. It belongs into the
    /// same append.
    pub(crate) fn deliveries(
        &self,
        webhook: Option<&str>,
        state: &State,
        record: &ExecutionRecord,
        entries: &[Entry],
    ) -> Vec<NewDelivery> {
        let Some(url) = webhook else { return Vec::new() };
        let told = entries.iter().filter_map(|entry| Some((entry, told(&entry.event, state)?)));
        let delivery = |(entry, (event, prompt)): (&Entry, _)| {
            let notice = Notice {
                event,
                at: entry.timestamp,
                execution: record.id,
                workflow: record.workflow.clone().unwrap_or_default(),
                status: record.status,
                started_by: record.started_by.clone(),
                url: format!("{}/executions/{}", self.base, record.id),
                prompt,
            };
            NewDelivery {
                id: DeliveryId(uuid::Uuid::now_v7()),
                event,
                url: url.to_owned(),
                host: host_of(url),
                body: serde_json::to_string(&notice).expect("a notice has a JSON form"),
                created_at: entry.timestamp,
            }
        };
        told.map(delivery).collect()
    }

    /// There is something to be sent: said after the commit.
    pub(crate) fn wake(&self) {
        self.wake.notify_one();
    }

    /// Waits until there is something to be sent. What is said while nobody waits is not lost.
    pub(super) async fn woken(&self) {
        self.wake.notified().await;
    }
}

/// What an event is told as. A question that is not open any more once it is durable is told to nobody.
fn told(event: &Event, state: &State) -> Option<(WebhookEvent, Option<NoticePrompt>)> {
    match event {
        Event::Prompt { at, prompt_id, message, options, deadline, .. } => {
            state.prompts().find(|(_, _, open)| open.id == *prompt_id)?;
            let prompt = NoticePrompt {
                id: *prompt_id,
                step: at.step_id.clone(),
                message: shorten(message, MESSAGE_CHARS),
                options: options.clone(),
                deadline: *deadline,
            };
            Some((WebhookEvent::Waiting, Some(prompt)))
        }
        Event::ExecutionFinished { status, .. } => match status {
            ExecutionStatus::Completed => Some((WebhookEvent::Completed, None)),
            ExecutionStatus::Failed => Some((WebhookEvent::Failed, None)),
            ExecutionStatus::Aborted => Some((WebhookEvent::Aborted, None)),
            // No end.
            ExecutionStatus::Queued | ExecutionStatus::Running | ExecutionStatus::Waiting => None,
        },
        _ => None,
    }
}
