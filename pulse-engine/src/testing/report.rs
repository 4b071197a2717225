//! What running test files gave, as it is told to people and programs.

use super::coverage::Coverage;
use super::failure::Failure;
use pulse_core::diagnostic::Diagnostic;
use pulse_core::ids::StepId;
use pulse_core::status::ExecutionStatus;
use serde::Serialize;

/// A test file that was run.
#[derive(Clone, Debug, Serialize)]
pub struct Report {
    /// The test file.
    pub file: String,
    /// The workflow's file, or the test file again when it holds the workflow itself.
    pub workflow: String,
    /// Its tests, in order.
    pub tests: Vec<TestReport>,
    /// What of the workflow its tests went through.
    pub coverage: Coverage,
}

/// A test that was run.
#[derive(Clone, Debug, Serialize)]
pub struct TestReport {
    /// Its name.
    pub name: String,
    /// Whether everything was as it says.
    pub passed: bool,
    /// What was not.
    pub failures: Vec<Failure>,
    /// How the execution stood at the end.
    pub status: ExecutionStatus,
    /// The steps that started, in order.
    pub path: Vec<StepId>,
    /// How much time passed in the test, in milliseconds: none of it outside.
    pub virtual_ms: u64,
    /// The line where it stands.
    pub line: u32,
}

/// A test file that could not be run.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, thiserror::Error)]
#[error("{file}: {}", first(message.as_deref(), diagnostics))]
pub struct NotRun {
    /// The test file.
    pub file: String,
    /// The file that the findings are about: the test file or its workflow.
    pub about: String,
    /// Why, when it is no finding.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub message: Option<String>,
    /// What is wrong with the file.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub diagnostics: Vec<Diagnostic>,
}

fn first(message: Option<&str>, diagnostics: &[Diagnostic]) -> String {
    let finding = || diagnostics.first().map(ToString::to_string).unwrap_or_default();
    message.map_or_else(finding, str::to_owned)
}

impl Report {
    /// Whether every test passed.
    pub fn passed(&self) -> bool {
        self.tests.iter().all(|test| test.passed)
    }
}
