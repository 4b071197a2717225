//! `execution_deletions`: executions that are gone, but for a rest of their journal and output.

use sea_orm::entity::prelude::*;

#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "execution_deletions")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub execution_id: Uuid,
}

impl ActiveModelBehavior for ActiveModel {}
