//! `==`, `!=` and the orderings.

use super::error::Failure;
use super::number::{Num, parse_number};
use super::value::{MAX_VALUE_DEPTH, Val, walk};
use super::{budget, lists};
use std::cmp::Ordering;

/// `a == b`.
pub(super) fn equal(v: &[Val]) -> Result<Val, Failure> {
    same(&v[0], &v[1], 0).map(Val::Bool)
}

/// `a != b`: the opposite of `==`, always.
pub(super) fn not_equal(v: &[Val]) -> Result<Val, Failure> {
    same(&v[0], &v[1], 0).map(|same| Val::Bool(!same))
}

/// `a < b`.
pub(super) fn less(v: &[Val]) -> Result<Val, Failure> {
    ordered(v, Ordering::is_lt)
}

/// `a <= b`.
pub(super) fn less_equal(v: &[Val]) -> Result<Val, Failure> {
    ordered(v, Ordering::is_le)
}

/// `a > b`.
pub(super) fn greater(v: &[Val]) -> Result<Val, Failure> {
    ordered(v, Ordering::is_gt)
}

/// `a >= b`.
pub(super) fn greater_equal(v: &[Val]) -> Result<Val, Failure> {
    ordered(v, Ordering::is_ge)
}

/// Equality of any two values. `()` equals only `()`; values of different types are unequal, except a number and a text that is one.
pub(super) fn same(a: &Val, b: &Val, depth: usize) -> Result<bool, Failure> {
    if depth > MAX_VALUE_DEPTH {
        return Err(Failure::limit(format!("values nested deeper than {MAX_VALUE_DEPTH} cannot be compared")));
    }
    if let Some(ordering) = numeric(a, b) {
        return Ok(ordering.is_eq());
    }
    match (a, b) {
        (Val::Nothing, Val::Nothing) => Ok(true),
        (Val::Bool(a), Val::Bool(b)) => Ok(a == b),
        (Val::Text(a), Val::Text(b)) => {
            budget::scan(a.len().min(b.len()))?;
            Ok(**a == **b)
        }
        (Val::List(_) | Val::SharedList(_), Val::List(_) | Val::SharedList(_)) => same_lists(a, b, depth),
        (Val::Map(_) | Val::SharedMap(_), Val::Map(_) | Val::SharedMap(_)) => same_maps(a, b, depth),
        _ => Ok(false),
    }
}

fn same_lists(a: &Val, b: &Val, depth: usize) -> Result<bool, Failure> {
    let count = lists::count(a);
    if count != lists::count(b) {
        return Ok(false);
    }
    walk(count)?;
    for i in 0..count {
        if !same(&lists::element(a, i)?, &lists::element(b, i)?, depth + 1)? {
            return Ok(false);
        }
    }
    Ok(true)
}

fn same_maps(a: &Val, b: &Val, depth: usize) -> Result<bool, Failure> {
    if lists::count(a) != lists::count(b) {
        return Ok(false);
    }
    for key in lists::key_names(a)? {
        match (lists::entry(a, &key)?, lists::entry(b, &key)?) {
            (Some(a), Some(b)) if same(&a, &b, depth + 1)? => {}
            _ => return Ok(false),
        }
    }
    Ok(true)
}

/// The order of two numbers, or of a number and a text that is one.
fn numeric(a: &Val, b: &Val) -> Option<Ordering> {
    match (a, b) {
        (Val::Text(text), number) => Some(parse_number(text)?.order(Num::of(number)?)),
        (number, Val::Text(text)) => Some(Num::of(number)?.order(parse_number(text)?)),
        _ => Some(Num::of(a)?.order(Num::of(b)?)),
    }
}

fn ordered(v: &[Val], holds: fn(Ordering) -> bool) -> Result<Val, Failure> {
    let (a, b) = (&v[0], &v[1]);
    if matches!(a, Val::Nothing) || matches!(b, Val::Nothing) {
        return Ok(Val::Bool(false));
    }
    if let Some(ordering) = numeric(a, b) {
        return Ok(Val::Bool(holds(ordering)));
    }
    match (a, b) {
        (Val::Text(a), Val::Text(b)) => {
            budget::scan(a.len().min(b.len()))?;
            // UTF-8 sorts bytes as it sorts code points.
            Ok(Val::Bool(holds((**a).cmp(&**b))))
        }
        _ => Err(Failure::wrong_type(format!("{} and {} have no order", a.describe(), b.describe()))),
    }
}
