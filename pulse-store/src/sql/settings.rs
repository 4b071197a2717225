//! Settings in a database.

use super::SqlStore;
use super::entity::setting::{Entity, Model};
use super::write::{Change, Stop};
use crate::{Result, Settings};
use async_trait::async_trait;
use sea_orm::{ActiveModelTrait, DatabaseTransaction, EntityTrait, IntoActiveModel};

#[async_trait]
impl Settings for SqlStore {
    async fn setting(&self, name: &str) -> Result<Option<Vec<u8>>> {
        self.record(Entity::find_by_id(name.to_owned()).one(&self.reads).await, |row| Ok(row.value))
    }

    async fn put_setting(&self, name: &str, value: Vec<u8>) -> Result<()> {
        self.writer.change(PutSetting(Model { name: name.to_owned(), value })).await
    }

    async fn keep_setting(&self, name: &str, value: Vec<u8>) -> Result<Vec<u8>> {
        self.writer.change(KeepSetting(Model { name: name.to_owned(), value })).await
    }
}

struct KeepSetting(Model);

#[async_trait]
impl Change for KeepSetting {
    type Answer = Vec<u8>;

    async fn apply(&self, db: &DatabaseTransaction) -> Result<Vec<u8>, Stop> {
        if let Some(kept) = Entity::find_by_id(self.0.name.clone()).one(db).await? {
            return Ok(kept.value);
        }
        // Should another server be first, its key is taken and this is done again.
        Entity::insert(self.0.clone().into_active_model().reset_all()).exec_without_returning(db).await?;
        Ok(self.0.value.clone())
    }
}

struct PutSetting(Model);

#[async_trait]
impl Change for PutSetting {
    type Answer = ();

    async fn apply(&self, db: &DatabaseTransaction) -> Result<(), Stop> {
        Entity::delete_by_id(self.0.name.clone()).exec(db).await?;
        Entity::insert(self.0.clone().into_active_model().reset_all()).exec_without_returning(db).await?;
        Ok(())
    }
}
