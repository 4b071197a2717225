//! Conditions as they were written for the first PULSE.

use super::{fails, table};
use serde_json::json;

#[test]
fn javascript_forms() {
    table(&[
        ("promptResponse === 'Clean'", json!(true)),
        ("promptResponse !== 'Skip'", json!(true)),
        ("prompt_response == \"Clean\"", json!(true)),
        ("state.disk_pct >= 90 && params.mode === 'auto'", json!(true)),
        ("state.name.includes('web')", json!(true)),
        ("state.list.includes('c')", json!(true)),
        ("state.name.startsWith('web') && state.name.endsWith('01')", json!(true)),
        ("state.padded.trim() === '42'", json!(true)),
        ("state.name.toUpperCase()", json!("WEB-01")),
        ("'ABC'.toLowerCase() === 'abc'", json!(true)),
        ("state.name.length", json!(6)),
        ("state.list.length > 2", json!(true)),
        ("state.length", json!(5)),
        ("'abc'.length === 3", json!(true)),
        ("parseInt(state.disk_pct) > 90", json!(true)),
        ("parseInt(state.unit, 10)", json!(85)),
        ("parseInt(' 12abc')", json!(12)),
        ("parseInt('0x1f')", json!(31)),
        ("parseInt('ff', 16)", json!(255)),
        ("parseInt(3.7)", json!(3)),
        ("parseFloat('0.75 GiB')", json!(0.75)),
        ("parseFloat('3')", json!(3)),
        ("Number(state.load) < 1", json!(true)),
        ("Number('12')", json!(12)),
        ("Number(' ')", json!(0)),
        ("String(80) + '%'", json!("80%")),
        ("state.count.toString()", json!("3")),
        ("state.nope === undefined", json!(true)),
        ("state.nope === null", json!(true)),
        ("state.name !== undefined", json!(true)),
        ("state.disk_pct > 90 ? 'full' : 'fine'", json!("full")),
        ("params.dry ? 'a' : state.ok ? 'b' : 'c'", json!("b")),
        ("state.ok ?.5 : 1", json!(0.5)),
        ("'it\\'s'", json!("it's")),
        ("''", json!("")),
        ("'\\u{1F600}\\x41\\u00e4\\n'", json!("😀Aä\n")),
        ("state.name /* the name */ === 'web-01' // yes", json!(true)),
        ("state.nested?.a?.b.c", json!(7)),
    ]);
    fails(&[("parseInt('abc') > 5", "does not start with an integer")]);
}
