//! The loaded objects: found in the loader's lists, read where the loader has mapped them.
//!
//! Only whoever holds the loader's lock (the constructor, `_dl_catch_exception`'s watch) changes them. Everyone may look:
//! which object an address is in is answered from one of two sorted lists, of which the other one is written.

use core::cell::UnsafeCell;
use core::ffi::CStr;
use core::sync::atomic::{AtomicU32, AtomicU64, AtomicUsize, Ordering};

use super::image::{Image, Tables};

/// The most objects at one time.
pub(crate) const MOST: usize = 1024;

/// A loaded object.
#[derive(Clone, Copy)]
pub(crate) struct Object {
    /// Address of the loader's `struct link_map`; 0 if this place is free.
    pub(crate) map: u64,
    /// What its file's addresses are moved by.
    pub(crate) base: u64,
    /// Path as the loader has it, zero-terminated.
    name: *const u8,
    /// Its segments.
    pub(crate) image: Image,
    /// What its dynamic section says; None if that cannot be understood.
    pub(crate) tables: Option<Tables>,
    /// Whether it is the program itself.
    pub(crate) is_program: bool,
    /// Whether it is this library.
    pub(crate) is_own: bool,
    /// The list it is in: 0 for that of the program.
    pub(crate) namespace: u32,
    /// The rules whose object pattern it fits ([`super::choose`]).
    pub(crate) rules: u64,
    /// Whether it was loaded with the program, not later.
    pub(crate) is_first: bool,
    /// Its destructors have been called: it goes.
    pub(crate) leaves: bool,
    /// Where it is kept here.
    pub(crate) place: usize,
}

impl Object {
    const FREE: Self = Self {
        map: 0,
        base: 0,
        name: core::ptr::null(),
        image: Image::EMPTY,
        tables: None,
        is_program: false,
        is_own: false,
        namespace: 0,
        rules: 0,
        is_first: false,
        leaves: false,
        place: 0,
    };

    /// Its path as the loader has it; empty for the program itself.
    pub(crate) fn path(&self) -> &'static [u8] {
        if self.is_program { b"" } else { self.loader_path().to_bytes() }
    }

    /// The path by which the loader has opened its file; empty if the kernel has.
    pub(crate) fn loader_path(&self) -> &'static CStr {
        if self.name.is_null() {
            return c"";
        }
        // SAFETY: the loader keeps the name as long as the object.
        unsafe { CStr::from_ptr(self.name.cast()) }
    }

    /// Its soname; without one, the last part of its path.
    pub(crate) fn soname(&self) -> &'static [u8] {
        if let Some(soname) = self.tables.as_ref().and_then(Tables::soname).filter(|name| !name.is_empty()) {
            return soname;
        }
        let path = self.full_path();
        path.rsplit(|byte| *byte == b'/').next().unwrap_or(path)
    }

    /// Its path, also of the program itself: as it was executed.
    pub(crate) fn full_path(&self) -> &'static [u8] {
        if !self.is_program {
            return self.loader_path().to_bytes();
        }
        // SAFETY: the kernel has put the path on the initial stack, where it stays.
        unsafe { text_at(libc::getauxval(libc::AT_EXECFN) as *const u8) }
    }
}

/// The zero-terminated text at an address; empty for null.
///
/// # Safety
/// `at` is null, or a zero-terminated text that stays.
pub(crate) unsafe fn text_at(at: *const u8) -> &'static [u8] {
    if at.is_null() {
        return &[];
    }
    // SAFETY: by the contract.
    unsafe { CStr::from_ptr(at.cast()) }.to_bytes()
}

struct Places(UnsafeCell<[Object; MOST]>);

// SAFETY: a place is written under the loader's lock only, before a list that names it is published, and after nobody
// runs code of the object that had it.
unsafe impl Sync for Places {}

static PLACES: Places = Places(UnsafeCell::new([const { Object::FREE }; MOST]));

struct List {
    count: AtomicUsize,
    start: [AtomicU64; MOST],
    end: [AtomicU64; MOST],
    place: [AtomicU32; MOST],
}

static LISTS: [List; 2] = [const {
    List {
        count: AtomicUsize::new(0),
        start: [const { AtomicU64::new(0) }; MOST],
        end: [const { AtomicU64::new(0) }; MOST],
        place: [const { AtomicU32::new(0) }; MOST],
    }
}; 2];
static CURRENT: AtomicUsize = AtomicUsize::new(0);

/// The object at a place.
#[inline(always)]
pub(crate) fn object(place: usize) -> &'static Object {
    // SAFETY: see `Places`; the index is checked.
    unsafe { &(&*PLACES.0.get())[place] }
}

/// Changes the object at a place.
///
/// # Safety
/// The caller holds the loader's lock, and keeps no reference to the object.
unsafe fn change(place: usize, with: impl FnOnce(&mut Object)) {
    // SAFETY: by the contract nobody else writes; readers look at other places, or at words that stay as they are.
    with(unsafe { &mut (&mut *PLACES.0.get())[place] });
}

/// The place of the object around an address.
#[inline(always)]
pub(crate) fn place_of(address: u64) -> Option<usize> {
    let list = &LISTS[CURRENT.load(Ordering::Acquire) & 1];
    let (mut low, mut high) = (0, list.count.load(Ordering::Relaxed).min(MOST));
    while low < high {
        // In bounds anyway; said so that the compiler sees it, where nothing may be called.
        let middle = ((low + high) / 2) & (MOST - 1);
        if address < list.start[middle].load(Ordering::Relaxed) {
            high = middle;
        } else if address >= list.end[middle].load(Ordering::Relaxed) {
            low = middle + 1;
        } else {
            return Some(list.place[middle].load(Ordering::Relaxed) as usize & (MOST - 1));
        }
    }
    None
}

/// The place of the object in whose executable memory an address is.
pub(crate) fn place_of_code(address: u64) -> Option<usize> {
    place_of(address).filter(|place| object(*place).image.is_code(address))
}

/// This library.
pub(crate) fn own() -> Option<&'static Object> {
    place_of((&raw const LISTS) as u64).map(object)
}

/// Places that have ever been in use: the first ones.
static USED: AtomicUsize = AtomicUsize::new(0);

/// The places in use.
pub(crate) fn all() -> impl Iterator<Item = usize> {
    let used = USED.load(Ordering::Acquire);
    (0..used).filter(|place| object(*place).map != 0)
}

/// The first words of the loader's `struct link_map` (`<link.h>`).
#[repr(C)]
struct LinkMap {
    base: u64,
    name: *const u8,
    dynamic: u64,
    next: *const LinkMap,
}

/// The loader's `struct r_debug_extended` (`<link.h>`).
#[repr(C)]
struct Debug {
    version: i32,
    first: *const LinkMap,
    breakpoint: u64,
    state: i32,
    loader: u64,
    /// There only from version 2 on.
    next: *const Debug,
}

unsafe extern "C" {
    static _r_debug: Debug;
}

/// Calls `each` with the number of every namespace and every object in it.
///
/// # Safety
/// The caller holds the loader's lock.
unsafe fn walk(mut each: impl FnMut(u32, &LinkMap)) {
    let mut namespace = 0;
    let mut debug: *const Debug = &raw const _r_debug;
    // SAFETY: the loader's lists stand still while its lock is held; the last word is there from version 2 on.
    unsafe {
        while !debug.is_null() {
            let mut map = (*debug).first;
            while !map.is_null() {
                each(namespace, &*map);
                map = (*map).next;
            }
            debug = if (*debug).version >= 2 { (*debug).next } else { core::ptr::null() };
            namespace += 1;
        }
    }
}

/// The place of the object with this `struct link_map`.
pub(crate) fn place_of_map(map: u64) -> Option<usize> {
    all().find(|place| object(*place).map == map)
}

/// Notes that the object at a place is about to go.
///
/// # Safety
/// The caller holds the loader's lock.
pub(crate) unsafe fn leaves(place: usize) {
    // SAFETY: by the contract.
    unsafe { change(place, |object| object.leaves = true) };
}

/// What has changed among the objects.
pub(crate) struct Changes {
    /// Objects that have gone, as they were.
    pub(crate) gone: Vec<Object>,
    /// Places of new ones, in the loader's order.
    pub(crate) new: Vec<usize>,
    /// Objects for which there was no place.
    pub(crate) without_place: usize,
}

/// Looks at the loader's lists again. `rules_of` says which rules' object patterns a new object fits.
///
/// What leaves may stand in the lists while it is being unloaded (`unloads`): other objects' destructors are called
/// first. At any other time what stands where it stood is a new object at the same address.
///
/// # Safety
/// The caller holds the loader's lock.
pub(crate) unsafe fn look(rules_of: impl Fn(&Object) -> u64, unloads: bool) -> Changes {
    let mut changes = Changes { gone: Vec::new(), new: Vec::new(), without_place: 0 };
    let begins = USED.load(Ordering::Relaxed) == 0;
    let mut seen = [0_u64; MOST / 64];
    let mut maps: Vec<(u32, *const LinkMap)> = Vec::with_capacity(MOST);
    // SAFETY: by the contract.
    unsafe { walk(|namespace, map| maps.push((namespace, core::ptr::from_ref(map)))) };
    let mut fresh: Vec<usize> = Vec::with_capacity(maps.len());
    for (index, (_, map)) in maps.iter().enumerate() {
        let is_it = |object: &Object| object.map == *map as u64 && (unloads || !object.leaves);
        let known = all().find(|place| is_it(object(*place)));
        match known {
            Some(place) => seen[place / 64] |= 1 << (place % 64),
            None => fresh.push(index),
        }
    }
    for place in all().filter(|place| seen[place / 64] >> (place % 64) & 1 == 0) {
        changes.gone.push(*object(place));
        // SAFETY: by the contract.
        unsafe { change(place, |object| *object = Object::FREE) };
    }
    if fresh.is_empty() && changes.gone.is_empty() {
        return changes;
    }
    for index in fresh {
        let (namespace, map) = maps[index];
        // SAFETY: an entry of the loader's list, which stands still.
        let map = unsafe { &*map };
        // The loader itself is in every namespace's list.
        if all().any(|place| object(place).image.dynamic == map.dynamic && map.dynamic != 0) {
            continue;
        }
        let Some(place) = (0..MOST).find(|place| object(*place).map == 0) else {
            changes.without_place += 1;
            continue;
        };
        let mut new = read(namespace, map, index == 0);
        new.rules = rules_of(&new);
        new.is_first = begins && namespace == 0;
        new.place = place;
        // SAFETY: by the contract.
        unsafe { change(place, |object| *object = new) };
        USED.fetch_max(place + 1, Ordering::Release);
        changes.new.push(place);
    }
    publish();
    changes
}

fn read(namespace: u32, map: &LinkMap, is_program: bool) -> Object {
    let image = Image::read(map.base, map.dynamic, is_program);
    let own = (&raw const LISTS) as u64;
    Object {
        map: core::ptr::from_ref(map) as u64,
        base: map.base,
        name: map.name,
        tables: Tables::read(&image),
        is_own: (image.start..image.end).contains(&own),
        image,
        is_program,
        namespace,
        rules: 0,
        is_first: false,
        leaves: false,
        place: 0,
    }
}

/// Writes the list that is not in use, and has it used.
fn publish() {
    let current = CURRENT.load(Ordering::Relaxed);
    let list = &LISTS[(current & 1) ^ 1];
    let mut places: Vec<usize> = Vec::with_capacity(MOST);
    places.extend(all().filter(|place| object(*place).image.end != 0));
    places.sort_unstable_by_key(|place| object(*place).image.start);
    list.count.store(places.len(), Ordering::Relaxed);
    for (index, place) in places.into_iter().enumerate() {
        let image = &object(place).image;
        list.start[index].store(image.start, Ordering::Relaxed);
        list.end[index].store(image.end, Ordering::Relaxed);
        list.place[index].store(place as u32, Ordering::Relaxed);
    }
    CURRENT.store(current.wrapping_add(1), Ordering::Release);
}
