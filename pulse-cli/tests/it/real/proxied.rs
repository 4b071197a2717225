//! Sign-in by a trusted proxy: whose headers are believed, what groups mean, and what a browser behind it has to send.
//! The proxy is stood in for by the address that requests come from.

use super::installation::Installation;
use serde_json::{Value, json};
use std::net::{IpAddr, Ipv4Addr};

/// Trusted; the tests' own calls come from 127.0.0.1, and are not.
const PROXY: IpAddr = IpAddr::V4(Ipv4Addr::new(127, 0, 0, 2));
const TRUSTING: &[(&str, &str)] =
    &[("PULSE_TRUSTED_PROXIES", "192.0.2.0/24, 127.0.0.2"), ("PULSE_OPERATOR_GROUP", "ops")];

/// Requests from one address.
struct Sender<'i> {
    url: &'i str,
    runtime: tokio::runtime::Runtime,
    http: reqwest::Client,
}

type Headers<'h> = &'h [(&'h str, &'h str)];

impl<'i> Sender<'i> {
    fn address(installation: &'i Installation, address: IpAddr) -> Self {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        let http = reqwest::Client::builder().local_address(address).build().unwrap();
        Self { url: &installation.url, runtime, http }
    }

    fn send(&self, method: &str, path: &str, headers: Headers<'_>, body: Option<&Value>) -> (u16, Value) {
        let mut request = self.http.request(method.parse().unwrap(), format!("{}{path}", self.url));
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        if let Some(body) = body {
            request = request.json(body);
        }
        self.runtime.block_on(async {
            let response = request.send().await.unwrap();
            let status = response.status().as_u16();
            let text = response.text().await.unwrap();
            (status, serde_json::from_str(&text).unwrap_or(Value::String(text)))
        })
    }

    fn me(&self, headers: Headers<'_>) -> (u16, Value) {
        self.send("GET", "/api/me", headers, None)
    }

    /// As the dashboard sends it: with its origin and the token that `/api/me` gave.
    fn change(&self, user: &str, groups: &str, method: &str, path: &str, body: &Value) -> (u16, Value) {
        let (_, me) = self.me(&[("remote-user", user), ("remote-groups", groups)]);
        let csrf = me["csrf"].as_str().unwrap();
        let headers = [("remote-user", user), ("remote-groups", groups), ("origin", self.url), ("x-pulse-csrf", csrf)];
        self.send(method, path, &headers, Some(body))
    }
}

#[test]
fn a_name_is_believed_from_a_trusted_proxy_and_from_nobody_else() {
    let untrusting = Installation::start();
    let ada = [("Remote-User", "ada"), ("Remote-Groups", "admin,dba"), ("X-Forwarded-For", "127.0.0.2")];
    for address in [PROXY, Ipv4Addr::LOCALHOST.into()] {
        assert_eq!(Sender::address(&untrusting, address).me(&ada).0, 401, "nobody is trusted, {address}");
    }
    let installation = Installation::start_with(TRUSTING);
    let (proxy, other) =
        (Sender::address(&installation, PROXY), Sender::address(&installation, Ipv4Addr::LOCALHOST.into()));
    let (status, me) = proxy.me(&ada);
    assert_eq!(status, 200, "{me}");
    assert_eq!((&me["name"], &me["role"], &me["groups"]), (&json!("ada"), &json!("admin"), &json!(["admin", "dba"])));
    assert_eq!(proxy.me(&[]).0, 401, "whom the proxy lets through without a name");
    for forwarded in ["127.0.0.2", "192.0.2.1", "192.0.2.1, 127.0.0.2"] {
        let forged = [("Remote-User", "ada"), ("Remote-Groups", "admin"), ("X-Forwarded-For", forwarded)];
        assert_eq!(other.me(&forged).0, 401, "{forwarded}");
        let (status, me) = other.me(&[&forged[..], &[("authorization", &bearer(&installation))]].concat());
        assert_eq!((status, &me["name"]), (200, &json!("tester")), "nothing of it is heard");
    }
    // A token says more than the proxy that it passes, and the proxy more than an old cookie.
    let (_, me) = proxy.me(&[&ada[..], &[("authorization", &bearer(&installation))]].concat());
    assert_eq!((&me["name"], &me["groups"], &me["csrf"]), (&json!("tester"), &json!([]), &Value::Null));
    let (_, me) = proxy.me(&[&ada[..], &[("cookie", "pulse_session=of-yesterday")]].concat());
    assert_eq!(me["name"], "ada");
    assert_eq!(proxy.me(&[&ada[..], &[("authorization", "Bearer wrong")]].concat()).0, 401);
}

fn bearer(installation: &Installation) -> String {
    format!("Bearer {}", installation.token())
}

#[test]
fn what_a_proxy_must_not_send_is_refused_everywhere() {
    let installation = Installation::start_with(TRUSTING);
    let proxy = Sender::address(&installation, PROXY);
    let long = "x".repeat(257);
    let odd: &[(&[(&str, &str)], &str)] = &[
        (&[("Remote-User", "ada"), ("Remote_User", "root")], "`remote_user` could be taken for `Remote-User`"),
        (&[("Remote_User", "root")], "`remote_user`"),
        (&[("Remote-User", "ada"), ("Remote_Groups", "admin")], "`remote_groups`"),
        (&[("Remote-User", "ada"), ("Remote-User", "root")], "`Remote-User` came more than once"),
        (&[("Remote-User", "ada"), ("Remote-Groups", "x"), ("Remote-Groups", "admin")], "`Remote-Groups` came more"),
        (&[("Remote-Groups", "admin")], "without `Remote-User`"),
        (&[("Remote-User", "")], "`Remote-User` is empty"),
        (&[("Remote-User", "a\tb")], "`Remote-User` holds characters"),
        (&[("Remote-User", "ada\u{202e}")], "`Remote-User` holds characters"),
        (&[("Remote-User", &long)], "`Remote-User` holds a name of more than 256"),
        (&[("Remote-User", "ada"), ("Remote-Groups", "x,a\tb")], "`Remote-Groups` holds characters"),
        (&[("Remote-User", "ada"), ("Remote-Groups", &long)], "`Remote-Groups` holds a name of more than 256"),
    ];
    let authorization = bearer(&installation);
    for (headers, words) in odd {
        for more in [&[][..], &[("authorization", authorization.as_str())]] {
            let headers = [headers, more].concat();
            let (status, problem) = proxy.me(&headers);
            assert_eq!(status, 400, "{headers:?} {problem}");
            assert!(problem["detail"].as_str().unwrap().contains(words), "{words}: {problem}");
            assert_eq!(proxy.send("POST", "/api/session", &headers, Some(&json!({"code": "x"}))).0, 400);
            assert_eq!(web_socket(&proxy, &[&headers[..], &[("origin", proxy.url)]].concat()), 400);
        }
    }
}

/// The status that a handshake at `/ws` gets.
fn web_socket(from: &Sender<'_>, headers: Headers<'_>) -> u16 {
    let handshake = [
        ("connection", "upgrade"),
        ("upgrade", "websocket"),
        ("sec-websocket-version", "13"),
        ("sec-websocket-key", "dGhlIHNhbXBsZSBub25jZQ=="),
    ];
    from.send_status("/ws", &[&handshake[..], headers].concat())
}

impl Sender<'_> {
    /// The status alone: what was upgraded has no body that ends.
    fn send_status(&self, path: &str, headers: Headers<'_>) -> u16 {
        let request = self.http.get(format!("{}{path}", self.url));
        let request = headers.iter().fold(request, |request, (name, value)| request.header(*name, *value));
        self.runtime.block_on(async { request.send().await.unwrap().status().as_u16() })
    }
}

#[test]
fn groups_give_a_role_and_the_role_what_may_be_done() {
    let installation = Installation::start_with(TRUSTING);
    let proxy = Sender::address(&installation, PROXY);
    let nothing = "00000000-0000-7000-8000-000000000000";
    let paths = |path: &str| path.replace("ID", nothing);
    // What each role may: what lies behind the gate answers, be it that there is no such thing.
    for (method, path, viewer, operator, admin) in [
        ("GET", "/api/workflows", 200, 200, 200),
        ("GET", "/api/executions/ID", 404, 404, 404),
        ("GET", "/api/workers", 200, 200, 200),
        ("POST", "/api/workflows/check", 422, 422, 422),
        ("POST", "/api/workflows/none/execute", 403, 404, 404),
        ("POST", "/api/commands", 403, 422, 422),
        ("POST", "/api/executions/ID/abort", 403, 404, 404),
        ("POST", "/api/workflows", 403, 403, 422),
        ("PUT", "/api/workflows/none", 403, 403, 422),
        ("DELETE", "/api/workflows/none", 403, 403, 404),
        ("DELETE", "/api/executions/ID", 403, 403, 404),
        ("PATCH", "/api/workers/none", 403, 403, 422),
        ("DELETE", "/api/workers/none", 403, 403, 404),
    ] {
        for (groups, role, expected) in [
            ("", "viewer", viewer),
            ("dba, operator", "viewer", viewer),
            ("dba,ops", "operator", operator),
            ("ops,admin", "admin", admin),
        ] {
            let (_, me) = proxy.me(&[("remote-user", "ada"), ("remote-groups", groups)]);
            assert_eq!(me["role"], role, "{groups}");
            let (status, answer) = proxy.change("ada", groups, method, &paths(path), &json!({}));
            assert_eq!(status, expected, "{method} {path} by {groups:?}: {answer}");
        }
    }
}

#[test]
fn a_change_comes_from_the_dashboard_and_a_connection_from_our_own_pages() {
    let installation = Installation::start_with(TRUSTING);
    let proxy = Sender::address(&installation, PROXY);
    let ada = [("remote-user", "ada"), ("remote-groups", "ops")];
    let bob = [("remote-user", "bob"), ("remote-groups", "ops")];
    let csrf_of = |who: Headers<'_>| proxy.me(who).1["csrf"].as_str().unwrap().to_owned();
    let (hers, his) = (csrf_of(&ada), csrf_of(&bob));
    let command = json!({"command": "true", "targets": ["all"]});
    let (origin, foreign) = (("origin", proxy.url), ("origin", "http://evil.example"));
    let send = |more: Headers<'_>| proxy.send("POST", "/api/commands", &[&ada[..], more].concat(), Some(&command));
    for (headers, why) in [
        (&[][..], "no origin, no token"),
        (&[("x-pulse-csrf", hers.as_str())], "no origin"),
        (&[origin], "no token"),
        (&[origin, ("x-pulse-csrf", "guess")], "a guess"),
        (&[origin, ("x-pulse-csrf", his.as_str())], "another person's"),
        (&[foreign, ("x-pulse-csrf", hers.as_str())], "another site"),
        (&[("sec-fetch-site", "cross-site"), ("x-pulse-csrf", hers.as_str())], "another site, by its other name"),
    ] {
        let (status, problem) = send(headers);
        assert_eq!((status, &problem["code"]), (403, &json!("cross-site")), "{why}");
    }
    assert_eq!(installation.get("/api/executions")["items"], json!([]), "none of it had an effect");
    assert_eq!(send(&[origin, ("x-pulse-csrf", &hers)]).0, 202);
    let typed = [&ada[..], &[origin, ("x-pulse-csrf", &hers), ("content-type", "text/plain")]].concat();
    assert_eq!(proxy.send("POST", "/api/commands", &typed, None).0, 415);

    assert_eq!(web_socket(&proxy, &[&ada[..], &[origin]].concat()), 101);
    assert_eq!(web_socket(&proxy, &[&ada[..], &[foreign]].concat()), 403);
    assert_eq!(web_socket(&proxy, &ada), 403, "no origin");
    assert_eq!(web_socket(&proxy, &[origin]), 401, "nobody");

    // There is nothing to sign in to or out of here; the code of the link stays good.
    let code = installation.sign_in.split_once("#code=").unwrap().1;
    let (status, problem) = proxy.change("ada", "ops", "POST", "/api/session", &json!({"code": code}));
    assert_eq!((status, &problem["code"]), (409, &json!("signed-in-by-proxy")));
    assert!(problem["detail"].as_str().unwrap().contains("as ada"), "{problem}");
    let (status, problem) = proxy.change("ada", "ops", "DELETE", "/api/session", &json!({}));
    assert_eq!((status, &problem["code"]), (409, &json!("signed-in-by-proxy")));
    assert_eq!(proxy.send("POST", "/api/session", &[origin], Some(&json!({"code": code}))).0, 200);
}

#[test]
fn a_csrf_token_outlasts_a_restart() {
    let mut installation = Installation::start_with(TRUSTING);
    let csrf = |installation: &Installation| {
        Sender::address(installation, PROXY).me(&[("remote-user", "ada")]).1["csrf"].as_str().unwrap().to_owned()
    };
    let before = csrf(&installation);
    assert!(before.len() >= 32, "{before}");
    installation.kill_and_restart();
    assert_eq!(csrf(&installation), before);
}

#[test]
fn a_question_is_answered_by_those_whom_it_allows() {
    let installation = Installation::start_with(TRUSTING);
    let proxy = Sender::address(&installation, PROXY);
    installation.store(
        "name: ask\nsteps:\n  - {id: drop, message: 'Drop it?', options: [Yes, No], allow: [dba, leads]}\n  - {id: go, message: 'Go on?', options: [Yes, No]}\n",
    );
    let id = installation.execute("ask", json!({}), &[]);
    let path = format!("/api/executions/{id}/respond");
    let waiting = |step: &str| {
        installation.until("it asks", || {
            let execution = installation.execution(&id);
            (execution["prompt"]["step"] == step).then(|| execution["prompt"]["id"].as_str().unwrap().to_owned())
        })
    };
    let yes = json!({"response": "Yes"});
    let respond = |user: &str, groups: &str, body: &Value| {
        let (status, problem) = proxy.change(user, groups, "POST", &path, body);
        (status, problem["detail"].as_str().unwrap_or_default().to_owned())
    };
    let first = waiting("drop");
    let members = (403, "only members of dba, leads may answer this".to_owned());
    assert_eq!(respond("bob", "ops,dbas", &yes), members);
    assert_eq!(respond("bob", "ops,DBA", &json!({"response": "Yes", "prompt_id": first})), members);
    assert_eq!(respond("eve", "guests", &yes), members);
    let (status, detail) = respond("eve", "", &yes);
    assert!(status == 403 && detail.contains("operator"), "{detail}");
    assert_eq!(respond("ada", "dba,guests", &json!({"response": "Maybe"})).0, 422);
    // A member answers whatever their role is.
    assert_eq!(respond("ada", "guests,dba", &yes), (204, String::new()));
    let second = waiting("go");
    assert_eq!(
        respond("cy", "leads", &json!({"response": "Yes", "prompt_id": first})),
        (409, "ada has answered already".to_owned())
    );
    // Nobody is allowed by name: every operator, and no viewer.
    let (status, detail) = respond("ada", "dba", &json!({"response": "Yes", "prompt_id": second}));
    assert!(status == 403 && detail.contains("operator"), "{detail}");
    assert_eq!(respond("bob", "ops", &yes).0, 204);
    let ended = installation.wait_for(&id, &["completed", "failed"]);
    let answers: Vec<_> =
        ended["logs"].as_array().unwrap().iter().filter(|entry| entry["action"] == "prompt_response").collect();
    assert_eq!(answers.iter().map(|entry| &entry["by"]).collect::<Vec<_>>(), [&json!("ada"), &json!("bob")], "{ended}");
    assert_eq!(
        respond("bob", "ops", &json!({"response": "Yes", "prompt_id": "00000000-0000-7000-8000-000000000000"})).0,
        409
    );

    // Administrators always may.
    let again = installation.execute("ask", json!({}), &[]);
    installation.wait_for(&again, &["waiting"]);
    let path = format!("/api/executions/{again}/respond");
    assert_eq!(proxy.change("root", "admin", "POST", &path, &yes).0, 204);
    assert_eq!(installation.call("POST", &path, Some(yes)).0, 204);
}

#[test]
fn guesses_through_a_proxy_are_counted_where_they_come_from() {
    let installation = Installation::start_with(TRUSTING);
    let proxy = Sender::address(&installation, PROXY);
    let guess = |client: &str| proxy.me(&[("authorization", "Bearer wrong"), ("x-forwarded-for", client)]).0;
    for _ in 0..20 {
        // What the client itself claims stands before what the proxy saw.
        assert_eq!(guess("192.0.2.1, 198.51.100.7"), 401);
    }
    let token = bearer(&installation);
    let good = |client: &str| proxy.me(&[("authorization", &token), ("x-forwarded-for", client)]).0;
    assert_eq!(good("203.0.113.5, 198.51.100.7"), 429);
    assert_eq!(good("198.51.100.8"), 200, "others are not kept waiting");
    let ada = [("remote-user", "ada"), ("x-forwarded-for", "198.51.100.7")];
    assert_eq!(proxy.me(&ada).0, 200, "nobody guesses here");
    // From elsewhere the header counts for nothing.
    let other = Sender::address(&installation, Ipv4Addr::LOCALHOST.into());
    for turn in 0..20 {
        let client = format!("198.51.100.{turn}");
        assert_eq!(other.me(&[("authorization", "Bearer wrong"), ("x-forwarded-for", &client)]).0, 401);
    }
    assert_eq!(other.me(&[("authorization", &token), ("x-forwarded-for", "198.51.100.99")]).0, 429);
}

#[test]
fn settings_of_proxies_that_cannot_be_are_named() {
    let elsewhere = tempfile::tempdir().unwrap();
    for (name, value, words) in [
        ("PULSE_TRUSTED_PROXIES", "10.0.0.0/33", "`10.0.0.0/33` is no network"),
        ("PULSE_TRUSTED_PROXIES", "127.0.0.1, caddy.internal", "`caddy.internal` is no network"),
        ("PULSE_TRUSTED_PROXIES", "0.0.0.0/0", "`0.0.0.0/0` would trust nearly everybody"),
        ("PULSE_TRUSTED_PROXIES", "::/0", "`::/0` would trust nearly everybody"),
        ("PULSE_ADMIN_GROUP", "", "`` is no name of a group"),
        ("PULSE_OPERATOR_GROUP", "a,b", "`a,b` is no name of a group"),
    ] {
        let mut command = crate::program::pulse(elsewhere.path(), &["server", "--listen", "127.0.0.1:0"]);
        command.env(name, value);
        let ran = crate::program::ran_within_a_minute(command, "");
        assert_eq!(ran.code, 1, "{name}={value}");
        let first = ran.err.lines().next().unwrap_or_default();
        assert!(first.starts_with(&format!("error: {name}: ")) && first.contains(words), "{name}={value}: {first}");
    }
}

/// A page whose own name leads here (DNS rebinding) is of one origin with the server, and may set any header.
#[test]
fn a_name_that_is_not_the_servers_is_signed_in_nowhere() {
    let installation = Installation::start_with(TRUSTING);
    let proxy = Sender::address(&installation, PROXY);
    let root = [("remote-user", "root"), ("remote-groups", "admin")];
    for host in ["evil.example", "pulse.example.org.evil.example:80", "pulse.example"] {
        let origin = format!("http://{host}");
        let evil = [&root[..], &[("host", host), ("origin", &origin), ("sec-fetch-site", "same-origin")]].concat();
        let (status, problem) = proxy.me(&evil);
        assert_eq!(status, 400, "{problem}");
        assert!(problem["detail"].as_str().unwrap().contains("PULSE_PUBLIC_URL"), "{problem}");
        let command = json!({"command": "true", "targets": ["any"]});
        assert_eq!(proxy.send("POST", "/api/commands", &evil, Some(&command)).0, 400);
        assert_eq!(web_socket(&proxy, &evil), 400);
    }
    assert_eq!(proxy.me(&[&root[..], &[("host", "localhost:8080")]].concat()).0, 200);
    let elsewhere = [("origin", proxy.url), ("sec-fetch-site", "cross-site")];
    assert_eq!(web_socket(&proxy, &[&root[..], &elsewhere].concat()), 403);
}

/// Names are what tokens are owned by and journals tell.
#[test]
fn no_token_is_called_like_somebody_else() {
    let installation = Installation::start_with(TRUSTING);
    let proxy = Sender::address(&installation, PROXY);
    let make = |user: &str, groups: &str, name: &str, role: &str| {
        proxy.change(user, groups, "POST", "/api/tokens", &json!({"name": name, "role": role}))
    };
    let (status, ann) = make("ann", "admin", "ci", "admin");
    assert_eq!((status, &ann["created_by"]), (201, &json!("ann (proxy)")), "{ann}");
    let (status, mallory) = make("mallory", "", "ann", "viewer");
    assert_eq!(status, 201, "{mallory}");
    let authorization = format!("Bearer {}", mallory["token"].as_str().unwrap());
    let by_token =
        |method: &str, path: &str, body| proxy.send(method, path, &[("authorization", &authorization)], body);
    assert_eq!(by_token("GET", "/api/me", None).1["name"], "mallory (proxy)/ann");
    for (name, words) in [("ann/ci", "no `/`"), ("ann (proxy)", "no `(proxy)`"), ("ann", "delete it first")] {
        let (status, problem) = make("mallory", "", name, "viewer");
        assert!(matches!(status, 409 | 422), "{name}: {status}");
        assert!(problem["detail"].as_str().unwrap().contains(words) || name == "ann (proxy)", "{problem}");
    }
    // Neither a token's name nor a person's opens what belongs to others.
    let forged = json!({"name": "tester", "role": "viewer"});
    let (_, forged) = by_token("POST", "/api/tokens", Some(&forged));
    assert_eq!(forged["created_by"], "mallory (proxy)/ann");
    let path = format!("/api/tokens/{}", ann["id"].as_str().unwrap());
    assert_eq!(by_token("DELETE", &path, None).0, 404);
    for user in ["ann (proxy)", "admin", "admin-token", "pulse up", "tester", "mallory (proxy)/ann"] {
        let (status, tokens) = proxy.send("GET", "/api/tokens", &[("remote-user", user)], None);
        assert_eq!((status, &tokens["items"]), (200, &json!([])), "{user}");
        assert_eq!(proxy.change(user, "", "DELETE", &path, &Value::Null).0, 404, "{user}");
    }
    assert_eq!(proxy.change("ann", "", "DELETE", &path, &Value::Null).0, 204);
}
