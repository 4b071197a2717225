//! The values an expression can see.

use serde_json::Value;
use std::sync::Arc;

/// Values visible to an expression. Cheap to build and to clone: each root is shared JSON, and nothing of it is converted before an
/// expression touches it. A root that an expression may name but that is not set here is `()`.
#[derive(Debug, Clone, Default)]
pub struct Scope {
    roots: Vec<(String, Arc<Value>)>,
    bare: Vec<Arc<Value>>,
    now: Option<i64>,
}

impl Scope {
    /// A scope without any value.
    pub fn new() -> Self {
        Self::default()
    }

    /// Sets a root, or replaces it. `promptResponse` is another name of `prompt_response`.
    pub fn set(&mut self, name: &str, value: impl Into<Arc<Value>>) -> &mut Self {
        let name = super::names::canonical_root(name);
        let value = value.into();
        match self.roots.iter_mut().find(|(known, _)| known == name) {
            Some((_, slot)) => *slot = value,
            None => self.roots.push((name.to_owned(), value)),
        }
        self
    }

    /// Sets the time that `now()` gives, in milliseconds since the epoch. `now()` itself is in seconds since the epoch: an integer,
    /// or with a fraction where the milliseconds are not 0.
    pub fn now(&mut self, epoch_ms: i64) -> &mut Self {
        self.now = Some(epoch_ms);
        self
    }

    /// Adds a map in which templates look up bare names that are no root; earlier maps win. Usually `params`, then `state`.
    pub fn bare(&mut self, map: Arc<Value>) -> &mut Self {
        self.bare.push(map);
        self
    }

    pub(super) fn root(&self, name: &str) -> Option<&Arc<Value>> {
        self.roots.iter().find(|(known, _)| known == name).map(|(_, value)| value)
    }

    /// The map that has the bare name.
    pub(super) fn bare_map(&self, name: &str) -> Option<&Arc<Value>> {
        self.bare.iter().find(|map| map.get(name).is_some())
    }

    /// The time in milliseconds since the epoch.
    pub(super) fn now_ms(&self) -> Option<i64> {
        self.now
    }
}
