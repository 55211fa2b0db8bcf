use super::super::lookup::id;
use super::*;

fn call(name: &str) -> CallId {
    id(0, name).or_else(|| id(1, name)).expect(name)
}

fn selected(list: &str, names: &[&str]) -> Vec<bool> {
    let selection = Selection::of(list).expect(list);
    names.iter().map(|name| selection.contains(call(name))).collect()
}

#[test]
fn classes_and_names_can_be_mixed() {
    let names = ["mmap", "openat", "fcntl", "execve", "read"];
    assert_eq!(selected("memory,fd", &names), [true, true, true, false, false]);
    assert_eq!(selected("%memory, read", &names), [true, false, false, false, true]);
    assert_eq!(selected("all", &names), [true; 5]);
    assert_eq!(selected("none", &names), [false; 5]);
    assert_eq!(selected("", &names), [false; 5]);
}

#[test]
fn what_is_taken_out_is_taken_out_of_what_came_before() {
    let names = ["mmap", "openat", "close"];
    assert_eq!(selected("memory,fd,-openat", &names), [true, false, true]);
    assert_eq!(selected("-openat,close", &names), [true, false, true]);
    assert_eq!(selected("!openat,close", &names), [true, false, false]);
    assert_eq!(selected("fd,-fd", &names), [false; 3]);
}

#[test]
fn a_name_is_meant_in_every_interface_that_has_it() {
    let selection = Selection::of("execve,stat64").unwrap();
    for (interface, number) in [(0, 59), (1, 11), (2, 520), (1, 195)] {
        assert!(selection.contains(CallId { interface, number }), "{interface} {number}");
    }
    assert!(!selection.contains(CallId { interface: 0, number: 195 }));
}

#[test]
fn class_fd_has_some_calls_with_some_arguments_only() {
    let wants = |list: &str, name: &str, command: i32| {
        let arguments = [3, command as u64, 0, 0, 0, 0];
        Selection::of(list).unwrap().wants(call(name), &arguments)
    };
    assert!(wants("fd", "fcntl", libc::F_DUPFD_CLOEXEC));
    assert!(!wants("fd", "fcntl", libc::F_GETFL));
    assert!(wants("fd", "ioctl", libc::FIOCLEX as i32));
    assert!(!wants("fd", "ioctl", libc::TCGETS as i32));
    for list in ["fcntl", "fd,fcntl", "desc,fd", "all"] {
        assert!(wants(list, "fcntl", libc::F_GETFL), "{list}");
    }
    assert!(!wants("fd,-fcntl", "fcntl", libc::F_DUPFD));
    assert!(!wants("memory", "fcntl", libc::F_DUPFD));
    assert!(wants("fd", "close", 0));
}

#[test]
fn its_text_makes_the_same_choice() {
    for list in ["memory,fd", "none", "all,-read", "!close,fd", "%ipc", "fd,-fcntl,-fd,ioctl", "-desc,fcntl"]
    {
        let selection = Selection::of(list).unwrap();
        let again = Selection::of(&selection.to_string()).unwrap();
        assert_eq!((&again.all, &again.partly), (&selection.all, &selection.partly), "{list}: {selection}");
    }
}

#[test]
fn an_addition_keeps_both_choices_also_in_its_text() {
    let cases = [
        ("memory", "wait4,kill"),
        ("!fd", "close"),
        ("memory", "fd,-openat"),
        ("-fd", "fd,-close"),
        ("none", "fd"),
    ];
    for (first, second) in cases {
        let (mut sum, other) = (Selection::of(first).unwrap(), Selection::of(second).unwrap());
        let before = sum.clone();
        sum.add(other.clone());
        let again = Selection::of(&sum.to_string()).unwrap();
        for number in 0..600 {
            let id = CallId { interface: 0, number };
            assert_eq!(
                sum.contains(id),
                before.contains(id) || other.contains(id),
                "{first} {second} {id:?}"
            );
            assert_eq!(again.contains(id), sum.contains(id), "{first} {second} {id:?}");
        }
    }
}

#[test]
fn an_unknown_item_is_named_with_what_it_may_mean() {
    let error = |list: &str| Selection::of(list).unwrap_err().to_string();
    assert_eq!(
        error("memory,opnat"),
        "there is no system call and no class `opnat`\nhint: did you mean openat or openat2?"
    );
    assert!(error("frobnicate").contains("hint: classes are memory, fd, process"));
}

#[test]
fn an_empty_choice_is_known_as_such() {
    assert!(Selection::default().is_empty());
    assert!(Selection::of("none").unwrap().is_empty());
    assert!(Selection::of("read,-read").unwrap().is_empty());
    assert!(!Selection::of("fcntl").unwrap().is_empty());
}
