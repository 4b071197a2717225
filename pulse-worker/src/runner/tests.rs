//! What the runner makes of moments that a test of the whole worker cannot arrange.

use super::*;
use rustix::process::{Pid, WaitId, WaitIdOptions, waitid};
use uuid::Uuid;

struct Nowhere;

impl Output for Nowhere {
    fn put(&mut self, _piece: Piece) {}

    async fn ready(&mut self) {}
}

/// What is left after a pause of this process, or of the machine: everything has happened at once. Nothing here looks at
/// the child between its end and the wish, for this thread has to come back to the runtime for that.
#[tokio::test]
async fn an_exit_that_has_happened_counts_before_a_stop_that_comes_with_it() {
    let spec = serde_json::from_str(r#"{"command": "exit 3", "timeout_ms": 60000}"#).unwrap();
    let grace = Duration::from_secs(5);
    let request = Request { command_id: CommandId(Uuid::from_u128(1)), spec, kill_grace: grace, mask: Vec::new() };
    let mut child = spawn::spawn(&request, &Environment::of_this_process()).unwrap();
    let group = Group::of(&child);
    let mut pump = Pump::new(child.stdout.take(), child.stderr.take(), Nowhere, None);
    let (wishes, stop) = watch::channel(None);
    let pid = Pid::from_raw(child.id().unwrap().try_into().unwrap()).unwrap();
    // It has ended, and is not reaped.
    waitid(WaitId::Pid(pid), WaitIdOptions::EXITED | WaitIdOptions::NOWAIT).unwrap();
    wishes.send_replace(Some(Stop { outcome: Outcome::TimedOut, reason: "its time is over".into(), grace }));

    let run = follow(&request, &mut child, group, &mut pump, stop).await;
    assert_eq!((run.stopped, run.status.unwrap().code()), (None, Some(3)));
}
