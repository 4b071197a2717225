//! Secrets while a command is rendered. The engine never has their values: in their place it renders markers, finds them
//! again and notes where they stood. A marker is random and new for every command, so nothing that came out of a command,
//! a person or a parameter can be taken for one.

use crate::input::Draw;
use crate::plan::Plan;
use crate::state::State;
use pulse_core::command::{CommandSpec, SecretUse};
use pulse_core::workflow::{MASK, ParamType};
use serde_json::{Value, json};
use std::sync::Arc;

/// The markers of one command.
pub(super) struct Markers {
    /// Each with its parameter.
    markers: Vec<(String, String)>,
    /// The execution's parameters, with markers for secrets.
    params: Arc<Value>,
    /// The same as people may see them: with what stands in the place of secrets.
    shown: Arc<Value>,
}

impl Markers {
    /// A marker for each secret that the execution was given.
    pub(super) fn new(plan: &Plan, state: &State, draw: &mut Draw) -> Self {
        let params = state.origin.as_ref().map_or_else(|| Arc::new(json!({})), |origin| origin.params.clone());
        let secrets = plan.workflow.params.iter().filter(|param| param.kind == ParamType::Secret);
        let mut marked = Self { markers: Vec::new(), params: params.clone(), shown: params };
        for param in secrets {
            if marked.shown.get(&param.name).is_none_or(Value::is_null) {
                // An optional one that was not given. It can have no default, and no condition may look at it: were it an
                // error, nothing could ever use it.
                for params in [&mut marked.params, &mut marked.shown] {
                    if let Value::Object(params) = Arc::make_mut(params) {
                        params.insert(param.name.clone(), Value::String(String::new()));
                    }
                }
                continue;
            }
            // Begins with what no place takes where a shell would evaluate a value: validation refuses secrets there, too.
            let marker = format!("(\u{1}{:016x}{:016x}\u{1}", draw.bits(), draw.bits());
            if let Some(slot) = Arc::make_mut(&mut marked.params).get_mut(&param.name) {
                *slot = Value::String(marker.clone());
            }
            marked.markers.push((marker, param.name.clone()));
        }
        marked
    }

    pub(super) fn is_empty(&self) -> bool {
        self.markers.is_empty()
    }

    pub(super) fn params(&self) -> &Arc<Value> {
        &self.params
    }

    pub(super) fn shown(&self) -> &Arc<Value> {
        &self.shown
    }

    /// Takes the markers out of a command and notes where their values belong.
    ///
    /// # Errors
    /// The secret that stands somewhere else than as a whole value. Validation lets no definition come so far.
    pub(super) fn take(&self, spec: &mut CommandSpec) -> Result<(), String> {
        if self.is_empty() {
            return Ok(());
        }
        let param = |text: &str| self.markers.iter().find(|(marker, _)| marker == text).map(|(_, param)| param.clone());
        for (name, value) in &mut spec.env {
            if let Some(param) = param(value) {
                MASK.clone_into(value);
                spec.secrets.push(SecretUse { env: Some(name.clone()), param });
            }
        }
        if let Some(stdin) = &mut spec.stdin
            && let Some(param) = param(stdin)
        {
            MASK.clone_into(stdin);
            spec.secrets.push(SecretUse { env: None, param });
        }
        let texts = spec.command.iter().chain(&spec.argv).chain(&spec.shell).chain(&spec.cwd).chain(&spec.stdin);
        let mut texts = texts.chain(spec.env.iter().flat_map(|(name, value)| [name, value]));
        match texts.find_map(|text| self.markers.iter().find(|(marker, _)| text.contains(marker.as_str()))) {
            Some((_, param)) => Err(format!("the secret `{param}` can only be used as a whole value")),
            None => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn spec() -> CommandSpec {
        CommandSpec {
            command: Some("true".into()),
            argv: Vec::new(),
            shell: None,
            env: vec![("A".into(), "a".into()), ("T".into(), "(\u{1}0\u{1}".into())],
            cwd: None,
            stdin: Some("(\u{1}0\u{1}".into()),
            timeout_ms: 1,
            secrets: Vec::new(),
        }
    }

    #[test]
    fn no_marker_comes_twice() {
        let plan = crate::load("params: [{name: a, type: secret}, {name: b, type: secret}]\nsteps: [{command: x}]");
        let (plan, mut state) =
            (plan.plan.expect("it is one"), State::new(pulse_core::ids::ExecutionId(uuid::Uuid::nil())));
        let created = serde_json::json!({
            "seq": 1, "timestamp": "2027-01-15T08:00:00.000Z", "action": "execution_created", "format": 1,
            "params": {"a": MASK, "b": MASK}, "started_by": "ada", "trigger": "api",
        });
        crate::apply(&mut state, &serde_json::from_value(created).unwrap()).unwrap();
        let fleet = crate::fleet::Fleet { workers: Vec::new() };
        let now = pulse_core::time::Timestamp::from_millis(0);
        let mut seen = std::collections::HashSet::new();
        for entropy in [1, 2] {
            let mut draw = Draw::new(&crate::Context { now, entropy, fleet: &fleet });
            for _command in 0..2 {
                let markers = Markers::new(&plan, &state, &mut draw).markers;
                assert_eq!(markers.len(), 2);
                assert!(markers.into_iter().all(|(marker, _)| marker.len() > 32 && seen.insert(marker)));
            }
        }
    }

    #[test]
    fn whole_values_are_noted_and_anything_else_is_refused() {
        let markers = Markers {
            markers: vec![("(\u{1}0\u{1}".into(), "token".into())],
            params: Arc::default(),
            shown: Arc::default(),
        };
        let mut taken = spec();
        markers.take(&mut taken).unwrap();
        assert_eq!((taken.env[1].1.as_str(), taken.stdin.as_deref()), (MASK, Some(MASK)));
        let uses: Vec<_> = taken.secrets.iter().map(|used| (used.env.as_deref(), used.param.as_str())).collect();
        assert_eq!(uses, [(Some("T"), "token"), (None, "token")]);
        let left = |change: fn(&mut CommandSpec)| {
            let mut spec = spec();
            change(&mut spec);
            markers.take(&mut spec).unwrap_err()
        };
        left(|spec| spec.command = Some("echo (\u{1}0\u{1}".into()));
        left(|spec| spec.argv.push("x(\u{1}0\u{1}".into()));
        left(|spec| spec.cwd = Some("(\u{1}0\u{1}".into()));
        left(|spec| spec.stdin = Some("a(\u{1}0\u{1}".into()));
        left(|spec| spec.env[0].1.push_str("(\u{1}0\u{1}"));
        left(|spec| spec.env[0].0.push_str("(\u{1}0\u{1}"));
    }
}
