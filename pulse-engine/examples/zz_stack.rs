use pulse_engine::expr::{Expr, Scope};
use serde_json::json;
fn main() {
    let a: Vec<String> = std::env::args().collect();
    let i: usize = a[1].parse().unwrap();
    let kb: usize = a[2].parse().unwrap();
    let mode = a[3].clone();
    let sources = [
        format!("1{}", " + 1".repeat(62)),
        format!("{}state.x{}", "int(".repeat(62), ")".repeat(62)),
        format!("{}1{}", "[".repeat(62), "]".repeat(62)),
        format!("{}true", "!".repeat(62)),
        format!("{}1", "state.x == 1 ? 1 : ".repeat(60)),
        format!("{}true{}", "(true && (false || ".repeat(30), "))".repeat(30)),
        format!("{}1{}", "if 1 == 2 { 1 } else { ".repeat(30), "}".repeat(30)),
        format!("{}1{}", "(".repeat(62), ")".repeat(62)),
        format!("{}1{}", "[1,(1+".repeat(30), ")]".repeat(30)),
        format!("{}1{}", "(1 == 1 ? ".repeat(30), " : 2)".repeat(30)),
        format!("{}1{}", "#{a:".repeat(62), "}".repeat(62)),
        format!("{}1{}", "(1 == (".repeat(30), "))".repeat(30)),
        format!("{}state.x{}", "state[".repeat(62), "]".repeat(62)),
        format!("{}state.x{}", "!(true && ".repeat(31), ")".repeat(31)),
        format!("{}1{}", "(1 ?? ".repeat(60), ")".repeat(60)),
    ];
    let s = sources[i].clone();
    let pre = if mode == "eval" {
        Some(
            std::thread::Builder::new()
                .stack_size(16 << 20)
                .spawn({
                    let s = s.clone();
                    move || Expr::compile(&s).unwrap()
                })
                .unwrap()
                .join()
                .unwrap(),
        )
    } else {
        None
    };
    let _ = Expr::compile("1").unwrap().eval(&Scope::new());
    std::thread::Builder::new()
        .stack_size(kb << 10)
        .spawn(move || {
            let mut sc = Scope::new();
            sc.set("state", json!({"x":3}));
            match pre {
                Some(e) => {
                    let _ = e.eval(&sc);
                }
                None => {
                    let _ = Expr::compile(&s).unwrap();
                }
            }
        })
        .unwrap()
        .join()
        .unwrap();
}
