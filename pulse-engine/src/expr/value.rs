//! Values while an expression runs. JSON of the scope stays where it is: containers and long texts are handles into the shared root.

use super::error::Failure;
use super::handle::Handle;
use super::scope::Scope;
use super::{MAX_ELEMENTS, MAX_TEXT, budget};
use rhai::{Dynamic, ImmutableString};
use serde_json::Value;
use std::ops::Deref;

/// Deepest nesting of a value that leaves an expression or is compared. JSON readers stop at 128.
pub(super) const MAX_VALUE_DEPTH: usize = 64;

/// A text, ours or inside shared JSON.
#[derive(Debug, Clone)]
pub(super) enum Text {
    Own(ImmutableString),
    Shared(Handle),
}

impl Deref for Text {
    type Target = str;

    fn deref(&self) -> &str {
        match self {
            Self::Own(text) => text,
            Self::Shared(handle) => handle.json().as_str().expect("a text handle points at a text"),
        }
    }
}

/// A value of the language.
#[derive(Debug, Clone)]
pub(super) enum Val {
    Nothing,
    Bool(bool),
    Int(i64),
    Float(f64),
    Text(Text),
    List(Vec<Dynamic>),
    Map(rhai::Map),
    /// A list in shared JSON.
    SharedList(Handle),
    /// A map in shared JSON.
    SharedMap(Handle),
}

/// The root an expression names: of the scope, or a bare name, or nothing.
pub(super) fn root(scope: &Scope, name: &str) -> Result<Val, Failure> {
    if let Some(root) = scope.root(name) {
        return Handle::root(root).value();
    }
    let Some(map) = scope.bare_map(name) else { return Ok(Val::Nothing) };
    Ok(Handle::root(map).get(name)?.unwrap_or(Val::Nothing))
}

/// Refuses to walk through more elements than the limit, and counts them.
pub(super) fn walk(count: usize) -> Result<(), Failure> {
    if count > MAX_ELEMENTS {
        return Err(Failure::limit(format!("{count} elements; an expression can use {MAX_ELEMENTS}")));
    }
    budget::elements(count)
}

/// A text made by an expression.
pub(super) fn new_text(text: String) -> Result<Val, Failure> {
    room_for_text(text.len())?;
    Ok(Val::Text(Text::Own(text.into())))
}

/// Refuses a text that would be too long, before it is made, and counts it.
pub(super) fn room_for_text(len: usize) -> Result<(), Failure> {
    if len > MAX_TEXT {
        return Err(Failure::limit(format!("a text of {len} bytes; an expression can make {MAX_TEXT}")));
    }
    budget::bytes(len)
}

/// Refuses a list or map that would be too large, before it is made, and counts it.
pub(super) fn room_for_elements(count: usize) -> Result<(), Failure> {
    walk(count)?;
    budget::bytes(count * size_of::<Dynamic>())
}

impl Val {
    /// The type as people call it.
    pub fn kind(&self) -> &'static str {
        match self {
            Self::Nothing => "nothing",
            Self::Bool(_) => "boolean",
            Self::Int(_) | Self::Float(_) => "number",
            Self::Text(_) => "text",
            Self::List(_) | Self::SharedList(_) => "list",
            Self::Map(_) | Self::SharedMap(_) => "map",
        }
    }

    /// The type and, where it is short, the value.
    pub fn describe(&self) -> String {
        match self {
            Self::Nothing => "() (nothing)".to_owned(),
            Self::Bool(b) => format!("the boolean {b}"),
            Self::Int(n) => format!("the number {n}"),
            Self::Float(n) => format!("the number {n}"),
            Self::Text(text) => format!("the text {}", shorten(&Value::from(prefix(text, 81)), 80)),
            _ => format!("a {}", self.kind()),
        }
    }

    /// The value as something that decides.
    pub fn truth(&self, what: &str) -> Result<bool, Failure> {
        match self {
            Self::Bool(b) => Ok(*b),
            Self::Nothing => Ok(false),
            _ => Err(Failure::wrong_type(format!("{what} gives {}, not true or false", self.describe()))),
        }
    }

    pub fn into_dynamic(self) -> Dynamic {
        match self {
            Self::Nothing => Dynamic::UNIT,
            Self::Bool(b) => b.into(),
            Self::Int(n) => n.into(),
            Self::Float(n) => n.into(),
            Self::Text(Text::Own(text)) => text.into(),
            Self::List(items) => Dynamic::from_array(items),
            Self::Map(map) => Dynamic::from_map(map),
            Self::Text(Text::Shared(handle)) | Self::SharedList(handle) | Self::SharedMap(handle) => {
                Dynamic::from(handle)
            }
        }
    }

    pub fn from_dynamic(value: Dynamic) -> Result<Self, Failure> {
        if value.is_unit() {
            return Ok(Self::Nothing);
        }
        if let Ok(b) = value.as_bool() {
            return Ok(Self::Bool(b));
        }
        if let Ok(n) = value.as_int() {
            return Ok(Self::Int(n));
        }
        if let Ok(n) = value.as_float() {
            return Ok(Self::Float(n));
        }
        let value = match value.try_cast_result::<Handle>() {
            Ok(handle) => {
                return Ok(match handle.json() {
                    Value::Array(_) => Self::SharedList(handle),
                    Value::Object(_) => Self::SharedMap(handle),
                    _ => Self::Text(Text::Shared(handle)),
                });
            }
            Err(value) => value,
        };
        if value.is_string() {
            return value.into_immutable_string().map(|text| Self::Text(Text::Own(text))).map_err(Failure::other);
        }
        if value.is_array() {
            return value.into_array().map(Self::List).map_err(Failure::other);
        }
        match value.try_cast_result::<rhai::Map>() {
            Ok(map) => Ok(Self::Map(map)),
            Err(value) => Err(Failure::other(format!("a value of the type {} has no use here", value.type_name()))),
        }
    }

    /// The value as JSON of its own.
    pub fn into_json(self) -> Result<Value, Failure> {
        self.into_json_at(0)
    }

    fn into_json_at(self, depth: usize) -> Result<Value, Failure> {
        shallow(depth)?;
        Ok(match self {
            Self::Nothing => Value::Null,
            Self::Bool(b) => b.into(),
            Self::Int(n) => n.into(),
            Self::Float(n) => n.into(),
            Self::Text(text) => {
                budget::bytes(text.len())?;
                Value::from(&*text)
            }
            Self::SharedList(handle) | Self::SharedMap(handle) => {
                charge_copy(handle.json(), depth)?;
                handle.json().clone()
            }
            Self::List(items) => {
                walk(items.len())?;
                let items = items.into_iter().map(|item| Self::from_dynamic(item)?.into_json_at(depth + 1));
                Value::Array(items.collect::<Result<_, _>>()?)
            }
            Self::Map(map) => {
                walk(map.len())?;
                let entry = |(key, value)| {
                    Ok((rhai::Identifier::into(key), Self::from_dynamic(value)?.into_json_at(depth + 1)?))
                };
                let entries = map.into_iter().map(entry);
                Value::Object(entries.collect::<Result<_, Failure>>()?)
            }
        })
    }
}

/// Refuses a value that is nested deeper than JSON readers accept: a `set` step in a loop could wrap one again and again.
fn shallow(depth: usize) -> Result<(), Failure> {
    if depth > MAX_VALUE_DEPTH {
        return Err(Failure::limit(format!("a value nested deeper than {MAX_VALUE_DEPTH}")));
    }
    Ok(())
}

/// Counts a copy of JSON against the budget before it is made.
fn charge_copy(json: &Value, depth: usize) -> Result<(), Failure> {
    shallow(depth)?;
    budget::bytes(size_of::<Value>())?;
    match json {
        Value::String(s) => budget::bytes(s.len()),
        Value::Array(items) => {
            walk(items.len())?;
            items.iter().try_for_each(|item| charge_copy(item, depth + 1))
        }
        Value::Object(map) => {
            walk(map.len())?;
            map.iter().try_for_each(|(key, value)| {
                budget::bytes(key.len() + size_of::<String>())?;
                charge_copy(value, depth + 1)
            })
        }
        _ => Ok(()),
    }
}

/// At most so many characters of a text.
fn prefix(text: &str, chars: usize) -> &str {
    text.char_indices().nth(chars).map_or(text, |(end, _)| &text[..end])
}

/// JSON as text of at most so many characters, without writing out what is longer.
pub(crate) fn shorten(value: &Value, chars: usize) -> String {
    let mut text = match value {
        Value::String(s) => Value::from(prefix(s, chars + 1)).to_string(),
        Value::Array(items) => format!("a list of {} elements", items.len()),
        Value::Object(map) if map.len() > 20 => format!("a map of {} entries", map.len()),
        Value::Object(map) => format!("a map with {}", map.keys().map(String::as_str).collect::<Vec<_>>().join(", ")),
        _ => value.to_string(),
    };
    if let Some((end, _)) = text.char_indices().nth(chars.saturating_sub(1))
        && text[end..].chars().nth(1).is_some()
    {
        text.truncate(end);
        text.push('…');
    }
    text
}
