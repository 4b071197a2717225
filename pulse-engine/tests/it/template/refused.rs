//! Places where no value can be, and values that do not fit their place.

use super::{parse, render, scope};
use pulse_engine::template::{RenderErrorKind, ShellTemplate};
use serde_json::json;

#[test]
fn places_without_a_reference() {
    for (source, offset, help) in [
        ("echo \\{{ x }}", 5, "backslash"),
        ("echo \"\\{{ x }}\"", 6, "backslash"),
        ("cat <<E\n\\{{ x }}\nE", 8, "backslash"),
        ("echo ${{ x }}", 5, "\\$"),
        ("echo \"${{ x }}\"", 6, "\\$"),
        ("echo ${{{ x }}}", 7, "without ${ }"),
        ("echo ${!{{ x }}}", 8, "without ${ }"),
        ("echo ${a{{ x }}}", 8, "without ${ }"),
        ("cat <<{{ x }}\nE", 6, ""),
        ("flags[1<<2]=on\necho {{ x }}", 7, ""),
        ("flags=([1<<2]=on)\necho {{ x }}", 9, ""),
        ("echo \"`echo {{ x }}`\"", 12, "$( )"),
        ("echo `echo \\`echo {{ x }}\\``", 18, "$( )"),
        ("cat <<E\n`echo {{ x }}`\nE", 14, "$( )"),
        ("echo `cat <<'E'\n{{ x }}\nE\n`", 16, "$( )"),
        ("echo `cat <<E\n{{ x }}\nE\n`", 14, "$( )"),
    ] {
        let errors = ShellTemplate::parse(source).map(|_| ()).expect_err(source);
        assert_eq!(errors[0].offset, offset, "{source}: {errors:?}");
        assert!(errors[0].help.as_deref().unwrap_or_default().contains(help), "{source}: {errors:?}");
    }
}

/// Characters that stand for something else in the tracker's words are nothing special in a script.
#[test]
fn control_characters() {
    let errors = ShellTemplate::parse("echo {{ x }}\0").expect_err("no program can be started with it");
    assert_eq!((errors.len(), errors[0].offset), (1, 12), "{errors:?}");
    assert!(errors[0].message.contains("NUL"), "{errors:?}");
    for source in ["\u{1}", "\u{1} {{ x }}", "ssh \u{1} \u{1}{{ x | sh }}", "a=\u{1} \u{1} -c {{ x | sh }}", "\u{1}=1"]
    {
        ShellTemplate::parse(source).expect(source);
    }
    // A variable beside what `ssh` is to run, and in it.
    for source in [
        "ssh h $a 'b c'",
        "ssh h \"$a b\"",
        "ssh h \"b $a\" $SHELL",
        "ssh h \"$SHELL -s\"",
        "ssh h \"{{ x | sh }} $a\"",
    ] {
        ShellTemplate::parse(source).expect(source);
    }
    ShellTemplate::parse("ssh db \"\u{1}'{{ x | sh }}'\"").expect_err("it stands in the second shell's quotes");
}

#[test]
fn raw_may_stand_anywhere() {
    for (source, script) in [
        ("echo \\{{ x | raw }}", "echo \\y"),
        ("echo ${{{ x | raw }}}", "echo ${y}"),
        ("echo ${{ x | raw }}", "echo $y"),
        ("echo `echo \\`echo {{ x | raw }}\\``", "echo `echo \\`echo y\\``"),
    ] {
        assert_eq!(render(source, json!({"x": "y"})).script, script);
    }
}

/// Bash calculates with these values, and in a calculation runs what stands in an array index.
#[test]
fn arithmetic_takes_only_integers() {
    for source in [
        "echo $(( {{ x }} + 1 ))",
        "echo $((1+\"{{ x }}\"))",
        "echo $(( ${nope:-{{ x }}} ))",
        "(( {{ x }} > 1 ))",
        "for (( i = {{ x }}; i < 3; i++ )); do :; done",
        "echo $[ {{ x }} ]",
        "[[ {{ x }} -eq 3 ]]",
        "[[ 3 -lt '{{ x }}' ]]",
        "[[ -n a && ( \"{{ x }}\" -ge 3 ) ]]",
        "if [[ a == b || {{ x }} -eq 3 ]]; then :; fi",
        "echo ${a[{{ x }}]}",
        "echo \"${a[{{ x }}]}\"",
        "a[{{ x }}]=1",
        "a['{{ x }}']=1",
        "a[{{ x }}]+=1 true",
        "echo ${PATH:{{ x }}}",
        "echo ${PATH:1:{{ x }}}",
        "let y={{ x }}",
        "let \"y = {{ x }}\"",
        "declare -i y={{ x }}",
        "echo \"$(( {{ x }} ))\"",
        "echo $(echo $(( {{ x }} )))",
    ] {
        let (template, _) = parse(source);
        for good in [json!(7), json!("-12"), json!("+3")] {
            assert!(template.render(&scope(json!({"x": good}))).is_ok(), "{source}");
        }
        for bad in [
            json!("a[$(touch canary)]"),
            json!("1+1"),
            json!(""),
            json!(1.5),
            json!("x"),
            json!("0x10"),
            json!(" 1"),
            json!("1\n"),
        ] {
            let error = template.render(&scope(json!({"x": bad}))).expect_err(source);
            assert_eq!(error.kind, RenderErrorKind::Value, "{source}");
            assert!(error.message.contains("{{ x }}") && error.message.contains("integer"), "{error}");
        }
    }
}

/// A name of a variable can carry an array index.
#[test]
fn names_of_variables_are_names() {
    for source in [
        "unset {{ x }}",
        "unset -v \"{{ x }}\"",
        "read {{ x }}",
        "read -r {{ x }}",
        "export {{ x }}=1",
        "declare '{{ x }}=1'",
        "printf -v {{ x }} 1",
        "[ -v {{ x }} ]",
        "test -v '{{ x }}'",
        "[[ -v {{ x }} ]]",
    ] {
        let (template, _) = parse(source);
        let result = template.render(&scope(json!({"x": "a[$(touch canary)]"})));
        assert_eq!(result.expect_err(source).kind, RenderErrorKind::Value);
        assert!(template.render(&scope(json!({"x": "name_1"}))).is_ok(), "{source}");
    }
}

#[test]
fn what_is_only_nearly_arithmetic_takes_anything() {
    for source in [
        "export A={{ x }}",
        "declare v={{ x }}",
        "read -p {{ x }} v",
        "[ {{ x }} -eq 3 ]",
        "shift {{ x }}",
        "n={{ x }}; [[ ${#n} -gt 3 ]] && echo ${n:0:1}",
        "n={{ x }}; m=${n//[^0-9]/}; echo $((m))",
        "n=$(wc -l < {{ x }}); [[ $n -gt 3 ]]",
        "n=$(grep -c {{ x }} f); (( n > 3 ))",
        "n=$(echo {{ x }} | wc -c); (( n > 3 ))",
        "echo {{ x }}; for i in 1 2; do echo $i; done | while read n; do (( n > 1 )); done",
        "n=1; echo {{ x }}; (( n > 1 ))",
        "for f in {{ x }} *; do (( n++ )); done",
        "a=({{ x }}); echo ${#a[@]} ${a[0]} ${!a[@]}",
        "a=(echo eval {{ x }}); \"${a[@]}\"",
        "read -r line <<< {{ x }}; echo \"$line\"",
        "declare -A m; m[{{ x }}]=1; echo \"${m[{{ x }}]}\"",
        "declare -A m=(); key={{ x }}; m[$key]=1; echo ${m[$key]}",
        "declare -A m\nm=([{{ x }}]=1 ['{{ x }}']=2)\nfor k in \"${!m[@]}\"; do echo $k; done",
        "typeset -A m; if true; then m[{{ x }}]=1; fi",
        "[[ {{ x }} == 3 ]]",
        "[[ {{ x }} == 3 && 1 -eq 1 ]]",
        "echo $(( $(echo {{ x }} | wc -c) ))",
        "echo a[{{ x }}]",
        "read -p {{ x }} -d '{{ x }}' v",
    ] {
        let (template, _) = ShellTemplate::parse_for(source, "/usr/bin/bash").unwrap();
        assert!(template.render(&scope(json!({"x": "any thing"}))).is_ok(), "{source}");
    }
}

/// `sh` and `ksh` may be shells that calculate in more places than Bash and dash do: mksh runs the value in each of these.
#[test]
fn a_shell_that_is_not_known_may_calculate_anywhere() {
    for source in [
        "[ {{ x }} -gt 3 ]",
        "test 1 -lt {{ x }}",
        "if [ \"{{ x }}\" -ge 80 ]; then :; fi",
        "n={{ x }}; [ \"$n\" -gt 1 ]",
        "integer n={{ x }}",
        "integer n; n={{ x }}",
        "shift {{ x }}",
        "SECONDS={{ x }}",
        "read -u {{ x }} n",
        "typeset -A m; m[{{ x }}]=1",
    ] {
        for shell in ["/bin/sh", "ksh"] {
            let (template, _) = ShellTemplate::parse_for(source, shell).unwrap();
            assert!(template.render(&scope(json!({"x": 7}))).is_ok(), "{source}");
            let error = template.render(&scope(json!({"x": "a[$(touch canary)]"}))).expect_err(source);
            assert_eq!(error.kind, RenderErrorKind::Value, "{source}");
        }
    }
    for source in ["ulimit -n {{ x }}", "nameref r={{ x }}"] {
        let (template, _) = parse(source);
        assert!(template.render(&scope(json!({"x": "unlimited"}))).is_ok(), "{source}");
        assert!(template.render(&scope(json!({"x": "a[$(touch canary)]"}))).is_err(), "{source}");
    }
    for source in ["[ {{ x }} = a ]", "[ -n {{ x }} ]", "exit 3; echo {{ x }}", "n={{ x }}; [ ${#n} -gt 3 ]"] {
        assert!(parse(source).0.render(&scope(json!({"x": "any thing"}))).is_ok(), "{source}");
    }
}

#[test]
fn values_a_command_cannot_be_given() {
    let (template, _) = parse("echo {{ x }} {{ y }}");
    let nul = template.render(&scope(json!({"x": "a\u{0}b", "y": 1}))).unwrap_err();
    assert_eq!((nul.kind, nul.expression.as_str()), (RenderErrorKind::Value, "x"));
    assert!(nul.message.contains("NUL") && nul.help.as_deref().unwrap().contains("stdin"));
    let long = template.render(&scope(json!({"x": 1, "y": "z".repeat(120 * 1024 + 1)}))).unwrap_err();
    assert_eq!((long.kind, long.expression.as_str()), (RenderErrorKind::TooLong, "y"));
    assert!(long.help.as_deref().unwrap().contains("stdin"));
    assert!(template.render(&scope(json!({"x": 1, "y": "z".repeat(120 * 1024)}))).is_ok());
    let missing = template.render(&scope(json!({"x": 1}))).unwrap_err();
    assert_eq!((missing.kind, missing.expression.as_str()), (RenderErrorKind::Missing, "y"));
    let raw = parse("echo {{ x | raw }}").0.render(&scope(json!({"x": "a\u{0}"}))).unwrap_err();
    assert_eq!(raw.kind, RenderErrorKind::Value);
    let both = scope(json!({"x": "a".repeat(70 * 1024), "y": "b".repeat(70 * 1024)}));
    assert_eq!(template.render_quoted(&both).unwrap_err().kind, RenderErrorKind::TooLong);
    assert!(template.render(&both).is_ok());
}

#[test]
fn hostile_scripts_are_tracked_quickly() {
    for piece in [
        "$((",
        "$(",
        "${",
        "((",
        "`",
        "\"",
        "'",
        "\\",
        "cat <<A\n",
        "cat <<'A'\n{{x}}\nA\n",
        "{{{{",
        "case x in (",
        "[[ ",
        "$'",
        "{{x}}",
        "a[",
        "<<-'",
    ] {
        let script = piece.repeat(60_000 / piece.len());
        let start = std::time::Instant::now();
        let _ = ShellTemplate::parse(&script);
        assert!(start.elapsed().as_secs() < 30, "{piece}: {:?}", start.elapsed());
    }
}

/// What ends a heredoc's delimiter for the shell ends it here: a carriage return does not, nor a space that is none.
#[test]
fn delimiters_end_where_the_shell_ends_them() {
    for end in ["\r", "\u{a0}", "\u{b}", ""] {
        let source = format!("cat <<EOF{end} >/dev/null\nhi\nEOF{end}\nif (( {{{{ x }}}} > 1 )); then echo yes; fi");
        let (template, warnings) = ShellTemplate::parse_for(&source, "bash").unwrap();
        assert!(warnings.is_empty(), "{warnings:?}");
        let refused = template.render(&scope(json!({"x": "a[$(touch HIT)]"}))).expect_err(&source);
        assert_eq!(refused.kind, RenderErrorKind::Value, "{refused:?}");
    }
}

/// An option of these programs can run a command.
#[test]
fn no_value_is_an_option_that_runs_commands() {
    let taken: Vec<&str> = [
        "ssh {{ x }} uptime",
        "ssh -p 22 {{ x }} uptime",
        "ssh -tt -i key \"{{ x }}\"",
        "sudo ssh {{ x }}",
        "h={{ x }}; ssh \"$h\" uptime",
        "f() { ssh \"$1\" uptime; }; f {{ x }}",
        "for h in {{ x }}; do ssh $h uptime; done",
        "bash -c 'ssh \"$1\" uptime' sh {{ x }}",
        "bash {{ x }}",
        "python3 -u {{ x }}",
        "perl '{{ x }}'",
        "tar -xf {{ x }}",
        "find {{ x }} -name core",
        "rsync -a {{ x }} /srv/",
        "sed s/a/b/ {{ x }}",
        "su {{ x }}",
        "sudo apt-get install -y {{ x }}",
        "git clone {{ x }}",
        "git -C /srv checkout {{ x }}",
        "psql {{ x }}",
        "rpm -q {{ x }}",
    ]
    .into_iter()
    .filter(|source| parse(source).0.render(&scope(json!({"x": "-oProxyCommand=x"}))).is_ok())
    .collect();
    let refused: Vec<&str> = [
        "ssh -- {{ x }} uptime",
        "ssh web-{{ x }} uptime",
        "ssh -p {{ x }} web",
        "bash deploy.sh {{ x }}",
        "python3 -m http.server {{ x }}",
        "find /srv -mtime {{ x }}",
        "git log -- {{ x }}",
        "rm {{ x }}",
        "echo {{ x }}",
        "kill {{ x }} 1",
        "env A={{ x }} cmd",
        "h={{ x }}; ssh -- \"$h\" uptime",
        "awk '{ print }' {{ x }}",
    ]
    .into_iter()
    .filter(|source| parse(source).0.render(&scope(json!({"x": "-7"}))).is_err())
    .collect();
    assert!(taken.is_empty() && refused.is_empty(), "taken: {taken:#?}\nrefused: {refused:#?}");
    let error = parse("ssh {{ x }}").0.render(&scope(json!({"x": "-oProxyCommand=x"}))).unwrap_err();
    assert!(error.message.contains("{{ x }}") && error.message.contains("`ssh`"), "{error}");
    assert!(error.help.as_deref().unwrap_or_default().contains("`--`"), "{error:?}");
}
