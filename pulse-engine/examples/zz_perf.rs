use pulse_engine::{
    expr::{Expr, Scope},
    template::{ShellTemplate, Template},
};
use serde_json::json;
use std::sync::Arc;
use std::time::*;
fn time<F: FnMut()>(name: &str, mut f: F) {
    for _ in 0..100 {
        f()
    }
    let t = Instant::now();
    let mut n = 0u64;
    while t.elapsed() < Duration::from_millis(500) {
        for _ in 0..20 {
            f()
        }
        n += 20
    }
    let e = t.elapsed();
    println!("{name:60} {:>10.0} ns", e.as_nanos() as f64 / n as f64);
}
fn main() {
    let mut sc = Scope::new();
    sc.set("params", json!({"mount":"/data","limit":80,"mode":"auto"}))
        .set("state", json!({"disk_pct":"91","a":{"b":{"c":1}}}))
        .set("last", json!({"stdout":"x".repeat(1<<16)+"needle","exit_code":0}));
    sc.bare(Arc::new(json!({"mount":"/data"})));
    for s in [
        "true",
        "state.disk_pct > 80",
        "state.disk_pct > params.limit && params.mode === 'auto'",
        "state.a.b.c == 1 ? 'x' : 'y'",
        "last.stdout.contains('needle')",
        "matches(last.stdout, 'nee+dle$')",
        "matches(state.disk_pct, '^\\\\d+$')",
    ] {
        let e = Expr::compile(s).unwrap();
        time(&format!("compile {s}"), || {
            Expr::compile(s).unwrap();
        });
        time(&format!("eval {s}"), || {
            e.eval(&sc).unwrap();
        });
    }
    let big = format!("state.x == 0{}", (1..200).map(|i| format!(" || state.x == {i}")).collect::<String>());
    let e = Expr::compile(&big).unwrap();
    time("compile 4KiB chain", || {
        Expr::compile(&big).unwrap();
    });
    time("eval 4KiB chain", || {
        e.eval(&sc).unwrap();
    });
    let t = Template::parse("Clean {{ mount }} at {{ state.disk_pct }}%?").unwrap();
    time("render_text 2", || {
        t.render_text(&sc).unwrap();
    });
    let src = "df -P '{{ mount }}' | awk 'NR==2{print $5}' && echo \"{{ state.disk_pct }}\" > \"/tmp/{{mount}}\"\n";
    time("shell parse 3 holes", || {
        ShellTemplate::parse(src).unwrap();
    });
    let (st, _) = ShellTemplate::parse(src).unwrap();
    time("shell render 3 holes", || {
        st.render(&sc).unwrap();
    });
    let long = "echo $(date) \"a b\" # c\n".repeat(10_000);
    let t0 = Instant::now();
    ShellTemplate::parse(&(long.clone() + "{{mount}}")).unwrap();
    println!("shell parse {} KiB: {:?}", long.len() >> 10, t0.elapsed());
    for s in [
        "$((",
        "$(",
        "cat <<A\n",
        "{{{{",
        "((",
        "`",
        "case x in (",
        "cat <<'A'\n{{mount}}\nA\n",
        "cat <<A\n{{mount}}\n",
    ] {
        let l = s.repeat(250_000 / s.len());
        let t0 = Instant::now();
        let r = ShellTemplate::parse(&l).is_ok();
        println!("hostile {s:?}: {r} {:?}", t0.elapsed());
    }
}
