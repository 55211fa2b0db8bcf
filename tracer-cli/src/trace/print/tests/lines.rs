use super::stage::{SP, Stage, function};
use crate::trace::event::What;
use crate::trace::print::{Ids, Style, lines};

fn stage(style: Style) -> Stage {
    Stage::new(lines, style)
}

#[test]
fn results_stand_in_their_column() {
    let mut stage = stage(Style::default());
    stage.call(&function("int s1(string)").gprs(&[0x10]).at(0x10, b"\0"));
    stage.call(&function("void p1(void*)").gprs(&[u64::MAX]));
    stage.call(&function("void long_name_of_a_function(int, int, int, int, int, int)"));
    assert_eq!(
        stage.finish(),
        "s1(\"\")                                           = 0\n\
         p1(0xffffffffffffffff)                           = <void>\n\
         long_name_of_a_function(0, 0, 0, 0, 0, 0)        = <void>\n"
    );
    let mut stage = Stage::new(lines, Style { align: 25, ..Style::default() });
    stage.call(&function("void e0(string)").gprs(&[0x10]).at(0x10, b"inner\0"));
    stage.call(&function("int long_name_of_a_function(int, int, int, int)"));
    assert_eq!(
        stage.finish(),
        "e0(\"inner\")             = <void>\nlong_name_of_a_function(0, 0, 0, 0) = 0\n"
    );
}

#[test]
fn a_call_in_which_another_one_is_made_is_resumed() {
    let mut stage = stage(Style::default());
    let outer = function("int cbt(addr, +int, int)").gprs(&[0x5569, 3, 7]).gives(3);
    let mut inner = function("void e0(string)").gprs(&[0x10]).at(0x10, b"inner\0");
    inner.sp -= 64;
    stage.enter(&outer);
    stage.call(&inner);
    stage.leave(&outer);
    assert_eq!(
        stage.finish(),
        "cbt(0x5569 <unfinished ...>\n\
         e0(\"inner\")                                      = <void>\n\
         <... cbt resumed> , 3, 7)                        = 3\n"
    );
}

#[test]
fn lines_of_threads_are_never_torn() {
    let mut stage = stage(Style { ids: Ids::Bracketed, align: 20, ..Style::default() });
    let f = function("int f(int)").gprs(&[1]).gives(2);
    stage.enter(&f);
    stage.tid = 124;
    stage.call(&f);
    stage.enter(&f);
    stage.tid = 123;
    stage.leave(&f);
    stage.tid = 124;
    stage.leave(&f);
    assert_eq!(
        stage.finish(),
        "[pid 123] f(1 <unfinished ...>\n\
         [pid 124] f(1)     = 2\n\
         [pid 124] f(1 <unfinished ...>\n\
         [pid 123] <... f resumed> ) = 2\n\
         [pid 124] <... f resumed> ) = 2\n"
    );
}

#[test]
fn calls_within_calls_are_indented() {
    let mut stage = stage(Style { indent: 2, ids: Ids::Bare, align: 0, ..Style::default() });
    let [mut outer, mut inner] = ["void outer()", "void inner()"].map(function);
    (outer.sp, inner.sp) = (SP, SP - 64);
    stage.enter(&outer);
    stage.call(&inner);
    stage.leave(&outer);
    stage.call(&outer);
    assert_eq!(
        stage.finish(),
        "123 outer( <unfinished ...>\n\
         123   inner() = <void>\n\
         123 <... outer resumed> ) = <void>\n\
         123 outer() = <void>\n"
    );
}

#[test]
fn calls_that_were_left_by_a_jump_are_not_waited_for() {
    let mut stage = stage(Style { indent: 1, align: 0, ..Style::default() });
    let f = function("void f()");
    let mut deeper = function("void deeper()");
    deeper.sp -= 64;
    // Over and over from the same place: none of them returns.
    for _ in 0..3 {
        stage.enter(&f);
        stage.enter(&deeper);
    }
    stage.call(&f);
    let mut text = String::new();
    for _ in 0..3 {
        text += "f( <unfinished ...>\n deeper( <unfinished ...>\n";
    }
    assert_eq!(stage.finish(), text + "f() = <void>\n");
}

#[test]
fn a_call_in_the_place_of_another_is_within_it() {
    let mut stage =
        stage(Style { indent: 1, align: 0, callers: true, program: "prog".to_owned(), ..Style::default() });
    let f = function("void f()");
    let mut tail = function("void tail()");
    tail.caller = ("/run/libcalltap-0123.so", 0x7000_0000);
    stage.enter(&f);
    stage.call(&tail);
    stage.leave(&f);
    assert_eq!(
        stage.finish(),
        "prog->f( <unfinished ...>\n libtest.so->tail() = <void>\n<... f resumed> ) = <void>\n"
    );
}

#[test]
fn a_call_on_another_stack_ends_none_on_this_one() {
    let mut stage = stage(Style { align: 0, ..Style::default() });
    let [mut f, mut g] = ["int f(+int)", "void g()"].map(function);
    f = f.gprs(&[5]);
    (f.sp, g.sp) = (0x1000_0000, 0x7fff_0000_0000);
    stage.enter(&f);
    stage.call(&g);
    stage.leave(&f);
    assert_eq!(stage.finish(), "f( <unfinished ...>\ng() = <void>\n<... f resumed> 5) = 0\n");
}

#[test]
fn what_returns_without_having_been_called_is_resumed() {
    let mut stage = stage(Style { align: 0, ..Style::default() });
    stage.leave(&function("int fork()").gives(0));
    stage.leave(&function("string[arg1] odd(int)").gives(0x10));
    assert_eq!(stage.finish(), "<... fork resumed> ) = 0\n<... odd resumed> ) = ?\n");
}

#[test]
fn calls_that_do_not_return_are_said_not_to() {
    let mut stage = stage(Style { align: 0, ..Style::default() });
    for conf in ["void exit(int)", "int setjmp(addr)", "addr dlopen(+string, int)"] {
        let mut f = function(conf).gprs(&[0x10, 2]).at(0x10, b"libx.so\0");
        f.entry_only = true;
        stage.enter(&f);
    }
    let mut left = function("int f()");
    left.left = true;
    stage.call(&left);
    stage.enter(&function("int last()"));
    stage.happens(What::Exited(16));
    assert_eq!(
        stage.finish(),
        "exit(16 <no return ...>\n\
         setjmp(0x10) = ?\n\
         dlopen(\"libx.so\", 2) = ?\n\
         f() = <unwound>\n\
         last( <no return ...>\n\
         +++ exited (status 16) +++\n"
    );
}

#[test]
fn events_stand_between_the_calls() {
    let mut stage = stage(Style { align: 0, ids: Ids::Bracketed, ..Style::default() });
    let wait = function("int wait(addr)").gives(545);
    stage.enter(&wait);
    stage.happens(What::Signal { signal: 17, sender: 545, code: 1 });
    stage.leave(&wait);
    stage.happens(What::Signal { signal: 40, sender: 0, code: 0 });
    stage.happens(What::Lost(12));
    stage.happens(What::Executed {
        program: "/bin/true".to_owned(),
        untapped: Some("it is static".to_owned()),
    });
    stage.happens(What::Killed(11));
    assert_eq!(
        stage.finish(),
        "[pid 123] wait(nil <unfinished ...>\n\
         [pid 123] --- SIGCHLD (Child exited) ---\n\
         [pid 123] <... wait resumed> ) = 545\n\
         [pid 123] --- SIGRTMIN+6 (Real-time signal 6) ---\n\
         [pid 123] +++ lost 12 records +++\n\
         [pid 123] --- Called exec() ---\n\
         [pid 123] --- library calls of /bin/true are not seen: it is static ---\n\
         [pid 123] +++ killed by SIGSEGV +++\n"
    );
    let mut silent = Stage::new(lines, Style { signals: false, ..Style::default() });
    silent.happens(What::Signal { signal: 17, sender: 0, code: 0 });
    assert_eq!(silent.finish(), "");
}

#[test]
fn somebody_who_looks_on_sees_calls_that_have_not_returned() {
    let f = function("int sleep(int)").gprs(&[5]);
    let mut file = Stage::new(lines, Style { align: 20, ..Style::default() });
    let mut terminal = Stage::new(lines, Style { align: 20, live: true, ..Style::default() });
    for stage in [&mut file, &mut terminal] {
        stage.call(&f);
        stage.enter(&f);
    }
    assert_eq!(file.tick(), "sleep(5)           = 0\n");
    assert_eq!(terminal.tick(), "sleep(5)           = 0\nsleep(5");
    for stage in [&mut file, &mut terminal] {
        stage.leave(&f);
    }
    assert_eq!(file.finish(), "sleep(5)           = 0\n");
    assert_eq!(terminal.finish(), ")           = 0\n");
}

#[test]
fn threads_come_and_go() {
    let mut stage = Stage::new(lines, Style { align: 0, ids: Ids::Bracketed, ..Style::default() });
    let f = function("void f()");
    for tid in 1000..1100 {
        stage.tid = tid;
        stage.enter(&f);
        if tid % 2 == 0 {
            stage.leave(&f);
        }
        stage.happens(What::ThreadEnded);
    }
    let text = stage.finish();
    assert_eq!(text.lines().filter(|line| line.ends_with(" = <void>")).count(), 50);
    assert_eq!(text.lines().filter(|line| line.ends_with(" <no return ...>")).count(), 50);
    assert_eq!(text.lines().count(), 100);
}
