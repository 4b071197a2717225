//! A workflow made ready to run: every expression and template compiled, every step findable by its id. Made once per
//! version of a definition and shared by all of its executions.

mod absent;
mod commands;
mod compile;
mod findings;
mod given;
mod names;
mod order;
mod secrets;
mod truth;

use crate::expr::Expr;
use crate::template::{ShellTemplate, Template};
use compile::Use;
use findings::{Findings, Mention, Place};
use indexmap::IndexMap;
use pulse_core::diagnostic::{Code, Diagnostic, Severity};
use pulse_core::event::StepRef;
use pulse_core::ids::{FrameId, StepId};
use pulse_core::workflow::{
    Execute, Foreach, Goto, Items, Parse, Program, Prompt, Route, Set, Source, Step, StepKind, Wait, WaitFor, Workflow,
    parse,
};
use std::collections::{HashMap, HashSet};
use std::sync::Arc;

/// A compiled workflow.
#[derive(Debug)]
pub struct Plan {
    /// The workflow it was made from.
    pub workflow: Workflow,
    steps: Vec<PlannedStep>,
    index: HashMap<StepId, usize>,
    /// The first step of each list; list 0 holds the main steps.
    lists: Vec<Option<StepId>>,
    on_failure: Option<u32>,
    finally: Option<u32>,
    pub(crate) env: IndexMap<String, Template>,
    pub(crate) targets: Option<Vec<Template>>,
}

/// A compiled step.
#[derive(Debug)]
pub(crate) struct PlannedStep {
    pub(crate) step: Step,
    /// Its number in the document, from 1.
    number: u32,
    /// The step behind it in its list.
    after: Option<StepId>,
    pub(crate) name: Arc<str>,
    pub(crate) condition: Option<Expr>,
    pub(crate) kind: PlannedKind,
}

/// What a compiled step does.
#[derive(Debug)]
pub(crate) enum PlannedKind {
    Execute(Box<PlannedExecute>),
    Parse(Parse),
    Route(Vec<PlannedCondition>),
    Prompt(Box<PlannedPrompt>),
    Wait(PlannedWait),
    Set(Vec<(String, Expr)>),
    /// The branches: name and list.
    Parallel {
        branches: Vec<(String, u32)>,
        fail_fast: bool,
    },
    Foreach(PlannedForeach),
    Child {
        workflow: Template,
        params: Vec<(String, Template)>,
    },
}

#[derive(Debug)]
pub(crate) struct PlannedForeach {
    pub(crate) items: PlannedItems,
    pub(crate) name: String,
    pub(crate) list: u32,
    pub(crate) parallel: u32,
    pub(crate) fail_fast: bool,
}

#[derive(Debug)]
pub(crate) enum PlannedItems {
    List(Vec<Template>),
    Expression(Expr),
}

#[derive(Debug)]
pub(crate) struct PlannedExecute {
    pub(crate) execute: Execute,
    pub(crate) program: PlannedProgram,
    pub(crate) targets: Option<Vec<Template>>,
    pub(crate) env: IndexMap<String, Template>,
    pub(crate) cwd: Option<Template>,
    pub(crate) stdin: Option<Template>,
}

#[derive(Debug)]
pub(crate) enum PlannedProgram {
    Script {
        shell: String,
        script: ShellTemplate,
    },
    Argv {
        argv: Vec<Template>,
        /// The argument that is a script for a shell, if it holds no value itself.
        script: Option<ArgvScript>,
        /// Arguments that a program takes for options if they begin with `-`, and that program: options of it can run commands.
        operands: Vec<(usize, &'static str)>,
    },
}

/// A script for a shell among arguments.
#[derive(Debug)]
pub(crate) struct ArgvScript {
    pub(crate) script: ShellTemplate,
    /// Where the script's own arguments begin.
    pub(crate) arguments: usize,
}

impl PlannedProgram {
    /// The script that is known, whoever runs it.
    pub(crate) fn script(&self) -> Option<&ShellTemplate> {
        match self {
            Self::Script { script, .. } => Some(script),
            Self::Argv { script, .. } => script.as_ref().map(|argument| &argument.script),
        }
    }
}

#[derive(Debug)]
pub(crate) struct PlannedCondition {
    pub(crate) goto: Goto,
    pub(crate) when: Option<Expr>,
    pub(crate) label: Option<Template>,
}

#[derive(Debug)]
pub(crate) struct PlannedPrompt {
    pub(crate) prompt: Prompt,
    pub(crate) message: Template,
    pub(crate) labels: Vec<Template>,
}

#[derive(Debug)]
pub(crate) enum PlannedWait {
    Duration(std::time::Duration),
    Until(Expr),
}

/// What reading a definition gave.
#[derive(Debug)]
pub struct Loaded {
    /// Ready to run; `None` when any finding is an error (but see [`load_stored`]).
    pub plan: Option<Plan>,
    /// The workflow as far as it could be read, for showing it.
    pub workflow: Option<Workflow>,
    /// Everything found, in document order.
    pub diagnostics: Vec<Diagnostic>,
}

/// Reads a definition and compiles it; reports all of its mistakes at once.
pub fn load(source: &str) -> Loaded {
    loaded(source, |_| false)
}

/// The same for a definition that was stored and so was without error then: what a later version calls an error, and what
/// leaves the plan as it is, does not keep it from running. An execution that waits goes on after an upgrade.
pub fn load_stored(source: &str) -> Loaded {
    const LATER: [Code; 6] = [
        Code::UnknownReference,
        Code::BadDefault,
        Code::DefaultNotLast,
        Code::EndlessCycle,
        Code::BadTarget,
        Code::ReservedName,
    ];
    loaded(source, |finding| LATER.iter().any(|code| code.as_str() == finding.code))
}

fn loaded(source: &str, is_forgiven: impl Fn(&Diagnostic) -> bool) -> Loaded {
    let parsed = parse(source);
    let Some(workflow) = parsed.workflow else {
        return Loaded { plan: None, workflow: None, diagnostics: parsed.diagnostics.into_sorted() };
    };
    let shown = workflow.clone();
    let known = names::Known::of(&shown, &parsed.unread);
    let mut compiler = Compiler::new(Findings::new(source, parsed.diagnostics), &known);
    let plan = compiler.plan(workflow);
    let Compiler { mut findings, mentions, routes, .. } = compiler;
    names::check(&known, &mentions, &mut findings);
    absent::check(&shown, &mentions, &routes, &known, &mut findings);
    secrets::check(&shown, &mentions, &mut findings);
    order::check(&shown, &known, &mentions, &mut findings);
    truth::check(&shown, &known, &mentions, &mut findings);
    let diagnostics = findings.diagnostics.into_sorted();
    let is_wrong = |finding: &Diagnostic| finding.severity == Severity::Error && !is_forgiven(finding);
    let plan = (!diagnostics.iter().any(is_wrong)).then_some(plan);
    Loaded { plan, workflow: Some(shown), diagnostics }
}

impl Plan {
    /// A step's compiled form.
    pub(crate) fn step(&self, id: &StepId) -> Option<&PlannedStep> {
        self.index.get(id).map(|index| &self.steps[*index])
    }

    /// The first step of a list; `None` when the list is empty.
    pub(crate) fn first(&self, list: u32) -> Option<&StepId> {
        self.lists.get(list as usize)?.as_ref()
    }

    /// The list that follows a failure, if there is one.
    pub(crate) fn on_failure(&self) -> Option<u32> {
        self.on_failure
    }

    /// The list that always comes last, if there is one.
    pub(crate) fn finally(&self) -> Option<u32> {
        self.finally
    }

    /// The step behind a step; `None` at the list's end.
    pub(crate) fn after(&self, id: &StepId) -> Option<&StepId> {
        self.step(id)?.after.as_ref()
    }

    /// How events name a step.
    pub(crate) fn reference(&self, frame: FrameId, id: &StepId) -> Option<StepRef> {
        let planned = self.step(id)?;
        Some(StepRef { frame, step: planned.number, step_id: id.clone(), step_name: planned.name.clone() })
    }
}

struct Compiler<'s> {
    findings: Findings<'s>,
    known: &'s names::Known<'s>,
    /// Every expression with its place, for checking the names it mentions.
    mentions: Vec<Mention>,
    steps: Vec<PlannedStep>,
    lists: Vec<Option<StepId>>,
    /// How many steps have been met, in document order.
    met: u32,
    /// The step that is compiled, by its place in the document, from 0.
    step: Option<usize>,
    /// The names of the items of the foreach steps around what is compiled.
    items: Vec<String>,
    /// The conditions of the step that is compiled and of the steps around it.
    conditions: Vec<Expr>,
    /// The conditions of all routes.
    routes: Vec<Expr>,
    /// The document's environment.
    env: IndexMap<String, Source>,
    /// Entries of environments that a script evaluates, by their paths.
    evaluated: HashSet<String>,
    /// Those that a shell runs, which have been looked at.
    run: HashSet<String>,
}

impl Compiler<'_> {
    fn plan(&mut self, workflow: Workflow) -> Plan {
        let env = self.map(&workflow.env);
        self.env.clone_from(&workflow.env);
        let targets = workflow.targets.as_ref().map(|targets| self.targets(targets));
        self.steps_of(&workflow.steps);
        let mut more = |steps: &[Step]| (!steps.is_empty()).then(|| self.steps_of(steps));
        let (on_failure, finally) = (more(&workflow.on_failure), more(&workflow.finally));
        self.mark_evaluated();
        let steps = std::mem::take(&mut self.steps);
        let index = steps.iter().enumerate().map(|(index, planned)| (planned.step.id.clone(), index)).collect();
        Plan { workflow, steps, index, lists: std::mem::take(&mut self.lists), on_failure, finally, env, targets }
    }

    /// Compiles a list of steps and answers its number.
    fn steps_of(&mut self, steps: &[Step]) -> u32 {
        let list = u32::try_from(self.lists.len()).unwrap_or(u32::MAX);
        self.lists.push(steps.first().map(|step| step.id.clone()));
        for (position, step) in steps.iter().enumerate() {
            self.met += 1;
            let number = self.met;
            let around = self.step.replace(number as usize - 1);
            let condition = step.condition.as_ref().and_then(|source| self.condition(source));
            let outer = self.conditions.len();
            self.conditions.extend(condition.clone());
            let kind = self.kind(&step.kind);
            self.conditions.truncate(outer);
            self.step = around;
            if let Some(kind) = kind {
                let after = steps.get(position + 1).map(|next| next.id.clone());
                let name = step.name.as_str().into();
                self.steps.push(PlannedStep { step: step.clone(), number, after, name, condition, kind });
            }
        }
        list
    }

    fn kind(&mut self, kind: &StepKind) -> Option<PlannedKind> {
        Some(match kind {
            StepKind::Execute(execute) => PlannedKind::Execute(Box::new(self.execute(execute)?)),
            StepKind::Parse(parse) => PlannedKind::Parse(parse.clone()),
            StepKind::Route(route) => PlannedKind::Route(self.route(route)),
            StepKind::Prompt(prompt) => PlannedKind::Prompt(Box::new(self.prompt(prompt)?)),
            StepKind::Wait(Wait { for_: WaitFor::Duration(duration) }) => {
                PlannedKind::Wait(PlannedWait::Duration(*duration))
            }
            StepKind::Wait(Wait { for_: WaitFor::Until(source) }) => {
                PlannedKind::Wait(PlannedWait::Until(self.expression(source)?))
            }
            StepKind::Set(Set { values }) => {
                let mut compiled = Vec::with_capacity(values.len());
                for (name, source) in values {
                    compiled.extend(self.expression(source).map(|expr| (name.clone(), expr)));
                }
                PlannedKind::Set(compiled)
            }
            StepKind::Parallel(parallel) => {
                let mut branches = Vec::with_capacity(parallel.branches.len());
                for branch in &parallel.branches {
                    branches.push((branch.name.clone(), self.steps_of(&branch.steps)));
                }
                PlannedKind::Parallel { branches, fail_fast: parallel.fail_fast }
            }
            StepKind::Foreach(foreach) => PlannedKind::Foreach(self.foreach(foreach)?),
            StepKind::Workflow(child) => {
                let workflow = self.template(&child.workflow);
                let mut params = Vec::with_capacity(child.params.len());
                for (name, source) in &child.params {
                    params.extend(self.value(source).map(|template| (name.clone(), template)));
                }
                PlannedKind::Child { workflow: workflow?, params }
            }
        })
    }

    fn foreach(&mut self, foreach: &Foreach) -> Option<PlannedForeach> {
        let items = match &foreach.items {
            Items::List(sources) => Some(PlannedItems::List(self.list(sources))),
            Items::Expression(source) => self.items_of(source).map(PlannedItems::Expression),
        };
        self.items.push(foreach.name.clone());
        let list = self.steps_of(&foreach.steps);
        self.items.pop();
        let Foreach { name, parallel, fail_fast, .. } = foreach;
        Some(PlannedForeach { items: items?, name: name.clone(), list, parallel: *parallel, fail_fast: *fail_fast })
    }

    fn execute(&mut self, execute: &Execute) -> Option<PlannedExecute> {
        let program = match &execute.program {
            Program::Script { shell, script } => {
                let script = self.script(shell, script, execute.stdin.as_ref());
                script.map(|script| PlannedProgram::Script { shell: shell.clone(), script })
            }
            Program::Argv(argv) => Some(self.argv(argv, execute.stdin.as_ref())),
        };
        let env = self.map(&execute.env);
        if let Some(script) = program.as_ref().and_then(PlannedProgram::script) {
            self.variables(script, &execute.env);
        }
        let targets = execute.targets.as_ref().map(|targets| self.targets(targets));
        let cwd = execute.cwd.as_ref().and_then(|source| self.template(source));
        let stdin = execute.stdin.as_ref().and_then(|source| self.template_of(source, Use::Unseen));
        Some(PlannedExecute { program: program?, targets, env, cwd, stdin, execute: execute.clone() })
    }

    fn route(&mut self, route: &Route) -> Vec<PlannedCondition> {
        let mut conditions = Vec::with_capacity(route.conditions.len());
        for condition in &route.conditions {
            let when = condition.when.as_ref().and_then(|source| self.condition(source));
            self.routes.extend(when.clone());
            let label = condition.label.as_ref().and_then(|source| self.template(source));
            conditions.push(PlannedCondition { goto: condition.goto.clone(), when, label });
        }
        conditions
    }

    fn prompt(&mut self, prompt: &Prompt) -> Option<PlannedPrompt> {
        let message = self.template(&prompt.message);
        let mut labels = Vec::with_capacity(prompt.options.len());
        for option in &prompt.options {
            labels.extend(self.template(&option.label));
        }
        Some(PlannedPrompt { message: message?, labels, prompt: prompt.clone() })
    }
}
