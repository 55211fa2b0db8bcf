use std::rc::Rc;

use super::stage::{Stage, function};
use crate::trace::event::What;
use crate::trace::print::{Ids, Style, lines};

#[test]
fn vfork_returns_twice() {
    let style = || Style { align: 0, ids: Ids::Bare, ..Style::default() };
    let mut vfork = function("int vfork()");
    vfork.entry_only = true;
    let [mut exit, wait] = ["void _exit(int)", "int wait(addr)"].map(function);
    exit.entry_only = true;
    let mut stage = Stage::new(lines, style());
    stage.enter(&vfork);
    stage.happens(What::Created { child: 200, thread: false });
    (stage.pid, stage.tid) = (200, 200);
    stage.enter(&exit);
    stage.happens(What::Exited(0));
    (stage.pid, stage.tid) = (123, 123);
    stage.call(&wait);
    assert_eq!(
        stage.finish(),
        "123 vfork( <unfinished ...>\n\
         200 <... vfork resumed> ) = 0\n\
         200 _exit(0 <no return ...>\n\
         200 +++ exited (status 0) +++\n\
         123 <... vfork resumed> ) = 200\n\
         123 wait(nil) = 0\n"
    );
    // Children are not followed: only the parent's return is told, in the same line.
    let mut stage = Stage::new(lines, Style { ids: Ids::None, ..style() });
    stage.enter(&vfork);
    stage.happens(What::CallBegan(Stage::system(&function("int vfork()"), [0; 6], 0)));
    stage.happens(What::Created { child: 200, thread: false });
    stage.happens(What::CallEnded(Stage::system(&function("int vfork()"), [0; 6], 200)));
    stage.call(&wait);
    assert_eq!(
        stage.finish(),
        "vfork( <unfinished ...>\nvfork@SYS() = 200\n<... vfork resumed> ) = 200\nwait(nil) = 0\n"
    );
}

#[test]
fn what_is_chosen_as_a_call_and_as_an_entry_is_shown_as_both() {
    let style = Style {
        align: 0,
        indent: 1,
        callers: true,
        program: "filt".to_owned(),
        entry_point: Some(Rc::new(|function| function.name == "func1")),
        called: Some(Rc::new(|_, caller| caller.is_empty())),
        ..Style::default()
    };
    let mut stage = Stage::new(lines, style);
    let mut f = function("int func1(int, +int)").gprs(&[1, 2]).gives(3);
    stage.call(&f);
    f.caller.0 = "/lib/libother.so";
    stage.call(&f);
    assert_eq!(
        stage.finish(),
        "filt->func1(1 <unfinished ...>\n func1@libtest.so(1, 2) = 3\n<... func1 resumed> , 2) = 3\n\
         func1@libtest.so(1, 2) = 3\n"
    );
}
