//! `execution_secrets`: sealed secrets of executions that have not ended.

use sea_orm::entity::prelude::*;

#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "execution_secrets")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub execution_id: Uuid,
    #[sea_orm(column_type = "Blob")]
    pub sealed: Vec<u8>,
}

impl ActiveModelBehavior for ActiveModel {}

/// The columns in the order in which the writer gives their values.
pub(in crate::sql) const COLUMNS: [Column; 2] = [Column::ExecutionId, Column::Sealed];
