//! Tokens and sessions.

use super::fixtures::NOW;
use crate::{SessionRecord, Store, TokenRecord};
use pulse_core::ids::TokenId;
use pulse_core::status::Role;
use pulse_core::time::Timestamp;
use std::sync::Arc;
use uuid::Uuid;

fn at(millis: i64) -> Timestamp {
    Timestamp::from_millis(NOW.as_millis() + millis)
}

fn session(number: u8, expires_at: Timestamp) -> SessionRecord {
    SessionRecord {
        hash: [number; 32],
        name: "Ada 🦀".to_owned(),
        role: Role::Operator,
        csrf: "c".repeat(43),
        created_at: NOW,
        expires_at,
    }
}

/// By hash and in a list, until they are deleted; expired ones too.
pub async fn keeps_tokens(store: Arc<dyn Store>) {
    let tokens: Vec<_> = (0..3)
        .map(|n| TokenRecord {
            id: TokenId(Uuid::now_v7()),
            hash: [u8::try_from(n).unwrap(); 32],
            name: "ci".to_owned(),
            role: Role::ALL[n],
            created_by: "ada".to_owned(),
            created_at: at(i64::try_from(n).unwrap()),
            expires_at: at(-1),
        })
        .collect();
    for token in tokens.iter().rev() {
        store.insert_token(token.clone()).await.unwrap();
    }
    assert_eq!(store.tokens().await.unwrap(), tokens);
    assert_eq!(store.token_by_hash(&[2; 32]).await.unwrap(), Some(tokens[2].clone()));
    assert_eq!(store.token_by_hash(&[3; 32]).await.unwrap(), None);
    assert_eq!(store.delete_expired(at(100)).await, Ok(0), "expired tokens stay to be seen");
    assert_eq!(store.delete_token(tokens[2].id).await, Ok(true));
    assert_eq!(store.delete_token(tokens[2].id).await, Ok(false));
    assert_eq!(store.token_by_hash(&[2; 32]).await.unwrap(), None);
    assert_eq!(store.tokens().await.unwrap(), tokens[..2]);
}

/// By hash, until they are ended.
pub async fn keeps_sessions(store: Arc<dyn Store>) {
    let one = session(1, at(1));
    store.insert_session(one.clone()).await.unwrap();
    assert_eq!(store.session_by_hash(&[1; 32]).await.unwrap(), Some(one));
    assert_eq!(store.session_by_hash(&[2; 32]).await.unwrap(), None);
    assert_eq!(store.delete_session(&[1; 32]).await, Ok(true));
    assert_eq!(store.delete_session(&[1; 32]).await, Ok(false));
    assert_eq!(store.session_by_hash(&[1; 32]).await.unwrap(), None);
}

/// Those whose time has come, to the millisecond.
pub async fn deletes_expired_sessions(store: Arc<dyn Store>) {
    for n in 0..5 {
        store.insert_session(session(n, at(n.into()))).await.unwrap();
    }
    assert_eq!(store.delete_expired(at(2)).await, Ok(3));
    assert_eq!(store.delete_expired(at(2)).await, Ok(0));
    assert_eq!(store.session_by_hash(&[2; 32]).await.unwrap(), None);
    assert!(store.session_by_hash(&[3; 32]).await.unwrap().is_some());
}
