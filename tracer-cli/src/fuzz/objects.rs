//! Changes to an object file that reach where random ones do not: single fields of its tables.

use goblin::elf::Elf;
use goblin::elf::header::header64::SIZEOF_EHDR;
use goblin::elf::section_header::{SHT_DYNAMIC, SHT_DYNSYM, SHT_NOTE, SHT_RELA, SHT_SYMTAB};

use super::bytes::Bytes;

/// Built by `scripts/fuzz-corpus` from `tests/fuzz/objects/functions.c`: with all information, stripped, and a program.
pub const OBJECTS: [&[u8]; 3] = [
    include_bytes!("../../../tests/fuzz/objects/functions.so"),
    include_bytes!("../../../tests/fuzz/objects/stripped.so"),
    include_bytes!("../../../tests/fuzz/objects/program"),
];

/// Values at which arithmetic goes wrong.
const VALUES: [u64; 12] = [
    0,
    1,
    0x7f,
    0xff,
    0x7fff_ffff,
    0x8000_0000,
    0xffff_ffff,
    1 << 32,
    1 << 47,
    i64::MAX as u64,
    1 << 63,
    u64::MAX,
];

/// Bytes of an edit in the input.
const EDIT: usize = 12;

/// The object with the edits that the rest of the input says; the last may cut it short.
pub fn edited(object: &[u8], mut input: Bytes<'_>) -> Vec<u8> {
    let mut bytes = object.to_vec();
    let tables = tables(object);
    while !input.is_empty() {
        let mut edit = Bytes(input.take(EDIT));
        let [table, index, within, how] = std::array::from_fn(|_| edit.number(1) as usize);
        let value = edit.number(8);
        if how & 0xf == 0xf {
            bytes.truncate(value as usize % (object.len() + 1));
            continue;
        }
        let (start, entry, count) = tables[table % tables.len()];
        let at = start + index % count.max(1) * entry + within % entry.max(1);
        change(&mut bytes, at, how, value);
    }
    bytes
}

/// Changes 1, 2, 4 or 8 bytes: to a value, to one that is often wrong, by a small number, or bit by bit.
fn change(bytes: &mut [u8], at: usize, how: usize, value: u64) {
    let Some(field) = bytes.get_mut(at..).and_then(|rest| rest.get_mut(..1 << (how >> 4 & 3))) else {
        return;
    };
    let old = field.iter().rev().fold(0, |number, byte| number << 8 | u64::from(*byte));
    let new = match how & 3 {
        0 => value,
        1 => VALUES[value as usize % VALUES.len()],
        2 => old.wrapping_add_signed(i64::from(value as i8)),
        _ => old ^ value,
    };
    field.iter_mut().zip(new.to_le_bytes()).for_each(|(byte, new)| *byte = new);
}

/// Where each table begins, the size of an entry, and how many there are.
fn tables(object: &[u8]) -> Vec<(usize, usize, usize)> {
    let elf = Elf::parse(object).expect("it was linked");
    let header = &elf.header;
    let table =
        |offset: u64, entry: u16, count: u16| (offset as usize, usize::from(entry), usize::from(count));
    let mut tables = vec![
        (0, SIZEOF_EHDR, 1),
        table(header.e_phoff, header.e_phentsize, header.e_phnum),
        table(header.e_shoff, header.e_shentsize, header.e_shnum),
        (0, object.len(), 1),
    ];
    for section in &elf.section_headers {
        let entry = match section.sh_type {
            SHT_DYNSYM | SHT_SYMTAB | SHT_DYNAMIC | SHT_RELA => section.sh_entsize as usize,
            SHT_NOTE => 4,
            // Strings, code, unwind tables, debug information.
            _ => 1,
        };
        let length = section.sh_size as usize;
        tables.push((
            section.sh_offset as usize,
            if entry == 1 { length } else { entry },
            length / entry.max(1),
        ));
    }
    tables
}
