//! What is found of ways through a document, against walks from every step: those are plain to see, and slow.

use proptest::prelude::*;
use pulse_core::diagnostic::Diagnostic;
use pulse_core::workflow::{Flow, Goto, OnError, Step, StepKind, Workflow};
use pulse_engine::load;
use std::collections::BTreeSet;

/// A step: what it does, the steps its ways lead to, and what stands in it.
#[derive(Clone, Debug)]
struct Sketch {
    kind: u8,
    ways: [Option<u8>; 3],
    name: u8,
    inside: Vec<Vec<Sketch>>,
}

fn sketch() -> impl Strategy<Value = Sketch> {
    let way = || proptest::option::weighted(0.4, 0..5u8);
    let plain = (0..5u8, [way(), way(), way()], 0..3u8);
    let leaf = plain.prop_map(|(kind, ways, name)| Sketch { kind, ways, name, inside: Vec::new() });
    leaf.prop_recursive(2, 12, 3, |inner| {
        let lists = proptest::collection::vec(proptest::collection::vec(inner, 1..4), 1..3);
        (5..7u8, proptest::option::weighted(0.3, 0..5u8), lists).prop_map(|(kind, way, inside)| Sketch {
            kind,
            ways: [way, None, None],
            name: 0,
            inside,
        })
    })
}

/// The steps as they are written, in one line; `prefix` makes their ids.
fn written(steps: &[Sketch], prefix: &str) -> String {
    let one = |(index, step): (usize, &Sketch)| {
        let to = |way: u8| format!("{prefix}{}", usize::from(way) % steps.len());
        let [goto, error, other] = step.ways.map(|way| way.map(to));
        let id = format!("{prefix}{index}");
        let mut fields = format!("id: {id}");
        let name = step.name;
        let plain = step.kind != 0;
        fields += &goto.iter().filter(|_| plain).map(|to| format!(", goto: {to}")).collect::<String>();
        fields += &error.map(|to| format!(", on_error: {to}")).unwrap_or_default();
        fields += &match step.kind {
            0 => {
                let ways = goto.map(|to| format!("{{if: state.a == 1, goto: {to}}}, ")).unwrap_or_default();
                let last = other
                    .map_or("{if: state.b == 1, goto: end}".to_owned(), |to| format!("{{default: true, goto: {to}}}"));
                format!(", conditions: [{ways}{last}]")
            }
            1 => format!(", values: {{{}: '1'}}", ["a", "b", "c"][usize::from(name)]),
            2 => format!(", values: {{d: state.{}}}", ["a", "b", "c"][usize::from(name)]),
            3 => ", command: x".to_owned(),
            4 => ", values: {d: last.stdout}".to_owned(),
            5 => format!(", items: [1], steps: [{}]", written(&step.inside[0], &format!("{id}_"))),
            _ => {
                let branches = step.inside.iter().enumerate();
                let branches =
                    branches.map(|(number, steps)| format!("[{}]", written(steps, &format!("{id}_{number}_"))));
                format!(", branches: [{}]", branches.collect::<Vec<_>>().join(", "))
            }
        };
        format!("{{{fields}}}")
    };
    steps.iter().enumerate().map(one).collect::<Vec<_>>().join(", ")
}

/// Everything that a step of a list leads to in it by at least one way.
fn walk(flow: &Flow, start: usize, goes_on: impl Fn(usize) -> bool) -> BTreeSet<usize> {
    let (mut seen, mut open) = (BTreeSet::new(), vec![start]);
    while let Some(step) = open.pop() {
        open.extend(flow.next(step).iter().copied().filter(|next| goes_on(*next) && seen.insert(*next)));
    }
    seen
}

fn is_quiet(step: &Step) -> bool {
    matches!(step.kind, StepKind::Route(_) | StepKind::Set(_) | StepKind::Parse(_))
}

fn ends(step: &Step) -> bool {
    let ends = |goto: &Goto| matches!(goto, Goto::End | Goto::Fail);
    let route = match &step.kind {
        StepKind::Route(route) => route.conditions.iter().any(|condition| ends(&condition.goto)),
        _ => false,
    };
    route || step.goto.as_ref().is_some_and(ends)
}

/// The ids of steps of which a cycle should be told; and of all steps of lists that are known in full, because nothing but
/// routes and values is in them.
fn cycles(steps: &[Step], found: &mut BTreeSet<String>, full: &mut BTreeSet<String>) {
    let is_full = steps.iter().all(is_quiet);
    full.extend(steps.iter().filter(|_| is_full).map(|step| step.id.as_str().to_owned()));
    let flow = Flow::of(steps);
    let mut told = BTreeSet::new();
    for (start, step) in steps.iter().enumerate() {
        let is_route = |at: usize| matches!(steps[at].kind, StepKind::Route(_));
        let returns = match step.kind {
            StepKind::Route(_) => walk(&flow, start, is_route).contains(&start),
            StepKind::Set(_) => step.on_error == OnError::Step(step.id.clone()),
            _ => false,
        };
        let mut around = walk(&flow, start, |_| true);
        around.insert(start);
        let stays = around.iter().all(|at| is_quiet(&steps[*at]) && !ends(&steps[*at]) && !flow.leaves(*at));
        let endless = stays && !is_route(start) && !told.contains(&start);
        if endless {
            told.extend(around);
        }
        if returns || (endless && is_full) {
            found.insert(step.id.as_str().to_owned());
        }
        step.kind.lists().into_iter().for_each(|steps| cycles(steps, found, full));
    }
}

fn all_of<'w>(steps: &'w [Step], found: &mut Vec<&'w Step>) {
    for step in steps {
        found.push(step);
        step.kind.lists().into_iter().for_each(|steps| all_of(steps, found));
    }
}

/// The steps of a list that read too early, given what may have run before the list.
fn early<'w>(steps: &'w [Step], around: &[&'w Step], reached: bool, found: &mut BTreeSet<String>) {
    let flow = Flow::of(steps);
    for (at, step) in steps.iter().enumerate() {
        let mut before = around.to_vec();
        for from in (0..steps.len()).filter(|from| walk(&flow, *from, |_| true).contains(&at)) {
            all_of(&steps[from..=from], &mut before);
        }
        let reached = reached && (at == 0 || walk(&flow, 0, |_| true).contains(&at));
        let sets = |name: &str| {
            before.iter().any(|step| matches!(&step.kind, StepKind::Set(set) if set.values.contains_key(name)))
        };
        let runs = || before.iter().any(|step| matches!(step.kind, StepKind::Execute(_)));
        let missing = match &step.kind {
            StepKind::Set(set) if set.values.contains_key("d") => match set.values["d"].text.as_str() {
                "last.stdout" => !runs(),
                value => !sets(value.trim_start_matches("state.")),
            },
            StepKind::Route(route) => {
                let mut when = route.conditions.iter().filter_map(|condition| condition.when.as_ref());
                when.any(|when| !sets(when.text.trim_start_matches("state.").trim_end_matches(" == 1")))
            }
            _ => false,
        };
        if missing && reached {
            found.insert(step.id.as_str().to_owned());
        }
        let lists = step.kind.lists();
        for (number, list) in lists.iter().enumerate() {
            let mut around = before.clone();
            for (other, beside) in lists.iter().enumerate() {
                if other != number || matches!(step.kind, StepKind::Foreach(_)) {
                    all_of(beside, &mut around);
                }
            }
            early(list, &around, reached, found);
        }
    }
}

/// The ids of the steps that findings of a kind are about.
fn told(workflow: &Workflow, findings: &[Diagnostic], code: &str) -> BTreeSet<String> {
    let steps = workflow.all_steps();
    let of = |found: &Diagnostic| {
        let inner = steps.iter().filter(|(step, _)| {
            let path = &step.concerning.0;
            found.path.strip_prefix(path.as_str()).is_some_and(|rest| rest.is_empty() || rest.starts_with('.'))
        });
        inner.max_by_key(|(step, _)| step.concerning.0.len()).map(|(step, _)| step.id.as_str().to_owned())
    };
    findings.iter().filter(|found| found.code == code).filter_map(of).collect()
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn findings_of_ways_are_those_of_walks_from_every_step(
        main in proptest::collection::vec(sketch(), 1..6),
        failure in proptest::collection::vec(sketch(), 0..3),
    ) {
        let mut text = format!("steps: [{}]\n", written(&main, "s"));
        if !failure.is_empty() {
            text += &format!("on_failure: [{}]\n", written(&failure, "f"));
        }
        // Every value is set by something, at the very end.
        text += "finally: [{id: z, values: {a: '1', b: '1', c: '1'}}]\n";
        let loaded = load(&text);
        let workflow = loaded.workflow.as_ref().unwrap();
        let (mut rings, mut full) = (BTreeSet::new(), BTreeSet::new());
        let mut reads = BTreeSet::new();
        let (mut before, mut all) = (Vec::new(), Vec::new());
        for steps in [&workflow.steps, &workflow.on_failure, &workflow.finally] {
            cycles(steps, &mut rings, &mut full);
            early(steps, &before, true, &mut reads);
            all_of(steps, &mut all);
            before.clone_from(&all);
        }
        let findings = &loaded.diagnostics;
        let told_rings = told(workflow, findings, "E021");
        prop_assert!(rings.is_subset(&told_rings), "{}\n{:?}\n{:?}", text, findings, rings);
        let told_in_full: BTreeSet<String> = told_rings.intersection(&full).cloned().collect();
        let rings_in_full: BTreeSet<String> = rings.intersection(&full).cloned().collect();
        prop_assert_eq!(told_in_full, rings_in_full, "{}\n{:?}", text, findings);
        prop_assert_eq!(told(workflow, findings, "W012"), reads, "{}\n{:?}", text, findings);
    }
}
