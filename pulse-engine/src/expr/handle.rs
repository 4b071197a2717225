//! Places inside the shared JSON of a scope, and the values they become when they are touched.

use super::MAX_TEXT;
use super::error::Failure;
use super::value::{Text, Val};
use rhai::ImmutableString;
use serde_json::Value;
use std::sync::Arc;

/// Texts up to this length are copied out of the JSON; longer ones are handles.
const SHORT_TEXT: usize = 256;

/// A place inside shared JSON.
#[derive(Debug, Clone)]
pub(super) struct Handle {
    root: Arc<Value>,
    path: Vec<Key>,
}

#[derive(Debug, Clone)]
enum Key {
    Name(ImmutableString),
    Index(usize),
}

impl Handle {
    /// The JSON it points at.
    pub fn json(&self) -> &Value {
        self.path.iter().fold(&*self.root, |value, key| {
            let found = match key {
                Key::Name(name) => value.get(name.as_str()),
                Key::Index(index) => value.get(index),
            };
            found.expect("a handle is made only for what is there")
        })
    }
}

impl Handle {
    /// A handle to a whole root.
    pub fn root(root: &Arc<Value>) -> Self {
        Self { root: Arc::clone(root), path: Vec::new() }
    }

    /// The value of the root it points at.
    pub fn value(&self) -> Result<Val, Failure> {
        child(self.json(), self, None)
    }

    /// A property of the map it points at.
    pub fn get(&self, name: &str) -> Result<Option<Val>, Failure> {
        let found = self.json().get(name);
        found.map(|json| child(json, self, Some(Key::Name(name.into())))).transpose()
    }

    /// An element of the list it points at.
    pub fn at(&self, index: usize) -> Result<Option<Val>, Failure> {
        self.json().get(index).map(|json| child(json, self, Some(Key::Index(index)))).transpose()
    }
}

/// Makes a value of the JSON that is at `key` below `parent`.
fn child(json: &Value, parent: &Handle, key: Option<Key>) -> Result<Val, Failure> {
    let handle = || {
        let mut path = Vec::with_capacity(parent.path.len() + 1);
        path.extend_from_slice(&parent.path);
        path.extend(key);
        Handle { root: Arc::clone(&parent.root), path }
    };
    Ok(match json {
        Value::Null => Val::Nothing,
        Value::Bool(b) => Val::Bool(*b),
        Value::Number(n) => match n.as_i64() {
            Some(n) => Val::Int(n),
            None => n.as_f64().filter(|n| n.is_finite()).map_or(Val::Nothing, Val::Float),
        },
        Value::String(s) if s.len() > MAX_TEXT => {
            let message = format!("a text has {} bytes; an expression can read {MAX_TEXT}", s.len());
            return Err(Failure::limit(message));
        }
        Value::String(s) if s.len() > SHORT_TEXT => Val::Text(Text::Shared(handle())),
        Value::String(s) => Val::Text(Text::Own(s.as_str().into())),
        Value::Array(_) => Val::SharedList(handle()),
        Value::Object(_) => Val::SharedMap(handle()),
    })
}
