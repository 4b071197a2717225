//! Finds conditions that decide nothing: they are always the same, or can be neither true nor false.

mod given;
mod never;

use super::names::{Known, is_root};
use super::{Findings, Mention};
use crate::expr::{EvalErrorKind, Scope, Type};
use given::Given;
use pulse_core::diagnostic::Code;
use pulse_core::workflow::{Param, ParamType, Workflow};

/// Adds a finding for each condition, and each part of an expression that decides, which cannot be what it looks like.
pub(super) fn check(workflow: &Workflow, known: &Known<'_>, mentions: &[Mention], findings: &mut Findings<'_>) {
    let given = Given::of(workflow);
    for mention in mentions {
        let names = Names { given: &given, known, mention };
        let source = mention.expr.source();
        let undecided = mention.expr.undecided(mention.decides, &|root, path| names.type_of(root, path));
        if mention.walked
            && let Some(kind @ (Type::Bool | Type::Number | Type::Text)) =
                mention.expr.gives(&|root, path| names.type_of(root, path))
        {
            let message = format!("`items` must give a list or a map: `{}` is {}", mention.shown(), described(kind));
            let help = "write a list, or an expression that gives one, like state.lines or split(params.x, \",\")";
            findings.add(Code::WrongType, &mention.source, mention.offset, message, help);
        }
        let constant = mention.decides && undecided.is_empty() && mention.expr.is_constant();
        for (span, kind) in undecided {
            let part = source.get(span.clone()).unwrap_or(source);
            let message = format!("`{}` is {}, neither true nor false", short(part), described(kind));
            let offset = mention.offset + span.start;
            findings.add(Code::Undecided, &mention.source, offset, message, instead(part, kind));
        }
        if constant {
            let always = match mention.expr.eval_bool(&Scope::new()) {
                Ok(true) => "is always true".to_owned(),
                Ok(false) => "is always false".to_owned(),
                Err(error) if error.kind == EvalErrorKind::Limit => "is always the same".to_owned(),
                Err(error) => format!("always fails: {}", error.message),
            };
            let message = format!("the condition `{}` {always}", mention.shown());
            let help = "let it ask for something that can differ, like state.pct or params.mode, or leave it out";
            findings.add(Code::ConstantCondition, &mention.source, mention.offset, message, help);
        }
        for (span, always) in mention.expr.fixed() {
            let part = source.get(span.clone()).unwrap_or(source);
            let message = format!("`{}` is always {always}, whatever its names stand for", short(part));
            let help = "leave that part out, or let it ask for what is meant";
            findings.add(Code::ConstantCondition, &mention.source, mention.offset + span.start, message, help);
        }
        for comparison in mention.expr.comparisons() {
            let Some((why, help)) = names.never_equal(&comparison) else { continue };
            let part = source.get(comparison.span.clone()).unwrap_or(source);
            let always = if comparison.differs { "always true" } else { "never true" };
            let message = format!("`{}` is {always}: {why}", short(part));
            let offset = mention.offset + comparison.span.start;
            findings.add(Code::ConstantCondition, &mention.source, offset, message, help);
        }
    }
}

/// What names stand for where an expression stands.
struct Names<'a> {
    given: &'a Given<'a>,
    known: &'a Known<'a>,
    mention: &'a Mention,
}

impl<'a> Names<'a> {
    /// The parameter that a name surely means.
    fn param(&self, root: &str, path: &[String]) -> Option<&'a Param> {
        let named = |name: &str| self.given.param(name);
        match path {
            _ if self.mention.items.iter().any(|item| item == root) => None,
            [name] if root == "params" => named(name),
            // A bare name may mean a value of the state where the parameter has none.
            [] if self.mention.templated && !is_root(root) => {
                named(root).filter(|param| param.required || param.default.is_some())
            }
            _ => None,
        }
    }

    fn type_of(&self, root: &str, path: &[String]) -> Option<Type> {
        if self.mention.items.iter().any(|item| item == root) {
            return None;
        }
        if let Some(param) = self.param(root, path) {
            return match param.kind {
                ParamType::Boolean => Some(Type::Bool),
                ParamType::Integer | ParamType::Number => Some(Type::Number),
                ParamType::String | ParamType::Choice => Some(Type::Text),
                // That it may not stand here at all is a finding of its own.
                ParamType::Secret => None,
            };
        }
        // That there is no such step is a finding of its own.
        if root == "steps" && path.first().is_some_and(|step| !self.known.has_step(step)) {
            return None;
        }
        let path: Vec<&str> = path.iter().map(String::as_str).collect();
        Some(match (root, &path[..]) {
            ("params" | "state" | "steps" | "execution" | "last", []) => Type::Map,
            ("prompt_response", []) | ("state", ["prompt_response" | "promptResponse"]) => Type::Text,
            ("execution", ["id" | "workflow" | "started_by"]) => Type::Text,
            ("last", ["stdout" | "stderr" | "worker"]) => Type::Text,
            ("last", ["exit_code"]) | ("steps", [_, "run"]) => Type::Number,
            ("steps", [_] | [_, "state"]) => Type::Map,
            ("steps", [_, "status" | "error" | "response" | "answered_by" | "output_hash" | "execution_id"]) => {
                Type::Text
            }
            _ => return None,
        })
    }
}

fn described(kind: Type) -> &'static str {
    match kind {
        Type::Bool => "true or false",
        Type::Number => "a number",
        Type::Text => "a text",
        Type::List => "a list",
        Type::Map => "a map",
    }
}

/// What to write instead of a part that is neither true nor false.
fn instead(part: &str, kind: Type) -> String {
    let part = short(part);
    match kind {
        Type::Text if part.starts_with(['"', '\'']) => {
            format!("compare it: `x == {part}`; a value for what is missing is `x ?? {part}`")
        }
        Type::Number if part.starts_with(|c: char| c.is_ascii_digit() || c == '-') => {
            format!("compare something with it, as in `x > {part}`")
        }
        Type::Number | Type::Bool => format!("compare it, as in `{part} > 0`"),
        Type::Text => format!("compare it, as in `{part} == \"…\"`, or ask whether it is there: `!is_empty({part})`"),
        Type::List | Type::Map => format!("ask whether anything is in it: `!is_empty({part})`"),
    }
}

fn short(part: &str) -> String {
    pulse_core::text::shorten(&pulse_core::text::one_line(part), 60)
}
