//! Settings in memory.

use super::MemoryStore;
use crate::{Result, Settings};
use async_trait::async_trait;

#[async_trait]
impl Settings for MemoryStore {
    async fn setting(&self, name: &str) -> Result<Option<Vec<u8>>> {
        Ok(self.lock().settings.get(name).cloned())
    }

    async fn put_setting(&self, name: &str, value: Vec<u8>) -> Result<()> {
        self.lock_to_write()?.settings.insert(name.to_owned(), value);
        Ok(())
    }

    async fn keep_setting(&self, name: &str, value: Vec<u8>) -> Result<Vec<u8>> {
        Ok(self.lock_to_write()?.settings.entry(name.to_owned()).or_insert(value).clone())
    }
}
