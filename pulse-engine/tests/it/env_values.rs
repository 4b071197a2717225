//! Values that reach a script through its environment: what the script does with them, they have to allow.

use pulse_engine::load;

/// Runs a workflow in which the parameter `p` has a value. The error is what the test of it finds.
fn run(workflow: &str, value: &str) -> Result<(), String> {
    let test = serde_json::json!({
        "workflow": "w.yaml",
        "workers": ["w1"],
        "tests": [{
            "name": "t",
            "params": {"p": value},
            "given": [{"step": "a", "stdout": ""}],
            "expect": {"status": "completed"},
        }],
    });
    let workflow = format!("params: [p]\ntargets: w1\n{workflow}");
    let files = |_: &str| Ok(workflow.clone());
    let report = pulse_engine::testing::test("t", &test.to_string(), &files).unwrap();
    match report.tests[0].passed {
        true => Ok(()),
        false => Err(format!("{:?}", report.tests[0].failures)),
    }
}

fn codes(workflow: &str) -> Vec<String> {
    let loaded = load(&format!("params: [p, {{name: s, type: secret}}, {{name: i, type: integer}}]\n{workflow}"));
    loaded.diagnostics.iter().map(|d| d.code.clone()).filter(|code| code != "W010").collect()
}

#[test]
fn what_a_script_calculates_with_is_an_integer() {
    for workflow in [
        "steps: [{id: a, shell: bash, env: {N: '{{ p }}'}, command: 'if (( N > 3 )); then echo; fi'}]",
        "env: {N: '{{ p }}'}\nsteps: [{id: a, shell: bash, command: 'echo $(( N + 1 ))'}]",
        "env: {N: '{{ p }}'}\nsteps: [{id: a, shell: bash, command: '[[ $N -gt 3 ]]'}]",
        "steps: [{id: a, shell: bash, env: {N: '{{ p }}'}, command: 'm=${N}; echo $((m))'}]",
        "steps: [{id: a, env: {N: '{{ p }}'}, command: '[ \"$N\" -gt 3 ]'}]",
    ] {
        assert_eq!(codes(workflow), [""; 0], "{workflow}");
        assert_eq!(run(workflow, "7"), Ok(()), "{workflow}");
        let error = run(workflow, "a[$(reboot)]").expect_err(workflow);
        assert!(error.contains("env `N`") && error.contains("integer"), "{workflow}: {error}");
    }
    let named = "steps: [{id: a, shell: bash, env: {N: '{{ p }}'}, command: 'echo ${!N}'}]";
    assert_eq!(run(named, "HOME"), Ok(()));
    assert!(run(named, "a[$(reboot)]").is_err());
}

#[test]
fn what_a_script_only_hands_on_may_be_anything() {
    for workflow in [
        "steps: [{id: a, shell: bash, env: {N: '{{ p }}'}, command: 'echo \"$N\"; (( M > 3 ))'}]",
        "steps: [{id: a, shell: python3, env: {N: '{{ p }}'}, command: 'd = {}; d[N]=1'}]",
        // Of two entries of one name, that of the step counts.
        "env: {N: '{{ p }}'}\nsteps: [{id: a, shell: bash, env: {N: '1'}, command: 'echo $((N))'}]",
        "steps: [{id: a, shell: bash, env: {N: '{{ p }}'}, command: 'echo \"${#N}\"; [[ ${#N} -gt 3 ]]'}]",
    ] {
        assert_eq!(run(workflow, "any thing"), Ok(()), "{workflow}");
    }
    // Arguments are told apart: by function, and by number.
    for command in [
        "f() { (( $1 > 3 )); echo \"$2\"; }; f 5 {{ p }}",
        "f() { (( $1 > 3 )); }; g() { echo \"$1\"; }; f 5; g {{ p }}",
        "set -- {{ p }} 5; echo \"$1\"; (( $2 ))",
        "f() { echo \"$1\"; }; f {{ p }}; set -- 5; (( $1 ))",
        "f() { echo \"$@\" $#; }; (( $# > 3 )); f {{ p }}",
        "bash -c 'echo \"$1\" $(( $2 ))' sh {{ p }} 3",
        "z=1; f() { (( $2 )); }; f {{ p }} \"$z\"",
    ] {
        let workflow = format!("steps:\n- id: a\n  shell: bash\n  command: |\n    {command}\n");
        assert_eq!(run(&workflow, "any thing"), Ok(()), "{command}");
    }
    // What the author writes is the author's.
    assert_eq!(run("steps: [{id: a, shell: bash, env: {N: '1+1'}, command: 'echo $((N))'}]", ""), Ok(()));
}

#[test]
fn a_secret_is_not_calculated_with() {
    let workflow = "steps: [{id: a, shell: bash, env: {N: '{{ s }}'}, command: 'echo $((N))'}]";
    assert_eq!(codes(workflow), ["E022"]);
    assert_eq!(codes(&workflow.replace("$((N))", "$N")), [""; 0]);
}

#[test]
fn variables_that_shells_run_are_warned_about() {
    for workflow in [
        "steps: [{id: a, env: {BASH_ENV: '{{ p }}'}, command: x}]",
        "steps: [{id: a, env: {PS4: '{{ p }}'}, command: 'set -x; x'}]",
        "env: {PS4: '{{ p }}'}\nsteps: [{id: a, command: x}, {id: b, command: x}]",
        "steps: [{id: a, env: {N: '{{ p }}'}, command: 'eval \"$N\"'}]",
        "steps: [{id: a, env: {N: '{{ p }}'}, command: 'm=$N; ssh host \"df $m\"'}]",
        "steps: [{id: a, shell: bash, env: {N: '{{ p }}'}, command: 'echo \"${N@P}\"'}]",
    ] {
        assert_eq!(codes(workflow), ["W007"], "{workflow}");
    }
    for workflow in [
        "steps: [{id: a, env: {N: '{{ p }}'}, command: \"sh -c 'df \\\"$N\\\"'\"}]",
        "steps: [{id: a, env: {N: 'uptime'}, command: 'eval \"$N\"'}]",
        "steps: [{id: a, env: {N: '{{ p | sh }}'}, command: 'ssh host \"df $N\"'}]",
    ] {
        assert_eq!(codes(workflow), [""; 0], "{workflow}");
    }
}

#[test]
fn only_shells_that_leave_values_alone_have_templates() {
    for (shell, literal, template) in [
        ("/bin/sh", "", ""),
        ("bash", "", ""),
        ("ksh93", "", ""),
        ("/bin/mksh", "", "E014"),
        ("zsh", "", "E014"),
        ("fish", "", "E014"),
        ("/usr/bin/python3", "", "E014"),
        ("/bin/busybox", "E008", "E008"),
        ("''", "E008", "E008"),
        ("bash -e", "E008", "E008"),
    ] {
        for (command, code) in [("uptime", literal), ("echo {{ p }}", template)] {
            let found = codes(&format!("steps: [{{id: a, shell: {shell}, command: '{command}'}}]"));
            assert_eq!(found.join(" "), code, "{shell}: {command}");
        }
    }
}

#[test]
fn arguments_and_standard_input_that_shells_read_are_looked_at() {
    for (workflow, found) in [
        ("steps: [{id: a, argv: [sh, -c, 'echo {{ p }}']}]", &["E014"][..]),
        ("steps: [{id: a, argv: [sh, -c, 'echo {{ p | sh }}']}]", &[]),
        ("steps: [{id: a, argv: [sh, -c, '{{ p | raw }}']}]", &["W001"]),
        ("steps: [{id: a, argv: [ssh, h, df, '{{ p }}']}]", &["E014"]),
        ("steps: [{id: a, argv: [sh], stdin: 'echo {{ p }}'}]", &["W007"]),
        ("steps: [{id: a, argv: [sh], stdin: 'echo {{ p | sh }}'}]", &[]),
        ("steps: [{id: a, argv: [cat], stdin: 'echo {{ p }}'}]", &[]),
        ("steps: [{id: a, argv: [bash, -c, sh], stdin: 'echo {{ p }}'}]", &["W007"]),
        ("steps: [{id: a, argv: [bash, -c, 'eval \"$(cat)\"'], stdin: 'echo {{ p }}'}]", &["W007"]),
        ("steps: [{id: a, argv: [bash, -c, 'read n; echo $n'], stdin: '{{ p }}'}]", &[]),
        ("steps: [{id: a, command: 'bash -s', stdin: 'echo {{ p }}'}]", &["W007"]),
        ("steps: [{id: a, command: 'ssh h', stdin: \"echo '{{ p | sh }}'\"}]", &["E014"]),
        ("steps: [{id: a, command: 'cat | sh', stdin: '{{ s }}'}]", &["W007"]),
        ("steps: [{id: a, command: cat, stdin: 'echo {{ p }}'}]", &[]),
        ("steps: [{id: a, argv: [bash, -c, 'eval \"$X\"'], env: {X: '{{ p }}'}}]", &["W007"]),
        ("steps: [{id: a, argv: [bash, -c, 'echo $((X))'], env: {X: '{{ s }}'}}]", &["E022"]),
        ("steps: [{id: a, argv: [bash, -c, 'eval \"$1\"', sh, '{{ p }}']}]", &["W007"]),
        ("steps: [{id: a, argv: [bash, -c, 'eval \"$1\"; echo $2', sh, a, '{{ p }}']}]", &[]),
    ] {
        assert_eq!(codes(workflow), found, "{workflow}");
    }
    let calculates = "steps: [{id: a, argv: [bash, -c, 'echo $((X))'], env: {X: '{{ p }}'}}]";
    assert_eq!(run(calculates, "5"), Ok(()));
    let error = run(calculates, "a[$(reboot)]").unwrap_err();
    assert!(error.contains("env `X`: the value has to be an integer"), "{error}");
    let calculates = "steps: [{id: a, argv: [bash, -c, 'echo \"$1\" $(( $2 ))', sh, 'a {{ p }}', '{{ p }}']}]";
    assert_eq!(run(calculates, "5"), Ok(()));
    assert!(run(calculates, "a[$(reboot)]").unwrap_err().contains("argv: the value has to be an integer"));
    let other = "steps: [{id: a, argv: [bash, -c, 'echo \"$1\" $(( $2 ))', sh, '{{ p }}', '7']}]";
    assert_eq!(run(other, "any thing"), Ok(()));
    let source = "params: [p]\nsteps:\n  - argv: [sh, -c, 'echo {{ p }}']\n";
    let found = &load(source).diagnostics[0];
    assert_eq!((found.path.as_str(), found.line, found.column), ("steps[0].argv[2]", 3, 26));
    assert!(found.help.contains("argv: [sh, -c, 'echo \"$1\"', sh, "), "{found:?}");
}

/// A script can calculate with what it reads from its standard input, or with values that come on ways nobody sees.
#[test]
fn what_a_script_may_read_is_looked_at_together() {
    for workflow in [
        "steps: [{id: a, shell: bash, command: 'read -r n; echo $((n))', stdin: '{{ p }}'}]",
        "steps: [{id: a, argv: [bash, -c, 'read n; echo $((n))'], stdin: '{{ p }}'}]",
        "steps: [{id: a, command: 'while read -r a b; do [ $b -gt 3 ]; done', stdin: 'a {{ p }}'}]",
        "steps: [{id: a, shell: bash, command: 'n=$(printenv N); echo $((n))', env: {N: '{{ p }}'}}]",
        "env: {N: '{{ p }}'}\nsteps: [{id: a, shell: bash, command: 'f() { echo $N; }; n=$(f); echo $((n))'}]",
        "steps: [{id: a, argv: [bash, -c, 'f() { echo $1; }; n=$(f \"$1\"); echo $((n))', sh, '{{ p }}']}]",
    ] {
        assert_eq!(codes(workflow), [""; 0], "{workflow}");
        assert_eq!(run(workflow, "p$w or any [thing]"), Ok(()), "{workflow}");
        let error = run(workflow, "a[$(reboot)]").expect_err(workflow);
        assert!(error.contains("calculates with what it reads"), "{workflow}: {error}");
    }
    // What the definition itself says is no value.
    let literal = "steps: [{id: a, argv: [bash, -c, 'n=$(f); a[1]=$((n))', sh, '{{ p }}'], env: {N: 'a[$(x)]'}}]";
    assert_eq!(run(literal, "any thing"), Ok(()));
}

#[test]
fn arguments_are_no_options_that_run_commands() {
    for argv in ["ssh, '{{ p }}', uptime", "sudo, -n, ssh, -p, 22, '{{ p }}'", "bash, '{{ p }}'", "tar, -xf, '{{ p }}'"]
    {
        let workflow = format!("steps: [{{id: a, argv: [{argv}]}}]");
        assert_eq!(run(&workflow, "web"), Ok(()), "{argv}");
        let error = run(&workflow, "-oProxyCommand=reboot").expect_err(argv);
        assert!(error.contains("without a `-` at its start"), "{argv}: {error}");
    }
    for argv in
        ["ssh, --, '{{ p }}', uptime", "ssh, 'web-{{ p }}', uptime", "rm, '{{ p }}'", "bash, deploy.sh, '{{ p }}'"]
    {
        assert_eq!(run(&format!("steps: [{{id: a, argv: [{argv}]}}]"), "-x"), Ok(()), "{argv}");
    }
}
