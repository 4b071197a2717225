//! An execution in full, as the API shows it: all of it from one state, so that its parts agree. The dashboard folds live
//! events into the same view; the journals recorded for its tests hold both to one another.

use crate::drive::{record, summary};
use pulse_core::api::{ExecutionView, ParentView};
use pulse_core::event::Entry;
use pulse_core::workflow::Workflow;
use pulse_engine::{State, child_views, prompt_views, step_views};
use serde_json::{Map, Value};

/// The view of a state and of the journal that it was folded from, with the title of the execution and of its parent.
/// `None` before the first event.
pub(super) fn execution_view(
    title: &str,
    parent_title: Option<String>,
    workflow: &Workflow,
    state: &State,
    logs: Vec<Entry>,
) -> Option<ExecutionView> {
    let object = |value: &Value| value.as_object().cloned().unwrap_or_else(Map::new);
    let origin = state.origin.as_ref()?;
    let prompts = prompt_views(state);
    Some(ExecutionView {
        summary: summary(&record(state, title)?),
        params: object(&origin.params),
        prompt: prompts.first().cloned(),
        prompts,
        parent: origin.parent.clone().map(|at| ParentView { at, title: parent_title }),
        children: child_views(state),
        steps: step_views(workflow, state),
        state: object(&state.vars),
        logs,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use pulse_core::ids::ExecutionId;
    use serde_json::json;
    use std::fs;
    use std::path::{Path, PathBuf};

    /// A recorded execution: `web/e2e/record.mjs` writes it, without `shows`.
    #[derive(serde::Deserialize)]
    struct Recorded {
        id: ExecutionId,
        definition: String,
        journal: Vec<Entry>,
        /// What the view shows after each entry: all of it after the first, then what changed.
        #[serde(default)]
        shows: Vec<Value>,
    }

    fn recordings() -> Vec<PathBuf> {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../web/src/features/execution/recorded");
        let files = fs::read_dir(folder).unwrap().map(|file| file.unwrap().path());
        let mut files: Vec<PathBuf> = files.filter(|path| path.extension().is_some_and(|end| end == "json")).collect();
        files.sort();
        files
    }

    /// The view after each entry of the journal, without the journal.
    fn views(recorded: &Recorded) -> Vec<Map<String, Value>> {
        let loaded = pulse_engine::load(&recorded.definition);
        let workflow = loaded.workflow.expect("the definition can be read");
        let mut state = State::new(recorded.id);
        let after = recorded.journal.iter().map(|entry| {
            pulse_engine::apply(&mut state, entry).unwrap();
            let view = execution_view("recorded", None, &workflow, &state, Vec::new()).unwrap();
            let Value::Object(mut view) = serde_json::to_value(view).unwrap() else { unreachable!("it is an object") };
            view.shift_remove("logs");
            view
        });
        after.collect()
    }

    /// What is new in a view: its changed fields; of its steps the changed ones.
    fn changes(before: &Map<String, Value>, after: &Map<String, Value>) -> Value {
        let changed = after.iter().filter(|(name, value)| before.get(*name) != Some(*value));
        let changed = changed.map(|(name, value)| match (name.as_str(), before.get(name), value) {
            ("steps", Some(Value::Array(old)), Value::Array(new)) => {
                let steps = new.iter().zip(old).filter(|(new, old)| new != old);
                (name.clone(), Value::Array(steps.map(|(new, _)| new.clone()).collect()))
            }
            _ => (name.clone(), value.clone()),
        });
        Value::Object(changed.collect())
    }

    fn shows(recorded: &Recorded) -> Vec<Value> {
        let views = views(recorded);
        let first = views.first().cloned().map(Value::Object);
        first.into_iter().chain(views.windows(2).map(|pair| changes(&pair[0], &pair[1]))).collect()
    }

    fn lines(values: impl IntoIterator<Item = impl serde::Serialize>) -> String {
        let lines: Vec<String> = values.into_iter().map(|value| serde_json::to_string(&value).unwrap()).collect();
        lines.join(",\n")
    }

    #[test]
    fn the_dashboards_recordings_say_what_the_server_shows() {
        let update = std::env::var_os("PULSE_UPDATE").is_some();
        let files = recordings();
        assert!(!files.is_empty(), "there are no recordings: `node web/e2e/record.mjs` makes them");
        for file in files {
            let recorded: Recorded = serde_json::from_str(&fs::read_to_string(&file).unwrap()).unwrap();
            let shows = shows(&recorded);
            if update {
                let (id, definition) = (json!(recorded.id), json!(recorded.definition));
                let (journal, shows) = (lines(&recorded.journal), lines(&shows));
                let text = format!(
                    "{{\"id\":{id},\n\"definition\":{definition},\n\"journal\":[\n{journal}\n],\n\"shows\":[\n{shows}\n]}}\n"
                );
                fs::write(&file, text).unwrap();
            } else {
                let name = file.file_name().unwrap_or_default().display();
                let again = "`PULSE_UPDATE=1 cargo test -p pulse-server recordings` writes it anew";
                assert_eq!(shows.len(), recorded.shows.len(), "{name}: {again}");
                for (at, (now, then)) in shows.iter().zip(&recorded.shows).enumerate() {
                    assert_eq!(now, then, "{name}, after entry {}: {again}", at + 1);
                }
            }
        }
    }
}
