//! Random values in random places of random scripts, run by real shells. A value never becomes code, wherever the tracker believes
//! it to be.

use super::{HOSTILE, run, scope};
use proptest::prelude::*;
use pulse_engine::template::{ShellTemplate, TemplateWarningKind};
use serde_json::json;

/// Text that is printed by the shell as it is, around a value, in one quoting.
fn quoted() -> impl Strategy<Value = (String, Vec<Option<String>>)> {
    let text = "[a-z ,.]{0,4}";
    prop_oneof![
        (text, text).prop_map(|(a, b)| (format!("\"{a}{{{{ x }}}}{b}\""), vec![Some(a), None, Some(b)])),
        (text, text).prop_map(|(a, b)| (format!("'{a}{{{{ x }}}}{b}'"), vec![Some(a), None, Some(b)])),
        Just(("{{ x }}".to_owned(), vec![None])),
        (text, text).prop_map(|(a, b)| (
            format!("\"{a}$(printf %s \"{{{{ x }}}}\"._)\"'{b}'"),
            vec![Some(a), None, Some(format!("._{b}"))]
        )),
        (text).prop_map(|a| (format!("\"{a}${{nope:-{{{{ x }}}}}}\""), vec![Some(a), None])),
        (text).prop_map(|a| (format!("\\'\\\"\"\\\"{a}\\\\\"{{{{ x }}}}"), vec![Some(format!("'\"\"{a}\\")), None])),
        "[a-z]{1,4}".prop_map(|a| (format!("{a}\\ b"), vec![Some(format!("{a} b"))])),
    ]
}

fn value() -> impl Strategy<Value = String> {
    let hostile = prop::sample::select(HOSTILE).prop_map(str::to_owned);
    let noise = prop::collection::vec(prop::sample::select(NOISE), 0..8).prop_map(|parts| parts.concat());
    prop_oneof![2 => hostile, 3 => noise, 1 => "[^\\x00]{0,12}"]
}

const NOISE: &[&str] = &[
    "'",
    "\"",
    "\\",
    "$",
    "`",
    "(",
    ")",
    "{",
    "}",
    "[",
    "]",
    ";",
    "&",
    "|",
    "<",
    ">",
    "#",
    "!",
    "*",
    "?",
    "~",
    "=",
    " ",
    "\t",
    "\n",
    "EOF",
    "touch canary",
    "$(touch canary)",
    "a",
    "0",
    "-",
    "${x}",
    "<<EOF",
    "ä",
];

/// The words joined into one argument, with the value in the places that are `None`.
fn expected(words: &[(String, Vec<Option<String>>)], value: &str) -> Vec<u8> {
    let mut bytes = Vec::new();
    for part in words.iter().flat_map(|(_, parts)| parts) {
        bytes.extend_from_slice(part.as_deref().unwrap_or(value).as_bytes());
    }
    bytes.push(0);
    bytes
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 60, failure_persistence: None, ..ProptestConfig::default() })]

    /// What a shell sees is exactly the text around the value and the value.
    #[test]
    fn words_are_exact(words in prop::collection::vec(quoted(), 1..5), value in value()) {
        let word: String = words.iter().map(|(source, _)| source.as_str()).collect();
        let (template, _) = ShellTemplate::parse(&format!("printf '%s\\0' {word}")).unwrap();
        let scope = scope(json!({"x": value}));
        let rendered = template.render(&scope).unwrap();
        let expected = expected(&words, &value);
        for shell in ["sh", "bash"] {
            prop_assert_eq!(&run(shell, &rendered.script, &rendered.env), &expected, "{} {}", shell, rendered.script);
        }
        let quoted = template.render_quoted(&scope).unwrap();
        prop_assert_eq!(&run("sh", &quoted, &[]), &expected, "{}", quoted);
    }

    /// Heredocs, with quoted and unquoted delimiters, around a value.
    #[test]
    fn heredocs_are_exact(
        quote in prop::sample::select(&["EOF", "'EOF'", "\"EOF\"", "\\EOF", "'E F'"][..]),
        lines in prop::collection::vec("[a-z'\"()}#;&|<> ]{0,6}", 0..3),
        special in prop::sample::select(&["$HOME `x` \\ \\\\ \\$ $(", "\\", "a\\b$", ""][..]),
        value in value(),
    ) {
        let delimiter = quote.trim_matches(['\'', '"', '\\']);
        let special = if quote == "EOF" { "" } else { special };
        let mut body: String = lines.iter().map(|line| format!("{line}\n")).collect();
        body.push_str(&format!("<{{{{ x }}}}>{special}\n"));
        let script = format!("cat <<{quote}\n{body}{delimiter}\nprintf '%s\\0' '{{{{ x }}}}'");
        let (template, _) = ShellTemplate::parse(&script).unwrap();
        let rendered = template.render(&scope(json!({"x": value}))).unwrap();
        let expected = format!("{}{value}\0", body.replace("{{ x }}", &value));
        for shell in ["sh", "bash"] {
            let seen = run(shell, &rendered.script, &rendered.env);
            prop_assert_eq!(String::from_utf8_lossy(&seen), expected.as_str(), "{} {}", shell, rendered.script);
        }
    }

    /// Scripts without any sense, which the tracker is bound to misread: no value runs, whatever else happens.
    #[test]
    fn no_value_runs_in_any_script(pieces in prop::collection::vec(prop::sample::select(PIECES), 1..14), value in prop::sample::select(CODE)) {
        let script = pieces.concat();
        let Ok((template, warnings)) = ShellTemplate::parse(&script) else { return Ok(()) };
        // That is what the warning says.
        let warned = warnings.iter().any(|warning| warning.kind == TemplateWarningKind::NestedShell);
        if warned && script.contains("bash -c") {
            return Ok(());
        }
        let scope = scope(json!({"x": value}));
        let Ok(rendered) = template.render(&scope) else { return Ok(()) };
        let quoted = template.render_quoted(&scope).unwrap();
        for (script, env) in [(&rendered.script, &rendered.env[..]), (&quoted, &[])] {
            for shell in ["sh", "bash"] {
                prop_assert!(!leaves_a_canary(shell, script, env), "{} ran {:?} in {}", shell, value, script);
            }
        }
    }

    /// A value without anything special gives what its text in its place would give: the tracker knows the place. And values with
    /// everything special in them stay whole, so that a script prints the same with the value in each place.
    #[test]
    fn the_tracker_knows_the_place(script in script()) {
        let (template, _) = ShellTemplate::parse(&script).unwrap();
        let rendered = template.render(&scope(json!({"x": 7}))).unwrap();
        let text = script.replace("{{ x }}", "7");
        for shell in ["sh", "bash"] {
            let expected = output(shell, &text, &[]);
            prop_assert!(expected.is_some(), "{} cannot run {}", shell, text);
            prop_assert_eq!(&output(shell, &rendered.script, &rendered.env), &expected, "{} {}", shell, script);
            let special = "a  *'\"\\b$(touch canary)`";
            if script.contains("$((") {
                continue;
            }
            let rendered = template.render(&scope(json!({"x": special}))).unwrap();
            let seen = output(shell, &rendered.script, &rendered.env);
            prop_assert_eq!(seen, expected.map(|e| e.replace('7', special)), "{} {}", shell, rendered.script);
        }
    }

    /// No text makes the parser panic.
    #[test]
    fn any_text(pieces in prop::collection::vec(prop_oneof![prop::sample::select(PIECES).prop_map(str::to_owned), "\\PC{0,3}"], 0..20)) {
        let script = pieces.concat();
        if let Ok((template, warnings)) = ShellTemplate::parse(&script) {
            let _ = template.render(&scope(json!({"x": "1"})));
            prop_assert!(warnings.iter().all(|w| script.is_char_boundary(w.offset)));
        }
    }
}

pub(super) const PIECES: &[&str] = &[
    "{{ x }}",
    "{{ x }}",
    "{{ x }}",
    "{{ x | sh }}",
    "'",
    "\"",
    "`",
    "\\",
    "$(",
    ")",
    "(",
    "((",
    "))",
    "$((",
    "${a:-",
    "${a#",
    "${a[",
    "]",
    "}",
    "{ ",
    "<<E",
    "<<'E'",
    "<<-\"E\"",
    "\nE\n",
    "\n",
    ";",
    " ",
    " ",
    "#",
    "case a in ",
    "a) ",
    ";;",
    " esac ",
    "[[ ",
    " ]]",
    " -eq ",
    "$'",
    "$\"",
    "&&",
    "|",
    "<",
    ">/dev/null",
    "echo ",
    "printf ",
    "a=",
    "a[",
    "=",
    "let ",
    "declare ",
    "-a ",
    "-i ",
    "y=",
    "$((y",
    "read ",
    "printf -v",
    ">&",
    "${PATH:",
    "([",
    "unset ",
    "test -v ",
    "if ",
    "then ",
    "fi ",
    "for i in ",
    "do ",
    "done ",
    "<(",
    "<<<",
    "$[",
    "\t",
    "f() { ",
    "; }; ",
    "f ",
    "$(( $1 ))",
    "${1}",
    "\"$@\"",
    "set -- ",
    "shift; ",
    "bash -c '",
    "' sh ",
];

pub(super) const CODE: &[&str] = &[
    "'; touch canary; #",
    "\"; touch canary; #",
    "$(touch canary)",
    "`touch canary`",
    "; touch canary;",
    "\ntouch canary\n",
    "a[$(touch canary)]",
    "\nE\ntouch canary\n",
    ")touch canary",
    "}; touch canary",
    "x=$(touch canary)",
    "& touch canary",
    "| touch canary",
    "'\"$(touch canary)\"'",
];

/// A script that shells can run, and that prints the value from places as deep as it gets.
fn script() -> impl Strategy<Value = String> {
    let simple = prop::sample::select(
        &[
            "{{ x }}",
            "a{{ x }}b",
            "'s {{ x }}'",
            "\"d {{ x }}\"",
            "\\'",
            "\"it's \\\"{{ x }}\"",
            "'\"'",
            "a#b",
            "\\#{{ x }}",
        ][..],
    );
    let word = prop_oneof![
        4 => simple.prop_map(str::to_owned),
        // Its output is split into words, so no special value may be in it.
        1 => Just("`printf '<%s>' \"$(printf a)\" '$((1))'`".to_owned()),
        1 => Just("$((1+{{ x }}))".to_owned()),
        1 => Just("\"$(( (1) << 2 ))\"".to_owned()),
    ];
    let command = prop::collection::vec(word, 1..4).prop_map(|words| format!("printf '<%s>' {}", words.join(" ")));
    command.prop_recursive(4, 24, 3, |inner| {
        prop_oneof![
            (inner.clone(), inner.clone()).prop_map(|(a, b)| format!("{a}\n{b}")),
            (inner.clone(), inner.clone()).prop_map(|(a, b)| format!("{a}\n: {{{{ x }}}} # it's {{{{ x }}}} \"\n{b}")),
            inner.clone().prop_map(|a| format!("printf '<%s>' \"'$( {a}\n)\" {{{{ x }}}}")),
            inner.clone().prop_map(|a| format!("printf '<%s>' \"$( {a}\n)\"'{{{{ x }}}}'")),
            inner
                .clone()
                .prop_map(|a| format!("printf '<%s>' \"${{nope:-{{{{ x }}}}$( {a}\n)}}\" ${{nope:-'{{{{ x }}}}'}}")),
            (inner.clone(), inner.clone()).prop_map(|(a, b)| format!(
                "case {{{{ x }}}} in\n '{{{{ x }}}}') {a}\n;; (\"b\"|c) ;; *) {b}\n;;\nesac"
            )),
            inner
                .clone()
                .prop_map(|a| format!("v=\"$(case \"{{{{ x }}}}\" in a) ;; *) {a}\n;; esac)\"; printf %s \"$v\"")),
            inner.clone().prop_map(|a| format!("( {a}\n)")),
            inner.clone().prop_map(|a| format!("f() {{ {a}\n}}\nf")),
            inner.clone().prop_map(|a| format!("for i in {{{{ x }}}} 'b'; do\n{a}\ndone")),
            inner.clone().prop_map(|a| format!("if [ -n '{{{{ x }}}}' ]; then {a}\nfi")),
            inner.clone().prop_map(|a| format!(
                "cat <<E1_{n}; printf %s '{{{{ x }}}}'\nit's \"{{{{ x }}}}\nE1_{n}\n{a}",
                n = a.len()
            )),
            inner
                .clone()
                .prop_map(|a| format!("cat <<'E 2_{n}'\nit's $a `{{{{ x }}}} \\\\ \nE 2_{n}\n{a}", n = a.len())),
            inner.clone().prop_map(|a| format!("cat <<E3_{n}\n\"$( {a}\n){{{{ x }}}}\nE3_{n}", n = a.len())),
            inner.prop_map(|a| format!(
                "printf %s \"$(cat <<-\"E4_{n}\"\n\t{{{{ x }}}}'\n\tE4_{n}\n)\"\n{a}",
                n = a.len()
            )),
        ]
    })
}

/// Standard output of a script that may be nonsense; `None` if the shell complains.
fn output(shell: &str, script: &str, env: &[(String, String)]) -> Option<String> {
    let directory = tempfile::tempdir().unwrap();
    let mut command = std::process::Command::new("timeout");
    command
        .args(["-s", "KILL", "2", shell, "-c", script])
        .env_clear()
        .env("PATH", "/usr/bin:/bin")
        .current_dir(directory.path());
    command.envs(env.iter().map(|(name, value)| (name, value))).stdin(std::process::Stdio::null());
    let output = command.output().unwrap();
    output.stderr.is_empty().then(|| String::from_utf8_lossy(&output.stdout).into_owned())
}

/// Runs a script that may be nonsense, with a time limit, and looks whether it made the file.
pub(super) fn leaves_a_canary(shell: &str, script: &str, env: &[(String, String)]) -> bool {
    let directory = tempfile::tempdir().unwrap();
    let mut command = std::process::Command::new("timeout");
    command
        .args(["-s", "KILL", "2", shell, "-c", script])
        .env_clear()
        .env("PATH", "/usr/bin:/bin")
        .current_dir(directory.path());
    command.envs(env.iter().map(|(name, value)| (name, value))).stdin(std::process::Stdio::null());
    command.output().unwrap();
    directory.path().join("canary").exists()
}
