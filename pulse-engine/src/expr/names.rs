//! The names of the language: roots, helpers with their JavaScript forms, and the words that are refused with a reason.

/// Roots every expression may name.
pub(super) const ROOTS: &[&str] = &["params", "state", "steps", "execution", "prompt_response", "last"];

/// The one spelling of a root that has two.
pub(super) fn canonical_root(name: &str) -> &str {
    if name == "promptResponse" { "prompt_response" } else { name }
}

/// A helper, callable as `name(subject, …)` and as `subject.name(…)`.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Helper {
    /// Its names: ours first, then those of Rhai and JavaScript.
    pub names: &'static [&'static str],
    /// The function registered in the engine.
    pub native: &'static str,
    /// Number of arguments with the subject.
    pub arity: std::ops::RangeInclusive<usize>,
    /// It always gives true or false.
    pub is_test: bool,
}

const fn helper(names: &'static [&'static str], native: &'static str, min: usize, max: usize, is_test: bool) -> Helper {
    Helper { names, native, arity: min..=max, is_test }
}

/// All helpers.
pub(super) const HELPERS: &[Helper] = &[
    helper(&["int"], "int", 1, 1, false),
    helper(&["float"], "float", 1, 1, false),
    helper(&["text", "String", "to_string", "toString"], "text", 1, 1, false),
    helper(&["Number"], "number", 1, 1, false),
    helper(&["parseInt"], "parse_int", 1, 2, false),
    helper(&["parseFloat"], "parse_float", 1, 1, false),
    helper(&["contains", "includes"], "contains", 2, 2, true),
    helper(&["starts_with", "startsWith"], "starts_with", 2, 2, true),
    helper(&["ends_with", "endsWith"], "ends_with", 2, 2, true),
    helper(&["matches"], "matches", 2, 2, true),
    helper(&["trim"], "trim", 1, 1, false),
    helper(&["lower", "to_lower", "toLowerCase"], "lower", 1, 1, false),
    helper(&["upper", "to_upper", "toUpperCase"], "upper", 1, 1, false),
    helper(&["split"], "split", 1, 2, false),
    helper(&["join"], "join", 1, 2, false),
    helper(&["len"], "len", 1, 1, false),
    helper(&["keys"], "keys", 1, 1, false),
    helper(&["values"], "values", 1, 1, false),
    helper(&["is_empty"], "is_empty", 1, 1, true),
];

/// Finds a helper by any of its names.
pub(super) fn find_helper(name: &str) -> Option<&'static Helper> {
    HELPERS.iter().find(|h| h.names.contains(&name))
}

/// Words that can be no name, with what to say about them.
pub(super) fn refused_word(word: &str) -> Option<&'static str> {
    Some(match word {
        "let" | "const" | "var" => "variables cannot be defined in an expression; a `set` step writes into `state`",
        "while" | "for" | "loop" | "do" | "until" | "break" | "continue" => {
            "an expression has no loops; a `foreach` step repeats"
        }
        "fn" | "function" | "private" | "class" | "async" | "await" | "yield" => {
            "functions cannot be defined in an expression"
        }
        "return" | "throw" | "try" | "catch" => "an expression has no statements; it is the value",
        "switch" | "match" | "case" | "default" => "use `c ? a : b`",
        "import" | "export" | "require" | "as" | "from" => "an expression imports nothing",
        "eval" | "call" | "curry" | "Fn" | "Function" | "is_def_fn" | "is_def_var" => "code cannot be made from values",
        "print" | "debug" | "console" => "an expression has no output",
        "sleep" | "setTimeout" => "an expression does not wait; use a `wait` step",
        "this" | "new" | "delete" | "void" | "global" | "globalThis" | "window" | "process" => {
            "there are no objects here, only values"
        }
        "typeof" | "type_of" | "instanceof" => "there are no types to ask for; `int()`, `float()` and `text()` convert",
        "and" => "write `&&`",
        "or" => "write `||`",
        "not" => "write `!`",
        "is" => "write `==`",
        "None" | "nil" | "nothing" | "NULL" => "write `()` or `null`",
        "True" | "TRUE" => "write `true`",
        "False" | "FALSE" => "write `false`",
        "NaN" | "Infinity" => "numbers are finite here",
        _ => return None,
    })
}

/// What to use instead of a function of JavaScript or Rhai that is not here.
pub(super) fn instead_of(function: &str) -> Option<&'static str> {
    Some(match function {
        "match" | "test" | "search" | "exec" => "use matches(text, regex)",
        "indexOf" | "index_of" | "some" | "has" | "hasOwnProperty" => "use contains(where, what)",
        "length" | "size" | "count" => "use len(x), or x.length without parentheses",
        "trimStart" | "trimEnd" | "trim_start" | "trim_end" => "use trim()",
        "parse_int" => "use int() or parseInt()",
        "parse_float" => "use float() or parseFloat()",
        "replace" | "pad" | "repeat" | "sub_string" | "substring" | "slice" | "crop" | "padStart" | "padEnd" => {
            "texts cannot be rewritten in an expression; do it in the command"
        }
        "map" | "filter" | "reduce" | "find" | "every" | "forEach" | "all" | "any" => {
            "there are no closures; a `foreach` step repeats"
        }
        "bool" | "Boolean" => "compare instead, such as x == \"true\"",
        _ => return None,
    })
}

/// The known name nearest to one that is not known, if one is near enough to be meant.
pub(super) fn nearest<'a>(name: &str, known: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    known
        .into_iter()
        .map(|k| (strsim::damerau_levenshtein(name, k), k))
        .filter(|(distance, k)| *distance <= (k.len().max(name.len()) / 3).max(1))
        .min_by_key(|(distance, _)| *distance)
        .map(|(_, k)| k)
}
