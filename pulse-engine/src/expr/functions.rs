//! The table of functions that the engine knows: names as [`super::emit`] writes them, number of arguments, and what does the work.
//! All are pure, and check sizes before they make anything.

use super::error::Failure;
use super::pattern::Pattern;
use super::value::Val;
use super::{arith, compare, emit, lists, number, texts};
use rhai::{Dynamic, Engine, EvalAltResult, Position};
use std::any::TypeId;
use std::sync::Arc;

type Function = fn(&[Val]) -> Result<Val, Failure>;

const FUNCTIONS: &[(&str, usize, Function)] = &[
    ("equal", 2, compare::equal),
    ("not_equal", 2, compare::not_equal),
    ("less", 2, compare::less),
    ("less_equal", 2, compare::less_equal),
    ("greater", 2, compare::greater),
    ("greater_equal", 2, compare::greater_equal),
    ("truth", 1, |v| v[0].truth("a condition").map(Val::Bool)),
    ("not", 1, |v| v[0].truth("what `!` stands before").map(|b| Val::Bool(!b))),
    ("is_in", 2, |v| lists::contains(&v[1], &v[0])),
    ("add", 2, arith::add),
    ("subtract", 2, arith::subtract),
    ("multiply", 2, arith::multiply),
    ("divide", 2, arith::divide),
    ("remainder", 2, arith::remainder),
    ("power", 2, arith::power),
    ("negate", 1, arith::negate),
    ("at", 2, lists::at),
    ("now", 1, number::now),
    ("int", 1, number::int),
    ("float", 1, number::float),
    ("number", 1, number::number),
    ("parse_int", 1, number::parse_int),
    ("parse_int", 2, number::parse_int),
    ("parse_float", 1, number::parse_float),
    ("text", 1, texts::text),
    ("contains", 2, |v| lists::contains(&v[0], &v[1])),
    ("starts_with", 2, texts::starts_with),
    ("ends_with", 2, texts::ends_with),
    ("trim", 1, texts::trim),
    ("lower", 1, texts::lower),
    ("upper", 1, texts::upper),
    ("split", 1, texts::split),
    ("split", 2, texts::split),
    ("join", 1, texts::join),
    ("join", 2, texts::join),
    ("len", 1, lists::len),
    ("keys", 1, lists::keys),
    ("values", 1, lists::values),
    ("is_empty", 1, lists::is_empty),
];

/// Registers all functions.
pub(super) fn register(engine: &mut Engine) {
    for &(name, arity, function) in FUNCTIONS {
        register_one(engine, name, arity, move |args| function(&values(args)?));
    }
    for keys in 1..=emit::KEYS_PER_CALL {
        register_one(engine, "get", keys + 1, |args| lists::get(&values(args)?));
    }
    let tests: [(&str, texts::Test); 2] = [("matches", texts::matches), (emit::MATCHES_OUTPUT, texts::matches_output)];
    for (name, test) in tests {
        register_one(engine, name, 2, move |args| {
            let subject = value(args[0])?;
            match args[1].clone().try_cast_result::<Arc<Pattern>>() {
                Ok(pattern) => test(&subject, &pattern),
                Err(pattern) => texts::matches_text(&subject, &Val::from_dynamic(pattern)?, test),
            }
        });
    }
}

fn register_one(
    engine: &mut Engine,
    name: &str,
    arity: usize,
    function: impl Fn(&mut [&mut Dynamic]) -> Result<Val, Failure> + Send + Sync + 'static,
) {
    let types = vec![TypeId::of::<Dynamic>(); arity];
    engine.register_raw_fn(name, types, move |_context, args| {
        function(args)
            .map(Val::into_dynamic)
            .map_err(|failure| Box::new(EvalAltResult::ErrorRuntime(Dynamic::from(failure), Position::NONE)))
    });
}

fn values(args: &mut [&mut Dynamic]) -> Result<Vec<Val>, Failure> {
    args.iter_mut().map(|arg| value(arg)).collect()
}

/// Takes an argument. A variable is passed by reference and has to stay; variables hold no lists or maps of ours, which are dear to copy.
fn value(arg: &mut Dynamic) -> Result<Val, Failure> {
    Val::from_dynamic(if arg.is_array() || arg.is_map() { std::mem::take(arg) } else { arg.clone() })
}
