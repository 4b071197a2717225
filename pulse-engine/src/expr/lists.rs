//! Lists and maps: reading properties and elements, and the helpers that walk through them.

use super::compare::same;
use super::error::Failure;
use super::texts;
use super::value::{Text, Val, new_text, room_for_elements, walk};
use rhai::Dynamic;

/// Number of elements of a list or entries of a map.
pub(super) fn count(value: &Val) -> usize {
    match value {
        Val::List(items) => items.len(),
        Val::Map(map) => map.len(),
        Val::SharedList(handle) => handle.json().as_array().map_or(0, Vec::len),
        Val::SharedMap(handle) => handle.json().as_object().map_or(0, serde_json::Map::len),
        _ => 0,
    }
}

/// One element of a list; `()` outside of it.
pub(super) fn element(list: &Val, index: usize) -> Result<Val, Failure> {
    let found = match list {
        Val::List(items) => items.get(index).cloned().map(Val::from_dynamic).transpose()?,
        Val::SharedList(handle) => handle.at(index)?,
        _ => None,
    };
    Ok(found.unwrap_or(Val::Nothing))
}

/// One entry of a map.
pub(super) fn entry(map: &Val, key: &str) -> Result<Option<Val>, Failure> {
    match map {
        Val::Map(map) => map.get(key).cloned().map(Val::from_dynamic).transpose(),
        Val::SharedMap(handle) => handle.get(key),
        _ => Ok(None),
    }
}

/// All elements of a list, as a new list would hold them.
pub(super) fn elements(list: &Val) -> Result<Vec<Dynamic>, Failure> {
    (0..count(list)).map(|i| element(list, i).map(Val::into_dynamic)).collect()
}

/// The keys of a map, in its order.
pub(super) fn key_names(map: &Val) -> Result<Vec<String>, Failure> {
    room_for_elements(count(map))?;
    Ok(match map {
        Val::Map(map) => map.keys().map(ToString::to_string).collect(),
        Val::SharedMap(handle) => handle.json().as_object().into_iter().flatten().map(|(key, _)| key.clone()).collect(),
        _ => Vec::new(),
    })
}

/// `base.a.b`: what is missing is `()`, and so is everything below it.
pub(super) fn get(v: &[Val]) -> Result<Val, Failure> {
    let mut value = v[0].clone();
    for key in &v[1..] {
        let Val::Text(key) = key else { return Err(Failure::other("a property has a name")) };
        value = property(value, key)?;
    }
    Ok(value)
}

fn property(value: Val, key: &str) -> Result<Val, Failure> {
    match value {
        Val::Nothing => Ok(Val::Nothing),
        Val::Map(_) | Val::SharedMap(_) => Ok(entry(&value, key)?.unwrap_or(Val::Nothing)),
        Val::Text(_) | Val::List(_) | Val::SharedList(_) if key == "length" => len(&[value]),
        // What has no properties misses every one.
        _ => Ok(Val::Nothing),
    }
}

/// `base[index]`: an element of a list (from its end, if negative), a character of a text, an entry of a map.
pub(super) fn at(v: &[Val]) -> Result<Val, Failure> {
    match (&v[0], &v[1]) {
        (Val::Nothing, _) => Ok(Val::Nothing),
        (_, Val::Nothing) => Err(Failure::missing("the index is missing")),
        (Val::Map(_) | Val::SharedMap(_), Val::Text(key)) => Ok(entry(&v[0], key)?.unwrap_or(Val::Nothing)),
        (Val::List(_) | Val::SharedList(_), Val::Int(index)) => match position(*index, count(&v[0])) {
            Some(index) => element(&v[0], index),
            None => Ok(Val::Nothing),
        },
        (Val::Text(text), Val::Int(index)) => {
            super::budget::scan(text.len())?;
            let found = position(*index, text.chars().count()).and_then(|index| text.chars().nth(index));
            found.map_or(Ok(Val::Nothing), |c| new_text(c.to_string()))
        }
        (_, Val::Text(key)) => property(v[0].clone(), key),
        (base, index) => Err(Failure::wrong_type(format!("{} is no index of {}", index.describe(), base.describe()))),
    }
}

fn position(index: i64, count: usize) -> Option<usize> {
    let back = usize::try_from(index.unsigned_abs()).ok()?;
    if index < 0 { count.checked_sub(back) } else { Some(back) }
}

/// `contains(where, what)`: a part of a text, an element of a list, a key of a map. Nothing contains nothing.
pub(super) fn contains(place: &Val, what: &Val) -> Result<Val, Failure> {
    match place {
        Val::Nothing => Ok(Val::Bool(false)),
        Val::Text(text) => texts::contains(text, what),
        Val::List(_) | Val::SharedList(_) => {
            let count = count(place);
            walk(count)?;
            for i in 0..count {
                if same(&element(place, i)?, what, 1)? {
                    return Ok(Val::Bool(true));
                }
            }
            Ok(Val::Bool(false))
        }
        Val::Map(_) | Val::SharedMap(_) => match what {
            Val::Text(key) => Ok(Val::Bool(entry(place, key)?.is_some())),
            _ => Err(Failure::wrong_type(format!("keys of a map are texts, not {}", what.describe()))),
        },
        _ => Err(Failure::wrong_type(format!("{} contains nothing: it is no text, list or map", place.describe()))),
    }
}

/// `len(x)`: characters of a text, elements of a list, entries of a map.
pub(super) fn len(v: &[Val]) -> Result<Val, Failure> {
    let count = match &v[0] {
        Val::Nothing => return Ok(Val::Nothing),
        Val::Text(text) => {
            super::budget::scan(text.len())?;
            text.chars().count()
        }
        Val::List(_) | Val::SharedList(_) | Val::Map(_) | Val::SharedMap(_) => count(&v[0]),
        other => return Err(Failure::wrong_type(format!("{} has no length", other.describe()))),
    };
    Ok(Val::Int(count as i64))
}

/// `is_empty(x)`: nothing, or without any character, element or entry.
pub(super) fn is_empty(v: &[Val]) -> Result<Val, Failure> {
    match len(v)? {
        Val::Int(n) => Ok(Val::Bool(n == 0)),
        _ => Ok(Val::Bool(true)),
    }
}

/// `keys(map)`.
pub(super) fn keys(v: &[Val]) -> Result<Val, Failure> {
    match &v[0] {
        Val::Nothing => Ok(Val::Nothing),
        Val::Map(_) | Val::SharedMap(_) => {
            let names = key_names(&v[0])?.into_iter().map(|name| Val::Text(Text::Own(name.into())).into_dynamic());
            Ok(Val::List(names.collect()))
        }
        other => Err(Failure::wrong_type(format!("{} has no keys: it is no map", other.describe()))),
    }
}

/// `values(map)`: in the order of its keys. The values of a list are its elements.
pub(super) fn values(v: &[Val]) -> Result<Val, Failure> {
    match &v[0] {
        Val::Nothing => Ok(Val::Nothing),
        Val::List(_) | Val::SharedList(_) => Ok(v[0].clone()),
        Val::Map(_) | Val::SharedMap(_) => {
            let value = |key: String| Ok(entry(&v[0], &key)?.unwrap_or(Val::Nothing).into_dynamic());
            Ok(Val::List(key_names(&v[0])?.into_iter().map(value).collect::<Result<_, Failure>>()?))
        }
        other => Err(Failure::wrong_type(format!("{} has no values: it is no map", other.describe()))),
    }
}
