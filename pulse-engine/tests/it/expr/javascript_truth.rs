//! Conditions of the first PULSE that rely on what JavaScript takes for true, written for this one.

use proptest::prelude::*;
use pulse_engine::expr::{Expr, Given, Scope, translate};
use serde_json::{Map, Value};

fn param(name: &str) -> Given {
    match name {
        "dry" => Given::Truth,
        "n" => Given::Number,
        "odd" => Given::Unknown,
        _ => Given::Text,
    }
}

#[test]
fn truth_values_are_written_out() {
    for (source, written) in [
        ("state.a", "!is_empty(state.a)"),
        ("!state.a", "is_empty(state.a)"),
        ("!!state.a", "!is_empty(state.a)"),
        ("state.a && state.b", "!is_empty(state.a) && !is_empty(state.b)"),
        ("state.a && state.a !== 'x'", "!is_empty(state.a) && state.a != 'x'"),
        ("state && state.a", "!is_empty(state.a)"),
        ("(state.a || 'y') == 'z'", "(!is_empty(state.a) ? state.a : 'y') == 'z'"),
        ("(state.a && state.b) === 'z'", "(!is_empty(state.a) ? state.b : state.a) == 'z'"),
        ("parseInt(state.a || '0') > 5", "parseInt(!is_empty(state.a) ? state.a : '0') > 5"),
        ("(state.a || state.b || 0) > 5", "(!is_empty(state.a) ? state.a : !is_empty(state.b) ? state.b : 0) > 5"),
        ("state.a.length", "state.a.length > 0"),
        ("state.a.trim().length", "trim(state.a).length > 0"),
        ("promptResponse ? true : false", "!is_empty(prompt_response) ? true : false"),
        ("params.p && !params.dry", "!is_empty(params.p) && !params.dry"),
        ("params.n || params.dry", "(params.n ?? 0) != 0 || params.dry"),
        ("parseInt(state.a)", "(parseInt(state.a) ?? 0) != 0"),
        ("state.a ? state.b : 'x'", "!is_empty(state.a) ? !is_empty(state.b) : true"),
        ("state.a ?? state.b", "!is_empty(state.a ?? state.b)"),
    ] {
        let translated = translate(source, &param).unwrap();
        assert_eq!(translated.text.as_deref(), Some(written), "{source}: {translated:?}");
        assert_eq!(translated.look, Vec::<String>::new(), "{source}");
    }
}

/// In arithmetic, and beside a number, a text was the number that it is, and an empty one 0.
#[test]
fn numbers_are_made_of_texts() {
    for (source, written) in [
        ("state.a - state.b > 10", "Number(state.a) - Number(state.b) > 10"),
        ("state.a / state.b >= 0.5", "Number(state.a) / Number(state.b) >= 0.5"),
        ("state.a * 1 > params.n", "Number(state.a) * 1 > params.n"),
        ("state.a % 2 == 1", "Number(state.a) % 2 == 1"),
        ("-state.a < params.n", "-Number(state.a) < params.n"),
        ("(state.a || 5) - 1 > 2", "(!is_empty(state.a) ? state.a : 5) - 1 > 2"),
        ("state.a < 5", "Number(state.a) < 5"),
        ("5 >= state.a", "5 >= Number(state.a)"),
        ("state.a >= 0", "Number(state.a) >= 0"),
        ("state.a > -1", "Number(state.a) > -1"),
        ("state.a < params.n", "Number(state.a) < params.n"),
        ("state.a == 0", "state.a == 0 || state.a == ''"),
        ("0 != state.a", "0 != state.a && state.a != ''"),
    ] {
        let translated = translate(source, &param).unwrap();
        assert_eq!(translated.text.as_deref(), Some(written), "{source}: {translated:?}");
        assert_eq!(translated.look, Vec::<String>::new(), "{source}");
    }
    for source in ["state.a + state.b > 10", "params.n - 1 > 2", "state.a > 0", "state.a >= 1", "state.a == 5"] {
        assert_eq!(translate(source, &param).unwrap().text, None, "{source}");
    }
}

#[test]
fn what_means_the_same_stays() {
    for source in [
        "state.a === 'x' || state.b !== \"y\"",
        "params.dry",
        "!params.dry && (params.dry === true)",
        "state.a.includes('x') && parseInt(state.a) > 5",
        "state.a > 80",
        "params.p == 'x' ? state.a == 'y' : false",
        "(state.a == 'x' || state.b == 'y') == true",
    ] {
        let translated = translate(source, &param).unwrap();
        assert_eq!((translated.text, translated.look), (None, Vec::new()), "{source}");
    }
    assert!(translate("state.a |", &param).is_err());
}

#[test]
fn what_cannot_be_known_is_told() {
    let missing = "where `state.a` is missing, the whole condition was false";
    let no_number = "where `state.a` is no number, only what compares it was false";
    let decides = "decides by what JavaScript takes for true";
    for (source, told) in [
        ("state.a.b && state.c == 'x'", decides),
        ("params.odd", decides),
        ("state.a == 'x' && last.stdout", decides),
        ("state.a.split(',')", decides),
        ("!state.a.includes('x')", missing),
        ("!state.a.length", missing),
        ("state.a.includes('x') || state.b == 'y'", missing),
        ("state.a.length ? true : false", missing),
        ("state.a.trim() !== 'x'", missing),
        ("state.a.trim() === undefined", missing),
        ("parseInt(state.a) > 80 || state.b == 'y'", no_number),
        ("!(state.a > 80)", no_number),
        ("parseInt(state.a) != 80", no_number),
        ("!(state.a * 2 == 80)", no_number),
        ("!(-state.a == 80)", no_number),
        ("state.a === 100", "`state.a === 100` was never true in the first PULSE"),
        ("0 !== state.a", "`0 !== state.a` was always true"),
        ("state.a > params.odd", "`params.odd` has a number for its default and no type"),
    ] {
        let look = translate(source, &param).unwrap().look;
        assert!(look.len() == 1 && look[0].contains(told), "{source}: {look:?}");
    }
    for source in [
        "state.b == 'y' || state.a.includes('x')",
        "state.b == 'y' && state.a > 80",
        "!(state.a && state.a.includes('x'))",
        "state.a === undefined || !state.a.includes('x')",
        "state.a != null ? !state.a.includes('x') : false",
        "!state.a || state.a.includes('x') || state.b == 'y'",
        "!state.a?.includes('x')",
        "params.p.includes('x') || state.b == 'y'",
    ] {
        let look = translate(source, &param).unwrap().look;
        assert_eq!(look, Vec::<String>::new(), "{source}");
    }
}

#[test]
fn what_grows_too_large_is_told() {
    let nested = (0..29).fold("state.a".to_owned(), |inner, _| format!("(({inner} || 'x') && 'y')"));
    for source in [format!("{nested} == 'z'"), format!("({}) == 'z'", vec!["state.a"; 300].join(" || "))] {
        let translated = translate(&source, &param).unwrap();
        assert_eq!(translated.text, None);
        assert!(translated.look.iter().any(|look| look.starts_with("it is too large")), "{:?}", translated.look);
    }
}

/// A condition, and what JavaScript makes of it.
#[derive(Clone, Debug)]
enum Js {
    State(char),
    Text(&'static str),
    Not(Box<Js>),
    And(Box<Js>, Box<Js>),
    Or(Box<Js>, Box<Js>),
    Same(Box<Js>, Box<Js>),
    Choose(Box<Js>, Box<Js>, Box<Js>),
}

fn js() -> impl Strategy<Value = Js> {
    let leaf = prop_oneof![
        3 => prop_oneof![Just('a'), Just('b'), Just('c')].prop_map(Js::State),
        1 => prop_oneof![Just(""), Just("x"), Just("0")].prop_map(Js::Text),
    ];
    leaf.prop_recursive(4, 24, 3, |inner| {
        let two = || (inner.clone().prop_map(Box::new), inner.clone().prop_map(Box::new));
        let third = inner.clone().prop_map(Box::new);
        prop_oneof![
            inner.clone().prop_map(|n| Js::Not(Box::new(n))),
            two().prop_map(|(a, b)| Js::And(a, b)),
            two().prop_map(|(a, b)| Js::Or(a, b)),
            two().prop_map(|(a, b)| Js::Same(a, b)),
            (third, two()).prop_map(|(c, (a, b))| Js::Choose(c, a, b)),
        ]
    })
}

impl Js {
    fn source(&self) -> String {
        match self {
            Self::State(name) => format!("state.{name}"),
            Self::Text(text) => format!("'{text}'"),
            Self::Not(n) => format!("!({})", n.source()),
            Self::And(a, b) => format!("({}) && ({})", a.source(), b.source()),
            Self::Or(a, b) => format!("({}) || ({})", a.source(), b.source()),
            Self::Same(a, b) => format!("({}) === ({})", a.source(), b.source()),
            Self::Choose(c, a, b) => format!("({}) ? ({}) : ({})", c.source(), a.source(), b.source()),
        }
    }

    /// The value in JavaScript; `Null` is undefined.
    fn value(&self, state: &Map<String, Value>) -> Value {
        match self {
            Self::State(name) => state.get(&name.to_string()).cloned().unwrap_or_default(),
            Self::Text(text) => (*text).into(),
            Self::Not(n) => (!good(&n.value(state))).into(),
            Self::And(a, b) => Some(a.value(state)).filter(|a| !good(a)).unwrap_or_else(|| b.value(state)),
            Self::Or(a, b) => Some(a.value(state)).filter(good).unwrap_or_else(|| b.value(state)),
            Self::Same(a, b) => (a.value(state) == b.value(state)).into(),
            Self::Choose(c, a, b) => {
                if good(&c.value(state)) {
                    a.value(state)
                } else {
                    b.value(state)
                }
            }
        }
    }
}

fn good(value: &Value) -> bool {
    !matches!(value, Value::Null | Value::Bool(false)) && value != ""
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    /// Whatever is in `state`, the condition here is what it was in JavaScript; unless somebody is told to look.
    #[test]
    fn the_meaning_stays(condition in js(), values in proptest::array::uniform3(0_usize..5)) {
        let names = ["a", "b", "c"].into_iter().map(String::from);
        let texts = [None, Some(""), Some("x"), Some("0"), Some("false")];
        let state: Map<String, Value> = names
            .zip(values)
            .filter_map(|(name, value)| Some((name, texts[value]?.into())))
            .collect();
        let source = condition.source();
        let translated = translate(&source, &param).unwrap();
        let text = translated.text.unwrap_or(source);
        let mut scope = Scope::new();
        scope.set("state", Value::Object(state.clone()));
        let here = Expr::compile(&text).unwrap().eval_bool(&scope);
        if translated.look.is_empty() {
            prop_assert_eq!(here.ok(), Some(good(&condition.value(&state))), "{}", text);
        }
    }
}
