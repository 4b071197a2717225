//! Lists of steps, and the steps that hold lists: `parallel`, `foreach`; and `workflow`.

use super::decode::{check_reserved, check_shown, is_name};
use super::decode_step::step;
use super::model::{Defaults, Source};
use super::steps::{Branch, Child, Foreach, Items, Parallel, Step};
use crate::diagnostic::{Code, Diagnostics};
use crate::yaml::{Fields, Node, NodeKind};
use std::collections::HashSet;

/// Reads lists of steps; counts them in document order, for the default ids.
pub(super) struct StepReader<'d> {
    pub defaults: &'d Defaults,
    pub count: usize,
    /// The ids of steps with mistakes that keep them from being read: they are there all the same.
    pub unread: HashSet<String>,
    /// The paths of steps that have no id of their own.
    pub unnamed: HashSet<String>,
}

impl<'d> StepReader<'d> {
    pub(super) fn new(defaults: &'d Defaults) -> Self {
        Self { defaults, count: 0, unread: HashSet::new(), unnamed: HashSet::new() }
    }

    /// A field that is a list of steps.
    pub(super) fn list(&mut self, name: &'static str, required: bool, fields: &mut Fields<'_, '_>) -> Vec<Step> {
        let path = fields.path_of(name);
        let node = fields.get(name);
        match node.map(|node| &node.kind) {
            Some(NodeKind::List(items)) if !(required && items.is_empty()) => {
                let mut steps = Vec::with_capacity(items.len());
                for (index, item) in items.iter().enumerate() {
                    self.count += 1;
                    steps.extend(step(item, &format!("{path}[{index}]"), self, fields.diagnostics));
                }
                steps
            }
            None if !required => Vec::new(),
            _ => {
                let at = node.map_or(fields.at, |node| node.at);
                let least = if required { " with at least one step" } else { "" };
                let code = if node.is_none() || required { Code::MissingField } else { Code::WrongType };
                let help = "write `- command: …` for each step, on lines of its own";
                fields.add(code, name, at, format!("`{name}` must be a list of steps{least}"), help);
                Vec::new()
            }
        }
    }

    /// The fields of a `parallel` step.
    pub(super) fn parallel(&mut self, fields: &mut Fields<'_, '_>) -> Option<Parallel> {
        let fail_fast = fields.boolean("fail_fast").unwrap_or(true);
        let base = fields.path_of("branches");
        let Some(items) = fields.list("branches").filter(|items| !items.is_empty()) else {
            let at = fields.at;
            let help = "add them: a list, with the `steps` of each branch";
            fields.add(Code::MissingField, "branches", at, "a parallel step needs `branches`", help);
            return None;
        };
        let mut branches = Vec::with_capacity(items.len());
        for (index, item) in items.into_iter().enumerate() {
            let path = format!("{base}[{index}]");
            branches.extend(self.branch(item, index, &path, fields.diagnostics));
        }
        Some(Parallel { branches, fail_fast })
    }

    /// A branch: a mapping with `steps`, or just the list.
    fn branch(&mut self, item: &Node, index: usize, path: &str, diagnostics: &mut Diagnostics) -> Option<Branch> {
        let default_name = format!("branch {}", index + 1);
        if let NodeKind::List(items) = &item.kind {
            let mut steps = Vec::with_capacity(items.len());
            for (index, item) in items.iter().enumerate() {
                self.count += 1;
                steps.extend(step(item, &format!("{path}[{index}]"), self, diagnostics));
            }
            return Some(Branch { name: default_name, steps });
        }
        let mut fields = Fields::open(item, path, "a branch", diagnostics)?;
        let name = fields.text("name").unwrap_or(default_name);
        check_shown("a branch", &name, &mut fields);
        let steps = self.list("steps", true, &mut fields);
        fields.finish();
        Some(Branch { name, steps })
    }

    /// The fields of a `foreach` step.
    pub(super) fn foreach(&mut self, fields: &mut Fields<'_, '_>) -> Option<Foreach> {
        let node = fields.get("items");
        let items = match node.map(|node| &node.kind) {
            Some(NodeKind::List(_)) => fields.sources("items").map(Items::List),
            Some(_) => fields.expression("items").map(Items::Expression),
            None => {
                let at = fields.at;
                let help = "add a list, or an expression that gives one, like `items: state.lines`";
                fields.add(Code::MissingField, "items", at, "a foreach step needs `items`", help);
                None
            }
        };
        let name = fields.text("as").unwrap_or_else(|| "item".to_owned());
        let (path, at) = fields.place("as");
        if !is_name(&name) {
            let help = "write letters, digits and _, not starting with a digit, like `host`";
            fields.add(Code::BadName, "as", at, format!("`{name}` is no name for an item"), help);
        }
        check_reserved(&name, "the item", &path, at, fields.diagnostics);
        let parallel = fields.integer("parallel", 1..=1_000).map_or(1, |n| n as u32);
        let fail_fast = fields.boolean("fail_fast").unwrap_or(true);
        let steps = self.list("steps", true, fields);
        Some(Foreach { items: items?, name, parallel, fail_fast, steps })
    }
}

/// The fields of a `workflow` step.
pub(super) fn child(fields: &mut Fields<'_, '_>) -> Option<Child> {
    let workflow: Option<Source> = fields.required_source("workflow", "a workflow step", "disk-cleanup");
    let params = fields.source_map("params").unwrap_or_default();
    Some(Child { workflow: workflow?, params })
}
