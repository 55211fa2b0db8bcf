use std::ffi::CStr;
use std::io::IoSliceMut;

use calltap_channel::trace::plan::Plan;
use calltap_channel::trace::walk::{Memory, Scratch, Sink, Values, walk};
use nix::sys::uio::{RemoteIoVec, process_vm_readv};

use super::*;
use crate::prototype::abi::tests::{array, float, int, structure, typed};
use crate::prototype::types::{Expression, Origin, Parameter};
use crate::trace::plan::PlanWriter;

/// This process's own, anywhere.
struct Own;

impl Memory for Own {
    fn read(&mut self, address: u64, into: &mut [u8]) -> usize {
        let remote = [RemoteIoVec { base: address as usize, len: into.len() }];
        process_vm_readv(nix::unistd::getpid(), &mut [IoSliceMut::new(into)], &remote).unwrap_or(0)
    }
}

#[derive(Debug, Default, PartialEq)]
struct Seen(Vec<(u64, Vec<u8>)>);

impl Sink for Seen {
    fn region(&mut self, address: u64, bytes: &[u8]) {
        // A string is read page by page, and the compiler may have put it across two of them.
        let before = self
            .0
            .last_mut()
            .filter(|(start, before)| address.is_multiple_of(4096) && start + before.len() as u64 == address);
        match before {
            Some((_, before)) => before.extend(bytes),
            None => self.0.push((address, bytes.to_vec())),
        }
    }
}

fn pointer_to(to: Typed) -> Typed {
    typed(Kind::Pointer(Rc::new(to)))
}

fn dynamic(of: Typed, length: Expression) -> Typed {
    typed(Kind::Array { of: Rc::new(of), length })
}

fn string_of(length: Expression) -> Typed {
    Typed { lens: Lens::String, ..pointer_to(dynamic(typed(Kind::Char), length)) }
}

fn string() -> Typed {
    string_of(Expression::Zero(None))
}

fn prototype(returns: Typed, parameters: Vec<Typed>) -> Prototype {
    let parameter = |typed| Parameter::of(typed);
    let parameters = parameters.into_iter().map(parameter).collect();
    Prototype { name: "f".to_owned(), returns, parameters, origin: Origin::Shipped }
}

/// What is recorded, and what is copied of these values at entry and on return.
fn run(prototype: &Prototype, values: &Values) -> (u64, Seen, Seen) {
    let mut writer = PlanWriter::new(0, 8, 3);
    let number = writer.row("f", "", Some(prototype));
    let words = writer.finish();
    let plan = Plan::new(&words).unwrap();
    let row = plan.numbered(number).unwrap();
    let copied = |captures| {
        let mut seen = Seen::default();
        walk(&plan, captures, values, &mut Own, &mut seen, &mut Scratch::new());
        seen
    };
    (row.shape, copied(row.entry), copied(row.exit))
}

fn gprs(values: &[u64]) -> Values {
    let mut all = Values::default();
    all.gprs[..values.len()].copy_from_slice(values);
    all
}

fn address<T: ?Sized>(of: &T) -> u64 {
    std::ptr::from_ref(of).cast::<u8>() as u64
}

fn text(text: &CStr) -> (u64, Vec<u8>) {
    (text.as_ptr() as u64, text.to_bytes_with_nul().to_vec())
}

fn raw<T>(of: &T) -> (u64, Vec<u8>) {
    // SAFETY: tests pass words and arrays of words: no padding.
    let bytes = unsafe { std::slice::from_raw_parts(std::ptr::from_ref(of).cast::<u8>(), size_of::<T>()) };
    (address(of), bytes.to_vec())
}

#[test]
fn strings_are_copied_and_registers_counted() {
    let prototype = prototype(int(4), vec![string(), float(8), string(), int(8)]);
    let (one, two) = (c"one", c"two");
    let (shape, entry, exit) =
        run(&prototype, &gprs(&[one.as_ptr() as u64, two.as_ptr() as u64, address("no pointer")]));
    assert_eq!(shape, 3 | 1 << shape::VECTORS_SHIFT);
    assert_eq!((entry.0, exit.0), (vec![text(one), text(two)], vec![]));
}

#[test]
fn what_comes_back_is_copied_on_return_as_far_as_the_result_says() {
    let mut read = prototype(int(8), vec![int(4), string_of(Expression::Returned), int(8)]);
    read.parameters[1].on_return = true;
    let buffer = *b"abcdef";
    let mut values = gprs(&[0, address(&buffer), 6]);
    values.rax = 2;
    let (_, entry, exit) = run(&read, &values);
    assert_eq!((entry.0, exit.0), (vec![], vec![(address(&buffer), b"ab".to_vec())]));
    values.rax = -1_i64 as u64;
    assert_eq!(run(&read, &values).2, Seen::default(), "a failed call has written nothing");
}

#[test]
fn an_array_of_strings_is_as_long_as_another_argument_says() {
    let strings = dynamic(string(), Expression::Argument(2));
    let (one, two) = (c"one", c"two");
    let list = [one.as_ptr() as u64, two.as_ptr() as u64, 0];
    // Once as C writes it, once as ltrace's files may, too.
    for first in [pointer_to(strings.clone()), strings] {
        let prototype = prototype(typed(Kind::Void), vec![first, int(4)]);
        let (_, entry, _) = run(&prototype, &gprs(&[address(&list), 0xdead_0000_0002]));
        assert_eq!(entry.0[1..], [text(one), text(two)]);
        assert_eq!(entry.0[0].1.len(), 16);
    }
}

#[test]
fn members_of_structs_are_followed_in_memory_and_in_registers() {
    // struct(int, int, array(long, elt2)*): 2 longs.
    let vector = || structure(vec![int(4), int(4), pointer_to(dynamic(int(8), Expression::Member(2)))]);
    let numbers = [7_u64, 8, 9];
    let words = [2_u64 << 32 | 99, address(&numbers)];
    let (_, in_memory, _) = run(&prototype(int(4), vec![pointer_to(vector())]), &gprs(&[address(&words)]));
    let two = (address(&numbers), raw(&numbers).1[..16].to_vec());
    assert_eq!(in_memory.0, [raw(&words), two.clone()]);

    let (shape, by_value, _) =
        run(&prototype(int(4), vec![int(4), vector()]), &gprs(&[0, words[0], words[1]]));
    assert_eq!((shape, by_value.0), (3, vec![two.clone()]));

    let on_stack = structure(vec![structure(vec![int(8)]), vector()]);
    let stack = [0, 1, words[0], words[1]];
    let (shape, entry, _) =
        run(&prototype(int(4), vec![on_stack]), &Values { sp: address(&stack), ..Values::default() });
    assert_eq!((shape >> shape::STACK_SHIFT, entry.0), (24, vec![two]));
}

#[test]
fn a_struct_that_is_returned_in_memory_is_copied_there() {
    let large = structure(vec![string(), int(8), array(int(8), 2)]);
    let name = c"name";
    let result = [name.as_ptr() as u64, 1, 2, 3];
    let values = Values { rax: address(&result), ..Values::default() };
    let (shape, entry, exit) = run(&prototype(large, vec![]), &values);
    assert_eq!((shape, entry.0.len()), (1, 0));
    assert_eq!(exit.0, [raw(&result), text(name)]);
}

#[test]
fn a_struct_that_leads_to_itself_is_compiled_once() {
    let of = Rc::new(Struct::default());
    let own = typed(Kind::Struct(Rc::clone(&of)));
    of.members.set(vec![int(8), pointer_to(own.clone())]).unwrap();
    let (mut nodes, mut compiler) = ([[0_u64; 2]; 5], Compiler::new(1));
    for index in 0..4 {
        nodes[index] = [index as u64, address(&nodes[index + 1])];
    }
    let list = prototype(pointer_to(own.clone()), vec![pointer_to(own)]);
    let (_, entry, _) = run(&list, &gprs(&[address(&nodes)]));
    assert_eq!(entry.0, [raw(&nodes[0]), raw(&nodes[1]), raw(&nodes[2])], "as many as array elements");

    let first = compiler.compile(&list);
    let words = compiler.words().len();
    assert_eq!((compiler.compile(&list), compiler.words().len()), (first, words));
}

#[test]
fn a_struct_whose_arrays_depend_on_the_call_is_compiled_for_each() {
    let of = structure(vec![string_of(Expression::Argument(2)), string_of(Expression::Argument(3))]);
    let text = *b"abcd";
    let words = [address(&text), address(&text)];
    let mut writer = PlanWriter::new(0, 8, 3);
    let rows = [
        prototype(int(4), vec![pointer_to(of.clone()), int(4), int(4)]),
        prototype(int(4), vec![pointer_to(of), float(8), int(4)]),
    ];
    let [one, two] = [0, 1].map(|index| writer.row(["one", "two"][index], "", Some(&rows[index])));
    let plan = writer.finish();
    let plan = Plan::new(&plan).unwrap();
    let lengths = |number: u32| {
        let mut seen = Seen::default();
        let values = gprs(&[address(&words), 1, 3]);
        walk(&plan, plan.numbered(number).unwrap().entry, &values, &mut Own, &mut seen, &mut Scratch::new());
        seen.0.iter().map(|(_, bytes)| bytes.len()).collect::<Vec<_>>()
    };
    assert_eq!(lengths(one), [16, 1, 3]);
    assert_eq!(lengths(two), [16, 1], "a floating-point number is no length");
}

#[test]
fn hidden_values_take_their_places_and_are_not_followed() {
    let hidden = |of: Typed| Typed { lens: Lens::Hide, ..of };
    let inner = structure(vec![hidden(string()), int(8)]);
    let prototype =
        prototype(hidden(string()), vec![hidden(string()), pointer_to(inner), pointer_to(typed(Kind::Void))]);
    let words = [c"x".as_ptr() as u64, 5];
    let mut values = gprs(&[c"x".as_ptr() as u64, address(&words), address(&words)]);
    values.rax = address(&words);
    let (shape, entry, exit) = run(&prototype, &values);
    assert_eq!((shape, entry.0, exit.0.len()), (3, vec![raw(&words)], 0));
}

#[test]
fn a_format_is_copied_with_what_it_takes_and_all_registers_are_recorded() {
    let format = Typed { lens: Lens::Format, ..string() };
    let prototype = prototype(int(4), vec![int(4), format, typed(Kind::Variadic)]);
    let (format, argument) = (c"%s %f", c"argument");
    let (shape, entry, _) = run(&prototype, &gprs(&[1, format.as_ptr() as u64, argument.as_ptr() as u64]));
    assert_eq!(shape, 6 | 8 << shape::VECTORS_SHIFT);
    assert_eq!(entry.0, [text(format), text(argument)]);
}

#[test]
fn results_say_which_registers_they_are_in() {
    let shape = |returns| Compiler::new(1).compile(&prototype(returns, vec![])).shape;
    assert_eq!(shape(int(8)), 0);
    assert_eq!(shape(structure(vec![int(8), int(8)])), shape::RDX);
    assert_eq!(shape(structure(vec![float(8), int(8)])), shape::RETURNS_VECTORS);
    assert_eq!(shape(float(16)), shape::RETURNS_X87);
}

#[test]
fn a_plan_without_memory_has_registers_only() {
    let many = prototype(int(4), vec![string(), string(), int(8), int(8), int(8), int(8), int(8)]);
    let recorded = Compiler::new(1).compile(&many);
    assert_eq!(recorded.shape, 6 | 8 << shape::STACK_SHIFT);
    assert!(recorded.entry != 0);
    assert_eq!(recorded.registers_only(), Recorded { shape: 6, entry: 0, exit: 0 });
}
