//! Arithmetic. Integers stay integers as long as they can; overflow, division by zero and results that are no number are errors.

use super::error::Failure;
use super::number::Num;
use super::value::{Val, new_text, room_for_elements, room_for_text};
use super::{lists, texts};

/// `a + b`: numbers, texts (joined as soon as one side is a text), lists.
pub(super) fn add(v: &[Val]) -> Result<Val, Failure> {
    match (&v[0], &v[1]) {
        (Val::Nothing, _) | (_, Val::Nothing) => Err(missing("+", v)),
        (Val::Text(_), _) | (_, Val::Text(_)) => {
            let (a, b) = (texts::plain(&v[0], "+")?, texts::plain(&v[1], "+")?);
            // Sizes first: nothing is made that is too long.
            room_for_text(a.len() + b.len())?;
            new_text(format!("{a}{b}"))
        }
        (Val::List(_) | Val::SharedList(_), Val::List(_) | Val::SharedList(_)) => {
            room_for_elements(lists::count(&v[0]) + lists::count(&v[1]))?;
            let mut all = lists::elements(&v[0])?;
            all.extend(lists::elements(&v[1])?);
            Ok(Val::List(all))
        }
        _ => numbers("+", v, i64::checked_add, |a, b| a + b),
    }
}

/// `a - b`.
pub(super) fn subtract(v: &[Val]) -> Result<Val, Failure> {
    numbers("-", v, i64::checked_sub, |a, b| a - b)
}

/// `a * b`.
pub(super) fn multiply(v: &[Val]) -> Result<Val, Failure> {
    numbers("*", v, i64::checked_mul, |a, b| a * b)
}

/// `a / b`: an integer if both are and it is exact.
pub(super) fn divide(v: &[Val]) -> Result<Val, Failure> {
    match pair("/", v)? {
        (_, Num::Int(0)) => Err(by_zero(v)),
        (_, Num::Float(0.0)) => Err(by_zero(v)),
        (Num::Int(a), Num::Int(b)) if a.wrapping_rem(b) == 0 => {
            a.checked_div(b).map(Val::Int).ok_or_else(|| overflow("/", v))
        }
        (a, b) => finite("/", v, a.as_float() / b.as_float()),
    }
}

/// `a % b`: the remainder, with the sign of `a`.
pub(super) fn remainder(v: &[Val]) -> Result<Val, Failure> {
    match pair("%", v)? {
        (_, Num::Int(0)) => Err(by_zero(v)),
        (_, Num::Float(0.0)) => Err(by_zero(v)),
        (Num::Int(a), Num::Int(b)) => Ok(Val::Int(a.wrapping_rem(b))),
        (a, b) => finite("%", v, a.as_float() % b.as_float()),
    }
}

/// `a ** b`.
pub(super) fn power(v: &[Val]) -> Result<Val, Failure> {
    match pair("**", v)? {
        (Num::Int(a), Num::Int(b @ 0..)) => {
            let result = u32::try_from(b).ok().and_then(|b| a.checked_pow(b));
            // Only these stay small however large the exponent is.
            let small = || (matches!(a, -1..=1)).then(|| if a == -1 && b % 2 == 0 { 1 } else { a });
            result.or_else(small).map(Val::Int).ok_or_else(|| overflow("**", v))
        }
        (a, b) => finite("**", v, a.as_float().powf(b.as_float())),
    }
}

/// `-a`.
pub(super) fn negate(v: &[Val]) -> Result<Val, Failure> {
    match Num::of(&v[0]) {
        Some(Num::Int(n)) => n.checked_neg().map(Val::Int).ok_or_else(|| overflow("-", v)),
        Some(Num::Float(n)) => Ok(Val::Float(-n)),
        None => Err(no_number("-", v)),
    }
}

fn numbers(
    sign: &str,
    v: &[Val],
    ints: fn(i64, i64) -> Option<i64>,
    floats: fn(f64, f64) -> f64,
) -> Result<Val, Failure> {
    match pair(sign, v)? {
        (Num::Int(a), Num::Int(b)) => ints(a, b).map(Val::Int).ok_or_else(|| overflow(sign, v)),
        (a, b) => finite(sign, v, floats(a.as_float(), b.as_float())),
    }
}

fn pair(sign: &str, v: &[Val]) -> Result<(Num, Num), Failure> {
    Num::of(&v[0]).zip(Num::of(&v[1])).ok_or_else(|| no_number(sign, v))
}

fn finite(sign: &str, v: &[Val], result: f64) -> Result<Val, Failure> {
    if result.is_finite() { Ok(Val::Float(result)) } else { Err(overflow(sign, v)) }
}

fn operation(sign: &str, v: &[Val]) -> String {
    match v {
        [a, b] => format!("{} {sign} {}", a.describe(), b.describe()),
        _ => format!("{sign} before {}", v[0].describe()),
    }
}

fn missing(sign: &str, v: &[Val]) -> Failure {
    Failure::missing(format!("a value is missing: {}", operation(sign, v)))
}

fn overflow(sign: &str, v: &[Val]) -> Failure {
    Failure::other(format!("the result is too large: {}", operation(sign, v)))
}

fn by_zero(v: &[Val]) -> Failure {
    Failure::other(format!("{} is divided by zero", v[0].describe()))
}

fn no_number(sign: &str, v: &[Val]) -> Failure {
    if v.iter().any(|v| matches!(v, Val::Nothing)) {
        return missing(sign, v);
    }
    let texts = v.iter().any(|v| matches!(v, Val::Text(_)));
    let help = if texts { "; int() and float() read numbers from texts" } else { "" };
    Failure::wrong_type(format!("this needs numbers: {}{help}", operation(sign, v)))
}
