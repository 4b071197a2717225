//! Bad input gets one clear line each, which names the thing and what to do.

use super::installation::Installation;
use serde_json::json;

const MISTAKES: &str = "\
name: five
params:
  - {name: limit, type: integer, default: many}
steps:
  - id: check
    command: df {{ params.mount }}
    retrys: 3
  - id: decide
    conditions:
      - {if: state.pct >, goto: ask}
      - {default: true, goto: nowhere}
  - {id: ask, message: ok?}
";

#[test]
fn five_mistakes_are_five_findings_at_the_command_line_and_by_http() {
    let installation = Installation::start();
    let file = installation.directory.path().join("five.yaml");
    std::fs::write(&file, MISTAKES).unwrap();
    let checked = installation.pulse(&["check", "five.yaml"]);
    assert_eq!(checked.code, 1);
    for line in ["five.yaml:3:", "five.yaml:6:", "five.yaml:7:", "five.yaml:10:", "five.yaml:11:"] {
        assert_eq!(checked.out.matches(line).count(), 1, "{line} {}", checked.out);
    }
    let (status, problem) = installation.call("POST", "/api/workflows", Some(json!({"definition": MISTAKES})));
    assert_eq!((status, problem["code"].as_str()), (422, Some("invalid-definition")));
    let lines: Vec<u64> =
        problem["diagnostics"].as_array().unwrap().iter().map(|d| d["line"].as_u64().unwrap()).collect();
    assert_eq!(lines, [3, 6, 7, 10, 11]);
    assert_eq!(problem["detail"], "the definition has 5 mistakes");
    let put = installation.pulse(&["workflow", "put", "five.yaml"]);
    assert_eq!(put.code, 1);
    assert!(put.err.contains("5 mistakes"), "{}", put.err);
}

#[test]
fn targets_that_no_known_worker_meets_are_a_warning() {
    let installation = Installation::start();
    let definition =
        "name: far\ntargets: ['db-*']\nsteps:\n  - {command: x}\n  - {command: y, targets: [all, nobody]}\n";
    let (status, checked) = installation.call("POST", "/api/workflows/check", Some(json!({"definition": definition})));
    assert_eq!((status, &checked["valid"]), (200, &json!(true)), "{checked}");
    let found: Vec<_> =
        checked["diagnostics"].as_array().unwrap().iter().map(|d| (d["code"].clone(), d["line"].clone())).collect();
    assert_eq!(found, [(json!("W009"), json!(2)), (json!("W009"), json!(5))]);
}

#[test]
fn what_is_missing_or_unknown_is_named() {
    let installation = Installation::start();
    installation
        .store("name: needs\nparams: [{name: host, pattern: '^[a-z]+$'}]\nsteps: [{command: 'echo {{ host }}'}]");
    let error = |arguments: &[&str]| {
        let ran = installation.pulse(arguments);
        let line = ran.err.lines().find(|line| line.starts_with("error: ")).unwrap_or_default().to_owned();
        (ran.code, line)
    };
    assert_eq!(error(&["run", "needs"]), (1, "error: parameter `host` is missing: give it with -p host=…".to_owned()));
    assert_eq!(
        error(&["run", "needs", "-p", "hsot=a"]).1.split(';').next().unwrap(),
        "error: there is no parameter `hsot`: did you mean `host`?"
    );
    assert_eq!(
        error(&["run", "needs", "-p", "host=A1"]).1,
        "error: parameter `host` must be text that matches ^[a-z]+$, not \"A1\""
    );
    assert_eq!(error(&["run", "nothing"]).1, "error: there is no workflow `nothing`");
    let (code, line) = error(&["exec", "--on", "db-*", "--", "true"]);
    assert!(code == 1 && line.starts_with("error: target `db-*` matches no known worker; known are: "), "{line}");
    let (code, line) = error(&["exec", "--on", "role=", "--sideways", "--", "true"]);
    assert!(code == 2 && line.contains("--sideways"), "{line}");
    let (code, line) = error(&["show", "ffff0000"]);
    assert!(code == 1 && line.contains("there is no execution ffff0000"), "{line}");
    let (status, problem) = installation.call("POST", "/api/commands", Some(json!({"command": "x", "target": "y"})));
    assert!(status == 422 && problem["detail"].as_str().unwrap().contains("unknown field `target`"), "{problem}");
    let (status, problem) = installation.call("GET", "/api/executions?sttus=failed", None);
    assert!(status == 422 && problem["detail"].as_str().unwrap().contains("`sttus`"), "{problem}");
    assert_eq!(installation.call("GET", "/api/nothing", None).0, 404);
    assert_eq!(installation.call("DELETE", "/api/workflows", None).0, 405);
}

#[test]
fn a_start_that_cannot_be_says_why_in_one_line() {
    let installation = Installation::start();
    let busy = installation.url.strip_prefix("http://").unwrap();
    let elsewhere = tempfile::tempdir().unwrap();
    let start = |arguments: &[&str], variables: &[(&str, &str)]| {
        let mut command = crate::program::pulse(elsewhere.path(), arguments);
        command.envs(variables.iter().copied());
        let ran = crate::program::ran(command);
        let lines: Vec<String> =
            ran.err.lines().filter(|line| !line.starts_with("hint: ")).map(str::to_owned).collect();
        (ran.code, lines)
    };
    let one = |arguments: &[&str], variables: &[(&str, &str)], words: &[&str]| {
        let (code, lines) = start(arguments, variables);
        assert_eq!(code, if arguments[0] == "check" { 2 } else { 1 }, "{lines:?}");
        assert_eq!(lines.len(), 1, "{lines:?}");
        for word in words {
            assert!(lines[0].contains(word), "{word}: {}", lines[0]);
        }
    };
    one(&["up", "--listen", busy], &[], &[busy, "is in use", "--listen"]);
    std::fs::write(elsewhere.path().join("text.db"), "this is no database, but a text of some length\n".repeat(100))
        .unwrap();
    let free = ["server", "--listen", "127.0.0.1:0", "--database-url"];
    one(&[&free[..], &["sqlite://text.db"]].concat(), &[], &["text.db"]);
    one(&[&free[..], &["sqlite:///proc/none/x.db"]].concat(), &[], &["/proc/none"]);
    one(&[&free[..], &["oracle://x:secret@y"]].concat(), &[], &["oracle"]);
    assert!(!start(&[&free[..], &["oracle://x:secret@y"]].concat(), &[]).1[0].contains("secret"));
    one(&free[..3], &[("PULSE_ADMIN_TOKEN", "short")], &["PULSE_ADMIN_TOKEN", "24"]);
    one(&free[..3], &[("PULSE_ADMIN_TOKEN", "change-me-change-me-change-me")], &["PULSE_ADMIN_TOKEN", "example"]);
    one(&free[..3], &[("PULSE_LISTN", "x")], &["PULSE_LISTN", "PULSE_LISTEN"]);
    one(&free[..3], &[("PULSE_LOG", "a=b=c")], &["PULSE_LOG"]);
    one(&["worker"], &[], &["WORKER_API_KEY"]);
    one(&["worker"], &[("WORKER_API_KEY", "k-123"), ("HEARTBEAT_INTERVAL", "soon")], &["HEARTBEAT_INTERVAL", "soon"]);
    one(&["check", "nothing.yaml"], &[], &["nothing.yaml"]);
}
