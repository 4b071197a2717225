//! Text that a second shell reads: where a value is warned about, and where `| sh` is refused.

use super::{HOSTILE, parse, render, run};
use pulse_engine::template::{ShellTemplate, TemplateWarningKind};
use serde_json::json;

fn warns(source: &str) -> bool {
    parse(source).1.iter().any(|warning| warning.kind == TemplateWarningKind::NestedShell)
}

#[test]
fn quoted_for_the_second_shell_only_where_it_stands_bare() {
    let mut wrong = Vec::new();
    for source in [
        "ssh db-01 \"grep -r '{{ p | sh }}' /srv/app\"",
        "sh -c \"printf '%s' '{{ p | sh }}'\"",
        "sh -c 'echo \"{{ p | sh }}\"'",
        "sh -c \"echo \\\"{{ p | sh }}\\\"\"",
        "sh -c \"cat <<E\n{{ p | sh }}\nE\"",
        "sh -c \"# {{ p | sh }}\"",
        "bash -c 'echo $(( {{ p | sh }} + 1 ))'",
        "sh -c \"sh -c 'echo {{ p | sh }}'\"",
        "bash <<EOF\necho '{{ p | sh }}'\nEOF",
        "bash <<< \"echo '{{ p | sh }}'\"",
        "printf '%s\\n' \"echo '{{ p | sh }}'\" | sh",
        "printf '%s\\n' {{ p | sh }} | fish",
        "fish -c 'echo {{ p | sh }}'",
    ] {
        if ShellTemplate::parse(source).is_ok() {
            wrong.push(source);
        }
    }
    for source in [
        "ssh db-01 \"grep -r {{ p | sh }} /srv/app\"",
        "sh -c 'echo {{ p | sh }}'",
        "bash -c \"[[ {{ p | sh }} == 1 ]]\"",
        "ssh db-01 \"cd $DIR && rm {{ p | sh }}\"",
        "bash <<EOF\necho {{ p | sh }}\nEOF",
        "eval echo {{ p | sh }}",
        "bash <<< \"echo {{ p | sh }}\"",
        "printf '%s\\n' \"df {{ p | sh }}\" | sh",
        "printf %s \"df {{ p | sh }}\" | ssh db-01 | cat",
        "printf \"%s\\n\" \"df {{ p | sh }}\" | sudo -u app bash -s",
    ] {
        if ShellTemplate::parse(source).is_err() || warns(source) {
            wrong.push(source);
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}

#[test]
fn second_shells_are_seen() {
    let silent: Vec<&str> = [
        "bash <<EOF\necho {{ p }}\nEOF",
        "bash -s <<EOF\necho {{ p }}\nEOF",
        "ssh db-01 bash -s <<EOF\ndf -h {{ p }}\nEOF",
        "sudo -u app sh <<EOF\necho {{ p }}\nEOF",
        "cat <<EOF | bash\necho {{ p }}\nEOF",
        "bash <<< \"echo {{ p }}\"",
        "echo \"echo {{ p }}\" | sh",
        "printf 'echo %s\\n' {{ p }} | bash",
        "bash <(echo {{ p }})",
        "source <(echo {{ p }})",
        "$SHELL -c \"echo {{ p }}\"",
        "mksh -c \"echo {{ p }}\"",
        "flock f -c \"echo {{ p }}\"",
        "script -qc \"echo {{ p }}\"",
        "sshpass -p a ssh h \"df {{ p }}\"",
        "echo {{ p }} | xargs -I{} sh -c 'echo {}'",
        "mapfile -C {{ p }} -c 1 a",
        "x={{ p }}; eval \"$x\"",
        "x={{ p }}; sh -c \"$x\"",
        "x={{ p }}; echo \"${x@P}\"",
        "bash -eo pipefail -c 'echo {{ p }}'",
        "f() { eval \"$1\"; }; f {{ p }}",
        "f() { bash -c \"$2\"; }; f a \"echo {{ p }}\"",
        "set -- {{ p }}; eval \"$1\"",
        "bash -c 'eval \"$1\"' sh {{ p }}",
        "try() { \"$@\" || \"$@\"; }; try sh -c \"echo {{ p }}\"",
        "try() { \"$@\"; }\ntry 3 ssh db-01 \"df {{ p }}\"",
        // `| sh`, but what the second shell reads can be another text.
        "echo \"df {{ p | sh }}\" | sh",
        "printf 'df %s\\n' {{ p | sh }} | sh",
        "printf '%b\\n' \"df {{ p | sh }}\" | sh",
        "printf '%s\\n' \"df {{ p | sh }}\" x | sh",
        "printf '%s\\n' \"df {{ p | sh }}\" | cat | sh",
        "{ echo \"echo '\"; printf '%s\\n' \"{{ p | sh }}\"; } | sh",
        "(printf '%s\\n' \"df {{ p | sh }}\") | sh",
        "printf '%s\\n' \"$(echo {{ p | sh }})\" | sh",
        "printf '%s\\n' \"${y#{{ p | sh }}}\" | sh",
        "bash <<< \"$(echo {{ p | sh }})\"",
    ]
    .into_iter()
    .filter(|source| !warns(source))
    .collect();
    let loud: Vec<&str> = [
        "bash /opt/script.sh -c {{ x }}",
        "bash script.sh -c {{ x }}",
        "grep -e sh -c {{ x }} f",
        "docker run --name bash -c {{ x }} alpine",
        "cp bash /tmp -c {{ x }}",
        "watch -n {{ x }} uptime",
        "curl {{ x }} | bash",
        "sh -c 'rm \"$1\"' sh {{ x }}",
        "cat > f <<EOF; bash f\n{{ x }}\nEOF",
        "printf '%s\\n' {{ x }} | cat; sh f",
        "f() { eval \"$1\"; echo \"$2\"; }; f a {{ x }}",
        "f() { eval \"$1\"; }; g() { echo \"$1\"; }; f a; g {{ x }}",
        "try() { \"$@\" || \"$@\"; }; try grep -r {{ x }} /srv",
        "sh -c 'eval \"$1\"; echo \"$2\"' sh a {{ x }}",
    ]
    .into_iter()
    .filter(|source| warns(source))
    .collect();
    assert!(silent.is_empty() && loud.is_empty(), "no warning: {silent:#?}\na warning: {loud:#?}");
}

/// What is said to be quoted for the second shell is one word there, in real shells.
#[test]
fn what_is_accepted_is_one_word_there() {
    for value in HOSTILE {
        let hands_on = [
            "printf '%s\\n' \"printf '<%s>' {{ x | sh }}\" | sh",
            "printf %s \"printf '<%s>' {{ x | sh }}\" | bash -s",
            "bash <<E\nprintf '<%s>' {{ x | sh }}\nE",
            "sh -c \"printf '<%s>' {{ x | sh }}\"",
            "eval \"printf '<%s>' {{ x | sh }}\"",
        ];
        for source in hands_on {
            let (_, warnings) = parse(source);
            assert!(warnings.is_empty(), "{source}: {warnings:?}");
            let rendered = render(source, json!({"x": value}));
            for shell in ["sh", "bash"] {
                let seen = run(shell, &rendered.script, &rendered.env);
                assert_eq!(String::from_utf8_lossy(&seen), format!("<{value}>"), "{shell} {source}");
            }
        }
        let rendered = render("bash <<< \"printf '<%s>' {{ x | sh }}\"", json!({"x": value}));
        assert_eq!(run("bash", &rendered.script, &rendered.env), format!("<{value}>").into_bytes());
    }
}
