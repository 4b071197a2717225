//! Small facts about the installation itself.

use crate::Result;
use async_trait::async_trait;

/// Values by name.
#[async_trait]
pub trait Settings {
    /// The value under a name.
    async fn setting(&self, name: &str) -> Result<Option<Vec<u8>>>;

    /// Keeps a value, in place of an older one. Names have up to 255 characters.
    async fn put_setting(&self, name: &str, value: Vec<u8>) -> Result<()>;

    /// Keeps a value if there is none under the name. Answers what is there then: of several who do this at once all get
    /// the same.
    async fn keep_setting(&self, name: &str, value: Vec<u8>) -> Result<Vec<u8>>;
}
