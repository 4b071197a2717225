//! Tokens and sessions in memory.

use super::MemoryStore;
use crate::{Access, Result, SessionRecord, TokenRecord};
use async_trait::async_trait;
use pulse_core::ids::TokenId;
use pulse_core::time::Timestamp;

#[async_trait]
impl Access for MemoryStore {
    async fn insert_token(&self, token: TokenRecord) -> Result<()> {
        self.lock_to_write()?.tokens.insert(token.id, token.storable()?);
        Ok(())
    }

    async fn token_by_hash(&self, hash: &[u8; 32]) -> Result<Option<TokenRecord>> {
        Ok(self.lock().tokens.values().find(|token| token.hash == *hash).cloned())
    }

    async fn tokens(&self) -> Result<Vec<TokenRecord>> {
        let mut tokens: Vec<_> = self.lock().tokens.values().cloned().collect();
        tokens.sort_by_key(|token| (token.created_at, token.id));
        Ok(tokens)
    }

    async fn delete_token(&self, id: TokenId) -> Result<bool> {
        Ok(self.lock_to_write()?.tokens.remove(&id).is_some())
    }

    async fn insert_session(&self, session: SessionRecord) -> Result<()> {
        self.lock_to_write()?.sessions.insert(session.hash, session.storable());
        Ok(())
    }

    async fn session_by_hash(&self, hash: &[u8; 32]) -> Result<Option<SessionRecord>> {
        Ok(self.lock().sessions.get(hash).cloned())
    }

    async fn delete_session(&self, hash: &[u8; 32]) -> Result<bool> {
        Ok(self.lock_to_write()?.sessions.remove(hash).is_some())
    }

    async fn delete_expired(&self, now: Timestamp) -> Result<u64> {
        let mut state = self.lock_to_write()?;
        let before = state.sessions.len();
        state.sessions.retain(|_, session| session.expires_at > now);
        Ok((before - state.sessions.len()) as u64)
    }
}
