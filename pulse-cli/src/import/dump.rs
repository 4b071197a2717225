//! Rows out of JSON: one workflow, a list of them, a bare definition, or a dump of several tables.

use super::Row;
use serde_json::{Map, Value};

/// What a file holds.
#[derive(Debug)]
pub enum Item {
    /// A workflow.
    Workflow(Box<Row>),
    /// Rows of a table that is not imported.
    Other {
        /// The table, in words.
        table: String,
        /// How many.
        count: usize,
    },
    /// Something that is nothing known.
    Unknown {
        /// Where it stands.
        place: String,
        /// Why it is nothing known.
        reason: String,
    },
}

/// Tables of the first PULSE besides `workflows`.
const OTHER_TABLES: &[(&str, &str)] = &[
    ("scheduled_commands", "schedules"),
    ("schedules", "schedules"),
    ("workers", "workers"),
    ("executions", "executions"),
    ("users", "users"),
];

/// Columns that only rows of such a table have.
const TELLTALES: &[(&str, &str)] = &[
    ("schedule_type", "schedules"),
    ("schedule_value", "schedules"),
    ("last_seen", "workers"),
    ("last_heartbeat", "workers"),
    ("started_by", "executions"),
    ("worker_id", "executions"),
];

/// Reads a file's text; `file` is its name, for telling where things are, and `stem` names a definition without a name.
///
/// # Errors
/// When the text is no JSON.
pub fn read(text: &str, file: &str, stem: &str) -> Result<Vec<Item>, String> {
    let value: Value = serde_json::from_str(text.trim_start_matches('\u{feff}')).map_err(|error| {
        format!("it is no JSON: {error}; definitions in YAML need no import, `pulse workflow put` stores them")
    })?;
    let mut items = Vec::new();
    match value {
        Value::Array(rows) => {
            for (index, row) in rows.into_iter().enumerate() {
                item(row, &format!("{file}, item {}", index + 1), stem, &mut items);
            }
        }
        value => item(value, file, stem, &mut items),
    }
    Ok(items)
}

fn item(value: Value, place: &str, stem: &str, items: &mut Vec<Item>) {
    let Value::Object(map) = value else {
        let reason = "it is no object".to_owned();
        items.push(Item::Unknown { place: place.to_owned(), reason });
        return;
    };
    if map.contains_key("steps") || map.contains_key("definition") {
        items.push(Item::Workflow(Box::new(Row::new(map, place, stem))));
        return;
    }
    // As phpMyAdmin exports tables: {"type": "table", "name": …, "data": […]}, with headers beside them.
    match map.get("type").and_then(Value::as_str) {
        Some("header" | "database") => return,
        Some("table") => {
            let name = map.get("name").and_then(Value::as_str).unwrap_or_default().to_owned();
            let data = map.get("data").cloned().unwrap_or_default();
            table(&name, data, place, stem, items);
            return;
        }
        _ => {}
    }
    if let Some((_, table)) = TELLTALES.iter().find(|(column, _)| map.contains_key(*column)) {
        other(table, 1, items);
        return;
    }
    if map.values().all(Value::is_array) && !map.is_empty() {
        tables(map, place, stem, items);
        return;
    }
    let reason = "it is no workflow: it has neither `steps` nor `definition`".to_owned();
    items.push(Item::Unknown { place: place.to_owned(), reason });
}

/// Tables by name: `{"workflows": […], "workers": […]}`.
fn tables(map: Map<String, Value>, place: &str, stem: &str, items: &mut Vec<Item>) {
    for (name, data) in map {
        table(&name, data, &format!("{place}, {name}"), stem, items);
    }
}

fn table(name: &str, data: Value, place: &str, stem: &str, items: &mut Vec<Item>) {
    let Value::Array(rows) = data else {
        items.push(Item::Unknown { place: place.to_owned(), reason: format!("the table `{name}` is no list of rows") });
        return;
    };
    if name == "workflows" {
        for (index, row) in rows.into_iter().enumerate() {
            item(row, &format!("{place}, row {}", index + 1), stem, items);
        }
        return;
    }
    match OTHER_TABLES.iter().find(|(known, _)| *known == name) {
        Some((_, table)) => other(table, rows.len(), items),
        None => {
            let reason = format!("the first PULSE has no table `{name}`");
            items.push(Item::Unknown { place: place.to_owned(), reason });
        }
    }
}

/// Counts rows of the same table together.
fn other(name: &str, more: usize, items: &mut Vec<Item>) {
    for item in items.iter_mut() {
        if let Item::Other { table, count } = item
            && table == name
        {
            *count += more;
            return;
        }
    }
    items.push(Item::Other { table: name.to_owned(), count: more });
}
