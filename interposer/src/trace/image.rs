//! An object in memory: its segments, by its program headers, and its tables, by its dynamic section.

use core::mem::size_of;

use goblin::elf64::dynamic::{self, Dyn};
use goblin::elf64::header::{ELFMAG, Header};
use goblin::elf64::program_header::{PF_R, PF_W, PF_X, PT_DYNAMIC, PT_GNU_RELRO, PT_LOAD, ProgramHeader};
use goblin::elf64::reloc::Rela;
use goblin::elf64::sym::Sym;

use crate::kernel;

const PAGE: u64 = 4096;

/// A run of addresses: first, and the one behind the last.
pub(crate) type Range = (u64, u64);

fn holds(range: &Range, address: u64) -> bool {
    (range.0..range.1).contains(&address)
}

/// An object's segments.
#[derive(Clone, Copy)]
pub(crate) struct Image {
    /// All of it.
    pub(crate) start: u64,
    /// The address behind it; 0 if its program headers could not be read.
    pub(crate) end: u64,
    /// Address of its dynamic section.
    pub(crate) dynamic: u64,
    base: u64,
    /// Executable segments.
    code: [Range; 4],
    /// Writable segments.
    data: [Range; 4],
    /// What the loader has protected after relocating it.
    read_only: Range,
}

impl Image {
    /// Nothing.
    pub(crate) const EMPTY: Self = Self {
        start: 0,
        end: 0,
        dynamic: 0,
        base: 0,
        code: [(0, 0); 4],
        data: [(0, 0); 4],
        read_only: (0, 0),
    };

    /// That of the object which the loader has moved by `base`.
    pub(super) fn read(base: u64, dynamic: u64, is_program: bool) -> Self {
        let mut image = Self { dynamic, base, ..Self::EMPTY };
        let headers = if is_program { of_program() } else { at_base(base, dynamic) };
        let mut codes = image.code.iter_mut();
        let mut datas = image.data.iter_mut();
        let mut start = u64::MAX;
        for header in headers.unwrap_or(&[]) {
            let range =
                (base.wrapping_add(header.p_vaddr), base.wrapping_add(header.p_vaddr + header.p_memsz));
            match header.p_type {
                PT_LOAD => {
                    start = start.min(range.0 & !(PAGE - 1));
                    image.end = image.end.max(range.1.next_multiple_of(PAGE));
                    if header.p_flags & PF_X != 0
                        && let Some(code) = codes.next()
                    {
                        *code = range;
                    }
                    if header.p_flags & PF_W != 0
                        && header.p_flags & PF_R != 0
                        && let Some(data) = datas.next()
                    {
                        *data = range;
                    }
                }
                // As the loader does it: whole pages only.
                PT_GNU_RELRO => image.read_only = (range.0 & !(PAGE - 1), range.1 & !(PAGE - 1)),
                _ => {}
            }
        }
        image.start = start.min(image.end);
        image
    }

    /// Whether an address is in executable memory.
    pub(crate) fn is_code(&self, address: u64) -> bool {
        self.code.iter().any(|code| holds(code, address))
    }

    /// Whether the 8 bytes at an address are in a writable segment.
    pub(crate) fn is_data(&self, address: u64) -> bool {
        self.data.iter().any(|data| holds(data, address) && holds(data, address + 7))
    }

    /// Whether the loader has taken the right to write there away.
    pub(crate) fn is_read_only(&self, address: u64) -> bool {
        holds(&self.read_only, address)
    }
}

/// The program's own headers, as the kernel tells them.
fn of_program() -> Option<&'static [ProgramHeader]> {
    // SAFETY: reads what the kernel has passed.
    let (at, count) = unsafe { (libc::getauxval(libc::AT_PHDR), libc::getauxval(libc::AT_PHNUM)) };
    // SAFETY: the kernel has mapped the program with its headers, and so they stay.
    (at != 0).then(|| unsafe { core::slice::from_raw_parts(at as *const ProgramHeader, count as usize) })
}

/// Those behind the ELF header at `base`, if it is one of the object with this dynamic section.
fn at_base(base: u64, dynamic: u64) -> Option<&'static [ProgramHeader]> {
    if base == 0 || !base.is_multiple_of(PAGE) || !kernel::is_readable(base) {
        return None;
    }
    // SAFETY: its page can be read, and the header is smaller.
    let header = unsafe { &*(base as *const Header) };
    let bytes = u64::from(header.e_phnum) * size_of::<ProgramHeader>() as u64;
    let sound = header.e_ident[..4] == *ELFMAG
        && usize::from(header.e_phentsize) == size_of::<ProgramHeader>()
        && header.e_phoff.is_multiple_of(8)
        && header.e_phoff.saturating_add(bytes) <= PAGE;
    if !sound {
        return None;
    }
    // SAFETY: within the same page.
    let headers = unsafe {
        core::slice::from_raw_parts(
            (base + header.e_phoff) as *const ProgramHeader,
            usize::from(header.e_phnum),
        )
    };
    headers
        .iter()
        .any(|header| header.p_type == PT_DYNAMIC && base.wrapping_add(header.p_vaddr) == dynamic)
        .then_some(headers)
}

/// An object's tables for linking, where they are in memory.
#[derive(Clone, Copy)]
pub(crate) struct Tables {
    symbols: u64,
    strings: u64,
    strings_bytes: u64,
    soname: Option<u64>,
    relocations: &'static [Rela],
    /// Relocations of the PLT's slots.
    pub(crate) jumps: &'static [Rela],
    /// The first words of the PLT's table; 0 for none.
    pub(crate) plt_got: u64,
    /// `DT_GNU_HASH`, 0 for none.
    pub(crate) gnu_hash: u64,
    /// `DT_HASH`, 0 for none.
    pub(crate) hash: u64,
}

impl Tables {
    /// Those that the dynamic section names; None if it cannot be understood.
    pub(super) fn read(image: &Image) -> Option<Self> {
        if image.end == 0 || image.dynamic == 0 {
            return None;
        }
        let mut values = [0_u64; 38];
        let mut gnu_hash = 0;
        let mut soname = None;
        let mut entry = image.dynamic as *const Dyn;
        loop {
            // SAFETY: the dynamic section is mapped, and ends with a null entry.
            let Dyn { d_tag, d_val } = unsafe { *entry };
            match d_tag {
                dynamic::DT_NULL => break,
                dynamic::DT_GNU_HASH => gnu_hash = d_val,
                dynamic::DT_SONAME => soname = Some(d_val),
                tag => {
                    if let Some(value) = values.get_mut(tag as usize) {
                        *value = d_val;
                    }
                }
            }
            // SAFETY: the null entry has not come yet.
            entry = unsafe { entry.add(1) };
        }
        let value = |tag: u64| values[tag as usize];
        // The loader relocates these in place, but not in an object whose dynamic section is read-only.
        let address = |value: u64| match value {
            0 => Some(0),
            value if value >= image.start && value < image.end => Some(value),
            value => Some(image.base.wrapping_add(value)).filter(|at| (image.start..image.end).contains(at)),
        };
        let table = |at: u64, bytes: u64| -> Option<&'static [Rela]> {
            let at = address(at)?;
            if at == 0 || bytes == 0 {
                return Some(&[]);
            }
            let fits = at.is_multiple_of(8) && bytes <= image.end - at;
            // SAFETY: within the object's mapping.
            fits.then(|| unsafe {
                core::slice::from_raw_parts(at as *const Rela, bytes as usize / size_of::<Rela>())
            })
        };
        let of_plt = value(dynamic::DT_PLTREL) == dynamic::DT_RELA;
        let jumps_bytes = if of_plt { value(dynamic::DT_PLTRELSZ) } else { 0 };
        let symbols = address(value(dynamic::DT_SYMTAB))?;
        let strings = address(value(dynamic::DT_STRTAB))?;
        if symbols == 0 || strings == 0 {
            return None;
        }
        Some(Self {
            symbols,
            strings,
            strings_bytes: value(dynamic::DT_STRSZ).min(image.end - strings),
            soname,
            relocations: table(value(dynamic::DT_RELA), value(dynamic::DT_RELASZ))?,
            jumps: table(value(dynamic::DT_JMPREL), jumps_bytes)?,
            plt_got: address(value(dynamic::DT_PLTGOT)).unwrap_or(0),
            gnu_hash: address(gnu_hash).unwrap_or(0),
            hash: address(value(dynamic::DT_HASH)).unwrap_or(0),
        })
    }

    /// All relocations but those of [`Self::jumps`], which some linkers count among them.
    pub(crate) fn relocations(&self) -> impl Iterator<Item = &'static Rela> + use<> {
        let jumps = self.jumps.as_ptr_range();
        self.relocations.iter().filter(move |rela| !jumps.contains(&core::ptr::from_ref(*rela)))
    }

    /// A symbol of the table that relocations refer to.
    pub(crate) fn symbol(&self, index: u32) -> &'static Sym {
        // SAFETY: relocations and hash tables refer to symbols that are there, or the loader could not have used them.
        unsafe { &*(self.symbols as *const Sym).add(index as usize) }
    }

    /// A symbol's name.
    pub(crate) fn name(&self, symbol: &Sym) -> &'static [u8] {
        self.text(u64::from(symbol.st_name))
    }

    /// The object's soname, if it has one.
    pub(crate) fn soname(&self) -> Option<&'static [u8]> {
        self.soname.map(|at| self.text(at))
    }

    fn text(&self, at: u64) -> &'static [u8] {
        if at >= self.strings_bytes {
            return &[];
        }
        // SAFETY: within the strings, which end with a zero.
        unsafe { super::objects::text_at((self.strings + at) as *const u8) }
    }
}
