//! `pulse login`, and the files that say where the server is.

use crate::program::{pulse, ran, ran_with_input};
use crate::stand_in::StandIn;
use crate::story::Story;
use serde_json::json;
use std::os::unix::fs::PermissionsExt as _;

#[test]
fn remembers_a_server_and_a_token() {
    let server = StandIn::start(Story::default());
    let directory = tempfile::tempdir().unwrap();
    server.on("GET /api/me", |request, _| match request.head.contains("Bearer t0ken") {
        true => (200, json!({"name": "ann", "role": "admin", "groups": []})),
        false => {
            (401, json!({"title": "Unauthorized", "status": 401, "detail": "no such token", "code": "unauthorized"}))
        }
    });
    server.answer("GET /api/workers", 200, json!({"items": [], "next": null}));

    let wrong = ran_with_input(pulse(directory.path(), &["login", &server.url]), "wrong\n");
    assert_eq!(
        (wrong.code, wrong.err.as_str()),
        (1, "error: no such token\nhint: the server does not know this token, or it has expired\n")
    );
    let right = ran_with_input(pulse(directory.path(), &["login", &format!("{}/", server.url)]), "t0ken\n");
    assert_eq!((right.code, right.out), (0, format!("signed in to {} as ann (admin)\n", server.url)));
    let file = directory.path().join(".config/pulse/client.json");
    assert_eq!(std::fs::metadata(&file).unwrap().permissions().mode() & 0o777, 0o600);
    assert!(right.err.contains(&format!("stored in {}", file.display())) && !right.err.contains("t0ken"));

    // From now on it is found, and the token goes there.
    let listed = ran(pulse(directory.path(), &["worker", "ls"]));
    assert_eq!((listed.code, listed.err.as_str()), (0, "no workers: `pulse worker` starts one\n"));
    let last = server.requests().pop().unwrap();
    assert!(last.head.contains("Bearer t0ken"));
    let empty = ran(pulse(directory.path(), &["login", &server.url]));
    assert_eq!(empty.code, 1);
    assert!(empty.err.starts_with("error: no token was given\n"), "{}", empty.err);
}

#[test]
fn the_file_of_pulse_up_is_found() {
    let server = StandIn::start(Story::default());
    let directory = tempfile::tempdir().unwrap();
    server.answer("GET /api/workers", 200, json!({"items": [], "next": null}));
    std::fs::create_dir(directory.path().join("pulse-data")).unwrap();
    let stored = json!({"url": server.url, "token": "d4ta"}).to_string();
    std::fs::write(directory.path().join("pulse-data/client.json"), stored).unwrap();
    assert_eq!(ran(pulse(directory.path(), &["worker", "ls"])).code, 0);
    assert!(server.requests()[0].head.contains("Bearer d4ta"));
}
