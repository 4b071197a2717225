//! Programs without a shell before them that are one, or hand text to one; and shells that read standard input.

use super::canary::{CODE, PIECES, leaves_a_canary};
use super::{HOSTILE, scope};
use proptest::prelude::*;
use pulse_engine::template::{Template, TemplateWarningKind, arguments};
use serde_json::json;
use std::io::Write;
use std::process::{Command, Stdio};

fn templates(argv: &[&str]) -> Vec<Template> {
    argv.iter().map(|source| Template::parse(source).unwrap()).collect()
}

/// How many values are refused in these arguments.
fn refused(argv: &[&str]) -> usize {
    arguments(&templates(argv)).errors.len()
}

#[test]
fn values_in_the_script_of_a_shell_are_refused() {
    let accepted: Vec<&[&str]> = [
        &["sh", "-c", "echo {{ x }}"][..],
        &["/bin/bash", "-ec", "echo '{{ x }}'"],
        &["bash", "-o", "pipefail", "-c", "echo \"{{ x }}\""],
        &["dash", "-e", "-c", "{{ x }}", "sh", "a"],
        &["env", "A=b", "sh", "-c", "echo {{ x }}"],
        &["env", "-S", "sh -c {{ x }}"],
        &["env", "-Ssh -c {{ x | sh }}"],
        &["sudo", "-u", "app", "sh", "-c", "echo {{ x }}"],
        &["sudo", "sh", "-euxc", "echo {{ x }}"],
        &["timeout", "5", "bash", "-c", "echo {{ x }}"],
        &["docker", "exec", "web", "sh", "-c", "echo {{ x }}"],
        &["kubectl", "exec", "web", "--", "/bin/sh", "-c", "echo {{ x }}"],
        &["su", "app", "-c", "echo {{ x }}"],
        &["su", "app", "--command=echo {{ x }}"],
        &["flock", "f", "-c", "echo {{ x }}"],
        &["watch", "-n", "1", "df {{ x }}"],
        &["xargs", "sh", "-c", "echo {{ x }}"],
        &["zsh", "-c", "echo {{ x }}"],
        &["fish", "-c", "echo {{ x }}"],
        &["ssh", "db-01", "df {{ x }}"],
        &["ssh", "-p", "22", "db-01", "df", "-h", "{{ x }}"],
        &["ssh", "-o", "ProxyCommand=nc {{ x }} 22", "db-01", "uptime"],
        &["ssh", "-oProxyCommand=nc {{ x }} 22", "db-01", "uptime"],
        &["sshpass", "-p", "a", "ssh", "db-01", "df", "{{ x }}"],
        // Quoted, but not where that counts.
        &["sh", "-c", "echo '{{ x | sh }}'"],
        &["sh", "-{{ x }}", "ls"],
        &["sh", "-c", "echo \"{{ x | sh }}\""],
        &["sh", "-c", "cat <<E\n{{ x | sh }}\nE"],
        &["sh", "-c", "sh -c \"echo {{ x | sh }}\""],
        &["sh", "-c", "echo $(( {{ x | sh }} ))"],
        &["sh", "-c", "n={{ x | sh }}; echo $(( n ))"],
        &["sh", "-c", "[ {{ x | sh }} -eq 1 ]"],
        &["sh", "-c", "unset {{ x | sh }}"],
        &["fish", "-c", "echo {{ x | sh }}"],
        &["ssh", "db-01", "grep '{{ x | sh }}' /f"],
    ]
    .into_iter()
    .filter(|argv| refused(argv) != 1)
    .collect();
    assert!(accepted.is_empty(), "{accepted:#?}");
    assert_eq!(refused(&["ssh", "h", "a {{ x }}", "{{ x | sh }}", "{{ x }}"]), 2);
}

#[test]
fn values_elsewhere_are_data() {
    let wrong: Vec<&[&str]> = [
        &["echo", "{{ x }}"][..],
        &["sh", "-c", "echo \"$1\"", "sh", "{{ x }}"],
        &["bash", "-ec", "echo {{ x | sh }}", "bash", "{{ x }}"],
        &["bash", "/opt/script.sh", "-c", "{{ x }}"],
        &["grep", "-e", "sh", "-c", "{{ x }}", "f"],
        &["ssh", "{{ x }}", "uptime"],
        &["ssh", "-i", "{{ x }}", "db-01", "uptime"],
        &["ssh", "db-01", "df", "{{ x | sh }}"],
        &["docker", "run", "--name", "bash", "-c", "{{ x }}", "alpine"],
        &["env", "A={{ x }}", "printenv", "A"],
        &["sudo", "-u", "{{ x }}", "id"],
        &["sh", "-s", "{{ x }}"],
    ]
    .into_iter()
    .filter(|argv| refused(argv) != 0)
    .collect();
    assert!(wrong.is_empty(), "{wrong:#?}");
    // Only a piece of code that the author sets.
    let handed = arguments(&templates(&["sh", "-c", "{{ x | raw }}"]));
    assert!(handed.errors.is_empty());
    assert_eq!(handed.warnings[0].1.kind, TemplateWarningKind::Raw);
}

#[test]
fn what_a_shell_reads_from_standard_input_is_a_script() {
    let input = |argv: &[&str]| arguments(&templates(argv)).input;
    for argv in [
        &["sh"][..],
        &["bash", "-s", "{{ x }}"],
        &["sudo", "bash"],
        &["ssh", "db-01"],
        &["ssh", "db-01", "bash -s"],
        &["docker", "exec", "-i", "web", "sh"],
        &["su", "app"],
    ] {
        let input = input(argv).unwrap_or_else(|| panic!("{argv:?}"));
        let text = |source: &str| {
            let (errors, warnings) = input.text(&Template::parse(source).unwrap());
            (errors.len(), warnings.iter().map(|warning| warning.kind).collect::<Vec<_>>())
        };
        assert_eq!(text("echo {{ x }}\n"), (0, vec![TemplateWarningKind::NestedShell]));
        assert_eq!(text("echo {{ x | sh }}\n"), (0, vec![]));
        assert_eq!(text("echo '{{ x | sh }}'\n"), (1, vec![]));
        assert_eq!(text("echo $(( {{ x | sh }} ))\n"), (1, vec![]));
        assert_eq!(text("{{ x | raw }}\n"), (0, vec![TemplateWarningKind::Raw]));
    }
    for argv in [&["cat"][..], &["sh", "-c", "cat"], &["bash", "script.sh"], &["ssh", "db-01", "cat"]] {
        assert_eq!(input(argv), None, "{argv:?}");
    }
    let (errors, _) = input(&["fish"]).unwrap().text(&Template::parse("echo {{ x | sh }}").unwrap());
    assert_eq!(errors.len(), 1);
}

#[test]
fn scripts_say_whether_they_run_their_standard_input() {
    let runs = |source: &str| super::parse(source).0.input().is_some();
    let silent: Vec<&str> = [
        "sh",
        "bash -s a b",
        "cd /srv && sudo bash",
        "ssh db-01",
        "ssh db-01 bash -s",
        "cat | sh",
        "tr -d x | sudo sh",
        "eval \"$(cat)\"",
        "read -r line; eval \"$line\"",
        "x=$(cat); sh -c \"$x\"",
        ". /dev/stdin",
        "source <(cat)",
        "if true; then bash; fi",
        "(bash)",
        "bash 2> log",
    ]
    .into_iter()
    .filter(|source| !runs(source))
    .collect();
    let loud: Vec<&str> = [
        "cat",
        "sh -c 'cat'",
        "bash script.sh",
        "echo ls | sh",
        "curl -s x | bash",
        "bash < f",
        "bash <<E\nls\nE",
        "bash <<< ls",
        "ssh db-01 cat",
        "read -r line; echo \"$line\"",
        "tee f; bash f",
    ]
    .into_iter()
    .filter(|source| runs(source))
    .collect();
    assert!(silent.is_empty() && loud.is_empty(), "not seen: {silent:#?}\nseen: {loud:#?}");
}

/// What a program prints, run in an empty directory that stays empty.
fn output(argv: &[String], input: &str) -> String {
    let directory = tempfile::tempdir().unwrap();
    let mut command = Command::new(&argv[0]);
    command.args(&argv[1..]).env_clear().env("PATH", "/usr/bin:/bin").env("LC_ALL", "C.UTF-8");
    command.current_dir(directory.path()).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().unwrap();
    child.stdin.take().unwrap().write_all(input.as_bytes()).unwrap();
    let output = child.wait_with_output().unwrap();
    assert_eq!(std::fs::read_dir(directory.path()).unwrap().count(), 0, "{argv:?} ran something from {input:?}");
    assert!(output.stderr.is_empty(), "{argv:?} {input:?}: {}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap()
}

/// What is accepted is one word in real shells, whatever it holds.
#[test]
fn accepted_values_are_data_in_real_shells() {
    for value in HOSTILE {
        let scope = scope(json!({"x": value}));
        let render = |source: &str| Template::parse(source).unwrap().render_text(&scope).unwrap();
        for argv in [
            &["sh", "-c", "printf '<%s>' {{ x | sh }}"][..],
            &["bash", "-ec", "printf '<%s>' {{ x | sh }} | cat"],
            &["sh", "-c", "printf '<%s>' \"$1\"", "sh", "{{ x }}"],
            &["env", "A=b", "bash", "-c", "f() { printf '<%s>' {{ x | sh }}; }; f"],
        ] {
            assert_eq!(refused(argv), 0);
            let argv: Vec<String> = argv.iter().map(|source| render(source)).collect();
            assert_eq!(output(&argv, ""), format!("<{value}>"), "{argv:?}");
        }
        // As ssh hands its arguments to the shell there.
        let remote = ["ssh", "h", "printf", "'<%s>'", "{{ x | sh }}"];
        assert_eq!(refused(&remote), 0);
        let joined = remote[2..].iter().map(|source| render(source)).collect::<Vec<_>>().join(" ");
        assert_eq!(output(&["sh".into(), "-c".into(), joined], ""), format!("<{value}>"));
        for shell in ["sh", "bash"] {
            let input = render("printf '<%s>' {{ x | sh }}\n");
            assert_eq!(output(&[shell.into()], &input), format!("<{value}>"), "{shell} {input:?}");
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(200) })]

    /// Scripts without any sense in an argument, or in standard input: where a value is accepted, it does not run.
    #[test]
    fn no_accepted_value_runs(
        pieces in prop::collection::vec(prop::sample::select(PIECES), 1..10),
        value in prop::sample::select(CODE),
    ) {
        let source = pieces.concat().replace("{{ x }}", "{{ x | sh }}");
        let Ok(template) = Template::parse(&source) else { return Ok(()) };
        let script = template.render_text(&scope(json!({"x": value}))).unwrap();
        for shell in ["sh", "bash"] {
            let argv = templates(&[shell, "-c", &source]);
            let handed = arguments(&argv);
            let input = arguments(&argv[..1]).input.unwrap();
            if handed.errors.is_empty() || input.text(&template).0.is_empty() {
                prop_assert!(!leaves_a_canary(shell, &script, &[]), "{} ran {:?} in {}", shell, value, source);
            }
        }
    }
}
