//! Each place a placeholder can stand in: what is written there, and what a shell sees.

use super::{HOSTILE, parse, render, run, scope};
use pulse_engine::template::TemplateWarningKind;
use serde_json::json;

/// Scripts for a POSIX shell that print exactly the value of `x`, then a NUL.
const POSIX: &[&str] = &[
    "printf '%s\\0' {{ x }}",
    "printf '%s\\0' \"{{ x }}\"",
    "printf '%s\\0' '{{ x }}'",
    "printf '%s\\0' {{ x | sh }} | xargs -0 -I@ sh -c 'printf \"%s\\0\" @'",
    "v={{ x }}; printf '%s\\0' \"$v\"",
    "v='{{ x }}' w=1; printf '%s\\0' \"$v\"",
    "printf '%s' \"$(printf '%s.' {{ x }})\" | sed -z 's/\\.$/\\x00/'",
    "printf '%s' \"$(printf '%s.' \"{{ x }}\")\" | sed -z 's/\\.$/\\x00/'",
    "printf '%s' \"$(printf '%s.' '{{ x }}')\" | sed -z 's/\\.$/\\x00/'",
    "printf '%s' \"$(printf '%s' \"$(printf '%s.' '{{ x }}')\")\" | sed -z 's/\\.$/\\x00/'",
    "v=$(printf '%s.' {{ x }}); printf '%s\\0' \"${v%.}\"",
    "v=`printf '%s.' {{ x }}`; printf '%s\\0' \"${v%.}\"",
    "v=`printf '%s.' '{{ x }}'`; printf '%s\\0' \"${v%.}\"",
    "v=`printf '%s.' \"{{ x }}\"`; printf '%s\\0' \"${v%.}\"",
    "printf '%s\\0' \"${nope:-{{ x }}}\"",
    "printf '%s\\0' ${nope:-{{ x }}}",
    "printf '%s\\0' ${nope-'{{ x }}'}",
    "printf '%s\\0' ${nope-\"{{ x }}\"}",
    "printf '%s\\0' \"${PATH:+{{ x }}}\"",
    "v=pre{{ x }}; printf '%s\\0' \"${v#pre}\"",
    "v={{ x }}post; printf '%s\\0' \"${v%post}\"",
    "v={{ x }}/tail; t={{ x }}; printf '%s\\0' \"${v%/tail}\"",
    "v=head{{ x }}; w=\"${v%{{ x }}}\"; [ \"$w\" = head ] && printf '%s\\0' '{{ x }}'",
    "v={{ x }}tail; w=${v#'{{ x }}'}; [ \"$w\" = tail ] && printf '%s\\0' '{{ x }}'",
    "case {{ x }} in {{ x }}) printf '%s\\0' {{ x }} ;; *) printf 'no\\0' ;; esac",
    "case '{{ x }}' in ('{{ x }}') printf '%s\\0' \"{{ x }}\";; esac",
    "printf '%s' \"$(case a in a) printf '%s.' {{ x }} ;; esac)\" | sed -z 's/\\.$/\\x00/'",
    "printf '%s' \"$(case a in (b) ;; a) printf '%s.' '{{ x }}'; esac)\" | sed -z 's/\\.$/\\x00/'",
    "for i in {{ x }}; do printf '%s\\0' \"$i\"; done",
    "if [ {{ x }} = '{{ x }}' ]; then printf '%s\\0' {{ x }}; fi",
    "f() { printf '%s\\0' \"$1\"; }; f {{ x }}",
    "( printf '%s\\0' {{ x }} )",
    "{ printf '%s\\0' '{{ x }}'; }",
    "# {{ x }} it's a \"comment\nprintf '%s\\0' '{{ x }}'",
    "printf '%s\\0' {{ x }} # it's {{ x }}",
    "printf '%s\\0' a#'{{ x }}' | sed -z 's/^a#//'",
    "printf '%s\\0' \\\n  {{ x }}",
    "printf '%s\\0' \\'{{ x }} | sed -z \"s/^'//\"",
    "printf '%s\\0' \"\\\"{{ x }}\" | sed -z 's/^\"//'",
    "printf '%s\\0' \"'{{ x }}'\" | sed -z \"s/^'//; s/'\\$//\"",
    "printf '%s\\0' '\"{{ x }}\"' | sed -z 's/^\"//; s/\"$//'",
    "printf '%s\\0' \"it's {{ x }}\" | sed -z \"s/^it's //\"",
    "printf '%s\\0' $nope{{ x }}",
    "printf '%s\\0' \"$nope{{ x }}$nope\"",
    "printf '%s\\0' \"$((1 + (2 * 3)))\" > /dev/null; printf '%s\\0' '{{ x }}'",
    "printf '%s\\0' \"$(( 1 << 2 ))\" > /dev/null; printf '%s\\0' {{ x }}",
    "echo $( (echo a; echo b) ) > /dev/null; printf '%s\\0' '{{ x }}'",
    "cat <<EOF | head -c -1; printf '\\0'\n{{ x }}\nEOF",
    "cat <<'EOF' | head -c -1; printf '\\0'\n{{ x }}\nEOF",
    "cat <<\"EOF\" | head -c -1; printf '\\0'\n{{ x }}\nEOF",
    "cat <<\\EOF | head -c -1; printf '\\0'\n{{ x }}\nEOF",
    "cat <<'E O F' | head -c -1; printf '\\0'\n{{ x }}\nE O F",
    "cat <<-EOF | head -c -1; printf '\\0'\n\t\t{{ x }}\n\tEOF",
    "cat <<-'EOF' | head -c -1; printf '\\0'\n\t\t{{ x }}\n\tEOF",
    "cat <<A <<B | head -c -1; printf '\\0'\nit's \"A\nA\n{{ x }}\nB",
    "cat <<'A' <<B | head -c -1; printf '\\0'\n$(nope `\nA\n{{ x }}\nB\n",
    "cat <<EOF | head -c -1; printf '\\0'\n$(printf '%s' '{{ x }}' '.' | sed 's/$/@/' >/dev/null){{ x }}\nEOF",
    "cat <<EOF | head -c -1; printf '\\0'\n${nope:-{{ x }}}\nEOF",
    "cat <<EOF >/dev/null; printf '%s\\0' '{{ x }}'\n\"it's\nEOF\n",
    "v=$(cat <<EOF\n{{ x }}.\nEOF\n); printf '%s\\0' \"${v%.}\"",
    "v=\"$(cat <<'EOF'\n{{ x }}.\nEOF\n)\"; printf '%s\\0' \"${v%.}\"",
    "printf '%s\\0' {{ x }} 2>&1 >&1",
    "true && ! false || exit 1; printf '%s\\0' {{ x }}",
    "trap 'printf \"%s\\0\" \"$v\"' EXIT; v={{ x }}",
];

/// The same for Bash.
const BASH: &[&str] = &[
    "printf '%s\\0' $'{{ x }}'",
    "printf '%s\\0' $'\\'{{ x }}' | sed -z \"s/^'//\"",
    "printf '%s\\0' $\"{{ x }}\"",
    "IFS= read -r -d '' v <<< {{ x }}; printf '%s\\0' \"${v%$'\\n'}\"",
    "IFS= read -r -d '' v <<< \"{{ x }}\"; printf '%s\\0' \"${v%$'\\n'}\"",
    "[[ {{ x }} == {{ x }} ]] && printf '%s\\0' {{ x }}",
    "[[ '{{ x }}' = \"{{ x }}\" && ( -n a ) ]] && printf '%s\\0' '{{ x }}'",
    "a=( {{ x }} ); printf '%s\\0' \"${a[0]}\"",
    "a=( 'x' '{{ x }}' ); printf '%s\\0' \"${a[1]}\"",
    "declare v={{ x }}; printf '%s\\0' \"$v\"",
    "export V='{{ x }}'; printf '%s\\0' \"$V\"",
    "v=@@; printf '%s\\0' \"${v/@@/{{ x }}}\"",
    "v={{ x }}; v=\"x${v}y\"; v=${v/#x}; printf '%s\\0' \"${v/%y}\"",
    "printf '%s\\0' \"$(cat <(printf '%s.' {{ x }}))\" | sed -z 's/\\.$//'",
    "(( 1 < 2 )) && printf '%s\\0' {{ x }}",
    "for ((i = 0; i < 1; i++)); do printf '%s\\0' '{{ x }}'; done",
    "printf '%s\\0' {{ x }} &>/dev/stdout",
    "echo $((echo a); (echo b)) > /dev/null; printf '%s\\0' '{{ x }}'",
    "case {{ x }} in a|b) ;;& (*) printf '%s\\0' {{ x }} ;; esac",
];

fn check(shell: &str, source: &str, values: &[&str]) {
    let (template, _) = parse(source);
    for value in values {
        let scope = scope(json!({"x": value}));
        let rendered = template.render(&scope).unwrap_or_else(|error| panic!("{source}: {error:?}"));
        let mut expected = value.as_bytes().to_vec();
        expected.push(0);
        let seen = run(shell, &rendered.script, &rendered.env);
        let show = String::from_utf8_lossy(&seen);
        assert_eq!(seen, expected, "{shell} {source:?} with {value:?}: {show:?}\nscript: {}", rendered.script);
        if shell == "bash" {
            continue;
        }
        let quoted = template.render_quoted(&scope).unwrap();
        assert_eq!(run(shell, &quoted, &[]), expected, "{shell} without environment: {quoted}");
    }
}

/// All values in a few shells would take too long: each script takes its share of the values, and all values have their turn.
fn share(script: usize) -> Vec<&'static str> {
    HOSTILE.iter().enumerate().filter(|(i, _)| (i + script).is_multiple_of(16)).map(|(_, value)| *value).collect()
}

#[test]
fn every_place_of_a_posix_shell() {
    for (i, source) in POSIX.iter().enumerate() {
        let usable = |v: &&str| usable(source, v);
        let values: Vec<&str> = share(i).into_iter().filter(usable).collect();
        check("sh", source, &values);
        check("bash", source, &values);
    }
}

#[test]
fn every_place_of_bash() {
    for (i, source) in BASH.iter().enumerate() {
        let usable = |v: &&str| usable(source, v);
        let values: Vec<&str> = share(i).into_iter().filter(usable).collect();
        check("bash", source, &values);
    }
}

/// A few of the scripts work only with some values, for reasons of their own: `case` and `[` with empty words, tests that cut
/// newlines, `xargs` that takes lines apart.
fn usable(source: &str, value: &str) -> bool {
    let one_line = source.contains("xargs") || source.contains("<<-");
    let operand = source.contains("[ {{");
    !(one_line && (value.contains(['\n', '@']) || value.is_empty() || value.starts_with([' ', '\t'])))
        && !(operand && (value.is_empty() || value.starts_with(['-', '!', '('])))
}

#[test]
fn references_are_written_for_their_place() {
    for (source, script) in [
        ("echo {{ x }}", "echo \"${PULSE_V1}\""),
        ("echo \"a {{ x }}\"", "echo \"a ${PULSE_V1}\""),
        ("echo 'a {{ x }}'", "echo 'a '\"${PULSE_V1}\"''"),
        ("echo $'a {{ x }}'", "echo $'a '\"${PULSE_V1}\"$''"),
        ("cat <<E\n{{ x }}\nE", "cat <<E\n${PULSE_V1}\nE"),
        ("cat <<'E'\n$a \\b `c` {{ x }}\nE\necho $a", "cat <<E\n\\$a \\\\b \\`c\\` ${PULSE_V1}\nE\necho $a"),
        ("cat <<'a b'\n{{ x }}\na b\n", "cat <<PULSE_EOF\n${PULSE_V1}\nPULSE_EOF\n"),
        ("cat <<'E'\n$a\nE\necho {{ x }}", "cat <<'E'\n$a\nE\necho \"${PULSE_V1}\""),
        ("cat <<'E'\n{{ x | raw }}\nE", "cat <<'E'\n7\nE"),
        ("cat <<'E'\n{{ x | raw }}{{ x }}\nE", "cat <<E\n7${PULSE_V1}\nE"),
        ("echo $(( {{ x }} + 1 ))", "echo $(( ${PULSE_V1} + 1 ))"),
        ("echo {{ x }} {{ y }} '{{ x }}'", "echo \"${PULSE_V1}\" \"${PULSE_V2}\" ''\"${PULSE_V1}\"''"),
        ("echo {{ x }} {{ x | sh }} {{ params.x }}", "echo \"${PULSE_V1}\" \"${PULSE_V2}\" \"${PULSE_V3}\""),
        ("echo {{ x | raw }}", "echo 7"),
        (
            "v=\"$(case a in (b) ;; *) : ;; esac)\"; echo {{ x }}",
            "v=\"$(case a in (b) ;; *) : ;; esac)\"; echo \"${PULSE_V1}\"",
        ),
        (
            "v=\"$(f() { case a in a) :;; esac; }; f)\"; echo {{ x }}",
            "v=\"$(f() { case a in a) :;; esac; }; f)\"; echo \"${PULSE_V1}\"",
        ),
        (
            "v=\"$(function f { case a in a) :;; esac; }; f)\"; echo {{ x }}",
            "v=\"$(function f { case a in a) :;; esac; }; f)\"; echo \"${PULSE_V1}\"",
        ),
        ("echo {{{{ x }} {{ y }}", "echo {{ x }} \"${PULSE_V1}\""),
        ("echo {{{x}},{{y}}}", "echo {\"${PULSE_V1}\",\"${PULSE_V2}\"}"),
    ] {
        assert_eq!(render(source, json!({"x": 7, "y": "two words"})).script, script, "{source}");
    }
}

#[test]
fn values_are_json_text() {
    let rendered = render(
        "echo {{ i }} {{ f }} {{ b }} {{ l }} {{ m }} {{ s }}",
        json!({"i": 1, "f": 1.5, "b": true, "l": [1, "a"], "m": {"k": 1}, "s": "x"}),
    );
    let values: Vec<_> = rendered.env.iter().map(|(_, value)| value.as_str()).collect();
    assert_eq!(values, ["1", "1.5", "true", "[1,\"a\"]", "{\"k\":1}", "x"]);
    assert_eq!(rendered.env[5].0, "PULSE_V6");
}

#[test]
fn logs_show_values_in_place() {
    for (source, display) in [
        ("rm -rf {{ p }}/tmp", "rm -rf /data/tmp"),
        ("rm -rf '{{ p }}/tmp'", "rm -rf '/data/tmp'"),
        ("echo {{ q }}", "echo 'it'\\''s $5'"),
        ("echo \"{{ q }}\"", "echo \"it's \\$5\""),
        ("echo '{{ q }}'", "echo 'it'\\''s $5'"),
        ("cat <<E\n{{ q }}\nE", "cat <<E\nit's \\$5\nE"),
        ("cat <<'E'\n$x {{ q }}\nE", "cat <<'E'\n$x it's $5\nE"),
        ("echo {{ q | sh }}", "echo ''\\''it'\\''\\'\\'''\\''s $5'\\'''"),
        ("echo $(({{ n }}+1)) # {{ q }}", "echo $((3+1)) # it's $5"),
    ] {
        let rendered = render(source, json!({"p": "/data", "q": "it's $5", "n": 3}));
        if !source.contains("| sh") {
            assert_eq!(rendered.display, display, "{source}");
        }
        assert_eq!(
            parse(source).0.display(&scope(json!({"p": "/data", "q": "it's $5", "n": 3}))).unwrap(),
            rendered.display
        );
    }
    // A masked value is shown even where it could not run.
    assert_eq!(parse("echo $(({{ n }}))").0.display(&scope(json!({"n": "••••"}))).unwrap(), "echo $((••••))");
}

#[test]
fn warnings_of_validation() {
    use TemplateWarningKind::{NestedShell, QuotedHeredoc, Raw, Unclosed};
    for (source, kinds) in [
        ("echo {{ x }}", vec![]),
        ("echo {{ x | raw }}", vec![(Raw, 5)]),
        ("cat <<'E'\n{{ x }}\nE", vec![(QuotedHeredoc, 10)]),
        ("cat <<'E'\n$x\nE\necho {{ x }}", vec![]),
        ("ssh host 'rm {{ x }}'", vec![(NestedShell, 13)]),
        ("ssh host 'rm {{ x | sh }}'", vec![]),
        ("ssh -p 22 {{ x }} uptime", vec![]),
        ("ssh -p {{ x }} root@{{ x }} uptime {{ x }}", vec![(NestedShell, 35)]),
        ("sudo sh -c \"rm {{ x }}\"", vec![(NestedShell, 15)]),
        ("bash -ec 'rm {{ x }}' arg {{ x }}", vec![(NestedShell, 13)]),
        ("sh -c 'rm \"$1\"' - {{ x }}", vec![]),
        ("find . -exec sh -c 'rm {{ x }}' \\;", vec![(NestedShell, 23)]),
        ("eval {{ x }}", vec![(NestedShell, 5)]),
        ("trap 'rm {{ x }}' EXIT", vec![(NestedShell, 9)]),
        ("echo sh; echo -c {{ x }}", vec![]),
        ("echo 'it is {{ x }}", vec![(Unclosed, 5)]),
        ("echo $(date {{ x }}", vec![(Unclosed, 5)]),
        ("echo \"unclosed", vec![]),
        ("cat <<EOF\n{{ x }}\n", vec![(Unclosed, 6)]),
        ("cat <<EOF; echo {{ x }}", vec![(Unclosed, 6)]),
        ("cat <<EOF\nEOF\r\n{{ x }}", vec![(Unclosed, 6)]),
        ("cat <<EOF\r\nEOF\r\necho {{ x }}", vec![]),
        ("cat <<EOF\nunclosed", vec![]),
    ] {
        let (_, warnings) = parse(source);
        let found: Vec<_> = warnings.iter().map(|w| (w.kind, w.offset)).collect();
        assert_eq!(found, kinds, "{source}");
    }
}
