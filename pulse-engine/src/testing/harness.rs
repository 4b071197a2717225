//! From the text of a test file to its report.

use super::check::check;
use super::coverage::Coverage;
use super::read;
use super::report::{NotRun, Report, TestReport};
use super::run::run;
use super::suite::{Case, Definition, Suite};
use crate::{Plan, load};
use pulse_core::diagnostic::{Code, Diagnostic, Diagnostics, Position, did_you_mean, listed};
use pulse_core::workflow::{BadParam, MASK, Param, ParamType, Workflow, resolve_params, take_secrets};
use pulse_core::yaml::{self, Node};
use serde_json::{Map, Value};
use std::path::Path;

/// Gives the text of a file that a test file names, or says why it cannot.
pub type Files<'f> = &'f dyn Fn(&str) -> Result<String, String>;

/// Reads a test file and runs its tests.
///
/// # Errors
/// When the file, its workflow, or what they name has mistakes: all of them at once.
pub fn test(file: &str, source: &str, files: Files<'_>) -> Result<Report, NotRun> {
    let not_run = |about: &str, diagnostics| NotRun {
        file: file.to_owned(),
        about: about.to_owned(),
        message: None,
        diagnostics,
    };
    let (suite, root) = read_suite(source).map_err(|diagnostics| not_run(file, diagnostics))?;
    let (about, text) = match &suite.definition {
        Definition::Inline(text) => (file.to_owned(), text.clone()),
        Definition::File { path, at } => match files(path) {
            Ok(text) => (path.clone(), text),
            Err(reason) => {
                let mut diagnostics = Diagnostics::default();
                let help = "name the workflow's file as it is found from the test file's own directory";
                diagnostics.add(Code::UnknownReference, "workflow", *at, format!("`{path}`: {reason}"), help);
                return Err(not_run(file, diagnostics.into_sorted()));
            }
        },
    };
    let loaded = load(&text);
    let Some(plan) = loaded.plan else {
        let errors = loaded.diagnostics.into_iter().filter(|finding| finding.code.starts_with('E')).collect();
        return Err(NotRun { message: Some(format!("{about} has mistakes")), ..not_run(&about, errors) });
    };
    let findings = suite.findings(&root, &plan.workflow);
    if !findings.is_empty() {
        return Err(not_run(file, findings));
    }
    Ok(suite.run(file, &about, &plan))
}

fn read_suite(source: &str) -> Result<(Suite, Node), Vec<Diagnostic>> {
    let mut diagnostics = Diagnostics::default();
    let root = yaml::read(source, &mut diagnostics);
    let suite = root.as_ref().and_then(|root| read::suite(root, &mut diagnostics));
    match (suite, root) {
        (Some(suite), Some(root)) if !diagnostics.has_errors() => Ok((suite, root)),
        _ => Err(diagnostics.into_sorted()),
    }
}

impl Suite {
    /// Reads a test file, without looking at its workflow.
    ///
    /// # Errors
    /// All mistakes of the file, in document order.
    pub fn read(source: &str) -> Result<Self, Vec<Diagnostic>> {
        read_suite(source).map(|(suite, _)| suite)
    }

    /// Runs the tests on a workflow. `file` and `workflow` are what the report calls them.
    pub fn run(&self, file: &str, workflow: &str, plan: &Plan) -> Report {
        let mut coverage = Coverage::of(&plan.workflow);
        let title = self.title(plan);
        let tests = self.cases.iter().map(|case| self.run_case(case, plan, title, &mut coverage)).collect();
        Report { file: file.to_owned(), workflow: workflow.to_owned(), tests, coverage }
    }

    /// What `execution.workflow` gives: the workflow's name, or that of its file. One that stands in the test file and has
    /// no name is as a command that is stored nowhere.
    fn title<'a>(&'a self, plan: &'a Plan) -> Option<&'a str> {
        let stem = || match &self.definition {
            Definition::File { path, .. } => Path::new(path).file_stem().and_then(|stem| stem.to_str()),
            Definition::Inline(_) => None,
        };
        plan.workflow.name.as_deref().or_else(stem)
    }

    fn run_case(&self, case: &Case, plan: &Plan, title: Option<&str>, coverage: &mut Coverage) -> TestReport {
        let params = params(&plan.workflow.params, &case.params).unwrap_or_else(|_| case.params.clone());
        let ran = run(plan, title, &self.workers, case, params);
        let failures = check(case, &ran);
        coverage.observe(&ran.walked.path, &ran.journal);
        TestReport {
            name: case.name.clone(),
            passed: failures.is_empty(),
            failures,
            status: ran.state.status(),
            path: ran.walked.path,
            virtual_ms: u64::try_from(ran.ended.since(case.start).as_millis()).unwrap_or(u64::MAX),
            line: case.at.line,
        }
    }

    /// What the file names and the workflow does not have: steps, parameters, workers.
    fn findings(&self, root: &Node, workflow: &Workflow) -> Vec<Diagnostic> {
        let mut diagnostics = Diagnostics::default();
        let steps = super::coverage::all_steps(workflow);
        let known: Vec<&str> = steps.iter().map(|step| step.id.as_str()).collect();
        for (id, at) in read::mentions(root) {
            if !known.contains(&id.as_str()) {
                let help = did_you_mean(&id, known.iter().copied())
                    .unwrap_or_else(|| format!("write the id of one: {}", listed(known.iter().copied())));
                let message = format!("the workflow has no step `{id}`");
                diagnostics.add(Code::UnknownReference, "tests", at, message, help);
            }
        }
        for case in &self.cases {
            if let Err(bad) = params(&workflow.params, &case.params) {
                for param in bad {
                    let message = format!("test `{}`: {}", case.name, param.message);
                    let help = "write under `params` what the workflow could be started with";
                    diagnostics.add(Code::UnknownReference, "tests", case.params_at, message, help);
                }
            }
            for given in &case.given {
                let step = steps.iter().find(|step| Some(&step.id) == given.step.as_ref());
                let kind = step.map_or("", |step| step.kind.type_name());
                if let Some(wanted) = given.reaction.belongs_to().filter(|wanted| !kind.is_empty() && *wanted != kind) {
                    let (id, what) = (step.map_or("", |step| step.id.as_str()), given.reaction.describe());
                    let message = format!("`{id}` is of type {kind}; \"{what}\" belongs to steps of type {wanted}");
                    let help = format!("name a step of type {wanted}, or say what becomes of `{id}`");
                    diagnostics.add(Code::Conflict, &given.path, given.at, message, help);
                }
                self.worker(given.worker.as_deref(), &given.path, given.at, &mut diagnostics);
            }
        }
        diagnostics.into_sorted()
    }

    fn worker(&self, name: Option<&str>, path: &str, at: Position, diagnostics: &mut Diagnostics) {
        let names = || self.workers.iter().map(|worker| &*worker.name);
        if let Some(name) = name.filter(|name| !names().any(|known| known == *name)) {
            let help = did_you_mean(name, names()).unwrap_or_else(|| "list it under `workers`".to_owned());
            diagnostics.add(Code::UnknownReference, path, at, format!("there is no worker `{name}`"), help);
        }
    }
}

/// All parameters of a test. Secrets need not be given, and never come further than this: executions do not have them.
fn params(declared: &[Param], given: &Map<String, Value>) -> Result<Map<String, Value>, Vec<BadParam>> {
    let (mut declared, mut given) = (declared.to_vec(), given.clone());
    for secret in declared.iter_mut().filter(|param| param.kind == ParamType::Secret) {
        // What a journal has in its place follows no pattern.
        secret.pattern = None;
        given.entry(secret.name.clone()).or_insert_with(|| Value::String(MASK.to_owned()));
    }
    let mut values = resolve_params(&declared, &given)?;
    take_secrets(&declared, &mut values);
    Ok(values)
}
