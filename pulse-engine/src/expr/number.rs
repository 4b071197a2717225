//! Numbers: reading them from text, converting, comparing integers with fractions exactly, and `now()`.

use super::budget;
use super::error::Failure;
use super::value::Val;
use std::cmp::Ordering;

/// A number.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Num {
    Int(i64),
    /// Always finite.
    Float(f64),
}

impl Num {
    /// The number that a value is.
    pub fn of(value: &Val) -> Option<Self> {
        match value {
            Val::Int(n) => Some(Self::Int(*n)),
            Val::Float(n) => Some(Self::Float(*n)),
            _ => None,
        }
    }

    pub fn as_float(self) -> f64 {
        match self {
            Self::Int(n) => n as f64,
            Self::Float(n) => n,
        }
    }

    /// The exact order, also of integers that a float cannot hold.
    pub fn order(self, other: Self) -> Ordering {
        match (self, other) {
            (Self::Int(a), Self::Int(b)) => a.cmp(&b),
            (Self::Int(a), Self::Float(b)) => int_to_float(a, b),
            (Self::Float(a), Self::Int(b)) => int_to_float(b, a).reverse(),
            (Self::Float(a), Self::Float(b)) => a.partial_cmp(&b).unwrap_or(Ordering::Equal),
        }
    }

    fn into_val(self) -> Val {
        match self {
            Self::Int(n) => Val::Int(n),
            Self::Float(n) => Val::Float(n),
        }
    }
}

fn int_to_float(a: i64, b: f64) -> Ordering {
    // 2^63 is the first float above every i64.
    const LIMIT: f64 = 9_223_372_036_854_775_808.0;
    if b >= LIMIT {
        Ordering::Less
    } else if b < -LIMIT {
        Ordering::Greater
    } else {
        a.cmp(&(b.trunc() as i64)).then(0.0_f64.partial_cmp(&b.fract()).unwrap_or(Ordering::Equal))
    }
}

/// The number that a text is: decimal, with white space around it allowed.
pub(super) fn parse_number(text: &str) -> Option<Num> {
    let text = text.trim();
    let (number, rest) = leading_number(text)?;
    rest.is_empty().then_some(number)
}

/// The decimal number that a text starts with, and what follows it.
fn leading_number(text: &str) -> Option<(Num, &str)> {
    let digits = |from: usize| text[from..].bytes().take_while(u8::is_ascii_digit).count();
    let sign = usize::from(text.starts_with(['+', '-']));
    let whole = digits(sign);
    let mut end = sign + whole;
    let mut is_float = false;
    let mut fraction = 0;
    if text[end..].starts_with('.') {
        fraction = digits(end + 1);
        if whole + fraction > 0 {
            end += 1 + fraction;
            is_float = true;
        }
    }
    if whole + fraction == 0 {
        return None;
    }
    if text[end..].starts_with(['e', 'E']) {
        let exponent_sign = usize::from(text[end + 1..].starts_with(['+', '-']));
        let exponent = digits(end + 1 + exponent_sign);
        if exponent > 0 {
            end += 1 + exponent_sign + exponent;
            is_float = true;
        }
    }
    let (number, rest) = text.split_at(end);
    let int = if is_float { None } else { number.parse().ok().map(Num::Int) };
    let number = int.or_else(|| number.parse().ok().filter(|n: &f64| n.is_finite()).map(Num::Float))?;
    Some((number, rest))
}

/// A time in seconds: exact to the millisecond, and an integer where it is one.
pub(super) fn seconds(ms: Option<i64>) -> Val {
    match ms {
        None => Val::Nothing,
        Some(ms) if ms % 1000 == 0 => Val::Int(ms / 1000),
        Some(ms) => Val::Float(ms as f64 / 1000.0),
    }
}

/// `now()`: seconds since the epoch.
pub(super) fn now(v: &[Val]) -> Result<Val, Failure> {
    match v[0] {
        Val::Nothing => Err(Failure::missing("there is no time here, so now() has no value")),
        _ => Ok(v[0].clone()),
    }
}

/// `int(x)`: a number without its fraction; `()` stays `()`.
pub(super) fn int(v: &[Val]) -> Result<Val, Failure> {
    match convert(&v[0], "an integer")? {
        Some(number) => whole(number, &v[0]),
        None => Ok(Val::Nothing),
    }
}

/// `float(x)`: a number that may have a fraction; `()` stays `()`.
pub(super) fn float(v: &[Val]) -> Result<Val, Failure> {
    Ok(convert(&v[0], "a number")?.map_or(Val::Nothing, |n| Val::Float(n.as_float())))
}

/// `Number(x)`: an integer where the text is one, else a number with a fraction. An empty text is 0, as in JavaScript.
pub(super) fn number(v: &[Val]) -> Result<Val, Failure> {
    if let Val::Text(text) = &v[0] {
        budget::scan(text.len())?;
        if text.trim().is_empty() {
            return Ok(Val::Int(0));
        }
    }
    Ok(convert(&v[0], "a number")?.map_or(Val::Nothing, Num::into_val))
}

fn convert(value: &Val, wanted: &str) -> Result<Option<Num>, Failure> {
    let none = || Failure::wrong_type(format!("{} is not {wanted}", value.describe()));
    match value {
        Val::Nothing => Ok(None),
        Val::Bool(b) => Ok(Some(Num::Int(i64::from(*b)))),
        Val::Text(text) => {
            budget::scan(text.len())?;
            parse_number(text).map(Some).ok_or_else(none)
        }
        _ => Num::of(value).map(Some).ok_or_else(none),
    }
}

fn whole(number: Num, value: &Val) -> Result<Val, Failure> {
    match number {
        Num::Int(n) => Ok(Val::Int(n)),
        // The bounds are exact: -2^63 is a float, and so is 2^63.
        Num::Float(n) if (-9_223_372_036_854_775_808.0..9_223_372_036_854_775_808.0).contains(&n) => {
            Ok(Val::Int(n as i64))
        }
        Num::Float(_) => Err(Failure::other(format!("{} does not fit into an integer", value.describe()))),
    }
}

/// `parseInt(x)` and `parseInt(x, base)`: the integer that a text starts with.
pub(super) fn parse_int(v: &[Val]) -> Result<Val, Failure> {
    let base = match v.get(1) {
        None | Some(Val::Nothing) => 10,
        Some(Val::Int(base @ 2..=36)) => *base as u32,
        Some(other) => return Err(Failure::wrong_type(format!("{} is no base; it is 2 to 36", other.describe()))),
    };
    let Val::Text(text) = &v[0] else { return int(&v[..1]) };
    budget::scan(text.len())?;
    let none = || Failure::wrong_type(format!("{} does not start with an integer", v[0].describe()));
    let trimmed = text.trim_start();
    let (sign, digits) = match trimmed.strip_prefix('-') {
        Some(rest) => ("-", rest),
        None => ("", trimmed.strip_prefix('+').unwrap_or(trimmed)),
    };
    let hex = digits.strip_prefix("0x").or_else(|| digits.strip_prefix("0X"));
    let (digits, base) = match hex {
        Some(hex) if v.len() == 1 || base == 16 => (hex, 16),
        _ => (digits, base),
    };
    let len = digits.bytes().take_while(|b| char::from(*b).is_digit(base)).count();
    if len == 0 {
        return Err(none());
    }
    let too_large = |_| Failure::other(format!("{} does not fit into an integer", v[0].describe()));
    i64::from_str_radix(&format!("{sign}{}", &digits[..len]), base).map(Val::Int).map_err(too_large)
}

/// `parseFloat(x)`: the number that a text starts with.
pub(super) fn parse_float(v: &[Val]) -> Result<Val, Failure> {
    let Val::Text(text) = &v[0] else { return number(v) };
    budget::scan(text.len())?;
    let found = leading_number(text.trim_start());
    let none = || Failure::wrong_type(format!("{} does not start with a number", v[0].describe()));
    found.map(|(number, _)| number.into_val()).ok_or_else(none)
}
