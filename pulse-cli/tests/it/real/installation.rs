//! An installation in an empty directory: `pulse up` on a free port, more workers as processes of their own, and calls to
//! it by HTTP and by the command line. Everything it started ends with it.
//!
//! `PULSE_TEST_DATABASE` says where it keeps what it keeps: `sqlite` (the default), `mariadb` or `postgres`, there in a
//! database of its own.

use crate::program::{Ran, ran};
use pulse_store::conformance::databases::{FreshDatabase, Server, execute_at};
use serde_json::{Value, json};
use std::io::{BufRead as _, BufReader, Read as _};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

/// Longest wait for anything: far beyond what a loaded machine needs.
const PATIENCE: Duration = Duration::from_secs(60);

pub struct Installation {
    pub directory: tempfile::TempDir,
    pub url: String,
    pub sign_in: String,
    server: Child,
    /// On a server; none for SQLite, in a file of the directory.
    database: Option<FreshDatabase>,
    workers: Vec<(String, Child)>,
    /// Variables that everything of it is started with.
    variables: &'static [(&'static str, &'static str)],
    runtime: tokio::runtime::Runtime,
    http: reqwest::Client,
}

/// A program with nothing of this process's environment but the path.
fn program(directory: &Path, arguments: &[&str]) -> Command {
    let mut command = crate::program::pulse(directory, arguments);
    command.env("PATH", std::env::var_os("PATH").unwrap_or_default()).env("USER", "tester");
    command
}

/// Starts `pulse up` and reads its greeting.
fn up(
    directory: &Path,
    listen: &str,
    database: Option<&FreshDatabase>,
    variables: &[(&str, &str)],
) -> (Child, String, String) {
    let mut command = program(directory, &["up", "--listen", listen]);
    command.envs(variables.iter().copied());
    command.envs(database.map(|database| ("PULSE_DATABASE_URL", database.url())));
    let log = std::fs::OpenOptions::new().create(true).append(true).open(directory.join("up.log")).unwrap();
    let mut child = command.stderr(log).spawn().unwrap();
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
    let mut next = |word: &str| loop {
        let line = lines.next().unwrap_or_else(|| panic!("{}", log_of(directory))).unwrap();
        if let Some(found) = line.split_whitespace().find(|part| part.starts_with("http") && line.contains(word)) {
            return found.to_owned();
        }
    };
    let (url, sign_in) = (next("running at"), next("sign in"));
    (child, url, sign_in)
}

fn log_of(directory: &Path) -> String {
    let mut log = String::new();
    // Of a test's log that is a device there is no end.
    let read = std::fs::File::open(directory.join("up.log")).map(|file| file.take(1 << 20).read_to_string(&mut log));
    assert!(read.is_ok_and(|read| read.is_ok()), "pulse up did not start, and its log cannot be read");
    format!("pulse up did not start: {log}")
}

impl Installation {
    pub fn start() -> Self {
        Self::start_with(&[])
    }

    /// Starts one with variables.
    pub fn start_with(variables: &'static [(&'static str, &'static str)]) -> Self {
        let directory = tempfile::tempdir().unwrap();
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
        let kind = std::env::var("PULSE_TEST_DATABASE").unwrap_or_else(|_| "sqlite".to_owned());
        let database = match kind.as_str() {
            "sqlite" => None,
            "mariadb" => Some(runtime.block_on(FreshDatabase::create(Server::MariaDb))),
            "postgres" => Some(runtime.block_on(FreshDatabase::create(Server::Postgres))),
            other => panic!("PULSE_TEST_DATABASE is sqlite, mariadb or postgres, not {other}"),
        };
        let (server, url, sign_in) = up(directory.path(), "127.0.0.1:0", database.as_ref(), variables);
        // The command line's own start does this; reqwest wants to know which cryptography even for plain HTTP.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let (workers, http) = (Vec::new(), reqwest::Client::new());
        let installation = Self { directory, url, sign_in, server, database, workers, variables, runtime, http };
        installation.wait_for_workers(1);
        installation
    }

    /// Starts a worker as a process of its own.
    pub fn worker(&mut self, name: &str) {
        let key = std::fs::read_to_string(self.directory.path().join("pulse-data/worker.key")).unwrap();
        let mut command = program(self.directory.path(), &["worker"]);
        command.env("WORKER_API_KEY", key).env("WORKER_NAME", name).env("PULSE_SERVER", &self.url);
        command.env("PULSE_WORKER_STATE", self.directory.path().join(format!("state-{name}")));
        let log = std::fs::File::create(self.directory.path().join(format!("{name}.log"))).unwrap();
        command.envs(self.variables.iter().copied()).stdout(Stdio::null()).stderr(log);
        self.workers.push((name.to_owned(), command.spawn().unwrap()));
        self.wait_for_workers(1 + self.workers.len());
    }

    /// `kill -9` of a worker, until the server has noticed.
    pub fn stop_worker(&mut self, name: &str) {
        let index = self.workers.iter().position(|(known, _)| known == name).unwrap();
        let (_, mut child) = self.workers.remove(index);
        child.kill().unwrap();
        child.wait().unwrap();
        self.until("the worker is offline", || {
            (self.get(&format!("/api/workers/{name}"))["status"] != "online").then_some(())
        });
    }

    pub fn wait_for_workers(&self, count: usize) {
        self.until("the workers are online", || {
            let workers = self.get("/api/workers");
            let online = |worker: &&Value| worker["status"] == "online";
            workers["items"].as_array().is_some_and(|items| items.iter().filter(online).count() >= count).then_some(())
        });
    }

    /// `kill -9`, and a new start on the same port with the same directory.
    pub fn kill_and_restart(&mut self) {
        self.server.kill().unwrap();
        self.server.wait().unwrap();
        self.start_again();
    }

    /// The same, and the supervisor of the local worker's commands dies with it.
    pub fn kill_all_and_restart(&mut self) {
        let record = self.directory.path().join("pulse-data/worker/supervisor.json");
        let record: Value = serde_json::from_slice(&std::fs::read(record).unwrap()).unwrap();
        let supervisor = i32::try_from(record["pid"].as_i64().unwrap()).unwrap();
        self.server.kill().unwrap();
        let supervisor = rustix::process::Pid::from_raw(supervisor).unwrap();
        rustix::process::kill_process(supervisor, rustix::process::Signal::KILL).unwrap();
        self.server.wait().unwrap();
        self.start_again();
    }

    /// Stops the server in order, and leaves it stopped.
    pub fn stop(&mut self) {
        self.terminate();
        assert!(self.server.wait().unwrap().success());
    }

    /// Asks the server to stop.
    pub fn terminate(&self) {
        rustix::process::kill_process(rustix::process::Pid::from_child(&self.server), rustix::process::Signal::TERM)
            .unwrap();
    }

    /// Waits for the end of a server that was asked to stop, no longer than this.
    pub fn ends_within(&mut self, limit: Duration) {
        let deadline = Instant::now() + limit;
        loop {
            if let Some(status) = self.server.try_wait().unwrap() {
                return assert!(status.success(), "{status}");
            }
            assert!(Instant::now() < deadline, "the server has not ended within {limit:?}");
            std::thread::sleep(Duration::from_millis(20));
        }
    }

    /// Starts a stopped server on the same port with the same directory.
    pub fn start_again(&mut self) {
        let listen = self.url.strip_prefix("http://").unwrap().to_owned();
        (self.server, _, self.sign_in) = up(self.directory.path(), &listen, self.database.as_ref(), self.variables);
        self.wait_for_workers(1 + self.workers.len());
    }

    /// The URL of its database.
    pub fn database_url(&self) -> String {
        let file = self.directory.path().join("pulse-data/pulse.db");
        self.database.as_ref().map_or_else(|| format!("sqlite://{}", file.display()), FreshDatabase::url)
    }

    /// What stands in its database, when that is none of the directory's files.
    pub fn database_contents(&self) -> Option<Vec<u8>> {
        self.database.as_ref().map(|database| self.runtime.block_on(database.contents()))
    }

    /// Changes a stopped server's database behind its back, by one statement. Answers how many rows that changed.
    pub fn change_database(&self, sql: &str) -> u64 {
        self.runtime.block_on(execute_at(&self.database_url(), sql)).unwrap()
    }

    /// Runs the command line in the installation's directory to its end.
    pub fn pulse(&self, arguments: &[&str]) -> Ran {
        ran(program(self.directory.path(), arguments))
    }

    /// The same with variables, for what must end by itself: a server that should not have started does not.
    pub fn pulse_with(&self, arguments: &[&str], variables: &[(&str, &str)]) -> Ran {
        let mut command = program(self.directory.path(), arguments);
        let mut child = command.envs(variables.iter().copied()).spawn().unwrap();
        let deadline = Instant::now() + PATIENCE;
        while child.try_wait().unwrap().is_none() {
            if Instant::now() > deadline {
                child.kill().unwrap();
                panic!("{arguments:?} did not end: {:?}", crate::program::finished(child));
            }
            std::thread::sleep(Duration::from_millis(20));
        }
        crate::program::finished(child)
    }

    /// Starts the command line and lets it run.
    pub fn spawn(&self, arguments: &[&str]) -> Child {
        program(self.directory.path(), arguments).spawn().unwrap()
    }

    /// The administrator's token.
    pub fn token(&self) -> String {
        let text = std::fs::read_to_string(self.directory.path().join("pulse-data/client.json")).unwrap();
        serde_json::from_str::<Value>(&text).unwrap()["token"].as_str().unwrap().to_owned()
    }

    /// Starts a server alone, beside the installation.
    pub fn server(&self, arguments: &[&str], variables: &[(&str, &str)]) -> Alone {
        let mut command = program(self.directory.path(), arguments);
        let mut child = command.envs(variables.iter().copied()).stderr(Stdio::null()).spawn().unwrap();
        let line = BufReader::new(child.stdout.take().unwrap()).lines().next().expect("it starts").unwrap();
        let link = line.split_whitespace().find(|part| part.starts_with("http")).unwrap();
        Alone { url: link.split("/sign-in").next().unwrap().to_owned(), child }
    }

    /// A call with the administrator's token: status and body.
    pub fn call(&self, method: &str, path: &str, body: Option<Value>) -> (u16, Value) {
        self.call_at(&self.url, &self.token(), method, path, body)
    }

    /// The same with headers.
    pub fn call_with(&self, method: &str, path: &str, headers: &[(&str, &str)], body: Option<Value>) -> (u16, Value) {
        self.send(&self.url, &self.token(), method, path, headers, body)
    }

    /// A call of some server.
    pub fn call_at(&self, url: &str, token: &str, method: &str, path: &str, body: Option<Value>) -> (u16, Value) {
        self.send(url, token, method, path, &[], body)
    }

    fn send(
        &self,
        url: &str,
        token: &str,
        method: &str,
        path: &str,
        headers: &[(&str, &str)],
        body: Option<Value>,
    ) -> (u16, Value) {
        let request = self.http.request(method.parse().unwrap(), format!("{url}{path}"));
        let request = request.bearer_auth(token);
        let request = headers.iter().fold(request, |request, (name, value)| request.header(*name, *value));
        let request = match body {
            Some(body) => request.json(&body),
            None => request,
        };
        self.runtime.block_on(async {
            // While the server starts again nobody answers.
            let Ok(response) = request.send().await else { return (0, Value::Null) };
            let status = response.status().as_u16();
            let text = response.text().await.unwrap_or_default();
            (status, serde_json::from_str(&text).unwrap_or(Value::String(text)))
        })
    }

    pub fn get(&self, path: &str) -> Value {
        self.call("GET", path, None).1
    }

    /// Stores a definition.
    pub fn store(&self, definition: &str) {
        let (status, body) = self.call("POST", "/api/workflows", Some(json!({"definition": definition})));
        assert_eq!(status, 201, "{body}");
    }

    /// Starts a workflow and answers the execution's id.
    pub fn execute(&self, workflow: &str, params: Value, targets: &[&str]) -> String {
        let targets = if targets.is_empty() { Value::Null } else { json!(targets) };
        let body = json!({"params": params, "targets": targets});
        let (status, body) = self.call("POST", &format!("/api/workflows/{workflow}/execute"), Some(body));
        assert_eq!(status, 202, "{body}");
        body["id"].as_str().unwrap().to_owned()
    }

    pub fn execution(&self, id: &str) -> Value {
        self.get(&format!("/api/executions/{id}"))
    }

    /// All standard output of an execution.
    pub fn output(&self, id: &str, query: &str) -> String {
        self.get(&format!("/api/executions/{id}/output?{query}")).as_str().unwrap_or_default().to_owned()
    }

    /// Waits until an execution has one of these states, and answers it.
    pub fn wait_for(&self, id: &str, status: &[&str]) -> Value {
        self.until(&format!("{id} is {status:?}"), || {
            let execution = self.execution(id);
            status.contains(&execution["status"].as_str().unwrap_or_default()).then_some(execution)
        })
    }

    /// Waits until something is there.
    pub fn until<T>(&self, what: &str, mut look: impl FnMut() -> Option<T>) -> T {
        let deadline = Instant::now() + PATIENCE;
        loop {
            if let Some(found) = look() {
                return found;
            }
            let log = || std::fs::read_to_string(self.directory.path().join("up.log")).unwrap_or_default();
            assert!(Instant::now() < deadline, "waited in vain until {what}; the server's log:\n{}", log());
            std::thread::sleep(Duration::from_millis(20));
        }
    }
}

/// A server that was started alone; it ends with this.
pub struct Alone {
    pub url: String,
    child: Child,
}

impl Alone {
    /// `kill -9`, without waiting for its end.
    pub fn kill(&mut self) {
        self.child.kill().unwrap();
    }
}

impl Drop for Alone {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Drop for Installation {
    fn drop(&mut self) {
        for child in self.workers.iter_mut().map(|(_, child)| child).chain([&mut self.server]) {
            let _ = child.kill();
            let _ = child.wait();
        }
    }
}

/// The actions of an execution's journal, whose numbers must have no gap.
pub fn actions(execution: &Value) -> Vec<String> {
    let logs = execution["logs"].as_array().unwrap();
    for (entry, expected) in logs.iter().zip(1_u64..) {
        assert_eq!(entry["seq"], expected, "{entry}");
    }
    logs.iter().map(|entry| entry["action"].as_str().unwrap().to_owned()).collect()
}

/// How often an action stands in a journal.
pub fn count(execution: &Value, action: &str) -> usize {
    actions(execution).iter().filter(|found| *found == action).count()
}
