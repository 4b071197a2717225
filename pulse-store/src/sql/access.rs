//! Tokens and sessions in a database.

use super::SqlStore;
use super::entity::{session, token};
use super::write::{Change, Stop};
use crate::{Access, Result, SessionRecord, TokenRecord};
use async_trait::async_trait;
use pulse_core::ids::TokenId;
use pulse_core::time::Timestamp;
use sea_orm::{
    ActiveModelTrait, ColumnTrait, DatabaseTransaction, EntityTrait, IntoActiveModel, QueryFilter, QueryOrder,
};

#[async_trait]
impl Access for SqlStore {
    async fn insert_token(&self, token: TokenRecord) -> Result<()> {
        self.writer.change(InsertToken(token.storable()?.into())).await
    }

    async fn token_by_hash(&self, hash: &[u8; 32]) -> Result<Option<TokenRecord>> {
        let by_hash = token::Column::Hash.eq(hash.as_slice());
        self.record(token::Entity::find().filter(by_hash).one(&self.reads).await, token::Model::record)
    }

    async fn tokens(&self) -> Result<Vec<TokenRecord>> {
        use token::{Column, Entity};
        let rows = Entity::find().order_by_asc(Column::CreatedAt).order_by_asc(Column::Id).all(&self.reads).await;
        self.records(rows, token::Model::record)
    }

    async fn delete_token(&self, id: TokenId) -> Result<bool> {
        self.writer.change(DeleteToken(id)).await
    }

    async fn insert_session(&self, session: SessionRecord) -> Result<()> {
        self.writer.change(InsertSession(session.storable().into())).await
    }

    async fn session_by_hash(&self, hash: &[u8; 32]) -> Result<Option<SessionRecord>> {
        let found = session::Entity::find_by_id(hash.to_vec()).one(&self.reads).await;
        self.record(found, session::Model::record)
    }

    async fn delete_session(&self, hash: &[u8; 32]) -> Result<bool> {
        self.writer.change(DeleteSession(*hash)).await
    }

    async fn delete_expired(&self, now: Timestamp) -> Result<u64> {
        self.writer.change(DeleteExpired(now)).await
    }
}

struct InsertToken(token::Model);

#[async_trait]
impl Change for InsertToken {
    type Answer = ();

    async fn apply(&self, db: &DatabaseTransaction) -> Result<(), Stop> {
        let row = self.0.clone().into_active_model().reset_all();
        token::Entity::insert(row).exec_without_returning(db).await?;
        Ok(())
    }
}

struct DeleteToken(TokenId);

#[async_trait]
impl Change for DeleteToken {
    type Answer = bool;

    async fn apply(&self, db: &DatabaseTransaction) -> Result<bool, Stop> {
        Ok(token::Entity::delete_by_id(self.0.0).exec(db).await?.rows_affected > 0)
    }
}

struct InsertSession(session::Model);

#[async_trait]
impl Change for InsertSession {
    type Answer = ();

    async fn apply(&self, db: &DatabaseTransaction) -> Result<(), Stop> {
        let row = self.0.clone().into_active_model().reset_all();
        session::Entity::insert(row).exec_without_returning(db).await?;
        Ok(())
    }
}

struct DeleteSession([u8; 32]);

#[async_trait]
impl Change for DeleteSession {
    type Answer = bool;

    async fn apply(&self, db: &DatabaseTransaction) -> Result<bool, Stop> {
        Ok(session::Entity::delete_by_id(self.0.to_vec()).exec(db).await?.rows_affected > 0)
    }
}

struct DeleteExpired(Timestamp);

#[async_trait]
impl Change for DeleteExpired {
    type Answer = u64;

    async fn apply(&self, db: &DatabaseTransaction) -> Result<u64, Stop> {
        let expired = session::Column::ExpiresAt.lte(self.0.as_millis());
        Ok(session::Entity::delete_many().filter(expired).exec(db).await?.rows_affected)
    }
}
