//! The definition as YAML: where it comes from in a comment, then the document, checked and in one layout.

use super::change::Notes;
use super::{Document, Imported, Remark, Row, refused, row};
use crate::format;
use pulse_core::diagnostic::{Code, Severity};
use pulse_core::text::one_line;
use pulse_core::yaml;
use serde_json::Value;

/// Writes and checks a document.
pub(super) fn written(row: &Row, document: &Document, mut notes: Notes) -> Imported {
    let body = match yaml::write(document) {
        Ok(body) => body,
        Err(error) => {
            let message = format!("it cannot be written as YAML: {error}");
            let finding = row::finding(Code::Syntax, "", message, "give its maps plain names as keys");
            return refused(row, notes, vec![finding]);
        }
    };
    let loaded = pulse_engine::load(&body);
    for finding in loaded.diagnostics.iter().filter(|finding| finding.severity == Severity::Warning) {
        let text = format!("{}: {}", finding.code, finding.message);
        notes.look.push(Remark { path: finding.path.clone(), text });
    }
    let errors: Vec<_> = loaded.diagnostics.into_iter().filter(|found| found.severity == Severity::Error).collect();
    if loaded.plan.is_none() || !errors.is_empty() {
        return refused(row, notes, errors);
    }
    let text = format!("{}{body}", head(row, &notes));
    // Where the layout cannot be changed safely, it stays as it is.
    let text = format::format(&text).unwrap_or(text);
    Imported {
        name: row.name.clone(),
        from: row.place.clone(),
        taken: taken(document),
        changed: notes.changed,
        look: notes.look,
        findings: Vec::new(),
        text: Some(text),
    }
}

fn head(row: &Row, notes: &Notes) -> String {
    let mut lines = vec![format!("Imported from the first PULSE: {}", row.place)];
    let column = |name: &str, says: &str| row.column(name).map(|value| format!("{says} {value}"));
    let made = [column("id", "workflow"), column("created_by", "made by"), column("created_at", "on")];
    let made: Vec<String> = made.into_iter().flatten().collect();
    if !made.is_empty() {
        lines.push(format!("There it was {}", made.join(" ")));
    }
    for (title, remarks) in [("Changed on the way:", &notes.changed), ("To look at:", &notes.look)] {
        if !remarks.is_empty() {
            lines.push(title.to_owned());
            lines.extend(remarks.iter().map(|remark| format!("  {}", told(remark))));
        }
    }
    lines.iter().map(|line| format!("# {}\n", one_line(line))).collect()
}

/// A remark on one line.
pub(super) fn told(remark: &Remark) -> String {
    if remark.path.is_empty() { remark.text.clone() } else { format!("{}: {}", remark.path, remark.text) }
}

fn taken(document: &Document) -> String {
    let count = |name: &str, one: &str| {
        let count = match document.get(name) {
            Some(Value::Array(list)) => list.len(),
            Some(Value::Object(map)) => map.len(),
            _ => 0,
        };
        match count {
            0 => None,
            1 => Some(format!("1 {one}")),
            count => Some(format!("{count} {one}s")),
        }
    };
    let webhook = document.contains_key("webhook").then(|| "a webhook".to_owned());
    [count("steps", "step"), count("params", "parameter"), webhook].into_iter().flatten().collect::<Vec<_>>().join(", ")
}
