//! Findings point at what they are about: the line and column in a script, a condition, a jump.

use pulse_engine::load;

/// The findings of a document as `code:line:column`, and what stands there.
fn findings(source: &str) -> Vec<String> {
    let lines: Vec<&str> = source.lines().collect();
    let shown = |line: u32, column: u32| {
        let rest = lines[line as usize - 1].chars().skip(column as usize - 1);
        rest.take_while(|c| !c.is_whitespace()).collect::<String>()
    };
    load(source)
        .diagnostics
        .iter()
        .map(|d| format!("{}:{}:{} {}", d.code, d.line, d.column, shown(d.line, d.column)))
        .collect()
}

#[test]
fn a_script_of_several_lines_is_pointed_into() {
    let source = "\
params: [host]
steps:
  - command: |
      set -e
      echo {{ hots }} {{ params.hots }}

      ssh db \"df {{ host }}\"
      cat <<'END' {{ host | raw }}
      {{ host }}
      END
  - command: >-
      echo 1
      {{ nope }}
  - command: 'it''s
      {{ none }}'
  - {argv: [a, \"\\t{{ never }}\"]}
";
    assert_eq!(
        findings(source),
        [
            "W006:5:15 hots",
            "E015:5:26 params.hots",
            "W007:7:18 {{",
            "W001:8:19 {{",
            "W002:9:7 {{",
            "W006:13:10 nope",
            "W008:14:17 ''s",
            "W006:15:10 none",
            "W006:16:22 never",
        ]
    );
    let second_shell = load(source).diagnostics.into_iter().find(|d| d.code == "W007").unwrap();
    assert!(second_shell.message.starts_with("{{ host }}: "), "{}", second_shell.message);
}

#[test]
fn a_template_that_does_not_compile_is_pointed_into() {
    let source = "steps:\n  - command: |\n      echo {{ 1 + }} b\n      echo {{ a | up }}\n      echo {{ b\n";
    assert_eq!(findings(source), ["E014:3:19 }}", "E014:4:19 up", "E014:5:12 {{"]);
}

#[test]
fn a_condition_of_several_lines_is_pointed_into() {
    let source = "\
params: [a]
steps:
  - id: x
    command: ls
    condition: >-
      params.a == 1 &&
      params.b == 2 ||
      steps.y.status == 'failed'
  - command: ls
    condition: |
      params.a == 1
        && )
  - conditions:
      - if: \"params.a == 1 ||\\
          \\ params[\\\"c\\\"] == 2\"
        goto: end
";
    assert_eq!(
        findings(source),
        ["E015:7:7 params.b", "E015:8:7 steps.y.status", "E013:12:12 )", "E015:15:13 params[\\\"c\\\"]"]
    );
}

#[test]
fn jumps_to_nowhere_are_pointed_at() {
    let source = "\
steps:
  - id: a
    command: ls
    goto: nowhere
    on_error: nirvana
  - id: b
    conditions:
      - {default: true, goto: x1}
      - {if: last.success, goto: x2}
  - id: c
    message: hm
    options: [{label: a, goto: x3}, b]
    routes: {b: x4}
    on_timeout: x5
  - {id: d, type: parse, from: x6}
";
    assert_eq!(
        findings(source),
        [
            "E011:4:11 nowhere",
            "E011:5:15 nirvana",
            "E018:8:9 {default:",
            "E011:8:31 x1}",
            "E011:9:34 x2}",
            "E011:12:32 x3},",
            "E011:13:17 x4}",
            "E011:14:17 x5",
            "E011:15:32 x6}",
        ]
    );
    let paths: Vec<_> = load(source).diagnostics.into_iter().map(|d| d.path).collect();
    assert_eq!(paths[0], "steps[0].goto");
    assert_eq!(paths[6], "steps[2].routes.b");
}

/// A step that could not be read is there: jumps to it lead somewhere, and its id is known.
#[test]
fn steps_that_could_not_be_read_give_no_other_findings() {
    let source = "\
steps:
  - {id: a, type: excute, command: ls}
  - {id: b, message: hm, options: [x], routes: {x: a}}
  - {id: c, command: 'echo {{ steps.a.status }} {{ anything }}', goto: a, on_error: d}
  - {id: d, type: wait}
  - {id: e, type: parse, from: a}
";
    assert_eq!(findings(source), ["E012:2:19 excute,", "E006:5:5 {id:"]);
}

#[test]
fn a_misspelt_field_that_tells_the_type_is_one_finding() {
    let cases = [
        ("comand: ls", "command"),
        ("comnd: ls, on_eror: continue", "command"),
        ("Command: ls", "command"),
        ("agrv: [ls]", "argv"),
        ("mesage: hm", "message"),
        ("conditons: [{default: true}]", "conditions"),
        ("brances: [[{command: ls}]]", "branches"),
        ("itms: [a], steps: [{command: ls}]", "items"),
        ("vales: {a: '1'}", "values"),
        ("duraton: 5s", "duration"),
        ("type: wait, untl: now() + 5", "until"),
        ("worklow: w", "workflow"),
        ("tpye: execute, command: ls", "type"),
        ("Type: prompt, message: hm", "type"),
        ("typ: wait, duration: 5s", "type"),
        ("type: prompt, mesage: hm", "message"),
        ("type: execute, comand: ls", "command"),
    ];
    for (fields, meant) in cases {
        let found = load(&format!("steps:\n  - id: a\n    {}\n", fields.replace(", ", "\n    "))).diagnostics;
        let found: Vec<_> = found.iter().filter(|d| !d.message.contains("on_eror")).collect();
        let codes: Vec<_> = found.iter().map(|d| (d.code.as_str(), d.column)).collect();
        assert_eq!(codes, [("E005", 5)], "{fields}: {found:?}");
        assert_eq!(found[0].help, format!("did you mean `{meant}`?"), "{fields}");
    }
    // Too far from any: what it means cannot be told.
    let found = load("steps:\n  - {id: a, cmd: ls}\n").diagnostics;
    assert_eq!(found.iter().map(|d| d.code.as_str()).collect::<Vec<_>>(), ["E012"]);
}
