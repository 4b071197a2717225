//! `tokens`: API tokens, by the hash of their secrets.

use super::Reader;
use crate::{Result, TokenRecord};
use pulse_core::ids::TokenId;
use pulse_core::time::Timestamp;
use sea_orm::entity::prelude::*;

#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "tokens")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: Uuid,
    pub hash: Vec<u8>,
    pub name: String,
    pub role: String,
    pub created_by: String,
    pub created_at: i64,
    pub expires_at: i64,
}

impl ActiveModelBehavior for ActiveModel {}

impl From<TokenRecord> for Model {
    fn from(token: TokenRecord) -> Self {
        Self {
            id: token.id.0,
            hash: token.hash.to_vec(),
            name: token.name,
            role: token.role.as_str().to_owned(),
            created_by: token.created_by,
            created_at: token.created_at.as_millis(),
            expires_at: token.expires_at.as_millis(),
        }
    }
}

impl Model {
    pub(in crate::sql) fn record(self) -> Result<TokenRecord> {
        let reader = Reader { what: "token", id: &self.id };
        Ok(TokenRecord {
            id: TokenId(self.id),
            hash: reader.digest(&self.hash)?,
            role: reader.word("role", &self.role)?,
            name: self.name,
            created_by: self.created_by,
            created_at: Timestamp::from_millis(self.created_at),
            expires_at: Timestamp::from_millis(self.expires_at),
        })
    }
}
