//! Webhooks from end to end: what receivers get, signed, at least once, and never more than they may know.

use super::installation::Installation;
use super::receiver::{Receiver, Request};
use ring::hmac;
use serde_json::{Value, json};
use std::collections::BTreeSet;

const CANARY: &str = "canary-4711-webhook";
/// Receivers are on this machine, at one address of the many that loopback has.
const ALLOW: &[(&str, &str)] = &[("PULSE_WEBHOOK_ALLOW", "127.0.0.1")];

/// What the documentation tells receivers to do.
fn assert_signed(request: &Request, key: &str) {
    let signature = request.header("x-pulse-signature").strip_prefix("sha256=").expect("its kind is said").to_owned();
    let key = hmac::Key::new(hmac::HMAC_SHA256, key.as_bytes());
    let signed = format!("{}.{}", request.header("x-pulse-timestamp"), request.body);
    let tag: String = hmac::sign(&key, signed.as_bytes()).as_ref().iter().map(|byte| format!("{byte:02x}")).collect();
    assert_eq!(signature, tag);
    assert!(request.header("x-pulse-timestamp").parse::<u64>().unwrap() > 1_700_000_000, "seconds");
}

fn keys(value: &Value) -> BTreeSet<&str> {
    value.as_object().unwrap().keys().map(String::as_str).collect()
}

fn deliveries(installation: &Installation, id: &str) -> Vec<Value> {
    installation.get(&format!("/api/executions/{id}/deliveries"))["items"].as_array().unwrap().clone()
}

/// Waits until an execution has so many calls and none is pending.
fn settled(installation: &Installation, id: &str, count: usize) -> Vec<Value> {
    installation.until("the calls are settled", || {
        let all = deliveries(installation, id);
        (all.len() >= count && all.iter().all(|call| call["status"] != "pending")).then_some(all)
    })
}

#[test]
fn receivers_are_told_of_questions_and_ends_and_of_nothing_else() {
    let installation = Installation::start_with(ALLOW);
    let receiver = Receiver::start();
    let hook = format!("{}/hook?token=hunter2", receiver.url);
    installation.store(&format!(
        "name: deploy\nwebhook: {hook}\nparams: [{{name: token, type: secret}}, plain]\nsteps:\n\
         - {{id: work, command: \"echo {{{{ token }}}} {{{{ plain }}}}; echo out-of-it\"}}\n\
         - {{id: keep, type: set, values: {{seen: last.stdout}}}}\n\
         - {{id: ask, message: \"Go on with {{{{ state.seen }}}}?\", options: [Yes, No]}}\n\
         - {{id: again, message: Really?, options: [Yes, No]}}\n"
    ));
    let id = installation.execute("deploy", json!({"token": CANARY, "plain": "plain-value"}), &[]);
    let key = installation.pulse(&["webhook", "key"]).out.trim().to_owned();
    assert_eq!(installation.get("/api/webhook-key"), json!({"key": key}));

    let first = receiver.next();
    let prompt = installation.execution(&id)["prompt"].clone();
    let expected = json!({
        "event": "waiting", "at": first.json()["at"], "execution": id, "workflow": "deploy", "status": "waiting",
        "started_by": installation.execution(&id)["started_by"], "url": format!("{}/executions/{id}", installation.url),
        "prompt": {"id": prompt["id"], "step": "ask", "message": prompt["message"], "options": prompt["options"],
            "deadline": prompt["deadline"]},
    });
    assert_eq!(first.json(), expected);
    assert!(first.json()["prompt"]["message"].as_str().unwrap().contains("••••"), "{}", first.body);
    let answer =
        || installation.call("POST", &format!("/api/executions/{id}/respond"), Some(json!({"response": "Yes"})));
    assert_eq!(answer().0, 204);
    let second = receiver.next();
    assert_eq!(second.json()["prompt"]["step"], "again");
    assert_eq!(answer().0, 204);
    let third = receiver.next();
    let told = ["at", "event", "execution", "started_by", "status", "url", "workflow"];
    assert_eq!(keys(&third.json()), told.into());
    assert_eq!((&third.json()["event"], &third.json()["status"]), (&json!("completed"), &json!("completed")));

    for request in [&first, &second, &third] {
        assert_eq!(request.line, "POST /hook?token=hunter2 HTTP/1.1");
        assert_eq!(request.header("content-type"), "application/json");
        assert_signed(request, &key);
        assert!(!format!("{request:?}").contains(CANARY) && !format!("{request:?}").contains(&key), "{request:?}");
    }
    let calls = settled(&installation, &id, 3);
    let ids: Vec<&str> = calls.iter().map(|call| call["id"].as_str().unwrap()).collect();
    assert_eq!(ids, [&first, &second, &third].map(|request| request.header("x-pulse-delivery").to_owned()));
    for (call, event) in calls.iter().zip(["waiting", "waiting", "completed"]) {
        let said = ["event", "status", "attempts", "answer_status", "answer", "error", "next_try_at", "url"]
            .map(|field| call[field].clone());
        let url = format!("{}/hook", receiver.url);
        assert_eq!(
            said,
            [
                json!(event),
                json!("delivered"),
                json!(1),
                json!(200),
                json!("taken"),
                Value::Null,
                Value::Null,
                json!(url)
            ]
        );
    }
    let page = installation.get(&format!("/api/executions/{id}/deliveries?limit=2"));
    assert_eq!((page["items"].as_array().unwrap().len(), page["next"].as_str()), (2, Some(ids[1])));
    let rest = installation.get(&format!("/api/executions/{id}/deliveries?cursor={}", ids[1]));
    assert_eq!((&rest["items"][0]["id"], &rest["next"]), (&json!(ids[2]), &Value::Null));
    let shown = installation.pulse(&["show", &id]).out;
    assert!(
        shown.contains(&format!("webhook completed ({}) to {}/hook: delivered after 1 try\n", ids[2], receiver.url)),
        "{shown}"
    );
    let log = std::fs::read_to_string(installation.directory.path().join("up.log")).unwrap();
    assert!(!log.contains(&key) && !log.contains("hunter2"), "{log}");

    // They go with their execution.
    assert_eq!(installation.call("DELETE", &format!("/api/executions/{id}"), None).0, 204);
    assert_eq!(installation.call("GET", &format!("/api/executions/{id}/deliveries"), None).0, 404);
    let (status, problem) = installation.call("POST", &format!("/api/deliveries/{}/retry", ids[0]), Some(json!({})));
    assert_eq!((status, problem["code"].as_str()), (404, Some("not-found")));
}

#[test]
fn a_failed_call_is_made_again_with_its_id_though_the_server_is_killed() {
    let mut installation = Installation::start_with(ALLOW);
    let receiver = Receiver::start();
    receiver.answer(500, "no");
    installation.store(&format!("name: w\nwebhook: {}/\nsteps: [{{id: a, type: wait, duration: 0s}}]\n", receiver.url));
    let id = installation.execute("w", json!({}), &[]);
    let first = receiver.next();
    installation
        .until("the failure is noted", || (deliveries(&installation, &id)[0]["error"] == "answered 500").then_some(()));
    let again = receiver.next();
    installation.kill_and_restart();
    let after = receiver.next();
    receiver.answer(200, "taken");
    let calls = settled(&installation, &id, 1);
    assert_eq!((calls.len(), &calls[0]["status"], &calls[0]["answer"]), (1, &json!("delivered"), &json!("taken")));
    assert!(calls[0]["attempts"].as_u64().unwrap() >= 3, "{calls:?}");
    let key = installation.pulse(&["webhook", "key"]).out.trim().to_owned();
    for request in [&first, &again, &after] {
        assert_eq!(request.header("x-pulse-delivery"), calls[0]["id"].as_str().unwrap());
        assert_eq!(request.body, first.body, "the same at each try");
        assert_signed(request, &key);
    }
}

#[test]
fn what_was_caused_while_nobody_could_be_told_is_told_after_a_restart() {
    let mut installation = Installation::start_with(ALLOW);
    let receiver = Receiver::start();
    let url = receiver.url.clone();
    installation.store(&format!("name: w\nwebhook: {url}/\nsteps: [{{id: ask, message: Well?}}]\n"));
    receiver.close();
    let ids: Vec<String> = (0..5).map(|_| installation.execute("w", json!({}), &[])).collect();
    for id in &ids {
        installation.wait_for(id, &["waiting"]);
        installation.call("POST", &format!("/api/executions/{id}/abort"), Some(json!({})));
    }
    installation.kill_and_restart();
    let receiver = Receiver::at(&url);
    let mut told = BTreeSet::new();
    while told.len() < 10 {
        let request = receiver.next().json();
        told.insert((request["execution"].as_str().unwrap().to_owned(), request["event"].as_str().unwrap().to_owned()));
    }
    for id in ids {
        for event in ["waiting", "aborted"] {
            assert!(told.contains(&(id.clone(), event.to_owned())), "{told:?}");
        }
        settled(&installation, &id, 2);
    }
}

#[test]
fn each_workflow_tells_its_own_and_the_request_counts_before_the_definition() {
    let installation = Installation::start_with(ALLOW);
    let receiver = Receiver::start();
    let url = &receiver.url;
    installation.store(&format!("name: child\nwebhook: {url}/child\nsteps: [{{id: a, command: exit 3}}]\n"));
    let definition = format!("name: parent\nwebhook: {url}/definition\nsteps: [{{id: sub, workflow: child}}]\n");
    let body = json!({"definition": definition, "webhook": format!("{url}/request")});
    assert_eq!(installation.call("POST", "/api/workflows", Some(body)).0, 201);
    let id = installation.execute("parent", json!({}), &[]);
    let (child, parent) = (receiver.next(), receiver.next());
    assert_eq!((child.line.as_str(), &child.json()["event"]), ("POST /child HTTP/1.1", &json!("failed")));
    assert_eq!((parent.line.as_str(), &parent.json()["event"]), ("POST /request HTTP/1.1", &json!("failed")));
    assert_eq!(parent.json()["execution"], json!(id));
    assert_eq!(child.json()["workflow"], "child");

    let wrong = json!({"definition": definition, "webhook": "ftp://x"});
    let (status, problem) = installation.call("PUT", "/api/workflows/parent", Some(wrong));
    assert_eq!((status, problem["code"].as_str()), (422, Some("invalid-webhook")), "{problem}");
    // Storing a file anew keeps what was given beside the definition, and follows what stands in it.
    let file = installation.directory.path().join("flow.yaml");
    for (name, hook, expected) in [("parent", "/other", "/request"), ("child", "/other", "/other")] {
        let text = format!("name: {name}\nwebhook: {url}{hook}\nsteps: [{{id: a, type: wait, duration: 0s}}]\n");
        std::fs::write(&file, text).unwrap();
        let ran = installation.pulse(&["workflow", "put", "flow.yaml"]);
        assert_eq!(ran.code, 0, "{}", ran.err);
        assert_eq!(installation.get(&format!("/api/workflows/{name}"))["webhook"], format!("{url}{expected}"));
    }

    // An execution tells the webhook of the version that it runs; a quick command tells nobody.
    installation.store(&format!("name: asks\nwebhook: {url}/old\nsteps: [{{id: ask, message: Well?}}]\n"));
    let asks = installation.execute("asks", json!({}), &[]);
    assert_eq!(receiver.next().line, "POST /old HTTP/1.1");
    let new = json!({"definition": format!("name: asks\nwebhook: {url}/new\nsteps: [{{id: ask, message: Well?}}]\n")});
    assert_eq!(installation.call("PUT", "/api/workflows/asks", Some(new)).0, 200);
    let (_, quick) = installation.call("POST", "/api/commands", Some(json!({"command": "true", "targets": ["all"]})));
    let quick = quick["id"].as_str().unwrap();
    installation.wait_for(quick, &["completed"]);
    assert_eq!(deliveries(&installation, quick), [Value::Null; 0]);
    installation.call("POST", &format!("/api/executions/{asks}/abort"), Some(json!({})));
    let last = receiver.next();
    assert_eq!((last.line.as_str(), &last.json()["event"]), ("POST /old HTTP/1.1", &json!("aborted")));
}

#[test]
fn inside_addresses_are_refused_and_a_call_can_be_made_once_more() {
    let mut installation = Installation::start_with(ALLOW);
    let receiver = Receiver::start();
    // The same receiver, by an address and a name that are not allowed.
    let port = receiver.url.rsplit(':').next().unwrap().to_owned();
    for (name, host) in [("spelled", "0x7f.2"), ("private", "10.0.0.1"), ("mapped", "[::ffff:127.0.0.1]")] {
        installation.store(&format!(
            "name: {name}\nwebhook: http://{host}:{port}/\nsteps: [{{id: a, type: wait, duration: 0s}}]\n"
        ));
        let id = installation.execute(name, json!({}), &[]);
        let calls = settled(&installation, &id, 1);
        assert_eq!((&calls[0]["status"], &calls[0]["attempts"]), (&json!("given_up"), &json!(1)), "{calls:?}");
        assert!(calls[0]["error"].as_str().unwrap().ends_with("PULSE_WEBHOOK_ALLOW does not allow it"), "{calls:?}");
        let call = calls[0]["id"].as_str().unwrap();
        let ran = installation.pulse(&["webhook", "retry", call]);
        assert_eq!(ran.code, 0, "{}", ran.err);
        let again = installation.until("it was tried again", || {
            let again = deliveries(&installation, &id);
            (again[0]["attempts"] == 2 && again[0]["status"] != "pending").then_some(again)
        });
        assert_eq!(again[0]["status"], "given_up");
    }
    assert!(receiver.is_quiet());

    // Who may see and do what.
    let token = |role: &str| {
        let body = json!({"name": role, "role": role});
        installation.call("POST", "/api/tokens", Some(body)).1["token"].as_str().unwrap().to_owned()
    };
    let id = installation.get("/api/executions")["items"][0]["id"].as_str().unwrap().to_owned();
    let call = deliveries(&installation, &id)[0]["id"].as_str().unwrap().to_owned();
    let (list, retry) = (format!("/api/executions/{id}/deliveries"), format!("/api/deliveries/{call}/retry"));
    for (role, expected) in [
        ("nobody", [401, 401, 401]),
        ("viewer", [200, 403, 403]),
        ("operator", [200, 204, 403]),
        ("admin", [200, 204, 200]),
    ] {
        let token = if role == "nobody" { "wrong".to_owned() } else { token(role) };
        let call = |method: &str, path: &str, body| installation.call_at(&installation.url, &token, method, path, body);
        // The sender may be at it just now, which is told as such.
        let retried = installation.until("it is not being tried", || {
            Some(call("POST", &retry, Some(json!({}))).0).filter(|status| *status != 409)
        });
        let answers = [call("GET", &list, None).0, retried, call("GET", "/api/webhook-key", None).0];
        assert_eq!(answers, expected, "{role}");
    }
    let (status, _) = installation.call("POST", &retry, Some(json!({"x": 1})));
    assert_eq!(status, 422);

    // Another installation has another key, and this one keeps its own.
    let key = installation.get("/api/webhook-key");
    assert_ne!(Installation::start().get("/api/webhook-key"), key);
    installation.kill_and_restart();
    assert_eq!(installation.get("/api/webhook-key"), key);
    let ran = installation
        .pulse_with(&["server", "--listen", "127.0.0.1:0"], &[("PULSE_WEBHOOK_ALLOW", "10.0.0.0/8,inside")]);
    assert!(ran.code == 1 && ran.err.contains("PULSE_WEBHOOK_ALLOW: `inside` is no network"), "{}", ran.err);
}
