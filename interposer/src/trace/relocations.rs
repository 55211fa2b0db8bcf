//! The slots of an object that hold, or may hold, functions' addresses, by its relocations.

use goblin::elf64::reloc::{
    R_X86_64_64, R_X86_64_GLOB_DAT, R_X86_64_IRELATIVE, R_X86_64_JUMP_SLOT, Rela, r_sym, r_type,
};

use super::objects::Object;

/// What the program does with a slot.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Use {
    /// Calls through it, nothing else: a slot of the procedure linkage table, with its number there.
    Call(u32),
    /// Calls through it or takes the address from it.
    CallOrTake,
    /// Data that holds the address (a table of functions).
    Take,
    /// Calls an indirect function of the object itself, which has no name here: a slot for calls only.
    Nameless,
}

/// A slot.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Slot {
    /// Where it is.
    pub(crate) address: u64,
    /// What for.
    pub(crate) used: Use,
    /// Whose address: number among the object's symbols.
    pub(crate) symbol: u32,
    /// Of a nameless one: what finds the function, as an address of the object's file.
    pub(crate) resolver: u64,
}

impl Slot {
    /// What it holds.
    pub(crate) fn value(&self) -> u64 {
        // SAFETY: an aligned word of a mapped object that the loader has relocated (`all` has looked).
        unsafe { (self.address as *const u64).read_volatile() }
    }
}

/// All slots of an object.
pub(crate) fn all(object: &Object) -> impl Iterator<Item = Slot> + use<> {
    let (base, image) = (object.base, object.image);
    let jumps = object.tables.map_or(&[][..], |tables| tables.jumps);
    let others = object.tables.into_iter().flat_map(|tables| tables.relocations());
    let jumps = jumps.iter().enumerate().map(|(number, rela)| (Some(number as u32), rela));
    jumps
        .chain(others.map(|rela| (None, rela)))
        .filter_map(move |(number, rela)| {
            let address = base.wrapping_add(rela.r_offset);
            let used = used(number, rela)?;
            let symbol = if used == Use::Nameless { 0 } else { r_sym(rela.r_info) };
            Some(Slot { address, used, symbol, resolver: rela.r_addend as u64 })
        })
        .filter(move |slot| slot.address.is_multiple_of(8) && image.is_data(slot.address))
}

fn used(number: Option<u32>, rela: &Rela) -> Option<Use> {
    match r_type(rela.r_info) {
        R_X86_64_JUMP_SLOT => Some(number.map_or(Use::CallOrTake, Use::Call)),
        R_X86_64_GLOB_DAT => Some(Use::CallOrTake),
        R_X86_64_64 if rela.r_addend == 0 && r_sym(rela.r_info) != 0 => Some(Use::Take),
        R_X86_64_IRELATIVE if number.is_some() => Some(Use::Nameless),
        _ => None,
    }
}
