//! What `pulse show` tells of calls of webhooks.

use crate::client::Client;
use crate::error::Error;
use crate::out::Out;
use pulse_core::api::DeliveryView;
use pulse_core::ids::ExecutionId;
use pulse_core::status::WebhookStatus;
use pulse_core::text::one_line;

/// Calls that are shown at most: the last ones.
const SHOWN: usize = 20;

/// The calls of an execution, oldest first. A server of before there were any has none.
pub(super) async fn fetch(client: &Client, id: ExecutionId) -> Result<Vec<DeliveryView>, Error> {
    match client.list(&["api", "executions", &id.to_string(), "deliveries"], &[], None).await {
        Ok(page) => Ok(page.items),
        Err(error) if error.status() == Some(404) => Ok(Vec::new()),
        Err(error) => Err(error),
    }
}

/// A line for each.
pub(super) fn print(deliveries: &[DeliveryView], out: &mut Out) -> Result<(), Error> {
    if !deliveries.is_empty() {
        out.line("")?;
    }
    let earlier = deliveries.len().saturating_sub(SHOWN);
    if earlier > 0 {
        out.line(&format!("  {earlier} earlier calls of the webhook, in `--json`"))?;
    }
    deliveries[earlier..].iter().try_for_each(|delivery| out.line(&format!("  {}", line(delivery))))
}

fn line(delivery: &DeliveryView) -> String {
    let tries = match delivery.attempts {
        1 => "1 try".to_owned(),
        many => format!("{many} tries"),
    };
    let stands = match (delivery.status, delivery.next_try_at) {
        (WebhookStatus::Delivered, _) => format!("delivered after {tries}"),
        (WebhookStatus::GivenUp, _) => format!("given up after {tries}"),
        (WebhookStatus::Pending, _) if delivery.attempts == 0 => "not called yet".to_owned(),
        (WebhookStatus::Pending, Some(at)) => format!("{tries}, again at {at}"),
        (WebhookStatus::Pending, None) => tries,
    };
    let error = delivery.error.as_deref().map(|error| format!(": {}", one_line(error))).unwrap_or_default();
    format!("webhook {} ({}) to {}: {stands}{error}", delivery.event, delivery.id, one_line(&delivery.url))
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn a_line_says_how_a_call_stands() {
        let id = "0198c2f4-7a1b-7000-8000-000000000001";
        let view = |status: &str, attempts: u32, next: Option<&str>, error: Option<&str>| {
            let view = json!({"id": id, "event": "failed", "url": "https://hooks.example/x", "attempts": attempts,
                "created_at": "2026-11-24T12:00:00.000Z", "next_try_at": next, "status": status, "answer_status": null,
                "answer": null, "error": error});
            line(&serde_json::from_value(view).unwrap())
        };
        let start = format!("webhook failed ({id}) to https://hooks.example/x: ");
        let next = Some("2026-11-24T12:00:05.000Z");
        assert_eq!(view("pending", 0, next, None), format!("{start}not called yet"));
        let again = format!("{start}2 tries, again at 2026-11-24T12:00:05.000Z: answered 500\\nx");
        assert_eq!(view("pending", 2, next, Some("answered 500\nx")), again);
        assert_eq!(view("delivered", 1, None, None), format!("{start}delivered after 1 try"));
        assert_eq!(view("given_up", 33, None, Some("gone")), format!("{start}given up after 33 tries: gone"));
    }
}
