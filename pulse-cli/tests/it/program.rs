//! Runs the built program with nothing of this process's environment.

use std::io::Write as _;
use std::path::Path;
use std::process::{Child, Command, Output, Stdio};

/// The program with arguments, in a directory, without any variables but a home in that directory.
pub fn pulse(directory: &Path, arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_pulse"));
    command.args(arguments).current_dir(directory).env_clear().env("HOME", directory);
    command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    command
}

/// The same, with a server and a token.
pub fn pulse_at(server: &str, directory: &Path, arguments: &[&str]) -> Command {
    let mut command = pulse(directory, arguments);
    command.env("PULSE_SERVER", server).env("PULSE_TOKEN", "t0ken");
    command
}

/// How it ended.
#[derive(Debug)]
pub struct Ran {
    pub code: i32,
    pub out: String,
    pub err: String,
}

impl From<Output> for Ran {
    fn from(output: Output) -> Self {
        let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
        Self { code: output.status.code().unwrap_or(-1), out: text(output.stdout), err: text(output.stderr) }
    }
}

/// Runs it to its end.
pub fn ran(mut command: Command) -> Ran {
    command.output().unwrap().into()
}

/// Runs it to its end with text on standard input, and kills it when it has not ended after a minute: what hangs fails.
pub fn ran_within_a_minute(mut command: Command, input: &str) -> Ran {
    let mut child = command.stdin(Stdio::piped()).spawn().unwrap();
    // A program that ends before it has read all is none of this one's business.
    let _ = child.stdin.take().unwrap().write_all(input.as_bytes());
    finished_within_a_minute(child)
}

/// Waits for the end of one that was started, and kills it when it has not ended after a minute.
pub fn finished_within_a_minute(child: Child) -> Ran {
    let pid = rustix::process::Pid::from_child(&child);
    let (ended, waits) = std::sync::mpsc::channel::<()>();
    let watch = std::thread::spawn(move || {
        let late = waits.recv_timeout(std::time::Duration::from_secs(60)).is_err();
        if late {
            let _ = rustix::process::kill_process(pid, rustix::process::Signal::KILL);
        }
        late
    });
    let output = child.wait_with_output().unwrap();
    let _ = ended.send(());
    let ran = Ran::from(output);
    assert!(!watch.join().unwrap(), "it did not end within a minute: {ran:#?}");
    ran
}

/// Runs it to its end with text on standard input.
pub fn ran_with_input(mut command: Command, input: &str) -> Ran {
    let mut child = command.stdin(Stdio::piped()).spawn().unwrap();
    child.stdin.take().unwrap().write_all(input.as_bytes()).unwrap();
    child.wait_with_output().unwrap().into()
}

/// One that runs; it is killed when the test gives up on it.
pub struct Running(Option<Child>);

impl Running {
    /// Starts one.
    pub fn start(mut command: Command) -> Self {
        Self(Some(command.spawn().unwrap()))
    }

    /// One that was started elsewhere.
    pub fn of(child: Child) -> Self {
        Self(Some(child))
    }

    /// Its process, for a signal.
    pub fn pid(&self) -> rustix::process::Pid {
        rustix::process::Pid::from_child(self.0.as_ref().unwrap())
    }

    /// Waits for its end.
    pub fn finished(mut self) -> Ran {
        finished(self.0.take().unwrap())
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        if let Some(child) = &mut self.0 {
            let _ = child.kill();
            let _ = child.wait();
        }
    }
}

/// Waits for the end of one that was started.
pub fn finished(child: Child) -> Ran {
    child.wait_with_output().unwrap().into()
}
