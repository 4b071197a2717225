//! What reaches commands of a script by their standard input, and by names and options in variables.

use super::{parse, scope};
use pulse_engine::template::{ShellTemplate, TemplateWarningKind};
use serde_json::json;

/// Whether the script refuses a value that would be code in a calculation.
fn refuses(source: &str) -> bool {
    let (template, _) = parse(source);
    let renders = |x: &str| template.render(&scope(json!({"x": x}))).is_ok();
    assert!(renders("7") || renders("name"), "{source}");
    !renders("a[$(touch canary)]")
}

/// Whether the script refuses a value that would be code for nobody but a second shell.
fn refuses_text(source: &str) -> bool {
    parse(source).0.render(&scope(json!({"x": "any $(touch canary) = text"}))).is_err()
}

fn warns(source: &str) -> bool {
    parse(source).1.iter().any(|warning| warning.kind == TemplateWarningKind::NestedShell)
}

#[test]
fn input_that_commands_share_is_followed() {
    let taken: Vec<&str> = [
        "while IFS=, read -r host n; do if (( n > 0 )); then :; fi; done <<EOF\n{{ x }}\nEOF",
        "while read -r n; do (( n )); done <<'EOF'\n{{ x }}\nEOF",
        "read n <<EOF\n{{ x }}\nEOF\n(( n ))",
        "v={{ x }}\nread n <<EOF\n${v}\nEOF\n(( n ))",
        "cat <<EOF | while read n; do (( n )); done\n{{ x }}\nEOF",
        "n=$(cat <<EOF\n{{ x }}\nEOF\n); (( n ))",
        "{ read n; (( n )); } <<< {{ x }}",
        "if true; then read n; (( n )); fi <<< {{ x }}",
        "for i in 1; do read n; (( n )); done <<< {{ x }}",
        "case a in a) read n; (( n ));; esac <<< {{ x }}",
        "( read n; (( n )) ) <<< {{ x }}",
        "f() { read n; (( n )); }; f <<< {{ x }}",
        "f() { read n; (( n )); }\nf <<EOF\n{{ x }}\nEOF",
        "echo {{ x }} | { true; read n; (( n )); }",
        "echo {{ x }} | ( read n; (( n )) )",
        "echo {{ x }} | for i in 1; do read n; (( n )); done",
        "f() { read n; (( n )); }; echo {{ x }} | f",
        "read maj min < <(echo {{ x }}); (( maj ))",
        "mapfile -t a < <(echo {{ x }}); (( a ))",
        "while read n; do (( n )); done < <(echo {{ x }})",
        "cat <(echo {{ x }}) | while read n; do (( n )); done",
        "echo {{ x }} > >(read n; (( n )))",
        "exec 3<<< {{ x }}; read -u 3 n; (( n ))",
        "exec 3<<< {{ x }}; read n <&3; (( n ))",
        "exec {fd}<<< {{ x }}; read -u $fd n; (( n ))",
        "exec 3< <(echo {{ x }}); read n < /dev/fd/3; (( n ))",
        "exec <<EOF\n{{ x }}\nEOF\nread n; (( n ))",
        "bash -c 'read n; (( n ))' <<< {{ x }}",
        "bash -c 'read n; (( n ))' <<EOF\n{{ x }}\nEOF",
        "echo {{ x }} | bash -c 'read n; (( n ))'",
        "n=$(basename {{ x }}); (( n ))",
    ]
    .into_iter()
    .filter(|source| !refuses(source))
    .collect();
    let refused: Vec<&str> = [
        "while read -r n; do echo \"$n\"; done <<EOF\n{{ x }}\nEOF",
        "{ read n; echo $n; } <<< {{ x }}; (( m ))",
        "while read -r n; do (( n )); done < sizes; cat > conf <<EOF\n{{ x }}\nEOF",
        "while read -r n; do (( n )); done < sizes; cat <<EOF\n{{ x }}\nEOF",
        "ls | while read -r n; do (( n )); done; read m <<EOF\n{{ x }}\nEOF",
        "read -r n < \"$(dirname {{ x }})/count\"; (( n ))",
        "read n < <(echo {{ x }}); read m <<< 1; (( m ))",
        "n=$(basename {{ x }}); echo $n",
        "bash -c 'read n; echo $n' <<< {{ x }}",
    ]
    .into_iter()
    .filter(|source| refuses_text(source))
    .collect();
    assert!(taken.is_empty() && refused.is_empty(), "taken: {taken:#?}\nrefused: {refused:#?}");
}

#[test]
fn names_and_options_in_variables_are_followed() {
    let taken: Vec<&str> = [
        "declare -n r; r={{ x }}; echo $r",
        "v={{ x }}; y=v; (( y ))",
        "v={{ x }}; y=v+1; z=$y; (( z ))",
        "v={{ x }}; f() { (( $1 )); }; f v",
        "v={{ x }}; for i in v w; do (( i )); done",
        "v={{ x }}; l=(v w); (( l[0] ))",
        "v={{ x }}; i=v; echo ${a[i]}",
        "v={{ x }}; a=(1); unset a[v]",
        "v={{ x }}; a=(1); [[ -v a[v] ]]",
        "o=-i; declare $o n={{ x }}",
        "o=i; declare -$o n={{ x }}",
        "declare $(echo -i) n={{ x }}",
    ]
    .into_iter()
    .filter(|source| !refuses(source))
    .collect();
    let refused: Vec<&str> = [
        "declare -n r=v; r={{ x }}; echo $r",
        "v={{ x }}; y=v; echo $y",
        "v={{ x }}; y=w; (( y ))",
        "o=-i; declare $o n=1; m={{ x }}",
    ]
    .into_iter()
    .filter(|source| refuses_text(source))
    .collect();
    assert!(taken.is_empty() && refused.is_empty(), "taken: {taken:#?}\nrefused: {refused:#?}");
    // The index of an associative array is text.
    let (template, _) = ShellTemplate::parse_for("declare -A m; v={{ x }}; read m[v]", "bash").unwrap();
    template.render(&scope(json!({"x": "text"}))).unwrap();
}

#[test]
fn second_shells_that_read_shared_input_are_seen() {
    let silent: Vec<&str> = [
        "{ sh; } <<EOF\necho {{ x }}\nEOF",
        "{ sh; } <<EOF\necho '{{ x | sh }}'\nEOF",
        "(sh) <<EOF\necho {{ x }}\nEOF",
        "v={{ x }}\nbash <<EOF\necho $v\nEOF",
        "while read l; do eval \"$l\"; done <<EOF\n{{ x }}\nEOF",
        "bash < <(echo {{ x }})",
        "exec <<EOF; sh\n{{ x }}\nEOF",
        "exec <<EOF\n{{ x }}\nEOF\nsh",
        "echo {{ x }} > >(sh)",
        "sh -c sh <<< {{ x }}",
        "bash -c 'eval \"$(cat)\"' <<< {{ x }}",
        "compgen -C {{ x }}",
        "compgen -C{{ x }}",
        "echo {{ x }} | xargs -I XX sh -c 'echo XX'",
        "echo {{ x }} | xargs -IXX sh -c 'echo XX'",
        "s=sh; $s -c \"echo {{ x }}\"",
        "s='sudo bash -c'; $s \"echo {{ x }}\"",
        "$DOCKER exec web sh -c \"echo {{ x }}\"",
        "docker-compose exec web sh -c \"echo {{ x }}\"",
        "docker run --entrypoint sh img -c \"echo {{ x }}\"",
        "docker run --rm --entrypoint=sh img -c \"echo {{ x }}\"",
        "docker run --entrypoint /bin/sh -v a:b img -c \"echo {{ x }}\"",
        "oc exec pod -- sh -c \"echo {{ x }}\"",
        "ip netns exec blue sh -c \"echo {{ x }}\"",
        "gosu app sh -c \"echo {{ x }}\"",
        "sh -c 'sh -c \"echo $1\"' sh {{ x }}",
    ]
    .into_iter()
    .filter(|source| !warns(source))
    .collect();
    let loud: Vec<&str> = [
        "{ cat; } <<EOF\necho {{ x }}\nEOF",
        "{ cat > f; } <<EOF\n{{ x }}\nEOF",
        "v={{ x }}\nbash <<'EOF'\necho \"$v\"\nEOF",
        "bash <<EOF\necho {{ x | sh }}\nEOF",
        "while read l; do echo \"$l\"; done <<EOF\n{{ x }}\nEOF",
        "cat <<EOF | grep {{ x }}\nsh\nEOF",
        "s=sh; echo $s -c {{ x }}",
        "$GREP -c {{ x }} f",
        "docker run --entrypoint cat img -c {{ x }}",
        "echo {{ x }} | xargs -I XX grep XX f",
        "ip addr show {{ x }}",
        "sh -c 'cat' <<< {{ x }}",
    ]
    .into_iter()
    .filter(|source| warns(source))
    .collect();
    assert!(silent.is_empty() && loud.is_empty(), "no warning: {silent:#?}\na warning: {loud:#?}");
}
