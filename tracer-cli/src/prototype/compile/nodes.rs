//! Nodes of types.

use std::rc::Rc;

use calltap_channel::trace::walk::Limit;
use calltap_channel::trace::walk::node::{self, APART, ARRAY, BYTES, POINTER, STRUCT};

use super::expression::{Around, depends_on_call};
use super::{Job, Struct};
use crate::prototype::types::{Expression, Kind, Lens, Typed};

impl Job<'_> {
    /// The node of a value of a type in memory; None if nothing needs to be copied. `lens` is that of the value, or of the
    /// pointer that leads to it.
    pub(super) fn node(&mut self, typed: &Typed, lens: &Lens, around: Around<'_>) -> Option<u64> {
        if typed.lens == Lens::Hide {
            return None;
        }
        let (size, _) = typed.layout();
        match &typed.kind {
            Kind::Void | Kind::Variadic => None,
            Kind::Pointer(to) => match self.node(to, &typed.lens, around) {
                Some(inner) => Some(self.put(&[word(POINTER, 8), inner])),
                None => Some(self.put(&[word(BYTES, 8)])),
            },
            Kind::Array { of, length } => Some(self.array(of, length, [&typed.lens, lens], around)),
            Kind::Struct(of) => Some(self.structure(of)),
            _ => Some(self.put(&[word(BYTES, size)])),
        }
    }

    fn put(&mut self, words: &[u64]) -> u64 {
        self.compiler.put(words)
    }

    fn array(&mut self, of: &Typed, length: &Expression, lenses: [&Lens; 2], around: Around<'_>) -> u64 {
        let (size, _) = of.layout();
        let limit = match () {
            () if lenses.iter().any(|lens| matches!(lens, Lens::String | Lens::Format)) => Limit::String,
            // Its bits are those of the whole.
            () if lenses.contains(&&Lens::Bits) => Limit::None,
            () => Limit::Array,
        };
        let element = if leads_further(of) { self.node(of, &of.lens, around).unwrap_or(0) } else { 0 };
        let count = self.expression(length, around);
        self.put(&[node::word(ARRAY, saturated(size), limit), element, count])
    }

    fn structure(&mut self, of: &Rc<Struct>) -> u64 {
        let key = Rc::as_ptr(of);
        if let Some(at) = self.structs.get(&key) {
            return *at;
        }
        if let Some((_, at)) = self.compiler.structs.get(&key) {
            return *at;
        }
        let members: Vec<_> = of.offsets().filter(|(_, member)| leads_further(member)).collect();
        // Its place first: it may hold itself, by pointers.
        let at = self.compiler.words.len();
        let words = &mut self.compiler.words;
        words.extend([word(STRUCT, of.layout().0), members.len() as u64]);
        words.resize(at + 2 + 2 * members.len(), 0);
        if depends_on_call(of) {
            self.structs.insert(key, at as u64);
        } else {
            self.compiler.structs.insert(key, (Rc::clone(of), at as u64));
        }
        for (index, (offset, member)) in members.into_iter().enumerate() {
            let node = self.node(member, &member.lens, Around::Memory(of)).unwrap_or(0);
            let apart = if has_no_fixed_size(member) { APART } else { 0 };
            let place = at + 2 + 2 * index;
            self.compiler.words[place] = u64::from(saturated(offset)) | apart;
            self.compiler.words[place + 1] = node;
        }
        at as u64
    }
}

fn word(kind: u64, size: usize) -> u64 {
    node::word(kind, saturated(size), Limit::Array)
}

fn saturated(size: usize) -> u32 {
    u32::try_from(size).unwrap_or(u32::MAX)
}

/// An array whose length depends on the call: a struct's size does not count it.
fn has_no_fixed_size(typed: &Typed) -> bool {
    matches!(&typed.kind, Kind::Array { of, .. } if of.layout().0 > 0 && typed.layout().0 == 0)
}

/// Whether there is more to copy than the value's own bytes.
fn leads_further(typed: &Typed) -> bool {
    typed.lens != Lens::Hide
        && match &typed.kind {
            Kind::Pointer(to) => !matches!(to.kind, Kind::Void) && to.lens != Lens::Hide,
            Kind::Array { of, .. } => leads_further(of) || has_no_fixed_size(typed),
            Kind::Struct(of) => of.offsets().any(|(_, member)| leads_further(member)),
            _ => false,
        }
}
