//! Which frames are left of stacks as compilers and run-times make them.

use super::*;

fn frame(name: &str) -> Frame {
    let (function, object) = name.split_once(" in ").unwrap_or((name, "/srv/bin/leaky"));
    Frame {
        function: (function != "?").then(|| function.into()),
        object: Some(object.into()),
        ..Frame::default()
    }
}

fn left(names: &[&'static str]) -> Vec<&'static str> {
    let kinds: Vec<_> = names.iter().map(|name| Kind::of(&frame(name))).collect();
    names[shown(&kinds)].to_vec()
}

#[test]
fn a_c_program_ends_with_main() {
    let stack = [
        "make",
        "main",
        "__libc_start_call_main in /lib/libc.so.6",
        "__libc_start_main@@GLIBC_2.34 in /lib/libc.so.6",
        "_start",
    ];
    assert_eq!(left(&stack), ["make", "main"]);
    assert_eq!(left(&["work", "start_thread in /lib/libc.so.6", "clone3 in /lib/libc.so.6"]), ["work"]);
}

#[test]
fn allocators_of_containers_are_hidden_and_containers_are_not() {
    let stack = [
        "operator new(unsigned long) in /usr/lib/libstdc++.so.6",
        "std::__new_allocator<int>::allocate(unsigned long, void const*)",
        "std::allocator_traits<std::allocator<int> >::allocate(std::allocator<int>&, unsigned long)",
        "std::_Vector_base<int, std::allocator<int> >::_M_allocate(unsigned long)",
        "void std::vector<int, std::allocator<int> >::_M_realloc_insert<int>(int&&)",
        "std::vector<int, std::allocator<int> >::push_back(int&&)",
        "fill(std::vector<int, std::allocator<int> >&)",
        "std::function<void ()>::operator()() const",
        "main",
    ];
    assert_eq!(left(&stack), stack[5..]);
    assert_eq!(left(&["std::__1::__libcpp_allocate[abi:v15](unsigned long)", "f"]), ["f"]);
}

#[test]
fn what_calls_the_programs_own_code_is_never_hidden() {
    let stack = [
        "work()",
        "std::_Function_handler<void (), int>::_M_invoke(int)",
        "operator new(unsigned long)",
        "main",
    ];
    assert_eq!(left(&stack), stack, "only at the inner end");
    let stack = ["std::_Function_handler<void (), int>::_M_invoke(int)", "main"];
    assert_eq!(left(&stack), stack, "the lambda was inlined and nothing tells");
}

#[test]
fn a_rust_program_begins_with_its_own_main() {
    let stack = [
        "__rustc::__rust_alloc",
        "alloc::alloc::alloc",
        "<alloc::alloc::Global as core::alloc::Allocator>::allocate",
        "alloc::raw_vec::RawVecInner<A>::with_capacity_in",
        "alloc::vec::Vec<T>::with_capacity",
        "leak::make",
        "leak::main",
        "core::ops::function::FnOnce::call_once",
        "std::sys::backtrace::__rust_begin_short_backtrace",
        "std::rt::lang_start::{{closure}}",
        "std::rt::lang_start_internal",
        "main",
        "_start",
    ];
    assert_eq!(left(&stack), stack[4..7]);
    assert_eq!(left(&["alloc::boxed::Box<T>::new", "leak::f"]), ["leak::f"]);
    assert_eq!(
        left(&["<alloc::boxed::Box<F,A> as core::ops::function::FnOnce<Args>>::call_once", "x"]).len(),
        2
    );
}

#[test]
fn a_stripped_run_time_starts_threads_too() {
    let unnamed = "? in /lib/libc.so.6";
    let stack = [
        "work()",
        "std::thread::_State_impl<int>::_M_run()",
        "? in /usr/lib/libstdc++.so.6",
        unnamed,
        unnamed,
    ];
    assert_eq!(left(&stack), ["work()"]);
    assert_eq!(left(&["main", unnamed, "__libc_start_main in /lib/libc.so.6", "?"]), ["main"]);
}

#[test]
fn inlined_functions_without_name_space_are_known_by_their_file() {
    let inlined = |function: &str, file: &str| Frame { file: Some(file.into()), ..frame(function) };
    let kind = |function, file| Kind::of(&inlined(function, file));
    assert_eq!(kind("operator()", "/usr/include/c++/12/bits/std_thread.h"), Kind::Start);
    assert_eq!(kind("allocate", "/usr/include/c++/12/bits/new_allocator.h"), Kind::Allocator);
    assert_eq!(kind("allocate", "/home/me/pool.cc"), Kind::Telling);
}

#[test]
fn our_own_hook_stands_for_the_function() {
    let hook = "fopen in /home/me/.cache/calltap/libcalltap-12.so";
    assert_eq!(left(&["__fopen_internal in /lib/libc.so.6", hook, "main"]), [hook, "main"]);
}

#[test]
fn of_the_c_library_the_public_function_is_shown() {
    let stack = ["_IO_doallocbuf in /lib/libc.so.6", "? in /lib/libc.so.6", "puts in /lib/libc.so.6", "main"];
    assert_eq!(left(&stack), stack[2..]);
    assert_eq!(left(&["_IO_x in /lib/libc.so.6", "main"]), ["_IO_x in /lib/libc.so.6", "main"]);
    assert_eq!(left(&["strdup in /lib/libc.so.6", "main"])[0], "strdup in /lib/libc.so.6");
}

#[test]
fn the_loader_is_hidden_below_constructors_only() {
    let loader = "call_init in /lib64/ld-linux-x86-64.so.2";
    assert_eq!(left(&["ctor", loader, "_dl_start_user in /lib64/ld-linux-x86-64.so.2"]), ["ctor"]);
    let libc = ["ctor", "call_init in /lib/libc.so.6", "__libc_start_main_impl in /lib/libc.so.6", "_start"];
    assert_eq!(left(&libc), ["ctor"]);
    assert_eq!(left(&["ctor", loader, "dlopen in /lib/libc.so.6", "main"]).len(), 4);
}

#[test]
fn one_frame_always_stays() {
    assert_eq!(left(&["operator new(unsigned long)", "__rdl_alloc"]), ["__rdl_alloc"]);
    assert_eq!(left(&["_start", "clone3"]), ["_start"]);
    assert_eq!(left(&["a::__rust_begin_short_backtrace"]).len(), 1);
    assert!(left(&[]).is_empty());
}

#[test]
fn of_several_functions_of_a_language_the_one_that_the_program_calls_is_shown() {
    let kinds = |names: &[&str], file: Option<&str>| -> Vec<Kind> {
        let frames = names.iter().map(|name| Frame { file: file.map(Into::into), ..frame(name) });
        frames.chain([frame("leak::thread")]).map(|frame| Kind::of(&frame)).collect()
    };
    let names = [
        "alloc::vec::Vec<T,A>::with_capacity_in",
        "alloc::slice::<impl [T]>::to_vec",
        "<alloc::string::String as core::convert::From<&str>>::from",
    ];
    assert_eq!(shown(&kinds(&names, Some("/rustc/abc/library/alloc/src/string.rs"))), 2..4);
    assert_eq!(shown(&kinds(&names, None)), 0..4, "code of the program may be inlined there");
    let names = ["std::vector<int>::emplace_back<int>(int&&)", "std::vector<int>::push_back(int&&)"];
    assert_eq!(shown(&kinds(&names, Some("/usr/include/c++/12/bits/stl_vector.h"))), 1..3);
}

#[test]
fn what_rust_does_before_main_is_its_own() {
    let own =
        |names: &[&str]| is_rusts_own(&names.iter().map(|name| Kind::of(&frame(name))).collect::<Vec<_>>());
    let before = ["alloc::x", "std::rt::init", "std::rt::lang_start", "main", "__libc_start_main"];
    assert!(own(&before));
    let border = "std::sys::backtrace::__rust_begin_short_backtrace";
    assert!(!own(&["leak::main", border, "std::rt::lang_start", "main", "__libc_start_main"]));
    assert!(!own(&["f", "main", "__libc_start_main"]));
}
