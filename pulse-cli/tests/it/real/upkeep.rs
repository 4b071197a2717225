//! What an operator does to a server that is stopped: another version of it, and summaries made again from the journals.

use super::installation::Installation;
use crate::program::{Ran, finished_within_a_minute};
use serde_json::{Value, json};
use std::io::{BufRead as _, BufReader};
use std::path::Path;

/// A server with the installation's database, which has to end by itself.
fn server(installation: &Installation, arguments: &[&str]) -> Ran {
    let arguments = [&["server", "--listen", "127.0.0.1:0"], arguments].concat();
    installation.pulse_with(&arguments, &[("PULSE_DATABASE_URL", &installation.database_url())])
}

/// Runs a command to its end and answers its execution.
fn executed(installation: &Installation, command: &str) -> Value {
    let body = json!({"command": command, "targets": ["all"]});
    let (status, body) = installation.call("POST", "/api/commands", Some(body));
    assert_eq!(status, 202, "{body}");
    installation.wait_for(body["id"].as_str().unwrap(), &["completed", "failed"])
}

#[test]
fn a_database_of_a_newer_program_is_left_alone() {
    let mut installation = Installation::start();
    let before = executed(&installation, "echo kept");
    installation.stop();
    let later = "INSERT INTO seaql_migrations (version, applied_at) VALUES ('m20991231_000001_later', 0)";
    assert_eq!(installation.change_database(later), 1);

    for arguments in [&[][..], &["--rebuild"]] {
        let ran = server(&installation, arguments);
        let errors: Vec<&str> = ran.err.lines().filter(|line| line.starts_with("error")).collect();
        assert_eq!((ran.code, errors.len()), (1, 1), "{}", ran.err);
        assert!(errors[0].contains("newer PULSE") && errors[0].contains("m20991231_000001_later"), "{}", ran.err);
        assert!(errors[0].contains("start that version"), "it says what to do: {}", ran.err);
    }

    // The version that knows it finds everything.
    assert_eq!(
        installation.change_database("DELETE FROM seaql_migrations WHERE version = 'm20991231_000001_later'"),
        1
    );
    installation.start_again();
    assert_eq!(installation.execution(before["id"].as_str().unwrap()), before);
}

#[test]
fn summaries_are_made_again_from_journals() {
    let mut installation = Installation::start();
    let before = [executed(&installation, "echo first"), executed(&installation, "exit 3")];
    installation.stop();
    let journals = |ran: Ran| {
        assert_eq!(ran.code, 0, "{}", ran.err);
        ran.out.trim().to_owned()
    };
    assert_eq!(journals(server(&installation, &["--rebuild"])), "2 journals read, 0 summaries written");

    // One is gone, and one is wrong.
    assert_eq!(installation.change_database("DELETE FROM executions WHERE status = 'completed'"), 1);
    assert_eq!(installation.change_database("UPDATE executions SET status = 'running', last_seq = last_seq - 1"), 1);
    assert_eq!(journals(server(&installation, &["--rebuild"])), "2 journals read, 2 summaries written");
    assert_eq!(journals(server(&installation, &["--rebuild"])), "2 journals read, 0 summaries written");

    installation.start_again();
    for execution in before {
        assert_eq!(installation.execution(execution["id"].as_str().unwrap()), execution);
    }
    let listed = installation.get("/api/executions?status=failed");
    assert_eq!(listed["items"].as_array().unwrap().len(), 1, "{listed}");
}

/// A journal that does not fold is named and left alone.
#[test]
fn a_damaged_journal_is_named() {
    let mut installation = Installation::start();
    let execution = executed(&installation, "echo once");
    let id = execution["id"].as_str().unwrap();
    installation.stop();
    assert_eq!(installation.change_database("DELETE FROM execution_events WHERE seq = 2"), 1);
    let ran = server(&installation, &["--rebuild"]);
    assert_eq!(ran.code, 1, "{ran:?}");
    assert!(ran.out.contains("1 journal read, 0 summaries written"), "{}", ran.out);
    assert!(ran.out.contains(id) && ran.out.contains("1 journal is damaged"), "{}", ran.out);
}

/// Whatever database the others have, this is about a file.
fn at(file: &Path) -> Vec<String> {
    let url = format!("sqlite://{}", file.display());
    ["server", "--listen", "127.0.0.1:0", "--database-url", &url].map(str::to_owned).to_vec()
}

fn the_only_error(ran: &Ran) -> &str {
    let errors: Vec<&str> = ran.err.lines().filter(|line| line.starts_with("error")).collect();
    assert_eq!((ran.code, errors.len()), (1, 1), "{ran:?}");
    errors[0]
}

#[test]
fn a_database_file_is_one_server_s_and_free_when_that_was_killed() {
    let installation = Installation::start();
    let directory = installation.directory.path();
    let (file, link) = (directory.join("alone.db"), directory.join("link.db"));
    std::os::unix::fs::symlink(&file, &link).unwrap();
    let first = at(&file);
    let mut alone = installation.server(&first.iter().map(String::as_str).collect::<Vec<_>>(), &[]);
    for path in [&file, &link] {
        for more in [None, Some("--rebuild")] {
            let arguments = at(path);
            let arguments: Vec<&str> = arguments.iter().map(String::as_str).chain(more).collect();
            let ran = installation.pulse_with(&arguments, &[]);
            let error = the_only_error(&ran);
            assert!(error.contains("another server uses") && error.contains(path.to_str().unwrap()), "{error}");
            assert!(ran.err.contains("stop that server first"), "it says what to do: {}", ran.err);
        }
    }
    assert_eq!(installation.call_at(&alone.url, "", "GET", "/readyz", None).0, 200, "the first goes on");
    alone.kill();
    // Nobody waits for its end.
    let arguments: Vec<&str> = first.iter().map(String::as_str).chain(["--rebuild"]).collect();
    let ran = installation.pulse_with(&arguments, &[]);
    assert_eq!((ran.code, ran.out.trim()), (0, "0 journals read, 0 summaries written"), "{ran:?}");
}

#[test]
fn a_server_stops_when_its_database_was_removed_or_replaced() {
    let installation = Installation::start();
    for is_replaced in [false, true] {
        let file = installation.directory.path().join(format!("gone-{is_replaced}.db"));
        let arguments = at(&file);
        let mut child = installation.spawn(&arguments.iter().map(String::as_str).collect::<Vec<_>>());
        // The pipe stays open: what it has to say at its end is its own business.
        let mut out = BufReader::new(child.stdout.take().unwrap());
        out.read_line(&mut String::new()).unwrap();
        match is_replaced {
            true => {
                let backup = file.with_extension("backup");
                std::fs::copy(&file, &backup).unwrap();
                std::fs::rename(&backup, &file).unwrap();
            }
            false => std::fs::remove_file(&file).unwrap(),
        }
        let ran = finished_within_a_minute(child);
        let error = the_only_error(&ran);
        assert!(error.contains("was removed or replaced") && error.contains(file.to_str().unwrap()), "{error}");
    }
}
