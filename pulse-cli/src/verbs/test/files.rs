//! Test files and the files that they name: this is where the offline tests meet the file system.

use crate::definition;
use crate::error::Error;
use pulse_engine::testing::{Coverage, NotRun, Report, test as test_source};
use std::path::{Path, PathBuf};

/// What of a workflow all tests together went through.
pub(super) struct Covered {
    /// The workflow's file, as the first test file leads to it.
    pub workflow: String,
    /// Its file, whatever it is called.
    file: PathBuf,
    pub coverage: Coverage,
}

/// The test files that are meant: a directory stands for those in it and below.
pub(super) fn expand(paths: &[PathBuf]) -> Result<Vec<PathBuf>, Error> {
    let mut files = Vec::new();
    for path in paths {
        match path.is_dir() {
            true => walk(path, &mut files)?,
            false => files.push(path.clone()),
        }
    }
    Ok(files)
}

fn walk(directory: &Path, files: &mut Vec<PathBuf>) -> Result<(), Error> {
    let failed = |error: std::io::Error| Error::File { path: directory.to_owned(), reason: error.to_string() };
    let mut paths = Vec::new();
    for entry in std::fs::read_dir(directory).map_err(failed)? {
        let entry = entry.map_err(failed)?;
        // Links are not followed into directories: they may lead back.
        paths.push((entry.path(), entry.file_type().map_err(failed)?.is_dir()));
    }
    paths.sort();
    for (path, is_directory) in paths {
        let name = path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
        if is_directory {
            walk(&path, files)?;
        } else if name.ends_with(".test.yaml") || name.ends_with(".test.yml") {
            files.push(path);
        }
    }
    Ok(())
}

/// Runs the tests of one file.
pub(super) fn test(path: &Path) -> Result<Report, NotRun> {
    let file = path.display().to_string();
    let source = definition::read(path).map_err(|error| {
        let reason = match error {
            Error::File { reason, .. } => reason,
            other => other.to_string(),
        };
        NotRun { file: file.clone(), about: file.clone(), message: Some(reason), diagnostics: Vec::new() }
    })?;
    let beside = |named: &str| match definition::read(&workflow_path(path, named)) {
        Ok(text) => Ok(text),
        Err(Error::File { reason, .. }) => Err(reason),
        Err(other) => Err(other.to_string()),
    };
    test_source(&file, &source, &beside)
}

/// Where a file is that a test file names: beside it. It never is standard input.
pub(super) fn workflow_path(test_file: &Path, named: &str) -> PathBuf {
    let named = if named == "-" { "./-" } else { named };
    test_file.parent().unwrap_or(Path::new("")).join(named)
}

/// What the tests went through, per workflow: tests of one workflow in several files count together.
pub(super) fn coverage(results: &[Result<Report, NotRun>]) -> Vec<Covered> {
    let mut all: Vec<Covered> = Vec::new();
    for report in results.iter().flatten() {
        let path = match report.workflow == report.file {
            true => PathBuf::from(&report.file),
            false => workflow_path(Path::new(&report.file), &report.workflow),
        };
        let file = path.canonicalize().unwrap_or_else(|_| path.clone());
        match all.iter_mut().find(|covered| covered.file == file) {
            Some(covered) => covered.coverage.merge(&report.coverage),
            None => {
                all.push(Covered { workflow: path.display().to_string(), file, coverage: report.coverage.clone() });
            }
        }
    }
    all
}
