//! The main job: `pulse up`, two more workers, `disk-check` by the command line, its question answered by HTTP.

use super::installation::{Installation, actions};
use crate::program::{finished, ran_with_input};
use serde_json::json;

#[test]
fn disk_check_runs_is_answered_by_http_and_ends_with_its_exit_code() {
    let mut installation = Installation::start();
    installation.worker("w2");
    installation.worker("w3");
    let following = installation.spawn(&["run", "disk-check", "--follow", "--targets", "w3"]);
    let id = installation.until("it asks", || {
        let page = installation.get("/api/executions?status=waiting");
        page["items"][0]["id"].as_str().map(str::to_owned)
    });
    let waiting = installation.execution(&id);
    assert_eq!(waiting["prompt"]["options"][0]["label"], waiting["prompt"]["options"][0]["value"]);
    assert!(waiting["prompt"]["output"].as_str().unwrap().contains("DISK_PCT="));
    let respond = format!("/api/executions/{id}/respond");
    let option = waiting["prompt"]["options"][0]["label"].clone();
    assert_eq!(installation.call("POST", &respond, Some(json!({"response": "Perhaps"}))).0, 422);
    let answer = json!({"response": option, "prompt_id": waiting["prompt"]["id"]});
    assert_eq!(installation.call("POST", &respond, Some(answer.clone())).0, 204);
    let (status, problem) = installation.call("POST", &respond, Some(answer));
    assert_eq!((status, problem["code"].as_str()), (409, Some("answered")));
    assert!(problem["detail"].as_str().unwrap().contains("tester"), "{problem}");

    let ended = installation.wait_for(&id, &["completed", "failed"]);
    assert_eq!(ended["status"], "completed", "{ended}");
    let actions = actions(&ended);
    assert_eq!(actions[..4], ["execution_created", "step_started", "targets_resolved", "command_sent"]);
    assert!(actions.contains(&"parse_complete".into()) && actions.contains(&"route_taken".into()), "{actions:?}");
    assert_eq!(actions.last().unwrap(), "execution_finished");
    let check = &ended["steps"][0];
    assert_eq!((check["commands"][0]["worker"].as_str(), &check["commands"][0]["exit_code"]), (Some("w3"), &json!(0)));
    let output = installation.output(&id, "step=check&stream=stdout");
    assert!(output.contains("reading (3 of 3)\nDISK_DEV="), "{output}");

    let ran = finished(following);
    assert_eq!(ran.code, 0, "{} {}", ran.out, ran.err);
    assert!(ran.out.contains("reading (2 of 3)") && ran.out.contains("completed"), "{}", ran.out);
}

#[test]
fn questions_are_answered_at_the_terminal_and_exit_codes_tell_the_outcome() {
    let installation = Installation::start();
    let command = |arguments: &[&str]| {
        let mut command = crate::program::pulse(installation.directory.path(), arguments);
        command.env("PATH", std::env::var_os("PATH").unwrap_or_default());
        command
    };
    let ran = ran_with_input(command(&["run", "rolling-restart", "--follow", "-p", "settle=0"]), "Restart\nClose\n");
    assert_eq!(ran.code, 0, "{} {}", ran.out, ran.err);
    assert!(ran.out.contains("retry") || ran.out.contains("attempt 2"), "{}", ran.out);
    let ran = installation.pulse(&["exec", "--on", "all", "--", "exit 7"]);
    assert_eq!(ran.code, 1, "{}", ran.out);
    assert!(ran.out.contains("exit 7"), "{}", ran.out);

    let following = installation.spawn(&["run", "rolling-restart", "--follow"]);
    let id = installation.until("it asks", || {
        let page = installation.get("/api/executions?status=waiting");
        page["items"][0]["id"].as_str().map(str::to_owned)
    });
    let ran = installation.pulse(&["abort", &id[..18], "--reason", "wrong night"]);
    assert_eq!(ran.code, 0, "{}", ran.err);
    assert_eq!(finished(following).code, 3);
    assert!(installation.pulse(&["show", &id]).out.contains("wrong night"));
    let again = installation.pulse(&["abort", &id]);
    assert_eq!(again.code, 1);
    assert!(again.err.contains("has ended already"), "{}", again.err);
}

#[test]
fn a_browser_signs_in_once_by_the_link_and_its_changes_need_more_than_the_cookie() {
    let installation = Installation::start();
    let code = installation.sign_in.split_once("#code=").unwrap().1.to_owned();
    let url = installation.url.clone();
    let runtime = tokio::runtime::Runtime::new().unwrap();
    runtime.block_on(async {
        let http = reqwest::Client::new();
        let post = |path: &str| http.post(format!("{url}{path}")).header("origin", &url);
        let signed_in = post("/api/session").json(&json!({"code": code})).send().await.unwrap();
        assert_eq!(signed_in.status(), 200);
        let cookie = signed_in.headers()["set-cookie"].to_str().unwrap().to_owned();
        assert!(cookie.contains("HttpOnly") && cookie.contains("SameSite=Strict"), "{cookie}");
        let cookie = cookie.split(';').next().unwrap().to_owned();
        let me: serde_json::Value = signed_in.json().await.unwrap();
        let csrf = me["csrf"].as_str().unwrap().to_owned();
        let again = post("/api/session").json(&json!({"code": code})).send().await.unwrap();
        assert_eq!(again.status(), 422);

        let body = json!({"command": "true", "targets": ["all"]});
        let with_cookie = || post("/api/commands").header("cookie", &cookie).json(&body);
        assert_eq!(with_cookie().send().await.unwrap().status(), 403, "no CSRF header");
        assert_eq!(with_cookie().header("x-pulse-csrf", "guess").send().await.unwrap().status(), 403);
        let foreign = http.post(format!("{url}/api/commands")).header("origin", "http://evil.example");
        let foreign = foreign.header("cookie", &cookie).header("x-pulse-csrf", &csrf).json(&body);
        assert_eq!(foreign.send().await.unwrap().status(), 403, "another origin");
        assert_eq!(with_cookie().header("x-pulse-csrf", &csrf).send().await.unwrap().status(), 202);
        let plain =
            post("/api/commands").header("cookie", &cookie).header("x-pulse-csrf", &csrf).body(body.to_string());
        assert_eq!(plain.send().await.unwrap().status(), 415, "no content type");

        for (method, path) in [
            ("GET", "/api/me"),
            ("GET", "/api/workflows"),
            ("POST", "/api/workflows"),
            ("POST", "/api/workflows/check"),
            ("POST", "/api/workflows/x/execute"),
            ("POST", "/api/commands"),
            ("GET", "/api/executions"),
            ("GET", "/api/executions/x"),
            ("DELETE", "/api/executions/x"),
            ("GET", "/api/executions/x/events"),
            ("GET", "/api/executions/x/output"),
            ("POST", "/api/executions/x/respond"),
            ("POST", "/api/executions/x/abort"),
            ("GET", "/api/workers"),
            ("DELETE", "/api/workers/x"),
            ("GET", "/api/tokens"),
            ("POST", "/api/tokens"),
            ("DELETE", "/api/tokens/x"),
            ("DELETE", "/api/session"),
        ] {
            let request = http.request(method.parse().unwrap(), format!("{url}{path}")).json(&json!({}));
            assert_eq!(request.send().await.unwrap().status(), 401, "{method} {path}");
        }
        assert_eq!(http.get(format!("{url}/healthz")).send().await.unwrap().status(), 200);
        let page = http.get(format!("{url}/executions")).send().await.unwrap();
        assert!(page.headers()["content-security-policy"].to_str().unwrap().contains("default-src 'none'"));
    });
}
