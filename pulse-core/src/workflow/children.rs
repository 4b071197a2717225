//! What a parent gives its child: anything but secrets. The values stand in the parent's journal.

use super::model::Workflow;
use super::params::{Param, ParamType, resolve_params};
use super::steps::{Child, Step, StepKind};
use crate::diagnostic::{Code, Diagnostics};
use serde_json::{Map, Value};

impl Workflow {
    /// The `workflow` steps whose workflow is named without a template.
    pub fn children(&self) -> Vec<(&Step, &Child)> {
        let mut children = Vec::new();
        for (step, _) in self.all_steps() {
            match &step.kind {
                StepKind::Workflow(child) if !child.workflow.text.contains("{{") => children.push((step, child)),
                _ => {}
            }
        }
        children
    }
}

impl Child {
    /// The parameters of a child that are secrets and are given a value here.
    pub fn secrets_given<'a>(&'a self, declared: &'a [Param]) -> impl Iterator<Item = &'a Param> {
        declared.iter().filter(|param| param.kind == ParamType::Secret && self.params.contains_key(&param.name))
    }

    /// Adds a finding for each of them. `name` is the child's, as it is written there.
    pub fn check_secrets(&self, name: &str, declared: &[Param], diagnostics: &mut Diagnostics) {
        for param in self.secrets_given(declared) {
            let Some(source) = self.params.get(&param.name) else { continue };
            let message = cannot_be_given(&param.name, Some(name));
            diagnostics.add(Code::SecretMisuse, &source.path, source.at, message, HELP);
        }
    }
}

const HELP: &str = "take it out; let the child read the value from where it is kept (a file, a service of secrets), and \
                    give it that place as a plain parameter";

fn cannot_be_given(param: &str, child: Option<&str>) -> String {
    let of = child.map(|child| format!(" of `{child}`")).unwrap_or_default();
    format!("the parameter `{param}`{of} is a secret, and a step cannot give one: the value would stand in its journal")
}

/// All parameters of a child execution, from what its parent's step gives.
///
/// # Errors
/// In words: what is missing, unknown, or breaks its rules; and every secret that is given or has to be.
pub fn resolve_child_params(declared: &[Param], given: &Map<String, Value>) -> Result<Map<String, Value>, String> {
    let secrets = || declared.iter().filter(|param| param.kind == ParamType::Secret);
    let mut wrong: Vec<String> = Vec::new();
    for param in secrets() {
        if given.contains_key(&param.name) {
            wrong.push(cannot_be_given(&param.name, None));
        } else if param.required {
            wrong.push(format!("the secret `{}` has to be given, and a step cannot give one", param.name));
        }
    }
    if !wrong.is_empty() {
        return Err(wrong.join("; "));
    }
    resolve_params(declared, given)
        .map_err(|bad| bad.iter().map(|bad| bad.message.as_str()).collect::<Vec<_>>().join("; "))
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn secrets_are_neither_given_nor_expected() {
        let params = |secret: &str| {
            let text = format!(
                "params: [{{name: n, type: integer}}, {{name: s, type: secret, {secret}}}]\nsteps: [command: x]"
            );
            super::super::parse(&text).workflow.unwrap().params
        };
        let resolve = |secret: &str, given: Value| resolve_child_params(&params(secret), given.as_object().unwrap());
        let optional = "required: false";
        assert_eq!(Value::Object(resolve(optional, json!({"n": "3"})).unwrap()), json!({"n": 3}));
        for given in [json!("canary"), json!(null)] {
            let error = resolve(optional, json!({"n": 3, "s": given})).unwrap_err();
            assert!(error.contains("`s` is a secret") && !error.contains("canary"), "{error}");
        }
        assert!(resolve("required: true", json!({"n": 3})).unwrap_err().contains("has to be given"));
        assert!(resolve(optional, json!({})).unwrap_err().contains("`n` is missing"));
    }
}
