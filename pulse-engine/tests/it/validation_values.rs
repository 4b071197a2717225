//! Values that nothing can be done with: targets that mean nobody, parameters that nothing satisfies, empty commands.

use pulse_engine::load;

/// The findings of a document as their codes, with what stands there.
fn findings(source: &str) -> Vec<String> {
    let lines: Vec<&str> = source.lines().collect();
    let found = |line: u32, column: u32| {
        let rest: String = lines[line as usize - 1].chars().skip(column as usize - 1).collect();
        rest.split([',', '}', ' ']).next().unwrap_or_default().to_owned()
    };
    let found = |line, column| found(line, column).trim_matches(['\'', '"']).to_owned();
    load(source).diagnostics.iter().map(|d| format!("{} {}", d.code, found(d.line, d.column))).collect()
}

/// The findings of a step with these fields, and those of a document with this field.
fn of_step(fields: &str) -> Vec<String> {
    findings(&format!("params: [host]\nsteps:\n  - {fields}\n"))
}

fn of_document(field: &str) -> Vec<String> {
    findings(&format!("{field}\nsteps: [{{command: ls}}]\n"))
}

#[test]
fn targets_that_can_mean_nobody_are_errors() {
    for targets in [
        "''",
        "'  '",
        "'=db'",
        "role==db",
        "role!==db",
        "'role in (a,b)'",
        "role notin (a)",
        "'[abc'",
        "'web-[12]'",
        "'web-01,'",
        "'!web-01'",
        "'role=db,web-01'",
        "'ro le=db'",
        "[]",
    ] {
        let place = format!("E023 {}", targets.split([',', ' ']).next().unwrap().trim_matches('\''));
        assert_eq!(of_step(&format!("{{command: ls, targets: {targets}}}")), [place.as_str()], "{targets}");
        assert_eq!(of_document(&format!("targets: {targets}")), [place], "{targets}");
    }
    assert_eq!(of_step("{command: ls, targets: [web-01, '=db', all, '(']}"), ["E023 =db", "E023 (']"]);
    for fine in [
        "all",
        "'*'",
        "any",
        "web-01",
        "'web-*, db-0?'",
        "'role=db,zone!=b'",
        "[role=db, role=web]",
        "'db (old)'",
        "'{{ host }}'",
        "'role={{ host }}'",
    ] {
        assert_eq!(of_step(&format!("{{command: ls, targets: {fine}}}")), [""; 0], "{fine}");
    }
    let wrong = load("steps: [{command: ls, targets: role==db}]").diagnostics.remove(0);
    assert_eq!(wrong.message, "`role==db` is not a target: labels are compared with `=` and `!=`");
    assert_eq!(wrong.help, "write role=db or role!=db");
}

#[test]
fn parameters_that_nothing_satisfies_are_errors() {
    for (param, expected) in [
        ("type: integer, min: 5, max: 1", &["E008 5"][..]),
        ("type: number, min: 0.2, max: 0.1", &["E008 0.2"]),
        ("type: integer, min: 0.2, max: 0.8", &["E008 0.2"]),
        // One mistake, one finding.
        ("type: integer, min: 5, max: 1, default: 3", &["E008 5"]),
        ("pattern: '(', default: 3", &["E019 ("]),
        ("type: choice, options: [a, b, a]", &["E010 a]"]),
        ("type: choice, options: [1, '1']", &["E010 1']"]),
        ("type: integer, max: 5, default: 6", &["E016 6"]),
        ("pattern: '^a$', default: b", &["E016 b"]),
        ("type: choice, options: [a, b], default: c", &["E016 c"]),
        ("type: integer, min: 5, max: 5, default: 5", &[]),
        ("type: number, min: 0.2, max: 0.8", &[]),
    ] {
        assert_eq!(of_document(&format!("params: [{{name: p, {param}}}]")), expected, "{param}");
    }
    assert_eq!(of_step("{message: m, fields: [{name: p, type: choice, options: [a, a]}]}"), ["E010 a]"]);
}

#[test]
fn what_cannot_run_or_succeed_is_found() {
    for (fields, expected) in [
        ("{command: ''}", &["E006 "][..]),
        ("{command: \"  \\n\"}", &["E006 "]),
        ("{run: ''}", &["E006 "]),
        ("{argv: ['', a]}", &["E006 "]),
        ("{argv: []}", &["E006 {argv:"]),
        ("{command: ls, success_codes: []}", &["E008 []"]),
        ("{command: ls, retry_delay: 5s, max_delay: 1s}", &["E020 1s"]),
        ("{command: ls, retryDelayMs: 5000, max_delay: 1s}", &["E020 1s"]),
        ("{items: '5', steps: [{command: ls}]}", &["E007 5"]),
        ("{items: \"'a'\", steps: [{command: ls}]}", &["E007 a"]),
        ("{items: 'true', steps: [{command: ls}]}", &["E007 true"]),
        ("{items: 'params.host', steps: [{command: ls}]}", &["E007 params.host"]),
        ("{argv: [a, '']}", &[]),
        ("{command: '{{ host }}'}", &[]),
        ("{command: ls, retry_on: []}", &[]),
        ("{command: ls, success_codes: 3}", &[]),
        ("{command: ls, retry_delay: 1s, max_delay: 1s}", &[]),
        ("{command: ls, retry_delay: 10m}", &[]),
        ("{items: '[1, 2]', steps: [{command: ls}]}", &[]),
        ("{items: '#{a: 1}', steps: [{command: ls}]}", &[]),
        ("{items: \"split(params.host, ',')\", steps: [{command: ls}]}", &[]),
        ("{items: '{{ host }}', steps: [{command: ls}]}", &["E013 {{"]),
    ] {
        assert_eq!(of_step(fields), expected, "{fields}");
    }
}

#[test]
fn a_webhook_is_an_address() {
    for wrong in ["nonsense", "ftp://x", "https://", "http:///x", "'https://a b'", "hooks.example/x", "https://:80/"] {
        assert_eq!(
            of_document(&format!("webhook: {wrong}")),
            [format!("E008 {}", wrong.split(' ').next().unwrap().trim_matches('\''))],
            "{wrong}"
        );
    }
    for fine in ["https://hooks.example/pulse", "http://10.0.0.1:8080", "HTTPS://a/?b#c", "http://[::1]:80/x"] {
        assert_eq!(of_document(&format!("webhook: {fine}")), [""; 0], "{fine}");
    }
}

/// One text is no list of arguments: nothing would split it.
#[test]
fn a_command_line_under_argv_is_refused() {
    for argv in ["df -h", "'/opt/my tool {{ host }}'", "' df  -h '"] {
        let found = load(&format!("params: [host]\nsteps:\n  - argv: {argv}\n")).diagnostics;
        assert!(found.iter().any(|finding| finding.code == "E007"), "{argv}: {found:?}");
    }
    let found = &load("steps: [{argv: df -h}]").diagnostics;
    assert_eq!(found.len(), 1);
    assert_eq!(found[0].message, "`argv` must be a list: the program and its arguments, not text");
    assert_eq!(found[0].help, "write `argv: [df, -h]`, or `command: df -h` for a line of shell");
    for argv in ["uptime", "'{{ host }}'", "'/opt/{{ host }}/run'", "[df, -h]", "['/opt/my tool']"] {
        assert_eq!(of_step(&format!("{{argv: {argv}}}")), [""; 0], "{argv}");
    }
}

/// Numbers beyond what there is are told the range.
#[test]
fn numbers_that_are_too_large_are_told_the_range() {
    let message = |source: &str| {
        let found = load(source).diagnostics;
        assert_eq!(found.len(), 1, "{source}: {found:#?}");
        format!("{} {}", found[0].code, found[0].message)
    };
    let step = |fields: &str| message(&format!("steps: [{{command: ls, {fields}}}]"));
    let large = "99999999999999999999";
    assert_eq!(step(&format!("retries: {large}")), format!("E008 `retries` is {large}; it must be 0 to 100"));
    let negative = load(&format!("max_steps: -{large}\nsteps: [{{command: ls}}]")).diagnostics;
    assert_eq!(negative[0].help, "write 1 or more");
    for (given, shown) in [("0", "0"), ("0%", "0%"), ("many", "many"), (large, "100000000000000000000")] {
        let said = format!("E008 `parallel` is {shown}; it must be a whole number from 1, 1% to 100%, or all");
        assert_eq!(step(&format!("strategy: {{parallel: {given}}}")), said);
    }
    let said = "E008 `max_failures` is -1; it must be a whole number from 0, or 0% to 100%";
    assert_eq!(step("strategy: {max_failures: -1}"), said);
    assert_eq!(step("strategy: {parallel: []}"), "E008 `parallel` must be a whole number from 1, 1% to 100%, or all");

    let param = |fields: &str| message(&format!("params: [{{name: i, {fields}}}]\nsteps: [{{command: ls}}]"));
    let whole = "a whole number from -9223372036854775808 to 9223372036854775807";
    let default = |given: &str| format!("default: parameter `i` must be {given}");
    assert!(
        param(&format!("type: integer, default: {large}")).ends_with(&format!("{}, not \"{large}\"", default(whole)))
    );
    assert!(param("type: integer, default: 1.5").ends_with(&default("a whole number, not 1.5")));
    let number = default("a number from -1.8e308 to 1.8e308, not \"1e400\"");
    assert!(param("type: number, default: 1e400").ends_with(&number));
    assert_eq!(
        param("type: number, required: false, max: 1e400"),
        "E008 `max` is too large: a number is at most about 1.8e308"
    );

    let set = |value: &str| load(&format!("steps: [{{type: set, values: {{a: {value}}}}}]")).diagnostics;
    for value in ["1e400", large, "5 - 9223372036854775808", "9223372036854775808"] {
        let found = set(value);
        assert!(found.len() == 1 && found[0].message.contains(" does not fit"), "{value}: {found:#?}");
        assert!(found[0].help.contains("-9223372036854775808 to 9223372036854775807"), "{found:#?}");
    }
    assert!(set("-9223372036854775808").is_empty());
}
