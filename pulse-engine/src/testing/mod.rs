//! Offline tests of workflows: a test file, the engine, and nothing else. No server, no worker, no clock, no file
//! system: the time of a test is virtual, and files come from whoever runs it ([`Files`]).
//!
//! A test file (`*.test.yaml`) names a workflow and the workers there are. Each of its tests says what workers and people
//! do (`given`) and what has to come out of it (`expect`):
//!
//! ```
//! let workflow = "
//! steps:
//!   - {id: check, command: 'df -P {{ mount }}', targets: web-01, parse: kv}
//!   - {id: decide, type: route, conditions: [{if: state.disk_pct > 80, goto: ask}, {default: true, goto: end}]}
//!   - {id: ask, type: prompt, message: 'Clean {{ mount }}?', options: [Clean, Leave], timeout: 60m, on_timeout: Leave}
//! params: [{name: mount, default: /}]
//! ";
//! let tests = "
//! workflow: disk.yaml
//! workers: [web-01, web-02]
//! tests:
//!   - name: a full disk asks, and nobody has to wait an hour here
//!     given:
//!       - {step: check, stdout: DISK_PCT=91}
//!       - {step: ask, timeout: true}
//!     expect:
//!       status: completed
//!       path: [check, decide, ask]
//!       state: {disk_pct: '91', prompt_response: Leave}
//!       prompt: {ask: 'Clean /?'}
//! ";
//! let files = |path: &str| if path == "disk.yaml" { Ok(workflow.to_owned()) } else { Err("no such file".to_owned()) };
//! let report = pulse_engine::testing::test("disk.test.yaml", tests, &files).unwrap();
//! assert!(report.passed(), "{:?}", report.tests);
//! assert_eq!(report.tests[0].virtual_ms, 60 * 60 * 1_000);
//! let untested: Vec<String> = report.coverage.missing().map(|item| item.what.clone()).collect();
//! assert_eq!(untested, ["default → end", "Clean", "Leave"]);
//! ```
//!
//! What a test may be given:
//!
//! | at a step that | entry |
//! | --- | --- |
//! | runs a command | `{step, worker?, attempt?, stdout?, stdout_bytes?, stderr?, exit_code?, signal?, outcome?, error?, duration?}` |
//! | asks a person | `{step, answer, by?, fields?, duration?}`, or `{step, timeout: true}` |
//! | runs another workflow | `{step, status?, state?, error?, duration?}` |
//! | waits for a worker (`on_offline: wait`) | `{step, worker, online: true, duration?}` |
//! | takes time at all | `{step, abort: reason, by?, duration?}`: somebody aborts the execution meanwhile |
//! | (no step) | `{abort: reason, by?, duration}`: somebody aborts it so long after its start |
//!
//! Entries of one step are used in order, those for a worker or an attempt before those for any. An entry that names no
//! worker serves every worker once in a run of the step; the next run takes the next entry. `times: 3` serves three times.
//! What was asked and is not given, and what is given and was not used, are failures. Of `expect`, what is not said is not
//! checked. Secrets need not be given: `••••` stands for them, as in a journal.
//!
//! The parts can be used alone: [`Suite::read`], [`Suite::run`], [`Coverage`]. For the journal of an execution that has
//! happened, [`record()`] makes a test of it, and [`replay()`] pushes it through another definition.

mod check;
mod coverage;
mod failure;
mod givens;
mod harness;
mod junit;
mod past;
mod read;
mod read_given;
mod record;
mod replay;
mod report;
mod run;
mod suite;
mod walked;
mod way;
mod words;

pub use coverage::{Coverage, CoverageItem, CoverageKind};
pub use failure::{Failure, side_by_side};
pub use harness::{Files, test};
pub use junit::junit;
pub use record::{NotATest, record};
pub use replay::{Difference, Replay, Sameness, replay};
pub use report::{NotRun, Report, TestReport};
pub use suite::{Case, Definition, EXECUTION, Expect, Given, Reaction, START, Suite, TESTER, Texts};
