//! A row of the table `workflows`, and the document that it makes.

use super::Document;
use super::change::Notes;
use pulse_core::diagnostic::{Code, Diagnostic, Diagnostics, Position};
use serde_json::{Map, Value};

/// One stored workflow.
#[derive(Clone, Debug)]
pub struct Row {
    /// Where it stands, for telling.
    pub place: String,
    /// What it is called.
    pub name: String,
    columns: Map<String, Value>,
}

/// Columns that name a webhook.
const WEBHOOKS: &[&str] = &["webhook", "webhook_url", "webhookUrl"];
/// Columns that are told in the comment at the head of the definition, or say nothing here.
const TOLD: &[&str] = &["id", "name", "description", "definition", "created_by", "created_at", "updated_at"];

impl Row {
    /// A row, or a bare definition, which is named `stem` when it has no name.
    pub(super) fn new(columns: Map<String, Value>, place: &str, stem: &str) -> Self {
        let inner = match columns.get("definition") {
            Some(Value::Object(definition)) => definition.get("name").and_then(text),
            _ => None,
        };
        let name = columns.get("name").and_then(text).or(inner).unwrap_or_else(|| stem.to_owned());
        Self { place: place.to_owned(), name, columns }
    }

    /// A column's text.
    pub(super) fn column(&self, name: &str) -> Option<String> {
        self.columns.get(name).and_then(text)
    }
}

/// The text of a scalar that is not empty.
fn text(value: &Value) -> Option<String> {
    let text = match value {
        Value::String(text) => text.trim().to_owned(),
        Value::Number(number) => number.to_string(),
        _ => String::new(),
    };
    (!text.is_empty()).then_some(text)
}

/// A finding about a whole row.
pub(super) fn finding(code: Code, path: &str, message: impl Into<String>, help: &str) -> Diagnostic {
    let mut diagnostics = Diagnostics::default();
    diagnostics.add(code, path, Position { line: 1, column: 1 }, message, help);
    diagnostics.into_sorted().remove(0)
}

/// The document of a row: its definition with name, description and webhook from the columns beside it.
pub(super) fn document(row: &Row, notes: &mut Notes) -> Result<Document, Diagnostic> {
    let wrong =
        |code, message: String| Err(finding(code, "definition", message, "export the row again as it is stored"));
    let mut definition = match row.columns.get("definition") {
        None => row.columns.clone(),
        Some(Value::Object(definition)) => definition.clone(),
        Some(Value::String(text)) => match serde_json::from_str(text) {
            Ok(Value::Object(definition)) => definition,
            Ok(_) => return wrong(Code::WrongType, "the definition is no object".to_owned()),
            Err(error) => return wrong(Code::Syntax, format!("the definition is no JSON: {error}")),
        },
        Some(_) => return wrong(Code::WrongType, "the definition is no object".to_owned()),
    };
    let bare = !row.columns.contains_key("definition");
    let mut document = Document::new();
    if let Some(inner) = definition.get("name").and_then(text).filter(|inner| *inner != row.name) {
        notes.changed("name", format!("`{inner}` in the definition, `{}` beside it: the latter is kept", row.name));
    }
    document.insert("name".to_owned(), Value::String(row.name.clone()));
    let inner = definition.get("description").and_then(text);
    if let Some(description) = row.column("description").or(inner) {
        document.insert("description".to_owned(), Value::String(description));
    }
    let webhooks = || WEBHOOKS.iter();
    if let Some(webhook) = webhooks().find_map(|name| row.column(name).or_else(|| definition.get(*name).and_then(text)))
    {
        document.insert("webhook".to_owned(), Value::String(webhook));
    }
    for name in TOLD.iter().chain(WEBHOOKS) {
        definition.shift_remove(*name);
    }
    document.extend(definition);
    if !bare {
        for (name, value) in &row.columns {
            if !TOLD.contains(&name.as_str()) && !WEBHOOKS.contains(&name.as_str()) && !value.is_null() {
                notes.look("", format!("the column `{name}` has no counterpart here: it is left out"));
            }
        }
    }
    Ok(document)
}
