//! What a person at a terminal sees, on a real pseudo terminal.

use crate::program::pulse_at;
use crate::stand_in::StandIn;
use crate::story::{ID, Story};
use rustix::pty::{OpenptFlags, grantpt, openpt, ptsname, unlockpt};
use serde_json::Value;
use std::fs::File;
use std::io::{Read as _, Write as _};
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

/// A program on a terminal.
struct Terminal {
    keyboard: File,
    child: Child,
    seen: Arc<Mutex<String>>,
}

impl Terminal {
    fn start(mut command: Command) -> Self {
        let master = openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY).unwrap();
        grantpt(&master).unwrap();
        unlockpt(&master).unwrap();
        let name = ptsname(&master, Vec::new()).unwrap().into_string().unwrap();
        let slave = || Stdio::from(File::options().read(true).write(true).open(&name).unwrap());
        let child = command.stdin(slave()).stdout(slave()).stderr(slave()).spawn().unwrap();
        // The command would keep the terminal open.
        drop(command);
        let keyboard = File::from(master);
        let mut screen = keyboard.try_clone().unwrap();
        let seen = Arc::new(Mutex::new(String::new()));
        let shared = seen.clone();
        std::thread::spawn(move || {
            let mut buffer = [0; 4_096];
            // Reading fails once the program has ended.
            while let Ok(read) = screen.read(&mut buffer) {
                shared.lock().unwrap().push_str(&String::from_utf8_lossy(&buffer[..read]));
            }
        });
        Self { keyboard, child, seen }
    }

    fn wait_for(&self, text: &str) {
        self.wait_for_times(text, 1);
    }

    fn wait_for_times(&self, text: &str, times: usize) {
        let began = Instant::now();
        while self.seen.lock().unwrap().matches(text).count() < times {
            assert!(began.elapsed() < Duration::from_secs(10), "no {text:?} in {:?}", self.seen.lock().unwrap());
            std::thread::sleep(Duration::from_millis(10));
        }
    }

    fn end(mut self) -> (i32, String) {
        let code = self.child.wait().unwrap().code().unwrap();
        std::thread::sleep(Duration::from_millis(50));
        (code, self.seen.lock().unwrap().clone())
    }
}

impl Drop for Terminal {
    fn drop(&mut self) {
        // An error means that it has ended.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

#[test]
fn a_question_is_answered_by_typing() {
    let server = StandIn::start(Story::begin().started(1).prompt(1, 1));
    server.on(&format!("POST /api/executions/{ID}/respond"), |_, story| {
        *story = std::mem::take(story).answered(1, 1, "yes", "admin").ended("completed", None);
        (200, Value::Null)
    });
    let directory = tempfile::tempdir().unwrap();
    // Follows by itself: this is a terminal.
    let mut terminal = Terminal::start(pulse_at(&server.url, directory.path(), &["run", "disk-check"]));
    terminal.wait_for("number or answer> ");
    terminal.keyboard.write_all(b"1\n").unwrap();
    let (code, seen) = terminal.end();
    assert_eq!(code, 0);
    assert!(seen.contains("number or answer> 1\r\n  \x1b[32m✓\x1b[0m answered by admin: Yes\r\n"), "{seen:?}");
}

#[test]
fn no_colour_means_none() {
    let story = Story::begin().started(1).targets(1, &["db"]).sent(1, "db", 1, "x").output(1, "db", 1, "\x1b[31mred\n");
    let story = story.result(1, "db", 1, 0).ended("completed", None);
    let seen = |no_colour: &str| {
        let server = StandIn::start(story.clone());
        let directory = tempfile::tempdir().unwrap();
        let mut command = pulse_at(&server.url, directory.path(), &["run", "disk-check"]);
        command.env("NO_COLOR", no_colour);
        Terminal::start(command).end().1
    };
    assert!(seen("").contains("\x1b[31mred\x1b[0m"));
    assert!(!seen("1").contains('\x1b'), "{:?}", seen("1"));
}

#[test]
fn an_unfinished_line_is_seen_at_once() {
    let story = Story::begin().started(1).targets(1, &["db"]).sent(1, "db", 1, "x").output(1, "db", 1, "working...");
    let server = StandIn::start(story);
    let directory = tempfile::tempdir().unwrap();
    let terminal = Terminal::start(pulse_at(&server.url, directory.path(), &["run", "disk-check"]));
    terminal.wait_for("working...");
    server.goes_on(|story| story.output(1, "db", 1, "done\n").result(1, "db", 1, 0).ended("completed", None));
    let (_, seen) = terminal.end();
    assert!(seen.contains("working...done\r\n"), "{seen:?}");
}

#[test]
fn exec_shows_how_far_it_is() {
    let story =
        Story::quick().started(1).targets(1, &["web-1", "db"]).sent(1, "web-1", 1, "x").result(1, "web-1", 1, 0);
    let server = StandIn::start(story);
    let directory = tempfile::tempdir().unwrap();
    let terminal = Terminal::start(pulse_at(&server.url, directory.path(), &["exec", "--on", "all", "--", "x"]));
    terminal.wait_for("[#.] 1/2 done");
    server.goes_on(|story| {
        story.sent(1, "db", 2, "x").output(1, "db", 2, "hi\n").result(1, "db", 2, 0).ended("completed", None)
    });
    let (code, seen) = terminal.end();
    assert_eq!(code, 0);
    // The progress line gives way to output and is gone at the end.
    assert!(seen.contains("\r\x1b[K\x1b[36mdb   \x1b[0m") && seen.contains("hi\r\n"), "{seen:?}");
    assert!(seen.trim_end().ends_with("(0198c2f4-7a1b)"), "{seen:?}");
}

#[test]
fn a_token_is_typed_unseen() {
    let server = StandIn::start(Story::default());
    server.answer("GET /api/me", 200, serde_json::json!({"name": "ann", "role": "admin", "groups": []}));
    let directory = tempfile::tempdir().unwrap();
    let mut terminal = Terminal::start(crate::program::pulse(directory.path(), &["login", &server.url]));
    terminal.wait_for("token: ");
    // Asking throws away what was typed before; the prompt is shown a moment earlier.
    std::thread::sleep(Duration::from_millis(200));
    terminal.keyboard.write_all(b"t0ken\n").unwrap();
    let (code, seen) = terminal.end();
    assert_eq!(code, 0, "{seen:?}");
    assert!(server.requests()[0].head.contains("Bearer t0ken") && !seen.contains("t0ken"), "{seen:?}");
}

#[test]
fn a_missing_secret_is_typed_unseen() {
    let server = StandIn::start(Story::begin().ended("completed", None));
    let view = serde_json::json!({
        "id": ID, "name": "disk-check", "description": "", "tags": [], "version": 1, "created_by": "ann",
        "created_at": "2027-01-15T08:00:00.000Z", "updated_at": "2027-01-15T08:00:00.000Z",
        "params": [
            {"name": "token", "type": "secret", "required": true},
            {"name": "given", "type": "secret", "required": true},
            {"name": "spare", "type": "secret", "required": false},
            {"name": "mount", "type": "string", "required": true},
        ],
        "definition": "", "diagnostics": [], "graph": {"nodes": [], "edges": []},
    });
    server.answer("GET /api/workflows/disk-check", 200, view);
    let problem = serde_json::json!({"title": "no", "status": 422, "detail": "missing", "code": "invalid-params"});
    server.answer("POST /api/workflows/disk-check/execute", 422, problem);
    let directory = tempfile::tempdir().unwrap();
    let arguments = ["run", "disk-check", "-p", "given=x", "-p", "mount=/"];
    let mut terminal = Terminal::start(pulse_at(&server.url, directory.path(), &arguments));
    terminal.wait_for("token: ");
    server.answer("POST /api/workflows/disk-check/execute", 202, serde_json::json!({"id": ID}));
    // Asking throws away what was typed before; the prompt is shown a moment earlier.
    std::thread::sleep(Duration::from_millis(200));
    terminal.keyboard.write_all(b"canary\n").unwrap();
    let (code, seen) = terminal.end();
    assert_eq!(code, 0, "{seen:?}");
    assert!(!seen.contains("canary") && !seen.contains("spare"), "{seen:?}");
    let requests = server.requests();
    let bodies: Vec<&Value> = requests.iter().filter(|r| r.method == "POST").map(|r| &r.body).collect();
    assert_eq!(bodies[1]["params"], serde_json::json!({"given": "x", "mount": "/", "token": "canary"}));
}

#[test]
fn a_local_run_asks_for_secrets_and_answers_at_the_terminal() {
    let directory = tempfile::tempdir().unwrap();
    let main = "
params: [{name: token, type: secret}]
steps:
  - {id: ask, type: prompt, message: Well?, options: [Go, Stop], fields: [{name: count, type: integer}]}
  - {id: use, command: 'test \"$T\" = can\"\"ary && echo \"counted {{ count }}\"', env: {T: '{{ token }}'}}";
    std::fs::write(directory.path().join("main.yaml"), main).unwrap();
    let arguments = ["run", "main.yaml", "--local"];
    let mut terminal = Terminal::start(crate::program::pulse(directory.path(), &arguments));
    for (asked, typed) in [("token: ", "canary\n"), ("number or answer> ", "1\n"), ("count:", "12\n")] {
        terminal.wait_for(asked);
        // Asking throws away what was typed before; the question is shown a moment earlier.
        std::thread::sleep(Duration::from_millis(200));
        terminal.keyboard.write_all(typed.as_bytes()).unwrap();
    }
    terminal.wait_for("counted 12");
    terminal.wait_for("completed in");
    let (code, seen) = terminal.end();
    assert_eq!(code, 0, "{seen:?}");
    assert!(!seen.contains("canary"), "{seen:?}");
}

/// The question above each place where an answer was asked for.
fn above_answers<'s>(seen: &'s str, questions: &[&'s str]) -> Vec<&'s str> {
    let mut parts: Vec<&str> = seen.split("answer> ").collect();
    // What comes behind the last.
    parts.pop();
    let last = |part: &&'s str| questions.iter().copied().max_by_key(|question| part.rfind(question)).unwrap();
    parts.iter().map(last).collect()
}

#[test]
fn an_answer_is_typed_below_the_question_that_it_answers() {
    let directory = tempfile::tempdir().unwrap();
    let main = "
steps:
  - id: each
    items: [prod, staging]
    parallel: 2
    steps:
      - {id: ask, message: 'delete {{ item }}?', options: [Do, Leave]}
      - {id: say, command: 'echo \"{{ item }}={{ steps.ask.response }}\"'}";
    std::fs::write(directory.path().join("main.yaml"), main).unwrap();
    let mut terminal = Terminal::start(crate::program::pulse(directory.path(), &["run", "main.yaml", "--local"]));
    for (times, typed) in [(1, "1\n"), (2, "2\n")] {
        terminal.wait_for_times("answer> ", times);
        // Asking throws away what was typed before; the question is shown a moment earlier.
        std::thread::sleep(Duration::from_millis(200));
        terminal.keyboard.write_all(typed.as_bytes()).unwrap();
    }
    let (code, seen) = terminal.end();
    assert_eq!(code, 0, "{seen:?}");
    let questions = ["delete prod?", "delete staging?"];
    assert_eq!(above_answers(&seen, &questions), questions, "{seen}");
    assert!(seen.contains("ask[prod]") && seen.contains("prod=Do") && seen.contains("staging=Leave"), "{seen}");
}

#[test]
fn a_question_that_comes_up_later_does_not_stand_above_the_answer_to_another() {
    let directory = tempfile::tempdir().unwrap();
    let main = "
steps:
  - type: parallel
    branches:
      - [{id: first, message: 'First?', options: [Yes], fields: [{name: ticket}]}]
      - [{type: wait, duration: 1500ms}, {id: second, message: 'Second?', options: [No]}]";
    std::fs::write(directory.path().join("main.yaml"), main).unwrap();
    let mut terminal = Terminal::start(crate::program::pulse(directory.path(), &["run", "main.yaml", "--local"]));
    let type_line = |terminal: &mut Terminal, line: &str| {
        std::thread::sleep(Duration::from_millis(200));
        terminal.keyboard.write_all(line.as_bytes()).unwrap();
    };
    terminal.wait_for("answer> ");
    type_line(&mut terminal, "1\n");
    // In the middle of an answer.
    terminal.wait_for("Second?");
    terminal.wait_for_times("First?", 2);
    terminal.wait_for_times("ticket:", 2);
    type_line(&mut terminal, "T-1\n");
    terminal.wait_for_times("answer> ", 2);
    type_line(&mut terminal, "1\n");
    let (code, seen) = terminal.end();
    assert_eq!(code, 0, "{seen:?}");
    assert_eq!(above_answers(&seen, &["First?", "Second?"]), ["First?", "Second?"], "{seen}");
}
