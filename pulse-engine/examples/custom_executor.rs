//! Drives a workflow with an executor of one's own: `cargo run -p pulse-engine --example custom_executor`.
//!
//! The engine does no I/O. Each input goes through [`advance`], which gives *entries* (what happened: keep them, they are
//! the execution) and *effects* (what to do, once the entries are kept). What comes of an effect is the next input.

use pulse_core::command::{CommandEnd, Outcome};
use pulse_core::ids::{ExecutionId, WorkerId};
use pulse_core::status::{Trigger, WorkerStatus};
use pulse_core::time::Timestamp;
use pulse_engine::fleet::{Fleet, FleetWorker};
use pulse_engine::{Context, Effect, Input, Start, State, advance, load};
use serde_json::Map;
use uuid::Uuid;

const WORKFLOW: &str = r#"
steps:
  - {id: count, command: 'echo FILES=$(ls / | wc -l)', parse: kv}
  - {id: ask, type: prompt, message: 'There are {{ files }} files in /. Say so?', options: [Say, Keep quiet]}
  - {id: say, command: 'echo "{{ files }} files"', condition: prompt_response == "Say"}
"#;

/// Drives a definition to its end. `execute` gets each command as people read it, and gives its output.
pub fn drive(definition: &str, mut execute: impl FnMut(&str) -> String) -> Result<State, String> {
    let loaded = load(definition);
    let plan = loaded.plan.ok_or_else(|| format!("{:?}", loaded.diagnostics))?;
    let (id, name, labels, status) = (WorkerId(Uuid::from_u128(1)), "here".into(), [].into(), WorkerStatus::Online);
    let here = FleetWorker { id, name, labels, status, draining: false, active: 0, capacity: 1 };
    let (fleet, mut state) = (Fleet { workers: vec![here] }, State::new(ExecutionId(Uuid::from_u128(2))));
    let (workflow, definition, targets, parent, queue) = (None, None, None, None, None);
    let (params, started_by, trigger) = (Map::new(), "me".to_owned(), Trigger::Api);
    let start = Start { workflow, definition, params, targets, started_by, trigger, parent, queue };
    let mut inputs = vec![Input::Start(Box::new(start))];
    let mut number = 0; // Stands in for a clock, and for random bits that a real program would get from its system.
    while let Some(input) = inputs.pop() {
        number += 1;
        let cx = Context { now: Timestamp::from_millis(number), entropy: number as u64, fleet: &fleet };
        let transition = advance(&plan, &mut state, input, &cx).map_err(|refused| refused.to_string())?;
        transition.entries.iter().for_each(|entry| println!("{:>3} {}", entry.seq, entry.event.kind())); // keep them
        for effect in transition.effects {
            match effect {
                Effect::Dispatch(command) => {
                    let stdout = execute(command.spec.command.as_deref().unwrap_or_default());
                    let end = CommandEnd::without_process(Outcome::Exited, "");
                    let end = Box::new(CommandEnd { exit_code: Some(0), stdout, error: None, ..end });
                    inputs.push(Input::CommandFinished { command_id: command.command_id, end });
                }
                Effect::OpenPrompt { prompt_id } => {
                    let (prompt_id, response) = (Some(prompt_id), "Say".to_owned());
                    inputs.push(Input::Answer { prompt_id, response, by: "me".to_owned(), fields: Map::new() });
                }
                _ => {} // Timers, cancels, child executions: this workflow has none.
            }
        }
    }
    Ok(state)
}

fn main() {
    let pretend = |script: &str| {
        println!("    would run: {script}");
        "FILES=21".to_owned()
    };
    match drive(WORKFLOW, pretend) {
        Ok(state) => println!("{}: {}", state.status(), state.vars),
        Err(error) => println!("{error}"),
    }
}
