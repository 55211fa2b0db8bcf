//! Which object an address lies in, asked of the loader without a lock (`_dl_find_object`, glibc 2.35),
//! and which objects have been met so far.
//!
//! Each object is announced to the reader when it is first met. One that lies where another one had
//! been begins a new *lap*: frames carry it, so that addresses before and after are told apart.

use core::ffi::{CStr, c_int, c_void};
use core::sync::atomic::{AtomicPtr, AtomicU32, AtomicU64, Ordering};

use calltap_channel::Note;
use calltap_channel::record::MAX_TEXT;

use super::{cache, program};
use crate::{call, state};

/// An object that has unwind tables.
#[derive(Clone, Copy, Debug)]
pub(super) struct Object {
    /// Address of its `.eh_frame_hdr`.
    pub(super) tables: u64,
    /// The part of it that this and `.eh_frame` are in.
    pub(super) readable: (u64, u64),
}

/// `struct dl_find_object` of `<dlfcn.h>`.
#[repr(C)]
struct Found {
    flags: u64,
    start: u64,
    end: u64,
    link_map: u64,
    tables: u64,
    reserved: [u64; 7],
}

/// Null where libc has no such function.
static FIND: AtomicPtr<c_void> = AtomicPtr::new(core::ptr::null_mut());
/// Where the loader itself is.
static LOADER_START: AtomicU64 = AtomicU64::new(0);
static LOADER_BYTES: AtomicU64 = AtomicU64::new(0);
/// The program's own segment with unwind tables.
static TABLES_START: AtomicU64 = AtomicU64::new(0);
static TABLES_END: AtomicU64 = AtomicU64::new(0);

/// Finds the loader's function, and the loader. Called by the constructor.
pub(crate) fn resolve() {
    // SAFETY: dlsym takes any string.
    let symbol = |name: &CStr| unsafe { libc::dlsym(libc::RTLD_DEFAULT, name.as_ptr()) };
    FIND.store(symbol(c"_dl_find_object"), Ordering::Relaxed);
    // A function that the loader itself defines.
    if let Some(loader) = ask(symbol(c"__tls_get_addr") as u64) {
        LOADER_START.store(loader.start, Ordering::Relaxed);
        LOADER_BYTES.store(loader.end - loader.start, Ordering::Relaxed);
    }
    if let Some((start, end)) = program::tables() {
        TABLES_START.store(start, Ordering::Relaxed);
        TABLES_END.store(end, Ordering::Relaxed);
    }
}

/// Whether there is a way to find objects.
pub(crate) fn can_be_found() -> bool {
    !FIND.load(Ordering::Relaxed).is_null()
}

/// Whether an address is in the loader.
#[inline(always)]
pub(crate) fn is_in_loader(address: u64) -> bool {
    address.wrapping_sub(LOADER_START.load(Ordering::Relaxed)) < LOADER_BYTES.load(Ordering::Relaxed)
}

fn ask(address: u64) -> Option<Found> {
    let find = FIND.load(Ordering::Relaxed);
    if find.is_null() {
        return None;
    }
    // SAFETY: `_dl_find_object`'s type, see <dlfcn.h>; it neither locks nor allocates.
    let find: unsafe extern "C" fn(*mut c_void, *mut Found) -> c_int = unsafe { core::mem::transmute(find) };
    let mut found = Found { flags: 0, start: 0, end: 0, link_map: 0, tables: 0, reserved: [0; 7] };
    // SAFETY: any address may be asked for; the result is as large as the header says.
    let failed = unsafe { find(address as *mut c_void, &raw mut found) };
    (failed == 0).then_some(found)
}

/// The object that holds `address`, None if there is none.
pub(super) fn find(address: u64) -> Option<Object> {
    let found = ask(address)?;
    meet(&found);
    let is_in = |(start, end): (u64, u64)| (start..end).contains(&found.tables);
    let whole = (found.start, found.end);
    // Of a program with gaps between its segments, the loader gives one segment.
    let programs = (TABLES_START.load(Ordering::Relaxed), TABLES_END.load(Ordering::Relaxed));
    let readable = [whole, programs].into_iter().find(|part| is_in(*part))?;
    Some(Object { tables: found.tables, readable })
}

/// So many objects are remembered; later ones are announced each time they are looked at.
const MOST: usize = 1024;

struct Met {
    start: AtomicU64,
    end: AtomicU64,
    identity: AtomicU64,
    /// The generation in which it was last seen to be still the same.
    confirmed: AtomicU32,
}

static MET: [Met; MOST] = [const {
    Met {
        start: AtomicU64::new(0),
        end: AtomicU64::new(0),
        identity: AtomicU64::new(0),
        confirmed: AtomicU32::new(0),
    }
}; MOST];
static COUNT: AtomicU32 = AtomicU32::new(0);

/// Counts how often rules and remembered walks had to be forgotten. Begins with 1.
static GENERATION: AtomicU32 = AtomicU32::new(1);
static LAP: AtomicU32 = AtomicU32::new(0);
/// The loader has released something: it may have unloaded an object.
static UNLOADED: AtomicU32 = AtomicU32::new(0);

/// What was remembered in another generation is void.
#[inline(always)]
pub(super) fn generation() -> u32 {
    GENERATION.load(Ordering::Relaxed)
}

/// Where objects have been replaced by others, and how often: frames there carry the number.
#[derive(Clone, Copy, Debug)]
#[repr(C)]
pub(super) struct Reused {
    low: u64,
    high: u64,
    lap: u64,
}

impl Reused {
    /// Nowhere.
    pub(super) const NOWHERE: Self = Self { low: 0, high: 0, lap: 0 };

    /// What holds now. To be asked for after [`generation`], so that it is not older.
    pub(super) fn now() -> Self {
        Self {
            low: REUSED_LOW.load(Ordering::Relaxed),
            high: REUSED_HIGH.load(Ordering::Relaxed),
            lap: u64::from(LAP.load(Ordering::Relaxed)),
        }
    }

    /// The lap of a frame at this address.
    #[inline(always)]
    pub(super) fn lap_of(&self, address: u64) -> u64 {
        if address.wrapping_sub(self.low) < self.high - self.low { self.lap } else { 0 }
    }
}

static REUSED_LOW: AtomicU64 = AtomicU64::new(0);
static REUSED_HIGH: AtomicU64 = AtomicU64::new(0);

/// An object has taken another one's place: rules and walks that know the other one are void.
#[cold]
fn begin_lap(found: &Found) {
    let low = REUSED_LOW.load(Ordering::Relaxed);
    REUSED_LOW.store(if low == 0 { found.start } else { low.min(found.start) }, Ordering::Relaxed);
    REUSED_HIGH.fetch_max(found.end, Ordering::Relaxed);
    LAP.fetch_add(1, Ordering::Relaxed);
    begin_generation();
}

/// The loader has released memory, as it does when it has unloaded an object.
#[inline(always)]
pub(crate) fn loader_released() {
    UNLOADED.store(1, Ordering::Relaxed);
}

/// The loader has asked for memory, as it does before it maps an object.
///
/// If it may have unloaded one before, its rules are forgotten now: from here to the new object's being
/// mapped, no stack holds an address of either.
#[inline(always)]
pub(crate) fn loader_acquired() {
    if UNLOADED.load(Ordering::Relaxed) != 0 {
        begin_generation();
    }
}

#[cold]
#[inline(never)]
fn begin_generation() {
    UNLOADED.store(0, Ordering::Relaxed);
    GENERATION.fetch_add(1, Ordering::Relaxed);
    cache::clear();
}

/// Announces an object that has not been met before, or that another one has made room for.
///
/// Not inlined, so that its buffers are off the stack before the tables are read.
#[inline(never)]
fn meet(found: &Found) {
    let now = generation();
    let count = (COUNT.load(Ordering::Acquire) as usize).min(MOST);
    let mut identity = 0;
    let mut replaced = false;
    for met in MET[..count].iter().rev() {
        let (start, end) = (met.start.load(Ordering::Relaxed), met.end.load(Ordering::Relaxed));
        if found.start >= end || start >= found.end {
            continue;
        }
        if start == found.start && end == found.end {
            if met.confirmed.load(Ordering::Relaxed) == now {
                return;
            }
            identity = identity_of(found);
            if met.identity.load(Ordering::Relaxed) == identity {
                met.confirmed.store(now, Ordering::Relaxed);
                return;
            }
        }
        replaced = true;
        break;
    }
    if replaced {
        begin_lap(found);
    }
    if identity == 0 {
        identity = identity_of(found);
    }
    let at = COUNT.load(Ordering::Relaxed) as usize;
    if at < MOST
        && COUNT.compare_exchange(at as u32, at as u32 + 1, Ordering::Relaxed, Ordering::Relaxed).is_ok()
    {
        let met = &MET[at];
        met.identity.store(identity, Ordering::Relaxed);
        met.confirmed.store(generation(), Ordering::Relaxed);
        met.start.store(found.start, Ordering::Relaxed);
        // Until the end is written, the range is empty and overlaps nothing.
        met.end.store(found.end, Ordering::Release);
    }
    let map = LinkMap::of(found);
    let mut path = [0; MAX_TEXT];
    let length = map.copy_name(&mut path);
    // Its frames carry no lower lap.
    let reused = Reused::now();
    let lap = reused.lap_of(found.start).min(reused.lap_of(found.end - 1));
    let facts = [found.start, found.end, map.bias, lap, 0];
    call::note(call::now(state::taps()), Note::Loaded, facts, Some(&path[..length]));
}

/// The first words of the loader's `struct link_map` (`<link.h>`).
#[derive(Clone, Copy)]
#[repr(C)]
struct LinkMap {
    bias: u64,
    name: *const u8,
}

impl LinkMap {
    fn of(found: &Found) -> Self {
        // SAFETY: the loader's own description of an object whose code is on this thread's stack, so that
        // it cannot be unloaded meanwhile. The kernel is not asked: a sandbox may forbid that by now.
        unsafe { *(found.link_map as *const Self) }
    }

    /// Copies its name, as far as there is room; gives the length.
    fn copy_name(&self, into: &mut [u8]) -> usize {
        let mut length = 0;
        while !self.name.is_null() && length < into.len() {
            // SAFETY: as in `of`; the name ends with a zero, behind which nothing is read.
            let byte = unsafe { *self.name.add(length) };
            if byte == 0 {
                break;
            }
            into[length] = byte;
            length += 1;
        }
        length
    }
}

/// Tells an object from another one at the same addresses: by its name, and by its first kilobyte, where
/// linkers put the build id beside the headers. Never 0.
fn identity_of(found: &Found) -> u64 {
    const FNV_OFFSET: u64 = 0xcbf2_9ce4_8422_2325;
    const FNV_PRIME: u64 = 0x0000_0100_0000_01b3;
    let mut identity = FNV_OFFSET;
    let mut add = |bytes: &[u8]| {
        identity =
            bytes.iter().fold(identity, |hash, byte| (hash ^ u64::from(*byte)).wrapping_mul(FNV_PRIME));
    };
    let mut name = [0; MAX_TEXT];
    let length = LinkMap::of(found).copy_name(&mut name);
    add(&name[..length]);
    let beginning = (found.end - found.start).min(1024) as usize;
    // SAFETY: as in `LinkMap::of`; the object is mapped there, and its pages can be read.
    add(unsafe { core::slice::from_raw_parts(found.start as *const u8, beginning) });
    identity | 1
}
