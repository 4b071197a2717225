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
use std::collections::{BTreeMap, BTreeSet, HashMap};
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
    /// What was looked for, by name in lower case: names are unique ignoring case.
    known: BTreeMap<String, Result<Definition, Missing>>,
    /// The files of the directory, once any was looked for.
    files: Option<Files>,
}

/// A definition with its name as it is written there.
type Definition = (String, Arc<Plan>);

/// Why there is no definition of a name.
#[derive(Clone, Debug)]
enum Missing {
    /// The file that has it has mistakes, in words.
    Mistakes(String),
    Nowhere,
}

/// The files that may hold a definition, in order.
#[derive(Debug)]
struct Files {
    paths: Vec<PathBuf>,
    /// By how a file is called, without its ending, in lower case.
    stems: HashMap<String, Vec<usize>>,
    /// The names of the definitions in the files, once one was looked for that no file is called like.
    names: Option<Names>,
}

#[derive(Debug, Default)]
struct Names {
    /// The first file that has a name, by the name in lower case.
    index: HashMap<String, usize>,
    /// The names as they are written, of files that hold a definition.
    written: Vec<String>,
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
        let known = BTreeMap::from([(name.to_lowercase(), Ok((name.clone(), plan.clone())))]);
        Ok((Self { known, ..Self::beside(file) }, name, plan))
    }

    /// The definitions in the directory of a file.
    pub fn beside(file: &Path) -> Self {
        let directory = match file.parent() {
            Some(directory) if !directory.as_os_str().is_empty() => directory.to_owned(),
            _ => PathBuf::from("."),
        };
        Self { directory, known: BTreeMap::new(), files: None }
    }

    /// The workflow of a name, with its name as it is written there.
    ///
    /// # Errors
    /// In words: there is none, or it has mistakes.
    pub fn find(&mut self, name: &str) -> Result<Definition, String> {
        self.known(name).clone().map_err(|missing| match missing {
            Missing::Mistakes(reason) => reason,
            Missing::Nowhere => {
                let names = self.files.iter().flat_map(|files| &files.names).flat_map(|names| &names.written);
                let guess = did_you_mean(name, names.map(String::as_str)).map(|guess| format!("; {guess}"));
                let directory = self.directory.display();
                format!("no file in {directory} has the workflow `{name}`{}", guess.unwrap_or_default())
            }
        })
    }

    /// The workflow of a name, if there is one without mistakes.
    pub fn get(&mut self, name: &str) -> Option<&Definition> {
        self.known(name).as_ref().ok()
    }

    /// Each name is looked for once.
    fn known(&mut self, name: &str) -> &Result<Definition, Missing> {
        let key = name.to_lowercase();
        if !self.known.contains_key(&key) {
            let found = self.look_for(&key);
            self.known.insert(key.clone(), found);
        }
        &self.known[&key]
    }

    fn look_for(&mut self, key: &str) -> Result<Definition, Missing> {
        let files = self.files.get_or_insert_with(|| Files::of(&self.directory));
        let called_like_it = files.stems.get(key).into_iter().flatten().copied();
        let is_it = |index: &usize| files.read(*index).is_some_and(|(called, _)| called.to_lowercase() == key);
        let first = called_like_it.take(MOST_FILES).find(is_it);
        let Some(index) = first.or_else(|| files.names().index.get(key).copied()) else {
            return Err(Missing::Nowhere);
        };
        let file = &files.paths[index];
        let Ok(source) = definition::read(file) else { return Err(Missing::Nowhere) };
        let loaded = pulse_engine::load(&source);
        let called = name_of(file, loaded.workflow.as_ref());
        let Some(plan) = loaded.plan else {
            let first = loaded.diagnostics.iter().find(|found| found.code.starts_with('E'));
            let first = first.map(|found| one_line(&found.to_string())).unwrap_or_default();
            return Err(Missing::Mistakes(format!("{} has mistakes: {first}", file.display())));
        };
        Ok((called, Arc::new(plan)))
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

impl Files {
    fn of(directory: &Path) -> Self {
        let is_definition = |path: &PathBuf| {
            let name = path.file_name().map(|name| name.to_string_lossy().to_lowercase()).unwrap_or_default();
            let known = [".yaml", ".yml", ".json"].iter().any(|ending| name.ends_with(ending));
            known && ![".test.yaml", ".test.yml"].iter().any(|ending| name.ends_with(ending))
        };
        let all = std::fs::read_dir(directory).into_iter().flatten().flatten().map(|entry| entry.path());
        let mut paths: Vec<PathBuf> = all.filter(|path| path.is_file() && is_definition(path)).collect();
        paths.sort();
        let mut stems: HashMap<String, Vec<usize>> = HashMap::new();
        for (index, path) in paths.iter().enumerate() {
            stems.entry(stem(path).to_lowercase()).or_default().push(index);
        }
        Self { paths, stems, names: None }
    }

    /// The name of what a file holds, and whether that is a definition.
    fn read(&self, index: usize) -> Option<(String, bool)> {
        let file = &self.paths[index];
        let source = definition::read(file).ok()?;
        let workflow = pulse_core::workflow::parse(&source).workflow;
        Some((name_of(file, workflow.as_ref()), workflow.is_some()))
    }

    /// The names in all files, each of which is read once for it.
    fn names(&mut self) -> &Names {
        let names = self.names.take().unwrap_or_else(|| {
            let mut names = Names::default();
            for index in 0..self.paths.len().min(MOST_FILES) {
                let Some((called, is_definition)) = self.read(index) else { continue };
                names.index.entry(called.to_lowercase()).or_insert(index);
                names.written.extend(is_definition.then_some(called));
            }
            names
        });
        self.names.insert(names)
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
