//! Puts the web application into the binary: builds it with npm when `web/dist` is missing or older than its sources, and
//! writes each file raw and compressed, with a hash as ETag, into a table. Where npm is missing, the binary carries a page
//! that says what to do. `PULSE_SKIP_WEB=1` takes `web/dist` as it is.

use sha2::{Digest, Sha256};
use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::SystemTime;

/// What of `web/` the application is made from.
const SOURCES: &[&str] =
    &["src", "index.html", "package.json", "package-lock.json", "vite.config.ts", "svelte.config.js"];

fn main() {
    let web = PathBuf::from(env("CARGO_MANIFEST_DIR")).join("../web");
    let out = PathBuf::from(env("OUT_DIR"));
    println!("cargo:rerun-if-env-changed=PULSE_SKIP_WEB");
    // One that is not there would count as changed at each build, and everything would be built once more.
    for source in SOURCES.iter().map(|source| web.join(source)).filter(|source| source.exists()) {
        println!("cargo:rerun-if-changed={}", source.display());
    }
    let dist = web.join("dist");
    let skip = std::env::var("PULSE_SKIP_WEB").is_ok_and(|value| value == "1");
    if !skip && is_stale(&web, &dist) {
        build(&web);
    } else {
        // Not what was made just now: cargo would take it for changed since, and build everything once more.
        println!("cargo:rerun-if-changed={}", dist.join("index.html").display());
    }
    let mut files = Vec::new();
    walk(&dist, &mut files);
    if !dist.join("index.html").is_file() {
        let page = out.join("index.html");
        fs::write(&page, MISSING).expect("the build directory can be written");
        files = vec![page];
    }
    let root = if files.len() == 1 && files[0].starts_with(&out) { out.clone() } else { dist };
    let table: String = files.iter().enumerate().map(|(index, file)| entry(&root, &out, index, file)).collect();
    let source = format!("static ASSETS: &[Asset] = &[\n{table}];\n");
    fs::write(out.join("assets.rs"), source).expect("the build directory can be written");
}

const MISSING: &str = "<!doctype html><meta charset=utf-8><title>PULSE</title><h1>PULSE</h1><p>This binary was built without its \
web application, because npm was not found. Install Node.js 20 or later and build again: <code>cargo run --release -- up</code>. \
The command line and the API work as they are.";

fn env(name: &str) -> String {
    std::env::var(name).expect("cargo sets it")
}

/// Whether the application has to be built: it is missing, or a source is newer.
fn is_stale(web: &Path, dist: &Path) -> bool {
    let Some(built) = modified(&dist.join("index.html")) else { return true };
    let mut files = Vec::new();
    for source in SOURCES {
        let path = web.join(source);
        if path.is_dir() { walk(&path, &mut files) } else { files.push(path) }
    }
    files.iter().filter_map(|file| modified(file)).any(|changed| changed > built)
}

fn modified(path: &Path) -> Option<SystemTime> {
    fs::metadata(path).and_then(|metadata| metadata.modified()).ok()
}

/// Builds the application; on failure says so and leaves what is there.
fn build(web: &Path) {
    let npm = |arguments: &[&str]| {
        let status = Command::new("npm").args(arguments).current_dir(web).stdout(std::process::Stdio::null()).status();
        match status {
            Ok(status) if status.success() => true,
            Ok(status) => {
                println!(
                    "cargo:warning=`npm {}` in web/ ended with {status}: the dashboard is not current",
                    arguments.join(" ")
                );
                false
            }
            Err(error) => {
                println!("cargo:warning=npm cannot be run ({error}): the dashboard is not built");
                false
            }
        }
    };
    let installed = modified(&web.join("node_modules/.package-lock.json"));
    let wanted = modified(&web.join("package-lock.json"));
    let current = matches!((installed, wanted), (Some(installed), Some(wanted)) if installed >= wanted);
    if current || npm(&["ci", "--no-audit", "--no-fund", "--loglevel=error"]) {
        npm(&["run", "build", "--silent"]);
    }
}

fn walk(directory: &Path, files: &mut Vec<PathBuf>) {
    let mut paths: Vec<PathBuf> =
        fs::read_dir(directory).into_iter().flatten().flatten().map(|entry| entry.path()).collect();
    paths.sort();
    for path in paths {
        if path.is_dir() { walk(&path, files) } else { files.push(path) }
    }
}

fn entry(root: &Path, out: &Path, index: usize, file: &Path) -> String {
    let bytes = fs::read(file).expect("the file was just listed");
    let etag: String = Sha256::digest(&bytes)[..8].iter().map(|byte| format!("{byte:02x}")).collect();
    let name = file.strip_prefix(root).expect("it is in there").to_string_lossy().replace('\\', "/");
    let mime = match file.extension().and_then(|extension| extension.to_str()) {
        Some("html") => "text/html; charset=utf-8",
        Some("js") => "text/javascript; charset=utf-8",
        Some("css") => "text/css; charset=utf-8",
        Some("svg") => "image/svg+xml",
        Some("json") => "application/json",
        Some("png") => "image/png",
        Some("woff2") => "font/woff2",
        _ => "application/octet-stream",
    };
    // Compressing takes seconds: only for what is shipped.
    let compress = env("PROFILE") == "release" && bytes.len() > 256 && !["image/png", "font/woff2"].contains(&mime);
    let stored = |suffix: &str, packed: Option<Vec<u8>>| match packed.filter(|packed| packed.len() < bytes.len()) {
        Some(packed) => {
            fs::write(out.join(format!("{index}.{suffix}")), packed).expect("the build directory can be written");
            format!("Some(include_bytes!(concat!(env!(\"OUT_DIR\"), \"/{index}.{suffix}\")))")
        }
        None => "None".to_owned(),
    };
    let gzip = stored("gz", compress.then(|| gzip(&bytes)));
    let brotli = stored("br", compress.then(|| brotli(&bytes)));
    // A copy: `web/dist` may be built anew while this crate compiles.
    fs::write(out.join(format!("{index}.raw")), &bytes).expect("the build directory can be written");
    let raw = format!("include_bytes!(concat!(env!(\"OUT_DIR\"), \"/{index}.raw\"))");
    format!(
        "    Asset {{ path: {name:?}, mime: {mime:?}, etag: \"\\\"{etag}\\\"\", raw: {raw}, gzip: {gzip}, brotli: {brotli} }},\n"
    )
}

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::best());
    encoder.write_all(bytes).and_then(|()| encoder.finish()).expect("memory takes everything")
}

fn brotli(bytes: &[u8]) -> Vec<u8> {
    let mut packed = Vec::new();
    brotli::CompressorWriter::new(&mut packed, 4096, 11, 22).write_all(bytes).expect("memory takes everything");
    packed
}
