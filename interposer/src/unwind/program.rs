//! Where the program itself has its unwind tables, by its program headers.

use core::mem::size_of;

use libc::{AT_PHDR, AT_PHENT, AT_PHNUM, Elf64_Phdr, PT_GNU_EH_FRAME, PT_LOAD, PT_PHDR, getauxval};

/// First address of the segment that the tables are in, and the first one behind it.
pub(super) fn tables() -> Option<(u64, u64)> {
    // SAFETY: getauxval only reads what the kernel has left on the initial stack.
    let [address, size, count] = [AT_PHDR, AT_PHENT, AT_PHNUM].map(|entry| unsafe { getauxval(entry) });
    if address == 0 || size as usize != size_of::<Elf64_Phdr>() {
        return None;
    }
    // SAFETY: the kernel's description of the program's own headers, which are mapped for good.
    let headers = unsafe { core::slice::from_raw_parts(address as *const Elf64_Phdr, count as usize) };
    let of_type = |kind| headers.iter().find(move |header| header.p_type == kind);
    let bias = of_type(PT_PHDR).map_or(0, |own| address.wrapping_sub(own.p_vaddr));
    let tables = of_type(PT_GNU_EH_FRAME)?.p_vaddr;
    let holds = |segment: &&Elf64_Phdr| {
        let offset = tables.wrapping_sub(segment.p_vaddr);
        segment.p_type == PT_LOAD && offset < segment.p_filesz
    };
    let segment = headers.iter().find(holds)?;
    let start = bias.wrapping_add(segment.p_vaddr);
    Some((start, start.wrapping_add(segment.p_filesz)))
}
