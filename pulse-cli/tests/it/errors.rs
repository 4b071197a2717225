//! What goes wrong: one clear line, a hint, and the right exit code.

use crate::program::{pulse, pulse_at, ran};
use crate::stand_in::StandIn;
use crate::story::Story;
use serde_json::json;

fn failing(server: &StandIn, arguments: &[&str]) -> (i32, String) {
    let directory = tempfile::tempdir().unwrap();
    let ran = ran(pulse_at(&server.url, directory.path(), arguments));
    assert_eq!(ran.out, "");
    (ran.code, ran.err)
}

#[test]
fn no_server_is_known() {
    let directory = tempfile::tempdir().unwrap();
    let ran = ran(pulse(directory.path(), &["ps"]));
    assert_eq!(ran.code, 1);
    assert_eq!(
        ran.err,
        "error: no PULSE server is known\nhint: start one with `pulse up`, or sign in to one with `pulse login URL`\n"
    );
}

#[test]
fn nobody_listens() {
    let directory = tempfile::tempdir().unwrap();
    let port = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let ran = ran(pulse_at(&format!("http://127.0.0.1:{port}"), directory.path(), &["ps"]));
    assert_eq!(ran.code, 1);
    assert_eq!(
        ran.err,
        format!(
            "error: cannot reach http://127.0.0.1:{port}: connection refused\nhint: is it running? `pulse up` starts one here, `--server URL` names another\n"
        )
    );
}

#[test]
fn something_else_listens() {
    let server = StandIn::start(Story::default());
    server.answer("GET /api/executions", 502, json!("html:<h1>Bad Gateway</h1>"));
    let expected = format!(
        "error: {} does not answer like a PULSE server: status 502 with text/html\nhint: check the address; `--server URL` names another\n",
        server.url
    );
    assert_eq!(failing(&server, &["ps"]), (1, expected));
}

#[test]
fn the_server_refuses() {
    let server = StandIn::start(Story::default());
    server.refuse("GET /api/executions", 401, "no token, or one that has expired");
    let hint = "hint: the token is missing, wrong or expired: sign in again with `pulse login URL`\n";
    assert_eq!(failing(&server, &["ps"]), (1, format!("error: no token, or one that has expired\n{hint}")));
    server.refuse("POST /api/executions/0198/abort", 403, "an operator may do this");
    assert!(failing(&server, &["abort", "0198"]).1.contains("\nhint: your role is too small for this"));
    let missing = failing(&server, &["show", "0198"]).1;
    assert!(missing.ends_with("\nhint: `pulse ps -a` lists the executions\n"), "{missing}");
}

#[test]
fn a_misspelt_workflow_and_a_missing_parameter() {
    let server = StandIn::start(Story::default());
    let param = json!({"name": "limit", "type": "integer", "required": true});
    let choice =
        json!({"name": "mode", "type": "choice", "required": false, "default": "ask", "options": ["ask", "auto"]});
    let workflow = json!({"id": crate::story::ID, "name": "disk-check", "description": "", "tags": [], "params": [param, choice],
        "version": 1, "created_by": "a", "created_at": "2026-11-24T12:00:00.000Z", "updated_at": "2026-11-24T12:00:00.000Z",
        "definition": "", "webhook": null, "graph": {"nodes": [], "edges": []}, "diagnostics": []});
    server.answer("GET /api/workflows", 200, json!({"items": [workflow], "next": null}));
    server.answer("GET /api/workflows/disk-check", 200, workflow);
    server.refuse("POST /api/workflows/disk-chek/execute", 404, "there is no workflow `disk-chek`");
    assert_eq!(
        failing(&server, &["run", "disk-chek"]),
        (1, "error: there is no workflow `disk-chek`\nhint: did you mean `disk-check`?\n".to_owned())
    );
    server.refuse("POST /api/workflows/disk-check/execute", 422, "parameter `limit` is missing");
    assert_eq!(
        failing(&server, &["run", "disk-check"]).1,
        "error: parameter `limit` is missing\nhint: its parameters: limit (integer, required); mode (choice ask|auto, default ask)\n"
    );
}

#[test]
fn a_command_line_that_makes_no_sense() {
    let directory = tempfile::tempdir().unwrap();
    for (arguments, says) in [
        (&["nope"][..], "unrecognized subcommand 'nope'"),
        (&["run"][..], "required arguments were not provided"),
        (&["run", "x", "-p", "novalue"][..], "write it as NAME=VALUE"),
        (&["run", "x", "-p", "a=1", "-p", "a=2", "--server", "http://127.0.0.1:1"][..], "parameter `a` is given twice"),
        (&["run", "x", "--targets", "web,,db"][..], "is not a target: it is empty"),
        (&["exec", "--on", "all"][..], "required arguments were not provided"),
        (&["exec", "--on", "all", "--timeout", "soon", "--", "x"][..], "`soon` is not a duration"),
        (&["ps", "--status", "done"][..], "[possible values: queued, running"),
    ] {
        let ran = ran(pulse(directory.path(), arguments));
        assert_eq!(ran.code, 2, "{arguments:?}: {}", ran.err);
        assert!(ran.err.contains(says) && ran.err.starts_with("error: "), "{arguments:?}: {}", ran.err);
    }
}

#[test]
fn odd_names_and_tokens_are_refused_here() {
    let directory = tempfile::tempdir().unwrap();
    let server = "http://127.0.0.1:1";
    let names = ran(pulse_at(server, directory.path(), &["show", ""]));
    assert_eq!((names.code, names.err.as_str()), (1, "error: `` is no name and no id\n"));
    let mut command = pulse_at(server, directory.path(), &["ps"]);
    command.env("PULSE_TOKEN", "a\nb");
    let token = ran(command);
    assert!(token.err.starts_with("error: the token holds characters that no token has\n"), "{}", token.err);
    let file = ran(pulse_at(server, directory.path(), &["workflow", "put", "none.yaml"]));
    assert_eq!(file.err, "error: none.yaml: there is no such file\n");
}
