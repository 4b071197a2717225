//! What shells evaluate although it is quoted: no value that is code gets there.

use super::canary::leaves_a_canary;
use super::scope;
use pulse_engine::template::ShellTemplate;
use serde_json::json;

/// Ways in which Bash 5.2 evaluates a value as code although it is quoted; found by trying.
const EVALUATED: &[&str] = &[
    "echo $(( {{ x }} ))",
    "echo $[ {{ x }} ]",
    "(( {{ x }} ))",
    "let {{ x }}",
    "let 'y={{ x }}'",
    "for ((i = {{ x }}; i < 1; i++)); do :; done",
    "[ -v {{ x }} ]",
    "test -v '{{ x }}'",
    "[[ -v {{ x }} ]]",
    "[[ {{ x }} -eq 1 ]]",
    "[[ a && 1 -le '{{ x }}' ]]",
    "printf -v {{ x }} y",
    "printf -v{{ x }} y",
    "printf {{ x }} y",
    "printf '{{ x }} y' y",
    "wait -n -p {{ x }}",
    "wait {{ x }}",
    "read {{ x }} <<< 1",
    "read -r '{{ x }}' <<< 1",
    "read -a {{ x }} <<< 1",
    "mapfile {{ x }} < /dev/null",
    "unset {{ x }}",
    "unset -v {{ x }}",
    "export {{ x }}=1",
    "declare {{ x }}=1",
    "declare -p {{ x }}",
    "declare -i y={{ x }}",
    "declare -i y; y={{ x }}",
    "declare -i y; y+={{ x }}",
    "declare -n y={{ x }}; echo $y",
    "declare -a y={{ x }}",
    "declare -a y='({{ x }})'",
    "declare -a y; declare y={{ x }}",
    "declare -A y; declare y=\"({{ x }})\"",
    "f() { local -a y={{ x }}; }; f",
    "f() { local y; y={{ x }}; echo $((y)); }; f",
    "readonly -a y={{ x }}",
    "a[{{ x }}]=1",
    "a['{{ x }}']+=1",
    "a=([{{ x }}]=1)",
    "a=(['{{ x }}']=1)",
    "echo ${a[{{ x }}]}",
    "echo ${PATH:{{ x }}}",
    "echo ${PATH:0:{{ x }}}",
    "RANDOM={{ x }}",
    "SRANDOM={{ x }}",
    "OPTIND={{ x }}",
    "HISTCMD={{ x }}",
    "echo y >&{{ x }}",
    "echo y >& '{{ x }}'",
    "echo y 2>&{{ x }}",
    "compgen -W {{ x }}",
    "y={{ x }}; echo $((y))",
    "y={{ x }}; echo $(( 1 + $y ))",
    "y={{ x }}; echo $(( ${y} ))",
    "y={{ x }}; echo \"$(( ${y:-1} ))\"",
    "y='{{ x }}'; (( y > 1 ))",
    "y='{{ x }}'; until (( y )); do break; done",
    "y=\"{{ x }}\"; [[ $y -eq 1 ]]",
    "y={{ x }}; [[ y -eq 1 ]]",
    "y={{ x }}; let z=y",
    "y={{ x }}; echo ${PATH:y}",
    "y={{ x }}; echo ${PATH:$y}",
    "y={{ x }}; a[y]=1",
    "y={{ x }}; echo ${a[$y]}",
    "export y={{ x }}; echo $((y))",
    "for y in 1 {{ x }}; do echo $((y)); done",
    "y=({{ x }}); for z in \"${y[@]}\"; do (( z > 3 )); done",
    "y=(1 '{{ x }}'); echo $((y[1]))",
    "y=({{ x }}); echo $((y[0]))",
    "y+=({{ x }}); echo $((y))",
    "y=(1\n{{ x }}); echo $((y[1]))",
    ": \"${y:={{ x }}}\"; (( y > 3 ))",
    ": ${y={{ x }}}; (( y > 3 ))",
    "z={{ x }}; : ${y:=$z}; (( y > 3 ))",
    "y={{ x }}; echo ${!y}",
    "y={{ x }}; [[ -v $y ]]",
    "y={{ x }}; test -v \"$y\"",
    "y={{ x }}; [ -v ${y} ]",
    "y={{ x }}; printf -v \"$y\" hi",
    "y={{ x }}; read \"$y\" <<< hi",
    "y={{ x }}; unset \"$y\"",
    "y={{ x }}; declare \"$y=1\"",
    "y={{ x }}; export \"$y=1\"",
    "y={{ x }}; declare -n r=$y; echo $r",
    "y={{ x }}; declare -i r=$y",
    "read y <<< {{ x }}; echo $((y))",
    "read -r z y <<< \"1 {{ x }}\"; echo $((y))",
    "read <<< {{ x }}; echo $((REPLY))",
    "echo {{ x }} | while read y; do echo $((y)); done",
    "{ echo 1; echo {{ x }}; } | while read y; do echo $((y)); done",
    "for i in 1; do echo '{{ x }}'; done | while read y; do echo $((y)); done",
    "(echo {{ x }}) | while read y; do echo $((y)); done",
    "mapfile y <<< {{ x }}; echo $((y[0]))",
    "printf -v y %s {{ x }}; echo $((y))",
    "printf -vy %s {{ x }}; echo $((y))",
    "y=$(printf %s {{ x }}); [[ $y -gt 3 ]]",
    "y=`printf %s {{ x }}`; [[ $y -gt 3 ]]",
    "y=$(echo {{ x }} | tr -d ' '); [[ $y -gt 3 ]]",
    "y=$(cat <<< {{ x }}); [[ $y -gt 3 ]]",
    "[[ $(echo {{ x }}) -gt 3 ]]",
    "echo $(( $(echo {{ x }}) ))",
    "y={{ x }}; z=$y; echo $((z))",
    "y={{ x }}; z=\"${y}\"; export v=$z; echo $((v))",
    "y={{ x }}; y=$(echo $y); echo $((y))",
    "declare -A m; y={{ x }}; (( m[$y]++ ))",
    "declare -A m; [[ -v m[{{ x }}] ]]",
    "f() { local m; m[{{ x }}]=1; }; declare -A m; f",
    "if false; then declare -A m; fi; m[{{ x }}]=1",
    "false && declare -A m; m[{{ x }}]=1",
    "declare -A m & wait; m[{{ x }}]=1",
    "declare -A m | cat; m[{{ x }}]=1",
    "(declare -A m); m[{{ x }}]=1",
    "f() { declare -A m; }; f; m[{{ x }}]=1",
    "m=(1); declare -A m; m[{{ x }}]=1",
    "m[1]=1; declare -A m; m[{{ x }}]=1",
    "declare -A m; for i in 1 2; do m[{{ x }}]=1; unset m; done",
    "declare -A m; unset m; echo ${m[{{ x }}]}",
    "declare -A m; echo ${m[{{ x }}]}; m[{{ x }}]=1; y={{ x }}; m[$y]=2; m=([{{ x }}]=1); echo ${m[$y]}",
    "set -- {{ x }}; echo $(( $1 ))",
    "set -- 1 {{ x }}; (( $2 > 1 ))",
    "set -- 1 {{ x }}; shift; echo $(($1))",
    "set -- {{ x }}; for y; do echo $((y)); done",
    "set -- {{ x }}; for y in \"$@\"; do echo $((y)); done",
    "set -- {{ x }}; y=$*; echo $((y))",
    "set -- {{ x }}; echo \"${PATH:$1}\"",
    "set -- {{ x }}; echo ${!1}",
    "set -- -a {{ x }}; while getopts a: y; do echo $((OPTARG)); done",
    "z='1 2'; set -- $z {{ x }}; echo $(($3))",
    "set -- $(echo 1 2) {{ x }}; echo $(($3))",
    "f() { echo $(( $1 )); }; f {{ x }}",
    "f () { local y=$1; (( y > 1 )); }; f {{ x }}",
    "function f { [[ $2 -gt 1 ]]; }; f a {{ x }}",
    "function f() { echo $((${1})); }; f {{ x }}",
    "f()\n{\n  if true; then echo $(($1)); fi\n}\nf {{ x }}",
    "f() ( echo $(($1)) ); f {{ x }}",
    "f() { g \"$@\"; }; g() { echo $(( $2 )); }; f 1 {{ x }}",
    "f() { shift; echo $(($1)); }; f a {{ x }}",
    "f() { for y; do echo $((y)); done; }; f {{ x }}",
    "f() { printf -v \"$1\" x; }; f {{ x }}",
    "f() { unset \"$1\"; }; y={{ x }}; f \"$y\"",
    "f() { echo $(($1)); }; if true; then f {{ x }}; fi",
    "f() { echo $(($3)); }; z=(1 2); f \"${z[@]}\" {{ x }}",
    "if false; then :; fi; f() { while false; do :; done; echo $(($1)); }; f {{ x }}",
    "bash -c 'echo $(( $1 ))' sh {{ x }}",
    "bash -c '(( $2 > 1 ))' sh a {{ x }}",
    "bash -c 'for y; do echo $((y)); done' sh {{ x }}",
    "bash -c 'f() { echo $(($1)); }; f \"$@\"' sh {{ x }}",
    "f() { bash -c 'echo $(( $1 ))' sh \"$1\"; }; f {{ x }}",
    "[[ {{ x }} == {{ x }} ]]",
    "[ {{ x }} -eq 1 ]",
    "echo y > {{ x }}",
    "echo y &> '{{ x }}'",
    "cat <<< {{ x }}",
    "echo ${y:={{ x }}} ${PATH#{{ x }}} ${PATH/{{ x }}/}",
    "y=( {{ x }} '{{ x }}' ); echo \"${y[1]}\"",
    "exec {{ x }}",
    "command {{ x }}",
    "cd {{ x }}",
    "type {{ x }}",
    "set {{ x }}",
    "shift {{ x }}",
    "kill {{ x }}",
    "trap 'x' {{ x }}",
    "exit {{ x }}",
];

#[test]
fn nothing_that_a_shell_evaluates_takes_code() {
    let values = [
        "a[$(touch canary)]",
        "$(touch canary)",
        "`touch canary`",
        "(x $(touch canary))",
        "([$(touch canary)]=1)",
        "-va[$(touch canary)]",
        "-pa[$(touch canary)]",
    ];
    for source in EVALUATED {
        let (template, _) =
            ShellTemplate::parse_for(source, "bash").unwrap_or_else(|errors| panic!("{source}: {errors:?}"));
        assert!(
            template.render(&scope(json!({"x": 7}))).is_ok() || template.render(&scope(json!({"x": "name"}))).is_ok(),
            "{source}"
        );
        for value in values {
            let Ok(rendered) = template.render(&scope(json!({"x": value}))) else { continue };
            assert!(!leaves_a_canary("bash", &rendered.script, &rendered.env), "bash ran {value} in {source}");
        }
    }
}

/// Ways to a calculation that are not followed, or only roughly.
const OUT_OF_SIGHT: &[&str] = &[
    "f() { cat; }; n=$(f <<< {{ x }}); (( n ))",
    "f() { cat; }; f <<EOF | { read n; (( n )); }\n{{ x }}\nEOF",
    "f() { echo \"$v\"; }; v={{ x }}; (( $(f) > 3 ))",
    "f() { echo {{ x }}; }; n=$(f); [[ $n -gt 3 ]]",
    "f() { r={{ x }}; }; f; (( r ))",
    "n=$(printenv PULSE_V1) # {{ x }}\n: {{ x }}; (( n ))",
    "n=$(awk -v x={{ x }} 'BEGIN { print x }'); (( n ))",
    "n=$(awk 'BEGIN { print ENVIRON[\"PULSE_V1\"] }'); : {{ x }}; (( n ))",
    "n=$(sed \"s/.*/{{ x }}/\" <<< a); (( n ))",
    "n=$(sh -c 'echo \"$1\"' sh {{ x }}); (( n ))",
    "n=$(</dev/stdin) <<< {{ x }}; (( n ))",
    "echo {{ x }} > value; n=$(<value); rm value; (( n ))",
    "echo {{ x }} > value; read n < value; rm value; (( n ))",
    "echo {{ x }} > value; while read n; do (( n )); done < value; rm value",
    "echo {{ x }} > value; mapfile n < value; rm value; (( n ))",
    "echo {{ x }} > value; n=$(cat value); rm value; [ -v \"$n\" ]",
    "echo {{ x }} > value; n=$(tail -n 1 value); rm value; unset \"$n\"",
    "echo v={{ x | sh }} > value; . ./value; rm value; (( v ))",
    "mkfifo pipe; echo {{ x }} > pipe & read n < pipe; rm pipe; (( n ))",
    "coproc cat; echo {{ x }} >&\"${COPROC[1]}\"; read n <&\"${COPROC[0]}\"; (( n ))",
    "coproc echo {{ x }}; read -u \"${COPROC[0]}\" n; (( n ))",
    "declare -n r=v; r={{ x }}; (( v ))",
    "f() { local -n r=$1; r={{ x }}; }; f v; echo $((v))",
    "typeset -n r=v; read r <<< {{ x }}; (( v ))",
    "name=v; read \"$name\" <<< {{ x }}; (( v ))",
    "name=v; printf -v \"$name\" %s {{ x }}; (( v ))",
    "name=v; declare \"$name={{ x }}\"; (( v ))",
    "name=v; export \"$name={{ x }}\"; echo $((v))",
    "name=v; mapfile \"$name\" <<< {{ x }}; (( v ))",
    "shopt -s expand_aliases\nalias give=v=\nalias calc='echo $((v))'\ngive{{ x }}\ncalc",
    "export v={{ x }}; bash -c 'echo $((v))'",
    "v={{ x }} bash -c '(( v ))'",
    "export v={{ x }}; bash -c 'bash -c \"echo \\$((v))\"'",
    "v={{ x }}; eval '(( v ))'",
    "v={{ x }}; trap '(( v ))' EXIT",
    "bash -c 'bash -c '\\''echo $(( $1 ))'\\'' sh \"$1\"' sh {{ x }}",
    "bash -c 'n=$(f() { echo \"$1\"; }; f \"$1\"); (( n ))' sh {{ x }}",
    "[[ {{ x }} =~ .* ]]; (( BASH_REMATCH ))",
    "[[ {{ x }} =~ (.*) ]]; echo $(( BASH_REMATCH[1] ))",
    "v={{ x }}; : \"$v\"; (( _ ))",
    "let=let; $let {{ x }}",
    "let=let; v={{ x }}; $let v",
    "$(echo let) {{ x }}",
    "set -- {{ x }}; f=let; \"$f\" \"$@\"",
    "read a n <<< \"1 {{ x }}\"; (( n ))",
    "IFS=: read a n <<< \"1:{{ x }}\"; (( n ))",
    "IFS=: read -a n <<< \"1:{{ x }}\"; (( n[1] ))",
    "v={{ x }}; n=${v#x}; (( n ))",
    "v={{ x }}; n=${v/x/y}; (( n ))",
    "v={{ x }}; n=${v:0:99}; (( n ))",
    "v={{ x }}; IFS=,; for n in $v; do (( n )); done",
    "v={{ x }}; IFS=,; set -- $v; (( $1 ))",
    "v={{ x }}; IFS=,; n=($v); (( n[0] ))",
    "n=$(echo {{ x }} | cut -d, -f1); (( n ))",
    "n=$(echo \"{\\\"n\\\":\\\"{{ x }}\\\"}\" | sed 's/.*:\"//; s/\"}//'); (( n ))",
    // A part of one value is the name of the variable with another.
    "read a n <<< 'x PULSE_V1'; (( n )); : {{ x }}",
    "read a n <<< \"x {{ y }}\"; (( n )); : {{ x }}",
    // Two values make the index.
    "f() { echo \"$1$2\"; }; n=$(f {{ y }} {{ x }}); (( n ))",
];

#[test]
fn nothing_runs_that_comes_from_out_of_sight() {
    let mut ran = Vec::new();
    for source in OUT_OF_SIGHT {
        let (template, _) =
            ShellTemplate::parse_for(source, "bash").unwrap_or_else(|errors| panic!("{source}: {errors:?}"));
        let renders = |x: &str| template.render(&scope(json!({"x": x, "y": "PULSE_V1"}))).is_ok();
        assert!(renders("7"), "{source}");
        for (x, y) in [
            ("a[$(touch canary)]", "PULSE_V1"),
            ("a[$(touch canary)]", "PULSE_V2"),
            ("a[`touch canary`]", "PULSE_V1"),
            ("a[$(touch canary)],b", "1"),
            ("$(touch canary)]", "a["),
            ("a[${PULSE_V2@P}]", "$(touch canary)"),
            ("a[$[b[$(touch canary)]]]", "1"),
        ] {
            let Ok(rendered) = template.render(&scope(json!({"x": x, "y": y}))) else { continue };
            if leaves_a_canary("bash", &rendered.script, &rendered.env) {
                ran.push((source, x, y));
            }
        }
    }
    assert!(ran.is_empty(), "bash ran {ran:#?}");
}

/// Scripts of every day: what they take apart or read from elsewhere may be any text that no shell would run.
#[test]
fn what_is_taken_apart_may_be_text() {
    let mut refused = Vec::new();
    for (source, value) in [
        ("IFS=: read -r h p <<< {{ x }}; (( p > 1024 ))", "web:8080"),
        ("h={{ x }}; p=${h##*:}; (( p > 1024 ))", "[::1]:8080"),
        ("p=$(echo {{ x }} | cut -d: -f2); (( p > 1024 ))", "web:8080"),
        ("while IFS=, read -r host n; do (( n > 0 )); done <<EOF\n{{ x }}\nEOF", "web,3\ndb,5"),
        ("for n in $(echo {{ x }} | tr , ' '); do (( n > 0 )); done", "1,2,3"),
        ("read -ra n <<< {{ x }}; (( n[0] > 0 ))", "1 2 3"),
        ("mapfile -t n <<< {{ x }}; (( n[0] > 0 ))", "1\n2"),
        ("used=$(df -P {{ x }} | awk 'NR==2 { print $5 + 0 }'); (( used > 80 ))", "/srv/[old] & $new"),
        ("used=$(df -P {{ x }} | tail -n 1 | tr -dc 0-9); (( used > 80 ))", "a[$(touch canary)]"),
        ("n=$(curl -su admin:{{ x }} localhost | jq .n); n=${n//[!0-9]/}; (( n > 3 ))", "a[$(touch canary)]"),
        ("n=$(curl -su admin:{{ x }} localhost | jq .n); (( n > 3 ))", "p$ssw\\o[rd="),
        ("n=$(find {{ x }} -name core | wc -l); (( n > 3 ))", "a[$(touch canary)]"),
        ("n={{ x }}; n=${n%%[!0-9]*}; (( n > 3 ))", "80% $(x) a["),
        ("declare -A m; k={{ x }}; m[$k]=abc; (( ${#m[$k]} > 2 ))", "a[$(touch canary)]"),
        ("declare -A m; h={{ x }}; [[ ${m[$h]:-0} -eq 0 ]]", "a[$(touch canary)]"),
        ("declare -A m; [[ ${m[{{ x }}]:-0} -eq 0 ]]", "a[$(touch canary)]"),
        ("declare -A m; h={{ x }}; m[$h]=$(( ${m[$h]:-0} + 1 ))", "a[$(touch canary)]"),
        ("declare -A m; m[{{ x }}]=$(( ${m[{{ x }}]:-0} + 1 ))", "a[$(touch canary)]"),
        ("declare -A m=([{{ x }}]=1); echo \"${m[{{ x }}]}\"", "a b$(touch canary)"),
        ("f() { local -A m; m[{{ x }}]=1; echo \"${m[{{ x }}]}\"; }; f", "a b"),
        ("declare -A m; (( m[{{ x }}]++ )); h={{ x }}; (( m[$h]++ )); unset \"m[$h]\"", "web-01"),
    ] {
        let (template, _) = ShellTemplate::parse_for(source, "bash").unwrap();
        match template.render(&scope(json!({"x": value}))) {
            Ok(rendered) => {
                assert!(!leaves_a_canary("bash", &rendered.script, &rendered.env), "bash ran {value} in {source}");
            }
            Err(error) => refused.push((source, error.message)),
        }
    }
    assert!(refused.is_empty(), "{refused:#?}");
}
