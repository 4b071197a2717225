//! The one Rhai engine that all expressions share.
//!
//! It is made raw: no package, no module, no output. It knows the functions of [`super::functions`] and Rhai's own `&&`, `||`, `??` and
//! `if`, and nothing else, so there is nothing an expression could reach. Its limits are a second line behind those of the parser.

use super::error::Failure;
use super::value::Val;
use super::{MAX_ELEMENTS, MAX_OPERATIONS, MAX_TEXT, budget, functions};
use rhai::{Dynamic, Engine, EvalAltResult, OptimizationLevel, Scope};
use std::sync::OnceLock;

/// Our parser counts the depth of the tree; what is written from one level takes at most this many levels of Rhai.
const RHAI_LEVELS_PER_LEVEL: usize = 8;

/// The engine, made at first use.
pub(super) fn shared() -> &'static Engine {
    static ENGINE: OnceLock<Engine> = OnceLock::new();
    ENGINE.get_or_init(build)
}

fn build() -> Engine {
    let mut engine = Engine::new_raw();
    engine
        .set_optimization_level(OptimizationLevel::None)
        .set_max_expr_depths(super::MAX_DEPTH * RHAI_LEVELS_PER_LEVEL, 0)
        .set_max_operations(MAX_OPERATIONS)
        .set_max_string_size(MAX_TEXT)
        .set_max_array_size(MAX_ELEMENTS)
        .set_max_map_size(MAX_ELEMENTS)
        .set_max_call_levels(super::MAX_DEPTH)
        .set_max_variables(0)
        .set_max_functions(0)
        .set_max_modules(0)
        .set_strict_variables(false)
        .set_allow_looping(false)
        .set_allow_anonymous_fn(false)
        .set_allow_statement_expression(false)
        .set_allow_switch_expression(false);
    for symbol in ["eval", "print", "debug", "call", "curry", "Fn", "import", "let", "const", "fn", "=", "type_of"] {
        engine.disable_symbol(symbol);
    }
    engine.on_progress(|_| budget::step().err().map(Dynamic::from));
    functions::register(&mut engine);
    engine
}

/// Evaluates a compiled expression on this thread.
pub(super) fn evaluate(ast: &rhai::AST, variables: &mut Scope<'_>) -> Result<Val, Failure> {
    let value: Dynamic = shared().eval_ast_with_scope(variables, ast).map_err(|error| failure(*error))?;
    Val::from_dynamic(value)
}

fn failure(error: EvalAltResult) -> Failure {
    match error {
        EvalAltResult::ErrorRuntime(value, _) | EvalAltResult::ErrorTerminated(value, _) => {
            let unknown = |value: Dynamic| Failure::other(value.to_string());
            value.try_cast_result::<Failure>().unwrap_or_else(unknown)
        }
        EvalAltResult::ErrorTooManyOperations(_) => {
            Failure::limit(format!("the expression takes more than {MAX_OPERATIONS} operations"))
        }
        EvalAltResult::ErrorDataTooLarge(what, _) => Failure::limit(format!("{} is too large", what.to_lowercase())),
        EvalAltResult::ErrorStackOverflow(_) => Failure::limit("the expression is nested too deep"),
        other => Failure::other(other.to_string()),
    }
}
