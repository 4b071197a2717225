//! Tokens and sessions. Secrets are never kept, only their hashes.

use crate::Result;
use crate::text::{check_name, make_name};
use async_trait::async_trait;
use pulse_core::ids::TokenId;
use pulse_core::status::Role;
use pulse_core::time::Timestamp;

/// An API token.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TokenRecord {
    /// Its id.
    pub id: TokenId,
    /// SHA-256 of its secret.
    pub hash: [u8; 32],
    /// What it is for.
    pub name: String,
    /// What it may do.
    pub role: Role,
    /// Who made it.
    pub created_by: String,
    /// When.
    pub created_at: Timestamp,
    /// When it stops working.
    pub expires_at: Timestamp,
}

/// Somebody's sign-in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SessionRecord {
    /// SHA-256 of the cookie's secret.
    pub hash: [u8; 32],
    /// Who.
    pub name: String,
    /// What they may do.
    pub role: Role,
    /// What has to be sent with every change.
    pub csrf: String,
    /// When they signed in.
    pub created_at: Timestamp,
    /// When they have to again.
    pub expires_at: Timestamp,
}

/// All tokens and sessions. Whether one has expired is for the caller to say, who has the clock.
#[async_trait]
pub trait Access {
    /// Keeps a new token.
    async fn insert_token(&self, token: TokenRecord) -> Result<()>;

    /// The token whose secret has this hash, expired or not.
    async fn token_by_hash(&self, hash: &[u8; 32]) -> Result<Option<TokenRecord>>;

    /// All tokens, the oldest first, expired ones too.
    async fn tokens(&self) -> Result<Vec<TokenRecord>>;

    /// Deletes a token. Answers whether there was one.
    async fn delete_token(&self, id: TokenId) -> Result<bool>;

    /// Keeps a new session.
    async fn insert_session(&self, session: SessionRecord) -> Result<()>;

    /// The session whose cookie has this hash, expired or not.
    async fn session_by_hash(&self, hash: &[u8; 32]) -> Result<Option<SessionRecord>>;

    /// Ends a session. Answers whether there was one.
    async fn delete_session(&self, hash: &[u8; 32]) -> Result<bool>;

    /// Deletes the sessions that have expired at `now` and answers how many. Expired tokens stay, to be seen as such.
    async fn delete_expired(&self, now: Timestamp) -> Result<u64>;
}

impl TokenRecord {
    /// The same with texts that every database keeps. Refuses a name that is too long.
    pub(crate) fn storable(mut self) -> Result<Self> {
        check_name("token's name", &self.name)?;
        [&mut self.name, &mut self.created_by].into_iter().for_each(make_name);
        Ok(self)
    }
}

impl SessionRecord {
    /// The same with texts that every database keeps.
    pub(crate) fn storable(mut self) -> Self {
        [&mut self.name, &mut self.csrf].into_iter().for_each(make_name);
        self
    }
}
