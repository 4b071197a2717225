//! Named points at which a process can be made to die, for tests of what survives that.
//!
//! A point does nothing unless the program has installed a hook, which `pulse` does only when `PULSE_FAULT` is set: then
//! the process kills itself at the given point. What happens at a point is the hook's business; nothing here does I/O.

use std::sync::OnceLock;

/// What is called at every point, with its name.
type Hook = Box<dyn Fn(&'static str) + Send + Sync>;

static HOOK: OnceLock<Hook> = OnceLock::new();

/// The points of the server: around commit, send and acknowledgement.
pub const SERVER: [&str; 7] = [
    "commit.before",
    "commit.after",
    "dispatch.sending",
    "dispatch.sent",
    "result.received",
    "ack.sending",
    "ack.sent",
];

/// The points of a worker's agent: when a dispatch has been read, when the supervisor has it, when a result was read from
/// the supervisor, when its acknowledgement was.
pub const WORKER: [&str; 4] = ["worker.dispatched", "worker.handed-over", "worker.told", "worker.acknowledged"];

/// The points of a worker's supervisor: around the durable acceptance, after the start, after the end, and around the
/// durable result.
pub const SUPERVISOR: [&str; 6] = [
    "supervisor.accept",
    "supervisor.accepted",
    "supervisor.spawned",
    "supervisor.exited",
    "supervisor.finished",
    "supervisor.forget",
];

/// A point has been reached.
pub fn point(name: &'static str) {
    if let Some(hook) = HOOK.get() {
        hook(name);
    }
}

/// Installs the hook of this process. Only the first call has an effect.
pub fn install(hook: impl Fn(&'static str) + Send + Sync + 'static) {
    // A second hook in one process would be a mistake of a test; the first one stays.
    let _ = HOOK.set(Box::new(hook));
}
