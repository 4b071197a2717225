//! YAML and JSON documents as trees that remember where each value stood, read within a budget.
//!
//! This is the only module that knows a YAML library. Reading uses `saphyr-parser`, whose events carry positions
//! (`serde_yaml` has none for most errors); writing uses `serde_yaml`.

mod fields;
mod node;
mod places;
mod read;
mod slips;

pub use fields::Fields;
pub(crate) use fields::no_mapping;
pub use node::{Key, Node, NodeKind};
pub use places::Places;
pub use read::{MAX_ALIAS_NODES, MAX_BYTES, MAX_DEPTH, read};

use serde::Serialize;

/// A value as YAML text.
///
/// # Errors
/// When the value has no YAML form (a map with keys that are no scalars).
pub fn write<T: Serialize>(value: &T) -> Result<String, serde_yaml::Error> {
    serde_yaml::to_string(value)
}
