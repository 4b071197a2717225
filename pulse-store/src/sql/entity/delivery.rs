//! `webhook_deliveries`: calls of webhooks.

use super::Reader;
use crate::{DeliveryProgress, DeliveryRecord, NewDelivery, Result};
use pulse_core::ids::{DeliveryId, ExecutionId};
use pulse_core::time::Timestamp;
use sea_orm::Value;
use sea_orm::entity::prelude::*;

#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "webhook_deliveries")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: Uuid,
    pub execution_id: Uuid,
    pub event: String,
    #[sea_orm(column_type = "Text")]
    pub url: String,
    pub host: String,
    #[sea_orm(column_type = "Text")]
    pub body: String,
    pub created_at: i64,
    pub attempts: i64,
    pub next_try_at: Option<i64>,
    pub status: String,
    pub answer_status: Option<i64>,
    #[sea_orm(column_type = "Text", nullable)]
    pub answer: Option<String>,
    #[sea_orm(column_type = "Text", nullable)]
    pub error: Option<String>,
}

impl ActiveModelBehavior for ActiveModel {}

/// The columns in the order of [`values`].
pub(in crate::sql) const COLUMNS: [Column; 13] = [
    Column::Id,
    Column::ExecutionId,
    Column::Event,
    Column::Url,
    Column::Host,
    Column::Body,
    Column::CreatedAt,
    Column::Attempts,
    Column::NextTryAt,
    Column::Status,
    Column::AnswerStatus,
    Column::Answer,
    Column::Error,
];

/// A new call as a row's values.
pub(in crate::sql) fn values(execution_id: ExecutionId, what: &NewDelivery) -> [Value; 13] {
    let progress = DeliveryProgress::new(what.created_at);
    [
        what.id.0.into(),
        execution_id.0.into(),
        what.event.as_str().into(),
        what.url.as_str().into(),
        what.host.as_str().into(),
        what.body.as_str().into(),
        what.created_at.as_millis().into(),
        i64::from(progress.attempts).into(),
        progress.next_try_at.map(Timestamp::as_millis).into(),
        progress.status.as_str().into(),
        progress.answer_status.map(i64::from).into(),
        progress.answer.into(),
        progress.error.into(),
    ]
}

impl Model {
    pub(in crate::sql) fn record(self) -> Result<DeliveryRecord> {
        let reader = Reader { what: "delivery", id: &self.id };
        let progress = DeliveryProgress {
            attempts: reader.int("attempts", self.attempts)?,
            status: reader.word("status", &self.status)?,
            next_try_at: self.next_try_at.map(Timestamp::from_millis),
            answer_status: self.answer_status.map(|status| reader.int("answer_status", status)).transpose()?,
            answer: self.answer,
            error: self.error,
        };
        let what = NewDelivery {
            id: DeliveryId(self.id),
            event: reader.word("event", &self.event)?,
            created_at: Timestamp::from_millis(self.created_at),
            url: self.url,
            host: self.host,
            body: self.body,
        };
        Ok(DeliveryRecord { execution_id: ExecutionId(self.execution_id), what, progress })
    }
}
