//! Questions: asked, answered, answered elsewhere, left open.

use crate::program::{Running, pulse_at, ran, ran_with_input};
use crate::stand_in::{Request, StandIn};
use crate::story::{ID, Story, prompt_id};
use serde_json::{Value, json};
use std::time::Duration;

const QUESTION: &str = "\
▸ 1 Step 1
  ? Clean up?
    1) Yes
    2) Wipe all (dangerous)
    to be answered within 59m 59s
";

fn asking() -> StandIn {
    let server = StandIn::start(Story::begin().started(1).prompt(1, 1));
    server.on(&format!("POST /api/executions/{ID}/respond"), |request, story| {
        let response = request.body["response"].as_str().unwrap().to_owned();
        *story = std::mem::take(story)
            .answered(1, 1, &response, "admin")
            .finished(1, "completed", None)
            .ended("completed", None);
        (200, Value::Null)
    });
    server
}

fn run(server: &StandIn, input: &str) -> crate::program::Ran {
    let directory = tempfile::tempdir().unwrap();
    ran_with_input(pulse_at(&server.url, directory.path(), &["run", "disk-check", "--follow"]), input)
}

fn answers(server: &StandIn) -> Vec<Value> {
    let all = server.requests();
    let is_answer = |request: &&Request| request.path.ends_with("/respond");
    all.iter().filter(is_answer).map(|request| request.body.clone()).collect()
}

#[test]
fn answered_by_number_or_label() {
    for (input, value, label) in [("2\n", "wipe", "Wipe all"), ("yes\n", "yes", "Yes")] {
        let server = asking();
        let ran = run(&server, input);
        assert_eq!(answers(&server), [json!({"response": value, "prompt_id": prompt_id(1)})]);
        let rest = ran.out.split_once(QUESTION).expect("the question").1;
        let typed = input.trim();
        assert_eq!(
            rest,
            format!(
                "  number or answer> {typed}\n  ✓ answered by admin: {label}\n✓ 1 Step 1: completed in 300ms\n✓ completed in 500ms\n"
            )
        );
        assert_eq!((ran.code, ran.err.as_str()), (0, ""));
    }
}

#[test]
fn a_wrong_answer_is_asked_again() {
    let server = asking();
    let ran = run(&server, "3\nmaybe\n1\n");
    assert_eq!(answers(&server).len(), 1);
    let line = "that is none of the answers: a number from 1 to 2, or one of: Yes, Wipe all\n";
    assert_eq!((ran.code, ran.err), (0, line.repeat(2)));
    assert_eq!(ran.out.matches("number or answer> ").count(), 3);
}

#[test]
fn without_input_the_question_stays_open_and_following_goes_on() {
    let server = asking();
    let directory = tempfile::tempdir().unwrap();
    let child = Running::start(pulse_at(&server.url, directory.path(), &["run", "disk-check", "--follow"]));
    server.wait_for_subscriptions(1);
    std::thread::sleep(Duration::from_millis(200));
    server.goes_on(|story| story.answered(1, 1, "yes", "bob").finished(1, "completed", None).ended("completed", None));
    let ran = child.finished();
    assert_eq!(ran.err, "the question stays open; answer it with `pulse respond 0198c2f4-7a1b OPTION`\n");
    assert!(ran.out.contains("  number or answer> \n  ✓ answered by bob: Yes\n"), "{}", ran.out);
    assert_eq!(ran.code, 0);
}

#[test]
fn a_line_that_comes_too_late_answers_the_next_question() {
    let server = StandIn::start(Story::begin().started(1).prompt(1, 1));
    server.on(&format!("POST /api/executions/{ID}/respond"), |request, story| {
        if request.body["prompt_id"] == prompt_id(1) {
            // Somebody else was faster.
            *story = std::mem::take(story).answered(1, 1, "yes", "bob").prompt(1, 2);
            return (
                409,
                json!({"title": "Conflict", "status": 409, "detail": "answered already", "code": "answered"}),
            );
        }
        *story = std::mem::take(story).answered(1, 2, "wipe", "admin").ended("completed", None);
        (200, Value::Null)
    });
    let ran = run(&server, "1\n2\n");
    assert_eq!((ran.code, ran.err.as_str()), (0, ""));
    let asked: Vec<Value> = answers(&server).iter().map(|body| body["prompt_id"].clone()).collect();
    assert_eq!(asked, [json!(prompt_id(1)), json!(prompt_id(2))]);
    assert!(ran.out.contains("✓ answered by bob: Yes") && ran.out.contains("✓ answered by admin: Wipe all"));
}

#[test]
fn a_question_of_the_past_is_not_asked() {
    let story = Story::begin().started(1).prompt(1, 1).answered(1, 1, "yes", "bob").ended("completed", None);
    let server = StandIn::start(story);
    let ran = run(&server, "1\n");
    assert!(answers(&server).is_empty() && !ran.out.contains("number or answer>"), "{}", ran.out);
}

#[test]
fn one_who_may_not_answer_goes_on_watching() {
    let server = asking();
    let directory = tempfile::tempdir().unwrap();
    server.on(&format!("POST /api/executions/{ID}/respond"), |_, story| {
        *story = std::mem::take(story).answered(1, 1, "yes", "bob").ended("completed", None);
        (403, json!({"title": "Forbidden", "status": 403, "detail": "a viewer may not answer", "code": "forbidden"}))
    });
    let command = pulse_at(&server.url, directory.path(), &["run", "disk-check", "--follow"]);
    let ran = ran_with_input(command, "1\n");
    assert!(ran.err.starts_with("not answered: a viewer may not answer (your role is too small"), "{}", ran.err);
    assert_eq!(ran.code, 0);

    let server = asking();
    server.on(&format!("POST /api/executions/{ID}/respond"), |_, story| {
        *story = std::mem::take(story).answered(1, 1, "yes", "bob").ended("completed", None);
        let detail = "only members of dba may answer this";
        (403, json!({"title": "Forbidden", "status": 403, "detail": detail, "code": "not-allowed"}))
    });
    let err = run(&server, "1\n").err;
    assert!(
        err.starts_with(
            "not answered: only members of dba may answer this (tokens are in no group: a member can answer in the dashboard, and an admin anywhere)"
        ),
        "{err}"
    );
}

#[test]
fn respond_takes_a_label_a_number_or_tells_the_options() {
    let server = asking();
    let directory = tempfile::tempdir().unwrap();
    let mut view = crate::listings::execution("waiting", Story::begin().started(1).prompt(1, 1));
    view["prompt"] = json!({
        "id": prompt_id(1), "step": "s1", "message": "Clean up?", "output": "", "deadline": "2026-11-24T13:00:00.000Z",
        "options": [{"label": "Yes", "value": "yes"}, {"label": "Wipe all", "value": "wipe", "danger": true}],
    });
    server.answer("GET /api/executions/0198c2f4-7a1b", 200, view.clone());
    let respond = |option: &str| ran(pulse_at(&server.url, directory.path(), &["respond", "0198c2f4-7a1b", option]));
    let wrong = respond("No");
    assert_eq!(
        (wrong.code, wrong.err.as_str()),
        (1, "error: `No` is none of the answers\nhint: answer with a number from 1 to 2, or one of: Yes, Wipe all\n")
    );
    let right = respond("wipe all");
    assert_eq!((right.code, right.out.as_str()), (0, "answered: Wipe all\n"));
    assert_eq!(answers(&server), [json!({"response": "wipe", "prompt_id": prompt_id(1)})]);
    view["prompt"] = Value::Null;
    server.answer("GET /api/executions/0198c2f4-7a1b", 200, view);
    assert!(respond("Yes").err.starts_with("error: execution 0198c2f4-7a1b asks nothing: it is waiting\n"));
}

#[test]
fn who_answers_nothing_is_told_what_is_waited_for() {
    let server = StandIn::start(Story::default());
    let directory = tempfile::tempdir().unwrap();
    let refusal = |story: Story| {
        server.answer("GET /api/executions/0198c2f4-7a1b", 200, crate::listings::execution("waiting", story));
        let err = ran(pulse_at(&server.url, directory.path(), &["respond", "0198c2f4-7a1b", "Yes"])).err;
        let line = err.lines().next().unwrap_or_default();
        line.strip_prefix("error: execution 0198c2f4-7a1b asks nothing: it is waiting").unwrap().to_owned()
    };
    let until = json!({"action": "wait_started", "until": "2026-11-24T13:00:00.000Z"});
    let pausing = Story::begin().started(1).at(1, until);
    assert_eq!(refusal(pausing.clone()), "; step `s1` waits until 2026-11-24T13:00:00.000Z");
    assert_eq!(refusal(pausing.finished(1, "completed", None)), "");
    let worker = |name: &str| json!({"worker_id": prompt_id(name.len() as u32), "worker": name});
    let awaited = json!({"action": "targets_resolved", "selector": ["all"], "targets": [], "awaited": [worker("db"), worker("web")]});
    let late = json!({"action": "worker_still_offline", "worker_id": prompt_id(3), "worker": "web"});
    let waiting = Story::begin().started(2).at(2, awaited);
    assert_eq!(refusal(waiting.clone()), "; step `s2` waits for db, step `s2` waits for web");
    assert_eq!(refusal(waiting.at(2, late)), "; step `s2` waits for db");
    let any = json!({"action": "targets_resolved", "selector": ["any"], "targets": [], "await_any": true});
    let waiting = Story::begin().started(2).at(2, any);
    assert_eq!(refusal(waiting.clone()), "; step `s2` waits for any worker");
    let sent = waiting.sent(2, "db", 1, "ls");
    assert_eq!(refusal(sent.clone()), "; step `s2` waits for its command on db");
    assert_eq!(refusal(sent.result(2, "db", 1, 0)), "");
    let child =
        json!({"action": "child_started", "execution_id": prompt_id(9), "workflow": "kid", "params": {}, "depth": 1});
    let said = format!("; step `s3` waits for its child execution {} (kid)", prompt_id(9));
    assert_eq!(refusal(Story::begin().started(3).at(3, child)), said);
}
