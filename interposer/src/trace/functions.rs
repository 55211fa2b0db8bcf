//! The traced functions of this process image: one entry for each real function, whoever imports it.
//!
//! `binding` asks for entries; the entries' machine code reads them. An entry is used again only once the object that
//! provides its function (or, of an unresolved one, the object whose slot it stands in) has been unloaded.
//!
//! Nothing here locks: a lazy slot may be resolved by several threads, and in a signal handler, at one time.

use core::sync::atomic::{AtomicU32, AtomicU64, Ordering};

use super::stubs;

/// Flag of a function: entered by a jump; an [`ENTRY_ONLY`](calltap_channel::trace::ENTRY_ONLY) record is written. Returns twice, not at all, or looks at its caller.
pub(crate) const JUMP: u64 = 1 << 0;
/// Flag: calls are counted, nothing else (with [`JUMP`]).
pub(crate) const COUNT: u64 = 1 << 1;
/// Flag: memory is copied at entry or on return: all vector registers are saved for that.
pub(crate) const COPIES: u64 = 1 << 2;
/// Flag: vector registers are recorded at entry.
pub(crate) const VECTORS: u64 = 1 << 3;
/// Flag: `xmm0`, `xmm1` are recorded on return.
pub(crate) const RETURNS_VECTORS: u64 = 1 << 4;
/// Flag: `st0`, `st1` are recorded on return.
pub(crate) const RETURNS_X87: u64 = 1 << 5;
/// Flag: `rdx` is recorded on return.
pub(crate) const RETURNS_RDX: u64 = 1 << 6;
/// Flag: recorded only if the return address is in an object whose calls are traced (see `binding::is_chosen`): the
/// function's address also stands in slots from which it may be taken.
pub(crate) const ASKS_CALLER: u64 = 1 << 7;
/// Flag: `real` is not the function but names a slot: to be resolved at the first call, as the loader does
/// (`binding::resolve`). Of a function that has been resolved meanwhile, `real` is written before the flags.
pub(crate) const LAZY: u64 = 1 << 8;
/// Flag: not traced; `binding::watched` is told before each call (`dlsym`, `dlclose`, `_dl_catch_exception`). With [`JUMP`].
pub(crate) const WATCHED: u64 = 1 << 9;
/// Flag: leaves frames behind (`longjmp` and its like): `frames::left` is told before each call. With [`JUMP`].
pub(crate) const LEAVES: u64 = 1 << 10;
/// Flag: nothing is recorded at all; with [`WATCHED`] or [`LEAVES`].
pub(crate) const SILENT: u64 = 1 << 11;
/// Flag: `vfork`: the thread's ring is parked. With [`JUMP`].
pub(crate) const VFORKS: u64 = 1 << 12;
/// Flag: `dlsym`, `dlvsym`: what they give is to be what stands in slots, or to be traced.
pub(crate) const GIVES_ADDRESS: u64 = 1 << 13;
/// Flag: the plan has no row for it: entries are marked [`NO_ROW`](calltap_channel::trace::NO_ROW).
pub(crate) const GUESSED: u64 = 1 << 14;
/// Flag: `backtrace`: the trampoline is not shown to it. With [`JUMP`].
pub(crate) const BACKTRACES: u64 = 1 << 15;
/// Flag: `_Unwind_Backtrace`: the same. With [`JUMP`].
pub(crate) const UNWINDS: u64 = 1 << 16;
/// Flag: `prctl`, by which a program may confine itself ([`crate::confined`]).
pub(crate) const CONTROLS: u64 = 1 << 18;
/// Flag: `syscall`: the same.
pub(crate) const CALLS_KERNEL: u64 = 1 << 19;

/// Flag: `dladdr`, `dladdr1`: asked about an entry, they are asked about its function.
pub(crate) const TAKES_ADDRESS: u64 = 1 << 17;

/// Bit of [`Function::rest`]`[1]`: the entry's address stands where it may be taken.
const TAKEN: u64 = 1 << 0;

/// A traced function. 64 bytes; the machine code knows the offsets.
#[repr(C, align(64))]
pub(crate) struct Function {
    /// Address of the real function. Offset 0.
    pub(crate) real: AtomicU64,
    /// The flags above. Offset 8.
    pub(crate) flags: AtomicU64,
    /// Number in the session's directory (low half), number of integer registers (bits 32-39), of vector registers (40-47), stack bytes
    /// (48-63). Offset 16.
    pub(crate) number: AtomicU64,
    /// Offset of the plan's captures at entry (low half) and on return (high half). Offset 24.
    pub(crate) captures: AtomicU64,
    /// Address of its entry: what stands in slots. Offset 32.
    pub(crate) entry: AtomicU64,
    /// `binding`'s own: which rules ask for a function of this name ([`super::choose`]); the bit above; of a lazy
    /// slot, the function that it was resolved to.
    pub(crate) rest: [AtomicU64; 3],
}

const _: () = assert!(size_of::<Function>() == 64);

/// The most entries of one process image.
pub(crate) const MOST: usize = 1 << 15;

/// Number of a function that nothing is recorded of.
pub(crate) const UNNUMBERED: u32 = u32::MAX;

/// The table that the entries' machine code reads: entry `i` is that of function `i`.
pub(crate) static FUNCTIONS: [Function; MOST] = [const {
    Function {
        real: AtomicU64::new(0),
        flags: AtomicU64::new(0),
        number: AtomicU64::new(0),
        captures: AtomicU64::new(0),
        entry: AtomicU64::new(0),
        rest: [const { AtomicU64::new(0) }; 3],
    }
}; MOST];

/// What a new entry is to be.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Wanted {
    /// Address of the function, or the name of a lazy slot.
    pub(crate) real: u64,
    /// The flags above.
    pub(crate) flags: u64,
    /// Number in the directory, [`UNNUMBERED`] for none; registers and stack bytes, as in [`Function::number`].
    pub(crate) number: u64,
    /// As in [`Function::captures`].
    pub(crate) captures: u64,
    /// The rules that ask for this name.
    pub(crate) rules: u64,
}

static EVER_TAKEN: AtomicU64 = AtomicU64::new(0);
/// Entries that were used so far, given back ones included.
static USED: AtomicU32 = AtomicU32::new(0);
/// Entries that were given back: the youngest one's index plus one in the low half, how often the list has changed in
/// the high half. Each names the next one.
static FREE: AtomicU64 = AtomicU64::new(0);
static NEXT_FREE: [AtomicU32; MOST] = [const { AtomicU32::new(0) }; MOST];

/// Hash table of all functions by real address: the address above bit 16, the index plus one below.
const PLACES: usize = 2 * MOST;
static BY_ADDRESS: [AtomicU64; PLACES] = [const { AtomicU64::new(0) }; PLACES];
/// A place whose function has gone.
const GONE: u64 = 1 << 63;

impl Function {
    /// Its number in the directory.
    pub(crate) fn directory_number(&self) -> u32 {
        self.number.load(Ordering::Relaxed) as u32
    }

    /// The rules that ask for its name.
    #[inline(always)]
    pub(crate) fn rules(&self) -> u64 {
        self.rest[0].load(Ordering::Relaxed)
    }

    /// Whether its entry's address may be taken by the program.
    pub(crate) fn is_taken(&self) -> bool {
        self.rest[1].load(Ordering::Relaxed) & TAKEN != 0
    }

    /// Notes that its entry's address may be taken.
    pub(crate) fn take(&self) {
        if self.rest[1].fetch_or(TAKEN, Ordering::Relaxed) & TAKEN == 0 {
            EVER_TAKEN.fetch_add(1, Ordering::Relaxed);
        }
    }

    /// Whether a flag is set.
    pub(crate) fn has(&self, flag: u64) -> bool {
        self.flags.load(Ordering::Relaxed) & flag != 0
    }

    /// Whether these flags are set, and no others.
    pub(crate) fn has_just(&self, flags: u64) -> bool {
        self.flags.load(Ordering::Relaxed) == flags
    }

    /// Address of its entry.
    pub(crate) fn address(&self) -> u64 {
        self.entry.load(Ordering::Relaxed)
    }

    /// What a lazy slot was resolved to.
    pub(crate) fn resolved(&self) -> Option<&'static Self> {
        let index = self.rest[2].load(Ordering::Acquire).checked_sub(1)?;
        FUNCTIONS.get(index as usize)
    }

    /// Notes what a lazy slot was resolved to.
    pub(crate) fn resolve_to(&self, function: &'static Self) {
        self.rest[2].store(function.index() as u64 + 1, Ordering::Release);
    }

    fn index(&self) -> usize {
        (core::ptr::from_ref(self) as usize - (&raw const FUNCTIONS) as usize) / size_of::<Self>()
    }
}

/// How many functions' addresses could ever be taken.
pub(crate) fn taken() -> u64 {
    EVER_TAKEN.load(Ordering::Relaxed)
}

/// The function whose entry is at `address`.
pub(crate) fn at_entry(address: u64) -> Option<&'static Function> {
    let offset = address.checked_sub(stubs::address_of(0))?;
    let function = FUNCTIONS.get(usize::try_from(offset).ok()? / stubs::BYTES)?;
    (function.address() == address).then_some(function)
}

/// A new entry that no address leads to (of a lazy slot). None if all are in use.
pub(crate) fn add(wanted: &Wanted) -> Option<&'static Function> {
    let index = allocate()?;
    let function = &FUNCTIONS[index];
    fill(function, index, wanted);
    Some(function)
}

/// The function at `wanted.real` that `fits`, or a new one. None if all entries are in use.
pub(crate) fn get(wanted: &Wanted, fits: impl Fn(&Function) -> bool) -> Option<&'static Function> {
    let key = wanted.real << 16;
    let mut made: Option<(usize, &'static Function)> = None;
    'again: loop {
        let mut free = None;
        for probe in 0..PLACES {
            let place = &BY_ADDRESS[(hash(wanted.real) + probe) & (PLACES - 1)];
            let found = place.load(Ordering::Acquire);
            if found == GONE || found == 0 {
                free.get_or_insert((place, found));
                if found == GONE {
                    continue;
                }
                break;
            }
            let index = (found & 0xffff) as usize - 1;
            if found & !0xffff == key && fits(&FUNCTIONS[index]) {
                if let Some((spare, _)) = made {
                    FUNCTIONS[spare].real.store(0, Ordering::Relaxed);
                    release(spare);
                }
                return Some(&FUNCTIONS[index]);
            }
        }
        let (place, was) = free?;
        let (index, function) = match made {
            Some(made) => made,
            None => {
                let index = allocate()?;
                fill(&FUNCTIONS[index], index, wanted);
                *made.insert((index, &FUNCTIONS[index]))
            }
        };
        // Release: whoever finds it finds it filled.
        if place.compare_exchange(was, key | (index as u64 + 1), Ordering::AcqRel, Ordering::Relaxed).is_err()
        {
            continue 'again;
        }
        return Some(function);
    }
}

/// The function at this address that `fits`, if there is one.
pub(crate) fn find(real: u64, fits: impl Fn(&Function) -> bool) -> Option<&'static Function> {
    for probe in 0..PLACES {
        let found = BY_ADDRESS[(hash(real) + probe) & (PLACES - 1)].load(Ordering::Acquire);
        if found == 0 {
            return None;
        }
        if found != GONE && found >> 16 == real {
            let function = &FUNCTIONS[(found & 0xffff) as usize - 1];
            if fits(function) {
                return Some(function);
            }
        }
    }
    None
}

/// Gives back all functions that `is_gone`, which sees real addresses and the names of lazy slots.
pub(crate) fn forget(is_gone: impl Fn(&Function) -> bool) {
    for place in &BY_ADDRESS {
        let found = place.load(Ordering::Relaxed);
        if found != 0 && found != GONE && is_gone(&FUNCTIONS[(found & 0xffff) as usize - 1]) {
            place.store(GONE, Ordering::Relaxed);
        }
    }
    let used = (USED.load(Ordering::Relaxed) as usize).min(MOST);
    for (index, function) in FUNCTIONS[..used].iter().enumerate() {
        if function.real.load(Ordering::Relaxed) != 0 && is_gone(function) {
            function.real.store(0, Ordering::Relaxed);
            release(index);
        }
    }
}

/// Functions are 16-aligned as a rule.
fn hash(real: u64) -> usize {
    ((real >> 4).wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 40) as usize & (PLACES - 1)
}

fn fill(function: &Function, index: usize, wanted: &Wanted) {
    function.real.store(wanted.real, Ordering::Relaxed);
    function.number.store(wanted.number, Ordering::Relaxed);
    function.captures.store(wanted.captures, Ordering::Relaxed);
    function.entry.store(stubs::address_of(index), Ordering::Relaxed);
    function.rest[0].store(wanted.rules, Ordering::Relaxed);
    function.rest[1].store(0, Ordering::Relaxed);
    function.rest[2].store(0, Ordering::Relaxed);
    function.flags.store(wanted.flags, Ordering::Release);
}

/// An index that nobody has.
fn allocate() -> Option<usize> {
    let mut head = FREE.load(Ordering::Acquire);
    while let Some(index) = (head as u32).checked_sub(1) {
        let next = NEXT_FREE[index as usize].load(Ordering::Relaxed);
        let changed = (head >> 32).wrapping_add(1) << 32 | u64::from(next);
        match FREE.compare_exchange(head, changed, Ordering::AcqRel, Ordering::Acquire) {
            Ok(_) => return Some(index as usize),
            Err(now) => head = now,
        }
    }
    let index = USED
        .fetch_update(Ordering::Relaxed, Ordering::Relaxed, |used| (used < MOST as u32).then_some(used + 1));
    index.ok().map(|index| index as usize)
}

fn release(index: usize) {
    let mut head = FREE.load(Ordering::Acquire);
    loop {
        NEXT_FREE[index].store(head as u32, Ordering::Relaxed);
        let changed = (head >> 32).wrapping_add(1) << 32 | (index as u64 + 1);
        match FREE.compare_exchange(head, changed, Ordering::AcqRel, Ordering::Acquire) {
            Ok(_) => return,
            Err(now) => head = now,
        }
    }
}
