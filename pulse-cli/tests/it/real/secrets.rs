//! Secret parameters from end to end: a canary reaches its commands exactly, and is seen nowhere else, ever.

use super::installation::{Installation, count};
use crate::program::Running;
use serde_json::json;
use std::fmt::Write as _;
use std::io::Write as _;
use std::path::Path;
use std::process::{Command, Stdio};

/// Several lines, a short one among them, with everything that means something to a shell.
const CANARY: &str = "canary-α one 'q' \"d\" $(id) `id` \\\nxy\n  canary two; #&|<>*? end";

/// Everything is logged that can be.
const TRACE: &[(&str, &str)] = &[("PULSE_LOG", "trace")];

const WORKFLOW: &str = r#"
name: secretive
params: [{name: token, type: secret}, {name: spare, type: secret, required: false}, sum]
targets: [w2]
env: {ALL: "{{ token }}"}
steps:
  - id: prove
    command: |
      is() { [ "$(printf '%s' "$1" | sha256sum | cut -d' ' -f1)" = {{ sum }} ]; }
      is {{ token }} || exit 11
      is "{{ token }}" || exit 12
      is '{{ params.token }}' || exit 13
      is "$OWN" || exit 14
      is "$ALL" || exit 15
      [ "$(sha256sum | cut -d' ' -f1)" = {{ sum }} ] || exit 16
      if tr '\0' '\n' < /proc/$$/cmdline | grep -q 'canary t[w]o'; then exit 17; fi
    env: {OWN: "{{ token }}"}
    stdin: "{{ token }}"
  - id: print
    command: |
      printf '%s\n' {{ token }}
      printf '%s' {{ token }} | base64
      echo {{ token }} | base64 -w0
      printf '%s' {{ token }} | base64 | tr '+/' '-_' | tr -d '=\n'
      printf '\n[%s' "$(printf '%s' {{ token }} | head -c 12)"
      sleep 0.4
      printf '%s]\n' "$(printf '%s' {{ token }} | tail -c +13)"
      printf '%s\n' {{ token }} | while IFS= read -r line; do printf '> %s\n' "$line"; done
      printf '%s' {{ token }} >&2
      exit 3
    success_codes: [0]
    on_error: keep
  - {id: keep, type: set, values: {printed: last.stdout, all: "text(params.sum)"}}
  - {id: pause, command: "sleep 2"}
  - {id: after, command: "[ \"$(printf '%s' {{ token }} | sha256sum | cut -d' ' -f1)\" = {{ sum }} ]; echo {{ token }}"}
  - {id: ask, message: "Go on with {{ state.printed }}?"}
  - {id: last, argv: [sh, -c, '[ "$(sha256sum | cut -d" " -f1)" = "$SUM" ] && cat /nowhere'], env: {SUM: "{{ sum }}"}, stdin: "{{ token }}", success_codes: [1]}
"#;

/// What a program makes of a text.
fn through(program: &str, arguments: &[&str], text: &str) -> String {
    let mut child = Command::new(program).args(arguments).stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
    child.stdin.take().unwrap().write_all(text.as_bytes()).unwrap();
    String::from_utf8(child.wait_with_output().unwrap().stdout).unwrap()
}

/// Bytes by which the canary would be recognised: parts of its lines, and of its Base64.
fn needles() -> Vec<String> {
    let base64 = through("base64", &["-w0"], CANARY);
    let mut needles: Vec<String> = ["canary-", "canary two", "$(id) `id`", "<>*? end"].map(str::to_owned).into();
    needles.push(base64[..16].to_owned());
    needles.push(base64[40..56].to_owned());
    // As JSON would have it.
    needles.push("canary-\\u03b1".to_owned());
    needles
}

fn assert_clean(what: &str, bytes: &[u8]) {
    for needle in needles() {
        let found = bytes.windows(needle.len()).position(|window| window == needle.as_bytes());
        if let Some(at) = found {
            let around = &bytes[at.saturating_sub(200)..(at + 200).min(bytes.len())];
            panic!("{needle:?} is in {what}: {}", String::from_utf8_lossy(around));
        }
    }
}

/// Every file below a directory: the database with its log, the worker's state, logs.
fn assert_files_clean(directory: &Path) -> usize {
    let mut count = 0;
    for entry in std::fs::read_dir(directory).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            count += assert_files_clean(&path);
        } else if let Ok(bytes) = std::fs::read(&path) {
            assert_clean(&path.display().to_string(), &bytes);
            count += 1;
        }
    }
    count
}

/// Everything that the installation keeps: its files, and its database where that is no file.
fn assert_kept_clean(installation: &Installation) {
    assert!(assert_files_clean(installation.directory.path()) >= 6);
    if let Some(contents) = installation.database_contents() {
        // What it must find is found: the execution's entries, where the secret would stand.
        let known = "secretive";
        assert!(contents.windows(known.len()).any(|window| window == known.as_bytes()));
        assert_clean("the database", &contents);
    }
}

/// Whatever the server answers about an execution, and what the command line makes of it.
fn assert_answers_clean(installation: &Installation, id: &str) {
    let mut answers = String::new();
    for path in ["", "/events", "/output", "/output?format=json", "/output?stream=stderr"] {
        let answer = installation.get(&format!("/api/executions/{id}{path}"));
        write!(answers, "{answer}").unwrap();
    }
    for path in ["/api/executions", "/api/workflows", "/api/workflows/secretive", "/api/workers"] {
        write!(answers, "{}", installation.get(path)).unwrap();
    }
    assert!(answers.contains("••••"), "{answers}");
    assert_clean("an answer", answers.as_bytes());
    for arguments in [&["show", id][..], &["show", id, "--json"], &["logs", id], &["ps"], &["ps", "--json"]] {
        let ran = installation.pulse(arguments);
        assert_eq!(ran.code, 0, "{arguments:?}: {}", ran.err);
        assert_clean(&format!("{arguments:?}"), format!("{}{}", ran.out, ran.err).as_bytes());
    }
}

#[test]
fn a_secret_reaches_its_commands_and_nothing_else() {
    let mut installation = Installation::start_with(TRACE);
    installation.worker("w2");
    installation.store(WORKFLOW);
    let sum = through("sha256sum", &[], CANARY)[..64].to_owned();

    // One by the API under an idempotency key's eyes, one followed at the command line.
    let id = installation.execute("secretive", json!({"token": CANARY, "sum": sum}), &[]);
    let (token, given) = (format!("token={CANARY}"), format!("sum={sum}"));
    let followed = installation.spawn(&["run", "secretive", "-p", &token, "-p", &given, "--follow"]);
    let followed = Running::of(followed);

    installation.until("it pauses", || {
        let execution = installation.execution(&id);
        assert_ne!(execution["status"], "failed", "{execution}");
        (count(&execution, "command_sent") == 3).then_some(())
    });
    let execution = installation.execution(&id);
    assert_eq!(execution["params"], json!({"token": "••••", "sum": sum}));
    let results: Vec<_> =
        execution["logs"].as_array().unwrap().iter().filter(|e| e["action"] == "command_result").collect();
    assert_eq!(results[0]["exit_code"], 0, "{}", results[0]);
    assert_eq!(results[1]["exit_code"], 3, "{}", results[1]);
    let printed = execution["state"]["printed"].as_str().unwrap();
    assert_eq!(
        printed,
        "••••\n••••\n••••••••\n[••••]\n> ••••\n> xy\n>   ••••\n".replace("••••••••", "••••"),
        "{printed}"
    );
    assert_answers_clean(&installation, &id);
    assert_kept_clean(&installation);

    // Killed while it pauses: what comes next gets the secret from the database.
    installation.kill_and_restart();
    let asks = installation.wait_for(&id, &["waiting", "failed", "completed"]);
    assert_eq!(asks["status"], "waiting", "{}", asks["error"]);
    assert_eq!(installation.output(&id, "step=after"), "••••\n");
    // Stopped in order while it waits: nothing of the log is left then.
    installation.stop();
    assert!(!installation.directory.path().join("pulse-data/pulse.db-wal").exists());
    assert_kept_clean(&installation);
    installation.start_again();
    installation.call("POST", &format!("/api/executions/{id}/respond"), Some(json!({"response": "Continue"})));
    let ended = installation.wait_for(&id, &["failed", "completed"]);
    assert_eq!(ended["status"], "completed", "{ended}");

    let other = installation.get("/api/executions?status=waiting")["items"][0]["id"].as_str().unwrap().to_owned();
    installation.call("POST", &format!("/api/executions/{other}/abort"), Some(json!({})));
    let ran = followed.finished();
    assert_eq!(ran.code, 3, "{}", ran.err);
    assert!(ran.out.contains("••••"), "{}", ran.out);
    assert_clean("what followed it", format!("{}{}", ran.out, ran.err).as_bytes());
    assert_answers_clean(&installation, &id);
    installation.stop();
    assert_kept_clean(&installation);
}

#[test]
fn the_key_is_tried_at_every_start() {
    let mut installation = Installation::start();
    let directory = installation.directory.path().join("pulse-data");
    let key = std::fs::read_to_string(directory.join("data.key")).unwrap();
    let mode =
        std::os::unix::fs::PermissionsExt::mode(&std::fs::metadata(directory.join("data.key")).unwrap().permissions());
    assert_eq!((key.len(), mode & 0o777), (64, 0o600));
    installation.stop();
    let url = installation.database_url();
    let server = ["server", "--listen", "127.0.0.1:0", "--database-url", &url];
    let wrong = "f".repeat(64);
    let up = ["up", "--listen", "127.0.0.1:0", "--database-url", &url];
    for (arguments, value, says) in [
        (&up[..], Some(wrong.as_str()), "is not the key"),
        (&server, Some(&wrong), "is not the key"),
        (&server, None, "is not set"),
        (&server, Some(&key[1..]), "must be 32 bytes"),
    ] {
        let variables: Vec<(&str, &str)> = value.iter().map(|value| ("PULSE_DATA_KEY", *value)).collect();
        let ran = installation.pulse_with(arguments, &variables);
        let errors: Vec<&str> = ran.err.lines().filter(|line| line.starts_with("error")).collect();
        assert_eq!((ran.code, errors.len()), (1, 1), "{}", ran.err);
        assert!(errors[0].contains("PULSE_DATA_KEY") && errors[0].contains(says), "{}", ran.err);
        assert!(!ran.err.contains(&key[1..]) && !ran.err.contains(&wrong), "{}", ran.err);
    }
    // The right one, however it is given.
    installation.start_again();
}

#[test]
fn a_server_without_a_key_takes_no_secrets() {
    let installation = Installation::start();
    let url = format!("sqlite://{}", installation.directory.path().join("alone.db").display());
    let token = "0123456789abcdef0123456789abcdef";
    let variables = [("PULSE_ADMIN_TOKEN", token)];
    let alone = installation.server(&["server", "--listen", "127.0.0.1:0", "--database-url", &url], &variables);
    let definition = "name: s\nparams: [{name: token, type: secret, required: false}]\nsteps: [{duration: 60}]";
    let call = |path: &str, body| installation.call_at(&alone.url, token, "POST", path, Some(body));
    assert_eq!(call("/api/workflows", json!({"definition": definition})).0, 201);
    let (status, problem) = call("/api/workflows/s/execute", json!({"params": {"token": "canary-"}}));
    assert_eq!((status, problem["code"].as_str()), (422, Some("no-data-key")), "{problem}");
    assert!(problem["detail"].as_str().unwrap().contains("PULSE_DATA_KEY"), "{problem}");
    assert_eq!(call("/api/workflows/s/execute", json!({"params": {}})).0, 202, "without a secret it needs no key");
}

#[test]
fn no_parent_gives_its_child_a_secret() {
    let installation = Installation::start();
    let parent = |child: &str| {
        format!("name: parent of {child}\nsteps: [{{id: sub, workflow: {child}, params: {{token: x}}}}]\n")
    };
    let child = |name: &str| {
        format!(
            "name: {name}\nparams: [{{name: token, type: secret, required: false}}]\nsteps: [{{type: wait, duration: 0s}}]\n"
        )
    };
    // A child that is not known yet: its start is refused.
    installation.store(&parent("late"));
    installation.store(&child("late"));
    let id = installation.execute("parent of late", json!({}), &[]);
    let ended = installation.wait_for(&id, &["completed", "failed"]);
    let error = ended["error"].as_str().unwrap();
    assert!(error.contains("the parameter `token` is a secret, and a step cannot give one"), "{error}");
    let late = ended["children"][0]["execution_id"].as_str().unwrap();
    assert_eq!(installation.call("GET", &format!("/api/executions/{late}"), None).0, 404);
    // One that is known: such a parent is not stored.
    installation.store(&child("known"));
    let body = json!({"definition": parent("known")});
    let (status, problem) = installation.call("POST", "/api/workflows", Some(body.clone()));
    assert_eq!((status, problem["diagnostics"][0]["code"].as_str()), (422, Some("E022")), "{problem}");
    let (_, checked) = installation.call("POST", "/api/workflows/check", Some(body));
    assert_eq!((&checked["valid"], &checked["diagnostics"][0]["code"]), (&json!(false), &json!("E022")), "{checked}");
}
