//! Opening a store by its URL.

use crate::{Error, MemoryStore, Result, Store};
use std::sync::Arc;
use std::time::Duration;

/// How hard a commit is pressed to the disk.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Synchronous {
    /// Each commit survives a power loss.
    #[default]
    Full,
    /// A power loss may take the last moment's commits; a crash of the program takes none.
    Normal,
}

/// How a database is opened.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct OpenOptions {
    /// How hard commits are pressed to the disk.
    pub synchronous: Synchronous,
    /// How many connections read at most, besides the one that writes.
    pub read_connections: u32,
    /// How long a write waits for a database server that cannot be reached, before it is answered that nothing was
    /// written.
    pub patience: Duration,
}

impl Default for OpenOptions {
    /// Durable, with four readers: more than two cores keep busy. Patient for longer than a restart of a database takes.
    fn default() -> Self {
        Self { synchronous: Synchronous::Full, read_connections: 4, patience: Duration::from_secs(30) }
    }
}

/// Opens a store, creating and migrating its database as needed. `sqlite://PATH` is a file; `mysql://` (or `mariadb://`)
/// and `postgres://` (or `postgresql://`) are a database on a server, which has to be there, and which several servers of
/// PULSE may share; `memory:` forgets everything when it is dropped.
///
/// A new file has mode 0600, and directories made for it 0700. A schema that is newer than this program is refused, and so
/// is a SQLite library older than 3.51.3.
pub async fn open(url: &str, options: OpenOptions) -> Result<Arc<dyn Store>> {
    if url == "memory:" {
        return Ok(Arc::new(MemoryStore::new()));
    }
    // The URL may hold a password: only its scheme is shown.
    let (scheme, rest) = url.split_once(':').unwrap_or_default();
    match (scheme, rest.strip_prefix("//").filter(|rest| !rest.is_empty())) {
        ("sqlite", Some(path)) => Ok(Arc::new(crate::sql::open_sqlite(path.as_ref(), options).await?)),
        ("mysql" | "mariadb" | "postgres" | "postgresql", Some(_)) => {
            Ok(Arc::new(crate::sql::open_server(url, options).await?))
        }
        _ => Err(Error::Unavailable {
            detail: format!(
                "`{scheme}:` is no database that PULSE knows: give sqlite://PATH, like sqlite://pulse-data/pulse.db, \
                 mysql://USER:PASSWORD@HOST/DATABASE, or postgres://USER:PASSWORD@HOST/DATABASE"
            ),
        }),
    }
}
