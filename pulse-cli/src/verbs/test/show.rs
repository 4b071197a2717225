//! What `pulse test` prints.

use super::files::Covered;
use crate::context::Context;
use crate::error::Error;
use crate::render::values::count;
use pulse_core::duration;
use pulse_core::text::one_line;
use pulse_engine::testing::{CoverageItem, NotRun, Report, TestReport};
use serde_json::json;
use std::time::Duration;

/// Every test with what failed, and a line with the sum.
pub(super) fn text(results: &[Result<Report, NotRun>], context: &mut Context) -> Result<(), Error> {
    let style = context.out.style;
    for result in results {
        match result {
            Ok(report) => {
                context.out.line(&style.bold(&one_line(&report.file)))?;
                report.tests.iter().try_for_each(|test| test_lines(test, context))?;
                if report.tests.is_empty() {
                    context.out.line(&format!("  {} it holds no tests", style.yellow("–")))?;
                }
            }
            Err(error) => not_run(error, context)?,
        }
    }
    let tests = || results.iter().flatten().flat_map(|report| &report.tests);
    let passed = tests().filter(|test| test.passed).count();
    let failed = tests().count() - passed;
    let broken = results.iter().filter(|result| result.is_err()).count();
    let mut parts = vec![format!("{passed} passed")];
    parts.extend((failed > 0).then(|| style.red(&format!("{failed} failed"))));
    parts.extend((broken > 0).then(|| style.red(&format!("{} could not be run", count(broken, "file")))));
    context.out.line(&parts.join(", "))
}

fn test_lines(test: &TestReport, context: &mut Context) -> Result<(), Error> {
    let style = context.out.style;
    let took = match test.virtual_ms {
        0 => String::new(),
        millis => style.dim(&format!(" ({})", duration::display(Duration::from_millis(millis)))),
    };
    let mark = if test.passed { style.green("✓") } else { style.red("✗") };
    context.out.line(&format!("  {mark} {}{took}", one_line(&test.name)))?;
    for failure in &test.failures {
        let line = failure.line.map(|line| format!(" (line {line})")).unwrap_or_default();
        for (number, text) in failure.to_string().lines().enumerate() {
            let place = if number == 0 { line.as_str() } else { "" };
            context.out.line(&format!("      {}{}", one_line(text), style.dim(place)))?;
        }
    }
    Ok(())
}

fn not_run(error: &NotRun, context: &mut Context) -> Result<(), Error> {
    let style = context.out.style;
    context.out.line(&style.bold(&one_line(&error.file)))?;
    let what = error.message.as_deref().unwrap_or("it could not be run");
    context.out.line(&format!("  {} {}", style.red("!"), one_line(what)))?;
    for finding in &error.diagnostics {
        context.out.line(&format!("      {}:{}", one_line(&error.about), one_line(&finding.to_string())))?;
    }
    Ok(())
}

/// What no test went through, per workflow.
pub(super) fn coverage(covered: &[Covered], context: &mut Context) -> Result<(), Error> {
    let style = context.out.style;
    for Covered { workflow, coverage, .. } in covered {
        let (hit, all) = coverage.counts();
        let mark = if hit == all { style.green("✓") } else { style.yellow("–") };
        context.out.line(&format!("{mark} coverage of {}: {hit} of {all}", one_line(workflow)))?;
        for CoverageItem { step, kind, what, .. } in coverage.missing() {
            let what = if what.is_empty() { String::new() } else { format!("  {}", one_line(what)) };
            context.out.line(&format!("    {:8} {step}{what}", kind.as_str()))?;
        }
    }
    Ok(())
}

/// Everything as one JSON document.
pub(super) fn json(
    results: &[Result<Report, NotRun>],
    covered: &[Covered],
    context: &mut Context,
) -> Result<(), Error> {
    let reports: Vec<&Report> = results.iter().flatten().collect();
    let not_run: Vec<&NotRun> = results.iter().filter_map(|result| result.as_ref().err()).collect();
    let tests = || reports.iter().flat_map(|report| &report.tests);
    let passed = tests().filter(|test| test.passed).count();
    let files: Vec<_> = reports
        .iter()
        .map(|report| json!({"file": report.file, "workflow": report.workflow, "tests": report.tests}))
        .collect();
    let coverage: Vec<_> = covered
        .iter()
        .map(|covered| {
            let (hit, all) = covered.coverage.counts();
            let missing: Vec<&CoverageItem> = covered.coverage.missing().collect();
            json!({"workflow": covered.workflow, "covered": hit, "total": all, "missing": missing})
        })
        .collect();
    context.out.json(&json!({
        "passed": passed,
        "failed": tests().count() - passed,
        "not_run": not_run,
        "files": files,
        "coverage": coverage,
    }))
}
