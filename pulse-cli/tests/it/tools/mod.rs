//! The verbs that need no server: check, schema, graph, fmt.

mod check;
mod explain;
mod fmt;
mod graph;
mod schema;

use std::path::{Path, PathBuf};

/// A path in the repository.
fn repository(path: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..").join(path)
}

/// The files of a folder of the repository with an ending, sorted; all folders below it too.
fn files(folder: &str, ending: &str) -> Vec<PathBuf> {
    let mut open = vec![repository(folder)];
    let mut found = Vec::new();
    while let Some(folder) = open.pop() {
        for entry in std::fs::read_dir(&folder).unwrap() {
            let path = entry.unwrap().path();
            match path.is_dir() {
                true => open.push(path),
                false => found.extend(path.extension().is_some_and(|e| e == ending).then_some(path)),
            }
        }
    }
    found.sort();
    assert!(!found.is_empty(), "no {ending} files in {folder}");
    found
}

/// All workflow definitions among the examples, with their paths.
fn examples() -> Vec<(PathBuf, String)> {
    let definition = |path: &PathBuf| !path.to_string_lossy().ends_with(".test.yaml");
    let read = |path: PathBuf| (path.clone(), std::fs::read_to_string(path).unwrap());
    files("examples", "yaml").into_iter().filter(definition).map(read).collect()
}
