//! Which calls are traced: the plan's rules.
//!
//! Rules that stand side by side, of one kind, about the same objects, are a *group*; each has a bit of a word. An object
//! has a word of the groups whose object pattern it fits, a name one of those whose symbol pattern it fits. What both
//! have in common decides: the last group does.

use core::cell::UnsafeCell;
use core::sync::atomic::{AtomicU64, Ordering};

use calltap_channel::trace::plan::{self, MOST_GROUPS, Plan, RuleKind};

use super::objects::{self, Object};
use super::pattern::Pattern;

struct Group {
    kind: RuleKind,
    objects_as_written: plan::Pattern<'static>,
    objects: Pattern,
    symbols: Vec<Pattern>,
}

struct Groups(UnsafeCell<Vec<Group>>);

// SAFETY: written by the constructor, while the process has one thread; read afterwards.
unsafe impl Sync for Groups {}

static GROUPS: Groups = Groups(UnsafeCell::new(Vec::new()));

/// Groups about the caller (`-e`).
static CALLS: AtomicU64 = AtomicU64::new(0);
/// Groups about the provider (`-x`).
static ENTRIES: AtomicU64 = AtomicU64::new(0);
/// Groups about the provider (`-l`).
static LIBRARY: AtomicU64 = AtomicU64::new(0);
/// Groups that ask for calls; the others are those that do not want them.
static PLUS: AtomicU64 = AtomicU64::new(0);
/// Groups that every object fits.
static ANY_OBJECT: AtomicU64 = AtomicU64::new(0);
/// Groups that every name fits.
static ANY_NAME: AtomicU64 = AtomicU64::new(0);

fn groups() -> &'static [Group] {
    // SAFETY: see `Groups`.
    unsafe { &*GROUPS.0.get() }
}

/// Takes the plan's rules over. Only the constructor calls this.
pub(crate) fn prepare(plan: &Plan<'static>) {
    // SAFETY: the constructor runs before the process has a second thread.
    let groups = unsafe { &mut *GROUPS.0.get() };
    for rule in plan.rules() {
        let full = groups.len() == MOST_GROUPS;
        match groups.last_mut() {
            Some(last) if last.kind == rule.kind && last.objects_as_written == rule.object => {
                last.symbols.push(Pattern::of(rule.symbol));
            }
            _ if full => {}
            _ => groups.push(Group {
                kind: rule.kind,
                objects_as_written: rule.object,
                objects: Pattern::of(rule.object),
                symbols: Vec::from([Pattern::of(rule.symbol)]),
            }),
        }
    }
    let mask = |is: &dyn Fn(&Group) -> bool| {
        groups.iter().enumerate().fold(0, |mask, (bit, group)| mask | u64::from(is(group)) << bit)
    };
    use RuleKind::{Calls, CallsNot, Entries, EntriesNot, Library, LibraryNot};
    CALLS.store(mask(&|group| matches!(group.kind, Calls | CallsNot)), Ordering::Relaxed);
    ENTRIES.store(mask(&|group| matches!(group.kind, Entries | EntriesNot)), Ordering::Relaxed);
    LIBRARY.store(mask(&|group| matches!(group.kind, Library | LibraryNot)), Ordering::Relaxed);
    PLUS.store(mask(&|group| matches!(group.kind, Calls | Entries | Library)), Ordering::Relaxed);
    ANY_OBJECT.store(mask(&|group| group.objects.is_any()), Ordering::Relaxed);
    ANY_NAME.store(mask(&|group| group.symbols.iter().any(Pattern::is_any)), Ordering::Relaxed);
}

/// The groups whose object pattern an object fits.
pub(crate) fn of_object(object: &Object) -> u64 {
    groups()
        .iter()
        .enumerate()
        .fold(0, |mask, (bit, group)| mask | u64::from(group.objects.fits_object(object)) << bit)
}

/// The groups whose symbol pattern a name fits.
pub(crate) fn of_name(name: &[u8]) -> u64 {
    groups().iter().enumerate().fold(0, |mask, (bit, group)| {
        mask | u64::from(group.symbols.iter().any(|pattern| pattern.fits(name))) << bit
    })
}

/// Whether the last of these groups asks for the call.
#[inline(always)]
fn last_asks(groups: u64) -> bool {
    groups != 0 && PLUS.load(Ordering::Relaxed) >> (63 - groups.leading_zeros()) & 1 != 0
}

/// Whether a call by an object is asked for, whoever provides the function.
#[inline(always)]
pub(crate) fn asks_for_call(name: u64, caller: u64) -> bool {
    last_asks(name & caller & CALLS.load(Ordering::Relaxed))
}

/// Whether calls of a function that this object provides are asked for, whoever calls.
pub(crate) fn asks_for_function(name: u64, provider: u64) -> bool {
    let both = name & provider;
    last_asks(both & ENTRIES.load(Ordering::Relaxed)) || last_asks(both & LIBRARY.load(Ordering::Relaxed))
}

/// The same by `-x` alone.
pub(crate) fn asks_for_entry(name: u64, provider: u64) -> bool {
    last_asks(name & provider & ENTRIES.load(Ordering::Relaxed))
}

/// Whether the function is asked for whoever calls it.
pub(crate) fn asks_whoever_calls(name: u64, provider: u64) -> bool {
    let calls = name & CALLS.load(Ordering::Relaxed);
    asks_for_function(name, provider)
        || (calls != 0
            && ANY_OBJECT.load(Ordering::Relaxed) >> (63 - calls.leading_zeros()) & 1 != 0
            && last_asks(calls))
}

/// Whether a call by this object may be asked for, when its provider is not known.
pub(crate) fn may_ask(name: u64, caller: u64) -> bool {
    let provided = ENTRIES.load(Ordering::Relaxed) | LIBRARY.load(Ordering::Relaxed);
    asks_for_call(name, caller) || name & provided & PLUS.load(Ordering::Relaxed) != 0
}

/// Whether a function that this object provides may be asked for, whoever calls.
pub(crate) fn may_be_asked(name: u64, provider: u64) -> bool {
    let calls = name & CALLS.load(Ordering::Relaxed) & PLUS.load(Ordering::Relaxed);
    calls != 0 || asks_for_function(name, provider)
}

/// Whether every call by this object is asked for that no other rule takes out: also one of a function without a name.
pub(crate) fn asks_for_nameless(caller: u64) -> bool {
    asks_for_call(ANY_NAME.load(Ordering::Relaxed), caller)
}

/// Whether any call by this object may be asked for.
pub(crate) fn is_asked_about(caller: u64) -> bool {
    let provided = ENTRIES.load(Ordering::Relaxed) | LIBRARY.load(Ordering::Relaxed);
    (caller & CALLS.load(Ordering::Relaxed) | provided) & PLUS.load(Ordering::Relaxed) != 0
}

/// Whether a call from this address is asked for, of a function with these groups.
#[inline(always)]
pub(crate) fn asks_for_call_from(name: u64, site: u64) -> bool {
    match objects::place_of(site) {
        Some(place) => asks_for_call(name, objects::object(place).rules),
        None => false,
    }
}
