//! The layers of the workspace: which crate may use which. Any other edge is refused.

use serde_json::Value;
use std::collections::BTreeSet;
use std::process::Command;

/// What each crate may use of the workspace.
const MAY_USE: &[(&str, &[&str])] = &[
    ("migrations", &[]),
    ("pulse-core", &[]),
    ("pulse-engine", &["pulse-core"]),
    ("pulse-store", &["pulse-core", "migrations"]),
    ("pulse-worker", &["pulse-core", "pulse-engine"]),
    ("pulse-server", &["pulse-core", "pulse-engine", "pulse-store", "pulse-worker"]),
    ("pulse-cli", &["pulse-core", "pulse-engine", "pulse-store", "pulse-worker", "pulse-server"]),
];

/// What the pure crates must never use: I/O, async runtimes, clocks, the ORM, the transports.
const BANNED_IN_PURE: &[&str] =
    &["tokio", "tokio-tungstenite", "warp", "hyper", "sea-orm", "sqlx", "reqwest", "getrandom", "rand", "rustix"];

#[test]
fn crates_use_only_the_layers_below_them() {
    let manifest = concat!(env!("CARGO_MANIFEST_DIR"), "/../Cargo.toml");
    let output = Command::new(env!("CARGO"))
        .args(["metadata", "--format-version", "1", "--no-deps", "--offline", "--manifest-path", manifest])
        .output()
        .unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let metadata: Value = serde_json::from_slice(&output.stdout).unwrap();
    let packages = metadata["packages"].as_array().unwrap();
    let ours: BTreeSet<&str> = packages.iter().map(|package| package["name"].as_str().unwrap()).collect();
    let known: BTreeSet<&str> = MAY_USE.iter().map(|(name, _)| *name).collect();
    assert_eq!(ours, known, "a crate without a layer");
    for package in packages {
        let name = package["name"].as_str().unwrap();
        let (_, allowed) = MAY_USE.iter().find(|(known, _)| *known == name).unwrap();
        for dependency in package["dependencies"].as_array().unwrap() {
            let used = dependency["name"].as_str().unwrap();
            if ours.contains(used) && used != name {
                assert!(allowed.contains(&used), "{name} must not use {used}");
            }
            let pure = ["pulse-core", "pulse-engine"].contains(&name);
            let shipped = dependency["kind"].is_null();
            assert!(!(pure && shipped && BANNED_IN_PURE.contains(&used)), "{name} is pure and must not use {used}");
        }
    }
}
