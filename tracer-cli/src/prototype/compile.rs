//! From a prototype to what is recorded of a call: registers, stack bytes, and the nodes that say which memory is copied
//! (see [`calltap_channel::trace::walk`]).

mod expression;
mod nodes;
#[cfg(test)]
mod tests;

use std::collections::HashMap;
use std::rc::Rc;

use calltap_channel::trace::plan::{CAPTURE_WORDS, Place, shape};
use calltap_channel::trace::walk::node;

use self::expression::Around;
use super::abi::{self, Location, Places};
use super::types::{Kind, Lens, Prototype, Struct, Typed};

/// Integer registers that are recorded of a function of which nothing is known: as many as ltrace guesses.
const GUESSED_GPRS: u64 = 4;

/// What is recorded of calls of a function: the words of a plan's row behind its names.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Recorded {
    /// See [`shape`].
    pub shape: u64,
    /// Offset of the captures at entry, 0 for none.
    pub entry: u64,
    /// Offset of those on return.
    pub exit: u64,
}

impl Recorded {
    /// Of a function without a prototype.
    pub const GUESSED: Self = Self { shape: GUESSED_GPRS, entry: 0, exit: 0 };
    /// Of a function of which neither arguments nor result are wanted.
    pub const NOTHING: Self = Self { shape: 0, entry: 0, exit: 0 };

    /// Without memory.
    #[must_use]
    pub fn registers_only(self) -> Self {
        Self { shape: self.shape & !(shape::STACK << shape::STACK_SHIFT), entry: 0, exit: 0 }
    }
}

/// Compiles prototypes into one run of words, in which equal nodes stand once.
#[derive(Debug)]
pub struct Compiler {
    words: Vec<u64>,
    /// Where runs of words stand, by their content.
    known: HashMap<Vec<u64>, u64>,
    /// Nodes of structs that say the same for every prototype; kept alive, so that their addresses stay theirs.
    structs: HashMap<*const Struct, (Rc<Struct>, u64)>,
}

/// One prototype that is being compiled.
struct Job<'a> {
    compiler: &'a mut Compiler,
    prototype: &'a Prototype,
    places: &'a Places,
    /// Nodes of structs that depend on this prototype's arguments.
    structs: HashMap<*const Struct, u64>,
}

impl Compiler {
    /// One that writes behind `reserved` words.
    #[must_use]
    pub fn new(reserved: usize) -> Self {
        Self { words: vec![0; reserved], known: HashMap::new(), structs: HashMap::new() }
    }

    /// All words.
    pub fn words(&mut self) -> &mut Vec<u64> {
        &mut self.words
    }

    /// The offset of these words: where they stand already, or at the end from now on.
    pub fn put(&mut self, words: &[u64]) -> u64 {
        if let Some(at) = self.known.get(words) {
            return *at;
        }
        let at = self.words.len() as u64;
        self.words.extend_from_slice(words);
        self.known.insert(words.to_vec(), at);
        at
    }

    /// What is recorded of calls with a prototype.
    pub fn compile(&mut self, prototype: &Prototype) -> Recorded {
        let places = abi::places(prototype);
        let mut job = Job { compiler: self, prototype, places: &places, structs: HashMap::new() };
        let (mut entry, mut exit) = (Vec::new(), Vec::new());
        for (parameter, location) in prototype.parameters.iter().zip(&places.parameters) {
            let captures = if parameter.on_return { &mut exit } else { &mut entry };
            if parameter.typed.lens == Lens::Format {
                job.format(&parameter.typed, location, captures);
            } else {
                job.value(&parameter.typed, location, captures);
            }
        }
        job.value(&prototype.returns, &places.returned, &mut exit);
        let shape = shape_of(prototype, &places);
        Recorded { shape, entry: self.captures(&entry), exit: self.captures(&exit) }
    }

    fn captures(&mut self, captures: &[(Place, u64)]) -> u64 {
        if captures.is_empty() {
            return 0;
        }
        let mut words = Vec::with_capacity(1 + CAPTURE_WORDS * captures.len());
        words.push(captures.len() as u64);
        words.extend(captures.iter().flat_map(|(place, node)| [place.word(), *node]));
        self.put(&words)
    }
}

/// The registers and stack bytes in which values are.
fn shape_of(prototype: &Prototype, places: &Places) -> u64 {
    let is_variadic = prototype.parameters.iter().any(|parameter| parameter.typed.kind == Kind::Variadic);
    let (gprs, vectors) =
        if is_variadic { (abi::GPRS, abi::VECTORS) } else { (places.next.gprs, places.next.vectors) };
    let returned = match &places.returned {
        Location::Pieces(pieces) => pieces.as_slice(),
        one => std::slice::from_ref(one),
    };
    let bit = |bit: u64, is_set: bool| if is_set { bit } else { 0 };
    u64::from(gprs)
        | u64::from(vectors) << shape::VECTORS_SHIFT
        | u64::from(places.next.stack) << shape::STACK_SHIFT
        | bit(shape::RDX, returned.contains(&Location::Rdx))
        | bit(shape::RETURNS_VECTORS, returned.iter().any(|at| matches!(at, Location::ReturnedVector(_))))
        | bit(shape::RETURNS_X87, returned.iter().any(|at| matches!(at, Location::X87(_))))
}

/// The place of a word; None if it is in no word.
fn place_of(location: &Location) -> Option<Place> {
    match *location {
        Location::Gpr(number) => Some(Place::Gpr(number)),
        Location::Vector(number) => Some(Place::Vector(number)),
        Location::Stack(offset) => Some(Place::Stack(offset)),
        Location::Rax | Location::AtRax => Some(Place::Rax),
        Location::Rdx => Some(Place::Rdx),
        _ => None,
    }
}

impl Job<'_> {
    /// Adds what a value at a location leads to.
    fn value(&mut self, typed: &Typed, location: &Location, captures: &mut Vec<(Place, u64)>) {
        if typed.lens == Lens::Hide {
            return;
        }
        match (&typed.kind, location) {
            // The result is in memory, or the array is its address.
            (_, Location::AtRax) | (Kind::Array { .. }, _) => {
                let Some(place) = place_of(location) else { return };
                if let Some(node) = self.node(typed, &typed.lens, Around::Nothing) {
                    captures.push((place, node));
                }
            }
            (Kind::Pointer(_), _) => self.pointer(typed, place_of(location), Around::Nothing, captures),
            (Kind::Struct(of), _) => self.members(of, location, 0, captures),
            _ => {}
        }
    }

    /// Adds what a pointer at a place leads to.
    fn pointer(
        &mut self,
        typed: &Typed,
        place: Option<Place>,
        around: Around<'_>,
        captures: &mut Vec<(Place, u64)>,
    ) {
        if let (Some(place), Kind::Pointer(to)) = (place, &typed.kind)
            && let Some(node) = self.node(to, &typed.lens, around)
        {
            captures.push((place, node));
        }
    }

    /// Adds what the members of a struct passed by value lead to. It begins `offset` bytes into what is at `location`.
    fn members(&mut self, of: &Struct, location: &Location, offset: usize, captures: &mut Vec<(Place, u64)>) {
        for (at, member) in of.offsets() {
            let at = offset + at;
            match &member.kind {
                _ if member.lens == Lens::Hide => {}
                Kind::Pointer(_) => {
                    let around = Around::Value { of, location, offset };
                    self.pointer(member, word_at(location, at), around, captures);
                }
                Kind::Struct(inner) => self.members(inner, location, at, captures),
                Kind::Array { of: element, .. } => {
                    let (all, _) = member.layout();
                    let (size, _) = element.layout();
                    let count = all.checked_div(size).unwrap_or(0).min(MOST_BY_VALUE);
                    for index in 0..count {
                        let at = at + index * size;
                        let around = Around::Value { of, location, offset };
                        match &element.kind {
                            Kind::Pointer(_) => {
                                self.pointer(element, word_at(location, at), around, captures);
                            }
                            Kind::Struct(inner) => self.members(inner, location, at, captures),
                            _ => {}
                        }
                    }
                }
                _ => {}
            }
        }
    }

    /// Adds a format, which leads to its arguments.
    fn format(&mut self, typed: &Typed, location: &Location, captures: &mut Vec<(Place, u64)>) {
        let next = self.places.next;
        let unit = match &typed.kind {
            Kind::Pointer(to) => match &to.kind {
                Kind::Array { of, .. } => of.layout().0,
                _ => 1,
            },
            Kind::Array { of, .. } => of.layout().0,
            _ => return,
        };
        let Some(place) = place_of(location) else { return };
        let word = node::word(node::FORMAT, unit.clamp(1, 4) as u32, node::Limit::String);
        let cursor = node::cursor(next.gprs, next.vectors, next.stack);
        captures.push((place, self.compiler.put(&[word, cursor])));
    }
}

/// The most elements of an array within a struct passed by value that are looked into.
const MOST_BY_VALUE: usize = 64;

/// The place of the word that is so many bytes into a value at a location.
fn word_at(location: &Location, offset: usize) -> Option<Place> {
    match location {
        Location::Pieces(pieces) => pieces.get(offset / 8).and_then(place_of),
        Location::Stack(at) => u16::try_from(usize::from(*at) + offset / 8 * 8).ok().map(Place::Stack),
        _ => None,
    }
}
