use super::stage::{Stage, function, unknown};
use crate::trace::event::What;
use crate::trace::print::{Ids, Style, lines};

#[test]
fn system_calls_stand_within_the_library_calls_that_make_them() {
    let mut stage = Stage::new(lines, Style { align: 0, indent: 2, ids: Ids::Bracketed, ..Style::default() });
    let kill = function("int kill(int, int)").gprs(&[552, 10]);
    let system = function("int kill(int, int)");
    stage.enter(&kill);
    stage.happens(What::CallBegan(Stage::system(&system, [552, 10, 0, 0, 0, 0], 0)));
    stage.happens(What::CallEnded(Stage::system(&system, [552, 10, 0, 0, 0, 0], 0)));
    stage.happens(What::Signal { signal: 10, sender: 0, code: 0 });
    stage.leave(&kill);
    assert_eq!(
        stage.finish(),
        "[pid 123] kill(552, 10 <unfinished ...>\n\
         [pid 123]   kill@SYS(552, 10) = 0\n\
         [pid 123] --- SIGUSR1 (User defined signal 1) ---\n\
         [pid 123] <... kill resumed> ) = 0\n"
    );
}

#[test]
fn errors_are_shown_as_strace_shows_them() {
    let mut stage = Stage::new(lines, Style { align: 0, spent: true, ..Style::default() });
    let open = function("int open(string, int)").at(0x10, b"/none\0");
    for result in [3, -2, -512, -4000] {
        stage.happens(What::CallEnded(Stage::system(&open, [0x10, 0, 0, 0, 0, 0], result)));
    }
    assert_eq!(
        stage.finish(),
        "open@SYS(\"/none\", 0) = 3 <0.000000>\n\
         open@SYS(\"/none\", 0) = -1 ENOENT (No such file or directory) <0.000000>\n\
         open@SYS(\"/none\", 0) = ? ERESTARTSYS (To be restarted if SA_RESTART is set) <0.000000>\n\
         open@SYS(\"/none\", 0) = -1 error 4000 (Unknown error 4000) <0.000000>\n"
    );
}

#[test]
fn what_a_system_call_has_written_is_shown_when_it_has_ended() {
    let mut stage = Stage::new(lines, Style { align: 0, ..Style::default() });
    let read = function("long read(int, +string[retval], ulong)");
    stage.happens(What::CallBegan(Stage::system(&read, [3, 0x10, 64, 0, 0, 0], 0)));
    let read = read.at(0x10, b"vm\n");
    stage.happens(What::CallEnded(Stage::system(&read, [3, 0x10, 64, 0, 0, 0], 3)));
    assert_eq!(stage.finish(), "read@SYS(3, \"vm\\n\", 64) = 3\n");
}

#[test]
fn an_interrupted_system_call_is_resumed() {
    let mut stage = Stage::new(lines, Style { align: 0, ..Style::default() });
    let pause = function("int pause()");
    stage.happens(What::CallBegan(Stage::system(&pause, [0; 6], 0)));
    stage.happens(What::Signal { signal: 14, sender: 0, code: 0 });
    stage.happens(What::CallEnded(Stage::system(&pause, [0; 6], -4)));
    assert_eq!(
        stage.finish(),
        "pause@SYS( <unfinished ...>\n--- SIGALRM (Alarm clock) ---\n\
         <... pause resumed> ) = -1 EINTR (Interrupted system call)\n"
    );
}

#[test]
fn without_a_prototype_all_six_registers_are_guesses() {
    let mut stage = Stage::new(lines, Style { align: 0, ..Style::default() });
    let unknown = unknown("syscall_999");
    stage.happens(What::CallEnded(Stage::system(&unknown, [1, 2, 3, 4, 5, 0x7f00_0000], 0)));
    let mut exit = function("void exit_group(int)");
    exit.entry_only = true;
    stage.happens(What::CallBegan(Stage::system(&exit, [3, 0, 0, 0, 0, 0], 0)));
    assert_eq!(
        stage.finish(),
        "syscall_999@SYS(1?, 2?, 3?, 4?, 5?, 0x7f000000?) = 0?\nexit_group@SYS(3 <no return ...>\n"
    );
}
