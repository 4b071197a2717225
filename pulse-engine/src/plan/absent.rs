//! Finds parameters that may be left out and whose missing value would fail the step that writes them into a text.
//!
//! Only what is certain to be written without a look at it is found: the placeholder is the bare parameter, and no
//! condition that could keep the step from running mentions it. A route counts for the whole document, because which
//! steps it leads around depends on values.

use super::names::{Known, is_root};
use super::{Findings, Mention};
use crate::expr::{Expr, Reference};
use pulse_core::diagnostic::Code;
use pulse_core::workflow::{ParamType, Workflow};
use std::collections::HashSet;

/// Adds a finding for every placeholder that has no value when its parameter is not given.
pub(super) fn check(
    workflow: &Workflow,
    mentions: &[Mention],
    routes: &[Expr],
    known: &Known<'_>,
    findings: &mut Findings<'_>,
) {
    // A secret that is not given is the empty text.
    let optional = workflow
        .params
        .iter()
        .filter(|param| !param.required && param.default.is_none() && param.kind != ParamType::Secret);
    let optional: HashSet<&str> = optional.map(|param| param.name.as_str()).collect();
    if optional.is_empty() {
        return;
    }
    let routes = Asked::of(routes.iter());
    // Mentions of one step have the same conditions.
    let mut around: (Option<usize>, Asked<'_>) = (None, Asked::default());
    for mention in mentions.iter().filter(|mention| mention.must_be) {
        let Some(reference) = mention.expr.plain() else { continue };
        let Some(name) = parameter(reference, &mention.items).filter(|name| optional.contains(name)) else { continue };
        // A bare name means the value of the state where the parameter has none.
        let set = reference.path.is_empty() && known.may_set(name);
        if set || routes.about(name) {
            continue;
        }
        if around.0 != mention.step || mention.step.is_none() {
            around = (mention.step, Asked::of(mention.conditions.iter()));
        }
        if around.1.about(name) {
            continue;
        }
        let source = mention.expr.source().trim();
        let message = format!("`{{{{ {source} }}}}`: the parameter `{name}` may be left out, and has no default");
        let help = format!(
            "write {{{{ {source} ?? \"…\" }}}}, give the parameter a `default`, or give the step a `condition` that asks \
             for it"
        );
        findings.add(Code::MayBeMissing, &mention.source, mention.offset, message, help);
    }
}

/// The parameter that a reference stands for by itself.
fn parameter<'r>(Reference { root, path }: &'r Reference, items: &[String]) -> Option<&'r str> {
    match (root.as_str(), path.as_slice()) {
        // An item hides what has its name.
        (root, _) if items.iter().any(|item| item == root) => None,
        ("params", [name]) => Some(name),
        (root, _) if is_root(root) => None,
        (name, []) => Some(name),
        _ => None,
    }
}

/// The parameters that conditions may look at.
#[derive(Default)]
struct Asked<'e> {
    /// `params` as a whole looks at all of them.
    all: bool,
    names: HashSet<&'e str>,
}

impl<'e> Asked<'e> {
    fn of(conditions: impl Iterator<Item = &'e Expr>) -> Self {
        let mut asked = Self::default();
        for Reference { path, .. } in conditions.flat_map(Expr::references).filter(|other| other.root == "params") {
            match path.first() {
                Some(name) => _ = asked.names.insert(name),
                None => asked.all = true,
            }
        }
        asked
    }

    fn about(&self, name: &str) -> bool {
        self.all || self.names.contains(name)
    }
}
