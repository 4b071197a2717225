//! The secrets of one execution.

use super::DataKey;
use pulse_core::command::CommandSpec;
use pulse_core::ids::ExecutionId;
use pulse_core::workflow::{Param, take_secrets};
use serde_json::{Map, Value};
use std::collections::BTreeMap;
use std::fmt;

/// Values by parameter.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Secrets(BTreeMap<String, String>);

impl fmt::Debug for Secrets {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(self.0.keys()).finish()
    }
}

impl Secrets {
    /// Takes them out of resolved parameters, which may be stored and shown then.
    pub fn take(declared: &[Param], params: &mut Map<String, Value>) -> Self {
        Self(take_secrets(declared, params))
    }

    /// There are none.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Seals them for their execution.
    pub fn seal(&self, key: &DataKey, id: ExecutionId) -> Vec<u8> {
        let plain = serde_json::to_vec(&self.0).expect("texts have a JSON form");
        key.seal(&purpose(id), &plain)
    }

    /// Opens what was sealed for an execution.
    pub fn open(key: &DataKey, id: ExecutionId, sealed: &[u8]) -> Option<Self> {
        serde_json::from_slice(&key.open(&purpose(id), sealed)?).ok().map(Self)
    }

    /// A command with their values in place, and what is to be masked in its output.
    ///
    /// # Errors
    /// The name of one that is not there.
    pub fn put_into(&self, spec: &CommandSpec) -> Result<(CommandSpec, Vec<String>), String> {
        spec.with_secrets(&self.0)
    }

    /// A secret that a command needs and that is not there.
    pub fn missing<'s>(&self, spec: &'s CommandSpec) -> Option<&'s str> {
        spec.secrets.iter().map(|used| used.param.as_str()).find(|param| !self.0.contains_key(*param))
    }
}

fn purpose(id: ExecutionId) -> Vec<u8> {
    [b"execution ", &id.0.as_bytes()[..]].concat()
}

#[cfg(test)]
mod tests {
    use super::*;
    use uuid::Uuid;

    #[test]
    fn they_open_for_their_execution_only_and_are_never_shown() {
        let secrets = Secrets([("token".to_owned(), "canary".to_owned())].into());
        let key = DataKey::parse(&"a".repeat(64)).unwrap();
        let (id, other) = (ExecutionId(Uuid::from_u128(1)), ExecutionId(Uuid::from_u128(2)));
        let sealed = secrets.seal(&key, id);
        assert!(!String::from_utf8_lossy(&sealed).contains("canary"));
        assert_eq!(Secrets::open(&key, id, &sealed), Some(secrets.clone()));
        assert_eq!(Secrets::open(&key, other, &sealed), None);
        assert_eq!(format!("{secrets:?}"), "{\"token\"}");
    }
}
