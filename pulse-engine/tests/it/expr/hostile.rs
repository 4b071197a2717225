//! Expressions that want out. None of them compiles.

use pulse_engine::expr::Expr;

#[test]
fn nothing_but_values_compiles() {
    for source in [
        "eval(\"1\")",
        "import \"x\"",
        "import \"x\" as y",
        "Fn(\"x\")",
        "Fn(\"x\").call()",
        "call(state.x)",
        "curry(state.x, 1)",
        "|x| x",
        "|| 1",
        "x => x",
        "fn f() { 1 }",
        "function() { return 1 }",
        "let x = 1",
        "const x = 1",
        "state.x = 1",
        "state.x += 1",
        "state.x ??= 1",
        "params = 1",
        "loop { }",
        "while true { }",
        "do { } while true",
        "for i in 0..10 { i }",
        "return 1",
        "throw 1",
        "try { 1 } catch { 2 }",
        "switch 1 { 1 => 2 }",
        "{ 1; 2 }",
        "{ 1 }",
        "1; 2",
        "if true { let x = 1; x } else { 2 }",
        "if true { 1 }",
        "print(\"x\")",
        "debug(\"x\")",
        "sleep(1000)",
        "timestamp()",
        "type_of(1)",
        "is_def_var(\"x\")",
        "this.x",
        "global::x",
        "a::b()",
        "0..1000000000",
        "1..=5",
        "state.x.y()",
        "state.keys.constructor(\"x\")",
        "state.constructor.constructor(\"return process\")()",
        "process.exit(1)",
        "require('fs')",
        "new Date()",
        "Math.max(1, 2)",
        "JSON.parse(state.x)",
        "console.log(1)",
        "`${state.x}`",
        "...state.x",
        "state.x++",
        "--state.x",
        "delete state.x",
        "void 0",
        "(state.x)(1)",
        "now(1)",
        "now.x",
        "v0",
        "get(state, \"x\")",
        "p0",
        "add(1, 2)",
        "range(1, 5)",
        "pad(\"a\", 1000)",
        "\"a\".repeat(1000000000)",
        "state.x.replace(\"a\", \"b\")",
        "[1].push(2)",
        "[1].map(int)",
        "$x",
        "@x",
        "#[x]",
        "\\x",
        "a ~ b",
        "1 << 64",
        "\u{0}",
    ] {
        assert!(Expr::compile(source).is_err(), "{source} compiles");
    }
}

#[test]
fn templates_refuse_the_same_except_unknown_names() {
    for source in [
        "eval(\"1\")",
        "let x = 1",
        "import \"x\"",
        "x = 1",
        "while true { }",
        "new Foo()",
        "process.exit(1)",
        "fn f() { 1 }",
        "|x| x",
        "v0.call()",
    ] {
        assert!(Expr::compile_template(source).is_err(), "{source} compiles");
    }
}

#[test]
fn texts_with_quotes_stay_texts() {
    for (source, value) in [
        ("'\"'", "\""),
        ("\"'\"", "'"),
        ("'\\\\\"+eval+\"'", "\\\"+eval+\""),
        ("'${x}'", "${x}"),
        ("'{{ x }}'", "{{ x }}"),
        ("\"\\\\\"", "\\"),
        ("'\u{202e}\u{feff}'", "\u{202e}\u{feff}"),
    ] {
        let value = serde_json::json!(value);
        assert_eq!(Expr::compile(source).unwrap().eval(&super::scope()), Ok(value), "{source}");
    }
}
