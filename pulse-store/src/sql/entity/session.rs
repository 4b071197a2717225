//! `sessions`: sign-ins, by the hash of their cookies.

use super::Reader;
use crate::{Result, SessionRecord};
use pulse_core::time::Timestamp;
use sea_orm::entity::prelude::*;

#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "sessions")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub hash: Vec<u8>,
    pub name: String,
    pub role: String,
    pub csrf: String,
    pub created_at: i64,
    pub expires_at: i64,
}

impl ActiveModelBehavior for ActiveModel {}

impl From<SessionRecord> for Model {
    fn from(session: SessionRecord) -> Self {
        Self {
            hash: session.hash.to_vec(),
            name: session.name,
            role: session.role.as_str().to_owned(),
            csrf: session.csrf,
            created_at: session.created_at.as_millis(),
            expires_at: session.expires_at.as_millis(),
        }
    }
}

impl Model {
    pub(in crate::sql) fn record(self) -> Result<SessionRecord> {
        // Never the hash, which is as good as a key to look it up by.
        let reader = Reader { what: "session of", id: &self.name };
        Ok(SessionRecord {
            hash: reader.digest(&self.hash)?,
            role: reader.word("role", &self.role)?,
            name: self.name.clone(),
            csrf: self.csrf,
            created_at: Timestamp::from_millis(self.created_at),
            expires_at: Timestamp::from_millis(self.expires_at),
        })
    }
}
