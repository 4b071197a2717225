//! Drives a definition with random inputs, sensible and senseless ones, and checks after each what must always hold.

use super::dice::Dice;
use pulse_core::command::{CommandEnd, Outcome};
use pulse_core::event::Entry;
use pulse_core::ids::{CommandId, ExecutionId, PromptId, WorkerId};
use pulse_core::status::{ExecutionStatus, Trigger, WorkerStatus};
use pulse_core::time::Timestamp;
use pulse_core::workflow::resolve_params;
use pulse_engine::fleet::{Fleet, FleetWorker};
use pulse_engine::{Context, Input, Plan, Start, State, advance, apply, decide};
use serde_json::{Map, json};
use uuid::Uuid;

/// What driving gave.
pub struct Driven {
    pub id: ExecutionId,
    pub journal: Vec<Entry>,
    pub state: State,
    /// The state after each input, with how long the journal was then.
    pub states: Vec<(usize, State)>,
    pub fleet: Fleet,
}

const MOST_INPUTS: usize = 80;

/// With `in_turn`, no two inputs come at the same time, and timers are never late.
pub fn drive(plan: &Plan, bytes: &[u8], in_turn: bool) -> Driven {
    let mut dice = Dice::new(bytes);
    let id = ExecutionId(Uuid::from_u128(7));
    let mut driven =
        Driven { id, journal: Vec::new(), state: State::new(id), states: Vec::new(), fleet: fleet(&mut dice) };
    let mut now = Timestamp::from_millis(1_800_000_000_000);
    let mut shadow = State::new(id);
    let mut after_the_end = 3;
    for number in 0..MOST_INPUTS {
        if number > 0 && (in_turn || dice.roll(4) > 0) {
            now = Timestamp::from_millis(now.as_millis() + i64::from(in_turn) + 1_000 * dice.roll(20) as i64);
        }
        let due = driven.state.wake_at().filter(|wake| in_turn && *wake <= now);
        let input = match number {
            0 => start(plan),
            _ if due.is_some() => Input::Timer,
            // A test has no word for a command that goes elsewhere.
            _ => match input(&driven, &mut dice, plan) {
                Input::CommandStranded { .. } if in_turn => Input::Timer,
                input => input,
            },
        };
        now = match (&input, driven.state.wake_at()) {
            (_, Some(wake)) if due.is_some() => wake,
            (Input::Timer, Some(wake)) => now.max(wake),
            _ => now,
        };
        let fleet = stranding(&driven.fleet, &input);
        let cx = Context { now, entropy: number as u64, fleet: &fleet };
        let before = driven.state.clone();
        match advance(plan, &mut driven.state, input.clone(), &cx) {
            Err(_) => assert_eq!(driven.state, before, "a refused input changes nothing"),
            Ok(transition) => {
                let decided = decide(plan, &before, input, &cx).unwrap();
                assert_eq!(decided, transition.entries, "the same input gives the same events");
                assert!(!transition.entries.is_empty() || transition.effects.is_empty(), "effects come from events");
                for entry in transition.entries {
                    assert_eq!(entry.seq.0, driven.journal.len() as u64 + 1, "numbers have no gap");
                    apply(&mut shadow, &reread(&entry)).unwrap();
                    driven.journal.push(entry);
                }
                assert_eq!(shadow, driven.state, "the journal folds to the state");
            }
        }
        driven.states.push((driven.journal.len(), driven.state.clone()));
        if driven.state.finished.is_some() {
            after_the_end -= 1;
            if after_the_end == 0 {
                break;
            }
        }
    }
    driven
}

/// An entry as it comes back from a store.
fn reread(entry: &Entry) -> Entry {
    let text = serde_json::to_string(entry).unwrap();
    let read: Entry = serde_json::from_str(&text).unwrap_or_else(|error| panic!("{error}: {text}"));
    assert_eq!(read, *entry);
    read
}

fn fleet(dice: &mut Dice<'_>) -> Fleet {
    let worker = |number: u128, dice: &mut Dice<'_>| FleetWorker {
        id: WorkerId(Uuid::from_u128(number)),
        name: format!("w{number}").into(),
        labels: [("role".to_owned(), if number == 2 { "db" } else { "web" }.to_owned())].into(),
        status: if dice.one_in(6) { WorkerStatus::Offline } else { WorkerStatus::Online },
        draining: dice.one_in(12),
        active: 0,
        capacity: 4,
    };
    Fleet { workers: (1..=3).map(|number| worker(number, dice)).collect() }
}

/// The workers, of which the one that a command is stranded on drains.
fn stranding(fleet: &Fleet, input: &Input) -> Fleet {
    let mut fleet = fleet.clone();
    if let Input::CommandStranded { worker_id, .. } = input {
        let stranded = |worker: &&mut FleetWorker| worker.id == *worker_id;
        fleet.workers.iter_mut().filter(stranded).for_each(|worker| worker.draining = true);
    }
    fleet
}

fn start(plan: &Plan) -> Input {
    Input::Start(Box::new(Start {
        workflow: None,
        definition: None,
        params: resolve_params(&plan.workflow.params, &Map::new()).unwrap(),
        targets: None,
        started_by: "ann".to_owned(),
        trigger: Trigger::Api,
        parent: None,
        queue: None,
    }))
}

/// Something that may happen next; most often something that makes sense.
fn input(driven: &Driven, dice: &mut Dice<'_>, plan: &Plan) -> Input {
    let state = &driven.state;
    let outstanding = state.outstanding();
    let prompts: Vec<PromptId> = state.prompts().map(|(_, _, prompt)| prompt.id).collect();
    let children: Vec<ExecutionId> = state.open_children().map(|child| child.execution_id).collect();
    match dice.roll(24) {
        20 => return Input::Abort { by: "bob".to_owned(), reason: None },
        21 => return Input::Recovered,
        22 => return senseless(driven, dice, plan),
        23 => return Input::Timer,
        _ => {}
    }
    if !outstanding.is_empty() && dice.one_in(6) {
        let command = &outstanding[dice.roll(outstanding.len())];
        let worker_id = if dice.one_in(6) { WorkerId(Uuid::from_u128(3)) } else { command.worker.worker_id };
        return Input::CommandStranded { command_id: command.command_id, worker_id };
    }
    if !outstanding.is_empty() && dice.roll(5) < 4 {
        let command_id = outstanding[dice.roll(outstanding.len())].command_id;
        return Input::CommandFinished { command_id, end: Box::new(end(dice)) };
    }
    if !prompts.is_empty() && dice.roll(4) < 3 {
        let response = dice.pick(&["yes", "no", "Yes 3", "perhaps"]).to_owned();
        let prompt_id = (!dice.one_in(4)).then(|| prompts[dice.roll(prompts.len())]);
        return Input::Answer { prompt_id, response, by: "ann".to_owned(), fields: Map::new() };
    }
    if !children.is_empty() && dice.roll(4) < 3 {
        let execution_id = children[dice.roll(children.len())];
        let status = [ExecutionStatus::Completed, ExecutionStatus::Failed, ExecutionStatus::Aborted][dice.roll(3)];
        let state = Map::from_iter([("k".into(), json!(1))]);
        return Input::ChildFinished { execution_id, status, error: None, state };
    }
    Input::Timer
}

fn senseless(driven: &Driven, dice: &mut Dice<'_>, plan: &Plan) -> Input {
    let known: Vec<CommandId> = driven.state.commands.keys().copied().collect();
    match dice.roll(6) {
        0 => start(plan),
        1 => Input::Admitted,
        2 => Input::WorkerOnline { worker_id: WorkerId(Uuid::from_u128(1 + dice.roll(4) as u128)) },
        3 => {
            let (prompt_id, by) = (Some(PromptId(Uuid::nil())), String::new());
            Input::Answer { prompt_id, response: String::new(), by, fields: Map::new() }
        }
        4 => {
            let (execution_id, status) = (ExecutionId(Uuid::nil()), ExecutionStatus::Failed);
            Input::ChildFinished { execution_id, status, error: None, state: Map::new() }
        }
        _ => {
            let nobody = CommandId(Uuid::nil());
            // A map has no order: the smallest is the same one every time.
            let command_id = if dice.one_in(2) { nobody } else { known.into_iter().min().unwrap_or(nobody) };
            Input::CommandFinished { command_id, end: Box::new(end(dice)) }
        }
    }
}

fn end(dice: &mut Dice<'_>) -> CommandEnd {
    let outcome = match dice.roll(12) {
        8 => Outcome::Lost,
        9 => Outcome::TimedOut,
        10 => Outcome::NotStarted,
        11 => Outcome::Cancelled,
        _ => Outcome::Exited,
    };
    let exit_code = (outcome == Outcome::Exited).then(|| [0, 0, 0, 1][dice.roll(4)]);
    let outputs = ["N=2\n", "N=7", "TEXT=a\u{1b}[31m\r\nN=4\n", "{\"n\": 5}", "", "x\ny: [\n# z\n"];
    let stdout = dice.pick(&outputs).to_owned();
    CommandEnd { exit_code, stdout_bytes: stdout.len() as u64, stdout, ..CommandEnd::without_process(outcome, "gone") }
}
