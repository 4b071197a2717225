//! `workflows`: which there are, and at which version.

use sea_orm::entity::prelude::*;

#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "workflows")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: Uuid,
    /// None when it is deleted.
    pub name_key: Option<Vec<u8>>,
    pub version: i64,
    #[sea_orm(column_type = "Text")]
    pub search: String,
    pub created_by: String,
    pub created_at: i64,
}

impl ActiveModelBehavior for ActiveModel {}
