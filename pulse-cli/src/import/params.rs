//! Parameters that expressions call something else here: they get another name, and so do the places that use them.

use super::Document;
use super::change::Notes;
use pulse_core::workflow::is_reserved_name;
use serde_json::{Map, Value};
use std::collections::HashMap;

/// Fields that hold an expression of JavaScript.
const CONDITIONS: &[&str] = &["condition", "if"];

/// The document with other names for such parameters.
pub(super) fn renamed(mut document: Document, notes: &mut Notes) -> Document {
    let names = new_names(&document, notes);
    if names.is_empty() {
        return document;
    }
    for (field, value) in &mut document {
        if field == "params" { declared(value, &names) } else { used(value, false, &names) }
    }
    document
}

/// The new names of parameters by their old ones.
fn new_names(document: &Document, notes: &mut Notes) -> HashMap<String, String> {
    let old: Vec<(String, &str)> = match document.get("params") {
        Some(Value::Array(list)) => {
            let names = list.iter().map(|param| param.as_str().or_else(|| param.get("name")?.as_str()));
            names.enumerate().filter_map(|(index, name)| Some((format!("params[{index}]"), name?))).collect()
        }
        Some(Value::Object(map)) => map.keys().map(|name| (format!("params.{name}"), name.as_str())).collect(),
        _ => Vec::new(),
    };
    let text = Value::Object(document.clone()).to_string();
    let mut names = HashMap::new();
    for (path, name) in old.into_iter().filter(|(_, name)| is_reserved_name(name)) {
        let mut new = format!("{name}_");
        // Whatever it stands for there, it is taken.
        while text.contains(&new) {
            new.push('_');
        }
        notes.changed(
            &path,
            format!(
                "`{name}` is something else in expressions here: it is written `{new}`, as are uses of it; what starts the \
                 workflow gives `{new}`"
            ),
        );
        names.insert(name.to_owned(), new);
    }
    names
}

fn declared(params: &mut Value, names: &HashMap<String, String>) {
    let rename = |value: &mut Value| {
        if let Some(new) = value.as_str().and_then(|name| names.get(name)) {
            *value = Value::String(new.clone());
        }
    };
    match params {
        Value::Array(list) => list.iter_mut().for_each(|param| match param.get_mut("name") {
            Some(name) => rename(name),
            None => rename(param),
        }),
        Value::Object(map) => {
            let renamed = |(name, value)| (names.get(&name).cloned().unwrap_or(name), value);
            *map = std::mem::take(map).into_iter().map(renamed).collect::<Map<_, _>>();
        }
        _ => {}
    }
}

/// Renames in all texts of a value.
fn used(value: &mut Value, is_condition: bool, names: &HashMap<String, String>) {
    match value {
        Value::String(text) => {
            *text = templates(text, names);
            if is_condition {
                *text = expression(text, names);
            }
        }
        Value::Array(list) => list.iter_mut().for_each(|item| used(item, false, names)),
        Value::Object(map) => {
            map.iter_mut().for_each(|(name, item)| used(item, CONDITIONS.contains(&name.as_str()), names));
        }
        _ => {}
    }
}

/// A text with the new names in its `{{ … }}`.
fn templates(text: &str, names: &HashMap<String, String>) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some((before, behind)) = rest.split_once("{{") {
        let Some((inner, after)) = behind.split_once("}}") else { break };
        let bare = inner.trim();
        let inner = match names.get(bare) {
            Some(new) => inner.replacen(bare, new, 1),
            None => expression(inner, names),
        };
        out.push_str(&format!("{before}{{{{{inner}}}}}"));
        rest = after;
    }
    out + rest
}

/// An expression with the new names behind `params`, outside of its texts.
fn expression(source: &str, names: &HashMap<String, String>) -> String {
    let mut out = String::with_capacity(source.len());
    let mut quote = None;
    let mut rest = source;
    while let Some(c) = rest.chars().next() {
        if quote.is_none()
            && !out.ends_with(|before: char| is_part(before) || before == '.')
            && let Some((old, new)) = property(rest, names)
        {
            out.push_str(&rest[..old.start]);
            out.push_str(new);
            rest = &rest[old.end..];
            continue;
        }
        match quote {
            Some(_) if c == '\\' => {
                out.push(c);
                rest = &rest[1..];
                let Some(escaped) = rest.chars().next() else { break };
                out.push(escaped);
                rest = &rest[escaped.len_utf8()..];
                continue;
            }
            Some(open) if open == c => quote = None,
            None if matches!(c, '"' | '\'' | '`') => quote = Some(c),
            _ => {}
        }
        out.push(c);
        rest = &rest[c.len_utf8()..];
    }
    out
}

/// Where in `params.x`, `params?.x` or `params["x"]` at the beginning of a text the name stands, and the new one.
fn property<'n>(text: &str, names: &'n HashMap<String, String>) -> Option<(std::ops::Range<usize>, &'n str)> {
    let behind = text.strip_prefix("params")?.trim_start();
    let (name, is_whole) = match behind.strip_prefix("?.").or_else(|| behind.strip_prefix('.')) {
        Some(name) => (name.trim_start(), true),
        None => (behind.strip_prefix('[')?.trim_start().strip_prefix(['"', '\''])?, false),
    };
    let start = text.len() - name.len();
    let length = name.find(|c: char| !is_part(c)).unwrap_or(name.len());
    let closed = name[length..].starts_with(['"', '\'']);
    let new = names.get(&name[..length]).filter(|_| is_whole || closed)?;
    Some((start..start + length, new))
}

fn is_part(c: char) -> bool {
    c.is_alphanumeric() || matches!(c, '_' | '$')
}
