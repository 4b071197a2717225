//! What a worker tells about its machine, with the first PULSE's names. Cheap: a few reads from `/proc`.

use serde_json::{Map, Value, json};
use std::fs;
use std::path::Path;

/// The heartbeat's metadata. Disks are those of the state directory and of the root.
pub fn metadata(active: usize, capacity: u32, state_dir: &Path) -> Map<String, Value> {
    let memory = fs::read_to_string("/proc/meminfo").unwrap_or_default();
    let bytes = |name: &str| -> Option<u64> {
        let line = memory.lines().find(|line| line.starts_with(name))?;
        line.split_whitespace().nth(1)?.parse::<u64>().ok().map(|kib| kib * 1024)
    };
    let numbers = |file: &str| -> Vec<f64> {
        let text = fs::read_to_string(file).unwrap_or_default();
        text.split_whitespace().map_while(|word| word.parse().ok()).collect()
    };
    let mut loadavg = numbers("/proc/loadavg");
    loadavg.resize(3, 0.0);
    let metadata = json!({
        "hostname": hostname(),
        "platform": std::env::consts::OS,
        "arch": arch(),
        "cpus": cores(),
        "totalMem": bytes("MemTotal:"),
        "freeMem": bytes("MemAvailable:"),
        "uptime": numbers("/proc/uptime").first(),
        "loadavg": loadavg,
        "activeTasks": active,
        "maxConcurrentTasks": capacity,
        "disks": {"state": disk(state_dir), "root": disk(Path::new("/"))},
    });
    match metadata {
        Value::Object(map) => map,
        _ => Map::new(),
    }
}

/// Total and free bytes of a file system, free as far as this user may use them.
fn disk(path: &Path) -> Value {
    rustix::fs::statvfs(path).map_or(Value::Null, |disk| {
        json!({
            "totalBytes": disk.f_blocks.saturating_mul(disk.f_frsize),
            "freeBytes": disk.f_bavail.saturating_mul(disk.f_frsize),
        })
    })
}

/// The host's name.
pub fn hostname() -> String {
    let name = fs::read_to_string("/proc/sys/kernel/hostname").unwrap_or_default();
    match name.trim() {
        "" => "localhost".to_owned(),
        name => name.to_owned(),
    }
}

/// How many processors this process may use.
pub fn cores() -> u32 {
    std::thread::available_parallelism().map_or(1, |n| u32::try_from(n.get()).unwrap_or(u32::MAX))
}

/// The architecture in the first PULSE's words, so that a mixed fleet lists alike.
fn arch() -> &'static str {
    match std::env::consts::ARCH {
        "x86_64" => "x64",
        "aarch64" => "arm64",
        "x86" => "ia32",
        other => other,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tells_everything_the_first_pulse_told() {
        let told = metadata(2, 5, Path::new("/tmp"));
        for name in ["totalMem", "freeMem", "uptime", "cpus"] {
            assert!(told[name].as_f64().is_some_and(|n| n > 0.0), "{name}: {}", told[name]);
        }
        assert_eq!(told["loadavg"].as_array().map(Vec::len), Some(3));
        assert_eq!((told["activeTasks"].as_u64(), told["maxConcurrentTasks"].as_u64()), (Some(2), Some(5)));
        for disk in ["state", "root"] {
            let (total, free) = (&told["disks"][disk]["totalBytes"], &told["disks"][disk]["freeBytes"]);
            assert!(total.as_u64() > free.as_u64() && free.as_u64() > Some(0), "{disk}: {total} {free}");
        }
        assert!(told["hostname"].as_str().is_some_and(|name| !name.is_empty() && !name.contains('\n')));
    }
}
