//! The classes of a value's eightbytes, which say in what kind of register each is passed.

use crate::prototype::types::{Kind, Typed};

/// Class of eight bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Class {
    /// Padding.
    None,
    /// Integer register.
    Integer,
    /// Low half of a vector register.
    Sse,
    /// Further up in the vector register of the eightbyte before it.
    SseUp,
    /// x87 register.
    X87,
    /// Further up in it.
    X87Up,
    /// Two x87 registers.
    ComplexX87,
}

/// Larger values are in memory whatever they are made of: eight eightbytes, the largest vector.
const MOST_BYTES: usize = 64;

/// The classes of a value's eightbytes; None if it is in memory. A [`Class::ComplexX87`] stands alone.
pub(super) fn classes(typed: &Typed) -> Option<Vec<Class>> {
    let (size, _) = typed.layout();
    match typed.kind {
        // Decays to its address.
        Kind::Array { .. } => return Some(vec![Class::Integer]),
        Kind::Complex(16) => return Some(vec![Class::ComplexX87]),
        _ if size > MOST_BYTES => return None,
        _ => {}
    }
    let mut classes = vec![Class::None; size.div_ceil(8)];
    put(typed, 0, &mut classes)?;
    after_merger(classes)
}

/// Merges the classes of a value at `offset` in. None: all of it is in memory.
fn put(typed: &Typed, offset: usize, classes: &mut [Class]) -> Option<()> {
    let own = |class| [class, Class::None];
    let [first, second] = match &typed.kind {
        Kind::Void | Kind::Variadic => return Some(()),
        Kind::Int { .. } | Kind::Char | Kind::Pointer(_) => own(Class::Integer),
        Kind::Float(16) => [Class::X87, Class::X87Up],
        Kind::Float(_) | Kind::Complex(4) => own(Class::Sse),
        Kind::Complex(8) => [Class::Sse, Class::Sse],
        // Inside a struct, which then is larger than two eightbytes.
        Kind::Complex(_) => return None,
        Kind::Vector(bytes) => {
            let eightbytes = usize::from(*bytes).div_ceil(8);
            for index in 0..eightbytes {
                let class = if index == 0 { Class::Sse } else { Class::SseUp };
                merge(classes, offset / 8 + index, class)?;
            }
            return Some(());
        }
        Kind::Array { of, .. } => {
            let (all, _) = typed.layout();
            let (size, _) = of.layout();
            for index in 0..all.checked_div(size).unwrap_or(0) {
                put(of, offset + index * size, classes)?;
            }
            return Some(());
        }
        Kind::Struct(of) => {
            for (at, member) in of.offsets() {
                put(member, offset + at, classes)?;
            }
            return Some(());
        }
    };
    merge(classes, offset / 8, first)?;
    if second == Class::None { Some(()) } else { merge(classes, offset / 8 + 1, second) }
}

/// The class of an eightbyte that holds values of two classes.
fn merge(classes: &mut [Class], at: usize, new: Class) -> Option<()> {
    let class = classes.get_mut(at)?;
    *class = match (*class, new) {
        (Class::None, other) | (other, Class::None) => other,
        (one, other) if one == other => one,
        (Class::Integer, _) | (_, Class::Integer) => Class::Integer,
        (Class::Sse | Class::SseUp, Class::Sse | Class::SseUp) => Class::Sse,
        _ => return None,
    };
    Some(())
}

fn after_merger(mut classes: Vec<Class>) -> Option<Vec<Class>> {
    for index in 0..classes.len() {
        let before = index.checked_sub(1).map(|before| classes[before]);
        match classes[index] {
            Class::X87Up if before != Some(Class::X87) => return None,
            Class::SseUp if !matches!(before, Some(Class::Sse | Class::SseUp)) => classes[index] = Class::Sse,
            _ => {}
        }
    }
    let is_one_vector =
        || classes[0] == Class::Sse && classes[1..].iter().all(|class| *class == Class::SseUp);
    (classes.len() <= 2 || is_one_vector()).then_some(classes)
}
