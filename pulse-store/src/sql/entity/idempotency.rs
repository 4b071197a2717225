//! `idempotency_keys`: which requests have been done.

use crate::IdempotencyKey;
use sea_orm::Value;
use sea_orm::entity::prelude::*;
use sha2::{Digest, Sha256};

#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "idempotency_keys")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub digest: Vec<u8>,
    pub execution_id: Uuid,
    #[sea_orm(column_type = "Text")]
    pub request_hash: String,
}

impl ActiveModelBehavior for ActiveModel {}

/// The columns in the order of [`Model::values`].
pub(in crate::sql) const COLUMNS: [Column; 3] = [Column::Digest, Column::ExecutionId, Column::RequestHash];

impl Model {
    pub(in crate::sql) fn values(&self) -> [Value; 3] {
        [self.digest.clone().into(), self.execution_id.into(), self.request_hash.as_str().into()]
    }
}

/// SHA-256 of the scope's length, the scope and the key: no two pairs run together.
pub(in crate::sql) fn digest(key: &IdempotencyKey) -> Vec<u8> {
    let mut hash = Sha256::new();
    hash.update((key.scope.len() as u64).to_be_bytes());
    hash.update(&key.scope);
    hash.update(&key.key);
    hash.finalize().to_vec()
}
