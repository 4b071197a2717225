//! Secret parameters: where they may be named, and that the engine never has their values.

use pulse_core::command::{CommandEnd, CommandSpec, Outcome};
use pulse_core::event::{Entry, Event};
use pulse_core::ids::{ExecutionId, WorkerId};
use pulse_core::status::{Trigger, WorkerStatus};
use pulse_core::time::Timestamp;
use pulse_core::workflow::{MASK, resolve_params};
use pulse_engine::fleet::{Fleet, FleetWorker};
use pulse_engine::{Context, Input, Start, State, advance, load};
use serde_json::{Value, json};
use uuid::Uuid;

/// The codes found in steps of a workflow with two secrets, a common parameter, and what else is given before `steps`.
fn codes(before: &str, steps: &str) -> Vec<String> {
    let params = "params: [{name: token, type: secret}, {name: other, type: secret}, plain]";
    let loaded = load(&format!("{params}\n{before}\nsteps:\n{steps}\n"));
    loaded.diagnostics.iter().filter(|d| d.code != "W006").map(|d| d.code.clone()).collect()
}

#[test]
fn a_secret_may_be_named_where_its_value_reaches_a_command_and_nothing_else() {
    for step in [
        "{command: 'login {{ token }}'}",
        "{command: 'login \"{{token}}\" ''{{ params.token }}'' {{  other  }}'}",
        "{command: \"cat <<EOF\\n{{ token }}\\nEOF\"}",
        "{command: x, env: {TOKEN: '{{ token }}', B: '{{ params.other }}', C: '{{ plain }}'}}",
        "{argv: [login], env: {TOKEN: '{{ token }}'}, stdin: '{{ params.other }}'}",
        // The item hides the parameter.
        "{items: [a], as: token, steps: [{command: x, cwd: '/{{ token }}', condition: token == 1}]}",
        "{command: 'x {{ state.token }} {{ steps.s.state.token }}', id: s}",
    ] {
        assert_eq!(codes("", &format!("  - {step}")), [""; 0], "{step}");
    }
    assert_eq!(codes("env: {TOKEN: '{{ token }}'}", "  - {command: x}"), [""; 0]);
}

#[test]
fn a_secret_is_refused_everywhere_else() {
    for step in [
        // Behind a filter, and where a shell would run it.
        "{command: 'x {{ token | raw }}'}",
        "{command: 'ssh h ''x {{ token | sh }}'''}",
        "{command: 'echo $(( {{ token }} + 1 ))'}",
        "{command: 'declare a={{ token }}', shell: bash}",
        "{command: 'printf {{ token }}'}",
        // Computed with.
        "{command: 'x {{ token + \"\" }}'}",
        "{command: 'x {{ token.trim() }}'}",
        "{command: 'x {{ (token) }}'}",
        "{command: 'x {{ params[\"token\"] }}'}",
        "{command: 'x {{ token ?? 1 }}'}",
        "{command: 'x {{ [token] }}'}",
        "{command: 'x {{ params }}'}",
        "{command: 'x {{ params[plain] }}'}",
        "{command: 'x {{ keys(params) }}'}",
        // A part of a text, or computed, on its way to a command.
        "{command: x, env: {T: 'Bearer {{ token }}'}}",
        "{command: x, env: {T: '{{ token }} '}}",
        "{command: x, env: {T: '{{ token | sh }}'}}",
        "{command: x, env: {T: '{{ upper(token) }}'}}",
        "{command: x, stdin: 'token={{ token }}'}",
        "{command: x, stdin: '{{ token }}{{ other }}'}",
        // Where values are stored or shown.
        "{argv: [login, '{{ token }}']}",
        "{command: x, cwd: '{{ token }}'}",
        "{command: x, targets: '{{ token }}'}",
        "{command: x, condition: params.token == 'a'}",
        "{command: x, condition: len(params) > 1}",
        "{values: {a: params.token}}",
        "{values: {a: '[params]'}}",
        "{conditions: [{if: params.token == '', goto: end}]}",
        "{conditions: [{default: true, goto: end, label: '{{ token }}'}]}",
        "{message: 'Use {{ token }}?'}",
        "{message: m, options: ['{{ token }}']}",
        "{until: params.token}",
        "{items: params.token, steps: [{command: x}]}",
        "{items: ['{{ token }}'], steps: [{command: x}]}",
        "{workflow: other, params: {a: '{{ token }}'}}",
        "{workflow: '{{ token }}'}",
        "{branches: [[{command: x, cwd: '{{ token }}'}]]}",
        // An item hides its own name only.
        "{items: [a], as: item, steps: [{argv: ['{{ token }}']}]}",
    ] {
        let found = codes("", &format!("  - {step}"));
        assert!(found.iter().any(|code| code == "E022"), "{step}: {found:?}");
        assert!(found.iter().all(|code| code == "E022" || code.starts_with('W')), "{step}: {found:?}");
    }
    assert_eq!(codes("targets: ['{{ token }}']", "  - {command: x}"), ["E022"]);
    assert_eq!(codes("env: {A: 'x{{ token }}'}", "  - {command: x}"), ["E022"]);
    assert_eq!(codes("on_failure: [{values: {a: params.token}}]", "  - {command: x}"), ["E022"]);
    // Without secrets all of it is as before.
    assert!(load("params: [token]\nsteps: [{command: 'x {{ token.trim() }} {{ keys(params) }}'}]").plan.is_some());
}

#[test]
fn a_finding_says_where_it_may_go() {
    let loaded = load("params: [{name: token, type: secret}]\nsteps:\n  - argv: [login, '{{ token }}']\n");
    let found = &loaded.diagnostics[0];
    assert_eq!((found.code.as_str(), found.line, found.path.as_str()), ("E022", 3, "steps[0].argv[1]"));
    assert_eq!(found.message, "`token`: the secret `token` stands where values are stored and shown");
    let help = &found.help;
    assert!(help.contains("{{ token }}") && help.contains("`env`") && help.contains("`stdin`"), "{help}");
}

const WORKFLOW: &str = r#"
params:
  - {name: token, type: secret}
  - {name: unused, type: secret, required: false}
  - mount
env: {ALL: "{{ token }}"}
steps:
  - id: first
    command: |
      login "{{ token }}" {{ params.token }} {{ mount }} {{ state.answer ?? "none" }}
    env: {OWN: "{{ token }}", PLAIN: "{{ mount }}"}
    stdin: "{{ params.token }}"
    retries: 1
    retry_delay: 0
  - {id: read, type: set, values: {answer: last.stdout, token: "'of the state'"}}
  - {id: second, command: "use {{ state.answer }} {{ state.token }}", env: {A: "{{ state.answer }}"}}
  - {id: third, command: "use {{ unused }}", condition: "params.mount == 'x'"}
"#;

struct Run {
    state: State,
    journal: Vec<Entry>,
    entropy: u64,
}

fn fleet() -> Fleet {
    let worker = FleetWorker {
        id: WorkerId(Uuid::from_u128(1)),
        name: "w".into(),
        labels: Default::default(),
        status: WorkerStatus::Online,
        draining: false,
        active: 0,
        capacity: 4,
    };
    Fleet { workers: vec![worker] }
}

impl Run {
    fn start(given: Value) -> Self {
        let mut run = Self { state: State::new(ExecutionId(Uuid::from_u128(9))), journal: Vec::new(), entropy: 7 };
        let plan = load(WORKFLOW).plan.unwrap();
        let params = resolve_params(&plan.workflow.params, given.as_object().unwrap()).unwrap();
        let (started_by, trigger) = ("ada".to_owned(), Trigger::Api);
        let (workflow, definition, targets, parent, queue) = (None, None, None, None, None);
        run.input(Input::Start(Box::new(Start {
            workflow,
            definition,
            params,
            targets,
            started_by,
            trigger,
            parent,
            queue,
        })));
        run
    }

    fn input(&mut self, input: Input) {
        let (plan, fleet) = (load(WORKFLOW).plan.unwrap(), fleet());
        self.entropy += 1;
        let cx = Context { now: Timestamp::from_millis(1_800_000_000_000), entropy: self.entropy, fleet: &fleet };
        self.journal.extend(advance(&plan, &mut self.state, input, &cx).unwrap().entries);
    }

    /// The commands that were sent, with what people are shown of each.
    fn sent(&self) -> Vec<(CommandSpec, String)> {
        let sent = |entry: &Entry| match &entry.event {
            Event::CommandSent { spec, command, .. } => Some((spec.clone(), command.clone())),
            _ => None,
        };
        self.journal.iter().filter_map(sent).collect()
    }

    fn end_last(&mut self, exit_code: i32, stdout: &str) {
        let sent = self.journal.iter().rev().find_map(|entry| match &entry.event {
            Event::CommandSent { command_id, .. } => Some(*command_id),
            _ => None,
        });
        let end = CommandEnd {
            exit_code: Some(exit_code),
            stdout: stdout.to_owned(),
            error: None,
            ..CommandEnd::without_process(Outcome::Exited, "")
        };
        self.input(Input::CommandFinished { command_id: sent.unwrap(), end: Box::new(end) });
    }
}

#[test]
fn values_are_in_no_event_and_no_state_and_their_places_are_known() {
    let mut run = Run::start(json!({"token": "canary-1", "mount": "/"}));
    let (spec, shown) = run.sent().remove(0);
    assert_eq!(shown.trim_end(), "login \"••••\" •••• / none");
    let uses: Vec<_> = spec.secrets.iter().map(|used| (used.env.as_deref(), used.param.as_str())).collect();
    let places = [Some("ALL"), Some("OWN"), Some("PULSE_V1"), Some("PULSE_V2"), None];
    assert_eq!(uses, places.map(|place| (place, "token")));
    for used in &spec.secrets {
        let value = match &used.env {
            Some(name) => &spec.env.iter().find(|(known, _)| known == name).unwrap().1,
            None => spec.stdin.as_ref().unwrap(),
        };
        assert_eq!(value, MASK);
    }
    // A retry is the same command; what the worker gets is complete.
    run.end_last(1, "");
    assert_eq!(run.sent()[1], run.sent()[0]);
    let values = [("token".to_owned(), "canary-1".to_owned())].into();
    let (ready, mask) = spec.with_secrets(&values).unwrap();
    assert_eq!((ready.stdin.as_deref(), mask), (Some("canary-1"), vec!["canary-1".to_owned()]));
    let of = |name: &str| ready.env.iter().find(|(known, _)| known == name).unwrap().1.clone();
    assert_eq!(["ALL", "OWN", "PULSE_V1", "PULSE_V2"].map(of), ["canary-1"; 4]);
    assert_eq!((of("PLAIN"), ready.secrets.len()), ("/".to_owned(), 0));
    assert_eq!(spec.with_secrets(&Default::default()), Err("token".to_owned()));

    let everything = format!("{}{:?}", serde_json::to_string(&run.journal).unwrap(), run.state);
    assert!(!everything.contains("canary") && !everything.contains("\\u{1}") && !everything.contains("\\u0001"));
    assert_eq!(run.state.origin.as_ref().unwrap().params["token"], MASK);
}

#[test]
fn no_output_can_be_taken_for_a_secret() {
    let marker = "(\u{1}0123456789abcdef0123456789abcdef\u{1}";
    for forged in [MASK, marker] {
        let mut run = Run::start(json!({"token": "canary-2", "mount": "x"}));
        run.end_last(0, forged);
        let (spec, _) = run.sent().remove(1);
        let of = |name: &str| &spec.env.iter().find(|(known, _)| known == name).unwrap().1;
        assert_eq!([of("A"), of("PULSE_V1")], [forged; 2]);
        let uses: Vec<_> = spec.secrets.iter().map(|used| used.env.as_deref()).collect();
        assert_eq!(uses, [Some("ALL")], "only the document's own mention");
        run.end_last(0, "");
        // An optional one that was not given is the empty text, and no secret.
        let (spec, shown) = run.sent().remove(2);
        let of = |name: &str| spec.env.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str());
        assert_eq!((of("PULSE_V1"), shown.trim_end()), (Some(""), "use ''"));
        assert!(spec.secrets.iter().all(|used| used.param != "unused"), "{spec:?}");
    }
}

/// Nobody looks at a secret when a command is rendered, so what a shell could run in it is found at the start.
#[test]
fn secrets_for_scripts_that_calculate_with_what_they_read() {
    let plan = |steps: &str| {
        let loaded = load(&format!("params: [{{name: token, type: secret}}]\ntargets: w1\nsteps: [{steps}]"));
        loaded.plan.unwrap_or_else(|| panic!("{:?}", loaded.diagnostics))
    };
    for (steps, refuses) in [
        ("{id: a, shell: bash, command: 'n=$(curl -u \"me:{{ token }}\" u); (( n > 3 ))'}", true),
        ("{id: a, shell: bash, env: {T: '{{ params.token }}'}, command: 'n=$(curl u); (( n > 3 ))'}", true),
        ("{id: a, shell: bash, stdin: '{{ token }}', command: 'n=$(curl u); (( n > 3 ))'}", true),
        ("{id: a, shell: bash, command: 'n=$(curl -u {{ token }} u); n=${n//[!0-9]/}; (( n > 3 ))'}", false),
        ("{id: a, shell: bash, command: 'curl -u {{ token }} u'}, {shell: bash, command: 'n=$(x); (( n ))'}", false),
    ] {
        let plan = plan(steps);
        let given = |token: &str| serde_json::Map::from_iter([("token".to_owned(), token.into())]);
        assert!(plan.resolve_params(&given("p$w[d")).is_ok(), "{steps}");
        for token in ["a[$(reboot)]", "a[`reboot`]"] {
            match plan.resolve_params(&given(token)) {
                Ok(_) => assert!(!refuses, "{steps}"),
                Err(bad) => {
                    assert!(refuses, "{steps}: {bad:?}");
                    assert!(bad[0].message.contains("`token`") && bad[0].message.contains("step `a`"), "{bad:?}");
                    assert!(!bad[0].message.contains("reboot"), "{bad:?}");
                }
            }
        }
    }
}
