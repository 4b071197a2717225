//! `execution_texts`: what executions are found by.

use crate::ExecutionRecord;
use crate::text::fold;
use sea_orm::Value;
use sea_orm::entity::prelude::*;
use sha2::{Digest, Sha256};

#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "execution_texts")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub key: i64,
    #[sea_orm(column_type = "Text")]
    pub text: String,
}

impl ActiveModelBehavior for ActiveModel {}

/// The columns in the order of [`Model::values`].
pub(in crate::sql) const COLUMNS: [Column; 2] = [Column::Key, Column::Text];

impl Model {
    /// Title and error, folded, under the first eight bytes of their SHA-256. Should two texts ever have the same, the
    /// second would be found by the first.
    pub(in crate::sql) fn of(record: &ExecutionRecord) -> Self {
        let text = match &record.error {
            None => fold(&record.title),
            Some(error) => fold(&format!("{}\n{error}", record.title)),
        };
        let mut key = [0; 8];
        key.copy_from_slice(&Sha256::digest(&text)[..8]);
        Self { key: i64::from_be_bytes(key), text }
    }

    pub(in crate::sql) fn values(&self) -> [Value; 2] {
        [self.key.into(), self.text.as_str().into()]
    }
}
