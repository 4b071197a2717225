//! The definitions of a local run: the file's own, and those beside it that its `workflow` steps name.
//!
//! A child is found by its name among the `.yaml`, `.yml` and `.json` files of the file's own directory, tests left out:
//! first in a file called like it, then in any file whose `name` is that. A file without a `name` goes by its own.

use crate::definition;
use crate::error::Error;
use pulse_core::diagnostic::did_you_mean;
use pulse_core::text::one_line;
use pulse_core::workflow::{Child, ParamType, Source, StepKind, Workflow};
use pulse_engine::Plan;
use pulse_engine::fleet::{Fleet, TargetError};
use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// Files that are looked through for a child at most.
const MOST_FILES: usize = 500;

/// What keeps a definition from being run here, found before anything runs.
pub type Mistakes = Vec<String>;

/// Definitions by name.
#[derive(Debug)]
pub struct Library {
    directory: PathBuf,
    /// By name in lower case: names are unique ignoring case.
    known: BTreeMap<String, (String, Arc<Plan>)>,
}

impl Library {
    /// Reads a definition. Answers it with the library around it, and its name.
    ///
    /// # Errors
    /// When it cannot be read or has mistakes.
    pub fn open(file: &Path) -> Result<(Self, String, Arc<Plan>), Error> {
        let source = definition::read(file)
            .map_err(|error| Error::usage(error.to_string(), "with --local, name the file of a definition"))?;
        let loaded = pulse_engine::load(&source);
        let Some(plan) = loaded.plan else {
            return Err(Error::Definition { file: file.display().to_string(), diagnostics: loaded.diagnostics });
        };
        let (plan, name) = (Arc::new(plan), name_of(file, loaded.workflow.as_ref()));
        let known = BTreeMap::from([(name.to_lowercase(), (name.clone(), plan.clone()))]);
        Ok((Self { known, ..Self::beside(file) }, name, plan))
    }

    /// The definitions in the directory of a file.
    pub fn beside(file: &Path) -> Self {
        let directory = match file.parent() {
            Some(directory) if !directory.as_os_str().is_empty() => directory.to_owned(),
            _ => PathBuf::from("."),
        };
        Self { directory, known: BTreeMap::new() }
    }

    /// The workflow of a name, with its name as it is written there.
    ///
    /// # Errors
    /// In words: there is none, or it has mistakes.
    pub fn find(&mut self, name: &str) -> Result<(String, Arc<Plan>), String> {
        let key = name.to_lowercase();
        if let Some(found) = self.known.get(&key) {
            return Ok(found.clone());
        }
        let mut names = Vec::new();
        for file in self.files(&key) {
            let Ok(source) = definition::read(&file) else { continue };
            let workflow = pulse_core::workflow::parse(&source).workflow;
            let called = name_of(&file, workflow.as_ref());
            if called.to_lowercase() != key {
                names.extend(workflow.is_some().then_some(called));
                continue;
            }
            let loaded = pulse_engine::load(&source);
            let Some(plan) = loaded.plan else {
                let first = loaded.diagnostics.iter().find(|found| found.code.starts_with('E'));
                let first = first.map(|found| one_line(&found.to_string())).unwrap_or_default();
                return Err(format!("{} has mistakes: {first}", file.display()));
            };
            let found = (called, Arc::new(plan));
            self.known.insert(key, found.clone());
            return Ok(found);
        }
        let guess = did_you_mean(name, names.iter().map(String::as_str)).map(|guess| format!("; {guess}"));
        let directory = self.directory.display();
        Err(format!("no file in {directory} has the workflow `{name}`{}", guess.unwrap_or_default()))
    }

    /// The files that may hold a definition, the one called like it first.
    fn files(&self, key: &str) -> Vec<PathBuf> {
        let Ok(entries) = std::fs::read_dir(&self.directory) else { return Vec::new() };
        let is_definition = |path: &PathBuf| {
            let name = path.file_name().map(|name| name.to_string_lossy().to_lowercase()).unwrap_or_default();
            let known = [".yaml", ".yml", ".json"].iter().any(|ending| name.ends_with(ending));
            known && ![".test.yaml", ".test.yml"].iter().any(|ending| name.ends_with(ending))
        };
        let all = entries.flatten().map(|entry| entry.path());
        let mut files: Vec<PathBuf> = all.filter(|path| path.is_file() && is_definition(path)).collect();
        files.sort_by_key(|path| (stem(path).to_lowercase() != key, path.clone()));
        files.truncate(MOST_FILES);
        files
    }

    /// Everything that would keep the workflow or its children from running on the workers there are, as far as it is
    /// written down and no template. `replaced`: the document's own targets do not count.
    pub fn mistakes(&mut self, plan: &Arc<Plan>, fleet: &Fleet, replaced: bool) -> Mistakes {
        let mut mistakes = targets(&plan.workflow, fleet, replaced);
        let mut open = vec![plan.clone()];
        let mut seen = BTreeSet::new();
        while let Some(plan) = open.pop() {
            for (step, child) in plan.workflow.children() {
                let step = &step.id;
                match self.find(&child.workflow.text) {
                    Err(reason) => mistakes.push(format!("step `{step}`: {reason}")),
                    Ok((name, found)) => {
                        let called = format!("step `{step}`: `{name}`");
                        mistakes.extend(parameters(child, &found.workflow).map(|what| format!("{called} {what}")));
                        if seen.insert(name) {
                            let of_child = targets(&found.workflow, fleet, false);
                            mistakes.extend(of_child.into_iter().map(|what| format!("{called}: {what}")));
                            open.push(found);
                        }
                    }
                }
            }
        }
        mistakes
    }
}

/// A definition's own name, or that of its file.
fn name_of(file: &Path, workflow: Option<&Workflow>) -> String {
    workflow.and_then(|workflow| workflow.name.clone()).unwrap_or_else(|| stem(file))
}

fn stem(file: &Path) -> String {
    file.file_stem().map(|stem| stem.to_string_lossy().into_owned()).unwrap_or_else(|| "workflow".to_owned())
}

/// Parameters that a child does not have, needs and is not given, or cannot be given.
fn parameters<'c>(child: &'c Child, workflow: &'c Workflow) -> impl Iterator<Item = String> + 'c {
    let known = |name: &String| workflow.params.iter().any(|param| param.name == *name);
    let unknown = child.params.keys().filter(move |name| !known(name));
    let needed = workflow.params.iter().filter(|param| param.required && !child.params.contains_key(&param.name));
    let needed = needed.map(|param| match param.kind {
        ParamType::Secret => format!("needs the secret `{}`, and a step cannot give one", param.name),
        _ => format!("needs the parameter `{}`", param.name),
    });
    let secrets = child.secrets_given(&workflow.params);
    let secrets = secrets.map(|param| format!("has the secret `{}`, and a step cannot give one", param.name));
    unknown.map(|name| format!("has no parameter `{name}`")).chain(needed).chain(secrets)
}

/// Targets that mean no worker there is.
fn targets(workflow: &Workflow, fleet: &Fleet, replaced: bool) -> Mistakes {
    let steps = workflow.all_steps();
    let mut used: Vec<(String, &Source)> = Vec::new();
    let mut inherits = false;
    for (step, _) in &steps {
        if let StepKind::Execute(execute) = &step.kind {
            inherits |= execute.targets.is_none();
            let own = execute.targets.iter().flatten();
            used.extend(own.map(|source| (format!("step `{}`: ", step.id), source)));
        }
    }
    // Those of the document matter where a step has none.
    let document = workflow.targets.iter().flatten().filter(|_| inherits && !replaced);
    used.extend(document.map(|source| (String::new(), source)));
    let bad = |(place, source): (String, &Source)| match fleet.resolve(std::slice::from_ref(&source.text)) {
        Err(error @ TargetError::NoMatch { .. }) => Some(format!("{place}{error}")),
        _ => None,
    };
    used.into_iter().filter(|(_, source)| !source.text.contains("{{")).filter_map(bad).collect()
}
