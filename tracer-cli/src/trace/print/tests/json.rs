use serde_json::{Value, json};

use super::stage::{Made, SP, Stage, function, unknown};
use crate::trace::event::What;
use crate::trace::print::{End, Style, json};

fn objects(stage: &mut Stage) -> Vec<Value> {
    stage.finish().lines().map(|line| serde_json::from_str(line).expect("a JSON object")).collect()
}

fn object(made: &Made) -> Value {
    let mut stage = Stage::new(json, Style::default());
    stage.call(made);
    objects(&mut stage).remove(0)
}

#[test]
fn a_call_is_one_object() {
    let f = function("int f(string, int)").gprs(&[0x10, 7]).at(0x10, b"a\"b\n\0").gives(-3);
    assert_eq!(
        object(&f),
        json!({
            "type": "call", "pid": 123, "tid": 123, "start_ns": 1_000_000, "depth": 0, "function": "f",
            "library": "/lib/libtest.so", "caller": {"object": null, "offset": "0x1234"},
            "arguments": ["a\"b\n", 7], "result": -3, "duration_ns": 1000
        })
    );
}

#[test]
fn values_are_what_they_are() {
    let conf = "ulong f(bool(int), hex(int), double, float, addr, addr, char, string[3])";
    let mut f = function(conf).gprs(&[1, 16, 0, 0x99, b'\n'.into(), 0x10]).gives(-1).at(0x10, b"\xffab");
    f.values.vectors[..2].copy_from_slice(&[0.1_f64.to_bits(), u64::from(0.1_f32.to_bits())]);
    let object = object(&f);
    assert_eq!(object["arguments"], json!([true, "0x10", 0.1, 0.1, null, "0x99", "\\n", "\\xffab"]));
    assert_eq!(object["result"], json!(u64::MAX));
    let f = function("double f(double, struct(int, int)*, array(int, 2)*, hide(int), ldouble)");
    let mut f = f.doubles(&[f64::INFINITY]).gprs(&[0x10, 0x10]).at(0x10, &[1, 0, 0, 0, 2, 0, 0, 0]);
    f.vectors[0] = 1e300_f64.to_bits();
    let object = super::json::object(&f);
    assert_eq!(object["arguments"], json!(["inf", "{ 1, 2 }", "[ 1, 2 ]", {"unknown": true}]));
    assert_eq!(object["result"], json!(1e300));
}

#[test]
fn what_is_not_all_there_is_marked() {
    let f = function("void f(string, string, string, int*)").gprs(&[0x10, 0x1000, 0x2000, 0x3000]);
    let f = f.at(0x10, &[b'x'; 40]).at(0x1000, b"abc");
    let object = object(&f);
    assert_eq!(
        object["arguments"],
        json!([
            {"text": "x".repeat(32), "cut": true},
            {"text": "abc", "incomplete": true},
            {"pointer": "0x2000", "unreadable": true},
            "0x3000?"
        ])
    );
    assert_eq!(object["result"], Value::Null);
}

#[test]
fn arguments_of_a_format_are_listed() {
    let f = function("int printf(format)").gprs(&[0x10, 5, 0x100]).at(0x10, b"%d %s\0").at(0x100, b"text\0");
    assert_eq!(object(&f)["arguments"], json!(["%d %s", 5, "text"]));
}

#[test]
fn guesses_are_flagged() {
    let f = object(&unknown("g").gprs(&[0x7ffe_0000, 3]).gives(5));
    assert_eq!(f["arguments"], json!(["0x7ffe0000", 3, 0, 0]));
    assert_eq!((&f["guess"], &f["result"]), (&json!(true), &json!(5)));
}

#[test]
fn errors_and_ends_are_told() {
    let mut stage = Stage::new(json, Style { demangle: true, ..Style::default() });
    let mut open = function("int open(string)").gprs(&[0x10]).at(0x10, b"/none\0").gives(-1);
    open.errno = 2;
    stage.call(&open);
    let mut left = function("int _ZN1a1bEv()");
    left.left = true;
    stage.call(&left);
    let mut exit = function("void exit(int)").gprs(&[3]);
    exit.entry_only = true;
    let mut pending = function("int pending(int, +int)").gprs(&[4]);
    pending.sp = SP + 64;
    stage.enter(&pending);
    stage.enter(&exit);
    stage.happens(What::Exited(3));
    let objects = objects(&mut stage);
    assert_eq!(objects[0]["errno"], "ENOENT");
    assert_eq!((&objects[1]["left"], &objects[1]["demangled"]), (&json!(true), &json!("a::b()")));
    assert!(objects[1].get("result").is_none());
    assert_eq!((&objects[2]["entry_only"], &objects[2]["arguments"]), (&json!(true), &json!([3])));
    assert_eq!(objects[2]["depth"], 1);
    assert_eq!((&objects[3]["unfinished"], &objects[3]["function"]), (&json!(true), &json!("pending")));
    assert_eq!((&objects[4]["type"], &objects[4]["status"]), (&json!("exit"), &json!(3)));
}

#[test]
fn all_other_events_are_objects_too() {
    let mut stage = Stage::new(json, Style::default());
    stage.happens(What::Signal { signal: 10, sender: 7, code: -6 });
    stage.happens(What::Executed { program: "/bin/\"x\"".to_owned(), untapped: None });
    stage.happens(What::Created { child: 124, thread: true });
    stage.happens(What::ThreadEnded);
    stage.happens(What::Lost(5));
    stage.happens(What::Killed(9));
    let text = stage.end(&End { at_ns: 7, lost: 5, unfollowed: 1, counts: Vec::new() });
    let objects: Vec<Value> = text.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let kinds: Vec<&str> = objects.iter().map(|object| object["type"].as_str().unwrap()).collect();
    assert_eq!(kinds, ["signal", "exec", "thread", "lost", "killed", "end"]);
    assert_eq!((&objects[0]["sender"], &objects[0]["code"]), (&json!(7), &json!(-6)));
    assert_eq!(objects[1]["program"], "/bin/\"x\"");
    assert_eq!(objects[5], json!({"type": "end", "at_ns": 7, "lost": 5, "unfollowed": 1}));
}

#[test]
fn system_calls_are_objects_of_their_own() {
    let mut stage = Stage::new(json, Style::default());
    let open = function("int open(string, int)").at(0x10, b"/none\0");
    stage.happens(What::CallBegan(Stage::system(&open, [0x10, 0, 0, 0, 0, 0], 0)));
    stage.happens(What::CallEnded(Stage::system(&open, [0x10, 0, 0, 0, 0, 0], -2)));
    let exit = unknown("exit_group");
    stage.happens(What::CallEnded(Stage::system(&exit, [3, 0, 0, 0, 0, 0], 8)));
    let objects = objects(&mut stage);
    assert_eq!(
        objects[0],
        json!({
            "type": "system_call", "pid": 123, "tid": 123, "start_ns": 1_000_000, "depth": 0, "function": "open",
            "arguments": ["/none", 0], "result": -1, "duration_ns": 500, "errno": "ENOENT"
        })
    );
    assert_eq!((&objects[1]["guess"], &objects[1]["result"]), (&json!(true), &json!(8)));
}
