//! Checks that secrets are named only where their values reach a command and nothing else: as a whole placeholder of a
//! script, as a whole `env` entry or as the whole of `stdin`.

use super::names::is_root;
use super::{Findings, Mention, Place};
use crate::expr::Reference;
use pulse_core::diagnostic::Code;
use pulse_core::workflow::{ParamType, Workflow};
use std::collections::HashSet;

/// Adds a finding for every other mention.
pub(super) fn check(workflow: &Workflow, mentions: &[Mention], findings: &mut Findings<'_>) {
    let secret = |param: &&pulse_core::workflow::Param| param.kind == ParamType::Secret;
    let secrets: HashSet<&str> = workflow.params.iter().filter(secret).map(|param| param.name.as_str()).collect();
    if secrets.is_empty() {
        return;
    }
    for mention in mentions {
        let named = mention
            .expr
            .references()
            .iter()
            .find_map(|reference| named(reference, &secrets, &mention.items).map(|named| (reference, named)));
        if let Some((reference, named)) = named
            && let Some(why) = wrong(mention, named)
        {
            let what = match named {
                Named::One(name) => format!("the secret `{name}` {why}"),
                Named::All => "`params` as a whole holds secrets: name the parameter that is meant".to_owned(),
            };
            let message = format!("`{}`: {what}", mention.shown());
            let example = match named {
                Named::One(name) => name,
                Named::All => "name",
            };
            let help = format!(
                "a secret is written {{{{ {example} }}}}, without a filter, in the `command` of a step, or as all of an \
                 `env` entry or of `stdin`"
            );
            findings.add(Code::SecretMisuse, &mention.source, mention.offset_of(reference), message, help);
        }
    }
}

#[derive(Clone, Copy)]
enum Named<'w> {
    One(&'w str),
    All,
}

/// The secret that a reference names.
fn named<'w>(
    Reference { root, path, .. }: &Reference,
    secrets: &HashSet<&'w str>,
    items: &[String],
) -> Option<Named<'w>> {
    let secret = |name: &str| secrets.get(name).map(|secret| Named::One(secret));
    match (root.as_str(), path.first()) {
        // An item hides what has its name.
        (root, _) if items.iter().any(|item| item == root) => None,
        ("params", Some(name)) => secret(name),
        ("params", None) => Some(Named::All),
        (root, _) if is_root(root) => None,
        (name, _) => secret(name),
    }
}

/// Why the mention may not be there, if so.
fn wrong(mention: &Mention, named: Named<'_>) -> Option<&'static str> {
    let Named::One(name) = named else { return Some("") };
    let source = mention.expr.source().trim();
    let plain = source == name || source.strip_prefix("params.") == Some(name);
    match mention.place {
        Place::Shown => Some("stands where values are stored and shown"),
        Place::Part => Some("is only a part of the text here"),
        Place::Filtered => Some("has a filter: what it gives could be seen"),
        Place::Evaluated => Some("stands where a shell may run its value, which is not looked at beforehand"),
        Place::Alone if !plain => Some("is computed with: the result could not be told from other text"),
        Place::Alone => None,
    }
}
