//! Definitions of the first PULSE, as it stored them, made into definitions of this one: what `pulse import` does,
//! without reading files or speaking to a server.
//!
//! ```text
//! JSON ─▶ dump: rows ─▶ row: a document with what stood beside it ─▶ change: what means something else here
//!                                            └─▶ write: YAML with its origin, checked as any definition is
//! ```
//!
//! Nothing is half-imported: what has errors in the end is not written at all.

mod change;
mod conditions;
mod dump;
mod params;
mod row;
mod steps;
mod write;

pub use dump::{Item, read};
pub use row::Row;

use pulse_core::diagnostic::Diagnostic;
use serde::Serialize;
use serde_json::{Map, Value};

/// Something to tell about a place of a definition.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Remark {
    /// Where, like `steps[2].timeout`.
    pub path: String,
    /// What.
    pub text: String,
}

/// What became of one definition.
#[derive(Clone, Debug, Serialize)]
pub struct Imported {
    /// Its name.
    pub name: String,
    /// Where it comes from.
    pub from: String,
    /// What was taken over as it was.
    pub taken: String,
    /// What was written differently, because it means something else here.
    pub changed: Vec<Remark>,
    /// What a person should look at.
    pub look: Vec<Remark>,
    /// What keeps it from being imported, and warnings.
    pub findings: Vec<Diagnostic>,
    /// The definition as YAML; `None` when it has errors.
    #[serde(skip)]
    pub text: Option<String>,
}

/// Makes a row into a definition.
pub fn import(row: &Row) -> Imported {
    let mut notes = change::Notes::default();
    let document = match row::document(row, &mut notes) {
        Ok(document) => document,
        Err(finding) => return refused(row, notes, vec![finding]),
    };
    let document = change::changed(document, &mut notes);
    write::written(row, &document, notes)
}

fn refused(row: &Row, notes: change::Notes, findings: Vec<Diagnostic>) -> Imported {
    Imported {
        name: row.name.clone(),
        from: row.place.clone(),
        taken: String::new(),
        changed: notes.changed,
        look: notes.look,
        findings,
        text: None,
    }
}

/// A definition as an object.
type Document = Map<String, Value>;

#[cfg(test)]
mod tests;
