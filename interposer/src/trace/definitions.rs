//! What an object defines under a name, by its hash table of either kind.

use goblin::elf64::sym::{STT_GNU_IFUNC, Sym, st_type};

use super::image::{Image, Tables};

/// The first symbol of this name in an object's table, of whatever version; see [`find_that`].
pub(crate) fn find(tables: &Tables, name: &[u8]) -> Option<&'static Sym> {
    find_that(tables, name, |_| true)
}

/// The first symbol of this name in an object's table that `fits`, of whatever version.
///
/// Of an executable it may be one without a section but with a value: an entry of its PLT that is used as the function's
/// address.
pub(crate) fn find_that(tables: &Tables, name: &[u8], fits: impl Fn(&Sym) -> bool) -> Option<&'static Sym> {
    let is_it = |symbol: &Sym| tables.name(symbol) == name && fits(symbol);
    let found = if tables.gnu_hash != 0 { by_gnu_hash(tables, name, is_it) } else { None };
    // The GNU table has no undefined symbols but those with a value, and not all linkers put these in.
    found.or_else(|| if tables.hash != 0 { by_hash(tables, name, is_it) } else { None })
}

/// The address that a loaded library defines under a name.
pub(crate) fn definition_in(object: &libc::dl_phdr_info, name: &[u8]) -> Option<u64> {
    let base = object.dlpi_addr;
    // SAFETY: the loader's description of an object: so many headers are there.
    let headers = unsafe { core::slice::from_raw_parts(object.dlpi_phdr, usize::from(object.dlpi_phnum)) };
    let dynamic = headers.iter().find(|header| header.p_type == libc::PT_DYNAMIC)?;
    let image = Image::read(base, base.wrapping_add(dynamic.p_vaddr), false);
    let symbol =
        find_that(&Tables::read(&image)?, name, |symbol| symbol.st_shndx != 0 && !is_indirect(symbol))?;
    Some(base.wrapping_add(symbol.st_value))
}

/// Whether a symbol is of an indirect function.
pub(crate) fn is_indirect(symbol: &Sym) -> bool {
    st_type(symbol.st_info) == STT_GNU_IFUNC
}

/// The exported indirect function whose implementation is found by what is at `resolver`, an address of the file.
pub(crate) fn indirect_at(tables: &Tables, resolver: u64) -> Option<&'static Sym> {
    (1..count(tables))
        .map(|index| tables.symbol(index))
        .find(|symbol| is_indirect(symbol) && symbol.st_value == resolver && symbol.st_shndx != 0)
}

/// How many symbols the table has.
fn count(tables: &Tables) -> u32 {
    if tables.hash != 0 {
        return word(tables.hash, 1);
    }
    if tables.gnu_hash == 0 {
        return 0;
    }
    let at = tables.gnu_hash;
    let (buckets, first, filter) = (u64::from(word(at, 0)), word(at, 1), u64::from(word(at, 2)));
    let bucket_words = 4 + 2 * filter;
    let last = (0..buckets).map(|bucket| word(at, bucket_words + bucket)).max().unwrap_or(0);
    if last < first {
        return first;
    }
    // The last chain's end.
    let chains = bucket_words + buckets;
    let mut index = last;
    while word(at, chains + u64::from(index - first)) & 1 == 0 {
        index += 1;
    }
    index + 1
}

fn word(at: u64, index: u64) -> u32 {
    // SAFETY: the caller stays within a hash table that the loader uses, too.
    unsafe { *(at as *const u32).add(index as usize) }
}

/// `DT_GNU_HASH`: four words, the filter's 8-byte words, buckets, chains from the first hashed symbol on.
fn by_gnu_hash(tables: &Tables, name: &[u8], is_it: impl Fn(&Sym) -> bool) -> Option<&'static Sym> {
    let at = tables.gnu_hash;
    let (buckets, first, filter) = (u64::from(word(at, 0)), u64::from(word(at, 1)), u64::from(word(at, 2)));
    if buckets == 0 {
        return None;
    }
    let hash = hash_of(name);
    let bucket_words = 4 + 2 * filter;
    let mut index = u64::from(word(at, bucket_words + u64::from(hash) % buckets));
    if index < first || index == 0 {
        return None;
    }
    loop {
        let chain = word(at, bucket_words + buckets + index - first);
        if chain | 1 == hash | 1 {
            let symbol = tables.symbol(index as u32);
            if is_it(symbol) {
                return Some(symbol);
            }
        }
        if chain & 1 != 0 {
            return None;
        }
        index += 1;
    }
}

/// The hash of `DT_GNU_HASH`; names need not be UTF-8, which goblin's own function asks for.
fn hash_of(name: &[u8]) -> u32 {
    name.iter().fold(5381, |hash: u32, byte| hash.wrapping_mul(33).wrapping_add(u32::from(*byte)))
}

/// `DT_HASH`: numbers of buckets and chains, buckets, chains (System V ABI).
fn by_hash(tables: &Tables, name: &[u8], is_it: impl Fn(&Sym) -> bool) -> Option<&'static Sym> {
    let at = tables.hash;
    let (buckets, chains) = (u64::from(word(at, 0)), u64::from(word(at, 1)));
    if buckets == 0 {
        return None;
    }
    let hash = name.iter().fold(0_u32, |hash, byte| {
        let hash = (hash << 4).wrapping_add(u32::from(*byte));
        let high = hash & 0xf000_0000;
        (hash ^ high >> 24) & !high
    });
    let mut index = word(at, 2 + u64::from(hash) % buckets);
    for _ in 0..chains {
        if index == 0 || u64::from(index) >= chains {
            return None;
        }
        let symbol = tables.symbol(index);
        if is_it(symbol) {
            return Some(symbol);
        }
        index = word(at, 2 + buckets + u64::from(index));
    }
    None
}
