use std::rc::Rc;

use super::Location::*;
use super::*;
use crate::prototype::types::{Expression, Lens, Origin, Parameter, Struct};

pub(in crate::prototype) fn typed(kind: Kind) -> Typed {
    Typed::plain(kind)
}

pub(in crate::prototype) fn int(bytes: u8) -> Typed {
    typed(Kind::Int { bytes, signed: true })
}

pub(in crate::prototype) fn float(bytes: u8) -> Typed {
    typed(Kind::Float(bytes))
}

fn pointer() -> Typed {
    typed(Kind::Pointer(Rc::new(typed(Kind::Void))))
}

pub(in crate::prototype) fn structure(members: Vec<Typed>) -> Typed {
    let of = Struct::default();
    of.members.set(members).unwrap();
    typed(Kind::Struct(Rc::new(of)))
}

pub(in crate::prototype) fn array(of: Typed, length: i64) -> Typed {
    typed(Kind::Array { of: Rc::new(of), length: Expression::Constant(length) })
}

fn function(returns: Typed, parameters: Vec<Typed>) -> Places {
    let parameters = parameters.into_iter().map(Parameter::of);
    places(&Prototype {
        name: "f".to_owned(),
        returns,
        parameters: parameters.collect(),
        origin: Origin::Shipped,
    })
}

fn taken(parameters: Vec<Typed>) -> Vec<Location> {
    function(typed(Kind::Void), parameters).parameters
}

fn given(returns: Typed) -> Location {
    function(returns, Vec::new()).returned
}

#[test]
fn the_example_of_the_psabi_is_placed_as_it_says() {
    // Its figure 3.5: func(e, f, s, g, h, ld, m, y, n, i, j, k), s being { int a, b; double d; }.
    let s = structure(vec![int(4), int(4), float(8)]);
    let y = typed(Kind::Vector(32));
    let parameters =
        vec![int(4), int(4), s, int(4), int(4), float(16), float(8), y, float(8), int(4), int(4), int(4)];
    let places = function(typed(Kind::Void), parameters);
    let expected = [
        Gpr(0),
        Gpr(1),
        Pieces(vec![Gpr(2), Vector(0)]),
        Gpr(3),
        Gpr(4),
        Stack(0),
        Vector(1),
        Pieces(vec![Vector(2), Nowhere, Nowhere, Nowhere]),
        Vector(3),
        Gpr(5),
        Stack(16),
        Stack(24),
    ];
    assert_eq!(places.parameters, expected);
    assert_eq!(places.next, Cursor { gprs: 6, vectors: 4, stack: 32 });
}

#[test]
fn two_floats_share_a_register_wherever_they_stand() {
    let two = Pieces(vec![Vector(0)]);
    assert_eq!(taken(vec![structure(vec![float(4), float(4)])]), slice(&two));
    assert_eq!(taken(vec![structure(vec![array(float(4), 2)])]), slice(&two));
    assert_eq!(taken(vec![structure(vec![float(4), structure(vec![float(4)])])]), slice(&two));
    assert_eq!(taken(vec![typed(Kind::Complex(4))]), slice(&two));
    let three = structure(vec![float(4), float(4), float(4)]);
    assert_eq!(taken(vec![three]), [Pieces(vec![Vector(0), Vector(1)])]);
    let with_int = structure(vec![float(4), int(4), float(8)]);
    assert_eq!(taken(vec![with_int]), [Pieces(vec![Gpr(0), Vector(0)])]);
}

fn slice(location: &Location) -> [Location; 1] {
    [location.clone()]
}

#[test]
fn a_struct_is_in_registers_whole_or_not_at_all() {
    let pair = || structure(vec![pointer(), int(8)]);
    let mut parameters = vec![int(8); 5];
    parameters.extend([pair(), int(8), pair()]);
    let places = taken(parameters);
    assert_eq!(places[5..], [Stack(0), Gpr(5), Stack(16)]);
    let large = structure(vec![int(8), int(8), int(1)]);
    assert_eq!(taken(vec![large, int(4)]), [Stack(0), Gpr(0)]);
    assert_eq!(taken(vec![structure(vec![]), int(4)]), [Nowhere, Gpr(0)]);
    // A complex number, too; the register that it leaves goes to what comes next.
    let mut parameters = vec![float(8); 7];
    parameters.extend([typed(Kind::Complex(8)), float(8)]);
    assert_eq!(taken(parameters)[7..], [Stack(0), Vector(7)]);
}

#[test]
fn doubles_go_on_on_the_stack_and_leave_integers_their_registers() {
    let mut parameters = vec![float(8); 9];
    parameters.extend([float(4), int(2), typed(Kind::Complex(8))]);
    let places = taken(parameters);
    assert_eq!(places[7..], [Vector(7), Stack(0), Stack(8), Gpr(0), Stack(16)]);
}

#[test]
fn extended_doubles_are_in_memory_and_come_back_on_the_x87_stack() {
    let places = taken(vec![typed(Kind::Complex(16)), int(4), float(16), float(8)]);
    assert_eq!(places, [Stack(0), Gpr(0), Stack(32), Vector(0)]);
    let aligned = taken([vec![int(8); 7], vec![float(16), int(8)]].concat());
    assert_eq!(aligned[6..], [Stack(0), Stack(16), Stack(32)]);
    assert_eq!(given(float(16)), X87(0));
    assert_eq!(given(structure(vec![float(16)])), Pieces(vec![X87(0)]));
    assert_eq!(taken(vec![structure(vec![float(16)])]), [Stack(0)]);
    assert_eq!(given(typed(Kind::Complex(16))), Pieces(vec![X87(0), X87(1)]));
}

#[test]
fn results_are_in_two_registers_of_each_kind() {
    assert_eq!(given(int(1)), Rax);
    assert_eq!(given(float(4)), ReturnedVector(0));
    assert_eq!(given(typed(Kind::Complex(8))), Pieces(vec![ReturnedVector(0), ReturnedVector(1)]));
    assert_eq!(given(typed(Kind::Vector(16))), Pieces(vec![ReturnedVector(0), Nowhere]));
    assert_eq!(given(structure(vec![int(8), int(1)])), Pieces(vec![Rax, Rdx]));
    assert_eq!(given(structure(vec![float(8), int(1)])), Pieces(vec![ReturnedVector(0), Rax]));
    let with_complex = structure(vec![typed(Kind::Complex(4)), int(4)]);
    assert_eq!(given(with_complex), Pieces(vec![ReturnedVector(0), Rax]));
    assert_eq!(given(structure(vec![int(4), int(4), float(4)])), Pieces(vec![Rax, ReturnedVector(0)]));
    assert_eq!(given(typed(Kind::Void)), Nowhere);
}

#[test]
fn a_large_result_takes_the_first_integer_register() {
    let large = structure(vec![float(8), float(8), float(8)]);
    let places = function(large, vec![int(4), float(8)]);
    assert_eq!((places.returned, places.parameters), (AtRax, vec![Gpr(1), Vector(0)]));
}

#[test]
fn vectors_on_the_stack_are_aligned() {
    let wide = typed(Kind::Vector(32));
    let mut parameters = vec![float(8); 9];
    parameters.extend([wide.clone(), float(8)]);
    assert_eq!(taken(parameters)[8..], [Stack(0), Stack(32), Stack(64)]);
    let whole = Pieces(vec![Vector(0), Nowhere, Nowhere, Nowhere]);
    assert_eq!(taken(vec![structure(vec![wide.clone()])]), slice(&whole));
    assert_eq!(taken(vec![structure(vec![wide, float(8)])]), [Stack(0)]);
}

#[test]
fn arrays_are_passed_as_addresses_and_kept_within_structs() {
    assert_eq!(taken(vec![array(pointer(), 3), int(4)]), [Gpr(0), Gpr(1)]);
    let text = array(typed(Kind::Char), 12);
    assert_eq!(taken(vec![structure(vec![int(4), text])]), [Pieces(vec![Gpr(0), Gpr(1)])]);
    let endless = array(structure(vec![]), i64::MAX);
    assert_eq!(taken(vec![structure(vec![endless])]), [Nowhere]);
}

#[test]
fn what_comes_behind_dots_goes_on_where_the_named_ones_end() {
    let format = Typed { kind: pointer().kind, lens: Lens::Format };
    let mut next = function(int(4), vec![int(4), format, typed(Kind::Variadic)]).next;
    let integers: Vec<_> = (0..5).map(|_| next.place(&int(8))).collect();
    assert_eq!(integers, [Gpr(2), Gpr(3), Gpr(4), Gpr(5), Stack(0)]);
    assert_eq!(
        [next.place(&float(8)), next.place(&float(16)), next.place(&int(8))],
        [Vector(0), Stack(16), Stack(32)]
    );
}

#[test]
fn stacks_beyond_all_measure_are_nowhere() {
    let huge = structure(vec![array(int(8), 8000)]);
    assert_eq!(taken(vec![huge.clone(), huge, int(8)]), [Stack(0), Nowhere, Gpr(0)]);
}
